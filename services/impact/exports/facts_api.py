"""Routes of the facts for analysts, at once or made by the worker."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Depends
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from services.contracts import IMPACT
from services.impact.exports import actions, rules, store, streaming
from services.impact.exports.rules import CSV, PARQUET
from services.impact.exports.schemas import Dataset, ExportIn, ExportOut, Format
from services.impact.statistics.filters import Period, Where, asked_of
from services.impact.statistics.rules import Asked
from services.kernel import idempotency
from services.kernel.auth import Caller
from services.kernel.consumers import read_up_to
from services.kernel.limits import costing
from services.kernel.problems import Unauthenticated, documented
from services.kernel.routes import pages_by_secret
from services.kernel.routes import router as make_router
from services.kernel.runtime import Reading, Running, Writing

router = make_router(tag="facts")
links = pages_by_secret(tag="facts")

_PRIVATE: Final = {"Cache-Control": "private, no-store"}
_SHAPES: Final = {Format.CSV: CSV, Format.PARQUET: PARQUET}
_READ: Final = documented(Unauthenticated, rules.FactsOutOfReach)
_TITLES: Final = {Dataset.FACTS: "Facts of activities", Dataset.QUANTITY_FACTS: "Quantities of activities"}


async def _chosen(actor: Caller, where: Where, when: Period) -> Asked:
    return actions.within_reach(actor, asked_of((), (), {**where, **when.codes}, since=when.since, until=when.until))


Chosen = Annotated[Asked, Depends(_chosen)]
"""The activities that are asked about, within the caller's reach."""


class _Streamed(StreamingResponse):
    """Lets go of what it reads from as soon as its reader is gone."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self.body_iterator):  # type: ignore[type-var]
            await super().__call__(scope, receive, send)


def _facts_as(dataset: Dataset, shape: Format) -> Callable[..., Any]:
    async def get_facts(session: Reading, runtime: Running, asked: Chosen) -> Response:
        streaming.check_room(runtime)
        as_of = await read_up_to(session, IMPACT)
        about = {"dataset": dataset.value, **({"as_of": as_of.isoformat()} if as_of else {})}
        reading = streaming.pieces(runtime, store.rows(dataset, asked), shape, about)
        return _streamed(_data(reading), shape, dataset)

    return get_facts


async def _data(reading: AsyncIterator[streaming.Piece]) -> AsyncIterator[bytes]:
    async with aclosing(reading):  # type: ignore[type-var]
        async for piece in reading:
            yield piece.data


def _streamed(content: AsyncIterator[bytes], shape: Format, dataset: Dataset, **headers: str) -> Response:
    name = f"socialerasmus-{dataset.value}.{shape.value}"
    told = {**_PRIVATE, "Content-Disposition": f'attachment; filename="{name}"', **headers}
    return _Streamed(content, media_type=_SHAPES[shape].media_type, headers=told)


def _add(dataset: Dataset, shape: Format) -> None:
    own = _SHAPES[shape]
    name = dataset.value.replace("-", "_")
    router.add_api_route(
        f"/{dataset.value}.{own.extension}",
        _facts_as(dataset, shape),
        methods=["GET"],
        name=f"get_{name}_as_{own.extension}",
        response_class=type(f"_{name}_{own.extension}", (_Streamed,), {"media_type": own.media_type}),
        dependencies=[costing(20)],
        responses=_READ,
        description=f"{_TITLES[dataset]} with a verified report, one a row, as {own.title}; nothing in them describes "
        "a person. For machines, and for coordinators of a country or of all.",
    )


for _dataset in Dataset:
    for _shape in Format:
        _add(_dataset, _shape)


@router.post(
    "/exports",
    status_code=202,
    response_model=ExportOut,
    dependencies=[costing(20), idempotency.required],
    responses={
        202: {"description": "It waits for the worker; Location says where to ask how far it is."},
        **documented(Unauthenticated, rules.FactsOutOfReach, rules.TooManyExports),
    },
)
async def ask_for_export(
    session: Writing, runtime: Running, actor: Caller, asked: Chosen, wanted: ExportIn
) -> Response:
    """Let facts be exported that take long; the filters stand in the address, as for the facts themselves."""
    made = actions.out(runtime, await actions.ask(session, actor, wanted, asked))
    headers = {**_PRIVATE, "Location": f"{runtime.settings.base_url}/impact/v1/exports/{made.id}"}
    return Response(made.model_dump_json(), 202, headers=headers, media_type="application/json")


@router.get("/exports/{export_id}", responses=documented(Unauthenticated, rules.ExportNotFound))
async def get_export(
    session: Reading, runtime: Running, actor: Caller, response: Response, export_id: UUID
) -> ExportOut:
    """How far an export of yours is; once it is ready, with a link that anybody can open until it expires."""
    response.headers.update(_PRIVATE)
    return actions.out(runtime, await actions.own(session, actor, export_id))


@links.get("/exports/{token}", dependencies=[costing(20)])
async def fetch_export(session: Reading, runtime: Running, token: str) -> Response:
    """What was made."""
    found = await actions.linked(session, runtime, token)
    headers = {"Content-Length": str(found.size), "ETag": f'"{found.id}"'}
    return _streamed(actions.content(runtime, found.id), Format(found.shape), Dataset(found.dataset), **headers)
