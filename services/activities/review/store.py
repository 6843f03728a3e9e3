"""Every statement about activities under review."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from services.activities.catalogue.rules import OCCURRENCE, State
from services.activities.catalogue.tables import Activity
from services.activities.label.rules import LabelState
from services.activities.review.rules import DAYS_APART, SIMILAR_FROM, Similar

MOST_SIMILAR = 5

# Spelt out in the statements, since a partial index is not used for a parameter. The dates of a series have its label.
_WAITS = sa.text(
    f"(label_state = '{LabelState.ASKED}' OR label_look_since IS NOT NULL) AND relation IS DISTINCT FROM '{OCCURRENCE}'"
)
_SINCE = sa.func.coalesce(Activity.label_look_since, Activity.label_asked_at)


async def queue(
    session: AsyncSession, *, country: str | None, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[Activity]:
    """Activities that wait for a decision about their label, or for a fresh look, who has waited longest first."""
    statement = sa.select(Activity).where(_WAITS).order_by(_SINCE, Activity.id).limit(limit)
    if country is not None:
        statement = statement.where(Activity.country == country)
    if after is not None:
        statement = statement.where(sa.tuple_(_SINCE, Activity.id) > after)
    return (await session.scalars(statement)).all()


def _family(one: type[Activity]) -> sa.ColumnElement[UUID]:
    return sa.case((one.relation == OCCURRENCE, one.part_of), else_=one.id)


async def similar(session: AsyncSession, identities: Collection[UUID]) -> dict[UUID, list[Similar]]:
    """For each of some activities the ones around it with a common organiser and a similar title, the likest first."""
    await session.execute(sa.select(sa.func.set_config("enable_seqscan", "off", sa.true())))
    one, other, days = aliased(Activity), aliased(Activity), timedelta(days=DAYS_APART)
    resemblance = sa.func.similarity(
        sa.func.activities.plain_text(one.title), sa.func.activities.plain_text(other.title)
    )
    alike = (
        sa.select(
            other.id, other.title, other.state, other.section_codes, other.country, resemblance.label("resemblance")
        )
        .where(
            other.starts_at.between(one.starts_at - days, one.starts_at + days),
            # As a literal, since a partial index is not used for a parameter.
            other.state != sa.literal_column("'cancelled'"),
            other.state != State.DISCARDED,
            # Nor are the dates of a series, and itself.
            _family(other) != _family(one),
            other.section_codes.overlap(one.section_codes),
            resemblance >= SIMILAR_FROM,
        )
        .order_by(resemblance.desc(), other.id)
        .limit(MOST_SIMILAR)
        .lateral("alike")
    )
    statement = sa.select(one.id, *alike.c).join_from(one, alike, sa.true()).where(one.id.in_(identities))
    found: dict[UUID, list[Similar]] = {identity: [] for identity in identities}
    for of, identity, title, state, section_codes, country, how_much in await session.execute(statement):
        found[of].append(Similar(str(identity), title, state, frozenset(section_codes), country, how_much))
    return found
