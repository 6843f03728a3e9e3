"""`up`: environment, Postgres, Valkey and the services, in this order; watched over; and taken down in the other."""

import contextlib
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from deploy import environment, interruption, ports, postgres, processes, progress, reachable, valkey
from deploy.failure import Failure
from deploy.ports import LOOPBACK
from deploy.settings import PROJECT, Settings
from deploy.state import State, already_running, choose

SERVICES_PATIENCE = 10.0


@dataclass
class Crew:
    """What runs, so that the end of any one is noticed and all are stopped in order."""

    stack: contextlib.ExitStack
    watched: list[tuple[str, subprocess.Popen[bytes], str]] = field(default_factory=list)

    def ended(self) -> tuple[str, processes.Ending, str] | None:
        """Who ended by itself, if anybody did."""
        for name, process, where in self.watched:
            if process.poll() is not None:
                return name, processes.Ending(process.returncode), where
        return None


def up(settings: Settings) -> int:
    """Run until asked to stop, or until a part ends by itself."""
    interruption.watch()
    state = State(choose(PROJECT, settings.state))
    url = f"http://{LOOPBACK}:{settings.port}"
    if state.exists() and (running := state.running()):
        raise already_running(running)
    ports.refuse_if_taken(settings.port)
    outside = _refuse_unless_reachable(settings)
    state.make()
    state.take(url)
    try:
        with contextlib.ExitStack() as stack:
            crew = Crew(stack)
            home = _environment(settings, state)
            variables = {**settings.variables, **_told(settings, state, url)}
            variables.update(_servers(settings, state, home, crew, outside))
            _services(settings, home, variables, crew)
            state.note_told(_for_commands(variables, home))
            return _supervise(crew)
    finally:
        state.release()


def _refuse_unless_reachable(settings: Settings) -> dict[str, str]:
    outside = {}
    if settings.database_url:
        outside["postgres"] = reachable.refuse_unless_postgres("DATABASE_URL", settings.database_url)
    if settings.redis_url:
        outside["valkey"] = reachable.refuse_unless_redis("REDIS_URL", settings.redis_url)
    return outside


def _environment(settings: Settings, state: State) -> Path:
    if settings.environment:
        return environment.existing(settings.environment)
    return environment.ready(state.directory, "run", state.logs / "environment.log")


def _told(settings: Settings, state: State, url: str) -> dict[str, str]:
    """What the services are told unless the person said otherwise."""
    given = settings.variables
    return {
        "SOCIALERASMUS_ENVIRONMENT": given.get("SOCIALERASMUS_ENVIRONMENT") or "development",
        "SOCIALERASMUS_SECRET": given.get("SOCIALERASMUS_SECRET") or state.secret(),
        "SOCIALERASMUS_BASE_URL": given.get("SOCIALERASMUS_BASE_URL") or url,
        "SOCIALERASMUS_MAILBOX": given.get("SOCIALERASMUS_MAILBOX") or str(state.mailbox),
        "SOCIALERASMUS_LOG_FILE": given.get("SOCIALERASMUS_LOG_FILE") or str(state.logs / "services.log"),
        "PYTHONUNBUFFERED": "1",
    }


def _for_commands(variables: dict[str, str], home: Path) -> dict[str, str]:
    """What a command beside the services needs: the same settings, and the same Python."""
    known = ("DATABASE_URL", "REDIS_URL", "SMTP_URL")
    told = {name: value for name, value in variables.items() if name in known or name.startswith("SOCIALERASMUS_")}
    told.pop("SOCIALERASMUS_LOG_FILE", None)
    return {**told, "PYTHON": str(environment.python_of(home))}


def _servers(settings: Settings, state: State, home: Path, crew: Crew, outside: dict[str, str]) -> dict[str, str]:
    """Start Postgres and Valkey side by side, or take those that were named."""
    for name, place in outside.items():
        progress.say(name, f"the one at {place}, as asked")
    launched: list[tuple[progress.Step, postgres.Server | valkey.Server, str]] = []
    for name, is_outside in (("postgres", settings.database_url), ("valkey", settings.redis_url)):
        if is_outside:
            continue
        step = progress.Step(name)
        server = _server(name, state, home)
        server.prepare()
        crew.stack.callback(server.stop)
        server.launch()
        launched.append((step, server, name))
    for step, server, name in launched:
        server.wait_until_ready()
        step.done(f"ready on {LOOPBACK}:{server.port}")
        if server.process is not None:
            crew.watched.append((name, server.process, f"its log is {server.log}"))
    urls = {"postgres": "DATABASE_URL", "valkey": "REDIS_URL"}
    return {urls[name]: server.url for _, server, name in launched}


def _server(name: str, state: State, home: Path) -> postgres.Server | valkey.Server:
    if name == "postgres":
        return postgres.Server(state.postgres, home, durable=True, log=state.logs / "postgres.log")
    return valkey.Server(state.valkey, home, durable=False, log=state.logs / "valkey.log")


def _services(settings: Settings, home: Path, variables: dict[str, str], crew: Crew) -> None:
    progress.say("services", f"starting on http://{LOOPBACK}:{settings.port}; Ctrl-C stops everything")
    command: list[str | Path] = [environment.python_of(home), "-m", "services", "up"]
    command += ["--host", LOOPBACK, "--port", str(settings.port)]
    variables.pop("PYTHONHOME", None)
    process = processes.spawn(command, cwd=PROJECT, environment=variables)
    crew.stack.callback(_stop_services, process)
    log = variables["SOCIALERASMUS_LOG_FILE"]
    crew.watched.append(("services", process, f"what they said stands above or in {log}"))


def _stop_services(process: subprocess.Popen[bytes]) -> None:
    """Ask, wait and end; a second Ctrl-C shortens the waiting."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    asked, deadline = max(interruption.times_asked(), 1), time.monotonic() + SERVICES_PATIENCE
    while process.poll() is None and time.monotonic() < deadline and interruption.times_asked() <= asked:
        interruption.pause(0.5)
    processes.kill(process)


def _supervise(crew: Crew) -> int:
    while True:
        if interruption.times_asked():
            step = progress.Step("stopping")
            crew.stack.close()
            step.done("everything has stopped")
            return 0
        if ended := crew.ended():
            name, ending, where = ended
            crew.stack.close()
            if name == "services" and ending.code == 1:
                return 1  # They have said why, in a sentence of their own.
            raise Failure(f"{name.capitalize()} {ending} by itself, so everything was stopped: {where}.")
        interruption.pause(5.0)
