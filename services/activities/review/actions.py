"""Judging activities before a person does."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.catalogue.tables import Activity
from services.activities.review import calendar_words, filler, rules, store, sums
from services.activities.review.rules import Described, Hint, Similar
from services.kernel.auth import Actor

# A date that is known to the year or not at all contradicts nothing.
_TOO_VAGUE = frozenset({"unknown", "year"})


async def hints_about(session: AsyncSession, reader: Actor, rows: Sequence[Activity]) -> dict[UUID, list[Hint]]:
    """The hints about each of some activities, the surest first."""

    def is_in_reach(other: Similar) -> bool:
        return reader.reaches(sections=other.section_codes, country=other.country)

    similar = await store.similar(session, [row.id for row in rows])
    return {
        row.id: rules.in_order(
            [*judged(described(row)), *rules.of_duplicates(similar[row.id], is_in_reach=is_in_reach)]
        )
        for row in rows
    }


def judged(given: Described) -> list[Hint]:
    """Every hint that an activity itself gives rise to."""
    return [
        *filler.of_texts(given),
        *calendar_words.of_dates(given),
        *sums.of_sums(given),
        *rules.of_times(given),
    ]


def described(row: Activity) -> Described:
    """What the rules look at, from a row."""
    checklist = row.label_checklist or {}
    # From its first date to its last, a series is no long activity.
    is_exact, is_dated = row.date_precision == "time" and not row.is_series, row.date_precision not in _TOO_VAGUE
    zone = ZoneInfo(row.time_zone)
    return Described(
        title=row.title,
        summary=row.summary,
        language=row.language,
        starts_on=row.starts_on if is_dated else None,
        ends_on=row.ends_on if is_dated else None,
        starts_at=row.starts_at.astimezone(zone) if row.starts_at and is_exact else None,
        ends_at=row.ends_at.astimezone(zone) if row.ends_at and is_exact else None,
        sign_up_closes_at=row.sign_up_closes_at,
        capacity=row.capacity,
        cost=Decimal(row.cost["amount"]) if row.cost else None,
        further_texts={
            f"#/label_checklist/{name}": checklist[name]
            for name in ("community_impact", "student_part")
            if checklist.get(name)
        },
    )
