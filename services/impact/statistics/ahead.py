"""Reading what many questions ask by one statement; afterwards each is answered from what was read."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.ext.asyncio import AsyncSession

from services.impact.facts.rules import Figures, Quantity
from services.impact.statistics import store
from services.impact.statistics.measures import QUANTITIES
from services.impact.statistics.rules import MOST_GROUPS, Asked, Group, order

_NO_KEY: Final[sa.ColumnElement[Any]] = sa.literal_column("CAST('{}' AS text[])")
_AMOUNT: Final = ("measure", "unit", "amount")


async def read(session: AsyncSession, questions: Iterable[Asked]) -> None:
    """Read the groups of these questions, all in the snapshot of the session; `store.groups` then has them at hand.

    What would be too much for one answer is left to whoever asks for it.
    """
    asked = {store.which(each): each for each in questions}
    figures = await session.execute(_figures(tuple(asked)))
    amounts: dict[tuple[int, tuple[Any, ...]], list[tuple[Quantity, Any]]] = {}
    if any(QUANTITIES in each.measures for each in asked.values()):
        for number, key, measure, unit, amount in await session.execute(_amounts(tuple(asked))):
            amounts.setdefault((number, tuple(key)), []).append((Quantity(measure, unit), amount))
    found: list[list[Group]] = [[] for _ in asked]
    several = list(asked.values())
    for number, told, *values in figures:
        key = tuple(told)
        quantities = tuple(sorted(amounts.get((number, key), ())))
        found[number].append(Group(store.key_of(several[number], key), Figures._make(values), quantities))
    session.info[store.READ] = {
        each: sorted(groups, key=lambda group: order(group.key))
        for each, groups in zip(asked, found, strict=True)
        if len(groups) <= MOST_GROUPS and sum(len(group.quantities) for group in groups) <= MOST_GROUPS
    }


# To put such a statement together takes longer than to carry it out.
@lru_cache(maxsize=64)
def _figures(asked: tuple[store.Which, ...]) -> sa.CompoundSelect[Any]:
    selects = [store.figures_of(each.asked()) for each in asked]
    return sa.union_all(*(_numbered(number, each, len(Figures._fields)) for number, each in enumerate(selects)))


@lru_cache(maxsize=64)
def _amounts(asked: tuple[store.Which, ...]) -> sa.CompoundSelect[Any]:
    selects = [(number, store.amounts_of(each.asked())) for number, each in enumerate(asked) if each.with_quantities]
    return sa.union_all(*(_numbered(number, each, len(_AMOUNT)) for number, each in selects))


def _numbered(number: int, select: sa.Select[Any], width: int) -> sa.Select[Any]:
    """Its rows with the number of the statement, their key, and the values that all have."""
    columns = list(select.subquery().c)
    key = sa.cast(array(columns[:-width]), ARRAY(sa.Text)) if columns[:-width] else _NO_KEY
    named = [column.label(f"value_{at}") for at, column in enumerate(columns[-width:])]
    return sa.select(sa.literal(number, sa.Integer).label("number"), key.label("key"), *named)
