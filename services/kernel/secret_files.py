"""Secrets that a vault, or what runs containers, mounts as files: NAME_FILE says in which one NAME stands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from services.kernel.failures import Misconfigured

FROM_FILES: Final = (
    "DATABASE_URL",
    "REDIS_URL",
    "SMTP_URL",
    "SOCIALERASMUS_SECRET",
    "SOCIALERASMUS_AUDIT_SECRET",
    "SOCIALERASMUS_ISSUER_CLIENT_SECRET",
)
LONGEST: Final = 16 * 1024


def read(environment: Mapping[str, str | None]) -> dict[str, str]:
    """What stands in the files that an environment in small letters names, by the names that the settings read.

    Raises Misconfigured with one sentence without a value.
    """
    found = {}
    for name in FROM_FILES:
        path = environment.get(f"{name}_FILE".lower())
        if not path:
            continue
        if name.lower() in environment:
            raise Misconfigured(f"{name} and {name}_FILE are both set: only one can be meant.")
        field = name.removeprefix("SOCIALERASMUS_")
        found[name if field == name else field.lower()] = _content(f"{name}_FILE", Path(path))
    return found


def _content(name: str, path: Path) -> str:
    try:
        with path.open("rb") as stream:
            content = stream.read(LONGEST + 1)
    except OSError as error:
        raise Misconfigured(f"{name} can't be read: {error.strerror}.") from None
    try:
        # Editors and most vaults end a file with a line's end, which is no part of a secret.
        value = content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        value = ""
    if not value or len(content) > LONGEST or any(ord(sign) < 32 for sign in value):
        raise Misconfigured(f"{name} must name a file of one line of text.")
    return value
