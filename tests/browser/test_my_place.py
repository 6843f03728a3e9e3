"""A student's own page in a real browser, on a phone too: what it leads to, and what its buttons do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import expect

from services.kernel.auth import hashed
from services.registration.people.rules import Purpose, new_token
from tests.api.test_registration_terms import QUESTIONS
from tests.harness.browsing import Services, Viewer
from tests.harness.databases import rows, value

YEAR = datetime.now(UTC).year + 1
KINDS = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "narrow": {"viewport": {"width": 320, "height": 700}},
}


async def _confirmed(services: Services) -> tuple[str, str]:
    """Somebody with a confirmed place; answers its id and the address of their page."""
    told = {"starts_at": f"{YEAR}-05-08T10:00", "ends_at": f"{YEAR}-05-08T13:00"}
    activity = await services.publish(await services.section(), **told, capacity=9)
    await services.sign_up(activity)
    client = services.network.client
    address = f"/registration/v1/activities/{activity}/terms"
    headers = {**services.who, "If-Match": (await client.get(address)).headers["etag"]}
    assert (await client.put(address, json={"questions": QUESTIONS}, headers=headers)).status_code == 200
    [row] = await rows(
        services.database_url,
        """UPDATE registration.registrations SET state = 'confirmed', confirmed_at = now() WHERE activity_id = $1
        RETURNING id""",
        activity,
    )
    return str(row["id"]), await _link(services, str(row["id"]), Purpose.MANAGE)


async def _link(services: Services, registration: str, purpose: Purpose) -> str:
    token = new_token()
    add = "INSERT INTO registration.links (token_hash, registration_id, purpose, expires_at) VALUES ($1, $2, $3, $4)"
    expires_at = datetime.now(UTC) + timedelta(days=1)
    await rows(services.database_url, add, hashed(token), registration, purpose.value, expires_at)
    return f"{services.base_url}/registration/v1/links/{token}"


@pytest.mark.parametrize("kind", KINDS)
async def test_everybody_can_use_every_page_of_theirs(
    services: Services, viewer: Viewer, pictures: Path | None, kind: str
) -> None:
    identity, link = await _confirmed(services)
    asked = await _link(services, identity, Purpose.MANAGE)
    stop = await _link(services, identity, Purpose.REMINDERS)
    pages = {"page": link, "answers": f"{link}/answers", "reminders": f"{stop}/reminders", "asked again": asked}
    for name, address in pages.items():
        if name == "asked again":
            again = "UPDATE registration.registrations SET asked_again_at = now() WHERE id = $1"
            await rows(services.database_url, again, identity)
        view = await viewer.open(address, for_axe=True, **KINDS[kind])
        assert await view.fits(), name
        assert await view.violations() == [], name
        if pictures:
            await view.page.screenshot(path=pictures / f"my place, {name}, {kind}.png", full_page=True)


async def test_one_changes_answers_says_that_one_comes_and_gives_up_without_scripts(
    services: Services, viewer: Viewer
) -> None:
    identity, link = await _confirmed(services)
    view = await viewer.open(link, java_script_enabled=False)
    page = view.page
    await page.get_by_role("link", name="Change what I told").click()
    await page.get_by_label("Given name").fill("Zoë")
    await page.get_by_label("Which boots?").select_option("lent")
    await page.get_by_label("You may take pictures of me.").check()
    await page.get_by_label("Language of the mails").select_option("de")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("status")).to_have_text("Es ist gespeichert.")
    await page.get_by_role("link", name="Zurück zu meiner Anmeldung").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Dein Platz")
    await rows(
        services.database_url, "UPDATE registration.registrations SET asked_again_at = now() WHERE id = $1", identity
    )
    await page.reload()
    await page.get_by_role("button", name="Ich komme trotzdem").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Du kommst trotzdem")
    await page.goto(link)
    await page.get_by_role("button").click()
    state = "SELECT state FROM registration.registrations WHERE id = $1"
    assert await value(services.database_url, state, identity) == "cancelled"
    assert view.console == []
