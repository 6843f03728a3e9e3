"""Past activities imported from the file reach the statistics, and the figures equal a recount that shares no code."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from services.activities.sample import network as sample
from services.impact.facts import actions as facts
from services.operations import imports
from services.operations.kinds import Kind
from tests.flows.recount import Totals, recount_files
from tests.harness.databases import rows, value
from tests.harness.network import Network

CELLS = "SELECT (to_jsonb(totals) - 'id')::text AS cell FROM impact.totals ORDER BY cell"
ROOT = Path(__file__).parents[2]
MEASURES = {
    "activities": "activities",
    "participants": "participants",
    "participants_international": "international",
    "participants_local": "locals",
    "participants_esn_volunteer": "esn_volunteers",
    "participants_unclassified": "unclassified",
    "hours": "hours",
    "quantities": "quantities",
}


@pytest.fixture
async def imported(network: Network) -> Network:
    """The services after the sample's sections, editions and past activities were imported."""
    async with network.runtimes["activities"].unit_of_work() as session:
        await sample.begin(session, date(2026, 11, 21))
    await imports.run(network.settings, Kind.EDITIONS, sample.EDITIONS, beside=False)
    report = await imports.run(network.settings, Kind.ACTIVITIES, sample.PAST, beside=False)
    assert (report.taken, report.refused) == (94, 0)
    await network.settle()
    return network


def exact(item: dict[str, Any]) -> dict[str, Any]:
    """The measures of one group, hours and amounts as decimals."""
    amounts = {(each["measure"], each["unit"]): Decimal(each["amount"]) for each in item["quantities"]}
    return {name: item[name] for name in MEASURES} | {"hours": Decimal(str(item["hours"])), "quantities": amounts}


async def statistics(network: Network, *by: str) -> dict[str | None, dict[str, Any]]:
    """The measures of each group as the public API gives them; the total stands under the group `total`."""
    params = {"measures": ",".join(MEASURES), **({"by": ",".join(by)} if by else {})}
    reply = await network.client.get("/impact/v1/statistics", params=params)
    assert reply.status_code == 200, reply.text
    found = {item[by[0]] if by else "total": exact(item) for item in reply.json()["items"]}
    found["total"] = exact(reply.json()["total"])
    return found


def expected(totals: Totals) -> dict[str, Any]:
    return {measure: getattr(totals, name) for measure, name in MEASURES.items()}


async def assert_equal_to_the_recount(network: Network) -> None:
    counted = recount_files(sample.PAST, sample.EDITIONS)
    for dimension in ("country", "area", "edition", "kind"):
        groups: dict[str | None, Totals] = getattr(counted, f"by_{dimension}")
        assert await statistics(network, dimension) == {
            "total": expected(counted.overall),
            **{group: expected(totals) for group, totals in groups.items()},
        }


async def test_the_totals_equal_a_recount_of_the_file_and_its_reports_raise_no_flood_of_hints(
    imported: Network,
) -> None:
    await assert_equal_to_the_recount(imported)
    headers, address = await imported.token("international"), "/impact/v1/reports?state=verified&limit=40"
    items: list[dict[str, Any]] = []
    while address:
        page = (await imported.client.get(address, headers=headers)).json()
        items += page["items"]
        address = page["next"]
    assert len({item["activity_id"] for item in items}) == 92
    found = Counter((hint["code"], hint["severity"]) for item in items for hint in item["hints"])
    # The blood donation to which nobody came; money that went to "charity" without its name.
    assert found == {("nobody_took_part", "warning"): 1, ("money_to_nobody", "warning"): 3}


async def test_a_second_import_changes_nothing(imported: Network) -> None:
    events = await value(imported.database_url, "SELECT count(*) FROM events.log")
    report = await imports.run(imported.settings, Kind.ACTIVITIES, sample.PAST, beside=False)
    assert (report.taken, report.unchanged, report.refused) == (0, 94, 0)
    assert await value(imported.database_url, "SELECT count(*) FROM events.log") == events
    await imported.settle()
    await assert_equal_to_the_recount(imported)


