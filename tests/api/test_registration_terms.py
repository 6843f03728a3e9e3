"""The organisers' terms: quotas, guests, questions, and choosing among those who applied."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.test_registration_waiting import guests
from tests.harness.databases import value
from tests.harness.network import Network
from tests.harness.sign_ups import Students, students

QUESTIONS = [
    {"code": "boots", "kind": "choice", "text": {"en": "Which boots?"}, "required": True,
     "options": [{"code": "own", "text": {"en": "My own"}}, {"code": "lent", "text": {"en": "Lent ones"}}]},
    {"code": "why", "kind": "text", "text": {"en": "Why?", "it": "Perché?"}},
    {"code": "trees", "kind": "number", "text": {"en": "How many trees?"}},
    {"code": "since", "kind": "date", "text": {"en": "Since when are you here?"}},
    {"code": "photo", "kind": "consent", "text": {"en": "You may take pictures of me."}, "required": True},
]  # fmt: skip
FINE = {"boots": "own", "photo": True}


@pytest.fixture
async def ours(network: Network) -> Students:
    """An activity with six places."""
    return await students(network, capacity=6)


async def test_terms_are_read_by_everybody_and_set_by_the_organisers(ours: Students) -> None:
    address = f"/registration/v1/activities/{ours.activity_id}/terms"
    before = await ours.network.client.get(address)
    assert (before.json()["choosing"], before.json()["waiting_list"], before.json()["questions"]) == (
        "first_come", True, [],
    )  # fmt: skip
    wanted = {"quotas": {"international": 4}, "guests_at_most": 2, "questions": QUESTIONS}
    local, other = await ours.network.local(), await ours.network.local("PL-WARS-UKS")
    etag = {"If-Match": before.headers["etag"]}
    for headers, status in ((etag, 401), ({**other, **etag}, 403), (local, 428), ({**local, **etag}, 200)):
        assert (await ours.network.client.put(address, json=wanted, headers=headers)).status_code == status
    assert (await ours.network.client.put(address, json=wanted, headers={**local, **etag})).status_code == 412
    after = (await ours.network.client.get(address)).json()
    assert (after["quotas"], after["guests_at_most"], len(after["questions"])) == ({"international": 4}, 2, 5)


@pytest.mark.parametrize(
    ("terms", "pointer"),
    [
        ({"quotas": {"pupils": 3}}, "#/quotas/pupils"),
        ({"quotas": {"local": -1}}, "#/quotas/local"),
        ({"guests_at_most": 10}, "#/guests_at_most"),
        ({"choosing": "by_beauty"}, "#/choosing"),
        ({"questions": [QUESTIONS[1], QUESTIONS[1]]}, "#/questions"),
        ({"questions": [{**QUESTIONS[0], "options": []}]}, "#/questions/0"),
        ({"questions": [{**QUESTIONS[1], "text": {}}]}, "#/questions/0/text"),
        ({"questions": [{**QUESTIONS[1], "kind": "health"}]}, "#/questions/0/kind"),
        ({"offer_hours": 0}, "#/offer_hours"),
        ({"confirm_until": "2027-05-01"}, "#/confirm_until"),
        ({"asks_esncard": "yes"}, "#/asks_esncard"),
        ({"surprise": 1}, "#/surprise"),
    ],
)
async def test_terms_that_can_not_be_are_refused(ours: Students, terms: dict[str, Any], pointer: str) -> None:
    reply = await ours.on_terms(status=422, **terms)
    assert pointer in {fault["pointer"].removesuffix("/[key]") for fault in reply.json()["errors"]}
    assert await value(ours.network.database_url, "SELECT max(terms_revision) FROM registration.places") == 0


async def test_each_class_has_as_many_places_as_its_quota(ours: Students) -> None:
    await ours.on_terms(quotas={"international": 2, "local": 1})
    for name in ("Ada", "Bo"):
        await ours.sign_up(name)
    await ours.sign_up("Cem", status=409)
    await ours.sign_up("Dia", participant_class="local")
    await ours.sign_up("Eve", participant_class="local", status=409)
    await ours.sign_up("Fox", participant_class="esn_volunteer")
    found = await ours.availability()
    assert {each["participant_class"]: (each["capacity"], each["taken"]) for each in found["by_class"]} == {
        "international": (2, 2), "local": (1, 1),
    }  # fmt: skip
    assert (found["taken"], found["open"]) == (4, True)


async def test_who_waits_for_a_quota_does_not_hold_up_another_class(ours: Students) -> None:
    await ours.on_terms(quotas={"international": 1})
    await ours.confirmed("Ada")
    await ours.sign_up("Bo", waiting_list=True)
    await ours.sign_up("Cem", participant_class="local", waiting_list=True)
    await ours.network.sweep()
    found = await ours.states()
    assert (found["Bo"], found["Cem"]) == ("waitlisted", "offered")
    await ours.on_terms(quotas={"international": 2})
    await ours.network.sweep()
    assert (await ours.states())["Bo"] == "offered"


async def test_a_quota_counts_the_places_that_were_given_before_it(ours: Students) -> None:
    await ours.sign_up("Ada")
    await ours.on_terms(quotas={"international": 1})
    await ours.sign_up("Bo", status=409)
    assert await ours.states() == {"Ada": "unconfirmed"}, "nobody is thrown out"


async def test_a_group_gets_places_together_or_none(ours: Students) -> None:
    await ours.on_terms(guests_at_most=4)
    await ours.sign_up("Ada", guests=guests(3))
    await ours.sign_up("Bo", guests=guests(2), status=409)
    assert (await ours.availability())["taken"] == 4
    await ours.accepts("Ada")
    assert set((await ours.states()).values()) == {"confirmed"}
    codes = await value(ours.network.database_url, "SELECT count(DISTINCT code) FROM registration.registrations")
    assert codes == 4, "each has a code to show at the door"
    await ours.gives_up("Ada")
    assert set((await ours.states()).values()) == {"cancelled"}
    assert (await ours.availability())["taken"] == 0


@pytest.mark.parametrize(
    ("terms", "many", "detail"),
    [
        ({}, 1, "No guests can be brought."),
        ({"guests_at_most": 1}, 2, "At most 1 guests."),
        ({"guests_at_most": 9}, 6, "There will never be room for so many of you."),
        ({"guests_at_most": 9, "quotas": {"international": 2}}, 2, "There will never be room for so many of you."),
    ],
)
async def test_more_guests_than_there_may_be_are_refused(
    ours: Students, terms: dict[str, Any], many: int, detail: str
) -> None:
    await ours.on_terms(**terms)
    reply = await ours.sign_up("Ada", guests=guests(many), waiting_list=True, status=422)
    assert reply.json()["errors"] == [{"pointer": "#/guests", "detail": detail}]


@pytest.mark.parametrize(
    ("answers", "wrong"),
    [
        ({}, {"boots", "photo"}),
        ({**FINE, "boots": "red"}, {"boots"}),
        ({**FINE, "photo": False}, {"photo"}),
        ({**FINE, "photo": "yes"}, {"photo"}),
        ({**FINE, "trees": "seven"}, {"trees"}),
        ({**FINE, "trees": True}, {"trees"}),
        ({**FINE, "since": "20260901"}, {"since"}),
        ({**FINE, "since": "2026-02-30"}, {"since"}),
        ({**FINE, "why": 7}, {"why"}),
        ({**FINE, "diet": "vegan"}, {"diet"}),
    ],
)
async def test_answers_are_answers_to_what_is_asked(ours: Students, answers: dict[str, Any], wrong: set[str]) -> None:
    await ours.on_terms(questions=QUESTIONS)
    reply = await ours.sign_up("Ada", answers=answers, status=422)
    assert {fault["pointer"] for fault in reply.json()["errors"]} == {f"#/answers/{code}" for code in wrong}
    assert "vegan" not in reply.text
    assert (await ours.availability())["taken"] == 0


async def test_answers_are_kept_for_the_organisers(ours: Students) -> None:
    await ours.on_terms(questions=QUESTIONS)
    given = {**FINE, "why": "Perché sì", "trees": 7, "since": "2026-09-01"}
    await ours.sign_up("Ada", answers=given)
    address = f"/registration/v1/activities/{ours.activity_id}/registrations"
    listed = await ours.network.client.get(address, headers=await ours.network.local())
    assert listed.json()["items"][0]["answers"] == given


async def test_organisers_choose_and_the_chosen_confirm(ours: Students) -> None:
    await ours.on_terms(choosing="approval", offer_hours=48)
    for name in ("Ada", "Bo", "Cem"):
        assert (await ours.sign_up(name)).json()["state"] == "pending_approval"
    assert ((await ours.availability())["taken"], (await ours.availability())["open"]) == (0, True)
    assert (await ours.decide("Bo", "approve")).json()["state"] == "offered"
    assert (await ours.decide("Bo", "approve")).json()["state"] == "offered", "once more is as good as once"
    await ours.decide("Cem", "decline")
    await ours.accepts("Bo")
    assert await ours.states() == {"Ada": "pending_approval", "Bo": "confirmed", "Cem": "declined"}
    assert [len(await ours.subjects(name)) for name in ("Ada", "Bo", "Cem")] == [1, 3, 2]
    assert (await ours.decide("Cem", "approve", status=409)).json()["title"] == "Nothing to decide"
    page = await ours.network.client.get(f"/registration/v1/links/{await ours.secret('Cem')}")
    assert (page.status_code, "<button" in page.text) == (200, False)


async def test_more_may_be_chosen_than_there_are_places_and_come_in_one_by_one(network: Network) -> None:
    ours = await students(network, capacity=1)
    await ours.on_terms(choosing="approval")
    for name in ("Ada", "Bo"):
        await ours.sign_up(name)
    for name, state in (("Bo", "offered"), ("Ada", "waitlisted")):
        assert (await ours.decide(name, "approve")).json()["state"] == state
    await ours.gives_up("Bo")
    await network.sweep()
    assert (await ours.states())["Ada"] == "offered"


@pytest.mark.parametrize(
    ("role", "scope", "status"),
    [
        ("national_coordinator", {"country": "IT"}, 200),
        ("local_coordinator", {"section": "PL-WARS-UKS"}, 404),
        ("machine", {}, 404),
        (None, {}, 401),
    ],
)
async def test_only_the_organisers_choose(ours: Students, role: str | None, scope: dict[str, str], status: int) -> None:
    await ours.on_terms(choosing="approval")
    await ours.sign_up("Ada")
    who = {} if role is None else await ours.network.token(role, **scope)
    for verb in ("approve", "decline"):
        address = f"/registration/v1/registrations/{ours.registrations['Ada']}/{verb}"
        reply = await ours.network.client.post(address, headers=who)
        assert reply.status_code == (409 if (verb, status) == ("decline", 200) else status)
        assert "students.example" not in reply.text
        assert status == 200 or "Ada" not in reply.text
