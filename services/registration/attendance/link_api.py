"""Check-in codes as pictures, behind the link of whoever shows them at the door. Opening one changes nothing."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import RedirectResponse, Response

from services.kernel.problems import Problem
from services.kernel.routes import pages_by_secret
from services.kernel.runtime import Reading, Running
from services.registration.attendance.pages import codes_page
from services.registration.mail.letters import language_of
from services.registration.people.rules import LinkExpired, LinkNotFound, Purpose
from services.registration.places import actions, codes, store
from services.registration.places.actions import Linked
from services.registration.places.rules import State

router = pages_by_secret(tag="links")

Token = Annotated[str, Path(description="The secret that was mailed.")]


@router.get("/{token}/code.svg")
async def show_picture(session: Reading, runtime: Running, token: Token) -> Response:
    """The check-in code of the person behind a link as an image, once their place is confirmed."""
    linked = await _confirmed(session, token)
    drawn = codes.picture(runtime.settings.base_url, linked.row.activity_id, linked.row.code)
    return Response(drawn, media_type="image/svg+xml", headers={"Cache-Control": "private, no-store"})


@router.get("/{token}/code")
async def show_codes(session: Reading, runtime: Running, token: Token) -> Response:
    """The check-in codes of the person behind a link and of those whom they bring along, to be shown at the door."""
    try:
        linked = await _confirmed(session, token)
    except Problem:
        # The page of the link itself says what there is instead.
        return RedirectResponse(f"../{token}", status_code=303, headers={"Cache-Control": "private, no-store"})
    base_url = runtime.settings.base_url
    party = [linked.row, *await store.guests_of(session, linked.row)]
    shown = [(each.given_name, each.code, codes.picture(base_url, each.activity_id, each.code, in_page=True))
             for each in party if each.state == State.CONFIRMED]  # fmt: skip
    return codes_page(language_of(linked.row.language), linked.places.title, shown)


async def _confirmed(session: AsyncSession, token: str) -> Linked:
    try:
        linked = await actions.follow_link(session, token, writing=False)
    except (LinkNotFound, LinkExpired):
        raise LinkNotFound from None
    linked.check_live()
    if linked.purpose is not Purpose.MANAGE or linked.row.state != State.CONFIRMED:
        raise LinkNotFound
    return linked
