"""Sign-ups that go straight past the framework: byte by byte what the routes answer, counted and logged alike."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy.exc import OperationalError

from services.kernel import counting
from services.kernel.application import combine, create_app
from services.kernel.problems import Unavailable
from services.registration.main import SERVICE
from services.registration.places import at_once
from tests.harness import databases as harness
from tests.harness.databases import rows
from tests.harness.network import Network, running
from tests.harness.sign_ups import Students, students, wanted

ADDRESS = "/registration/v1/registrations"
TRACE = "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"
Body = dict[str, Any] | bytes | None


class Both:
    """One process that goes straight, and one that only has its routes, on one database."""

    def __init__(self, network: Network) -> None:
        made = create_app(SERVICE, network.runtimes["registration"])
        self.straight = combine({"registration": made})
        self.routes = combine({"registration": made})
        self.base_url = network.settings.base_url
        self.went_round = 0
        edge = self.routes._app._app  # type: ignore[attr-defined]
        self.routes._app = edge

        async def counted(scope: Any, receive: Any, send: Any) -> None:
            self.went_round += 1
            await edge(scope, receive, send)

        self.straight._app._app = counted  # type: ignore[attr-defined]

    async def sent(self, app: Any, who: str, body: Body, headers: dict[str, str], query: str = "") -> httpx.Response:
        """One reply."""
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=(who, 4711))
        content = json.dumps(body).encode() if isinstance(body, dict) else body
        async with httpx.AsyncClient(transport=transport, base_url=self.base_url) as client:
            client.headers.clear()
            told = {"Content-Type": "application/json", "traceparent": TRACE, **headers}
            return await client.post(ADDRESS + query, content=content, headers=told)


def _alike(reply: httpx.Response) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """All of a reply but the number of the registration and until when it is held."""
    body = re.sub(rb'"id":"[0-9a-f-]{36}"', b'"id":""', reply.content)
    return reply.status_code, reply.headers.raw, re.sub(rb'"held_until":"[^"]*"', b'"held_until":""', body)


@pytest.fixture
async def limited(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Network]:
    """The services behind limits that count."""
    told = harness.settings(database_url, redis_url, mailbox=tmp_path, writes_a_minute=40)
    async with running(told, database_url) as made:
        yield made


@pytest.fixture
async def ours(limited: Network) -> Students:
    """An activity with places."""
    return await students(limited, capacity=200)


Case = tuple[Callable[[str], Body], dict[str, str], bool]


def _cases(ours: Students, full: Students) -> list[Case]:
    """What is sent by somebody of a name, with which headers; and whether it goes straight."""

    def one(name: str, **changes: Any) -> dict[str, Any]:
        return {**wanted(ours.activity_id, "Ada"), "email": f"{name}@students.example", **changes}

    def cut(name: str) -> bytes:
        return json.dumps(one(name)).encode()[:-1]

    def other(**changes: Any) -> Callable[[str], Body]:
        return lambda name: one(name, **changes)

    def without_age(name: str) -> Body:
        return one(name, consents=one(name)["consents"][:1])

    def twice(name: str) -> Body:
        return b'{"email":1,' + json.dumps(one(name)).encode()[1:]

    guests = [{"given_name": "G", "family_name": "H", "participant_class": "local"}]
    plain: list[tuple[Callable[[str], Body], dict[str, str]]] = [
        (one, {}), (one, {"Origin": "https://a.example"}), (one, {"Content-Type": "application/json; charset=utf-8"}),
        (other(given_name="Zoë", language="de-AT", home_country="PL", answers={}), {}),
        (other(activity_id=str(uuid4())), {}), (other(mobility="study", participant_class="local"), {}),
        (without_age, {"Origin": "null"}), (other(activity_id=full.activity_id), {}),
        (other(activity_id=full.activity_id, waiting_list=True), {}), (other(guests=guests), {}),
        (other(email="bo@students.example"), {}),
    ]  # fmt: skip
    round_about: list[tuple[Callable[[str], Body], dict[str, str]]] = [
        (cut, {}), (twice, {}), (other(nonsense=1), {}), (other(email="nobody"), {}), (one, {"Host": "a/b"}),
        *((lambda _, body=body: body, {}) for body in (b"null", b"", b"\xff", b"[" * 70 + b"]" * 70, b"NaN")),
        (one, {"Content-Type": "text/plain"}), (one, {"Idempotency-Key": ""}), (one, {"Idempotency-Key": "\x07"}),
        (one, {"Authorization": "Bearer wrong"}), (one, {"X-Api-Key": "wrong"}),
        (one, {"Cookie": "a=b"}), (other(given_name="x" * 70_000), {}),
    ]  # fmt: skip
    return [(*each, True) for each in plain] + [(*each, False) for each in round_about]


async def test_what_goes_straight_is_byte_by_byte_what_the_routes_say(
    ours: Students, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting.time, "time", lambda: 1_800_000_000.0)
    full = await students(ours.network, capacity=1)
    await full.sign_up("Bo")
    await ours.sign_up("Bo", email="bo@students.example")
    both = Both(ours.network)
    for number, (body, headers, goes_straight) in enumerate(_cases(ours, full)):
        replies = []
        for way, app in enumerate((both.straight, both.routes)):
            key = {"Idempotency-Key": f'"{number}-{way}"'}
            before = both.went_round
            # The second is the answer that was kept, the third is told that the key was used for something else.
            said = [body(f"s{number}-{way}"), body(f"s{number}-{way}"), body(f"t{number}-{way}")]
            who = f"198.51.{number}.{way}"
            replies.append([await both.sent(app, who, each, {**key, **headers}) for each in said])
            if app is both.straight:
                assert (both.went_round == before) == goes_straight, (number, headers)
        for fast, slow in zip(*replies, strict=True):
            assert _alike(fast) == _alike(slow), number
        if replies[0][0].status_code == 201:
            assert replies[0][0].content == replies[0][1].content
    for app in (both.straight, both.routes):
        reply = await both.sent(app, "198.51.0.9", None, {"Idempotency-Key": "q"}, "?a=1")
        assert reply.status_code == 422


async def test_a_key_holds_whichever_way_it_goes(ours: Students) -> None:
    both, body = Both(ours.network), wanted(ours.activity_id, "Ada")
    first = await both.sent(both.straight, "198.51.1.1", body, {"Idempotency-Key": "one"})
    again = await both.sent(both.routes, "198.51.1.2", body, {"Idempotency-Key": "one"})
    assert (first.status_code, first.content) == (201, again.content)
    assert again.headers["idempotency-replayed"] == "true"


async def test_a_limit_is_reached_as_by_the_routes(ours: Students) -> None:
    both = Both(ours.network)
    seen = []
    for way, app in enumerate((both.straight, both.routes)):
        sent = [wanted(ours.activity_id, "Ada", email=f"l{way}-{number}@students.example") for number in range(43)]
        replies = [
            await both.sent(app, f"203.0.113.{way}", each, {"Idempotency-Key": f"l{way}-{number}"})
            for number, each in enumerate(sent)
        ]
        seen.append([(reply.status_code, reply.headers["ratelimit"].partition(";t=")[0]) for reply in replies])
    assert seen[0] == seen[1]
    assert [status for status, _ in seen[0]] == [201] * 40 + [429] * 3


@pytest.mark.parametrize(
    "failure", [Unavailable(), TimeoutError(), RuntimeError("Zq7Marker"), OperationalError("BEGIN", None, OSError())]
)
async def test_a_failure_is_told_and_logged_as_by_the_routes(
    ours: Students, monkeypatch: pytest.MonkeyPatch, failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(*_: object) -> None:
        raise failure

    monkeypatch.setattr(at_once.Group, "ask", fails)
    both = Both(ours.network)
    body = wanted(ours.activity_id, "Ada")
    replies, told = [], []
    for way, app in enumerate((both.straight, both.routes)):
        caplog.clear()
        headers = {"Idempotency-Key": "f", "Origin": "https://a.example"}
        replies.append(await both.sent(app, f"198.51.3.{way}", body, headers))
        both.straight.close()
        told.append(sorted(each.getMessage() for each in caplog.records if "request failed" in each.getMessage()))
    fast, slow = (reply.headers.raw for reply in replies)
    assert [name for name, _ in fast] == [name for name, _ in slow]
    assert replies[0].content == replies[1].content
    assert replies[0].status_code == replies[1].status_code >= 500
    assert len(told[0]) == len(told[1])


async def test_a_body_in_pieces_goes_straight_and_half_of_one_to_the_routes(ours: Students) -> None:
    both = Both(ours.network)
    whole = json.dumps(wanted(ours.activity_id, "Ada")).encode()
    headers = [
        (b"host", b"x.example"), (b"content-type", b"application/json"), (b"idempotency-key", b"pieces"),
        (b"content-length", str(len(whole)).encode()),
    ]  # fmt: skip
    scope = {
        "type": "http", "method": "POST", "path": ADDRESS, "raw_path": ADDRESS.encode(), "query_string": b"",
        "headers": headers, "client": ("198.51.4.1", 1), "http_version": "1.1", "scheme": "http", "root_path": "",
    }  # fmt: skip
    pieces = [{"type": "http.request", "body": whole[at : at + 100], "more_body": True} for at in range(0, 300, 100)]
    for last, status in (({"type": "http.request", "body": whole[300:]}, 201), ({"type": "http.disconnect"}, None)):
        left, sent = [*pieces, last], []

        async def receive(left: list[dict[str, Any]] = left) -> dict[str, Any]:
            return left.pop(0) if left else {"type": "http.disconnect"}

        async def send(message: dict[str, Any], sent: list[dict[str, Any]] = sent) -> None:
            sent.append(message)

        before = both.went_round
        await both.straight(dict(scope), receive, send)
        assert (both.went_round == before) == (status == 201)
        assert status is None or sent[0]["status"] == status
    [found] = await rows(ours.network.database_url, "SELECT count(*) FROM registration.registrations")
    assert found[0] == 1
