"""A Postgres data directory: made aside and renamed, checked before use, cleared of what a killed run left."""

import contextlib
import json
import os
import secrets
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from deploy import binaries, interruption, processes, state
from deploy.account import Account
from deploy.failure import Failure

DATABASE = "socialerasmus"
LOGIN = "socialerasmus"
SUPERUSER = "postgres"
LAST_BUILT_IN_DATABASE = 5  # template1 is 1, template0 is 4, postgres is 5; what anybody made comes later


@dataclass(frozen=True)
class Passwords:
    """What the two roles of a cluster are let in with."""

    superuser: str
    login: str


class Cluster:
    """The data below one directory, and the passwords beside it."""

    def __init__(self, directory: Path, programs: binaries.Postgres, account: Account | None, log: Path) -> None:
        """Name the places; nothing is touched yet."""
        self.home = directory / "cluster"
        self.data = self.home / "data"
        self._directory = directory
        self._programs = programs
        self._account = account
        self._log = log

    def prepare(self, *, durable: bool) -> Passwords:
        """See that there is a sound cluster, making one only where there has never been any, and give its passwords."""
        self.home.mkdir(mode=0o700, exist_ok=True)
        if self._account:
            os.chown(self.home, self._account.uid, self._account.gid)
        self._refuse_other_version()
        known = self._passwords()
        passwords = known or Passwords(secrets.token_hex(24), secrets.token_hex(24))
        if not known:
            state.write_private(self._directory / "passwords", json.dumps(passwords.__dict__))
        if not self._is_whole():
            self._refuse_damaged()
            self._initialise(passwords, durable=durable)
        else:
            self.clear_leftover()
            if not known:
                self._single_user(self.data, *_passwords_again(passwords))
        return passwords

    def _is_whole(self) -> bool:
        return (self.data / "PG_VERSION").exists() and (self.data / "global" / "pg_control").exists()

    def _refuse_other_version(self) -> None:
        try:
            written_by = (self.data / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            return
        if written_by != str(self._programs.major):
            raise Failure(
                f"The data in {self.data} was written by Postgres {written_by or 'of an unknown version'} and this is"
                f" Postgres {self._programs.major}: it was left untouched; upgrade it with pg_upgrade,"
                " name another state with --state, or begin anew with `python3 deploy down --delete`."
            )

    def _refuse_damaged(self) -> None:
        """Half-made data is made again, but not where it could hold somebody's rows."""
        numbers = [int(entry.name) for entry in self.data.glob("base/*") if entry.name.isdigit()]
        if any(number > LAST_BUILT_IN_DATABASE for number in numbers):
            raise Failure(
                f"The data in {self.data} is damaged (PG_VERSION or global/pg_control is missing): it was left"
                " untouched; restore a backup of it, or begin anew with `python3 deploy down --delete`."
            )

    def _passwords(self) -> Passwords | None:
        with contextlib.suppress(OSError, ValueError, TypeError):
            return Passwords(**json.loads((self._directory / "passwords").read_text()))
        return None

    def _initialise(self, passwords: Passwords, *, durable: bool) -> None:
        making, told = self.home / "data.making", self.home / "password.making"
        for half_made in (making, told, self.data):
            state.remove(half_made)
        with os.fdopen(os.open(told, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "w") as file:
            file.write(passwords.superuser)
            if self._account:
                os.fchown(file.fileno(), self._account.uid, self._account.gid)
        self._run(
            *("initdb", "-D", making, "-U", SUPERUSER, "-A", "scram-sha-256", f"--pwfile={told}", "-E", "UTF8"),
            *_locale(self._programs.major),
            *(() if durable else ("--no-sync",)),
        )
        told.unlink()
        self._single_user(making, *_roles_and_database(passwords, self._programs.major))
        making.rename(self.data)
        if durable:
            folder = os.open(self.home, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)

    def _single_user(self, data: Path, *statements: str) -> None:
        """Run statements without a server, hence before anybody can connect."""
        options = ("-c", "exit_on_error=on", "-c", "log_min_error_statement=panic", "-c", "log_statement=none")
        self._run(
            "postgres", "--single", "-D", data, *options, SUPERUSER, text="".join(f"{line}\n" for line in statements)
        )

    def _run(self, program: str, *arguments: str | Path, text: str | None = None) -> None:
        try:
            code = processes.run(
                [self._programs.folder / program, *arguments],
                cwd=self.home,
                environment=binaries.CLEAN,
                log=self._log,
                account=self._account,
                text=text,
            )
        except OSError as error:
            raise processes.refuse_to_start("Postgres", error) from error
        if code:
            raise Failure(
                f"Postgres could not make its data: {processes.last_line(self._log)}; its log is {self._log}."
            )

    def clear_leftover(self) -> None:
        """Wait for a Postgres that a killed run left, end it if it stays, and drop a note that nobody stands behind."""
        note = self.data / "postmaster.pid"
        try:
            pid = int(note.read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return
        if not processes.is_alive(pid):
            return
        if str(self.data) not in processes.command_line(pid):
            note.unlink(missing_ok=True)  # the number has since been given to another program
            return
        for number, patience in ((None, 5.0), (signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0)):
            if number is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            deadline = time.monotonic() + patience
            while processes.is_alive(pid) and time.monotonic() < deadline:
                interruption.check()
                interruption.pause(0.05)
        if processes.is_alive(pid):
            raise Failure(f"A Postgres from an earlier run (process {pid}) still uses {self.data}: end it first.")


def own_folder(directory: Path, account: Account | None) -> None:
    """Make a folder that `account` can pass through and only we can list."""
    if not directory.exists():
        directory.mkdir(parents=True)
        directory.chmod(0o711 if account else 0o700)
    if account and not account.may_enter(directory):
        raise Failure(
            f"Postgres runs as user '{account.name}' when started by root, and that user cannot enter {directory}:"
            " use a folder it can reach, for example below /var/tmp."
        )


def _locale(major: int) -> tuple[str, ...]:
    if major < 17:  # the version that brought the provider of its own
        return ("--locale=C.UTF-8",)
    if os.uname().sysname == "Linux":
        return ("--locale-provider=builtin", "--locale=C.UTF-8")
    return ("--locale-provider=builtin", "--locale=C", "--builtin-locale=C.UTF-8")


def _roles_and_database(passwords: Passwords, major: int) -> list[str]:
    """A login that may do what a managed Postgres would let it: own its database and make the services' roles."""
    statements = [f"CREATE ROLE {LOGIN} LOGIN CREATEROLE CREATEDB PASSWORD '{passwords.login}';"]
    if major >= 16:  # before, whoever made a role could act as it
        statements.append(f"ALTER ROLE {LOGIN} SET createrole_self_grant = 'set, inherit';")
    return [*statements, f"CREATE DATABASE {DATABASE} OWNER {LOGIN};"]


def _passwords_again(passwords: Passwords) -> list[str]:
    return [
        f"ALTER ROLE {SUPERUSER} PASSWORD '{passwords.superuser}';",
        f"ALTER ROLE {LOGIN} PASSWORD '{passwords.login}';",
    ]
