"""The pages of the figures in a real browser: for everybody, on any screen, by keyboard and without a script."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.async_api import expect

from services.kernel.runtime import Runtime
from tests.harness.browsing import Services, Viewer
from tests.harness.figures import enter, held
from tests.harness.network import Network

KINDS = {
    "light": {},
    "dark, narrow": {"color_scheme": "dark", "viewport": {"width": 320, "height": 700}},
    "Italian, narrow": {"locale": "it-IT", "viewport": {"width": 320, "height": 700}},
    "German, dark": {"locale": "de-DE", "color_scheme": "dark", "viewport": {"width": 1280, "height": 900}},
}
VIEWS = {
    "light": ("", "definitions"),
    "dark, narrow": ("", "sections/BA-SARA-ESN", "countries/AQ"),
    "Italian, narrow": ("editions/2025-autumn", "definitions"),
    "German, dark": ("countries/CZ?period=2025-autumn",),
}
AUTUMN, SPRING = date(2025, 11, 12), date(2025, 5, 7)
ROWS = [
    held("BA-SARA-ESN", AUTUMN, edition="2025-autumn", causes=["environmental-sustainability"], hours=Decimal("1234.5"),
         beneficiaries=210, quantities={("waste", "kg"): Decimal(1300), ("goods_boxes", "1"): Decimal(12)}),
    held("BA-SARA-ESN", SPRING, edition="2025-spring", causes=["skills-employability"], unclassified=12),
    held("CZ-PRAG-ISC", AUTUMN, edition="2025-autumn", causes=["health-well-being"], international=48),
    held("CZ-PRAG-ISC", AUTUMN, edition="2025-autumn", causes=["culture"], outcome="cancelled", international=None,
         local=None, esn_volunteer=None, hours=None),
    held("CZ-PRAG-ISC", SPRING, edition="2025-spring", causes=["culture"]),
]  # fmt: skip
EDITIONS = [
    ("2025-spring", date(2025, 5, 5), date(2025, 5, 18)),
    ("2025-autumn", date(2025, 11, 10), date(2025, 11, 23)),
]


@pytest.fixture(scope="module")
async def impact(services: Services) -> AsyncIterator[str]:
    """Where the pages are, once there are figures."""
    settings = services.network.settings
    runtime = Runtime(settings, role="impact")
    known = Network(settings, services.database_url, {"impact": runtime}, services.network.client)
    await enter(known, ROWS, sections=["BA-SARA-ESN", "CZ-PRAG-ISC", "CZ-BRNO-ESN"], editions=EDITIONS)
    yield f"{services.base_url}/impact/"
    await runtime.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_the_pages_are_for_everybody(impact: str, viewer: Viewer, pictures: Path | None, kind: str) -> None:
    for address in VIEWS[kind]:
        view = await viewer.open(impact + address, for_axe=True, **KINDS[kind])
        await expect(view.page.get_by_role("heading", level=1)).to_be_visible()
        if pictures:
            name = address.partition("?")[0].replace("/", " ") or "all"
            await view.page.screenshot(path=pictures / f"impact, {name}, {kind}.png", full_page=True)
        assert await view.fits(), address
        assert await view.violations() == [], address


async def test_one_goes_by_keyboard_from_everything_to_a_country_in_an_edition(impact: str, viewer: Viewer) -> None:
    view = await viewer.open(impact, java_script_enabled=False)
    page = view.page
    await page.get_by_label("Period").focus()
    # As a visitor types: the first letters choose in a list.
    await page.keyboard.type("Autumn 2025")
    await page.keyboard.press("Tab")
    await page.keyboard.type("Cze")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/impact/countries/CZ?period=2025-autumn")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Czechia · Autumn 2025")
    participants = page.locator(".figures div").filter(has_text="Participants").first
    await expect(participants).to_contain_text("52")
    await expect(participants).to_contain_text("+42 (+420%) compared with: Spring 2025")
    await expect(page.get_by_label("Period")).to_have_value("2025-autumn")
    await page.get_by_role("link", name="ESN CZ-PRAG-ISC").click()
    await expect(page).to_have_url(f"{impact}sections/CZ-PRAG-ISC?period=2025-autumn")
    await page.get_by_role("link", name="italiano").click()
    await expect(page.get_by_role("heading", name="Chi ha partecipato")).to_be_visible()
    assert view.console == []
    assert {each.split("/impact/")[0] for each in view.requests} == {impact.removesuffix("/impact/")}
