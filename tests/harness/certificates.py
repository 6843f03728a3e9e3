"""Students who were there, and their certificates."""

from __future__ import annotations

from typing import Any

import httpx

from tests.harness.databases import rows
from tests.harness.sign_ups import Students, in_hours

MINE = "/registration/v1/me/certificates"


def by(secret: str) -> dict[str, str]:
    """The header of whoever holds a mailed secret."""
    return {"Authorization": f"Link {secret}"}


async def present(
    ours: Students, name: str, hours: float, *, days_ago: int = 0, signs_up: bool = True, **changes: Any
) -> str:
    """Let somebody sign up, confirm and be there, at an activity that is over then; answers their latest secret."""
    network, url = ours.network, ours.network.database_url
    if signs_up:
        await ours.confirmed(name, **changes)
    ours_only = f"WHERE activity_id = '{ours.activity_id}'"
    await rows(url, f"UPDATE registration.places SET starts_at = now() - interval '1h', ends_at = now() {ours_only}")
    note = {"registration_id": ours.registrations[name], "at": in_hours(0), "nonce": f"device-{name}-1", "hours": hours}
    reply = await network.client.post(
        f"/registration/v1/activities/{ours.activity_id}/check-ins",
        json=note,
        headers={**await network.local(), **network.key()},
    )
    assert reply.json()["items"][0]["outcome"] == "recorded", reply.text
    past = f"starts_at = starts_at - interval '{days_ago} days', ends_at = ends_at - interval '{days_ago} days'"
    await rows(url, f"UPDATE registration.places SET {past} {ours_only}")
    return await ours.secret(name)


async def issued(ours: Students, secret: str, *, status: int | None = None, **body: Any) -> httpx.Response:
    """Ask for a certificate."""
    reply = await ours.network.client.post(MINE, json=body, headers=by(secret))
    assert reply.status_code in ({status} if status else {200, 201}), reply.text
    return reply


async def certified(ours: Students, secret: str, **body: Any) -> str:
    """The number of a certificate that somebody asks for."""
    number: str = (await issued(ours, secret, **body)).json()["number"]
    return number
