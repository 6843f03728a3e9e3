"""Bodies that are not JSON: a route asks for their bytes and gets them, or the request is a 415."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request

from services.kernel.problems import UnsupportedMediaType


async def _csv(request: Request) -> bytes:
    message = EmailMessage()
    message["Content-Type"] = request.headers.get("content-type", "")
    charset = message.get_param("charset", "utf-8")
    is_utf_8 = isinstance(charset, str) and charset.lower() in {"utf-8", "utf8"}
    if message.get_content_type() != "text/csv" or not is_utf_8:
        raise UnsupportedMediaType("Send the body as text/csv in UTF-8, and say so in Content-Type.")
    return await request.body()


CsvBody = Annotated[bytes, Depends(_csv)]
"""The bytes of a body that is announced as CSV in UTF-8."""


def csv_described(example: str) -> dict[str, Any]:
    """The `openapi_extra=` of a route that takes a CSV body."""
    content = {"text/csv": {"schema": {"type": "string"}, "example": example}}
    return {"requestBody": {"required": True, "content": content}}
