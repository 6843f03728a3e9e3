"""Many activities by one request: each item is answered as its own request would be, and leaves as much behind."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.harness.databases import rows, value
from tests.harness.network import DRAFT, Network
from tests.harness.refusals import MARKER, refused
from tests.harness.statements import recorded

LIST = "/activities/v1/activities"
BULK = f"{LIST}/bulk"
HELD = "SELECT count(*) FROM activities.activities"


def creation(**changes: Any) -> dict[str, Any]:
    return {"op": "create", "draft": {**DRAFT, **changes}}


async def sent(network: Network, items: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """What a bulk request of ESN Sassari is answered with."""
    headers = {**await network.local(), **network.key()}
    reply = await network.client.post(BULK, headers=headers, json={"items": items, **more})
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


async def contents(network: Network) -> dict[str, list[Any]]:
    """Everything that the services' tables hold, but for tokens."""
    names = await rows(
        network.database_url,
        "SELECT schemaname || '.' || tablename AS name FROM pg_tables "
        "WHERE schemaname IN ('activities', 'events', 'registration', 'impact')",
    )
    return {
        name: sorted(str(each) for each in await rows(network.database_url, f"SELECT * FROM {name}"))
        for name in (row["name"] for row in names)
        if not name.endswith("alembic_version")
    }


