"""How a ranking is worked out, and what coordinators say about their sections."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from services.impact.facts.academic_years import academic_year_of
from services.impact.facts.rules import Figures
from services.impact.projections.tables import Section
from services.impact.rankings import rules, store
from services.impact.rankings.rules import By, Material, Place
from services.impact.rankings.tables import SectionSize
from services.impact.statistics import answering, network, periods
from services.impact.statistics import store as statistics
from services.impact.statistics.periods import Compare, EditionDays
from services.impact.statistics.rules import Asked
from services.kernel.auth import Actor, Role
from services.kernel.problems import Invalid, PreconditionRequired

EDITIONS_AT_ONCE: Final = 10
"""So many times as many sections as there are make no answer too long."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The places, and the period that they are compared with."""

    places: list[Place]
    before: dict[str, Any] | None


async def ranking(session: AsyncSession, by: By, asked: Asked) -> Ranking:
    """The places of those sections that stand in rankings."""
    known = await network.editions(session)
    now, before = await _figures(session, asked), None
    material = Material(now)
    if by in rules.OF_EDITIONS:
        material = replace(material, active=await _active(session, asked, _one(asked, by, "edition"), known))
    elif by is By.PER_SIZE:
        material = replace(material, sizes=await store.sizes(session, _academic_year(asked, by, known)))
    elif by is By.MOST_IMPROVED:
        name = "academic_year" if "academic_year" in asked.codes else "edition"
        earlier = periods.before(name, _one(asked, by, name), known, Compare.PREVIOUS)
        before = {name: earlier}
        if earlier is not None:
            material = replace(material, before=await _figures(session, asked.stated(**{name: (earlier,)})))
    return Ranking(rules.places(rules.standings(by, material), await store.unranked(session)), before)


async def _figures(session: AsyncSession, asked: Asked) -> dict[str, Figures]:
    groups = (await answering.figures(session, asked)).groups
    return {group.key[0]: group.figures for group in groups if group.key[0] is not None}


async def _active(session: AsyncSession, asked: Asked, edition: str, known: list[EditionDays]) -> list[set[str]]:
    """The sections with an activity in each edition up to this one."""
    every = [*known, *([] if any(each.code == edition for each in known) else [EditionDays(edition, "", None, None)])]
    codes = [each.code for each in periods.line_of(edition, every)]
    codes = codes[: codes.index(edition) + 1]
    found: dict[str, set[str]] = {code: set() for code in codes}
    for start in range(0, len(codes), EDITIONS_AT_ONCE):
        some = tuple(codes[start : start + EDITIONS_AT_ONCE])
        question = replace(asked.stated(edition=some), by=("edition", "section"))
        for group in (await answering.figures(session, question)).groups:
            if group.key[1] is not None and group.figures.activities:
                found[group.key[0]].add(group.key[1])
    return [found[code] for code in codes]


def _one(asked: Asked, by: By, name: str) -> str:
    """The one period that is asked about."""
    codes = asked.codes.get(name, ())
    others = [each for each in periods.PERIODS if each in asked.codes and each != name]
    if len(codes) != 1 or others or asked.since is not None or asked.until is not None:
        either = "one edition" if by in rules.OF_EDITIONS else "one edition or one academic year"
        raise Invalid.at("query/by", f"By {by} sections are ranked for {either}, and no other period.")
    return codes[0]


def _academic_year(asked: Asked, by: By, known: list[EditionDays]) -> str:
    if "academic_year" in asked.codes:
        return _one(asked, by, "academic_year")
    code = _one(asked, by, "edition")
    starts_on = next((each.starts_on for each in known if each.code == code), None)
    if starts_on is None:
        raise Invalid.at("query/edition", "Its days are not known, and so neither is its academic year.")
    return academic_year_of(starts_on)


async def say_size(
    session: AsyncSession, code: str, academic_year: str, row: SectionSize | None, students: int
) -> SectionSize:
    """Say how many international students a section hosts, for the first time or anew."""
    if row is None:
        made = await store.begin_size(session, code, academic_year, students)
        if made is None:
            # Somebody said it at the same moment, and theirs was not read yet.
            raise PreconditionRequired
        return made
    if row.international_students != students:
        row.international_students = students
        row.updated_at = await statistics.now(session)
        await session.flush()
    return row


async def section_of_country(session: AsyncSession, actor: Actor, code: str) -> Section:
    """A section whose size the actor may say."""
    section = await _known(session, code)
    may = actor.role in {Role.NATIONAL_COORDINATOR, Role.INTERNATIONAL}
    if not may or not actor.reaches(sections=frozenset(), country=section.country):
        raise rules.SizeOutOfReach
    return section


async def own_section(session: AsyncSession, actor: Actor, code: str) -> Section:
    """A section that the actor is a coordinator of."""
    section = await _known(session, code)
    if actor.role is not Role.LOCAL_COORDINATOR or actor.section != code:
        raise rules.NotYourSection
    return section


async def _known(session: AsyncSession, code: str) -> Section:
    section = await store.section(session, code)
    if section is None:
        raise rules.SectionNotFound
    return section
