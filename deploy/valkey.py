"""Valkey as a child of ours: start, stop, kill and start again on the same port and data."""

import contextlib
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from deploy import binaries, interruption, places, ports, processes, redis_wire
from deploy.failure import Failure

PATIENCE = 20.0
LARGEST = "128mb"


class Server:
    """One Valkey below one directory; not durable, it keeps nothing over a restart, and nothing of ours needs it to."""

    def __init__(
        self,
        directory: Path,
        environment: Path,
        *,
        durable: bool,
        port: int | None = None,
        log: Path | None = None,
    ) -> None:
        """Say where and how; nothing runs yet. A port of None is any free one, kept from the first start on."""
        self.directory = directory.resolve()
        self.log = log or self.directory / "valkey.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.password = secrets.token_hex(24)
        self._environment = environment
        self._durable = durable
        self._port = port
        self._port_is_settled = port is not None

    def prepare(self) -> None:
        """Find the program and make its folder."""
        self._program = binaries.valkey(self._environment)
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def port(self) -> int:
        """Where it listens, or will."""
        if self._port is None:
            self._port = ports.free()
        return self._port

    @property
    def url(self) -> str:
        """How to reach it."""
        return f"redis://:{self.password}@{ports.LOOPBACK}:{self.port}/0"

    def launch(self) -> None:
        """Start the process without waiting; its settings go by standard input, for they hold the password."""
        self._began_at = self.log.stat().st_size if self.log.exists() else 0
        try:
            self.process = processes.spawn(
                [self._program, "-"],
                cwd=self.directory,
                environment=binaries.CLEAN,
                log=self.log,
                text=self._settings(),
                on_death=signal.SIGTERM,
            )
        except OSError as error:
            raise processes.refuse_to_start("Valkey", error) from error

    def _settings(self) -> str:
        lines = [
            f"bind {ports.LOOPBACK}",
            f"port {self.port}",
            f"requirepass {self.password}",
            'save ""',
            f"appendonly {'yes' if self._durable else 'no'}",
            "appendfsync everysec",
            f"maxmemory {LARGEST}",
            "maxmemory-policy noeviction",
            "daemonize no",
        ]
        return "".join(f"{line}\n" for line in lines)

    def wait_until_ready(self) -> None:
        """Return once it answers."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            interruption.check()
            if not self.is_running:
                if self._port_is_settled or "Address already in use" not in self._said():
                    break
                self._port = None
                self.launch()
            elif self._answers():
                self._port_is_settled = True
                return
            interruption.pause(0.01)
        self.stop()
        raise Failure(f"Valkey did not start: {processes.last_line(self.log)}; its log is {self.log}.")

    def start(self) -> None:
        """Start, on the same port and data as before, and wait until it answers."""
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
        """Write down what is to be kept and stop."""
        if self.process is not None:
            processes.stop(self.process, (signal.SIGTERM, 5.0))

    def kill(self) -> None:
        """End it as a power cut would (SIGKILL)."""
        if self.process is not None:
            processes.kill(self.process)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), redis_wire.connected(ports.LOOPBACK, self.port, seconds=1) as line:
            return line.ask("AUTH", self.password).startswith("+OK") and line.ask("PING").startswith("+PONG")
        return False

    def _said(self) -> str:
        try:
            return self.log.read_bytes()[self._began_at :].decode(errors="replace")
        except OSError:
            return ""


@contextlib.contextmanager
def running(
    directory: Path | None = None,
    *,
    durable: bool = False,
    port: int | None = None,
    environment: Path | None = None,
) -> Iterator[Server]:
    """A Valkey for as long as the block runs; without a directory in one that is thrown away.

    It is tied to the thread that starts it: the kernel ends it should that thread end first.
    """
    with places.given_or_thrown_away(directory) as place:
        server = Server(place, environment or Path(sys.prefix), durable=durable, port=port)
        server.prepare()
        try:
            server.start()
            yield server
        finally:
            server.stop()
