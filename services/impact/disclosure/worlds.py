"""How uncertain a withheld count is: by the other worlds in which everything that is published would be the same.

Who was counted in which rows is taken to be known; what is protected is each person's label. Two people may exchange
their labels where every row that holds exactly one of them withholds both labels: then no published count changes.
Exchanges of different people go together. So if k disjoint exchanges bring a label into a row, and l others take it
out, then its count there may be anything from k more to l fewer, whatever is added to or taken from published figures.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice
from math import inf
from typing import Final

from services.impact.disclosure.patience import Patience

UNNAMED: Final = 0
"""The label that all labels share which are published nowhere: which of them somebody has is told by nothing."""

# Bounds of the search. What is not found counts as not being there, so they cost figures and never safety.
_MOST_STRANGERS: Final = 400
_MOST_PRICED: Final = 16

Counts = Mapping[int, int]
Told = set[tuple[int, int]]
Proof = set[tuple[int, int, int]]
"""Exchanges: the rows that hold exactly one of two people, as bits, and the label that each gives to the other."""


class Worlds:
    """People by the rows that they are counted in (a bit each) and by their label, and what each row withholds."""

    def __init__(
        self, people: Mapping[int, Counts], withheld: list[int], levels: list[int], patience: Patience
    ) -> None:
        """`withheld` has a row's withheld labels as bits, and `levels` the rows between which a row's people move."""
        self._patience = patience
        self.people = {kind: dict(counts) for kind, counts in people.items()}
        self.withheld = withheld
        labels = {UNNAMED, *(label for counts in people.values() for label in counts)}
        self._telling = {
            label: bits(row for row, each in enumerate(withheld) if not each >> label & 1) for label in labels
        }
        """The rows that tell a label, as bits."""
        self._levels = levels
        by_size = sorted(self.people, key=lambda kind: (-sum(self.people[kind].values()), kind))
        self._inside: list[list[int]] = [[] for _ in withheld]
        for kind in by_size:
            for row in numbers(kind):
                self._inside[row].append(kind)
        self._having: defaultdict[int, list[int]] = defaultdict(list)
        together: Counter[int] = Counter()
        for kind in by_size:
            together.update(self.people[kind])
            for label in self.people[kind]:
                self._having[label].append(kind)
        self._by_rarity = sorted(by_size, key=lambda kind: min(together[label] for label in self.people[kind]))
        self._near: dict[int, dict[int, list[int]]] = {}
        for level in set(levels):
            buckets = self._near[level] = {}
            for kind in by_size:
                buckets.setdefault(kind & ~level, []).append(kind)

    def withhold(self, row: int, label: int) -> None:
        """From now on this row withholds this label."""
        self.withheld[row] |= 1 << label
        self._telling[label] &= ~(1 << row)

    def tell(self, row: int, label: int) -> None:
        """From now on this row tells it."""
        self.withheld[row] &= ~(1 << label)
        self._telling[label] |= 1 << row

    def join_unnamed(self, label: int) -> None:
        """From now on this label is one of those that are published nowhere."""
        for kind in self._having.pop(label, []):
            counts = self.people[kind]
            if UNNAMED not in counts:
                self._having[UNNAMED].append(kind)
            counts[UNNAMED] = counts.get(UNNAMED, 0) + counts.pop(label)
        for row in range(len(self.withheld)):
            self.withheld[row] |= 1 << label
        self._telling.pop(label, None)

    def room(self, row: int, label: int, *, enough: int, proof: Proof | None = None) -> int:
        """How far apart the least and the greatest possible count are, as far as it was looked for: up to `enough`.

        The exchanges that it rests on are added to `proof`.
        """
        if label == UNNAMED:
            # Each of the labels that share it may be nobody's, so only the greatest count matters.
            there = sum(self.people[kind].get(UNNAMED, 0) for kind in self._inside[row])
            if there >= enough:
                return there
            return there + self._moves(row, label, inwards=True, enough=enough - there, proof=proof)
        out = self._moves(row, label, inwards=False, enough=enough, proof=proof)
        if out >= enough:
            return out
        return out + self._moves(row, label, inwards=True, enough=enough - out, proof=proof)

    def cheapest(self, row: int, label: int, price: Callable[[int, int], int]) -> Told:
        """The told counts, as rows and labels, whose withholding allows further exchanges at the least price for each.

        Empty where no exchange that is looked for would change the count.
        """
        best: tuple[float, Told] = (inf, set())
        for inwards in (True, False):
            if not inwards and label == UNNAMED:
                continue
            for kind in islice(self._givers(row, label, inwards=inwards), _MOST_PRICED):
                for stranger in islice(self._strangers(row, kind, label, inwards=inwards), 2 * _MOST_PRICED):
                    differing = list(numbers(kind ^ stranger))
                    for mine, theirs in self._exchanges(kind, stranger, label, inwards=inwards):
                        both = (mine, theirs)
                        told = {(at, each) for at in differing for each in both if not self.withheld[at] >> each & 1}
                        many = min(self.people[kind][mine], self.people[stranger][theirs])
                        cost = sum(price(*each) for each in told) / many
                        if told and cost < best[0]:
                            best = cost, told
        return best[1]

    def _moves(self, row: int, label: int, *, inwards: bool, enough: int, proof: Proof | None) -> int:
        """How many disjoint exchanges bring the label into the row, or take it out."""
        found = 0
        used: defaultdict[tuple[int, int], int] = defaultdict(int)
        for kind in self._givers(row, label, inwards=inwards):
            for stranger in self._strangers(row, kind, label, inwards=inwards):
                differing = kind ^ stranger
                if differing & self._telling[label]:
                    # The exchange would show.
                    continue
                for mine, theirs in self._exchanges(kind, stranger, label, inwards=inwards):
                    if differing & (self._telling[mine] | self._telling[theirs]):
                        continue
                    many = min(
                        self.people[kind][mine] - used[kind, mine],
                        self.people[stranger][theirs] - used[stranger, theirs],
                        enough - found,
                    )
                    used[kind, mine] += many
                    used[stranger, theirs] += many
                    found += many
                    if proof is not None and many:
                        proof.add((differing, mine, theirs))
                    if found == enough:
                        return found
        return found

    def _givers(self, row: int, label: int, *, inwards: bool) -> Iterator[int]:
        for kind in self._inside[row]:
            self._patience.spend()
            if len(self.people[kind]) > (label in self.people[kind]) if inwards else label in self.people[kind]:
                yield kind

    def _exchanges(self, kind: int, stranger: int, label: int, *, inwards: bool) -> Iterator[tuple[int, int]]:
        """What one of the row and a stranger may exchange so that the row gets this label, or gives it away."""
        if inwards:
            if label in self.people[stranger]:
                yield from ((other, label) for other in self.people[kind] if other != label)
        else:
            yield from ((label, other) for other in self.people[stranger] if other != label)

    def _strangers(self, row: int, kind: int, label: int, *, inwards: bool) -> Iterator[int]:
        """People who are not in the row: first who differs in rows of its level only, then who promises most."""
        level = self._levels[row]
        promising = chain(self._near[level][kind & ~level], self._having[label] if inwards else self._by_rarity)
        seen: set[int] = set()
        for stranger in promising:
            self._patience.spend()
            if stranger >> row & 1 or stranger in seen or (inwards and label not in self.people[stranger]):
                continue
            seen.add(stranger)
            yield stranger
            if len(seen) == _MOST_STRANGERS:
                return


def bits(labels: Iterable[int]) -> int:
    """A number with these bits set.

    >>> bits([0, 2])
    5
    """
    return sum(1 << label for label in set(labels))


def numbers(mask: int) -> Iterator[int]:
    """The bits that are set in a number.

    >>> list(numbers(5))
    [0, 2]
    """
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest
