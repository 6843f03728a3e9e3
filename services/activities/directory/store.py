"""Every statement about sections, countries and platforms."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.util import identity_key

from services.activities.directory.platforms import Membership
from services.activities.directory.tables import (
    Country,
    DirectorySync,
    OrganisationChange,
    Platform,
    PlatformMembership,
    PlatformRound,
    Section,
)
from services.kernel.globe import Near, distance_between

# Any numbers, as long as nobody else takes an advisory lock of them in this database.
_MERGING: Final = 7_300_614_472
_SYNCING: Final = 7_300_614_473
_NAMING: Final = 7_300_614_474

_TODAY: Final = sa.text("(now() AT TIME ZONE 'UTC')::date")


class Sought(NamedTuple):
    """What a reader wants of the sections; empty means all."""

    countries: Sequence[str] = ()
    platforms: Sequence[str] = ()
    states: Sequence[str] = ()
    q: str | None = None
    near: Near | None = None


EVERYBODY: Final = Sought()


class CountryEntry(NamedTuple):
    """A country with the number of its active sections and its platform today."""

    country: Country
    sections_active: int
    platform: str | None


async def now(session: AsyncSession) -> datetime:
    """The database's clock."""
    return (await session.execute(sa.select(sa.func.now()))).scalar_one()


async def today(session: AsyncSession) -> date:
    """The day of the database's clock, in UTC."""
    day: date = (await session.execute(sa.select(_TODAY))).scalar_one()
    return day


async def section(session: AsyncSession, code: str) -> Section | None:
    """One section by its code."""
    return await session.get(Section, code)


async def lock_section(session: AsyncSession, code: str) -> Section | None:
    """One section, locked until the transaction ends; others may name it as their successor meanwhile."""
    return await session.get(Section, code, with_for_update={"key_share": True})


async def lock_sections(session: AsyncSession) -> Sequence[Section]:
    """Every section, locked until the transaction ends."""
    return (await session.scalars(sa.select(Section).order_by(Section.code).with_for_update(key_share=True))).all()


async def every_section(session: AsyncSession) -> Sequence[Section]:
    """Every section."""
    return (await session.scalars(sa.select(Section).order_by(Section.code))).all()


async def section_codes(session: AsyncSession) -> Sequence[str]:
    """The code of every section, of those that merged too."""
    return (await session.scalars(sa.select(Section.code))).all()


async def holds_sections(session: AsyncSession) -> bool:
    """Whether there is any section."""
    return bool(await session.scalar(sa.select(sa.exists().where(Section.code.is_not(None)))))


async def sections(session: AsyncSession, codes: Collection[str]) -> dict[str, Section]:
    """The sections with these codes, by code; those that the transaction has read already are not read again."""
    held = {code: session.identity_map.get(identity_key(Section, code)) for code in codes}
    found = {code: row for code, row in held.items() if row is not None}
    if unread := [code for code in codes if code not in found]:
        rows = await session.scalars(sa.select(Section).where(Section.code.in_(unread)))
        found |= {row.code: row for row in rows}
    return found


async def sections_to_name(session: AsyncSession, codes: Collection[str]) -> dict[str, Section]:
    """The sections with these codes, to be written into an activity: what it says of them is not forgotten later.

    Their names, countries and states don't change before the transaction ends, so that whoever changes them then
    finds the activity among those that are to follow.
    """
    await session.execute(sa.select(sa.func.pg_advisory_xact_lock_shared(_NAMING)))
    return await sections(session, codes)


async def hold_naming(session: AsyncSession) -> None:
    """Wait for those who write names of sections into activities, and hold them off; before any section is locked."""
    await session.execute(sa.select(sa.func.pg_advisory_xact_lock(_NAMING)))


async def take_one_to_follow(session: AsyncSession) -> Section | None:
    """A section whose activities may not show its present name or country yet, locked."""
    statement = sa.select(Section).where(sa.not_(Section.is_followed)).order_by(Section.code).limit(1)
    statement = statement.with_for_update(key_share=True, skip_locked=True)
    return await session.scalar(statement.execution_options(populate_existing=True))


async def page_of_sections(
    session: AsyncSession, sought: Sought = EVERYBODY, *, after: Sequence[Any] | None = None, limit: int
) -> Sequence[tuple[Section, float | None]]:
    """Sections in the order of their codes, or with `near` of their distances, beginning after one."""
    distance: sa.ColumnElement[Any] = sa.null()
    if sought.near is not None:
        distance = distance_between(Section.latitude, Section.longitude, sought.near)
    statement = sa.select(Section, distance).limit(limit)
    if sought.near is not None:
        statement = statement.where(distance <= sought.near.radius_km).order_by(distance)
    statement = statement.order_by(Section.code)
    if after is not None and sought.near is not None:
        place = sa.tuple_(sa.literal(after[0], sa.Double), sa.literal(after[1], sa.Text))
        statement = statement.where(sa.tuple_(distance, Section.code) > place)
    elif after is not None:
        statement = statement.where(Section.code > after[1])
    if sought.countries:
        statement = statement.where(Section.country.in_(sought.countries))
    if sought.states:
        statement = statement.where(Section.state.in_(sought.states))
    if sought.platforms:
        members = sa.select(PlatformMembership.country).where(
            PlatformMembership.platform.in_(sought.platforms), _holds_on(_TODAY)
        )
        statement = statement.where(Section.country.in_(members))
    if sought.q is not None:
        statement = statement.where(_has_words(sought.q))
    return [(row[0], row[1]) for row in await session.execute(statement)]