async def test_a_rebuild_changes_nothing(imported: Network) -> None:
    before = await rows(imported.database_url, CELLS)
    async with imported.runtimes["impact"].unit_of_work() as session:
        made = await facts.rebuild(session)
    assert (made.activities, made.differences) == (92, 0)  # 90 were held, 2 cancelled.
    assert await rows(imported.database_url, CELLS) == before
    await assert_equal_to_the_recount(imported)


@pytest.mark.parametrize("kept", ["", "roll_ups"])
async def test_a_rebuild_notices_and_mends_what_was_tampered_with(imported: Network, kept: str) -> None:
    """The totals, and the roll-ups of them that the figures below are read from."""
    cells, amounts = ("roll_ups", "quantity_roll_ups") if kept else ("totals", "quantity_totals")
    for change in (
        f"{cells} SET activities = activities + 1 WHERE country = 'IT'",
        f"{cells} SET hours = hours + 0.01 WHERE country = 'IT'",
        f"{amounts} SET amount = amount + 0.01 WHERE measure = 'blood'",
    ):
        await rows(imported.database_url, f"UPDATE impact.{change}")
        if kept:
            with pytest.raises(AssertionError):
                await assert_equal_to_the_recount(imported)
        async with imported.runtimes["impact"].unit_of_work() as session:
            made = await facts.rebuild(session)
        assert made.differences > 0
        await assert_equal_to_the_recount(imported)


async def test_a_corrected_row_moves_exactly_its_own_figures(imported: Network, tmp_path: Path) -> None:
    corrected = tmp_path / "corrected.csv"
    with sample.PAST.open(encoding="utf-8", newline="") as source, corrected.open("w", newline="") as target:
        reader = csv.DictReader(source)
        writer = csv.DictWriter(target, reader.fieldnames or [])
        writer.writeheader()
        for row in reader:
            writer.writerow({**row, "participants_total": "26"} if row["id"] == "4" else row)
    before = await statistics(imported, "country")
    report = await imports.run(imported.settings, Kind.ACTIVITIES, corrected)
    assert (report.taken, report.unchanged) == (1, 93)
    await imported.settle()
    after = await statistics(imported, "country")
    difference = {
        group: {name: after[group][name] - count for name, count in measures.items() if after[group][name] != count}
        for group, measures in before.items()
    }
    moved = {"participants": 1, "participants_unclassified": 1}
    assert {group: change for group, change in difference.items() if change} == {"SK": moved, "total": moved}


async def test_a_section_that_is_not_in_the_directory_is_refused_and_kept_beside_the_file(
    network: Network, tmp_path: Path
) -> None:
    source = tmp_path / "past.csv"
    shutil.copy(sample.PAST, source)
    report = await imports.run(network.settings, Kind.ACTIVITIES, source)
    with sample.PAST.open(encoding="utf-8", newline="") as original:
        codes = [row["section_code"] for row in csv.DictReader(original)]
    known = {"IT-SASS-ESN", "IT-MILA-STA", "PL-WARS-UKS", "PT-PORT-ESN"}
    unknown = [code for code in codes if code and code not in known]
    assert (report.refused, report.taken) == (len(unknown), 94 - len(unknown))
    with source.with_suffix(".refused.csv").open(encoding="utf-8", newline="") as refused:
        kept = list(csv.DictReader(refused))
    assert [row["section_code"] for row in kept] == unknown
    assert all("import the sections first" in row["refused_reason"] for row in kept)


