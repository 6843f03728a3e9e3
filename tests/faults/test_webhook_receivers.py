"""Receivers that fail in every way (F-28), and addresses behind which our own machines are (F-64)."""

from __future__ import annotations

import asyncio
import email
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from email.policy import default
from pathlib import Path
from typing import Any

import httpcore
import pytest

from services.kernel.webhooks import connecting, rules, sending
from services.kernel.webhooks.connecting import AddressRefused, post
from tests.harness import databases as harness
from tests.harness.databases import eventually, rows
from tests.harness.network import Network, running
from tests.harness.webhook_receiver import ReceiverServer, receiving
from tests.harness.webhooks import deliveries, hooked, patched, send


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


async def _pinged(network: Network, who: dict[str, str], url: str, **more: Any) -> str:
    address, _ = await hooked(network, who, url, **more)
    assert (await network.client.post(f"{address}/ping", headers=who)).status_code == 202
    return address


async def _time_passes(network: Network) -> None:
    await rows(network.database_url, "UPDATE activities.webhook_deliveries SET due_at = now() WHERE due_at > now()")
    await rows(network.database_url, "UPDATE activities.webhook_endpoints SET resting_until = now()")


async def test_a_message_is_tried_for_three_days_then_its_endpoint_is_disabled_and_the_owner_told(
    network: Network, receiver: ReceiverServer
) -> None:
    receiver.answer = b"500 Internal Server Error\r\n"
    local = await network.local()
    address = await _pinged(network, local, receiver.url, contact_email="web@esn.example.org")
    paused = timedelta()
    for tries in range(1, 11):
        if tries == 10:
            await rows(
                network.database_url,
                "UPDATE activities.webhook_endpoints SET failing_since = now() - make_interval(secs => $1)",
                paused.total_seconds(),
            )
        assert await send(network) == 1
        [[delivery]] = await rows(network.database_url, "SELECT each FROM activities.webhook_deliveries AS each")
        assert (delivery["tries"], delivery["status"], delivery["error"]) == (tries, 500, "status")
        if tries < 10:
            pause = delivery["due_at"] - delivery["tried_at"]
            least = rules.pause_after(tries, 0.0)
            assert least is not None
            assert least <= pause <= least * (1 + rules.JITTER) + timedelta(seconds=10)
            paused += pause
            assert await send(network) == 0, "it is left alone meanwhile"
            shown = (await network.client.get(address, headers=local)).json()
            assert (shown["state"], shown["failing_since"] is None) == ("active", False)
        await _time_passes(network)
    assert timedelta(days=3) < paused < timedelta(days=4)
    assert len({got.headers["webhook-id"] for got in receiver.got}) == 1
    shown = (await network.client.get(address, headers=local)).json()
    assert (shown["state"], shown["disabled_because"]) == ("disabled", "failing")
    [[state]] = [[each["state"]] for each in await deliveries(network, local, address)]
    assert state == "given_up"
    await network.sweep()
    [letter] = [email.message_from_bytes(path.read_bytes(), policy=default) for path in network.mails()]
    assert letter["To"] == "web@esn.example.org"
    assert "/hook" not in (text := letter.get_content())
    assert address in text


async def test_410_disables_at_once_and_gives_up_what_else_was_due(network: Network, receiver: ReceiverServer) -> None:
    receiver.answer = b"410 Gone\r\n"
    local = await network.local()
    address = await _pinged(network, local, receiver.url)
    await network.client.post(f"{address}/ping", headers=local)
    await send(network)
    shown = (await network.client.get(address, headers=local)).json()
    assert (shown["state"], shown["disabled_because"]) == ("disabled", "gone")
    assert [each["state"] for each in await deliveries(network, local, address)] == ["given_up", "given_up"]
    assert len(receiver.got) == 1
    receiver.answer = b"200 OK\r\n"
    enabled = await patched(network, local, address, is_enabled=True)
    assert (enabled.json()["state"], enabled.json()["failing_since"]) == ("active", None)
    missed = (await deliveries(network, local, address))[0]["id"]
    await network.client.post(f"{address}/deliveries/{missed}/replay", headers=local)
    await send(network)
    assert (await deliveries(network, local, address))[0]["state"] == "delivered"