async def revision(network: Network, activity: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """An item that changes an activity as it stands."""
    reply = await network.client.get(f"{LIST}/{activity['id']}", headers=await network.local())
    return {"op": "revise", "id": activity["id"], "if_match": reply.headers["etag"], "changes": changes}


async def test_creations_and_changes_are_answered_one_by_one(network: Network) -> None:
    one = await network.drafted(title="One")
    answer = await sent(network, [creation(title="Two"), await revision(network, one, capacity=7)])
    assert [(item["index"], item["status"], item["problem"]) for item in answer["items"]] == [
        (0, 201, None),
        (1, 200, None),
    ]
    assert (answer["succeeded"], answer["refused"]) == (2, 0)
    for item, (title, capacity) in zip(answer["items"], [("Two", 40), ("One", 7)], strict=True):
        reply = await network.client.get(f"{LIST}/{item['id']}", headers=await network.local())
        assert (reply.json()["title"], reply.json()["capacity"]) == (title, capacity)
        assert reply.headers["etag"] == item["etag"]


async def test_what_is_refused_has_the_problem_of_its_own_request_and_stops_nothing_else(network: Network) -> None:
    one, other = await network.drafted(title="One"), await network.drafted(title="Other")
    foreign = [{"code": "PL-WARS-UKS", "lead": True}]
    nobody = "01890000-0000-7000-8000-000000000000"
    change = await revision(network, one, capacity=-1)
    items = [
        creation(title=""),
        creation(organisers=[{"code": "XX-NONE"}]),
        creation(ends_at="2027-05-08T09:00"),
        creation(organisers=foreign),
        {**creation(), "zq7": 1},
        {"op": "delete"},
        {"draft": DRAFT},
        change,
        {**change, "if_match": '"0"', "changes": {"capacity": 1}},
        {**change, "changes": {}},
        {**change, "id": nobody},
        await revision(network, other, title="Kept"),
        creation(title="Kept too"),
    ]
    answer = await sent(network, items)
    told = [
        (item["status"], [fault["pointer"] for fault in item["problem"]["errors"]] if item["problem"] else None)
        for item in answer["items"]
    ]
    assert told == [
        (422, ["#/items/0/draft/title"]),
        (422, ["#/items/1/draft/organisers/0/code"]),
        (422, ["#/items/2/draft/ends_at"]),
        (403, []),
        (422, ["#/items/4/zq7"]),
        (422, ["#/items/5"]),
        (422, ["#/items/6"]),
        (422, ["#/items/7/changes/capacity"]),
        (412, []),
        (422, ["#/items/9/changes"]),
        (404, []),
        (200, None),
        (201, None),
    ]
    single = await network.client.post(LIST, json=items[0]["draft"], headers={**await network.local(), **network.key()})
    first = answer["items"][0]["problem"]
    assert {name: first[name] for name in ("type", "title", "status", "detail")} == {
        name: single.json()[name] for name in ("type", "title", "status", "detail")
    }
    titles = await rows(network.database_url, "SELECT title FROM activities.activities ORDER BY title")
    assert [row["title"] for row in titles] == ["Kept", "Kept too", "One"]


async def test_only_what_is_kept_is_told_to_the_other_services(network: Network) -> None:
    one, other = await network.published(title="One"), await network.published(title="Other")
    before = await value(network.database_url, "SELECT count(*) FROM events.log")
    good = await revision(network, one, capacity=3)
    # The second change of one activity has an ETag that the first has made stale.
    answer = await sent(
        network, [good, {**good, "changes": {"capacity": 4}}, await revision(network, other, areas=["health"])]
    )
    assert [item["status"] for item in answer["items"]] == [200, 412, 409]
    assert await value(network.database_url, "SELECT count(*) FROM events.log") == before + 1
    assert await value(network.database_url, "SELECT capacity FROM activities.activities WHERE title = 'One'") == 3


async def test_a_dry_run_writes_nothing_and_answers_what_the_real_run_does(network: Network) -> None:
    one = await network.published(title="One")
    items = [creation(title="Two"), creation(title=""), await revision(network, one, capacity=7)]
    await network.local()
    before = await contents(network)
    tried = await sent(network, items, dry_run=True)
    assert await contents(network) == before
    done = await sent(network, items)
    assert await contents(network) != before
    assert (tried["dry_run"], done["dry_run"]) == (True, False)
    assert [tried["items"][index]["id"] for index in (0, 1, 2)] == [None, None, one["id"]]

    def told(answer: dict[str, Any]) -> list[Any]:
        return [(item["index"], item["status"], item["problem"]) for item in answer["items"]]

    assert told(tried) == told(done)
    assert (tried["succeeded"], tried["refused"]) == (done["succeeded"], done["refused"]) == (2, 1)


@pytest.mark.parametrize("dry_run", [False, True])
async def test_all_or_nothing_is_nothing_when_one_is_refused(shared: Network, dry_run: bool) -> None:
    one = await shared.drafted()
    stale = {**await revision(shared, one, capacity=1), "if_match": '"0"'}
    body = {
        "items": [creation(), creation(title=""), stale, creation(organisers=[{"code": "PL-WARS-UKS"}])],
        "all_or_nothing": True, "dry_run": dry_run,
    }  # fmt: skip
    headers = {**await shared.local(), **shared.key()}
    pointers = ["#/items/1/draft/title", "#/items/2/if_match", "#/items/3"]
    document = await refused(shared, "POST", BULK, status=422, pointers=pointers, headers=headers, json=body)
    assert document["type"].endswith("/nothing-applied")


async def test_all_or_nothing_is_all_when_none_is_refused(network: Network) -> None:
    answer = await sent(network, [creation(), creation()], all_or_nothing=True)
    assert answer["succeeded"] == 2
    assert await value(network.database_url, HELD) == 2


async def test_a_repeated_request_creates_nothing_again(network: Network) -> None:
    headers = {**await network.local(), **network.key()}
    body = {"items": [creation(), creation()]}
    first = await network.client.post(BULK, headers=headers, json=body)
    again = await network.client.post(BULK, headers=headers, json=body)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json()
    assert await value(network.database_url, HELD) == 2


async def test_a_dry_run_does_not_use_its_key_up(network: Network) -> None:
    headers = {**await network.local(), **network.key()}
    for dry_run in (True, True, False):
        reply = await network.client.post(BULK, headers=headers, json={"items": [creation()], "dry_run": dry_run})
        assert (reply.status_code, reply.json()["dry_run"]) == (200, dry_run)
    assert await value(network.database_url, HELD) == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"items": []}, "#/items"),
        ({"items": [creation()] * 201}, "#/items"),
        ({"items": {}}, "#/items"),
        ({}, "#/items"),
        ({"items": [creation()], "dry_run": "yes"}, "#/dry_run"),
        ({"items": [creation()], MARKER: 1}, f"#/{MARKER}"),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_what_is_no_bulk_request_is_refused(shared: Network, body: dict[str, Any], pointer: str) -> None:
    headers = {**await shared.local(), **shared.key()}
    await refused(shared, "POST", BULK, status=422, pointers=[pointer], hidden=(), headers=headers, json=body)


