"""`python3 deploy` in a copy of the project with stand-in services: every way to start, stop, break and start again."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy import account, places, ports, postgres, processes, valkey

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds orphans by /proc")

PROJECT = Path(__file__).resolve().parents[2]
PASSED_ON = "SOCIALERASMUS_ENVIRONMENT_DIR"

SERVICES = '''
"""Stands in for the product: counts its runs in the database and answers with what it was told."""
import asyncio, http.server, json, os, signal, sys
import asyncpg

async def count():
    connection = await asyncpg.connect(os.environ["DATABASE_URL"])
    await connection.execute("create table if not exists run (number serial)")
    await connection.execute("insert into run default values")
    runs = await connection.fetchval("select count(*) from run")
    await connection.close()
    return runs

if "BREAK" in os.environ:
    sys.exit(3)
told = {"runs": asyncio.run(count()), "pid": os.getpid(), "variables": dict(os.environ)}

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(told).encode())
    def log_message(self, *_): pass

def stop(*_):
    if "STUBBORN" not in os.environ:
        with open("runs-seen-at-the-end", "w") as file:
            file.write(str(asyncio.run(count())))
        os._exit(0)

signal.signal(signal.SIGTERM, stop)
http.server.HTTPServer((sys.argv[3], int(sys.argv[5])), Handler).serve_forever()
'''


class Up:
    """A command under way in a project of its own."""

    def __init__(self, project: Path, *arguments: str, **variables: str) -> None:
        """Start it as a terminal would: a session of its own, so that Ctrl-C reaches a whole group."""
        self.output = project / "output"
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "deploy", *arguments],
                cwd=project,
                env=surroundings(**variables),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.family: set[int] = set()

    @property
    def said(self) -> str:
        """What it printed so far."""
        return self.output.read_text()

    def ctrl_c(self) -> None:
        """What a terminal does."""
        os.killpg(self.process.pid, signal.SIGINT)

    def code(self) -> int:
        """Wait for its end."""
        return self.process.wait(30)

    def answer(self, port: int) -> dict[str, object]:
        """Wait for the services and read what they say; note who runs by then."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self.process.poll() is None:
            connection = http.client.HTTPConnection(ports.LOOPBACK, port, timeout=5)
            try:
                connection.request("GET", "/")
                found: dict[str, object] = json.loads(connection.getresponse().read())
            except OSError:
                time.sleep(0.02)
                continue
            finally:
                connection.close()
            self.family = descendants(self.process.pid)
            return found
        pytest.fail(f"never ready: {self.said}")


def surroundings(**variables: str) -> dict[str, str]:
    """The environment without what belongs to the tests themselves, and with the packages that are installed."""
    others = {name for name in os.environ if name.startswith("SOCIALERASMUS") or name.endswith("_URL")}
    own = {name: value for name, value in os.environ.items() if name not in others}
    return {**own, PASSED_ON: sys.prefix, **variables}


def descendants(pid: int) -> set[int]:
    """Every process below one."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(entry.parent.name)] = int(entry.read_text(errors="replace").rpartition(")")[2].split()[1])
        except OSError:
            continue
    below, found = {pid}, set[int]()
    while below := {child for child, parent in parents.items() if parent in below}:
        found |= below
    return found


def gone(family: set[int]) -> bool:
    """Whether all of them end within a moment."""
    deadline = time.monotonic() + 15
    while any(processes.is_alive(pid) for pid in family):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def run(project: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    command = [sys.executable, "deploy", *arguments]
    environment = surroundings(**variables)
    return subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def copy_to(place: Path) -> Path:
    """A copy of the project with stand-in services, where a path is at its worst."""
    home = place / "un projet très à part"
    shutil.copytree(PROJECT / "deploy", home / "deploy", ignore=shutil.ignore_patterns("__pycache__"))
    home.joinpath("services").mkdir()
    home.joinpath("services", "__main__.py").write_text(SERVICES)
    return home


@pytest.fixture(scope="module")
def lived_in() -> Iterator[Path]:
    """A project that tests run in one after the other, each on what the last one left."""
    with places.thrown_away() as place:
        yield copy_to(place)


@pytest.fixture
def fresh() -> Iterator[Path]:
    """A project of one's own that never ran."""
    with places.thrown_away() as place:
        yield copy_to(place)


