"""The page of an activity as visitors, search engines and frames fetch it."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

import pytest

from services.activities.catalogue.rules import ACCESSIBILITY, DOCUMENTS
from services.activities.web.phrases import LANGUAGES, chosen, named
from tests.harness.databases import rows
from tests.harness.network import Network

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(1)> \" ' & <b>"
IMAGE = {"url": "https://pictures.example.org/beach.jpg", "alternative_text": "The beach"}


class Read(HTMLParser):
    """What a page holds, as a browser would take it apart."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.linked_data = ""
        self.text = ""
        self._inside: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside.append(tag if tag in {"script", "style", "title"} else "")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"script", "style", "title"}:
            self._inside.clear()

    def handle_data(self, data: str) -> None:
        if "script" in self._inside:
            self.linked_data += data
        elif not set(self._inside) & {"style", "title"}:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def link(self, kind: str) -> str | None:
        (found,) = [link["href"] for link in self.all("link") if link.get("type") == kind]
        return found


async def test_an_activity_has_a_page_of_its_own(network: Network) -> None:
    activity = await network.published(
        image=IMAGE, cost={"amount": "0.00", "currency": "EUR"}, partners=[{"name": "Surf school"}],
        requirements={"minimum_age": 16, "notes": "Bring water."},
    )  # fmt: skip
    reply = await network.client.get(activity["page_url"])
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    page = Read(reply.text)
    assert page.all("html") == [{"lang": "en"}]
    for told in (
        activity["title"], activity["summary"], "Sat 8 May 2027, 10:00–13:00 CEST", "Porto Ferro, Sassari",
        "ESN Sassari", "Surf school", "From 16 years of age", "Bring water.", "Free", "Environmental Sustainability",
    ):  # fmt: skip
        assert told in page.text
    assert ("time", {"datetime": "2027-05-08T10:00:00+02:00"}) in page.elements
    assert page.all("img")[0] | {"loading": None} == {
        "src": IMAGE["url"], "alt": "The beach", "lang": "en", "loading": None,
    }  # fmt: skip
    assert page.link("application/json") == activity["url"]
    assert page.link("text/calendar") == f"{activity['url']}.ics"
    assert {"rel": "canonical", "href": activity["page_url"]} in page.all("link")
    as_linked_data = await network.client.get(activity["url"], headers={"Accept": "application/ld+json"})
    assert json.loads(page.linked_data) == as_linked_data.json()
    for address in (page.link("application/json"), page.link("text/calendar")):
        assert (await network.client.get(str(address))).status_code == 200


async def test_it_leads_to_the_form_as_long_as_sign_up_is_open(network: Network) -> None:
    activity = await network.published(capacity=1)
    form = {"class": "button", "href": f"http://socialerasmus.test/registration/activities/{activity['id']}?lang=it"}
    for path in (f"/activities/{activity['id']}?lang=it", f"/activities/{activity['id']}/embed?lang=it"):
        assert form in Read((await network.client.get(path)).text).all("a")
    assert (await network.client.get(str(form["href"]))).status_code == 200
    documents = "UPDATE activities.activities SET document = replace(document, '\"open\"', '\"full\"')"
    await rows(network.database_url, documents)
    assert form not in Read((await network.client.get(activity["page_url"] + "?lang=it")).text).all("a")


async def test_it_runs_nothing_inline_and_only_its_own_script(network: Network) -> None:
    activity = await network.published(image=IMAGE)
    reply = await network.client.get(activity["page_url"])
    policy = dict(part.split(" ", 1) for part in reply.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert policy["img-src"] == "https://pictures.example.org"
    assert "unsafe" not in reply.headers["content-security-policy"]
    page = Read(reply.text)
    assert [script for script in page.all("script") if script.get("type") != "application/ld+json"] == [
        {"src": "../activities/page.js", "async": None}
    ]
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith(("on", "style"))]
    script = await network.client.get("/activities/page.js")
    assert script.headers["content-type"].startswith("text/javascript")


