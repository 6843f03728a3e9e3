"""The audit: who did what, and what changed by it."""

from __future__ import annotations

from services.kernel.audit import installing

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and note what changes by somebody's act; the version before does not know of it."""
    installing.install("impact")
    installing.note(
        "impact.reports",
        keys="activity_id",
        shown=(
            "state revision source outcome international local esn_volunteer unclassified stated_total newcomers "
            "returning hours checked_in_international checked_in_local checked_in_esn_volunteer checked_in_hours "
            "beneficiaries acknowledged submitted_at"
        ),
        named="reason partner partner_contribution photos outcome_text learned returned_because",
    )
    installing.note(
        "impact.report_quantities",
        keys="activity_id measure unit",
        shown="amount qualifier",
        named="given_to",
    )
    installing.note(
        "impact.section_sizes",
        keys="section academic_year",
        shown="international_students",
    )
    installing.note(
        "impact.unranked_sections",
        keys="section",
        shown="since",
    )
    installing.note(
        "impact.webhook_endpoints",
        keys="id",
        shown="revision section country kinds state disabled_because former_until",
        named="url description contact_email salt",
    )


def downgrade() -> None:
    """Undo it."""
    for table in (
        "impact.reports",
        "impact.report_quantities",
        "impact.section_sizes",
        "impact.unranked_sections",
        "impact.webhook_endpoints",
    ):
        installing.leave(table)
    installing.uninstall("impact")
