"""Facts for analysts: whole, free of persons, within reach, read piece by piece, at once or made by the worker."""

from __future__ import annotations

import csv
import io
import tracemalloc
from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from services.impact.exports import actions, rules, store, streaming
from services.impact.exports.schemas import Dataset, Format
from services.impact.facts.tables import ActivityFacts
from services.impact.statistics.rules import Asked
from tests.harness.databases import Databases, eventually, rows, value
from tests.harness.figures import STATISTICS, held, network_with
from tests.harness.network import Network
from tests.harness.refusals import refused

FACTS, EXPORTS = "/impact/v1/facts", "/impact/v1/exports"
DAY = date(2026, 11, 11)
ROWS = [
    held("IT-SASS-ESN", DAY, edition="2026-autumn", sdgs=[13], hours=Decimal("20.25"),
         quantities={("waste", "kg"): Decimal("130.5"), ("money", "EUR"): Decimal(80)}),
    held("IT-MILA-STA", date(2026, 5, 6), edition="2026-spring", hours=None),
    held("PT-PORT-ESN", DAY, edition="2026-autumn", outcome="cancelled", international=None, local=None,
         esn_volunteer=None, unclassified=None, hours=None),
    held("PT-PORT-ESN", DAY, edition="2026-autumn", report="submitted"),
]  # fmt: skip
MANY = """
INSERT INTO impact.activity_facts ({names}) SELECT {values} FROM generate_series(1, $1)
"""


@pytest.fixture(scope="module")
async def known(databases: Databases, redis_url: str) -> AsyncIterator[Network]:
    """One network with the activities above, for all tests of this file."""
    sections = ["IT-SASS-ESN", "IT-MILA-STA", "PT-PORT-ESN"]
    editions = [("2026-spring", date(2026, 5, 4), date(2026, 5, 17)), ("2026-autumn", date(2026, 11, 9), DAY)]
    async with network_with(databases, redis_url, ROWS, sections=sections, editions=editions) as network:
        yield network


@pytest.fixture(scope="module")
async def analyst(known: Network) -> dict[str, str]:
    return await known.token("machine")


async def table(network: Network, headers: dict[str, str], address: str = f"{FACTS}.csv") -> list[dict[str, str]]:
    reply = await network.client.get(address, headers=headers)
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    return _rows(reply.content)


def _rows(content: bytes) -> list[dict[str, str]]:
    assert content.count(b"\n") == content.count(b"\r\n")
    return list(csv.DictReader(io.StringIO(content.decode(), newline=""), strict=True))


async def test_facts_are_those_of_verified_reports_and_add_up(known: Network, analyst: dict[str, str]) -> None:
    found = await table(known, analyst)
    assert [row["section"] for row in sorted(found, key=lambda row: row["section"])] == [
        "IT-MILA-STA", "IT-SASS-ESN", "PT-PORT-ESN"
    ]  # fmt: skip
    measures = ["activities", "cancelled", "participants_international", "hours", "beneficiaries"]
    total = (await known.client.get(STATISTICS, params={"measures": ",".join(measures)})).json()["total"]
    assert {name: sum(Decimal(row[name]) for row in found) for name in measures} == {
        name: Decimal(str(total[name])) for name in measures
    }
    (sassari,) = [row for row in found if row["section"] == "IT-SASS-ESN"]
    assert (sassari["starts_on"], sassari["hours"], sassari["month"]) == ("2026-11-11", "20.25", "2026-11")
    assert "sdg:13" in sassari["labels"].split()
    amounts = await table(known, analyst, "/impact/v1/quantity-facts.csv")
    assert {(row["measure"], row["unit"], row["amount"]) for row in amounts} == {
        ("waste", "kg", "130.5"), ("money", "EUR", "80")
    }  # fmt: skip
    assert {row["activity_id"] for row in amounts} == {sassari["activity_id"]}


