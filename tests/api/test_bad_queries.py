"""Bad addresses: unknown and malformed query parameters, foreign cursors, paths that are nobody's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest

from services.kernel import paging
from services.kernel.routes import MOST_QUERY_FAULTS
from tests.harness import databases as harness
from tests.harness.databases import Databases
from tests.harness.network import Network, running
from tests.harness.refusals import MARKER, refused

LIST = "/activities/v1/activities"
LISTS = [LIST, "/activities/v1/sections"]


@pytest.fixture(scope="module")
async def shared(
    databases: Databases, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Network]:
    """One network with two public activities, for all tests of this file."""
    async with databases.fresh() as url:
        told = harness.settings(url, redis_url, mailbox=tmp_path_factory.mktemp("mailbox"))
        async with running(told, url) as network:
            for number in range(2):
                await network.published(title=f"Activity {number}", sdgs=[14])
            yield network


@pytest.mark.parametrize(
    "address", [*LISTS, "/activities/v1/countries", "/activities/v1/platforms", "/activities/v1/editions"]
)
async def test_an_unknown_parameter_is_refused(shared: Network, address: str) -> None:
    await refused(shared, "GET", f"{address}?zq7={MARKER}", status=422, pointers=["query/zq7"])


async def test_an_unknown_parameter_of_a_write_is_refused(shared: Network) -> None:
    headers = {**await shared.local(), **shared.key()}
    await refused(shared, "POST", f"{LIST}?zq7={MARKER}", status=422, pointers=["query/zq7"], headers=headers, json={})


@pytest.mark.parametrize("query", ["limit=1&limit=2", "cursor=a&cursor=b", "from=a&from=b", "open=true&open=false"])
async def test_a_parameter_that_holds_one_value_is_given_once(shared: Network, query: str) -> None:
    await refused(shared, "GET", f"{LIST}?{query}", status=422, pointers=[f"query/{query.partition('=')[0]}"])


@pytest.mark.parametrize(
    "limit", ["0", "-1", "201", "1e20", "9" * 30, "9" * 5000, "1.5", "", "x", "%00", "NaN", "true"]
)
@pytest.mark.parametrize("address", LISTS)
async def test_a_limit_lies_between_1_and_200(shared: Network, address: str, limit: str) -> None:
    await refused(shared, "GET", f"{address}?limit={limit}", status=422, pointers=["query/limit"])


@pytest.mark.parametrize("limit", ["1", "200"])
async def test_the_bounds_of_a_limit_are_allowed(shared: Network, limit: str) -> None:
    assert (await shared.client.get(f"{LIST}?limit={limit}")).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        *(
            f"{name}=%00"
            for name in ("edition", "country", "section", "area", "cause", "kind", "programme", "from", "cursor")
        ),
        *(
            f"edition={MARKER}%20x",
            "edition=",
            "country=it",
            "country=ITA",
            f"country={MARKER}",
            "section=%27%20OR%201=1--",
        ),
        *("sdg=0", "sdg=18", "sdg=99999999999", "sdg=1e400", f"sdg={MARKER}", "sdg=" + "9" * 5000),
        *(f"open={MARKER}", "open=2", "cursor=" + "x" * 1001),
        *("from=2027-05-08", "from=2027-05-08T10:00", "from=1809856800", "from=1809856800.5", f"from={MARKER}"),
        *("from=0001-01-01T00:00:00Z", "to=9999-12-31T23:59:59-14:00", "to=0001-01-01T00:00:00%2B14:00"),
        *("updated_since=-1", "updated_since=2027-02-30T10:00:00Z", "updated_since=2027-05-08T24:00:01Z"),
        *("from=2027-05-08T23:59:60Z", "from=2027-05-08T10:00:00%2B99:00", "from=NaN", "from=Infinity"),
    ],
)
async def test_a_value_out_of_its_form_is_named(shared: Network, query: str) -> None:
    name = query.partition("=")[0]
    document = await refused(shared, "GET", f"{LIST}?{query}", status=422)
    # In a parameter that may be repeated the faulty value is named by its number.
    assert {fault["pointer"].removesuffix("/0") for fault in document["errors"]} == {f"query/{name}"}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("edition=2027-spring&edition=2026-autumn", 2),
        ("edition=2026-autumn", 0),
        ("country=IT&country=PL", 2),
        ("country=PL", 0),
        ("section=IT-SASS-ESN&section=PL-WARS-UKS", 2),
        ("section=PL-WARS-UKS", 0),
        ("area=environment&area=health", 2),
        ("area=health", 0),
        ("cause=environmental-sustainability&cause=culture", 2),
        ("cause=culture", 0),
        ("sdg=14&sdg=17", 2),
        ("sdg=1", 0),
        ("kind=volunteering&kind=training", 2),
        ("kind=training", 0),
        ("programme=socialerasmus&programme=exchangeability", 2),
        ("programme=exchangeability", 0),
        ("from=2027-05-08T13:00:00%2B02:00", 2),
        ("from=2027-05-08T13:00:01%2B02:00", 0),
        ("to=2027-05-08T08:00:01Z", 2),
        ("to=2027-05-08T08:00:00Z", 0),
        ("updated_since=2020-01-01T00:00:00Z", 2),
        ("updated_since=2199-01-01T00:00:00Z", 0),
        ("open=true", 2),
        ("open=false", 0),
    ],
)
async def test_each_filter_keeps_what_it_names(shared: Network, query: str, found: int) -> None:
    assert len((await shared.client.get(f"{LIST}?{query}")).json()["items"]) == found


@pytest.mark.parametrize("cursor", ["", "x", "%FF%FE", "AAAA", "A" * 40, "ä", "....", "e30", f"{MARKER}", "A" * 1000])
@pytest.mark.parametrize("address", LISTS)
async def test_a_cursor_that_is_not_ours_is_refused(shared: Network, address: str, cursor: str) -> None:
    await refused(shared, "GET", f"{address}?cursor={cursor}", status=422, pointers=["query/cursor"])


async def test_a_cursor_signed_with_another_secret_is_refused(shared: Network) -> None:
    cursor = paging.encode("another secret", f'["{LIST}", []]', ["infinity", str(uuid4())])
    await refused(shared, "GET", f"{LIST}?cursor={cursor}", status=422, pointers=["query/cursor"])


async def _next(network: Network, address: str) -> str:
    found = (await network.client.get(address)).json()["next"]
    return parse_qs(urlsplit(found).query)["cursor"][0]


async def test_a_cursor_holds_for_its_own_filters_only(shared: Network) -> None:
    cursor = await _next(shared, f"{LIST}?limit=1&edition=2027-spring")
    for query in ("", "&edition=2026-autumn", "&edition=2027-spring&open=true"):
        await refused(shared, "GET", f"{LIST}?cursor={cursor}{query}", status=422, pointers=["query/cursor"])
    held = await shared.client.get(f"{LIST}?cursor={cursor}&edition=2027-spring&limit=200")
    assert len(held.json()["items"]) == 1


async def test_a_cursor_of_another_list_is_refused(shared: Network) -> None:
    cursor = await _next(shared, "/activities/v1/sections?limit=1")
    await refused(shared, "GET", f"{LIST}?cursor={cursor}", status=422, pointers=["query/cursor"])


@pytest.mark.parametrize(
    "form",
    [
        "{0}x", "{0}/", "/{0}", "%7B{0}%7D", "urn:uuid:{0}", "{0};a=b", "%00{0}", "{0}%00", MARKER, "1", "-1", "null",
        "%2e%2e/activities", "{0}%0d%0aX: y", "{0}.json", "x" * 8000, "٠" * 36,
    ],
)  # fmt: skip
async def test_an_address_of_nothing_is_a_404(shared: Network, form: str) -> None:
    known = (await shared.client.get(LIST)).json()["items"][0]["id"]
    await refused(shared, "GET", f"{LIST}/{form.format(known)}", status=404)


async def test_an_activity_has_one_address(shared: Network) -> None:
    known = (await shared.client.get(LIST)).json()["items"][0]["id"]
    assert (await shared.client.get(f"{LIST}/{known}")).status_code == 200
    for other in (known.upper(), UUID(known).hex, f"{{{known}}}"):
        await refused(shared, "GET", f"{LIST}/{other}", status=404)


@pytest.mark.parametrize(
    "address", [f"{LIST}/", "//activities/v1/activities", "/activities//v1/activities", "/Activities/v1/activities"]
)
async def test_a_list_has_one_address(shared: Network, address: str) -> None:
    await refused(shared, "GET", f"http://socialerasmus.test{address}", status=404)


@pytest.mark.parametrize("code", ["%00", "IT%20", "%27--", "..%2f", "x" * 64, "%ED%A0%80", "%FF"])
@pytest.mark.parametrize("kind", ["sections", "editions", "countries", "platforms"])
async def test_a_code_out_of_its_form_is_refused(shared: Network, kind: str, code: str) -> None:
    await refused(shared, "GET", f"/activities/v1/{kind}/{code}", status=(404, 422))


@pytest.mark.parametrize("kind", ["sections", "editions", "countries", "platforms"])
async def test_a_code_that_nobody_has_is_a_404(shared: Network, kind: str) -> None:
    await refused(shared, "GET", f"/activities/v1/{kind}/XX-NONE", status=404)


async def test_an_address_of_eight_kilobytes_is_answered(shared: Network) -> None:
    await refused(shared, "GET", f"{LIST}?zq7={'x' * 8000}", status=422, pointers=["query/zq7"], hidden=["x" * 100])
    await refused(shared, "GET", f"{LIST}?{'q' * 8000}=1", status=422, hidden=["q" * 100])


async def test_of_faults_without_number_the_first_are_told(shared: Network) -> None:
    names = [f"zq{number}" for number in range(3000)]
    first = [f"query/{name}" for name in names[:MOST_QUERY_FAULTS]]
    await refused(shared, "GET", f"{LIST}?{'=1&'.join(names)}=1", status=422, pointers=first)
    many = "&".join(["zq7=1"] * 4000)
    await refused(shared, "GET", f"{LIST}?{many}", status=422, pointers=["query/zq7"] * MOST_QUERY_FAULTS)


async def test_no_header_overrides_the_method(shared: Network) -> None:
    before = await shared.client.get(LIST, headers={"X-HTTP-Method-Override": "DELETE"})
    assert before.status_code == 200