async def test_who_hangs_keeps_nobody_else_waiting(
    network: Network, receiver: ReceiverServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go = asyncio.Event()

    async def hang(_: asyncio.StreamWriter) -> None:
        await let_go.wait()

    local = await network.local()
    receiver.answer = hang
    slow = await _pinged(network, local, receiver.url)
    await network.client.post(f"{slow}/ping", headers=local)
    async with receiving() as other:
        quick = await _pinged(network, await network.local("IT-MILA-STA"), other.url)
        sweep = asyncio.create_task(send(network))

        async def got(count: int) -> None:
            assert len(other.got) == count

        await eventually(lambda: got(1))
        # What becomes due while one hangs is sent meanwhile; the one that hangs is sent nothing else.
        await network.client.post(f"{quick}/ping", headers=await network.local("IT-MILA-STA"))
        await eventually(lambda: got(2))
        assert not sweep.done()
        assert len(receiver.got) == 1
        let_go.set()
        await sweep
    # A worker that never hears back gives up by itself.
    let_go.clear()
    monkeypatch.setattr(sending, "SECONDS", 0.2)
    await _time_passes(network)
    await send(network)
    assert {each["error"] for each in await deliveries(network, local, slow)} >= {"too_slow"}


async def _drips(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    for _ in range(100):
        writer.write(b"x: y\r\n")
        await writer.drain()
        await asyncio.sleep(0.05)


async def _is_huge(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 500 No\r\ncontent-length: 1000000000\r\n\r\n")
    for _ in range(10_000):
        writer.write(b"x" * 65536)
        await writer.drain()


async def _closes(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 20")


async def _babbles(writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x16\x03\x01 nonsense\r\n\r\n")


@pytest.mark.parametrize(
    ("answer", "error", "status"),
    [
        (_drips, "too_slow", None), (_is_huge, "status", 500), (_closes, "not_reached", None),
        (_babbles, "not_reached", None),
    ],
)  # fmt: skip
async def test_an_answer_that_is_none_is_a_failure_like_others(
    network: Network, receiver: ReceiverServer, monkeypatch: pytest.MonkeyPatch,
    answer: Callable[[asyncio.StreamWriter], Awaitable[None]], error: str, status: int | None,
) -> None:  # fmt: skip
    monkeypatch.setattr(sending, "SECONDS", 1.0)
    receiver.answer = answer
    local = await network.local()
    address = await _pinged(network, local, receiver.url)
    await send(network)
    [delivery] = await deliveries(network, local, address)
    assert (delivery["state"], delivery["error"], delivery["status"]) == ("due", error, status)


async def test_no_redirect_is_followed_and_who_asks_for_time_gets_it(
    network: Network, receiver: ReceiverServer
) -> None:
    local = await network.local()
    async with receiving() as inner:
        receiver.answer = b"302 Found\r\nlocation: " + inner.url.encode() + b"\r\n"
        address = await _pinged(network, local, receiver.url)
        await send(network)
        assert (await deliveries(network, local, address))[0]["status"] == 302
        assert inner.got == []
    receiver.answer = b"429 Too Many Requests\r\nretry-after: 7200\r\n"
    await _time_passes(network)
    await send(network)
    [[due]] = await rows(network.database_url, "SELECT due_at - tried_at FROM activities.webhook_deliveries")
    assert due >= timedelta(hours=2)


INNER = (
    "127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.100.100.200",
    "168.63.129.16", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fd00:ec2::254", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::",
)  # fmt: skip


@pytest.mark.parametrize("address", INNER)
async def test_a_name_that_leads_inside_is_refused_before_anything_is_connected_to(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    public = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 443))
    monkeypatch.setattr(
        connecting, "_look_up", lambda *_: [public, (family, socket.SOCK_STREAM, 6, "", (address, 443))]
    )

    async def connect(*_: Any, **__: Any) -> Any:
        pytest.fail("it was connected to")

    monkeypatch.setattr(httpcore.AnyIOBackend, "connect_tcp", connect)
    with pytest.raises(AddressRefused):
        await post("https://rebound.example.org/", b"{}", {}, seconds=2, loopback_allowed=False)


async def test_what_was_checked_is_what_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["93.184.216.34", "127.0.0.1", "127.0.0.1"])
    monkeypatch.setattr(
        connecting, "_look_up", lambda *_: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), 443))]
    )
    connected: list[str] = []

    async def connect(_: Any, host: str, *__: Any, **___: Any) -> Any:
        connected.append(host)
        raise httpcore.ConnectError

    monkeypatch.setattr(httpcore.AnyIOBackend, "connect_tcp", connect)
    with pytest.raises(httpcore.ConnectError):
        await post("https://rebound.example.org/", b"{}", {}, seconds=2, loopback_allowed=False)
    assert connected == ["93.184.216.34"]


async def test_an_address_that_was_allowed_once_is_judged_again_when_it_is_sent_to(
    network: Network, receiver: ReceiverServer
) -> None:
    local = await network.local()
    address = await _pinged(network, local, receiver.url)
    strict = network.settings.model_copy(update={"webhooks_to_loopback": False})
    monkey = network.runtimes["activities"]
    monkey.settings = strict
    await send(network)
    assert receiver.got == []
    assert (await deliveries(network, local, address))[0]["error"] == "address_refused"
