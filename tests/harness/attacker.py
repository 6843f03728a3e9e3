"""Somebody who reads every table and knows who was where: what linear programming makes of a withheld count."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import Final

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

from services.impact.disclosure.listing import Row, Shape, rest_of
from services.impact.disclosure.protection import People, Released

SHAPES: Final = (
    Shape("year", 5, None),
    Shape("edition", 5, "year"),
    Shape("country", 5, "year"),
    Shape("section", 10, "country"),
)
FEWEST: Final = 5


class Attacker:
    """Knows how many people are counted in exactly which rows, and all that is told; not who has which label."""

    def __init__(self, people: People, released: Released) -> None:
        self._rows = set(released.rows)
        self._kinds = sorted({rows for rows, _ in people}, key=sorted)
        self.labels = sorted({label for _, label in people})
        if len(self.labels) == 1:
            # That nobody has another label is told nowhere.
            self.labels.append("another")
        sizes: Counter[frozenset[Row]] = Counter()
        for (rows, _), many in people.items():
            sizes[rows] += many
        lines = [self._line((kind,), self.labels) for kind in self._kinds]
        lines += [self._line(self.within(row), [label]) for row, label in released.counts]
        self._known = csr_array(np.array(lines))
        self._values = [*(sizes[kind] for kind in self._kinds), *released.counts.values()]

    def least(self, kinds: Iterable[frozenset[Row]], label: str) -> int:
        """The least number of people of these kinds who may have a label."""
        return self._bound(kinds, label, sign=1)

    def greatest(self, kinds: Iterable[frozenset[Row]], label: str) -> int:
        """The greatest number of them."""
        return self._bound(kinds, label, sign=-1)

    def _bound(self, kinds: Iterable[frozenset[Row]], label: str, *, sign: int) -> int:
        goal = sign * self._line(kinds, [label])
        answer = linprog(goal, A_eq=self._known, b_eq=self._values, bounds=(0, None), method="highs")
        assert answer.status == 0, answer.message
        # Somebody who knows that people are whole knows a little more than the linear programme.
        bound = sign * answer.fun
        return math.ceil(bound - 1e-6) if sign > 0 else math.floor(bound + 1e-6)

    def within(self, row: Row) -> list[frozenset[Row]]:
        table = rest_of(row)
        if table is None:
            return [kind for kind in self._kinds if row in kind]
        outer = row.key.split(" ")[0], row.key.split(" ")[1]
        parts = {other for other in self._rows if other.table == table}
        return [kind for kind in self._kinds if Row(*outer) in kind and not parts & kind]

    def _line(self, kinds: Iterable[frozenset[Row]], labels: Sequence[str]) -> np.ndarray:
        line = np.zeros((len(self._kinds), len(self.labels)))
        for kind in kinds:
            for label in labels:
                line[self._kinds.index(kind), self.labels.index(label)] = 1
        return line.ravel()


def disclosures(people: People, released: Released, *, fewest: int = FEWEST) -> Iterator[str]:
    """What the attacker learns and must not, in words; nothing where the release is safe."""
    if not released.rows:
        return
    attacker = Attacker(people, released)
    everybody = attacker.within(max(released.rows, key=lambda row: released.rows[row]))
    for row, label in product(released.rows, attacker.labels):
        inside = attacker.within(row)
        true = sum(people.get((kind, label), 0) for kind in inside)
        if (row, label) in released.counts:
            outside = [kind for kind in everybody if kind not in inside]
            greatest = attacker.greatest(outside, label)
            if 0 < greatest < fewest and attacker.least(outside, label) == greatest:
                yield f"there are {greatest} of {label} outside of {row}"
        elif true:
            greatest = attacker.greatest(inside, label)
            assert greatest >= true
            # The least is not above the true one, so it need not be looked for where the greatest is far away.
            if greatest - true < fewest and greatest - (least := attacker.least(inside, label)) < fewest:
                yield f"there are {least} to {greatest} of {label} in {row}"


def network(
    seed: int,
    *,
    people: int,
    countries: int = 4,
    sections: int = 9,
    labels: int = 8,
    tables: Sequence[Shape] = SHAPES,
) -> Counter[tuple[frozenset[Row], str]]:
    """People of a made-up year: most take part once, some in several editions, sections and countries."""
    dice = random.Random(seed)
    where = [(Row("section", f"S{at}"), Row("country", f"C{dice.randrange(countries)}")) for at in range(sections)]
    weights = [dice.random() ** 2 + 0.02 for _ in where]
    homes = [f"H{at}" for at in range(labels)]
    shares = [dice.random() ** 3 + 0.01 for _ in homes]
    known = {shape.table for shape in tables}
    found: Counter[tuple[frozenset[Row], str]] = Counter()
    for _ in range(people):
        rows = {Row("year", "2026/27")}
        for _ in range(1 + (dice.random() < 0.15)):
            rows.update(dice.choices(where, weights)[0])
            if (edition := dice.choice(["autumn", "spring", "spring", None])) is not None:
                rows.add(Row("edition", edition))
        found[frozenset(row for row in rows if row.table in known), dice.choices(homes, shares)[0]] += 1
    return found
