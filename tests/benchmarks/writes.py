"""Sign-ups over HTTP against a route that only validates their body: `python3 deploy bench writes [--quick]`.

One hot activity and many, 64 connections, a durable commit. Afterwards the history is checked: as many registrations as
were answered, no place counted that nobody has, and of each its consents, its link, its mail and its kept answer.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from deploy import places
from tests.benchmarks import load, one_by_one, pairs
from tests.benchmarks.load import Seen, Task, Wanted
from tests.benchmarks.one_by_one import Asked
from tests.benchmarks.reads import LOAD_CORE, Results, server
from tests.harness import databases as harness
from tests.harness.databases import SECRET, Databases, rows
from tests.harness.network import Network, running
from tests.harness.sign_ups import students, wanted

ADDRESS = "/registration/v1/registrations"
CONNECTIONS = 64
SPREAD = {"full": 1000, "quick": 40, "shortest": 3}
# So many bodies are ready for each second that is measured: more than anything answers.
BODIES_A_SECOND = 12_000
EACH_ONCE = """
SELECT (SELECT sum(taken) FROM registration.places)::int AS taken, count(*) AS registrations,
  (SELECT count(*) FROM registration.idempotency_keys) AS keys,
  (SELECT count(*) FROM registration.outgoing_mail) AS mails, (SELECT count(*) FROM registration.links) AS links,
  (SELECT count(DISTINCT registration_id) FROM registration.consents) AS consenting,
  count(DISTINCT xmin::text) AS transactions
FROM registration.registrations
"""


class SigningUp:
    """Requests of which no two are of the same person or key."""

    def __init__(self, activities: Sequence[str]) -> None:
        self.activities = activities
        self._turns = itertools.cycle(activities)

    def many(self, count: int, numbers: itertools.count[int]) -> list[Wanted]:
        """So many sign-ups, by turns for each activity."""
        return [self._one(next(numbers)) for _ in range(count)]

    def _one(self, number: int) -> Wanted:
        body = json.dumps(wanted(next(self._turns), "Ada", email=f"s{number}@students.example"))
        head = (
            f"POST {ADDRESS} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f'Idempotency-Key: "k-{number}"\r\nContent-Length: {len(body)}\r\n\r\n'
        )
        return Wanted(head + body, 201)


async def run(results: Results) -> None:
    """All of it, on a database of its own."""
    made = Databases(os.environ["DATABASE_URL"], os.environ["REDIS_URL"])
    await made.make_template()
    try:
        async with made.fresh() as url:
            with places.thrown_away() as folder:
                await _on(results, url, folder)
    finally:
        await made.drop_template()


async def _on(results: Results, url: str, folder: Path) -> None:
    told = harness.settings(url, os.environ["REDIS_URL"], mailbox=folder, log_level="WARNING")
    async with running(told, url) as network:
        hot = SigningUp([await _open(network)])
        spread = SigningUp([await _open(network) for _ in range(SPREAD[results.length.name])])
    environment = {
        "DATABASE_URL": url,
        "SOCIALERASMUS_SECRET": SECRET,
        "SOCIALERASMUS_ENVIRONMENT": "test",
        "SOCIALERASMUS_WRITES_A_MINUTE": "10000000",
        # All come from here, and none confirms: counted, and let in.
        **{f"SOCIALERASMUS_PROOF_AFTER_{each}": "10000000" for each in ("FROM_ADDRESS", "FROM_NETWORK", "FOR_MAILBOX")},
        "SOCIALERASMUS_MAILBOX": str(folder),
        "SOCIALERASMUS_BASE_URL": told.base_url,
    }
    validating = ("uvicorn", "tests.benchmarks.validating:app", "--port", "PORT", "--no-access-log")
    with (
        server(folder, "registration", "services", "api", "registration", "--port", "PORT", **environment) as ours,
        server(folder, "validating", *validating, **environment) as theirs,
    ):
        numbers, answered = itertools.count(1), 0
        rates = {}
        for name, kind, goal in (("sign-up, one activity", hot, 1.0), (_spread_name(results), spread, None)):
            measured = pairs.measure(
                name,
                _signing_up(ours[0], kind, numbers),
                _signing_up(theirs[0], kind, numbers),
                reference_name="validating alone, FastAPI",
                goal=goal,
                pids=(ours[1], theirs[1]),
                length=results.length,
            )
            results.add(measured)
            answered += measured.replies
            rates[kind] = measured.rates[0]
        answered += _against_the_database(results, url, ours, hot, numbers)
        results.say("one activity against many", rates[hot] / max(0.001, rates[spread]), "")
        results.say("memory of the API, after the run", pairs.memory_mb(ours[1]), "MB", 110.0)
    await _check(results, url, answered)


def _spread_name(results: Results) -> str:
    return f"sign-up, {SPREAD[results.length.name]} activities"


async def _open(network: Network) -> str:
    return (await students(network, capacity=1_000_000)).activity_id


def _signing_up(port: int, kind: SigningUp, numbers: itertools.count[int]) -> Callable[[float], Seen]:
    def asked(seconds: float) -> Seen:
        bodies = kind.many(int(BODIES_A_SECOND * seconds), numbers)
        return load.run(Task(port, bodies, CONNECTIONS, seconds, LOAD_CORE))

    return asked


def _against_the_database(
    results: Results, url: str, ours: tuple[int, int, Path], kind: SigningUp, numbers: itertools.count[int]
) -> int:
    """The whole of it over HTTP against the same rows sent to Postgres one by one, at its best number of connections.

    Answers how many of either kind were answered.
    """
    firsts, sent = itertools.count(1, 10_000_000), Counter[int]()

    def alone(connections: int) -> Callable[[float], Seen]:
        def asked(seconds: float) -> Seen:
            seen = one_by_one.run(Asked(url, kind.activities, connections, seconds, next(firsts)))
            sent[connections] += seen.replies
            return seen

        return asked

    trial = results.length.seconds / 2
    tried = one_by_one.CONNECTIONS if results.length is not pairs.SHORTEST else one_by_one.CONNECTIONS[:1]
    best = max(tried, key=lambda connections: alone(connections)(trial).rate) if len(tried) > 1 else tried[0]
    measured = pairs.measure(
        f"sign-up, the database by {best}",
        _signing_up(ours[0], kind, numbers),
        alone(best),
        reference_name="Postgres, one by one",
        goal=1.2,
        pids=(ours[1], os.getpid()),
        length=results.length,
    )
    results.add(measured)
    return measured.replies + sent.total()


async def _check(results: Results, url: str, answered: int) -> None:
    """Whoever was answered has a place, and whoever has one has all that belongs to it."""
    [found] = await rows(url, EACH_ONCE)
    several = {name: found[name] for name in ("taken", "registrations", "keys", "mails", "links", "consenting")}
    if len(set(several.values())) != 1:
        results.faults.append(f"not the same number of each: {several}")
    if found["registrations"] < answered:
        results.faults.append(f"{answered} were answered and {found['registrations']} are there")
    results.say("sign-ups a transaction", found["registrations"] / max(1, found["transactions"]), "")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two short pairs of each")
    parser.add_argument("--json", type=Path, help="where the results go")
    arguments = parser.parse_args()
    results = Results(pairs.QUICK if arguments.quick else pairs.FULL)
    asyncio.run(run(results))
    if arguments.json:
        arguments.json.write_text(json.dumps(results.told, indent=1))
    if results.faults:
        sys.exit("\n".join(results.faults))


if __name__ == "__main__":
    main()
