"""Routes of the crosswalk between taxonomies, and of what it suggests."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from services.activities.taxonomies import actions, rules, store, words
from services.activities.taxonomies.actions import Suggestion
from services.activities.taxonomies.rules import Label, Words
from services.activities.taxonomies.schemas import (
    MappingChangeOut,
    MappingHistoryList,
    MappingIn,
    MappingList,
    MappingOut,
    ReasonOut,
    SuggestionOut,
    Suggestions,
    WrittenLabel,
    WrittenPart,
)
from services.activities.taxonomies.store import Stated
from services.activities.taxonomies.tables import Mapping
from services.kernel import idempotency
from services.kernel.auth import Caller
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
from services.kernel.runtime import Reading, Running, Writing
from services.kernel.texts import Code, Instant

router = make_router(tag="taxonomies")

MOST_GIVEN = 20
_EDITED = (Unauthenticated, Forbidden, rules.TermNotFound, PreconditionFailed, PreconditionRequired)


@router.get("/taxonomies/crosswalk")
async def get_crosswalk(
    session: Reading,
    source: Annotated[
        WrittenPart | None, Query(alias="from", description="A term, as areas:health, or a scheme, as areas.")
    ] = None,
    target: Annotated[WrittenPart | None, Query(alias="to", description="Likewise.")] = None,
    at: Annotated[Instant | None, Query(description="As it stood at this instant; else as it stands.")] = None,
) -> MappingList:
    """How terms of one scheme lie to those of another, as areas to causes and causes to SDGs."""
    found = await store.crosswalk(
        session,
        source=Label.read(source) if source else None,
        target=Label.read(target) if target else None,
        at=at,
    )
    return MappingList(items=[_stated(each) for each in found], next=None)


@router.get("/taxonomies/suggestions")
async def get_suggestions(
    session: Reading,
    runtime: Running,
    area: Annotated[list[Code], Query(max_length=MOST_GIVEN)] = [],
    objective: Annotated[list[Code], Query(max_length=MOST_GIVEN)] = [],
    cause: Annotated[list[Code], Query(max_length=MOST_GIVEN)] = [],
) -> Suggestions:
    """Causes and goals that go with what an organiser has named, each with the reason; the organiser decides."""
    named = {"areas": area, "objectives": objective, "causes": cause}
    faults = await words.faults_of(runtime, named)
    if faults:
        raise Invalid(errors=faults)
    given = [Label(scheme, code) for scheme, codes in named.items() for code in codes]
    known = Words(await store.names(session))
    return Suggestions(
        causes=[_suggestion(each, known) for each in await actions.suggest(session, given, "causes")],
        sdgs=[_suggestion(each, known) for each in await actions.suggest(session, given, "sdgs")],
    )


@router.get("/taxonomies/crosswalk/{source}/{target}", responses=documented(rules.MappingNotFound))
async def get_mapping(response: Response, session: Reading, source: WrittenLabel, target: WrittenLabel) -> MappingOut:
    """How one term lies to another; to change it send its ETag in If-Match."""
    row = await store.mapping(session, Label.read(source), Label.read(target))
    if row is None:
        raise rules.MappingNotFound
    response.headers["ETag"] = _etag(row)
    return _told(row)


@router.get(
    "/taxonomies/crosswalk/{source}/{target}/history",
    responses=documented(Unauthenticated, Forbidden, rules.MappingNotFound),
)
async def get_mapping_history(
    response: Response, session: Reading, actor: Caller, source: WrittenLabel, target: WrittenLabel
) -> MappingHistoryList:
    """Who changed a mapping, when, from what to what; for those who keep the crosswalk."""
    actions.check_editor(actor)
    changes = await store.mapping_changes(session, Label.read(source), Label.read(target))
    if not changes:
        raise rules.MappingNotFound
    response.headers["Cache-Control"] = "private, no-store"
    return MappingHistoryList(items=[MappingChangeOut.model_validate(change) for change in changes], next=None)


@router.put(
    "/taxonomies/crosswalk/{source}/{target}",
    response_model=MappingOut,
    dependencies=[idempotency.optional],
    responses={201: {"description": "There was none before.", "model": MappingOut}, **documented(*_EDITED)},
)
async def state_mapping(
    request: Request, session: Writing, actor: Caller, source: WrittenLabel, target: WrittenLabel, wanted: MappingIn
) -> Response:
    """Say how one term lies to another, as ESN International; to change what is said send its ETag in If-Match."""
    ends = Label.read(source), Label.read(target)
    if ends[0].scheme == ends[1].scheme:
        raise Invalid.at("path/target", "Must be a term of another scheme.")
    row = await actions.lock_ends(session, actor, *ends)
    if row is not None:
        check_if_match(request, _etag(row))
    elif "if-match" in request.headers:
        raise PreconditionFailed
    changed = await actions.state_mapping(session, actor, *ends, row, wanted)
    headers = {"ETag": _etag(changed)}
    if row is None:
        headers["Location"] = f"/activities/v1/taxonomies/crosswalk/{source}/{target}"
    body = _told(changed).model_dump_json(by_alias=True)
    return Response(body, status_code=200 if row else 201, media_type="application/json", headers=headers)


@router.delete(
    "/taxonomies/crosswalk/{source}/{target}",
    status_code=204,
    dependencies=[idempotency.optional],
    responses=documented(*_EDITED, rules.MappingNotFound),
)
async def withdraw_mapping(
    request: Request, session: Writing, actor: Caller, source: WrittenLabel, target: WrittenLabel
) -> Response:
    """Take a mapping out of the crosswalk, as ESN International; what it said stays readable by `at`."""
    ends = Label.read(source), Label.read(target)
    row = await actions.lock_ends(session, actor, *ends)
    if row is None:
        raise rules.MappingNotFound
    check_if_match(request, _etag(row))
    await actions.withdraw_mapping(session, actor, *ends, row)
    return Response(status_code=204)


def _stated(each: Stated) -> MappingOut:
    return MappingOut.model_validate({**each._asdict(), "source": str(each.source), "target": str(each.target)})


def _told(row: Mapping) -> MappingOut:
    return MappingOut(
        source=str(Label(row.source_scheme, row.source_code)),
        target=str(Label(row.target_scheme, row.target_code)),
        relation=rules.Relation(row.relation),
        note=row.note,
        ours=row.ours,
        revision=row.revision,
        updated_at=row.updated_at,
    )


def _suggestion(found: Suggestion, known: Words) -> SuggestionOut:
    because = [
        ReasonOut(source=str(each.source), relation=rules.Relation(each.relation), note=each.note, ours=each.ours)
        for each in found.because
    ]
    return SuggestionOut(code=found.label.code, name=known.name(*found.label), because=because)


def _etag(row: Mapping) -> str:
    return f'"{row.revision}"'