async def test_markup_in_a_text_stays_text(network: Network) -> None:
    activity = await network.published(title=EVIL, summary=EVIL, partners=[{"name": EVIL}])
    address = f"/activities/v1/activities/{activity['id']}/cancel"
    await network.client.post(address, headers=await network.local(), json={"reason": EVIL})
    await rows(network.database_url, "UPDATE activities.sections SET website = 'javascript:alert(1)'")
    for path in (f"/activities/{activity['id']}", f"/activities/{activity['id']}/embed"):
        page = Read((await network.client.get(path)).text)
        assert page.text.count(EVIL) >= 2
        assert not page.all("b")
        assert not page.all("img")
        assert len(page.all("script")) <= 2
        assert not [link for link in page.all("a") if not str(link["href"]).startswith(("http://", "?lang="))]


@pytest.mark.parametrize("verb", ["cancel", "complete"])
async def test_what_became_of_it_is_said(network: Network, verb: str) -> None:
    activity = await network.published()
    if verb == "complete":
        moved = "UPDATE activities.activities SET starts_at = now() - interval '2 h', ends_at = now() - interval '1 h'"
        await rows(network.database_url, moved)
    sent: dict[str, Any] = {"json": {"reason": "Storm."}} if verb == "cancel" else {}
    address = f"/activities/v1/activities/{activity['id']}/{verb}"
    assert (await network.client.post(address, headers=await network.local(), **sent)).status_code == 200
    page = Read((await network.client.get(activity["page_url"])).text)
    assert ("Cancelled: Storm." if verb == "cancel" else "This activity took place.") in page.text
    assert "data-places" not in str(page.elements)


async def test_who_is_no_coordinator_finds_no_draft(network: Network) -> None:
    drafted = await network.drafted()
    nobody = "01890000-0000-7000-8000-000000000000"
    for path in (drafted["id"], nobody, f"{nobody}/embed"):
        reply = await network.client.get(f"/activities/{path}?lang=it")
        assert (reply.status_code, reply.headers["cache-control"]) == (404, "no-store")
        assert "Questa attività non esiste." in Read(reply.text).text
    assert (await network.client.get("/activities/not-an-id")).json()["status"] == 404


@pytest.mark.parametrize(
    ("asked", "accepted", "expected"),
    [
        (None, "", "en"), (None, "it", "it"), (None, "de-DE, es-MX;q=0.8, en;q=0.5", "es"), ("it", "es", "it"),
        ("xx", "es", "es"), ("it\x00", "", "en"), (None, "it;q=0, en;q=0.1", "en"), (None, "it;q=x,;;,es;q=0.2", "es"),
        (None, "it;q=0.3, es;q=0.9", "es"), (None, "q" * 10_000, "en"),
    ],
)  # fmt: skip
def test_the_language_is_the_one_asked_for(asked: str | None, accepted: str, expected: str) -> None:
    assert chosen(asked, accepted) == expected


async def test_the_page_speaks_to_the_visitor_and_leaves_the_texts_in_their_language(network: Network) -> None:
    activity = await network.published(language="en")
    reply = await network.client.get(f"/activities/{activity['id']}", headers={"Accept-Language": "it-IT,en;q=0.5"})
    page = Read(reply.text)
    assert (page.all("html"), reply.headers["content-language"]) == ([{"lang": "it"}], "it")
    assert "Accept-Language" in reply.headers["vary"]
    assert page.all("h1")[0]["lang"] == "en"
    assert "sab 8 maggio 2027, 10:00–13:00 CEST" in page.text
    spanish = await network.client.get(f"/activities/{activity['id']}?lang=es&utm_source=mail&fbclid=x")
    assert "sáb 8 de mayo de 2027" in spanish.text
    assert spanish.headers["etag"] != reply.headers["etag"]
    kept = {"If-None-Match": spanish.headers["etag"], "Accept-Language": "es"}
    assert (await network.client.get(f"/activities/{activity['id']}?lang=es", headers=kept)).status_code == 304


