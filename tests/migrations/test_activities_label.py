"""Before and after the label had a state of its own."""

from __future__ import annotations

import json

from alembic import command

from services import registry
from services.kernel import db, migrate
from tests.harness.catalogue import activity, enter
from tests.harness.databases import rows, settings
from tests.harness.network import running

HISTORY = registry.HISTORIES["activities"]
BEFORE = "0007"
NAMED = "SELECT title, label_state, label_decided_at IS NOT NULL, document FROM activities.activities ORDER BY title"


async def test_what_was_decided_before_is_taken_over_into_columns_and_documents(
    database_url: str, redis_url: str
) -> None:
    told = settings(database_url, redis_url)
    entered = [
        activity("1 draft", state="draft"),
        activity("2 submitted", state="submitted"),
        activity("3 returned", state="returned", reason="Which partner?"),
        activity("4 approved", state="approved"),
        activity("5 held", state="held"),
        activity("6 past", state="held", source="real_activities", source_id="1"),
        activity("7 sample", state="published", source="sample", source_id="1", sample=True),
    ]
    async with running(told, database_url) as network:
        await enter(network, entered)
    await rows(
        database_url,
        "INSERT INTO activities.activity_history (activity_id, revision, verb, actor_role) "
        "SELECT id, 2, 'approve', 'national_coordinator' FROM activities.activities WHERE title = '5 held'",
    )
    engine = db.create_engine(told, role=None, pool_size=1)
    async with engine.begin() as connection:
        await connection.run_sync(lambda held: command.downgrade(migrate.config(HISTORY, held), BEFORE))
    old = await rows(database_url, "SELECT document FROM activities.activities")
    assert all("label" not in json.loads(row["document"]) for row in old)
    assert all(row["document"].endswith(',"distance_km":null}') for row in old)
    async with engine.begin() as connection:
        await connection.run_sync(lambda held: command.upgrade(migrate.config(HISTORY, held), "head"))
    await engine.dispose()
    found = await rows(database_url, NAMED)
    states = ["not_asked", "asked", "returned", "given", "given", "not_asked", "given"]
    assert [row["label_state"] for row in found] == states
    assert [json.loads(row["document"])["label"]["state"] for row in found] == states
    assert [row[2] for row in found] == [row["title"] == "5 held" for row in found]
    decided = json.loads(found[4]["document"])["label"]["decided_at"]
    assert decided.endswith("Z")
    assert all(row["document"].endswith(',"distance_km":null}') for row in found)
