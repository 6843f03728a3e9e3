"""Routes of the tables of people."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import Field, StringConstraints
from starlette.requests import Request

from services.impact.disclosure import rules, store
from services.impact.disclosure.rules import DIMENSIONS, TABLES, Table
from services.impact.disclosure.schemas import CountOut, RowOut, TableList, TableOut, TableRows
from services.impact.disclosure.tables import ReleasedRow
from services.kernel.limits import costing
from services.kernel.paging import Cursor, Limit, Page
from services.kernel.problems import documented
from services.kernel.routes import router as make_router
from services.kernel.runtime import Reading
from services.kernel.texts import Code

router = make_router(tag="tables of people")

AcademicYear = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}/[0-9]{2}$")]


@router.get("/tables")
async def list_tables(session: Reading) -> TableList:
    """The tables in which people are counted by what describes them. They can't be combined with anything."""
    years = [release.academic_year for release in await store.releases(session)]
    return TableList(items=[_table_out(table, years) for table in TABLES.values()], next=None)


@router.get("/tables/{code}", responses=documented(rules.TableNotFound), dependencies=[costing(3)])
async def get_table(
    request: Request,
    session: Reading,
    code: Code,
    academic_year: Annotated[list[AcademicYear], Query(description="as 2026/27"), Field(max_length=50)] = [],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> TableRows:
    """A table, by academic year and row. It is released 60 days after an academic year, and never changes then."""
    table = TABLES.get(code)
    if table is None:
        raise rules.TableNotFound
    page = Page(request, cursor)
    rows = await store.page_of_rows(session, code, academic_year, after=page.after, limit=limit + 1)
    shown = rows[:limit]
    labels = await store.labels_told(session, code, sorted({row.academic_year for row in shown}))
    releases = await store.releases(session)
    is_last = len(rows) <= limit
    return TableRows(
        **_table_out(table, [release.academic_year for release in releases]).model_dump(),
        as_of={release.academic_year: release.as_of for release in releases},
        items=[_row_out(row, labels.get(row.academic_year, [])) for row in shown],
        next=None if is_last else page.next_url([shown[-1].academic_year, shown[-1].row_key]),
    )


def _table_out(table: Table, years: list[str]) -> TableOut:
    return TableOut(
        code=table.code,
        title=table.title,
        definition=table.definition,
        by=[*dict.fromkeys(("academic_year", table.rows, table.label))],
        reason=DIMENSIONS[table.label].reason,
        threshold=table.threshold,
        academic_years=years,
    )


def _row_out(row: ReleasedRow, labels: list[str]) -> RowOut:
    counts = [(label, row.counts.get(label)) for label in labels]
    return RowOut(
        academic_year=row.academic_year,
        row=row.row_key or None,
        people=row.people,
        counts=[
            CountOut(label=label, people=people, suppressed=["people"] if people is None else [])
            for label, people in counts
        ],
    )
