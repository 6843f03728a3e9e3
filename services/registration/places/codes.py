"""Check-in codes as pictures: what organisers' phones read at the door, and nothing that lets its finder do anything.

The picture holds the address of the organisers' check-in page with the code behind the `#`, which no browser sends to
anybody. So a phone that can't read QR codes inside of a page reads it with its own camera.
"""

from __future__ import annotations

import io
from typing import Any, Final
from uuid import UUID

import segno

from services.registration.places.rules import show_code

_SHOWN: Final[dict[str, Any]] = {"scale": 8, "border": 4, "light": "#fff", "lineclass": None}


def address(base_url: str, activity_id: UUID, code: str) -> str:
    """Where a check-in code is taken: by organisers only, who hold a token."""
    return f"{base_url}/registration/activities/{activity_id}/check-in#{show_code(code)}"


def pass_address(base_url: str, activity_id: UUID, secret: str) -> str:
    """Where somebody keeps the door with a pass."""
    return f"{base_url}/registration/activities/{activity_id}/check-in#{secret}"


def drawn(text: str) -> str:
    """A text as a QR code: a document of SVG, black on white in the dark too."""
    made = io.BytesIO()
    segno.make_qr(text, error="m").save(made, kind="svg", svgclass=None, **_SHOWN)
    return made.getvalue().decode()


def picture(base_url: str, activity_id: UUID, code: str, *, in_page: bool = False) -> str:
    """A check-in code as SVG: a document of its own, or a part of a page. It is black on white in the dark too."""
    text = address(base_url, activity_id, code)
    if not in_page:
        return drawn(text)
    made = segno.make_qr(text, error="m")
    return str(made.svg_inline(omitsize=True, svgclass="qr", **_SHOWN))
