"""Pages: whoever follows `next` to its end has seen everything once, whatever is added meanwhile."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
from starlette.requests import Request

from services.activities.catalogue.tables import Activity
from services.impact.disclosure.rules import TABLES
from services.kernel.ids import new_id
from services.kernel.paging import Page
from tests.harness.databases import rows
from tests.harness.network import Network
from tests.harness.openapi import READING, Operation
from tests.harness.sign_ups import wanted
from tests.harness.webhooks import entered

LIST = "/activities/v1/activities"
BEGIN = datetime(2027, 5, 8, 8, tzinfo=UTC)
# A public activity with another id and start: the list shows the stored document as it is.
_COLUMNS = ", ".join(column.name for column in Activity.__table__.columns if column.computed is None)
COPY = f"""
INSERT INTO activities.activities ({_COLUMNS}) SELECT {_COLUMNS} FROM (
  SELECT (jsonb_populate_record(original, jsonb_build_object(
    'id', $1::text, 'starts_at', $2::text, 'ends_at', NULL, 'document', json_build_object('id', $1::text)::text
  ))).* FROM activities.activities AS original LIMIT 1
) AS copy
"""


async def _add(network: Network, start: datetime | None, identity: UUID | None = None) -> str:
    identity = identity or new_id()
    await rows(network.database_url, COPY, str(identity), start.isoformat() if start else None)
    return str(identity)


async def _pages(network: Network, address: str) -> Any:
    for _ in range(50):
        reply = await network.client.get(address)
        assert reply.status_code == 200, reply.text
        page = reply.json()
        yield page["items"]
        if page["next"] is None:
            assert "link" not in reply.headers
            return
        assert reply.headers["link"] == f'<{page["next"]}>; rel="next"'
        assert page["next"].startswith(network.settings.base_url)
        parts = urlsplit(page["next"])
        address = f"{parts.path}?{parts.query}"
    pytest.fail("the pages have no end")


async def _walk(network: Network, address: str) -> list[str]:
    return [item["id"] async for items in _pages(network, address) for item in items]


@pytest.mark.parametrize("limit", [1, 2, 3, 200])
async def test_a_walk_yields_each_once_in_the_order_of_start_and_id(network: Network, limit: int) -> None:
    first = (await network.published())["id"]
    starts = [BEGIN + timedelta(days=day) for day in (3, -2, 1)]
    added = {await _add(network, start): start for start in starts}
    expected = sorted({**added, first: BEGIN}, key=lambda each: ({**added, first: BEGIN}[each], each))
    assert await _walk(network, f"{LIST}?limit={limit}") == expected


@pytest.mark.parametrize("limit", [1, 2, 5])
async def test_equal_starts_are_neither_lost_nor_repeated(network: Network, limit: int) -> None:
    first = (await network.published())["id"]
    # Random ids, so that the order of writing is not the order of the pages.
    same = [await _add(network, BEGIN, uuid4()) for _ in range(5)]
    assert await _walk(network, f"{LIST}?limit={limit}") == sorted([first, *same])


@pytest.mark.parametrize("limit", [1, 2])
async def test_what_has_no_date_comes_last(network: Network, limit: int) -> None:
    first = (await network.published())["id"]
    undated = sorted([await _add(network, None, uuid4()) for _ in range(3)])
    late = await _add(network, BEGIN + timedelta(days=9000))
    assert await _walk(network, f"{LIST}?limit={limit}") == [first, late, *undated]


async def test_what_is_there_from_the_beginning_is_seen_once_while_more_is_added(network: Network) -> None:
    there = {(await network.published())["id"]}
    for number in range(6):
        there.add(await _add(network, None if number == 5 else BEGIN + timedelta(hours=number // 2), uuid4()))
    seen: Counter[str] = Counter()
    behind, ahead = [], []
    async for items in _pages(network, f"{LIST}?limit=2"):
        seen.update(item["id"] for item in items)
        behind.append(await _add(network, BEGIN - timedelta(days=1)))
        if len(ahead) < 2:
            ahead.append(await _add(network, BEGIN + timedelta(days=30)))
    assert max(seen.values()) == 1
    assert there <= seen.keys()
    assert set(ahead) <= seen.keys()
    assert not set(behind) & seen.keys()


async def test_a_walk_keeps_its_filters(network: Network) -> None:
    first = (await network.published())["id"]
    for _ in range(2):
        await _add(network, BEGIN)
    await rows(network.database_url, "UPDATE activities.activities SET country = 'PL' WHERE id <> $1", UUID(first))
    assert await _walk(network, f"{LIST}?country=IT&limit=1") == [first]
    assert len(await _walk(network, f"{LIST}?country=PL&country=IT&limit=1")) == 3


async def test_a_walk_over_sections_yields_each_once(network: Network) -> None:
    codes = [item["code"] async for items in _pages(network, "/activities/v1/sections?limit=1") for item in items]
    assert codes == ["IT-MILA-STA", "IT-SASS-ESN", "PL-WARS-UKS", "PT-PORT-ESN"]


async def test_a_page_that_is_just_full_is_the_last(network: Network) -> None:
    page = (await network.client.get("/activities/v1/sections?limit=4")).json()
    assert (len(page["items"]), page["next"]) == (4, None)


def _is_paged(operation: Operation) -> bool:
    return any(parameter["name"] == "cursor" for parameter in operation.description.get("parameters", ()))


@pytest.fixture(scope="module")
async def known(shared: Network) -> dict[str, str]:
    """What there is a list about, by the name of the parameter in its address; of endpoints, by their service."""
    international = await shared.token("international")
    activity = await shared.published()
    reply = await shared.client.post(
        "/registration/v1/registrations", json=wanted(activity["id"]), headers=shared.key()
    )
    assert reply.status_code == 201, reply.text
    hooks = {}
    for service in ("activities", "registration", "impact"):
        at = f"/{service}/v1/webhooks"
        address = await entered(shared, international, "https://a.example/", at, contact_email="web@esn.example.org")
        hooks[service] = address.rpartition("/")[2]
        [entry] = await rows(shared.database_url, f"SELECT id FROM {service}.audit_entries ORDER BY number LIMIT 1")
        hooks[f"{service}_entry"] = str(entry["id"])
    [attendance] = await rows(shared.database_url, "SELECT id FROM registration.registrations")
    return {"activity_id": activity["id"], "attendance_id": str(attendance["id"]), **hooks}


@pytest.mark.parametrize("operation", [each for each in READING if _is_paged(each)], ids=str)
async def test_every_list_tells_the_next_page_in_its_header_too(
    shared: Network, known: dict[str, str], monkeypatch: pytest.MonkeyPatch, operation: Operation
) -> None:
    begin, told = Page.__init__, []

    def followed(page: Page, request: Request, cursor: str | None) -> None:
        """Any page has one after it, however little there is."""
        begin(page, request, cursor)
        told.append(page.next_url(["after"]))

    ids = {"webhook_id": known[operation.service], "entry_id": known[f"{operation.service}_entry"]}
    codes = {"code": next(iter(TABLES)) if "tables" in operation.path else "IT"}
    address = operation.address(**{**known, **codes, **ids})
    headers = await shared.token("international")
    asked = {"limit": 200, **({"edition": "2026-autumn"} if "rankings" in operation.path else {})}
    last = await shared.client.get(address, headers=headers, params=asked)
    assert (last.status_code, last.json()["next"], "link" in last.headers) == (200, None, False), last.text
    monkeypatch.setattr(Page, "__init__", followed)
    reply = await shared.client.get(address, headers=headers, params=asked)
    assert reply.headers["link"] == f'<{told[0]}>; rel="next"'


async def test_a_page_that_there_is_is_named_once(shared: Network, known: dict[str, str]) -> None:
    organisers = await shared.local()
    passes = f"/registration/v1/activities/{known['activity_id']}/check-in-passes"
    for _ in range(2):
        assert (await shared.client.post(passes, json={}, headers=organisers)).status_code == 201
    for address in (passes, "/activities/v1/audit"):
        reply = await shared.client.get(address, headers=organisers, params={"limit": 1})
        assert reply.headers.get_list("link") == [f'<{reply.json()["next"]}>; rel="next"']
