"""The check-in page on a phone: without a network, with a scanner or without, for everybody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from tests.harness.browsing import Services, View, Viewer
from tests.harness.databases import eventually, rows, value
from tests.harness.line import Line
from tests.harness.sign_ups import in_hours, wanted

PHONE = {"viewport": {"width": 390, "height": 800}, "has_touch": True}
KINDS = {
    "dark": {"color_scheme": "dark"},
    "narrow": {"viewport": {"width": 320, "height": 700}},
}
PRESENT = """
SELECT count(*) FROM registration.attendances JOIN registration.registrations ON id = registration_id
WHERE activity_id::text = $1 AND present
"""
TOLD = "SELECT count(*) FROM events.log WHERE name = 'registration.attendance_recorded.v1' AND aggregate = $1"
KEPT = """
caches.match(new URL("../00000000-0000-0000-0000-000000000000/check-in", location.href).href)
  .then((page) => page && page.text())
"""
# As a finger does it that rests for longer than the page takes to look for news.
TOUCH = """
new Promise((done) => {
  const button = document.querySelector("#people button");
  dispatchEvent(new Event("online"));
  setTimeout(() => done(button.isConnected), 300);
})
"""
REASONS = """
SELECT reason FROM registration.attendance_history AS kept JOIN registration.registrations AS whose
ON whose.id = kept.registration_id WHERE activity_id::text = $1
"""
SCANNER = """
navigator.mediaDevices.getUserMedia = async () => {
  const canvas = document.createElement("canvas");
  const drawn = canvas.getContext("2d");
  setInterval(() => drawn.fillRect(Math.random() * 100, 0, 9, 9), 50);
  return canvas.captureStream();
};
window.BarcodeDetector = class {
  async detect() { return window.shown ? [{ rawValue: window.shown }] : []; }
};
"""


@dataclass
class Door:
    """An activity that begins soon, with people who have a place."""

    services: Services
    line: Line
    activity: str
    codes: dict[str, str]

    @property
    def address(self) -> str:
        return f"{self.line.base_url}/registration/activities/{self.activity}/check-in"

    async def open(self, viewer: Viewer, *, address: str | None = None, **context: Any) -> View:
        """The page as the organisers have it open, with the list."""
        view = await viewer.open(address or self.address, **{**PHONE, **context})
        await self.enter(view.page)
        return view

    async def enter(self, page: Page) -> None:
        await page.get_by_label("Your access token").fill(self.services.who["Authorization"].removeprefix("Bearer "))
        await page.get_by_role("button", name="Open the list").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Check-in: Cleaning Porto Ferro beach")

    async def is_back(self, page: Page) -> None:
        """The network is there again, and the phone notices."""
        await self.line.mend()
        await page.evaluate("void dispatchEvent(new Event('online'))")

    async def there(self) -> tuple[int, int]:
        """How many people are there, and how many facts the other services were told."""
        url = self.services.database_url
        return await value(url, PRESENT, self.activity), await value(url, TOLD, self.activity)

    async def soon(self, people: int, told: int) -> None:
        async def is_so() -> None:
            assert await self.there() == (people, told)

        await eventually(is_so)


@pytest.fixture
async def line(services: Services) -> AsyncIterator[Line]:
    made = Line(services.base_url)
    await made.mend()
    yield made
    await made.cut()


async def door(services: Services, line: Line, *names: str) -> Door:
    """The door of a new activity, with the phones' line to the services."""
    identity = await services.publish(await services.section(), starts_at=in_hours(1), ends_at=in_hours(3))
    client = services.network.client
    for name in names:
        body = wanted(identity, name, email=f"{name.lower()}@{identity}.example")
        reply = await client.post("/registration/v1/registrations", json=body, headers=services.network.key())
        assert reply.status_code == 201, reply.text
    statement = "SELECT given_name, code FROM registration.registrations WHERE activity_id::text = $1"
    found = await rows(services.database_url, statement, identity)
    return Door(services, line, identity, {row["given_name"]: row["code"] for row in found})


async def _is_kept(page: Page, language: str = "en") -> None:
    """Wait until the page would open without a network, in its language."""

    async def is_there() -> None:
        kept = await page.evaluate(KEPT)
        assert kept is not None
        assert f'<html lang="{language}"' in kept

    await eventually(is_there)


