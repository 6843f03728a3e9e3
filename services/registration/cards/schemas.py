"""What goes over the wire about ESNcards."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from services.kernel.texts import Sent, Storable
from services.registration.cards.rules import Outcome


def _number(written: str) -> str:
    number = re.sub(r"[\s-]", "", written).upper()
    if re.fullmatch(r"[0-9A-Z]{6,20}", number):
        return number
    raise PydanticCustomError("card_number", "Must be the number on an ESNcard: 6 to 20 letters and digits.")


CardNumber = Annotated[str, Storable, StringConstraints(max_length=40), AfterValidator(_number)]
"""The number of an ESNcard, without spaces and in capitals."""


class CardCheck(Sent):
    """What is known of somebody's ESNcard; its number is not kept."""

    outcome: Outcome = Field(description="unknown: it was not checked yet, or could not be.")
    checked_at: datetime | None
