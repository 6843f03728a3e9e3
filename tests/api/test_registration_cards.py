"""ESNcards that people name: asked for where organisers want it, checked by a port, never in the way of a sign-up."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from deploy import ports
from services.kernel import logs
from services.kernel.reach import EVERYTHING
from services.registration.privacy.store import everything_of
from tests.api.test_registration_form import FORM, Read
from tests.api.test_registration_moves import entries
from tests.harness import databases as harness
from tests.harness.databases import rows
from tests.harness.network import Network, running
from tests.harness.refusals import refused
from tests.harness.sign_ups import Students, students, wanted

GOOD = "2048375ABCD"
KEPT = "SELECT number, outcome, tries, due_at FROM registration.cards"


class Desk:
    """The service that checks cards, as esncard.org answers."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.status = 200
        self.told: Any = []
        self.address = ""


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Answer what the test wants."""
            made.asked += parse_qs(urlsplit(self.path).query)["code"]
            body = made.told if isinstance(made.told, bytes) else json.dumps(made.told).encode()
            self.send_response(made.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer((ports.LOOPBACK, 0), Handler)
    made.address = f"http://{ports.LOOPBACK}:{server.server_port}/card.json"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
async def ours(desk: Desk, database_url: str, redis_url: str, tmp_path: Any) -> AsyncIterator[Students]:
    """An activity that asks for cards, where they can be checked."""
    told = harness.settings(database_url, redis_url, mailbox=tmp_path / "mailbox", esncard_check_url=desk.address)
    async with running(told, database_url) as network:
        made = await students(network)
        await made.on_terms(asks_esncard=True)
        yield made


async def _again(ours: Students) -> None:
    await rows(ours.network.database_url, "UPDATE registration.cards SET due_at = now() WHERE due_at IS NOT NULL")
    await ours.network.sweep()


async def test_a_card_is_checked_after_the_sign_up_and_its_number_is_not_kept(ours: Students, desk: Desk) -> None:
    desk.told = [{"code": {"value": GOOD}, "status": "active", "expiration-date": {"value": "2099-01-01"}}]
    await ours.sign_up("Ada", esncard_number="2048375 abcd")
    assert desk.asked == [], "nobody is asked while somebody signs up"
    assert (await entries(ours))["Ada"]["esncard"] == {"outcome": "unknown", "checked_at": None}
    await ours.network.sweep()
    assert desk.asked == [GOOD]
    card = (await entries(ours))["Ada"]["esncard"]
    assert (card["outcome"], card["checked_at"] is None) == ("valid", False)
    desk.told = []
    await ours.sign_up("Bo", esncard_number="ZZZ999999")
    desk_was_off = desk.status = 503
    await ours.network.sweep()
    assert desk_was_off == 503
    assert (await entries(ours))["Bo"]["esncard"]["outcome"] == "unknown"
    assert (await rows(ours.network.database_url, f"{KEPT} WHERE due_at IS NOT NULL"))[0]["tries"] == 1
    desk.status = 200
    await _again(ours)
    assert (await entries(ours))["Bo"]["esncard"]["outcome"] == "invalid"
    assert {tuple(row)[::3] for row in await rows(ours.network.database_url, KEPT)} == {(None, None)}
    await ours.sign_up("Cem")
    assert (await entries(ours))["Cem"]["esncard"] is None


async def test_no_log_holds_the_number_of_a_card(
    ours: Students, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    await ours.sign_up("Ada", esncard_number=GOOD)
    logs.configure("DEBUG", service="test")
    try:
        await ours.network.sweep()
        desk.status = 500
        await ours.sign_up("Bo", esncard_number=GOOD)
        await ours.network.sweep()
    finally:
        logs.configure("WARNING", service="test")
    assert desk.asked == [GOOD, GOOD]
    told = capsys.readouterr().err
    assert "ESNcard not checked" in told
    assert GOOD not in told


async def test_a_check_that_never_comes_ends_as_unknown_and_forgets_the_number(ours: Students, desk: Desk) -> None:
    desk.told = b"<html>"
    await ours.sign_up("Ada", esncard_number=GOOD)
    [identity] = await rows(ours.network.database_url, "SELECT id FROM registration.participants")
    async with ours.network.runtimes["registration"].reading(EVERYTHING) as session:
        assert GOOD in str(await everything_of(session, identity["id"])), "whoever asks is told what is kept"
    for _ in range(8):
        await _again(ours)
    [row] = await rows(ours.network.database_url, KEPT)
    assert tuple(row) == (None, "unknown", 8, None)
    assert len(desk.asked) == 8
    secret = await ours.secret("Ada")
    await ours.network.client.post(f"/registration/v1/links/{secret}")
    by = {"Authorization": f"Link {await ours.secret('Ada')}"}
    assert (await ours.network.client.delete("/registration/v1/me", headers=by)).status_code == 204
    assert await rows(ours.network.database_url, KEPT) == []


async def test_the_form_asks_where_organisers_want_it_and_terms_say_so(ours: Students) -> None:
    address = f"/registration/activities/{ours.activity_id}"
    fields = Read(await ours.network.client.get(address)).fields
    assert "esncard_number-hint" in fields["esncard_number"]["aria-describedby"]
    wrong = await ours.network.client.post(address, data={**FORM, "esncard_number": "no!"})
    assert (wrong.status_code, Read(wrong).faulty) == (422, {"esncard_number"})
    assert (await ours.network.client.post(address, data={**FORM, "esncard_number": GOOD})).status_code == 200
    assert (await rows(ours.network.database_url, KEPT))[0]["number"] == GOOD
    await ours.on_terms(asks_esncard=False)
    assert "esncard_number" not in Read(await ours.network.client.get(address)).fields


@pytest.mark.parametrize("number", ["12345", "x" * 41, "AB/../../CD", "ABCDEF\x00", 12345678])
async def test_what_is_no_number_of_a_card_is_refused(shared: Network, number: Any) -> None:
    body = wanted("01890000-0000-7000-8000-000000000000", "Zq7Marker", esncard_number=number)
    address = "/registration/v1/registrations"
    await refused(shared, "POST", address, status=422, pointers=["#/esncard_number"], json=body, headers=shared.key())


async def test_where_cards_can_not_be_checked_nobody_is_asked_for_one(shared: Network) -> None:
    ours = await students(shared)
    assert (await ours.on_terms(asks_esncard=True)).json()["asks_esncard"] is False
    fields = Read(await shared.client.get(f"/registration/activities/{ours.activity_id}")).fields
    assert "esncard_number" not in fields
    reply = await ours.sign_up("Ada", status=422, esncard_number=GOOD)
    assert [fault["pointer"] for fault in reply.json()["errors"]] == ["#/esncard_number"]
