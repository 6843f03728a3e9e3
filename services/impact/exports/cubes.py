"""Makes cubes of what the statistics, and the tables of people, answer: nothing is counted or withheld here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from services.impact.disclosure import store as released
from services.impact.disclosure.rules import DIMENSIONS, Table
from services.impact.exports.rules import (
    BEFORE,
    GROWN,
    GROWN_BY,
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
from services.impact.rankings.schemas import RankingOut
from services.impact.statistics import network
from services.impact.statistics.measures import MEASURES
from services.impact.statistics.schemas import Answer, GrowthOut, StatisticsOut

_SECTION: Final = "section"
_LEFT_OVER: Final = Category("_O", "In no other row")
_PEOPLE: Final = "people"
_HOURS: Final = "hours"


async def of_statistics(session: AsyncSession, told: StatisticsOut) -> Cube:
    """The answer to a question about figures; where it is compared, each beside what it was, and its growth."""
    notes = {} if told.compared is None else {"compared": _listed(told.compared["with"])}
    return replace(
        await _of_answer(session, told, told.by, told.items, is_compared=told.compared is not None),
        name="statistics",
        title=f"SocialErasmus in figures{_by(told.by)}",
        total=_row(told.total, [], told),
        notes={**_notes(told), **notes, "total": _numbers(told.total)},
    )


async def of_growth(session: AsyncSession, told: GrowthOut) -> Cube:
    """A series of periods, each beside the one before it."""
    days = {item[told.over]: f"{item['from']} to {item['to']}" for item in told.items if item["from"] is not None}
    return replace(
        await _of_answer(session, told, [told.over], told.items, is_compared=True),
        name="growth",
        title=f"SocialErasmus from one {words(told.over).lower()} to the next",
        notes={**_notes(told), **({"days": _listed(days)} if days else {})},
    )


async def _of_answer(
    session: AsyncSession, told: Answer, by: Sequence[str], items: Sequence[Mapping[str, Any]], *, is_compared: bool
) -> Cube:
    rows = tuple(_compared_row(each, by, told) if is_compared else _row(each, by, told) for each in items)
    labels = {_SECTION: await _section_titles(session, by, rows)}
    counted = [
        Counted(code, each.title, each.unit, each.definition, is_whole=each.unit == "1" and not MEASURES[code].is_ratio)
        for code, each in told.measures.items()
    ]
    return Cube(
        name="",
        title="",
        dimensions=tuple(
            Dimension(name, _categories((row.key[place] for row in rows), labels.get(name, {})))
            for place, name in enumerate(by)
        ),
        measures=tuple(beside for each in counted for beside in (_compared(each) if is_compared else [each])),
        rows=rows,
        as_of=told.as_of.isoformat() if told.as_of else None,
        is_compared=is_compared,
    )


def of_ranking(told: RankingOut) -> Cube:
    """The places of a ranking; what a ratio is made of stands beside it."""
    is_ratio = any(each.numerator is not None for each in told.items)
    is_whole = not is_ratio and told.by != _HOURS
    unit = MEASURES[_HOURS].unit if told.by == _HOURS else "1"
    rows = []
    for each in told.items:
        values: dict[str, Value] = {"place": each.place, "value": int(each.value) if is_whole else each.value}
        if each.numerator is not None and each.denominator is not None:
            values |= {"numerator": int(each.numerator), "denominator": int(each.denominator)}
        rows.append(Row((each.country, each.section), values))
    parts = (
        Counted("numerator", "Above the line", "1", "Of the ratio: what is above the line."),
        Counted("denominator", "Below the line", "1", "Of the ratio: what is below the line."),
    )
    titles = {each.section: each.title for each in told.items if each.title is not None}
    return Cube(
        name="rankings",
        title=f"Sections by {words(told.by).lower()}",
        dimensions=(
            Dimension("country", _categories((row.key[0] for row in rows), {})),
            Dimension(_SECTION, _categories((row.key[1] for row in rows), titles)),
        ),
        measures=(
            Counted("place", "Place", "1", "Sections with the same value share one, and the next is left free."),
            Counted("value", words(told.by), unit, told.rule, is_whole=is_whole),
            *(parts if is_ratio else ()),
        ),
        rows=tuple(rows),
        as_of=told.as_of.isoformat() if told.as_of else None,
        notes={**_sources(told), **({"compared": _listed(told.before)} if told.before else {}), **_asked(told)},
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


def _row(told: Mapping[str, Any], by: Sequence[str], answer: Answer) -> Row:
    values = _values(told, answer)
    return Row(
        key=_key(told, by),
        values=values,
        amounts=tuple(Amount(*quantity, amount) for quantity, amount in _amounts(told).items()),
    )


def _compared_row(told: Mapping[str, Any], by: Sequence[str], answer: Answer) -> Row:
    """The figures, those of the period before and the growth; where there was none before, these don't apply."""
    was: Mapping[str, Any] | None = told["previous"]
    now, before = _values(told, answer), {} if was is None else _values(was, answer)
    values: dict[str, Value] = {}
    for name in answer.measures:
        if name in now:
            values[name] = now[name]
        if name != QUANTITIES:
            grown = told["growth"][name]
            values[f"{name}{BEFORE}"] = before.get(name, Absent.NOT_APPLICABLE)
            values[f"{name}{GROWN}"] = _or_none(grown["absolute"])
            values[f"{name}{GROWN_BY}"] = _or_none(grown["ratio"])
    amounts, earlier = _amounts(told), _amounts(was or {})
    grown_by = {(each["measure"], each["unit"]): each for each in told["growth"].get(QUANTITIES) or ()}
    found = []
    for quantity in sorted({*amounts, *earlier, *grown_by}):
        each = grown_by.get(quantity)
        growth = (Decimal(each["absolute"]), each["ratio"]) if each else (None, None)
        found.append(Amount(*quantity, amounts.get(quantity), earlier.get(quantity), *growth))
    return Row(_key(told, by), values, tuple(found))


