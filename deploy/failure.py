"""The one exception that ends a command: a sentence for the person who gave it."""


class Failure(Exception):
    """What went wrong and what to do about it, in one sentence."""
