"""Reminders: each once, the day before, to those who come and want them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from services.registration.places import letters
from services.registration.telling import actions
from tests.api.test_registration_moves import revise, settles
from tests.harness import databases as harness
from tests.harness import mail_server
from tests.harness.databases import rows, value
from tests.harness.network import Network, running
from tests.harness.sign_ups import Students, students, text_of

ROME = ZoneInfo("Europe/Rome")


async def _the_day_before(ours: Students) -> None:
    """Let the activity be tomorrow, and the time for reminders be now."""
    starts = (datetime.now(ROME) + timedelta(days=1)).replace(hour=10, minute=0, second=0, microsecond=0)
    move = """UPDATE registration.places SET starts_at = $2::timestamptz, ends_at = $2::timestamptz + interval '3 h',
    remind_at = now() WHERE activity_id = $1"""
    await rows(ours.network.database_url, move, ours.activity_id, starts)
    early = "UPDATE registration.registrations SET confirmed_at = confirmed_at - interval '1 hour'"
    await rows(ours.network.database_url, early)
    await ours.network.sweep()


async def _reminders(ours: Students, name: str) -> list[EmailMessage]:
    return [mail for mail in await ours.mails(name) if mail["Subject"].startswith("Tomorrow")]


async def test_who_comes_is_reminded_once_of_each_date_and_nobody_else(network: Network) -> None:
    ours = await students(network, capacity=3)
    due = await value(network.database_url, "SELECT remind_at FROM registration.places")
    assert due == datetime(2027, 5, 7, 8, tzinfo=UTC), "the day before at ten, in Rome"
    await ours.confirmed("Ada")
    await ours.confirmed("Bo")
    await ours.sign_up("Cem")
    await ours.gives_up("Bo")
    await _the_day_before(ours)
    await ours.network.sweep()
    assert [len(await _reminders(ours, name)) for name in ("Ada", "Bo", "Cem")] == [1, 0, 0]
    [mail] = await _reminders(ours, "Ada")
    assert "Hello Ada" in text_of(mail)
    assert await value(network.database_url, "SELECT remind_at FROM registration.places") is None
    await revise(ours, starts_at="2027-06-08T06:00", ends_at="2027-06-08T08:00")
    due = await value(network.database_url, "SELECT remind_at FROM registration.places")
    assert due == datetime(2027, 6, 7, 7, tzinfo=UTC), "nobody is woken up"
    await settles(ours)
    await _the_day_before(ours)
    await rows(
        network.database_url, "UPDATE registration.registrations SET reminded_for = NULL WHERE state <> 'confirmed'"
    )
    found = len(await _reminders(ours, "Ada"))
    assert found == 1, "the same start, and so the same reminder"
    later = "UPDATE registration.places SET starts_at = starts_at + interval '1 hour', remind_at = now()"
    await rows(network.database_url, later)
    assert len(await _reminders(ours, "Ada")) == 2, "the new date is reminded of, too"


async def test_a_reminder_that_comes_too_late_is_not_sent(shared: Network) -> None:
    ours = await students(shared)
    await ours.confirmed("Late")
    today = """UPDATE registration.places SET starts_at = now() + interval '1 second', remind_at = now()
    WHERE activity_id = $1"""
    await rows(shared.database_url, today, ours.activity_id)
    await shared.sweep()
    assert await _reminders(ours, "Late") == []
    left = "SELECT remind_at FROM registration.places WHERE activity_id = $1"
    assert await value(shared.database_url, left, ours.activity_id) is None


async def test_a_worker_that_dies_on_the_way_reminds_the_rest_later_and_nobody_twice(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = await students(network)
    for name in ("Ada", "Bo", "Cem"):
        await ours.confirmed(name)
    monkeypatch.setattr(actions, "LETTERS_AT_ONCE", 1)
    send, sent = letters.send, 0

    async def dying(*told: Any, **more: Any) -> None:
        nonlocal sent
        await send(*told, **more)
        sent += 1
        if sent == 2:
            raise RuntimeError("the machine is off")

    monkeypatch.setattr(letters, "send", dying)
    with pytest.raises(RuntimeError):
        await _the_day_before(ours)
    monkeypatch.setattr(letters, "send", send)
    await network.sweep()
    assert [len(await _reminders(ours, name)) for name in ("Ada", "Bo", "Cem")] == [1, 1, 1]


async def test_one_post_ends_all_reminders_as_mail_programs_send_it(database_url: str, redis_url: str) -> None:
    with mail_server.running() as server:
        told = harness.settings(database_url, redis_url, base_url="https://api.socialerasmus.example.org")
        settings = told.model_copy(update={"smtp_url": SecretStr(server.url)})
        async with running(settings, database_url) as network:
            ours, other = await students(network), await students(network)
            for each in (ours, other):
                await each.sign_up("Ada")
                confirmed = "UPDATE registration.registrations SET state = 'confirmed', confirmed_at = now()"
                await rows(database_url, confirmed)
            await _the_day_before(ours)
            [mail] = [mail for mail in server.to("ada@students.example") if "Tomorrow" in mail["Subject"]]
            address = mail["List-Unsubscribe"].strip("<>")
            assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
            assert address.startswith("https://api.socialerasmus.example.org/registration/v1/links/")
            html = mail.get_body(("html",))
            assert html is not None
            assert address in text_of(mail)
            assert f'<a href="{address}">No more reminders</a>' in html.get_content()
            kept = "SELECT count(*) FROM registration.outgoing_mail WHERE unsubscribe_url IS NOT NULL"
            assert await value(database_url, kept) == 0, "a secret is wiped once it is sent"
            manage = address.removesuffix("/reminders")
            for method in ("GET", "POST"):
                assert (await network.client.request(method, manage)).status_code == 404, "it does nothing else"
            assert (await network.client.post(f"{manage}/cancel")).status_code == 404
            declined = "SELECT reminders_declined_at FROM registration.participants"
            page = await network.client.get(address)
            assert (page.status_code, "<button" in page.text) == (200, True)
            assert await value(database_url, declined) is None, "looking changes nothing"
            for _ in range(2):
                reply = await network.client.post(address, data={"List-Unsubscribe": "One-Click"})
                assert reply.status_code == 200
            assert await value(database_url, declined) is not None
            await _the_day_before(other)
            assert sum("Tomorrow" in mail["Subject"] for mail in server.to("ada@students.example")) == 1
            again = await network.client.post(f"{address}/again")
            assert (again.status_code, await value(database_url, declined)) == (200, None)
            await _the_day_before(other)
            assert sum("Tomorrow" in mail["Subject"] for mail in server.to("ada@students.example")) == 2
            assert len({mail["Message-ID"] for mail in server.received}) == len(server.received)
            unknown = f"{manage[:-32]}{'x' * 32}/reminders"
            assert (await network.client.post(unknown)).status_code == 404
