"""`python3 deploy up` with the real services, as a newcomer uses it: what it prints is true."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from deploy import places, ports
from services.activities.sample import network as sample

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 120


class Up:
    """A running `up`, and what it has printed."""

    def __init__(self, state: Path, port: int) -> None:
        told = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
        told = {name: value for name, value in told.items() if not name.startswith("SOCIALERASMUS_")}
        self.told = {**told, "SOCIALERASMUS_STATE": str(state), "SOCIALERASMUS_ENVIRONMENT_DIR": sys.prefix}
        self.base = f"http://127.0.0.1:{port}"
        self._printed = state.parent / f"printed-{time.monotonic_ns()}"
        with self._printed.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "deploy", "up", "--port", str(port)],
                cwd=ROOT,
                env=self.told,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def printed(self) -> str:
        """Everything so far."""
        return self._printed.read_text()

    def until(self, said: str) -> None:
        """Wait for some words."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while said not in self.printed:
            assert self.process.poll() is None, self.printed
            assert time.monotonic() < deadline, self.printed
            time.sleep(0.02)

    def run(self, *command: str) -> str:
        """A command beside it, from another folder."""
        done = subprocess.run(
            [sys.executable, str(ROOT / "deploy"), "run", *command],
            cwd=self._printed.parent,
            env=self.told,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def end(self, number: signal.Signals) -> int:
        """End it and answer its code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(60)


@pytest.fixture(scope="module")
def starting() -> Iterator[Callable[[], Up]]:
    """Starts `up` again and again on one state; nothing is left running or lying about."""
    started: list[Up] = []
    with places.thrown_away() as place:
        port = ports.free()

        def start() -> Up:
            started.append(Up(place / "state", port))
            return started[-1]

        yield start
        for up in started:
            up.end(signal.SIGINT)


@contextmanager
def ready(start: Callable[[], Up]) -> Iterator[Up]:
    """A running `up`, stopped as with Ctrl-C."""
    up = start()
    try:
        up.until("Ctrl-C stops everything; the data stays.")
        yield up
    finally:
        code = up.end(signal.SIGINT)
    assert code == 0, up.printed


def counted(up: Up) -> dict[str, float]:
    """The overall figures."""
    reply = httpx.get(f"{up.base}/impact/v1/statistics", params={"measures": "activities,participants"})
    total: dict[str, float] = reply.json()["total"]
    return {name: total[name] for name in ("activities", "participants")}


def test_a_first_start_that_was_broken_off_is_finished_by_the_next(starting: Callable[[], Up]) -> None:
    for said in ("40 sections", "25 editions", "94 activities of the past"):
        up = starting()
        up.until(said)
        up.end(signal.SIGKILL)
    with ready(starting) as up:
        assert counted(up) == {"activities": 90, "participants": 1193}
        listed = httpx.get(f"{up.base}/activities/v1/activities", params={"open": "true", "limit": "200"}).json()
        assert len(listed["items"]) == 28
        assert all(item["sample"] for item in listed["items"])


def test_what_it_prints_can_be_pasted_and_a_second_start_keeps_the_data(starting: Callable[[], Up]) -> None:
    with ready(starting) as up:
        assert "loaded" not in up.printed
        queries = [shlex.split(line)[1] for line in up.printed.splitlines() if line.strip().startswith("curl '")]
        manuals = re.findall(r"http://\S+/docs", up.printed)
        assert (len(queries), len(manuals)) == (4, 3)
        readme = re.findall(r"(?m)^curl 'http://127.0.0.1:8000(/\S+)'", (ROOT / "README.md").read_text())
        assert len(readme) >= 7
        assert f"{up.base}/impact/\n" in up.printed
        for address in (*queries, *manuals, f"{up.base}/impact/", *(up.base + path for path in readme)):
            reply = httpx.get(address)
            assert reply.status_code == 200, address
            assert "items" not in reply.text[:10] or reply.json()["items"], address
        listed = httpx.get(f"{up.base}/activities/v1/activities", params={"open": "true"}).json()["items"]
        activity = next(item["id"] for item in listed if item["country"] != "IT")
        protected = f"{up.base}/registration/v1/activities/{activity}/registrations"
        tokens = re.findall(r"^\s+(\w+) .*\s(set_\S+)$", up.printed, re.MULTILINE)
        roles = {role: httpx.get(protected, headers={"Authorization": f"Bearer {token}"}) for role, token in tokens}
        assert {role: reply.status_code for role, reply in roles.items()} == {
            "local_coordinator": 403,
            "national_coordinator": 403,
            "international": 200,
            "operator": 200,
            "machine": 403,
        }
        assert httpx.get(protected).status_code == 401


def test_the_readme_s_commands_run_beside_it(starting: Callable[[], Up], tmp_path: Path) -> None:
    with ready(starting) as up:
        (tmp_path / "past.csv").write_bytes(sample.PAST.read_bytes())
        imported = up.run("import", "activities", str(tmp_path / "past.csv"))
        assert "94 unchanged" in imported
        assert up.run("token", "--role", "international").startswith("set_")
        assert "0 differences" in up.run("rebuild", "impact")
        assert up.run("dead-letters", "list") == "0 parked\n"
        assert json.loads(up.run("openapi", "impact"))["openapi"].startswith("3.1")
        log = (Path(up.told["SOCIALERASMUS_STATE"]) / "logs" / "services.log").read_text()
        assert all(json.loads(line) for line in log.splitlines())


def test_a_client_that_sends_all_before_it_reads_is_told_that_it_is_too_much(starting: Callable[[], Up]) -> None:
    with ready(starting) as up:
        for service, path in (("activities", "activities"), ("registration", "registrations")):
            address = urllib.request.Request(  # It is our own.
                f"{up.base}/{service}/v1/{path}", data=b"x" * 10_000_000, headers={"Content-Type": "application/json"}
            )
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(address)
            problem = json.loads(refused.value.read())
            assert (refused.value.code, problem["errors"][0]["pointer"]) == (413, "#")


def test_every_command_that_the_readme_names_exists() -> None:
    text = (ROOT / "README.md").read_text()
    named = {line.split("services ")[1].split()[0].strip("`") for line in text.splitlines() if "-m services " in line}
    named |= {line.split("deploy run ")[1].split()[0] for line in text.splitlines() if "deploy run " in line}
    assert named >= {"import", "migrate", "api", "worker"}
    offered = subprocess.run(
        [sys.executable, "-m", "services", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert {name for name in named if not re.search(rf"^\W*{name}\b", offered, re.MULTILINE)} == set()
