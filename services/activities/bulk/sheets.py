"""Takes activities from a table: each row is drafted, brought up to date, or refused with line, column and reason."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from typing import Final, NamedTuple
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.bulk.actions import attempt, undone_if
from services.activities.bulk.columns import COLUMNS, EXTERNAL_ID, PARTED_BY, column_of, laid_over
from services.activities.bulk.rules import MOST_ROWS
from services.activities.bulk.schemas import CellError, ImportOut, LineOut
from services.activities.catalogue import actions as catalogue
from services.activities.catalogue import describing, parts, store, surroundings
from services.activities.catalogue.drafts import ActivityDraft
from services.activities.catalogue.surroundings import Surroundings
from services.activities.catalogue.tables import Activity
from services.kernel.auth import Actor
from services.kernel.imports import BOM, CsvRows, Refused, Row, UnreadableFile, other_encoding
from services.kernel.problems import FieldError, Invalid, Problem, invalid_body
from services.kernel.settings import Settings
from services.kernel.texts import Line

_LINE: Final = TypeAdapter(Line)
_SOURCE: Final = "csv"
_BY_HAND: Final = "Was changed by hand since the last import; send the table with `overwrite=true` to replace that."

# On which line an external id of a section stands.
Seen = dict[tuple[str, ...], int]


class _Ahead(NamedTuple):
    """What was read for all rows, and holds it: activities by source and external id, and what descriptions need.

    And which fields of these activities were changed by hand since they were imported.
    """

    known: Mapping[tuple[str | None, str | None], Activity]
    by_hand: Mapping[UUID, frozenset[str]]
    around: Surroundings


class Taken(NamedTuple):
    """What became of a row that was not refused."""

    outcome: str
    id: UUID
    changed: frozenset[str] = frozenset()


class How(NamedTuple):
    """Whether it is only tried, and whether the table is right about what was changed by hand since."""

    dry_run: bool
    overwrites: bool


async def take(session: AsyncSession, settings: Settings, actor: Actor, body: bytes, how: How) -> ImportOut:
    """Take every row that can be taken; a row with an `external_id` is found again by it when it comes again."""
    rows = _rows(body)
    await store.one_import_at_a_time(session)
    ahead = await _read_ahead(session, actor, rows)
    lines_of: Seen = {}
    async with undone_if(session, how.dry_run):
        items = [await _line(session, settings, actor, row, lines_of, ahead, how) for row in rows]
    count = Counter(item.outcome for item in items)
    return ImportOut(
        dry_run=how.dry_run, created=count["created"], revised=count["revised"], unchanged=count["unchanged"],
        refused=count["refused"], items=items, next=None,
    )  # fmt: skip


async def _line(
    session: AsyncSession,
    settings: Settings,
    actor: Actor,
    row: Row,
    lines_of: Seen,
    ahead: _Ahead,
    how: How,
) -> LineOut:
    external_id: str | None = None
    try:
        if row.fault is not None:
            raise row.fault
        external_id = _external_id(row, lines_of, *_organisers(row, actor)[:1])
        taken = await attempt(session, _take_row(session, settings, actor, row, external_id, ahead, how))
    except Refused as refused:
        errors = [CellError(column=refused.column, detail=_sentence(refused.reason))]
        return LineOut(line=row.line, external_id=external_id, outcome="refused", id=None, changed=[], errors=errors)
    except Problem as problem:
        errors = [CellError(column=column_of(fault.pointer), detail=fault.detail) for fault in problem.errors]
        errors = errors or [CellError(column=None, detail=problem.detail)]
        return LineOut(line=row.line, external_id=external_id, outcome="refused", id=None, changed=[], errors=errors)
    is_made = taken.outcome == "created"
    return LineOut.model_validate({
        "line": row.line, "external_id": external_id, "outcome": taken.outcome,
        "id": None if is_made and how.dry_run else taken.id, "changed": sorted(taken.changed), "errors": [],
    })  # fmt: skip


async def _read_ahead(session: AsyncSession, actor: Actor, rows: list[Row]) -> _Ahead:
    """Read for all rows what each of them needs, before the first savepoint: whose rollback would let go of it."""
    keys = {row.line: key for row in rows if (key := _key(row, actor)) is not None}
    known = await store.all_imported(session, set(keys.values()))
    by_hand = await store.changed_by_hand(session, [each.id for each in known.values()])
    drafts = []
    for row in rows:
        with suppress(Problem):
            key = keys.get(row.line)
            drafts.append(_wanted(row, actor, known.get(key) if key else None))
    await store.now(session)
    return _Ahead(known, by_hand, await surroundings.read(session, drafts))


async def _take_row(
    session: AsyncSession, settings: Settings, actor: Actor, row: Row, external_id: str | None, ahead: _Ahead, how: How
) -> Taken:
    source = _source(row, actor) if external_id is not None else None
    known = ahead.known.get((source, external_id)) if source else None
    if known is not None:
        await catalogue.check_reach(session, actor, known)
    wanted = _wanted(row, actor, known)
    if known is None:
        drafted = await parts.draft(
            session, settings, actor, wanted, source=source, source_id=external_id if source else None,
            around=ahead.around,
        )  # fmt: skip
        return Taken("created", drafted.id)
    changed = await describing.differing(session, known, wanted, around=ahead.around)
    if not changed:
        return Taken("unchanged", known.id)
    kept = changed & ahead.by_hand.get(known.id, frozenset())
    if kept and not how.overwrites:
        raise Invalid(errors=[FieldError(pointer=f"#/{name}", detail=_BY_HAND) for name in sorted(kept)])
    await parts.revise(session, settings, actor, known, wanted, verb=catalogue.IMPORT, around=ahead.around)
    return Taken("revised", known.id, changed)


def _wanted(row: Row, actor: Actor, known: Activity | None) -> ActivityDraft:
    """What a row describes, laid over the activity that it revises."""
    cells = {name: cell for name, cell in row.values.items() if name != EXTERNAL_ID}
    if organisers := _organisers(row, actor):
        cells["organisers"] = PARTED_BY.join(organisers)
    try:
        return ActivityDraft.model_validate(laid_over(describing.description(known) if known else {}, cells))
    except ValidationError as error:
        raise invalid_body(error) from None


def _source(row: Row, actor: Actor) -> str | None:
    """The source of a row's `external_id`: its leading section's tables."""
    organisers = _organisers(row, actor)
    return f"{_SOURCE}:{organisers[0]}" if organisers else None


def _key(row: Row, actor: Actor) -> tuple[str, str] | None:
    source = _source(row, actor)
    try:
        return (source, _LINE.validate_python(row.values.get(EXTERNAL_ID, ""))) if source else None
    except ValidationError:
        # Taking the row says so, or it has none.
        return None


def _organisers(row: Row, actor: Actor) -> list[str]:
    """The sections that a row names, the leading one first; else the caller's own."""
    named = COLUMNS["organisers"].value(row.values.get("organisers", ""))
    return [each["code"] for each in named] or ([actor.section] if actor.section is not None else [])


