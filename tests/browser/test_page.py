"""The page of an activity in a real browser, by itself and in a frame of another website."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from tests.harness.browsing import Services, Site, Viewer

YEAR = datetime.now(UTC).year + 1
ACTIVITY: dict[str, Any] = {
    "starts_at": f"{YEAR}-05-08T10:00", "ends_at": f"{YEAR}-05-08T13:00",
    "sign_up": {"closes_at": f"{YEAR}-05-07T18:00"}, "requirements": {"minimum_age": 16, "notes": "Bring water."},
    "title": "Beach-cleaning" + "-and-a-very-long-word" * 4,
}  # fmt: skip
KINDS: dict[str, dict[str, Any]] = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "narrow, dark": {"color_scheme": "dark", "viewport": {"width": 320, "height": 700}},
}


async def test_it_shows_live_places_and_complains_of_nothing(services: Services, viewer: Viewer) -> None:
    identity = await services.publish(await services.section(), **ACTIVITY, capacity=2)
    view = await viewer.open(f"{services.base_url}/activities/{identity}?lang=it", with_clock=True)
    await view.page.route("**/availability*", lambda route: route.continue_())
    places = view.page.get_by_role("status")
    await expect(places).to_have_text("2 liberi su 2")
    await services.sign_up(identity)
    await view.page.clock.run_for(61_000)
    await expect(places).to_have_text("1 liberi su 2")
    await services.sign_up(identity)
    await view.page.clock.run_for(61_000)
    await expect(places).to_have_text("Al completo")
    # A policy that is broken, the data of JSON-LD among it, would be told here.
    assert view.console == []
    assert all(address.startswith(services.base_url) for address in view.requests)
    assert await view.page.context.cookies() == []


async def test_without_scripts_it_is_complete(services: Services, viewer: Viewer) -> None:
    identity = await services.publish(await services.section(), **ACTIVITY)
    view = await viewer.open(f"{services.base_url}/activities/{identity}", java_script_enabled=False)
    await expect(view.page.get_by_role("heading", level=1)).to_have_text(ACTIVITY["title"])
    await expect(view.page.get_by_role("main")).to_contain_text(f"Sign-up until Fri 7 May {YEAR}, 18:00 CEST")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("path", ["", "/embed"])
async def test_everybody_can_use_it(
    services: Services, viewer: Viewer, pictures: Path | None, kind: str, path: str
) -> None:
    identity = await services.publish(await services.section(website="https://alghero.example.org/"), **ACTIVITY)
    view = await viewer.open(f"{services.base_url}/activities/{identity}{path}", for_axe=True, **KINDS[kind])
    await expect(view.page.get_by_role("status")).to_contain_text("free")
    assert await view.fits()
    assert await view.violations() == []
    if pictures:
        await view.page.screenshot(path=pictures / f"page{path.replace('/', ' ')}, {kind}.png", full_page=True)


async def test_an_address_that_leads_nowhere_says_so(services: Services, viewer: Viewer) -> None:
    address = f"{services.base_url}/activities/01890000-0000-7000-8000-000000000000?lang=es"
    view = await viewer.open(address, for_axe=True)
    await expect(view.page.get_by_role("heading", level=1)).to_have_text("No existe esta actividad.")
    assert await view.violations() == []


async def test_what_oembed_answers_works_on_another_website(services: Services, site: Site, viewer: Viewer) -> None:
    identity = await services.publish(await services.section(), **ACTIVITY)
    page = f"{services.base_url}/activities/{identity}"
    told = (await services.network.client.get("/activities/oembed", params={"url": page, "maxwidth": 500})).json()
    view = await viewer.open(site.put_plain(told["html"]))
    frame = view.page.frame_locator("iframe")
    await expect(frame.get_by_role("status")).to_have_text("40 of 40 free")
    async with view.page.context.expect_page() as opened:
        await frame.get_by_role("link", name=ACTIVITY["title"]).click()
    there = await opened.value
    await expect(there).to_have_url(f"{page}?lang=en")
    assert view.console == []


async def test_the_page_itself_is_shown_in_no_frame(services: Services, site: Site, viewer: Viewer) -> None:
    identity = await services.publish(await services.section(), **ACTIVITY)
    view = await viewer.open(site.put_plain(f'<iframe src="{services.base_url}/activities/{identity}"></iframe>'))
    await expect(view.page.frame_locator("iframe").get_by_role("main")).to_have_count(0)
    assert any("frame-ancestors" in line for line in view.console)
