"""The Python environment: made once from hash-pinned requirements, known by a stamp, and made again if half made."""

import hashlib
import importlib.util
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy import mirrors, processes, state
from deploy.failure import Failure
from deploy.progress import Step

HERE = Path(__file__).resolve().parent
STAMP = "socialerasmus-stamp"
NO_NETWORK = (
    "name resolution",
    "name or service not known",
    "nodename nor servname",
    "dns error",
    "failed to establish a new connection",
    "newconnectionerror",
    "connection refused",
    "error trying to connect",
    "client error (connect)",
    "network is unreachable",
    "cannot connect to proxy",
    "timed out",
)


def python_of(directory: Path) -> Path:
    """The interpreter of an environment."""
    return directory / "bin" / "python"


def name_for(purpose: str) -> str:
    """The folder of an environment: one a Python minor version and set of packages."""
    suffix = "" if purpose == "run" else f"-{purpose}"
    return f"environment-{sys.version_info.major}.{sys.version_info.minor}{suffix}"


def stamp(requirements: bytes) -> str:
    """What an environment was made from; another Python or another pin is another stamp."""
    made_by = f"{platform.python_implementation()} {platform.python_version()} {platform.machine()}"
    return hashlib.sha256(made_by.encode() + b"\n" + requirements).hexdigest()


def existing(asked: str) -> Path:
    """An environment that the user keeps: used as it is, never changed."""
    directory = Path(asked).expanduser().absolute()
    if not python_of(directory).exists():
        raise Failure(f"{directory} is no Python environment: it has no bin/python.")
    return directory


def ready(directory: Path, purpose: str, log: Path) -> Path:
    """Make the environment unless it is there already, and give its folder."""
    requirements = HERE / ("requirements.txt" if purpose == "run" else f"requirements-{purpose}.txt")
    wanted = stamp(requirements.read_bytes())
    home = directory / name_for(purpose)
    step = Step("environment")
    if _is_made(home, wanted):
        step.done("ready")
        return home
    _refuse_without_venv()
    with state.locked(directory / f"{home.name}.lock"):
        if not _is_made(home, wanted):  # while we waited, another run may have made it
            step.note(f"being made in {home}; the first time it downloads its packages")
            log.unlink(missing_ok=True)
            state.remove(home)
            _make(home, requirements, log, step)
            state.write_private(home / STAMP, wanted)
    step.done("ready")
    return home


def _is_made(home: Path, wanted: str) -> bool:
    try:
        return (home / STAMP).read_text() == wanted and python_of(home).exists()
    except OSError:
        return False


def _refuse_without_venv() -> None:
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing:
        raise Failure(
            f"This Python has no '{missing[0]}' module, which makes environments: install it"
            f" (Debian and Ubuntu: apt install python{sys.version_info.major}.{sys.version_info.minor}-venv)"
            " and run this again."
        )


def _make(home: Path, requirements: Path, log: Path, step: Step) -> None:
    variables = _variables()
    python = python_of(home)

    def run(*command: str | Path, **more: str) -> bool:
        return processes.run(command, cwd=home.parent, environment={**variables, **more}, log=log) == 0

    if not run(sys.executable, "-m", "venv", home):
        raise Failure(f"The Python environment could not be made: {processes.last_line(log)}; the whole log is {log}.")
    pip: list[str | Path] = [python, "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
    pip += ["--retries", "2", "--require-hashes"]
    if run(*pip, "--only-binary", ":all:", "-r", HERE / "requirements-uv.txt"):
        told = _pip_configuration(python, variables)
        step.note("installing packages")
        uv: list[str | Path] = [python, "-m", "uv", "pip", "install", "--python", python, "--compile-bytecode"]
        if run(*uv, "--require-hashes", *told.options, "-r", requirements, **told.variables):
            return
    if not _network_is_away(log):
        step.note("installing packages with pip, for uv could not do it")
        if run(*pip, "-r", requirements):
            return
    if _network_is_away(log):
        raise Failure(
            "The packages could not be downloaded, for the package index cannot be reached:"
            f" check the network, or name a mirror or proxy in pip's configuration; the whole log is {log}."
        )
    raise Failure(f"The packages could not be installed: {processes.last_line(log)}; the whole log is {log}.")


def _variables() -> dict[str, str]:
    """The user's environment without what would bend the new one."""
    bending = {
        "PYTHONHOME",
        "PYTHONPATH",
        "VIRTUAL_ENV",
        "PIP_TARGET",
        "PIP_PREFIX",
        "PIP_USER",
        "PIP_REQUIRE_VIRTUALENV",
    }
    kept = {name: value for name, value in os.environ.items() if name not in bending}
    return {**kept, "UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1"}


def _pip_configuration(python: Path, variables: Mapping[str, str]) -> mirrors.Mirrors:
    command: list[str | Path] = [python, "-m", "pip", "--disable-pip-version-check", "config", "list"]
    shown = subprocess.run(command, env=dict(variables), capture_output=True, text=True, check=False)
    return mirrors.translate(mirrors.read(shown.stdout), variables)


def _network_is_away(log: Path) -> bool:
    said = log.read_text(errors="replace").lower()
    return any(sign in said for sign in NO_NETWORK)
