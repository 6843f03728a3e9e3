"""JSON log lines, one object a line, each with its trace id; nothing personal belongs in them."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import structlog

_OURS = str(Path(__file__).resolve().parents[1])
MOST_BYTES = 10_000_000

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure(level: str, *, service: str, file: Path | None = None) -> None:
    """Send every log record of this process, the libraries' too, as JSON to standard error, or to a file."""
    formatter = _Formatter(
        foreign_pre_chain=[*_SHARED, structlog.stdlib.ExtraAdder()],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _describe_failure,
            structlog.processors.JSONRenderer(),
        ],
    )
    handler = (
        logging.StreamHandler(sys.stderr)
        if file is None
        else RotatingFileHandler(file, maxBytes=MOST_BYTES, backupCount=3)
    )
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # The edge writes its own access line, arq tells of every job it starts and ends, and httpx writes whole addresses.
    for noisy in ("uvicorn.access", "arq", "alembic", "aiosmtplib", "httpx", "httpcore"):
        logging.getLogger(noisy).setLevel("WARNING")
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """Lines of JSON; what holds such lines already stays as it is."""

    def format(self, record: logging.LogRecord) -> str:
        return record.getMessage() if getattr(record, "is_written", False) else super().format(record)


def mark_written(record: logging.LogRecord) -> None:
    """Say that what a record says is lines of JSON."""
    record.is_written = True


def handler_of_ours() -> logging.Handler | None:
    """Where this process's lines go; None where it writes none that tell what goes well."""
    root = logging.getLogger()
    if not root.isEnabledFor(logging.INFO):
        return None
    return next((each for each in root.handlers if isinstance(each.formatter, _Formatter)), None)


def _describe_failure(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """What failed and where, without messages and values: Postgres puts whole rows into its messages."""
    failure = line.pop("exc_info", None)
    if failure is True:
        failure = sys.exc_info()[1]
    elif isinstance(failure, tuple):
        failure = failure[1]
    if isinstance(failure, BaseException):
        line["failure"] = [_one_failure(each) for each in _chain(failure)]
        # asyncio repeats the failure, message and all, below the first line of its own.
        line["event"] = str(line.get("event", "")).partition("\n")[0]
    return line


def _chain(failure: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    waiting = [failure]
    while waiting:
        each = waiting.pop()
        if each is None or any(each is known for known in found):
            continue
        found.append(each)
        waiting.append(each.__cause__ or (None if each.__suppress_context__ else each.__context__))
        if isinstance(each, BaseExceptionGroup):
            waiting.extend(reversed(each.exceptions))
    return found


def _one_failure(failure: BaseException) -> dict[str, Any]:
    every = traceback.extract_tb(failure.__traceback__)
    # Our own code, however deep a library fails below it, and the place where it failed.
    frames = [frame for frame in every[:-3] if frame.filename.startswith(_OURS)][-12:] + every[-3:]
    told: dict[str, Any] = {
        "type": f"{type(failure).__module__}.{type(failure).__qualname__}",
        "frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }
    for name in ("sqlstate", "schema_name", "table_name", "column_name", "constraint_name"):
        if value := getattr(failure, name, None):
            told[name] = str(value)
    return told


def logger(name: str) -> Any:
    """A structured logger: `log.info("what happened", key=value)`."""
    return structlog.get_logger(name)
