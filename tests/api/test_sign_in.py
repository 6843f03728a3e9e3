"""Signing in at our own pages with ESN Accounts: the journey, every way to get it wrong, and how a session ends."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from structlog.testing import CapturingLogger
from typer.testing import CliRunner

from services.commands import access as commands
from services.kernel import auth, issuer, key_sets, sessions
from services.operations.development_issuer import CLIENT, Somebody
from services.registration.signing_in import page_api
from tests.harness import databases as harness
from tests.harness.databases import Databases, rows, value
from tests.harness.issuer import Peer, issuing
from tests.harness.network import DRAFT, Network, running
from tests.harness.refusals import check_problem
from tests.harness.sign_ups import Students, in_hours, students
from tests.harness.signing_in import ATTEMPT, BASE_URL, OWN, SESSION, Browser


@pytest.fixture(scope="module")
async def peer() -> AsyncIterator[Peer]:
    async with issuing() as made:
        yield made


@pytest.fixture(scope="module")
async def network(
    databases: Databases, redis_url: str, peer: Peer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Network]:
    """The services, at whose pages people sign in with the issuer."""
    mailbox = tmp_path_factory.mktemp("mailbox")
    async with databases.fresh() as url:
        told = harness.settings(url, redis_url, mailbox=mailbox, base_url=BASE_URL, **peer.issuer.settings())
        async with running(told, url) as made:
            yield made


@pytest.fixture(scope="module")
async def ours(network: Network) -> Students:
    return await students(network, starts_at=in_hours(2), ends_at=in_hours(5))


@pytest.fixture
def browser(network: Network, peer: Peer) -> Browser:
    return Browser(network, peer)


def at(ours: Students, what: str) -> str:
    return f"/registration/v1/activities/{ours.activity_id}/{what}"


def _later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let time pass for whatever is remembered of tokens."""
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + seconds, time=time.time)
    for module in (auth, issuer, key_sets):
        monkeypatch.setattr(module, "time", clock)


async def test_a_coordinator_signs_in_and_does_what_their_groups_let_them(browser: Browser, ours: Students) -> None:
    page = f"/registration/activities/{ours.activity_id}/check-in?lang=it"
    asked = await browser.set_out(next=page)
    assert asked["redirect_uri"] == f"{BASE_URL}/registration/sign-in/callback"
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    assert not {*browser.cookies.values()} & {*asked.values()}
    reply = await browser.come_back(await browser.chosen(asked))
    assert (reply.status_code, reply.headers["location"]) == (303, page)
    assert (reply.headers["referrer-policy"], reply.headers["cache-control"]) == ("no-referrer", "private, no-store")
    assert {*browser.cookies} == {SESSION}
    reply = await browser.ask("GET", at(ours, "attendance"))
    assert (reply.status_code, reply.headers["cache-control"]) == (200, "private, no-store")
    reply = await browser.ask("POST", at(ours, "walk-ins"), json={
        "at": in_hours(0), "nonce": "by-somebody-signed-in", "participant_class": "local",
    })  # fmt: skip
    assert reply.json()["items"][0]["outcome"] == "recorded", reply.text
    headers = browser.network.key()
    reply = await browser.ask("POST", "/activities/v1/activities", json=DRAFT, headers=headers)
    assert reply.status_code == 201
    draft = await browser.ask("GET", reply.headers["location"])
    assert (draft.status_code, draft.headers["cache-control"]) == (200, "private, no-store")
    assert (await Browser(browser.network, browser.peer).ask("GET", reply.headers["location"])).status_code == 404
    other = Browser(browser.network, browser.peer)
    assert (await other.sign_in("other-local")).status_code == 303
    assert (await other.ask("GET", at(ours, "attendance"))).status_code == 403


async def test_whoever_comes_from_nowhere_is_told_that_they_are_signed_in(browser: Browser) -> None:
    reply = await browser.sign_in()
    assert reply.headers["location"] == "done"
    page = await browser.ask("GET", "/registration/sign-in/done")
    assert 'action="../sign-out"' in page.text
    assert "form-action 'self'" in page.headers["content-security-policy"]


