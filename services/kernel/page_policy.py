"""What a page of ours may load, run, send and be framed by: nothing but what it names (Content Security Policy 3)."""

from __future__ import annotations

import base64
import hashlib


def page_policy(
    style: str, *, scripts: bool = False, forms: bool = False, pictures: str = "'none'", framed_by: str = "'none'"
) -> str:
    """The policy of a page with one inline `style`: scripts and forms are of our own origin, if it has any.

    `pictures` and `framed_by` are source lists of CSP, as `https://example.org` or `*`.
    """
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    sent_to = "'self'" if forms else "'none'"
    own = "'self'" if scripts else "'none'"
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; script-src {own}; connect-src {own}; img-src {pictures}; "
        f"base-uri 'none'; form-action {sent_to}; frame-ancestors {framed_by}"
    )
