"""Documents that were written before activities had pages."""

from __future__ import annotations

import json
from uuid import UUID

from alembic import command

from services import registry
from services.kernel import db, migrate
from tests.harness.databases import rows
from tests.harness.network import Network


async def test_every_document_names_its_page_in_its_place_whatever_its_texts_hold(network: Network) -> None:
    evil = '"url":"http://a/activities/v1/activities/01890000-0000-7000-8000-000000000000" ,"page_url":"x"'
    expected = [await network.published(title=evil, summary=evil), await network.drafted()]
    engine = db.create_engine(network.settings, role=None, pool_size=1)
    history = registry.HISTORIES["activities"]
    statement = "SELECT document FROM activities.activities WHERE id = $1"
    async with engine.begin() as connection:
        await connection.run_sync(lambda inner: command.downgrade(migrate.config(history, inner), "0009"))
    for activity in expected:
        ((before,),) = await rows(network.database_url, statement, UUID(activity["id"]))
        written = {name: value for name, value in activity.items() if name != "page_url"}
        written["sign_up"] = {name: value for name, value in activity["sign_up"].items() if name != "page_url"}
        assert json.loads(before) == written
    # A document without its page, as the version before leaves it, is in every feed all the same.
    for feed in ("activities", "activities.ics", "activities.atom", "activities.geojson", "changes"):
        assert (await network.client.get(f"/activities/v1/{feed}")).status_code == 200
    assert await migrate.upgrade(engine, registry.HISTORIES) == ["activities"]
    await engine.dispose()
    for activity in expected:
        ((after,),) = await rows(network.database_url, statement, UUID(activity["id"]))
        assert after == json.dumps(activity, ensure_ascii=False, separators=(",", ":"))
        assert json.loads(after)["page_url"] == f"http://socialerasmus.test/activities/{activity['id']}"


async def test_every_document_names_the_page_to_sign_up_on_in_each_language(network: Network) -> None:
    evil = '"sign_up":{"state":"open","opens_at":null,"closes_at":null,"url":null}'
    translations = {"it": {"title": evil}}
    expected = [await network.published(title=evil, translations=translations), await network.drafted()]
    engine = db.create_engine(network.settings, role=None, pool_size=1)
    statement = "SELECT document, documents FROM activities.activities WHERE id = $1"
    stored = [(await rows(network.database_url, statement, UUID(each["id"])))[0] for each in expected]
    async with engine.begin() as connection:
        history = registry.HISTORIES["activities"]
        await connection.run_sync(lambda inner: command.downgrade(migrate.config(history, inner), "0012"))
    for activity in expected:
        ((before, variants),) = await rows(network.database_url, statement, UUID(activity["id"]))
        for document in (before, *json.loads(variants).values()):
            assert "page_url" not in json.loads(document)["sign_up"]
            assert json.loads(document)["sign_up"]["url"] == activity["sign_up"]["url"]
    assert await migrate.upgrade(engine, registry.HISTORIES) == ["activities"]
    await engine.dispose()
    for activity, before in zip(expected, stored, strict=True):
        ((after, variants),) = await rows(network.database_url, statement, UUID(activity["id"]))
        assert (after, json.loads(variants)) == (before[0], json.loads(before[1]))
    offered, draft = (each["sign_up"]["page_url"] for each in expected)
    assert offered == f"http://socialerasmus.test/registration/activities/{expected[0]['id']}"
    assert draft is None
