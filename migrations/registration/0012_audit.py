"""The audit: who did what, and what changed by it."""

from __future__ import annotations

from services.kernel.audit import installing

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and note what changes by somebody's act; the version before does not know of it."""
    installing.install("registration")
    installing.note(
        "registration.places",
        keys="activity_id",
        shown=(
            "capacity choosing quota_international quota_local quota_esn_volunteer guests_at_most "
            "keeps_waiting_list hold_minutes offer_hours offers_end_hours confirm_until asks_esncard "
            "terms_revision"
        ),
        named="questions",
    )
    installing.note(
        "registration.webhook_endpoints",
        keys="id",
        shown="revision section country kinds state disabled_because former_until",
        named="url description contact_email salt",
    )


def downgrade() -> None:
    """Undo it."""
    for table in (
        "registration.places",
        "registration.webhook_endpoints",
    ):
        installing.leave(table)
    installing.uninstall("registration")
