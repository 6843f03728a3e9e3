"""A section is reminded of a report that is missing: twice at most, in its language, at its mailbox, whatever fails."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest

from services.impact.reports import actions
from tests.harness import catalogue, mail_server
from tests.harness import databases as harness
from tests.harness.databases import Databases, rows
from tests.harness.exchange import set_mailbox
from tests.harness.mail_server import MailServer
from tests.harness.network import Network, running
from tests.harness.reports import Reporter, activity, enter

SECTION, COUNTRY, WARSAW = "sassari@esn.example", "italy@esn.example", "warsaw@esn.example"
TOLD = "SELECT payload FROM events.log WHERE name = 'impact.report_missing.v1' ORDER BY number"


@pytest.fixture
def mails() -> Iterator[MailServer]:
    with mail_server.running() as server:
        yield server


@pytest.fixture
async def network(databases: Databases, redis_url: str, mails: MailServer) -> AsyncIterator[Network]:
    """The services with a mail server, mailboxes of two sections and of a country."""
    async with databases.fresh() as url, running(harness.settings(url, redis_url, smtp_url=mails.url), url) as made:
        await set_mailbox(made, "sections/IT-SASS-ESN", SECTION, await made.local())
        await set_mailbox(made, "sections/PL-WARS-UKS", WARSAW, await made.local("PL-WARS-UKS"))
        await set_mailbox(made, "countries/IT", COUNTRY, await made.national())
        yield made


async def over(network: Network, days_ago: float, *, section: str = "IT-SASS-ESN", **fields: Any) -> Any:
    """An activity that ended so many days ago, as the catalogue and impact know it."""
    ends_at = datetime.now(UTC) - timedelta(days=days_ago)
    times = {"ends_at": ends_at, "starts_at": ends_at - timedelta(hours=2)}
    row = catalogue.activity(fields.pop("title", "Beach"), section_codes=[section], state="held", **times)
    identity = row.id
    await catalogue.enter(network, [row])
    known = {"section": section, "section_codes": [section], "country": section[:2], **times, **fields}
    await enter(network, activity(activity_id=identity, **known))
    return identity


async def remind(network: Network) -> list[dict[str, Any]]:
    """What is told by now, once the mails are written."""
    await network.sweep()
    await network.settle()
    await network.sweep()
    found: list[dict[str, Any]] = await rows(network.database_url, TOLD)
    return found


def text(mail: EmailMessage) -> str:
    content: str = mail.get_content()
    return content.replace("\r\n", "\n")


async def test_a_section_is_reminded_after_three_days_and_when_it_is_due(network: Network, mails: MailServer) -> None:
    identity = await over(network, 2.9, title="Cleaning\u202e Porto Ferro")
    assert await remind(network) == []
    await shift(network, identity, days=0.2)
    assert len(await remind(network)) == 1
    assert len(await remind(network)) == 1
    [mail] = mails.received
    assert (mail["To"], mail["Content-Language"]) == (SECTION, "it")
    assert mail["Subject"] == "Com'è andata? Cleaning Porto Ferro"
    assert f"/activities/{identity}\n" in text(mail)
    assert f"/impact/v1/activities/{identity}/report/draft\n" in text(mail)
    assert "casella di IT-SASS-ESN;" in text(mail)
    await shift(network, identity, days=10.8)
    assert len(await remind(network)) == 1
    await shift(network, identity, days=0.2)
    assert len(await remind(network)) == 2
    assert len(await remind(network)) == 2
    assert len(mails.received) == 2
    assert "era atteso" in text(mails.received[1])
    told = await rows(network.database_url, "SELECT payload ->> 'stage', payload ->> 'days_since_end' FROM events.log "
                      "WHERE name = 'impact.report_missing.v1' ORDER BY number")  # fmt: skip
    assert [tuple(row) for row in told] == [("first", "3"), ("deadline", "14")]


async def shift(network: Network, identity: Any, *, days: float) -> None:
    """Let so many days go by for one activity."""
    for table, key in (("impact.activities", "activity_id"), ("activities.activities", "id")):
        earlier = f"UPDATE {table} SET starts_at = starts_at - by, ends_at = ends_at - by"
        statement = f"{earlier} FROM make_interval(secs => $2) AS by WHERE {key} = $1"
        await rows(network.database_url, statement, identity, days * 86400.0)


async def test_nobody_is_reminded_of_what_is_reported_called_off_made_up_or_long_past(
    network: Network, mails: MailServer
) -> None:
    reported = await over(network, 4)
    report = Reporter(network, reported, await network.local(), await network.national())
    await report.put()
    await report.done("submit")
    await over(network, 4, state="cancelled")
    await over(network, 4, sample=True)
    await over(network, 4, has_parts=True)
    await over(network, 21.5)
    await over(network, -1)
    assert await remind(network) == []
    # What was returned waits for the section again.
    await report.done("return", {"reason": "Count again."})
    assert len(await remind(network)) == 1
    assert [mail["To"] for mail in mails.received] == [SECTION]


async def test_it_goes_to_the_nearest_mailbox_in_a_language_that_is_read_there(
    network: Network, mails: MailServer
) -> None:
    await over(network, 4, section="IT-MILA-STA")
    await over(network, 4, section="PL-WARS-UKS")
    await over(network, 4, section="PT-PORT-ESN")
    assert len(await remind(network)) == 3
    # Milan has no mailbox and Italy has one; Warsaw reads Polish, in which there is no text; Portugal has neither.
    found = {mail["To"]: mail["Content-Language"] for mail in mails.received}
    assert {"casella di IT;" in text(mail) for mail in mails.received if mail["To"] == COUNTRY} == {True}
    assert found == {COUNTRY: "it", WARSAW: "en"}
    [english] = mails.to(WARSAW)
    ended = datetime.now(UTC) - timedelta(days=4)
    assert re.search(rf"ended on {ended.day} [A-Z][a-z]+ {ended.year},", text(english)), text(english)


async def test_a_section_that_merged_is_reminded_where_it_is_now(network: Network, mails: MailServer) -> None:
    await rows(
        network.database_url,
        "UPDATE activities.sections SET state = 'merged', merged_into = 'IT-SASS-ESN', languages = '{es}' "
        "WHERE code = 'IT-MILA-STA'",
    )
    await rows(network.database_url, "UPDATE activities.sections SET languages = '{ca,es}' WHERE code = 'IT-SASS-ESN'")
    await over(network, 4, section="IT-MILA-STA")
    await remind(network)
    [mail] = mails.received
    assert (mail["To"], mail["Content-Language"]) == (SECTION, "es")


async def test_a_crash_before_the_commit_leaves_nothing_told_and_the_next_turn_tells(network: Network) -> None:
    await over(network, 4)

    async def remind_and_die() -> None:
        async with network.runtimes["impact"].unit_of_work() as session:
            assert await actions.remind(session, 14) == 1
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        await remind_and_die()
    assert await rows(network.database_url, TOLD) == []
    assert len(await remind(network)) == 1


async def test_two_workers_at_once_and_an_event_heard_twice_remind_once(network: Network, mails: MailServer) -> None:
    for _ in range(3):
        await over(network, 4)

    async def work() -> int:
        async with network.runtimes["impact"].unit_of_work() as session:
            return await actions.remind(session, 14)

    assert sum(await asyncio.gather(*(work() for _ in range(4)))) == 3
    await rows(
        network.database_url,
        "INSERT INTO events.log (id, name, aggregate, trace_id, payload) SELECT gen_random_uuid(), name, aggregate, "
        "trace_id, payload FROM events.log WHERE name = 'impact.report_missing.v1'",
    )
    assert len(await remind(network)) == 6
    assert len(mails.received) == 3


async def test_the_deadline_is_a_setting(network: Network, mails: MailServer) -> None:
    await over(network, 2.5)
    async with network.runtimes["impact"].unit_of_work() as session:
        assert await actions.remind(session, 2) == 1
    await network.settle()
    await network.sweep()
    assert "era atteso" in text(mails.received[0])
