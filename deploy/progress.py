"""What the person at the terminal sees: one short line a step, with the seconds it took."""

import sys
import time

WIDTH = 12


def say(name: str, text: str) -> None:
    """Print one line; a terminal that has gone away is no reason to stop."""
    try:
        print(f"  {name:<{WIDTH}} {text}", flush=True)
    except (OSError, ValueError):
        sys.stdout = None  # print() is silent from here on


class Step:
    """A step being worked on, timed from its making."""

    def __init__(self, name: str) -> None:
        """Start the clock."""
        self.name = name
        self._began = time.monotonic()

    def note(self, text: str) -> None:
        """Say what is going on within the step."""
        say(self.name, text)

    def done(self, text: str) -> None:
        """Say how the step ended and how long it took."""
        say(self.name, f"{text} ({time.monotonic() - self._began:.1f} s)")
