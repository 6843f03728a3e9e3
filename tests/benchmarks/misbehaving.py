"""One client that behaves badly: `python -m tests.benchmarks.misbehaving PORT KIND SECONDS` prints how often it did.

KIND `bodies` sends 10 MB again and again, announced and in pieces; `slow` asks on many connections and hardly reads;
`malformed` sends what is no HTTP, or HTTP that nobody should send.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import socket
import sys
import time
from collections import Counter

KINDS = ("bodies", "slow", "malformed")
SLOW_CONNECTIONS = 32
PATH = "/activities/v1/partners/enquiries"
LIST = "/activities/v1/activities?limit=50"
_MEGABYTE = b" " * (1 << 20)
_BODY_MB = 10
_POST = f'POST {PATH} HTTP/1.1\r\nHost: a.example\r\nContent-Type: application/json\r\nIdempotency-Key: "k"\r\n'
_FIELDS = b"{" + b",".join(b'"a%d":1' % number for number in range(30_000)) + b"}"
_GET = b"GET /activities/v1/activities"
_END = b" HTTP/1.1\r\nHost: a.example\r\n"
MALFORMED = (
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    b"GET / HTTP/9.9\r\nHost: a.example\r\n\r\n",
    b"GET /activities/v1/activities HTTP/1.1\r\nHost: a.example\r\nContent-Length: -1\r\n\r\n",
    b"GET /activities/v1/activities?from=%zz&x=\xff HTTP/1.1\r\nHost: a.example\r\n\r\n",
    _GET + b"?" + b"a=1&" * 4000 + _END + b"\r\n",
    _GET + b"?" + b"&".join(b"a%d=" % number for number in range(3000)) + _END + b"\r\n",
    _GET + b"?" + b"country=it&" * 2000 + b"limit=1" + _END + b"\r\n",
    _GET + b"?limit=0&q=" + b"a%20" * 4000 + _END + b"\r\n",
    _GET + b"/" + b"0" * 15_000 + _END + b"\r\n",
    _GET + b"/0" + _END + b"Accept-Language: " + b"en,de;q=0.5," * 3000 + b"it\r\n\r\n",
    _GET + b"/0" + _END + b"If-None-Match: " + b'"a", ' * 4000 + b'"b"\r\n\r\n',
    _POST.encode() + b"Content-Length: %d\r\n\r\n%b" % (len(_FIELDS), _FIELDS),
    _POST.encode() + b"Content-Length: 40000\r\n\r\n" + b"[" * 40_000,
    _POST.encode() + b'Content-Length: 6\r\n\r\n{"\xff\xfe":',
    _POST.encode() + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nzz\r\n",
)


def _connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), 5)


def _status(connection: socket.socket) -> str:
    """What it is answered, up to the end of the connection or two seconds; "none" where that is nothing."""
    connection.settimeout(2)
    try:
        return connection.recv(65536)[9:12].decode("latin-1") or "none"
    except OSError:
        return "none"


def bodies(port: int, until: float) -> Counter[str]:
    """Bodies of 10 MB, one after the other."""
    seen: Counter[str] = Counter()
    for is_announced in itertools.cycle((True, False)):
        if time.monotonic() > until:
            return seen
        with _connected(port) as connection, contextlib.suppress(OSError):
            how = f"Content-Length: {_BODY_MB << 20}" if is_announced else "Transfer-Encoding: chunked"
            connection.sendall(f"{_POST}{how}\r\n\r\n".encode())
            for _ in range(_BODY_MB):
                connection.sendall(_MEGABYTE if is_announced else b"100000\r\n" + _MEGABYTE + b"\r\n")
            if not is_announced:
                connection.sendall(b"0\r\n\r\n")
            seen[_status(connection)] += 1
    return seen


def slow(port: int, until: float) -> Counter[str]:
    """Many connections, each asking for lists and reading a few bytes now and then."""
    readers = []
    for _ in range(SLOW_CONNECTIONS):
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        made.settimeout(5)
        made.connect(("127.0.0.1", port))
        made.sendall(f"GET {LIST} HTTP/1.1\r\nHost: a.example\r\n\r\n".encode() * 20)
        readers.append(made)
    seen: Counter[str] = Counter()
    while time.monotonic() < until:
        for reader in readers:
            with contextlib.suppress(OSError):
                seen["read"] += len(reader.recv(64))
        time.sleep(0.05)
    return seen


def malformed(port: int, until: float) -> Counter[str]:
    """Requests that can't be answered, each on a connection of its own."""
    seen: Counter[str] = Counter()
    for request in itertools.cycle(MALFORMED):
        if time.monotonic() > until:
            return seen
        with _connected(port) as connection, contextlib.suppress(OSError):
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            seen[_status(connection)] += 1
    return seen


def main() -> None:
    """The command."""
    port, kind, seconds = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
    # On two cores it shares one with those who measure, and must not slow them by that.
    os.nice(10)
    seen = {"bodies": bodies, "slow": slow, "malformed": malformed}[kind](port, time.monotonic() + seconds)
    json.dump(seen, sys.stdout)


if __name__ == "__main__":
    main()
