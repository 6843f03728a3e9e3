"""Who is younger than the law lets agree alone in an activity's country does not sign up; no birthday is kept."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.databases import rows, value
from tests.harness.network import Network
from tests.harness.refusals import refused
from tests.harness.sign_ups import CONSENTS, Students, students, wanted

ADDRESS = "/registration/v1/registrations"
PARTICIPATION, OF_AGE = CONSENTS
BEFORE_GUESTS = {"purpose": "of_age", "text_version": "2026-09"}
GRACE = {"given_name": "Grace", "family_name": "Hopper", "participant_class": "local"}
KEPT = "SELECT count(*) FROM registration.registrations WHERE activity_id = $1::uuid"


@pytest.fixture(scope="module")
async def ours(shared: Network) -> Students:
    """An activity in Italy, where one may consent alone from 14 years on, with guests."""
    made = await students(shared)
    await made.on_terms(guests_at_most=2)
    return made


async def _from_age(ours: Students) -> int:
    terms = await ours.network.client.get(f"/registration/v1/activities/{ours.activity_id}/terms")
    age: int = terms.json()["from_age"]
    return age


async def _refused(ours: Students, detail: str, **changes: Any) -> None:
    body = wanted(ours.activity_id, "Zq7Marker", **changes)
    key = ours.network.key()
    told = await refused(ours.network, "POST", ADDRESS, status=422, pointers=["#/consents"], json=body, headers=key)
    assert told["type"] == "/registration/problems/age-not-declared"
    assert detail in told["errors"][0]["detail"]
    assert await value(ours.network.database_url, KEPT, ours.activity_id) == 0


@pytest.mark.parametrize(
    ("country", "minimum", "age"),
    [("IT", None, 14), ("IT", 18, 18), ("FR", None, 15), ("DE", None, 16), ("DE", 6, 16), ("BE", 13, 13)],
)
async def test_nobody_below_the_age_of_the_country_or_of_the_organisers_signs_up(
    shared: Network, country: str, minimum: int | None, age: int
) -> None:
    ours = await students(shared, requirements={"minimum_age": minimum})
    if country != "IT":
        moved = "UPDATE registration.places SET country = $1 WHERE activity_id = $2::uuid"
        await rows(shared.database_url, moved, country, ours.activity_id)
    assert await _from_age(ours) == age
    await _refused(ours, f"Only who is {age} or older can sign up", consents=[PARTICIPATION])
    form = await shared.client.get(f"/registration/activities/{ours.activity_id}")
    assert f"You must be at least {age} years old to sign up." in form.text


async def test_what_is_declared_is_kept_and_nothing_about_the_age_itself(ours: Students) -> None:
    one = await students(ours.network)
    await one.sign_up("Ada", consents=[PARTICIPATION, BEFORE_GUESTS])
    said = await rows(
        ours.network.database_url,
        """SELECT purpose, text_version FROM registration.consents JOIN registration.registrations AS whose
           ON whose.id = registration_id WHERE activity_id = $1::uuid ORDER BY purpose""",
        one.activity_id,
    )
    assert [tuple(row) for row in said] == [("of_age", "2026-09"), ("participation", "2026-09")]


async def test_guests_are_old_enough_too(ours: Students) -> None:
    await _refused(ours, "Guests must be 14 or older", consents=[PARTICIPATION, BEFORE_GUESTS], guests=[GRACE])
    with_guest = await students(ours.network)
    await with_guest.on_terms(guests_at_most=1)
    await with_guest.sign_up("Ada", guests=[GRACE])


async def test_every_fault_is_told_beside_the_age(ours: Students) -> None:
    body = wanted(ours.activity_id, "Zq7Marker", consents=[PARTICIPATION], answers={"unasked": 1})
    pointers = ["#/answers/unasked", "#/consents"]
    await refused(ours.network, "POST", ADDRESS, status=422, pointers=pointers, json=body, headers=ours.network.key())


async def test_a_form_without_the_box_is_no_sign_up_and_says_from_which_age(ours: Students) -> None:
    sent = {
        "lang": "it", "given_name": "Kid", "family_name": "Small", "email": "kid@students.example",
        "participant_class": "local", "consent.participation": "2026-09",
    }  # fmt: skip
    reply = await ours.network.client.post(f"/registration/activities/{ours.activity_id}", data=sent)
    assert reply.status_code == 422
    assert "Per iscriverti devi avere almeno 14 anni." in reply.text
    assert 'id="consent.of_age-fault"' in reply.text
    assert await value(ours.network.database_url, KEPT, ours.activity_id) == 0
