"""What a view of the figures holds: its totals, its tables, what they rest on, and where one can go from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from services.contracts import IMPACT
from services.impact.facts.academic_years import academic_year_of
from services.impact.pages import store
from services.impact.pages.rules import CAUSES, TABLED, TOLD, View
from services.impact.statistics import ahead, answering, network, periods, standing
from services.impact.statistics import store as totals
from services.impact.statistics.filters import asked_of
from services.impact.statistics.periods import Compare, EditionDays, academic_year_before
from services.impact.statistics.rules import Asked
from services.kernel.consumers import read_up_to

_SERIES: Final = ("academic_year", "edition")
_CHOSEN: Final = ("edition", "academic_year", "country", "cause")


@dataclass(frozen=True, slots=True)
class Choices:
    """What there are pages of; periods the latest first."""

    edition: list[str]
    academic_year: list[str]
    country: list[str]
    cause: list[str]
    editions: Mapping[str, EditionDays]

    def have(self, name: str, code: str) -> bool:
        """Whether there is a page of it."""
        known: list[str] = getattr(self, name)
        return code in known or (name == "edition" and code in self.editions)


@dataclass(frozen=True, slots=True)
class Table:
    """The figures of a view by one dimension; `is_grown` where each is told beside what it was before."""

    by: str
    rows: list[dict[str, Any]]
    is_grown: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """All that a page tells."""

    view: View
    total: dict[str, Any]
    before: str | None
    """The period that the totals are compared with."""

    tables: list[Table]
    completeness: tuple[int, int]
    sources: dict[str, int]
    as_of: datetime | None
    choices: Choices
    sections: Mapping[str, tuple[str, str]]
    """The title and the country of each section that is told of."""

    today: date

    @property
    def is_empty(self) -> bool:
        """Whether nothing was reported yet."""
        return not any(self.total[name] for name in TOLD)

    def is_under_way(self, name: str, code: str | None) -> bool:
        """Whether a period has begun and is not over, so that its figures still grow."""
        if name == "academic_year":
            return code == academic_year_of(self.today)
        edition = self.choices.editions.get(code) if name == "edition" and code else None
        if edition is None or edition.starts_on is None or edition.ends_on is None:
            return False
        return edition.starts_on <= self.today <= edition.ends_on


async def show(session: AsyncSession, view: View) -> Shown | None:
    """All that is told of a view; None where it is of something that is not known."""
    if not view.is_possible:
        return None
    await ahead.read(session, await _questions(session, view))
    choices = await _choices(session)
    sections = await network.sections(session, [view.codes["section"]]) if "section" in view.codes else {}
    for name, code in view.codes.items():
        if not (code in sections if name == "section" else choices.have(name, code)):
            return None
    asked = question(view, None, TOLD)
    compare = Compare.PREVIOUS if view.period else None
    told = await answering.answer(session, asked, compare)
    before = next(iter(told.compared["with"].values())) if told.compared else None
    tables = [table for by in view.tables if (table := await _table(session, view, by, grown=before is not None)).rows]
    named = {row["section"] for table in tables if table.by == "section" for row in table.rows} - {None}
    return Shown(
        view=view,
        total=told.total,
        before=before,
        tables=tables,
        completeness=await totals.completeness(session, asked),
        sources=await totals.sources(session, asked),
        as_of=await read_up_to(session, IMPACT),
        choices=choices,
        sections={**sections, **await network.sections(session, named)},
        today=await network.today(session),
    )


async def _questions(session: AsyncSession, view: View) -> list[Asked]:
    """What a page asks for: its choices, its totals and its tables, and the same of the period before."""
    found = [question(View(), name) for name in _CHOSEN]
    of_view = [question(view, None, TOLD), *(question(view, by) for by in view.tables)]
    found += of_view
    if view.period is not None:
        name, code = view.period
        before = periods.before(name, code, await network.editions(session), Compare.PREVIOUS)
        if before is not None:
            found += [each.stated(**{name: (before,)}) for each in of_view if each.by != ("month",)]
    return found


def question(view: View, by: str | None, measures: tuple[str, ...] = TABLED) -> Asked:
    """A view as a question to the statistics."""
    codes: dict[str, tuple[str, ...]] = {name: (code,) for name, code in view.codes.items()}
    return asked_of((by,) if by else (), measures, codes)


async def _table(session: AsyncSession, view: View, by: str, *, grown: bool) -> Table:
    asked = question(view, by)
    if by in _SERIES:
        items = await standing.growth(session, asked)
        return Table(by, items[::-1], is_grown=True)
    compare = Compare.PREVIOUS if grown and by != "month" else None
    told = await answering.answer(session, asked, compare)
    rows = told.items if by == "month" else sorted(told.items, key=lambda row: _most_first(row, by))
    return Table(by, rows, is_grown=compare is not None)


def _most_first(row: dict[str, Any], by: str) -> tuple[bool, int, int, str]:
    return row[by] is None, -row["activities"], -row["participants"], row[by] or ""


async def _choices(session: AsyncSession) -> Choices:
    everything = View()
    editions = {each.code: each for each in await network.editions(session)}
    today = await network.today(session)
    found = {
        name: [group.key[0] for group in (await answering.figures(session, question(everything, name))).groups]
        for name in _CHOSEN
    }
    begun = [each.code for each in editions.values() if each.starts_on is not None and each.starts_on <= today]
    series = [editions.get(code) or EditionDays(code, "", None, None) for code in {*_stated(found["edition"]), *begun}]
    years = sorted({*_stated(found["academic_year"]), academic_year_of(today)})
    return Choices(
        edition=[each.code for each in sorted(series, key=_time, reverse=True)],
        academic_year=list(_years(years[0], years[-1])),
        country=sorted({*_stated(found["country"]), *await store.countries(session)}),
        cause=list(dict.fromkeys([*CAUSES, *_stated(found["cause"])])),
        editions=editions,
    )


def _years(first: str, last: str) -> Iterator[str]:
    """Every academic year of a span, the last first, also those of which nothing was reported."""
    while last >= first:
        yield last
        last = academic_year_before(last)


def _stated(codes: list[str | None]) -> list[str]:
    return [code for code in codes if code is not None]


def _time(edition: EditionDays) -> tuple[date, tuple[int, int, str]]:
    return edition.starts_on or date(edition.position[0] or 1, 1, 1), edition.position
