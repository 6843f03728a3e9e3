"""Bringing the directory into line with ESN Accounts: seen first, then exactly that, over HTTP and by the command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.commands import entries
from services.kernel.failures import Stop
from services.operations import sync
from tests.harness.databases import rows, value
from tests.harness.network import Network
from tests.harness.refusals import refused

SYNCS = "/activities/v1/directory/syncs"
SECTIONS = "/activities/v1/sections"
EVENTS = "SELECT count(*) FROM events.log"
LED_BY_THE_OTHER = """
UPDATE activities.activities SET section_codes = '{PL-WARS-UKS,IT-SASS-ESN}', country = 'PL', platform = 'CEP',
    organisers = '[{"code": "PL-WARS-UKS", "name": "ESN UKSW", "lead": true},
                   {"code": "IT-SASS-ESN", "name": "ESN Sassari", "lead": false}]'
WHERE id = $1
"""
IN_A_PLATFORM = """
INSERT INTO activities.countries (code, name) VALUES ('PT', 'Portugal') ON CONFLICT DO NOTHING;
INSERT INTO activities.platform_memberships (country, platform, certainty) VALUES ('PT', 'SWEP', 'stated');
"""


def record(code: str, label: str, **more: Any) -> dict[str, Any]:
    return {"code": code, "label": label, "cc": code[:2], "state": "active", "facebook": "x", **more}


RECORDS = [
    record("IT-SASS-ESN", " ESN Sassari", cities=[{"name": "Sassari"}], website="http:/sassari.example"),
    record("IT-MILA-STA", "ESN Statale", cities=[{"name": "Milan"}], state="merged"),
    record("PL-WARS-UKS", "ESN UKSW", cities=[{"name": "Warsaw"}]),
    record("YU-BELG-UPG", "ESN Belgrade", cc="YU", geolocation={"lat": "44.8", "lng": "20"}),
    record("XX", "ESN Nowhere"),
]  # fmt: skip


async def propose(network: Network, records: list[dict[str, Any]]) -> dict[str, Any]:
    headers = {**await network.token("international"), **network.key()}
    reply = await network.client.post(SYNCS, json={"records": records}, headers=headers)
    assert reply.status_code == 201, reply.text
    assert reply.headers["location"] == f"{SYNCS}/{reply.json()['id']}"
    found: dict[str, Any] = reply.json()
    return found


async def apply(network: Network, proposed: dict[str, Any]) -> httpx.Response:
    return await network.client.post(f"{SYNCS}/{proposed['id']}/apply", headers=await network.token("international"))


async def states(network: Network) -> dict[str, str]:
    found = await rows(network.database_url, "SELECT code, state FROM activities.sections")
    return {row["code"]: row["state"] for row in found}


async def test_a_list_is_seen_first_and_then_carried_out_once(network: Network) -> None:
    before = await states(network)
    proposed = await propose(network, RECORDS)
    report = proposed["report"]
    assert [each["code"] for each in report["new"]] == ["YU-BELG-UPG"]
    assert [each["code"] for each in report["gone"]] == ["PT-PORT-ESN"]
    assert report["merged"] == ["IT-MILA-STA"]
    assert [(each["record"], each["field"]) for each in report["refused"]] == [(5, "code")]
    assert (await states(network), await value(network.database_url, EVENTS)) == (before, 0)

    applied = await apply(network, proposed)
    assert (applied.status_code, applied.json()["report"]) == (200, report)
    assert applied.json()["applied_at"]
    assert await states(network) == {
        "IT-SASS-ESN": "active", "IT-MILA-STA": "merged", "PL-WARS-UKS": "active", "YU-BELG-UPG": "active",
        "PT-PORT-ESN": "withdrew",
    }  # fmt: skip
    belgrade = (await network.client.get(f"{SECTIONS}/YU-BELG-UPG")).json()
    assert (belgrade["country"], belgrade["latitude"], belgrade["languages"]) == ("RS", 44.8, ["sr"])
    assert await value(network.database_url, EVENTS) == 4
    await network.settle()
    assert await value(network.database_url, "SELECT count(*) FROM registration.sections") == 4

    assert (await apply(network, proposed)).json() == applied.json()
    again = await propose(network, RECORDS)
    assert (again["report"]["changed"], again["report"]["new"], again["report"]["gone"]) == ([], [], [])
    assert (await apply(network, again)).status_code == 200
    assert await value(network.database_url, EVENTS) == 4


async def test_a_report_that_is_no_longer_true_is_not_carried_out(network: Network) -> None:
    proposed = await propose(network, RECORDS)
    await rows(network.database_url, "UPDATE activities.sections SET name = 'ESN Other' WHERE code = 'PL-WARS-UKS'")
    document = await refused(
        network, "POST", f"{SYNCS}/{proposed['id']}/apply", status=409, headers=await network.token("operator")
    )
    assert document["type"].endswith("difference-changed")
    assert (await states(network))["PT-PORT-ESN"] == "active"


async def test_only_the_network_syncs(shared: Network) -> None:
    for headers in (await shared.local(), await shared.national(), await shared.token("machine")):
        told = {**headers, **shared.key()}
        await refused(shared, "POST", SYNCS, status=403, headers=told, json={"records": RECORDS})
    headers = await shared.token("international")
    await refused(shared, "POST", SYNCS, status=400, headers=headers, json={"records": RECORDS})
    for records, pointer in (([], "#/records"), (["text"], "#/records/0"), (None, "#/records")):
        told = {**headers, **shared.key()}
        await refused(shared, "POST", SYNCS, status=422, pointers=[pointer], headers=told, json={"records": records})


async def test_records_that_nothing_can_hold_are_refused_one_by_one(network: Network) -> None:
    odd = r"""{"records": [{"code": "IT-AAAA-ESN", "label": "a\u0000b"}, {"code": "\ud800\u0000", "label": "x"},
        {"code": "IT-BBBB-ESN", "label": 7}, {"code": "IT-CCCC-ESN", "label": "ESN C", "geolocation": {"lat": 1e400}},
        {"label": "ESN D"}]}"""
    headers = {**await network.token("international"), **network.key(), "Content-Type": "application/json"}
    reply = await network.client.post(SYNCS, content=odd, headers=headers)
    assert reply.status_code == 201, reply.text
    assert [(each["record"], each["code"]) for each in reply.json()["report"]["refused"]] == [
        (1, "IT-AAAA-ESN"), (2, None), (3, "IT-BBBB-ESN"), (5, None)
    ]  # fmt: skip
    assert (await apply(network, reply.json())).status_code == 200


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "sections.json"
    path.write_text(json.dumps(RECORDS))
    return path


async def test_the_command_changes_what_was_seen_and_nothing_else(network: Network, source: Path) -> None:
    seen = await sync.sections(network.settings, str(source), digest=None)
    shown = sync.text(seen, applied=False)
    assert "  gone       PT-PORT-ESN  ESN Porto: withdrew\n" in shown
    assert "  changed    IT-MILA-STA  state: active -> merged\n" in shown
    assert shown.endswith(f"--apply --report {seen.digest}")
    assert await value(network.database_url, EVENTS) == 0
    with pytest.raises(Stop, match="Nothing was changed"):
        await sync.sections(network.settings, str(source), digest="0" * 64)
    assert await value(network.database_url, EVENTS) == 0
    await sync.sections(network.settings, str(source), digest=seen.digest)
    assert await value(network.database_url, EVENTS) == 4
    again = await sync.sections(network.settings, str(source), digest=seen.digest)
    assert sync.text(again, applied=True).endswith("\nnothing to change")
    assert await value(network.database_url, EVENTS) == 4


def _answering(status: int, content: bytes) -> httpx.MockTransport:
    return httpx.MockTransport(lambda _: httpx.Response(status, content=content))


async def test_a_list_is_read_from_an_address(network: Network) -> None:
    transport = _answering(200, json.dumps(RECORDS).encode())
    seen = await sync.sections(network.settings, "https://accounts.example/sections", digest=None, transport=transport)
    assert [row.code for row in seen.new] == ["YU-BELG-UPG"]


@pytest.mark.parametrize(
    ("status", "content", "sentence"),
    [
        (503, b"", "answered 503"),
        (200, json.dumps(RECORDS).encode()[:-30], "can't be read"),
        (200, b"[]", "no record"),
        (200, b" " * (sync.LARGEST + 1), "larger than"),
    ],
    ids=["503", "cut off", "empty", "endless"],
)
async def test_a_list_that_is_not_whole_changes_nothing(
    network: Network, status: int, content: bytes, sentence: str
) -> None:
    with pytest.raises(Stop, match=sentence):
        await sync.sections(
            network.settings, "https://accounts.example/", digest=None, transport=_answering(status, content)
        )


@pytest.mark.parametrize(("apply", "report"), [(True, None), (False, "0" * 64)])
def test_nothing_is_changed_without_the_digest_of_a_report(source: Path, apply: bool, report: str | None) -> None:
    with pytest.raises(Stop, match="go together"):
        entries.sync_sections(str(source), apply=apply, report=report)


async def test_a_file_that_is_not_there_is_one_sentence(network: Network, tmp_path: Path) -> None:
    with pytest.raises(Stop, match="No such file"):
        await sync.sections(network.settings, str(tmp_path / "none.json"), digest=None)


async def test_activities_follow_a_section_that_a_list_renames_and_moves(network: Network) -> None:
    both = [{"code": "IT-SASS-ESN", "lead": True}, {"code": "PL-WARS-UKS"}]
    led = await network.published()
    named = await network.published(title="Other", organisers=both)
    observer = await network.observer()
    await observer.execute(LED_BY_THE_OTHER, named["id"])
    await observer.execute(IN_A_PLATFORM)
    over = await network.published(title="Over", organisers=both)
    await observer.execute(
        "UPDATE activities.activities SET starts_at = '2020-01-01', ends_at = '2020-01-02', edition = NULL "
        "WHERE id = $1",
        over["id"],
    )
    moved = record("IT-SASS-ESN", "ESN Turritana", cc="PT", cities=[{"name": "Sassari"}])
    assert (await apply(network, await propose(network, [moved, *RECORDS[1:]]))).status_code == 200
    followed = "SELECT is_followed, former_names FROM activities.sections WHERE code = 'IT-SASS-ESN'"
    assert [tuple(row) for row in await rows(network.database_url, followed)] == [(False, ["ESN Sassari"])]
    since = (await network.client.get("/activities/v1/changes")).json()["next"]
    log = await value(network.database_url, EVENTS)
    await network.sweep()
    shown = {}
    for before in (led, named, over):
        shown[before["title"]] = now = (await network.client.get(before["url"])).json()
        names = {each["code"]: each["name"] for each in now["organisers"]}
        assert names["IT-SASS-ESN"] == "ESN Turritana"
        assert names.get("PL-WARS-UKS", "ESN UKSW") != "ESN Turritana"
    assert [(each["country"], each["platform"]) for each in shown.values()] == [
        ("PT", "SWEP"), ("PL", "CEP"), ("IT", led["platform"])
    ]  # fmt: skip
    assert [shown[each["title"]]["revision"] - each["revision"] for each in (led, named, over)] == [1, 0, 0]
    # One event, for the one that another country has now.
    assert await value(network.database_url, EVENTS) == log + 1
    items = (await network.client.get(since)).json()["items"]
    assert {item["id"] for item in items} == {each["id"] for each in (led, named, over)}
    words = {"q": "turritana"}
    assert len((await network.client.get("/activities/v1/activities", params=words)).json()["items"]) == 3
    assert [tuple(row) for row in await rows(network.database_url, followed)] == [(True, [])]
