"""What a running service holds: settings, its database sessions, the queue; and the unit of work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Annotated, Any, TypeVar

from fastapi import Depends
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request

from services.kernel import db, reach
from services.kernel.audit import noting
from services.kernel.counting import Counters
from services.kernel.grouping import Group
from services.kernel.logs import logger
from services.kernel.settings import Settings
from services.kernel.wakeups import Waker, connect

MOST_BESIDE = 4

Wanted = TypeVar("Wanted")
Answer = TypeVar("Answer")

log = logger(__name__)


class Runtime:
    """The resources of one service in one process; `role` None keeps the rights of the login, for commands only."""

    def __init__(self, settings: Settings, *, role: str | None) -> None:
        self.settings = settings
        self.role = role
        self.engine = db.create_engine(settings, role=role)
        self.redis = connect(settings.redis_url)
        self._sessions = db.session_factory(self.engine)
        self.glancing_engine = db.create_glancing_engine(settings, role=role)
        self._glances = db.session_factory(self.glancing_engine)
        self.grouping_engine = db.create_grouping_engine(settings, role=role)
        self._grouping = db.session_factory(self.grouping_engine)
        self._readers = db.session_factory(db.reading(self.engine))
        self.counters = Counters(self.redis, scope=role or "owner", secret=settings.secret.get_secret_value())
        self._waker = Waker(self.redis)
        self._beside: set[asyncio.Task[None]] = set()
        self._groups: dict[object, Group[Any, Any]] = {}

    @asynccontextmanager
    async def unit_of_work(self, how_far: str | None = None) -> AsyncIterator[AsyncSession]:
        """One transaction: committed on leaving, rolled back on an exception; hearers are woken after the commit.

        Of people it sees nothing, unless it says how far it reaches.
        """
        async with self._sessions() as session:
            async with session.begin():
                if how_far is not None:
                    await reach.take(session, how_far)
                yield session
            self._waker.wake(session.info.get("news", {}))

    @asynccontextmanager
    async def reading(self, how_far: str | None = None) -> AsyncIterator[AsyncSession]:
        """One snapshot of the database, in which Postgres refuses every write."""
        async with self._readers() as session, session.begin():
            if how_far is not None:
                await reach.take(session, how_far)
            yield session

    @asynccontextmanager
    async def glancing(self) -> AsyncIterator[AsyncSession]:
        """For single statements that read lists: a third of the way to Postgres and back that a transaction takes."""
        async with self._glances() as session:
            yield session

    @asynccontextmanager
    async def grouping(self) -> AsyncIterator[AsyncSession]:
        """For groups: each statement is a transaction of its own, committed when it is answered, and sees everybody."""
        async with self._grouping() as session:
            yield session

    def soon(self, work: Coroutine[Any, Any, None]) -> bool:
        """Do something beside the requests that may be left out: for the database's sake a few such things at once."""
        if len(self._beside) >= MOST_BESIDE:
            work.close()
            return False
        task = asyncio.create_task(_beside(work))
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)
        return True

    def group(self, make: Callable[[Runtime], Group[Wanted, Answer]]) -> Group[Wanted, Answer]:
        """The group of this process that `make` makes."""
        if make not in self._groups:
            self._groups[make] = make(self)
        return self._groups[make]

    async def close(self) -> None:
        """Let groups and wake-ups finish and close every connection."""
        for group in self._groups.values():
            await group.close()
        await self.counters.close()
        await asyncio.gather(*self._beside)
        await self._waker.close()
        await self.engine.dispose()
        await self.glancing_engine.dispose()
        await self.grouping_engine.dispose()


async def _beside(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        log.warning("left out what is done beside requests", error=type(error).__name__)


def of(request: Request) -> Runtime:
    """The runtime of the service that answers this request."""
    runtime: Runtime = request.app.state.runtime
    return runtime


async def let_reach(request: Request, how_far: str) -> None:
    """Let the transaction of a request reach as far as its caller does, whichever of the two is known first."""
    if not request.app.state.has_walls:
        return
    request.state.reach = how_far
    for session in _sessions_of(request):
        await reach.take(session, how_far)


def _sessions_of(request: Request) -> list[AsyncSession]:
    if not hasattr(request.state, "sessions"):
        request.state.sessions = []
    found: list[AsyncSession] = request.state.sessions
    return found


async def _running(request: Request) -> Runtime:
    # A plain function would be run in a thread, which costs more than all that most routes do.
    return of(request)


async def _writing(request: Request) -> AsyncIterator[AsyncSession]:
    async with of(request).unit_of_work(getattr(request.state, "reach", None)) as session:
        request.state.session = session
        _sessions_of(request).append(session)
        # Where somebody in ESN acts, what changes is noted from here on (kernel/audit).
        if (act := getattr(request.state, "act", None)) is not None:
            await noting.begin(session, act)
        yield session


async def _writing_for_actors(request: Request) -> AsyncIterator[AsyncSession | None]:
    if getattr(request.state, "act", None) is None:
        yield None
        return
    async with asynccontextmanager(_writing)(request) as session:
        yield session


async def _reading(request: Request) -> AsyncIterator[AsyncSession]:
    async with of(request).reading(getattr(request.state, "reach", None)) as session:
        _sessions_of(request).append(session)
        yield session


# Without scope="function" FastAPI would commit after the reply, and a failing commit would still answer 200.
Writing = Annotated[AsyncSession, Depends(_writing, scope="function")]
"""The request's transaction, committed before the reply is sent."""

WritingForActors = Annotated[AsyncSession | None, Depends(_writing_for_actors, scope="function")]
"""The same where somebody may act who is entered in the audit; None for everybody else."""

Reading = Annotated[AsyncSession, Depends(_reading, scope="function")]
"""A read-only snapshot for the request."""

Running = Annotated[Runtime, Depends(_running)]
"""The service's resources."""
