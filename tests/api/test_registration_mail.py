"""The mails as they arrive: text and HTML of the same words; and what is told when one can't be delivered."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from services.kernel import mail
from services.registration.places import letters
from tests.harness import databases as harness
from tests.harness import mail_server
from tests.harness.databases import rows, value
from tests.harness.network import Network, running
from tests.harness.refusals import refused
from tests.harness.sign_ups import Students, students, text_of

BOUNCES = "/registration/v1/mail/bounces"


class _Page(HTMLParser):
    """What a page says, and every address that it names."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: set[str] = set()
        self.addresses: set[str] = set()
        self.root: dict[str, str | None] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.root = dict(attrs) if tag == "html" else self.root
        self.addresses |= {told or "" for name, told in attrs if name in {"href", "src", "background", "action"}}

    def handle_data(self, data: str) -> None:
        self.words += data.split()


def _html(message: EmailMessage) -> _Page:
    part = message.get_body(("html",))
    assert part is not None
    return _Page(part.get_content())


@pytest.mark.parametrize(("language", "tag"), [("de-AT", "de"), ("pl", "pl"), ("pt", "en")])
async def test_a_mail_says_the_same_as_text_and_as_html(network: Network, language: str, tag: str) -> None:
    ours = await students(network, title="Beach <b>& dunes</b>")
    await ours.confirmed("Ada", language=language)
    for message in await ours.mails("Ada"):
        assert message.get_content_type() == "multipart/alternative"
        assert (message["Content-Language"], message["Auto-Submitted"]) == (tag, "auto-generated")
        assert message["List-Unsubscribe"] is None
        page, text = _html(message), text_of(message)
        assert (page.root["lang"], page.root["dir"]) == (tag, "ltr")
        link = re.search(r"https?://\S+", text)
        assert link is not None
        pictures = {"cid:code-1"} if message.get_payload()[-1].get_content_type() == "multipart/related" else set()
        assert page.addresses == {link[0]} | pictures, "it loads nothing but of itself, and leads to one place"
        assert page.tags & {"link", "script", "b", "iframe", "form"} == set()
        said = " ".join(page.words)
        for line in filter(None, (" ".join(paragraph.split()) for paragraph in text.split("\n\n"))):
            for part in [line] if "Beach" not in line else ["Beach <b>& dunes</b>"]:
                assert part in said, part


def test_a_mail_is_the_same_to_the_last_byte_however_often_it_is_tried() -> None:
    told = harness.settings("postgresql://nobody@localhost/none", "redis://localhost")
    row = {
        "id": uuid4(), "recipient": "ada@students.example", "subject": "Hello", "body": "Zoë", "html": "<p>Zoë</p>",
        "language": "en", "queued_at": datetime.now(UTC), "codes": ["https://x.example/#7K3M", "https://x.example/#QX2D"],
    }  # fmt: skip
    first, again = [mail.compose(told, row) for _ in range(2)]
    assert bytes(first) == bytes(again)
    assert first["Message-ID"].startswith(f"<{row['id'].hex}@")


async def test_a_letter_is_kept_as_what_it_tells_and_written_when_it_is_sent(network: Network) -> None:
    ours = await students(network, title="Beach <b>& dunes</b>")
    await ours.sign_up("Ada", language="de-AT")
    [row] = await rows(network.database_url, "SELECT * FROM registration.outgoing_mail")
    assert (row["subject"], row["body"], row["html"], row["language"]) == (None, None, None, "de")
    facts = json.loads(row["facts"])
    assert facts.keys() == {
        "title", "starts_at", "ends_at", "time_zone", "location", "minimum_age", "held_until", "given_name", "code",
        "link", "scanned",
    }  # fmt: skip
    words = [mail.compose(network.settings, {**row, **letters.write({**row, "facts": facts})}) for _ in range(2)]
    assert bytes(words[0]) == bytes(words[1])
    await network.sweep()
    [sent] = network.mails()
    assert sent.read_bytes() == bytes(words[0]), "however often it is tried, it is the same to the last byte"
    [after] = await rows(network.database_url, "SELECT * FROM registration.outgoing_mail")
    assert (after["facts"], after["recipient"], after["sent_at"] is None) == (None, None, False)


async def test_a_letter_of_the_version_before_is_sent_with_the_words_that_it_has(network: Network) -> None:
    await rows(
        network.database_url,
        """INSERT INTO registration.outgoing_mail (id, business_key, recipient, subject, body, html, language, trace_id)
        VALUES (gen_random_uuid(), 'x:confirm', 'ada@students.example', 'Hello', 'Words', '<p>Words</p>', 'en', 'x')""",
    )
    await network.sweep()
    [sent] = network.mails()
    assert "Words" in sent.read_text()


