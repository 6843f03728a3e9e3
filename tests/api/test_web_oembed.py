"""oEmbed 1.0, checked against its text as a schema of our own, for nobody publishes a program that judges it."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import pytest
from jsonschema import Draft202012Validator

from tests.harness.network import Network
from tests.harness.refusals import MARKER, refused

OEMBED = "/activities/oembed"
NOBODY = "01890000-0000-7000-8000-000000000000"
_SIZE = {"type": "integer", "minimum": 1}
_OF_A_PICTURE = ["thumbnail_url", "thumbnail_width", "thumbnail_height"]
# Sections 2.3.4 and 2.3.4.1 to 2.3.4.4 of oEmbed 1.0, word for word.
_ANSWER = Draft202012Validator(
    {
        "type": "object",
        "required": ["type", "version"],
        "properties": {
            "type": {"enum": ["photo", "video", "link", "rich"]},
            "version": {"const": "1.0"},
            **{name: {"type": "string"} for name in ("title", "author_name", "provider_name", "html")},
            **{
                name: {"type": "string", "pattern": "^https?://[^ ]+$"}
                for name in ("author_url", "provider_url", "thumbnail_url", "url")
            },
            "cache_age": {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^[0-9]+$"}]},
            **dict.fromkeys(("width", "height", "thumbnail_width", "thumbnail_height"), _SIZE),
        },
        "dependentRequired": dict.fromkeys(_OF_A_PICTURE, _OF_A_PICTURE),
        "allOf": [
            {
                "if": {"properties": {"type": {"const": kind}}},
                "then": {"required": [content, "width", "height"]},
            }
            for kind, content in (("photo", "url"), ("video", "html"), ("rich", "html"))
        ],
    }
)


class _Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def frame_of(told: dict[str, Any]) -> dict[str, str | None]:
    ((tag, attributes),) = _Tags(told["html"]).tags
    assert tag == "iframe"
    return attributes


async def test_the_page_leads_to_what_embeds_it(network: Network) -> None:
    title = "Beach & \"dunes\" <b> 'clean'"
    activity = await network.published(title=title)
    page = await network.client.get(activity["page_url"])
    (link,) = [a["href"] for _, a in _Tags(page.text).tags if a.get("type") == "application/json+oembed"]
    reply = await network.client.get(str(link))
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/json")
    assert reply.headers["access-control-allow-origin"] == "*"
    told = reply.json()
    _ANSWER.validate(told)
    for spoilt in (
        {"type": "page"}, {"version": 1.0}, {"html": None}, {"width": "600"}, {"height": 0}, {"cache_age": "an hour"},
        {"provider_url": "socialerasmus"}, {"thumbnail_url": "https://a.example/b.png"},
    ):  # fmt: skip
        assert not _ANSWER.is_valid({**told, **spoilt}), spoilt
    assert not any(_ANSWER.is_valid({**told, "type": kind}) for kind in ("photo", "page"))
    assert not any(_ANSWER.is_valid({n: v for n, v in told.items() if n != name}) for name in ("html", "version"))
    assert (told["type"], told["version"], told["title"]) == ("rich", "1.0", title)
    assert (told["author_name"], told["provider_name"]) == ("ESN Sassari", "SocialErasmus")
    assert isinstance(told["cache_age"], int)
    assert f"max-age={told['cache_age']}" in reply.headers["cache-control"]
    frame = frame_of(told)
    assert frame["title"] == title, "a frame needs a name that says what is in it"
    assert (frame["width"], frame["height"]) == (str(told["width"]), str(told["height"]))
    shown = await network.client.get(str(frame["src"]))
    assert shown.status_code == 200
    assert "frame-ancestors *" in shown.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        ({}, (600, 420)), ({"maxwidth": 320}, (320, 420)), ({"maxheight": "200"}, (600, 200)),
        ({"maxwidth": 1, "maxheight": 1}, (1, 1)), ({"maxwidth": 5000, "maxheight": 5000}, (600, 420)),
    ],
)  # fmt: skip
async def test_it_is_never_larger_than_asked(network: Network, asked: dict[str, Any], size: tuple[int, int]) -> None:
    activity = await network.published()
    reply = await network.client.get(OEMBED, params={"url": activity["page_url"], **asked})
    told = reply.json()
    assert (told["width"], told["height"]) == size
    assert (frame_of(told)["width"], frame_of(told)["height"]) == (str(size[0]), str(size[1]))


async def test_every_address_of_an_activity_will_do_and_keeps_its_language(network: Network) -> None:
    activity = await network.published()
    page = activity["page_url"]
    for address, language in {
        page: "", f"{page}?lang=it": "?lang=it", f"{page}?utm_source=x&lang=es#top": "?lang=es", f"{page}/": "",
        f"{page}?lang=xx": "", f"{page}/embed": "", activity["url"]: "", page.replace("http:", "https:"): "",
    }.items():  # fmt: skip
        # WordPress hangs its own argument on; the standard says to pass over what one does not know.
        reply = await network.client.get(OEMBED, params={"url": address, "format": "json", "dnt": "1"})
        assert reply.status_code == 200, address
        assert frame_of(reply.json())["src"] == f"{page}/embed{language}"


async def test_a_foreign_address_and_what_is_not_public_is_404(network: Network) -> None:
    drafted, published = await network.drafted(), await network.published()
    base = "http://socialerasmus.test"
    for address in (
        drafted["page_url"], f"{base}/activities/{NOBODY}", f"https://evil.example/activities/{published['id']}",
        f"{base}.evil.example/activities/{published['id']}", f"{base}/activities/{published['id']}/../x",
        f"http://user@socialerasmus.test/activities/{published['id']}", f"{base}/activities/demo", base, MARKER, "[",
        "http://[", f"{base}/activities/{published['id'].upper()}", "javascript:alert(1)",
    ):  # fmt: skip
        await refused(network, "GET", f"{OEMBED}?url={quote(address, safe='')}", status=404)


async def test_other_formats_are_501_and_malformed_arguments_name_themselves(network: Network) -> None:
    url = f"url={quote((await network.published())['page_url'], safe='')}"
    await refused(network, "GET", f"{OEMBED}?{url}&format=xml", status=501)
    for query, pointer in {
        "": "query/url", f"{url}&maxwidth=0": "query/maxwidth", f"{url}&maxheight=-1": "query/maxheight",
        f"{url}&maxwidth={MARKER}": "query/maxwidth", f"{url}&maxheight={'9' * 30}": "query/maxheight",
        f"url={MARKER}{'a' * 2000}": "query/url",
    }.items():  # fmt: skip
        await refused(network, "GET", f"{OEMBED}?{query}", status=422, pointers=[pointer])
