"""Webhooks as their owners keep them."""

from __future__ import annotations

from typing import Any

import httpx

from services.activities import tables as activities
from services.impact import tables as impact
from services.kernel.webhooks import sending
from services.registration import tables as registration
from tests.harness.network import Network

ACTIVITIES = "/activities/v1/webhooks"
HOOKS = {"activities": activities.WEBHOOKS, "registration": registration.WEBHOOKS, "impact": impact.WEBHOOKS}


async def entered(network: Network, who: dict[str, str], url: str, at: str = ACTIVITIES, **more: Any) -> str:
    """The address of a new endpoint without a secret."""
    reply = await network.client.post(at, json={"url": url, **more}, headers={**who, **network.key()})
    assert reply.status_code == 201, reply.text
    return reply.headers["location"]


async def tagged(network: Network, who: dict[str, str], address: str) -> dict[str, str]:
    """The headers of a change of what is there now."""
    return {**who, "If-Match": (await network.client.get(address, headers=who)).headers["etag"]}


async def given_secret(network: Network, who: dict[str, str], address: str, **how: Any) -> str:
    """A new secret of an endpoint."""
    headers = await tagged(network, who, address)
    reply = await network.client.post(f"{address}/secret", json=how, headers=headers)
    assert reply.status_code == 200, reply.text
    found: str = reply.json()["secret"]
    return found


async def hooked(network: Network, who: dict[str, str], url: str, at: str = ACTIVITIES, **more: Any) -> tuple[str, str]:
    """An endpoint that is told what happens: its address and its secret."""
    address = await entered(network, who, url, at, **more)
    return address, await given_secret(network, who, address)


async def deliveries(network: Network, who: dict[str, str], address: str) -> list[dict[str, Any]]:
    """What an endpoint was told, latest first."""
    reply = await network.client.get(f"{address}/deliveries", headers=who)
    assert reply.status_code == 200, reply.text
    found: list[dict[str, Any]] = reply.json()["items"]
    return found


async def patched(network: Network, who: dict[str, str], address: str, **changes: Any) -> httpx.Response:
    """A change of an endpoint as it is now."""
    return await network.client.patch(address, json=changes, headers=await tagged(network, who, address))


async def send(network: Network, service: str = "activities") -> int:
    """Send what is due of one service."""
    return await sending.send_due(network.runtimes[service], HOOKS[service])
