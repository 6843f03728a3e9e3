"""Hears what changes, so that what a process remembers can be thrown away; without that nothing is remembered."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

from sqlalchemy.exc import SQLAlchemyError

from services.kernel import db
from services.kernel.answers import Answers, Remembered
from services.kernel.logs import logger
from services.kernel.remembering import Memory

SWEPT_EVERY_SECONDS: Final = 1.0
"""What was changed without a call, or whose call was lost, is seen by then."""
GOOD_FOR_SECONDS: Final = 3.0
"""No answer is older than this, whatever happens to the connection or to this process."""
REST_SECONDS: Final = 1.0

log = logger(__name__)


async def watch(memory: Memory) -> None:
    """Vouch for what a service remembers for as long as Postgres is heard; until cancelled."""
    remembered, runtime, answers = memory.remembered, memory.runtime, memory.answers
    while True:
        engine = db.create_engine(runtime.settings, role=runtime.role, pool_size=1)
        try:
            async with engine.connect() as opened:
                connection = await opened.execution_options(isolation_level="AUTOCOMMIT")
                driver: Any = (await connection.get_raw_connection()).driver_connection
                lost = asyncio.Event()

                def hear(*_: object) -> None:
                    answers.forget()

                def lose(_: object, lost: asyncio.Event = lost) -> None:
                    answers.distrust()
                    lost.set()

                driver.add_termination_listener(lose)
                await driver.add_listener(remembered.channel, hear)
                await _vouch_on(remembered, connection, answers, lost)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            log.warning("answers are not remembered", error=type(error).__name__)
        except Exception:
            # Whatever it is, answers come from the database meanwhile.
            log.exception("answers are not remembered")
        finally:
            answers.distrust()
            await engine.dispose()
        await asyncio.sleep(REST_SECONDS)


async def _vouch_on(remembered: Remembered, connection: Any, answers: Answers, lost: asyncio.Event) -> None:
    known: object = None
    while not lost.is_set():
        asked_at = time.monotonic()
        async with asyncio.timeout(GOOD_FOR_SECONDS):
            seen = await remembered.version(connection)
        if lost.is_set():
            return
        if seen != known:
            answers.forget()
            known = seen
        # What had been committed when it was asked is forgotten by now, its call heard or not.
        answers.vouch(asked_at + GOOD_FOR_SECONDS)
        try:
            await asyncio.wait_for(lost.wait(), SWEPT_EVERY_SECONDS)
        except TimeoutError:
            continue
