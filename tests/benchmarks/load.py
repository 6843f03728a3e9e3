"""A load generator on a core of its own: `python -m tests.benchmarks.load` reads a task as JSON and prints what it saw.

Each connection sends its next request when the reply before it is complete. A reply is counted only if it has the
status and the length that were expected, and every hundredth is compared byte by byte.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from uvicorn.loops.auto import auto_loop_factory

REPOSITORY = Path(__file__).resolve().parents[2]
COMPARED_EVERY = 100


@dataclass(frozen=True)
class Wanted:
    """A request, and what must come back."""

    request: str
    status: int
    body: str | None = None
    """None where nobody knows what it is; then the status is enough."""


@dataclass(frozen=True)
class Task:
    """What to ask, of whom, by how many connections and for how long."""

    port: int
    wanted: Sequence[Wanted]
    connections: int = 32
    seconds: float = 2.0
    core: int | None = None


@dataclass
class Seen:
    """What came back."""

    replies: int = 0
    wrong: int = 0
    seconds: float = 0.0
    took: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Replies a second."""
        return self.replies / self.seconds if self.seconds else 0.0

    def at(self, share: float) -> float:
        """In how many milliseconds such a share of the replies was there."""
        every = sorted(self.took)
        return every[min(len(every) - 1, int(share * len(every)))] * 1000 if every else 0.0


def get(path: str, **headers: str) -> str:
    """A request as a browser might write it."""
    told = {
        "Host": "127.0.0.1",
        "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "Accept": "*/*",
        "Accept-Encoding": "gzip, deflate, br",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return f"GET {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in told.items()) + "\r\n"


def run(task: Task) -> Seen:
    """Do a task in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.load"],
        cwd=REPOSITORY,
        input=json.dumps(asdict(task)),
        capture_output=True,
        text=True,
        check=False,
        timeout=task.seconds + 60,
    )
    if done.returncode:
        raise RuntimeError(f"the load generator ended with {done.returncode}: {done.stderr[-2000:]}")
    return Seen(**json.loads(done.stdout))


class _Connection(asyncio.Protocol):
    def __init__(self, wanted: Sequence[tuple[bytes, bytes, bytes | None]], first: int, seen: Seen) -> None:
        self._wanted = wanted
        self._next = first
        self._seen = seen
        self._held: list[bytes] = []
        self._left = -1
        self._sent = 0.0
        self._stopped = False
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's are no subclass of asyncio's.
        self._transport: Any = transport
        self._send()

    def connection_lost(self, _failure: Exception | None) -> None:
        if not self._stopped:
            self._seen.wrong += 1
        if not self.closed.done():
            self.closed.set_result(None)

    def stop(self) -> None:
        self._stopped = True
        self._transport.abort()

    def _send(self) -> None:
        self._at = self._next % len(self._wanted)
        self._next += 1
        self._sent = time.perf_counter()
        self._transport.write(self._wanted[self._at][0])

    def data_received(self, data: bytes) -> None:
        self._held.append(data)
        if self._left < 0:
            head = data if len(self._held) == 1 else b"".join(self._held)
            end = head.find(b"\r\n\r\n")
            if end < 0:
                return
            at = head.find(b"content-length: ", 0, end)
            length = int(head[at + 16 : head.index(b"\r", at)]) if at >= 0 else 0
            self._left = end + 4 + length - len(head)
        else:
            self._left -= len(data)
        if self._left <= 0:
            self._complete()

    def _complete(self) -> None:
        seen = self._seen
        _, status, body = self._wanted[self._at]
        first = self._held[0]
        is_right = self._left == 0 and first.startswith(status)
        if is_right and body is not None and seen.replies % COMPARED_EVERY == 0:
            is_right = b"".join(self._held).partition(b"\r\n\r\n")[2] == body
        if is_right:
            seen.replies += 1
            seen.took.append(time.perf_counter() - self._sent)
        else:
            seen.wrong += 1
        self._held.clear()
        self._left = -1
        if not self._stopped:
            self._send()


async def _work(task: dict[str, Any]) -> Seen:
    if task["core"] is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {task["core"]})
    wanted = [
        (
            each["request"].encode(),
            b"HTTP/1.1 %d " % each["status"],
            None if each["body"] is None else each["body"].encode(),
        )
        for each in task["wanted"]
    ]
    loop, seen = asyncio.get_running_loop(), Seen()
    connections = []
    begun = time.perf_counter()
    for number in range(task["connections"]):
        made = socket.create_connection(("127.0.0.1", task["port"]), 5)
        made.setblocking(False)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        first = number * len(wanted) // task["connections"]
        _, connection = await loop.create_connection(lambda first=first: _Connection(wanted, first, seen), sock=made)  # type: ignore[misc]
        connections.append(connection)
    await asyncio.sleep(task["seconds"])
    seen.seconds = time.perf_counter() - begun
    for connection in connections:
        connection.stop()
    await asyncio.gather(*(connection.closed for connection in connections))
    return seen


def main() -> None:
    """The command."""
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        seen = runner.run(_work(json.load(sys.stdin)))
    json.dump(asdict(seen), sys.stdout)


if __name__ == "__main__":
    main()
