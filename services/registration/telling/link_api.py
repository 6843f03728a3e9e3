"""The page that ends reminders: for people, who press its button, and for mail programs, which send one POST."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from starlette.responses import HTMLResponse

from services.kernel.problems import Problem
from services.kernel.routes import pages_by_secret
from services.kernel.runtime import Reading, Writing
from services.registration.mail.languages import Page
from services.registration.mail.letters import language_of
from services.registration.people.rules import LinkExpired
from services.registration.places import letters
from services.registration.places.pages import render
from services.registration.places.tables import Places, Registration
from services.registration.telling import actions

router = pages_by_secret(tag="links")

Token = Annotated[str, Path(description="The secret that was mailed.")]


@router.get("/{token}/reminders", response_class=HTMLResponse)
async def ask_about_reminders(session: Reading, token: Token) -> HTMLResponse:
    """Whether somebody wants no reminders any more; looking changes nothing."""
    try:
        found = await actions.reminded(session, token)
    except Problem as problem:
        return _gone(problem)
    return _show(Page.REMINDERS, found, "reminders")


@router.post("/{token}/reminders", response_class=HTMLResponse)
async def end_reminders(session: Writing, token: Token) -> HTMLResponse:
    """Send no reminders any more, by the button or at once by a mail program (RFC 8058)."""
    try:
        found = await actions.decline_reminders(session, token, declined=True)
    except Problem as problem:
        return _gone(problem)
    return _show(Page.NO_REMINDERS, found, "reminders/again")


@router.post("/{token}/reminders/again", response_class=HTMLResponse)
async def resume_reminders(session: Writing, token: Token) -> HTMLResponse:
    """Send reminders again."""
    try:
        found = await actions.decline_reminders(session, token, declined=False)
    except Problem as problem:
        return _gone(problem)
    return _show(Page.REMINDERS, found, "../reminders")


def _show(page: Page, found: tuple[Registration, Places], action: str) -> HTMLResponse:
    row, places = found
    return render(page, language_of(row.language), letters.facts(row, places), action=action)


def _gone(problem: Problem) -> HTMLResponse:
    page = Page.LINK_EXPIRED if isinstance(problem, LinkExpired) else Page.LINK_NOT_FOUND
    return render(page, language_of("en"), status=problem.status)