@pytest.fixture
def start() -> Iterator[Callable[..., Up]]:
    """Start commands; whatever a test leaves of them is ended."""
    started: list[Up] = []

    def begin(project: Path, *arguments: str, **variables: str) -> Up:
        started.append(Up(project, *arguments, **variables))
        return started[-1]

    yield begin
    for up in started:
        family = up.family | descendants(up.process.pid)
        up.process.kill()
        up.process.wait()
        gone(family)


@pytest.fixture
def port() -> str:
    """A free port."""
    return str(ports.free())


def data_of(project: Path) -> Path:
    """Where the embedded Postgres keeps its data."""
    return project / ".socialerasmus" / "postgres" / "cluster" / "data"


def test_ctrl_c_stops_the_services_first_and_leaves_nothing(
    start: Callable[..., Up], lived_in: Path, port: str
) -> None:
    up = start(lived_in, "up", "--port", port)
    runs = up.answer(int(port))["runs"]
    assert len(up.family) >= 3
    up.ctrl_c()
    assert up.code() == 0
    assert gone(up.family)
    assert lived_in.joinpath("runs-seen-at-the-end").read_text() == str(int(str(runs)) + 1), (
        "Postgres stopped before the services did"
    )
    assert "database system is shut down" in lived_in.joinpath(".socialerasmus", "logs", "postgres.log").read_text()


def test_a_second_run_keeps_data_and_secret(start: Callable[..., Up], lived_in: Path, port: str) -> None:
    secrets = set()
    counts = []
    for _ in range(2):
        up = start(lived_in, "up", "--port", port)
        told = up.answer(int(port))
        counts.append(int(str(told["runs"])))
        secrets.add(told["variables"]["SOCIALERASMUS_SECRET"])  # type: ignore[index]
        up.process.terminate()
        assert up.code() == 0
    assert len(secrets) == 1
    assert counts[1] == counts[0] + 2, "the services count once more when they are stopped"


def test_the_services_are_told_what_they_need_and_passwords_are_in_no_command_line(
    start: Callable[..., Up], lived_in: Path, port: str
) -> None:
    up = start(
        lived_in, "up", "--port", port, SMTP_URL="smtp://mail.example", SOCIALERASMUS_BASE_URL="https://example.org"
    )
    told: dict[str, str] = up.answer(int(port))["variables"]  # type: ignore[assignment]
    state = lived_in / ".socialerasmus"
    assert told["SOCIALERASMUS_ENVIRONMENT"] == "development"
    assert told["SOCIALERASMUS_MAILBOX"] == str(state / "mailbox")
    assert told["SOCIALERASMUS_BASE_URL"] == "https://example.org"
    assert told["SMTP_URL"] == "smtp://mail.example"
    assert len(bytes.fromhex(told["SOCIALERASMUS_SECRET"])) >= 32
    private = [told[name].split("@")[0].rpartition(":")[2] for name in ("DATABASE_URL", "REDIS_URL")]
    private.append(told["SOCIALERASMUS_SECRET"])
    shown = " ".join(processes.command_line(pid) for pid in up.family)
    assert "postgres" in shown
    assert not any(word in shown for word in private)
    for file in (
        state / "secret",
        state / "postgres" / "passwords",
        data_of(lived_in),
        state / "mailbox",
        state / "logs",
    ):
        assert file.stat().st_mode & 0o077 == 0, file


def test_a_killed_up_leaves_no_orphan_and_the_next_one_finds_the_data(
    start: Callable[..., Up], lived_in: Path, port: str
) -> None:
    up = start(lived_in, "up", "--port", port)
    runs = int(str(up.answer(int(port))["runs"]))
    up.process.kill()
    up.code()
    again = start(lived_in, "up", "--port", port)  # at once, while the old Postgres may still be closing
    assert again.answer(int(port))["runs"] == runs + 1
    assert gone(up.family)


