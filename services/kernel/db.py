"""Engines and sessions: one database role a service, one transaction a request, job or command."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from services.kernel import reach
from services.kernel.settings import Settings

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

# Bounds on what one caller can make the others wait for (faults F-09, F-11, F-16).
LOCK_TIMEOUT = "4s"
GROUP_LOCK_TIMEOUT = "250ms"
STATEMENT_TIMEOUT = "30s"
IDLE_IN_TRANSACTION_TIMEOUT = "60s"
# A plan made for any value can't know that one country is common and another is rare. Each order and each filter of a
# list has its index, and rows are wide: reading them all is never the shorter way. To look at a row for its words costs
# more than the default: else an index that marks all rows seems as good.
PLANNED_FOR_LISTS: Final = MappingProxyType({
    "plan_cache_mode": "force_custom_plan", "enable_seqscan": "off", "cpu_tuple_cost": "0.1",
})  # fmt: skip

# When a server that does not answer at all is given up; commands may raise their own statement's bound to ten minutes.
_SECONDS_WITHOUT_ANSWER, _OF_COMMANDS = 60, 660
# What was used so lately is alive.
_IDLE_SECONDS: Final = 0.003
_USED_AT: Final = "used at"
_ONE_PROCESS: Final = {"max_parallel_workers_per_gather": "0"}
"""Answers are small, and to start helpers for one takes longer than the answer."""


def metadata(schema: str) -> MetaData:
    """The metadata of one schema, with one naming convention for every constraint."""
    return MetaData(schema=schema, naming_convention=NAMING_CONVENTION)


def create_engine(
    settings: Settings,
    *,
    role: str | None,
    pool_size: int | None = None,
    more: Mapping[str, str] = MappingProxyType({}),
) -> AsyncEngine:
    """An engine whose connections act as `role`, so that Postgres itself refuses another service's schema.

    Without a role the connections keep the rights of the login: for migrations and commands only. `more` are further
    settings of each connection.
    """
    server_settings = {
        "application_name": f"socialerasmus {role or 'owner'}",
        "timezone": "UTC",
        "lock_timeout": LOCK_TIMEOUT,
        "statement_timeout": STATEMENT_TIMEOUT,
        "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION_TIMEOUT,
    }
    if role is not None:
        server_settings |= {"role": role, reach.SETTING: reach.NOTHING, **_ONE_PROCESS}
    server_settings |= more
    size = pool_size or settings.pool_size
    engine = create_async_engine(
        settings.database_url,
        pool_size=size,
        max_overflow=size,
        pool_timeout=2,
        hide_parameters=True,
        connect_args={
            "server_settings": server_settings,
            "timeout": 5,
            "command_timeout": _OF_COMMANDS if role is None else _SECONDS_WITHOUT_ANSWER,
        },
    )
    _look_at_idle_connections(engine)
    return engine


def _look_at_idle_connections(engine: AsyncEngine) -> None:
    """Ask a connection whether it is alive if it was not used a moment ago; asking each time is one way more to go."""

    @sa.event.listens_for(engine.sync_engine, "checkout")
    def look(connection: Any, record: Any, _: Any) -> None:
        used_at = record.info.get(_USED_AT)
        if used_at is None:
            return
        is_closed = connection.driver_connection.is_closed()
        if is_closed or (
            time.monotonic() - used_at > _IDLE_SECONDS and not engine.dialect._do_ping_w_event(connection)  # noqa: SLF001
        ):
            raise sa.exc.InvalidatePoolError

    @sa.event.listens_for(engine.sync_engine, "checkin")
    def note(_: Any, record: Any) -> None:
        record.info[_USED_AT] = time.monotonic()


def create_glancing_engine(settings: Settings, *, role: str | None) -> AsyncEngine:
    """Connections for single statements that read: each is a snapshot of its own, so no transaction is around it.

    They are planned for their own values and by indexes alone, as lists want it.
    """
    more = {"default_transaction_read_only": "on", **PLANNED_FOR_LISTS}
    return create_engine(settings, role=role, more=more).execution_options(isolation_level="AUTOCOMMIT")


def create_grouping_engine(settings: Settings, *, role: str | None) -> AsyncEngine:
    """Connections for what a process does for many requests by one statement, which is its own transaction.

    It is of many people, so it reaches everything; and none of them waits long for what somebody else has locked.
    """
    more = {"lock_timeout": GROUP_LOCK_TIMEOUT, reach.SETTING: reach.EVERYTHING}
    engine = create_engine(settings, role=role, pool_size=1, more=more)
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def reading(engine: AsyncEngine) -> AsyncEngine:
    """The same connections; what begins on them is one snapshot, in which Postgres refuses every write."""
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def session_factory(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """Sessions that never reload a row behind the caller's back."""
    return async_sessionmaker(engine, expire_on_commit=False)


def why_no_connection(failure: BaseException) -> str | None:
    """One sentence for a person when a command could not reach its database; None for every other failure."""
    cause = getattr(failure, "orig", None) or failure
    state = str(getattr(cause, "sqlstate", "") or getattr(cause.__cause__, "sqlstate", "") or "")
    if state.startswith("28"):
        return "The database refuses the login in DATABASE_URL."
    if state == "3D000":
        return "The database named in DATABASE_URL does not exist."
    if state == "42501":
        return "The login in DATABASE_URL lacks a right: to own the database, or to make or be the services' roles."
    if isinstance(failure, OSError) or state.startswith(("08", "53", "57P")):
        return "The database in DATABASE_URL can't be reached."
    return None
