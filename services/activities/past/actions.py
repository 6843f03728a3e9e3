"""Activities of the past, known from another record: they enter the catalogue by the same events as live ones."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.campaigns import store as campaigns
from services.activities.catalogue import actions, rules, store
from services.activities.catalogue.rules import State
from services.activities.catalogue.tables import Activity
from services.activities.directory import store as directory
from services.activities.directory.country_codes import time_zone_of
from services.activities.label.rules import LabelState
from services.activities.past.past_rows import PastActivityRow
from services.kernel.ids import new_id
from services.kernel.imports import Refused
from services.kernel.settings import Settings

SOURCE = "real_activities"
_STATE_OF = {"held": State.HELD, "cancelled": State.CANCELLED, "announced": State.PUBLISHED}


async def record_past(session: AsyncSession, settings: Settings, row: PastActivityRow) -> tuple[Activity, bool]:
    """Enter a past activity, or bring its entry up to date; answers it and whether anything changed.

    Raises Refused for a section that is not in the directory.
    """
    known = await store.imported(session, SOURCE, row.source_id)
    activity = known or Activity(
        id=new_id(), revision=0, source=SOURCE, source_id=row.source_id, sample=False, has_places=True,
        availability_revision=0, reason=None, language="en", edition_set_by_hand=False, online_url=None, capacity=None,
        takes_sign_ups=False, sign_up_opens_at=None, sign_up_closes_at=None, requirements={}, accessibility=[],
        cost=None, image=None, label_state=LabelState.NOT_ASKED.value,
        audience=[], pupils_expected=None, contact=None, translations={}, is_series=False,
        public_parts=0,
    )  # fmt: skip
    by_hand: frozenset[str] = frozenset()
    if known is not None:
        by_hand = (await store.changed_by_hand(session, [known.id])).get(known.id, frozenset())
    for name, value in (await _content(session, row)).items():
        # What somebody put right stays so: a record of long ago can't know better.
        if name not in by_hand and getattr(activity, name) != value:
            setattr(activity, name, value)
    if known is not None and not session.is_modified(activity):
        return activity, False
    await actions.changed(session, settings, activity, None, "record")
    return activity, True


async def _content(session: AsyncSession, row: PastActivityRow) -> dict[str, Any]:
    section = None
    if row.section_code:
        section = (await directory.sections_to_name(session, [row.section_code])).get(row.section_code)
    if row.section_code and section is None:
        raise Refused("section_code", f"{row.section_code} is not in the directory; import the sections first")
    country = row.country or (section.country if section else None)
    zone = ZoneInfo(section.time_zone if section else time_zone_of(country, row.city)[0] if country else "UTC")
    name = row.organiser_name or (section.name if section else "not stated")
    last = row.ends_on or row.starts_on
    return {
        "state": _STATE_OF[row.outcome].value,
        "title": row.title,
        "summary": row.summary,
        "kind": row.kind,
        "programme": row.programme,
        "mode": row.mode,
        "edition": await campaigns.edition_on(session, row.known_start, country) if row.known_start else None,
        "areas": [row.area] if row.area else [],
        "causes": [row.cause] if row.cause else [],
        "sdgs": list(row.sdgs),
        "objectives": list(row.objectives),
        "organisers": [{"code": row.section_code, "name": name, "lead": True}],
        "section_codes": [row.section_code] if row.section_code else [],
        "country": country,
        "platform": await directory.platform_on(session, country, row.starts_on) if country and row.starts_on else None,
        "starts_at": rules.midnight(row.starts_on, zone) if row.starts_on else None,
        "ends_at": rules.midnight(last + timedelta(days=1), zone) if last else None,
        "starts_on": row.starts_on,
        "ends_on": row.ends_on,
        "date_precision": row.date_precision,
        "time_zone": zone.key,
        "place": {"city": row.city, "country": country} if row.city else None,
        "partners": [{"name": partner} for partner in row.partners],
        "source_url": row.source_url,
    }
