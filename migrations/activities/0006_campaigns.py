"""Series as rows, national dates of editions, days that change hands, and what impact tells of editions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_SERIES = [
    {
        "code": "socialerasmus-week",
        "listed_as": "SocialErasmus Week",
        "names": {"en": "SocialErasmus Week", "it": "Settimana SocialErasmus", "es": "Semana SocialErasmus"},
        "first_year": 2012,
        "last_year": 2017,
        "predecessor": None,
        "claims_activities": True,
    },
    {
        "code": "social-inclusion-days",
        "listed_as": "Social Inclusion Days",
        "names": {
            "en": "Social Inclusion Days",
            "it": "Giornate dell'inclusione sociale",
            "es": "Días de la inclusión social",
        },
        "first_year": 2017,
        "last_year": 2021,
        "predecessor": "socialerasmus-week",
        "claims_activities": True,
    },
    {
        "code": "social-impact-days",
        "listed_as": "Social Impact Days",
        "names": {"en": "Social Impact Days", "it": "Giornate dell'impatto sociale", "es": "Días del impacto social"},
        "first_year": 2021,
        "last_year": None,
        "predecessor": "social-inclusion-days",
        "claims_activities": True,
    },
    {
        "code": "secm",
        "listed_as": "SECM",
        "names": {
            "en": "SocialErasmus coordinators' meeting",
            "it": "Incontro dei coordinatori SocialErasmus",
            "es": "Encuentro de coordinadores de SocialErasmus",
        },
        "first_year": 2012,
        "last_year": None,
        "predecessor": None,
        "claims_activities": False,
    },
]

# A list could name any series before; what it named goes on as a series of its own, whose editions claim activities.
_TAKE_OVER = """
INSERT INTO activities.series (code, listed_as, names, first_year, claims_activities)
SELECT 'series-' || substr(md5(series), 1, 8), series, jsonb_build_object('en', series), min(year), true
FROM activities.editions WHERE series NOT IN (SELECT listed_as FROM activities.series) GROUP BY series
"""


def upgrade() -> None:
    """Make the tables, with the series that there are."""
    series = op.create_table(
        "series",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("listed_as", sa.Text(), nullable=False),
        sa.Column("names", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("first_year", sa.Integer(), nullable=False),
        sa.Column("last_year", sa.Integer(), nullable=True),
        sa.Column("predecessor", sa.Text(), nullable=True),
        sa.Column("claims_activities", sa.Boolean(), nullable=False),
        sa.CheckConstraint("last_year >= first_year", name=op.f("ck_series_years_in_order")),
        sa.ForeignKeyConstraint(
            ["predecessor"], ["activities.series.code"], name=op.f("fk_series_predecessor_series")
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_series")),
        sa.UniqueConstraint("listed_as", name=op.f("uq_series_listed_as")),
        schema="activities",
    )  # fmt: skip
    op.bulk_insert(series, _SERIES)
    op.execute(_TAKE_OVER)
    op.create_foreign_key(
        op.f("fk_editions_series_series"), "editions", "series", ["series"], ["listed_as"],
        source_schema="activities", referent_schema="activities", onupdate="CASCADE",
    )  # fmt: skip
    op.create_table(
        "national_dates",
        sa.Column("edition", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("theme", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_national_dates_ends_after_its_start")),
        sa.ForeignKeyConstraint(
            ["edition"], ["activities.editions.code"], name=op.f("fk_national_dates_edition_editions")
        ),
        sa.PrimaryKeyConstraint("edition", "country", name=op.f("pk_national_dates")),
        schema="activities",
    )
    op.create_table(
        "changed_days",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_changed_days")),
        schema="activities",
    )
    op.create_table(
        "edition_figures",
        sa.Column("edition", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("activities", sa.BigInteger(), nullable=False),
        sa.Column("participants_international", sa.BigInteger(), nullable=False),
        sa.Column("participants_local", sa.BigInteger(), nullable=False),
        sa.Column("participants_esn_volunteer", sa.BigInteger(), nullable=False),
        sa.Column("participants_unclassified", sa.BigInteger(), nullable=False),
        sa.Column("attendances", sa.BigInteger(), nullable=False),
        sa.Column("hours", sa.Numeric(), nullable=False),
        sa.PrimaryKeyConstraint("edition", name=op.f("pk_edition_figures")),
        schema="activities",
    )
    op.create_index("ix_activities_edition", "activities", ["edition"], unique=False, schema="activities")
    op.create_index(
        "ix_activities_by_day",
        "activities",
        ["starts_on"],
        unique=False,
        schema="activities",
        postgresql_where=sa.text("NOT edition_set_by_hand"),
    )


def downgrade() -> None:
    """Undo it."""
    op.drop_index("ix_activities_by_day", table_name="activities", schema="activities")
    op.drop_index("ix_activities_edition", table_name="activities", schema="activities")
    op.drop_table("edition_figures", schema="activities")
    op.drop_table("changed_days", schema="activities")
    op.drop_table("national_dates", schema="activities")
    op.drop_constraint(op.f("fk_editions_series_series"), "editions", schema="activities", type_="foreignkey")
    op.drop_table("series", schema="activities")
