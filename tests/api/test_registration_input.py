"""What a sign-up and a check-in may hold, and where a refusal says that it does not."""

from __future__ import annotations

from typing import Any

import pytest

from services.contracts import SectionRecorded
from services.kernel import events
from tests.harness.databases import rows
from tests.harness.network import Network
from tests.harness.refusals import MARKER, refused
from tests.harness.sign_ups import Students, directory_has, in_hours, students, wanted

SIGN_UPS = "/registration/v1/registrations"


@pytest.fixture(scope="module")
async def ours(shared: Network) -> Students:
    return await students(shared, capacity=None)


async def _refused(ours: Students, pointer: str, **changes: Any) -> None:
    body = wanted(ours.activity_id, MARKER, **changes)
    await refused(ours.network, "POST", SIGN_UPS, status=422, pointers=[pointer], json=body, headers=ours.network.key())


@pytest.mark.parametrize("number", ["1" * 400, f"-{'9' * 400}", "1e400", "-1e400", "1000000001", "1e308"])
async def test_a_number_out_of_all_measure_is_no_answer(ours: Students, number: str) -> None:
    body = str(wanted(ours.activity_id, MARKER)).replace("'", '"')
    content = f'{body.removesuffix("}")}, "answers": {{"a": {number}}}}}'
    headers = {**ours.network.key(), "Content-Type": "application/json"}
    await refused(
        ours.network, "POST", SIGN_UPS, status=422, pointers=["#/answers/a"], content=content, headers=headers
    )


async def test_answers_are_kept_as_they_were_given(ours: Students) -> None:
    answers = {"a": 1_000_000_000, "b": -0.0, "c": 0.5, "d": True, "e": None, "f": "Gloves, please."}
    kinds = zip("abcdef", ["number", "number", "number", "consent", "text", "text"], strict=True)
    await ours.on_terms(questions=[{"code": code, "kind": kind, "text": {"en": "?"}} for code, kind in kinds])
    await ours.sign_up("Answers", answers=answers)
    listed = await ours.network.client.get(
        f"/registration/v1/activities/{ours.activity_id}/registrations", headers=await ours.network.local()
    )
    assert [item["answers"] for item in listed.json()["items"] if item["given_name"] == "Answers"] == [answers]


@pytest.mark.parametrize(
    ("changes", "given"),
    [({"participant_class": "local"}, "study"), ({}, "tourism"), ({}, ""), ({}, 1)],
)
async def test_only_an_international_student_is_here_to_study_or_for_a_traineeship(
    ours: Students, changes: dict[str, str], given: object
) -> None:
    await _refused(ours, "#/mobility", mobility=given, **changes)


@pytest.mark.parametrize("country", ["ZZ", "XX", "AA", "UK", "EU", "it", "ITA", ""])
async def test_a_home_country_is_a_country(ours: Students, country: str) -> None:
    await _refused(ours, "#/home_country", home_country=country)


@pytest.mark.parametrize("country", ["IT", "XK", "PS", "AQ"])
async def test_every_country_may_be_home(ours: Students, country: str) -> None:
    await ours.sign_up(f"From{country}", home_country=country)


@pytest.mark.parametrize("field", ["given_name", "family_name"])
@pytest.mark.parametrize(
    "name",
    ["\u200b", "\u200e\u2063", "\u3164", "\u115f\u1160", "\ufeff", "\u00ad", "\u0301", "...", "123", "🙂"],
    ids=ascii,
)
async def test_a_name_shows_a_letter(ours: Students, field: str, name: str) -> None:
    await _refused(ours, f"#/{field}", **{field: name})


@pytest.mark.parametrize("name", ["Ñuñez", "İ", "Øyvind", "김", "عبد\u200cالله", "O’Brien", "Ng 3rd", "佐々木", "Ṣọlá"])
async def test_a_name_may_be_written_in_any_script(ours: Students, name: str) -> None:
    await ours.sign_up(f"name{ord(name[0])}", given_name=name, family_name=name)


