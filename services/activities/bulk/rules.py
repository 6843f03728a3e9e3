"""Decisions about many activities at once: how much is taken, and where in the whole a part's fault lies."""

from __future__ import annotations

from typing import Final

from services.kernel.problems import FieldError, Problem

MOST_ITEMS: Final = 200
MOST_ROWS: Final = 500


class NothingApplied(Problem):
    """Nothing was changed, because not everything could be; `errors` names each fault."""

    status = 422
    title = "Nothing applied"


def placed(problem: Problem, where: str) -> list[FieldError]:
    """The faults of a part's problem with pointers into the whole; one that has none is a fault of the whole part."""
    if not problem.errors:
        return [FieldError(pointer=where, detail=problem.detail)]
    return [
        FieldError(pointer=where + fault.pointer.removeprefix("#"), detail=fault.detail) for fault in problem.errors
    ]
