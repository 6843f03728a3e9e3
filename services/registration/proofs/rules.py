"""Pure decisions about proofs of work: when one is asked, and how much."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from services.kernel.problems import Challenge, FieldError, Problem
from services.kernel.proofs import Fault

HEADER: Final = "X-Altcha"

FEWEST_HELD: Final = 3
"""So many places of the smallest activity are held before anything is asked."""

HIGHEST: Final = 3
"""The highest level; each asks for twice the work of the one below."""

MOST_COUNTED: Final = 2 ** (HIGHEST + 1)
"""Up to how many times what is free somebody's sign-ups are counted."""


class ProofRequired(Problem):
    """Very many places are being taken: repeat the request with a proof of work.

    It is a solution of `challenge` (ALTCHA, PoW v2: PBKDF2/SHA-256), in the header X-Altcha, in base64 as the libraries
    of ALTCHA write it. It holds for this activity or series, for ten minutes and once; `errors` says why one that was
    sent did not do.
    """

    status = 403
    title = "Proof of work required"

    def __init__(self, challenge: Challenge | None = None, fault: Fault | None = None) -> None:
        faults = [FieldError(pointer=f"header/{HEADER}", detail=fault.value)] if fault else []
        super().__init__(errors=faults)
        self.challenge = challenge

    def members(self) -> Mapping[str, Any]:
        """The challenge."""
        return {} if self.challenge is None else {"challenge": self.challenge.model_dump(by_alias=True)}


def free_of(capacity: int, *, percent: int) -> int:
    """How many places of an activity may be held before anything is asked."""
    return max(FEWEST_HELD, capacity * percent // 100)


def level_of_holds(held: int, capacity: int | None, *, percent: int) -> int | None:
    """What is asked where so many places are held by people who have not confirmed; None is nothing.

    >>> [level_of_holds(held, 40, percent=50) for held in (19, 20, 27, 34, 40)]
    [None, 0, 1, 2, 3]
    >>> level_of_holds(1000, None, percent=50)
    """
    if capacity is None or not percent:
        return None
    free = free_of(capacity, percent=percent)
    if held < free:
        return None
    return min(HIGHEST, HIGHEST * (held - free) // max(1, capacity - free))


def level_of_count(before: int, free: int) -> int | None:
    """What is asked of whoever signed up so often before, where so many times are free; None is nothing.

    >>> [level_of_count(before, 5) for before in (4, 5, 9, 10, 20, 40, 1000)]
    [None, 0, 0, 1, 2, 3, 3]
    """
    if before < free or not free:
        return None
    return min(HIGHEST, (before // free).bit_length() - 1)


def cost(level: int, *, least: int) -> int:
    """How many rounds each derived key takes."""
    return int(least << level)
