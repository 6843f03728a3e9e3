"""Every statement about activities, but for those that find them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.campaigns import store as campaigns
from services.activities.campaigns.tables import ChangedDays
from services.activities.catalogue.tables import Activity, HistoryEntry
from services.activities.directory.tables import Section

_BEGAN_AT: Final[WeakKeyDictionary[Any, datetime]] = WeakKeyDictionary()


async def now(session: AsyncSession) -> datetime:
    """The database's clock: the only one by which windows open and close. Within a transaction it stands still."""
    transaction = session.sync_session.get_transaction()
    moment = _BEGAN_AT.get(transaction) if transaction is not None else None
    if moment is None:
        moment = (await session.execute(sa.select(sa.func.now()))).scalar_one()
        _BEGAN_AT[session.sync_session.get_transaction()] = moment
    return moment


async def activity(session: AsyncSession, identity: UUID) -> Activity | None:
    """One activity in any state."""
    return await session.get(Activity, identity)


async def lock_activity(session: AsyncSession, identity: UUID) -> Activity | None:
    """One activity, locked until the transaction ends."""
    return await session.get(Activity, identity, with_for_update=True)


async def lock_in_order(session: AsyncSession, identities: Collection[UUID]) -> dict[UUID, Activity]:
    """Lock activities in one order, so that two requests about the same ones wait and do not block each other.

    Answers those that there are, by their ids.
    """
    if not identities:
        return {}
    wholes = sa.select(Activity.part_of).where(Activity.id.in_(identities), Activity.part_of.is_not(None))
    # What something is a part of comes before it, as everywhere.
    await session.execute(sa.select(Activity.id).where(Activity.id.in_(wholes)).order_by(Activity.id).with_for_update())
    these = sa.select(Activity).where(Activity.id.in_(identities)).order_by(Activity.id).with_for_update()
    found = await session.scalars(these.execution_options(populate_existing=True))
    return {row.id: row for row in found}


async def one_import_at_a_time(session: AsyncSession) -> None:
    """Let no other import run beside this transaction: of two with the same rows the second finds them there."""
    await session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext("activities.import"))))


async def whole_of(session: AsyncSession, identity: UUID) -> UUID | None:
    """What an activity is a part of, which never changes."""
    return await session.scalar(sa.select(Activity.part_of).where(Activity.id == identity))


async def lock_parts(session: AsyncSession, whole: UUID) -> Sequence[Activity]:
    """The parts of an activity, locked, in the order of their start."""
    statement = sa.select(Activity).where(Activity.part_of == whole).order_by(Activity.id).with_for_update()
    found = (await session.scalars(statement.execution_options(populate_existing=True))).all()
    return sorted(found, key=lambda part: (str(part.starts_at), part.id))


async def left_parts(session: AsyncSession, whole: UUID, *, limit: int) -> Sequence[UUID]:
    """Local parts of a joint day that can be called off: not public yet, or published and to come."""
    statement = sa.select(Activity.id).where(Activity.part_of == whole, _IS_LEFT).order_by(Activity.id).limit(limit)
    return (await session.scalars(statement)).all()


async def wholes_called_off(session: AsyncSession) -> Sequence[UUID]:
    """Joint days that were called off and have local parts that were not yet; the first ones."""
    whole = sa.orm.aliased(Activity)
    statement = (
        sa.select(Activity.part_of)
        .join(whole, whole.id == Activity.part_of)
        .where(_IS_LEFT, whole.state.in_(("cancelled", "discarded")))
        .distinct()
        .limit(10)
    )
    return [identity for identity in await session.scalars(statement) if identity is not None]


# Spelt out, since a partial index is not used for a parameter.
_IS_LEFT: Final = sa.and_(
    sa.text("activities.relation = 'local_part' AND activities.state NOT IN ('held', 'cancelled', 'discarded')"),
    sa.or_(Activity.state != "published", Activity.starts_at > sa.func.now()),
)


async def dates_of(session: AsyncSession, series: UUID, languages: Sequence[str] = ()) -> Sequence[str]:
    """Documents of the public dates of a series, the first to begin first."""
    statement = sa.select(document_in(languages)).where(
        Activity.part_of == series,
        Activity.relation == "occurrence",
        Activity.state.in_(("published", "held", "cancelled")),
        Activity.starts_at.is_not(None),
    )
    return (await session.scalars(statement.order_by(Activity.starts_at, Activity.id))).all()


async def public_parts(session: AsyncSession, whole: UUID) -> int:
    """How many parts of an activity are published or were held."""
    these = sa.and_(Activity.part_of == whole, Activity.state.in_(("published", "held")))
    return (await session.execute(sa.select(sa.func.count()).where(these))).scalar_one()


async def imported(session: AsyncSession, source: str, source_id: str) -> Activity | None:
    """The activity that was made from a record of another system."""
    statement = sa.select(Activity).where(Activity.source == source, Activity.source_id == source_id).with_for_update()
    return await session.scalar(statement)


