"""How ESN International keeps the taxonomies and the crosswalk: what it changes, what is refused, what is kept."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from tests.harness.network import DRAFT, Network
from tests.harness.refusals import refused

TAXONOMIES = "/activities/v1/taxonomies"
ACTIVITIES = "/activities/v1/activities"
LONELINESS = {"code": "loneliness", "names": {"en": "Loneliness", "it": "Solitudine"}, "definition": "Company."}
MAPPING = f"{TAXONOMIES}/crosswalk/areas:health/causes:social-inclusion"


class Keeper:
    """Changes one thing after the other, each time with the ETag of what was read."""

    def __init__(self, network: Network, who: dict[str, str]) -> None:
        self.network, self.who = network, who

    async def add(self, scheme: str = "areas", **changes: Any) -> httpx.Response:
        """Add a term."""
        headers = {**self.who, **self.network.key()}
        address = f"{TAXONOMIES}/{scheme}/terms"
        return await self.network.client.post(address, json={**LONELINESS, **changes}, headers=headers)

    async def change(self, address: str, method: str = "PATCH", **request: Any) -> httpx.Response:
        """Change what was just read."""
        etag = (await self.network.client.get(address)).headers["etag"]
        return await self.network.client.request(method, address, headers={**self.who, "If-Match": etag}, **request)

    async def retire(self, address: str, **more: str) -> None:
        """From today on new activities may not carry a term."""
        reply = await self.change(address, json={"until": datetime.now(UTC).date().isoformat(), **more})
        assert reply.status_code == 200, reply.text


@pytest.fixture
async def keeper(network: Network) -> Keeper:
    return Keeper(network, await network.token("international"))


async def draft(network: Network, **changes: Any) -> httpx.Response:
    headers = {**await network.local(), **network.key()}
    return await network.client.post(ACTIVITIES, json={**DRAFT, **changes}, headers=headers)


async def test_an_added_term_is_taken_found_and_named(
    network: Network, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await draft(network, areas=["loneliness"])).status_code == 422
    assert (await network.client.get(ACTIVITIES, params={"area": "loneliness"})).status_code == 422
    added = await keeper.add()
    assert (added.status_code, added.headers["etag"]) == (201, '"1"')
    assert added.headers["location"] == f"{TAXONOMIES}/areas/terms/loneliness"
    assert (await network.client.get(added.headers["location"])).json() == added.json()
    listed = (await network.client.get(f"{TAXONOMIES}?lang=it")).json()["areas"]
    assert listed[-1] == {"code": "loneliness", "name": "Solitudine", "definition": "Company."}
    activity = await network.published(areas=["environment", "loneliness"])
    assert activity["areas"] == ["environment", "loneliness"]
    # What was not known a moment ago is looked up anew after a second.
    monkeypatch.setattr("services.activities.taxonomies.words.REMEMBERED_SECONDS_OF_THE_UNKNOWN", -1.0)
    found = (await network.client.get(ACTIVITIES, params={"area": "loneliness"})).json()["items"]
    assert [each["id"] for each in found] == [activity["id"]]
    item = (await network.client.get("/activities/v1/changes")).json()["items"][0]
    assert item["data"]["category"] == ["Environment", "Loneliness"]


async def test_a_retired_term_stays_where_it_is_and_goes_nowhere_new(network: Network, keeper: Keeper) -> None:
    old, published = await network.drafted(areas=["violence"]), await network.published(areas=["violence"])
    await keeper.retire(f"{TAXONOMIES}/areas/terms/violence", replaced_by="discrimination")
    refusal = await draft(network, areas=["health", "violence"])
    (fault,) = refusal.json()["errors"]
    assert (refusal.status_code, fault["pointer"]) == (422, "#/areas/1")
    assert "discrimination replaces it" in fault["detail"]
    assert "violence" not in [each["code"] for each in (await network.client.get(TAXONOMIES)).json()["areas"]]
    scheme = (await network.client.get(f"{TAXONOMIES}/areas")).json()
    assert [each["code"] for each in scheme["terms"] if not each["in_use"]] == ["violence"]
    skos = (await network.client.get("/activities/v1/concepts/areas")).json()["hasTopConcept"]
    retired = next(each for each in skos if each["notation"] == "violence")
    assert (retired["deprecated"], retired["isReplacedBy"].partition("#")[2]) == (True, "discrimination")

    local, address = await network.local(), f"{ACTIVITIES}/{published['id']}"
    found = await network.client.get(ACTIVITIES, params={"area": "violence", "facets": "area"})
    assert [each["id"] for each in found.json()["items"]] == [published["id"]]
    etag = (await network.client.get(address)).headers["etag"]
    changed = await network.client.patch(address, json={"capacity": 7}, headers={**local, "If-Match": etag})
    assert (changed.status_code, changed.json()["areas"]) == (200, ["violence"])
    # A draft of before, and a duplicate, are told when they are handed in, or published without the label.
    policy = "/activities/v1/label/policies/IT"
    recorded = await network.client.put(policy, json={"policy": "recorded"}, headers=await network.national())
    assert recorded.status_code == 200
    copied = await network.client.post(f"{address}/duplicate", headers={**local, **network.key()})
    for identity in (old["id"], copied.json()["id"]):
        for verb in ("submit", "publish"):
            document = await refused(network, "POST", f"{ACTIVITIES}/{identity}/{verb}", status=409, headers=local)
            assert document["type"] == "/activities/problems/retired-labels"
            assert "areas:violence" in document["detail"]

    again = await keeper.change(f"{TAXONOMIES}/areas/terms/violence", json={"until": None, "replaced_by": None})
    assert again.json()["in_use"]
    assert (await draft(network, areas=["violence"])).status_code == 201


async def test_a_term_begins_and_ends_on_its_days(network: Network, keeper: Keeper) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    assert (await keeper.add(**{"from": tomorrow})).json()["in_use"] is False
    assert (await draft(network, areas=["loneliness"])).status_code == 422
    reply = await keeper.change(f"{TAXONOMIES}/areas/terms/loneliness", json={"from": None, "until": tomorrow})
    assert reply.json()["in_use"] is True
    assert (await draft(network, areas=["loneliness"])).status_code == 201


async def test_a_new_name_is_everywhere_and_the_old_ones_are_remembered(
    network: Network, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.activities.taxonomies.words.REMEMBERED_SECONDS", -1.0)
    await network.published()
    address = f"{TAXONOMIES}/causes/terms/environmental-sustainability"
    reply = await keeper.change(address, json={"names": {"en": "Planet", "es": None, "pl": "Planeta"}})
    assert reply.json()["names"] == {"en": "Planet", "it": "Sostenibilità ambientale", "pl": "Planeta"}
    (record,) = (await network.client.get("/activities/v1/export")).json()["data"]
    assert record["causes"] == [{"name": "Planet", "is_main_cause": True}]
    (item,) = (await network.client.get("/activities/v1/changes")).json()["items"]
    assert item["data"]["activity"][0]["prefLabel"] == "Planet"
    linked = await network.client.get(item["data"]["@id"], headers={"Accept": "application/ld+json"})
    assert linked.json()["about"][0]["name"] == "Planet"
    scheme = (await network.client.get(f"{TAXONOMIES}/causes")).json()
    assert scheme["version"] == 2
    assert [(each["version"], each["code"], each["actor_role"]) for each in scheme["versions"]] == [
        (2, "environmental-sustainability", "international")
    ]
    observer = await network.observer()
    row = await observer.fetchrow("SELECT before, after, actor_id FROM activities.taxonomy_history")
    assert ("Sostenibilidad" in row["before"], "Planet" in row["after"]) == (True, True)
    assert row["actor_id"] == await observer.fetchval("SELECT id FROM access.tokens WHERE role = 'international'")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"code": "Big"}, "#/code"),
        ({"code": "a b"}, "#/code"),
        ({"names": {"it": "Solitudine"}}, "#/names"),
        ({"names": {"en": " "}}, "#/names/en"),
        ({"names": {"english words": "x"}}, "#/names/english words"),
        ({"position": -1}, "#/position"),
        ({"position": "1"}, "#/position"),
        ({"from": 1809856800}, "#/from"),
        ({"from": "2027-02-30"}, "#/from"),
        ({"definition": "x" * 501}, "#/definition"),
    ],
)
async def test_a_term_that_cannot_be_is_refused(shared: Network, changes: dict[str, Any], pointer: str) -> None:
    headers = {**await shared.token("international"), **shared.key()}
    address, body = f"{TAXONOMIES}/areas/terms", {**LONELINESS, **changes}
    await refused(shared, "POST", address, status=422, pointers=[pointer], headers=headers, json=body)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#"),
        ({"names": {"en": None}}, "#/names"),
        ({"replaced_by": "health"}, "#/replaced_by"),
        ({"replaced_by": "nobody"}, "#/replaced_by"),
        ({"from": "2027-01-02", "until": "2027-01-01"}, "#/until"),
        ({"position": None}, "#/position"),
        ({"code": "other"}, "#/code"),
    ],
)
async def test_a_change_that_cannot_be_is_refused(shared: Network, body: dict[str, Any], pointer: str) -> None:
    headers = {**await shared.token("international"), "If-Match": '"1"'}
    address = f"{TAXONOMIES}/areas/terms/health"
    await refused(shared, "PATCH", address, status=422, pointers=[pointer], headers=headers, json=body)


async def test_nobody_else_changes_anything_and_foreign_words_stay(shared: Network) -> None:
    term, relation = {"names": {"en": "Other"}}, {"relation": "closeMatch"}
    requests = [
        ("POST", f"{TAXONOMIES}/areas/terms", LONELINESS),
        ("PATCH", f"{TAXONOMIES}/areas/terms/health", term),
        ("PUT", MAPPING, relation),
        ("DELETE", f"{TAXONOMIES}/crosswalk/areas:health/sdgs:3", None),
        ("GET", f"{TAXONOMIES}/crosswalk/areas:health/sdgs:3/history", None),
    ]
    for who, status in ((await shared.national(), 403), (await shared.token("machine"), 403), ({}, 401)):
        for method, address, body in requests:
            headers = {**who, **(shared.key() if method != "GET" else {}), "If-Match": '"1"'}
            await refused(shared, method, address, status=status, headers=headers, json=body)
    everything = {**await shared.token("operator"), "If-Match": '"1"'}
    for method, address, body, status in (
        ("POST", f"{TAXONOMIES}/sdgs/terms", {**LONELINESS, "code": "18"}, 409),
        ("POST", f"{TAXONOMIES}/areas/terms", {**LONELINESS, "code": "health"}, 409),
        ("POST", f"{TAXONOMIES}/nothing/terms", LONELINESS, 404),
        ("PATCH", f"{TAXONOMIES}/odi_causes/terms/Health", term, 409),
        ("PATCH", f"{TAXONOMIES}/areas/terms/nobody", term, 404),
        ("PUT", f"{TAXONOMIES}/crosswalk/areas:nobody/sdgs:3", relation, 404),
        ("PUT", f"{TAXONOMIES}/crosswalk/areas:health/sdgs:18", relation, 404),
        ("PUT", f"{TAXONOMIES}/crosswalk/areas:health/areas:poverty", relation, 422),
        ("PUT", MAPPING, {"relation": "narrowMatch"}, 422),
        ("PUT", MAPPING, relation, 412),
        ("DELETE", MAPPING, None, 404),
    ):
        headers = {**everything, **shared.key()}
        await refused(shared, method, address, status=status, headers=headers, json=body)


async def test_a_change_needs_what_was_read(shared: Network) -> None:
    who = await shared.token("international")
    for method, address, body in (
        ("PATCH", f"{TAXONOMIES}/areas/terms/health", {"names": {"en": "Other"}}),
        ("PUT", f"{TAXONOMIES}/crosswalk/areas:health/sdgs:3", {"relation": "exactMatch"}),
        ("DELETE", f"{TAXONOMIES}/crosswalk/areas:health/sdgs:3", None),
    ):
        await refused(shared, method, address, status=428, headers=who, json=body)
        await refused(shared, method, address, status=412, headers={**who, "If-Match": '"7"'}, json=body)
    await refused(shared, "POST", f"{TAXONOMIES}/areas/terms", status=400, headers=who, json=LONELINESS)


async def test_the_crosswalk_tells_how_it_stood_at_an_instant(network: Network, keeper: Keeper) -> None:
    async def stood(at: str | None = None) -> list[tuple[str, str]]:
        query = {"from": "areas:health", "to": "causes", **({"at": at} if at else {})}
        found = (await network.client.get(f"{TAXONOMIES}/crosswalk", params=query)).json()
        assert found["next"] is None
        return [(each["to"].partition(":")[2], each["relation"]) for each in found["items"]]

    observer = await network.observer()

    async def moment() -> str:
        found: datetime = await observer.fetchval("SELECT clock_timestamp()")
        return found.isoformat()

    seeded, moments = [("health-well-being", "closeMatch")], [await moment()]
    stated = await network.client.put(
        MAPPING, json={"relation": "relatedMatch", "note": "Visits."}, headers={**keeper.who, **network.key()}
    )
    assert (stated.status_code, stated.headers["location"], stated.json()["ours"]) == (201, MAPPING, True)
    moments.append(await moment())
    assert (await keeper.change(MAPPING, "PUT", json={"relation": "broadMatch", "ours": False})).status_code == 200
    moments.append(await moment())
    assert (await keeper.change(MAPPING, "DELETE")).status_code == 204
    again = await network.client.put(MAPPING, json={"relation": "closeMatch"}, headers=keeper.who)
    assert (again.status_code, again.headers["etag"]) == (201, '"4"')
    assert (await keeper.change(MAPPING, "DELETE")).status_code == 204

    assert [await stood(at) for at in moments] == [
        seeded,
        [*seeded, ("social-inclusion", "relatedMatch")],
        [*seeded, ("social-inclusion", "broadMatch")],
    ]
    assert (await stood("2012-01-01T00:00:00Z"), await stood()) == ([], seeded)
    history = (await network.client.get(f"{MAPPING}/history", headers=keeper.who)).json()["items"]
    told = [
        (each["revision"], each["before"] and each["before"]["relation"], each["after"] and each["after"]["relation"])
        for each in history
    ]
    assert told == [
        (5, "closeMatch", None),
        (4, None, "closeMatch"),
        (3, "broadMatch", None),
        (2, "relatedMatch", "broadMatch"),
        (1, None, "relatedMatch"),
    ]
    assert {each["actor_role"] for each in history} == {"international"}
    assert len({each["actor_id"] for each in history}) == 1


async def test_two_who_state_the_same_mapping_at_once_do_not_overwrite_each_other(network: Network) -> None:
    who = await network.token("international")
    replies = await asyncio.gather(
        *(
            network.client.put(MAPPING, json={"relation": "closeMatch", "note": str(each)}, headers=who)
            for each in range(4)
        )
    )
    assert sorted(reply.status_code for reply in replies) == [201, 428, 428, 428]


async def test_a_repeated_request_is_answered_as_before(network: Network) -> None:
    headers = {**await network.token("international"), **network.key()}
    first = await network.client.put(MAPPING, json={"relation": "closeMatch"}, headers=headers)
    again = await network.client.put(MAPPING, json={"relation": "closeMatch"}, headers=headers)
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    taken = {**headers, **network.key(), "If-Match": first.headers["etag"]}
    for _ in range(2):
        assert (await network.client.delete(MAPPING, headers=taken)).status_code == 204


@pytest.mark.parametrize("table", ["crosswalk_history", "taxonomy_history"])
async def test_the_database_keeps_history_as_it_is(network: Network, keeper: Keeper, table: str) -> None:
    await keeper.add()
    connection = await asyncpg.connect(network.database_url)
    try:
        await connection.execute('SET ROLE "activities"')
        for statement in (f"UPDATE activities.{table} SET at = now()", f"DELETE FROM activities.{table}"):
            with pytest.raises(asyncpg.RestrictViolationError):
                await connection.execute(statement)
    finally:
        await connection.close()


async def test_what_carries_a_renamed_term_is_among_the_changes_once_no_process_remembers_the_old_name(
    network: Network, keeper: Keeper
) -> None:
    carries, without = await network.published(), await network.published(title="Other", areas=["health"])
    term = f"{TAXONOMIES}/areas/terms/environment"
    await keeper.change(term, json={"names": {"it": "Natura"}})
    observer = await network.observer()
    rounds = "SELECT count(*) FROM activities.taxonomy_rounds"
    assert await observer.fetchval(rounds) == 0
    assert (await keeper.change(term, json={"names": {"en": "Nature"}})).status_code == 200
    since = (await network.client.get("/activities/v1/changes")).json()["next"]
    await network.sweep()
    assert (await network.client.get(since)).json()["items"] == []
    await observer.execute("UPDATE activities.taxonomy_rounds SET renamed_at = renamed_at - interval '36 seconds'")
    await network.sweep()
    items = (await network.client.get(since)).json()["items"]
    assert [item["id"] for item in items] == [carries["id"]]
    shown = (await network.client.get(f"{ACTIVITIES}/{carries['id']}")).json()
    assert (shown["revision"], shown["updated_at"] > carries["updated_at"]) == (carries["revision"], True)
    assert (await network.client.get(f"{ACTIVITIES}/{without['id']}")).json() == without
    assert await observer.fetchval(rounds) == 0
