"""The audit: who did what, and what changed by it."""

from __future__ import annotations

from services.kernel.audit import installing

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and note what changes by somebody's act; the version before does not know of it."""
    installing.install("activities")
    installing.note(
        "activities.activities",
        keys="id",
        shown=(
            "state revision language kind programme mode edition edition_set_by_hand areas causes sdgs objectives "
            "section_codes country platform starts_at ends_at starts_on ends_on date_precision time_zone place "
            "capacity takes_sign_ups sign_up_opens_at sign_up_closes_at accessibility partners adapted_from "
            "audience pupils_expected part_of relation joint is_series label_state label_look_since has_places "
            "sample source source_id source_url"
        ),
        named=(
            "title summary organisers online_url requirements cost image contact translations reason "
            "label_checklist label_note"
        ),
    )
    installing.note(
        "activities.mailboxes",
        keys="code",
        shown="revision",
        named="address",
    )
    installing.note(
        "activities.label_policies",
        keys="country",
        shown="policy since revision",
    )
    installing.note(
        "activities.countries",
        keys="code",
        shown="name organisation_name organisation_website organisation_revision",
    )
    installing.note(
        "activities.sections",
        keys="code",
        shown=(
            "name country cities university website latitude longitude state same_as merged_into languages "
            "time_zone edited former_names"
        ),
    )
    installing.note(
        "activities.crosswalk",
        keys="source_scheme source_code target_scheme target_code",
        shown="relation ours revision",
        named="note",
    )
    installing.note(
        "activities.taxonomy_terms",
        keys="scheme code",
        shown="names uri position begins_on retired_on replaced_by revision",
        named="definition",
    )
    installing.note(
        "activities.editions",
        keys="code",
        shown="series season year starts_on ends_on precision certainty theme published_numbers source sample",
    )
    installing.note(
        "activities.national_dates",
        keys="edition country",
        shown="starts_on ends_on theme",
        named="note",
    )
    installing.note(
        "activities.ideas",
        keys="id",
        shown=(
            "activity_id state revision language cost_amount cost_currency group_min group_max seasons settings "
            "partner_kinds kind programme mode areas causes sdgs country section_codes offered_at"
        ),
        named="title what how needs lessons",
    )
    installing.note(
        "activities.idea_endorsements",
        keys="idea_id endorser",
        shown="endorsed_at",
        named="note",
    )
    installing.note(
        "activities.partners",
        keys="id",
        shown="revision name kind level city country website causes areas section owner_country merged_into",
        named="description contact_email",
    )
    installing.note(
        "activities.platform_memberships",
        keys="number",
        shown="country platform starts_on ends_on certainty source",
    )
    installing.note(
        "activities.directory_syncs",
        keys="id",
        shown="digest applied_at",
    )
    installing.note(
        "activities.webhook_endpoints",
        keys="id",
        shown="revision section country kinds state disabled_because former_until",
        named="url description contact_email salt",
    )


def downgrade() -> None:
    """Undo it."""
    for table in (
        "activities.activities",
        "activities.mailboxes",
        "activities.label_policies",
        "activities.countries",
        "activities.sections",
        "activities.crosswalk",
        "activities.taxonomy_terms",
        "activities.editions",
        "activities.national_dates",
        "activities.ideas",
        "activities.idea_endorsements",
        "activities.partners",
        "activities.platform_memberships",
        "activities.directory_syncs",
        "activities.webhook_endpoints",
    ):
        installing.leave(table)
    installing.uninstall("activities")
