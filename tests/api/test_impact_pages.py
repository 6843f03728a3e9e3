"""The pages of the figures: what each view says, in words and numbers, and where it leads."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser

import pytest

from services.impact.pages.languages import CATALOGUES
from tests.harness.databases import Databases
from tests.harness.figures import held, network_with
from tests.harness.network import Network

SPRING, AUTUMN = date(2026, 5, 6), date(2026, 11, 11)
SECTIONS = ["IT-SASS-ESN", "IT-MILA-STA", "PT-PORT-ESN", "LT-VILN-ESN"]
EDITIONS = [
    ("2024-autumn", date(2024, 11, 11), date(2024, 11, 24)),
    ("2026-spring", date(2026, 5, 4), date(2026, 5, 17)),
    ("2026-autumn", date(2026, 11, 9), date(2026, 11, 22)),
    ("2130-spring", date(2130, 5, 4), date(2130, 5, 17)),
    ("now", datetime.now(UTC).date() - timedelta(days=2), datetime.now(UTC).date() + timedelta(days=2)),
]
ROWS = [
    held("LT-VILN-ESN", date(2024, 11, 13), edition="2024-autumn", causes=[]),
    held("IT-SASS-ESN", SPRING, edition="2026-spring", causes=["culture"]),
    held("IT-SASS-ESN", AUTUMN, edition="2026-autumn", causes=["culture"], hours=Decimal("1234.5")),
    held("IT-MILA-STA", AUTUMN, edition="2026-autumn", causes=["health-well-being"], unclassified=7, source="import",
         quantities={("waste", "kg"): Decimal(130), ("waste", "t"): Decimal(1), ("money", "EUR"): Decimal(80),
                     ("other:benches_painted", "1"): Decimal(3)}),
    held("PT-PORT-ESN", AUTUMN, edition="2026-autumn", outcome="cancelled", international=None, local=None,
         esn_volunteer=None, hours=None),
]  # fmt: skip
VIEWS = ["", "definitions", "sections/IT-SASS-ESN", "countries/IT?cause=culture&period=2026-autumn"]


class _Read(HTMLParser):
    """The words of a page, the cells of its tables by caption, and its links."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.words = ""
        self._cell: list[str] | None = None
        self._rows: list[list[str]] = []
        self._hidden = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag in {"a", "link"}:
            self.links.append(told.get("href") or "")
        if tag == "h2":
            self._rows = self.tables.setdefault(told.get("id") or str(len(self.tables)), [])
        if tag == "tr":
            self._rows.append([])
        if tag in {"td", "th"}:
            self._cell = []
        self._hidden += tag == "style"

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"} and self._cell is not None:
            self._rows[-1].append(" ".join(self._cell))
            self._cell = None
        self._hidden -= tag == "style"

    def handle_data(self, data: str) -> None:
        if self._hidden or not data.strip():
            return
        self.words += f"{data.strip()} "
        if self._cell is not None:
            self._cell.append(data.strip())


@pytest.fixture(scope="module")
async def network(databases: Databases, redis_url: str) -> AsyncIterator[Network]:
    """One network with the activities above, for all tests of this file, which write nothing."""
    async with network_with(databases, redis_url, ROWS, sections=SECTIONS, editions=EDITIONS) as made:
        yield made


async def page(network: Network, address: str = "", *, language: str = "en", status: int = 200) -> _Read:
    reply = await network.client.get(f"/impact/{address}", headers={"Accept-Language": language})
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    return _Read(reply.text)


async def test_an_edition_says_what_it_counts_and_how_it_grew(network: Network) -> None:
    found = await page(network, "editions/2026-autumn")
    assert "Edition: Autumn 2026 (Social Impact Days, 9–22 Nov 2026)" in found.words
    assert "Activities held 2 +1 (+100%) compared with: Spring 2026 Activities whose verified report" in found.words
    assert "Participants 27 +17 (+170%) compared with: Spring 2026 People who took part" in found.words
    assert "Activities cancelled 1 +1 compared with: Spring 2026" in found.words
    assert "3 of 4 active sections have reported." in found.words
    assert "rest on: Records of past years: 1; Organisers’ reports: 1." in found.words
    assert found.tables["by-country"] == [
        ["Country", "Activities", "People", "Hours"],
        ["Italy", "2 +100%", "27 +170%", "1,254.5 +6,172%"],
        ["Portugal", "0", "0", "0"],
    ]
    assert [row[0] for row in found.tables["by-month"]] == ["Month", "November 2026"]


async def test_people_and_amounts_are_never_mixed(network: Network) -> None:
    found = await page(network, "countries/IT?period=2026-autumn")
    classes, amounts = found.tables["0"], found.tables["1"]
    assert classes[1:] == [
        ["International students", "12", "44%"], ["Locals", "6", "22%"], ["ESN volunteers", "2", "7%"],
        ["Participants without a class", "7", "26%"],
    ]  # fmt: skip
    assert [[*row[:1], row[1].split(" +")[0]] for row in amounts[1:]] == [
        ["Money raised", "€80.00"], ["Benches painted", "3"], ["Waste collected", "130 kilograms"],
        ["Waste collected", "1 tonne"],
    ]  # fmt: skip


async def test_all_years_stand_beside_the_year_before(network: Network) -> None:
    found = await page(network)
    years = found.tables["by-academic_year"]
    # The years after them, of which nothing is reported, are told too.
    assert [row[0][:21] for row in years[-3:]] == [
        f"Academic year {year}" for year in ("2026–27", "2025–26", "2024–25")
    ]
    assert [row[1] for row in years[-3:]] == ["2 +100%", "1 ±0%", "1"]
    assert [row[:2] for row in found.tables["by-edition"]][-1] == ["Autumn 2024", "1"]
    assert ["Not stated", "1", "10", "20"] in found.tables["by-cause"]
    assert "2130" not in str(found.tables)


