"""Requests of one process that are done together: one transaction and one commit for all that wait at a moment.

A commit and a contended row cost as much for a hundred requests as for one. Nothing is delayed for it: whoever comes
first goes at once, and those who come meanwhile go together when it is done.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from enum import Enum
from typing import Final, Generic, TypeVar

from sqlalchemy.exc import DBAPIError

from services.kernel.logs import logger
from services.kernel.problems import Problem, Unavailable

MOST_TOGETHER = 128
MOST_WAITING = 1024
MOST_ALONE = 4
# Classes of SQLSTATE that one request can bring upon all: data, integrity, a rollback, a lock that was not had.
_OF_ONE = frozenset({"22", "23", "40", "55"})

Wanted = TypeVar("Wanted")
Answer = TypeVar("Answer")

log = logger(__name__)


class Again(Enum):
    """What a request comes to that is to be asked with the next group: what this one did decides it."""

    AGAIN = "again"


AGAIN: Final = Again.AGAIN


class Group(Generic[Wanted, Answer]):
    """Answers many requests at once, each for itself.

    `together` does what it can of a group in one transaction: an answer, a refusal, AGAIN, or None for what has to be
    done alone. If it fails for what may be one's fault, nothing of it is done and everybody goes alone.
    """

    def __init__(
        self,
        together: Callable[[Sequence[Wanted]], Awaitable[Sequence[Answer | Problem | Again | None]]],
        alone: Callable[[Wanted], Awaitable[Answer]],
    ) -> None:
        self._together = together
        self._alone = alone
        self._waiting: deque[_Request[Wanted, Answer]] = deque()
        self._flushing: asyncio.Task[None] | None = None
        self._single: set[asyncio.Task[None]] = set()
        self._few = asyncio.Semaphore(MOST_ALONE)

    async def ask(self, wanted: Wanted) -> Answer:
        """Do it with those who ask at the same time; raises what it alone came to."""
        if len(self._waiting) + len(self._single) >= MOST_WAITING:
            raise Unavailable
        request = _Request[Wanted, Answer](wanted)
        self._waiting.append(request)
        if self._flushing is None:
            # In a context of its own: the group is of nobody's request.
            self._flushing = asyncio.create_task(self._flush(), context=contextvars.Context())
        # Whoever goes away while a commit is under way must not end it for the others.
        return await asyncio.shield(request.answer)

    async def close(self) -> None:
        """Finish what was begun."""
        while pending := [task for task in (self._flushing, *self._single) if task is not None]:
            await asyncio.gather(*pending)

    async def _flush(self) -> None:
        try:
            while self._waiting:
                group = [self._waiting.popleft() for _ in range(min(MOST_TOGETHER, len(self._waiting)))]
                await self._answer(group)
        finally:
            self._flushing = None

    async def _answer(self, group: Sequence[_Request[Wanted, Answer]]) -> None:
        try:
            answers = await self._together([request.wanted for request in group])
        except DBAPIError as failure:
            state = str(getattr(failure.orig, "sqlstate", "") or "")
            if state[:2] not in _OF_ONE:
                self._fail(group, failure)
                return
            log.info("a group is done one by one", size=len(group), error=type(failure.orig).__name__)
            answers = [None] * len(group)
        except Exception as failure:  # noqa: BLE001  # It is everybody's answer.
            self._fail(group, failure)
            return
        # In their order, before those who came later.
        self._waiting.extendleft(
            request for request, answer in reversed([*zip(group, answers, strict=True)]) if answer is AGAIN
        )
        for request, answer in zip(group, answers, strict=True):
            if isinstance(answer, Again):
                continue
            if answer is None:
                self._go_alone(request)
            else:
                request.settle(answer)

    def _go_alone(self, request: _Request[Wanted, Answer]) -> None:
        task = request.context.run(asyncio.create_task, self._one(request))
        self._single.add(task)
        task.add_done_callback(self._single.discard)

    async def _one(self, request: _Request[Wanted, Answer]) -> None:
        async with self._few:
            try:
                request.settle(await self._alone(request.wanted))
            except Exception as failure:  # noqa: BLE001  # It is this request's answer.
                self._fail([request], failure)

    @staticmethod
    def _fail(group: Sequence[_Request[Wanted, Answer]], failure: Exception) -> None:
        for request in group:
            if not request.answer.done():
                request.answer.set_exception(failure)


class _Request(Generic[Wanted, Answer]):
    """Somebody who waits, in the context that their log lines and trace belong to."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.context = contextvars.copy_context()
        self.answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        # Whoever went away does not ask what became of it.
        self.answer.add_done_callback(lambda done: done.cancelled() or done.exception())

    def settle(self, answer: Answer | Problem) -> None:
        """Tell what it came to."""
        if self.answer.done():
            return
        if isinstance(answer, Problem):
            self.answer.set_exception(answer)
        else:
            self.answer.set_result(answer)