@pytest.mark.parametrize("dataset", list(Dataset))
async def test_parquet_holds_the_same_facts_as_csv(known: Network, analyst: dict[str, str], dataset: Dataset) -> None:
    address = f"/impact/v1/{dataset.value}"
    told = {tuple(row.values()) for row in await table(known, analyst, f"{address}.csv")}
    reply = await known.client.get(f"{address}.parquet", headers=analyst)
    assert reply.headers["content-type"] == "application/vnd.apache.parquet"
    read = pq.read_table(io.BytesIO(reply.content))
    assert read.schema.metadata[b"dataset"].decode() == dataset.value
    assert {tuple(_plain(each) for each in row.values()) for row in read.to_pylist()} == told


def _plain(cell: Any) -> str:
    if isinstance(cell, Decimal):
        return format(cell.normalize(), "f")
    return "" if cell is None else str(cell)


def test_nothing_that_describes_a_person_is_a_column() -> None:
    names = {column.name for dataset in Dataset for column in store.rows(dataset, Asked((), ())).columns}
    assert not [name for name in names if any(word in name for word in ("home", "mobility", "person", "key", "age"))]
    assert names - {"measure", "unit", "amount"} <= {column.name for column in ActivityFacts.__table__.columns}


async def test_everybody_reads_as_far_as_they_reach(known: Network, analyst: dict[str, str]) -> None:
    assert len(await table(known, await known.token("international"))) == 3
    italian = await known.national("IT")
    assert {row["country"] for row in await table(known, italian)} == {"IT"}
    for address in (f"{FACTS}.csv?country=PT", f"{FACTS}.parquet?country=IT&country=PT"):
        await refused(known, "GET", address, status=403, headers=italian)
    await refused(known, "GET", f"{FACTS}.csv", status=403, headers=await known.local())
    await refused(known, "GET", f"{FACTS}.csv", status=401)
    await refused(known, "GET", f"{FACTS}.csv?by=country", status=422, pointers=["query/by"], headers=analyst)
    only = await table(known, analyst, f"{FACTS}.csv?edition=2026-spring&section=IT-MILA-STA")
    assert [row["section"] for row in only] == ["IT-MILA-STA"]
    assert await table(known, analyst, f"{FACTS}.csv?from=2026-11-12") == []


def test_no_text_of_a_table_begins_a_formula() -> None:
    sql = store.rows(Dataset.FACTS, Asked((), ())).sql(harmless=True)
    assert sql.count("left(") == sum(each.kind == "text" for each in store.rows(Dataset.FACTS, Asked((), ())).columns)
    assert [rules.harmless(text) for text in ("=1", "+1", "-1", "@a", "\ta", "a=")] == [
        "'=1", "'+1", "'-1", "'@a", "'\ta", "a="
    ]  # fmt: skip


@pytest.fixture(scope="module")
async def many(databases: Databases, redis_url: str) -> AsyncIterator[Network]:
    """A network with forty thousand facts, eight megabytes of them."""
    known = {
        "activity_id": "gen_random_uuid()", "labels": "'{area:environment}'", "reports": "1",
        "starts_on": "DATE '2026-11-11'",
    }  # fmt: skip
    columns = ActivityFacts.__table__.columns
    values = {
        each.name: known.get(each.name, "'=environment'" if isinstance(each.type, sa.Text) else "1") for each in columns
    }
    statement = MANY.format(names=", ".join(f'"{name}"' for name in values), values=", ".join(values.values()))
    async with network_with(databases, redis_url, [], sections=[], editions=[]) as network:
        await rows(network.database_url, statement, 40_000)
        yield network


async def test_many_rows_need_no_more_memory_than_few(many: Network) -> None:
    runtime, found = many.runtimes["impact"], store.rows(Dataset.FACTS, Asked((), ()))
    size = count = 0
    first = b""
    tracemalloc.start()
    async for piece in streaming.pieces(runtime, found, Format.CSV, {}):
        first = first or piece.data[:1000]
        size, count = size + len(piece.data), count + piece.rows
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 40_000
    assert size > 7_000_000
    assert peak < 5_000_000
    assert b"'=environment" in first
    assert runtime.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


