"""Which counts of people may be told: a pure decision over all tables of a period at once.

A count is told where it is at least its row's threshold, is not everybody in its row, and differs from the same count
of each row around it by nothing that is small. Beside these, more is withheld until every withheld count has at least
as many possible values as the threshold, as `worlds` proves. Zeros are withheld like any other small count.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.impact.disclosure.listing import Listing, Row, Shape, level, listing
from services.impact.disclosure.patience import GaveUp, Patience
from services.impact.disclosure.worlds import UNNAMED, Worlds, bits

People = Mapping[tuple[frozenset[Row], str], int]
"""How many people are counted in exactly these rows and have this label."""


@dataclass(frozen=True, slots=True)
class Released:
    """What may be told: rows with the number of their people, and counts by row and label. All else is withheld."""

    rows: dict[Row, int]
    counts: dict[tuple[Row, str], int]


MOST_STEPS: Final = 5_000_000
"""How long the tables of a label are looked at, in the smallest steps of the search."""


def protect_in_time(
    people: People, shapes: Sequence[Shape], *, steps: int = MOST_STEPS, floors: Mapping[Row, int] = {}
) -> Released:
    """Decide what may be told of these people, of fewer tables where that takes too long: the first are kept longest.

    A table that is left out is told nowhere, so those that remain are decided as if it had never been declared.
    """
    return told_in_time(people, shapes, steps=steps, floors=floors)[0]


def told_in_time(
    people: People, shapes: Sequence[Shape], *, steps: int, floors: Mapping[Row, int]
) -> tuple[Released, Sequence[Shape]]:
    """The same, and the tables that were not left out."""
    for many in range(len(shapes), 0, -1):
        kept = shapes[:many]
        tables = {shape.table for shape in kept}
        fewer: Counter[tuple[frozenset[Row], str]] = Counter()
        for (rows, label), number in people.items():
            fewer[frozenset(row for row in rows if row.table in tables), label] += number
        try:
            return protect(fewer, kept, steps=steps, floors=floors), kept
        except GaveUp:
            continue
    return Released({}, {}), ()


def protect(
    people: People,
    shapes: Sequence[Shape],
    *,
    complementary: bool = True,
    steps: int = MOST_STEPS,
    floors: Mapping[Row, int] = {},
) -> Released:
    """Decide what may be told of these people, or raise `GaveUp` where it takes more steps than are allowed.

    `floors` raises the thresholds of single rows. `complementary` False is how it must not be done, for comparison.
    """
    patience = Patience(steps)
    members: Counter[frozenset[Row]] = Counter()
    for (rows, _), many in people.items():
        members[rows] += many
    found = listing(members, shapes, patience, floors=floors)
    if not found.sizes:
        return Released({}, {})
    decision = _Decision(people, found, shapes, patience)
    if complementary:
        decision.withhold_small_differences()
        decision.withhold_until_safe()
    return decision.released()


class _Decision:
    """What is withheld so far. It only becomes more, so whatever was safe stays safe."""

    def __init__(self, people: People, found: Listing, shapes: Sequence[Shape], patience: Patience) -> None:
        self._listing = found
        self._rows = list(found.sizes)
        self._thresholds = [found.thresholds[row] for row in self._rows]
        number = {row: at for at, row in enumerate(self._rows)}
        self._around = [[number[outer] for outer in found.around[row]] for row in self._rows]
        self._alike = [[number[other] for other in found.alike[row]] for row in self._rows]
        self._names = dict(enumerate(sorted({label for _, label in people}), start=UNNAMED + 1))
        labels = {name: label for label, name in self._names.items()}
        kinds: defaultdict[int, Counter[int]] = defaultdict(Counter)
        self._counts: list[Counter[int]] = [Counter() for _ in self._rows]
        for (rows, name), many in people.items():
            listed = [number[row] for row in found.rows_of(rows)]
            kinds[bits(listed)][labels[name]] += many
            for row in listed:
                self._counts[row][labels[name]] += many
        tables = [level(row, shapes) for row in self._rows]
        levels = [bits(at for at, row in enumerate(self._rows) if row.table in group) for group in tables]
        self._worlds = Worlds(kinds, [self._at_first(row) for row in range(len(self._rows))], levels, patience)
        self._room = shapes[0].threshold
        self._totals = dict(self._counts[0])
        self._unnamed: list[int] = []
        for label in [label for label in self._names if not self._tells(0, label)]:
            self._unname(label)

    def _at_first(self, row: int) -> int:
        """The labels that a row withholds for their own sake."""
        counts, size = self._counts[row], self._listing.sizes[self._rows[row]]
        return bits(
            label
            for label in (UNNAMED, *self._names)
            if label == UNNAMED or counts[label] < self._thresholds[row] or counts[label] == size
        )

    def withhold_small_differences(self) -> None:
        """Who is in a row and not in one inside it are some people, too."""
        for row, outers in enumerate(self._around):
            for outer in outers:
                needed = max(self._thresholds[row], self._thresholds[outer])
                for label in self._named_and_told(row):
                    if self._tells(outer, label) and self._counts[outer][label] - self._counts[row][label] < needed:
                        self._withhold(row, label)

    def withhold_until_safe(self) -> None:
        """Withhold more until every withheld count has room enough; at the worst that is everything."""
        self._fill_unnamed()
        safe: set[tuple[int, int]] = set()
        while True:
            before = len(safe), len(self._unnamed)
            for row in range(len(self._rows)):
                for label in [UNNAMED, *self._names]:
                    if (row, label) not in safe and self._make_room(row, label):
                        safe.add((row, label))
            if before == (len(safe), len(self._unnamed)):
                return

    def _make_room(self, row: int, label: int) -> bool:
        """Withhold others until this count has room; answers whether it is withheld at all."""
        enough = self._room
        while True:
            if not self._counts[row][label] or self._tells(row, label):
                return False
            if self._worlds.room(row, label, enough=enough) >= enough:
                return True
            self._withhold_beside(row, label)

    def _withhold_beside(self, row: int, label: int) -> None:
        """Withhold what may help at the least loss: each count costs the people that it tells of."""
        gone = self._worlds.cheapest(row, label, lambda other, name: self._counts[other][name])
        for other, name in gone:
            self._withhold(other, name)
        if not gone:
            self._unname(label if label != UNNAMED else self._least_named())
            self._fill_unnamed()

    def _fill_unnamed(self) -> None:
        """What is told of nobody apart must be enough people together, and not all of one label."""
        while self._names and (together := self._counts[0][UNNAMED]):
            several = sum(self._totals.get(label, 0) > 0 for label in self._unnamed) > 1
            if together >= self._thresholds[0] and several:
                return
            self._unname(self._least_named())

    def _least_named(self) -> int:
        return min(self._names, key=lambda label: (self._counts[0][label], label))

    def _named_and_told(self, row: int) -> list[int]:
        return [label for label in self._names if self._tells(row, label)]

    def _tells(self, row: int, label: int) -> bool:
        return not self._worlds.withheld[row] >> label & 1

    def _withhold(self, row: int, label: int) -> None:
        alike = self._alike[row]
        if 0 in alike:
            self._unname(label)
            self._fill_unnamed()
        for other in alike:
            self._worlds.withhold(other, label)

    def _unname(self, label: int) -> None:
        """What is withheld of everybody is withheld everywhere, and no more told apart from its like."""
        self._worlds.join_unnamed(label)
        for counts in self._counts:
            counts[UNNAMED] += counts.pop(label, 0)
        del self._names[label]
        self._unnamed.append(label)

    def released(self) -> Released:
        """Every row and count that may be told."""
        return Released(
            rows=dict(self._listing.sizes),
            counts={
                (row, name): self._counts[at][label]
                for at, row in enumerate(self._rows)
                for label, name in self._names.items()
                if self._tells(at, label)
            },
        )
