"""What the cold list is measured against: the same rows by asyncpg, made into JSON by a fast serialiser, in FastAPI."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import asyncpg
import msgspec
from fastapi import FastAPI, Request, Response

_COLUMNS = """id, state, revision, title, summary, language, kind, programme, mode, edition, areas, causes, sdgs,
    objectives, organisers, country, starts_at, ends_at, starts_on, ends_on, date_precision, time_zone, place,
    online_url, capacity, takes_sign_ups, sign_up_opens_at, sign_up_closes_at, requirements, accessibility, cost,
    partners, image, audience, contact, reason, label_state, source_url, updated_at, sample, platform, has_places"""
_LIST = f"""SELECT {_COLUMNS} FROM activities.activities
    WHERE state IN ('published', 'held', 'cancelled') AND NOT is_series AND labels && ARRAY['country:' || $2]
    AND coalesce(ends_at, starts_at) >= $1
    ORDER BY coalesce(starts_at, 'infinity'), id LIMIT 51"""
_JSON = ("organisers", "place", "requirements", "cost", "partners", "image", "contact")


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["BENCHMARK_DATABASE_URL"], min_size=5, max_size=10) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=_lifespan)


@app.get("/activities/v1/activities")
async def list_activities(request: Request, country: str) -> Response:
    moment = datetime.fromisoformat(request.query_params["from"])
    async with app.state.pool.acquire() as connection:
        rows = await connection.fetch(_LIST, moment, country)
    items = [{**row, **{name: msgspec.Raw(row[name].encode()) for name in _JSON if row[name]}} for row in rows[:50]]
    return Response(msgspec.json.encode({"items": items, "more": len(rows) > 50}), media_type="application/json")