def _has_words(q: str) -> sa.ColumnElement[bool]:
    """Each word stands somewhere in name, code or cities; accents and punctuation don't count."""
    plain = sa.func.activities.plain_text
    text = plain(Section.name + " " + Section.code + " " + sa.func.array_to_string(Section.cities, " "))
    sought = plain(sa.literal(q, sa.Text))
    word = sa.func.regexp_split_to_table(sought, " +").column_valued("word")
    each = sa.select(sa.literal("%") + sa.cast(word, sa.Text) + sa.literal("%")).scalar_subquery()
    return sa.and_(sought != "", text.like(sa.all_(each)))


async def with_predecessors(session: AsyncSession, codes: Collection[str]) -> Sequence[str]:
    """These codes and those of every section that merged into one of them, in whatever steps."""
    line = sa.select(sa.func.unnest(sa.literal(list(codes), sa.ARRAY(sa.Text))).label("code")).cte(
        "line", recursive=True
    )
    line = line.union(sa.select(Section.code).where(Section.merged_into == line.c.code))
    return (await session.scalars(sa.select(line.c.code).order_by(line.c.code))).all()


async def with_successors(session: AsyncSession, codes: Collection[str]) -> Sequence[str]:
    """These codes and those of every section that one of them merged into, in whatever steps."""
    line = sa.select(sa.func.unnest(sa.literal(list(codes), sa.ARRAY(sa.Text))).label("code")).cte(
        "line", recursive=True
    )
    line = line.union(
        sa.select(Section.merged_into).where(Section.code == line.c.code, Section.merged_into.is_not(None))
    )
    return (await session.scalars(sa.select(line.c.code).order_by(line.c.code))).all()


async def successors(session: AsyncSession, first: Section) -> Sequence[Section]:
    """The sections that one merged into, the last one last; a circle, which nobody can write, would end it."""
    found: list[Section] = []
    row: Section | None = first
    while row is not None and row.merged_into is not None:
        row = await section(session, row.merged_into)
        if row is None or row is first or row in found:
            break
        found.append(row)
    return found


async def hold_merging(session: AsyncSession) -> None:
    """Let no other transaction name a successor before this one ends: two could make a circle together."""
    await session.execute(sa.select(sa.func.pg_advisory_xact_lock(_MERGING)))


async def hold_syncing(session: AsyncSession) -> None:
    """Let one list of sections be applied at a time."""
    await session.execute(sa.select(sa.func.pg_advisory_xact_lock(_SYNCING)))


async def countries(session: AsyncSession, code: str | None = None) -> Sequence[CountryEntry]:
    """The countries that have a section or a national organisation that is known; or the one with this code."""
    active = (
        sa.select(sa.func.count())
        .where(Section.country == Country.code, Section.state.in_(("active", "warned")))
        .scalar_subquery()
    )
    platform = (
        sa.select(PlatformMembership.platform)
        .where(PlatformMembership.country == Country.code, _holds_on(_TODAY))
        .scalar_subquery()
    )
    statement = sa.select(Country, active, platform).order_by(Country.code)
    if code is not None:
        statement = statement.where(Country.code == code)
    else:
        has_sections = sa.exists().where(Section.country == Country.code)
        statement = statement.where(sa.or_(has_sections, Country.organisation_name.is_not(None)))
    return [CountryEntry(*row) for row in await session.execute(statement)]


async def country(session: AsyncSession, code: str) -> Country | None:
    """One country by its code."""
    return await session.get(Country, code)


async def lock_country(session: AsyncSession, code: str) -> Country | None:
    """One country, locked until the transaction ends."""
    return await session.get(Country, code, with_for_update=True)


async def organisation_history(
    session: AsyncSession, country: str, *, after: Sequence[Any] | None, limit: int
) -> Sequence[OrganisationChange]:
    """What was changed of a national organisation's entry, from the beginning."""
    statement = sa.select(OrganisationChange).where(OrganisationChange.country == country)
    if after is not None:
        statement = statement.where(OrganisationChange.revision > after[0])
    return (await session.scalars(statement.order_by(OrganisationChange.revision).limit(limit))).all()


