"""The objectives of an activity, from the draft to every place where they are read; and what labels cost."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command

from services import contracts, registry
from services.kernel import db, migrate
from tests.harness.databases import rows, settings, value
from tests.harness.network import DRAFT, Network
from tests.harness.refusals import MARKER, refused
from tests.harness.statements import recorded

LIST = "/activities/v1/activities"
OBJECTIVES = ["climate-crisis", "local-integration"]


async def test_objectives_are_kept_told_found_and_counted(network: Network) -> None:
    activity = await network.published(objectives=OBJECTIVES)
    other = await network.published(objectives=["climate-crisis"])
    await network.published()
    assert activity["objectives"] == OBJECTIVES
    found = (await network.client.get(LIST, params={"objective": "local-integration"})).json()["items"]
    assert found == [(await network.client.get(f"{LIST}/{activity['id']}")).json()]
    either = (await network.client.get(LIST, params={"objective": OBJECTIVES, "area": "environment"})).json()["items"]
    assert {each["id"] for each in either} == {activity["id"], other["id"]}
    counted = (await network.client.get(LIST, params={"facets": "objective", "objective": "local-integration"})).json()
    assert counted["facets"] == {
        "objective": [{"code": "climate-crisis", "count": 2}, {"code": "local-integration", "count": 1}]
    }
    record = (await network.client.get("/activities/v1/export")).json()["data"][0]
    assert record["objectives"] == [
        {"name": "Fighting Climate Crisis"},
        {"name": "Social and Cultural Integration in Local Community"},
    ]
    linked = await network.client.get(f"{LIST}/{activity['id']}", headers={"Accept": "application/ld+json"})
    base = "http://socialerasmus.test/activities/v1"
    assert [term["@id"] for term in linked.json()["about"]] == [
        f"{base}/concepts/causes#environmental-sustainability",
        f"{base}/concepts/objectives#climate-crisis",
        f"{base}/concepts/objectives#local-integration",
    ]
    told = await value(network.database_url, "SELECT payload -> 'activity' ->> 'objectives' FROM events.log LIMIT 1")
    assert told == '["climate-crisis", "local-integration"]'


def test_an_event_of_before_has_no_objectives() -> None:
    assert contracts.Activity.model_fields["objectives"].default == ()


async def test_objectives_can_be_changed_of_a_published_activity(network: Network) -> None:
    activity = await network.published(objectives=OBJECTIVES)
    address, local = f"{LIST}/{activity['id']}", await network.local()
    etag = (await network.client.get(address)).headers["etag"]
    kept = await network.client.patch(address, json={"capacity": 9}, headers={**local, "If-Match": etag})
    assert kept.json()["objectives"] == OBJECTIVES
    headers = {**local, "If-Match": kept.headers["etag"]}
    changed = await network.client.patch(address, json={"objectives": []}, headers=headers)
    assert changed.json()["objectives"] == []


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"objectives": ["climate-crisis", MARKER]}, ["#/objectives/1"]),
        ({"objectives": ["climate-crisis", "climate-crisis"]}, ["#/objectives"]),
        ({"objectives": [f"o{number}" for number in range(11)]}, ["#/objectives"]),
        ({"objectives": "climate-crisis"}, ["#/objectives"]),
        ({"objectives": [7]}, ["#/objectives/0"]),
        ({"objectives": None}, ["#/objectives"]),
        ({"kind": MARKER, "programme": MARKER, "mode": MARKER}, ["#/kind", "#/programme", "#/mode"]),
        (
            {"areas": ["health", MARKER], "causes": [{"code": MARKER}], "organisers": [{"code": "XX-NONE-ZQ7"}]},
            ["#/areas/1", "#/causes/0/code", "#/organisers/0/code"],
        ),
        # Codes of one scheme are none of another, and nobody labels with pillars any more.
        ({"areas": ["culture", "charity"], "objectives": ["health"]}, ["#/areas/0", "#/areas/1", "#/objectives/0"]),
    ],
)
async def test_labels_that_there_are_not_are_refused(
    shared: Network, changes: dict[str, Any], pointers: list[str]
) -> None:
    headers = {**await shared.local(), **shared.key()}
    body = {**DRAFT, **changes}
    await refused(shared, "POST", LIST, status=422, pointers=pointers, headers=headers, json=body)


async def test_an_unknown_label_is_answered_with_the_known_ones(shared: Network) -> None:
    headers = {**await shared.local(), **shared.key()}
    body = {**DRAFT, "mode": MARKER}
    document = await refused(shared, "POST", LIST, status=422, pointers=["#/mode"], headers=headers, json=body)
    assert document["errors"][0]["detail"] == "Unknown mode; one of: physical, online, hybrid."


@pytest.mark.parametrize("name", ["area", "cause", "objective", "kind", "programme"])
@pytest.mark.parametrize("address", [LIST, f"{LIST}.ics"])
async def test_a_reader_is_told_of_a_code_that_there_is_not(shared: Network, address: str, name: str) -> None:
    document = await refused(shared, "GET", f"{address}?{name}={MARKER}", status=422, pointers=[f"query/{name}/0"])
    assert f"Unknown {name}; one of: " in document["errors"][0]["detail"]


async def test_a_list_never_asks_the_taxonomies_and_a_draft_once(network: Network) -> None:
    def asked(statements: list[Any]) -> int:
        return sum("taxonomy_" in statement.text or "crosswalk" in statement.text for statement in statements)

    runtime = network.runtimes["activities"]
    await network.drafted()
    with recorded(runtime) as statements:
        for query in ("", "?area=health&cause=culture&objective=climate-crisis&kind=training", "?facets=objective"):
            assert (await network.client.get(f"{LIST}{query}")).status_code == 200
    assert (asked(statements), len(statements) > 3) == (0, True)
    headers = {**await network.local(), **network.key()}
    with recorded(runtime) as statements:
        reply = await network.client.post(LIST, json={**DRAFT, "objectives": OBJECTIVES}, headers=headers)
    assert (reply.status_code, asked(statements)) == (201, 1)
    with recorded(runtime) as statements:
        for _ in range(3):
            assert (await network.client.get("/activities/v1/changes")).status_code == 200
            assert (await network.client.get("/activities/v1/export")).status_code == 200
    assert asked(statements) == 1


async def test_documents_of_before_say_that_they_have_no_objectives(network: Network) -> None:
    tricky = 'A "sdgs":[1],"organisers": trap'
    activity = await network.published(sdgs=[13, 14], title=tricky)
    history = registry.HISTORIES["activities"]
    engine = db.create_engine(settings(network.database_url, network.settings.redis_url), role=None, pool_size=1)

    async def move(step: Any, revision: str) -> str:
        async with engine.begin() as connection:
            await connection.run_sync(lambda held: step(migrate.config(history, held), revision))
            document = sa.text("SELECT document FROM activities.activities")
            return str((await connection.execute(document)).scalar_one())

    await network.runtimes["activities"].engine.dispose()
    without = await move(command.downgrade, "0005-1")
    assert ('"objectives"' in without, activity["title"]) == (False, tricky)
    await move(command.upgrade, "head")
    await engine.dispose()
    # When the label was decided is taken from the history, which is a moment later.
    after = (await network.client.get(f"{LIST}/{activity['id']}")).json()
    assert {**after, "label": None} == {**activity, "label": None}
    found = await rows(network.database_url, "SELECT labels FROM activities.activities")
    assert {"area:environment", "sdg:13", "country:IT"} <= set(found[0]["labels"])
