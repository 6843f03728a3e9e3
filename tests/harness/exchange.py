"""Partners, enquiries and ideas as tests send them."""

from __future__ import annotations

from typing import Any

import httpx

from tests.harness.catalogue import activity, enter
from tests.harness.network import Network

PARTNERS = "/activities/v1/partners"
ENQUIRIES = f"{PARTNERS}/enquiries"
IDEAS = "/activities/v1/ideas"

PARTNER: dict[str, Any] = {
    "name": "Mensa San Sabino",
    "kind": "charity",
    "city": "Sassari",
    "country": "IT",
    "website": "https://mensa.example.org/",
    "causes": ["social-inclusion"],
    "areas": ["poverty"],
    "description": "A canteen for whoever is hungry.",
    "contact_email": "volunteers@mensa.example.org",
}
ENQUIRY: dict[str, Any] = {
    "organisation": "Surf School",
    "kind": "company",
    "city": "Sassari",
    "country": "IT",
    "section": "IT-SASS-ESN",
    "message": "We have boards.\nDo you have hands?",
    "email": "Boards@surf.example.org",
    "name": "Gavino",
    "language": "it",
    "consent": True,
}


async def post(
    network: Network, address: str, body: Any, who: dict[str, str] | None = None, *, status: int = 201
) -> dict[str, Any]:
    """Create something, as somebody."""
    reply = await network.client.post(address, json=body, headers={**(who or {}), **network.key()})
    assert reply.status_code == status, reply.text
    found: dict[str, Any] = reply.json()
    return found


async def partner(network: Network, who: dict[str, str] | None = None, **changes: Any) -> dict[str, Any]:
    """A partner that ESN Sassari has entered."""
    return await post(network, PARTNERS, {**PARTNER, **changes}, who or await network.local())


async def patched(network: Network, address: str, who: dict[str, str], **changes: Any) -> httpx.Response:
    """Change something that was read just before."""
    etag = (await network.client.get(address, headers=who)).headers["etag"]
    return await network.client.patch(address, json=changes, headers={**who, "If-Match": etag})


async def set_mailbox(network: Network, of: str, address: str | None, who: dict[str, str]) -> httpx.Response:
    """Say where a section (`sections/CODE`) or country (`countries/CC`) gets its enquiries."""
    return await network.client.put(f"/activities/v1/{of}/mailbox", json={"address": address}, headers=who)


IDEA: dict[str, Any] = {
    "title": "Blind dinner",
    "what": "A dinner in the dark, cooked by people who do not see.",
    "how": ["Find a room that can be made dark.", "Cook together.", "Eat, talk, and put the light on again."],
    "needs": {"materials": ["curtains"], "people": 4, "time": "two evenings"},
    "cost": {"amount": "50.00", "currency": "EUR"},
    "group_size": {"min": 8, "max": 30},
    "seasons": ["autumn", "winter"],
    "settings": ["welfare_state", "small_city"],
    "partner_kinds": ["association"],
    "lessons": "Tell the waiters beforehand.",
    "language": "en",
}


async def held(network: Network, **fields: Any) -> str:
    """The id of an activity of ESN Sassari that took place."""
    row = activity("Dinner in the dark", state="held", **fields)
    await enter(network, [row])
    return str(row.id)


async def idea(network: Network, who: dict[str, str] | None = None, **changes: Any) -> dict[str, Any]:
    """An idea that ESN Sassari offers; `of` says what its activity was like."""
    of = changes.pop("of", {})
    body = {**IDEA, "activity_id": await held(network, **of), **changes}
    return await post(network, IDEAS, body, who or await network.local())
