"""A service's worker: woken by the queue, kept honest by a sweep, so that it works on while Redis is away."""

from __future__ import annotations

import asyncio
from typing import Any

from arq.worker import func
from redis.exceptions import RedisError, ResponseError
from sqlalchemy.exc import SQLAlchemyError

from services.kernel.consumers import BATCH
from services.kernel.logs import logger
from services.kernel.reach import EVERYTHING
from services.kernel.runtime import Runtime
from services.kernel.service import Service, Sweep
from services.kernel.stillness import Stillness
from services.kernel.trace import new_trace_id, traced
from services.kernel.wakeups import WAKE, connect, deserialize, queue_name, serialize
from services.kernel.waking import WakingWorker

REST_SECONDS = 1.0
STILL_SECONDS = 5.0
"""How long what is due by time alone may go unseen while nothing at all is written."""
FIRST_PAUSE_SECONDS = 0.01

log = logger(__name__)


class Worker:
    """Runs one service's consumer and sweeps until it is cancelled."""

    def __init__(self, service: Service, runtime: Runtime) -> None:
        self._service = service
        self._runtime = runtime
        self._news = asyncio.Event()
        self._stillness = Stillness()

    async def run(self) -> None:
        """Work until cancelled; nothing that happens to Redis or Postgres ends it."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            tasks.create_task(self._stillness.follow(self._runtime))
            tasks.create_task(self._read_on_forever())
            for sweep in self._service.sweeps:
                tasks.create_task(self._sweep_forever(sweep))

    async def catch_up(self) -> int:
        """Carry out every event that can be read now; answers how many."""
        done = 0
        while True:
            async with self._runtime.unit_of_work(EVERYTHING) as session:
                passed = await self._service.consumer.read_on(session, self._runtime)
            done += passed or 0
            if not passed or passed < BATCH:
                return done

    async def _read_on_forever(self) -> None:
        longest = self._runtime.settings.sweep_seconds
        pause = longest
        while True:
            turn = self._stillness.turn
            try:
                if await self._is_up_to_date() or await self._read_on() == 0:
                    # News that a transaction still running holds back is readable a moment after the wake-up.
                    woken = await self._woken_within(pause)
                    if not woken and pause == longest:
                        await self._rest(turn)
                    pause = FIRST_PAUSE_SECONDS if woken else min(2 * pause, longest)
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                log.warning("database away", error=type(error).__name__)
                await asyncio.sleep(REST_SECONDS)
            except Exception:
                # What neither a handler nor the database is to blame for must not end the sweeps beside it.
                log.exception("reading on failed")
                await asyncio.sleep(REST_SECONDS)

    async def _is_up_to_date(self) -> bool:
        # Without holding the cursor: that would be a write, for which every other worker would look up.
        async with self._runtime.glancing() as session:
            return await self._service.consumer.is_up_to_date(session)

    async def _read_on(self) -> int:
        if done := await self.catch_up():
            return done
        async with self._runtime.unit_of_work(EVERYTHING) as session:
            return await self._service.consumer.retry_parked(session, self._runtime)

    async def _rest(self, turn: int) -> None:
        """Wait until there is news, or until something was written after that turn, at most a few seconds."""
        news = asyncio.create_task(self._news.wait())
        broken = asyncio.create_task(self._stillness.broken_within(STILL_SECONDS, turn))
        try:
            await asyncio.wait({news, broken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            news.cancel()
            broken.cancel()

    async def _woken_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._news.wait(), seconds)
        except TimeoutError:
            return False
        self._news.clear()
        return True

    async def _sweep_forever(self, sweep: Sweep) -> None:
        while True:
            turn = self._stillness.turn
            try:
                with traced(new_trace_id()):
                    async with self._runtime.unit_of_work(EVERYTHING) as session:
                        done = await sweep.work(session, self._runtime)
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                log.warning("sweep failed", sweep=sweep.name, error=type(error).__name__)
                done = 0
            except Exception:
                # One sweep's defect must not stop the consumer beside it; it shows in the log at every turn.
                log.exception("sweep failed", sweep=sweep.name)
                done = 0
            if not done:
                await asyncio.sleep(sweep.every_seconds)
                await self._stillness.broken_within(STILL_SECONDS - sweep.every_seconds, turn)

    async def _listen(self) -> None:
        """Take wake-up jobs from the queue. arq gives up when Redis is away, so it is begun anew."""
        while True:
            worker: WakingWorker | None = None
            try:
                worker = WakingWorker(
                    functions=[func(self._wake, name=WAKE, keep_result=0, timeout=10, max_tries=3)],
                    redis_pool=connect(self._runtime.settings.redis_url),
                    queue_name=queue_name(self._service.name),
                    handle_signals=False,
                    log_results=False,
                    health_check_interval=30,
                    job_serializer=serialize,
                    job_deserializer=deserialize,
                )
                await worker.async_run()
            except (RedisError, OSError, TimeoutError) as error:
                log.warning("queue away", error=type(error).__name__)
                if isinstance(error, ResponseError):
                    await self._empty_queue()
                await asyncio.sleep(REST_SECONDS)
            except Exception:
                # arq trips over some of what a stranger may put into its queue, again and again.
                log.exception("queue not understood")
                await self._empty_queue()
                await asyncio.sleep(REST_SECONDS)
            finally:
                if worker is not None:
                    await _leave(worker)

    async def _empty_queue(self) -> None:
        """Throw away what is in the queue, which holds nothing that can't be lost, and read on instead."""
        try:
            await self._runtime.redis.delete(queue_name(self._service.name))
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("queue not emptied", error=type(error).__name__)
        self._news.set()

    async def _wake(self, ctx: dict[Any, Any], *args: Any, **kwargs: Any) -> None:  # noqa: ARG002  # arq's shape of a job.
        number, trace_id = args
        with traced(trace_id):
            log.debug("woken", number=number)
            self._news.set()


async def _leave(worker: WakingWorker) -> None:
    for task in worker.tasks.values():
        task.cancel()
    await asyncio.gather(*worker.tasks.values(), return_exceptions=True)
    try:
        await worker.pool.aclose()
    except (RedisError, OSError) as error:
        log.debug("queue was gone", error=type(error).__name__)
