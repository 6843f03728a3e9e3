"""Puts an edition together with its totals and those of the editions before it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.campaigns import actions as campaigns
from services.activities.campaigns import store as editions
from services.activities.campaigns.rules import EditionNotFound
from services.activities.campaigns.tables import Edition, Series
from services.activities.totals import rules, store
from services.activities.totals.rules import Figure, Place
from services.activities.totals.schemas import ActivityCounts, Comparison, EditionStanding, Growth, People, Totals
from services.activities.totals.store import Counted
from services.activities.totals.tables import EditionFigures


async def standing(session: AsyncSession, code: str) -> tuple[Edition, EditionStanding]:
    """An edition and how it stands, or a 404."""
    found = await editions.editions(session)
    mine = next((each for each in found if each[0].code == code), None)
    if mine is None:
        raise EditionNotFound
    predecessors = {each.code: each.predecessor for each in await editions.all_series(session)}
    before = rules.before(_place(*mine), [_place(*each) for each in found], predecessors)
    concerned = {code, *filter(None, before)}
    counted, told = await store.counted(session, concerned), await store.told(session, concerned)
    totals = {each: _totals(counted.get(each, Counted()), told.get(each)) for each in concerned}
    (described,) = await campaigns.shown(session, [mine])
    return mine[0], EditionStanding(
        **dict(described),
        totals=totals[code],
        previous=before.previous and _comparison(before.previous, totals, code),
        same_season_before=before.same_season and _comparison(before.same_season, totals, code),
    )


def _place(edition: Edition, series: Series) -> Place:
    return Place(edition.code, series.code, edition.year, edition.season, edition.sample)


def _totals(counted: Counted, told: EditionFigures | None) -> Totals:
    return Totals(
        activities=ActivityCounts(
            published=counted.published,
            held=counted.held,
            cancelled=counted.cancelled,
            reported=told and told.activities,
        ),
        sections=counted.sections,
        countries=counted.countries,
        participants=People(
            international=told and told.participants_international,
            local=told and told.participants_local,
            esn_volunteer=told and told.participants_esn_volunteer,
            unclassified=told and told.participants_unclassified,
        ),
        attendances=told and told.attendances,
        hours=told and float(told.hours),
        as_of=told and told.as_of,
    )


def _comparison(earlier: str, totals: dict[str, Totals], code: str) -> Comparison:
    base = dict(_figures(totals[earlier]))
    compared = {}
    for name, figure in _figures(totals[code]):
        absolute, ratio = rules.growth(figure, base[name])
        compared[name] = Growth(absolute=None if absolute is None else float(absolute), ratio=ratio)
    return Comparison(code=earlier, totals=totals[earlier], growth=compared)


def _figures(totals: Totals) -> Iterator[tuple[str, Figure]]:
    """Every figure by the name that it has among measures; hours as they are written, so that they subtract exactly."""
    for name, count in totals.activities:
        yield f"activities_{name}", count
    yield "sections", totals.sections
    yield "countries", totals.countries
    for name, people in totals.participants:
        yield f"participants_{name}", people
    yield "attendances", totals.attendances
    yield "hours", None if totals.hours is None else Decimal(str(totals.hours))