def _external_id(row: Row, lines_of: Seen, *lead: str) -> str | None:
    cell = row.values.get(EXTERNAL_ID, "")
    if not cell.strip():
        return None
    try:
        external_id = _LINE.validate_python(cell)
    except ValidationError:
        raise Refused(EXTERNAL_ID, "must be one line of at most 200 characters") from None
    first = lines_of.setdefault((external_id, *lead), row.line)
    if first != row.line:
        raise Refused(EXTERNAL_ID, f"stands on line {first} already")
    return external_id


def _rows(body: bytes) -> list[Row]:
    """The rows of a file, or a 422 about the file as a whole."""
    delimiter = _delimiter(body)
    try:
        _check_header(body, delimiter)
        rows = list(CsvRows(io.BytesIO(body), required=(), optional=(EXTERNAL_ID, *COLUMNS), delimiter=delimiter))
    except UnreadableFile as error:
        raise Invalid.at("#", f"Line {error.line}: {error.reason}.") from None
    if not rows:
        raise Invalid.at("#", "There is no row below the header.")
    if len(rows) > MOST_ROWS:
        raise Invalid.at("#", f"There are more than {MOST_ROWS} rows; import them in several files.")
    return rows


def _delimiter(body: bytes) -> str:
    header = body.partition(b"\n")[0]
    return ";" if header.count(b";") > header.count(b",") else ","


def _check_header(body: bytes, delimiter: str) -> None:
    if other_encoding(body):
        # The reader of the rows says which.
        return
    text = body.removeprefix(BOM).decode("utf-8", "surrogateescape")
    try:
        names = [name.strip() for name in next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])]
    except csv.Error:
        # The reader of the rows says what it is.
        return
    faults = []
    for number, name in enumerate(names, start=1):
        if name not in COLUMNS and name != EXTERNAL_ID:
            faults.append(FieldError(pointer=f"#/header/{number}", detail="There is no column with this name."))
        elif name in names[: number - 1]:
            faults.append(FieldError(pointer=f"#/header/{number}", detail="This column is there already."))
    # A text that is no table at all has a first line too.
    if faults and len(faults) < len(names):
        raise Invalid(errors=faults)
    if faults:
        raise Invalid.at("#/header", "The first line must name the columns, as the template does.")


def _sentence(reason: str) -> str:
    return f"{reason[:1].upper()}{reason[1:]}."
