"""Whose name Postgres runs in: it refuses to be root, so root lends it the account without rights that systems have."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from deploy.failure import Failure


@dataclass(frozen=True)
class Account:
    """A user without rights, by number."""

    name: str
    uid: int
    gid: int

    def may_enter(self, directory: Path) -> bool:
        """Whether the user can reach a directory: asked of the system, which knows of more than mode bits."""
        command = ["/bin/sh", "-c", 'cd -- "$1" 2>/dev/null', "sh", str(directory)]
        try:
            return (
                subprocess.run(command, cwd="/", check=False, user=self.uid, group=self.gid, extra_groups=[]).returncode
                == 0
            )
        except OSError:
            return False


def for_postgres() -> Account | None:
    """The account to run Postgres in, or None for our own."""
    if os.geteuid() != 0:
        try:
            pwd.getpwuid(os.geteuid())
        except KeyError:
            raise Failure(
                f"User number {os.geteuid()} has no name on this system, which Postgres insists on:"
                " run as a named user, or set DATABASE_URL to a Postgres that runs elsewhere."
            ) from None
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise Failure(
            "Postgres refuses to run as root and this system has no user 'nobody' to run it as:"
            " run this as an ordinary user, or set DATABASE_URL."
        ) from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
