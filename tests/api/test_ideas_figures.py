"""An idea shows what its activity did in figures, for as long as its report is verified."""

from __future__ import annotations

from typing import Any

from services.contracts import ActivityFiguresChanged
from services.kernel import events
from tests.api.test_ideas_market import IDEA, IDEAS
from tests.harness.network import Network
from tests.harness.refusals import MARKER

REPORT = {
    "outcome": "held", "participants": {"international": 12, "local": 5, "esn_volunteer": 3}, "hours": "60",
    "quantities": [{"measure": "waste", "unit": "kg", "amount": "130"}], "learned": MARKER,
}  # fmt: skip


async def _figures(network: Network, idea: str) -> Any:
    await network.settle()
    one = (await network.client.get(f"{IDEAS}/{idea}")).json()["activity"]["figures"]
    (listed,) = (await network.client.get(IDEAS)).json()["items"]
    assert listed["activity"]["figures"] == one
    return one


async def test_an_idea_shows_the_figures_of_its_verified_report(network: Network) -> None:
    times = {"starts_at": "2026-05-08T10:00", "ends_at": "2026-05-08T13:00"}
    activity = await network.published(**times)
    local, national = await network.local(), await network.national()
    await network.client.post(f"/activities/v1/activities/{activity['id']}/complete", headers=local)
    await network.settle()
    headers = {**local, **network.key()}
    offered = await network.client.post(IDEAS, headers=headers, json={**IDEA, "activity_id": activity["id"]})
    assert offered.status_code == 201, offered.text
    idea = offered.json()["id"]
    assert await _figures(network, idea) is None

    report = f"/impact/v1/activities/{activity['id']}/report"
    written = await network.client.put(report, headers=local, json=REPORT)
    assert written.status_code in {200, 201}, written.text
    assert (await network.client.post(f"{report}/submit", headers=local)).status_code == 200
    assert await _figures(network, idea) is None
    etag = (await network.client.get(f"{IDEAS}/{idea}")).headers["etag"]
    assert (await network.client.post(f"{report}/verify", headers=national)).status_code == 200
    assert await _figures(network, idea) == {
        "international": 12, "local": 5, "esn_volunteer": 3, "unclassified": 0, "hours": 60.0,
        "quantities": [{"measure": "waste", "unit": "kg", "amount": "130.000000"}],
    }  # fmt: skip
    assert (await network.client.get(f"{IDEAS}/{idea}")).headers["etag"] != etag

    async with network.runtimes["impact"].unit_of_work() as session:
        # An older one that arrives late changes nothing.
        late = ActivityFiguresChanged(activity_id=activity["id"], revision=1, is_verified=False)
        await events.record(session, late)
    assert await _figures(network, idea) is not None
    returned = await network.client.post(f"{report}/return", headers=national, json={"reason": "Count again."})
    assert returned.status_code == 200, returned.text
    assert await _figures(network, idea) is None
