"""What `up` prints once everything is ready: where to look, what to paste, and a token for each role."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from services.activities.directory import store as directory
from services.activities.directory.actions import issue_token
from services.contracts import ACTIVITIES, IMPACT, REGISTRATION
from services.kernel import db
from services.kernel.auth import Role
from services.kernel.settings import Settings

SAMPLE_SECTION = "IT-SASS-ESN"


class Issued(NamedTuple):
    """A token and what it is for."""

    role: Role
    scope: str
    token: str


async def development_tokens(settings: Settings) -> list[Issued]:
    """A fresh token for each role, valid for a day: of the sample's section, or of the first one in the directory."""
    engine = db.create_engine(settings, role=None, pool_size=1)
    try:
        async with db.session_factory(engine).begin() as session:
            first = await directory.page_of_sections(session, limit=1)
            section = await directory.section(session, SAMPLE_SECTION) or next((row for row, _ in first), None)
            issued = []
            for role in Role:
                code = section.code if section and role is Role.LOCAL_COORDINATOR else None
                country = section.country if section and role is Role.NATIONAL_COORDINATOR else None
                if section is None and role in {Role.LOCAL_COORDINATOR, Role.NATIONAL_COORDINATOR}:
                    continue
                token = await issue_token(
                    session, role=role, section=code, country=country, label="development", lasts=timedelta(days=1)
                )
                issued.append(Issued(role, code or country or "", token))
            return issued
    finally:
        await engine.dispose()


def text(settings: Settings, tokens: Sequence[Issued]) -> str:
    """The welcome."""
    base = settings.base_url
    lines = [
        "",
        f"SocialErasmus is ready at {base}",
        "",
        "  API manuals",
        *(f"    {base}/{name}/docs" for name in (ACTIVITIES, REGISTRATION, IMPACT)),
        "  The element for websites",
        f"    {base}/activities/demo",
        "  The figures as pages",
        f"    {base}/{IMPACT}/",
        "  Try",
        f"    curl '{base}/activities/v1/activities?open=true&limit=3'",
        f"    curl '{base}/activities/v1/editions/2016-autumn'",
        f"    curl '{base}/impact/v1/statistics?by=country&measures=activities,participants,hours'",
        f"    curl '{base}/impact/v1/statistics?by=area,kind&edition=2016-autumn'",
    ]
    if tokens:
        lines.append("  Development tokens (a day long), as in  curl -H 'Authorization: Bearer …'")
        lines += [f"    {f'{role.value} {scope}':<34} {token}" for role, scope, token in tokens]
    if settings.smtp_url is None and settings.mailbox is not None:
        lines.append(f"  Mail is written to {settings.mailbox}")
    return "\n".join([*lines, "", "  Ctrl-C stops everything; the data stays.", ""])
