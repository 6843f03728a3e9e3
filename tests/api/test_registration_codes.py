"""Check-in codes as pictures: behind the holder's link, and of no use to anybody who finds one."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
import segno

from services.kernel import mail as mails
from services.registration.places.codes import address
from tests.harness.databases import value
from tests.harness.network import Network
from tests.harness.refusals import refused
from tests.harness.sign_ups import Students, in_hours, students, text_of

CODE = "SELECT code FROM registration.registrations WHERE given_name = $1 AND activity_id::text = $2"


@pytest.fixture
async def ours(shared: Network) -> Students:
    return await students(shared, starts_at=in_hours(2), ends_at=in_hours(5))


async def _drawn(ours: Students, name: str) -> str:
    """What is drawn for somebody."""
    code = await value(ours.network.database_url, CODE, name, ours.activity_id)
    return _path(address(ours.network.settings.base_url, UUID(ours.activity_id), code))


def _path(content: str) -> str:
    """The dark modules of a picture with this content."""
    drawn: list[str] = re.findall(r' d="(M4 4[^"]+)"', segno.make_qr(content, error="m").svg_inline(border=4))
    return drawn[0]


async def test_a_code_is_a_picture_of_an_address_for_organisers_that_names_nobody(ours: Students) -> None:
    secret = await ours.confirmed("Ada")
    reply = await ours.network.client.get(f"/registration/v1/links/{secret}/code.svg")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "image/svg+xml")
    assert reply.headers["cache-control"] == "private, no-store"
    assert await _drawn(ours, "Ada") in reply.text
    code = await value(ours.network.database_url, CODE, "Ada", ours.activity_id)
    told = f"{ours.network.settings.base_url}/registration/activities/{ours.activity_id}/check-in#{code[:4]}-{code[4:]}"
    assert (await _drawn(ours, "Ada")) == _path(told), "the address, the code, and nothing else"
    for verb in ("confirm", "cancel"):
        assert (await ours.by_token("Ada", verb, code * 3)).status_code == 404


async def test_the_mail_of_a_place_holds_the_code_as_a_picture_that_needs_no_network(ours: Students) -> None:
    await ours.confirmed("Zed")
    mail = (await ours.mails("Zed"))[-1]
    html, picture = (
        mail.get_body(("html",)),
        next(part for part in mail.walk() if part.get_content_type() == "image/png"),
    )
    assert html is not None
    assert (picture["Content-ID"], picture.get_content_disposition()) == ("<code-1>", "inline")
    assert '<img src="cid:code-1"' in html.get_content()
    assert "http" not in " ".join(re.findall(r'src="([^"]+)"', html.get_content()))
    code = await value(ours.network.database_url, CODE, "Zed", ours.activity_id)
    base_url = ours.network.settings.base_url
    assert picture.get_content() == mails.drawn(address(base_url, UUID(ours.activity_id), code))
    assert mail.get_content_type() == "multipart/alternative"
    assert "code-1" not in text_of(mail)
    kept = "SELECT count(*) FROM registration.outgoing_mail WHERE codes IS NOT NULL AND due_at IS NULL"
    assert await value(ours.network.database_url, kept) == 0, "what was sent is wiped"
    asked = (await ours.mails("Zed"))[0]
    assert not [part for part in asked.walk() if part.get_content_type() == "image/png"], "no place, no code"


async def test_whoever_brings_others_along_shows_the_codes_of_all(ours: Students) -> None:
    await ours.on_terms(guests_at_most=1)
    guest = {"given_name": "Grace", "family_name": "H", "participant_class": "local"}
    secret = await ours.confirmed("Bo", guests=[guest], language="it")
    page = await ours.network.client.get(f"/registration/v1/links/{secret}/code")
    assert (page.status_code, page.headers["cache-control"]) == (200, "private, no-store")
    assert '<html lang="it"' in page.text
    for name in ("Bo", "Grace"):
        code = await value(ours.network.database_url, CODE, name, ours.activity_id)
        assert f"{code[:4]}-{code[4:]}" in page.text
        assert await _drawn(ours, name) in page.text


async def test_the_mail_and_the_page_of_a_place_lead_to_the_picture(ours: Students) -> None:
    secret = await ours.confirmed("Cem")
    mail = (await ours.mails("Cem"))[-1]
    link = f"{ours.network.settings.base_url}/registration/v1/links/{secret}"
    html = mail.get_body(("html",))
    assert html is not None
    for text in (text_of(mail), html.get_content()):
        assert f"Show it as a QR code: {link}/code" in " ".join(text.split())
    page = await ours.network.client.get(f"/registration/v1/links/{secret}")
    assert f'<a href="{secret}/code">Show it as a QR code</a>' in page.text


async def test_without_a_confirmed_place_there_is_no_picture(ours: Students) -> None:
    await ours.sign_up("Dan")
    confirming = await ours.secret("Dan")
    managing = await ours.confirmed("Eve")
    await ours.gives_up("Eve")
    for secret, status in ((confirming, 404), (managing, 409), ("nobody-was-mailed-this", 404)):
        page = await ours.network.client.get(f"/registration/v1/links/{secret}/code")
        assert (page.status_code, page.headers["location"]) == (303, f"../{secret}")
        await refused(ours.network, "GET", f"/registration/v1/links/{secret}/code.svg", status=status)


async def test_the_page_for_checking_in_is_one_for_all_and_keeps_its_policy(shared: Network) -> None:
    pages = [
        await shared.client.get(f"/registration/activities/{identity}/check-in")
        for identity in ("01890000-0000-7000-8000-000000000000", "00000000-0000-0000-0000-000000000000")
    ]
    assert pages[0].text == pages[1].text
    policy = pages[0].headers["content-security-policy"]
    assert ("script-src 'self'" in policy, "unsafe" in policy) == (True, False)
    again = await shared.client.get(
        "/registration/activities/01890000-0000-7000-8000-000000000000/check-in",
        headers={"If-None-Match": pages[0].headers["etag"]},
    )
    # A browser puts the headers of a 304 in the place of those that it has.
    assert (again.status_code, again.headers["content-security-policy"]) == (304, policy)
    for name in ("check-in", "check-in-store", "check-in-worker"):
        script = await shared.client.get(f"/registration/{name}.js")
        assert (script.status_code, script.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