@pytest.mark.parametrize(
    ("precision", "starts_on", "ends_on", "expected"),
    [
        ("day", "2015-05-04", "2015-05-04", "Mon 4 May 2015"),
        ("day", "2015-05-04", "2015-05-06", "Mon 4 May 2015 – Wed 6 May 2015"),
        ("week", "2015-05-04", "2015-05-10", "Mon 4 May 2015 – Sun 10 May 2015"),
        ("edition", "2015-05-04", None, "Mon 4 May 2015"),
        ("month", "2015-05-01", "2015-05-31", "May 2015"),
        ("semester", "2015-02-01", "2015-07-31", "February 2015 – July 2015"),
        ("year", "2015-01-01", "2015-12-31", "2015"),
        ("unknown", None, None, "The date is not known."),
    ],
)
async def test_a_date_is_as_exact_as_it_is_known(
    network: Network, precision: str, starts_on: str | None, ends_on: str | None, expected: str
) -> None:
    activity = await network.published()
    fields = {
        "date_precision": precision, "starts_on": starts_on, "ends_on": ends_on, "starts_at": None, "ends_at": None,
    }  # fmt: skip
    statement = "UPDATE activities.activities SET document = (document::jsonb || $2::jsonb)::text WHERE id = $1"
    await rows(network.database_url, statement, UUID(activity["id"]), json.dumps(fields))
    reply = await network.client.get(f"/activities/{activity['id']}")
    assert re.search(r"<dt>When</dt><dd>(?:<time[^>]*>)?([^<]*)", reply.text)[1] == expected  # type: ignore[index]


async def test_any_website_may_show_it_in_a_frame(network: Network) -> None:
    activity = await network.published()
    reply = await network.client.get(f"/activities/{activity['id']}/embed")
    assert reply.headers["content-security-policy"].endswith("frame-ancestors *")
    assert "x-frame-options" not in reply.headers
    page = Read(reply.text)
    assert page.all("base") == [{"target": "_blank"}], "no link changes what the frame shows"
    assert page.all("a")[0]["href"] == f"{activity['page_url']}?lang=en"


async def test_a_page_says_what_is_asked_whom_to_ask_and_how_accessible_it_is(network: Network) -> None:
    activity = await network.published(
        accessibility=["step-free", "sign-language"],
        contact={"email": "section@example.org", "url": "https://esn.example/us", "phone": "+39 079 123-456"},
        requirements={
            "languages": ["it", "pt-BR"], "minimum_age": 18, "resident_in": "IT", "documents": ["identity_card"],
            "bring": ["Gloves", "<b>Water"], "notes": None,
        },
    )  # fmt: skip
    shown = {}
    for language in LANGUAGES:
        page = Read((await network.client.get(activity["page_url"], params={"lang": language})).text)
        shown[language] = page.text
        links = {link["href"] for link in page.all("a")}
        assert links >= {"mailto:section%40example.org", "https://esn.example/us", "tel:+39079123456"}
        assert "<b>Water" in page.text
        assert "step-free" not in page.text
        assert "identity_card" not in page.text
    for said in ("From 18 years", "Italian, Portuguese", "live in Italy", "identity card or passport", "Without steps"):
        assert said in shown["en"]
    for said in ("italiano, portugués", "vive en Italia", "Sin escalones, Lengua de signos", "Trae"):
        assert said in shown["es"]
    for said in ("italiano, portoghese", "vive in Italia", "Senza gradini, Lingua dei segni", "carta d’identità"):
        assert said in shown["it"]


def test_every_code_of_a_closed_list_has_words_in_every_language() -> None:
    for code in (*ACCESSIBILITY, *DOCUMENTS):
        words = [named(code, language) for language in LANGUAGES]
        assert all(words)
        assert code not in words
