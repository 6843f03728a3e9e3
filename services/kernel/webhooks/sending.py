"""The sweep that sends what is due: several endpoints at once, each one message at a time, none waiting for another."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, Final

import httpcore
import sqlalchemy as sa

from services.kernel import mail
from services.kernel.logs import logger
from services.kernel.reach import EVERYTHING
from services.kernel.runtime import Runtime
from services.kernel.service import Sweep
from services.kernel.webhooks import letters, rules, signing, store
from services.kernel.webhooks.addresses import fault_of
from services.kernel.webhooks.connecting import AddressRefused, NameNotResolved, post
from services.kernel.webhooks.rules import Failure, Reason
from services.kernel.webhooks.tables import Webhooks

AT_ONCE: Final = 20
FAILING_AT_ONCE: Final = 10
"""How many of those may be endpoints that failed the last time, so that they never take all of them."""
SECONDS: Final = 10.0
LOOK_EVERY_SECONDS: Final = 0.2
LONGEST_RETRY_AFTER: Final = timedelta(days=1)

log = logger(__name__)


def sweeps(hooks: Webhooks) -> tuple[Sweep, Sweep]:
    """What a service does about its webhooks as time passes."""
    return (
        Sweep("webhooks", lambda _, runtime: send_due(runtime, hooks), every_seconds=0.5),
        Sweep("forget webhooks", lambda session, _: store.forget_old(session, hooks), every_seconds=3600),
    )


async def send_due(runtime: Runtime, hooks: Webhooks) -> int:
    """Send until nothing is due; answers how many messages were tried.

    As in `mail`, no transaction is open while somebody is waited for. Who is slow keeps one of `AT_ONCE` busy; the
    others go on, and what became due meanwhile is found within `LOOK_EVERY_SECONDS`.
    """
    done = 0
    running: dict[asyncio.Task[None], bool] = {}
    async with asyncio.TaskGroup() as tasks:
        while True:
            failing = sum(running.values())
            claimed: list[store.Claimed] = []
            if len(running) < AT_ONCE:
                async with runtime.unit_of_work(EVERYTHING) as session:
                    find = partial(store.claim, session, hooks)
                    claimed = await find(limit=AT_ONCE - len(running), failing=False)
                    room = min(AT_ONCE - len(running) - len(claimed), FAILING_AT_ONCE - failing)
                    claimed += await find(limit=room, failing=True) if room > 0 else []
            for each in claimed:
                running[tasks.create_task(_try(runtime, hooks, each))] = each.endpoint["failing_since"] is not None
            done += len(claimed)
            if not running:
                return done
            over, _ = await asyncio.wait(
                running, timeout=LOOK_EVERY_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )  # fmt: skip
            for task in over:
                del running[task]


def content_of(delivery: sa.RowMapping) -> bytes:
    """The message, the same to the last byte at every attempt."""
    said = {"type": delivery["kind"], "timestamp": delivery["made_at"].isoformat(), "data": delivery["data"]}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def keys_of(runtime: Runtime, endpoint: sa.RowMapping, now: datetime) -> list[bytes]:
    """What messages to an endpoint are signed with: its secret, and for a while the former one."""
    key = partial(signing.key_of, runtime.settings.secret.get_secret_value(), endpoint["id"])
    keys = [key(endpoint["salt"])]
    if endpoint["former_salt"] is not None and endpoint["former_until"] > now:
        keys.append(key(endpoint["former_salt"]))
    return keys


async def _try(runtime: Runtime, hooks: Webhooks, claimed: store.Claimed) -> None:
    try:
        await _send(runtime, hooks, claimed)
    except Exception:
        # When the claim ends it is tried again under the same id; meanwhile the others go on.
        log.exception("webhook not tried", delivery=str(claimed.delivery["id"]))


async def _send(runtime: Runtime, hooks: Webhooks, claimed: store.Claimed) -> None:
    endpoint, delivery = claimed.endpoint, claimed.delivery
    now = datetime.now(UTC)
    content = content_of(delivery)
    headers = {
        "content-type": "application/json",
        "user-agent": f"SocialErasmus-Webhooks/1.0 (+{runtime.settings.base_url})",
        **signing.headers(delivery["id"], now, content, keys_of(runtime, endpoint, now)),
    }
    begun = time.perf_counter()
    status, failure, asked = await _post(runtime, endpoint["url"], content, headers)
    noted = {"status": status, "error": failure, "took_ms": round((time.perf_counter() - begun) * 1000)}
    log.info("webhook tried", delivery=str(delivery["id"]), status=status, error=failure)
    async with runtime.unit_of_work(EVERYTHING) as session:
        # The endpoint first, as everywhere, so that nobody waits for each other.
        if failure is None:
            await store.healthy(session, hooks, endpoint["id"])
            taken = {"due_at": None, "delivered_at": sa.func.now()}
            await store.settle(session, hooks, delivery["id"], noted | taken)
            return
        noticed = await store.failed(session, hooks, endpoint["id"], rules.rest_after(endpoint["failures"] + 1))
        if noticed is None:
            return  # It was deleted meanwhile.
        pause = rules.pause_after(delivery["tries"], random.random())  # noqa: S311  # It spreads load, no more.
        if status == 410 or pause is None:
            over: dict[str, Any] = {"due_at": None, "failed_at": sa.func.now()}
        else:
            over = {"due_at": sa.func.now() + max(pause, asked)}
        await store.settle(session, hooks, delivery["id"], noted | over)
        reason = _given_up(status, noticed["failing_since"], await store.now(session))
        changed = None if reason is None else await store.disable(session, hooks, endpoint["id"], reason)
        if reason is not None and changed is not None:
            log.warning("webhook disabled", endpoint=str(endpoint["id"]), reason=reason.value)
            if changed["contact_email"] is not None:
                assert runtime.role is not None
                base_url = runtime.settings.base_url
                letter = letters.disabled(changed, reason, service=runtime.role, base_url=base_url)
                await mail.queue(session, hooks.mails, letter)


def _given_up(status: int | None, failing_since: datetime, now: datetime) -> Reason | None:
    if status == 410:
        return Reason.GONE
    return Reason.FAILING if now - failing_since > rules.PATIENCE else None


async def _post(
    runtime: Runtime, url: str, content: bytes, headers: Mapping[str, str]
) -> tuple[int | None, Failure | None, timedelta]:
    """What came of it: a status, why it is none of success, and how long the receiver asks to be left alone."""
    none = timedelta()
    is_allowed = runtime.settings.webhooks_to_loopback
    # The address was judged when it was entered, perhaps by a process that was told otherwise.
    if fault_of(url, loopback_allowed=is_allowed) is not None:
        return None, Failure.ADDRESS, none
    try:
        status, retry_after = await post(url, content, headers, seconds=SECONDS, loopback_allowed=is_allowed)
    except AddressRefused:
        return None, Failure.ADDRESS, none
    except NameNotResolved:
        return None, Failure.UNRESOLVED, none
    except (TimeoutError, httpcore.TimeoutException):
        return None, Failure.SLOW, none
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError):
        return None, Failure.UNREACHABLE, none
    if 200 <= status < 300:
        return status, None, none
    return status, Failure.STATUS, waited_for(retry_after) if status in {429, 502, 503, 504} else none


def waited_for(retry_after: str | None) -> timedelta:
    """How long Retry-After (RFC 9110, 10.2.3) asks to wait, a day at most.

    >>> waited_for("120"), waited_for("soon"), waited_for(None)
    (datetime.timedelta(seconds=120), datetime.timedelta(0), datetime.timedelta(0))
    """
    if retry_after is None:
        return timedelta()
    if retry_after.isascii() and retry_after.isdecimal():
        return min(timedelta(seconds=min(int(retry_after[:9]), 10**8)), LONGEST_RETRY_AFTER)
    try:
        wait = parsedate_to_datetime(retry_after) - datetime.now(UTC)
    except (ValueError, TypeError):
        return timedelta()
    return max(timedelta(), min(wait, LONGEST_RETRY_AFTER))
