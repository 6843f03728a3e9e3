"""Checking ESNcards: never within a sign-up, which no service of somebody else may hold up or refuse."""

from __future__ import annotations

from datetime import UTC, datetime

from services.kernel.logs import logger
from services.kernel.reach import EVERYTHING
from services.kernel.runtime import Runtime
from services.registration.cards import checkers, rules, store
from services.registration.cards.rules import Outcome

AT_ONCE = 20

log = logger(__name__)


async def check_due(runtime: Runtime) -> int:
    """Check the cards that are due; answers how many. Each is claimed first and asked about outside a transaction."""
    checker = checkers.of(runtime.settings)
    for done in range(AT_ONCE):
        async with runtime.unit_of_work(EVERYTHING) as session:
            card = await store.claim(session, rules.LEASE)
        if card is None:
            return done
        assert card.number is not None, "what is due has a number"
        try:
            outcome: Outcome | None = await checker.check(card.number, today=datetime.now(UTC).date())
        except checkers.NotAnswered:
            log.warning("ESNcard not checked", tries=card.tries)
            outcome = Outcome.UNKNOWN if card.tries >= rules.MOST_TRIES else None
        async with runtime.unit_of_work(EVERYTHING) as session:
            if outcome is None:
                await store.postpone(session, card.registration_id, rules.pause(card.tries))
            else:
                await store.settle(session, card.registration_id, outcome)
    return AT_ONCE
