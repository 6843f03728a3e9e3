"""Ctrl-C and its kin, turned into a question the code asks where stopping is safe, so that no second is a bad one."""

import os
import select
import signal
import time
from types import FrameType

_asked: list[int] = []
_bell: list[int] = []


class Interrupted(BaseException):
    """Somebody asked us to stop while something was being prepared."""


def watch() -> None:
    """Take over the signals that mean "stop"; only a command does this, a test that starts a server does not."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    _bell[:] = [reader]
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _note)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup stays nohup
        signal.signal(signal.SIGHUP, _note)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)  # so that a child's end rings the bell


def _note(number: int, _frame: FrameType | None) -> None:
    _asked.append(number)


def times_asked() -> int:
    """How often we were asked to stop; the second time means "now"."""
    return len(_asked)


def check() -> None:
    """Stop here if we were asked to."""
    if _asked:
        raise Interrupted


def pause(seconds: float) -> None:
    """Wait, but not past a signal or the end of a child."""
    if not _bell:
        time.sleep(min(seconds, 0.02))
        return
    ready, _, _ = select.select(_bell, [], [], seconds)
    if ready:
        while True:
            try:
                if not os.read(_bell[0], 512):
                    return
            except BlockingIOError:
                return
