"""Activities as an Atom feed (RFC 4287), the last to change first."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from io import StringIO
from typing import Any

from feedgenerator import Atom1Feed

from services.activities.catalogue.rules import page_of
from services.activities.feeds import rules

MEDIA_TYPE = "application/atom+xml; charset=utf-8"
_PREFIX = {"cancelled": "Cancelled: "}
_LONG_AGO = datetime(2010, 1, 1, tzinfo=UTC)


class _Feed(Atom1Feed):  # type: ignore[misc]  # The library is not typed.
    def latest_post_date(self) -> datetime:
        """The last change; of a feed without entries the same moment each time, so that its ETag holds."""
        return max((item["updateddate"] for item in self.items), default=_LONG_AGO)

    def item_attributes(self, item: dict[str, Any]) -> dict[str, str]:
        """The language that the entry is written in."""
        return {"xml:lang": item["language"]}


def feed(documents: Sequence[str], *, name: str, url: str, alternate_url: str) -> str:
    """The feed, whose own address is `url`, of a list at `alternate_url`."""
    made = _Feed(
        title=rules.line(name),
        link=alternate_url,
        description=None,
        feed_url=url,
        feed_guid=url,
        author_name="SocialErasmus",
        feed_copyright=f"Licence: {rules.LICENCE}",
    )
    for document in documents:
        _add(made, json.loads(document))
    written = StringIO()
    made.write(written, "utf-8")
    return written.getvalue()


def _add(made: _Feed, document: dict[str, Any]) -> None:
    paragraphs = [_when(document), rules.place(document) or "", rules.description(document)]
    made.add_item(
        title=_PREFIX.get(document["state"], "") + rules.line(document["title"]),
        link=page_of(document),
        description="".join(f"<p>{_html(each)}</p>" for each in paragraphs if each),
        unique_id=f"urn:uuid:{document['id']}",
        author_name=rules.line(", ".join(organiser["name"] for organiser in document["organisers"])),
        updateddate=datetime.fromisoformat(document["updated_at"]),
        categories=[document["kind"], *(cause["code"] for cause in document["causes"])],
        language=document["language"],
    )


def _when(document: dict[str, Any]) -> str:
    if document["date_precision"] == "time":
        starts_at = datetime.fromisoformat(document["starts_at"])
        return f"{starts_at:%Y-%m-%d, %H:%M} ({document['time_zone']})"
    if document["date_precision"] == "day":
        return str(document["starts_on"])
    return ""


def _html(text: str) -> str:
    return html.escape(text).replace("\n", "<br>")