@pytest.mark.parametrize(
    "item", [None, 7, [], "create", {}, {"op": MARKER}, {"op": ["create"]}, {"op": "revise", "id": MARKER}], ids=str
)
async def test_an_item_of_any_shape_is_answered_without_repeating_it(shared: Network, item: Any) -> None:
    answer = await sent(shared, [item])
    assert answer["items"][0]["status"] == 422
    assert all(fault["pointer"].startswith("#/items/0") for fault in answer["items"][0]["problem"]["errors"])
    assert MARKER not in str(answer)


async def test_strangers_and_requests_without_a_key_are_refused(shared: Network) -> None:
    await refused(shared, "POST", BULK, status=401, headers=shared.key(), json={"items": [creation()]})
    await refused(shared, "POST", BULK, status=400, headers=await shared.local(), json={"items": [creation()]})


async def spent(network: Network, items: list[dict[str, Any]]) -> Counter[str]:
    """How many statements of each kind a bulk request sends; every item of it succeeds."""
    headers = {**await network.local(), **network.key()}
    with recorded(network.runtimes["activities"]) as statements:
        reply = await network.client.post(BULK, headers=headers, json={"items": items})
    assert reply.json()["refused"] == 0, reply.text
    # Whose the token is may be asked beside the request too.
    return Counter(each.text.split()[0] for each in statements if "access.tokens" not in each.text)


async def test_more_items_read_no_more_often(shared: Network) -> None:
    organisers = [{"code": "IT-SASS-ESN"}, {"code": "IT-MILA-STA"}]
    made = [creation(organisers=organisers, edition=("2027-spring", None)[number % 2]) for number in range(50)]
    few, many = await spent(shared, made[:5]), await spent(shared, made)
    assert few["SELECT"] == many["SELECT"] < 20
    # What is written, each in a savepoint of its own: an activity and its history.
    assert many - few == Counter(INSERT=2 * 45, SAVEPOINT=45, RELEASE=45)

    drafted = [await shared.drafted(title=f"Number {number}") for number in range(55)]
    times = {"starts_at": "2027-05-09T10:00", "ends_at": "2027-05-09T11:00"}
    changes = [await revision(shared, each, capacity=7, **times) for each in drafted]
    few, many = await spent(shared, changes[:5]), await spent(shared, changes[5:])
    assert few["SELECT"] == many["SELECT"] < 20
    assert many - few == Counter(UPDATE=45, INSERT=45, SAVEPOINT=45, RELEASE=45)


async def test_two_changes_of_one_activity_see_each_other(network: Network) -> None:
    one = await network.drafted()
    first = await revision(network, one, organisers=[{"code": "IT-SASS-ESN"}, {"code": "PL-WARS-UKS"}])
    second = {**first, "changes": {"starts_at": "2027-05-01T10:00"}}
    answer = await sent(network, [first, second])
    assert [item["status"] for item in answer["items"]] == [200, 412]
    # What the first change was refused for, the second one is not.
    refused_first = {**first, "if_match": answer["items"][0]["etag"], "changes": {"edition": "2001-spring"}}
    last = {**refused_first, "changes": {"starts_at": "2027-05-01T10:00"}}
    assert [item["status"] for item in (await sent(network, [refused_first, last]))["items"]] == [422, 200]
    found = (await network.client.get(f"{LIST}/{one['id']}", headers=await network.local())).json()
    assert [each["code"] for each in found["organisers"]] == ["IT-SASS-ESN", "PL-WARS-UKS"]
    assert (found["edition"], found["starts_at"]) == (None, "2027-05-01T10:00:00+02:00")