async def test_a_period_that_is_not_over_says_so(network: Network) -> None:
    for code, is_told in (("now", True), ("2026-spring", False), ("2130-spring", False)):
        assert ("not over yet" in (await page(network, f"editions/{code}")).words) == is_told


async def test_a_section_shows_what_it_did_and_one_of_no_reports_says_so(network: Network) -> None:
    found = await page(network, "sections/IT-SASS-ESN")
    assert "Section: ESN IT-SASS-ESN, Italy (IT-SASS-ESN)" in found.words
    assert "Hours of volunteering 1,254.5" in found.words
    assert "1 of 1 active sections have reported." in found.words
    empty = await page(network, "sections/PT-PORT-ESN?period=2025-26")
    assert "No verified report yet." in empty.words
    assert "0 of 1 active sections have reported." in empty.words
    assert "by-cause" not in empty.tables


async def test_the_first_period_has_nothing_to_be_compared_with(network: Network) -> None:
    found = await page(network, "editions/2024-autumn")
    assert "Activities held 1 No earlier period to compare with" in found.words
    assert found.tables["by-cause"][1] == ["Not stated", "1", "10", "20"]


async def test_every_link_leads_to_a_page_or_to_the_same_figures_as_data(network: Network) -> None:
    followed = set()
    for view in VIEWS:
        seen = await page(network, view)
        here = network.client.base_url.join(f"/impact/{view}")
        assert str(here) in seen.links, "it names its own address"
        for link in {here.join(each) for each in seen.links} - followed:
            # Each page links to itself in the other languages; one of them is enough.
            if link.params.get("lang", "it") == "it":
                assert (await network.client.get(link)).status_code == 200, link
            followed.add(link)


@pytest.mark.parametrize(
    ("chosen", "leads_to"),
    [
        ("period=&country=&cause=", "./"),
        ("period=2026-27", "./years/2026-27"),
        ("period=2026-autumn&country=&cause=", "./editions/2026-autumn"),
        ("period=2026-autumn&country=IT&cause=culture", "./countries/IT?cause=culture&period=2026-autumn"),
        ("section=IT-SASS-ESN&cause=&period=2026-27", "./sections/IT-SASS-ESN?period=2026-27"),
        ("period=2026-27&lang=it", "./years/2026-27?lang=it"),
        ("country=..%2F%2Fevil.example%0D%0A", "./countries/..-"),
    ],
)  # fmt: skip
async def test_the_form_leads_to_the_address_of_the_view(network: Network, chosen: str, leads_to: str) -> None:
    reply = await network.client.get(f"/impact/show?{chosen}")
    assert reply.status_code == 303
    assert reply.headers["location"].startswith(leads_to)
    assert "//" not in reply.headers["location"]


@pytest.mark.parametrize(
    "address",
    [
        "editions/2031-spring", "years/2026-28", "years/2026-autumn", "years/1950-51", "countries/AQ", "countries/it",
        "causes/nothing", "sections/XX-NONE-ESN", "sections/%00", "sections/%F0%9F%8C%8D",
        "countries/IT?period=%00", "countries/IT?period=1950-51", "countries/IT?cause=%27",
    ],
)  # fmt: skip
async def test_an_unknown_code_is_a_page_too(network: Network, address: str) -> None:
    found = await page(network, address, status=404)
    assert "There is no such page" in found.words
    assert found.links[0].startswith("../")


async def test_the_same_page_is_sent_once(network: Network) -> None:
    first = await network.client.get("/impact/editions/2026-autumn")
    assert first.headers["cache-control"] == "public, no-cache"
    assert "Accept-Language" in first.headers["vary"]
    again = await network.client.get("/impact/editions/2026-autumn", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = {"If-None-Match": first.headers["etag"], "Accept-Language": "it"}
    assert (await network.client.get("/impact/editions/2026-autumn", headers=other)).status_code == 200


async def test_the_page_loads_nothing_and_keeps_nothing(network: Network) -> None:
    reply = await network.client.get("/impact/")
    assert "script-src 'none'" in reply.headers["content-security-policy"]
    assert "set-cookie" not in reply.headers
    assert re.search(r"<script|<img|<link rel=.stylesheet|\sstyle=|\ssrc=|@import|url\(", reply.text) is None


async def test_the_address_without_its_slash_leads_on(network: Network) -> None:
    reply = await network.client.get("/impact")
    assert (reply.status_code, reply.headers["location"]) == (308, "/impact/")


@pytest.mark.parametrize("tag", CATALOGUES.tags())
async def test_every_language_says_everything_in_its_own_way(network: Network, tag: str) -> None:
    reply = await network.client.get(f"/impact/editions/2026-autumn?lang={tag}", headers={"Accept-Language": "en"})
    assert reply.headers["content-language"] == tag
    found, text = _Read(reply.text), CATALOGUES.catalogue(tag).text
    assert f'<html lang="{tag}" dir="ltr">' in reply.text
    assert text("about.completeness").format(reporting=3, active=4) in found.words
    assert text("measure.hours.definition") in found.words
    assert all("lang=" in link for link in found.links if link.startswith("../countries"))


async def test_numbers_and_names_are_those_of_the_language(network: Network) -> None:
    found = await page(network, "editions/2026-autumn", language="it, en;q=0.5")
    assert "1.254,5" in found.words
    assert found.tables["by-country"][1][0] == "Italia"
    assert found.tables["by-month"][1][0] == "novembre 2026"


async def test_a_network_without_anything_has_a_page(shared: Network) -> None:
    found = await page(shared)
    assert "No verified report yet." in found.words
    assert not any(name.startswith("by-") for name in found.tables)
