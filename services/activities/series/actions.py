"""What is done to series: dates are added to an activity, which becomes a series by the first."""

from __future__ import annotations

from datetime import UTC
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.catalogue import actions, parts, store
from services.activities.catalogue import rules as catalogue
from services.activities.catalogue.rules import State
from services.activities.catalogue.tables import Activity
from services.activities.label.rules import LabelState
from services.activities.series import rules
from services.activities.series.schemas import OccurrencesIn
from services.kernel.auth import Actor
from services.kernel.problems import Invalid
from services.kernel.settings import Settings


async def add_occurrences(
    session: AsyncSession, settings: Settings, actor: Actor, series_id: UUID, wanted: OccurrencesIn
) -> list[Activity]:
    """Add dates to an activity: to one that is not public yet, or to a series in whatever state can be changed."""
    series = await actions.lock(session, series_id)
    await actions.check_reach(session, actor, series)
    catalogue.check_editable(State(series.state), LabelState(series.label_state), frozenset({"occurrences"}))
    if series.relation == catalogue.OCCURRENCE or series.joint is not None:
        raise rules.NoSeries
    if series.state == State.PUBLISHED and not series.is_series:
        raise rules.TakesSignUpsAlready
    known = [part for part in await store.lock_parts(session, series.id) if part.state != State.DISCARDED]
    slots = wanted.slots()
    where = "#/rule" if wanted.rule else "#/times"
    if not slots:
        raise Invalid.at(where, "No day fits.")
    if len(known) + len(slots) > rules.MOST_OCCURRENCES:
        raise Invalid.at(where, f"A series has at most {rules.MOST_OCCURRENCES} occurrences.")
    taken = frozenset(
        part.starts_at.astimezone(UTC) for part in known if part.starts_at and part.state != State.CANCELLED
    )
    times = rules.instants(slots, ZoneInfo(series.time_zone), known=taken)
    return await parts.add(session, settings, actor, series, times)