async def test_many_rows_of_parquet_are_few_groups_and_all_there(many: Network) -> None:
    runtime, found = many.runtimes["impact"], store.rows(Dataset.FACTS, Asked((), ()))
    pieces = [piece async for piece in streaming.pieces(runtime, found, Format.PARQUET, {})]
    told = pq.read_metadata(io.BytesIO(b"".join(piece.data for piece in pieces)))
    assert (told.num_rows, told.num_row_groups, sum(piece.rows for piece in pieces)) == (40_000, 2, 40_000)


@pytest.mark.parametrize("shape", list(Format))
async def test_a_reader_that_leaves_frees_the_connection(many: Network, shape: Format) -> None:
    runtime = many.runtimes["impact"]
    reading = streaming.pieces(runtime, store.rows(Dataset.FACTS, Asked((), ())), shape, {})
    assert (await anext(reading)).data
    assert runtime.engine.pool.checkedout() == 1  # type: ignore[attr-defined]
    await reading.aclose()  # type: ignore[attr-defined]
    assert runtime.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    busy = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE $1"

    async def nobody_reads() -> bool:
        return await value(many.database_url, busy, "COPY%activity_facts%") == 0

    assert await eventually(nobody_reads)
    assert (await many.client.get(f"{FACTS}.csv?section=none", headers=await many.token("machine"))).status_code == 200


async def ask(network: Network, headers: dict[str, str], query: str = "", **body: str) -> dict[str, Any]:
    reply = await network.client.post(f"{EXPORTS}{query}", json=body, headers={**headers, **network.key()})
    assert reply.status_code == 202, reply.text
    made: dict[str, Any] = reply.json()
    assert reply.headers["location"].endswith(f"{EXPORTS}/{made['id']}")
    assert (made["state"], made["link"]) == ("waiting", None)
    return made


async def told(network: Network, headers: dict[str, str], made: dict[str, Any]) -> dict[str, Any]:
    reply = await network.client.get(f"{EXPORTS}/{made['id']}", headers=headers)
    assert (reply.status_code, reply.headers["cache-control"]) == (200, "private, no-store")
    found: dict[str, Any] = reply.json()
    return found


def path(link: dict[str, Any]) -> str:
    return "/impact/" + link["url"].partition("/impact/")[2]


@pytest.mark.parametrize("shape", list(Format))
async def test_an_export_is_made_and_fetched_by_its_link(
    many: Network, monkeypatch: pytest.MonkeyPatch, shape: Format
) -> None:
    monkeypatch.setattr(rules, "PIECE_BYTES", 200_000)
    headers, runtime = await many.token("machine"), many.runtimes["impact"]
    made = await ask(many, headers, "?from=2026-11-01", shape=shape.value)
    assert await actions.make_next(runtime) == 1
    assert await actions.make_next(runtime) == 0
    ready = await told(many, headers, made)
    assert (ready["state"], ready["rows_written"], ready["rows_expected"]) == ("ready", 40_000, 40_000)
    assert ready["filters"] == {"from": "2026-11-01"}
    reply = await many.client.get(path(ready["link"]))
    assert (reply.status_code, len(reply.content)) == (200, ready["size"])
    assert reply.headers["cache-control"] == "private, no-store"
    if shape is Format.CSV:
        assert len(_rows(reply.content)) == 40_000
    else:
        assert pq.read_table(io.BytesIO(reply.content)).num_rows == 40_000
    assert await value(many.database_url, "SELECT count(*) FROM impact.export_pieces") > 1
    await rows(many.database_url, "UPDATE impact.exports SET expires_at = now() - interval '1 minute'")
    assert (await many.client.get(path(ready["link"]))).status_code == 404
    async with runtime.unit_of_work() as session:
        assert len(await store.expire(session)) == 1
    assert await value(many.database_url, "SELECT count(*) FROM impact.export_pieces") == 0
    assert (await told(many, headers, made))["state"] == "expired"


