"""The pages behind mailed links: what they do, how often, and what they never say."""

from __future__ import annotations

import hashlib

import pytest

from services.kernel import digests
from tests.harness.databases import rows, value
from tests.harness.network import Network
from tests.harness.sign_ups import Students, students

NOBODY = "S3cret-that-nobody-was-ever-mailed"


@pytest.mark.parametrize("query", ["?x=1", "?utm_source=mail&utm_source=mail", "?x=%00", "?%F0"])
async def test_a_link_works_with_whatever_a_mail_client_hangs_on(network: Network, query: str) -> None:
    ours = await students(network)
    await ours.sign_up("Ada")
    address = f"/registration/v1/links/{await ours.secret('Ada')}"
    opened = await network.client.get(address + query)
    confirmed = await network.client.post(address + query)
    for page in (opened, confirmed):
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert await ours.states() == {"Ada": "confirmed"}
    cancelled = await network.client.post(f"/registration/v1/links/{await ours.secret('Ada')}/cancel{query}")
    assert cancelled.status_code == 200
    assert await ours.states() == {"Ada": "cancelled"}


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("PUT", "/registration/v1/links/{}", 405),
        ("GET", "/registration/v1/links/{}/cancel", 405),
        ("GET", "/registration/v1/links/{}/more", 404),
        ("GET", "/registration/v1/Links/{}", 404),
        ("GET", "/registration//v1/links/{}", 404),
        ("GET", "/elsewhere/v1/links/{}", 404),
        ("GET", "/activities/v1/links/{}?x=1", 404),
    ],
)
async def test_no_error_repeats_what_follows_links(shared: Network, method: str, address: str, status: int) -> None:
    reply = await shared.client.request(method, address.format(NOBODY))
    assert reply.status_code == status
    assert NOBODY not in reply.text + str(reply.headers)
    assert reply.json()["instance"].casefold().endswith("/links")


async def test_a_failure_behind_a_link_does_not_repeat_it(network: Network) -> None:
    await rows(network.database_url, "ALTER TABLE registration.links RENAME TO gone")
    for method, status in (("GET", 500), ("POST", 500)):
        reply = await network.client.request(method, f"/registration/v1/links/{NOBODY}?x=1")
        assert reply.status_code == status
        assert NOBODY not in reply.text
    too_large = await network.client.post(f"/registration/v1/links/{NOBODY}", content=b" " * (2**20 + 1))
    assert NOBODY not in too_large.text


@pytest.fixture
async def ours(network: Network) -> Students:
    made = await students(network, capacity=2)
    await made.sign_up("Ada")
    return made


async def test_opening_a_link_changes_nothing(ours: Students) -> None:
    address = f"/registration/v1/links/{await ours.secret('Ada')}"
    for method in ("GET", "HEAD", "GET"):
        assert (await ours.network.client.request(method, address)).status_code == 200
    assert await ours.states() == {"Ada": "unconfirmed"}


async def test_confirming_and_cancelling_once_more_is_as_good_as_once(ours: Students) -> None:
    token = await ours.secret("Ada")
    first, again = [await ours.by_token("Ada", "confirm", token) for _ in range(2)]
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert first.json()["state"] == "confirmed"
    manage = await ours.secret("Ada")
    assert manage != token
    gone = [await ours.by_token("Ada", "cancel", manage) for _ in range(2)]
    assert [(reply.status_code, reply.json()["state"]) for reply in gone] == [(200, "cancelled")] * 2
    assert gone[0].json()["code"] is None
    assert await ours.subjects("Ada") == ["Confirm your place", "You have a place", "You gave up your place"]
    assert (await ours.availability())["taken"] == 0


async def test_no_code_is_kept_for_a_repeated_request(ours: Students) -> None:
    reply = await ours.by_token("Ada", "confirm", await ours.secret("Ada"))
    code = reply.json()["code"]
    assert code == await value(ours.network.database_url, "SELECT code FROM registration.registrations")
    kept = await rows(ours.network.database_url, "SELECT body FROM registration.idempotency_keys")
    assert len(kept) == 1, "of the sign-up, and of nothing else"
    assert all(code.encode() not in row["body"] for row in kept)


@pytest.mark.parametrize("verb", ["confirm", "cancel"])
async def test_a_secret_opens_no_registration_but_its_own(ours: Students, verb: str) -> None:
    await ours.sign_up("Bo")
    reply = await ours.by_token("Bo", verb, await ours.secret("Ada"))
    assert (reply.status_code, reply.json()["title"]) == (404, "Link not valid")
    assert (await ours.by_token("Bo", verb, NOBODY)).status_code == 404
    assert await ours.states() == {"Ada": "unconfirmed", "Bo": "unconfirmed"}


async def test_the_confirming_link_is_spent_once_the_place_is_confirmed(ours: Students) -> None:
    token = await ours.secret("Ada")
    await ours.network.client.post(f"/registration/v1/links/{token}")
    page = await ours.network.client.post(f"/registration/v1/links/{token}/cancel")
    assert page.status_code == 200
    assert await ours.states() == {"Ada": "confirmed"}


async def test_links_of_another_algorithm_work_beside_those_before(
    ours: Students, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ours.sign_up("Ada")
    before = await ours.secret("Ada")
    monkeypatch.setitem(digests.ALGORITHMS, "3", lambda secret: hashlib.sha3_512(secret).digest())
    monkeypatch.setattr(digests, "NEWEST", "3")
    await ours.sign_up("Bo")
    after = await ours.secret("Bo")
    assert [each.startswith("3~") for each in (before, after)] == [False, True]
    for secret in (before, after):
        assert (await ours.network.client.post(f"/registration/v1/links/{secret}")).status_code == 200
    assert await ours.states() == {"Ada": "confirmed", "Bo": "confirmed"}
