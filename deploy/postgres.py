"""Postgres as a child of ours: start, stop, kill and start again on the same port and data."""

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from deploy import account, binaries, interruption, places, ports, processes
from deploy.cluster import DATABASE, LOGIN, SUPERUSER, Cluster, own_folder
from deploy.failure import Failure

PATIENCE = 120.0  # after a crash it first replays what it had not yet written
PATIENCE_WITH_OTHERS = 10.0  # a killed server's children need a moment to notice
IN_THE_WAY = ("pre-existing shared memory", "Address already in use", '"postmaster.pid"')
FAST = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0))
READY_LINE = 7

FRUGAL: Mapping[str, str] = {
    "listen_addresses": ports.LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "32MB",
    "huge_pages": "off",
    "max_wal_size": "256MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}
# Without care for power cuts, but what was committed still outlives a killed Postgres: hence no synchronous_commit=off.
FORGETFUL: Mapping[str, str] = {"fsync": "off", "full_page_writes": "off"}


class Server:
    """One Postgres below one directory."""

    def __init__(
        self,
        directory: Path,
        environment: Path,
        *,
        durable: bool,
        port: int | None = None,
        settings: Mapping[str, str] | None = None,
        log: Path | None = None,
    ) -> None:
        """Say where and how; nothing runs yet. A port of None is any free one, kept from the first start on."""
        self.directory = directory.resolve()
        self.log = log or self.directory / "postgres.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._environment = environment
        self._durable = durable
        self._settings = dict(settings or {})
        self._port = port
        self._port_is_settled = port is not None

    def prepare(self) -> None:
        """Find the programs and make or check the data."""
        self._account = account.for_postgres()
        own_folder(self.directory, self._account)
        self._programs = binaries.postgres(self._environment, self._account, self.directory / "programs")
        self._cluster = Cluster(self.directory, self._programs, self._account, self.log)
        self._passwords = self._cluster.prepare(durable=self._durable)

    @property
    def port(self) -> int:
        """Where it listens, or will."""
        if self._port is None:
            self._port = ports.free()
        return self._port

    @property
    def url(self) -> str:
        """The product's own login: no superuser, but owner of the database and allowed to make roles."""
        return f"postgresql://{LOGIN}:{self._passwords.login}@{ports.LOOPBACK}:{self.port}/{DATABASE}"

    @property
    def superuser_url(self) -> str:
        """The same database as its superuser, for tests that make and copy databases."""
        return f"postgresql://{SUPERUSER}:{self._passwords.superuser}@{ports.LOOPBACK}:{self.port}/{DATABASE}"

    def launch(self) -> None:
        """Start the process without waiting for it to be ready."""
        settings = {**FRUGAL, **({} if self._durable else FORGETFUL), "port": str(self.port)}
        if self._programs.major >= 18:  # the version that brought processes for reading ahead
            settings["io_method"] = "sync"
        options = [part for name, value in {**settings, **self._settings}.items() for part in ("-c", f"{name}={value}")]
        self._began_at = self.log.stat().st_size if self.log.exists() else 0
        try:
            self.process = processes.spawn(
                [self._programs.folder / "postgres", "-D", self._cluster.data, *options],
                cwd=self._cluster.home,
                environment=binaries.CLEAN,
                log=self.log,
                account=self._account,
                on_death=signal.SIGINT,
            )
        except OSError as error:
            raise processes.refuse_to_start("Postgres", error) from error

    def wait_until_ready(self) -> None:
        """Return once it takes connections; a port or data that is not free yet is tried again."""
        began = time.monotonic()
        while time.monotonic() < began + PATIENCE:
            interruption.check()
            if self._says_ready():
                self._port_is_settled = True
                return
            if not self.is_running:
                if time.monotonic() > began + PATIENCE_WITH_OTHERS or not any(
                    sign in self._said() for sign in IN_THE_WAY
                ):
                    break
                interruption.pause(0.1)
                self._cluster.clear_leftover()
                if not self._port_is_settled:
                    self._port = None
                self.launch()
            interruption.pause(0.01)
        fatal = [line for line in self._said().splitlines() if "FATAL" in line] or [processes.last_line(self.log)]
        self.stop()
        raise Failure(f"Postgres did not start: {fatal[-1].rpartition('FATAL:')[2].strip()}; its log is {self.log}.")

    def start(self) -> None:
        """Start, on the same port and data as before, and wait until it takes connections."""
        self.launch()
        try:
            self.wait_until_ready()
        except BaseException:
            self.kill()
            raise

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """End open transactions, write everything down and stop."""
        if self.process is not None:
            processes.stop(self.process, *FAST)

    def kill(self) -> None:
        """End it as a power cut would (SIGKILL)."""
        if self.process is not None:
            processes.kill(self.process)

    def _says_ready(self) -> bool:
        """Read the note Postgres keeps about itself, which costs no connection."""
        try:
            lines = (self._cluster.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        mine = self.process is not None and lines[:1] == [str(self.process.pid)]
        return mine and len(lines) > READY_LINE and lines[READY_LINE].strip() == "ready"

    def _said(self) -> str:
        """What it wrote since it was last launched."""
        try:
            with self.log.open("rb") as file:
                file.seek(min(self._began_at, self.log.stat().st_size))
                return file.read().decode(errors="replace")
        except OSError:
            return ""


@contextlib.contextmanager
def running(
    directory: Path | None = None,
    *,
    durable: bool = False,
    port: int | None = None,
    settings: Mapping[str, str] | None = None,
    environment: Path | None = None,
) -> Iterator[Server]:
    """A Postgres for as long as the block runs; without a directory in one that is thrown away.

    It is tied to the thread that starts it: the kernel ends it should that thread end first.
    """
    with places.given_or_thrown_away(directory) as place:
        server = Server(place, environment or Path(sys.prefix), durable=durable, port=port, settings=settings)
        server.prepare()
        try:
            server.start()
            yield server
        finally:
            server.stop()