@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGKILL])
def test_ended_at_any_moment_of_preparation_the_next_run_is_sound(
    blow: signal.Signals, start: Callable[..., Up], fresh: Path, port: str
) -> None:
    for moment in (0.02, 0.1, 0.2, 0.35, 0.5, 0.65):
        up = start(fresh, "up", "--port", port)
        time.sleep(moment)
        family = descendants(up.process.pid)
        os.killpg(up.process.pid, blow)
        assert up.code() in {130, 0, -signal.SIGINT, -signal.SIGKILL}
        assert gone(family), moment
        shutil.rmtree(data_of(fresh), ignore_errors=True)  # so that each time prepares
    assert start(fresh, "up", "--port", port).answer(int(port))["runs"] == 1


def test_a_second_ctrl_c_does_not_wait_for_stubborn_services(
    start: Callable[..., Up], lived_in: Path, port: str
) -> None:
    up = start(lived_in, "up", "--port", port, STUBBORN="yes")
    up.answer(int(port))
    up.ctrl_c()
    time.sleep(0.3)
    assert up.process.poll() is None
    up.ctrl_c()
    assert up.process.wait(5) == 0
    assert gone(up.family)


def test_a_part_that_ends_by_itself_stops_everything_and_is_named(
    start: Callable[..., Up], lived_in: Path, port: str
) -> None:
    up = start(lived_in, "up", "--port", port)
    up.answer(int(port))
    (server,) = (pid for pid in up.family if "valkey-server" in processes.command_line(pid))
    os.kill(server, signal.SIGKILL)
    assert up.code() == 1
    assert gone(up.family)
    assert "Valkey was ended by SIGKILL by itself, so everything was stopped: its log is " in up.said


def test_services_that_fail_fail_the_command(lived_in: Path, port: str) -> None:
    done = run(lived_in, "up", "--port", port, BREAK="yes")
    assert done.returncode == 1
    assert "Services ended with code 3 by itself" in done.stderr


def test_a_taken_port_is_told_before_anything_is_made(fresh: Path) -> None:
    with socket.socket() as taken:
        taken.bind((ports.LOOPBACK, 0))
        taken.listen()
        number = taken.getsockname()[1]
        done = run(fresh, "up", "--port", str(number))
    assert done.returncode == 1
    assert f"Port {number} is taken by another program: choose another, for example --port" in done.stderr
    assert not fresh.joinpath(".socialerasmus").exists()


@pytest.mark.parametrize(("name", "scheme"), [("DATABASE_URL", "postgresql"), ("REDIS_URL", "redis")])
def test_a_server_that_is_named_but_away_is_never_replaced(name: str, scheme: str, fresh: Path, port: str) -> None:
    done = run(fresh, "up", "--port", port, **{name: f"{scheme}://ann:hunter2@127.0.0.1:1/0"})
    assert done.returncode == 1
    assert done.stderr.startswith(f"{name} is set, but nothing answers at 127.0.0.1:1 (Connection refused)")
    assert done.stderr.count("\n") == 1
    assert "hunter2" not in done.stderr + done.stdout
    assert not fresh.joinpath(".socialerasmus").exists()


def test_servers_that_are_named_in_the_file_are_used_and_none_is_started(
    start: Callable[..., Up], fresh: Path, port: str
) -> None:
    with postgres.running() as database, valkey.running() as cache:
        fresh.joinpath(".env").write_text(f"DATABASE_URL={database.url}\nREDIS_URL='{cache.url}'\n")
        up = start(fresh, "up", "--port", port)
        told: dict[str, str] = up.answer(int(port))["variables"]  # type: ignore[assignment]
        assert (told["DATABASE_URL"], told["REDIS_URL"]) == (database.url, cache.url)
        assert len(up.family) == 1
        up.ctrl_c()
        assert up.code() == 0
        assert database.is_running
        assert cache.is_running


def test_data_of_another_version_is_refused_and_left_alone(start: Callable[..., Up], fresh: Path, port: str) -> None:
    prepared(start, fresh, port)
    data_of(fresh).joinpath("PG_VERSION").write_text("12\n")
    before = sorted((path, path.stat().st_mtime_ns) for path in data_of(fresh).rglob("*"))
    done = run(fresh, "up", "--port", port)
    assert done.returncode == 1
    assert "was written by Postgres 12 and this is Postgres 18: it was left untouched" in done.stderr
    assert done.stderr.count("\n") == 1
    assert sorted((path, path.stat().st_mtime_ns) for path in data_of(fresh).rglob("*")) == before


