"""Turns an activity's row into what others read: the public document, and the snapshot that events carry."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from services import contracts
from services.activities.catalogue.rules import PUBLIC, SignUp, State, sign_up
from services.activities.catalogue.schemas import (
    ActivityOut,
    ActivityPartnerOut,
    CauseOut,
    OrganiserOut,
    OriginOut,
    PartsOut,
    SignUpOut,
    TranslationOut,
    WholeOut,
)
from services.activities.catalogue.tables import Activity
from services.activities.label.rules import LabelState
from services.activities.label.schemas import LabelOut
from services.kernel.settings import Settings


def render(row: Activity, settings: Settings, *, now: datetime) -> None:
    """Write the row's document in each of its languages, and when time alone will change it.

    `row.updated_at` must be set.
    """
    state = State(row.state)
    open_now, turns_at = sign_up(
        takes=_takes_sign_ups(row),
        state=state,
        opens_at=row.sign_up_opens_at,
        closes_at=row.sign_up_closes_at,
        ends_at=row.ends_at,
        has_places=row.has_places,
        now=now,
    )
    row.turns_at = turns_at
    original = document(row, settings, open_now)
    row.document = original.model_dump_json()
    row.documents = {
        tag.lower(): original.model_copy(update=_translated(original, tag)).model_dump_json()
        for tag in row.translations
    }


def document(row: Activity, settings: Settings, open_now: SignUp) -> ActivityOut:
    """The activity as everybody reads it in its original language, with its times in its own zone."""
    zone = ZoneInfo(row.time_zone)
    offered = _takes_sign_ups(row) and State(row.state) in PUBLIC
    translations = {
        tag: TranslationOut.model_validate({**_NOT_TRANSLATED, **texts})
        for tag, texts in sorted(row.translations.items())
    }
    return ActivityOut(
        id=row.id,
        url=f"{settings.base_url}/activities/v1/activities/{row.id}",
        page_url=f"{settings.base_url}/activities/{row.id}",
        state=State(row.state),
        revision=row.revision,
        title=row.title,
        summary=row.summary,
        language=row.language,
        original_language=row.language,
        languages=[row.language, *translations],
        translations=translations,
        kind=row.kind,
        programme=row.programme,
        mode=row.mode,
        edition=row.edition,
        areas=row.areas,
        causes=[CauseOut(code=code, main=number == 0) for number, code in enumerate(row.causes)],
        sdgs=row.sdgs,
        objectives=row.objectives,
        organisers=[OrganiserOut(**organiser) for organiser in row.organisers],
        country=row.country,
        starts_at=_local(row.starts_at, zone),
        ends_at=_local(row.ends_at, zone),
        starts_on=row.starts_on.isoformat() if row.starts_on else None,
        ends_on=row.ends_on.isoformat() if row.ends_on else None,
        date_precision=row.date_precision,
        time_zone=row.time_zone,
        place=row.place and {**_NO_PLACE, **row.place},
        online_url=row.online_url,
        capacity=row.capacity,
        sign_up=SignUpOut(
            state=open_now.value,
            opens_at=_local(row.sign_up_opens_at, zone),
            closes_at=_local(row.sign_up_closes_at, zone),
            url=f"{settings.base_url}/registration/v1/registrations" if offered else None,
            page_url=f"{settings.base_url}/registration/activities/{row.id}" if offered else None,
        ),
        requirements={**_NO_REQUIREMENTS, **row.requirements},
        accessibility=row.accessibility,
        audience=row.audience,
        pupils_expected=row.pupils_expected,
        cost=row.cost,
        partners=[ActivityPartnerOut(**{**_NO_PARTNER, **partner}) for partner in row.partners],
        image=row.image,
        label=LabelOut(state=LabelState(row.label_state), decided_at=row.label_decided_at),
        contact=row.contact and {**_NO_CONTACT, **row.contact},
        part_of=_whole(row, settings),
        joint=row.joint,
        parts=_parts(row, settings),
        reason=row.reason,
        source_url=row.source_url,
        updated_at=row.updated_at,
        sample=row.sample,
        platform=row.platform,
        adapted_from=OriginOut(**row.adapted_from) if row.adapted_from else None,
        distance_km=None,
    )


def at_distance(document: str, distance_km: float) -> str:
    """A stored document that says how far away it is, in its last field; one that has no such field stays."""
    if not document.endswith(_NO_DISTANCE):
        return document
    return f'{document.removesuffix(_NO_DISTANCE)},"distance_km":{distance_km:.2f}}}'


def snapshot(row: Activity) -> contracts.Activity:
    """The activity as the other services hear of it."""
    place = row.place or {}
    return contracts.Activity(
        activity_id=row.id,
        revision=row.revision,
        state=contracts.ActivityState(row.state),
        title=row.title,
        language=row.language,
        kind=row.kind,
        programme=row.programme,
        edition=row.edition,
        areas=tuple(row.areas),
        causes=tuple(row.causes),
        sdgs=tuple(row.sdgs),
        objectives=tuple(row.objectives),
        organisers=tuple(contracts.Organiser(**organiser) for organiser in row.organisers),
        country=row.country,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        starts_on=row.starts_on,
        time_zone=row.time_zone,
        place=", ".join(str(place[part]) for part in ("name", "city") if place.get(part)) or None,
        capacity=row.capacity,
        takes_sign_ups=_takes_sign_ups(row),
        sign_up_opens_at=row.sign_up_opens_at,
        sign_up_closes_at=row.sign_up_closes_at,
        minimum_age=row.requirements.get("minimum_age"),
        sample=row.sample,
        platform=row.platform,
        part_of=row.part_of,
        relation=row.relation,
        has_parts=row.is_series or row.joint is not None,
        partners=tuple(partner["name"] for partner in row.partners if partner.get("name")),
    )


_NO_DISTANCE = ',"distance_km":null}'
_NOT_TRANSLATED: dict[str, Any] = dict.fromkeys(("summary", "requirements_notes"))
_NO_CONTACT: dict[str, Any] = dict.fromkeys(("email", "url", "phone"))
_NO_REQUIREMENTS: dict[str, Any] = {
    "languages": [], "minimum_age": None, "resident_in": None, "documents": [], "bring": [], "notes": None,
}  # fmt: skip
_NO_PLACE: dict[str, Any] = dict.fromkeys(("name", "address", "city", "country", "latitude", "longitude"))
_NO_PARTNER: dict[str, Any] = dict.fromkeys(("id", "name", "contribution", "contribution_note"))


def entity_tag(row: Activity, *, language: str | None = None) -> str:
    """The ETag of an activity's document, or of its variant in a further language."""
    # The availability and the passing of time change the document without a revision.
    written = f"{row.revision}.{row.updated_at.timestamp():.6f}"
    return f'"{written}.{language}"' if language else f'"{written}"'


