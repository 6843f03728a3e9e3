"""The same figures in every shape: read back by foreign clients and compared with the JSON, cell by cell."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest

from services.impact.disclosure.tables import Release, ReleasedRow
from tests.harness import shapes
from tests.harness.databases import Databases
from tests.harness.figures import STATISTICS, held, network_with
from tests.harness.network import Network
from tests.harness.openapi import DOCUMENTS
from tests.harness.refusals import refused

AUTUMN = date(2026, 11, 11)
ROWS = [
    held("IT-SASS-ESN", date(2026, 5, 6), edition="2026-spring", sdgs=[13, 14], hours=Decimal("20.25")),
    held("IT-SASS-ESN", AUTUMN, edition="2026-autumn", sdgs=[13], areas=["animals"], unclassified=4,
         quantities={("waste", "kg"): Decimal("130.5"), ("waste", "t"): Decimal(1), ("money", "EUR"): Decimal(80)}),
    held("IT-MILA-STA", AUTUMN, edition=None, unclassified=7, hours=None,
         quantities={("trees", "1"): Decimal("123456789012.123456")}),
    held("PT-PORT-ESN", AUTUMN, edition="2026-autumn", outcome="cancelled", international=None,
         local=None, esn_volunteer=None, unclassified=None, hours=None),
]  # fmt: skip
TABLE = "home-country-by-host-country"
GROWTH, RANKINGS = "/impact/v1/growth", "/impact/v1/rankings"
EXTENSIONS = ["csv", "csv-metadata.json", "parquet", "jsonstat", "sdmx.csv", "xlsx"]


@pytest.fixture(scope="module")
async def figures(databases: Databases, redis_url: str) -> AsyncIterator[Network]:
    """One network with the activities above and a released table, for all tests of this file, which write nothing."""
    sections = ["IT-SASS-ESN", "IT-MILA-STA", "PT-PORT-ESN"]
    editions = [("2026-spring", date(2026, 5, 4), date(2026, 5, 17)), ("2026-autumn", date(2026, 11, 9), AUTUMN)]
    async with network_with(databases, redis_url, ROWS, sections=sections, editions=editions) as network:
        async with network.runtimes["impact"].unit_of_work() as session:
            session.add(Release(academic_year="2025/26", as_of=datetime(2026, 9, 30, tzinfo=UTC)))
            await session.flush()
            for key, people, counts in [("IT", 60, {"ES": 31, "FR": 25}), ("", 12, {"ES": 8}), ("PL", 9, {})]:
                row = {"academic_year": "2025/26", "table_code": TABLE, "row_key": key}
                session.add(ReleasedRow(**row, people=people, counts=counts))
        yield network


async def every(network: Network, address: str, **query: Any) -> dict[str, bytes]:
    replies = {each: await network.client.get(f"{address}.{each}", params=query) for each in EXTENSIONS}
    assert {reply.status_code for reply in replies.values()} == {200}
    return {extension: reply.content for extension, reply in replies.items()}


def agree(found: dict[str, bytes], cells: shapes.Cells, by: list[str], measures: list[str], folder: Path) -> set[str]:
    """Every shape says the same of every cell; answers the confidentiality of those without a number."""
    assert cells
    assert shapes.of_csv(found["csv"], by, measures) == cells
    assert shapes.of_csvw(found["csv"], found["csv-metadata.json"], by, measures, folder) == cells
    assert shapes.of_parquet(found["parquet"], by, measures) == cells
    assert shapes.of_xlsx(found["xlsx"], by, measures) == cells
    sdmx, confidential = shapes.of_sdmx(found["sdmx.csv"], by)
    assert sdmx == cells
    json_stat, status = shapes.of_json_stat(found["jsonstat"], by)
    assert {key: value and float(value) for key, value in json_stat.items()} == {
        key: value and float(value) for key, value in cells.items()
    }
    assert status == {{"C": "c", "F": "z"}[each] for each in confidential}
    return confidential


@pytest.mark.parametrize(
    "query",
    [
        {"by": "country,edition", "measures": "activities,hours,quantities,share_international"},
        {"by": "sdg", "measures": "participants,quantities"},
        {"by": "section,participant_class", "measures": "participants"},
        {"by": "participant_class"},
        {"measures": "activities,hours"},
    ],
    ids=lambda query: query.get("by", "nothing"),
)
async def test_every_shape_tells_what_the_json_tells(figures: Network, query: dict[str, str], tmp_path: Path) -> None:
    answer = (await figures.client.get(STATISTICS, params=query)).json()
    found = await every(figures, STATISTICS, **query)
    agree(found, shapes.of_statistics(answer), answer["by"], list(answer["measures"]), tmp_path)


async def test_what_is_withheld_of_people_is_withheld_in_every_shape(figures: Network, tmp_path: Path) -> None:
    address = f"/impact/v1/tables/{TABLE}"
    cells = shapes.of_table((await figures.client.get(address)).json())
    assert sum(value is None for value in cells.values()) == 3
    found = await every(figures, address)
    by = ["academic_year", "row", "label"]
    assert agree(found, cells, by, ["people"], tmp_path) == {"C"}
    assert (await every(figures, address, academic_year="2024/25"))["csv"].count(b"\r\n") == 1


def beside(measures: Iterable[str]) -> list[str]:
    """The names of figures, of what they were, and of their growth."""
    return [f"{name}{end}" for name in measures for end in shapes.ENDINGS if name != "quantities" or not end]


@pytest.mark.parametrize(
    "query",
    [
        {"by": "section", "edition": "2026-autumn", "compare": "previous", "measures": "hours,quantities"},
        {"by": "country,edition", "compare": "previous"},
        {"edition": "2026-spring", "compare": "last_year", "measures": "share_international,quantities"},
    ],
    ids=["what is gone and what is new", "several periods", "nothing before"],
)
async def test_what_is_compared_is_in_every_shape(figures: Network, query: dict[str, str], tmp_path: Path) -> None:
    answer = (await figures.client.get(STATISTICS, params=query)).json()
    found = await every(figures, STATISTICS, **query)
    agree(found, shapes.of_compared(answer, answer["by"]), answer["by"], beside(answer["measures"]), tmp_path)
    assert "Compared" in {row[0] for row in openpyxl.load_workbook(io.BytesIO(found["xlsx"]))["Definitions"].values}


@pytest.mark.parametrize("query", [{"country": "IT"}, {"over": "academic_year", "measures": "hours"}])
async def test_growth_is_in_every_shape(figures: Network, query: dict[str, str], tmp_path: Path) -> None:
    answer = (await figures.client.get(GROWTH, params=query)).json()
    by = [answer["over"]]
    found = await every(figures, GROWTH, **query)
    agree(found, shapes.of_compared(answer, by), by, beside(answer["measures"]), tmp_path)


@pytest.mark.parametrize("by", ["activities", "hours", "most_improved", "newcomers"])
async def test_a_ranking_is_whole_in_every_shape(figures: Network, by: str, tmp_path: Path) -> None:
    query = {"by": by, "edition": "2026-spring" if by == "newcomers" else "2026-autumn"}
    answer = (await figures.client.get(RANKINGS, params=query)).json()
    measures = ["place", "value", *(["numerator", "denominator"] if by == "most_improved" else [])]
    found = await every(figures, RANKINGS, **query)
    agree(found, shapes.of_ranking(answer, measures), ["country", "section"], measures, tmp_path)
    assert b"ESN IT-SASS-ESN" in found["jsonstat"]
    assert answer["rule"].encode() in found["csv-metadata.json"]


@pytest.mark.parametrize("address", [GROWTH, f"{RANKINGS}?edition=2026-autumn"])
async def test_accept_chooses_the_shape_of_growth_and_of_rankings(figures: Network, address: str) -> None:
    path, _, query = address.partition("?")
    reply = await figures.client.get(address, headers={"Accept": "text/csv"})
    assert reply.content == (await figures.client.get(f"{path}.csv?{query}")).content
    assert "Accept" in reply.headers["vary"]
    await refused(figures, "GET", address, status=406, headers={"Accept": "text/html"})
    paged = f"{RANKINGS}?limit=1&edition=2026-autumn"
    await refused(figures, "GET", paged, status=422, pointers=["query/limit"], headers={"Accept": "text/csv"})
    await refused(figures, "GET", f"{path}.csv?cursor=x", status=422, pointers=["query/cursor"])


async def test_a_shape_says_what_its_figures_are(figures: Network) -> None:
    query = {"by": "section", "measures": "hours"}
    reply = await figures.client.get(f"{STATISTICS}.csv", params=query)
    assert reply.headers["content-type"] == "text/csv; charset=utf-8"
    assert reply.headers["content-disposition"] == 'attachment; filename="socialerasmus-statistics-section.csv"'
    link = reply.headers["link"]
    assert link.endswith('; rel="describedby"; type="application/csvm+json"')
    metadata = (await figures.client.get(link.partition(">")[0].removeprefix("<"))).json()
    assert metadata["url"] == str(reply.url)
    (hours,) = [each for each in metadata["tableSchema"]["columns"] if each["name"] == "hours"]
    assert hours["schema:unitText"] == "h"
    assert hours["dc:description"].startswith("Hours given by everybody")
    found = await every(figures, STATISTICS, **query)
    schema = pq.read_schema(io.BytesIO(found["parquet"]))
    assert schema.metadata[b"completeness"] == b"3 of 3 active sections have reported"
    assert schema.field("hours").metadata[b"definition"].decode() == hours["dc:description"]
    sheet = openpyxl.load_workbook(io.BytesIO(found["xlsx"]))["Definitions"]
    said = {str(row[0]): row[3] for row in sheet.iter_rows(values_only=True)}
    assert {"As of", "Source", "Completeness"} <= said.keys()
    assert said["hours"] == hours["dc:description"]
    assert b"ESN IT-SASS-ESN" in found["jsonstat"]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/csv", "text/csv; charset=utf-8"),
        ("text/*, application/json;q=0.5", "text/csv; charset=utf-8"),
        ("application/json, text/csv", "application/json"),
        ("text/html, */*;q=0.1", "application/json"),
        ("application/vnd.apache.parquet", "application/vnd.apache.parquet"),
        ("application/json;q=0, */*", "text/csv; charset=utf-8"),
    ],
)
async def test_accept_chooses_a_shape(figures: Network, accept: str, kind: str) -> None:
    reply = await figures.client.get(STATISTICS, headers={"Accept": accept})
    assert (reply.status_code, reply.headers["content-type"]) == (200, kind)
    assert "Accept" in reply.headers["vary"]


async def test_where_nothing_fits_it_is_406_and_json_is_told_by_its_address(figures: Network) -> None:
    headers = {"Accept": "text/html"}
    await refused(figures, "GET", STATISTICS, status=406, headers=headers)
    whole = await figures.client.get(f"{STATISTICS}.json", headers=headers)
    assert whole.json() == (await figures.client.get(STATISTICS)).json()
    compared = {"edition": "2026-autumn", "compare": "previous"}
    whole = await figures.client.get(f"{STATISTICS}.json", headers=headers, params=compared)
    assert whole.json() == (await figures.client.get(STATISTICS, params=compared)).json()


@pytest.mark.parametrize("extension", [*EXTENSIONS, "json"])
async def test_a_shape_is_told_once_and_refuses_as_the_json_does(figures: Network, extension: str) -> None:
    address = f"{STATISTICS}.{extension}"
    first = await figures.client.get(address)
    again = await figures.client.get(address, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = await figures.client.head(address)
    assert (head.content, head.headers["etag"]) == (b"", first.headers["etag"])
    await refused(figures, "GET", f"{address}?by=home_country", status=422, pointers=["query/by"])
    await refused(figures, "GET", f"{address}?section=XX-NONE-ESN", status=422, pointers=["query/section/0"])


async def test_a_table_that_nobody_declared_has_no_shape(figures: Network) -> None:
    await refused(figures, "GET", "/impact/v1/tables/home-country-by-age.csv", status=404)


def test_every_media_type_is_in_the_description() -> None:
    paths = DOCUMENTS["impact"]["paths"]
    for name in ("statistics", "growth", "rankings"):
        named = set(paths[f"/v1/{name}"]["get"]["responses"]["200"]["content"])
        for extension in EXTENSIONS:
            (own,) = paths[f"/v1/{name}.{extension}"]["get"]["responses"]["200"]["content"]
            assert own in named | {"application/csvm+json"}
        assert len(named) == 6
