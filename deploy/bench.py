"""`bench`: the benchmarks in the tests' environment, against servers of their own that are thrown away afterwards."""

import contextlib
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy import environment, interruption, places, postgres, processes, valkey
from deploy.failure import Failure
from deploy.settings import PROJECT, Settings
from deploy.state import State, choose
from deploy.test import environment_for_tests, told

# What a small server of one's own would have, and what a commit costs where it must not be lost.
ROOMY: Mapping[str, str] = {"shared_buffers": "512MB", "max_wal_size": "2GB"}


def bench(settings: Settings, arguments: list[str]) -> int:
    """Run benchmarks and give their code; whatever happens, leave nothing running."""
    interruption.watch()
    state = State(choose(PROJECT, settings.state))
    home = environment_for_tests(settings, state)
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(places.thrown_away())
        variables = {**settings.variables, **told(settings, home, place)}
        database = postgres.running(place / "postgres", environment=home, durable=True, settings=ROOMY)
        variables["DATABASE_URL"] = stack.enter_context(database).superuser_url
        queue = valkey.running(place / "valkey", environment=home)
        variables["REDIS_URL"] = stack.enter_context(queue).url
        variables.update(_queue_of_others(state, arguments))
        for name in ("PYTHONHOME", "SOCIALERASMUS_STATE"):
            variables.pop(name, None)
        return _run(home, variables, arguments)


def _queue_of_others(state: State, arguments: list[str]) -> dict[str, str]:
    """The environment with the queue that events are measured against; without it they have another reference."""
    named = [each for each in arguments if not each.startswith("-") and "." not in each]
    if "--list" in arguments or (named and "events" not in named):
        return {}
    state.make()
    try:
        made = environment.ready(state.directory, "bench", state.logs / "environment-bench.log")
    except Failure as failure:
        print(f"Events are measured against jobs of arq, for there is no procrastinate: {failure}", file=sys.stderr)
        return {}
    return {"SOCIALERASMUS_BENCH_PYTHON": str(environment.python_of(made))}


def _run(home: Path, variables: Mapping[str, str], arguments: list[str]) -> int:
    command: list[str | Path] = [environment.python_of(home), "-m", "tests.benchmarks", *arguments]
    process = processes.spawn(command, cwd=PROJECT, environment=variables)
    try:
        while not processes.wait(process, 0.5):
            if interruption.times_asked():
                process.send_signal(signal.SIGINT)
                processes.wait(process, 10.0)
                interruption.check()
    finally:
        processes.kill(process)
    return process.returncode if process.returncode >= 0 else 128 - process.returncode
