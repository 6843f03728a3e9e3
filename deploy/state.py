"""The state directory: where it lies, whose it is, what is private in it, and the lock that lets one `up` have it."""

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy import account, interruption, processes
from deploy.failure import Failure

NAME = ".socialerasmus"
MARK = "socialerasmus-state"
SHARED_PLACE = Path("/var/tmp")  # noqa: S108 - what is made in it is checked to be ours


@dataclass(frozen=True)
class Running:
    """The `up` that holds a state directory, as it noted itself in the lock."""

    pid: int
    started: str
    url: str


def choose(project: Path, asked: str | None) -> Path:
    """Where the state of a project lies, the same every time for the same caller."""
    if asked:
        return Path(asked).expanduser().absolute()
    lent = account.for_postgres() if os.geteuid() == 0 else None
    if lent and not lent.may_enter(project):
        digest = hashlib.sha256(os.fsencode(project.resolve())).hexdigest()[:12]
        return SHARED_PLACE / f"socialerasmus-{digest}"
    return project / NAME


class State:
    """A state directory; making this object touches nothing."""

    def __init__(self, directory: Path) -> None:
        """Name the places."""
        self.directory = directory
        self.logs = directory / "logs"
        self.mailbox = directory / "mailbox"
        self.postgres = directory / "postgres"
        self.valkey = directory / "valkey"
        self._lock = directory / "lock"
        self._secret = directory / "secret"
        self._told = directory / "services.json"
        self._held: int | None = None

    def exists(self) -> bool:
        """Whether an earlier run left a state here."""
        return os.path.exists(self.directory / MARK)  # noqa: PTH110 - what we may not see is not ours

    def make(self) -> None:
        """Make the directory, or see that it is one of ours."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            found = self.directory.lstat() if self.directory.parent == SHARED_PLACE else self.directory.stat()
        except OSError as error:
            raise Failure(
                f"The state directory {self.directory} cannot be made ({error.strerror}):"
                " name another with --state DIR or SOCIALERASMUS_STATE."
            ) from error
        self._refuse_if_not_ours(found)
        if not self.exists():
            if any(self.directory.iterdir()):
                raise Failure(f"{self.directory} holds other things: name an empty or new folder with --state DIR.")
            (self.directory / MARK).touch()
        lent = account.for_postgres() if os.geteuid() == 0 else None
        self.directory.chmod(0o711 if lent else 0o700)
        if lent and not lent.may_enter(self.directory):
            raise Failure(
                f"Postgres runs as user '{lent.name}' when started by root, and that user cannot enter"
                f" {self.directory}: name a folder it can reach with --state DIR, for example below /var/tmp."
            )
        for private in (self.logs, self.mailbox):
            private.mkdir(mode=0o700, exist_ok=True)

    def _refuse_if_not_ours(self, found: os.stat_result) -> None:
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise Failure(
                f"The state directory {self.directory} belongs to user number {found.st_uid}, not to you:"
                " run this as that user, or name another with --state DIR."
            )
        if not os.access(self.directory, os.W_OK | os.X_OK):
            raise Failure(f"The state directory {self.directory} is not writable: name another with --state DIR.")

    def secret(self) -> str:
        """The key that signs what this installation signs, made once."""
        with contextlib.suppress(OSError, ValueError):
            kept = self._secret.read_text().strip()
            if len(bytes.fromhex(kept)) >= 32:
                return kept
        made = secrets.token_hex(32)
        write_private(self._secret, made)
        return made

    def note_told(self, told: dict[str, str]) -> None:
        """Keep what the running services were told, for commands beside them; it holds passwords, so it is private."""
        write_private(self._told, json.dumps(told))

    def told(self) -> dict[str, str]:
        """What the running services were told."""
        try:
            return {str(name): str(value) for name, value in json.loads(self._told.read_text()).items()}
        except (OSError, ValueError) as error:
            raise Failure("The services are not started yet: try again in a moment.") from error

    def running(self) -> Running | None:
        """The `up` that holds this state now, told by the lock and not by what an earlier one left written."""
        self._refuse_if_not_ours(self.directory.stat())
        for _ in range(20):
            with _opened(self._lock) as descriptor:
                if descriptor is None or _try_lock(descriptor):
                    return None
                with contextlib.suppress(ValueError, TypeError, KeyError):
                    noted = json.loads(os.pread(descriptor, 4096, 0))
                    running = Running(int(noted["pid"]), str(noted["started"]), str(noted["url"]))
                    if processes.is_alive(running.pid) and processes.started_at(running.pid) == running.started:
                        return running
            interruption.pause(0.05)  # it has the lock but has not written its name yet
        raise Failure(f"Another process holds {self._lock} and does not say who it is; nothing was touched.")

    def take(self, url: str) -> None:
        """Hold the state until this process ends, however it ends."""
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not _try_lock(descriptor):
            os.close(descriptor)
            raise already_running(self.running())
        note = {"pid": os.getpid(), "started": processes.started_at(os.getpid()), "url": url}
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(note).encode(), 0)
        self._held = descriptor

    def release(self) -> None:
        """Let go of the state; the file stays, for a removed lock is two locks."""
        if self._held is not None:
            self._told.unlink(missing_ok=True)
            os.ftruncate(self._held, 0)
            os.close(self._held)
            self._held = None

    def delete(self) -> None:
        """Remove what was made here and nothing else; the folder itself goes if that leaves it empty."""
        for entry in sorted(self.directory.iterdir()):
            if entry.name.startswith("environment") or entry in {self.logs, self.mailbox, self.postgres, self.valkey}:
                remove(entry)
        for file in (self._secret, self._told, self._lock, self.directory / MARK):
            file.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.directory.rmdir()


def already_running(running: Running | None) -> Failure:
    """The sentence for a second `up`."""
    if running is None:
        return Failure("Another process held the state directory a moment ago: try again.")
    return Failure(
        f"SocialErasmus is already running as process {running.pid} on {running.url}:"
        " stop it with `python3 deploy down`, or name another --state and --port."
    )


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait for a lock and hold it for a while."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while not _try_lock(descriptor):
            interruption.check()
            time.sleep(0.1)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int | None]:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def write_private(path: Path, text: str) -> None:
    """Write a file that only we may read, whole or not at all."""
    side = path.with_name(path.name + ".making")
    side.unlink(missing_ok=True)
    descriptor = os.open(side, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    side.replace(path)


def remove(path: Path) -> None:
    """Remove a file or a whole folder, and not complain if it is gone."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
