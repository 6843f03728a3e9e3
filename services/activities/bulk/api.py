"""Routes for many activities at once."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from services.activities.bulk import actions, rules, sheets
from services.activities.bulk.columns import COLUMNS, EXTERNAL_ID, template
from services.activities.bulk.schemas import BulkIn, BulkOut, ImportOut
from services.kernel import idempotency
from services.kernel.auth import Caller
from services.kernel.bodies import CsvBody, csv_described
from services.kernel.limits import costing
from services.kernel.problems import Forbidden, Unauthenticated, UnsupportedMediaType, documented
from services.kernel.routes import router as make_router
from services.kernel.runtime import Running, Writing

router = make_router(tag="bulk")

_ABOUT_IMPORT = f"""Draft and revise activities from a table.

The body is CSV (RFC 4180) in UTF-8, parted by commas or semicolons, with at most {rules.MOST_ROWS} rows below a header
that names columns in any order: `{EXTERNAL_ID}` and {", ".join(f"`{name}`" for name in COLUMNS)}. Times are wall-clock
times of the leading section. Several values in a cell are parted by `|`; of organisers and causes the first one leads.
Without `organisers` an activity is of the caller's section. An empty cell is the field's default; of an activity that
is there a column that is missing stays.

A row whose `{EXTERNAL_ID}` was imported for its section before revises that activity, so that the same file twice
changes nothing; `changed` says in which fields. What was changed by hand since is kept: a row that says otherwise about
the same field is refused, unless `overwrite` is asked for. Rows that can't be taken are named with line, column and
reason and do not stop the others."""


@router.post(
    "/activities/bulk",
    response_model=BulkOut,
    dependencies=[costing(10), idempotency.required],
    responses=documented(Unauthenticated, Forbidden, rules.NothingApplied),
)
async def change_many(request: Request, session: Writing, runtime: Running, actor: Caller, wanted: BulkIn) -> Response:
    """Draft and revise up to 200 activities; each item is answered as its own request would be.

    What is refused does not stop the others, unless `all_or_nothing` is asked for.
    """
    done = await actions.carry_out(session, runtime.settings, actor, wanted)
    return _reply(request, done, is_dry_run=wanted.dry_run)


@router.post(
    "/activities/import",
    response_model=ImportOut,
    description=_ABOUT_IMPORT,
    dependencies=[costing(10), idempotency.required],
    responses=documented(Unauthenticated, Forbidden, UnsupportedMediaType),
    openapi_extra=csv_described(template()),
)
async def import_table(
    request: Request,
    session: Writing,
    runtime: Running,
    actor: Caller,
    body: CsvBody,
    dry_run: Annotated[bool, Query(description="Only say what would happen.")] = False,
    overwrite: Annotated[bool, Query(description="The table is right about what was changed by hand, too.")] = False,
) -> Response:
    """Draft and revise activities from a table."""
    how = sheets.How(dry_run=dry_run, overwrites=overwrite)
    done = await sheets.take(session, runtime.settings, actor, body, how)
    return _reply(request, done, is_dry_run=dry_run)


@router.get("/activities/import/template.csv", responses={200: {"content": {"text/csv": {}}}}, response_class=Response)
async def get_template() -> Response:
    """Every column that an import may have, with one row as an example."""
    headers = {"Cache-Control": "public, max-age=3600", "Content-Disposition": 'attachment; filename="activities.csv"'}
    return Response(template(), media_type="text/csv; charset=utf-8; header=present", headers=headers)


def _reply(request: Request, done: BulkOut | ImportOut, *, is_dry_run: bool) -> Response:
    if is_dry_run:
        idempotency.keep_nothing(request)
    return Response(done.model_dump_json(), media_type="application/json")