def _or_none(value: float | None) -> Value:
    return Absent.NOT_APPLICABLE if value is None else value


def _key(told: Mapping[str, Any], by: Sequence[str]) -> tuple[str | None, ...]:
    return tuple(None if told[name] is None else str(told[name]) for name in by)


def _values(told: Mapping[str, Any], answer: Answer) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for name in answer.measures:
        if told[name] is None:
            has_none = name in answer.reasons or MEASURES[name].is_ratio
            values[name] = Absent.NOT_APPLICABLE if has_none else Absent.SUPPRESSED
        elif name != QUANTITIES:
            values[name] = told[name]
    return values


def _amounts(told: Mapping[str, Any]) -> dict[tuple[str, str], Decimal]:
    return {(each["measure"], each["unit"]): Decimal(each["amount"]) for each in told.get(QUANTITIES) or ()}


def _compared(each: Counted) -> list[Counted]:
    """A measure, what it was, by how much it grew, and by what part of what it was."""
    return [
        each,
        replace(each, code=f"{each.code}{BEFORE}", title=f"{each.title}, before", definition="Of the period before."),
        replace(each, code=f"{each.code}{GROWN}", title=f"{each.title}, growth", definition="By how much it grew."),
        Counted(
            f"{each.code}{GROWN_BY}",
            f"{each.title}, growth in parts",
            "1",
            "By what part of what it was it grew; there is none where it was 0.",
            is_whole=False,
        ),
    ]


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


def _notes(told: Answer) -> dict[str, str]:
    reasons = {"reasons": _listed(told.reasons)} if told.reasons else {}
    return {**_sources(told), "counting": told.counting, **_asked(told), **reasons}


def _sources(told: Answer | RankingOut) -> dict[str, str]:
    complete = told.completeness
    return {
        "source": "; ".join(f"{name}: {count} activities" for name, count in told.sources.items()) or "no activities",
        "completeness": f"{complete.sections_reporting} of {complete.sections_active} active sections have reported",
    }


def _asked(told: Answer | RankingOut) -> dict[str, str]:
    parts = {"filters": told.filters, "period": told.period}
    return {name: _listed(part) for name, part in parts.items() if part}


def _numbers(told: Mapping[str, Any]) -> str:
    return _listed({name: value for name, value in told.items() if isinstance(value, (int, float))})


def _listed(told: Mapping[str, Any]) -> str:
    return "; ".join(
        f"{name}: {', '.join(map(str, value)) if isinstance(value, list) else 'none' if value is None else value}"
        for name, value in told.items()
    )
