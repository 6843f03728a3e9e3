"""As much of Redis's protocol as it takes to see that a Redis answers and lets us in."""

import contextlib
import socket
import ssl
from collections.abc import Iterator


class Line:
    """An open conversation."""

    def __init__(self, connection: socket.socket) -> None:
        """Talk over a connected socket."""
        self._connection = connection
        self._answers = connection.makefile("rb")

    def ask(self, *words: str) -> str:
        """Send a command and read the first line of the answer."""
        parts = [word.encode() for word in words]
        request = b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
        self._connection.sendall(request)
        return self._answers.readline(4096).decode(errors="replace").strip()

    def close(self) -> None:
        """Hang up."""
        self._answers.close()


@contextlib.contextmanager
def connected(host: str, port: int, *, seconds: float, path: str = "", tls: bool = False) -> Iterator[Line]:
    """A conversation with the server at an address, or at a socket file."""
    with contextlib.ExitStack() as stack:
        if path:
            connection = stack.enter_context(socket.socket(socket.AF_UNIX))
            connection.settimeout(seconds)
            connection.connect(path)
        else:
            connection = stack.enter_context(socket.create_connection((host, port), timeout=seconds))
        if tls:
            context = ssl.create_default_context()
            connection = stack.enter_context(context.wrap_socket(connection, server_hostname=host))
        line = Line(connection)
        stack.callback(line.close)
        yield line