async def test_a_letter_that_nobody_knows_how_to_write_waits_and_keeps_nobody_waiting(network: Network) -> None:
    ours = await students(network)
    await ours.sign_up("Ada")
    later = "UPDATE registration.outgoing_mail SET business_key = about || ':of_a_later_version'"
    await rows(network.database_url, later)
    await ours.sign_up("Bo")
    await network.sweep()
    assert len(network.mails()) == 1
    waits = "SELECT error FROM registration.outgoing_mail WHERE due_at > now() AND facts IS NOT NULL"
    assert await value(network.database_url, waits) == "ValueError"


class _Refusing(mail_server.MailServer):
    """A server that knows nobody."""

    async def handle_RCPT(self, *_: Any) -> str:  # noqa: N802  # aiosmtpd's name.
        """Refuse every mailbox for good, repeating it as servers do."""
        return "550 5.1.1 <ada@students.example>: user unknown"


@pytest.fixture
async def refusing(database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Network]:
    """The services with a mail server that takes nothing."""
    monkeypatch.setattr(mail_server, "MailServer", _Refusing)
    with mail_server.running() as server:
        told = harness.settings(database_url, redis_url).model_copy(update={"smtp_url": SecretStr(server.url)})
        async with running(told, database_url) as made:
            yield made


async def _entry(ours: Students) -> dict[str, Any]:
    reply = await ours.network.client.get(
        f"/registration/v1/activities/{ours.activity_id}/registrations", headers=await ours.network.local()
    )
    found: dict[str, Any] = reply.json()["items"][0]
    return found


async def test_organisers_see_who_can_not_be_reached(refusing: Network) -> None:
    ours = await students(refusing)
    await ours.sign_up("Ada")
    assert (await _entry(ours))["mail"] == "queued"
    await refusing.sweep()
    assert (await _entry(ours))["mail"] == "failed"
    row = (await rows(refusing.database_url, "SELECT * FROM registration.outgoing_mail"))[0]
    assert (row["status"], row["error"], row["tries"], row["due_at"]) == ("550", "SMTPRecipientsRefused", 1, None)
    assert (row["recipient"], row["subject"], row["body"], row["html"]) == (None,) * 4
    assert "ada@" not in str(dict(row))


async def test_a_mail_that_comes_back_later_counts_as_not_delivered(network: Network) -> None:
    ours = await students(network)
    await ours.sign_up("Ada")
    message_id = (await ours.mails("Ada"))[0]["Message-ID"]
    assert (await _entry(ours))["mail"] == "sent"
    for _ in range(2):
        told = {"message_id": message_id, "status": "5.1.1"}
        reply = await network.client.post(BOUNCES, json=told, headers=await network.token("machine"))
        assert reply.status_code == 204
    assert (await _entry(ours))["mail"] == "failed"
    await rows(network.database_url, "UPDATE registration.outgoing_mail SET queued_at = now() - interval '2 hours'")
    await ours.sign_up("Ada")
    await network.sweep()
    assert (await _entry(ours))["mail"] == "sent", "the latest mail counts"
    bounced = "SELECT status FROM registration.outgoing_mail WHERE bounced_at IS NOT NULL"
    assert await value(network.database_url, bounced) == "5.1.1"


@pytest.mark.parametrize(
    ("role", "status"),
    [("local_coordinator", 403), ("international", 403), ("machine", 404), ("operator", 404), (None, 401)],
)
async def test_only_the_mail_server_and_operators_tell_what_came_back(
    shared: Network, role: str | None, status: int
) -> None:
    scope = {"section": "IT-SASS-ESN"} if role == "local_coordinator" else {}
    who = await shared.token(role, **scope) if role else {}
    body = {"message_id": f"<{UUID(int=1).hex}@api.example.org>", "status": "550"}
    await refused(shared, "POST", BOUNCES, status=status, json=body, headers=who)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"message_id": "Zq7Marker"}, "#/message_id"),
        ({"message_id": f"<{'0' * 32}@>"}, "#/message_id"),
        ({"status": "4.2.2"}, "#/status"),
        ({"status": "250"}, "#/status"),
        ({"status": "5.1.1 Zq7Marker"}, "#/status"),
    ],
)
async def test_a_bounce_names_a_mail_and_a_failure_that_stays(
    shared: Network, changes: dict[str, str], pointer: str
) -> None:
    body = {"message_id": f"{'0' * 32}@api.example.org", "status": "5.0.0", **changes}
    who = await shared.token("machine")
    await refused(shared, "POST", BOUNCES, status=422, pointers=[pointer], json=body, headers=who)
