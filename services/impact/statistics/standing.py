"""Where things stand: a series of periods with its growth, and which sections have reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.impact.facts.academic_years import academic_year_of
from services.impact.facts.rules import Figures
from services.impact.statistics import answering, network, periods, rules
from services.impact.statistics.comparing import compared
from services.impact.statistics.network import SectionStanding
from services.impact.statistics.rules import Asked, Group
from services.impact.statistics.schemas import Completeness, Inactive, SectionReporting


class Over(StrEnum):
    """What a series is made of."""

    EDITION = "edition"
    ACADEMIC_YEAR = "academic_year"


class Inactivity(StrEnum):
    """Since when a section was not active."""

    ACADEMIC_YEAR = "academic_year"
    SEMESTER = "semester"


@dataclass(frozen=True, slots=True)
class Standing:
    """The sections that were asked for, and how many there are of all."""

    items: list[SectionReporting]
    completeness: Completeness
    not_active: Inactive


async def growth(session: AsyncSession, asked: Asked) -> list[dict[str, Any]]:
    """Every period of the series with its figures, what they were before, and the growth."""
    (over,) = asked.by
    found = {group.key[0]: group for group in (await answering.figures(session, asked)).groups if group.key[0]}
    empty = rules.nulls(asked)
    items: list[dict[str, Any]] = []
    for code, span in await _series(session, over, list(found)):
        told = rules.row(found.get(code, Group((code,), Figures(), ())), asked.by, asked.measures, empty)
        was = None if not items else {name: items[-1][name] for name in (over, *asked.measures, "suppressed")}
        first, last = span or (None, None)
        days = {"from": first, "to": last}
        items.append({**told, **days, "previous": was, "growth": compared(told, was, asked.measures)})
    return items


async def _series(session: AsyncSession, over: str, found: Sequence[str]) -> list[tuple[str, periods.Span | None]]:
    """The periods from the first that has figures to the last that has begun, or has figures."""
    if not found:
        return []
    today = await network.today(session)
    if over == Over.ACADEMIC_YEAR:
        code, years = max(*found, academic_year_of(today)), list[str]()
        while code >= min(found):
            years.append(code)
            code = periods.academic_year_before(code)
        return [(year, periods.academic_year(year)) for year in reversed(years)]
    known = {each.code: each for each in await network.editions(session)}
    every = [known.get(code) or periods.EditionDays(code, "", None, None) for code in {*known, *found}]
    line = sorted((each for each in every if each.line == periods.CAMPAIGN), key=lambda each: each.position)
    with_figures = [place for place, each in enumerate(line) if each.code in found]
    begun = [place for place, each in enumerate(line) if each.starts_on is not None and each.starts_on <= today]
    if not with_figures:
        return []
    return [
        (each.code, (each.starts_on, each.ends_on) if each.starts_on and each.ends_on else None)
        for each in line[with_figures[0] : max(with_figures + begun) + 1]
    ]


async def completeness(
    session: AsyncSession, asked: Asked, *, reported: bool | None, inactive: Inactivity | None
) -> Standing:
    """Every active section that is asked for, by country and code."""
    today = await network.today(session)
    year, _ = periods.academic_year(academic_year_of(today))
    semester = periods.semester_begins(today)
    every = [
        SectionReporting(
            section=each.code,
            title=each.title,
            country=each.country,
            has_reported=each.reported > 0,
            activities_reported=each.reported,
            last_reported_on=each.last_reported_on,
            last_active_on=each.last_active_on,
            is_active_this_academic_year=_active_since(each, year),
            is_active_this_semester=_active_since(each, semester),
        )
        for each in await network.active_sections(session, asked)
    ]
    items = [each for each in every if reported is None or each.has_reported == reported]
    if inactive is Inactivity.ACADEMIC_YEAR:
        items = [each for each in items if not each.is_active_this_academic_year]
    elif inactive is Inactivity.SEMESTER:
        items = [each for each in items if not each.is_active_this_semester]
    return Standing(
        items,
        Completeness(sections_reporting=sum(each.has_reported for each in every), sections_active=len(every)),
        Inactive(
            this_academic_year=sum(not each.is_active_this_academic_year for each in every),
            this_semester=sum(not each.is_active_this_semester for each in every),
        ),
    )


def page(
    items: Sequence[SectionReporting], after: Sequence[Any] | None, limit: int
) -> tuple[list[SectionReporting], list[str] | None]:
    """The items after a place, and the place of the last one where more follow."""
    rest = [each for each in items if after is None or [each.country, each.section] > list(after)]
    shown = rest[:limit]
    return shown, [shown[-1].country, shown[-1].section] if len(rest) > limit else None


def _active_since(each: SectionStanding, day: Any) -> bool:
    return each.last_active_on is not None and each.last_active_on >= day
