"""Signing up for several dates of a series: one mail and one link for all, each date a registration of its own."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.api.test_registration_moves import revise, settles
from tests.harness.catalogue import LIST, found
from tests.harness.databases import rows, value
from tests.harness.network import Network
from tests.harness.refusals import refused
from tests.harness.sign_ups import Students, text_of, wanted

DAYS = ("2027-05-08", "2027-05-15", "2027-05-22")
_LINKS = re.compile(r"https?://\S+/registration/v1/links/(\S+)")


@dataclass
class Series:
    """A series of three dates, with two places each, and those who sign up."""

    network: Network
    identity: str
    dates: list[Students]

    @property
    def ids(self) -> list[str]:
        """The activities that are its dates, in their order."""
        return [date.activity_id for date in self.dates]

    @property
    def address(self) -> str:
        """Where one signs up for several dates."""
        return f"/registration/v1/series/{self.identity}/registrations"

    def body(self, name: str, **changes: Any) -> dict[str, Any]:
        """What somebody sends."""
        told = wanted("", name, **changes)
        del told["activity_id"]
        return told

    async def sign_up(self, name: str, *, status: int = 201, **changes: Any) -> httpx.Response:
        """Sign somebody up for several dates, for all of them if none is named."""
        headers = self.network.key()
        reply = await self.network.client.post(self.address, json=self.body(name, **changes), headers=headers)
        assert reply.status_code == status, reply.text
        return reply

    async def open(self, token: str, verb: str = "") -> None:
        """Press the button of a link."""
        reply = await self.network.client.post(f"/registration/v1/links/{token}{verb}")
        assert reply.status_code == 200, reply.text

    async def states(self) -> list[dict[str, str]]:
        """What the organisers of each date see."""
        return [await date.states() for date in self.dates]

    async def taken(self) -> list[int]:
        """How many places of each date are taken."""
        reply = await self.network.client.get(f"/registration/v1/series/{self.identity}/availability")
        assert [item["activity_id"] for item in reply.json()["items"]] == self.ids
        return [item["taken"] for item in reply.json()["items"]]


async def of_three_dates(network: Network, *, capacity: int = 2) -> Series:
    drafted = await network.drafted(title="Canteen shifts", capacity=capacity)
    times = [{"starts_at": f"{day}T18:00", "ends_at": f"{day}T21:00"} for day in DAYS]
    headers = {**await network.local(), **network.key()}
    added = await network.client.post(f"{LIST}/{drafted['id']}/occurrences", headers=headers, json={"times": times})
    assert added.status_code == 201, added.text
    for verb in ("submit", "approve", "publish"):
        who = await (network.national() if verb == "approve" else network.local())
        assert (await network.client.post(f"{LIST}/{drafted['id']}/{verb}", headers=who)).status_code == 200
    await network.settle()
    items = (await found(network, part_of=drafted["id"]))["items"]
    return Series(network, drafted["id"], [Students(network, item["id"]) for item in items])


@pytest.fixture
async def series(network: Network) -> Series:
    return await of_three_dates(network)


async def _full(series: Series, number: int) -> None:
    for name in ("Bo", "Cem"):
        await series.dates[number].sign_up(name)


async def test_one_link_confirms_every_date_and_each_is_given_back_by_its_own(series: Series) -> None:
    reply = (await series.sign_up("Ada")).json()
    assert reply["series_id"] == series.identity
    assert [(item["activity_id"], item["state"]) for item in reply["items"]] == [
        (identity, "unconfirmed") for identity in series.ids
    ]
    (mail,) = await series.dates[0].mails("Ada")
    text = text_of(mail)
    assert mail["Subject"] == "Confirm your places: Canteen shifts"
    assert [text.count(day) for day in ("8 May", "15 May", "22 May")] == [1, 1, 1]
    (token,) = _LINKS.findall(text)
    codes = await rows(series.network.database_url, "SELECT code FROM registration.registrations")
    assert not any(code[:4] in text for (code,) in codes), "a mailbox that nobody has proved is told no code"
    for _ in range(2):
        page = await series.network.client.get(f"/registration/v1/links/{token}")
        assert [page.text.count(day) for day in ("15 May 2027, 18:00", "22 May 2027, 18:00", "<button")] == [1, 1, 2]
    assert await series.states() == [{"Ada": "unconfirmed"}] * 3
    await series.open(token)
    await series.open(token)
    assert (await series.states(), await series.taken()) == ([{"Ada": "confirmed"}] * 3, [1, 1, 1])
    after = await series.network.client.get(f"/registration/v1/links/{token}")
    assert ("22 May 2027" in after.text, "<button" in after.text) == (True, False)
    _, confirmed = await series.dates[0].mails("Ada")
    links = _LINKS.findall(text_of(confirmed))
    assert (confirmed["Subject"], len(set(links))) == ("You have places: Canteen shifts", 3)
    assert all(f"{code[:4]}-{code[4:]}" in text_of(confirmed) for (code,) in codes)
    await series.open(links[1], "/cancel")
    assert await series.states() == [{"Ada": "confirmed"}, {"Ada": "cancelled"}, {"Ada": "confirmed"}]
    assert await series.taken() == [1, 0, 1]


async def test_all_or_nothing_keeps_nothing_when_one_date_is_full(series: Series) -> None:
    await _full(series, 1)
    await series.dates[0].mails("Bo")
    before = len(series.network.mails())
    named = [series.ids[2], series.ids[1], series.ids[0]]
    document = await refused(
        series.network, "POST", series.address, status=409, headers=series.network.key(),
        json=series.body("Ada", activity_ids=named),
    )  # fmt: skip
    assert [fault["pointer"] for fault in document["errors"]] == ["#/activity_ids/1"]
    assert await series.taken() == [0, 2, 0]
    await series.network.sweep()
    assert len(series.network.mails()) == before
    assert await value(series.network.database_url, "SELECT count(*) FROM registration.participants") == 2


async def test_each_for_itself_says_which_date_can_not_be_given(series: Series) -> None:
    await _full(series, 1)
    items = (await series.sign_up("Ada", activity_ids=series.ids, all_or_nothing=False)).json()["items"]
    assert [item["activity_id"] for item in items] == series.ids
    assert [item.get("state") for item in items] == ["unconfirmed", None, "unconfirmed"]
    assert (items[1]["problem"]["type"], items[1]["problem"]["status"]) == (
        "/registration/problems/activity-full",
        409,
    )
    assert await series.taken() == [1, 2, 1]
    await series.open(await series.dates[0].secret("Ada"))
    assert [states.get("Ada") for states in await series.states()] == ["confirmed", None, "confirmed"]


async def test_without_names_it_is_every_date_that_is_open(series: Series) -> None:
    await _full(series, 1)
    items = (await series.sign_up("Ada")).json()["items"]
    assert [item["activity_id"] for item in items] == [series.ids[0], series.ids[2]]
    for number in (0, 2):
        await series.dates[number].sign_up("Dov")
    assert (await series.sign_up("Eve", status=409)).json()["title"] == "No date open"


async def test_a_full_date_is_waited_for_if_that_is_wanted_and_is_not_confirmed_with_the_others(series: Series) -> None:
    await _full(series, 1)
    items = (await series.sign_up("Ada", activity_ids=series.ids, waiting_list=True)).json()["items"]
    assert [item["state"] for item in items] == ["unconfirmed", "waitlisted", "unconfirmed"]
    confirm = next(mail for mail in await series.dates[0].mails("Ada") if mail["Subject"].startswith("Confirm"))
    await series.open(_LINKS.findall(text_of(confirm))[0])
    assert [states["Ada"] for states in await series.states()] == ["confirmed", "waitlisted", "confirmed"]


async def test_signing_up_again_is_answered_like_a_stranger_and_mailed_once_an_hour(series: Series) -> None:
    first = (await series.sign_up("Ada", activity_ids=series.ids[:2])).json()["items"]
    again = (await series.sign_up("Ada")).json()["items"]
    stranger = (await series.sign_up("Bo")).json()["items"]
    assert [{**item, "id": "", "held_until": ""} for item in again] == [
        {**item, "id": "", "held_until": ""} for item in stranger
    ]
    assert not {item["id"] for item in first} & {item["id"] for item in again}
    assert await series.taken() == [2, 2, 2]
    subjects = await series.dates[0].subjects("Ada")
    assert subjects == ["Confirm your places", "Confirm your place", "Confirm your places"]
    await series.open(_LINKS.findall(text_of((await series.dates[0].mails("Ada"))[2]))[0])
    assert [states["Ada"] for states in await series.states()] == ["confirmed", "confirmed", "unconfirmed"]


async def test_a_full_series_is_full_for_whoever_has_places_too_and_mails_nothing(series: Series) -> None:
    for name in ("Ada", "Bo"):
        await series.sign_up(name)
    before = len(await series.dates[0].mails("Ada"))
    replies = [await series.sign_up(name, status=409, activity_ids=series.ids) for name in ("Ada", "Cem")]
    told = [{**reply.json(), "trace_id": ""} for reply in replies]
    assert told[0] == told[1]
    assert [fault["pointer"] for fault in told[0]["errors"]] == [f"#/activity_ids/{number}" for number in range(3)]
    assert len(await series.dates[0].mails("Ada")) == before


async def test_whoever_has_confirmed_is_told_of_all_their_dates_in_one_mail_once_an_hour(series: Series) -> None:
    await series.sign_up("Ada")
    await series.open(await series.dates[0].secret("Ada"))
    for _ in range(2):
        await series.sign_up("Ada")
    mails = await series.dates[0].mails("Ada")
    assert [mail["Subject"].partition(":")[0] for mail in mails] == ["Confirm your places", *["You have places"] * 2]
    links = _LINKS.findall(text_of(mails[2]))
    assert len(set(links)) == 3
    await series.open(links[2], "/cancel")
    assert [states["Ada"] for states in await series.states()] == ["confirmed", "confirmed", "cancelled"]


async def test_the_last_places_go_to_somebody_whole_whoever_asks_at_once(series: Series) -> None:
    orders = [series.ids, series.ids[::-1], series.ids[1:] + series.ids[:1], series.ids[::-1]]
    asked = [
        series.network.client.post(
            series.address, headers=series.network.key(), json=series.body(name, activity_ids=order)
        )
        for name, order in zip(("Ada", "Bo", "Cem", "Dov"), orders, strict=True)
    ]
    replies = await asyncio.gather(*asked)
    assert sorted(reply.status_code for reply in replies) == [201, 201, 409, 409]
    assert await series.taken() == [2, 2, 2]


async def test_an_app_confirms_all_by_the_id_of_any_and_gives_one_back_before_that(series: Series) -> None:
    items = (await series.sign_up("Ada")).json()["items"]
    token = await series.dates[0].secret("Ada")
    client, address = series.network.client, "/registration/v1/registrations/{}/{}"
    gone = await client.post(address.format(items[0]["id"], "cancel"), json={"token": token})
    assert (gone.status_code, gone.json()["state"]) == (200, "cancelled")
    page = await client.get(f"/registration/v1/links/{token}")
    assert [page.text.count(day) for day in ("8 May 2027, 18:00", "<button")] == [0, 2]
    kept = await client.post(address.format(items[2]["id"], "confirm"), json={"token": token})
    assert (kept.status_code, kept.json()["id"], kept.json()["state"]) == (200, items[2]["id"], "confirmed")
    assert [states["Ada"] for states in await series.states()] == ["cancelled", "confirmed", "confirmed"]
    bo = (await series.dates[0].sign_up("Bo")).json()["id"]
    assert (await client.post(address.format(bo, "confirm"), json={"token": token})).status_code == 404


async def test_all_that_one_link_holds_is_given_up_by_its_page_at_once_and_told_once(series: Series) -> None:
    await series.sign_up("Ada")
    token, client = await series.dates[0].secret("Ada"), series.network.client
    page = await client.get(f"/registration/v1/links/{token}")
    assert f'action="{token}/cancel"' in page.text
    assert "No, give up all of them" in page.text
    for _ in range(2):
        assert (await client.post(f"/registration/v1/links/{token}/cancel")).status_code == 200
    assert (await series.states(), await series.taken()) == ([{"Ada": "cancelled"}] * 3, [0, 0, 0])
    _, mail = await series.dates[0].mails("Ada")
    assert mail["Subject"].startswith("You gave up your place")
    assert [text_of(mail).count(day) for day in ("8 May", "15 May", "22 May")] == [1, 1, 1]


async def test_a_date_whose_hold_ended_is_left_out_and_the_others_are_confirmed(series: Series) -> None:
    await series.sign_up("Ada")
    token = await series.dates[0].secret("Ada")
    ended = "UPDATE registration.registrations SET held_until = now() WHERE activity_id = $1"
    await rows(series.network.database_url, ended, series.ids[0])
    await series.open(token)
    assert [states["Ada"] for states in await series.states()] == ["unconfirmed", "confirmed", "confirmed"]


async def test_the_organisers_of_each_date_see_what_became_of_the_one_mail(series: Series) -> None:
    await series.sign_up("Ada")
    await series.network.sweep()
    for identity in series.ids:
        reply = await series.network.client.get(
            f"/registration/v1/activities/{identity}/registrations", headers=await series.network.local()
        )
        assert [(item["given_name"], item["mail"]) for item in reply.json()["items"]] == [("Ada", "sent")]


async def test_the_same_request_again_is_answered_alike_and_done_once(series: Series) -> None:
    body, key = series.body("Ada"), series.network.key()
    first, again = [await series.network.client.post(series.address, json=body, headers=key) for _ in range(2)]
    assert (first.status_code, again.content, again.headers["idempotency-replayed"]) == (201, first.content, "true")
    assert (await series.taken(), len(await series.dates[0].mails("Ada"))) == ([1, 1, 1], 1)
    assert (await series.network.client.post(series.address, json=body)).status_code == 400


async def test_what_is_no_date_of_the_series_is_named_and_nothing_is_kept(series: Series) -> None:
    other = (await series.network.published())["id"]
    bad = [
        ({"activity_ids": [series.ids[0], other, series.identity]}, ["#/activity_ids/1", "#/activity_ids/2"]),
        ({"activity_ids": [series.ids[0]] * 2}, ["#/activity_ids"]),
        ({"activity_ids": []}, ["#/activity_ids"]),
        ({"answers": {"size": "M"}}, ["#/answers/size"]),
        ({"guests": [{"given_name": "G", "family_name": "H", "participant_class": "local"}]}, ["#/guests"]),
    ]
    for changes, pointers in bad:
        document = await refused(
            series.network, "POST", series.address, status=422, headers=series.network.key(),
            json=series.body("Ada", **changes),
        )  # fmt: skip
        assert [fault["pointer"] for fault in document["errors"]] == pointers
    assert await series.taken() == [0, 0, 0]
    for method, address in (("POST", "registrations"), ("GET", "availability")):
        there = f"/registration/v1/series/{other}/{address}"
        told = {"json": series.body("Ada"), "headers": series.network.key()} if method == "POST" else {}
        assert (await series.network.client.request(method, there, **told)).status_code == 404


async def test_a_series_that_moves_as_a_whole_is_one_letter_to_whoever_has_several_places(series: Series) -> None:
    await series.sign_up("Ada")
    await series.open(await series.dates[0].secret("Ada"))
    await series.dates[0].confirmed("Bo")
    for number, (date, day) in enumerate(zip(series.dates, DAYS, strict=True)):
        await revise(date, starts_at=f"{day}T19:00", ends_at=f"{day}T22:00")
        apart = "UPDATE registration.places SET move_due_at = now() + make_interval(secs => $2) WHERE activity_id = $1"
        await rows(series.network.database_url, apart, UUID(date.activity_id), 20.0 * number)
    before = len(await series.dates[0].mails("Ada"))
    due = "SELECT count(*) FROM registration.places WHERE move_due_at <= now()"
    assert await value(series.network.database_url, due) == 1
    assert len(await series.dates[0].mails("Ada")) == before, "the first date waits for those that moved along with it"
    await settles(series.dates[0])
    [told] = (await series.dates[0].mails("Ada"))[before:]
    assert told["Subject"].startswith("Times or places have changed")
    assert text_of(told).count("19:00–22:00 (Rome time)") == 3
    links = _LINKS.findall(text_of(told))
    assert len(set(links)) == 3
    await series.open(links[1], "/cancel")
    assert [each["Ada"] for each in await series.states()] == ["confirmed", "cancelled", "confirmed"]
    assert (await series.dates[0].subjects("Bo"))[-1] == "Time or place has changed", (
        "of one date it is the letter of one"
    )
