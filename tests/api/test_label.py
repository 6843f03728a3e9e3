"""The label: its checklist, its own state beside the activity's, and countries that only record it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from services.activities.past.actions import record_past
from services.activities.past.past_rows import COLUMNS, past_activity
from services.activities.sample import network as sample
from services.kernel.imports import CsvRows
from tests.harness.catalogue import titles
from tests.harness.databases import rows, value
from tests.harness.network import DRAFT, Network
from tests.harness.refusals import refused

LIST = "/activities/v1/activities"
POLICIES = "/activities/v1/label/policies"
CHECKLIST: dict[str, Any] = DRAFT["label_checklist"]


class Coordinators:
    """One activity of ESN Sassari with who decides about it."""

    def __init__(
        self, network: Network, activity: dict[str, Any], local: dict[str, str], national: dict[str, str]
    ) -> None:
        self.network, self.activity, self.local, self.national = network, activity, local, national
        self.address = f"{LIST}/{activity['id']}"

    async def do(self, verb: str, *, by: str = "local", expect: int = 200, **body: Any) -> dict[str, Any]:
        """Carry out a verb and answer what is read afterwards."""
        who = self.local if by == "local" else self.national
        reply = await self.network.client.post(f"{self.address}/{verb}", headers=who, json=body or None)
        assert reply.status_code == expect, reply.text
        found: dict[str, Any] = reply.json()
        return found

    async def revise(self, **changes: Any) -> int:
        """Change fields; answers the status."""
        etag = (await self.network.client.get(self.address, headers=self.local)).headers["etag"]
        reply = await self.network.client.patch(self.address, headers={**self.local, "If-Match": etag}, json=changes)
        return reply.status_code

    async def review(self) -> dict[str, Any]:
        """What is said about it."""
        reply = await self.network.client.get(f"{self.address}/review", headers=self.local)
        assert reply.status_code == 200, reply.text
        found: dict[str, Any] = reply.json()
        return found


async def coordinators(network: Network, **changes: Any) -> Coordinators:
    """A draft with its coordinators."""
    return Coordinators(network, await network.drafted(**changes), await network.local(), await network.national())


async def only_recorded(network: Network, country: str = "IT") -> None:
    """Let a country only record the label."""
    reply = await network.client.put(
        f"{POLICIES}/{country}", headers=await network.national(country), json={"policy": "recorded"}
    )
    assert reply.status_code == 200, reply.text


async def test_the_checklist_is_served_in_three_languages_with_the_fields_of_the_draft(shared: Network) -> None:
    label = (await shared.client.get("/activities/v1/label")).json()
    assert {criterion["field"] for criterion in label["criteria"]} == set(CHECKLIST)
    words = [label["introduction"], *(criterion["question"] for criterion in label["criteria"])]
    words += [choice["wording"] for criterion in label["criteria"] for choice in criterion["choices"]]
    assert len(words) == 8
    assert all(set(wording) == {"en", "it", "es"} and all(wording.values()) for wording in words)


@pytest.mark.parametrize(
    ("checklist", "missing"),
    [
        (None, ["action_modes", "for_a_cause", "community_impact", "student_part"]),
        ({**CHECKLIST, "action_modes": []}, ["action_modes"]),
        ({**CHECKLIST, "for_a_cause": False}, ["for_a_cause"]),
        ({**CHECKLIST, "community_impact": None, "student_part": None}, ["community_impact", "student_part"]),
    ],
)
async def test_the_label_is_not_asked_for_with_an_incomplete_checklist(
    shared: Network, checklist: dict[str, Any] | None, missing: list[str]
) -> None:
    drafted = await shared.drafted(label_checklist=checklist)
    address, local = f"{LIST}/{drafted['id']}", await shared.local()
    document = await refused(
        shared, "POST", f"{address}/submit", status=409, headers=local,
        pointers=[f"#/label_checklist/{name}" for name in missing],
    )  # fmt: skip
    assert document["type"].endswith("/checklist-incomplete")
    review = (await shared.client.get(f"{address}/review", headers=local)).json()
    assert review["missing"] == missing
    assert review["activity"]["label"] == {"state": "not_asked", "decided_at": None}


async def test_the_label_is_not_given_with_an_incomplete_checklist(network: Network) -> None:
    one = await coordinators(network, label_checklist={**CHECKLIST, "student_part": None})
    await only_recorded(network)
    await one.do("publish")
    faults = (await one.do("approve", by="national", expect=409))["errors"]
    assert [fault["pointer"] for fault in faults] == ["#/label_checklist/student_part"]
    assert await one.revise(label_checklist=CHECKLIST) == 200
    assert (await one.do("approve", by="national"))["label"]["state"] == "given"


@pytest.mark.parametrize(
    ("checklist", "pointer"),
    [
        ({"action_modes": ["party"]}, "#/label_checklist/action_modes/0"),
        ({"action_modes": ["action", "action"]}, "#/label_checklist/action_modes"),
        ({"for_a_cause": "yes"}, "#/label_checklist/for_a_cause"),
        ({"community_impact": "x" * 501}, "#/label_checklist/community_impact"),
        ({"student_part": " "}, "#/label_checklist/student_part"),
        ({"stars": 5}, "#/label_checklist/stars"),
    ],
)
async def test_a_wrong_checklist_is_refused(shared: Network, checklist: dict[str, Any], pointer: str) -> None:
    headers = {**await shared.local(), **shared.key()}
    body = {**DRAFT, "label_checklist": checklist}
    await refused(shared, "POST", LIST, status=422, pointers=[pointer], headers=headers, json=body)


async def test_the_label_has_a_state_of_its_own_and_a_note_that_the_public_does_not_read(network: Network) -> None:
    one = await coordinators(network)
    assert one.activity["label"] == {"state": "not_asked", "decided_at": None}
    assert (await one.do("submit"))["label"]["state"] == "asked"
    returned = await one.do("return", by="national", reason="Which partner?")
    assert (returned["label"]["state"], returned["reason"]) == ("returned", "Which partner?")
    await one.do("submit")
    approved = await one.do("approve", by="national", note="Well done, Sassari!")
    assert (approved["state"], approved["label"]["state"], approved["reason"]) == ("approved", "given", None)
    published = await one.do("publish")
    assert published["label"] == approved["label"]
    assert published["label"]["decided_at"] is not None
    assert "Well done" not in str(published)
    assert (await one.review())["note"] == "Well done, Sassari!"
    note = "SELECT reason FROM activities.activity_history WHERE verb = 'approve'"
    assert await value(network.database_url, note) == "Well done, Sassari!"


async def test_what_was_reviewed_includes_the_checklist(network: Network) -> None:
    one = await coordinators(network)
    await one.do("submit")
    await one.do("approve", by="national")
    assert await one.revise(label_checklist=None) == 409
    assert await one.revise(label_checklist={**CHECKLIST, "student_part": "They watch."}, capacity=3) == 409
    assert await one.revise(label_checklist=CHECKLIST, capacity=3) == 200, "it is as it was"
    assert await one.revise(capacity=3) == 200


async def test_a_duplicate_asks_anew(network: Network) -> None:
    activity = await network.published()
    headers = {**await network.local(), **network.key()}
    copy = (await network.client.post(f"{LIST}/{activity['id']}/duplicate", headers=headers)).json()
    assert copy["label"] == {"state": "not_asked", "decided_at": None}
    review = (await network.client.get(f"{LIST}/{copy['id']}/review", headers=headers)).json()
    assert (review["label_checklist"], review["note"], review["asked_at"]) == (CHECKLIST, None, None)


async def test_where_the_label_is_only_recorded_a_draft_is_published_and_labelled_later(network: Network) -> None:
    one = await coordinators(network)
    refusal = await one.do("publish", expect=409)
    assert "must be approved" in refusal["detail"]
    await only_recorded(network)
    published = await one.do("publish")
    assert (published["state"], published["label"]["state"]) == ("published", "not_asked")
    assert await one.revise(areas=["health"]) == 200
    asked = await one.do("submit")
    assert (asked["state"], asked["label"]["state"]) == ("published", "asked")
    returned = await one.do("return", by="national", reason="Not for a cause.")
    assert (returned["state"], returned["label"]["state"], returned["reason"]) == ("published", "returned", None)
    given = await one.do("approve", by="national")
    assert (given["state"], given["label"]["state"]) == ("published", "given")
    assert await one.revise(areas=["poverty"]) == 409
    taken_back = await one.do("return", by="national", reason="It was a party.")
    assert (taken_back["state"], taken_back["label"]["state"]) == ("published", "returned")
    again = await one.do("approve", by="national")
    assert again["label"]["state"] == "given"
    assert "its label must be" in (await one.do("approve", by="national", expect=409))["detail"]


async def test_where_the_label_is_required_it_can_be_taken_back_and_the_activity_stays_public(network: Network) -> None:
    one = await coordinators(network)
    for verb, by in (("submit", "local"), ("approve", "national"), ("publish", "local")):
        await one.do(verb, by=by)
    assert "its label must be" in (await one.do("submit", expect=409))["detail"]
    assert "its label must be" in (await one.do("approve", by="national", expect=409))["detail"]
    await one.do("return", by="local", expect=403, reason="No.")
    taken_back = await one.do("return", by="national", reason="It was a party.")
    assert (taken_back["state"], taken_back["label"]["state"], taken_back["reason"]) == ("published", "returned", None)
    assert (await one.do("submit"))["label"]["state"] == "asked"
    assert (await one.do("approve", by="national"))["label"]["state"] == "given"


async def test_the_leading_section_s_country_decides(network: Network) -> None:
    await only_recorded(network, "PL")
    one = await coordinators(
        network, organisers=[{"code": "IT-SASS-ESN", "lead": True}, {"code": "PL-WARS-UKS", "lead": False}]
    )
    await one.do("publish", expect=409)


async def test_a_label_decision_about_a_published_activity_is_heard(network: Network) -> None:
    await only_recorded(network)
    one = await coordinators(network)
    await one.do("publish")
    await one.do("approve", by="national")
    names = "SELECT string_agg(split_part(name, '.', 2), ' ' ORDER BY number) FROM events.log"
    assert await value(network.database_url, names) == "activity_published activity_revised"


async def test_the_list_is_narrowed_to_labelled_activities(network: Network) -> None:
    await network.published(title="With the label")
    await only_recorded(network)
    await (await coordinators(network, title="Without the label")).do("publish")
    assert await titles(network, label="given") == ["With the label"]
    assert await titles(network, label=["not_asked", "asked"]) == ["Without the label"]
    assert len(await titles(network)) == 2
    await refused(network, "GET", f"{LIST}?label=none", status=422, pointers=["query/label/0"])


async def test_a_policy_is_required_until_the_country_says_otherwise(network: Network) -> None:
    address = f"{POLICIES}/IT"
    assert (await network.client.get(address)).json() == {"country": "IT", "policy": "required", "since": None}
    assert (await network.client.get(POLICIES)).json() == {"items": [], "next": None}
    national = await network.national()
    first = await network.client.put(address, headers=national, json={"policy": "recorded"})
    assert (first.status_code, first.json()["policy"]) == (200, "recorded")
    seen = await network.client.get(address)
    assert seen.headers["etag"] == first.headers["etag"]
    without = await network.client.put(address, headers=national, json={"policy": "required"})
    changed = await network.client.put(
        address, headers={**national, "If-Match": first.headers["etag"]}, json={"policy": "required"}
    )
    stale = await network.client.put(
        address, headers={**national, "If-Match": first.headers["etag"]}, json={"policy": "recorded"}
    )
    assert (without.status_code, changed.status_code, stale.status_code) == (428, 200, 412)
    assert changed.json()["since"] > first.json()["since"]
    same = await network.client.put(
        address, headers={**national, "If-Match": changed.headers["etag"]}, json={"policy": "required"}
    )
    assert same.json() == changed.json()
    assert (await network.client.get(POLICIES)).json()["items"] == [changed.json()]


@pytest.mark.parametrize(
    ("role", "scope"),
    [
        ("local_coordinator", {"section": "IT-SASS-ESN"}),
        ("national_coordinator", {"country": "PL"}),
        ("operator", {}),
        ("machine", {}),
    ],
)
async def test_a_country_s_policy_is_its_own(shared: Network, role: str, scope: dict[str, str]) -> None:
    headers = await shared.token(role, **scope)
    await refused(shared, "PUT", f"{POLICIES}/IT", status=403, headers=headers, json={"policy": "recorded"})


async def test_esn_international_decides_for_any_country(shared: Network) -> None:
    headers = await shared.token("international")
    reply = await shared.client.put(f"{POLICIES}/PT", headers=headers, json={"policy": "recorded"})
    assert (reply.status_code, reply.json()["country"]) == (200, "PT")


async def test_the_sample_network_has_its_labels_and_the_past_was_never_asked_for_one(network: Network) -> None:
    today = date(2026, 11, 1)
    with sample.PAST.open("rb") as stream:
        past, _ = past_activity(next(iter(CsvRows(stream, required=COLUMNS))).values)
    async with network.runtimes["activities"].unit_of_work() as session:
        await sample.begin(session, today)
        await sample.load_upcoming(session, network.settings, today)
        await record_past(session, network.settings, replace(past, section_code=None))
    found = await rows(
        network.database_url,
        "SELECT DISTINCT source, label_state, document::jsonb #>> '{label,state}' FROM activities.activities",
    )
    assert {tuple(row) for row in found} == {
        ("sample", "given", "given"),
        ("real_activities", "not_asked", "not_asked"),
    }


@pytest.mark.parametrize(
    ("country", "body", "pointer"),
    [("IT", {"policy": "never"}, "#/policy"), ("IT", {}, "#/policy"), ("ZZ", {"policy": "recorded"}, "path/country")],
)
async def test_a_wrong_policy_is_refused(shared: Network, country: str, body: dict[str, str], pointer: str) -> None:
    headers = await shared.token("international")
    await refused(shared, "PUT", f"{POLICIES}/{country}", status=422, pointers=[pointer], headers=headers, json=body)
