"""Receives webhooks of SocialErasmus: copy it, it needs Python 3.9 or newer and nothing else.

    python3 receiver.py 8080 FILE-WITH-THE-SECRET

Put it behind your web server's https. Answer quickly with 204 and do the work afterwards; whatever is not a 2xx is sent
again, for three days, under the same `webhook-id`.
"""

from __future__ import annotations

import base64
import hmac
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Mapping  # noqa: UP035  # Older versions of Python read this file too.

TOLERANCE_SECONDS = 300
LONGEST_BODY = 64 * 1024


class Refused(Exception):
    """It is not from us, not as we sent it, too old, or known already."""


class Receiver:
    """Tells what is ours from what is forged or repeated."""

    def __init__(self, secret: str) -> None:
        self._key = base64.b64decode(secret.removeprefix("whsec_"))
        self._seen: dict[str, float] = {}

    def read(self, headers: Mapping[str, str], body: bytes, now: float | None = None) -> dict[str, Any]:
        """The message in a request, once; `body` is exactly what came over the wire."""
        now = time.time() if now is None else now
        told = {name.lower(): value for name, value in headers.items()}
        identity, timestamp = told.get("webhook-id", ""), told.get("webhook-timestamp", "")
        if not identity or not (timestamp.isascii() and timestamp.isdecimal()):
            raise Refused("headers are missing")
        content = b".".join([identity.encode(), timestamp.encode(), body])
        expected = base64.b64encode(hmac.new(self._key, content, "sha256").digest())
        # Two signatures while a secret is being replaced; any other version than v1 is not for us.
        sent = [each[3:].encode() for each in told.get("webhook-signature", "").split(" ") if each.startswith("v1,")]
        if not any(hmac.compare_digest(each, expected) for each in sent):
            raise Refused("no signature is right")
        if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
            raise Refused("too old, or from the future")
        message: dict[str, Any] = json.loads(body)
        return message

    def is_new(self, identity: str, now: float | None = None) -> bool:
        """Whether a message that was read comes for the first time. Keep the ids in your database instead."""
        now = time.time() if now is None else now
        self._seen = {known: at for known, at in self._seen.items() if now - at < 4 * 24 * 3600}
        return self._seen.setdefault(identity, now) == now


class _Handler(BaseHTTPRequestHandler):
    receiver: Receiver

    def do_POST(self) -> None:  # http.server's name.
        """Answer 204 to what is ours, whether or not it is known already, and 400 to all else."""
        length = self.headers.get("content-length", "")
        body = self.rfile.read(int(length)) if length.isdecimal() and int(length) <= LONGEST_BODY else b""
        try:
            message = self.receiver.read(dict(self.headers), body)
        except (Refused, ValueError):
            self.send_response(400)
        else:
            if self.receiver.is_new(self.headers["webhook-id"]):
                print(message["type"], message["data"], flush=True)  # noqa: T201  # Your work begins here.
            self.send_response(204)
        self.send_header("content-length", "0")
        self.end_headers()


if __name__ == "__main__":
    _Handler.receiver = Receiver(Path(sys.argv[2]).read_text().strip())
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), _Handler).serve_forever()
