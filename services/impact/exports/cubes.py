"""Makes cubes of what the statistics, and the tables of people, answer: nothing is counted or withheld here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from services.impact.disclosure import store as released
from services.impact.disclosure.rules import DIMENSIONS, Table
from services.impact.exports.rules import (
    QUANTITIES,
    TOTAL,
    UNSTATED,
    Absent,
    Amount,
    Category,
    Counted,
    Cube,
    Dimension,
    Row,
    Value,
    words,
)
from services.impact.statistics import network
from services.impact.statistics.measures import MEASURES
from services.impact.statistics.schemas import StatisticsOut

_SECTION: Final = "section"
_LEFT_OVER: Final = Category("_O", "In no other row")
_PEOPLE: Final = "people"


async def of_statistics(session: AsyncSession, told: StatisticsOut) -> Cube:
    """The answer to a question about figures."""
    rows = tuple(_row(each, told.by, told) for each in told.items)
    labels = {_SECTION: await _section_titles(session, told.by, rows)}
    measures = tuple(
        Counted(code, each.title, each.unit, each.definition, is_whole=each.unit == "1" and not MEASURES[code].is_ratio)
        for code, each in told.measures.items()
    )
    return Cube(
        name="statistics",
        title=f"SocialErasmus in figures{_by(told.by)}",
        dimensions=tuple(
            Dimension(name, _categories((row.key[place] for row in rows), labels.get(name, {})))
            for place, name in enumerate(told.by)
        ),
        measures=measures,
        rows=rows,
        total=_row(told.total, [], told),
        as_of=told.as_of.isoformat() if told.as_of else None,
        notes=_notes(told),
    )


async def of_table(session: AsyncSession, own: Table, years: Sequence[str]) -> Cube:
    """A table of people as it was released, all of its rows; a count that is withheld there is withheld here."""
    found = await released.page_of_rows(session, own.code, years, after=None, limit=None)
    labels = await released.labels_told(session, own.code, sorted({row.academic_year for row in found}))
    rows = []
    for row in found:
        key = (row.academic_year, row.row_key or None)
        rows.append(Row((*key, TOTAL.code), {_PEOPLE: row.people}))
        for label in labels.get(row.academic_year, []):
            people = row.counts.get(label)
            rows.append(Row((*key, label), {_PEOPLE: Absent.SUPPRESSED if people is None else people}))
    releases = {each.academic_year: each.as_of.isoformat() for each in await released.releases(session)}
    names = ("academic_year", "row", "label")
    return Cube(
        name=own.code,
        title=own.title,
        dimensions=tuple(
            Dimension(
                name,
                _categories((row.key[place] for row in rows), {TOTAL.code: TOTAL.label}),
                _LEFT_OVER if name == "row" else UNSTATED,
            )
            for place, name in enumerate(names)
        ),
        measures=(Counted(_PEOPLE, "People", "1", own.definition),),
        rows=tuple(rows),
        notes={
            "row": words(own.rows),
            "label": words(own.label),
            "protection": f"{DIMENSIONS[own.label].reason} Counts of fewer than {own.threshold} people are withheld, "
            "and others beside them that would tell.",
            "released": "; ".join(f"{year}: {as_of}" for year, as_of in sorted(releases.items())),
        },
    )


def _row(told: Mapping[str, Any], by: Sequence[str], answer: StatisticsOut) -> Row:
    values: dict[str, Value] = {}
    for name in answer.measures:
        if told[name] is None:
            has_none = name in answer.reasons or MEASURES[name].is_ratio
            values[name] = Absent.NOT_APPLICABLE if has_none else Absent.SUPPRESSED
        elif name != QUANTITIES:
            values[name] = told[name]
    return Row(
        key=tuple(None if told[name] is None else str(told[name]) for name in by),
        values=values,
        amounts=tuple(
            Amount(each["measure"], each["unit"], Decimal(each["amount"])) for each in told.get(QUANTITIES) or ()
        ),
    )


def _categories(codes: Iterable[str | None], labels: Mapping[str, str]) -> tuple[Category, ...]:
    known = {code for code in codes if code is not None}
    # Goals are numbers.
    in_order = sorted(known, key=lambda code: (int(code) if code.isdecimal() else 0, code))
    return tuple(Category(code, labels.get(code, code)) for code in in_order)


async def _section_titles(session: AsyncSession, by: Sequence[str], rows: Sequence[Row]) -> dict[str, str]:
    if _SECTION not in by:
        return {}
    codes = {row.key[by.index(_SECTION)] for row in rows}
    known = await network.sections(session, [code for code in codes if code is not None])
    return {code: title for code, (title, _) in known.items()}


def _by(names: Sequence[str]) -> str:
    return f" by {', '.join(words(name).lower() for name in names)}" if names else ""


def _notes(told: StatisticsOut) -> dict[str, str]:
    complete = told.completeness
    return {
        "source": "; ".join(f"{name}: {count} activities" for name, count in told.sources.items()) or "no activities",
        "completeness": f"{complete.sections_reporting} of {complete.sections_active} active sections have reported",
        "counting": told.counting,
        **({"filters": _listed(told.filters)} if told.filters else {}),
        **({"period": _listed(told.period)} if told.period else {}),
        **({"reasons": _listed(told.reasons)} if told.reasons else {}),
        "total": _listed({name: value for name, value in told.total.items() if isinstance(value, (int, float))}),
    }


def _listed(told: Mapping[str, Any]) -> str:
    return "; ".join(
        f"{name}: {', '.join(map(str, value)) if isinstance(value, list) else value}" for name, value in told.items()
    )
