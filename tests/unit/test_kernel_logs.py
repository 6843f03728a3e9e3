"""Log lines: one JSON object each, with what failed and where, and never what was in it."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from services.kernel.logs import logger
from services.kernel.trace import traced

SECRET = "maria@example.org"
log = logger(__name__)


@pytest.fixture
def written() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Reads the lines that this process has written during the test, as `configure` set it up."""
    handler = next(
        each
        for each in logging.getLogger().handlers
        if isinstance(each, logging.StreamHandler) and isinstance(each.formatter, structlog.stdlib.ProcessorFormatter)
    )
    stream = io.StringIO()
    # Not by `setStream`, which flushes the one before: that may be of a test that is over.
    before, handler.stream = handler.stream, stream
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    handler.stream = before


class _Told(Exception):
    sqlstate = "23505"
    constraint_name = "uq_somebody"
    detail = f"Key (email)=({SECRET}) already exists."


def _fail(local: str) -> None:
    raise _Told(f"duplicate {local}")


def test_a_line_is_one_json_object_with_level_time_and_trace(written: Callable[[], list[dict[str, Any]]]) -> None:
    with traced("a" * 32):
        log.error("a\nb", key='"\r\nlevel=CRITICAL\x1b[31m')
    (line,) = written()
    assert (line["event"], line["level"], line["trace_id"]) == ("a\nb", "error", "a" * 32)
    assert line["timestamp"].endswith("Z")
    assert line["service"]


def test_a_failure_tells_kind_place_and_constraint_but_no_message_and_no_value(
    written: Callable[[], list[dict[str, Any]]],
) -> None:
    try:
        try:
            _fail(SECRET)
        except _Told as cause:
            raise RuntimeError(f"about {SECRET}") from cause
    except RuntimeError:
        log.exception("failed")
    (line,) = written()
    assert SECRET not in json.dumps(line)
    kinds = [each["type"].rpartition(".")[2] for each in line["failure"]]
    assert kinds == ["RuntimeError", "_Told"]
    assert line["failure"][1]["constraint_name"] == "uq_somebody"
    assert any("_fail" in frame for frame in line["failure"][1]["frames"])


def test_a_library_that_logs_a_failure_tells_no_more(written: Callable[[], list[dict[str, Any]]]) -> None:
    try:
        _fail(SECRET)
    except _Told as failure:
        # As asyncio does it for a task that nobody waited for.
        told = "Task exception was never retrieved\nfuture: <Task %r>"
        logging.getLogger("asyncio").error(told, failure, exc_info=failure)  # noqa: TRY400
    (line,) = written()
    assert line["event"] == "Task exception was never retrieved"
    assert SECRET not in json.dumps(line)
    assert line["failure"][0]["sqlstate"] == "23505"


def test_each_failure_of_a_group_is_told(written: Callable[[], list[dict[str, Any]]]) -> None:
    try:
        raise ExceptionGroup(SECRET, [ValueError(SECRET), KeyError(SECRET)])
    except ExceptionGroup:
        log.exception("failed")
    (line,) = written()
    assert [each["type"] for each in line["failure"]] == [
        "builtins.ExceptionGroup",
        "builtins.ValueError",
        "builtins.KeyError",
    ]
    assert SECRET not in json.dumps(line)


def test_a_chain_that_bites_its_tail_ends(written: Callable[[], list[dict[str, Any]]]) -> None:
    first, second = ValueError("a"), ValueError("a")
    first.__cause__, second.__cause__ = second, first
    log.error("failed", exc_info=first)
    assert len(written()[0]["failure"]) == 2
