"""Wires the service `impact`."""

from __future__ import annotations

from services import contracts
from services.contracts import IMPACT
from services.impact.disclosure import api as disclosure
from services.impact.disclosure import consumers as releasing
from services.impact.exports import api as exports
from services.impact.exports import consumers as exporting
from services.impact.exports import facts_api, series_api
from services.impact.facts import consumers as folding
from services.impact.facts import tables as _fact_tables  # noqa: F401  # Registers its tables.
from services.impact.pages import api as pages
from services.impact.people import api as people
from services.impact.projections import consumers as projecting
from services.impact.rankings import api as rankings
from services.impact.reports import api as reports
from services.impact.reports import consumers as reporting
from services.impact.reports import queue_api as queue
from services.impact.statistics import api as statistics
from services.impact.statistics import consumers as telling
from services.impact.tables import AUDIT, METADATA, OUTGOING_MAIL, WEBHOOKS
from services.kernel import idempotency, mail
from services.kernel.audit import api as audit
from services.kernel.audit import chain
from services.kernel.consumers import Consumer, InTheLog, Together
from services.kernel.service import Service, Sweep
from services.kernel.webhooks import api as webhooks
from services.kernel.webhooks import sending

_ACTIVITIES, _REPORTS = Together(folding.activities_changed), Together(folding.reports_decided)

SERVICE = Service(
    name=IMPACT,
    title="SocialErasmus impact",
    description="Reports of what happened, verified, and the figures that are made from them.",
    routers=(
        reports.router,
        queue.router,
        exports.router,
        series_api.router,
        facts_api.router,
        facts_api.links,
        statistics.router,
        rankings.router,
        disclosure.router,
        people.router,
        webhooks.router(WEBHOOKS),
        audit.router(AUDIT),
        pages.router,
    ),
    consumer=Consumer(
        IMPACT,
        {
            contracts.ActivityPublished: _ACTIVITIES,
            contracts.ActivityRevised: _ACTIVITIES,
            contracts.ActivityHeld: _ACTIVITIES,
            contracts.ActivityCancelled: _ACTIVITIES,
            contracts.ReportVerified: _REPORTS,
            contracts.ReportReopened: _REPORTS,
            contracts.SectionRecorded: projecting.section_recorded,
            contracts.EditionRecorded: projecting.edition_recorded,
            contracts.AttendanceRecorded: InTheLog(folding.attendances_recorded),
        },
    ),
    sweeps=(
        Sweep("tell what editions add up to", telling.tell_editions, every_seconds=5),
        Sweep("remind of reports", reporting.remind, every_seconds=60),
        Sweep("release tables of people", releasing.release_due, every_seconds=3600),
        Sweep("mail", lambda _, runtime: mail.send_due(runtime, OUTGOING_MAIL), every_seconds=0.5),
        *sending.sweeps(WEBHOOKS),
        *chain.sweeps(AUDIT),
        Sweep("make exports", exporting.make_next, every_seconds=2),
        Sweep("throw old exports away", exporting.expire, every_seconds=600),
        Sweep("forget answered keys", idempotency.forget_old, every_seconds=600),
    ),
    at_the_root=(pages.ROOT,),
)

__all__ = ["AUDIT", "METADATA", "SERVICE"]
