"""A table of activities as CSV: taken row by row, twice without harm, and tried before it is taken."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from tests.api.test_bulk import contents
from tests.harness.databases import rows, value
from tests.harness.network import Network
from tests.harness.refusals import MARKER, refused
from tests.harness.statements import recorded

LIST = "/activities/v1/activities"
IMPORT = f"{LIST}/import"
CSV = {"Content-Type": "text/csv"}
ROW = {
    "external_id": "beach", "title": "Cleaning the beach", "areas": "environment|animals",
    "causes": "environmental-sustainability|culture", "starts_at": "2027-05-08T10:00", "ends_at": "2027-05-08 13:00",
    "capacity": "40",
}  # fmt: skip


def table(*changed: dict[str, str], parted_by: str = ",") -> str:
    """A table with a row for each change of the usual one."""
    names = list(dict.fromkeys([*ROW, *(name for each in changed for name in each)]))
    target = io.StringIO()
    writer = csv.DictWriter(target, names, delimiter=parted_by, restval="")
    writer.writeheader()
    writer.writerows({**ROW, **each} for each in changed)
    return target.getvalue()


async def imported(
    network: Network,
    body: str | bytes,
    *,
    dry_run: bool = False,
    overwrite: bool = False,
    by: dict[str, str] | None = None,
) -> dict[str, Any]:
    """What an import is answered with."""
    headers = {**CSV, **(by or await network.local()), **network.key()}
    content = body.encode() if isinstance(body, str) else body
    how = {"dry_run": dry_run, "overwrite": overwrite}
    reply = await network.client.post(IMPORT, headers=headers, content=content, params=how)
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    assert len(found["items"]) == sum(found[name] for name in ("created", "revised", "unchanged", "refused"))
    return found


def faults(answer: dict[str, Any]) -> list[tuple[int, str | None]]:
    """Line and column of everything that was refused."""
    return [(item["line"], error["column"]) for item in answer["items"] for error in item["errors"]]


async def test_a_row_becomes_a_draft_of_the_caller_s_section_in_its_zone(network: Network) -> None:
    answer = await imported(network, table({"place.city": "Sassari", "cost.amount": "2,50", "cost.currency": "EUR"}))
    assert answer["items"][0] == {
        "line": 2, "external_id": "beach", "outcome": "created", "id": answer["items"][0]["id"],
        "changed": [], "errors": [],
    }  # fmt: skip
    read = await network.client.get(f"{LIST}/{answer['items'][0]['id']}", headers=await network.local())
    activity = read.json()
    assert (activity["state"], activity["title"], activity["capacity"]) == ("draft", "Cleaning the beach", 40)
    assert activity["areas"] == ["environment", "animals"]
    assert activity["causes"][0] == {"code": "environmental-sustainability", "main": True}
    assert (activity["starts_at"], activity["ends_at"]) == ("2027-05-08T10:00:00+02:00", "2027-05-08T13:00:00+02:00")
    assert [organiser["code"] for organiser in activity["organisers"]] == ["IT-SASS-ESN"]
    assert (activity["place"]["city"], activity["cost"]) == ("Sassari", {"amount": "2.50", "currency": "EUR"})
    source = await rows(network.database_url, "SELECT source, source_id FROM activities.activities")
    assert tuple(source[0]) == ("csv:IT-SASS-ESN", "beach")


async def test_the_same_file_twice_changes_nothing_and_changed_rows_are_revised(network: Network) -> None:
    both = table({"place.city": "Sassari"}, {"external_id": "dogs", "title": "Walking dogs"})
    first = await imported(network, both)
    keys = "DELETE FROM activities.idempotency_keys"
    await rows(network.database_url, keys)
    before = await contents(network)
    again = await imported(network, both)
    await rows(network.database_url, keys)
    after = await contents(network)
    # Somebody did it, which is told; it changed nothing.
    entries, told = after.pop("activities.audit_entries"), before.pop("activities.audit_entries")
    assert (after, len(entries)) == (before, len(told) + 1)
    assert (again["unchanged"], [item["id"] for item in again["items"]]) == (2, [item["id"] for item in first["items"]])
    changed = await imported(network, table({"place.city": ""}, {"external_id": "dogs", "title": "Walking dogs"}))
    assert [item["outcome"] for item in changed["items"]] == ["revised", "unchanged"]
    read = await network.client.get(f"{LIST}/{first['items'][0]['id']}", headers=await network.local())
    assert (read.json()["place"], read.json()["revision"]) == (None, 2)
    partial = await imported(network, "external_id,capacity\r\ndogs,9\r\n")
    assert partial["revised"] == 1
    titles = await rows(network.database_url, "SELECT title, capacity FROM activities.activities ORDER BY title")
    assert [tuple(row) for row in titles] == [("Cleaning the beach", 40), ("Walking dogs", 9)]


async def test_a_dry_run_writes_nothing_and_answers_what_the_real_run_does(network: Network) -> None:
    await imported(network, table({}))
    body = table({"capacity": "7"}, {"external_id": "new"}, {"external_id": "bad", "title": ""}, {"external_id": "new"})
    await network.local()
    before = await contents(network)
    tried = await imported(network, body, dry_run=True)
    assert await contents(network) == before
    done = await imported(network, body)
    assert [item["outcome"] for item in done["items"]] == ["revised", "created", "refused", "refused"]
    assert tried["items"][1]["id"] is None
    created = {"id": done["items"][1]["id"]}
    assert {
        **tried,
        "dry_run": False,
        "items": [tried["items"][0], {**tried["items"][1], **created}, *tried["items"][2:]],
    } == done


async def test_what_was_changed_by_hand_is_overwritten_only_when_that_is_asked_for(network: Network) -> None:
    identity = (await imported(network, table({})))["items"][0]["id"]
    address, local = f"{LIST}/{identity}", await network.local()
    seen = (await network.client.get(address, headers=local)).headers["etag"]
    by_hand = {"title": "Cleaning the whole beach", "place": {"city": "Sassari"}}
    assert (await network.client.patch(address, headers={**local, "If-Match": seen}, json=by_hand)).status_code == 200
    both = table({"capacity": "7", "place.city": "Alghero"})
    for dry_run in (True, False):
        refusal = await imported(network, both, dry_run=dry_run)
        assert (refusal["refused"], faults(refusal)) == (1, [(2, "place.name"), (2, "title")])
    # What nobody touched is the table's to change, and what it does not speak of stays.
    other = await imported(network, "external_id,capacity\r\nbeach,7\r\n")
    assert [(item["outcome"], item["changed"]) for item in other["items"]] == [("revised", ["capacity"])]
    assert (await imported(network, both))["refused"] == 1, "another import does not make the change by hand forgotten"
    tried = await imported(network, both, dry_run=True, overwrite=True)
    assert [item["changed"] for item in tried["items"]] == [["place", "title"]]
    assert (await imported(network, both, overwrite=True))["revised"] == 1
    read = (await network.client.get(address, headers=local)).json()
    assert (read["title"], read["place"]["city"], read["capacity"]) == ("Cleaning the beach", "Alghero", 7)
    assert (await imported(network, table({"capacity": "8", "place.city": "Alghero"})))["revised"] == 1
    verbs = "SELECT verb FROM activities.activity_history ORDER BY revision"
    assert [row["verb"] for row in await rows(network.database_url, verbs)] == ["draft", "revise", *["import"] * 3]


async def test_what_is_published_is_revised_in_what_is_not_fixed(network: Network) -> None:
    checklist = {
        "label_checklist.action_modes": "action", "label_checklist.for_a_cause": "yes",
        "label_checklist.community_impact": "Cleaner.", "label_checklist.student_part": "They clean.",
    }  # fmt: skip
    identity = (await imported(network, table(checklist)))["items"][0]["id"]
    for verb, who in (("submit", network.local()), ("approve", network.national()), ("publish", network.local())):
        reply = await network.client.post(f"{LIST}/{identity}/{verb}", headers=await who)
        assert reply.status_code == 200, reply.text
    assert (await imported(network, table(checklist)))["unchanged"] == 1
    assert (await imported(network, table({**checklist, "capacity": "3"})))["revised"] == 1
    refusal = await imported(network, table({**checklist, "areas": "health"}))
    assert (refusal["refused"], faults(refusal)) == (1, [(2, None)])
    told = "SELECT count(*) FROM events.log WHERE name = 'activities.activity_revised.v1'"
    assert await value(network.database_url, told) == 1


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"areas": "environment|football"}, "areas"),
        ({"causes": "fun"}, "causes"),
        ({"starts_at": "8 May 2027"}, "starts_at"),
        ({"starts_at": "2027-03-28T02:30"}, "starts_at"),
        ({"ends_at": "2027-05-07T10:00"}, "ends_at"),
        ({"capacity": "many"}, "capacity"),
        ({"capacity": "1e400"}, "capacity"),
        ({"capacity": "9" * 5000}, "capacity"),
        ({"capacity": "-1"}, "capacity"),
        ({"takes_sign_ups": "perhaps"}, "takes_sign_ups"),
        ({"place.latitude": "40"}, "place.name"),
        ({"place.latitude": "91", "place.longitude": "8"}, "place.latitude"),
        ({"cost.amount": "free", "cost.currency": "EUR"}, "cost.amount"),
        ({"organisers": "XX-NONE"}, "organisers"),
        ({"organisers": "IT-SASS-ESN|IT-SASS-ESN"}, "organisers"),
        ({"organisers": "PL-WARS-UKS"}, None),
        ({"edition": "2099-autumn"}, "edition"),
        ({"external_id": "x" * 201}, "external_id"),
        ({"external_id": "a\nb"}, "external_id"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_a_fault_is_told_by_line_and_column(shared: Network, change: dict[str, str], column: str | None) -> None:
    answer = await imported(shared, table({"external_id": "", "title": "Good"}, change), dry_run=True)
    assert faults(answer) == [(3, column)]
    assert [item["outcome"] for item in answer["items"]] == ["created", "refused"]


async def test_rows_that_cannot_be_read_are_told_and_the_others_taken(shared: Network) -> None:
    body = (
        b"title,areas,causes,starts_at,ends_at\n"
        b"Good,health,culture,2027-05-08T10:00,2027-05-08T11:00\n"
        b"Short,health\n"
        b"Long,health,culture,2027-05-08T10:00,2027-05-08T11:00,more\n"
        b"Caf\xe9,health,culture,2027-05-08T10:00,2027-05-08T11:00\n"
        b"Nul\x00,health,culture,2027-05-08T10:00,2027-05-08T11:00\n"
        b'"Quoted" badly,health,culture,2027-05-08T10:00,2027-05-08T11:00\n'
        b'"Never closed,health,culture,2027-05-08T10:00,2027-05-08T11:00\n'
        b"Good too,health,culture,2027-05-08T10:00,2027-05-08T11:00\n"
    )
    answer = await imported(shared, body, dry_run=True)
    assert [item["line"] for item in answer["items"] if item["outcome"] == "created"] == [2, 9]
    assert faults(answer) == [(3, None), (4, None), (5, "title"), (6, "title"), (7, None), (8, None)]


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"], ids=["plain", "bom"])
@pytest.mark.parametrize("parted_by", [",", ";"])
async def test_both_separators_with_and_without_a_byte_order_mark(
    shared: Network, start: bytes, parted_by: str
) -> None:
    body = start + table({"summary": "Gloves, bags; water"}, parted_by=parted_by).encode()
    assert (await imported(shared, body, dry_run=True))["created"] == 1


@pytest.mark.parametrize("title", ["=HYPERLINK(1)", "+1 for the beach", "-beach", "@SUM(A1)", "' OR 1=1--"])
async def test_what_looks_like_a_formula_stays_text(network: Network, title: str) -> None:
    await imported(network, table({"title": title}))
    assert await value(network.database_url, "SELECT title FROM activities.activities") == title


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        (b"", ["#"]),
        (b"\n\n", ["#"]),
        (b"title,areas\n", ["#"]),
        (f"title,{MARKER}\na,b\n".encode(), ["#/header/2"]),
        (b"title,areas,title\na,b,c\n", ["#/header/3"]),
        (f"{MARKER}\n".encode(), ["#/header"]),
        (b"\x00\x01\x02\xff" * 100, ["#/header"]),
        (b'"title\n', ["#"]),
        (table({}).encode("utf-16"), ["#"]),
        (b"title\n" + b"a\n" * 501, ["#"]),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_a_file_that_is_no_table_of_activities_is_refused(
    shared: Network, body: bytes, pointers: list[str]
) -> None:
    headers = {**CSV, **await shared.local(), **shared.key()}
    await refused(shared, "POST", IMPORT, status=422, pointers=pointers, headers=headers, content=body)


@pytest.mark.parametrize(
    "content_type", ["", "application/json", "text/plain", "text/csv; charset=latin1", "application/vnd.ms-excel"]
)
async def test_another_media_type_is_415(shared: Network, content_type: str) -> None:
    headers = {"Content-Type": content_type, **await shared.local(), **shared.key()}
    document = await refused(shared, "POST", IMPORT, status=415, headers=headers, content=table({}).encode())
    assert "text/csv" in document["detail"]


async def test_a_file_over_one_mebibyte_is_413(shared: Network) -> None:
    headers = {**CSV, **await shared.local(), **shared.key()}
    await refused(shared, "POST", IMPORT, status=413, headers=headers, content=b"x" * (2**20 + 1))


async def test_strangers_and_requests_without_a_key_are_refused(shared: Network) -> None:
    await refused(shared, "POST", IMPORT, status=401, headers={**CSV, **shared.key()}, content=b"title\na\n")
    await refused(shared, "POST", IMPORT, status=400, headers={**CSV, **await shared.local()}, content=b"title\na\n")


async def test_a_national_coordinator_names_the_sections_and_each_has_its_own_ids(network: Network) -> None:
    national = await network.national()
    body = table({"organisers": "IT-SASS-ESN"}, {"organisers": "IT-MILA-STA|IT-SASS-ESN"}, {"organisers": ""})
    answer = await imported(network, body, by=national)
    assert [item["outcome"] for item in answer["items"]] == ["created", "created", "refused"]
    assert faults(answer) == [(4, "organisers")]
    assert (await imported(network, table({}), by=await network.local("IT-MILA-STA")))["revised"] == 1


async def test_the_template_can_be_imported_as_it_is(network: Network) -> None:
    reply = await network.client.get(f"{IMPORT}/template.csv")
    assert reply.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert (await imported(network, reply.content))["created"] == 1
    assert (await imported(network, reply.content))["unchanged"] == 1


async def test_more_rows_read_no_more_often(shared: Network) -> None:
    async def reads(body: bytes, outcome: str) -> int:
        headers = {**CSV, **await shared.local(), **shared.key()}
        with recorded(shared.runtimes["activities"]) as statements:
            reply = await shared.client.post(IMPORT, headers=headers, content=body)
        assert {item["outcome"] for item in reply.json()["items"]} == {outcome}, reply.text
        return sum(statement.text.startswith("SELECT") for statement in statements)

    async def grows_with_the_rows(outcome: str) -> bool:
        with_few, with_many = [await reads(table(*rows).encode(), outcome) for rows in (few, many)]
        # What a process looks up beside its requests may fall into either.
        return with_many > with_few + 2 or with_few >= 20

    few, many = ([{"external_id": f"{count}-{number}"} for number in range(count)] for count in (5, 50))
    assert not await grows_with_the_rows("created")
    few, many = ([{**row, "capacity": "7"} for row in rows] for rows in (few, many))
    assert not await grows_with_the_rows("revised")
