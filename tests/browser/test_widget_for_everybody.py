"""The element and its demo page by keyboard, in the dark, from right to left, at 320 pixels, and as axe sees them."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from tests.harness.browsing import Services, Site, Viewer

YEAR = datetime.now(UTC).year + 1
LINKS = 'activity-url="/what/{id}" sign-up-url="/join/{id}"'
LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenreinigungsnachmittag am Ufer"


@pytest.fixture(scope="module")
async def section(services: Services) -> str:
    """A section whose activities are of every kind."""
    code = await services.section(website="https://alghero.example.org/")
    await services.publish(code, starts_at=f"{YEAR}-05-08T10:00", ends_at=f"{YEAR}-05-08T13:00")
    await services.publish(
        code, starts_at=f"{YEAR}-05-09T10:00", ends_at=f"{YEAR}-05-10T13:00", title=LONG, language="de", capacity=None
    )
    await services.publish(
        code, starts_at=f"{YEAR}-05-10T18:00", ends_at=f"{YEAR}-05-10T20:00",
        title="تنظيف الشاطئ مع ESN", language="ar",
        mode="online", place=None, online_url="https://meet.example.org/x",
        sign_up={"opens_at": f"{YEAR}-04-01T09:00"},
    )  # fmt: skip
    full = await services.publish(code, starts_at=f"{YEAR}-05-11T10:00", ends_at=f"{YEAR}-05-11T13:00", capacity=1)
    await services.sign_up(full)
    return code


def page(section: str, more: str = "") -> str:
    return f'<socialerasmus-activities section="{section}" {LINKS} {more}></socialerasmus-activities>'


SCHEME = '<meta name="color-scheme" content="light dark">'
KINDS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "light": ('lang="en"', "", {}),
    "dark": ('lang="it"', SCHEME, {"color_scheme": "dark"}),
    "right-to-left": ('lang="ar" dir="rtl"', "", {"locale": "es-ES"}),
    "narrow": ('lang="es"', "", {"viewport": {"width": 320, "height": 700}}),
    "narrow, dark, right-to-left": (
        'lang="ar" dir="rtl"', SCHEME, {"viewport": {"width": 320, "height": 700}, "color_scheme": "dark"},
    ),
    "forced colours": ('lang="en"', "", {"forced_colors": "active"}),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
async def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    services: Services, site: Site, viewer: Viewer, section: str, pictures: Path | None, kind: str
) -> None:
    html, head, context = KINDS[kind]
    view = await viewer.open(site.put(page(section), html=html, head=head), for_axe=True, **context)
    await expect(view.items).to_have_count(4)
    await view.page.wait_for_load_state("networkidle")
    assert await view.fits()
    if pictures:
        await view.page.screenshot(path=pictures / f"{kind}.png", full_page=True)
    assert await view.violations() == []
    for link in await view.element.get_by_role("link").all():
        box = await link.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 24, await link.inner_text()


@pytest.mark.parametrize("state", ["empty", "error"])
async def test_axe_finds_nothing_where_there_is_nothing(
    services: Services, site: Site, viewer: Viewer, pictures: Path | None, state: str
) -> None:
    code = await services.section() if state == "empty" else "no code"
    more = 'edition="!"' if state == "error" else ""
    view = await viewer.open(site.put(page(code, more)), for_axe=True)
    said = "No activities are planned" if state == "empty" else "could not be loaded"
    await expect(view.status).to_contain_text(said)
    if pictures:
        await view.page.screenshot(path=pictures / f"{state}.png")
    assert await view.violations() == []


async def test_the_keyboard_goes_through_it_in_reading_order_and_out_again(
    services: Services, site: Site, viewer: Viewer, section: str, pictures: Path | None
) -> None:
    view = await viewer.open(site.put(f'<a href="#before">Before</a>{page(section)}<a href="#after">After</a>'))
    await expect(view.items).to_have_count(4)
    await expect(view.element.get_by_role("link", name="ESN Alghero")).to_have_count(4)
    assert await view.focused() == "", "it takes no focus by itself"
    stops = []
    for number in itertools.count():
        await view.page.keyboard.press("Tab")
        stops.append(await view.focused())
        if stops[-1] == "Sign up Cleaning Porto Ferro beach":
            outline = await view.page.evaluate(
                "getComputedStyle(document.activeElement.shadowRoot.activeElement).outlineStyle"
            )
            assert outline == "solid"
            if pictures:
                await view.page.screenshot(path=pictures / "focus.png")
        if stops[-1] == "After" or number > 30:
            break
    beach = "Cleaning Porto Ferro beach"
    assert stops == [
        "Before",
        beach, "ESN Alghero", f"Sign up {beach}",
        LONG, "ESN Alghero", f"Sign up {LONG}",
        "تنظيف الشاطئ مع ESN", "Online", "ESN Alghero",
        beach, "ESN Alghero",
        "After",
    ]  # fmt: skip


async def test_dark_is_the_page_s_choice(services: Services, site: Site, viewer: Viewer, section: str) -> None:
    async def background(head: str) -> str:
        view = await viewer.open(site.put(page(section), head=head), color_scheme="dark")
        await expect(view.items).to_have_count(4)
        colour: str = await view.items.first.evaluate("(item) => getComputedStyle(item).backgroundColor")
        return colour

    assert await background("") == "rgb(255, 255, 255)"
    assert await background(SCHEME) == "rgb(29, 29, 38)"


async def test_from_right_to_left_it_begins_at_the_right(
    services: Services, site: Site, viewer: Viewer, section: str
) -> None:
    view = await viewer.open(site.put(page(section), html='lang="ar" dir="rtl"'))
    await expect(view.items).to_have_count(4)
    first, second = [await view.items.nth(number).bounding_box() for number in (0, 1)]
    opens = await view.items.nth(2).get_by_text("Sign-up opens").bounding_box()
    title = await view.items.first.get_by_role("heading").locator("bdi").bounding_box()
    assert first is not None
    assert second is not None
    assert title is not None
    assert opens is not None
    assert first["x"] > second["x"]
    for text in (title, opens):
        assert abs((first["x"] + first["width"]) - (text["x"] + text["width"])) < 30


async def test_nothing_moves_for_who_wants_no_motion(
    services: Services, site: Site, viewer: Viewer, section: str
) -> None:
    async def motion(wish: str) -> str:
        view = await viewer.open(site.put(page(section)), reduced_motion=wish)
        duration: str = await view.element.get_by_role("link", name="Sign up").first.evaluate(
            "(link) => getComputedStyle(link).transitionDuration"
        )
        return duration

    assert await motion("no-preference") != "0s"
    assert await motion("reduce") == "0s"


async def test_a_host_colours_it_by_custom_properties(
    services: Services, site: Site, viewer: Viewer, section: str
) -> None:
    view = await viewer.open(site.put(page(section)))
    await expect(view.items).to_have_count(4)
    await view.element.evaluate("(element) => element.style.setProperty('--socialerasmus-accent', 'rgb(0, 90, 0)')")
    button = view.element.get_by_role("link", name="Sign up").first
    await expect(button).to_have_css("background-color", "rgb(0, 90, 0)")


@pytest.mark.parametrize("kind", ["light", "narrow, dark, right-to-left"])
async def test_the_demo_page_shows_the_element_and_the_lines_to_paste(
    services: Services, viewer: Viewer, section: str, pictures: Path | None, kind: str
) -> None:
    _, _, context = KINDS[kind]
    view = await viewer.open(f"{services.base_url}/activities/demo", **context)
    await expect(view.items.first).to_be_visible()
    await expect(view.page.locator("pre")).to_contain_text(
        f'<script src="{services.base_url}/activities/widget.js" async>'
    )
    assert await view.fits()
    assert view.console == []
    again = await viewer.open(f"{services.base_url}/activities/demo", for_axe=True, **context)
    await expect(again.items.first).to_be_visible()
    await again.page.wait_for_load_state("networkidle")
    if pictures:
        await again.page.screenshot(path=pictures / f"demo, {kind}.png", full_page=True)
    assert await again.violations() == []
