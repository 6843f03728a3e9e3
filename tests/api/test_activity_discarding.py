"""What was never public goes away without anybody hearing of it; a label that was asked for need not be waited for."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.harness.catalogue import LIST
from tests.harness.databases import rows, value
from tests.harness.network import Network
from tests.harness.refusals import refused


@pytest.fixture(scope="module")
async def network(shared: Network) -> Network:
    """One for all tests of this file: each looks at what it made."""
    return shared


async def _do(network: Network, identity: str, *verbs: str, **body: Any) -> httpx.Response:
    for verb in verbs:
        who = await (network.national() if verb in {"approve", "return"} else network.local())
        reply = await network.client.post(f"{LIST}/{identity}/{verb}", headers=who, json=body or None)
    return reply


@pytest.mark.parametrize("verbs", [(), ("submit",), ("submit", "approve")])
async def test_what_was_never_public_is_discarded_and_not_cancelled(network: Network, verbs: tuple[str, ...]) -> None:
    identity, local = (await network.drafted())["id"], await network.local()
    if verbs:
        await _do(network, identity, *verbs)
    cancelled = await _do(network, identity, "cancel", reason="No bus.")
    assert (cancelled.status_code, "is discarded" in cancelled.json()["detail"]) == (409, True)
    gone = await _do(network, identity, "discard")
    assert (gone.status_code, gone.json()["state"]) == (200, "discarded")
    assert gone.json()["label"]["state"] == ("given" if "approve" in verbs else "not_asked")
    assert (await network.client.get(f"{LIST}/{identity}")).status_code == 404
    assert await rows(network.database_url, "SELECT 1 FROM activities.changes WHERE id = $1", UUID(identity)) == []
    history = (await network.client.get(f"{LIST}/{identity}/history", headers=local)).json()["items"]
    assert history[-1]["verb"] == "discard"
    etag = (await network.client.get(f"{LIST}/{identity}", headers=local)).headers["etag"]
    headers = {**local, "If-Match": etag}
    await refused(network, "PATCH", f"{LIST}/{identity}", status=409, headers=headers, json={"capacity": 3})
    for verb in ("discard", "submit", "publish"):
        await refused(network, "POST", f"{LIST}/{identity}/{verb}", status=409, headers=local)


async def test_what_is_public_is_not_discarded_nor_by_others(network: Network) -> None:
    public = await network.published()
    await refused(network, "POST", f"{LIST}/{public['id']}/discard", status=409, headers=await network.local())
    drafted = await network.drafted()
    other = await network.local("PL-WARS-UKS")
    await refused(network, "POST", f"{LIST}/{drafted['id']}/discard", status=403, headers=other)


async def test_a_section_takes_back_that_it_asked_for_the_label(network: Network) -> None:
    identity, local = (await network.drafted())["id"], await network.local()
    await refused(network, "POST", f"{LIST}/{identity}/withdraw", status=409, headers=local)
    await _do(network, identity, "submit")
    back = (await _do(network, identity, "withdraw")).json()
    assert (back["state"], back["label"]) == ("draft", {"state": "not_asked", "decided_at": None})
    asked = "SELECT label_asked_at FROM activities.activities WHERE id = $1"
    assert await value(network.database_url, asked, UUID(identity)) is None
    assert (await _do(network, identity, "submit")).json()["state"] == "submitted"


async def test_a_series_is_discarded_with_its_dates_and_a_date_by_itself(network: Network) -> None:
    series, headers = (await network.drafted())["id"], {**await network.local(), **network.key()}
    times = [{"starts_at": f"2027-03-{day}T18:00", "ends_at": f"2027-03-{day}T19:00"} for day in ("12", "13", "14")]
    made = await network.client.post(f"{LIST}/{series}/occurrences", headers=headers, json={"times": times})
    first = made.json()["items"][0]["id"]
    assert (await _do(network, first, "discard")).json()["state"] == "discarded"
    whole = (await network.client.get(f"{LIST}/{series}", headers=headers)).json()
    assert (whole["state"], whole["starts_at"][:10]) == ("draft", "2027-03-13")
    again = {**await network.local(), **network.key()}
    added = await network.client.post(f"{LIST}/{series}/occurrences", headers=again, json={"times": times[:1]})
    assert added.status_code == 201
    await _do(network, series, "submit", "approve", "publish")
    second = made.json()["items"][1]["id"]
    await refused(network, "POST", f"{LIST}/{second}/discard", status=409, headers=await network.local())
    assert (await network.client.get(f"{LIST}/{first}")).status_code == 404
    other = (await network.drafted())["id"]
    headers = {**await network.local(), **network.key()}
    await network.client.post(f"{LIST}/{other}/occurrences", headers=headers, json={"times": times})
    await _do(network, other, "submit", "approve", "discard")
    states = "SELECT DISTINCT state FROM activities.activities WHERE id = $1 OR part_of = $1"
    assert [row["state"] for row in await rows(network.database_url, states, UUID(other))] == ["discarded"]
