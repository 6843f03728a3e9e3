"""Throw-away folders that the user Postgres runs as can reach."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from deploy import account

EVERYBODYS = "/var/tmp"  # noqa: S108 - mkdtemp makes a folder of its own in it


@contextlib.contextmanager
def thrown_away() -> Iterator[Path]:
    """A new folder, gone with all it holds when the block ends."""
    lent = account.for_postgres()
    for within in (None, EVERYBODYS):
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


@contextlib.contextmanager
def given_or_thrown_away(directory: Path | None) -> Iterator[Path]:
    """The folder that was named, kept; or one that is thrown away."""
    if directory is not None:
        yield directory
    else:
        with thrown_away() as place:
            yield place
