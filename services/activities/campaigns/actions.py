"""What is done with editions: recorded from lists, announced and revised, and given other dates by countries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services import contracts
from services.activities.campaigns import rules, store
from services.activities.campaigns.edition_rows import EditionRow
from services.activities.campaigns.rules import Days
from services.activities.campaigns.schemas import (
    EditionDescription,
    EditionIn,
    EditionOut,
    NationalDatesIn,
    NationalDatesOut,
    SeriesOut,
)
from services.activities.campaigns.tables import Edition, NationalDates, Series
from services.kernel import events
from services.kernel.auth import Actor, Role
from services.kernel.imports import Refused
from services.kernel.problems import Invalid


async def record_edition(session: AsyncSession, row: EditionRow, *, sample: bool = False) -> bool:
    """Enter an edition, or bring its entry up to date; answers whether anything changed.

    Raises Refused for a series that is not known.
    """
    await store.lock_dates(session)
    if await store.series_listed_as(session, row.series) is None:
        raise Refused("series", f"{row.series!r} is not a series")
    known = await store.lock_edition(session, row.code)
    entry = known or Edition(code=row.code)
    before = _claimed(entry)
    for name, value in asdict(row).items():
        setattr(entry, name, value)
    entry.sample = sample
    if known is not None and not session.is_modified(entry):
        return False
    await _changed(session, entry, before)
    return True


async def announce(session: AsyncSession, actor: Actor, wanted: EditionIn) -> Edition:
    """Enter an edition that is to come, or one of the past."""
    _check_may_edit(actor)
    series = await store.series(session, wanted.series)
    if series is None:
        raise Invalid.at("#/series", "There is no series with this code.")
    if (wanted.season is not None) is not series.claims_activities:
        raise Invalid.at("#/season", "A campaign has a season, a gathering has none.")
    if wanted.year < series.first_year or (series.last_year is not None and wanted.year > series.last_year):
        raise Invalid.at("#/year", "The series had no edition in this year.")
    await store.lock_dates(session)
    code = rules.code_of(series.code, wanted.season, wanted.year)
    if await store.edition(session, code) is not None:
        raise rules.EditionExists
    entry = Edition(code=code, series=series.listed_as, season=wanted.season, year=wanted.year, sample=False)
    return await _described(session, entry, wanted.model_dump(exclude={"series", "season", "year"}))


async def lock(session: AsyncSession, actor: Actor, code: str) -> Edition:
    """The edition, locked for a revision, or a 404."""
    _check_may_edit(actor)
    await store.lock_dates(session)
    return _existing(await store.lock_edition(session, code))


async def revise(session: AsyncSession, row: Edition, wanted: EditionDescription) -> Edition:
    """Change what was sent of a locked edition; the rest stays."""
    changes = wanted.model_dump(exclude_unset=True)
    if not changes:
        raise Invalid.at("#", "Name at least one field.")
    return await _described(session, row, changes)


async def lock_dates_of(
    session: AsyncSession, actor: Actor, code: str, country: str
) -> tuple[Edition, NationalDates | None]:
    """The edition and the country's own dates, locked for a change, or a 404."""
    if actor.role is not Role.INTERNATIONAL and (actor.role, actor.country) != (Role.NATIONAL_COORDINATOR, country):
        raise rules.NationalNeeded
    await store.lock_dates(session)
    edition = _existing(await store.lock_edition(session, code))
    return edition, await store.dates_in(session, code, country)


async def set_dates(
    session: AsyncSession, edition: Edition, country: str, row: NationalDates | None, wanted: NationalDatesIn
) -> NationalDates:
    """Give an edition other days in a country."""
    rules.check_span(edition.year, wanted.starts_on, wanted.ends_on)
    before = (row.starts_on, row.ends_on) if row is not None else _claimed(edition)
    entry = row or NationalDates(edition=edition.code, country=country)
    for name, value in wanted.model_dump().items():
        setattr(entry, name, value)
    entry.updated_at = await store.now(session)
    session.add(entry)
    await store.mark_changed(session, country, [before, (entry.starts_on, entry.ends_on)])
    return entry


async def remove_dates(session: AsyncSession, edition: Edition, row: NationalDates | None) -> None:
    """Let a country keep to the days of the edition again; the row may be missing, and then it is a 404."""
    dates = existing_dates(row)
    await session.delete(dates)
    await store.mark_changed(session, dates.country, [(dates.starts_on, dates.ends_on), _claimed(edition)])


def existing_dates(row: NationalDates | None) -> NationalDates:
    """The row, or a 404."""
    if row is None:
        raise rules.NationalDatesNotFound
    return row


async def shown(session: AsyncSession, found: Iterable[tuple[Edition, Series]]) -> list[EditionOut]:
    """Editions as everybody reads them."""
    rows = list(found)
    national = await store.national_dates(session, [edition.code for edition, _ in rows])
    fields = EditionOut.model_fields.keys() - {"series", "national_dates"}
    return [
        EditionOut(
            **{name: getattr(edition, name) for name in fields},
            series=series.code,
            national_dates=[NationalDatesOut.model_validate(each) for each in national.get(edition.code, ())],
        )
        for edition, series in rows
    ]


async def shown_series(session: AsyncSession) -> list[SeriesOut]:
    """Every series as everybody reads it."""
    rows = await store.all_series(session)
    successors = {row.predecessor: row.code for row in rows}
    fields = SeriesOut.model_fields.keys() - {"successor"}
    return [
        SeriesOut(**{name: getattr(row, name) for name in fields}, successor=successors.get(row.code)) for row in rows
    ]


def _check_may_edit(actor: Actor) -> None:
    if actor.role is not Role.INTERNATIONAL:
        raise rules.InternationalNeeded


def _existing(row: Edition | None) -> Edition:
    if row is None:
        raise rules.EditionNotFound
    return row


async def _described(session: AsyncSession, entry: Edition, changes: Mapping[str, Any]) -> Edition:
    before = _claimed(entry)
    for name, value in changes.items():
        setattr(entry, name, value)
    entry.source = entry.source or ""
    rules.check_dates(entry.year, entry.precision, entry.starts_on, entry.ends_on)  # type: ignore[arg-type]
    await _changed(session, entry, before)
    return entry


def _claimed(entry: Edition) -> Days | None:
    return rules.claimed(entry.precision, entry.starts_on, entry.ends_on)


async def _changed(session: AsyncSession, entry: Edition, before: Days | None) -> None:
    """Everything that goes with a change: its time, the activities that change hands, and the event."""
    entry.updated_at = await store.now(session)
    session.add(entry)
    after = _claimed(entry)
    if before != after:
        await store.mark_changed(session, None, [before, after])
    await events.record(
        session,
        contracts.EditionRecorded(
            code=entry.code, series=entry.series, starts_on=entry.starts_on, ends_on=entry.ends_on
        ),
    )
