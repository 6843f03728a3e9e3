"""The codes that people show at the door, read by a decoder of others off the pictures that they are shown."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.harness import databases as harness
from tests.harness.databases import rows
from tests.harness.network import Network, running
from tests.harness.pictures import codes_on
from tests.harness.sign_ups import Students, in_hours, students

CODES = "SELECT given_name, code FROM registration.registrations WHERE activity_id::text = $1"
KINDS = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "narrow": {"viewport": {"width": 320, "height": 700}, "device_scale_factor": 2},
}


@pytest.fixture
async def network(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Network]:
    told = harness.settings(database_url, redis_url, mailbox=tmp_path / "mailbox")
    async with running(told, database_url) as made:
        yield made


async def _addresses(ours: Students) -> dict[str, str]:
    """What the code of each person has to say."""
    base = f"{ours.network.settings.base_url}/registration/activities/{ours.activity_id}/check-in"
    kept = await rows(ours.network.database_url, CODES, ours.activity_id)
    return {row["given_name"]: f"{base}#{row['code'][:4]}-{row['code'][4:]}" for row in kept}


async def test_the_codes_of_the_mail_and_of_the_page_say_where_they_are_taken(
    network: Network, browser: Browser
) -> None:
    ours = await students(network, starts_at=in_hours(2), ends_at=in_hours(5))
    await ours.on_terms(guests_at_most=1)
    guest = {"given_name": "Grace", "family_name": "Hopper", "participant_class": "local"}
    secret = await ours.confirmed("Ada", guests=[guest])
    told = await _addresses(ours)
    mail = (await ours.mails("Ada"))[-1]
    html = mail.get_body(("html",))
    assert html is not None
    shown = html.get_content()
    pictures = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    for part in pictures:
        within = f"cid:{part['Content-ID'].strip('<>')}"
        assert within in shown
        shown = shown.replace(within, f"data:image/png;base64,{base64.b64encode(part.get_content()).decode()}")
    code_page = (await network.client.get(f"/registration/v1/links/{secret}/code")).text
    picture = (await network.client.get(f"/registration/v1/links/{secret}/code.svg")).text
    for kind, context in KINDS.items():
        page = await browser.new_page(**context)
        for name, content, whose in (
            ("mail", shown, ["Ada"]), ("page", code_page, ["Ada", "Grace"]), ("picture", picture, ["Ada"]),
        ):  # fmt: skip
            await page.set_content(content)
            seen = await codes_on(browser, await page.screenshot(full_page=True))
            assert seen == [told[each] for each in whose], f"{name}, {kind}"
        await page.close()


async def test_the_decoder_reads_nothing_where_there_is_nothing(browser: Browser) -> None:
    page = await browser.new_page()
    await page.set_content("<p>7K3M-QX2D</p>")
    assert await codes_on(browser, await page.screenshot()) == []
    await page.close()
