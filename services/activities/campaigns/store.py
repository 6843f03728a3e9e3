"""Every statement about series, editions and their dates."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.campaigns.rules import Days
from services.activities.campaigns.tables import ChangedDays, Edition, NationalDates, Series

_EDITIONS_LOCK = 0x5E_ED17
"""Any number that no other lock of this schema has."""


async def now(session: AsyncSession) -> datetime:
    """The database's clock."""
    return (await session.execute(sa.select(sa.func.now()))).scalar_one()


async def hold_dates(session: AsyncSession) -> None:
    """Let no edition change its days until this transaction, which sorts activities by them, has ended.

    Else an activity could be sorted by the old days and appear after those that were there had been moved.
    """
    await session.execute(sa.select(sa.func.pg_advisory_xact_lock_shared(_EDITIONS_LOCK)))


async def lock_dates(session: AsyncSession) -> None:
    """Wait for everybody who sorts activities by the present days, and let nobody begin until this is committed."""
    await session.execute(sa.select(sa.func.pg_advisory_xact_lock(_EDITIONS_LOCK)))


async def all_series(session: AsyncSession) -> Sequence[Series]:
    """Every series, the oldest first."""
    return (await session.scalars(sa.select(Series).order_by(Series.first_year, Series.code))).all()


async def series_listed_as(session: AsyncSession, name: str) -> Series | None:
    """The series that lists of editions call so."""
    return await session.scalar(sa.select(Series).where(Series.listed_as == name))


async def series(session: AsyncSession, code: str) -> Series | None:
    """One series by its code."""
    return await session.get(Series, code)


async def edition(session: AsyncSession, code: str) -> Edition | None:
    """One edition by its code."""
    return await session.get(Edition, code)


async def edition_codes(session: AsyncSession) -> Sequence[str]:
    """The code of every edition."""
    return (await session.scalars(sa.select(Edition.code))).all()


async def known_among(session: AsyncSession, codes: Collection[str]) -> frozenset[str]:
    """Which of these codes are those of editions."""
    return frozenset((await session.scalars(sa.select(Edition.code).where(Edition.code.in_(codes)))).all())


async def lock_edition(session: AsyncSession, code: str) -> Edition | None:
    """One edition, locked until the transaction ends."""
    return await session.get(Edition, code, with_for_update=True)


async def editions(
    session: AsyncSession,
    *,
    code: str | None = None,
    series: str | None = None,
    year: int | None = None,
    season: str | None = None,
    on: date | None = None,
    is_current: bool | None = None,
) -> Sequence[tuple[Edition, Series]]:
    """Editions with their series, the newest first; those without dates last."""
    statement = sa.select(Edition, Series).join(Series, Series.listed_as == Edition.series)
    for column, wanted in ((Edition.code, code), (Series.code, series), (Edition.year, year), (Edition.season, season)):
        if wanted is not None:
            statement = statement.where(column == wanted)
    if on is not None:
        statement = statement.where(_runs_on(sa.literal(on, sa.Date)))
    if is_current is not None:
        runs = _runs_on(sa.cast(sa.func.timezone("UTC", sa.func.now()), sa.Date))
        statement = statement.where(runs if is_current else sa.not_(runs))
    rows = await session.execute(statement.order_by(Edition.starts_on.desc().nulls_last(), Edition.code))
    return [(row, its_series) for row, its_series in rows]


def _runs_on(day: sa.ColumnElement[date]) -> sa.ColumnElement[bool]:
    somewhere = sa.exists().where(
        NationalDates.edition == Edition.code, day.between(NationalDates.starts_on, NationalDates.ends_on)
    )
    everywhere = sa.and_(Edition.precision == "day", day.between(Edition.starts_on, Edition.ends_on))
    # Without dates neither is true nor false, and the edition would be in neither list.
    return sa.func.coalesce(sa.or_(everywhere, somewhere), sa.false())


async def national_dates(session: AsyncSession, editions: Collection[str]) -> dict[str, list[NationalDates]]:
    """The dates of countries that differ, by edition, in the order of the countries."""
    statement = sa.select(NationalDates).where(NationalDates.edition.in_(editions)).order_by(NationalDates.country)
    found: dict[str, list[NationalDates]] = {}
    for row in await session.scalars(statement):
        found.setdefault(row.edition, []).append(row)
    return found


async def dates_in(session: AsyncSession, edition: str, country: str) -> NationalDates | None:
    """The dates of one country, where they differ."""
    return await session.get(NationalDates, (edition, country))


async def mark_changed(session: AsyncSession, country: str | None, spans: Collection[Days | None]) -> None:
    """Have the activities that begin in these spans looked at; None is no span."""
    rows = [{"country": country, "starts_on": span[0], "ends_on": span[1]} for span in set(spans) if span is not None]
    if rows:
        await session.execute(sa.insert(ChangedDays), rows)


async def lock_changed_days(session: AsyncSession) -> ChangedDays | None:
    """The days that wait longest and that nobody works on."""
    statement = sa.select(ChangedDays).order_by(ChangedDays.id).limit(1).with_for_update(skip_locked=True)
    return await session.scalar(statement)


def claiming(
    day: sa.SQLColumnExpression[date | None], country: sa.SQLColumnExpression[str | None]
) -> sa.ScalarSelect[str]:
    """The edition to which a day belongs in a country.

    By the country's own dates where it has any, else by the edition's, if those are known to the day. Of several the
    shorter one has it, then the later one.
    """
    starts_on, ends_on = (
        sa.case((NationalDates.edition.is_not(None), national), (Edition.precision == "day", common))
        for national, common in (
            (NationalDates.starts_on, Edition.starts_on), (NationalDates.ends_on, Edition.ends_on),
        )
    )  # fmt: skip
    here = sa.and_(NationalDates.edition == Edition.code, NationalDates.country == country)
    return (
        sa.select(Edition.code)
        .join(Series, Series.listed_as == Edition.series)
        .outerjoin(NationalDates, here)
        .where(Series.claims_activities, day.between(starts_on, ends_on))
        .order_by(ends_on - starts_on, starts_on.desc(), Edition.code)
        .limit(1)
        .scalar_subquery()
    )


async def edition_on(session: AsyncSession, day: date, country: str | None) -> str | None:
    """The edition to which a day belongs in a country; its dates stay until the transaction has ended."""
    await hold_dates(session)
    statement = sa.select(claiming(sa.literal(day, sa.Date), sa.literal(country, sa.Text)))
    return await session.scalar(statement)


async def editions_on(
    session: AsyncSession, places: Collection[tuple[date, str | None]]
) -> dict[tuple[date, str | None], str | None]:
    """The edition to which each of these days belongs in its country, by one statement; their dates stay as well."""
    await hold_dates(session)
    days, countries = zip(*places, strict=True)
    asked = (
        sa.func.unnest(sa.literal(list(days), sa.ARRAY(sa.Date)), sa.literal(list(countries), sa.ARRAY(sa.Text)))
        .table_valued(sa.column("day", sa.Date), sa.column("country", sa.Text), name="asked")
        .render_derived()
    )
    found = await session.execute(sa.select(asked.c.day, asked.c.country, claiming(asked.c.day, asked.c.country)))
    return {(day, country): code for day, country, code in found}
