"""How a question is answered: its groups, its total, what it is compared with, and why nothing can be found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.impact.facts.academic_years import academic_year_of
from services.impact.facts.rules import Figures
from services.impact.statistics import network, periods, rules, store, touching
from services.impact.statistics.comparing import NOTHING_BEFORE, SEVERAL, Comparison, compared
from services.impact.statistics.measures import CLASS, MEASURES
from services.impact.statistics.periods import PERIODS, Compare, EditionDays, Relative
from services.impact.statistics.rules import MOST_FACTS, MOST_GROUPS, Asked, Group
from services.kernel.problems import FieldError, Invalid

Resolved = tuple[dict[str, tuple[str, ...]], Any, Any, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Found:
    """The groups of a question in order, and their total."""

    groups: list[Group]
    total: Group


@dataclass(frozen=True, slots=True)
class Told:
    """The items and the total as they are told; `compared` says with what, period by period."""

    items: list[dict[str, Any]]
    total: dict[str, Any]
    compared: dict[str, Any] | None


async def answer(session: AsyncSession, asked: Asked, compare: Compare | None) -> Told:
    """The figures that are asked for, beside those of the period before where that was asked for."""
    found = await figures(session, asked)
    if not any(found.total.figures):
        await _refuse_contradictions(session, asked)
    empty = rules.nulls(asked)
    if compare is None:
        items = [rules.row(group, asked.by, asked.measures, empty) for group in found.groups]
        return Told(items, rules.row(found.total, (), asked.measures, empty), None)
    return await _compared(session, asked, found, compare, empty)


async def figures(session: AsyncSession, asked: Asked) -> Found:
    """The groups and the total; each activity is in the total once, also where it touches several groups."""
    await _check_facts(session, asked)
    try:
        groups = await store.groups(session, asked, most=MOST_GROUPS)
    except store.TooMany as error:
        raise await _too_many(session, asked, amounts=error.amounts) from None
    is_whole = not set(asked.touching) & set(asked.by)
    total = (
        rules.total(groups) if is_whole else rules.total(await store.groups(session, asked.of_all(), most=MOST_GROUPS))
    )
    if any(MEASURES[name].reports for name in asked.measures) and not asked.scheme and CLASS not in asked.codes:
        groups, total = await _with_reports(session, asked, groups, total)
    if CLASS in asked.by or CLASS in asked.codes:
        groups = rules.of_classes(groups, asked)
        (total,) = rules.of_classes([total], asked.of_all())
        if len(groups) > MOST_GROUPS:
            raise _beyond(len(groups), asked)
    return Found(groups, total)


async def _check_facts(session: AsyncSession, asked: Asked) -> None:
    question = asked if asked.is_of_facts else asked.of_all()
    if question.is_of_facts and (number := await touching.count(session, question, most=MOST_FACTS)):
        name = asked.touching[-1]
        detail = (
            f"Of touches of several labels each activity is looked at, and these would be {number:,}; there may be "
            f"{MOST_FACTS:,}. Choose fewer activities, or name one label."
        )
        raise Invalid.at("query/by" if name in asked.by else f"query/{name}", detail)


async def _too_many(session: AsyncSession, asked: Asked, *, amounts: bool) -> Invalid:
    number = await store.count_groups(session, asked, amounts=amounts)
    if not amounts:
        return _beyond(number, asked)
    return _refused(f"{number:,} quantities; there may be {MOST_GROUPS:,} quantities")


def _beyond(rows: int, asked: Asked) -> Invalid:
    return _refused(f"{rows:,} rows and {rows * len(asked.measures):,} cells; there may be {MOST_GROUPS:,} rows")


def _refused(what: str) -> Invalid:
    hint = "Name fewer dimensions, or choose fewer activities."
    return Invalid.at("query/by", f"That would be {what}. {hint}")


async def _with_reports(
    session: AsyncSession, asked: Asked, groups: list[Group], total: Group
) -> tuple[list[Group], Group]:
    counted = await network.reports(session, asked)
    known = {group.key: group for group in groups}
    # Where nothing is verified yet there is no figure, and yet something to be reported.
    every = {key: known.get(key, Group(key, Figures(), ())) for key in {*known, *counted}}
    if len(every) > MOST_GROUPS:
        raise _beyond(len(every), asked)
    groups = [replace(every[key], reports=counted.get(key, rules.NO_REPORTS)) for key in sorted(every, key=rules.order)]
    return groups, replace(total, reports=rules.total(groups).reports)


async def resolved(session: AsyncSession, which: Relative, pointer: str) -> Resolved:
    """What a relative period is today: codes, first and last day, and how that is told."""
    day = await network.today(session)
    told: dict[str, Any] = {"name": which.value, "today": day.isoformat()}
    if which in {Relative.THIS_EDITION, Relative.LAST_EDITION}:
        known = await network.editions(session)
        edition = periods.edition_at(which, day, known)
        if edition is None:
            raise Invalid.at(pointer, _no_edition(which, known, day))
        days = {"from": str(edition.starts_on), "to": str(edition.ends_on)}
        return {"edition": (edition.code,)}, None, None, {**told, "edition": edition.code, **days}
    if which in {Relative.THIS_ACADEMIC_YEAR, Relative.LAST_ACADEMIC_YEAR}:
        code = academic_year_of(day)
        code = code if which is Relative.THIS_ACADEMIC_YEAR else periods.academic_year_before(code)
        return {"academic_year": (code,)}, None, None, {**told, "academic_year": code}
    first = periods.days_back(day, 29) if which is Relative.LAST_30_DAYS else periods.twelve_months_back(day)
    return {}, first, day, {**told, "from": first.isoformat(), "to": day.isoformat()}


def _no_edition(which: Relative, known: list[EditionDays], day: Any) -> str:
    if which is Relative.LAST_EDITION:
        return "No edition whose days are known is over yet."
    coming = [each.starts_on for each in known if each.starts_on is not None and each.starts_on > day]
    return "No edition is under way today." + (f" The next begins on {min(coming)}." if coming else "")


async def _compared(session: AsyncSession, asked: Asked, found: Found, how: Compare, empty: dict[str, str]) -> Told:
    dimension = _compared_by(asked)
    place: int | None = None
    if dimension is None:
        assert asked.since is not None
        assert asked.until is not None
        since, until = periods.span_before((asked.since, asked.until), how)
        earlier: dict[str, str | None] = {f"{asked.since}/{asked.until}": f"{since}/{until}"}
        question: Asked | None = replace(asked, since=since, until=until)
    else:
        present = _present(asked, dimension, found)
        known = await network.editions(session) if dimension == "edition" else []
        earlier = {code: periods.before(dimension, code, known, how) for code in present}
        codes = tuple(sorted({code for code in earlier.values() if code is not None}))
        place = asked.by.index(dimension) if dimension in asked.by else None
        question = asked.stated(**{dimension: codes}) if codes else None
    base = await figures(session, question) if question is not None else Found([], Group((), Figures(), ()))
    comparison = Comparison(base.groups, earlier=earlier, place=place)
    groups = sorted([*found.groups, *comparison.gone(found.groups)], key=lambda group: rules.order(group.key))
    items = [
        comparison.told(group, rules.row(group, asked.by, asked.measures, empty), asked.by, asked.measures)
        for group in groups
    ]
    total = rules.row(found.total, (), asked.measures, empty)
    was = rules.row(base.total, (), asked.measures, empty) if question is not None and len(earlier) == 1 else None
    reason = SEVERAL if len(earlier) > 1 else NOTHING_BEFORE
    grown = compared(total, was, asked.measures, reason=reason)
    told = {"how": how.value, "dimension": dimension or "days", "with": earlier}
    return Told(items, total | {"previous": was, "growth": grown}, told)


def _compared_by(asked: Asked) -> str | None:
    """The dimension whose periods are compared, or None for days; what can't be compared is refused."""
    named = [name for name in PERIODS if name in asked.by or name in asked.codes]
    has_days = asked.since is not None or asked.until is not None
    if len(named) + has_days > 1:
        both = " and ".join([*named, *(["from/to"] if has_days else [])])
        raise Invalid.at("query/compare", f"One period can be compared with the one before it, and here are {both}.")
    if not named:
        if asked.since is None or asked.until is None:
            detail = "Name an edition, an academic year, a month, or both from and to; or ask by one of them."
            raise Invalid.at("query/compare", detail)
        return None
    if named[0] not in asked.by and len(asked.codes[named[0]]) > 1:
        raise Invalid.at("query/compare", f"Name one {named[0]} to compare, or ask by={named[0]} too.")
    return named[0]