def test_half_written_data_is_made_anew_but_not_where_somebodys_rows_could_be(
    start: Callable[..., Up], fresh: Path, port: str
) -> None:
    half = data_of(fresh)
    half.joinpath("base", "1").mkdir(parents=True)
    half.joinpath("PG_VERSION").write_text("18\n")
    fresh.joinpath(".socialerasmus", "socialerasmus-state").touch()
    prepared(start, fresh, port)
    half.joinpath("global", "pg_control").unlink()
    done = run(fresh, "up", "--port", port)
    assert done.returncode == 1
    assert "is damaged (PG_VERSION or global/pg_control is missing): it was left untouched" in done.stderr
    assert half.joinpath("base").is_dir()


def prepared(start: Callable[..., Up], project: Path, port: str) -> None:
    """Bring the project up once and stop it."""
    up = start(project, "up", "--port", port)
    up.answer(int(port))
    up.process.terminate()
    assert up.code() == 0


def test_a_second_up_is_refused_and_names_the_first(start: Callable[..., Up], lived_in: Path, port: str) -> None:
    up = start(lived_in, "up", "--port", port)
    up.answer(int(port))
    done = run(lived_in, "up", "--port", str(ports.free()))
    assert done.returncode == 1
    assert f"already running as process {up.process.pid} on http://127.0.0.1:{port}" in done.stderr
    assert up.process.poll() is None


def test_down_stops_a_running_up_and_delete_removes_all_of_it(start: Callable[..., Up], fresh: Path, port: str) -> None:
    up = start(fresh, "up", "--port", port)
    up.answer(int(port))
    done = run(fresh, "down")
    assert (done.returncode, up.code()) == (0, 0)
    assert f"process {up.process.pid} has stopped" in done.stdout
    assert gone(up.family)
    assert data_of(fresh).is_dir()
    assert "nothing is running" in run(fresh, "down").stdout
    assert "deleted" in run(fresh, "down", "--delete").stdout
    assert not fresh.joinpath(".socialerasmus").exists()
    done = run(fresh, "down", "--delete")
    assert (done.returncode, "nothing to do" in done.stdout) == (0, True)


def test_down_never_touches_a_stranger_named_in_a_stale_note(
    start: Callable[..., Up], lived_in: Path, port: str
) -> None:
    prepared(start, lived_in, port)
    note = json.dumps({"pid": os.getpid(), "started": processes.started_at(os.getpid()), "url": ""})
    lived_in.joinpath(".socialerasmus", "lock").write_text(note)
    done = run(lived_in, "down")
    assert (done.returncode, "nothing is running" in done.stdout) == (0, True)
    prepared(start, lived_in, port)


def test_a_state_folder_that_cannot_be_made_is_told_in_one_sentence(fresh: Path, port: str) -> None:
    fresh.joinpath("a file").touch()
    done = run(fresh, "up", "--port", port, "--state", "a file/state")
    assert done.returncode == 1
    assert "cannot be made (Not a directory): name another with --state DIR" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root lends Postgres another user")
def test_root_is_told_when_postgres_could_not_reach_the_state(fresh: Path, port: str) -> None:
    private = fresh / "private"
    private.mkdir(mode=0o700)
    done = run(fresh, "up", "--port", port, SOCIALERASMUS_STATE=str(private / "state"))
    assert done.returncode == 1
    lent = account.for_postgres()
    assert lent is not None
    assert f"runs as user '{lent.name}' when started by root, and that user cannot enter" in done.stderr
    assert private.stat().st_mode & 0o777 == 0o700


def test_the_tests_get_servers_and_their_code_is_passed_on(fresh: Path) -> None:
    fresh.joinpath("test_it.py").write_text(
        "import os, asyncio, asyncpg\n"
        "async def ask():\n"
        "    connection = await asyncpg.connect(os.environ['DATABASE_URL'])\n"
        "    assert await connection.fetchval('show is_superuser') == 'on'\n"
        "    await connection.close()\n"
        "def test_good(): asyncio.run(ask())\n"
        "def test_bad(): assert os.environ['SOCIALERASMUS_ENVIRONMENT'] != 'test' or not os.environ['REDIS_URL']\n"
    )
    done = run(fresh, "test", "-p", "no:cacheprovider", "-q", "test_it.py")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 1 passed" in done.stdout
    assert not fresh.joinpath(".socialerasmus").exists()
