"""`test`: the tests in an environment of their own, against servers that are thrown away afterwards."""

import contextlib
import os
import secrets
import signal
import subprocess
from pathlib import Path

from deploy import environment, interruption, places, postgres, processes, progress, reachable, valkey
from deploy.settings import PROJECT, Settings
from deploy.state import State, choose

SHARED_DATA = PROJECT.parent / "shared" / "data"
ROOMY = {"max_connections": "250"}
"""Side by side, tests of many processes and of many clients at once have many connections."""


def test(settings: Settings, arguments: list[str]) -> int:
    """Run pytest and give its code; whatever happens, leave nothing running."""
    interruption.watch()
    state = State(choose(PROJECT, settings.state))
    outside = bool(settings.database_url), bool(settings.redis_url)
    if outside[0]:
        reachable.refuse_unless_postgres("DATABASE_URL", settings.database_url)
    if outside[1]:
        reachable.refuse_unless_redis("REDIS_URL", settings.redis_url)
    home = environment_for_tests(settings, state)
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(places.thrown_away())
        variables = {**settings.variables, **told(settings, home, place)}
        quick = stack.enter_context(places.thrown_away(in_memory=True))
        variables.update(_servers(stack, quick, home, outside))
        for name in ("PYTHONHOME", "SOCIALERASMUS_STATE"):
            variables.pop(name, None)
        return _pytest(home, variables, arguments)


def environment_for_tests(settings: Settings, state: State) -> Path:
    """The environment that was named, or the tests' own."""
    if settings.environment:
        return environment.existing(settings.environment)
    state.make()
    return environment.ready(state.directory, "test", state.logs / "environment-test.log")


def told(settings: Settings, home: Path, place: Path) -> dict[str, str]:
    """What the product's settings are while it is tested."""
    mailbox = place / "mailbox"
    mailbox.mkdir(mode=0o700)
    variables = {
        "SOCIALERASMUS_ENVIRONMENT": "test",
        "SOCIALERASMUS_SECRET": secrets.token_hex(32),
        "SOCIALERASMUS_BASE_URL": "http://127.0.0.1:8000",
        "SOCIALERASMUS_MAILBOX": str(mailbox),
        "SOCIALERASMUS_ENVIRONMENT_DIR": str(home),
    }
    if "SOCIALERASMUS_SHARED_DATA" not in settings.variables and SHARED_DATA.is_dir():
        variables["SOCIALERASMUS_SHARED_DATA"] = str(SHARED_DATA)
    return variables


def _servers(stack: contextlib.ExitStack, place: Path, home: Path, outside: tuple[bool, bool]) -> dict[str, str]:
    urls: dict[str, str] = {}
    step = progress.Step("servers")
    if not outside[0]:
        database = stack.enter_context(postgres.running(place / "postgres", settings=ROOMY, environment=home))
        urls["DATABASE_URL"] = database.superuser_url
    if not outside[1]:
        urls["REDIS_URL"] = stack.enter_context(valkey.running(place / "valkey", environment=home)).url
    step.done("ready")
    return urls


# One process a core, as far as that helps: the servers need some of it too. `-n 0` among the arguments undoes it.
_SIDE_BY_SIDE = ["-n", str(min(2, os.cpu_count() or 1)), "--dist", "loadfile", "--no-loadscope-reorder"]


def _pytest(home: Path, variables: dict[str, str], arguments: list[str]) -> int:
    command: list[str | Path] = [environment.python_of(home), "-m", "pytest", *_SIDE_BY_SIDE, *arguments]
    process = processes.spawn(command, cwd=PROJECT, environment=variables)
    try:
        told = 0
        while not processes.wait(process, 0.5):
            told = _pass_on(process, told)
    finally:
        processes.kill(process)
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


def _pass_on(process: subprocess.Popen[bytes], told: int) -> int:
    """Hand each Ctrl-C on to pytest, which ends its tests in order and says how far it came."""
    asked = interruption.times_asked()
    if asked > told:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGINT)
    return asked
