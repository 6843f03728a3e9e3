"""Whoever wants to become a partner writes to the nearest mailbox, and what they wrote is soon forgotten."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from email.message import EmailMessage
from typing import Any

import httpx
import pytest

from services.activities.enquiries import rules
from tests.harness import databases as harness
from tests.harness import mail_server
from tests.harness.databases import Databases, rows, value
from tests.harness.exchange import ENQUIRIES, ENQUIRY, post, set_mailbox
from tests.harness.mail_server import MailServer
from tests.harness.network import Network, running
from tests.harness.refusals import refused

SECTION, COUNTRY, INTERNATIONAL = "partners@sassari.example", "partners@italy.example", "partners@esn.example"
DUE = "UPDATE activities.outgoing_mail SET due_at = now() WHERE due_at IS NOT NULL"


@pytest.fixture
def mails() -> Iterator[MailServer]:
    with mail_server.running() as server:
        yield server


@pytest.fixture
async def network(databases: Databases, redis_url: str, mails: MailServer) -> AsyncIterator[Network]:
    """The services with a mail server, mailboxes of a section and of its country, and an international one."""
    async with databases.fresh() as url:
        told = harness.settings(url, redis_url, smtp_url=mails.url, enquiries_to=INTERNATIONAL)
        async with running(told, url) as made:
            await set_mailbox(made, "sections/IT-SASS-ESN", SECTION, await made.local())
            await set_mailbox(made, "countries/IT", COUNTRY, await made.national())
            yield made


@pytest.fixture(scope="module")
async def with_mailboxes(databases: Databases, redis_url: str) -> AsyncIterator[Network]:
    """One network with an international mailbox, for tests that look at what they made alone."""
    async with databases.fresh() as url:
        told = harness.settings(url, redis_url, enquiries_to=INTERNATIONAL)
        async with running(told, url) as made:
            yield made


async def listed(network: Network, who: dict[str, str], **query: Any) -> list[dict[str, Any]]:
    reply = await network.client.get(ENQUIRIES, headers=who, params=query)
    assert reply.status_code == 200, reply.text
    found: list[dict[str, Any]] = reply.json()["items"]
    return found


def only(mails: list[EmailMessage]) -> EmailMessage:
    [mail] = mails
    return mail


async def test_an_enquiry_reaches_its_section_by_mail_and_can_be_answered(network: Network, mails: MailServer) -> None:
    taken = await post(network, ENQUIRIES, ENQUIRY)
    assert taken == {"id": taken["id"], "level": "section", "code": "IT-SASS-ESN", "kept_days": 30}
    await network.sweep()
    mail = only(mails.received)
    assert (mail["To"], mail["Reply-To"]) == (SECTION, "Boards@surf.example.org")
    assert mail["Subject"] == "Would like to become a partner: Surf School"
    text = mail.get_content().replace("\r\n", "\n")
    for words in ("Surf School", "Company", "Sassari, IT", "> We have boards.\n> Do you have hands?", "Gavino"):
        assert words in text
    wiped = await rows(network.database_url, "SELECT recipient, reply_to, subject, body FROM activities.outgoing_mail")
    assert [tuple(row) for row in wiped] == [(None, None, None, None)]


async def test_without_a_mailbox_the_next_level_gets_it(network: Network, mails: MailServer) -> None:
    cases: list[tuple[dict[str, Any], str, tuple[str, str | None]]] = [
        ({"section": "IT-MILA-STA"}, COUNTRY, ("country", "IT")),
        ({"section": None}, COUNTRY, ("country", "IT")),
        ({"section": "PL-WARS-UKS"}, INTERNATIONAL, ("international", None)),
        ({"section": None, "country": "PL"}, INTERNATIONAL, ("international", None)),
        ({"section": "IT-SASS-ESN", "country": "FR"}, SECTION, ("section", "IT-SASS-ESN")),
    ]
    for changes, _, level in cases:
        taken = await post(network, ENQUIRIES, {**ENQUIRY, **changes})
        assert (taken["level"], taken["code"]) == level
    await network.sweep()
    assert [mail["To"] for mail in mails.received] == [recipient for _, recipient, _ in cases]


async def test_where_there_is_no_mailbox_at_all_nothing_is_taken(shared: Network) -> None:
    await refused(shared, "POST", ENQUIRIES, status=409, headers=shared.key(), json=ENQUIRY, hidden=["surf"])


@pytest.mark.parametrize(
    ("pointer", "changes"),
    [
        ("#/email", {"email": "a@example.org\r\nBcc: all@example.org"}),
        ("#/email", {"email": "a@example.org, b@example.org"}),
        ("#/email", {"email": "Ann <a@example.org>"}),
        ("#/email", {"email": "nobody"}),
        ("#/email", {"email": "=?utf-8?q?x=2C_all=40example.org?=@example.org"}),
        ("#/organisation", {"organisation": "Surf\r\nBcc: all@example.org"}),
        ("#/organisation", {"organisation": "Surf\u2028Bcc: all@example.org"}),
        ("#/name", {"name": "a\nb"}),
        ("#/city", {"city": "a\nb"}),
        ("#/message", {"message": "x" * 5001}),
        ("#/consent", {"consent": False}),
        ("#/consent", {"consent": "true"}),
        ("#/section", {"section": "XX-NONE"}),
        ("#/country", {"country": "ZZ"}),
        ("#/kind", {"kind": "bank"}),
        ("#/language", {"language": "Italian!"}),
    ],
    ids=ascii,
)
async def test_what_is_wrong_is_named_and_nothing_is_sent(
    shared: Network, pointer: str, changes: dict[str, Any]
) -> None:
    body = {**ENQUIRY, **changes}
    await refused(shared, "POST", ENQUIRIES, status=422, pointers=[pointer], headers=shared.key(), json=body)


async def test_what_is_sent_can_not_pretend_to_be_part_of_the_mail(network: Network, mails: MailServer) -> None:
    tricks = {
        "organisation": "Surf\u202e loohcS =?utf-8?q?=0D=0ABcc:_all@example.org?=",
        "message": "\r\nBcc: all@example.org\r\n\r\n.\r\nQUIT\r\n--\r\nYour mailbox is full\u2028{id} {0.__class__}",
        "name": "x" * 200,
        "city": "{organisation}",
    }
    await post(network, ENQUIRIES, {**ENQUIRY, **tricks})
    await network.sweep()
    mail = only(mails.received)
    assert {name.lower() for name in mail.keys()} <= {  # noqa: SIM118  # Of a message these are all the headers.
        "from", "to", "reply-to", "subject", "message-id", "date", "auto-submitted", "content-type",
        "content-transfer-encoding", "mime-version", "content-language", "x-peer", "x-mailfrom", "x-rcptto",
    }  # fmt: skip
    assert (mail["To"], mail["Reply-To"]) == (SECTION, "Boards@surf.example.org")
    assert "\u202e" not in mail["Subject"] + mail.get_content()
    for line in ("> Bcc: all@example.org", "> .", "> QUIT", "> --", "> {id} {0.__class__}"):
        assert line in mail.get_content().splitlines()


async def test_an_enquiry_is_sent_once_however_often_it_is_sent_here(network: Network, mails: MailServer) -> None:
    key = network.key()
    first = await network.client.post(ENQUIRIES, json=ENQUIRY, headers=key)
    again = await network.client.post(ENQUIRIES, json=ENQUIRY, headers=key)
    other_key = await network.client.post(ENQUIRIES, json=ENQUIRY, headers=network.key())
    assert {reply.json()["id"] for reply in (first, again, other_key)} == {first.json()["id"]}
    await refused(network, "POST", ENQUIRIES, status=400, json=ENQUIRY)
    await network.sweep()
    only(mails.received)


async def test_nobody_can_flood_a_mailbox_or_use_it_to_flood(
    network: Network, mails: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(rules.MOST_A_DAY_FROM_ONE):
        await post(network, ENQUIRIES, {**ENQUIRY, "message": f"Message {number}"})
    more = {**ENQUIRY, "message": "One more", "email": "boards@SURF.example.org"}
    told = await refused(network, "POST", ENQUIRIES, status=429, headers=network.key(), json=more, hidden=["surf"])
    assert told["title"] == "Too many enquiries"
    await post(network, ENQUIRIES, {**more, "email": "else@surf.example.org"})
    monkeypatch.setattr(rules, "MOST_A_DAY_TO_ONE", rules.MOST_A_DAY_FROM_ONE + 1)
    flood = {**more, "email": "third@surf.example.org"}
    await refused(network, "POST", ENQUIRIES, status=429, headers=network.key(), json=flood)
    await post(network, ENQUIRIES, {**flood, "section": None})
    await network.sweep()
    assert {mail["To"] for mail in mails.received} == {SECTION, COUNTRY}
    # The day after there is room again.
    await rows(network.database_url, "UPDATE activities.enquiries SET asked_at = asked_at - interval '25 hours'")
    await post(network, ENQUIRIES, more)


async def test_who_took_a_section_over_gets_its_enquiries_or_else_its_country(
    network: Network, mails: MailServer
) -> None:
    observer = await network.observer()
    for section, successor in (("IT-MILA-STA", "IT-SASS-ESN"), ("PT-PORT-ESN", "IT-MILA-STA")):
        await observer.execute(
            "UPDATE activities.sections SET state = 'merged', merged_into = $2 WHERE code = $1", section, successor
        )
    taken = await post(network, ENQUIRIES, {**ENQUIRY, "section": "PT-PORT-ESN"})
    assert (taken["level"], taken["code"]) == ("section", "IT-SASS-ESN")
    assert [each["section"] for each in await listed(network, await network.local())] == ["IT-SASS-ESN"]
    await observer.execute("DELETE FROM activities.mailboxes WHERE code = 'IT-SASS-ESN'")
    taken = await post(network, ENQUIRIES, {**ENQUIRY, "section": "PT-PORT-ESN", "message": "Another"})
    assert (taken["level"], taken["code"]) == ("country", "IT")
    await network.sweep()
    assert [mail["To"] for mail in mails.received] == [SECTION, COUNTRY]


async def test_a_flood_for_one_country_shuts_no_other_out(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MOST_A_DAY_TO_ONE", 1)
    polish = {**ENQUIRY, "section": None, "country": "PL"}
    assert (await post(network, ENQUIRIES, polish))["level"] == "international"
    more = {**polish, "message": "More", "email": "else@surf.example.org"}
    await refused(network, "POST", ENQUIRIES, status=429, headers=network.key(), json=more)
    assert (await post(network, ENQUIRIES, {**more, "country": "PT"}))["level"] == "international"


async def test_mail_that_can_not_be_sent_is_tried_again_until_it_is(
    databases: Databases, redis_url: str, mails: MailServer
) -> None:
    async with databases.fresh() as url:
        with mail_server.running() as gone:
            pass
        away = harness.settings(url, redis_url, smtp_url=gone.url, enquiries_to=INTERNATIONAL)
        async with running(away, url) as network:
            await post(network, ENQUIRIES, ENQUIRY)
            await network.sweep()
            who = await network.national()
            assert [item["state"] for item in await listed(network, who)] == ["queued"]
            assert await value(url, "SELECT tries FROM activities.outgoing_mail") == 1
        back = harness.settings(url, redis_url, smtp_url=mails.url, enquiries_to=INTERNATIONAL)
        async with running(back, url) as network:
            await network.sweep()
            assert mails.received == []
            await rows(url, DUE)
            await network.sweep()
            assert only(mails.received)["To"] == INTERNATIONAL
            assert [item["state"] for item in await listed(network, who)] == ["sent"]
            await rows(url, DUE)
            await network.sweep()
            only(mails.received)


async def test_coordinators_see_the_enquiries_within_their_reach(network: Network) -> None:
    await post(network, ENQUIRIES, ENQUIRY)
    await post(network, ENQUIRIES, {**ENQUIRY, "organisation": "Bank", "section": None})
    await post(network, ENQUIRIES, {**ENQUIRY, "organisation": "Szkoła", "section": "PL-WARS-UKS"})
    everybody = ["Szkoła", "Bank", "Surf School"]
    for who, sees in (
        (await network.local(), ["Surf School"]),
        (await network.local("IT-MILA-STA"), []),
        (await network.national(), ["Bank", "Surf School"]),
        (await network.national("PL"), ["Szkoła"]),
        (await network.token("international"), everybody),
    ):
        assert [item["organisation"] for item in await listed(network, who)] == sees
    found, address = [], f"{ENQUIRIES}?limit=1"
    while address:
        page = (await network.client.get(address, headers=who)).json()
        found += [item["organisation"] for item in page["items"]]
        address = page["next"]
    assert found == everybody


async def test_enquiries_are_for_coordinators_only(network: Network) -> None:
    taken = await post(network, ENQUIRIES, ENQUIRY)
    answered = f"{ENQUIRIES}/{taken['id']}/answered"
    await refused(network, "GET", ENQUIRIES, status=401)
    await refused(network, "GET", ENQUIRIES, status=403, headers=await network.token("machine"))
    await refused(network, "POST", answered, status=401)
    for who in (await network.local("IT-MILA-STA"), await network.national("PL"), await network.token("machine")):
        await refused(network, "POST", answered, status=404, headers=who)


async def test_an_enquiry_is_marked_as_answered(network: Network) -> None:
    taken, local = await post(network, ENQUIRIES, ENQUIRY), await network.local()
    await network.sweep()
    [sent] = await listed(network, local, state="sent")
    assert sent["sent_at"] is not None
    assert {name: sent[name] for name in ENQUIRY if name != "consent"} == {
        name: given for name, given in ENQUIRY.items() if name != "consent"
    }
    first = await network.client.post(f"{ENQUIRIES}/{taken['id']}/answered", headers=local)
    again = await network.client.post(f"{ENQUIRIES}/{taken['id']}/answered", headers=local)
    assert first.json() == again.json() == {**sent, "state": "answered", "answered_at": first.json()["answered_at"]}
    assert (await listed(network, local, state="sent"), await listed(network, local)) == ([], [first.json()])


async def test_what_was_written_is_forgotten_some_time_after_it_was_sent(network: Network) -> None:
    await post(network, ENQUIRIES, ENQUIRY)
    await network.sweep()
    await post(network, ENQUIRIES, {**ENQUIRY, "organisation": "Not sent yet"})
    past = "UPDATE activities.outgoing_mail SET sent_at = now() - interval '{} days' WHERE sent_at IS NOT NULL"
    left = "SELECT organisation FROM activities.enquiries ORDER BY id"
    hold = "UPDATE activities.outgoing_mail SET due_at = now() + interval '1 hour' WHERE due_at IS NOT NULL"
    await rows(network.database_url, hold)
    for days, organisations in ((29, ["Surf School", "Not sent yet"]), (31, ["Not sent yet"])):
        await rows(network.database_url, past.format(days))
        await network.sweep()
        assert [row[0] for row in await rows(network.database_url, left)] == organisations
    assert await value(network.database_url, "SELECT count(*) FROM activities.outgoing_mail") == 1


@pytest.mark.parametrize(
    ("of", "role", "scope", "status"),
    [
        ("sections/IT-MILA-STA", "local_coordinator", {"section": "IT-MILA-STA"}, 200),
        ("sections/IT-MILA-STA", "local_coordinator", {"section": "IT-SASS-ESN"}, 403),
        ("sections/IT-MILA-STA", "national_coordinator", {"country": "IT"}, 200),
        ("sections/IT-MILA-STA", "national_coordinator", {"country": "PL"}, 403),
        ("sections/XX-NONE", "international", {}, 404),
        ("countries/PL", "national_coordinator", {"country": "PL"}, 200),
        ("countries/PL", "national_coordinator", {"country": "IT"}, 403),
        ("countries/PL", "local_coordinator", {"section": "PL-WARS-UKS"}, 403),
        ("countries/PL", "machine", {}, 403),
    ],
)
async def test_a_mailbox_is_set_and_seen_by_those_in_reach(
    with_mailboxes: Network, of: str, role: str, scope: dict[str, str], status: int
) -> None:
    network, address = with_mailboxes, f"/activities/v1/{of}/mailbox"
    who = await network.token(role, **scope)
    before = await network.client.get(address, headers=await network.token("international"))
    told = {"If-Match": before.headers["etag"]} if before.status_code == 200 else {}
    reply = await set_mailbox(network, of, f"{role}@example.org", {**who, **told})
    seen = await network.client.get(address, headers=who)
    assert (reply.status_code, seen.status_code) == (status, status)
    if status == 200:
        assert seen.json() == reply.json()
        assert seen.json()["address"] == f"{role}@example.org"
    await refused(network, "GET", address, status=401)


async def test_a_mailbox_is_changed_by_those_who_have_read_it(network: Network) -> None:
    address, local = "/activities/v1/sections/IT-SASS-ESN/mailbox", await network.local()
    etag = (await network.client.get(address, headers=local)).headers["etag"]
    for body, pointer in (({"address": "x"}, "#/address"), ({}, "#/address"), ({"address": None, "a": 1}, "#/a")):
        await refused(
            network, "PUT", address, status=422, pointers=[pointer], headers={**local, "If-Match": etag}, json=body
        )
    await refused(network, "PUT", address, status=428, headers=local, json={"address": None})
    await refused(network, "PUT", address, status=412, headers={**local, "If-Match": '"1"'}, json={"address": None})
    gone = await network.client.put(address, headers={**local, "If-Match": etag}, json={"address": None})
    assert gone.json() == {"code": "IT-SASS-ESN", "address": None, "updated_at": None}
    await refused(network, "GET", address, status=404, headers=local)
    assert (await post(network, ENQUIRIES, ENQUIRY))["level"] == "country"


async def test_one_client_sends_so_many_a_day_whatever_address_it_names(databases: Databases, redis_url: str) -> None:
    async with databases.fresh() as url:
        told = harness.settings(url, redis_url, enquiries_to=INTERNATIONAL, enquiries_a_day=2)
        async with running(told, url) as network:
            some = [{**ENQUIRY, "message": f"Message {n}", "email": f"b{n}@surf.example.org"} for n in range(4)]
            await refused(network, "POST", ENQUIRIES, status=422, headers=network.key(), json={**ENQUIRY, "email": ""})
            for each in (some[0], some[0], some[1], some[0]):
                await post(network, ENQUIRIES, each)
            late = await refused(network, "POST", ENQUIRIES, status=429, headers=network.key(), json=some[2])
            assert late["title"] == "Too many enquiries"
            reply = await network.client.post(ENQUIRIES, json=some[2], headers=network.key())
            assert 1 <= int(reply.headers["retry-after"]) <= 2 * 24 * 3600
            form = {**some[3], "consent": "yes"}
            assert (await network.client.post("/activities/partners/enquire", data=form)).status_code == 429
            assert await value(url, "SELECT count(*) FROM activities.enquiries") == 2
            app = network.client._transport.app  # type: ignore[attr-defined]
            elsewhere = httpx.ASGITransport(app=app, client=("198.51.100.7", 4711))
            async with httpx.AsyncClient(transport=elsewhere, base_url=told.base_url) as other:
                assert (await other.post(ENQUIRIES, json=some[2], headers=network.key())).status_code == 201
