"""Child processes that never outlive us: each in a session out of the terminal's reach, and ended when we are."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy import interruption
from deploy.account import Account
from deploy.failure import Failure

PR_SET_PDEATHSIG = 1
LARGEST_LOG = 5_000_000


def _prctl() -> Callable[..., int] | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        import ctypes  # noqa: PLC0415 - some Pythons are built without it

        return ctypes.CDLL(None).prctl
    except (ImportError, OSError, AttributeError):  # then the servers are still stopped in order
        return None


_PRCTL = _prctl()  # bound before any fork: nothing may be imported between fork and exec


def _tied_to_us(on_death: int) -> Callable[[], None] | None:
    """Have the kernel signal the child when the thread that starts it ends; set last: a change of user clears it."""
    if _PRCTL is None:
        return None
    parent, prctl = os.getpid(), _PRCTL

    def tie() -> None:
        prctl(PR_SET_PDEATHSIG, on_death, 0, 0, 0)
        if os.getppid() != parent:  # it died between the fork and the line above
            os._exit(1)

    return tie


def spawn(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    log: Path | None = None,
    account: Account | None = None,
    text: str | None = None,
    on_death: int = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Start a process of ours, its output appended to `log` (or shown), `text` on its standard input."""
    output = _open_log(log) if log else None
    try:
        process = subprocess.Popen(
            [os.fspath(part) for part in command],
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL if text is None else subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT if log else None,
            start_new_session=True,
            preexec_fn=_tied_to_us(on_death),  # noqa: PLW1509 - calls one C function that is already bound
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    finally:
        if output is not None:
            os.close(output)
    if text is not None and process.stdin is not None:
        with contextlib.suppress(BrokenPipeError), process.stdin as pipe:  # it may be dead already; its log says why
            pipe.write(text.encode())
    return process


def _open_log(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LARGEST_LOG:
        path.replace(path.with_name(path.name + ".1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def wait(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether the process ended within so many seconds."""
    deadline = time.monotonic() + seconds
    while process.poll() is None:
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        interruption.pause(min(left, 0.5))
    return True


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    log: Path,
    account: Account | None = None,
    text: str | None = None,
) -> int:
    """Run a command to its end and return its code; asked to stop meanwhile, end it with all it started."""
    process = spawn(command, cwd=cwd, environment=environment, log=log, account=account, text=text)
    try:
        while not wait(process, 0.5):
            interruption.check()
        interruption.check()
    finally:
        kill(process)
    return process.returncode


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and what is left of its session, at once."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # nobody left; macOS says the latter of the dead
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def stop(process: subprocess.Popen[bytes], *asking: tuple[signal.Signals, float]) -> bool:
    """Ask a process to end, more firmly each time, then end it and whatever it left; whether asking was enough."""
    for number, patience in asking:
        if process.poll() is None:
            process.send_signal(number)
        if wait(process, patience):
            break
    obeyed = process.poll() is not None
    kill(process)
    return obeyed


@dataclass(frozen=True)
class Ending:
    """How a process ended, in words."""

    code: int

    def __str__(self) -> str:
        """Name the signal, for a bare -9 tells few people anything."""
        if self.code >= 0:
            return f"ended with code {self.code}"
        try:
            return f"was ended by {signal.Signals(-self.code).name}"
        except ValueError:
            return f"was ended by signal {-self.code}"


def last_line(log: Path) -> str:
    """The last thing a process said, to put into a sentence."""
    try:
        lines = log.read_text(errors="replace")[-20_000:].splitlines()
    except OSError:
        return "it said nothing"
    said = [line.strip() for line in lines if line.strip()]
    return said[-1][:300].rstrip(".") if said else "it said nothing"


def is_alive(pid: int) -> bool:
    """Whether a process of this number runs, whoever owns it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return True


def command_line(pid: int) -> str:
    """What a process was started as; empty if it is gone or not ours to see."""
    with contextlib.suppress(OSError):
        return os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" "))
    if sys.platform.startswith("linux"):
        return ""
    shown = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip()


def started_at(pid: int) -> str:
    """A mark that tells a process from a later one of the same number; empty where the system shows none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def refuse_to_start(name: str, error: OSError) -> Failure:
    """The sentence for a program that the system would not start."""
    return Failure(f"{name} could not be started: {error.strerror or error} ({error.filename}).")
