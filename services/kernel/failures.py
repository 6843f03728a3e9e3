"""Failures that end a process with one sentence for the person who started it."""


class Stop(Exception):
    """Something outside the program must change before it can run; the message is one clear sentence."""


class Misconfigured(Stop):
    """A setting is missing or wrong."""
