"""The benchmarks in their shortest form: every answer right, every reply logged, no ratio absurd. Nothing is timed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.benchmarks import bad_clients, events, export, folding, pairs, reads, start, table, writes
from tests.benchmarks import statistics as asking
from tests.benchmarks.__main__ import benchmarks, main


async def test_known_reads_are_right_under_load_and_not_absurdly_slow() -> None:
    results = reads.Results(pairs.SHORTEST)
    await reads.run(results, activities=reads.ACTIVITIES["shortest"])
    assert results.faults == []
    measured = results.told["measures"]["upcoming, 200"]
    assert measured["wrong"] == 0
    # The routes alone would be at 0.01 or less.
    assert 0.05 < measured["quartiles"][1] < 20
    assert results.told["access_lines"] > measured["replies"]


async def test_sign_ups_under_load_are_all_there_once_and_not_absurdly_slow() -> None:
    results = reads.Results(pairs.SHORTEST)
    await writes.run(results)
    assert results.faults == []
    measured = results.told["measures"]["sign-up, one activity"]
    assert measured["wrong"] == 0
    assert results.told["sign-ups a transaction"] > 2
    # Beside other tests it is less than alone, by much.
    assert 0.002 < measured["quartiles"][1] < 20


async def test_events_are_carried_out_once_each_and_not_absurdly_late() -> None:
    results = reads.Results(pairs.SHORTEST)
    await events.run(results)
    assert results.faults == []
    measured = results.told["measures"]
    assert len(measured) == 3
    # By the queue alone, where arq asks every half second, it would be 250 ms at the median.
    assert measured["commit to effect elsewhere, idle"]["p50_ms"][0] < 200
    assert 0.5 < measured["events passed, together"]["quartiles"][1] < 10_000


async def test_readers_are_answered_beside_one_client_that_behaves_badly() -> None:
    results = reads.Results(pairs.SHORTEST)
    await bad_clients.run(results, activities=reads.ACTIVITIES["shortest"])
    assert results.faults == []
    for measured in results.told["measures"].values():
        assert measured["wrong"] == 0
        assert 0.02 < measured["quartiles"][1] < 20


def test_the_import_of_a_service_is_measured_and_not_absurdly_slow() -> None:
    clock, used = start.import_seconds("registration", 1)
    assert 0.1 < clock < 60
    assert 0.1 < used < 20


def test_facts_are_folded_to_what_a_recount_finds_and_not_absurdly_slowly() -> None:
    results = reads.Results(pairs.SHORTEST)
    folding.run(results)
    assert results.faults == []
    for measured in results.told["measures"].values():
        assert measured["wrong"] == 0
        assert 0.0005 < measured["quartiles"][1] < 2


def test_questions_are_answered_as_a_group_by_of_the_raw_rows_does() -> None:
    results = reads.Results(replace(pairs.SHORTEST, seconds=0.01))
    asking.run(results, first=asking.FACTS["shortest"])
    assert results.faults == []
    assert len(results.told["measures"]) == 2 * len(asking.QUESTIONS) + len(asking.OTHERS)


def test_exports_hold_every_row() -> None:
    results = reads.Results(pairs.SHORTEST)
    export.run(results)
    assert results.faults == []
    assert len(results.told["measures"]) == len(export.GOALS)


def test_figures_become_a_table_with_the_benchmark_that_makes_them() -> None:
    results = reads.Results(pairs.SHORTEST)
    results.add(pairs.Measure("a list", "a constant", 0.8, ratios=[0.9, 1.0, 1.1], replies=1))
    results.add(pairs.Measure("a list of old", "a constant", None, ratios=[0.9], replies=1))
    results.say("memory", 99.5, "MB", 110.0)
    results.say("seconds", 1.5, "s")
    told = json.loads(json.dumps({"reads": results.told}))
    assert table.table(told).splitlines()[2:] == [
        "| a list | 1.00 (0.95-1.05) of a constant | ≥ 0.8 | `reads` |",
        "| memory | 99.5 MB | ≤ 110 MB | `reads` |",
    ]


def test_each_benchmark_is_listed_with_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert len(listed) == len(benchmarks()) >= 9
    assert all(line.split(maxsplit=1)[1] for line in listed)
    assert main(["nonsense"]) == 2
