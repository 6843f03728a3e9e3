"""Wires the service `activities`."""

from __future__ import annotations

from services.activities.bulk import api as bulk
from services.activities.campaigns import api as campaigns
from services.activities.campaigns import tables as _campaign_tables  # noqa: F401  # Registers its tables.
from services.activities.catalogue import api as catalogue
from services.activities.catalogue import consumers as reactions
from services.activities.directory import api as directory
from services.activities.directory import country_api as countries
from services.activities.directory import sync_api as syncs
from services.activities.directory.actions import issue_token
from services.activities.enquiries import api as enquiries
from services.activities.enquiries import consumers as enquiry_reactions
from services.activities.enquiries import page_api as enquiry_pages
from services.activities.feeds import api as feeds
from services.activities.feeds.datasets import API_CATALOG
from services.activities.feeds.store import version_of_answers
from services.activities.feeds.tables import Change
from services.activities.finding import api as finding
from services.activities.finding import consumers as counting
from services.activities.finding import tables as _finding_tables  # noqa: F401  # Registers its tables.
from services.activities.ideas import api as ideas
from services.activities.ideas import consumers as idea_reactions
from services.activities.keys import api as keys
from services.activities.label import api as label
from services.activities.label import tables as _label_tables  # noqa: F401  # Registers its tables.
from services.activities.partners import api as partners
from services.activities.reminders import consumers as reminding
from services.activities.review import api as review
from services.activities.series import api as series
from services.activities.tables import AUDIT, METADATA, WEBHOOKS
from services.activities.taxonomies import api as taxonomies
from services.activities.taxonomies import crosswalk_api as crosswalk
from services.activities.taxonomies import tables as _taxonomy_tables  # noqa: F401  # Registers its tables.
from services.activities.totals import api as totals
from services.activities.totals import consumers as totalling
from services.activities.web import api as web
from services.contracts import (
    ACTIVITIES,
    ActivityFiguresChanged,
    AvailabilityChanged,
    EditionTotalsChanged,
    ReportMissing,
)
from services.kernel import idempotency
from services.kernel.answers import Remembered
from services.kernel.audit import api as audit
from services.kernel.audit import chain
from services.kernel.consumers import Consumer
from services.kernel.security import ADDRESS as SECURITY_TXT
from services.kernel.service import Service, Sweep
from services.kernel.webhooks import api as webhooks
from services.kernel.webhooks import sending

SERVICE = Service(
    name=ACTIVITIES,
    title="SocialErasmus activities",
    description="The catalogue: activities, the sections that organise them, and the editions they belong to.",
    routers=(
        finding.router,
        catalogue.router,
        series.router,
        directory.router,
        countries.router,
        syncs.router,
        crosswalk.router,
        taxonomies.router,
        campaigns.router,
        totals.router,
        feeds.router,
        feeds.well_known,
        web.router,
        web.visited,
        partners.router,
        enquiries.router,
        enquiry_pages.router,
        ideas.router,
        keys.router,
        label.router,
        review.router,
        bulk.router,
        webhooks.router(WEBHOOKS),
        audit.router(AUDIT),
    ),
    at_the_root=(API_CATALOG, SECURITY_TXT),
    remembered=Remembered(
        paths=("/v1/activities", "/v1/activities/{activity_id}"),
        channel="activities",
        version=version_of_answers,
        # Whether sign-up is open hangs on the clock, in the instant before a sweep has noticed.
        passing=frozenset({"open"}),
        # It says terms in words, which are renamed.
        other_media=(b"ld+json",),
    ),
    consumer=Consumer(
        ACTIVITIES,
        {
            AvailabilityChanged: reactions.availability_changed,
            EditionTotalsChanged: totalling.edition_totals_changed,
            ReportMissing: reminding.report_missing,
            ActivityFiguresChanged: idea_reactions.activity_figures_changed,
        },
    ),
    sweeps=(
        Sweep("sign-ups that open or close", reactions.turn_sign_ups),
        Sweep("platforms whose members changed", reactions.follow_platforms, every_seconds=5),
        Sweep("editions that changed their days", reactions.regroup, every_seconds=5),
        Sweep("parts of joint days called off", reactions.call_off_parts, every_seconds=5),
        Sweep("partners renamed or merged", reactions.follow_partners, every_seconds=5),
        Sweep("sections renamed or moved", reactions.follow_sections, every_seconds=5),
        Sweep("labels counted", counting.fold_labels, every_seconds=5),
        Sweep("terms renamed", reactions.follow_terms, every_seconds=5),
        Sweep("mail", enquiry_reactions.send_mail, every_seconds=0.5),
        Sweep("forget enquiries", enquiry_reactions.forget_enquiries, every_seconds=3600),
        *sending.sweeps(WEBHOOKS),
        *chain.sweeps(AUDIT),
        Sweep("forget answered keys", idempotency.forget_old, every_seconds=600),
    ),
)

CHANGED = Change.__table__.c.xid
"""What orders the delta feed; it is numbered as the log is."""

__all__ = ["AUDIT", "CHANGED", "METADATA", "SERVICE", "issue_token"]