def _takes_sign_ups(row: Activity) -> bool:
    """What has parts takes none of its own: people sign up for the parts."""
    return row.takes_sign_ups and not row.is_series and row.joint is None


def _translated(original: ActivityOut, tag: str) -> dict[str, Any]:
    """What a further language says in place of the original; what was not translated stays."""
    texts = original.translations[tag]
    notes = texts.requirements_notes or original.requirements["notes"]
    return {
        "title": texts.title,
        "summary": texts.summary or original.summary,
        "language": tag,
        "requirements": {**original.requirements, "notes": notes},
    }


def _whole(row: Activity, settings: Settings) -> WholeOut | None:
    if row.part_of is None:
        return None
    url = f"{settings.base_url}/activities/v1/activities/{row.part_of}"
    return WholeOut(id=row.part_of, relation=row.relation, title=row.part_of_title, url=url)


def _parts(row: Activity, settings: Settings) -> PartsOut | None:
    if not row.is_series and row.joint is None:
        return None
    url = f"{settings.base_url}/activities/v1/activities?part_of={row.id}"
    return PartsOut(relation="occurrence" if row.is_series else "local_part", count=row.public_parts, url=url)


def _local(moment: datetime | None, zone: ZoneInfo) -> datetime | None:
    return moment and moment.astimezone(zone)
