"""The whole chain over real HTTP, and again with everything going wrong on the way: the end state is the same."""

from __future__ import annotations

import secrets

from deploy import valkey
from tests.flows.chain import END, Chain
from tests.flows.disturbances import Flushed, KilledInTransaction, LateCommit, RedisAway, WorkersKilled
from tests.harness import databases as harness
from tests.harness.databases import rows
from tests.harness.mail_server import MailServer
from tests.harness.processes import Processes


async def test_the_chain_ends_in_verified_figures_and_one_trace_leads_through_it(
    direct: Processes, mails: MailServer
) -> None:
    trace_id = secrets.token_hex(16)
    headers = {"traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01"}
    assert await Chain(direct, mails, "AT", publish_headers=headers).run() == END
    requests = [line for line in direct.apis["activities"].lines() if line.get("trace_id") == trace_id]
    assert [(line["event"], line["route"]) for line in requests] == [
        ("request", "/v1/activities/{activity_id}/publish")
    ]
    recorded = await rows(direct.database_url, "SELECT name, number FROM events.log WHERE trace_id = $1", trace_id)
    assert [row[0] for row in recorded] == ["activities.activity_published.v1"]
    for service in ("registration", "impact"):
        effects = [line for line in direct.workers[service].lines() if line.get("trace_id") == trace_id]
        assert [(line["event"], line["number"]) for line in effects] == [("event carried out", recorded[0][1])]


async def test_redis_may_forget_everything_all_the_way_through(
    direct: Processes, mails: MailServer, queue: valkey.Server
) -> None:
    flushed = Flushed(queue.url)
    assert await Chain(direct, mails, "BE", flushed).run() == END
    assert flushed.times > 50


async def test_redis_may_be_away_for_ten_seconds(direct: Processes, mails: MailServer, queue: valkey.Server) -> None:
    before = [process.pid for process in direct.all]
    away = RedisAway(queue, before="publish", back_before="complete")
    assert await Chain(direct, mails, "BG", away).run() == END
    assert [process.pid for process in direct.all] == before
    assert all(process.is_running for process in direct.all)


async def test_every_worker_may_be_killed_after_every_step(direct: Processes, mails: MailServer) -> None:
    assert await Chain(direct, mails, "CY", WorkersKilled(direct)).run() == END


async def test_workers_may_be_killed_in_the_middle_of_their_transactions(direct: Processes, mails: MailServer) -> None:
    killed = KilledInTransaction(direct, mails)
    assert await Chain(direct, mails, "CZ", killed).run() == END
    assert killed.killed == 8
    ada = [mail["Message-ID"] for mail in mails.to("ada@cz.example")]
    assert (len(ada), len(set(ada))) == (3, 2), "the mail under way was not sent again, so it was not under way"


async def test_others_may_take_their_event_numbers_early_and_commit_late(
    direct: Processes, mails: MailServer, queue: valkey.Server
) -> None:
    late = LateCommit(direct, harness.settings(direct.database_url, queue.url), queue.url)
    assert await Chain(direct, mails, "DE", late).run() == END
    reply = await direct.client.get(f"/registration/v1/activities/{late.activity_id}/availability")
    assert reply.json()["capacity"] == 10 * late.revision
    known = await rows(
        direct.database_url, "SELECT revision FROM impact.activities WHERE activity_id = $1", late.activity_id
    )
    assert [row[0] for row in known] == [late.revision]