async def test_only_a_section_that_the_directory_has_is_a_host(network: Network) -> None:
    ours = await students(network)
    await ours.sign_up("Early", host_section="IT-SASS-ESN")  # Nobody has told of any section yet.
    await directory_has(network, "IT-SASS-ESN")
    await ours.sign_up("Hosted", host_section="IT-SASS-ESN")
    await _refused(ours, "#/host_section", host_section="XX-NOPE")
    await _refused(ours, "#/host_section", host_section="it-sass-esn")
    kept = await rows(network.database_url, "SELECT given_name, host_section FROM registration.registrations")
    assert dict(map(tuple, kept)) == {"Early": "IT-SASS-ESN", "Hosted": "IT-SASS-ESN"}


async def test_whoever_names_a_section_that_merged_is_kept_with_its_successor(network: Network) -> None:
    ours = await students(network)
    async with network.runtimes["activities"].unit_of_work() as session:
        for code, successor in (("PT-OLD1-ESN", "PT-OLD2-ESN"), ("PT-OLD2-ESN", "PT-PORT-ESN"), ("PT-PORT-ESN", None)):
            told = SectionRecorded(
                code=code, title=code, country="PT", state="merged" if successor else "active",
                time_zone="Europe/Lisbon", successor=successor,
            )  # fmt: skip
            await events.record(session, told)
    address = "/activities/v1/sections/IT-MILA-STA"
    etag = (await network.client.get(address)).headers["etag"]
    headers = {**await network.token("international"), "If-Match": etag}
    reply = await network.client.patch(address, json={"state": "merged", "merged_into": "IT-SASS-ESN"}, headers=headers)
    assert reply.status_code == 200
    await network.settle()
    await ours.sign_up("Ada", host_section="PT-OLD1-ESN")
    # Of the successor nobody has told yet, but who told of the merger knew it.
    await ours.sign_up("Bob", host_section="IT-MILA-STA")
    kept = await rows(network.database_url, "SELECT given_name, host_section FROM registration.registrations")
    assert dict(map(tuple, kept)) == {"Ada": "PT-PORT-ESN", "Bob": "IT-SASS-ESN"}
    known = await rows(network.database_url, "SELECT code, successor FROM impact.sections ORDER BY code")
    assert [tuple(each) for each in known] == [
        ("IT-MILA-STA", "IT-SASS-ESN"),
        ("PT-OLD1-ESN", "PT-OLD2-ESN"), ("PT-OLD2-ESN", "PT-PORT-ESN"), ("PT-PORT-ESN", None)
    ]  # fmt: skip


async def test_whoever_signs_up_twice_hears_of_an_unknown_section_as_well(network: Network) -> None:
    ours = await students(network)
    await directory_has(network, "IT-SASS-ESN")
    await ours.sign_up(MARKER)
    await _refused(ours, "#/host_section", host_section="XX-NOPE")


NOTE = {"code": "7K3M-QX2D", "at": in_hours(0), "nonce": "device-one-1"}


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({**NOTE, "hours": -1}, ["#/hours"]),
        ([{**NOTE, "hours": -1}], ["#/0/hours"]),
        ([NOTE, {**NOTE, "hours": 25, "nonce": "?"}], ["#/1/hours", "#/1/nonce"]),
        ({}, ["#/at", "#/nonce"]),
        ({**NOTE, "code": None}, ["#"]),
        ([NOTE, {**NOTE, "code": None}], ["#/1"]),
        ({**NOTE, MARKER: 1}, [f"#/{MARKER}"]),
        ([], ["#"]),
        (None, ["#"]),
    ],
)
async def test_a_fault_of_a_check_in_is_where_it_was_sent(ours: Students, body: Any, pointers: list[str]) -> None:
    await refused(
        ours.network,
        "POST",
        f"/registration/v1/activities/{ours.activity_id}/check-ins",
        status=422,
        pointers=pointers,
        hidden=(),
        json=body,
        headers={**await ours.network.local(), **ours.network.key()},
    )
