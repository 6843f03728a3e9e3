"""What the person asked for: command-line options over environment variables over a `.env` beside the project."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.failure import Failure

PROJECT = Path(__file__).resolve().parent.parent
# As services/kernel/secret_files.py has them, which is told the values from here.
FROM_FILES = (
    "DATABASE_URL",
    "REDIS_URL",
    "SMTP_URL",
    "SOCIALERASMUS_SECRET",
    "SOCIALERASMUS_AUDIT_SECRET",
    "SOCIALERASMUS_ISSUER_CLIENT_SECRET",
)
LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")


@dataclass(frozen=True)
class Settings:
    """The options of a command and the variables it runs under."""

    variables: Mapping[str, str]
    state: str | None = None
    environment: str | None = None
    port: int = 8000

    @property
    def database_url(self) -> str:
        """The Postgres to use instead of the embedded one."""
        return self.variables.get("DATABASE_URL", "").strip()

    @property
    def redis_url(self) -> str:
        """The Redis to use instead of the embedded one."""
        return self.variables.get("REDIS_URL", "").strip()


def gather(*, state: str | None, environment: str | None, port: int = 8000, with_file: bool) -> Settings:
    """Put the sources together; what is nearer to the command wins."""
    kept = read_file(PROJECT / ".env") if with_file else {}
    variables = _with_files({**kept, **os.environ})
    return Settings(
        variables=variables,
        state=state or variables.get("SOCIALERASMUS_STATE") or None,
        environment=environment or variables.get("SOCIALERASMUS_ENVIRONMENT_DIR") or None,
        port=port,
    )


def _with_files(variables: dict[str, str]) -> dict[str, str]:
    """The same, with the secrets that lie in files which NAME_FILE names."""
    for name in FROM_FILES:
        path = variables.pop(f"{name}_FILE", "")
        if path and variables.get(name):
            raise Failure(f"{name} and {name}_FILE are both set: only one can be meant.")
        if path:
            try:
                variables[name] = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
            except (OSError, UnicodeDecodeError) as error:
                raise Failure(f"{name}_FILE can't be read: {getattr(error, 'strerror', None) or 'no text'}.") from None
    return variables


def read_file(path: Path) -> dict[str, str]:
    """Read NAME=value lines; a value may stand in quotes, and nothing in it is expanded."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    found: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        match = LINE.fullmatch(text)
        if match is None:
            raise Failure(f"Line {number} of {path} is not of the form NAME=value.")
        name, value = match.groups()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        found[name] = value
    return found
