"""What an activity asks and offers: whom it is for, what to bring, whom to ask; and what of it is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.harness.databases import rows
from tests.harness.network import DRAFT, Network
from tests.harness.refusals import refused

ADDRESS = "/activities/v1/activities"
DETAILS: dict[str, Any] = {
    "programme": "erasmus_in_schools",
    "audience": ["international_students", "pupils"],
    "pupils_expected": 25,
    "requirements": {
        "languages": ["it"],
        "minimum_age": 18,
        "resident_in": "IT",
        "documents": ["identity_card", "criminal_record_certificate"],
        "bring": ["gloves", "a bottle of water"],
        "notes": "Meet at the gate.",
    },
    "contact": {"email": "social@sassari.esnitalia.org", "url": None, "phone": "+39 079 123456"},
    "accessibility": ["step-free", "guide-dogs"],
}


@pytest.fixture(scope="module")
async def network(shared: Network) -> Network:
    """One for all tests of this file: each looks at what it made."""
    return shared


async def test_details_are_read_as_they_were_written(network: Network) -> None:
    activity = await network.published(**DETAILS)
    assert {name: activity[name] for name in DETAILS} == DETAILS
    address, local = f"{ADDRESS}/{activity['id']}", await network.local()
    etag = (await network.client.get(address)).headers["etag"]
    changed = await network.client.patch(
        address, headers={**local, "If-Match": etag}, json={"pupils_expected": None, "contact": None, "audience": []}
    )
    told = changed.json()
    assert (told["pupils_expected"], told["contact"], told["audience"]) == (None, None, [])
    assert told["requirements"] == DETAILS["requirements"]


async def test_what_is_not_said_is_there_and_empty(network: Network) -> None:
    drafted = await network.drafted()
    assert drafted["requirements"] == {
        "languages": [], "minimum_age": None, "resident_in": None, "documents": [], "bring": [], "notes": None,
    }  # fmt: skip
    empty = {name: drafted[name] for name in ("audience", "pupils_expected", "contact", "part_of", "joint", "parts")}
    assert empty == {**dict.fromkeys(empty), "audience": []}


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"audience": ["students"]}, "#/audience/0"),
        ({"audience": ["pupils", "pupils"]}, "#/audience"),
        ({"pupils_expected": 20}, "#/pupils_expected"),
        ({"programme": "erasmus_in_schools", "pupils_expected": -1}, "#/pupils_expected"),
        ({"requirements": {"documents": ["vaccination_card"]}}, "#/requirements/documents/0"),
        ({"requirements": {"resident_in": "XX"}}, "#/requirements/resident_in"),
        ({"requirements": {"bring": ["gloves", ""]}}, "#/requirements/bring/1"),
        ({"requirements": {"health": "none"}}, "#/requirements/health"),
        ({"contact": {}}, "#/contact"),
        ({"contact": {"email": "Anna <anna@esn.org>"}}, "#/contact/email"),
        ({"contact": {"email": "nobody"}}, "#/contact/email"),
        ({"contact": {"phone": "079 123456"}}, "#/contact/phone"),
        ({"contact": {"url": "javascript:alert(1)"}}, "#/contact/url"),
        ({"contact": {"name": "Anna", "email": "social@esn.org"}}, "#/contact/name"),
        ({"accessibility": ["everything"]}, "#/accessibility/0"),
    ],
    ids=str,
)
async def test_what_cannot_be_is_refused_where_it_stands(
    shared: Network, changes: dict[str, Any], pointer: str
) -> None:
    headers = {**await shared.local(), **shared.key()}
    await refused(shared, "POST", ADDRESS, status=422, pointers=[pointer], headers=headers, json={**DRAFT, **changes})


async def test_pupils_do_not_stay_when_the_programme_leaves_the_schools(network: Network) -> None:
    drafted = await network.drafted(programme="erasmus_in_schools", pupils_expected=25)
    address, local = f"{ADDRESS}/{drafted['id']}", await network.local()
    etag = (await network.client.get(address, headers=local)).headers["etag"]
    headers = {**local, "If-Match": etag}
    await refused(
        network, "PATCH", address, status=422, pointers=["#/pupils_expected"], headers=headers,
        json={"programme": "socialerasmus"},
    )  # fmt: skip


async def test_a_contact_stands_in_no_event_and_no_history(network: Network) -> None:
    activity = await network.published(contact=DETAILS["contact"])
    address, local = f"{ADDRESS}/{activity['id']}", await network.local()
    etag = (await network.client.get(address)).headers["etag"]
    changes = {"contact": {"email": "other@sassari.esnitalia.org"}, "capacity": 7}
    await network.client.patch(address, headers={**local, "If-Match": etag}, json=changes)
    told = [
        json.dumps([dict(row) for row in await rows(network.database_url, f"SELECT * FROM {table}")], default=str)
        for table in ("events.log", "activities.activity_history")
    ]
    assert activity["id"] in told[0]
    assert activity["id"] in told[1]
    assert not any(secret in text for text in told for secret in ("sassari.esnitalia", "079 123456"))


async def test_a_co_organiser_changes_facts_and_cannot_take_the_lead(network: Network) -> None:
    both = [{"code": "IT-SASS-ESN", "lead": True}, {"code": "IT-MILA-STA", "lead": False}]
    drafted = await network.drafted(organisers=both)
    address, other = f"{ADDRESS}/{drafted['id']}", await network.local("IT-MILA-STA")
    etag = (await network.client.get(address, headers=other)).headers["etag"]
    headers = {**other, "If-Match": etag}
    taken = [{"code": "IT-MILA-STA", "lead": True}]
    assert (await network.client.patch(address, headers=headers, json={"organisers": taken})).status_code == 403
    assert (await network.client.patch(address, headers=headers, json={"capacity": 5})).status_code == 200


async def test_the_leading_section_names_who_joins(network: Network) -> None:
    drafted = await network.drafted()
    address, local = f"{ADDRESS}/{drafted['id']}", await network.local()
    etag = (await network.client.get(address, headers=local)).headers["etag"]
    both = [{"code": "IT-MILA-STA", "lead": False}, {"code": "IT-SASS-ESN", "lead": True}]
    joined = await network.client.patch(address, headers={**local, "If-Match": etag}, json={"organisers": both})
    assert [(each["code"], each["lead"]) for each in joined.json()["organisers"]] == [
        ("IT-SASS-ESN", True), ("IT-MILA-STA", False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("currency", "sent", "kept"),
    [
        ("EUR", "12.5", "12.50"),
        ("EUR", 12, "12.00"),
        ("EUR", "0", "0.00"),
        ("JPY", "1200", "1200"),
        ("JPY", "5.00", "5"),
    ],
)
async def test_a_cost_is_read_with_the_decimals_of_its_currency(
    shared: Network, currency: str, sent: Any, kept: str
) -> None:
    drafted = await shared.drafted(cost={"amount": sent, "currency": currency})
    assert drafted["cost"] == {"currency": currency, "amount": kept}


async def test_what_a_currency_has_no_decimals_for_is_refused(shared: Network) -> None:
    headers = {**await shared.local(), **shared.key()}
    body = {**DRAFT, "cost": {"amount": "12.5", "currency": "JPY"}}
    address = "/activities/v1/activities"
    await refused(shared, "POST", address, status=422, pointers=["#/cost/amount"], headers=headers, json=body)