async def test_whoever_comes_while_there_is_no_network_is_there_once(
    services: Services, line: Line, viewer: Viewer
) -> None:
    ours = await door(services, line, "Ada", "Bo", "Cem")
    view = await ours.open(viewer)
    page = view.page
    await _is_kept(page)
    await ours.line.cut()
    await page.get_by_label("Check-in code").fill(f"{ours.codes['Ada'][:4].lower()}-{ours.codes['Ada'][4:]}")
    await page.keyboard.press("Enter")
    await expect(page.locator("#said")).to_have_text("✓ Ada Lovelace")
    # The phone goes to sleep in a pocket, and the browser starts anew.
    await page.reload()
    await expect(page.get_by_text("Offline: everything is kept on this phone. Not sent yet: 1.")).to_be_visible()
    await page.get_by_label("Name").fill("bo lov")
    await page.get_by_role("button", name="Bo Lovelace").click()
    await expect(page.get_by_role("button", name="Bo Lovelace")).to_be_disabled()
    await page.get_by_role("button", name="+1 local").click()
    await expect(page.get_by_role("heading", name="2 of 3 are here, 1 without a place.")).to_be_visible()
    assert await ours.there() == (0, 0)
    await ours.is_back(page)
    await expect(page.get_by_text("Online. Everything is sent.")).to_be_visible()
    assert await ours.there() == (2, 3)
    await page.reload()
    await expect(page.get_by_role("heading", name="2 of 3 are here, 1 without a place.")).to_be_visible()
    assert await ours.there() == (2, 3)


async def test_what_the_server_took_and_the_phone_was_not_told_of_is_sent_again_and_is_once(
    services: Services, line: Line, viewer: Viewer
) -> None:
    ours = await door(services, line, "Ada")
    page = (await ours.open(viewer)).page
    lost = 0

    async def lose_the_answer(route: Route) -> None:
        nonlocal lost
        lost += 1
        if lost == 1:
            await route.fetch()
            await route.abort()
        else:
            await route.continue_()

    await page.route("**/check-ins", lose_the_answer)
    await page.get_by_role("button", name="Ada Lovelace").click()
    await ours.soon(1, 1)
    await expect(page.get_by_text("Not sent yet: 1.")).to_be_visible()
    await page.evaluate("dispatchEvent(new Event('online'))")
    await expect(page.get_by_text("Online. Everything is sent.")).to_be_visible()
    assert (lost, await ours.there()) == (2, (1, 1))


async def test_a_slip_of_the_finger_is_taken_back_and_whoever_comes_after_all_is_checked_in(
    services: Services, line: Line, viewer: Viewer
) -> None:
    ours = await door(services, line, "Ada", "Bo")
    page = (await ours.open(viewer)).page
    ada = page.get_by_role("button", name="Ada Lovelace")
    await ada.click()
    await ours.soon(1, 1)
    await page.locator("#undo").click()
    await expect(page.locator("#said")).to_have_text("Undone: Ada Lovelace")
    await ours.soon(0, 2)
    await expect(ada).to_be_enabled()
    assert await value(services.database_url, REASONS, ours.activity) == "Undone on the check-in page"
    # No check-in stands above a correction, but whoever stands at the door does.
    await ada.click()
    await ours.soon(1, 3)
    await page.reload()
    await expect(page.get_by_role("heading", name="1 of 2 are here, 0 without a place.")).to_be_visible()
    await page.locator("#people").get_by_role("button", name="Undo").click()
    await ours.soon(0, 4)


async def test_what_is_taken_back_before_it_was_sent_was_never_there(
    services: Services, line: Line, viewer: Viewer
) -> None:
    ours = await door(services, line, "Ada")
    page = (await ours.open(viewer)).page
    await ours.line.cut()
    await page.get_by_role("button", name="Ada Lovelace").click()
    await page.get_by_role("button", name="+1 local").click()
    await expect(page.get_by_role("heading", name="1 of 1 are here, 1 without a place.")).to_be_visible()
    await page.get_by_role("button", name="Undo: Without a place: Local").click()
    await page.locator("#people").get_by_role("button", name="Undo").click()
    await expect(page.get_by_role("heading", name="0 of 1 are here, 0 without a place.")).to_be_visible()
    await ours.is_back(page)
    await expect(page.get_by_text("Online. Everything is sent.")).to_be_visible()
    assert await ours.there() == (0, 0)


async def test_hours_and_who_came_without_a_place_are_put_right_with_and_without_a_network(
    services: Services, line: Line, viewer: Viewer
) -> None:
    ours = await door(services, line, "Ada")
    page = (await ours.open(viewer)).page
    await page.get_by_role("button", name="Ada Lovelace").click()
    await page.get_by_role("button", name="+1 ESN volunteer").click()
    await ours.soon(1, 2)
    await expect(page.get_by_role("button", name="Undo: Without a place: ESN volunteer")).to_be_visible()
    await ours.line.cut()
    await page.get_by_role("button", name="Undo: Without a place: ESN volunteer").click()
    await page.get_by_role("button", name="Hours").click()
    await expect(page.get_by_role("spinbutton", name="Hours of Ada Lovelace")).to_have_value("2")
    await page.get_by_role("spinbutton", name="Hours of Ada Lovelace").fill("1.5")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Not sent yet: 2.")).to_be_visible()
    await expect(page.get_by_role("heading", name="1 of 1 are here, 0 without a place.")).to_be_visible()
    await ours.is_back(page)
    await expect(page.get_by_text("Online. Everything is sent.")).to_be_visible()
    await expect(page.get_by_role("button", name="Ada Lovelace")).to_contain_text("1.5 h")
    assert await ours.there() == (1, 4)
    await expect(page.get_by_role("heading", name="1 of 1 are here, 0 without a place.")).to_be_visible()