@pytest.mark.parametrize(
    "page",
    [
        "https://evil.example/", "//evil.example/registration/x", "/\\evil.example/registration/",
        "javascript:alert(1)",
        "/registration/../../evil", "/registration/%2e%2e/", "/registration/x@evil.example", "registration/activities",
        "/registrationx/y", "/activities/x", "/registration/x\r\nSet-Cookie: a=b",
        "/registration/x?next=//evil.example",
        "/registration/" + "x" * 200, "http:/registration/x", "/registration//evil.example", "/registration/x#y",
    ],
)  # fmt: skip
async def test_nobody_is_sent_to_what_is_no_page_of_ours(browser: Browser, page: str) -> None:
    assert (await browser.sign_in(next=page)).headers["location"] == "done"


async def _nothing_came_of_it(browser: Browser, reply: httpx.Response, status: int = 400) -> None:
    assert reply.status_code == status, reply.text
    assert "<h1>You are not signed in</h1>" in reply.text
    assert SESSION not in browser.cookies


@pytest.mark.parametrize(
    "changes",
    [
        {"state": None}, {"state": ""}, {"state": "x" * 43}, {"state": "\ud800"}, {"iss": "https://evil.example"},
        {"iss": ""}, {"code": None}, {"code": ""}, {"code": "x" * 2001}, {"code": "made up"}, {"code": "\x00"},
        {"error": "access_denied"}, {"error": "<script>", "error_description": "<script>", "code": None},
    ],
    ids=ascii,
)  # fmt: skip
async def test_an_answer_that_is_not_the_issuers_to_this_attempt_lets_nobody_in(
    browser: Browser, changes: dict[str, str | None]
) -> None:
    told: dict[str, Any] = {**await browser.chosen(await browser.set_out()), **changes}
    sent = {name: text.encode("utf-8", "surrogatepass") for name, text in told.items() if text is not None}
    reply = await browser.come_back(sent)  # type: ignore[arg-type]
    await _nothing_came_of_it(browser, reply)
    assert "script" not in reply.text


@pytest.mark.parametrize("name", ["state", "code", "iss"])
async def test_what_is_said_twice_lets_nobody_in(browser: Browser, name: str) -> None:
    told = await browser.chosen(await browser.set_out())
    await _nothing_came_of_it(browser, await browser.come_back([*told.items(), (name, told[name])]))


async def test_an_answer_without_the_issuers_name_is_taken(browser: Browser) -> None:
    told = await browser.chosen(await browser.set_out())
    del told["iss"]
    assert (await browser.come_back(told)).status_code == 303


async def test_a_code_is_good_once_and_in_the_browser_that_asked_for_it(browser: Browser, peer: Peer) -> None:
    other = Browser(browser.network, peer)
    told = await browser.chosen(await browser.set_out())
    # Somebody's link with a code of theirs, in a browser that did not set out, and in one that did.
    await _nothing_came_of_it(other, await other.come_back(told))
    own = await other.set_out()
    await _nothing_came_of_it(other, await other.come_back(told))
    # A code that was stolen, with one's own state: the issuer asks for the verifier.
    await _nothing_came_of_it(other, await other.come_back({**told, "state": own["state"]}))
    # Trying a code spends it.
    await _nothing_came_of_it(browser, await browser.come_back(told))
    told = await browser.chosen(await browser.set_out())
    kept = dict(browser.cookies)
    assert (await browser.come_back(told)).status_code == 303
    again = Browser(browser.network, peer, kept)
    await _nothing_came_of_it(again, await again.come_back(told))
    assert (await browser.come_back(told)).status_code == 400
    assert SESSION in browser.cookies


async def test_somebody_elses_answer_does_not_end_an_attempt(browser: Browser) -> None:
    told = await browser.chosen(await browser.set_out())
    await _nothing_came_of_it(browser, await browser.come_back({**told, "state": "of somebody else"}))
    assert (await browser.come_back(told)).status_code == 303


