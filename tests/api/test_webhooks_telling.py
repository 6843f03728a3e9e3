"""What webhooks are told: facts of one's own section or country, signed, with ids and nothing else."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tests.harness import databases as harness
from tests.harness.network import Network, running
from tests.harness.sign_ups import Students
from tests.harness.webhook_receiver import Got, ReceiverServer, receiving
from tests.harness.webhooks import deliveries, given_secret, hooked, patched, send


@pytest.fixture
async def network(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Network]:
    """The services, which may send to this machine."""
    told = harness.settings(database_url, redis_url, mailbox=tmp_path / "mailbox", webhooks_to_loopback=True)
    async with running(told, database_url) as made:
        yield made


@pytest.fixture
async def receiver() -> AsyncIterator[ReceiverServer]:
    async with receiving() as made:
        yield made


def told(receiver: ReceiverServer, path: str) -> list[dict[str, Any]]:
    return [json.loads(got.body) for got in receiver.got if got.path == f"/hook{path}"]


def _verified(secret: str, got: Got) -> Any:
    return Webhook(secret).verify(got.body, got.headers)


async def test_an_activity_is_told_to_its_section_its_country_and_international_alone(
    network: Network, receiver: ReceiverServer
) -> None:
    owners = {
        "/own": await network.local(), "/country": await network.national(),
        "/all": await network.token("international"), "/other": await network.local("IT-MILA-STA"),
        "/abroad": await network.national("PL"),
    }  # fmt: skip
    secrets = {path: (await hooked(network, who, receiver.url + path))[1] for path, who in owners.items()}
    await hooked(network, owners["/own"], f"{receiver.url}/some", kinds=["activity.cancelled"])
    activity = await network.published()
    await send(network)
    assert sorted(got.path for got in receiver.got) == ["/hook/all", "/hook/country", "/hook/own"]
    for got in receiver.got:
        message = _verified(secrets[got.path.removeprefix("/hook")], got)
        assert message.keys() == {"type", "timestamp", "data"}
        assert message["type"] == "activity.published"
        assert message["data"] == {"activity_id": activity["id"], "revision": message["data"]["revision"]}
        with pytest.raises(WebhookVerificationError):
            _verified(secrets["/other"], got)
    assert len({got.headers["webhook-id"] for got in receiver.got}) == 3
    assert [each["state"] for each in await deliveries(network, owners["/other"], (await hooked(
        network, owners["/other"], receiver.url))[0])] == []  # fmt: skip


async def test_states_of_registrations_are_told_with_ids_alone_and_forgotten_with_the_person(
    network: Network, receiver: ReceiverServer
) -> None:
    at = "/registration/v1/webhooks"
    local = await network.local()
    address, _ = await hooked(network, local, f"{receiver.url}/own", at)
    await hooked(network, await network.local("IT-MILA-STA"), f"{receiver.url}/other", at)
    places = Students(network, (await network.published())["id"])
    secret = await places.confirmed("Ada")
    await send(network, "registration")
    assert [each["type"] for each in told(receiver, "/own")] == ["registration.unconfirmed", "registration.confirmed"]
    for each in told(receiver, "/own"):
        assert each["data"] == {
            "registration_id": places.registrations["Ada"], "activity_id": places.activity_id,
            "state": each["type"].removeprefix("registration."),
        }  # fmt: skip
    assert told(receiver, "/other") == []
    assert len(await deliveries(network, local, address)) == 2
    gone = await network.client.delete("/registration/v1/me", headers={"Authorization": f"Link {secret}"})
    assert gone.status_code == 204, gone.text
    assert await deliveries(network, local, address) == []
    await send(network, "registration")
    assert len(receiver.got) == 2


async def test_a_secret_is_replaced_while_both_sign_and_at_once_where_it_leaked(
    network: Network, receiver: ReceiverServer
) -> None:
    local = await network.local()
    address, first = await hooked(network, local, receiver.url)
    second = await given_secret(network, local, address, overlap_hours=1)
    await network.client.post(f"{address}/ping", headers=local)
    await send(network)
    assert len(receiver.got[0].headers["webhook-signature"].split(" ")) == 2
    for secret in (first, second):
        assert _verified(secret, receiver.got[0])["type"] == "webhook.ping"
    third = await given_secret(network, local, address, overlap_hours=0)
    await network.client.post(f"{address}/ping", headers=local)
    await send(network)
    assert _verified(third, receiver.got[1])
    for secret in (first, second):
        with pytest.raises(WebhookVerificationError):
            _verified(secret, receiver.got[1])


async def test_a_message_is_sent_once_more_under_its_id_and_to_the_last_byte(
    network: Network, receiver: ReceiverServer
) -> None:
    local = await network.local()
    address, secret = await hooked(network, local, receiver.url)
    pinged = await network.client.post(f"{address}/ping", headers=local)
    assert (pinged.status_code, pinged.json()["state"]) == (202, "due")
    assert await send(network) == 1
    [delivery] = await deliveries(network, local, address)
    assert (delivery["state"], delivery["status"], delivery["tries"]) == ("delivered", 204, 1)
    assert await send(network) == 0
    again = await network.client.post(f"{address}/deliveries/{delivery['id']}/replay", headers=local)
    assert again.status_code == 202
    await send(network)
    first, second = receiver.got
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == delivery["id"]
    assert first.body == second.body
    assert _verified(secret, second)


async def test_a_fact_that_is_rolled_back_is_told_to_nobody(network: Network, receiver: ReceiverServer) -> None:
    local = await network.local()
    address, _ = await hooked(network, local, receiver.url)
    drafted = await network.drafted()
    refusal = await network.client.post(f"/activities/v1/activities/{drafted['id']}/publish", headers=local)
    assert refusal.status_code == 409
    assert await deliveries(network, local, address) == []
    await patched(network, local, address, kinds=["activity.held"])
    await network.published()
    assert await deliveries(network, local, address) == []
