"""The element on a website of another origin, in a real browser, against the real services."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from playwright.async_api import Route, expect

from tests.harness.browsing import Services, Site, Viewer

YEAR = datetime.now(UTC).year + 1
MORNING = {"starts_at": f"{YEAR}-05-08T10:00", "ends_at": f"{YEAR}-05-08T13:00"}


def element(section: str, more: str = "") -> str:
    return f'<socialerasmus-activities section="{section}" {more}></socialerasmus-activities>'


async def test_it_lists_what_is_to_come_and_complains_of_nothing(
    services: Services, site: Site, viewer: Viewer
) -> None:
    section = await services.section(website="https://alghero.example.org/")
    await services.publish(section, **MORNING, sign_up={"closes_at": f"{YEAR}-05-07T18:00"})
    await services.cancel(await services.publish(section, **MORNING, title="Called off"))
    view = await viewer.open(site.put(element(section)))
    await expect(view.items).to_have_count(1)
    await expect(view.status).to_have_text("1 activity")
    shown = view.items.first
    await expect(shown.get_by_role("heading", level=3)).to_have_text("Cleaning Porto Ferro beach")
    await expect(shown.locator("time")).to_have_attribute("datetime", f"{YEAR}-05-08T10:00:00+02:00")
    await expect(shown.locator("time")).to_contain_text(f"8 May {YEAR}, 10:00–13:00 CEST")
    await expect(shown).to_contain_text("Porto Ferro, Sassari")
    await expect(shown).to_contain_text("40 of 40 places free")
    await expect(shown).to_contain_text(f"Sign-up until 7 May {YEAR} at 18:00 CEST")
    await expect(shown.get_by_role("link", name="ESN Alghero")).to_have_attribute(
        "href", "https://alghero.example.org/"
    )
    assert view.console == []
    assert all(address.startswith((site.base_url, services.base_url)) for address in view.requests)
    assert await view.page.context.cookies() == []
    assert await view.page.evaluate("localStorage.length + sessionStorage.length") == 0


async def test_markup_in_a_title_stays_text_and_no_address_runs_a_script(
    services: Services, site: Site, viewer: Viewer
) -> None:
    nasty = "<img src=x onerror=\"document.title='gone'\"> <b>bold</b> &amp; ]]>"
    section = await services.section(name="<i>ESN</i>", website="javascript:document.title='gone'")
    await services.publish(section, **MORNING, title=nasty)
    links = 'sign-up-url="javascript:document.title=\'gone\'" activity-url="data:text/html,{id}"'
    view = await viewer.open(site.put(element(section, links)))
    await expect(view.items.get_by_role("heading")).to_have_text(nasty)
    await expect(view.items).to_contain_text("<i>ESN</i>")
    await view.page.wait_for_load_state("networkidle")
    assert await view.items.locator("img, b, i").count() == 0
    assert await view.items.get_by_role("link").count() == 0
    assert await view.page.title() == "A section"
    assert view.console == []


async def test_links_lead_to_pages_of_the_host(services: Services, site: Site, viewer: Viewer) -> None:
    section = await services.section()
    identity = await services.publish(section, **MORNING)
    pages = 'activity-url="/what/{id}" sign-up-url="https://esn.example.org/join?activity={id}"'
    view = await viewer.open(site.put(element(section, pages)))
    about = view.items.get_by_role("link", name="Cleaning Porto Ferro beach", exact=True)
    await expect(about).to_have_attribute("href", f"{site.base_url}/what/{identity}")
    join = view.items.get_by_role("link", name="Sign up Cleaning Porto Ferro beach")
    await expect(join).to_have_attribute("href", f"https://esn.example.org/join?activity={identity}")


@pytest.mark.parametrize("language", ["en", "it"])
async def test_without_a_page_of_the_host_a_title_leads_to_ours(
    services: Services, site: Site, viewer: Viewer, language: str
) -> None:
    section = await services.section()
    identity = await services.publish(section, **MORNING)
    view = await viewer.open(site.put(element(section, f'lang="{language}"') + element(section, 'activity-url=""')))
    await expect(view.items).to_have_count(2)
    about = view.items.get_by_role("link", name="Cleaning Porto Ferro beach", exact=True)
    await expect(about).to_have_count(1)
    await expect(about).to_have_attribute("href", f"{services.base_url}/activities/{identity}?lang={language}")


async def test_the_sign_up_button_leads_to_our_form_unless_the_host_wants_none(
    services: Services, site: Site, viewer: Viewer
) -> None:
    section = await services.section()
    identity = await services.publish(section, **MORNING)
    view = await viewer.open(site.put(element(section, 'lang="it"') + element(section, 'sign-up-url=""')))
    await expect(view.items).to_have_count(2)
    join = view.items.get_by_role("link", name="Iscriviti")
    await expect(join).to_have_count(1)
    form = f"{services.base_url}/registration/activities/{identity}?lang=it"
    await expect(join).to_have_attribute("href", form)


async def test_places_follow_a_sign_up_within_a_minute_and_the_focus_stays(
    services: Services, site: Site, viewer: Viewer
) -> None:
    section = await services.section()
    identity = await services.publish(section, **MORNING, capacity=2)
    view = await viewer.open(site.put(element(section, 'sign-up-url="/join/{id}"')), with_clock=True)
    # A minute of the page's clock is no time for the browser's cache, which a route sets aside.
    await view.page.route("**/availability*", lambda route: route.continue_())
    await expect(view.items).to_contain_text("2 of 2 places free")
    join = view.items.get_by_role("link", name="Sign up")
    await join.focus()
    await services.sign_up(identity)
    await view.page.clock.run_for(61_000)
    await expect(view.items).to_contain_text("1 of 2 places free")
    await expect(join).to_be_focused()
    await services.sign_up(identity)
    await view.page.clock.run_for(61_000)
    await expect(view.items).to_contain_text("Fully booked")
    await expect(join).to_be_hidden()
    await expect(view.status).to_have_text("1 activity")


async def test_nobody_looking_means_no_request(services: Services, site: Site, viewer: Viewer) -> None:
    section = await services.section()
    await services.publish(section, **MORNING)
    view = await viewer.open(site.put(f'<div id="above">Above</div>{element(section)}', head=""), with_clock=True)
    await expect(view.items).to_contain_text("places free")
    await view.page.evaluate("document.getElementById('above').attributeStyleMap.set('height', CSS.px(5000))")
    await expect(view.element).not_to_be_in_viewport()
    asked = len([address for address in view.requests if "/availability" in address])
    await view.page.clock.run_for(300_000)
    assert len([address for address in view.requests if "/availability" in address]) == asked
    await view.element.scroll_into_view_if_needed()
    async with view.page.expect_request("**/availability*"):
        await view.page.clock.run_for(1_000)


async def test_a_hidden_tab_asks_nothing_until_it_is_shown(services: Services, site: Site, viewer: Viewer) -> None:
    section = await services.section()
    await services.publish(section, **MORNING)
    view = await viewer.open(site.put(element(section)), with_clock=True)
    await expect(view.items).to_contain_text("places free")
    turn = """(hidden) => {
        Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    await view.page.evaluate(turn, True)
    asked = len([address for address in view.requests if "/availability" in address])
    await view.page.clock.run_for(300_000)
    assert len([address for address in view.requests if "/availability" in address]) == asked
    async with view.page.expect_request("**/availability*"):
        await view.page.evaluate(turn, False)
        await view.page.clock.run_for(1_000)


async def test_nothing_planned_is_said(services: Services, site: Site, viewer: Viewer) -> None:
    view = await viewer.open(site.put(element(await services.section())))
    await expect(view.status).to_have_text("No activities are planned.")
    await expect(view.element.get_by_role("button")).to_be_hidden()
    assert view.console == []


async def test_a_failure_is_said_and_tried_again_by_keyboard(services: Services, site: Site, viewer: Viewer) -> None:
    section = await services.section()
    await services.publish(section, **MORNING)
    view = await viewer.open(site.put(element(await services.section())))
    await expect(view.status).to_have_text("No activities are planned.")
    await view.page.route("**/activities/v1/**", lambda route: route.abort())
    await view.element.evaluate("(element, section) => element.setAttribute('section', section)", section)
    await expect(view.status).to_have_text("The activities could not be loaded.")
    retry = view.element.get_by_role("button", name="Try again")
    await expect(retry).to_be_visible()
    await view.page.keyboard.press("Tab")
    await view.page.keyboard.press("Enter")
    await expect(view.status).to_have_text("The activities could not be loaded.")
    await expect(retry).to_be_focused()
    await view.page.unroute("**/activities/v1/**")
    await view.page.keyboard.press("Enter")
    await expect(view.items).to_have_count(1)
    await expect(retry).to_be_hidden()
    await expect(view.element.get_by_role("list")).to_be_focused()


async def test_the_list_is_read_while_registration_is_away(services: Services, site: Site, viewer: Viewer) -> None:
    section = await services.section()
    await services.publish(section, **MORNING)
    address = site.put("")
    view = await viewer.open(address)
    await view.page.route("**/registration/**", lambda route: route.fulfill(status=503))
    await view.page.evaluate(
        "(text) => document.querySelector('main').insertAdjacentHTML('beforeend', text)", element(section)
    )
    await expect(view.items).to_contain_text("40 places")
    await expect(view.items).not_to_contain_text("free")


@pytest.mark.parametrize(
    ("tag", "places", "month"),
    [
        ("en", "40 of 40 places free", "May"),
        ("it-IT", "40 posti liberi su 40", "maggio"),
        ("es", "40 plazas libres de 40", "mayo"),
    ],
)
async def test_it_speaks_the_language_it_is_asked_for(
    services: Services, site: Site, viewer: Viewer, tag: str, places: str, month: str
) -> None:
    section = await services.section()
    await services.publish(section, **MORNING)
    view = await viewer.open(site.put(element(section, f'lang="{tag}"')))
    await expect(view.items).to_contain_text(places)
    await expect(view.items.locator("time")).to_contain_text(month)
    await expect(view.items).to_have_attribute("lang", tag[:2])
    # The organisers wrote in English, whatever the page is in.
    await expect(view.items.get_by_role("heading").locator("bdi")).to_have_attribute("lang", "en")


@pytest.mark.parametrize(
    ("own", "html", "visitor", "said"),
    [
        ("", 'lang="es"', "it-IT", "No hay actividades"),
        ("", "", "it-IT", "Nessuna attività"),
        ("", 'lang="fi"', "fi-FI", "No activities"),
        ('lang="not a tag"', 'lang="it"', "en-GB", "Nessuna attività"),
    ],
    ids=["the page's", "the visitor's", "English", "no language tag"],
)
async def test_a_language_is_found_where_none_is_given(
    services: Services, site: Site, viewer: Viewer, own: str, html: str, visitor: str, said: str
) -> None:
    view = await viewer.open(site.put(element(await services.section(), own), html=html), locale=visitor)
    await expect(view.status).to_contain_text(said)


async def test_a_changed_attribute_changes_what_is_shown(services: Services, site: Site, viewer: Viewer) -> None:
    first, second = await services.section(), await services.section()
    await services.publish(first, **MORNING, title="One")
    await services.publish(second, **MORNING, title="Two")
    view = await viewer.open(site.put(element(first)))
    await expect(view.items.get_by_role("heading")).to_have_text("One")
    await view.element.evaluate(
        "(element, section) => { element.setAttribute('section', section); element.lang = 'it'; "
        "element.setAttribute('heading-level', '4'); }",
        second,
    )
    await expect(view.items.get_by_role("heading", level=4)).to_have_text("Two")
    await expect(view.items).to_contain_text("posti liberi")
    await view.element.evaluate("(element, sections) => element.setAttribute('section', sections)", f"{first} {second}")
    await expect(view.items).to_have_count(2)
    await view.element.evaluate("(element) => element.setAttribute('limit', '1')")
    await expect(view.items).to_have_count(1)


async def test_a_late_answer_does_not_overwrite_a_newer_one(services: Services, site: Site, viewer: Viewer) -> None:
    first, second = await services.section(), await services.section()
    await services.publish(first, **MORNING, title="One")
    await services.publish(second, **MORNING, title="Two")
    view = await viewer.open(site.put(element(second)))
    await expect(view.items.get_by_role("heading")).to_have_text("Two")
    held: list[Route] = []

    async def hold(route: Route) -> None:
        held.append(route)

    await view.page.route(f"**/activities?*section={first}*", hold)
    async with view.page.expect_request(f"**/activities?*section={first}*"):
        await view.element.evaluate("(element, section) => element.setAttribute('section', section)", first)
    await view.element.evaluate("(element, section) => element.setAttribute('section', section)", second)
    await expect(view.status).to_have_text("1 activity")
    await held[0].continue_()
    await view.page.wait_for_load_state("networkidle")
    await expect(view.items.get_by_role("heading")).to_have_text("Two")


async def test_several_elements_share_a_page_and_a_script_that_comes_twice(
    services: Services, site: Site, viewer: Viewer
) -> None:
    first, second = await services.section(), await services.section()
    await services.publish(first, **MORNING, title="One")
    await services.publish(second, **MORNING, title="Two")
    again = f'<script src="{services.base_url}/activities/widget.js?ver=6.9" async></script>'
    view = await viewer.open(site.put(element(first) + element(second, 'lang="it"'), head=again))
    await expect(view.items.get_by_role("heading")).to_have_text(["One", "Two"])
    assert view.console == []


async def test_a_day_in_another_zone_keeps_its_own_clock(services: Services, site: Site, viewer: Viewer) -> None:
    section = await services.section()
    night = {"starts_at": f"{YEAR}-05-08T23:00", "ends_at": f"{YEAR}-05-09T02:00", "time_zone": "Europe/Rome"}
    await services.publish(section, **night)
    view = await viewer.open(site.put(element(section)), timezone_id="America/Los_Angeles")
    await expect(view.items.locator("time")).to_contain_text("23:00")
    await expect(view.items.locator("time")).to_contain_text("9 May")
    await expect(view.items.locator("time")).to_contain_text("CEST")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"capacity": None}, "Unlimited places"),
        ({"takes_sign_ups": False}, "No sign-up here"),
        ({"sign_up": {"opens_at": f"{YEAR}-04-01T09:00"}}, f"Sign-up opens 1 April {YEAR} at 09:00 CEST"),
        ({"sign_up": {"closes_at": "2026-01-01T09:00"}}, "Sign-up is closed"),
        ({"mode": "online", "place": None, "online_url": "https://meet.example.org/x"}, "Online"),
    ],
    ids=["unlimited", "not offered", "not yet", "over", "online"],
)
async def test_each_state_of_sign_up_is_said(
    services: Services, site: Site, viewer: Viewer, changes: dict[str, object], said: str
) -> None:
    section = await services.section()
    await services.publish(section, **{**MORNING, **changes})
    view = await viewer.open(site.put(element(section)))
    await expect(view.items).to_contain_text(said)
