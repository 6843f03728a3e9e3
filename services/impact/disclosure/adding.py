"""Adds a table to what is told already, and takes nothing of that back: only what leaves every withheld count safe.

Of few people in many rows little can be told, and deciding such a table together with the others would cost these
more than it tells. So at first all of it is withheld, and then one count after another is told if every withheld one
has room enough still, those of the other tables too.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Final

from services.impact.disclosure.listing import Listing, Row, Shape, level, listing, rest_of
from services.impact.disclosure.patience import GaveUp, Patience
from services.impact.disclosure.protection import MOST_STEPS, People, Released, told_in_time
from services.impact.disclosure.worlds import UNNAMED, Proof, Worlds, bits, numbers

MOST_STEPS_BESIDE: Final = 30_000_000
"""How long an added table is looked at."""

_Cell = tuple[int, int]
"""A row and a label, by their numbers."""


def protect_with(
    people: People, shapes: Sequence[Shape], added: Shape, *, steps: int = MOST_STEPS, beside: int = MOST_STEPS_BESIDE
) -> Released:
    """Decide what may be told of the tables, as if there were no other, and then of the one that is added to them.

    Rows of the tables that are hardly more than one of its rows keep to its threshold, for they tell of it.
    """
    without: Counter[tuple[frozenset[Row], str]] = Counter()
    for (rows, label), many in people.items():
        without[frozenset(row for row in rows if row.table != added.table), label] += many
    told, kept = told_in_time(without, shapes, steps=steps, floors=_floors(people, added))
    if len(kept) < len(shapes):
        # What the others could not be told in time is not told more finely.
        return told
    try:
        return add(people, told, shapes, added, steps=beside)
    except GaveUp:
        return told


def _floors(people: People, added: Shape) -> dict[Row, int]:
    sizes: Counter[Row] = Counter()
    together: Counter[tuple[Row, Row]] = Counter()
    for (rows, _), many in people.items():
        own = [row for row in rows if row.table == added.table]
        for row in rows:
            sizes[row] += many
            for part in own:
                together[row, part] += many
    return {
        row: added.threshold
        for (row, part), many in together.items()
        if row != part and sizes[row] - many < added.threshold
    }


def add(people: People, told: Released, shapes: Sequence[Shape], added: Shape, *, steps: int = MOST_STEPS) -> Released:
    """What may be told with a further table, or raise `GaveUp` where it takes more steps than are allowed."""
    patience = Patience(steps)
    every = [*shapes, added]
    left_out: set[Row] = set()
    while told.rows:
        known: Counter[tuple[frozenset[Row], str]] = Counter()
        for (rows, label), many in people.items():
            listed = (row for row in rows if row in told.rows or (row.table == added.table and row not in left_out))
            known[frozenset(listed), label] += many
        members: Counter[frozenset[Row]] = Counter()
        for (rows, _), many in known.items():
            members[rows] += many
        found = listing(members, every, patience, kept=told.rows.keys())
        if not told.rows.keys() <= found.sizes.keys():
            raise GaveUp
        addition = _Addition(known, found, told, every, patience)
        unsafe = addition.unsafe()
        if not unsafe:
            addition.tell_what_is_safe()
            return addition.released()
        if unsafe & told.rows.keys():
            # Proven without the table, and here not found again.
            raise GaveUp
        left_out |= {_part_of(row, found) if row in found.rests else row for row in unsafe}
    return told


def _part_of(rest: Row, found: Listing) -> Row:
    """The smallest of the rows that a rest is left over from: without it the rest is larger."""
    outer, parts = found.rests[rest]
    own = [part for part in parts if outer == next(iter(found.sizes)) or outer in found.around[part]]
    return min(own, key=lambda part: (found.sizes[part], part))


class _Addition:
    """What is withheld so far of the added table: at first everything. What others tell stays as it is."""

    def __init__(
        self, people: People, found: Listing, told: Released, shapes: Sequence[Shape], patience: Patience
    ) -> None:
        self._listing, self._told = found, told
        self._rows = list(found.sizes)
        number = {row: at for at, row in enumerate(self._rows)}
        self._around = [[number[outer] for outer in found.around[row]] for row in self._rows]
        self._inside = [[at for at, outers in enumerate(self._around) if row in outers] for row in range(len(number))]
        everybody = self._rows[0]
        names = sorted({label for row, label in told.counts if row == everybody})
        self._names = dict(enumerate(names, start=UNNAMED + 1))
        labels = {name: label for label, name in self._names.items()}
        kinds: defaultdict[int, Counter[int]] = defaultdict(Counter)
        self._counts: list[Counter[int]] = [Counter() for _ in self._rows]
        for (rows, name), many in people.items():
            listed, label = [number[row] for row in found.rows_of(rows)], labels.get(name, UNNAMED)
            kinds[bits(listed)][label] += many
            for row in listed:
                self._counts[row][label] += many
        withheld = [
            bits(label for label in (UNNAMED, *self._names) if (row, self._names.get(label)) not in told.counts)
            for row in self._rows
        ]
        tables = [level(row, shapes) for row in self._rows]
        levels = [bits(at for at, row in enumerate(self._rows) if row.table in group) for group in tables]
        self._worlds = Worlds(kinds, withheld, levels, patience)
        self._room = shapes[0].threshold
        self._proofs: dict[_Cell, Proof] = {}
        self._rest_on: defaultdict[_Cell, set[_Cell]] = defaultdict(set)

    def unsafe(self) -> set[Row]:
        """The rows of which a count has not room enough although all that is added is withheld."""
        return {
            self._rows[row]
            for row, counts in enumerate(self._counts)
            for label, many in counts.items()
            if many and self._is_withheld(row, label) and not self._prove((row, label))
        }

    def tell_what_is_safe(self) -> None:
        """Tell counts of the added table: all of a row around them at once where that is safe, then one by one."""
        cells = sorted(
            (
                (row, label)
                for row, counts in enumerate(self._counts)
                for label in counts
                if self._rows[row] not in self._told.rows and label != UNNAMED
            ),
            key=lambda cell: (rest_of(self._rows[cell[0]]) is not None, -self._counts[cell[0]][cell[1]], cell),
        )
        together: defaultdict[_Cell, list[_Cell]] = defaultdict(list)
        for row, label in cells:
            for outer in self._around[row]:
                if self._rows[outer] in self._told.rows:
                    together[outer, label].append((row, label))
        for every in together.values():
            # Where only one of them is withheld, it can be worked out.
            self._try_to_tell(every)
        for cell in cells:
            self._try_to_tell([cell])

    def _is_large(self, row: int, label: int) -> bool:
        """Whether a count may be told for its own sake, and beside what is told of the rows around it and in it."""
        own = self._counts[row][label]
        if own < self._needed(row) or own == self._listing.sizes[self._rows[row]]:
            return False
        beside = [self._counts[outer][label] - own for outer in self._told_of(self._around[row], label)]
        beside += [own - self._counts[inner][label] for inner in self._told_of(self._inside[row], label)]
        return all(each >= self._needed(row) for each in beside)

    def _try_to_tell(self, cells: Sequence[_Cell]) -> None:
        """Tell these if every withheld count has room enough then; else leave everything as it is."""
        wanted = [cell for cell in cells if self._is_withheld(*cell)]
        before = {each: self._proofs[each] for cell in wanted for each in {cell, *self._rest_on[cell]}}
        for cell in wanted:
            self._worlds.tell(*cell)
        for each in before:
            self._forget(each)
        others = [each for each in before if each not in wanted]
        if all(self._is_large(*cell) for cell in wanted) and all(self._prove(each) for each in others):
            return
        for cell in wanted:
            self._worlds.withhold(*cell)
        for each, proof in before.items():
            self._forget(each)
            self._keep(each, proof)

    def _prove(self, cell: _Cell) -> bool:
        proof: Proof = set()
        enough = self._room
        if self._worlds.room(*cell, enough=enough, proof=proof) < enough:
            return False
        self._keep(cell, proof)
        return True

    def _keep(self, cell: _Cell, proof: Proof) -> None:
        self._proofs[cell] = proof
        for other in _needs(proof):
            self._rest_on[other].add(cell)

    def _forget(self, cell: _Cell) -> None:
        for other in _needs(self._proofs.pop(cell, set())):
            self._rest_on[other].discard(cell)

    def _needed(self, row: int) -> int:
        return self._listing.thresholds[self._rows[row]]

    def _told_of(self, rows: Sequence[int], label: int) -> list[int]:
        return [row for row in rows if not self._is_withheld(row, label)]

    def _is_withheld(self, row: int, label: int) -> bool:
        return bool(self._worlds.withheld[row] >> label & 1)

    def released(self) -> Released:
        """What is told, with what was told before."""
        counts = {
            (row, name): self._counts[at][label]
            for at, row in enumerate(self._rows)
            for label, name in self._names.items()
            if not self._is_withheld(at, label)
        }
        return Released(rows=dict(self._listing.sizes), counts={**self._told.counts, **counts})


def _needs(proof: Proof) -> set[_Cell]:
    """The withheld counts without which one of the exchanges would show."""
    return {(row, label) for differing, *both in proof for row in numbers(differing) for label in both}
