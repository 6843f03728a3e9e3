"""An SMTP server that keeps what it is sent."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

from deploy import ports


class MailServer:
    """What arrived, in its order."""

    def __init__(self) -> None:
        self.received: list[EmailMessage] = []
        self.url = ""
        self.is_held = False
        self.waiting = 0

    async def handle_DATA(self, _: Any, __: Any, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name.
        """Take a message; while the server is held, its sender waits for the answer."""
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.received.append(message)
        self.waiting += 1
        while self.is_held:  # noqa: ASYNC110  # The test that lets go lives in another thread.
            await asyncio.sleep(0.01)
        self.waiting -= 1
        return "250 OK"

    def to(self, recipient: str) -> list[EmailMessage]:
        """What one mailbox got."""
        return [message for message in self.received if message["To"] == recipient]


@contextmanager
def running() -> Iterator[MailServer]:
    """A server on a free port for as long as the block runs."""
    server = MailServer()
    port = ports.free()
    # It runs in a thread of its own, so that a busy test does not keep a worker waiting.
    controller = Controller(server, hostname=ports.LOOPBACK, port=port, loop=asyncio.new_event_loop())
    controller.start()
    server.url = f"smtp://{ports.LOOPBACK}:{port}?starttls=never"
    try:
        yield server
    finally:
        controller.stop()
