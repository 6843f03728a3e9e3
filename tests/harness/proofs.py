"""Solves challenges, as a client does, and spoils what solves them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from services.kernel.problems import Challenge
from services.kernel.proofs import derived


def solve(challenge: dict[str, Any], change: Callable[[dict[str, Any]], object] = lambda _: None) -> str:
    """The proof for a challenge, after a change of what is sent."""
    asked = Challenge.model_validate(challenge).parameters
    counter = next(number for number in range(2**32) if derived(asked, number).startswith(asked.key_prefix))
    told = {"challenge": challenge, "solution": {"counter": counter, "derivedKey": derived(asked, counter)}}
    told = json.loads(json.dumps(told))
    change(told)
    return base64.b64encode(json.dumps(told).encode()).decode()
