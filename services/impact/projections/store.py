"""Every statement that writes a projection, and those that read one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services import contracts
from services.impact.projections.rules import CheckedIn
from services.impact.projections.tables import Activity, Attendance, Edition, Section
from services.impact.tables import Table

OCCURRENCE: Final = "occurrence"


async def keep_activity(session: AsyncSession, told: contracts.Activity) -> bool:
    """Write the activity unless as new a revision is known; answers whether it was written."""
    return await _keep(
        session,
        Activity,
        {
            "activity_id": told.activity_id, "revision": told.revision, "state": told.state.value, "title": told.title,
            "kind": told.kind, "programme": told.programme, "edition": told.edition, "areas": list(told.areas),
            "causes": list(told.causes), "sdgs": list(told.sdgs), "section": told.section,
            "section_codes": [organiser.code for organiser in told.organisers if organiser.code is not None],
            "country": told.country, "platform": told.platform, "objectives": list(told.objectives),
            "starts_at": told.starts_at, "starts_on": told.starts_on,
            "capacity": told.capacity, "sample": told.sample, "part_of": told.part_of,
            "relation": told.relation, "has_parts": told.has_parts, "ends_at": told.ends_at,
            "partners": list(told.partners),
        },
    )  # fmt: skip


async def keep_section(session: AsyncSession, told: contracts.SectionRecorded) -> None:
    """Write the section as it was told last; the log keeps one section's events in order."""
    values = {
        "code": told.code, "title": told.title, "country": told.country, "state": told.state,
        "successor": told.successor,
    }  # fmt: skip
    await _keep(session, Section, values)


async def keep_edition(session: AsyncSession, told: contracts.EditionRecorded) -> None:
    """Write the edition as it was told last."""
    values = {"code": told.code, "series": told.series, "starts_on": told.starts_on, "ends_on": told.ends_on}
    await _keep(session, Edition, values)


async def _keep(session: AsyncSession, table: type[Table], values: Mapping[str, Any]) -> bool:
    """Insert or overwrite by primary key; where rows have a revision, only the higher one is written."""
    columns = table.__table__.c
    keys = [column.name for column in sa.inspect(table).primary_key]
    statement = insert(table).values(values)
    newer = columns.revision < statement.excluded.revision if "revision" in values else None
    changed = {name: statement.excluded[name] for name in values if name not in keys}
    upsert = statement.on_conflict_do_update(index_elements=keys, set_=changed, where=newer)
    return (await session.execute(upsert.returning(sa.literal(1)))).first() is not None


async def activity(session: AsyncSession, identity: UUID) -> Activity | None:
    """One activity, or None where nothing was heard of it."""
    return await session.get(Activity, identity)


async def lock_activities(session: AsyncSession, identities: Iterable[UUID]) -> Sequence[UUID]:
    """Hold those of these activities that are known until the transaction ends; answers which they are."""
    these = sa.cast(list(identities), sa.ARRAY(sa.Uuid))
    statement = sa.select(Activity.activity_id).where(Activity.activity_id == sa.func.any(these))
    ordered = statement.order_by(Activity.activity_id).with_for_update(of=Activity)
    return (await session.scalars(ordered)).all()


async def with_their_series(session: AsyncSession, identities: Iterable[UUID]) -> set[UUID]:
    """These activities, and with each occurrence all of its series."""
    these = sa.cast(list(identities), sa.ARRAY(sa.Uuid))
    one = sa.orm.aliased(Activity)
    others = (
        sa.select(Activity.activity_id)
        .join(one, one.part_of == Activity.part_of)
        # Spelt out, since a partial index is not used for a parameter.
        .where(sa.text("activities.relation = 'occurrence'"))
        .where(one.activity_id == sa.func.any(these), one.relation == OCCURRENCE)
    )
    themselves = sa.select(Activity.activity_id).where(Activity.activity_id == sa.func.any(these))
    return set((await session.scalars(sa.union_all(themselves, others))).all())


async def checked_in(session: AsyncSession, identity: UUID) -> CheckedIn:
    """Who was present at an activity."""
    statement = (
        sa.select(Attendance.participant_class, sa.func.count(), sa.func.sum(Attendance.hours))
        .where(Attendance.activity_id == identity, Attendance.present)
        .group_by(Attendance.participant_class)
    )
    found: dict[str, tuple[int, Decimal | None]] = {
        group: (people, hours) for group, people, hours in await session.execute(statement)
    }
    known_hours = [hours for _, hours in found.values() if hours is not None]
    people = {each: found.get(each.value, (0, None))[0] for each in contracts.ParticipantClass}
    return CheckedIn(
        international=people[contracts.ParticipantClass.INTERNATIONAL],
        local=people[contracts.ParticipantClass.LOCAL],
        esn_volunteer=people[contracts.ParticipantClass.ESN_VOLUNTEER],
        hours=sum(known_hours, Decimal(0)) if known_hours else None,
    )