async def all_imported(
    session: AsyncSession, keys: Collection[tuple[str, str]]
) -> dict[tuple[str | None, str | None], Activity]:
    """The activities that were made from these records (source, id) of other systems, locked in one order."""
    if not keys:
        return {}
    record = sa.tuple_(Activity.source, Activity.source_id)
    statement = sa.select(Activity).where(record.in_(keys)).order_by(Activity.id).with_for_update()
    found = await session.scalars(statement.execution_options(populate_existing=True))
    return {(row.source, row.source_id): row for row in found}


async def changed_by_hand(session: AsyncSession, identities: Collection[UUID]) -> dict[UUID, frozenset[str]]:
    """Which fields of imported activities were changed by hand, and by no table since."""
    if not identities:
        return {}
    later = sa.orm.aliased(HistoryEntry)
    names = sa.func.jsonb_object_keys(HistoryEntry.changes).table_valued("name", name="changed").lateral()
    by_a_table = sa.exists().where(
        later.activity_id == HistoryEntry.activity_id,
        later.revision > HistoryEntry.revision,
        later.verb == "import",
        later.changes.has_key(names.c.name),
    )
    statement = (
        sa.select(HistoryEntry.activity_id, names.c.name)
        .join(names, sa.true())
        .where(HistoryEntry.activity_id.in_(identities), HistoryEntry.verb == "revise", sa.not_(by_a_table))
    )
    found: dict[UUID, set[str]] = {}
    for identity, name in await session.execute(statement):
        found.setdefault(identity, set()).add(name)
    return {identity: frozenset(names) for identity, names in found.items()}


async def holds_samples(session: AsyncSession) -> bool:
    """Whether there is any sample activity."""
    return bool(await session.scalar(sa.select(sa.exists().where(Activity.sample))))


async def lock_due_to_turn(session: AsyncSession, *, limit: int) -> Sequence[Activity]:
    """Activities whose sign-up opens or closes by the passing of time, and has done so."""
    statement = sa.select(Activity).where(Activity.turns_at <= sa.func.now()).order_by(Activity.turns_at).limit(limit)
    return (await session.scalars(statement.with_for_update(skip_locked=True))).all()


async def lock_of_country(session: AsyncSession, country: str, *, after: UUID | None, limit: int) -> Sequence[Activity]:
    """Activities of a country in any state, in the order of their ids, locked."""
    statement = sa.select(Activity).where(Activity.country == country).order_by(Activity.id).limit(limit)
    if after is not None:
        statement = statement.where(Activity.id > after)
    return (await session.scalars(statement.with_for_update())).all()


async def lock_misplaced(
    session: AsyncSession, days: ChangedDays, *, limit: int
) -> Sequence[tuple[Activity, str | None]]:
    """Activities that begin on these days and belong to another edition by their date, with that edition.

    One that somebody else works on is passed over; `are_misplaced` says whether any was.
    """
    statement = _with_lead(sa.select(Activity, _BELONGS)).where(*_misplaced(days))
    statement = statement.order_by(Activity.starts_on, Activity.id)
    rows = await session.execute(statement.limit(limit).with_for_update(of=Activity, skip_locked=True))
    return [(row, edition) for row, edition in rows]


async def are_misplaced(session: AsyncSession, days: ChangedDays) -> bool:
    """Whether any activity that begins on these days belongs to another edition by its date."""
    misplaced = _with_lead(sa.select(Activity.id)).where(*_misplaced(days))
    return bool(await session.scalar(sa.select(misplaced.exists())))


async def settle(session: AsyncSession, days: ChangedDays) -> None:
    """Look at these days no longer."""
    await session.delete(days)


# The day on the clock of the leading section, as `rules.edition_day` has it; only of a time there is another clock.
_LEAD: Final = sa.orm.aliased(Section, name="lead")
_FALLS_ON: Final = sa.case(
    (
        sa.and_(Activity.date_precision == "time", Activity.starts_at.is_not(None)),
        sa.cast(sa.func.timezone(sa.func.coalesce(_LEAD.time_zone, Activity.time_zone), Activity.starts_at), sa.Date),
    ),
    else_=Activity.starts_on,
)
_BELONGS: Final = campaigns.claiming(_FALLS_ON, Activity.country)
# The clocks of two places can be two days apart at once: +14:00 and -12:00.
_CLOCKS_APART: Final = timedelta(days=2)


def _with_lead(statement: sa.Select[*tuple[Any, ...]]) -> sa.Select[*tuple[Any, ...]]:
    return statement.select_from(Activity).outerjoin(_LEAD, _LEAD.code == Activity.section_codes[1])


def _falls_elsewhere() -> sa.ColumnElement[bool]:
    # Of a month or a semester the first day is a placeholder, which nothing belongs anywhere by.
    is_a_day = sa.or_(
        Activity.date_precision.in_(("time", "day", "week", "edition")), sa.extract("day", Activity.starts_on) != 1
    )
    return sa.and_(sa.not_(Activity.edition_set_by_hand), is_a_day, Activity.edition.is_distinct_from(_BELONGS))


def _misplaced(days: ChangedDays) -> list[sa.ColumnElement[bool]]:
    around = Activity.starts_on.between(days.starts_on - _CLOCKS_APART, days.ends_on + _CLOCKS_APART)
    conditions = [around, _falls_elsewhere()]
    if days.country is not None:
        conditions.append(Activity.country == days.country)
    return conditions