def run(network: Network, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command of the product, as its user runs it."""
    told = {
        "DATABASE_URL": network.database_url,
        "REDIS_URL": os.environ["REDIS_URL"],
        "SOCIALERASMUS_SECRET": network.settings.secret.get_secret_value(),
        "PATH": os.environ["PATH"],
    }
    return subprocess.run(
        [sys.executable, "-m", "services", *arguments], cwd=ROOT, env=told, capture_output=True, text=True, check=False
    )


async def test_the_commands_import_the_whole_network(network: Network, shared_data: Path, tmp_path: Path) -> None:
    for name in ("esn_sections_2016.csv", "social_weeks_and_secm.csv", "real_activities.csv"):
        shutil.copy(shared_data / name, tmp_path / name)
    sections = run(network, "import", "sections", str(tmp_path / "esn_sections_2016.csv"))
    assert "507 rows: 507 taken, 0 unchanged, 0 refused" in sections.stdout, sections.stderr
    editions = run(network, "import", "editions", str(tmp_path / "social_weeks_and_secm.csv"))
    assert "27 rows: 25 taken, 0 unchanged, 2 refused" in editions.stdout, editions.stderr
    past = run(network, "import", "activities", str(tmp_path / "real_activities.csv"))
    assert "94 rows: 94 taken, 0 unchanged, 0 refused" in past.stdout, past.stderr
    again = run(network, "import", "sections", str(tmp_path / "esn_sections_2016.csv"))
    assert "0 taken, 507 unchanged, 0 refused" in again.stdout.splitlines()[-1], again.stderr
    assert "  warning  line" in sections.stdout
    assert len(again.stdout.splitlines()) == 3  # What is not listed, where all warnings are, the totals.
    await network.settle()
    await assert_equal_to_the_recount(network)
    rebuilt = run(network, "rebuild", "impact")
    assert "\n0 differences" in rebuilt.stdout, rebuilt.stderr
    countries: dict[str, Any] = (await network.client.get("/activities/v1/countries")).json()
    assert {item["code"] for item in countries["items"]} >= {"RS", "GB", "TR"}


async def test_a_file_that_cannot_be_read_is_one_sentence(network: Network, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("name;code\nESN Sassari;IT-SASS-ESN\n")
    done = run(network, "import", "sections", str(wrong))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert "columns missing" in done.stderr


def accounts(number: int) -> dict[str, str]:
    return {"code": f"IT-T{number:03}-ESN", "label": f"ESN Test {number}", "country": "IT", "city": "Milan"}


async def test_an_array_is_taken_around_what_is_no_record_and_as_far_as_it_goes(
    network: Network, tmp_path: Path
) -> None:
    source = tmp_path / "sections.json"
    broken: list[Any] = [accounts(number) for number in range(250)]
    source.write_text(json.dumps([*broken[:220], "text", *broken[220:]]))
    report = await imports.run(network.settings, Kind.SECTIONS, source)
    assert (report.taken, report.refused, report.stopped) == (250, 1, None)
    assert (tmp_path / "sections.refused.ndjson").read_text() == '"text"\n'

    cut = json.dumps([accounts(0) | {"label": "ESN Other"}, 17, *broken[1:], accounts(250)], indent=0)
    source.write_text(cut[:-20])
    done = run(network, "import", "sections", str(source))
    *_, stopped, totals = done.stdout.splitlines()
    assert done.returncode == 1, done.stderr
    line = cut[: cut.rindex("{")].count("\n") + 1
    assert stopped.startswith(f"stopped at line {line}: the record that begins here has no end")
    assert totals.startswith("sections.json: 251 rows: 1 taken, 249 unchanged, 1 refused")
    assert (tmp_path / "sections.refused.ndjson").read_text() == "17\n"
    assert "stopped here" in (tmp_path / "sections.warnings.csv").read_text()


async def test_the_command_shows_what_a_list_would_change_and_then_changes_exactly_that(
    network: Network, tmp_path: Path
) -> None:
    source = tmp_path / "sections.json"
    source.write_text(json.dumps([{"code": "IT-SASS-ESN", "label": "ESN Sassari\u001b[31m", "cc": "IT"}]))
    seen = run(network, "sync", "sections", str(source))
    assert seen.returncode == 0, seen.stderr
    assert "  gone       PT-PORT-ESN  ESN Porto: withdrew\n" in seen.stdout
    assert "\x1b" not in seen.stdout
    *_, last = seen.stdout.splitlines()
    done = run(network, "sync", "sections", str(source), *last.partition(": ")[2].split())
    assert done.stdout.endswith("\nchanged\n"), done.stderr
    state = "SELECT state FROM activities.sections WHERE code = 'PT-PORT-ESN'"
    assert await value(network.database_url, state) == "withdrew"
