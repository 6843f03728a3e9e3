"""The database's own limit: the same rows, one transaction a sign-up, sent to Postgres with nothing around it.

`python -m tests.benchmarks.one_by_one` reads a task as JSON and prints what it saw, as the load generator does. Each
connection acts as the service's role and keeps one person at a time by the product's own statement, prepared once and
given a row that was made before: what is measured is Postgres, its log on the disk, and its driver.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
from uvicorn.loops.auto import auto_loop_factory

from services.kernel import reach
from services.kernel.ids import new_id_text
from services.registration.places.at_once_store import KEEP
from tests.benchmarks.load import REPOSITORY, Seen
from tests.harness.sign_ups import VERSIONS

CONNECTIONS = (1, 2, 4, 8, 16)
ROWS_A_SECOND = 8_000


@dataclass(frozen=True)
class Asked:
    """Which activities, by how many connections and for how long."""

    url: str
    activities: Sequence[str]
    connections: int
    seconds: float
    first: int


def run(asked: Asked) -> Seen:
    """Do it in a process of its own, as a client of the database."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.one_by_one"],
        cwd=REPOSITORY,
        input=json.dumps(asdict(asked)),
        capture_output=True,
        text=True,
        check=False,
        timeout=asked.seconds + 60,
    )
    if done.returncode:
        raise RuntimeError(f"it ended with {done.returncode}: {done.stderr[-2000:]}")
    return Seen(**json.loads(done.stdout))


def parameters(activity: str, number: int) -> tuple[str, str, str, str]:
    """What the statement is given for one person."""
    now, identity = datetime.now(UTC), new_id_text()
    row = {
        "id": identity, "person": new_id_text(), "email": f"o{number}@students.example",
        "email_key": f"o{number}@students.example", "recipient": f"o{number}@students.example",
        "code": f"{number:08}", "attendance_key": new_id_text(), "activity_id": activity,
        "participant_class": "international", "given_name": "Ada", "family_name": "Lovelace", "language": "en",
        "answers": {}, "token_hash": f"{number:064x}", "mail_id": new_id_text(), "mail_language": "en",
        "facts": {"given_name": "Ada", "code": "7K3M-QX2D", "link": "x" * 80, "scanned": "x" * 80},
        "trace_id": f"{number:032x}", "caller": "anonymous", "key": f"o-{number}", "key_lock": number,
        "request_hash": f"{number:064x}",
        "state": "unconfirmed",
    }  # fmt: skip
    consents = [
        {"id": new_id_text(), "registration_id": identity, "purpose": purpose, "text_version": version,
         "text_hash": "0" * 64, "language": "en"}
        for purpose, version in VERSIONS.items()
    ]  # fmt: skip
    until = (now + timedelta(hours=1)).isoformat()
    outcome = {
        "activity_id": activity, "state": "unconfirmed", "signed_up_at": now.isoformat(), "held_until": until,
        "purpose": "confirm", "expires_at": until, "letter": "confirm", "status": 201,
        "shared_facts": {"title": "x" * 30, "starts_at": until, "ends_at": until, "location": "x" * 30},
        "answer": "x" * 120, "headers": {"content-type": "application/json"},
    }  # fmt: skip
    return json.dumps([row]), json.dumps(consents), json.dumps([outcome]), json.dumps([{"activity_id": activity}])


async def _work(asked: Asked) -> Seen:
    turns, numbers = itertools.cycle(asked.activities), itertools.count(asked.first)
    ready = [parameters(next(turns), next(numbers)) for _ in range(int(ROWS_A_SECOND * asked.seconds))]
    left, seen = iter(ready), Seen()
    told = {"role": "registration", reach.SETTING: reach.EVERYTHING}
    connections = [
        await asyncpg.connect(asked.url, server_settings=told, statement_cache_size=10)
        for _ in range(asked.connections)
    ]
    statements = [await each.prepare(KEEP) for each in connections]
    begun = time.perf_counter()
    await asyncio.gather(*(_keep_on(each, left, begun + asked.seconds, seen) for each in statements))
    seen.seconds = time.perf_counter() - begun
    for each in connections:
        await each.close()
    return seen


async def _keep_on(statement: Any, left: Any, until: float, seen: Seen) -> None:
    while (sent := time.perf_counter()) < until and (row := next(left, None)) is not None:
        added, *_ = await statement.fetchrow(*row)
        if len(added) == 1:
            seen.replies += 1
            seen.took.append(time.perf_counter() - sent)
        else:
            seen.wrong += 1


def main() -> None:
    """The command."""
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        seen = runner.run(_work(Asked(**json.load(sys.stdin))))
    json.dump(asdict(seen), sys.stdout)


if __name__ == "__main__":
    main()
