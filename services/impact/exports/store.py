"""Every statement of the facts that analysts read, and of exports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession

from services.impact.exports.rules import KEPT, LEASE, MOST_ATTEMPTS, Column, State, words
from services.impact.exports.schemas import Dataset
from services.impact.exports.tables import Export, ExportPiece
from services.impact.facts.rules import Figures
from services.impact.facts.tables import ActivityFacts, QuantityFact
from services.impact.statistics.rules import Asked
from services.impact.statistics.store import conditions

_DIALECT: Final = postgresql.dialect()  # type: ignore[no-untyped-call]
_LEADS_TO_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")
_GONE_AFTER: Final = timedelta(days=7)
_EXACT: Final = ("hours", "checked_in_hours")
# Of people only how many of each class there were: nothing that describes one of them, and no key.
_TOLD: Final = (
    "section", "country", "platform", "edition", "starts_on", "month", "academic_year", "area", "cause", "kind",
    "programme", "source", "labels", *(name for name in Figures._fields if name != "reports"),
)  # fmt: skip
_DEFINITIONS: Final = {
    "activity_id": "The activity of the catalogue.",
    "labels": "All labels, main or not, as scheme:label.",
    "activities": "1 where it took place.",
    "cancelled": "1 where it did not.",
    "shrunk": "1 where it took place, smaller than it was planned.",
    "measure": "What the amount is of.",
    "unit": 'UCUM; "1" for what is counted; ISO 4217 for money.',
}


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows that are read one after the other: their columns and the statement that finds them."""

    columns: tuple[Column, ...]
    statement: sa.Select[Any]

    def sql(self, *, harmless: bool) -> str:
        """The statement with its values in it; no text may lead to a formula where it has to be `harmless`."""
        statement = self.statement
        if harmless:
            inner = statement.subquery()
            told = [
                _harmless(inner.c[each.name]).label(each.name) if each.kind == "text" else inner.c[each.name]
                for each in self.columns
            ]
            statement = sa.select(*told)
        return str(statement.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True}))


def rows(dataset: Dataset, asked: Asked) -> Rows:
    """The facts of activities whose report is verified, or the quantities of them."""
    among = [ActivityFacts.reports > 0, *conditions(ActivityFacts, asked)]
    if dataset is Dataset.FACTS:
        told = [_told(name) for name in ("activity_id", *_TOLD)]
        statement = sa.select(*told).where(*among)
    else:
        amount = sa.func.trim_scale(QuantityFact.amount).label("amount")
        statement = sa.select(QuantityFact.activity_id, QuantityFact.measure, QuantityFact.unit, amount)
        statement = statement.join(ActivityFacts, ActivityFacts.activity_id == QuantityFact.activity_id).where(*among)
    names = [column.name for column in statement.selected_columns]
    told_columns = tuple(
        Column(name, words(name), "h" if name in _EXACT else "", _DEFINITIONS.get(name, ""), _kind(name))
        for name in names
    )
    return Rows(told_columns, statement)


def _told(name: str) -> Any:
    column = getattr(ActivityFacts, name)
    if name == "activity_id":
        return column
    if name == "labels":
        return sa.func.array_to_string(column, " ").label(name)
    return sa.func.trim_scale(column).label(name) if name in _EXACT else column


def _kind(name: str) -> str:
    if name in Figures._fields:
        return "exact" if name in _EXACT else "whole"
    return {"starts_on": "day", "amount": "amount", "activity_id": "id"}.get(name, "text")


def _harmless(text: Any) -> Any:
    return sa.case((sa.func.left(text, 1).in_(_LEADS_TO_FORMULAS), sa.literal("'") + text), else_=text)


async def count(session: AsyncSession, found: Rows) -> int:
    """How many rows there are."""
    statement = sa.select(sa.func.count()).select_from(found.statement.subquery())
    return (await session.execute(statement)).scalar_one()


async def lock_caller(session: AsyncSession, caller: UUID) -> int:
    """How many exports of a caller are made or kept; nobody else may ask for one in its name meanwhile."""
    await session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"exports {caller}", 0))))
    held = (Export.asked_by == caller, Export.state.in_((State.WAITING, State.RUNNING, State.READY)))
    return (await session.execute(sa.select(sa.func.count()).select_from(Export).where(*held))).scalar_one()


async def add(session: AsyncSession, export: Export) -> Export:
    """Keep a new export."""
    session.add(export)
    await session.flush()
    await session.refresh(export)
    return export


async def export(session: AsyncSession, identity: UUID) -> Export | None:
    """An export."""
    return await session.get(Export, identity)


async def now(session: AsyncSession) -> datetime:
    """The database's clock."""
    return (await session.execute(sa.select(sa.func.now()))).scalar_one()


async def give_up(session: AsyncSession) -> None:
    """Let exports fail whose workers were lost time after time."""
    lost = (Export.state == State.RUNNING, Export.claimed_until < sa.func.now(), Export.attempt >= MOST_ATTEMPTS)
    failed = {"state": State.FAILED, "reason": "It could not be made.", "expires_at": sa.func.now() + KEPT}
    await session.execute(sa.update(Export).where(*lost).values(failed))


async def claim(session: AsyncSession) -> Export | None:
    """The export that waits for longest, or whose worker gives no sign of life, claimed by this worker alone."""
    is_lost = sa.and_(Export.state == State.RUNNING, Export.claimed_until < sa.func.now())
    due = sa.select(Export.id).where(sa.or_(Export.state == State.WAITING, is_lost)).order_by(Export.asked_at).limit(1)
    begun = {
        "state": State.RUNNING, "attempt": Export.attempt + 1, "claimed_until": sa.func.now() + LEASE,
        "rows_written": 0, "size": 0,
    }  # fmt: skip
    first = due.with_for_update(skip_locked=True).cte("due")
    claimed = sa.update(Export).where(Export.id == first.c.id).values(begun).returning(Export)
    found = (await session.scalars(claimed)).one_or_none()
    if found is not None:
        # What a worker that was lost had written.
        await session.execute(sa.delete(ExportPiece).where(ExportPiece.export_id == found.id))
    return found


async def told(session: AsyncSession, mine: Export, **values: Any) -> bool:
    """Say how far an export is and hold on to it; False where another worker makes it by now."""
    own = (Export.id == mine.id, Export.attempt == mine.attempt, Export.state == State.RUNNING)
    kept = {"claimed_until": sa.func.now() + LEASE, **values}
    return await session.scalar(sa.update(Export).where(*own).values(kept).returning(Export.id)) is not None


async def keep_piece(session: AsyncSession, mine: Export, number: int, data: bytes) -> None:
    """Keep a piece of an export."""
    await session.execute(sa.insert(ExportPiece).values(export_id=mine.id, number=number, data=data))


async def piece(session: AsyncSession, identity: UUID, number: int) -> bytes | None:
    """A piece of an export that is still kept."""
    wanted = (ExportPiece.export_id == identity, ExportPiece.number == number)
    return await session.scalar(sa.select(ExportPiece.data).where(*wanted))


async def expire(session: AsyncSession) -> Sequence[UUID]:
    """Throw away what was kept for long enough, and forget long after that it was there; answers what expired."""
    over = Export.expires_at < sa.func.now()
    await session.execute(sa.delete(Export).where(Export.expires_at < sa.func.now() - _GONE_AFTER))
    expired = sa.update(Export).where(over, Export.state.in_((State.READY, State.FAILED)))
    gone = (await session.scalars(expired.values(state=State.EXPIRED).returning(Export.id))).all()
    await session.execute(sa.delete(ExportPiece).where(ExportPiece.export_id.in_(gone)))
    return gone
