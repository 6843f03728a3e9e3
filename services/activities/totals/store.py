"""Every statement about what an edition amounts to."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services import contracts
from services.activities.campaigns.tables import Edition
from services.activities.catalogue.rules import OCCURRENCE, PUBLIC, State
from services.activities.catalogue.tables import Activity
from services.activities.totals.tables import EditionFigures


class Counted(NamedTuple):
    """What the catalogue holds of an edition."""

    published: int = 0
    held: int = 0
    cancelled: int = 0
    sections: int = 0
    countries: int = 0


async def counted(session: AsyncSession, editions: Collection[str]) -> dict[str, Counted]:
    """What the catalogue holds of these editions; one without activities is missing.

    Sample activities count where the whole edition is a sample, and nowhere else.
    A series counts once, its dates do not; of a joint day each local part counts, and the day itself does not.
    """
    counts = sa.and_(
        Edition.sample | ~Activity.sample,
        Activity.relation.is_distinct_from(OCCURRENCE),
        Activity.joint.is_(None),
    )
    states = [
        sa.func.count().filter(Activity.state == state) for state in (State.PUBLISHED, State.HELD, State.CANCELLED)
    ]
    takes_place = Activity.state.in_((State.PUBLISHED, State.HELD))
    organising = (
        sa.select(Activity.edition, sa.func.unnest(Activity.section_codes).label("section"))
        .join(Edition, Edition.code == Activity.edition)
        .where(Activity.edition.in_(editions), takes_place, counts)
        .subquery()
    )
    sections = (
        sa.select(organising.c.edition, sa.func.count(organising.c.section.distinct()).label("number"))
        .group_by(organising.c.edition)
        .subquery()
    )
    statement = (
        sa.select(
            Activity.edition,
            *states,
            sa.func.coalesce(sa.func.max(sections.c.number), 0),
            sa.func.count(Activity.country.distinct()).filter(takes_place),
        )
        .join(Edition, Edition.code == Activity.edition)
        .outerjoin(sections, sections.c.edition == Activity.edition)
        .where(Activity.edition.in_(editions), Activity.state.in_(PUBLIC), counts)
        .group_by(Activity.edition)
    )
    return {str(edition): Counted(*numbers) for edition, *numbers in await session.execute(statement)}


async def told(session: AsyncSession, editions: Collection[str]) -> dict[str, EditionFigures]:
    """What impact told of these editions; one without a verified report is missing."""
    rows = await session.scalars(sa.select(EditionFigures).where(EditionFigures.edition.in_(editions)))
    return {row.edition: row for row in rows}


async def keep(session: AsyncSession, told: contracts.EditionTotalsChanged) -> None:
    """Write what impact tells, unless as new a revision is known."""
    values = told.model_dump()
    statement = insert(EditionFigures).values(values)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[EditionFigures.edition],
            set_={name: statement.excluded[name] for name in values if name != "edition"},
            where=EditionFigures.revision < statement.excluded.revision,
        )
    )
