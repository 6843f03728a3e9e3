"""Who can tell whether an ESNcard is valid: the port, nobody, and a service that is asked over HTTP.

That service answers as esncard.org does: a list of cards with `code`, `status` and `expiration-date`, which is empty
for a number that is not known. Fields are strings in some of its answers and objects with a `value` in others.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final, Protocol

import httpx

from services.kernel import outbound
from services.kernel.settings import Settings
from services.registration.cards.rules import Outcome

PATIENCE_SECONDS: Final = 10.0
LONGEST_ANSWER: Final = 100_000
_VALID: Final = "active"


class NotAnswered(Exception):
    """The check could not be made; another time it may be."""


class Checker(Protocol):
    """Tells whether cards are valid."""

    async def check(self, number: str, *, today: date) -> Outcome:
        """What is known of a card, or `NotAnswered`."""


class Nobody:
    """Where nobody can tell: every card is unknown."""

    async def check(self, number: str, *, today: date) -> Outcome:  # noqa: ARG002  # As the port has it.
        """Nothing is known of any card."""
        return Outcome.UNKNOWN


class ByHTTP:
    """Asks a service at an address, to which the number is added as `code`."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def check(self, number: str, *, today: date) -> Outcome:
        """What the service says of a card."""
        try:
            async with (
                outbound.client(self._address, seconds=PATIENCE_SECONDS) as client,
                client.stream("GET", self._address, params={"code": number}) as reply,
            ):
                if reply.status_code != httpx.codes.OK:
                    raise NotAnswered
                body = b""
                async for part in reply.aiter_bytes():
                    body += part
                    if len(body) > LONGEST_ANSWER:
                        raise NotAnswered
            told = httpx.Response(200, content=body).json()
        except (httpx.HTTPError, ValueError):
            # Neither the number nor an address that holds it goes into a log with this.
            raise NotAnswered from None
        return read(told, number, today=today)


def of(settings: Settings) -> Checker:
    """The checker that the settings name."""
    return Nobody() if settings.esncard_check_url is None else ByHTTP(settings.esncard_check_url)


def read(told: Any, number: str, *, today: date) -> Outcome:
    """What an answer says of a card."""
    if not isinstance(told, list) or not all(isinstance(each, dict) for each in told):
        raise NotAnswered
    cards = [each for each in told if str(_plain(each.get("code")) or "").strip().upper() == number]
    valid = any(_plain(each.get("status")) == _VALID and not _is_over(each, today) for each in cards)
    return Outcome.VALID if valid else Outcome.INVALID


def _plain(value: Any) -> Any:
    return value.get("value") if isinstance(value, dict) else value


def _is_over(card: dict[str, Any], today: date) -> bool:
    try:
        return date.fromisoformat(str(_plain(card.get("expiration-date")))[:10]) < today
    except ValueError:
        return False
