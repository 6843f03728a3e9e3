"""Routes for websites: the element as a script, and the page that demonstrates it."""

from __future__ import annotations

import gzip
import hashlib
import re
from pathlib import Path
from typing import Annotated, Final

from fastapi import Header, Query
from starlette.responses import HTMLResponse, Response

from services.activities.web.pages import demo
from services.kernel.routes import router as make_router
from services.kernel.runtime import Running

router = make_router(tag="web", prefix="")

_SCRIPT: Final = Path(__file__).with_name("widget.js").read_bytes()
_COMPRESSED: Final = gzip.compress(_SCRIPT, mtime=0)
_VERSION: Final = hashlib.sha256(_SCRIPT).hexdigest()[:32]
_TAKES_GZIP: Final = re.compile(r"(^|,)\s*(gzip|\*)\s*(;\s*q=(1|0\.0*[1-9])[\d.]*)?\s*(,|$)", re.IGNORECASE)
_HEADERS: Final = {
    # A correction reaches every website within the hour; until it does, the present script is shown at once.
    "Cache-Control": "public, max-age=3600, stale-while-revalidate=86400",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Vary": "Accept-Encoding",
}


@router.get("/widget.js", include_in_schema=False)
async def widget(
    accept_encoding: Annotated[str, Header()] = "",
    ver: Annotated[str | None, Query(description="What WordPress adds to the address of a script; ignored.")] = None,
) -> Response:
    """The element `<socialerasmus-activities>`, for a script tag on any website."""
    # Each coding is a representation of its own and needs an ETag of its own (RFC 9110, 8.8.3.3).
    if _TAKES_GZIP.search(accept_encoding):
        headers = {**_HEADERS, "ETag": f'"{_VERSION}-gzip"', "Content-Encoding": "gzip"}
        return Response(_COMPRESSED, media_type="text/javascript", headers=headers)
    return Response(_SCRIPT, media_type="text/javascript", headers={**_HEADERS, "ETag": f'"{_VERSION}"'})


@router.get("/demo", response_class=HTMLResponse, include_in_schema=False)
async def show_demo(runtime: Running) -> HTMLResponse:
    """The element at work, with the lines to paste."""
    return demo(runtime.settings.base_url)
