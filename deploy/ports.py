"""Loopback ports: finding a free one, and saying plainly when the wished one is not."""

import errno
import socket

from deploy.failure import Failure

LOOPBACK = "127.0.0.1"


def free() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def refuse_if_taken(port: int) -> None:
    """Fail unless a server of ours could listen on this port."""
    hint = f"choose another, for example --port {port + 1 if 1024 <= port < 65535 else 8000}."
    with socket.socket() as caller:
        caller.settimeout(1)
        if caller.connect_ex((LOOPBACK, port)) == 0:  # macOS would let us bind beside a listener on all addresses
            raise Failure(f"Port {port} is taken by another program: {hint}")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise Failure(f"Port {port} is taken by another program: {hint}") from error
            raise Failure(f"Port {port} cannot be used ({error.strerror}): {hint}") from error
