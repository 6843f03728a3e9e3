"""Wake-up jobs: the queue says "there is news" to another service's worker, and carries nothing that can be lost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from arq.connections import ArqRedis, RedisSettings
from redis.exceptions import RedisError

from services.kernel.logs import logger
from services.kernel.trace import current_trace_id
from services.kernel.waking import channel

WAKE = "wake"
PATIENCE_SECONDS = 1.0
REST_SECONDS = 1.0

log = logger(__name__)


def queue_name(service: str) -> str:
    """The arq queue of one service's worker."""
    return f"arq:{service}"


def serialize(job: dict[str, Any]) -> bytes:
    """A job as JSON: whoever can write to Redis must not be able to run code here, as with arq's pickle."""
    return json.dumps(job, default=repr).encode()


def deserialize(data: bytes) -> dict[str, Any]:
    """The job that `serialize` wrote."""
    found = json.loads(data)
    if not isinstance(found, dict):
        raise TypeError("a job is an object")
    return found


def connect(redis_url: str) -> ArqRedis:
    """A client of the queue. It opens no connection yet, so a service starts while Redis is away."""
    known = RedisSettings.from_dsn(redis_url)
    return ArqRedis(
        job_serializer=serialize,
        job_deserializer=deserialize,
        host=known.host if isinstance(known.host, str) else "localhost",
        port=known.port,
        db=known.database,
        username=known.username,
        password=known.password,
        ssl=known.ssl,
        ssl_check_hostname=True,
        unix_socket_path=known.unix_socket_path,
        socket_connect_timeout=PATIENCE_SECONDS,
        socket_timeout=PATIENCE_SECONDS,
        health_check_interval=15,
    )


class Waker:
    """Enqueues wake-ups after a commit, beside the reply and never in its way."""

    def __init__(self, redis: ArqRedis) -> None:
        self._redis = redis
        self._under_way: set[asyncio.Task[None]] = set()
        self._rests_until = 0.0

    def wake(self, news: Mapping[str, int]) -> None:
        """Tell each service that the log has news up to a number; a failure costs a moment, for workers also sweep."""
        if not news or asyncio.get_running_loop().time() < self._rests_until:
            return
        task = asyncio.create_task(self._enqueue(dict(news), current_trace_id()))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _enqueue(self, news: dict[str, int], trace_id: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                for service, number in news.items():
                    await self._redis.enqueue_job(
                        WAKE, number, trace_id, _job_id=f"{service}:{number}", _queue_name=queue_name(service)
                    )
                    await self._redis.publish(channel(queue_name(service)), b"")
        except (RedisError, OSError, TimeoutError) as error:
            self._rests_until = asyncio.get_running_loop().time() + REST_SECONDS
            log.warning("wake-up not sent", error=type(error).__name__, services=sorted(news))

    async def close(self) -> None:
        """Let the wake-ups under way finish, then leave."""
        if self._under_way:
            await asyncio.gather(*self._under_way)
        await self._redis.aclose()
