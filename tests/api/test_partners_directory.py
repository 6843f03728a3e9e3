"""Partners: entered once, found by many, changed by those in reach, and merged where two were one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.exchange import PARTNER, PARTNERS, partner, patched, post
from tests.harness.network import Network
from tests.harness.refusals import refused


async def names(network: Network, **query: Any) -> list[str]:
    reply = await network.client.get(PARTNERS, params=query)
    assert reply.status_code == 200, reply.text
    return [item["name"] for item in reply.json()["items"]]


async def test_a_partner_is_entered_and_everybody_reads_it_without_its_mailbox(network: Network) -> None:
    entered = await partner(network)
    assert entered["owner"] == {"section": "IT-SASS-ESN", "country": "IT"}
    assert entered["contact_email"] == "volunteers@mensa.example.org"
    public = (await network.client.get(f"{PARTNERS}/{entered['id']}")).json()
    assert public == {
        **entered, "contact_email": None, "activities": [], "contributions": {}, "sections": [],
        "activities_url": f"{network.settings.base_url}/activities/v1/activities?partner={entered['id']}",
    }  # fmt: skip
    listed = (await network.client.get(PARTNERS)).json()["items"]
    assert listed == [{**entered, "contact_email": None}]


@pytest.mark.parametrize(
    ("role", "scope", "sees"),
    [
        ("local_coordinator", {"section": "IT-SASS-ESN"}, True),
        ("local_coordinator", {"section": "IT-MILA-STA"}, False),
        ("national_coordinator", {"country": "IT"}, True),
        ("national_coordinator", {"country": "PL"}, False),
        ("international", {}, True),
        ("machine", {}, False),
    ],
)
async def test_only_coordinators_in_reach_see_the_mailbox_and_change_the_partner(
    shared: Network, role: str, scope: dict[str, str], sees: bool
) -> None:
    address = f"{PARTNERS}/{(await partner(shared, even_if_similar=True))['id']}"
    who = await shared.token(role, **scope)
    one, several = [await shared.client.get(each, headers=who) for each in (address, PARTNERS)]
    [listed] = [item for item in several.json()["items"] if address.endswith(item["id"])]
    assert one.json()["contact_email"] == listed["contact_email"] == (PARTNER["contact_email"] if sees else None)
    assert one.headers["cache-control"] == several.headers["cache-control"] == "private, no-store"
    changed = await patched(shared, address, who, city="Alghero")
    assert changed.status_code == (200 if sees else 403)
    assert (await shared.client.get(address)).json()["city"] == ("Alghero" if sees else "Sassari")


@pytest.mark.parametrize(
    ("who", "body", "owner"),
    [
        (("national_coordinator", {"country": "IT"}), {}, {"section": None, "country": "IT"}),
        (("national_coordinator", {"country": "IT"}), {"section": "IT-MILA-STA"},
         {"section": "IT-MILA-STA", "country": "IT"}),
        (("international", {}), {"level": "international", "country": None}, {"section": None, "country": None}),
    ],
)  # fmt: skip
async def test_a_partner_belongs_to_who_entered_it(
    shared: Network, who: tuple[str, dict[str, str]], body: dict[str, Any], owner: dict[str, Any]
) -> None:
    entered = await partner(shared, await shared.token(who[0], **who[1]), even_if_similar=True, **body)
    assert entered["owner"] == owner


@pytest.mark.parametrize(("role", "scope"), [("local_coordinator", {"section": "PL-WARS-UKS"}), ("machine", {})])
async def test_nobody_enters_a_partner_for_another_section(shared: Network, role: str, scope: dict[str, str]) -> None:
    who = {**await shared.token(role, **scope), **shared.key()}
    await refused(shared, "POST", PARTNERS, status=403, headers=who, json={**PARTNER, "section": "IT-SASS-ESN"})


@pytest.mark.parametrize(
    ("pointer", "changes"),
    [
        ("#/country", {"country": None}),
        ("#/country", {"country": "ZZ"}),
        ("#/kind", {"kind": "bank"}),
        ("#/level", {"level": "galactic"}),
        ("#/website", {"website": "javascript:alert(1)"}),
        ("#/contact_email", {"contact_email": "not an address"}),
        ("#/causes", {"causes": ["culture", "culture"]}),
        ("#/causes/0", {"causes": ["cause"]}),
        ("#/name", {"name": " "}),
        ("#/section", {"section": "XX-NONE"}),
        ("#/is_followed", {"is_followed": True}),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_is_entered(
    shared: Network, pointer: str, changes: dict[str, Any]
) -> None:
    who = {**await shared.local(), **shared.key()}
    await refused(shared, "POST", PARTNERS, status=422, pointers=[pointer], headers=who, json={**PARTNER, **changes})


async def test_a_partner_known_by_a_similar_name_is_pointed_out_unless_it_is_meant(network: Network) -> None:
    known = await partner(network)
    await partner(network, name="Croce Rossa")
    again = {**PARTNER, "name": "mensa  San Sabíno, Sassari"}
    who = await network.local("IT-MILA-STA")
    told = await refused(
        network, "POST", PARTNERS, status=409, headers={**who, **network.key()}, json=again, hidden=["Sabíno"]
    )
    assert told["errors"] == [{"pointer": "#/name", "detail": f"Similar: {PARTNERS}/{known['id']}"}]
    assert (await post(network, PARTNERS, {**again, "even_if_similar": True}, who))["id"] != known["id"]
    elsewhere = await partner(network, await network.local("PL-WARS-UKS"), country="PL")
    assert elsewhere["name"] == known["name"]


async def test_partners_are_found_by_what_they_are_and_by_words_with_mistakes(network: Network) -> None:
    await partner(network)
    await partner(network, name="Liceo Azuni", kind="school", causes=["education-youth"], areas=[], city="Sassari")
    await partner(network, await network.national(), name="Legambiente", level="national", city=None, causes=[])
    await partner(
        network,
        await network.local("PL-WARS-UKS"),
        name="Szkoła 5",
        kind="school",
        city="Warsaw",
        country="PL",
        causes=[],
    )
    everybody = ["Legambiente", "Liceo Azuni", "Mensa San Sabino", "Szkoła 5"]
    assert await names(network) == everybody
    assert await names(network, country="PL") == ["Szkoła 5"]
    assert await names(network, section="IT-SASS-ESN") == ["Liceo Azuni", "Mensa San Sabino"]
    assert await names(network, kind="school") == ["Liceo Azuni", "Szkoła 5"]
    assert await names(network, level="national") == ["Legambiente"]
    assert await names(network, cause="education-youth") == ["Liceo Azuni"]
    assert await names(network, q="leggambiente") == ["Legambiente"]
    assert await names(network, q="sassari") == ["Liceo Azuni", "Mensa San Sabino"]
    assert await names(network, q="%") == await names(network, q="---") == []
    for query in ("kind=bank", "section=XX-NONE-ESN", "country=ZZ"):
        pointer = f"query/{query.partition('=')[0]}"
        await refused(network, "GET", f"{PARTNERS}?{query}", status=422, pointers=[pointer])


async def test_the_list_goes_on_page_by_page_without_losing_or_repeating_any(network: Network) -> None:
    for name in ("Delta", "alfa", "Bravo", "Čarlie", "bravo"):
        await partner(network, name=name, even_if_similar=True)
    found, address = [], f"{PARTNERS}?limit=2"
    while address:
        page = (await network.client.get(address)).json()
        found += [item["name"] for item in page["items"]]
        address = page["next"]
    assert sorted(found) == sorted(["Delta", "alfa", "Bravo", "Čarlie", "bravo"])
    assert [name.lower() for name in found] == ["alfa", "bravo", "bravo", "čarlie", "delta"]


async def test_two_coordinators_cannot_overwrite_each_other(shared: Network) -> None:
    address, local = f"{PARTNERS}/{(await partner(shared, even_if_similar=True))['id']}", await shared.local()
    etag = (await shared.client.get(address)).headers["etag"]
    first = await shared.client.patch(address, headers={**local, "If-Match": etag}, json={"city": "A"})
    second = await shared.client.patch(address, headers={**local, "If-Match": etag}, json={"city": "B"})
    without = await shared.client.patch(address, headers=local, json={"city": "C"})
    third = await shared.client.patch(
        address, headers={**local, "If-Match": first.headers["etag"]}, json={"contact_email": None}
    )
    assert [reply.status_code for reply in (first, second, without, third)] == [200, 412, 428, 200]
    assert (third.json()["city"], third.json()["contact_email"]) == ("A", None)


async def test_a_change_is_as_strict_as_an_entry(shared: Network) -> None:
    address, local = f"{PARTNERS}/{(await partner(shared, even_if_similar=True))['id']}", await shared.local()
    headers = {**local, "If-Match": (await shared.client.get(address)).headers["etag"]}
    for pointer, changes in (
        ("#/name", {"name": ""}), ("#/section", {"section": "IT-MILA-STA"}), ("#/country", {"country": None}),
        ("#", {}),
    ):  # fmt: skip
        await refused(shared, "PATCH", address, status=422, pointers=[pointer], headers=headers, json=changes)


async def test_two_that_are_one_become_one_and_the_old_address_leads_on(network: Network) -> None:
    first, second, third = [
        (await partner(network, name=name, even_if_similar=True))["id"] for name in ("Mensa A", "Mensa B", "Mensa C")
    ]
    national = await network.national()
    merged = await post(network, f"{PARTNERS}/{first}/merge", {"into": second}, national, status=200)
    assert merged["id"] == second
    again = await post(network, f"{PARTNERS}/{first}/merge", {"into": second}, national, status=200)
    assert again == merged
    await post(network, f"{PARTNERS}/{second}/merge", {"into": third}, national, status=200)
    for old in (first, second):
        led = await network.client.get(f"{PARTNERS}/{old}")
        assert (led.status_code, led.headers["location"]) == (308, f"{PARTNERS}/{third}")
        changed = await network.client.patch(f"{PARTNERS}/{old}", headers=national, json={"city": "X"})
        assert (changed.status_code, changed.headers["location"]) == (308, f"{PARTNERS}/{third}")
    assert await names(network) == ["Mensa C"]
    # A merged one is similar to nothing any more.
    assert (await network.client.get(PARTNERS, params={"q": "Mensa A"})).json()["items"][0]["id"] == third


@pytest.mark.parametrize(
    ("role", "scope", "status"),
    [
        ("local_coordinator", {"section": "IT-SASS-ESN"}, 403),
        ("national_coordinator", {"country": "PL"}, 403),
        ("machine", {}, 403),
        ("international", {}, 200),
    ],
)
async def test_only_who_coordinates_the_country_merges(
    shared: Network, role: str, scope: dict[str, str], status: int
) -> None:
    one, other = (
        (await partner(shared, even_if_similar=True))["id"],
        (await partner(shared, name="Canteen of the saint", even_if_similar=True))["id"],
    )
    who = {**await shared.token(role, **scope), **shared.key()}
    reply = await shared.client.post(f"{PARTNERS}/{one}/merge", json={"into": other}, headers=who)
    assert reply.status_code == status


async def test_what_can_not_be_merged(network: Network) -> None:
    one, other, foreign = (
        (await partner(network))["id"],
        (await partner(network, name="Croce Rossa"))["id"],
        (await partner(network, await network.local("PL-WARS-UKS"), country="PL", name="Szkoła"))["id"],
    )
    national, nobody = await network.national(), "01890000-0000-7000-8000-000000000000"
    address = f"{PARTNERS}/{one}/merge"
    for into in (one, nobody):
        await refused(network, "POST", address, status=422, pointers=["#/into"], headers=national, json={"into": into})
    await refused(network, "POST", address, status=403, headers=national, json={"into": foreign})
    await refused(network, "POST", f"{PARTNERS}/{nobody}/merge", status=404, headers=national, json={"into": one})
    await post(network, address, {"into": other}, national, status=200)
    await refused(network, "POST", f"{PARTNERS}/{other}/merge", status=409, headers=national, json={"into": one})