async def lock_with_partner(
    session: AsyncSession, old: UUID, new: UUID, name: str, *, limit: int
) -> Sequence[Activity]:
    """Activities that do not show yet what has become of a partner, but for those that somebody else changes."""
    statement = sa.select(Activity).where(_shows_old(old, new, name)).order_by(Activity.id).limit(limit)
    found = await session.scalars(statement.with_for_update(skip_locked=True).execution_options(populate_existing=True))
    return found.all()


async def has_partner_left(session: AsyncSession, old: UUID, new: UUID, name: str) -> bool:
    """Whether any activity does not show yet what has become of a partner."""
    return bool(await session.scalar(sa.select(sa.exists().where(_shows_old(old, new, name)))))


def _shows_old(old: UUID, new: UUID, name: str) -> sa.ColumnElement[bool]:
    with_it = Activity.partners.contains([{"id": str(old)}])
    if old != new:
        return with_it
    return sa.and_(with_it, sa.not_(Activity.partners.contains([{"id": str(old), "name": name}])))


class Behind(NamedTuple):
    """An activity that does not show yet what has become of a section.

    Whether it is to move to the section's country, whether it falls into another edition by the section's clock, and
    into which.
    """

    row: Activity
    has_moved: bool
    is_misplaced: bool
    edition: str | None


async def lock_with_section(session: AsyncSession, section: Section, *, limit: int) -> Sequence[Behind]:
    """Activities that show a former name of a section, or are led by it and show its former country or clock.

    Those that somebody else changes are passed over.
    """
    moves, falls = _led_elsewhere(section), _led_and_falls_elsewhere(section)
    statement = _with_lead(sa.select(Activity, moves, falls, _BELONGS)).where(_says_otherwise(section))
    statement = statement.order_by(Activity.id).limit(limit).with_for_update(of=Activity, skip_locked=True)
    found = await session.execute(statement.execution_options(populate_existing=True))
    return [Behind._make(each) for each in found]


async def has_section_left(session: AsyncSession, section: Section) -> bool:
    """Whether any activity does not show yet what has become of a section."""
    behind = _with_lead(sa.select(Activity.id)).where(_says_otherwise(section))
    return bool(await session.scalar(sa.select(behind.exists())))


def _says_otherwise(section: Section) -> sa.ColumnElement[bool]:
    names = [
        Activity.organisers.contains([{"code": section.code, "name": name}])
        for name in section.former_names
        if name != section.name
    ]
    others = (_led_elsewhere(section), _led_and_falls_elsewhere(section))
    return sa.and_(Activity.section_codes.contains([section.code]), sa.or_(*names, *others))


def _led_and_falls_elsewhere(section: Section) -> sa.ColumnElement[bool]:
    return sa.and_(Activity.section_codes[1] == section.code, _falls_elsewhere())


def _led_elsewhere(section: Section) -> sa.ColumnElement[bool]:
    today = sa.text("(now() AT TIME ZONE 'UTC')::date")
    last = sa.func.coalesce(Activity.ends_on, Activity.starts_on, today)
    is_over = sa.or_(
        Activity.state.in_(("held", "cancelled")), sa.func.coalesce(Activity.ends_at <= sa.func.now(), last < today)
    )
    led = Activity.section_codes[1] == section.code
    return sa.and_(led, Activity.country.is_distinct_from(section.country), sa.not_(is_over))


async def lock_with_label(session: AsyncSession, label: str, *, after: UUID | None, limit: int) -> Sequence[Activity]:
    """Public activities that carry a label, as `area:health`, in the order of their ids, locked."""
    public = Activity.state.in_(("published", "held", "cancelled"))
    statement = sa.select(Activity).where(public, Activity.labels.contains([label])).order_by(Activity.id).limit(limit)
    if after is not None:
        statement = statement.where(Activity.id > after)
    return (await session.scalars(statement.with_for_update().execution_options(populate_existing=True))).all()


async def history(
    session: AsyncSession, identity: UUID, *, after: Sequence[Any] | None, limit: int
) -> Sequence[HistoryEntry]:
    """What was done to an activity, from the beginning."""
    statement = sa.select(HistoryEntry).where(HistoryEntry.activity_id == identity)
    if after is not None:
        statement = statement.where(HistoryEntry.revision > after[0])
    return (await session.scalars(statement.order_by(HistoryEntry.revision).limit(limit))).all()


def document_in(languages: Sequence[str]) -> sa.ColumnElement[str]:
    """The document in the first of these languages that it is written in, else in its original one."""
    if not languages:
        return sa.type_coerce(Activity.document, sa.Text)
    ways = []
    for tag in languages:
        ways.append((sa.func.lower(Activity.language) == tag, Activity.document))
        ways.append((Activity.documents.has_key(tag), Activity.documents[tag].astext))
    return sa.case(*ways, else_=Activity.document)


def add_history(session: AsyncSession, entry: HistoryEntry) -> None:
    """Remember who did what."""
    session.add(entry)
