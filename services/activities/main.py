"""Wires the service `activities`."""

from __future__ import annotations

from services.activities.campaigns import api as campaigns
from services.activities.campaigns import tables as _campaign_tables  # noqa: F401  # Registers its tables.
from services.activities.catalogue import api as catalogue
from services.activities.catalogue import consumers as reactions
from services.activities.directory import api as directory
from services.activities.directory.actions import issue_token
from services.activities.feeds import api as feeds
from services.activities.feeds.datasets import API_CATALOG
from services.activities.feeds.tables import Change
from services.activities.finding import api as finding
from services.activities.tables import METADATA
from services.activities.web import api as web
from services.contracts import ACTIVITIES, AvailabilityChanged
from services.kernel import idempotency
from services.kernel.consumers import Consumer
from services.kernel.service import Service, Sweep

SERVICE = Service(
    name=ACTIVITIES,
    title="SocialErasmus activities",
    description="The catalogue: activities, the sections that organise them, and the editions they belong to.",
    routers=(
        finding.router,
        catalogue.router,
        directory.router,
        campaigns.router,
        feeds.router,
        feeds.well_known,
        web.router,
        web.visited,
    ),
    at_the_root=(API_CATALOG,),
    consumer=Consumer(ACTIVITIES, {AvailabilityChanged: reactions.availability_changed}),
    sweeps=(
        Sweep("sign-ups that open or close", reactions.turn_sign_ups),
        Sweep("forget answered keys", idempotency.forget_old, every_seconds=600),
    ),
)

CHANGED = Change.__table__.c.xid
"""What orders the delta feed; it is numbered as the log is."""

__all__ = ["CHANGED", "METADATA", "SERVICE", "issue_token"]
