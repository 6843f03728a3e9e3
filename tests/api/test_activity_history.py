"""The history of an activity: who did what, for those who may change it; it grows and is never changed."""

from __future__ import annotations

from uuid import UUID

import asyncpg
import pytest

from tests.harness.databases import rows
from tests.harness.network import Network
from tests.harness.refusals import refused


@pytest.fixture(scope="module")
async def network(shared: Network) -> Network:
    """One for all tests of this file: each looks at what it made."""
    return shared


async def test_history_tells_who_did_what_and_what_it_changed(network: Network) -> None:
    drafted = await network.drafted()
    address = f"/activities/v1/activities/{drafted['id']}"
    local, national = await network.local(), await network.national()
    await network.client.post(f"{address}/submit", headers=local)
    await network.client.post(f"{address}/return", headers=national, json={"reason": "Which partner?"})
    etag = (await network.client.get(address, headers=local)).headers["etag"]
    changes = {"capacity": 12, "summary": "With the surf school.", "starts_at": "2027-05-08T09:30"}
    await network.client.patch(address, headers={**local, "If-Match": etag}, json=changes)
    entries = (await network.client.get(f"{address}/history", headers=local)).json()["items"]
    assert [(entry["verb"], entry["by"]["role"], entry["reason"]) for entry in entries] == [
        ("draft", "local_coordinator", None),
        ("submit", "local_coordinator", None),
        ("return", "national_coordinator", "Which partner?"),
        ("revise", "local_coordinator", None),
    ]
    assert [entry["by"]["section"] for entry in entries] == ["IT-SASS-ESN", "IT-SASS-ESN", None, "IT-SASS-ESN"]
    assert entries[2]["by"]["country"] == "IT"
    assert [entry["revision"] for entry in entries] == [1, 2, 3, 4]
    assert entries[2]["changes"] == {"state": {"before": "submitted", "after": "returned"}}
    assert entries[3]["changes"] == {
        "capacity": {"before": 40, "after": 12},
        "starts_at": {"before": "2027-05-08T10:00:00+02:00", "after": "2027-05-08T09:30:00+02:00"},
        # A text may speak of people, so that the history keeps none.
        "summary": None,
    }


async def test_history_comes_in_pages(network: Network) -> None:
    activity = await network.published()
    address, local = f"/activities/v1/activities/{activity['id']}/history", await network.local()
    first = (await network.client.get(address, headers=local, params={"limit": 3})).json()
    second = (await network.client.get(first["next"], headers=local)).json()
    verbs = [entry["verb"] for entry in [*first["items"], *second["items"]]]
    assert (verbs, second["next"]) == (["draft", "submit", "approve", "publish"], None)


async def test_history_is_for_those_in_reach(network: Network) -> None:
    activity = await network.published()
    address = f"/activities/v1/activities/{activity['id']}/history"
    await refused(network, "GET", address, status=401)
    await refused(network, "GET", address, status=403, headers=await network.local("PL-WARS-UKS"))
    await refused(network, "GET", address, status=403, headers=await network.national("PL"))
    assert (await network.client.get(address, headers=await network.national())).status_code == 200
    nobody = address.replace(activity["id"], "01890000-0000-7000-8000-000000000000")
    await refused(network, "GET", nobody, status=404, headers=await network.national())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE activities.activity_history SET verb = 'approve'",
        "DELETE FROM activities.activity_history",
        "TRUNCATE activities.activity_history",
    ],
)
async def test_not_even_the_owner_changes_what_history_says(network: Network, statement: str) -> None:
    drafted = await network.drafted()
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="can be added to"):
        await rows(network.database_url, statement)
    kept = "SELECT verb FROM activities.activity_history WHERE activity_id = $1"
    assert [row["verb"] for row in await rows(network.database_url, kept, UUID(drafted["id"]))] == ["draft"]


async def test_history_goes_with_an_activity_that_is_deleted(network: Network) -> None:
    drafted = await network.drafted()
    identity = UUID(drafted["id"])
    await rows(network.database_url, "DELETE FROM activities.activities WHERE id = $1", identity)
    kept = "SELECT * FROM activities.activity_history WHERE activity_id = $1"
    assert await rows(network.database_url, kept, identity) == []
