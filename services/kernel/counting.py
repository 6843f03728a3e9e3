"""Counts what callers use up, in the process; once a second, beside the requests, Redis adds up what all count."""

from __future__ import annotations

import asyncio
import hmac
import math
import time
from dataclasses import dataclass
from typing import Final, NamedTuple

from redis.asyncio import Redis
from redis.exceptions import RedisError

from services.kernel.logs import logger

ONE: Final = 10
"""Amounts are counted in tenths, since an answer that was known already costs less than one that was made."""

MERGED_EVERY_SECONDS = 1.0
PATIENCE_SECONDS = 1.0
REST_SECONDS = 5.0
MOST_BUCKETS = 50_000
_AT_ONCE = 500
_MERGE: Final = """
local sums = {}
for at = 1, #KEYS, 2 do
    sums[at] = redis.call('INCRBY', KEYS[at], ARGV[at])
    redis.call('EXPIRE', KEYS[at], ARGV[at + 1])
    sums[at + 1] = redis.call('GET', KEYS[at + 1]) or '0'
end
return table.concat(sums, ' ')
"""

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Policy:
    """How much of something a caller may use in a sliding window."""

    name: str
    quota: int
    seconds: int = 60


class Standing(NamedTuple):
    """Where a caller stands: what is left, and in how many seconds there is more."""

    allowed: bool
    left: int
    seconds: int


@dataclass(slots=True)
class _Bucket:
    name: str
    window: int
    seconds: int
    before: int = 0
    """What was used in the window before."""
    merged: int = 0
    """What all processes used in this window, as Redis said last."""
    unsent: int = 0
    """What this process used since."""

    def turn(self, window: int) -> None:
        self.before = self.merged + self.unsent if window == self.window + 1 else 0
        self.window, self.merged, self.unsent = window, 0, 0


class Counters:
    """The counts of one service in one process; without Redis each process counts alone."""

    def __init__(self, redis: Redis, *, scope: str, secret: str) -> None:
        # It is one command for many, and one answer: to write and read three for each costs the process far more.
        self._merged_by = redis.register_script(_MERGE)
        self._scope = scope
        self._secret = secret.encode()
        self._buckets: dict[tuple[str, str], _Bucket] = {}
        self._unsent: dict[tuple[str, str], _Bucket] = {}
        self._merging: asyncio.Task[None] | None = None

    def take(self, policy: Policy, who: str, tenths: int = ONE) -> Standing:
        """Use up an amount, unless that were too much: then nothing is counted. A negative one is given back."""
        now = time.time()
        window = int(now // policy.seconds)
        elapsed = now - window * policy.seconds
        key = (policy.name, who)
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = self._new_bucket(policy, who, window)
        elif bucket.window != window:
            bucket.turn(window)
        most = policy.quota * ONE
        current = bucket.merged + bucket.unsent
        used = bucket.before * (1 - elapsed / policy.seconds) + current
        if tenths > 0 and used + tenths > most:
            return Standing(False, 0, _wait(policy, bucket.before, current, elapsed, most - tenths))
        if tenths:
            bucket.unsent += tenths
            self._unsent[key] = bucket
            if self._merging is None:
                self._merging = asyncio.get_running_loop().create_task(self._merge_on())
        left = max(0, int(most - used - tenths) // ONE)
        return Standing(True, left, math.ceil(policy.seconds - elapsed))

    async def close(self) -> None:
        """Stop merging."""
        if self._merging is not None:
            self._merging.cancel()
            await asyncio.gather(self._merging, return_exceptions=True)

    def _new_bucket(self, policy: Policy, who: str, window: int) -> _Bucket:
        if len(self._buckets) >= MOST_BUCKETS:
            self._make_room()
        # Whose count it is can't be read in Redis.
        digest = hmac.digest(self._secret, f"{policy.name}\0{who}".encode("utf-8", "replace"), "sha256")[:16].hex()
        return _Bucket(f"limits:{self._scope}:{digest}", window, policy.seconds)

    def _make_room(self) -> None:
        """Forget who was not seen lately, then whoever came first: their count comes back from Redis with the next."""
        now = time.time()
        over = [key for key, bucket in self._buckets.items() if bucket.window < int(now // bucket.seconds) - 1]
        for key in over or list(self._buckets)[: MOST_BUCKETS // 10]:
            del self._buckets[key]

    async def _merge_on(self) -> None:
        try:
            while self._unsent:
                await asyncio.sleep(MERGED_EVERY_SECONDS)
                try:
                    async with asyncio.timeout(PATIENCE_SECONDS):
                        await self.merge()
                except (RedisError, OSError, TimeoutError) as error:
                    log.warning("limits are counted in this process alone", error=type(error).__name__)
                    await asyncio.sleep(REST_SECONDS)
        finally:
            self._merging = None

    async def merge(self) -> None:
        """Tell Redis what was used here, and hear what was used everywhere."""
        dirty = list(self._unsent.items())
        for first in range(0, len(dirty), _AT_ONCE):
            await self._merge(dirty[first : first + _AT_ONCE])

    async def _merge(self, some: list[tuple[tuple[str, str], _Bucket]]) -> None:
        told = [(key, bucket, bucket.window, bucket.unsent) for key, bucket in some]
        keys = [f"{bucket.name}:{each}" for _, bucket, window, _ in told for each in (window, window - 1)]
        amounts = [str(each) for _, bucket, _, unsent in told for each in (unsent, 2 * bucket.seconds + 10)]
        sums: list[bytes] = (await self._merged_by(keys=keys, args=amounts)).split()
        for number, (key, bucket, window, unsent) in enumerate(told):
            if bucket.window == window:
                bucket.merged = int(sums[2 * number])
                bucket.unsent -= unsent
                bucket.before = max(bucket.before, int(sums[2 * number + 1]))
            if not bucket.unsent:
                self._unsent.pop(key, None)


def _wait(policy: Policy, before: int, current: int, elapsed: float, most: int) -> int:
    """In how many seconds there is room again, if nothing else is used until then."""
    if before and current <= most:
        share = 1 - (most - current) / before
        return max(1, math.ceil(policy.seconds * share - elapsed))
    share = 1 - most / current if current else 0.0
    return max(1, math.ceil(policy.seconds - elapsed + policy.seconds * share))