async def test_an_export_whose_worker_was_killed_is_made_by_another(known: Network, analyst: dict[str, str]) -> None:
    runtime = known.runtimes["impact"]
    made = await ask(known, analyst)
    async with runtime.unit_of_work() as session:
        lost = await store.claim(session)
        assert lost is not None
        await store.keep_piece(session, lost, 0, b"half of it")
    assert await actions.make_next(runtime) == 0
    assert (await told(known, analyst, made))["state"] == "running"
    await rows(known.database_url, "UPDATE impact.exports SET claimed_until = now() WHERE state = 'running'")
    assert await actions.make_next(runtime) == 1
    async with runtime.unit_of_work() as session:
        assert not await store.told(session, lost, rows_written=1)
    ready = await told(known, analyst, made)
    assert (ready["state"], ready["rows_written"]) == ("ready", 3)
    fetched = await known.client.get(path(ready["link"]))
    assert {row["section"] for row in _rows(fetched.content)} == {"IT-SASS-ESN", "IT-MILA-STA", "PT-PORT-ESN"}


async def test_an_export_that_can_not_be_made_fails_with_its_reason(
    known: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers, runtime = await known.token("machine"), known.runtimes["impact"]
    monkeypatch.setattr(rules, "PIECE_BYTES", 1)
    monkeypatch.setattr(rules, "MOST_BYTES", 10)
    made = await ask(known, headers)
    assert await actions.make_next(runtime) == 1
    failed = await told(known, headers, made)
    assert (failed["state"], failed["link"]) == ("failed", None)
    assert failed["reason"].startswith("It would be larger")
    other = await ask(known, headers)
    stale = "UPDATE impact.exports SET state = 'running', attempt = 3, claimed_until = now() WHERE state = 'waiting'"
    await rows(known.database_url, stale)
    assert await actions.make_next(runtime) == 0
    assert (await told(known, headers, other))["state"] == "failed"


async def test_an_export_is_its_callers_and_its_link_opens_nothing_else(known: Network) -> None:
    headers, other = await known.token("machine"), await known.token("machine")
    made, second = await ask(known, headers), await ask(known, headers, shape="parquet")
    for _ in range(2):
        await actions.make_next(known.runtimes["impact"])
    await refused(known, "GET", f"{EXPORTS}/{made['id']}", status=404, headers=other)
    links = [path((await told(known, headers, each))["link"]) for each in (made, second)]
    assert links[0][:30] == links[1][:30]
    tokens = [link.rpartition("/")[2] for link in links]
    for token in (tokens[0][:22] + tokens[1][22:], tokens[0][:-2], tokens[0] + "A", "x", "%C3%A9", "A" * 64):
        await refused(known, "GET", f"/impact/v1/links/exports/{token}", status=404, hidden=[tokens[0]])


async def test_bad_requests_for_exports_are_refused(known: Network) -> None:
    headers = await known.token("machine")
    post = {"headers": {**headers, **known.key()}, "status": 422}
    await refused(known, "POST", EXPORTS, json={"shape": "xlsx"}, pointers=["#/shape"], **post)
    await refused(known, "POST", EXPORTS, json={"dataset": "attendances"}, pointers=["#/dataset"], **post)
    await refused(known, "POST", f"{EXPORTS}?month=2026-13", json={}, pointers=["query/month/0"], **post)
    await refused(known, "POST", EXPORTS, json={}, status=400, headers=headers)
    italian = {**await known.national("IT"), **known.key()}
    await refused(known, "POST", f"{EXPORTS}?country=PT", json={}, status=403, headers=italian)
    again = {**headers, **known.key()}
    first, replay = [await known.client.post(EXPORTS, json={}, headers=again) for _ in range(2)]
    assert first.json() == replay.json()
    for _ in range(rules.MOST_AT_ONCE - 1):
        await ask(known, headers)
    await refused(known, "POST", EXPORTS, json={}, status=409, headers={**headers, **known.key()})
