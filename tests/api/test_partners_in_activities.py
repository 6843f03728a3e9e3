"""Activities name their partners: by id or in words, with what they contribute, under the name they have now."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.databases import rows
from tests.harness.exchange import PARTNERS, partner, patched, post
from tests.harness.network import DRAFT, Network
from tests.harness.refusals import refused

LIST = "/activities/v1/activities"
NOBODY = "01890000-0000-7000-8000-000000000000"


async def told(network: Network, activity_id: str) -> Any:
    reply = await network.client.get(f"{LIST}/{activity_id}", headers=await network.local())
    return reply.json()["partners"]


async def test_a_draft_names_partners_by_id_or_in_words(network: Network) -> None:
    known = await partner(network)
    drafted = await network.drafted(
        partners=[
            {"id": known["id"], "name": "whatever", "contribution": "place", "contribution_note": "Hall and kitchen"},
            {"id": known["id"], "contribution": "food"},
            {"name": "Surf school"},
        ]
    )
    assert drafted["partners"] == [
        {"id": known["id"], "name": "Mensa San Sabino", "contribution": "place",
         "contribution_note": "Hall and kitchen"},
        {"id": known["id"], "name": "Mensa San Sabino", "contribution": "food", "contribution_note": None},
        {"id": None, "name": "Surf school", "contribution": None, "contribution_note": None},
    ]  # fmt: skip
    changed = await patched(network, f"{LIST}/{drafted['id']}", await network.local(), capacity=3)
    assert changed.json()["partners"] == drafted["partners"]


@pytest.mark.parametrize(
    ("pointer", "given"),
    [
        ("#/partners/0", {}),
        ("#/partners/0", {"contribution": "food"}),
        ("#/partners/0/id", {"id": NOBODY}),
        ("#/partners/0/id", {"id": "x"}),
        ("#/partners/0/contribution", {"name": "A", "contribution": "love"}),
        ("#/partners/0/contribution_note", {"name": "A", "contribution_note": "two\nlines"}),
    ],
)
async def test_what_is_wrong_with_a_partner_is_named(shared: Network, pointer: str, given: dict[str, Any]) -> None:
    headers = {**await shared.local(), **shared.key()}
    await refused(
        shared, "POST", LIST, status=422, pointers=[pointer], headers=headers, json={**DRAFT, "partners": [given]}
    )


async def test_a_partner_shows_its_public_activities_and_what_it_gave(network: Network) -> None:
    known = (await partner(network))["id"]
    await network.drafted(title="Not public", partners=[{"id": known, "contribution": "money"}])
    first = await network.published(
        title="First", partners=[{"id": known, "contribution": "food"}, {"id": known, "contribution": "place"}]
    )
    second = await network.published(
        title="Second", starts_at="2027-05-09T10:00", ends_at="2027-05-09T12:00",
        partners=[{"id": known, "contribution": "food"}, {"name": "Other", "contribution": "money"}],
        organisers=[{"code": "IT-SASS-ESN", "lead": True}, {"code": "PT-PORT-ESN"}],
    )  # fmt: skip
    await network.published(title="Without", partners=[{"name": "Mensa San Sabino"}])
    page = (await network.client.get(f"{PARTNERS}/{known}")).json()
    assert [each["id"] for each in page["activities"]] == [second["id"], first["id"]]
    assert page["activities"][1] == {
        "id": first["id"], "url": first["url"], "state": "published", "title": "First", "country": "IT",
        "starts_at": first["starts_at"], "sections": ["IT-SASS-ESN"], "contributions": ["food", "place"],
    }  # fmt: skip
    assert page["contributions"] == {"food": 2, "place": 1}
    assert page["sections"] == ["IT-SASS-ESN", "PT-PORT-ESN"]
    listed = (await network.client.get(page["activities_url"])).json()["items"]
    assert [item["id"] for item in listed] == [first["id"], second["id"]]
    nobody = (await network.client.get(LIST, params={"partner": NOBODY})).json()["items"]
    either = (await network.client.get(LIST, params={"partner": [NOBODY, known]})).json()["items"]
    assert (nobody, either) == ([], listed)
    calendar = await network.client.get(f"{LIST}.ics", params={"partner": known})
    assert calendar.text.count("BEGIN:VEVENT") == 2


async def test_the_page_changes_its_tag_with_its_activities_yet_the_partner_can_be_changed(network: Network) -> None:
    known = (await partner(network))["id"]
    before = (await network.client.get(f"{PARTNERS}/{known}")).headers["etag"]
    await network.published(partners=[{"id": known}])
    after = await network.client.get(f"{PARTNERS}/{known}", headers={"If-None-Match": before})
    assert (after.status_code, after.headers["etag"] != before) == (200, True)
    reply = await network.client.patch(
        f"{PARTNERS}/{known}", headers={**await network.local(), "If-Match": before}, json={"city": "Alghero"}
    )
    assert reply.status_code == 200


async def test_activities_follow_a_new_name_in_words_too(network: Network) -> None:
    known = (await partner(network))["id"]
    one, other = await network.published(partners=[{"id": known}]), await network.drafted(partners=[{"id": known}])
    untouched = await network.published(title="Other", partners=[{"name": "Mensa San Sabino"}])
    renamed = await patched(network, f"{PARTNERS}/{known}", await network.local(), name="Emporio Solidale")
    assert renamed.status_code == 200
    await network.sweep()
    for each in (one, other):
        assert [entry["name"] for entry in await told(network, each["id"])] == ["Emporio Solidale"]
    assert await told(network, untouched["id"]) == untouched["partners"]
    found = (await network.client.get(LIST, params={"q": "emporio"})).json()["items"]
    assert [item["id"] for item in found] == [one["id"]]
    assert found[0]["revision"] == one["revision"]
    assert found[0]["updated_at"] > one["updated_at"]


async def test_activities_of_a_merged_partner_become_the_others(network: Network) -> None:
    one, other = (await partner(network))["id"], (await partner(network, name="Emporio Solidale"))["id"]
    activity = await network.published(
        partners=[{"id": one, "contribution": "food"}, {"id": other, "contribution": "food"}, {"name": "Surf school"}]
    )
    await post(network, f"{PARTNERS}/{one}/merge", {"into": other}, await network.national(), status=200)
    # Who did not hear of it yet names the right one all the same.
    late = await network.drafted(partners=[{"id": one}])
    assert [entry["id"] for entry in late["partners"]] == [other]
    await network.sweep()
    assert await told(network, activity["id"]) == [
        {"id": other, "name": "Emporio Solidale", "contribution": "food", "contribution_note": None},
        {"id": None, "name": "Surf school", "contribution": None, "contribution_note": None},
    ]
    listed = (await network.client.get(LIST, params={"partner": other})).json()["items"]
    assert [item["id"] for item in listed] == [activity["id"]]


async def test_a_partner_of_many_is_followed_bit_by_bit_and_around_rows_that_are_held(network: Network) -> None:
    known = (await partner(network))["id"]
    for number in range(3):
        await network.drafted(title=f"Activity {number}", partners=[{"id": known}])
    await patched(network, f"{PARTNERS}/{known}", await network.local(), name="Emporio")
    observer = await network.observer()
    async with observer.transaction():
        held = await observer.fetchval("SELECT id FROM activities.activities ORDER BY id LIMIT 1 FOR UPDATE")
        await network.sweep()
        assert await observer.fetchval("SELECT is_followed FROM activities.partners") is False
    stale = 'SELECT id FROM activities.activities WHERE NOT partners @> \'[{"name": "Emporio"}]\''
    assert [row["id"] for row in await rows(network.database_url, stale)] == [held]
    await network.sweep()
    assert await rows(network.database_url, stale) == []
    assert await observer.fetchval("SELECT is_followed FROM activities.partners") is True
