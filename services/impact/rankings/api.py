"""Routes of the rankings, of the sizes of sections, and of whether a section stands in rankings."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from services.contracts import IMPACT
from services.impact.rankings import actions, rules, store
from services.impact.rankings.rules import RULES, By
from services.impact.rankings.schemas import PlaceOut, RankingChoice, RankingOut, SizeIn, SizeList, SizeOut
from services.impact.rankings.tables import SectionSize, Unranked
from services.impact.statistics import answering, network
from services.impact.statistics import store as statistics
from services.impact.statistics.filters import Codes, When, asked_of
from services.impact.statistics.periods import Relative
from services.impact.statistics.schemas import Completeness
from services.kernel import idempotency
from services.kernel.auth import Caller
from services.kernel.consumers import read_up_to
from services.kernel.problems import (
    Forbidden,
    Invalid,
    PreconditionFailed,
    PreconditionRequired,
    Unauthenticated,
    documented,
)
from services.kernel.routes import check_if_match
from services.kernel.routes import router as make_router
from services.kernel.runtime import Reading, Writing
from services.kernel.texts import Code

router = make_router(tag="rankings")

Year = Annotated[
    str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}$"), Path(description="The academic year, as 2026-27.")
]
_CHOSEN = documented(Unauthenticated, Forbidden, rules.SectionNotFound)
_SIZED = documented(
    Unauthenticated, Forbidden, rules.SectionNotFound, rules.SizeNotFound, PreconditionFailed, PreconditionRequired
)


Ranked = Annotated[By, Query(description=" ".join(f"{name}: {rule}" for name, rule in RULES.items()))]


async def ranking_of(session: Reading, by: By, where: Codes, when: When) -> RankingOut:
    """The whole of a ranking, as it is told in every shape; of the last edition unless another period is named."""
    if not when.codes and when.since is None and when.until is None:
        when = When(*await answering.resolved(session, Relative.LAST_EDITION, "query/period"))
    asked = asked_of(("section",), (), {**where, **when.codes}, since=when.since, until=when.until)
    found = await actions.ranking(session, by, asked)
    known = await network.sections(session, [each.standing.section for each in found.places])
    reporting, active = await statistics.completeness(session, asked)
    return RankingOut(
        by=by.value,
        rule=RULES[by],
        filters=asked.filters(),
        period=when.told,
        before=found.before,
        as_of=await read_up_to(session, IMPACT),
        completeness=Completeness(sections_reporting=reporting, sections_active=active),
        sources=await statistics.sources(session, asked),
        items=[_place(each, known) for each in found.places],
        next=None,
    )


@router.get("/sections/{code}/sizes", responses=documented(rules.SectionNotFound))
async def list_sizes(session: Reading, code: Code) -> SizeList:
    """How many international students a section hosts, by academic year, as its national coordinator says."""
    if await store.section(session, code) is None:
        raise rules.SectionNotFound
    return SizeList(items=[_size(row) for row in await store.sizes_of(session, code)], next=None)


@router.get(
    "/sections/{code}/sizes/{academic_year}",
    response_model=SizeOut,
    responses=documented(rules.SizeNotFound),
)
async def get_size(session: Reading, code: Code, academic_year: Year) -> Response:
    """How many international students a section hosts in an academic year; to change it send its ETag in If-Match."""
    return _reply(_existing(await store.size(session, code, _year(academic_year))))


@router.put(
    "/sections/{code}/sizes/{academic_year}",
    response_model=SizeOut,
    dependencies=[idempotency.optional],
    responses={201: {"description": "Nobody had said it before.", "model": SizeOut}, **_SIZED},
)
async def say_size(
    request: Request, session: Writing, actor: Caller, code: Code, academic_year: Year, wanted: SizeIn
) -> Response:
    """Say how many international students a section hosts, as its national coordinator; with If-Match to correct it."""
    year = _year(academic_year)
    await actions.section_of_country(session, actor, code)
    row = await store.lock_size(session, code, year)
    if row is not None:
        check_if_match(request, _etag(row))
    elif "if-match" in request.headers:
        raise PreconditionFailed
    is_new = row is None
    row = await actions.say_size(session, code, year, row, wanted.international_students)
    return _reply(row, status=201 if is_new else 200)


@router.delete(
    "/sections/{code}/sizes/{academic_year}",
    status_code=204,
    dependencies=[idempotency.optional],
    responses=_SIZED,
)
async def take_back_size(
    request: Request, session: Writing, actor: Caller, code: Code, academic_year: Year
) -> Response:
    """Take back what was said, as its national coordinator."""
    await actions.section_of_country(session, actor, code)
    row = _existing(await store.lock_size(session, code, _year(academic_year)))
    check_if_match(request, _etag(row))
    await store.remove_size(session, row)
    return Response(status_code=204)


@router.get("/sections/{code}/rankings", response_model=RankingChoice, responses=_CHOSEN)
async def get_choice(session: Reading, actor: Caller, code: Code) -> Response:
    """Whether the section stands in rankings; told to nobody but its own coordinators."""
    await actions.own_section(session, actor, code)
    return _choice(code, await store.choice(session, code))


@router.delete(
    "/sections/{code}/rankings",
    response_model=RankingChoice,
    dependencies=[idempotency.optional],
    responses=_CHOSEN,
)
async def leave_rankings(session: Writing, actor: Caller, code: Code) -> Response:
    """Let your section stand in no ranking from now on; its figures stay in the statistics."""
    await actions.own_section(session, actor, code)
    await store.leave(session, code)
    return _choice(code, await store.choice(session, code))


@router.put(
    "/sections/{code}/rankings",
    response_model=RankingChoice,
    dependencies=[idempotency.optional],
    responses=_CHOSEN,
)
async def join_rankings(session: Writing, actor: Caller, code: Code) -> Response:
    """Let your section stand in rankings again, as sections do unless they say otherwise."""
    await actions.own_section(session, actor, code)
    await store.come_back(session, code)
    return _choice(code, None)


def _place(each: rules.Place, known: dict[str, tuple[str, str]]) -> PlaceOut:
    title, country = known.get(each.standing.section, (None, None))
    return PlaceOut(
        place=each.place,
        section=each.standing.section,
        title=title,
        country=country,
        value=each.standing.value,
        numerator=each.standing.numerator,
        denominator=each.standing.denominator,
    )


def _year(written: str) -> str:
    """An academic year as the figures know it: 2026/27, which an address can't hold."""
    if int(written[5:]) != (int(written[:4]) + 1) % 100 or not 1900 <= int(written[:4]) <= 2199:
        raise Invalid.at("path/academic_year", "Must be two years that follow each other, as 2026-27.")
    return written.replace("-", "/")


def _existing(row: SectionSize | None) -> SectionSize:
    if row is None:
        raise rules.SizeNotFound
    return row


def _size(row: SectionSize) -> SizeOut:
    return SizeOut.model_validate(row)


def _etag(row: SectionSize) -> str:
    # By the clock, for what is said again after it was taken back is not what it was.
    return f'"{row.updated_at.timestamp():.6f}"'


def _reply(row: SectionSize, *, status: int = 200) -> Response:
    headers: dict[str, Any] = {"ETag": _etag(row)}
    if status == 201:
        headers["Location"] = f"/impact/v1/sections/{row.section}/sizes/{row.academic_year.replace('/', '-')}"
    body = _size(row).model_dump_json()
    return Response(body, status_code=status, media_type="application/json", headers=headers)


def _choice(code: str, row: Unranked | None) -> Response:
    body = RankingChoice(section=code, is_ranked=row is None, since=row and row.since).model_dump_json()
    return Response(body, media_type="application/json", headers={"Cache-Control": "private, no-store"})
