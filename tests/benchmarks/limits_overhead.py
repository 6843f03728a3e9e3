"""What a limit costs each request: `python -m tests.benchmarks.limits_overhead`, with REDIS_URL.

Three ways to count: in the process, merged with Redis beside the requests (which is ours); one script in Redis for
each request, which is the least that any library that counts there can do; and the library `limits`, if it is there.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import statistics
import time
from collections.abc import Awaitable, Callable

import redis.asyncio

from services.kernel.counting import Counters, Policy
from tests.harness.databases import SECRET

TIMES = 5_000
_SCRIPT = """
local n = redis.call('INCRBY', KEYS[1], 1)
if n == 1 then redis.call('EXPIRE', KEYS[1], 130) end
return {n, redis.call('GET', KEYS[2])}
"""


async def measured(name: str, once: Callable[[], Awaitable[object]]) -> float:
    """Print and answer the median in microseconds."""
    for _ in range(200):
        await once()
    taken = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        await once()
        taken.append((time.perf_counter() - begun) * 1e6)
    median, late = statistics.median(taken), statistics.quantiles(taken, n=100)[98]
    print(f"  {name:<44} median {median:8.1f} µs   p99 {late:8.1f} µs")
    return median


async def main() -> None:
    """Measure every way and print how they compare."""
    url = os.environ["REDIS_URL"]
    client = redis.asyncio.Redis.from_url(url)
    counters, policy = Counters(client, scope="benchmark", secret=SECRET), Policy("reads", 10_000_000)

    async def ours() -> None:
        counters.take(policy, "192.0.2.1")

    script = client.register_script(_SCRIPT)

    async def scripted() -> None:
        await script(keys=["benchmark:1", "benchmark:0"])

    print(f"{TIMES} requests, one after the other")
    mine = await measured("in the process, merged every second", ours)
    theirs = [await measured("a script in Redis for each request", scripted)]
    try:
        limits = importlib.import_module("limits")
        aio = importlib.import_module("limits.aio")
    except ImportError:
        print("  the library `limits` is not installed: left out")
    else:
        storage = aio.storage.RedisStorage(f"async+{url}", implementation="redispy")
        window = aio.strategies.SlidingWindowCounterRateLimiter(storage)
        item = limits.parse("10000000/minute")

        async def library() -> None:
            await window.hit(item, "192.0.2.1")
            await window.get_window_stats(item, "192.0.2.1")

        theirs.append(await measured("`limits`, sliding window, hit and what is left", library))
    print(f"  a request that waits for Redis waits {min(theirs) / mine:.0f} to {max(theirs) / mine:.0f} times as long")
    await counters.close()
    await client.aclose()


if __name__ == "__main__":
    asyncio.run(main())
