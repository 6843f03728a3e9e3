"""A certificate in a real browser: made behind the link, opened, and verified by somebody else, for everybody."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from playwright.async_api import Browser, Frame, Page, expect

from tests.harness.browsing import Services, Viewer
from tests.harness.databases import eventually, rows, value
from tests.harness.pictures import codes_on
from tests.harness.sign_ups import in_hours

KINDS = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "narrow": {"viewport": {"width": 320, "height": 700}},
}


@pytest.fixture
async def mine(services: Services) -> str:
    """The page of somebody who was at an activity that is over."""
    identity = await services.publish(await services.section(), starts_at=in_hours(1), ends_at=in_hours(3))
    await services.sign_up(identity)
    of = f"WHERE activity_id = '{identity}'"
    url, secret = services.database_url, f"browser-{identity}"
    registration = await value(url, f"SELECT id FROM registration.registrations {of}")
    over = "starts_at = now() - interval '2 hours', ends_at = now()"
    await rows(url, f"UPDATE registration.places SET {over} {of}")
    note = {"registration_id": str(registration), "at": in_hours(0), "nonce": f"device-{identity}", "hours": 2.5}
    address = f"/registration/v1/activities/{identity}/check-ins"
    assert (await services.network.client.post(address, json=note, headers=services.who)).status_code == 200
    await rows(
        url,
        "INSERT INTO registration.links (token_hash, registration_id, purpose, expires_at)"
        " VALUES ($1, $2, 'manage', now() + interval '1 day')",
        hashlib.sha256(secret.encode()).digest(),
        registration,
    )
    return f"{services.base_url}/registration/v1/links/{secret}/me/certificates"


async def _reader(page: Page) -> Frame:
    found = [frame for frame in page.frames if frame.url.startswith("chrome-extension:")]
    assert found
    return found[0]


@pytest.mark.parametrize("kind", KINDS)
async def test_one_makes_a_certificate_and_anybody_verifies_it(
    mine: str, viewer: Viewer, pictures: Path | None, kind: str
) -> None:
    view = await viewer.open(mine, for_axe=True, **KINDS[kind])
    page = view.page

    async def is_for_everybody(name: str) -> None:
        assert await view.fits()
        assert await view.violations() == []
        if pictures:
            await page.screenshot(path=pictures / f"certificate, {name}, {kind}.png", full_page=True)

    await expect(page.get_by_role("cell", name="2.5").first).to_be_visible()
    await page.get_by_role("button", name="Make the certificate").click()
    await expect(page.get_by_role("status")).to_have_text("Your certificate is ready.")
    await is_for_everybody("mine")
    number = await page.locator(".cards strong").inner_text()
    await page.get_by_role("link", name="What others see").click()
    await expect(page.get_by_role("status")).to_have_text("This certificate is valid.")
    await expect(page.get_by_text("Ana Silva")).to_be_visible()
    assert page.url.endswith(f"/registration/certificates/{number}")
    await is_for_everybody("verified")
    await page.get_by_role("link", name="Deutsch").click()
    await expect(page.get_by_role("status")).to_have_text("Diese Bescheinigung ist gültig.")


async def test_who_reads_the_number_from_paper_writes_it_down(services: Services, viewer: Viewer, mine: str) -> None:
    secret = mine.split("/")[-3]
    made = await services.network.client.post(
        "/registration/v1/me/certificates", json={}, headers={"Authorization": f"Link {secret}"}
    )
    view = await viewer.open(f"{services.base_url}/registration/certificates", java_script_enabled=False)
    field = view.page.get_by_label("Number of the certificate")
    await field.fill("SE-0000-0000-0000-0001")
    await field.press("Enter")
    await expect(view.page.get_by_role("status")).to_contain_text("There is no certificate with this number.")
    await field.fill(made.json()["number"].lower().replace("-", " "))
    await field.press("Enter")
    await expect(view.page.get_by_role("status")).to_have_text("This certificate is valid.")
    assert [each for each in view.console if "404" not in each] == []


async def test_the_certificate_is_opened_in_the_browser_and_its_code_leads_to_its_page(
    services: Services, mine: str, viewer: Viewer, browser: Browser, pictures: Path | None
) -> None:
    view = await viewer.open(mine, viewport={"width": 1200, "height": 1600})
    page = view.page
    await page.get_by_role("button", name="Make the certificate").click()
    await page.get_by_role("link", name="Download as PDF").click()
    await page.wait_for_url("**/SE-*.pdf")
    # Chromium's own reader of PDF shows the name of the file until it has understood that, and then the title.
    reader = await eventually(lambda: _reader(page))
    await expect(reader.locator("#title").first).to_have_text("Certificate of volunteering")
    number = page.url.rpartition("/")[2].removesuffix(".pdf")

    async def is_read() -> None:
        found = await codes_on(browser, await page.screenshot())
        assert found == [f"{services.base_url}/registration/certificates/{number}"]

    await eventually(is_read)
    if pictures:
        await page.screenshot(path=pictures / "certificate, opened.png")
