"""Turns an activity's row into what others read: the public document, and the snapshot that events carry."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from services import contracts
from services.activities.catalogue.rules import PUBLIC, SignUp, State, sign_up
from services.activities.catalogue.schemas import ActivityOut, CauseOut, OrganiserOut, SignUpOut
from services.activities.catalogue.tables import Activity
from services.kernel.settings import Settings


def render(row: Activity, settings: Settings, *, now: datetime) -> None:
    """Write the row's document, and when time alone will change it. `row.updated_at` must be set."""
    state = State(row.state)
    open_now, turns_at = sign_up(
        takes=row.takes_sign_ups,
        state=state,
        opens_at=row.sign_up_opens_at,
        closes_at=row.sign_up_closes_at,
        has_places=row.has_places,
        now=now,
    )
    row.turns_at = turns_at
    row.document = document(row, settings, open_now).model_dump_json()


def document(row: Activity, settings: Settings, open_now: SignUp) -> ActivityOut:
    """The activity as everybody reads it, with its times in its own zone."""
    zone = ZoneInfo(row.time_zone)
    offered = row.takes_sign_ups and State(row.state) in PUBLIC
    requirements = {"languages": [], "minimum_age": None, "notes": None, **row.requirements}
    return ActivityOut(
        id=row.id,
        url=f"{settings.base_url}/activities/v1/activities/{row.id}",
        page_url=f"{settings.base_url}/activities/{row.id}",
        state=State(row.state),
        revision=row.revision,
        title=row.title,
        summary=row.summary,
        language=row.language,
        languages=[row.language],
        kind=row.kind,
        programme=row.programme,
        mode=row.mode,
        edition=row.edition,
        areas=row.areas,
        causes=[CauseOut(code=code, main=number == 0) for number, code in enumerate(row.causes)],
        sdgs=row.sdgs,
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
        ),
        requirements=requirements,
        accessibility=row.accessibility,
        cost=row.cost,
        partners=row.partners,
        image=row.image,
        reason=row.reason,
        source_url=row.source_url,
        updated_at=row.updated_at,
        sample=row.sample,
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
        organisers=tuple(contracts.Organiser(**organiser) for organiser in row.organisers),
        country=row.country,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        starts_on=row.starts_on,
        time_zone=row.time_zone,
        place=", ".join(str(place[part]) for part in ("name", "city") if place.get(part)) or None,
        capacity=row.capacity,
        takes_sign_ups=row.takes_sign_ups,
        sign_up_opens_at=row.sign_up_opens_at,
        sign_up_closes_at=row.sign_up_closes_at,
        minimum_age=row.requirements.get("minimum_age"),
        sample=row.sample,
    )


_NO_DISTANCE = ',"distance_km":null}'
_NO_PLACE: dict[str, Any] = dict.fromkeys(("name", "address", "city", "country", "latitude", "longitude"))


def _local(moment: datetime | None, zone: ZoneInfo) -> datetime | None:
    return moment and moment.astimezone(zone)
