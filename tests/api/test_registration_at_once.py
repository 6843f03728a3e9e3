"""Sign-ups that arrive at once: few transactions, and for each of them what it would have come to alone."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import chain, repeat
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from services.registration.places import at_once_store, rules
from tests.harness import databases as harness
from tests.harness.databases import rows, value
from tests.harness.network import Network, running
from tests.harness.sign_ups import Students, students, wanted

ADDRESS = "/registration/v1/registrations"
LIVE = """SELECT count(*) AS many, count(DISTINCT xmin::text) AS transactions,
    (SELECT taken FROM registration.places WHERE activity_id = $1) AS taken
  FROM registration.registrations WHERE activity_id = $1 AND state = 'unconfirmed'"""


@pytest.fixture
async def network(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Network]:
    """The services, with a mailbox of their own."""
    async with running(harness.settings(database_url, redis_url, mailbox=tmp_path / "mailbox"), database_url) as made:
        yield made


async def _post(network: Network, body: dict[str, Any], key: dict[str, str] | None = None) -> httpx.Response:
    return await network.client.post(ADDRESS, json=body, headers=key or network.key())


def _body(ours: Students, number: int, **changes: Any) -> dict[str, Any]:
    return wanted(ours.activity_id, "Ada", email=f"s{number}@students.example", **changes)


async def test_many_at_once_are_few_transactions_and_each_has_all_that_belongs_to_it(network: Network) -> None:
    ours = await students(network, capacity=100)
    replies = await asyncio.gather(*(_post(network, _body(ours, number)) for number in range(60)))
    assert {reply.status_code for reply in replies} == {201}
    assert len({reply.json()["id"] for reply in replies}) == 60
    [found] = await rows(network.database_url, LIVE, UUID(ours.activity_id))
    assert (found["many"], found["taken"]) == (60, 60)
    assert found["transactions"] < 20
    each = len(_body(ours, 0)["consents"])
    belongings = {"consents": 60 * each, "links": 60, "outgoing_mail": 60, "idempotency_keys": 60}
    for table, many in belongings.items():
        assert await value(network.database_url, f"SELECT count(*) FROM registration.{table}") == many, table
    [[traces]] = await rows(network.database_url, "SELECT count(DISTINCT trace_id) FROM registration.outgoing_mail")
    assert traces == 60, "each mail belongs to the request that caused it"
    await network.sweep()
    assert len(network.mails()) == 60


async def test_each_is_refused_for_itself_and_spoils_nobody_else(network: Network) -> None:
    ours = await students(network, capacity=50)
    full = await students(network, capacity=1)
    await full.sign_up("Bo")
    key = network.key()
    bodies: list[tuple[dict[str, Any], dict[str, str] | None]] = [
        (_body(ours, 1), key),
        (_body(ours, 2, mobility="study", participant_class="local"), None),
        (_body(ours, 3) | {"activity_id": str(uuid4())}, None),
        (_body(full, 4), None),
        (_body(full, 5, waiting_list=True), None),
        (_body(ours, 6, guests=[{"given_name": "G", "family_name": "H", "participant_class": "local"}]), None),
        (_body(ours, 7), None),
        (_body(ours, 7), None),
        (_body(ours, 8), None),
    ]
    replies = await asyncio.gather(*(_post(network, body, mine) for body, mine in bodies))
    assert [reply.status_code for reply in replies] == [201, 422, 404, 409, 201, 422, 201, 201, 201]
    assert replies[1].json()["errors"][0]["pointer"] == "#/mobility"
    assert replies[4].json()["state"] == "waitlisted"
    assert replies[6].json().keys() == replies[7].json().keys()
    [found] = await rows(network.database_url, LIVE, UUID(ours.activity_id))
    assert (found["many"], found["taken"]) == (3, 3), "one person has one place"
    again = await _post(network, bodies[0][0], key)
    assert (again.status_code, again.content) == (201, replies[0].content)
    assert again.headers["idempotency-replayed"] == "true"
    other = await _post(network, _body(ours, 9), key)
    assert (other.status_code, other.json()["title"]) == (422, "Idempotency-Key reused")


async def test_one_key_sent_twice_at_once_has_one_effect(network: Network) -> None:
    ours = await students(network, capacity=50)
    key, body = network.key(), _body(ours, 1)
    replies = await asyncio.gather(*(_post(network, body, key) for _ in range(8)))
    assert set(Counter(reply.status_code for reply in replies)) <= {201, 409}
    assert len({reply.content for reply in replies if reply.status_code == 201}) == 1
    [found] = await rows(network.database_url, LIVE, UUID(ours.activity_id))
    assert (found["many"], found["taken"]) == (1, 1)


async def test_what_postgres_refuses_to_all_of_them_is_done_one_by_one(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = await students(network, capacity=50)
    drawn = chain(
        repeat("SAMECODE", 12), (rules.ALPHABET[n // 32] + rules.ALPHABET[n % 32] + "AAAAAA" for n in range(999))
    )
    monkeypatch.setattr(rules, "new_code", lambda: next(drawn))
    replies = await asyncio.gather(*(_post(network, _body(ours, number)) for number in range(12)))
    assert {reply.status_code for reply in replies} == {201}
    [found] = await rows(network.database_url, LIVE, UUID(ours.activity_id))
    assert (found["many"], found["taken"]) == (12, 12)
    assert found["transactions"] > 6, "the control: they did not go together"


def _after_a_look(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], Awaitable[object]]) -> None:
    """Let something happen between the first look at the places and what is kept."""
    looked, left = at_once_store.look, [happens]

    async def look(*told: Any, **more: Any) -> Any:
        found = await looked(*told, **more)
        if left:
            await left.pop()()
        return found

    monkeypatch.setattr(at_once_store, "look", look)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("taken = capacity", (409, "Activity full")),
        ("taken = capacity - 1", (201, "unconfirmed")),
        ("quota_international = 3, taken = 3, taken_international = 3, terms_revision = 9", (409, "Activity full")),
        ("waiting = 1", (409, "Activity full")),
        ("choosing = 'approval', terms_revision = terms_revision + 1", (201, "pending_approval")),
        ("state = 'cancelled', revision = revision + 1", (409, "Sign-up closed")),
    ],
)
async def test_what_was_decided_is_kept_only_if_it_still_holds(
    network: Network, monkeypatch: pytest.MonkeyPatch, change: str, told: tuple[int, str]
) -> None:
    ours = await students(network, capacity=50)
    statement = f"UPDATE registration.places SET {change} WHERE activity_id = $1 RETURNING taken"
    _after_a_look(monkeypatch, lambda: rows(network.database_url, statement, UUID(ours.activity_id)))
    reply = await _post(network, _body(ours, 1))
    assert (reply.status_code, reply.json().get("state") or reply.json()["title"]) == told
    [found] = await rows(network.database_url, "SELECT count(*) FROM registration.registrations")
    assert found[0] == (reply.status_code == 201), "who is refused leaves nothing"


async def test_nothing_is_kept_of_what_can_not_be_counted(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = await students(network, capacity=50)
    blind = at_once_store.KEEP.replace(at_once_store.STILL_HOLDS, "true")
    assert blind != at_once_store.KEEP
    monkeypatch.setattr(at_once_store, "KEEP", blind)
    statement = "UPDATE registration.places SET taken = capacity WHERE activity_id = $1 RETURNING taken"
    _after_a_look(monkeypatch, lambda: rows(network.database_url, statement, UUID(ours.activity_id)))
    assert (await _post(network, _body(ours, 1))).status_code == 409
    [found] = await rows(network.database_url, "SELECT count(*) FROM registration.registrations")
    assert found[0] == 0


async def test_a_key_that_another_process_answers_meanwhile_is_answered_once(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, key = await students(network, capacity=50), network.key()
    async with running(network.settings, network.database_url) as beside:
        elsewhere: list[httpx.Response] = []

        async def happens() -> None:
            elsewhere.append(await _post(beside, _body(ours, 1), key))

        _after_a_look(monkeypatch, happens)
        reply = await _post(network, _body(ours, 1), key)
    assert (reply.status_code, reply.content) == (201, elsewhere[0].content)
    assert reply.headers["idempotency-replayed"] == "true"
    [found] = await rows(network.database_url, LIVE, UUID(ours.activity_id))
    assert (found["many"], found["taken"]) == (1, 1)


async def test_a_lock_on_one_activity_keeps_nobody_of_another_waiting(network: Network) -> None:
    held, free = await students(network, capacity=50), await students(network, capacity=50)
    holder = await asyncpg.connect(network.database_url)
    try:
        transaction = holder.transaction()
        await transaction.start()
        await holder.execute(
            "SELECT 1 FROM registration.places WHERE activity_id = $1 FOR UPDATE", UUID(held.activity_id)
        )
        waiting = [asyncio.create_task(_post(network, _body(held, number))) for number in range(2)]
        replies = await asyncio.gather(*(_post(network, _body(free, number)) for number in range(10, 14)))
        assert {reply.status_code for reply in replies} == {201}
        assert not any(task.done() for task in waiting)
        await transaction.rollback()
        assert {reply.status_code for reply in await asyncio.gather(*waiting)} == {201}
    finally:
        await holder.close()


async def test_the_last_places_of_several_activities_are_given_once_and_told(network: Network) -> None:
    several = [await students(network, capacity=2) for _ in range(4)]
    bodies = [_body(ours, number) for number in range(5) for ours in several]
    replies = await asyncio.gather(*(_post(network, body) for body in bodies))
    assert Counter(reply.status_code for reply in replies) == {201: 8, 409: 12}
    await network.settle()
    for ours in several:
        [found] = await rows(network.database_url, LIVE, UUID(ours.activity_id))
        assert (found["many"], found["taken"]) == (2, 2)
    listed = await network.client.get("/activities/v1/activities?open=true")
    assert not {ours.activity_id for ours in several} & {item["id"] for item in listed.json()["items"]}


async def test_whoever_waits_or_applies_at_once_goes_together_too(network: Network) -> None:
    full, chosen = await students(network, capacity=1), await students(network, capacity=5)
    await full.sign_up("Bo")
    await chosen.on_terms(choosing="approval")
    bodies = [_body(full, number, waiting_list=True) for number in range(20)]
    bodies += [_body(chosen, number) for number in range(20, 40)]
    replies = await asyncio.gather(*(_post(network, body) for body in bodies))
    assert Counter(reply.json()["state"] for reply in replies) == {"waitlisted": 20, "pending_approval": 20}
    [found] = await rows(
        network.database_url,
        """SELECT count(*) AS many, count(DISTINCT xmin::text) AS transactions,
            (SELECT waiting FROM registration.places WHERE activity_id = $1) AS waiting
          FROM registration.registrations WHERE state IN ('waitlisted', 'pending_approval')""",
        UUID(full.activity_id),
    )
    assert (found["many"], found["waiting"]) == (40, 20)
    assert found["transactions"] < 12
    await network.sweep()
    told = Counter(text.split("\n")[0] for path in network.mails() if (text := path.read_text()))
    assert sum(told.values()) == 41


async def test_somebody_with_a_role_who_signs_up_is_in_the_audit_and_their_key_holds(network: Network) -> None:
    ours = await students(network, capacity=3)
    local, key = await network.local(), network.key()
    first, again = [await _post(network, _body(ours, 1), {**local, **key}) for _ in range(2)]
    assert (first.status_code, again.content) == (201, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    told = await network.client.get("/registration/v1/audit", headers=await network.token("operator"))
    assert [entry["verb"] for entry in told.json()["items"]] == ["sign_up"]