async def test_the_issuer_must_speak_of_the_same_attempt_and_the_same_account(
    browser: Browser, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = await browser.set_out()
    told = await browser.chosen({**asked, "nonce": "of another attempt"})
    await _nothing_came_of_it(browser, await browser.come_back(told))
    told = await browser.chosen(await browser.set_out())
    make = peer.issuer.access_token
    monkeypatch.setattr(peer.issuer, "access_token", lambda *_, **changes: make("international", **changes))
    await _nothing_came_of_it(browser, await browser.come_back(told))


async def test_an_id_token_for_another_client_lets_nobody_in(
    browser: Browser, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign = peer.issuer.sign

    def meant_for(client: str) -> Callable[..., str]:
        return lambda claims, **more: sign({**claims, "aud": client} if "nonce" in claims else claims, **more)

    monkeypatch.setattr(peer.issuer, "sign", meant_for("another"))
    await _nothing_came_of_it(browser, await browser.sign_in())
    monkeypatch.setattr(peer.issuer, "sign", meant_for(CLIENT))
    assert (await browser.sign_in()).status_code == 303


@pytest.mark.parametrize("kept", ["", "x", "a.b.c.d", "a.9999999999.", "....."])
async def test_a_made_up_attempt_is_none(browser: Browser, kept: str) -> None:
    told = await browser.chosen(await browser.set_out())
    browser.cookies[ATTEMPT] = kept
    await _nothing_came_of_it(browser, await browser.come_back(told))


async def test_an_attempt_that_was_changed_or_took_too_long_is_none(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = await browser.chosen(await browser.set_out())
    kept = browser.cookies[ATTEMPT]
    secret, until, page, seal = kept.split(".")
    browser.cookies[ATTEMPT] = f"{secret}.{until}.L2V2aWw{page}.{seal}"
    await _nothing_came_of_it(browser, await browser.come_back(told))
    browser.cookies[ATTEMPT] = kept
    monkeypatch.setattr(page_api, "time", SimpleNamespace(time=lambda: time.time() + 601))
    await _nothing_came_of_it(browser, await browser.come_back(told))


async def test_who_has_no_role_is_told_so_and_an_issuer_that_is_away_too(browser: Browser, peer: Peer) -> None:
    reply = await browser.sign_in("nobody")
    await _nothing_came_of_it(browser, reply, 403)
    assert "none of your groups" in reply.text
    told = await browser.chosen(await browser.set_out())
    peer.is_away = True
    try:
        await _nothing_came_of_it(browser, await browser.come_back(told), 503)
    finally:
        peer.is_away = False


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": ""}, {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "null"}, {"Sec-Fetch-Site": "cross-site", "Origin": BASE_URL},
    ],
    ids=str,
)  # fmt: skip
async def test_no_other_website_acts_for_whoever_is_signed_in(
    browser: Browser, ours: Students, headers: dict[str, str]
) -> None:
    await browser.sign_in()
    note = {"at": in_hours(0), "nonce": "from-another-website", "participant_class": "local"}
    for method, address, more in (
        ("POST", at(ours, "walk-ins"), {"json": note}),
        ("PUT", at(ours, "terms"), {"json": {}}),
        ("DELETE", at(ours, f"check-in-passes/{ours.activity_id}"), {}),
        ("POST", "/registration/sign-out", {}),
        ("POST", "/activities/v1/activities", {"json": DRAFT}),
    ):
        reply = await browser.ask(method, address, headers={**headers, **browser.network.key()}, **more)
        check_problem(reply, status=403)
    if headers != {"Sec-Fetch-Site": "none"}:
        assert (await browser.ask("GET", at(ours, "attendance"), headers=headers)).status_code == 401
    assert (await browser.ask("GET", at(ours, "attendance"))).status_code == 200


async def test_a_browser_that_says_nothing_but_its_origin_is_believed(browser: Browser, ours: Students) -> None:
    await browser.sign_in()
    cookie = {"Cookie": f"{SESSION}={browser.cookies[SESSION]}"}
    client, note = browser.network.client, {"at": in_hours(0), "nonce": "old-browser-1", "participant_class": "local"}
    reply = await client.post(at(ours, "walk-ins"), json=note, headers={**cookie, "Origin": BASE_URL})
    assert reply.status_code == 200
    assert (await client.post(at(ours, "walk-ins"), json=note, headers=cookie)).status_code == 403


async def test_who_signs_out_is_out_at_once_and_their_cookie_opens_nothing(browser: Browser, ours: Students) -> None:
    await browser.sign_in()
    kept = dict(browser.cookies)
    assert (await browser.ask("GET", at(ours, "attendance"))).status_code == 200
    reply = await browser.ask("POST", "/registration/sign-out")
    assert (reply.status_code, browser.cookies) == (200, {})
    back = Browser(browser.network, browser.peer, kept)
    assert (await back.ask("GET", at(ours, "attendance"))).status_code == 401
    assert (await back.ask("POST", "/registration/sign-out")).status_code == 200


async def test_a_session_ends_by_time_and_a_new_one_ends_the_one_before(browser: Browser, ours: Students) -> None:
    url = browser.network.database_url
    for column, interval in (("seen_at", "31 minutes"), ("begun_at", "481 minutes")):
        await browser.sign_in()
        await rows(url, f"UPDATE access.sessions SET {column} = {column} - interval '{interval}'")
        assert (await browser.ask("GET", at(ours, "attendance"))).status_code == 401
    await browser.network.sweep()
    assert await value(url, "SELECT count(*) FROM access.sessions") == 0
    await browser.sign_in()
    before = Browser(browser.network, browser.peer, dict(browser.cookies))
    await browser.sign_in()
    assert (await before.ask("GET", at(ours, "attendance"))).status_code == 401
    # Whoever uses it is seen, once a minute.
    await rows(url, "UPDATE access.sessions SET seen_at = seen_at - interval '2 minutes'")
    assert (await browser.ask("GET", at(ours, "attendance"))).status_code == 200
    recent = "SELECT count(*) FROM access.sessions WHERE seen_at > now() - interval '1 minute'"

    async def is_seen() -> None:
        assert await value(url, recent) == 1

    await harness.eventually(is_seen)


def _ends(page: httpx.Response) -> list[str]:
    return re.findall(r'action="(browsers/[^"]+)"', page.text)


async def test_one_sees_and_ends_ones_own_sessions_and_no_others(browser: Browser, ours: Students) -> None:
    await rows(browser.network.database_url, "DELETE FROM access.sessions")
    other, stranger = (Browser(browser.network, browser.peer) for _ in range(2))
    assert (await browser.ask("GET", "/registration/sign-in/browsers")).status_code == 401
    for each, person in ((browser, "local"), (other, "local"), (stranger, "other-local")):
        await each.sign_in(person)
    page = await browser.ask("GET", "/registration/sign-in/browsers", headers={"Accept-Language": "it"})
    assert (page.status_code, page.text.count("<li>")) == (200, 2)
    assert "Questo browser" in page.text
    assert "form-action 'self'" in page.headers["content-security-policy"]
    [there, everywhere] = _ends(page)
    assert everywhere == "browsers/end"
    for each in (stranger, Browser(browser.network, browser.peer)):
        # Somebody else's stays; who is nobody is told so.
        assert (await each.ask("POST", f"/registration/sign-in/{there}")).status_code in {303, 401}
    assert (await other.ask("GET", at(ours, "attendance"))).status_code == 200
    reply = await browser.ask("POST", f"/registration/sign-in/{there}")
    assert (reply.status_code, reply.headers["location"]) == (303, "../../browsers")
    assert (await other.ask("GET", at(ours, "attendance"))).status_code == 401
    await other.sign_in()
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    check_problem(await browser.ask("POST", "/registration/sign-in/browsers/end", headers=headers), status=403)
    assert (await browser.ask("POST", "/registration/sign-in/browsers/end")).headers["location"] == "../browsers"
    assert [(await each.ask("GET", at(ours, "attendance"))).status_code for each in (browser, other)] == [200, 401]
    assert (await stranger.ask("GET", "/registration/sign-in/browsers")).status_code == 200


async def test_there_are_ten_at_most_and_the_one_unused_longest_goes(browser: Browser, peer: Peer) -> None:
    url = browser.network.database_url
    await rows(url, "DELETE FROM access.sessions")
    browsers = [Browser(browser.network, peer) for _ in range(sessions.MOST + 2)]
    for each in browsers:
        await each.sign_in()
    assert await value(url, "SELECT count(*) FROM access.sessions") == sessions.MOST == 10
    for each, status in ((browsers[1], 401), (browsers[2], 200)):
        assert (await each.ask("GET", "/registration/sign-in/browsers")).status_code == status


async def _run(*arguments: str) -> str:
    made = await asyncio.to_thread(CliRunner().invoke, commands.app, [*arguments])
    assert made.exit_code == 0, made.output + repr(made.exception)
    return made.output


async def test_operators_see_and_end_sessions_and_tokens(
    browser: Browser, ours: Students, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = browser.network.database_url
    for name, told in (("DATABASE_URL", url), ("SOCIALERASMUS_SECRET", harness.SECRET), ("REDIS_URL", "redis://x")):
        monkeypatch.setenv(name, told)
    await rows(url, "DELETE FROM access.sessions")
    other, stranger = (Browser(browser.network, browser.peer) for _ in range(2))
    for each, person in ((browser, "local"), (other, "local"), (stranger, "other-local")):
        await each.sign_in(person)
    local = await browser.network.local()
    holder = await value(url, "SELECT holder FROM access.sessions GROUP BY 1 HAVING count(*) = 2")
    assert (await _run("sessions", "list")).count(str(holder)) == 2
    assert await _run("sessions", "end", str(holder)) == "2 ended\n"
    for each, status in ((browser, 401), (other, 401), (stranger, 403)):
        assert (await each.ask("GET", at(ours, "attendance"))).status_code == status
    assert await _run("sessions", "end", "--all") == "1 ended\n"
    [token] = re.findall(r"(?m)^(\S+)  local_coordinator  IT-SASS-ESN", await _run("tokens", "list"))[:1]
    assert await _run("tokens", "revoke", token) == "1 revoked\n"
    assert await _run("tokens", "revoke", token) == "0 revoked\n"
    assert token not in await _run("tokens", "list")
    for wrong in (["tokens", "revoke"], ["sessions", "end", str(holder), "--all"]):
        assert (await asyncio.to_thread(CliRunner().invoke, commands.app, wrong)).exit_code == 1
    done = await rows(url, "SELECT verb, details::text FROM activities.audit_entries WHERE actor_role = 'command'")
    assert [row["verb"] for row in done] == ["end sessions"] * 2 + ["revoke tokens"] * 2
    assert str(holder) in done[0]["details"]
    assert local


async def test_signing_in_and_out_is_logged_without_a_name_or_a_secret(
    browser: Browser, ours: Students, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = CapturingLogger()
    for module in (page_api, auth):
        monkeypatch.setattr(module, "log", log)
    await browser.sign_in()
    kept = list(browser.cookies.values())
    await browser.ask("POST", "/registration/sign-out")
    await browser.sign_in("nobody")
    await browser.come_back({"state": "of somebody else"})
    token = (await browser.network.local())["Authorization"]
    assert (await browser.ask("GET", at(ours, "attendance"), headers={"Authorization": token})).status_code == 200
    told = [(call.args[0], {name: each for name, each in call.kwargs.items() if name != "actor"}) for call in log.calls]
    signed_in = [each for each in told if each[0] != "admitted"]
    assert signed_in == [
        ("signed in", {"role": "local_coordinator"}), ("signed out", {}), ("not signed in", {"why": "no role"}),
        ("not signed in", {"why": "another attempt"}),
    ]  # fmt: skip
    assert ("admitted", {"by": "token"}) in told
    actors = [call.kwargs["actor"] for call in log.calls if "actor" in call.kwargs]
    assert all(len(each) == 36 for each in actors)
    assert not [each for each in (*kept, token.split()[1]) if each in repr(log.calls)]


async def test_a_role_that_is_taken_away_ends_the_session(
    browser: Browser, peer: Peer, ours: Students, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rows(browser.network.database_url, "DELETE FROM access.sessions")
    await browser.sign_in()
    assert (await browser.ask("GET", at(ours, "attendance"))).status_code == 200
    monkeypatch.setitem(peer.issuer.people, "local", Somebody("local", []))
    _later(monkeypatch, 60)
    for _ in range(2):
        assert (await browser.ask("GET", at(ours, "attendance"))).status_code == 401
    assert await value(browser.network.database_url, "SELECT count(*) FROM access.sessions") == 0


async def test_what_the_issuer_gave_is_renewed_before_it_ends_and_once(browser: Browser, ours: Students) -> None:
    url, peer = browser.network.database_url, browser.peer
    await rows(url, "DELETE FROM access.sessions")
    await browser.sign_in()
    await rows(url, "UPDATE access.sessions SET token_ends_at = now() + interval '30 seconds'")
    asked = peer.asked["token"]
    replies = await asyncio.gather(*(browser.ask("GET", at(ours, "attendance")) for _ in range(5)))
    assert [reply.status_code for reply in replies] == [200] * 5
    assert peer.asked["token"] == asked + 1
    # The issuer renews no more: who signed in is asked again.
    await rows(url, "UPDATE access.sessions SET token_ends_at = now()")
    peer.issuer.refreshing.clear()
    assert (await browser.ask("GET", at(ours, "attendance"))).status_code == 401


async def test_the_table_of_sessions_opens_nothing(browser: Browser, ours: Students) -> None:
    await browser.sign_in()
    found = await rows(browser.network.database_url, "SELECT * FROM access.sessions")
    told = " ".join(str(dict(row)) for row in found)
    assert browser.cookies[SESSION] not in told
    assert "eyJhbGciOiJFUzI1NiI" not in told
    assert not set(browser.peer.issuer.refreshing) & set(re.findall(r"[\w-]{43}", told))
    browser.cookies[SESSION] = "x" * 43
    assert (await browser.ask("GET", at(ours, "attendance"))).status_code == 401


async def test_what_is_sealed_cannot_be_changed(browser: Browser, ours: Students) -> None:
    await rows(browser.network.database_url, "DELETE FROM access.sessions")
    await browser.sign_in()
    assert (await browser.ask("GET", at(ours, "attendance"))).status_code == 200
    sealed = str(await value(browser.network.database_url, "SELECT sealed FROM access.sessions"))
    encrypted, _, tag = sealed.rpartition(".")
    changed = f"{encrypted[:-6]}{'B' if encrypted[-6] == 'A' else 'A'}{encrypted[-5:]}.{tag}"
    await rows(browser.network.database_url, "UPDATE access.sessions SET sealed = $1", changed)
    assert (await browser.ask("GET", at(ours, "attendance"))).status_code == 401


async def test_what_is_sent_with_a_request_goes_before_the_cookie(browser: Browser, ours: Students) -> None:
    await browser.sign_in()
    other = await browser.network.local("PT-PORT-ESN")
    assert (await browser.ask("GET", at(ours, "attendance"), headers=other)).status_code == 403
    wrong = {"Authorization": "Bearer made-up"}
    assert (await browser.ask("GET", at(ours, "attendance"), headers=wrong)).status_code == 401


async def test_without_an_issuer_nobody_signs_in(shared: Network) -> None:
    for method, address in (
        ("GET", "sign-in"),
        ("GET", "sign-in/callback"),
        ("GET", "sign-in/done"),
        ("POST", "sign-out"),
    ):
        reply = await shared.client.request(method, f"/registration/{address}", headers=OWN)
        assert (reply.status_code, reply.json()["title"]) == (404, "Not found")
    headers = {"Cookie": f"{SESSION}=x", **OWN}
    address = "/registration/v1/activities/01890000-0000-7000-8000-000000000000"
    assert (await shared.client.get(f"{address}/attendance", headers=headers)).status_code == 401
    page = await shared.client.get(address.replace("/v1", "") + "/check-in")
    assert 'id="sign-in"' not in page.text


async def test_the_check_in_page_leads_to_the_issuer(browser: Browser, ours: Students) -> None:
    page = await browser.ask("GET", f"/registration/activities/{ours.activity_id}/check-in")
    assert '<a id="sign-in"' in page.text