async def test_who_came_without_a_place_is_taken_back_on_another_phone(
    services: Services, line: Line, viewer: Viewer
) -> None:
    ours = await door(services, line, "Ada")
    told = (await ours.open(viewer)).page
    await told.get_by_role("button", name="+1 local").click()
    await told.get_by_role("button", name="+1 ESN volunteer").click()
    await ours.soon(0, 2)
    other = (await ours.open(viewer)).page
    await expect(other.get_by_role("heading", name="0 of 1 are here, 2 without a place.")).to_be_visible()
    await expect(other.get_by_role("button", name="Undo: Without a place: International")).to_have_count(0)
    await other.get_by_role("button", name="Undo: Without a place: Local").click()
    await expect(other.locator("#said")).to_have_text("Undone: Without a place: Local")
    await ours.soon(0, 3)
    await expect(other.get_by_role("button", name="Undo: Without a place: Local")).to_have_count(0)
    left = "SELECT participant_class FROM registration.walk_ins WHERE activity_id::text = $1 AND present"
    assert await value(services.database_url, left, ours.activity) == "esn_volunteer"
    # The first phone hears of it, and what is no more can't be taken back twice.
    await told.reload()
    await expect(told.get_by_role("heading", name="0 of 1 are here, 1 without a place.")).to_be_visible()
    await expect(told.get_by_role("button", name="Undo: Without a place: Local")).to_have_count(0)


async def test_what_is_being_touched_is_not_replaced_when_there_is_no_news(
    services: Services, line: Line, viewer: Viewer
) -> None:
    ours = await door(services, line, "Ada")
    page = (await ours.open(viewer)).page
    await ours.line.cut()
    await page.get_by_role("button", name="+1 local").click()
    await expect(page.get_by_text("Not sent yet: 1.")).to_be_visible()
    assert await page.evaluate(TOUCH), "the button went away under the finger, and the tap with it"


async def test_those_who_did_not_come_are_marked_once_it_is_over(
    services: Services, line: Line, viewer: Viewer
) -> None:
    ours = await door(services, line, "Ada", "Bo")
    page = (await ours.open(viewer)).page
    await page.get_by_role("button", name="Ada Lovelace").click()
    await page.get_by_role("button", name="Mark all others as not come").click()
    await expect(page.locator("#said")).to_have_text("The activity is not over yet: they may still come.")
    over = """UPDATE registration.places SET starts_at = now() - interval '2 hours', ends_at = now()
    WHERE activity_id::text = $1"""
    await rows(services.database_url, over, ours.activity)
    confirmed = "UPDATE registration.registrations SET state = 'confirmed' WHERE activity_id::text = $1"
    await rows(services.database_url, confirmed, ours.activity)
    await page.get_by_role("button", name="Mark all others as not come").click()
    await expect(page.locator("#said")).to_have_text("Marked as not come: 1.")
    await expect(page.get_by_role("button", name="Bo Lovelace")).to_contain_text("did not come")


async def test_the_page_is_in_the_language_of_its_reader_also_without_a_network(
    services: Services, line: Line, viewer: Viewer
) -> None:
    ours = await door(services, line, "Ada")
    view = await viewer.open(ours.address, **{**PHONE, "locale": "it-IT"})
    page = view.page
    assert await page.get_attribute("html", "lang") == "it"
    await page.get_by_role("link", name="polski").click()
    await page.get_by_label("Twój token dostępu").fill(services.who["Authorization"].removeprefix("Bearer "))
    await page.get_by_role("button", name="Otwórz listę").click()
    await expect(page.get_by_role("button", name="Ada Lovelace")).to_be_visible()
    await _is_kept(page, "pl")
    await ours.line.cut()
    await page.reload()
    await page.get_by_role("button", name="Ada Lovelace").click()
    await expect(
        page.get_by_text("Brak sieci: wszystko zostaje na tym telefonie. Jeszcze niewysłane: 1.")
    ).to_be_visible()
    assert [line for line in view.console if "violates" in line] == []


