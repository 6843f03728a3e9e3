"""A report is begun from what is known, says what happened, is looked at twice where it must be, and keeps its past."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.network import Network
from tests.harness.refusals import MARKER, refused
from tests.harness.reports import HELD, PEOPLE, Reporter, activity, enter, present

PHOTO = {"url": "https://photos.example/a.jpg", "alternative_text": "Bags of litter", "permission": "people_agreed"}
WASTE = {"measure": "waste", "unit": "kg", "amount": "130"}


@pytest.fixture(scope="module")
async def local(shared: Network) -> dict[str, str]:
    return await shared.local()


@pytest.fixture(scope="module")
async def national(shared: Network) -> dict[str, str]:
    return await shared.national()


@pytest.fixture
async def report(shared: Network, local: dict[str, str], national: dict[str, str]) -> Reporter:
    """The report of an activity of its own, of a section of its own: what others reported says nothing about it."""
    row = activity(section=None, partners=["Surf school", "City of Sassari"])
    await enter(shared, row)
    return Reporter(shared, row.activity_id, local, national)


def codes(found: dict[str, Any]) -> list[str]:
    return [hint["code"] for hint in found["hints"]]


async def test_a_report_keeps_everything_that_it_says(report: Reporter) -> None:
    said = {
        "participants": {**PEOPLE, "unclassified": 1, "total": 16},
        "newcomers": 10,
        "returning": 6,
        "beneficiaries": 200,
        "quantities": [{"measure": "money", "unit": "EUR", "amount": "42.50", "given_to": "Dog shelter"}, WASTE],
        "partner": "Surf school",
        "partner_contribution": "Gloves and boards.",
        "photos": [PHOTO],
        "outcome_text": "The beach is clean.",
        "learned": "More bags.",
    }
    found = await report.put(**said)
    assert (found["newcomers"], found["returning"], found["beneficiaries"]) == (10, 6, 200)
    assert found["participants"] == {**PEOPLE, "unclassified": 1, "total": 16, "stated_total": 16}
    assert found["quantities"][0] == {
        "measure": "money", "unit": "EUR", "amount": "42.5", "qualifier": "exactly", "given_to": "Dog shelter",
    }  # fmt: skip
    assert (found["partner_contribution"], found["photos"]) == ("Gloves and boards.", [PHOTO])
    assert (found["hints"], found["submitted_at"]) == ([], None)
    assert await report.read() == found
    without = await report.put()
    assert (without["newcomers"], without["photos"], without["partner_contribution"]) == (None, [], None)
    assert without["participants"]["stated_total"] is None


@pytest.mark.parametrize(
    ("pointer", "changes"),
    [
        ("#/returning", {"newcomers": 10, "returning": 6}),
        ("#/newcomers", {"newcomers": 16}),
        ("#/newcomers", {"newcomers": -1}),
        ("#/newcomers", {"newcomers": "3"}),
        ("#/participants/total", {"participants": {**PEOPLE, "total": -1}}),
        ("#/partner_contribution", {"partner_contribution": MARKER}),
        ("#/photos/0/url", {"photos": [{**PHOTO, "url": f"http://photos.example/{MARKER}.jpg"}]}),
        ("#/photos/0/url", {"photos": [{**PHOTO, "url": f"javascript:alert('{MARKER}')"}]}),
        ("#/photos/0/alternative_text", {"photos": [{**PHOTO, "alternative_text": " "}]}),
        ("#/photos/0/permission", {"photos": [{**PHOTO, "permission": MARKER}]}),
        ("#/photos/0/permission", {"photos": [{"url": PHOTO["url"], "alternative_text": "Bags"}]}),
        ("#/photos", {"photos": [PHOTO, PHOTO]}),
        ("#/quantities/0/measure", {"quantities": [{**WASTE, "measure": MARKER}]}),
        ("#/quantities/0/measure", {"quantities": [{**WASTE, "measure": "other:"}]}),
        ("#/quantities/0/measure", {"quantities": [{**WASTE, "measure": "other:A b"}]}),
        ("#/quantities/0/unit", {"quantities": [{"measure": "waste", "amount": "130"}]}),
        ("#/quantities/0/unit", {"quantities": [{**WASTE, "unit": "EUR"}]}),
        ("#/quantities/0/unit", {"quantities": [{"measure": "trees", "unit": "kg", "amount": "3"}]}),
        ("#/quantities/0/unit", {"quantities": [{"measure": "money", "unit": "XYZ", "amount": "3"}]}),
        ("#/quantities/0/unit", {"quantities": [{"measure": "other:things", "unit": "lots", "amount": "3"}]}),
        ("#/quantities/0/amount", {"quantities": [{"measure": "money", "unit": "EUR"}]}),
        ("#/quantities/0/amount", {"quantities": [{**WASTE, "amount": "1e15"}]}),
        ("#/quantities/0/amount", {"quantities": [{**WASTE, "amount": 1e15}]}),
        ("#/quantities/0/amount", {"quantities": [{**WASTE, "amount": "NaN"}]}),
        ("#/quantities/0/amount", {"quantities": [{**WASTE, "amount": "-130"}]}),
        ("#/quantities/0/given_to", {"quantities": [{**WASTE, "given_to": "x" * 201}]}),
        ("#/hours", {"hours": "-1"}),
        ("#/hours", {"hours": 1e15}),
        ("#/reason", {"outcome": "shrunk"}),
        (
            "#/newcomers",
            {"outcome": "cancelled", "reason": "Rain", "participants": None, "hours": None, "newcomers": 1},
        ),
        ("#/participants", {"outcome": "cancelled", "reason": "Rain", "hours": None}),
    ],
    ids=ascii,
)
async def test_what_is_wrong_is_named_and_nothing_is_kept(
    shared: Network, report: Reporter, pointer: str, changes: dict[str, Any]
) -> None:
    body = {**HELD, **changes}
    await refused(shared, "PUT", report.address, status=422, pointers=[pointer], headers=report.local, json=body)


async def test_a_measure_that_is_not_known_gets_the_one_that_is_meant(shared: Network, report: Reporter) -> None:
    for measure, meant in (("tree", '"trees"'), ("Wastes", '"waste"'), ("other:Money", '"money"'), ("zzz", None)):
        body = {**HELD, "quantities": [{**WASTE, "measure": measure}]}
        document = await refused(
            shared, "PUT", report.address, status=422, headers=report.local, json=body, hidden=[f'"{measure}"']
        )
        detail = document["errors"][0]["detail"]
        assert "/impact/v1/quantities" in detail
        assert (f"did you mean {meant}" in detail) is (meant is not None)


async def test_every_measure_that_is_listed_is_taken_in_each_of_its_units(shared: Network, report: Reporter) -> None:
    listed = (await shared.client.get("/impact/v1/quantities")).json()
    assert {"waste", "trees", "money", "blood", "pupils"} <= {item["code"] for item in listed["items"]}
    pairs = [(item["code"], unit) for item in listed["items"] for unit in item["units"][:14]] + [
        (listed["other"], "m2")
    ]
    for begin in range(0, len(pairs), 50):
        some = [{"measure": measure, "unit": unit, "amount": "1"} for measure, unit in pairs[begin : begin + 50]]
        assert len((await report.put(quantities=some))["quantities"]) == len(some)


async def test_the_draft_is_made_of_check_ins_and_of_what_was_planned(shared: Network, report: Reporter) -> None:
    address = f"{report.address}/draft"
    empty = (await shared.client.get(address, headers=report.local)).json()
    assert empty["report"] == {
        "outcome": "held", "participants": None, "hours": None, "partner": "Surf school; City of Sassari",
    }  # fmt: skip
    identity = empty["activity_id"]
    people = [present(identity, name, hours=None) for name in ("international", "international", "local")]
    await enter(shared, *people)
    drafted = (await shared.client.get(address, headers=report.local)).json()
    counted = {"international": 2, "local": 1, "esn_volunteer": 0}
    assert drafted["checked_in"] == {**counted, "hours": None}
    assert (drafted["duration_hours"], drafted["capacity"], drafted["hours_by_duration"]) == (3.0, 40, 9.0)
    assert drafted["report"] == {**empty["report"], "participants": counted, "hours": "9"}
    await enter(shared, present(identity, "esn_volunteer", hours="2.5"))
    drafted = (await shared.client.get(address, headers=report.local)).json()
    assert (drafted["report"]["hours"], drafted["hours_by_duration"]) == ("2.5", 12.0)
    # It is a report: sent as it is, it is one whose people are those who were checked in.
    reply = await shared.client.put(report.address, headers=report.local, json=drafted["report"])
    assert (reply.status_code, reply.json()["source"]) == (201, "check_in")
    corrected = await report.put(participants={**counted, "esn_volunteer": 3}, hours="9")
    assert (corrected["source"], corrected["checked_in"]["esn_volunteer"]) == ("organiser", 1)
    assert corrected["participants"]["esn_volunteer"] == 3


async def test_the_catalogue_tells_when_it_ends_and_with_which_partners(shared: Network, local: dict[str, str]) -> None:
    published = await shared.published(partners=[{"name": "Surf school"}, {"name": "City of Sassari"}])
    address = f"/impact/v1/activities/{published['id']}/report/draft"
    drafted = (await shared.client.get(address, headers=local)).json()
    assert (drafted["starts_at"], drafted["ends_at"]) == ("2027-05-08T08:00:00Z", "2027-05-08T11:00:00Z")
    assert (drafted["duration_hours"], drafted["partners"]) == (3.0, ["Surf school", "City of Sassari"])


async def test_a_draft_is_for_those_in_reach_and_not_of_a_series(shared: Network, report: Reporter) -> None:
    stranger = await shared.local("PT-PORT-ESN")
    await refused(shared, "GET", f"{report.address}/draft", status=403, headers=stranger)
    await refused(shared, "GET", f"{report.address}/draft", status=401)
    whole = activity(has_parts=True)
    await enter(shared, whole)
    address = f"/impact/v1/activities/{whole.activity_id}/report/draft"
    await refused(shared, "GET", address, status=409, headers=report.local)


async def test_what_blocks_is_corrected_or_acknowledged_and_the_verifier_sees_which(
    shared: Network, report: Reporter
) -> None:
    written = await report.put(hours="9999", participants={**PEOPLE, "total": 21})
    assert codes(written) == ["parts_are_not_the_total", "hours_beyond_the_clock", "hours_unlike_duration"]
    assert not any(hint["acknowledged"] for hint in written["hints"])
    document = await refused(shared, "POST", f"{report.address}/submit", status=409, headers=report.local)
    assert document["type"].endswith("/report-implausible")
    assert [fault["pointer"] for fault in document["errors"]] == ["#/participants/total", "#/hours"]
    assert "hours_beyond_the_clock" in document["detail"]
    for body, pointer in (
        ({"acknowledged": [MARKER]}, "#/acknowledged/0"),
        ({"acknowledged": ["duplicate", "duplicate"]}, "#/acknowledged"),
        ({"acknowledged": "duplicate"}, "#/acknowledged"),
    ):
        await refused(
            shared, "POST", f"{report.address}/submit", status=422, pointers=[pointer], headers=report.local, json=body
        )
    corrected = await report.put(participants={**PEOPLE, "total": 21})
    assert codes(corrected) == ["parts_are_not_the_total"]
    # What is acknowledged and does not stand is not kept.
    body = {"acknowledged": ["parts_are_not_the_total", "duplicate"]}
    submitted = await report.done("submit", body)
    assert submitted["history"][-1]["acknowledged"] == ["parts_are_not_the_total"]
    assert submitted["submitted_at"] is not None
    reply = await shared.client.get(report.address, headers=report.national)
    assert [(hint["code"], hint["acknowledged"]) for hint in reply.json()["hints"]] == [
        ("parts_are_not_the_total", True)
    ]
    await report.done("return", {"reason": "Count again."})
    anew = await report.put(participants={**PEOPLE, "total": 21})
    assert [hint["acknowledged"] for hint in anew["hints"]] == [False], "what is written anew is looked at anew"


async def test_a_report_that_says_the_same_as_another_of_that_day_is_noticed(
    shared: Network, local: dict[str, str], national: dict[str, str]
) -> None:
    first, second = (activity(section="PL-WARS-UKS", section_codes=["IT-SASS-ESN"], days_ago=9) for _ in range(2))
    await enter(shared, first, second)
    one, other = (Reporter(shared, row.activity_id, local, national) for row in (first, second))
    assert codes(await one.put()) == []
    assert codes(await other.put()) == ["duplicate"]
    assert (await other.act("submit")).status_code == 409
    assert codes(await other.put(hours="44")) == []
    assert codes(await one.read()) == []


async def test_what_the_section_reported_before_is_what_is_usual(
    shared: Network, local: dict[str, str], national: dict[str, str]
) -> None:
    rows = [activity(section="IT-USUAL-1", days_ago=10 + number, capacity=None) for number in range(6)]
    await enter(shared, *rows)
    *earlier, last = (Reporter(shared, row.activity_id, local, national) for row in rows)
    for number, each in enumerate(earlier):
        await each.put(participants={**PEOPLE, "local": number}, quantities=[WASTE])
        await each.done("submit")
    found = await last.put(
        participants={**PEOPLE, "local": 300}, hours="900", quantities=[{**WASTE, "amount": "13000"}]
    )
    assert codes(found) == ["amount_unlike_before", "people_unlike_before", "hours_unlike_before"]
    assert {hint["severity"] for hint in found["hints"]} == {"warning"}
    assert (await last.done("submit"))["state"] == "submitted"


async def test_late_check_ins_and_a_cancellation_that_people_came_to_are_noticed(
    shared: Network, report: Reporter
) -> None:
    written = await report.put()
    told = (await shared.client.get(report.address, headers=report.local)).headers["etag"]
    await enter(shared, present(written["activity_id"], "local"))
    reply = await shared.client.get(report.address, headers={**report.local, "If-None-Match": told})
    assert (reply.status_code, codes(reply.json())) == (200, ["checked_in_since"]), "hints change without the report"
    for tag, status in ((told, 200), ('"1"', 412), ('"9.0"', 412), (None, 428)):
        precondition = {} if tag is None else {"If-Match": tag}
        put = await shared.client.put(report.address, headers={**report.local, **precondition}, json=HELD)
        assert put.status_code == status, put.text
    nothing = {"participants": None, "hours": None, "outcome": "cancelled", "reason": "Rain"}
    assert codes(await report.put(**nothing)) == ["cancelled_and_checked_in"]
    assert (await report.act("submit")).status_code == 409


async def test_a_verified_report_is_corrected_its_history_keeps_both_and_the_totals_follow(network: Network) -> None:
    row = activity(edition="2026-autumn")
    await enter(network, row)
    report = Reporter(network, row.activity_id, await network.local(), await network.national())

    async def hours() -> float:
        await network.settle()
        query = {"measures": "hours", "edition": "2026-autumn"}
        found = (await network.client.get("/impact/v1/statistics", params=query)).json()["total"]["hours"]
        assert isinstance(found, float)
        return found

    await report.put(learned="Ask Gavino for gloves", quantities=[WASTE])
    await report.done("submit")
    first = (await report.done("verify"))["submitted_at"]
    assert await hours() == 45
    assert (
        await network.client.put(report.address, headers={**report.local, "If-Match": "*"}, json=HELD)
    ).status_code == 409
    await report.done("return", {"reason": "Hours?"})
    assert await hours() == 0
    await report.put(hours="40")
    assert (await report.act("submit", {"acknowledged": []})).status_code == 200
    found = await report.done("verify")
    assert await hours() == 40
    assert found["submitted_at"] == first, "late is who was late the first time"
    history = found["history"]
    assert [entry["verb"] for entry in history] == ["write", "submit", "verify", "return", "write", "submit", "verify"]
    assert [entry["revision"] for entry in history] == list(range(1, 8))
    assert [entry["figures"]["hours"] for entry in history] == ["45"] * 4 + ["40"] * 3
    assert history[2]["figures"]["quantities"] == [WASTE]
    assert history[4]["figures"]["quantities"] == []
    assert "Gavino" not in str([entry["figures"] for entry in history]), "texts may speak of somebody"
