"""Coordinators lend the door of an activity to helpers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_SEEN = """(SELECT current_setting('socialerasmus.reach', true) IN ('everything', 'network'))
    OR secret_hash = (SELECT decode(registration.proof('pass'), 'hex'))
    OR EXISTS (SELECT FROM registration.places AS place WHERE place.activity_id = check_in_passes.activity_id
        AND ((SELECT registration.reach('section')) = ANY (place.section_codes)
            OR place.country = (SELECT registration.reach('country'))))"""


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "check_in_passes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("activity_id", sa.Uuid(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("begins_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["registration.places.activity_id"], name=op.f("fk_check_in_passes_activity_id_places")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_in_passes")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_check_in_passes_secret_hash")),
        schema="registration",
    )
    for column in ("activity_id", "expires_at"):
        op.create_index(
            op.f(f"ix_check_in_passes_{column}"), "check_in_passes", [column], unique=False, schema="registration"
        )

    # A second wall, as around all that is known of people: see the migration before.
    op.execute(f"CREATE POLICY reach ON registration.check_in_passes USING ({_SEEN})")
    op.execute("ALTER TABLE registration.check_in_passes ENABLE ROW LEVEL SECURITY")


def downgrade() -> None:
    """Undo it."""
    op.drop_table("check_in_passes", schema="registration")
