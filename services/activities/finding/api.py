"""The list of activities, and a partner with its own."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response

from services.activities.catalogue.rendering import at_distance
from services.activities.catalogue.rules import State
from services.activities.finding import filters, search
from services.activities.finding.schemas import ActivityPage, PartnerDetailOut, PartnersActivityOut
from services.activities.finding.ways import begins_whole
from services.activities.partners import api as partners
from services.activities.partners import store as partner_store
from services.activities.partners.rendering import shown
from services.activities.partners.rules import PartnerNotFound
from services.kernel.auth import PerhapsCaller
from services.kernel.languages import VARY, Languages
from services.kernel.limits import charge
from services.kernel.paging import Cursor, Limit, Page
from services.kernel.problems import documented
from services.kernel.routes import router as make_router
from services.kernel.runtime import Reading, Running

MOST_OF_A_PARTNER: Final = 20
MOST_SECTIONS: Final = 100

router = make_router(tag="catalogue")


@router.get("/activities", response_model=ActivityPage)
async def list_activities(
    request: Request,
    session: Reading,
    runtime: Running,
    wanted: filters.Wanted,
    languages: Languages,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Published, held and cancelled activities, by start unless told otherwise; unknown starts come last.

    Each is told in the language that the reader likes best of those that it is written in: `lang`, or Accept-Language.
    When no activity has all the words of `q`, those with similar words are found. The first page alone counts facets.
    """
    page = Page(request, cursor)
    charge(request, len(wanted.facets) if cursor is None else 0)
    if wanted.is_plain and not begins_whole(wanted.filters, wanted.sort):
        async with runtime.glancing() as glances:
            found = await search.glance(glances, wanted.filters, languages=languages, after=page.after, limit=limit + 1)
    else:
        found = await search.find(
            session,
            wanted.filters,
            wanted.sort,
            languages=languages,
            facets=wanted.facets,
            after=page.after,
            limit=limit + 1,
        )
    next_url = page.next_url(found.items[limit - 1].position) if len(found.items) > limit else None
    return _page([_listed(each) for each in found.items[:limit]], next_url, found.facets, is_cut_off=found.is_cut_off)


@router.get(
    "/partners/{partner_id}",
    tags=["partners"],
    response_model=PartnerDetailOut,
    responses={**partners.MOVED, **documented(PartnerNotFound)},
)
async def get_partner(session: Reading, runtime: Running, actor: PerhapsCaller, partner_id: UUID) -> Response:
    """A partner with its latest public activities and what it contributed to them."""
    row = await partner_store.partner(session, partner_id)
    if row is None:
        raise PartnerNotFound
    if row.merged_into is not None:
        return partners.moved(row.merged_into)
    latest = await search.of_partner(session, row.id, limit=MOST_OF_A_PARTNER)
    base = f"{runtime.settings.base_url}/activities/v1"
    detail = PartnerDetailOut(
        **shown(row, runtime.settings, actor).model_dump(),
        activities=[
            PartnersActivityOut(
                id=each.id,
                url=f"{base}/activities/{each.id}",
                state=State(each.state),
                title=each.title,
                starts_at=each.starts_at and each.starts_at.astimezone(ZoneInfo(each.time_zone)),
                country=each.country,
                sections=each.section_codes,
                contributions=_contributions(each.partners, str(row.id)),
            )
            for each in latest
        ],
        activities_url=f"{base}/activities?partner={row.id}",
        contributions=dict(await search.contributions_of(session, row.id)),
        sections=list(await search.sections_with(session, row.id, limit=MOST_SECTIONS)),
    )
    body = detail.model_dump_json()
    headers = {
        # The revision is what a change must have seen; the rest of the page may change without it.
        "ETag": f'"{row.revision}.{hashlib.sha256(body.encode()).hexdigest()[:32]}"',
        "Cache-Control": "public, max-age=60" if actor is None else "private, no-store",
    }
    return Response(body, media_type="application/json", headers=headers)


def _contributions(entries: list[dict[str, Any]], partner: str) -> list[str]:
    return [each["contribution"] for each in entries if each.get("id") == partner and each.get("contribution")]


def _listed(found: search.Found) -> str:
    return found.document if found.distance_km is None else at_distance(found.document, found.distance_km)


def _page(
    documents: list[str], next_url: str | None, counts: dict[str, list[tuple[str, int]]] | None, *, is_cut_off: bool
) -> Response:
    facets = None
    if counts is not None:
        facets = {name: [{"code": code, "count": count} for code, count in counted] for name, counted in counts.items()}
    rest = json.dumps({"next": next_url, "facets": facets, "is_cut_off": is_cut_off}, separators=(",", ":"))
    body = f'{{"items":[{",".join(documents)}],{rest.removeprefix("{")}'
    headers = {"Cache-Control": "public, max-age=30, stale-while-revalidate=60", "Vary": VARY}
    return Response(body, media_type="application/json", headers=headers)
