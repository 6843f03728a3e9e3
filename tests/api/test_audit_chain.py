"""The chain of the audit: whoever changes, deletes, reorders or slips in anything behind it is found out."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator

import asyncpg
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from services import __main__ as commands
from services.activities.tables import AUDIT
from services.kernel import db
from services.kernel.audit import chain
from services.kernel.audit.chain import Finding
from services.kernel.audit.tables import APPEND_ONLY
from services.kernel.settings import Settings
from tests.harness import databases as harness
from tests.harness.databases import rows, value
from tests.harness.network import Network

LIST = "/activities/v1/activities"
# What a superuser does who knows that triggers stand in the way.
TAMPERED = {
    "who did it": ("UPDATE {s}.audit_entries SET actor_id = gen_random_uuid() WHERE number = 2", "was changed"),
    "when": ("UPDATE {s}.audit_entries SET at = at - interval '1 microsecond' WHERE number = 2", "was changed"),
    "to what": ("UPDATE {s}.audit_entries SET object = 'activities/x' WHERE number = 2", "was changed"),
    "who may see it": ("UPDATE {s}.audit_entries SET sections = '{{}}' WHERE number = 2", "was changed"),
    "what it was before": (
        "UPDATE {s}.audit_changes SET before = before || '{{\"capacity\": 39}}' WHERE act = 'update'", "was changed"
    ),
    "one change less": ("DELETE FROM {s}.audit_changes WHERE number = 1", "was changed"),
    "an entry less": ("DELETE FROM {s}.audit_entries WHERE number = 2", "was deleted"),
    "an entry less, and its link": (
        ("WITH gone AS (DELETE FROM {s}.audit_entries WHERE number = 2 RETURNING id) "
        "DELETE FROM {s}.audit_links USING gone WHERE entry = gone.id"),
        "links 2 to 2 are missing",
    ),
    "another order": (
        ("UPDATE {s}.audit_links SET position = -position; UPDATE {s}.audit_links SET position = "
        "CASE position WHEN -1 THEN 2 WHEN -2 THEN 1 ELSE -position END"),
        "link 1 does not follow",
    ),
    "another digest too": (
        ("UPDATE {s}.audit_entries SET verb = 'x' WHERE number = 2; "
        "UPDATE {s}.audit_links SET digest = sha256('x') WHERE position = 2"),
        "link 2 does not follow",
    ),
    "slipped in": (
        ("INSERT INTO {s}.audit_entries (id, xid, actor_role, verb, object, trace_id) "
        "VALUES (gen_random_uuid(), '1'::xid8, 'operator', 'x', 'x', 'x')"),
        "was slipped in",
    ),
    "changes of nobody": (
        "INSERT INTO {s}.audit_changes (entry, kind, key, act) VALUES (gen_random_uuid(), 'x', 'x', 'insert')",
        "1 changes are of no entry",
    ),
}  # fmt: skip


async def _linked(network: Network) -> None:
    """Let the sweeps link everything; a transaction anywhere on the server may hold the horizon back for a moment."""

    async def all_is_linked() -> None:
        async with network.runtimes["activities"].unit_of_work() as session:
            await chain.link(session, network.runtimes["activities"], AUDIT)
        loose = "SELECT count(*) FROM activities.audit_entries LEFT JOIN activities.audit_links ON entry = id"
        assert await value(network.database_url, f"{loose} WHERE entry IS NULL") == 0

    await harness.eventually(all_is_linked)


async def _checked(
    network: Network, *, holds: tuple[int, str] | None = None, settings: Settings | None = None
) -> Finding:
    """What the command finds, which has the rights of the login."""
    engine = db.create_engine(network.settings, role=None, pool_size=1)
    try:
        async with db.session_factory(engine).begin() as session:
            return await chain.check(session, settings or network.settings, AUDIT, holds=holds)
    finally:
        await engine.dispose()


async def _as_superuser(network: Network, *statements: str) -> None:
    connection = await asyncpg.connect(network.database_url)
    try:
        await connection.execute("SET session_replication_role = replica")
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture
async def acted(network: Network) -> AsyncIterator[Network]:
    """A network with three acts, linked."""
    drafted, local = await network.drafted(), await network.local()
    tag = (await network.client.get(f"{LIST}/{drafted['id']}", headers=local)).headers["etag"]
    changed = await network.client.patch(
        f"{LIST}/{drafted['id']}", json={"capacity": 4}, headers={**local, "If-Match": tag}
    )
    assert changed.status_code == 200
    await network.client.post(f"{LIST}/{drafted['id']}/submit", headers=local)
    await _linked(network)
    return network


async def test_what_nobody_touched_is_whole(acted: Network) -> None:
    found = await _checked(acted)
    assert (found.faults, found.remarks, found.position, found.waiting) == ([], [], 3, 0)
    noted = (found.position, found.head.hex())
    await acted.drafted()
    found = await _checked(acted, holds=noted)
    assert (found.faults, found.position, found.waiting) == ([], 3, 1)
    await _linked(acted)
    found = await _checked(acted, holds=noted)
    assert (found.faults, found.position, found.waiting) == ([], 4, 0)


async def test_whatever_is_tampered_with_is_found(acted: Network) -> None:
    engine = db.create_engine(acted.settings, role=None, pool_size=1)
    for what, (statements, told) in TAMPERED.items():
        # Undone again each time, so that one network does for all.
        async with db.session_factory(engine)() as session:
            transaction = await session.begin()
            raw = (await (await session.connection()).get_raw_connection()).driver_connection
            assert isinstance(raw, asyncpg.Connection)
            await session.execute(sa.text("SET LOCAL session_replication_role = replica"))
            await raw.execute(statements.format(s="activities"))
            found = await chain.check(session, acted.settings, AUDIT)
            await transaction.rollback()
        assert any(told in fault for fault in found.faults), (what, found.faults)
        assert any("NOT WHOLE" in line for line in found.lines())
    await engine.dispose()
    assert (await _checked(acted)).faults == []


async def test_an_end_that_was_cut_off_shows_in_the_head_that_was_noted_and_in_the_numbers(acted: Network) -> None:
    before = await _checked(acted)
    await _as_superuser(
        acted,
        "DELETE FROM activities.audit_links WHERE position = 3",
        "DELETE FROM activities.audit_changes USING activities.audit_entries e WHERE entry = e.id AND e.number = 3",
        "DELETE FROM activities.audit_entries WHERE number = 3",
    )
    found = await _checked(acted)
    assert found.faults == []
    assert "numbers up to 3 were given out and 2 is the last" in found.remarks[0]
    found = await _checked(acted, holds=(before.position, before.head.hex()))
    assert "its end was cut off" in found.faults[0]


async def test_who_has_not_the_secret_can_make_no_link(acted: Network) -> None:
    await _as_superuser(acted, "UPDATE activities.audit_entries SET verb = 'x' WHERE number = 3")
    last = (await rows(acted.database_url, "SELECT * FROM activities.audit_links WHERE position = 2"))[0]
    forged = hmac.digest(b"a guess", last["hash"], "sha256")
    await _as_superuser(acted, f"UPDATE activities.audit_links SET hash = '\\x{forged.hex()}' WHERE position = 3")
    assert "link 3 does not follow from the one before it" in (await _checked(acted)).faults
    other = harness.settings(acted.database_url, acted.settings.redis_url, audit_secret="another" * 8)
    assert "link 1 does not follow" in (await _checked(acted, settings=other)).faults[0]


@pytest.mark.parametrize("table", APPEND_ONLY)
async def test_even_the_owner_has_to_take_triggers_away_first(acted: Network, table: str) -> None:
    for statement in (
        "UPDATE activities.{} SET at = now()",
        "DELETE FROM activities.{}",
        "TRUNCATE activities.{} CASCADE",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="only added to"):
            await rows(acted.database_url, statement.format(table))


async def test_what_is_two_years_old_is_forgotten_and_its_links_stay(acted: Network) -> None:
    old = "now() - interval '731 days'"
    await _as_superuser(
        acted,
        f"UPDATE activities.audit_entries SET at = {old} WHERE number = 1",
        f"UPDATE activities.audit_changes SET at = {old} "
        "WHERE entry = (SELECT id FROM activities.audit_entries WHERE number = 1)",
        "DELETE FROM activities.audit_links",
    )
    await _linked(acted)
    _, forget = chain.sweeps(AUDIT)
    async with acted.runtimes["activities"].unit_of_work() as session:
        assert await forget.work(session, acted.runtimes["activities"]) == 1
    found = await _checked(acted)
    assert (found.faults, found.forgotten, found.position) == ([], 1, 3)
    assert await value(acted.database_url, "SELECT min(number) FROM activities.audit_entries") == 2


async def test_another_algorithm_goes_on_with_the_chain_and_the_lesser_one_does_not_come_back(
    acted: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(chain.ALGORITHMS, 64, "sha512")
    monkeypatch.setattr(chain, "NEWEST", 64)
    await acted.drafted()
    await _linked(acted)
    lengths = "SELECT length(digest), length(hash) FROM activities.audit_links ORDER BY position"
    assert [tuple(row) for row in await rows(acted.database_url, lengths)] == [(32, 32)] * 3 + [(64, 64)]
    assert ((found := await _checked(acted)).faults, found.position) == ([], 4)
    # Whoever broke the former one, and has the secret besides, can't go on with it.
    monkeypatch.setattr(chain, "NEWEST", 32)
    await acted.drafted()
    await _linked(acted)
    assert (await _checked(acted)).faults == ["link 5 is made by a lesser algorithm than the one before it"]
    await _as_superuser(
        acted,
        "DELETE FROM activities.audit_links WHERE position = 5",
        "UPDATE activities.audit_entries SET verb = 'x' FROM activities.audit_links WHERE entry = id AND position = 4",
    )
    assert [fault for fault in (await _checked(acted)).faults if "(link 4) was changed" in fault]
    # One that the list does not hold proves nothing.
    monkeypatch.delitem(chain.ALGORITHMS, 64)
    assert "link 4 does not follow from the one before it" in (await _checked(acted)).faults


async def test_two_sweeps_at_once_make_one_chain(network: Network) -> None:
    for _ in range(3):
        await network.drafted()

    async def turn() -> None:
        async with network.runtimes["activities"].unit_of_work() as session:
            await chain.link(session, network.runtimes["activities"], AUDIT)

    await asyncio.gather(*(turn() for _ in range(4)))
    await _linked(network)
    assert (await _checked(network)).lines()[-1].startswith("activities: whole; 3 linked")


async def test_the_command_says_what_it_found(acted: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", acted.database_url)
    monkeypatch.setenv("SOCIALERASMUS_SECRET", acted.settings.secret.get_secret_value())

    async def run(*arguments: str) -> tuple[int, str]:
        told = await asyncio.to_thread(CliRunner().invoke, commands.app, ["audit", "check", *arguments])
        return told.exit_code, told.output

    code, output = await run()
    assert (code, output.count("whole; ")) == (0, 3)
    head = output.splitlines()[0].rpartition(" ")[2]
    assert (await run("activities", "--holds", head))[0] == 0
    code, output = await run("activities", "--holds", f"3:{'0' * 64}")
    assert (code, "not in the chain" in output) == (1, True)
    assert (await run("--holds", head))[0] == 1
    await _as_superuser(acted, "UPDATE activities.audit_entries SET status = 500 WHERE number = 1")
    code, output = await run("activities")
    assert (code, "(link 1) was changed" in output) == (1, True)