async def test_the_code_of_a_stranger_is_refused_with_the_reason(
    services: Services, line: Line, viewer: Viewer
) -> None:
    ours, other = await door(services, line, "Ada"), await door(services, line, "Zoe")
    view = await ours.open(viewer)
    page = view.page
    for code, reason in (
        ("0000-0000", "Nobody has this code here."),
        (other.codes["Zoe"], "Nobody has this code here."),
    ):
        await page.get_by_label("Check-in code").fill(code)
        await page.get_by_role("button", name="Check in", exact=True).click()
        await expect(page.locator("#said")).to_contain_text(reason)
        await expect(page.locator("#refused li")).to_have_count(1)
        assert "Zoe" not in await page.inner_text("body")
        await page.get_by_role("button", name="All right").click()
        await expect(page.get_by_role("heading", name="Refused")).to_be_hidden()
    assert (await ours.there(), await other.there()) == ((0, 0), (0, 0))
    assert [line for line in view.console if "uncaught" in line or "violates" in line] == []


async def test_a_code_is_scanned_or_opened_by_the_phones_own_camera(
    services: Services, line: Line, viewer: Viewer
) -> None:
    ours = await door(services, line, "Ada", "Bo")
    view = await viewer.open("about:blank", **PHONE)
    page = view.page
    await page.add_init_script(SCANNER)
    await page.goto(ours.address)
    await ours.enter(page)
    await page.get_by_role("button", name="Scan with the camera").click()
    await page.evaluate("code => { window.shown = code }", f"{ours.address}#{ours.codes['Ada']}")
    await expect(page.locator("#said")).to_have_text("✓ Ada Lovelace")
    await ours.soon(1, 1)
    # Another tab, which the camera opened, gets the token of the first and waits for a tap.
    camera = await page.context.new_page()
    await camera.goto(f"{ours.address}#{ours.codes['Bo'][:4]}-{ours.codes['Bo'][4:]}")
    await expect(camera.get_by_label("Check-in code")).to_have_value(f"{ours.codes['Bo'][:4]}-{ours.codes['Bo'][4:]}")
    await expect(camera.get_by_role("button", name="Bo Lovelace")).to_be_enabled()
    assert camera.url == ours.address
    assert await ours.there() == (1, 1)
    await camera.get_by_role("button", name="Check in", exact=True).click()
    await ours.soon(2, 2)


async def test_the_token_is_in_this_tab_only_and_leaving_takes_the_list_along(
    services: Services, line: Line, viewer: Viewer
) -> None:
    ours = await door(services, line, "Ada")
    view = await ours.open(viewer)
    page = view.page
    token = services.who["Authorization"].removeprefix("Bearer ")
    assert not [address for address in view.requests if token in address]
    assert token not in await page.evaluate("JSON.stringify(localStorage)")
    assert "Ada" in await page.evaluate("JSON.stringify(localStorage)")
    await ours.line.cut()
    await page.get_by_role("button", name="Ada Lovelace").click()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_text("Not sent yet: 1.")).to_be_visible()
    kept = await page.evaluate("JSON.stringify(localStorage) + JSON.stringify(sessionStorage)")
    assert "Ada" not in kept
    assert token not in kept
    await ours.is_back(page)
    await ours.enter(page)
    await ours.soon(1, 1)


async def test_a_token_that_is_not_valid_is_asked_for_again(services: Services, line: Line, viewer: Viewer) -> None:
    ours = await door(services, line)
    page = (await viewer.open(ours.address, **PHONE)).page
    await page.get_by_label("Your access token").fill("set_nobody")
    await page.get_by_role("button", name="Open the list").click()
    await expect(page.get_by_text("This token is not valid any more.")).to_be_visible()
    await expect(page.get_by_label("Your access token")).to_be_focused()
    await ours.enter(page)


@pytest.mark.parametrize("kind", KINDS)
async def test_everybody_can_use_it(
    services: Services, line: Line, viewer: Viewer, pictures: Path | None, kind: str
) -> None:
    ours = await door(services, line, "Ada", "Maximiliane-Konstantinopolitanska")
    view = await viewer.open(ours.address, for_axe=True, **{**PHONE, **KINDS[kind]})
    page = view.page
    assert await view.violations() == []
    await ours.enter(page)
    await page.get_by_label("Check-in code").fill("00000000")
    await page.keyboard.press("Enter")
    await expect(page.locator("#refused li")).to_have_count(1)
    await page.get_by_role("button", name="Ada Lovelace").press("Enter")
    await expect(page.locator("#said")).to_have_text("✓ Ada Lovelace")
    assert await view.violations() == []
    assert await view.fits()
    heights = await page.eval_on_selector_all("button, input", "all => all.map(each => each.offsetHeight)")
    assert min(height for height in heights if height) >= 48
    if pictures:
        await page.screenshot(path=pictures / f"check-in, {kind}.png", full_page=True)
