"""Every statement that writes a projection, and those that read one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession

from services import contracts
from services.impact.projections.rules import CheckedIn, Kept
from services.impact.projections.tables import Activity, Attendance, Edition, Section
from services.impact.tables import Table
from services.kernel.events import Recorded

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


async def keep_attendances(session: AsyncSession, told: Iterable[Recorded]) -> list[Kept]:
    """Write attendances as the log tells of them, each unless as new a revision is known; answers what changed."""
    places = [(each.xid, each.number) for each in told]
    values = {"xids": [xid for xid, _ in places], "numbers": [number for _, number in places]}
    return [Kept(*row) for row in await session.execute(_KEEP_ATTENDANCES, values)]


# What must be there and of which kind it is, the columns of the table say.
_KEEP_ATTENDANCES: Final = sa.text("""
    WITH told AS (
      SELECT DISTINCT ON (activity_id, attendance_key) each.*
      FROM unnest(CAST(:xids AS text[]), CAST(:numbers AS bigint[])) AS news (xid, number)
      JOIN events.log ON log.xid = CAST(news.xid AS xid8) AND log.number = news.number
      CROSS JOIN LATERAL jsonb_to_record(log.payload) AS each (
        activity_id uuid, attendance_key uuid, revision int, participant_class text, present boolean,
        hours numeric(7, 2), person_key uuid, home_country text, mobility text)
      ORDER BY activity_id, attendance_key, revision DESC
    ), before AS (
      SELECT activity_id, known.present, known.person_key
      FROM told JOIN impact.attendances AS known USING (activity_id, attendance_key)
      WHERE known.revision < told.revision
    ), written AS (
      INSERT INTO impact.attendances AS known (activity_id, attendance_key, revision, participant_class, present,
        hours, person_key, home_country, mobility)
      SELECT activity_id, attendance_key, revision, participant_class, present, hours, person_key, home_country,
        mobility FROM told
      ON CONFLICT (activity_id, attendance_key) DO UPDATE SET revision = excluded.revision,
        participant_class = excluded.participant_class, present = excluded.present, hours = excluded.hours,
        person_key = excluded.person_key, home_country = excluded.home_country, mobility = excluded.mobility
      WHERE known.revision < excluded.revision
      RETURNING activity_id, present, person_key
    )
    SELECT activity_id, person_key, CAST(sum(times) AS int) FROM (
      SELECT activity_id, person_key, CAST(present AS int) AS times FROM written
      UNION ALL
      SELECT activity_id, person_key, -CAST(present AS int) FROM before
    ) AS changes GROUP BY activity_id, person_key""").bindparams(
    sa.bindparam("xids", type_=ARRAY(sa.Text)), sa.bindparam("numbers", type_=ARRAY(sa.BigInteger))
)


async def seen_at(session: AsyncSession, activities: Iterable[UUID]) -> list[tuple[UUID, UUID | None, int]]:
    """Who was present at these activities and how often, None being everybody without a key."""
    these = Attendance.activity_id == sa.func.any(sa.cast(list(activities), ARRAY(sa.Uuid)))
    columns = (Attendance.activity_id, Attendance.person_key)
    statement = sa.select(*columns, sa.func.count()).where(these, Attendance.present).group_by(*columns)
    return [(row[0], row[1], row[2]) for row in await session.execute(statement)]


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
