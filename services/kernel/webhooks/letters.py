"""What the owner of an endpoint is written when it is disabled."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import RowMapping

from services.kernel.mail import Mail
from services.kernel.mailboxes import mailbox
from services.kernel.webhooks.rules import Reason

_WHY: Final = {
    Reason.GONE: "It answered 410 Gone, which says that nothing is wanted there any more.",
    Reason.FAILING: "For three days it took none of the messages that were sent to it.",
}

_BODY: Final = """Hello,

a webhook of yours is disabled: nothing is sent to it any more.
{why}

Host:     {host}
Webhook:  {address}

What it missed is listed at {address}/deliveries
for 30 days. Once it works again, enable it (PATCH "is_enabled": true) and let
what it missed be sent once more (POST …/deliveries/ID/replay).

--
SocialErasmus, an initiative of the Erasmus Student Network
"""


def disabled(endpoint: RowMapping, reason: Reason, *, service: str, base_url: str) -> Mail:
    """The mail about an endpoint that was just disabled; its address may hold a secret, so its host alone is named."""
    return Mail(
        business_key=f"webhook:{endpoint['id']}:{endpoint['revision']}",
        recipient=mailbox(endpoint["contact_email"]).reachable,
        subject="A webhook was disabled",
        body=_BODY.format(
            why=_WHY[reason],
            host=urlsplit(endpoint["url"]).hostname,
            address=f"{base_url}/{service}/v1/webhooks/{endpoint['id']}",
        ),
        language="en",
    )
