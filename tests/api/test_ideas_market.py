"""The market of ideas: what was held is offered as a recipe, found by others, and recommended."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.harness import databases as harness
from tests.harness.databases import Databases
from tests.harness.exchange import IDEA, IDEAS, held, idea, patched, post
from tests.harness.network import Network, running
from tests.harness.refusals import refused

NOBODY = "01890000-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
async def market(databases: Databases, redis_url: str) -> AsyncIterator[Network]:
    """A market with four ideas."""
    async with databases.fresh() as url:
        told = harness.settings(url, redis_url)
        async with running(told, url) as network:
            await idea(network)
            await idea(
                network, title="Bicycle workshop", what="We mend bicycles.", cost=None, seasons=[], settings=["campus"],
                lessons=None, language="it", group_size={"min": None, "max": 10},
                of={"areas": ["education"], "causes": ["skills-employability"], "kind": "training"},
            )  # fmt: skip
            await idea(
                network, await network.local("PL-WARS-UKS"), title="Las Erasmusa", what="Sadzimy drzewa.",
                cost={"amount": "200", "currency": "PLN"}, seasons=["spring"], settings=[], language="pl",
                group_size={}, of={"country": "PL", "section_codes": ["PL-WARS-UKS"],
                    "organisers": [{"code": "PL-WARS-UKS", "name": "ESN UKSW", "lead": True}]},
            )  # fmt: skip
            withdrawn = await idea(network, title="Blind dinner that nobody offers")
            await post(network, f"{IDEAS}/{withdrawn['id']}/withdraw", None, await network.local(), status=200)
            yield network


async def titles(network: Network, **query: Any) -> list[str]:
    reply = await network.client.get(IDEAS, params=query)
    assert reply.status_code == 200, reply.text
    return [item["title"] for item in reply.json()["items"]]


async def test_what_was_held_is_offered_with_what_is_known_of_it(network: Network) -> None:
    starts_at = datetime(2026, 5, 8, 17, 30, tzinfo=UTC)
    activity_id = await held(network, starts_at=starts_at, ends_at=starts_at + timedelta(minutes=150), sdgs=[10])
    offered = await post(network, IDEAS, {**IDEA, "activity_id": activity_id}, await network.local())
    base = f"{network.settings.base_url}/activities/v1"
    assert offered == {
        **IDEA, "id": offered["id"], "url": f"{base}/ideas/{offered['id']}", "state": "offered",
        "kind": "volunteering", "areas": ["environment"], "sdgs": [10], "country": "IT",
        "causes": [{"code": "environmental-sustainability", "main": True}],
        "organisers": [{"code": "IT-SASS-ESN", "name": "ESN Sassari", "lead": True}],
        "activity": {
            "id": activity_id, "url": f"{base}/activities/{activity_id}", "title": "Dinner in the dark",
            "held_on": "2026-05-08", "hours": 2.5, "capacity": 40, "figures": None,
        },
        "adapted": {"sections": 0, "countries": 0}, "endorsements": 0, "endorsed_by": [],
        "offered_at": offered["offered_at"], "updated_at": offered["updated_at"],
    }  # fmt: skip
    found = await network.client.get(f"{IDEAS}/{offered['id']}")
    assert found.json() == offered
    assert (await network.client.get(IDEAS)).json()["items"] == [
        {name: value for name, value in offered.items() if name != "endorsed_by"}
    ]


@pytest.mark.parametrize(
    ("pointer", "changes"),
    [
        ("#/title", {"title": ""}),
        ("#/how", {"how": []}),
        ("#/how/1", {"how": ["a", " "]}),
        ("#/cost/currency", {"cost": {"amount": "1", "currency": "euro"}}),
        ("#/cost/amount", {"cost": {"amount": "-1", "currency": "EUR"}}),
        ("#/group_size", {"group_size": {"min": 5, "max": 4}}),
        ("#/group_size/min", {"group_size": {"min": 0}}),
        ("#/seasons/0", {"seasons": ["monsoon"]}),
        ("#/settings", {"settings": ["campus", "campus"]}),
        ("#/partner_kinds/0", {"partner_kinds": ["bank"]}),
        ("#/needs/people", {"needs": {"people": "4"}}),
        ("#/endorsements", {"endorsements": 5}),
        ("#/activity_id", {"activity_id": "x"}),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_is_offered(
    shared: Network, pointer: str, changes: dict[str, Any]
) -> None:
    headers = {**await shared.local(), **shared.key()}
    body = {**IDEA, "activity_id": NOBODY, **changes}
    await refused(shared, "POST", IDEAS, status=422, pointers=[pointer], headers=headers, json=body)


async def test_only_organisers_offer_what_they_have_held_and_only_once(network: Network) -> None:
    mine, planned, local = await held(network), (await network.drafted())["id"], await network.local()
    for activity_id, who, status in (
        (mine, await network.local("IT-MILA-STA"), 403),
        (mine, await network.token("machine"), 403),
        (NOBODY, local, 404),
        (planned, local, 409),
        (planned, await network.local("IT-MILA-STA"), 403),
    ):
        body = {**IDEA, "activity_id": activity_id}
        await refused(network, "POST", IDEAS, status=status, headers={**who, **network.key()}, json=body)
    await post(network, IDEAS, {**IDEA, "activity_id": mine}, local)
    again = {**IDEA, "activity_id": mine}
    told = await refused(network, "POST", IDEAS, status=409, headers={**local, **network.key()}, json=again)
    assert told["title"] == "Offered already"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["Las Erasmusa", "Bicycle workshop", "Blind dinner"]),
        ({"cause": "skills-employability"}, ["Bicycle workshop"]),
        ({"area": "education"}, ["Bicycle workshop"]),
        ({"kind": "training"}, ["Bicycle workshop"]),
        ({"free": True}, ["Bicycle workshop"]),
        ({"free": False}, ["Las Erasmusa", "Blind dinner"]),
        ({"cost_max": "49.99", "currency": "EUR"}, ["Bicycle workshop"]),
        ({"cost_max": "50", "currency": "EUR"}, ["Bicycle workshop", "Blind dinner"]),
        ({"cost_max": "300", "currency": "PLN"}, ["Las Erasmusa", "Bicycle workshop"]),
        ({"group_size": 7}, ["Las Erasmusa", "Bicycle workshop"]),
        ({"group_size": 30}, ["Las Erasmusa", "Blind dinner"]),
        ({"season": "winter"}, ["Bicycle workshop", "Blind dinner"]),
        ({"setting": "welfare_state"}, ["Las Erasmusa", "Blind dinner"]),
        ({"country": "PL"}, ["Las Erasmusa"]),
        ({"language": "it"}, ["Bicycle workshop"]),
        ({"q": "dinners"}, ["Blind dinner"]),
        ({"q": "waiter"}, ["Blind dinner"]),
        ({"q": "erasmus", "country": "IT"}, []),
        ({"q": "bicicle workshp"}, ["Bicycle workshop"]),
        ({"q": "%"}, []),
    ],
    ids=str,
)
async def test_ideas_are_found_by_what_they_say(market: Network, query: dict[str, Any], found: list[str]) -> None:
    assert await titles(market, **query) == found


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("cost_max=5", "query/currency"),
        ("currency=EUR", "query/currency"),
        ("cost_max=-1&currency=EUR", "query/cost_max"),
        ("cost_max=NaN&currency=EUR", "query/cost_max"),
        ("cost_max=1&currency=eur", "query/currency"),
        ("group_size=0", "query/group_size"),
        ("season=monsoon", "query/season"),
        ("setting=moon", "query/setting"),
        ("sort=best", "query/sort"),
        ("cause=x", "query/cause"),
        ("country=ZZ", "query/country"),
        ("title=x", "query/title"),
    ],
)
async def test_what_can_not_be_asked_is_named(market: Network, query: str, pointer: str) -> None:
    await refused(market, "GET", f"{IDEAS}?{query}", status=422, pointers=[pointer])


@pytest.mark.parametrize("query", ["", "&sort=adapted", "&sort=endorsed", "&q=erasmusa+bicycle"])
async def test_every_order_goes_on_page_by_page(market: Network, query: str) -> None:
    whole = await titles(market, **dict(part.split("=") for part in query.replace("+", " ").split("&") if part))
    found, address = [], f"{IDEAS}?limit=1{query}"
    while address:
        page = (await market.client.get(address)).json()
        found += [item["title"] for item in page["items"]]
        address = page["next"]
    assert found == whole
    assert len(set(found)) == len(found)


async def test_an_idea_is_changed_by_its_organisers_who_have_read_it(network: Network) -> None:
    address, local = f"{IDEAS}/{(await idea(network))['id']}", await network.local()
    first = await patched(network, address, local, lessons=None, cost=None, how=["Just do it."])
    told = first.json()
    assert (told["lessons"], told["cost"], told["how"], told["title"]) == (None, None, ["Just do it."], "Blind dinner")
    again = await patched(network, address, local, title="Dinner in the dark")
    assert (again.json()["cost"], again.json()["title"]) == (None, "Dinner in the dark")
    headers = {**local, "If-Match": again.headers["etag"]}
    for pointer, changes in (("#/what", {"what": ""}), ("#/state", {"state": "withdrawn"}), ("#", {})):
        await refused(network, "PATCH", address, status=422, pointers=[pointer], headers=headers, json=changes)
    await refused(network, "PATCH", address, status=428, headers=local, json={"what": "x"})
    old = {**local, "If-Match": first.headers["etag"]}
    await refused(network, "PATCH", address, status=412, headers=old, json={"what": "x"})
    for who in (await network.local("IT-MILA-STA"), await network.national("PL"), await network.token("machine")):
        await refused(network, "PATCH", address, status=403, headers={**who, "If-Match": "*"}, json={"what": "x"})
    assert (await patched(network, address, await network.national(), what="Cooked for you.")).status_code == 200


async def test_what_is_withdrawn_is_off_the_market_until_it_is_offered_again(network: Network) -> None:
    address, local = f"{IDEAS}/{(await idea(network))['id']}", await network.local()
    await refused(network, "POST", f"{address}/withdraw", status=403, headers=await network.local("IT-MILA-STA"))
    for _ in range(2):
        assert (await post(network, f"{address}/withdraw", None, local, status=200))["state"] == "withdrawn"
    assert await titles(network) == []
    await refused(network, "GET", address, status=404)
    await refused(network, "GET", address, status=404, headers=await network.local("IT-MILA-STA"))
    assert (await network.client.get(address, headers=local)).json()["state"] == "withdrawn"
    await refused(network, "PUT", f"{address}/endorsement", status=409, headers=await network.national("PL"), json={})
    await post(network, f"{address}/offer", None, local, status=200)
    assert await titles(network) == ["Blind dinner"]


async def test_countries_and_international_recommend_an_idea_once_each(network: Network) -> None:
    one, other = await idea(network), await idea(network, title="Other")
    address = f"{IDEAS}/{one['id']}/endorsement"
    poland, italy, international = (
        await network.national("PL"), await network.national(), await network.token("international"),
    )  # fmt: skip
    for who, note in ((poland, "Works!"), (poland, "Works in Warsaw."), (italy, None), (international, "For all.")):
        reply = await network.client.put(address, headers=who, json={"note": note} if note else {})
        assert reply.status_code == 200, reply.text
    found = (await network.client.get(f"{IDEAS}/{one['id']}")).json()
    assert found["endorsements"] == 3
    assert [(each["role"], each["country"], each["note"]) for each in found["endorsed_by"]] == [
        ("national_coordinator", "PL", "Works in Warsaw."),
        ("national_coordinator", "IT", None),
        ("international", None, "For all."),
    ]
    assert await titles(network, sort="endorsed") == ["Blind dinner", "Other"]
    assert await titles(network) == ["Other", "Blind dinner"]
    for _ in range(2):
        reply = await network.client.delete(address, headers=poland)
        assert (reply.status_code, reply.json()["endorsements"]) == (200, 2)
    for who in (await network.local(), await network.token("operator"), await network.token("machine")):
        await refused(network, "PUT", f"{IDEAS}/{other['id']}/endorsement", status=403, headers=who, json={})
    await refused(network, "PUT", f"{IDEAS}/{NOBODY}/endorsement", status=404, headers=poland, json={})
    await refused(network, "PUT", address, status=422, pointers=["#/note"], headers=poland, json={"note": "x" * 1001})
