"""What an activity's day comes to: everybody on the list with what is recorded of them, and the sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.contracts import ParticipantClass
from services.registration.attendance import rules, store
from services.registration.attendance.schemas import AnswerSumOut, ClassCount, DayEntry, DayOut
from services.registration.places.schemas import RegistrationEntry
from services.registration.places.tables import Places, Registration

_COUNTED = ("expected", "present", "no_shows", "not_recorded", "walk_ins")


async def listed(
    session: AsyncSession, rows: Sequence[Registration], entries: Sequence[RegistrationEntry]
) -> list[DayEntry]:
    """Registrations as organisers see them, with what is recorded of the day."""
    recorded = await store.attendances_of(session, [row.id for row in rows])
    found = []
    for row, entry in zip(rows, entries, strict=True):
        known = recorded[row.id].standing if row.id in recorded else None
        found.append(
            DayEntry(
                **entry.model_dump(),
                checked_in_at=row.checked_in_at,
                presence=rules.presence_of(known),
                hours=known and known.hours,
                corrected=known is not None and known.corrected,
            )
        )
    return found


async def day(session: AsyncSession, places: Places) -> DayOut:
    """Who was expected at an activity, who was there, and for how long."""
    rows = [*await store.counts_by_class(session, places.activity_id),
            *await store.walk_ins_by_class(session, places.activity_id)]  # fmt: skip
    by_class = [_of_class(each, rows) for each in ParticipantClass]
    counted = {name: sum(getattr(each, name) for each in by_class) for name in _COUNTED}
    there, planned = counted["present"] + counted["walk_ins"], rules.planned_hours(places.starts_at, places.ends_at)
    answers = await store.answers(session, places.activity_id, [question["code"] for question in places.questions])
    return DayOut(
        activity_id=places.activity_id,
        title=places.title,
        starts_at=places.starts_at,
        ends_at=places.ends_at,
        capacity=places.capacity,
        over_capacity=is_over(places, there),
        **counted,
        by_class=by_class,
        planned_duration=planned,
        hours_planned=None if planned is None else planned * there,
        hours_actual=sum((Decimal(row["hours"]) for row in rows), Decimal(0)),
        without_hours=sum(row["without_hours"] for row in rows),
        answers=[AnswerSumOut(**asdict(each)) for each in rules.answer_sums(places.questions, answers)],
    )


def is_over(places: Places, there: int) -> bool:
    """Whether more people are there than the activity has places."""
    return places.capacity is not None and there > places.capacity


def _of_class(participant_class: ParticipantClass, rows: Sequence[Mapping[str, Any]]) -> ClassCount:
    found = dict.fromkeys(_COUNTED, 0)
    for row in rows:
        if row["participant_class"] == participant_class:
            found.update({name: row[name] for name in _COUNTED if name in row})
    found["not_recorded"] = found["expected"] - found["present"] - found["no_shows"]
    return ClassCount(participant_class=participant_class, **found)
