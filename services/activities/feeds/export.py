"""The record of the export that ESN's report scripts read today."""

from __future__ import annotations

import html
import json
from typing import Any

from services.activities.catalogue.rules import page_of
from services.activities.feeds import rules
from services.activities.feeds.store import Exported
from services.activities.taxonomies.rules import Words


def record(row: Exported, words: Words) -> dict[str, Any]:
    """One activity: a text that is not known is empty there, a number that is not known is null."""
    document = json.loads(row.document)
    place = document["place"] or {}
    organisers = sorted(document["organisers"], key=lambda organiser: not organiser["lead"])
    return {
        "id": row.number,
        "uuid": document["id"],
        # They know two forms; what is also on site is on site.
        "type": "online" if document["mode"] == "online" else "physical",
        "created": row.created,
        "changed": row.changed,
        "title": document["title"],
        "country": document["country"] or "",
        "dates": {"start": row.starts, "end": row.ends},
        "description": _html(document["summary"]),
        "goal": "",
        "organisers": [organiser["name"] for organiser in organisers],
        "url": page_of(document),
        # The catalogue does not know who came; nought would be a lie that is summed up.
        "participants": {"local": None, "international": None, "coordinators": None},
        "physical_data": {
            "country": place.get("country") or document["country"] or "",
            "city": place.get("city") or "",
        },
        "causes": [
            {"name": words.name("causes", cause["code"]), "is_main_cause": cause["main"]}
            for cause in document["causes"]
        ],
        "sdgs": [
            {"slug": _slug(name), "name": name}
            for name in (words.name("sdgs", str(number)) for number in document["sdgs"])
        ],
        "objectives": [{"name": words.name("objectives", code)} for code in document.get("objectives", ())],
        "categories": [{"name": words.name("kinds", document["kind"])}],
    }


def _html(text: str | None) -> str:
    paragraphs = rules.lines(text or "").split("\n\n")
    escaped = (html.escape(paragraph.strip()).replace("\n", "<br>") for paragraph in paragraphs)
    return "".join(f"<p>{paragraph}</p>" for paragraph in escaped if paragraph)


def _slug(name: str) -> str:
    return "-".join(word for word in name.lower().replace(",", "").split())
