"""What is noted of changes: somebody has decided on every table and column, and no personal one is among them."""

from __future__ import annotations

from typing import Any, Final

import pytest

from services.registration.privacy.register import RECORDS
from services.registration.privacy.volunteers import VOLUNTEERS
from services.registry import HISTORIES
from tests.harness.databases import Databases, rows

TRIGGERS = """
SELECT tgrelid::regclass::text AS name, tgargs, pg_get_triggerdef(oid) AS definition
FROM pg_trigger WHERE tgname = 'note_audited_change'
"""

PASSED_OVER: Final = {
    "access.keys": "last_four former_hash made_by made_at last_used_at",
    "access.tokens": "role section country",
    "activities.activities": (
        "public_parts part_of_title label_asked_at label_decided_at label_changed availability_revision turns_at "
        "document documents created_at updated_at latitude longitude labels search plain_words"
    ),
    "activities.countries": "updated_at",
    "activities.crosswalk": "updated_at",
    "activities.directory_syncs": "records report created_at",
    "activities.editions": "updated_at",
    "activities.ideas": (
        "organisers activity_title held_on hours capacity adapted_sections adapted_countries endorsements updated_at "
        "search plain_words"
    ),
    "activities.label_policies": "decided_by",
    "activities.mailboxes": "updated_at",
    "activities.national_dates": "updated_at",
    "activities.partners": "is_followed created_at updated_at plain_name plain_words",
    "activities.sections": "is_followed updated_at",
    "activities.taxonomy_terms": "updated_at",
    "impact.reports": "created_at updated_at",
    "impact.section_sizes": "updated_at",
    "registration.places": (
        "revision state title language section_codes organiser_names country starts_at ends_at time_zone location "
        "minimum_age takes_sign_ups opens_at closes_at taken availability_revision to_call_off waiting offers_due "
        "taken_international taken_local taken_esn_volunteer part_of relation has_parts no_shows_due remind_at "
        "move_due_at move_noted_at moved_at moved_from_starts_at moved_from_ends_at moved_from_location to_ask_again"
    ),
    **{
        f"{service}.webhook_endpoints": "former_salt failures failing_since resting_until made_at"
        for service in ("activities", "registration", "impact")
    },
}
"""Columns that follow from others, that the entry says, or that change by themselves."""

_OF_EVERY_SERVICE: Final = (
    # The audit itself, and what the kernel keeps for a while; webhooks' messages are told by what they are about.
    "audit_entries audit_changes audit_links idempotency_keys outgoing_mail webhook_deliveries"
)
NOT_NOTED: Final = {
    "activities": (
        # Histories of their own; kept by triggers and sweeps; told by other services; what strangers wrote.
        "activity_history organisation_history taxonomy_history crosswalk_history "
        "changed_days changes label_counts label_news platform_rounds taxonomy_rounds taxonomy_schemes "
        "activity_figures edition_figures enquiries "
        # Entered by migrations alone.
        "platforms series"
    ),
    "registration": (
        # People, and what the entry says of what was done with them; projections.
        "participants registrations attendances attendance_history cards certificates certified_attendances check_ins "
        "consents handles links walk_ins sections check_in_passes spent_proofs"
    ),
    "impact": (
        # A history of its own; projections, facts and what is made of them; exports, which change no figure.
        "report_history activities organised_days sections editions attendances activity_facts quantity_facts exports "
        "export_pieces label_quantity_roll_ups label_quantity_totals label_roll_ups label_totals people_places "
        "people_scopes person_places quantity_roll_ups quantity_totals releases released_rows report_reminders "
        "roll_ups told_editions totals"
    ),
    # Who signs in does nothing yet.
    "access": "sessions",
}


@pytest.fixture(scope="module")
async def noted(databases: Databases) -> dict[str, list[list[str]]]:
    """Each table with the columns that its trigger has as keys, shows and names."""
    async with databases.fresh() as url:
        return {row["name"]: _lists(row["tgargs"]) for row in await rows(url, TRIGGERS)}


def _lists(arguments: bytes) -> list[list[str]]:
    return [each.decode().strip("{}").split(",") if each != b"{}" else [] for each in arguments.split(b"\0")[:3]]


def _columns(table: str) -> set[str]:
    columns: Any = HISTORIES[table.partition(".")[0]].metadata.tables[table].columns
    return set(columns.keys())


def test_somebody_has_decided_on_every_table(noted: dict[str, list[list[str]]]) -> None:
    for schema, left_out in NOT_NOTED.items():
        ours = {name.partition(".")[2] for name in HISTORIES[schema].metadata.tables}
        shared = set(_OF_EVERY_SERVICE.split()) & ours
        decided = {name.partition(".")[2] for name in noted if name.startswith(f"{schema}.")}
        assert ours == decided | shared | set(left_out.split()), schema
        assert decided & set(left_out.split()) == set()


def test_somebody_has_decided_on_every_column_of_a_table_that_is_noted(noted: dict[str, list[list[str]]]) -> None:
    for table, lists in noted.items():
        told = [column for each in lists for column in each]
        passed = PASSED_OVER.get(table, "").split()
        assert sorted([*told, *passed]) == sorted(_columns(table)), table


def test_no_personal_column_is_shown(noted: dict[str, list[list[str]]]) -> None:
    personal = {(record.table, column) for record in (*RECORDS, *VOLUNTEERS) for column in record.columns}
    shown = {(table, column) for table, (_, columns, _) in noted.items() for column in columns}
    assert shown & personal == set()
    assert noted["access.keys"][2] == ["name", "key_hash"]


async def test_nothing_is_noted_where_nobody_acts(databases: Databases) -> None:
    async with databases.fresh() as url:
        for row in await rows(url, TRIGGERS):
            assert (
                "WHEN ((COALESCE(current_setting('socialerasmus.audit'::text, true), ''::text) <> ''::text))"
                in row["definition"]
            )
