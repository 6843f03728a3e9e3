"""Activities from before there were platforms: each gets that of its day, and the other services are told."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from alembic import command

from services import registry
from services.kernel import db, migrate
from tests.harness.catalogue import activity, enter, titles
from tests.harness.databases import rows, value
from tests.harness.network import Network


async def test_old_activities_get_their_platform_their_label_and_an_event(network: Network) -> None:
    long_ago = datetime(2016, 5, 8, 8, tzinfo=UTC)
    await enter(
        network,
        [
            activity("Poland", country="PL"),
            activity("Lithuania", country="LT", state="held", starts_at=long_ago),
            activity("undated", country="LT", starts_at=None),
            activity("Italy"),
        ],
    )
    engine = db.create_engine(network.settings, role=None, pool_size=1)
    history = registry.HISTORIES["activities"]
    async with engine.begin() as connection:
        await connection.run_sync(lambda inner: command.downgrade(migrate.config(history, inner), "0003"))
    documents = "SELECT title, document FROM activities.activities"
    before = {row["title"]: json.loads(row["document"]) for row in await rows(network.database_url, documents)}
    assert not any("platform" in document for document in before.values())
    assert await migrate.upgrade(engine, registry.HISTORIES) == ["activities"]
    await engine.dispose()

    after = {row["title"]: json.loads(row["document"]) for row in await rows(network.database_url, documents)}
    platforms = {"Poland": "CEP", "Lithuania": "CEP", "undated": None, "Italy": None}
    assert {title: document["platform"] for title, document in after.items()} == platforms
    # Later revisions add to the document; of what was there, only where to sign up has more to say.
    kept = [name for name in before["Poland"] if name != "sign_up"]
    assert {name: after["Poland"][name] for name in kept} == {name: before["Poland"][name] for name in kept}
    assert sorted(await titles(network, platform="CEP")) == ["Lithuania", "Poland"]

    await network.sweep()
    told = "SELECT payload #>> '{activity,title}', payload #>> '{activity,platform}' FROM events.log"
    announced = dict(await rows(network.database_url, told))
    assert announced == {title: platforms[title] for title in ("Poland", "Lithuania", "undated")}
    assert await value(network.database_url, "SELECT count(*) FROM activities.platform_rounds") == 0
