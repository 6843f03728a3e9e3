"""The form for organisations: a page in three languages that works without a script, and says what is wrong."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from services.activities.enquiries.languages import LANGUAGES
from tests.harness import databases as harness
from tests.harness.databases import Databases, rows, value
from tests.harness.exchange import ENQUIRY
from tests.harness.network import Network, running

PAGE = "/activities/partners/enquire"
FORM = {
    **{name: ENQUIRY[name] for name in ("organisation", "kind", "city", "message", "email", "name")},
    "country": "IT", "section": "IT-SASS-ESN", "consent": "yes", "lang": "en",
}  # fmt: skip


@pytest.fixture(scope="module")
async def network(databases: Databases, redis_url: str) -> AsyncIterator[Network]:
    async with databases.fresh() as url:
        told = harness.settings(url, redis_url, enquiries_to="partners@esn.example")
        async with running(told, url) as made:
            yield made


class Read(HTMLParser):
    """The elements of a page with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, Any]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def of(self, *tags: str) -> list[dict[str, Any]]:
        return [attributes for tag, attributes in self.elements if tag in tags]


async def _send(network: Network, **changes: str | None) -> httpx.Response:
    data = {name: given for name, given in {**FORM, **changes}.items() if given is not None}
    return await network.client.post(PAGE, data=data)


async def _count(network: Network) -> object:
    return await value(network.database_url, "SELECT count(*) FROM activities.enquiries")


@pytest.mark.parametrize(
    ("query", "accepted", "language"),
    [
        ("?lang=it", "es", "it"),
        ("?lang=xx", "fr-CH, es;q=0.8, it;q=0.9", "it"),
        ("", "es-ES,es;q=0.9,en;q=0.8", "es"),
        ("", "it;q=0, es;q=0.1", "es"),
        ("?utm_source=mail", ";;q=x,,\u00e9", "en"),
    ],
)
async def test_the_form_speaks_the_language_that_is_wanted(
    network: Network, query: str, accepted: str, language: str
) -> None:
    reply = await network.client.get(f"{PAGE}{query}", headers={"Accept-Language": accepted.encode("latin-1")})
    assert reply.status_code == 200
    assert Read(reply.text).of("html")[0]["lang"] == language
    assert LANGUAGES[language].labels["organisation"] in reply.text


async def test_the_form_of_a_section_names_it_and_asks_for_no_country(network: Network) -> None:
    page = Read((await network.client.get(f"{PAGE}?section=IT-SASS-ESN")).text)
    hidden = {each["name"]: each["value"] for each in page.of("input") if each.get("type") == "hidden"}
    assert hidden == {"lang": "en", "section": "IT-SASS-ESN", "country": "IT"}
    for other in ("XX-NONE", "%00", "%3Cscript%3E", "%FF"):
        found = await network.client.get(f"{PAGE}?section={other}")
        assert found.status_code == 200
        assert "Become a partner of ESN<" in found.text
        codes = [each["value"] for each in Read(found.text).of("option") if each.get("lang") == "en"]
        assert sorted(codes) == ["IT", "PL", "PT"]


async def test_every_field_has_a_label_and_nothing_is_loaded_or_run(network: Network) -> None:
    reply = await network.client.get(PAGE)
    page = Read(reply.text)
    fields = [each for each in page.of("input", "select", "textarea") if each.get("type") != "hidden"]
    labelled = {each.get("for") for each in page.of("label")}
    assert {each["id"] for each in fields} - {"consent"} == labelled - {None}
    assert re.search(r'<label class="consent"><input [^>]*id="consent"', reply.text)
    assert page.of("script", "link", "img", "iframe") == []
    assert reply.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert "form-action 'self'" in reply.headers["content-security-policy"]
    assert page.of("form")[0] == {"method": "post", "action": "enquire"}


async def test_a_form_that_is_sent_twice_is_one_enquiry(network: Network) -> None:
    before = await _count(network)
    replies = [await _send(network, message="Twice\r\nthe same") for _ in range(2)]
    for reply in replies:
        assert reply.status_code == 200
        assert "Your words are on their way to ESN Sassari" in reply.text
        assert reply.headers["cache-control"] == "private, no-store"
    assert await _count(network) == int(str(before)) + 1
    kept = await rows(network.database_url, "SELECT message, section, language, name FROM activities.enquiries")
    assert ("Twice\nthe same", "IT-SASS-ESN", "en", "Gavino") in [tuple(row) for row in kept]


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("organisation", "  ", "fill_in"),
        ("email", "nobody", "check_email"),
        ("email", None, "fill_in"),
        ("kind", "", "fill_in"),
        ("kind", "bank", "check"),
        ("message", "x" * 5001, "check"),
        ("city", "two\nlines", "check"),
        ("consent", None, "agree"),
    ],
)
@pytest.mark.parametrize("lang", ["en", "it", "es"])
async def test_what_is_wrong_is_said_at_its_field_and_the_rest_is_kept(
    network: Network, lang: str, name: str, given: str | None, words: str
) -> None:
    before = await _count(network)
    reply = await _send(network, **{name: given, "lang": lang, "organisation" if name != "organisation" else "name":
                                    '"><script>alert(1)</script>'})  # fmt: skip
    assert reply.status_code == 422
    page = Read(reply.text)
    marked = [each for each in page.of("input", "select", "textarea") if each.get("aria-invalid") == "true"]
    assert [(each["id"], each["aria-describedby"]) for each in marked] == [(name, f"{name}-fault")]
    assert f'id="{name}-fault">{getattr(LANGUAGES[lang], words)}<' in reply.text
    assert {"href": f"#{name}"} in page.of("a")
    assert any(each.get("role") == "alert" for each in page.of("div"))
    assert page.of("script") == []
    assert any(each.get("value") == '"><script>alert(1)</script>' for each in page.of("input"))
    assert await _count(network) == before


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        ("application/json", b"{}"),
        ("text/plain", b"a=b"),
        ("application/x-www-form-urlencoded", b"a=%FF"),
        ("application/x-www-form-urlencoded", b"\xff"),
        ("application/x-www-form-urlencoded", b"a=1&" * 21),
    ],
    ids=ascii,
)
async def test_what_is_no_form_of_ours_is_answered_with_the_form(
    network: Network, content_type: str, content: bytes
) -> None:
    reply = await network.client.post(PAGE, content=content, headers={"Content-Type": content_type})
    assert reply.status_code == 400
    assert LANGUAGES["en"].not_understood in reply.text


async def test_where_nobody_reads_mail_the_form_says_so(shared: Network) -> None:
    reply = await _send(shared, lang="es")
    assert reply.status_code == 409
    assert LANGUAGES["es"].no_mailbox in reply.text


async def test_too_many_are_told_so(network: Network) -> None:
    told = [await _send(network, email="many@example.org", message=f"{number}") for number in range(6)]
    assert [reply.status_code for reply in told] == [200] * 5 + [429]
    assert LANGUAGES["en"].too_many in told[-1].text
