"""Touches of several labels at once, read from the facts of each activity: no sum of totals counts each once."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from services.impact.facts.tables import ActivityFacts, QuantityFact
from services.impact.statistics.measures import CLASS
from services.impact.statistics.rules import Asked


def figures(asked: Asked) -> Any:
    """The facts that are asked about, as totals are read: a row for each activity, or for each label it is split by."""
    columns, source, among = _parts(asked)
    named = [column.label(name) for name, column in columns.items()]
    return sa.select(*named).select_from(source).where(*among).subquery("facts").c


def amounts(asked: Asked) -> Any:
    """The quantities of these facts."""
    columns, source, among = _parts(asked)
    named = [column.label(name) for name, column in columns.items()]
    quantity = (QuantityFact.measure, QuantityFact.unit, QuantityFact.amount)
    joined = sa.join(source, QuantityFact, QuantityFact.activity_id == ActivityFacts.activity_id)
    return sa.select(*named, *quantity).select_from(joined).where(*among).subquery("amounts").c


async def count(session: AsyncSession, asked: Asked, *, most: int) -> int:
    """How many activities would be looked at, where they are more than may be; else 0."""
    activities = sa.select(ActivityFacts.activity_id).where(*_among(asked))
    some = activities.limit(most + 1).subquery()
    if (await session.execute(sa.select(sa.func.count()).select_from(some))).scalar_one() <= most:
        return 0
    return (await session.execute(sa.select(sa.func.count()).select_from(activities.subquery()))).scalar_one()


def _parts(asked: Asked) -> tuple[dict[str, Any], Any, list[sa.ColumnElement[bool]]]:
    """The columns by name, what they are read from, and what must hold."""
    columns: dict[str, Any] = {column.key: column for column in ActivityFacts.__table__.columns}
    source: Any = ActivityFacts
    among = _among(asked)
    for name in asked.touching:
        if name in asked.by:
            each = sa.func.unnest(ActivityFacts.labels).table_valued("each", name=f"labelled_{name}").render_derived()
            source = sa.join(source, each, sa.true())
            among.append(sa.func.starts_with(each.c.each, f"{name}:"))
            if name in asked.codes:
                among.append(each.c.each.in_(_labels(asked, name)))
            columns[name] = sa.func.substr(each.c.each, len(name) + 2)
    return columns, source, among


def _among(asked: Asked) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    for name, codes in asked.codes.items():
        if name in asked.touching:
            labels = sa.cast(_labels(asked, name), ARRAY(sa.Text))
            found.append(ActivityFacts.labels.overlap(labels))
        elif name != CLASS:
            found.append(getattr(ActivityFacts, name).in_(codes))
    if asked.since is not None:
        found.append(ActivityFacts.starts_on >= asked.since)
    if asked.until is not None:
        found.append(ActivityFacts.starts_on <= asked.until)
    return found


def _labels(asked: Asked, name: str) -> list[str]:
    return [f"{name}:{code}" for code in asked.codes[name]]
