"""An idea becomes an activity of another section, which keeps where it comes from and counts once it is public."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.harness.exchange import IDEAS, idea, patched, post
from tests.harness.network import DRAFT, Network
from tests.harness.refusals import refused

LIST = "/activities/v1/activities"
WHEN = {"starts_at": "2027-05-08T19:00", "ends_at": "2027-05-08T22:00"}


async def adapted(network: Network, idea_id: str) -> dict[str, int]:
    found: dict[str, int] = (await network.client.get(f"{IDEAS}/{idea_id}")).json()["adapted"]
    return found


async def drafted_from(network: Network, idea_id: str, section: str, **changes: Any) -> dict[str, Any]:
    """A section's adaptation, as a draft that the label can be asked for."""
    local = await network.local(section)
    draft = await post(network, f"{IDEAS}/{idea_id}/adapt", {**WHEN, **changes}, local)
    address = f"{LIST}/{draft['id']}"
    tag = {"If-Match": (await network.client.get(address, headers=local)).headers["etag"]}
    checklist = {"label_checklist": DRAFT["label_checklist"]}
    reply = await network.client.patch(address, headers={**local, **tag}, json=checklist)
    assert reply.status_code == 200, reply.text
    return draft


async def published(network: Network, idea_id: str, section: str, **changes: Any) -> str:
    """The id of a section's adaptation, published."""
    local = await network.local(section)
    drafted = await drafted_from(network, idea_id, section, **changes)
    for verb, who in (("submit", local), ("approve", await network.national(section[:2])), ("publish", local)):
        await post(network, f"{LIST}/{drafted['id']}/{verb}", None, who, status=200)
    return str(drafted["id"])


async def test_an_adaptation_is_a_draft_of_ones_own_section_that_knows_its_origin(network: Network) -> None:
    offered = await idea(network, of={"sdgs": [10], "mode": "online"})
    local = await network.local("PL-WARS-UKS")
    reply = await network.client.post(f"{IDEAS}/{offered['id']}/adapt", json=WHEN, headers={**local, **network.key()})
    draft = reply.json()
    assert (reply.status_code, reply.headers["location"]) == (201, f"{LIST}/{draft['id']}")
    assert draft["adapted_from"] == {
        "idea_id": offered["id"], "activity_id": offered["activity"]["id"], "title": "Blind dinner"
    }  # fmt: skip
    said = (
        "state",
        "title",
        "summary",
        "language",
        "kind",
        "mode",
        "areas",
        "sdgs",
        "capacity",
        "country",
        "starts_at",
    )
    assert [draft[name] for name in said] == [
        "draft", "Blind dinner", offered["what"], "en", "volunteering", "online", ["environment"], [10], 30, "PL",
        "2027-05-08T19:00:00+02:00",
    ]  # fmt: skip
    assert [each["code"] for each in draft["organisers"]] == ["PL-WARS-UKS"]
    changed = await patched(network, f"{LIST}/{draft['id']}", local, title="Kolacja po ciemku")
    assert changed.json()["adapted_from"] == draft["adapted_from"]
    # The tag that came with the draft was that of its document.
    assert reply.headers["etag"] != changed.headers["etag"]
    assert (await network.drafted())["adapted_from"] is None


async def test_what_is_said_of_an_adaptation_wins_over_the_idea(network: Network) -> None:
    offered = await idea(network)
    draft = await post(
        network,
        f"{IDEAS}/{offered['id']}/adapt",
        {
            **WHEN, "section": "IT-MILA-STA", "title": "Cena al buio", "summary": "Una cena.", "language": "it",
            "areas": ["discrimination"], "causes": [{"code": "social-inclusion"}], "capacity": 12,
            "time_zone": "Europe/Lisbon", "place": {"city": "Lisbon", "country": "PT"},
        },
        await network.national(),
    )  # fmt: skip
    assert [each["code"] for each in draft["organisers"]] == ["IT-MILA-STA"]
    said = (draft["title"], draft["summary"], draft["language"], draft["areas"], draft["capacity"], draft["starts_at"])
    assert said == ("Cena al buio", "Una cena.", "it", ["discrimination"], 12, "2027-05-08T19:00:00+01:00")
    assert draft["place"]["city"] == "Lisbon"


