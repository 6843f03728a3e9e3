"""The form for signing up in a real browser: with the keyboard alone, without scripts, for everybody."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.api.test_registration_terms import QUESTIONS
from tests.harness.browsing import Services, Viewer
from tests.harness.databases import eventually, value

YEAR = datetime.now(UTC).year + 1
KINDS = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "narrow": {"viewport": {"width": 320, "height": 700}},
}


async def _asking(services: Services) -> str:
    """An activity that asks for much; answers the address of its form."""
    told = {"starts_at": f"{YEAR}-05-08T10:00", "ends_at": f"{YEAR}-05-08T13:00"}
    identity = await services.publish(await services.section(), **told, requirements={"minimum_age": 16}, capacity=9)
    client = services.network.client
    address = f"/registration/v1/activities/{identity}/terms"
    headers = {**services.who, "If-Match": (await client.get(address)).headers["etag"]}
    terms = {"questions": QUESTIONS, "guests_at_most": 1}
    assert (await client.put(address, json=terms, headers=headers)).status_code == 200
    return f"{services.base_url}/registration/activities/{identity}"


async def test_one_signs_up_with_the_keyboard_alone_and_is_mailed(services: Services, viewer: Viewer) -> None:
    view = await viewer.open(await _asking(services), java_script_enabled=False)
    press = view.page.keyboard

    async def write(*words: str) -> None:
        for text in words:
            await press.press("Tab")
            await press.type(text)

    await write("Ada", "Lovelace", "ada@students.example", "i", "Port", "stu", "My")
    await press.press("Tab")
    await write("7", "01092026")
    await view.page.get_by_label("You may take pictures of me.").focus()
    await press.press("Space")
    for _ in range(2):  # Past the guests, to the first consent.
        await press.press("Tab")
    await press.press("Space")
    await press.press("Enter")
    # The box of the minimum age was left out: the browser itself leads there.
    of_age = view.page.get_by_role("checkbox", name="I am old enough")
    await expect(of_age).to_be_focused()
    await press.press("Space")
    await press.press("Enter")
    await expect(view.page.get_by_role("heading", level=1)).to_have_text("Look into your mailbox")
    await expect(view.page.get_by_role("status")).to_contain_text("ada@students.example")
    assert view.console == []

    async def is_mailed() -> None:
        sent = "SELECT count(*) FROM registration.outgoing_mail WHERE recipient = 'ada@students.example'"
        assert await value(services.database_url, sent) == 1

    await eventually(is_mailed)


@pytest.mark.parametrize("kind", KINDS)
async def test_everybody_can_use_it(services: Services, viewer: Viewer, pictures: Path | None, kind: str) -> None:
    view = await viewer.open(await _asking(services), for_axe=True, **KINDS[kind])
    assert await view.fits()
    assert await view.violations() == []
    if pictures:
        await view.page.screenshot(path=pictures / f"sign up, {kind}.png", full_page=True)
    # As a browser sends it that checks nothing by itself.
    await view.page.evaluate("document.forms[0].noValidate = true")
    await view.page.get_by_text("Bring guests along").click()
    await view.page.get_by_label("Given name").nth(1).fill("Grace")
    await view.page.get_by_role("button", name="Sign up").click()
    summary = view.page.get_by_role("alert")
    await expect(summary).to_be_focused()
    await summary.get_by_role("link", name="E-mail address").click()
    await expect(view.page.get_by_role("textbox", name="E-mail address")).to_be_focused()
    await expect(view.page.get_by_label("Given name").nth(1)).to_have_value("Grace")
    assert await view.fits()
    assert await view.violations() == []
    if pictures:
        await view.page.screenshot(path=pictures / f"sign up, faults, {kind}.png", full_page=True)


@pytest.mark.parametrize("runs_scripts", [True, False])
async def test_who_has_to_work_first_only_waits_or_is_told_what_to_do(
    services: Services, viewer: Viewer, runs_scripts: bool
) -> None:
    told = {"starts_at": f"{YEAR}-05-08T10:00", "ends_at": f"{YEAR}-05-08T13:00"}
    identity = await services.publish(await services.section(), **told, capacity=4)
    for _ in range(3):
        await services.sign_up(identity)
    address = f"{services.base_url}/registration/activities/{identity}"
    view = await viewer.open(address, java_script_enabled=runs_scripts)
    for label, written in (("Given name", "Zoe"), ("Family name", "Lee"), ("E-mail address", "zoe@students.example")):
        await view.page.get_by_role("textbox", name=label).fill(written)
    await view.page.get_by_label("You come as").select_option("local")
    for box in await view.page.get_by_role("checkbox").all():
        await box.check()
    await view.page.get_by_role("button", name="Sign up").click()
    heading = view.page.get_by_role("heading", level=1)
    if runs_scripts:
        await expect(heading).to_have_text("Look into your mailbox")
    else:
        await expect(view.page.get_by_role("alert")).to_contain_text("Nothing was done so far.")
        await expect(view.page.get_by_label("Given name")).to_have_value("Zoe")
    # A browser says of every answer that is no 200 that it is none.
    assert [line for line in view.console if "403" not in line] == []