def _present(asked: Asked, dimension: str, found: Found) -> list[str]:
    if dimension not in asked.by:
        return [asked.codes[dimension][0]]
    place = asked.by.index(dimension)
    periods_found = {group.key[place] for group in found.groups} | set(asked.codes.get(dimension, ()))
    return sorted(code for code in periods_found if code is not None)


async def _refuse_contradictions(session: AsyncSession, asked: Asked) -> None:
    """Say why a question that finds nothing can't find anything, where that is so."""
    faults = []
    for name in ("edition", "section", "platform"):
        codes = asked.codes.get(name, ())
        for code in await network.unknown(session, name, codes) if codes else ():
            detail = f"There is no {name} with this code."
            faults.append(FieldError(pointer=f"query/{name}/{codes.index(code)}", detail=detail))
    if not faults:
        faults += await _never_met(session, asked) + await _editions_elsewhere(session, asked)
    if faults:
        raise Invalid(errors=faults)


async def _never_met(session: AsyncSession, asked: Asked) -> list[FieldError]:
    countries = asked.codes.get("country")
    if not countries:
        return []
    faults = []
    sections, platforms = asked.codes.get("section"), asked.codes.get("platform")
    if sections and not await network.countries_of(session, sections) & set(countries):
        detail = "Contradicts country: none of these sections is of any of these countries."
        faults.append(FieldError(pointer="query/section", detail=detail))
    if platforms and not await network.have_met(session, {"country": countries, "platform": platforms}):
        detail = "Contradicts country: no activity of these countries was ever of these platforms."
        faults.append(FieldError(pointer="query/platform", detail=detail))
    return faults


async def _editions_elsewhere(session: AsyncSession, asked: Asked) -> list[FieldError]:
    spans = [
        (name, span)
        for name, found in (
            ("academic_year", [periods.academic_year(code) for code in asked.codes.get("academic_year", ())]),
            ("month", [periods.days_of_month(code) for code in asked.codes.get("month", ())]),
            ("from and to", [periods.open_span(asked.since, asked.until)]),
        )
        for span in found
    ]
    editions = asked.codes.get("edition", ())
    days = {each.code: each for each in await network.editions(session)} if editions else {}
    dated = [
        (each.starts_on, each.ends_on)
        for each in (days.get(code) for code in editions)
        if each is not None and each.starts_on is not None and each.ends_on is not None
    ]
    if len(dated) < len(editions):
        return []
    faults = []
    for name in dict.fromkeys(name for name, _ in spans):
        others = [span for other, span in spans if other == name]
        if dated and all(periods.apart(mine, other) for mine in dated for other in others):
            detail = f"Contradicts {name}: the edition lies outside of it."
            faults.append(FieldError(pointer="query/edition", detail=detail))
    return faults
