"""As much of Postgres's protocol as it takes to see that a Postgres answers; the password is the services' to prove."""

import socket
import struct

PROTOCOL = 196608
SSL_REQUEST = struct.pack("!ii", 8, 80877103)
STARTING_UP = "57P03"
LONGEST_ANSWER = 65536


class NotPostgres(Exception):
    """Something else listens there."""


class Refused(Exception):
    """A Postgres that answers with an error."""

    def __init__(self, code: str, message: str) -> None:
        """Keep what it said."""
        super().__init__(message)
        self.code = code


def greet(connection: socket.socket, *, user: str, database: str) -> None:
    """Begin a session; return if a Postgres is willing to go on."""
    try:
        connection.sendall(SSL_REQUEST)
        answer = connection.recv(1)
        if answer == b"S":  # it speaks TLS, as only a Postgres or its proxy does after this request
            return
        if answer != b"N":
            raise NotPostgres
        words = b"".join(word.encode() + b"\0" for word in ("user", user, "database", database))
        message = struct.pack("!i", PROTOCOL) + words + b"\0"
        connection.sendall(struct.pack("!i", len(message) + 4) + message)
        kind, length = struct.unpack("!ci", _exactly(connection, 5))
        if not 4 <= length <= LONGEST_ANSWER or kind not in {b"R", b"E", b"N", b"v"}:
            raise NotPostgres
        body = _exactly(connection, length - 4)
    except (TimeoutError, ConnectionResetError, BrokenPipeError, EOFError) as error:
        raise NotPostgres from error
    if kind == b"E":
        fields = {field[:1]: field[1:].decode(errors="replace") for field in body.split(b"\0") if field}
        raise Refused(fields.get(b"C", ""), fields.get(b"M", "an error without a message"))


def _exactly(connection: socket.socket, size: int) -> bytes:
    taken = b""
    while len(taken) < size:
        more = connection.recv(size - len(taken))
        if not more:
            raise EOFError
        taken += more
    return taken
