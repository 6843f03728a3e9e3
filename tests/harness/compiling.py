"""What SQLAlchemy compiled for one test's engines serves those of the next, each of which would compile it anew."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from services.kernel import db
from services.kernel.settings import asyncpg_url

_STATEMENTS = 5_000
"""More than the services and the tests have; an engine keeps 500 unless told otherwise."""


@asynccontextmanager
async def shared(url: str) -> AsyncIterator[None]:
    """Let every engine that `services.kernel.db` makes within the block share one dialect and its statements."""
    model = create_async_engine(asyncpg_url(url), query_cache_size=_STATEMENTS)
    async with model.connect():
        pass  # Only now does the dialect know its server.
    create = db.create_async_engine

    def sharing(url: str, **given: Any) -> AsyncEngine:
        engine = create(url, **given)
        engine.sync_engine.dialect = model.sync_engine.dialect
        engine.sync_engine._compiled_cache = model.sync_engine._compiled_cache  # No setting shares it.
        return engine

    db.create_async_engine = sharing
    try:
        yield
    finally:
        db.create_async_engine = create
        await model.dispose()
