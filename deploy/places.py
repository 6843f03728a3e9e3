"""Throw-away folders that the user Postgres runs as can reach."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from deploy import account

EVERYBODYS = "/var/tmp"  # noqa: S108 - mkdtemp makes a folder of its own in it
IN_MEMORY = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a folder of its own in it
ROOM = 4 * 2**30
MEMORY = 3 * ROOM


@contextlib.contextmanager
def thrown_away(*, in_memory: bool = False) -> Iterator[Path]:
    """A new folder, gone with all it holds when the block ends; in memory if that is wished for and there is plenty.

    For many databases that live for a second, memory is quicker by far: file systems put off using again what was
    deleted a moment ago, and ext4 looks through all of that for each of some 700 files of a database.
    """
    lent = account.for_postgres()
    for within in (*((IN_MEMORY,) if in_memory and _is_roomy() else ()), None, EVERYBODYS):
        place = Path(tempfile.mkdtemp(prefix="socialerasmus-", dir=within)).resolve()
        if lent:
            place.chmod(0o711)
        if lent is None or lent.may_enter(place) or within is EVERYBODYS:
            break
        place.rmdir()
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _is_roomy() -> bool:
    """Whether the machine, and what confines this process on it, leave enough memory to keep files there."""
    try:
        room = os.statvfs(IN_MEMORY)
        told = Path("/proc/meminfo").read_text()
        available = next(int(line.split()[1]) * 1024 for line in told.splitlines() if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        return False
    with contextlib.suppress(OSError, ValueError):
        available = min(available, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return os.access(IN_MEMORY, os.W_OK | os.X_OK) and room.f_bavail * room.f_frsize >= ROOM and available >= MEMORY


@contextlib.contextmanager
def given_or_thrown_away(directory: Path | None) -> Iterator[Path]:
    """The folder that was named, kept; or one that is thrown away."""
    if directory is not None:
        yield directory
    else:
        with thrown_away() as place:
            yield place