async def ensure_country(session: AsyncSession, code: str, name: str) -> None:
    """Enter a country that is not there yet."""
    await session.execute(insert(Country).values(code=code, name=name).on_conflict_do_nothing())


async def platforms(session: AsyncSession) -> Sequence[Platform]:
    """Every regional platform."""
    return (await session.scalars(sa.select(Platform).order_by(Platform.code))).all()


async def platform_codes(session: AsyncSession) -> Sequence[str]:
    """The code of every regional platform."""
    return (await session.scalars(sa.select(Platform.code))).all()


async def platform(session: AsyncSession, code: str) -> Platform | None:
    """One platform by its code."""
    return await session.get(Platform, code)


def _holds_on(day: Any) -> sa.ColumnElement[bool]:
    days = sa.func.daterange(PlatformMembership.starts_on, PlatformMembership.ends_on)
    holds: sa.ColumnElement[bool] = days.bool_op("@>")(day)
    return holds


async def memberships(
    session: AsyncSession, *, country: str | None = None, platform: str | None = None, on: date | None = None
) -> Sequence[PlatformMembership]:
    """Memberships by country and time: of one country or platform, on one day."""
    statement = sa.select(PlatformMembership).order_by(
        PlatformMembership.country, PlatformMembership.starts_on.asc().nulls_first()
    )
    if country is not None:
        statement = statement.where(PlatformMembership.country == country)
    if platform is not None:
        statement = statement.where(PlatformMembership.platform == platform)
    if on is not None:
        statement = statement.where(_holds_on(sa.literal(on, sa.Date)))
    return (await session.scalars(statement)).all()


async def platforms_today(session: AsyncSession, countries: Collection[str]) -> dict[str, str]:
    """The platform today of each of these countries that is in one."""
    statement = sa.select(PlatformMembership.country, PlatformMembership.platform).where(
        PlatformMembership.country.in_(countries), _holds_on(_TODAY)
    )
    return {row[0]: row[1] for row in await session.execute(statement)}


async def country_names(session: AsyncSession) -> dict[str, str]:
    """The name of each country."""
    return {row[0]: row[1] for row in await session.execute(sa.select(Country.code, Country.name))}


async def platform_on(session: AsyncSession, country: str, day: date) -> str | None:
    """A country's platform on a day, to be written down: its memberships can't change before the transaction ends."""
    await session.execute(sa.select(Country.code).where(Country.code == country).with_for_update(read=True))
    statement = sa.select(PlatformMembership.platform).where(
        PlatformMembership.country == country, _holds_on(sa.literal(day, sa.Date))
    )
    return await session.scalar(statement)


async def held_memberships(session: AsyncSession, countries: Collection[str]) -> dict[str, list[PlatformMembership]]:
    """The memberships of these countries, which can't change before the transaction ends."""
    if not countries:
        return {}
    held = sa.select(Country.code).where(Country.code.in_(countries)).order_by(Country.code)
    await session.execute(held.with_for_update(read=True))
    found: dict[str, list[PlatformMembership]] = {}
    for row in await session.scalars(sa.select(PlatformMembership).where(PlatformMembership.country.in_(countries))):
        found.setdefault(row.country, []).append(row)
    return found


async def replace_memberships(session: AsyncSession, country: str, wanted: Iterable[Membership]) -> None:
    """Put other memberships in the place of a country's."""
    await session.execute(sa.delete(PlatformMembership).where(PlatformMembership.country == country))
    session.add_all(PlatformMembership(country=country, **each._asdict()) for each in wanted)
    await session.flush()


def begin_round(session: AsyncSession, country: str) -> None:
    """Ask for a country's activities to be put right."""
    session.add(PlatformRound(country=country))


async def next_round(session: AsyncSession) -> PlatformRound | None:
    """The oldest round that nobody works on, locked."""
    statement = sa.select(PlatformRound).order_by(PlatformRound.number).limit(1).with_for_update(skip_locked=True)
    return await session.scalar(statement)


async def end_round(session: AsyncSession, done: PlatformRound) -> None:
    """Forget a round that is done."""
    await session.delete(done)


def add(session: AsyncSession, entry: Section | DirectorySync | OrganisationChange) -> None:
    """Enter something new."""
    session.add(entry)


async def sync(session: AsyncSession, identity: UUID) -> DirectorySync | None:
    """A list of sections that was sent."""
    return await session.get(DirectorySync, identity)


async def lock_sync(session: AsyncSession, identity: UUID) -> DirectorySync | None:
    """A list of sections that was sent, locked until the transaction ends."""
    return await session.get(DirectorySync, identity, with_for_update=True)


async def forget_old_syncs(session: AsyncSession) -> None:
    """Drop lists that were sent more than a month ago."""
    month = sa.text("interval '30 days'")
    await session.execute(sa.delete(DirectorySync).where(DirectorySync.created_at < sa.func.now() - month))
