"""Somebody who reads every published table and knows who was where: what linear programming makes of a withheld count."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import product
from typing import Final, NamedTuple

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


class Interval(NamedTuple):
    """The least and the greatest possible value of a count."""

    least: float
    greatest: float

    @property
    def width(self) -> float:
        """How much the attacker does not know."""
        return self.greatest - self.least


class Attacker:
    """Knows how many people are counted in exactly which rows, and all that is told; not who has which label."""

    def __init__(self, people: People, released: Released) -> None:
        self._rows = set(released.rows)
        self._kinds = sorted({rows for rows, _ in people}, key=sorted)
        self.labels = sorted({label for _, label in people})
        sizes: Counter[frozenset[Row]] = Counter()
        for (rows, _), many in people.items():
            sizes[rows] += many
        lines = [self._line((kind,), self.labels) for kind in self._kinds]
        lines += [self._line(self._within(row), [label]) for row, label in released.counts]
        self._known = csr_array(np.array(lines))
        self._values = [*(sizes[kind] for kind in self._kinds), *released.counts.values()]

    def interval(self, row: Row, label: str, *, less: Row | None = None) -> Interval:
        """What a count may be; with `less`, the count of those who are in the one row and not in the other."""
        left_out = self._within(less) if less else []
        goal = self._line([kind for kind in self._within(row) if kind not in left_out], [label])
        found = []
        for sign in (1, -1):
            answer = linprog(sign * goal, A_eq=self._known, b_eq=self._values, bounds=(0, None), method="highs")
            assert answer.status == 0, answer.message
            found.append(sign * answer.fun)
        return Interval(*(round(value, 6) for value in found))

    def _within(self, row: Row) -> list[frozenset[Row]]:
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


def disclosures(people: People, released: Released, *, fewest: int = FEWEST) -> list[str]:
    """What the attacker learns and must not, in words; empty where the release is safe."""
    if not released.rows:
        return []
    attacker = Attacker(people, released)
    everybody = max(released.rows, key=lambda row: released.rows[row])
    learnt = []
    for row, label in product(released.rows, attacker.labels):
        interval = attacker.interval(row, label)
        true = sum(people.get((kind, label), 0) for kind in attacker._within(row))
        assert interval.least <= true <= interval.greatest
        if (row, label) not in released.counts and true and interval.width < fewest:
            learnt.append(f"{label} in {row} is {interval}")
        others = attacker.interval(everybody, label, less=row)
        if others.width == 0 and 0 < others.least < fewest:
            learnt.append(f"{label} outside of {row} is {others}")
    return learnt


def network(
    seed: int, *, people: int, countries: int = 4, sections: int = 9, labels: int = 8
) -> Counter[tuple[frozenset[Row], str]]:
    """People of a made-up year: most take part once, some in several editions, sections and countries."""
    dice = random.Random(seed)
    where = [(Row("section", f"S{at}"), Row("country", f"C{dice.randrange(countries)}")) for at in range(sections)]
    weights = [dice.random() ** 2 + 0.02 for _ in where]
    homes = [f"H{at}" for at in range(labels)]
    shares = [dice.random() ** 3 + 0.01 for _ in homes]
    found: Counter[tuple[frozenset[Row], str]] = Counter()
    for _ in range(people):
        rows = {Row("year", "2026/27")}
        for _ in range(1 + (dice.random() < 0.15)):
            rows.update(dice.choices(where, weights)[0])
            if (edition := dice.choice(["autumn", "spring", "spring", None])) is not None:
                rows.add(Row("edition", edition))
        found[frozenset(rows), dice.choices(homes, shares)[0]] += 1
    return found
