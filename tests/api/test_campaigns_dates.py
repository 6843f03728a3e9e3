"""The dates of countries, and the activities that change hands when an edition's days do."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from services.activities.catalogue import actions as catalogue
from services.activities.catalogue.drafts import ActivityDraft
from services.kernel.auth import Actor, Role
from services.kernel.ids import new_id
from tests.harness.catalogue import get
from tests.harness.databases import eventually, rows, value
from tests.harness.network import DRAFT, Network
from tests.harness.refusals import refused

SPRING = "/activities/v1/editions/2027-spring"
ITALY = f"{SPRING}/national-dates/IT"
LONGER = {"starts_on": "2027-05-03", "ends_on": "2027-05-30", "theme": "Coasts", "note": "After the exams."}


async def edition_of(network: Network, activity: dict[str, Any]) -> str | None:
    await network.sweep()
    statement = "SELECT edition, document::jsonb ->> 'edition' FROM activities.activities WHERE id = $1::uuid"
    ((edition, shown),) = await (await network.observer()).fetch(statement, activity["id"])
    assert edition == shown
    found: str | None = edition
    return found


async def drafted_on(network: Network, day: str, **more: Any) -> dict[str, Any]:
    return await network.drafted(starts_at=f"{day}T10:00", ends_at=f"{day}T13:00", **more)


async def revise(network: Network, **changes: Any) -> None:
    headers = {**await network.token("international"), "If-Match": "*"}
    reply = await network.client.patch(SPRING, json=changes, headers=headers)
    assert reply.status_code == 200, reply.text


async def put(network: Network, *, country: str = "IT", status: int = 201, **changes: Any) -> str:
    headers = await network.national(country)
    address = f"{SPRING}/national-dates/{country}"
    if status == 200:
        headers["If-Match"] = (await network.client.get(address)).headers["etag"]
    reply = await network.client.put(address, json={**LONGER, **changes}, headers=headers)
    assert reply.status_code == status, reply.text
    return str(reply.headers["etag"])


async def test_a_country_gives_an_edition_its_own_days_changes_them_and_returns(network: Network) -> None:
    etag = await put(network)
    assert await get(network, ITALY) == {"country": "IT", **LONGER}
    assert (await get(network, SPRING))["national_dates"] == [{"country": "IT", **LONGER}]
    again = await put(network, status=200, ends_on="2027-05-29", theme=None)
    assert again != etag
    assert (await get(network, ITALY))["ends_on"] == "2027-05-29"
    headers = await network.national()
    await refused(network, "DELETE", ITALY, status=428, headers=headers)
    await refused(network, "DELETE", ITALY, status=412, headers={**headers, "If-Match": etag})
    reply = await network.client.delete(ITALY, headers={**headers, "If-Match": again})
    assert (reply.status_code, reply.content) == (204, b"")
    assert (await get(network, SPRING))["national_dates"] == []
    await refused(network, "GET", ITALY, status=404)
    await refused(network, "DELETE", ITALY, status=404, headers={**headers, "If-Match": again})


async def test_dates_that_are_there_are_not_overwritten_unseen(network: Network) -> None:
    headers = await network.national()
    await refused(network, "PUT", ITALY, status=412, headers={**headers, "If-Match": '"1"'}, json=LONGER)
    etag = await put(network)
    await refused(network, "PUT", ITALY, status=428, headers=headers, json=LONGER)
    await put(network, status=200, note=None)
    await refused(network, "PUT", ITALY, status=412, headers={**headers, "If-Match": etag}, json=LONGER)


@pytest.mark.parametrize("role", ["local", "national of another country", "operator"])
async def test_nobody_else_sets_a_countrys_dates(shared: Network, role: str) -> None:
    headers = {
        "local": shared.local,
        "national of another country": lambda: shared.national("PL"),
        "operator": lambda: shared.token("operator"),
    }[role]
    told = {**await headers(), "If-Match": "*"}
    await refused(shared, "PUT", ITALY, status=403, headers=told, json=LONGER)
    await refused(shared, "DELETE", ITALY, status=403, headers=told)


async def test_esn_international_sets_them_too(network: Network) -> None:
    reply = await network.client.put(ITALY, json=LONGER, headers=await network.token("international"))
    assert reply.status_code == 201, reply.text


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"ends_on": "2027-05-02"}, ["#/ends_on"]),
        ({"starts_on": "2026-05-03"}, ["#/starts_on"]),
        ({"ends_on": "2027-08-03"}, ["#/ends_on"]),
        ({"starts_on": None, "ends_on": "30 May"}, ["#/starts_on", "#/ends_on"]),
        ({"note": "a\x00"}, ["#/note"]),
    ],
)
async def test_days_that_cannot_be_are_named(shared: Network, changes: dict[str, Any], pointers: list[str]) -> None:
    headers = await shared.national()
    body = {**LONGER, **changes}
    await refused(shared, "PUT", ITALY, status=422, pointers=pointers, headers=headers, json=body)


async def test_a_country_that_there_is_not_has_no_dates(shared: Network) -> None:
    address = f"{SPRING}/national-dates/XX"
    pointers = ["path/country"]
    headers = await shared.token("international")
    await refused(shared, "PUT", address, status=422, pointers=pointers, headers=headers, json=LONGER)
    elsewhere = ITALY.replace("2027-spring", "1999-spring")
    await refused(shared, "PUT", elsewhere, status=404, headers=headers, json=LONGER)


async def test_a_countrys_days_claim_its_own_activities_only(network: Network) -> None:
    await put(network)
    assert (await drafted_on(network, "2027-05-30"))["edition"] == "2027-spring"
    assert (await drafted_on(network, "2027-05-31"))["edition"] is None
    reply = await network.client.post(
        "/activities/v1/activities",
        headers={**await network.local("PL-WARS-UKS"), **network.key()},
        json={
            "title": "A river", "areas": ["environment"], "causes": [{"code": "culture"}],
            "organisers": [{"code": "PL-WARS-UKS"}], "starts_at": "2027-05-30T10:00", "ends_at": "2027-05-30T12:00",
        },
    )  # fmt: skip
    assert (reply.status_code, reply.json()["edition"]) == (201, None)


async def test_activities_follow_the_days_of_their_country(network: Network) -> None:
    early, late = await drafted_on(network, "2027-05-03"), await drafted_on(network, "2027-05-20")
    published = await network.published(starts_at="2027-05-20T18:00", ends_at="2027-05-20T19:00")
    assert (early["edition"], late["edition"], published["edition"]) == ("2027-spring", None, None)
    await put(network, starts_on="2027-05-10")
    assert await edition_of(network, early) is None
    assert await edition_of(network, late) == await edition_of(network, published) == "2027-spring"
    told = await rows(
        network.database_url,
        "SELECT payload->'activity'->>'edition' FROM events.log WHERE name = 'activities.activity_revised.v1'",
    )
    assert [row[0] for row in told] == ["2027-spring"], "drafts are nobody's business"
    etag = (await network.client.get(ITALY)).headers["etag"]
    await network.client.delete(ITALY, headers={**await network.national(), "If-Match": etag})
    assert await edition_of(network, early) == "2027-spring"
    assert await edition_of(network, late) is None
    assert await value(network.database_url, "SELECT count(*) FROM activities.changed_days") == 0


async def test_activities_follow_the_days_of_their_edition_and_what_was_not_touched_stays(network: Network) -> None:
    first, last = await drafted_on(network, "2027-05-03"), await drafted_on(network, "2027-05-16")
    elsewhere = await drafted_on(network, "2026-11-10")
    await revise(network, starts_on="2027-05-04", ends_on="2027-05-17")
    assert await edition_of(network, first) is None
    assert await edition_of(network, last) == "2027-spring"
    assert await edition_of(network, elsewhere) == "2026-autumn"
    history = "SELECT actor_role, count(*) FROM activities.activity_history WHERE verb = 'regroup' GROUP BY 1"
    assert [tuple(row) for row in await rows(network.database_url, history)] == [("service", 1)]


async def test_an_edition_known_by_its_month_claims_nothing_but_a_countrys_days_in_it_do(network: Network) -> None:
    activity = await drafted_on(network, "2027-05-10")
    await revise(network, precision="month", starts_on="2027-05-01", ends_on="2027-05-31")
    assert await edition_of(network, activity) is (await drafted_on(network, "2027-05-20"))["edition"] is None
    await put(network)
    assert await edition_of(network, activity) == "2027-spring"


async def test_a_new_edition_takes_what_lies_on_its_days_and_a_gathering_takes_nothing(network: Network) -> None:
    activity = await drafted_on(network, "2027-11-10")
    days = {"year": 2027, "starts_on": "2027-11-08", "ends_on": "2027-11-14"}
    for wanted, expected in (
        ({"series": "secm", **days}, None),
        ({"series": "social-impact-days", "season": "autumn", **days}, "2027-autumn"),
    ):
        headers = {**await network.token("international"), **network.key()}
        reply = await network.client.post("/activities/v1/editions", json=wanted, headers=headers)
        assert reply.status_code == 201, reply.text
        assert await edition_of(network, activity) == expected


async def test_what_was_set_by_hand_stays_until_it_is_left_to_the_date_again(network: Network) -> None:
    local = await network.local()
    by_hand = await drafted_on(network, "2027-05-20", edition="2026-autumn")
    await put(network)
    assert await edition_of(network, by_hand) == "2026-autumn"
    address = f"/activities/v1/activities/{by_hand['id']}"
    etag = (await network.client.get(address, headers=local)).headers["etag"]
    reply = await network.client.patch(address, json={"edition": None}, headers={**local, "If-Match": etag})
    assert (reply.status_code, reply.json()["edition"]) == (200, "2027-spring")
    await put(network, status=200, ends_on="2027-05-19")
    assert await edition_of(network, by_hand) is None


async def test_an_activity_known_to_the_month_only_is_not_moved(network: Network) -> None:
    first = await drafted_on(network, "2027-06-01")
    vague = "UPDATE activities.activities SET date_precision = 'month' WHERE id = $1::uuid"
    await rows(network.database_url, vague, first["id"])
    await put(network, ends_on="2027-06-02")
    assert await edition_of(network, first) is None
    assert (await drafted_on(network, "2027-06-01"))["edition"] == "2027-spring"


async def test_an_activity_that_somebody_works_on_is_moved_when_they_are_done(network: Network) -> None:
    activity = await drafted_on(network, "2027-05-20")
    await put(network)
    observer = await network.observer()
    async with observer.transaction():
        await observer.fetch("SELECT 1 FROM activities.activities WHERE id = $1::uuid FOR UPDATE", activity["id"])
        assert await edition_of(network, activity) is None
        assert await value(network.database_url, "SELECT count(*) FROM activities.changed_days") > 0
    assert await edition_of(network, activity) == "2027-spring"
    assert await value(network.database_url, "SELECT count(*) FROM activities.changed_days") == 0


async def test_days_do_not_change_while_somebody_sorts_by_them(network: Network) -> None:
    observer, activities = await network.observer(), network.runtimes["activities"]
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = $1"
    here = await observer.fetchval("SELECT oid FROM pg_database WHERE datname = current_database()")

    async def is_waiting() -> None:
        assert await observer.fetchval(waiting, here) == 1

    async with activities.unit_of_work() as session:
        actor = Actor(new_id(), Role.INTERNATIONAL, None, None)
        row = await catalogue.draft(session, network.settings, actor, ActivityDraft.model_validate(DRAFT))
        revision = asyncio.create_task(revise(network, ends_on="2027-05-07"))
        await eventually(is_waiting, seconds=3)
    await revision
    assert row.edition == "2027-spring"
    assert await edition_of(network, {"id": str(row.id)}) is None


async def test_what_was_read_can_be_sent_back(network: Network) -> None:
    await put(network)
    read = await network.client.get(ITALY)
    headers = {**await network.national(), "If-Match": read.headers["etag"]}
    reply = await network.client.put(ITALY, json=read.json(), headers=headers)
    assert (reply.status_code, reply.json()) == (200, read.json())