@pytest.mark.parametrize(
    ("pointer", "role", "scope", "changes"),
    [
        ("#/section", "international", {}, {}),
        ("#/section", "international", {}, {"section": "XX-NONE"}),
        ("#/starts_at", "local_coordinator", {"section": "IT-MILA-STA"}, {"starts_at": None}),
        ("#/starts_at", "local_coordinator", {"section": "IT-MILA-STA"}, {"starts_at": "2027-03-28T02:30"}),
        ("#/ends_at", "local_coordinator", {"section": "IT-MILA-STA"}, {"ends_at": "2027-05-08T18:00"}),
        ("#/areas", "local_coordinator", {"section": "IT-MILA-STA"}, {"areas": []}),
        ("#/causes", "local_coordinator", {"section": "IT-MILA-STA"}, {"causes": [{"code": "culture"}] * 2}),
        ("#/organisers", "local_coordinator", {"section": "IT-MILA-STA"}, {"organisers": []}),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_is_drafted(
    shared: Network, pointer: str, role: str, scope: dict[str, str], changes: dict[str, Any]
) -> None:
    address = f"{IDEAS}/{(await idea(shared))['id']}/adapt"
    headers = {**await shared.token(role, **scope), **shared.key()}
    await refused(shared, "POST", address, status=422, pointers=[pointer], headers=headers, json={**WHEN, **changes})


async def test_nobody_drafts_for_another_section_or_from_what_is_not_offered(network: Network) -> None:
    offered, local = await idea(network), await network.local("IT-MILA-STA")
    address, body = f"{IDEAS}/{offered['id']}/adapt", {**WHEN, "section": "PL-WARS-UKS"}
    for who in (local, await network.national(), await network.token("machine")):
        await refused(network, "POST", address, status=403, headers={**who, **network.key()}, json=body)
    await post(network, f"{IDEAS}/{offered['id']}/withdraw", None, await network.local(), status=200)
    await refused(network, "POST", address, status=409, headers={**local, **network.key()}, json=WHEN)


async def test_sections_and_countries_count_when_their_adaptations_are_public(network: Network) -> None:
    one, other = (await idea(network))["id"], (await idea(network, title="Other"))["id"]
    milan = await network.local("IT-MILA-STA")
    await post(network, f"{IDEAS}/{one}/adapt", WHEN, milan)
    assert await adapted(network, one) == {"sections": 0, "countries": 0}
    first = await published(network, one, "IT-MILA-STA")
    await published(network, one, "IT-MILA-STA")
    assert await adapted(network, one) == {"sections": 1, "countries": 1}
    before = (await network.client.get(f"{IDEAS}/{one}")).headers["etag"]
    # Its own section may hold it again; that is no adaptation by another.
    await published(network, one, "IT-SASS-ESN")
    assert await adapted(network, one) == {"sections": 1, "countries": 1}
    last = await published(network, one, "PL-WARS-UKS", starts_at="2026-05-08T19:00", ends_at="2026-05-08T21:00")
    assert await adapted(network, one) == {"sections": 2, "countries": 2}
    reply = await network.client.get(f"{IDEAS}/{one}", headers={"If-None-Match": before})
    assert reply.status_code == 200
    ranked = (await network.client.get(IDEAS, params={"sort": "adapted"})).json()["items"]
    assert [item["id"] for item in ranked] == [one, other]
    poland = await network.local("PL-WARS-UKS")
    await post(network, f"{LIST}/{last}/complete", None, poland, status=200)
    assert await adapted(network, one) == {"sections": 2, "countries": 2}
    await post(network, f"{LIST}/{first}/cancel", {"reason": "Rain."}, milan, status=200)
    assert await adapted(network, one) == {"sections": 2, "countries": 2}
    observer = await network.observer()
    await observer.execute("DELETE FROM activities.activities WHERE id = $1", last)
    assert await adapted(network, one) == {"sections": 1, "countries": 1}
    assert await adapted(network, other) == {"sections": 0, "countries": 0}


async def test_adaptations_published_at_once_are_all_counted(network: Network) -> None:
    offered = (await idea(network))["id"]
    sections = ("IT-MILA-STA", "IT-SASS-ESN", "PL-WARS-UKS", "PT-PORT-ESN")
    ready = []
    for section in sections:
        local = await network.local(section)
        draft = await drafted_from(network, offered, section)
        await post(network, f"{LIST}/{draft['id']}/submit", None, local, status=200)
        await post(network, f"{LIST}/{draft['id']}/approve", None, await network.national(section[:2]), status=200)
        ready.append(post(network, f"{LIST}/{draft['id']}/publish", None, local, status=200))
    await asyncio.gather(*ready)
    assert await adapted(network, offered) == {"sections": 3, "countries": 3}
