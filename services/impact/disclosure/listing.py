"""Which rows of the tables may be told apart: none of few people, and none that leaves out few."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final, NamedTuple

from services.impact.disclosure.patience import Patience

_REST: Final = "rest of "


class Row(NamedTuple):
    """A row of a table."""

    table: str
    key: str


class Shape(NamedTuple):
    """A table: its threshold, and the table whose rows hold its rows. The first of all has one row, of everybody."""

    table: str
    threshold: int
    within: str | None


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows with the number of their people, larger ones first, beginning with everybody."""

    sizes: dict[Row, int]
    rests: dict[Row, tuple[Row, frozenset[Row]]]
    """Rows that are guarded and never told: whoever is in the first of these and in none of the others."""
    thresholds: dict[Row, int]
    around: dict[Row, list[Row]]
    """The rows that hold all people of a row, and others besides."""
    alike: dict[Row, list[Row]]
    """The rows that hold the same people as a row, itself among them."""

    def rows_of(self, rows: Iterable[Row]) -> frozenset[Row]:
        """Of the rows in which somebody was counted, those that are listed, and the rests."""
        counted = frozenset(rows)
        left_over = {rest for rest, (outer, parts) in self.rests.items() if outer in counted and not parts & counted}
        return (counted & self.sizes.keys()) | left_over


def listing(
    members: Mapping[frozenset[Row], int],
    shapes: Sequence[Shape],
    patience: Patience,
    *,
    floors: Mapping[Row, int] = {},
    kept: Collection[Row] = frozenset(),
) -> Listing:
    """Leave rows out until none is too small, leaves out too few of a row around it, or makes a rest too small.

    `floors` raises the threshold of single rows. Rows and rests that are `kept` are told already and stay: what does
    not go with them is left out, and so is what holds the same people as one of them or as another row.
    """
    thresholds = {shape.table: shape.threshold for shape in shapes}
    listed = {row for rows in members for row in rows}
    while True:
        rests = _rests(listed, members, shapes, kept)
        now = Listing(dict.fromkeys(listed | rests.keys(), 0), rests, {}, {}, {})
        together: Counter[tuple[Row, Row]] = Counter()
        for rows, many in members.items():
            counted = now.rows_of(rows)
            patience.spend(len(counted) ** 2)
            for one, other in product(counted, repeat=2):
                together[one, other] += many
        sizes = {row: together[row, row] for row in now.sizes if together[row, row]}
        needed = {row: max(thresholds[row.table.removeprefix(_REST)], floors.get(row, 0)) for row in sizes}
        inside = [(one, other) for (one, other), many in together.items() if many == sizes[one] and one != other]
        gone = {row for row, size in sizes.items() if size < needed[row]} | {
            other if one in kept else one
            for one, other in inside
            if 0 < sizes[other] - sizes[one] < max(needed[one], needed[other])
        }
        if kept:
            gone |= {max(pair) if pair[1] not in kept else pair[0] for pair in inside if _are_alike(pair, sizes, rests)}
        gone -= {*kept}
        gone |= {min(rests[rest][1], key=lambda row: (sizes[row], row)) for rest in gone & rests.keys()}
        if not gone & listed:
            break
        listed -= gone
    same = {one: [other for other in sizes if together[one, other] == sizes[one] == sizes[other]] for one in sizes}
    # A rest that is a row as well is guarded as that row.
    first = {row: min(same[row], key=lambda other: (other in rests, other not in kept, other)) for row in sizes}
    order = [row for row in sizes if row not in rests or first[row] == row]
    order.sort(key=lambda row: (row.table != shapes[0].table, -sizes[row], row))
    alike = {row: [other for other in same[row] if other in order] for row in order}
    return Listing(
        sizes={row: sizes[row] for row in order},
        rests={row: rests[row] for row in order if row in rests},
        # Rows of the same people are as sensitive as the most sensitive of them.
        thresholds={row: max(needed[other] for other in same[row]) for row in order},
        around={row: [other for other in order if together[row, other] == sizes[row] < sizes[other]] for row in order},
        alike=alike,
    )


def _are_alike(pair: tuple[Row, Row], sizes: Mapping[Row, int], rests: Collection[Row]) -> bool:
    return sizes[pair[0]] == sizes[pair[1]] and not any(row in rests for row in pair)


def level(row: Row, shapes: Sequence[Shape]) -> frozenset[str]:
    """The tables between whose rows people may be thought to have moved without leaving those around them."""
    tables = {row.table.removeprefix(_REST)}
    for shape in shapes:
        if shape.within in tables:
            tables.add(shape.table)
    return frozenset(tables | {_REST + table for table in tables})


def _rests(
    listed: set[Row], members: Mapping[frozenset[Row], int], shapes: Sequence[Shape], told: Collection[Row]
) -> dict[Row, tuple[Row, frozenset[Row]]]:
    parts: defaultdict[tuple[str, Row], set[Row]] = defaultdict(set)
    for shape in shapes[1:]:
        for rows in members:
            kept = rows & listed
            for outer in kept:
                if outer.table in {shapes[0].table, shape.within}:
                    parts[shape.table, outer] |= {row for row in kept if row.table == shape.table}
    found = {
        Row(_REST + table, f"{outer.table} {outer.key}"): (outer, frozenset(rows))
        for (table, outer), rows in parts.items()
        if rows
    }
    if not told:
        return found
    return {rest: each for rest, each in found.items() if rest in told or _holds_one(*each, members)}


def _holds_one(outer: Row, parts: Collection[Row], members: Mapping[frozenset[Row], int]) -> bool:
    """Whether all people of one of the parts are in a row around it; of others there is no rest to guard."""
    beyond = {row for rows in members if outer not in rows for row in rows}
    return any(part not in beyond for part in parts)


def rest_of(row: Row) -> str | None:
    """The table of which a row is the rest, or None of a row of its own."""
    return row.table.removeprefix(_REST) if row.table.startswith(_REST) else None
