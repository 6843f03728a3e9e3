"""The page of one activity, and the same small enough to stand in a frame of another website."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final
from urllib.parse import quote

from starlette.responses import HTMLResponse

from services.activities.catalogue import linked_data
from services.activities.taxonomies.rules import Words
from services.activities.web.phrases import LANGUAGES, NAMES, country, moment, named, pattern, said, spoken, when
from services.kernel.page_policy import page_policy

_STYLE: Final = (
    ":root{color-scheme:light dark;--accent:#2e3192;--line:#c9c9d6;--muted:#54545f}"
    "@media (prefers-color-scheme:dark){:root{--accent:#aab4ff;--line:#4a4a57;--muted:#b9b9c6}}"
    "html{background:Canvas;color:CanvasText}*{box-sizing:border-box}"
    "body{font:1.0625rem/1.55 system-ui,sans-serif;max-width:44rem;margin:0 auto;"
    "padding:1.5rem 1rem 3rem;overflow-wrap:anywhere}body.frame{padding:1rem}"
    "h1{font-size:1.75rem;line-height:1.2;margin:0 0 .75rem}.frame h1{font-size:1.25rem}"
    "dl{display:grid;gap:.5rem;margin:1.25rem 0}dt{font-size:.875rem;color:var(--muted)}dd{margin:0;font-weight:600}"
    ".state{border:2px solid var(--accent);border-radius:.5rem;padding:.75rem 1rem;font-weight:600}"
    ".sample{color:var(--muted)}.text{white-space:pre-line}img{max-width:100%;height:auto;border-radius:.5rem}"
    "a:any-link{color:var(--accent);text-underline-offset:.2em;display:inline-block;min-height:24px;min-width:24px}"
    "a.button{background:#2e3192;color:#fff;font-weight:700;padding:.625rem 1.5rem;border-radius:.5rem;"
    "margin-block:.5rem;text-decoration:none}"
    ":focus-visible{outline:3px solid var(--accent);outline-offset:3px}"
    "footer{border-block-start:1px solid var(--line);margin-block-start:2rem;padding-block-start:1rem}"
    "ul{list-style:none;padding:0;margin:0;display:flex;flex-wrap:wrap;gap:.5rem 1.25rem}"
)
_ORIGIN: Final = re.compile(r"(https://[A-Za-z0-9.-]+(?::[0-9]{1,5})?)(?:[/?#].*)?")
_WEB: Final = re.compile(r"https?://[^\s\\]+", re.IGNORECASE)
_NO_DIGIT: Final = re.compile(r"[^0-9+]")
_DATED: Final = {"time", "day"}


def page(
    document: Mapping[str, Any],
    websites: Mapping[str, str],
    words: Words,
    base_url: str,
    language: str,
    dates: Sequence[str] = (),
) -> HTMLResponse:
    """The page by itself: what search engines keep and people send each other; of a series with its dates."""
    address = f"{base_url}/activities/{document['id']}"
    api = f"{base_url}/activities/v1/activities/{document['id']}"
    oembed = f"{base_url}/activities/oembed?format=json&url={quote(address, safe='')}"
    alternates = {"application/json+oembed": oembed, "application/json": api, "text/calendar": f"{api}.ics"}
    links = [
        f'<link rel="canonical" href="{escape(address)}">',
        *(f'<link rel="alternate" hreflang="{other}" href="{escape(address)}?lang={other}">' for other in LANGUAGES),
        *(
            f'<link rel="alternate" type="{kind}" href="{escape(other)}" title="{escape(document["title"])}">'
            for kind, other in alternates.items()
        ),
        f'<script type="application/ld+json">{linked_data.page(dict(document), words, dates)}</script>',
    ]
    others = "".join(
        f'<li><a href="?lang={other}" hreflang="{other}" lang="{other}">{NAMES[other]}</a></li>'
        for other in LANGUAGES
        if other != language
    )
    footer = (
        f"<footer><ul>{_calendar_link(document, api, language)}{_source_link(document, language)}</ul>"
        f'<nav aria-label="{escape(said("languages", language))}"><ul>{others}</ul></nav></footer>'
    )
    heading = f'<h1 lang="{escape(document["language"])}" dir="auto">{escape(document["title"])}</h1>'
    picture, origin = _picture(document)
    facts = _facts(document, websites, words, language, root="..")
    main = f"<main>{heading}{_state(document, language)}{picture}{_summary(document)}{facts}</main>"
    body = f"<body>{main}{footer}</body>"
    return _reply(document, language, links, body, root="..", ancestors="'none'", pictures=origin)


def frame(
    document: Mapping[str, Any], websites: Mapping[str, str], words: Words, base_url: str, language: str
) -> HTMLResponse:
    """The page for a frame: its links open outside of it, and any website may show it."""
    address = f"{base_url}/activities/{document['id']}"
    heading = (
        f'<h1><a href="{escape(address)}?lang={language}" target="_blank" rel="noopener" '
        f'lang="{escape(document["language"])}" dir="auto">{escape(document["title"])}</a></h1>'
    )
    links = [f'<link rel="canonical" href="{escape(address)}">', '<base target="_blank">']
    facts = _facts(document, websites, words, language, root="../..")
    body = f'<body class="frame"><main>{heading}{_state(document, language)}{facts}</main></body>'
    return _reply(document, language, links, body, root="../..", ancestors="*", pictures="'none'")


def missing(language: str, *, in_frame: bool) -> HTMLResponse:
    """What a visitor reads where there is no such activity."""
    title = escape(said("not_found", language))
    body = f"<body><main><h1>{title}</h1><p>{escape(said('not_found_why', language))}</p></main></body>"
    headers = {**_headers(language, "*" if in_frame else "'none'", "'none'"), "Cache-Control": "no-store"}
    return HTMLResponse(_html(language, title, "", body), status_code=404, headers=headers)


def _reply(
    document: Mapping[str, Any], language: str, links: list[str], body: str, *, root: str, ancestors: str, pictures: str
) -> HTMLResponse:
    script = f'<script src="{root}/activities/page.js" async></script>' if _has_live_places(document) else ""
    head = "".join(links) + script
    return HTMLResponse(
        _html(language, escape(document["title"]), head, body), headers=_headers(language, ancestors, pictures)
    )


def _html(language: str, title: str, head: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style>{head}</head>{body}</html>"
    )


def _headers(language: str, ancestors: str, pictures: str) -> dict[str, str]:
    return {
        "Content-Security-Policy": page_policy(_STYLE, scripts=True, pictures=pictures, framed_by=ancestors),
        "Content-Language": language,
        "Cache-Control": "public, max-age=60, stale-while-revalidate=60",
        "Vary": "Accept-Language",
    }


def _state(document: Mapping[str, Any], language: str) -> str:
    sample = f'<p class="sample">{escape(said("sample", language))}</p>' if document["sample"] else ""
    if document["state"] == "held":
        return f'{sample}<p class="state">{escape(said("held", language))}</p>'
    if document["state"] == "cancelled":
        reason = _own(document, document["reason"]) if document["reason"] else ""
        return f'{sample}<p class="state">{escape(said("cancelled", language))}{": " if reason else "."}{reason}</p>'
    return sample


def _summary(document: Mapping[str, Any]) -> str:
    if not document["summary"]:
        return ""
    return f'<p class="text" lang="{escape(document["language"])}" dir="auto">{escape(document["summary"])}</p>'


def _picture(document: Mapping[str, Any]) -> tuple[str, str]:
    """The picture, and what its policy must allow: nothing but the one website that it lies on."""
    image = document["image"]
    matched = _ORIGIN.fullmatch(image["url"]) if image else None
    if matched is None:
        return "", "'none'"
    picture = (
        f'<img src="{escape(image["url"])}" alt="{escape(image["alternative_text"])}" '
        f'lang="{escape(document["language"])}" loading="lazy">'
    )
    return picture, matched[1]


def _facts(document: Mapping[str, Any], websites: Mapping[str, str], words: Words, language: str, *, root: str) -> str:
    facts = {
        "when": _when(document, language),
        "where": _where(document, language),
        "who": ", ".join(_organiser(each, websites) for each in document["organisers"]),
        "places": _places(document, language, root=root),
        "cost": _cost(document, language),
        "needs": _needs(document, language),
        "bring": _bring(document),
        "accessibility": escape(", ".join(named(code, language) for code in document["accessibility"])),
        "with": ", ".join(f"<bdi>{escape(partner['name'])}</bdi>" for partner in document["partners"]),
        "contact": _contact(document),
        "causes": escape(", ".join(words.name("causes", cause["code"], language) for cause in document["causes"])),
    }
    listed = "".join(
        f"<div><dt>{escape(said(name, language))}</dt><dd>{fact}</dd></div>" for name, fact in facts.items() if fact
    )
    return f"<dl>{listed}</dl>"


def _when(document: Mapping[str, Any], language: str) -> str:
    told = escape(when(document, language))
    if document["date_precision"] not in _DATED:
        return told
    exact = document["starts_at"] if document["date_precision"] == "time" else document["starts_on"]
    return f'<time datetime="{escape(exact)}">{told}</time>'


def _where(document: Mapping[str, Any], language: str) -> str:
    known = document["place"] or {}
    parts = [escape(known[part]) for part in ("name", "address", "city") if known.get(part)]
    if document["mode"] != "physical":
        parts.append(_link(document["online_url"], said("online", language)))
    return ", ".join(f"<bdi>{part}</bdi>" for part in parts)


def _organiser(organiser: Mapping[str, Any], websites: Mapping[str, str]) -> str:
    return f"<bdi>{_link(websites.get(organiser['code'] or ''), organiser['name'])}</bdi>"


def _has_live_places(document: Mapping[str, Any]) -> bool:
    is_offered = document["sign_up"]["state"] in {"open", "full"}
    return document["state"] == "published" and is_offered and document["capacity"] is not None


def _places(document: Mapping[str, Any], language: str, *, root: str) -> str:
    sign_up, zone = document["sign_up"], document["time_zone"]
    state = sign_up["state"]
    if document["state"] != "published" or state == "not_offered":
        return ""
    if state == "closed":
        return escape(said("closed", language))
    if state == "not_yet_open":
        return escape(said("not_yet_open", language, at=moment(sign_up["opens_at"], zone, language)))
    places = said("unlimited", language)
    if document["capacity"] is not None:
        places = said("full" if state == "full" else "capacity", language, n=document["capacity"])
    live = ""
    if _has_live_places(document):
        address = f"{root}/registration/v1/availability?activity={document['id']}"
        live = (
            f' data-places="{address}" data-free="{escape(pattern("free", language))}" '
            f'data-full="{escape(said("full", language))}"'
        )
    until = ""
    if state == "open" and sign_up["closes_at"] not in {None, document["starts_at"]}:
        until = f"<div>{escape(said('until', language, at=moment(sign_up['closes_at'], zone, language)))}</div>"
    return f'<span role="status"{live}>{escape(places)}</span>{until}{_sign_up(document, language)}'


def _sign_up(document: Mapping[str, Any], language: str) -> str:
    """The way to the form; a document that the version before wrote does not know it yet."""
    address = document["sign_up"].get("page_url")
    if document["sign_up"]["state"] != "open" or not address:
        return ""
    return f'<a class="button" href="{escape(address)}?lang={language}">{escape(said("sign_up", language))}</a>'


def _cost(document: Mapping[str, Any], language: str) -> str:
    cost = document["cost"]
    if not cost:
        return ""
    if float(cost["amount"]) == 0:
        return escape(said("free_of_charge", language))
    return escape(f"{cost['amount']} {cost['currency']}")


def _needs(document: Mapping[str, Any], language: str) -> str:
    requirements = document["requirements"]
    told = [said("age", language, n=requirements["minimum_age"])] if requirements["minimum_age"] else []
    # A document that the version before wrote may know less of them.
    if spoken_there := [spoken(tag, language) for tag in requirements["languages"]]:
        told.append(said("languages_spoken", language, what=", ".join(spoken_there)))
    if (code := requirements.get("resident_in")) is not None:
        told.append(said("resident", language, what=country(code, language)))
    if documents := [named(code, language) for code in requirements.get("documents", ())]:
        told.append(said("documents", language, what=", ".join(documents)))
    notes = _own(document, requirements["notes"]) if requirements["notes"] else ""
    return "<br>".join(part for part in (*map(escape, told), notes) if part)


def _bring(document: Mapping[str, Any]) -> str:
    return ", ".join(_own(document, thing) for thing in document["requirements"].get("bring", ()))


def _contact(document: Mapping[str, Any]) -> str:
    known = document.get("contact") or {}
    mail, telephone = known.get("email"), known.get("phone")
    ways = [
        f'<a href="mailto:{quote(mail)}">{escape(mail)}</a>' if mail else "",
        _link(known.get("url"), known.get("url") or ""),
        f'<a href="tel:{_NO_DIGIT.sub("", telephone)}">{escape(telephone)}</a>' if telephone else "",
    ]
    return "<br>".join(f"<bdi>{way}</bdi>" for way in ways if way)


def _calendar_link(document: Mapping[str, Any], api: str, language: str) -> str:
    if document["date_precision"] not in _DATED:
        return ""
    return f"<li>{_link(f'{api}.ics', said('calendar', language))}</li>"


def _source_link(document: Mapping[str, Any], language: str) -> str:
    return f"<li>{_link(document['source_url'], said('source', language))}</li>" if document["source_url"] else ""


def _own(document: Mapping[str, Any], text: str) -> str:
    """What an organiser wrote, in the language that it was written in."""
    return f'<span class="text" lang="{escape(document["language"])}" dir="auto">{escape(text)}</span>'


def _link(address: str | None, text: str) -> str:
    """A link where a click may lead to the address: javascript: and the like are none."""
    if not address or not _WEB.fullmatch(address):
        return escape(text)
    return f'<a href="{escape(address)}">{escape(text)}</a>'


def parsed(document: str) -> dict[str, Any]:
    """A stored document as the pages read it."""
    found: dict[str, Any] = json.loads(document)
    return found
