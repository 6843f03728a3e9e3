"""What the person asked for: command-line options over environment variables over a `.env` beside the project."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.failure import Failure

PROJECT = Path(__file__).resolve().parent.parent
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
    variables = {**kept, **os.environ}
    return Settings(
        variables=variables,
        state=state or variables.get("SOCIALERASMUS_STATE") or None,
        environment=environment or variables.get("SOCIALERASMUS_ENVIRONMENT_DIR") or None,
        port=port,
    )


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
