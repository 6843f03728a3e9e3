"""Routes of the taxonomies: read as lists, as a scheme with its history or as SKOS, and kept by ESN International."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from fastapi import Header, Query
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.activities.taxonomies import actions, rules, skos, store
from services.activities.taxonomies.rules import ENGLISH, Label, Words, is_in_use
from services.activities.taxonomies.schemas import (
    SchemeOut,
    SchemeWithTerms,
    Taxonomies,
    Term,
    TermChangeIn,
    TermIn,
    TermOut,
    VersionOut,
)
from services.activities.taxonomies.tables import Scheme
from services.activities.taxonomies.tables import Term as TermRow
from services.kernel import idempotency, languages, preferences
from services.kernel.auth import Caller
from services.kernel.problems import Forbidden, PreconditionFailed, PreconditionRequired, Unauthenticated, documented
from services.kernel.routes import check_if_match
from services.kernel.routes import router as make_router
from services.kernel.runtime import Reading, Running, Writing
from services.kernel.texts import Code, LanguageTag

router = make_router(tag="taxonomies")

_LISTS = ("areas", "causes", "objectives", "sdgs", "kinds", "programmes", "modes")
_RARELY_CHANGED = {"Cache-Control": "public, max-age=300"}

Lang = Annotated[LanguageTag | None, Query(description="Of names; goes before Accept-Language. Else English.")]
Accepted = Annotated[str, Header(alias="Accept-Language", include_in_schema=False)]


class _LinkedData(JSONResponse):
    """JSON-LD that is written already."""

    media_type = skos.MEDIA_TYPE

    def render(self, content: str) -> bytes:
        return content.encode()


@router.get("/taxonomies")
async def get_taxonomies(
    response: Response, session: Reading, runtime: Running, lang: Lang = None, accept_language: Accepted = ""
) -> Taxonomies:
    """What an activity of today may carry, list by list, and every scheme there is or was."""
    rows = await store.terms(session, _LISTS)
    language = _language(response, rows, lang, accept_language)
    today = await store.today(session)
    words = Words({Label(row.scheme, row.code): row.names for row in rows})
    lists = {
        name: [
            Term(code=row.code, name=words.name(name, row.code, language), definition=row.definition)
            for row in rows
            if row.scheme == name and is_in_use(row.begins_on, row.retired_on, today)
        ]
        for name in _LISTS
    }
    base = _base(runtime)
    schemes = [_scheme(row, base) for row in await store.schemes(session)]
    response.headers["Vary"] = "Accept-Language"
    return Taxonomies(language=language, schemes=schemes, **lists)


@router.get(
    "/taxonomies/{scheme}",
    response_model=SchemeWithTerms,
    responses={200: {"content": {skos.MEDIA_TYPE: {}}}, **documented(rules.SchemeNotFound)},
)
async def get_taxonomy(
    request: Request,
    response: Response,
    session: Reading,
    runtime: Running,
    scheme: Code,
    lang: Lang = None,
    accept_language: Accepted = "",
) -> SchemeWithTerms | Response:
    """One scheme with every term it ever had; `Accept: application/ld+json` gives a SKOS concept scheme."""
    row = await _found(session, scheme)
    vary = {"Vary": "Accept, Accept-Language"}
    if preferences.prefers(request.headers.get("accept", ""), skos.MEDIA_TYPE):
        return _LinkedData(await _as_skos(session, runtime, row), headers=vary)
    terms = await store.terms(session, [scheme])
    today, base = await store.today(session), _base(runtime)
    language = _language(response, terms, lang, accept_language)
    response.headers.update(vary)
    return SchemeWithTerms(
        **dict(_scheme(row, base)),
        language=language,
        terms=[_term(term, base, language, today) for term in terms],
        versions=[VersionOut.model_validate(change) for change in await store.term_changes(session, scheme)],
    )


@router.get("/concepts/{scheme}", response_class=_LinkedData, responses=documented(rules.SchemeNotFound))
async def get_concepts(session: Reading, runtime: Running, scheme: Code) -> Response:
    """The SKOS concept scheme at the address that is its name."""
    body = await _as_skos(session, runtime, await _found(session, scheme))
    return _LinkedData(body, headers=_RARELY_CHANGED)


@router.get("/taxonomies/{scheme}/terms/{code}", responses=documented(rules.TermNotFound))
async def get_term(response: Response, session: Reading, runtime: Running, scheme: Code, code: Code) -> TermOut:
    """One term; to change it send its ETag in If-Match."""
    row = await store.term(session, Label(scheme, code))
    if row is None:
        raise rules.TermNotFound
    return await _told(response, session, runtime, row)


@router.post(
    "/taxonomies/{scheme}/terms",
    status_code=201,
    response_model=TermOut,
    dependencies=[idempotency.required],
    responses=documented(Unauthenticated, Forbidden, rules.SchemeNotFound, rules.TermExists, rules.ForeignScheme),
)
async def add_term(session: Writing, runtime: Running, actor: Caller, scheme: Code, wanted: TermIn) -> Response:
    """Add a term, as ESN International; activities may carry it at once."""
    row = await actions.add_term(session, actor, scheme, wanted)
    return await _reply(session, runtime, row, status=201)


@router.patch(
    "/taxonomies/{scheme}/terms/{code}",
    response_model=TermOut,
    dependencies=[idempotency.optional],
    responses=documented(
        Unauthenticated, Forbidden, rules.TermNotFound, rules.ForeignScheme, PreconditionFailed, PreconditionRequired
    ),
)
async def change_term(
    request: Request, session: Writing, runtime: Running, actor: Caller, scheme: Code, code: Code, wanted: TermChangeIn
) -> Response:
    """Rename a term, or retire it: old activities keep it, new ones are refused with it from that day on."""
    held, row = await actions.lock_term(session, actor, Label(scheme, code))
    check_if_match(request, _etag(row))
    return await _reply(session, runtime, await actions.change_term(session, actor, held, row, wanted))


async def _found(session: AsyncSession, code: str) -> Scheme:
    row = await store.scheme(session, code)
    if row is None:
        raise rules.SchemeNotFound
    return row


async def _as_skos(session: AsyncSession, runtime: Running, scheme: Scheme) -> str:
    everything, today = await store.terms(session), await store.today(session)
    terms = [row for row in everything if row.scheme == scheme.code]
    return skos.concept_scheme(
        scheme,
        terms,
        await store.crosswalk(session, source=Label(scheme.code, "")),
        {Label(row.scheme, row.code): row.uri for row in everything if row.uri is not None},
        _base(runtime),
        in_use={row.code: is_in_use(row.begins_on, row.retired_on, today) for row in terms},
        successor=await store.scheme(session, scheme.replaced_by) if scheme.replaced_by else None,
    )


def _language(response: Response, rows: Sequence[TermRow], lang: str | None, accepted: str) -> str:
    known = {language for row in rows for language in row.names}
    found = languages.best(sorted(known), asked=lang, accept="" if lang else accepted, otherwise=ENGLISH)
    response.headers["Content-Language"] = found
    return found


def _base(runtime: Running) -> str:
    return f"{runtime.settings.base_url}/activities/v1"


def _scheme(row: Scheme, base: str) -> SchemeOut:
    known = {name: getattr(row, name) for name in SchemeOut.model_fields if name != "uri"}
    return SchemeOut(**known, uri=skos.scheme_uri(row, base))


def _term(row: TermRow, base: str, language: str, today: date) -> TermOut:
    label = Label(row.scheme, row.code)
    made = {
        "name": Words({label: row.names}).name(*label, language),
        "in_use": is_in_use(row.begins_on, row.retired_on, today),
        "uri": skos.term_uri(label, row.uri, base),
    }
    return TermOut(**{name: getattr(row, name) for name in TermOut.model_fields if name not in made}, **made)


async def _told(response: Response, session: AsyncSession, runtime: Running, row: TermRow) -> TermOut:
    response.headers["ETag"] = _etag(row)
    return _term(row, _base(runtime), ENGLISH, await store.today(session))


async def _reply(session: AsyncSession, runtime: Running, row: TermRow, *, status: int = 200) -> Response:
    headers = {"ETag": _etag(row)}
    if status == 201:
        headers["Location"] = f"/activities/v1/taxonomies/{row.scheme}/terms/{row.code}"
    told = _term(row, _base(runtime), ENGLISH, await store.today(session))
    body = told.model_dump_json(by_alias=True)
    return Response(body, status_code=status, media_type="application/json", headers=headers)


def _etag(row: TermRow) -> str:
    return f'"{row.revision}"'
