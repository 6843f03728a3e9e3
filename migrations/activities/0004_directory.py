"""Countries and their dated regional platforms, an activity's platform, sections that merged or speak up."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_COUNTRIES = {
    "AL": "Albania", "AM": "Armenia", "AT": "Austria", "AZ": "Azerbaijan", "BA": "Bosnia and Herzegovina",
    "BE": "Belgium", "BG": "Bulgaria", "BY": "Belarus", "CH": "Switzerland", "CY": "Cyprus", "CZ": "Czechia",
    "DE": "Germany", "DK": "Denmark", "EE": "Estonia", "ES": "Spain", "FI": "Finland", "FR": "France",
    "GB": "United Kingdom", "GE": "Georgia", "GR": "Greece", "HR": "Croatia", "HU": "Hungary", "IE": "Ireland",
    "IS": "Iceland", "IT": "Italy", "JO": "Jordan", "KZ": "Kazakhstan", "LI": "Liechtenstein", "LT": "Lithuania",
    "LU": "Luxembourg", "LV": "Latvia", "MD": "Moldova", "ME": "Montenegro", "MK": "North Macedonia", "MT": "Malta",
    "NL": "Netherlands", "NO": "Norway", "PL": "Poland", "PT": "Portugal", "RO": "Romania", "RS": "Serbia",
    "RU": "Russia", "SE": "Sweden", "SI": "Slovenia", "SK": "Slovakia", "TR": "Türkiye", "UA": "Ukraine",
}  # fmt: skip
_PLATFORMS = {
    "NEP": "Northern European Platform",
    "CEP": "Central European Platform",
    "WEP": "Western European Platform",
    "SWEP": "South-Western European Platform",
    "SEEP": "South-Eastern European Platform",
}
# Only lists of single years are known, so that no first day is; WEP, SWEP and SEEP were found in no list.
_MEMBERSHIPS = (
    ("NEP", "NO SE DK FI LV EE RU", None, None, "stated", "lists of 2014 and 2023 (esn.no)"),
    ("NEP", "IS", None, None, "inferred", "in the list of 2014, not in that of 2023 (esn.no)"),
    ("CEP", "PL CZ SK AT HU SI HR", None, None, "stated", "lists of 2016 and 2017 (uksw.esn.pl)"),
    ("CEP", "BY", "2017-01-01", None, "inferred", "in the list of 2017, not in that of 2016; the day is not known"),
    ("CEP", "LT", None, "2019-01-01", "inferred", "in CEP until 2018 at least; when it left is not known"),
    ("NEP", "LT", "2023-01-01", None, "inferred", "in the list of 2023 (esn.no); when it joined is not known"),
)
_LAST_FIELD = "',\"distance_km\"\\:null}'"


def upgrade() -> None:
    """Make the tables with what is known, and give each activity its platform."""
    _make_countries()
    _make_sections()
    op.add_column("activities", sa.Column("platform", sa.Text()), schema="activities")
    op.execute(
        "UPDATE activities.activities AS activity SET platform = membership.platform "
        "FROM activities.platform_memberships AS membership WHERE membership.country = activity.country "
        "AND daterange(membership.starts_on, membership.ends_on) @> activity.starts_on"
    )
    op.execute(
        f"UPDATE activities.activities SET document = left(document, -length({_LAST_FIELD})) || ',\"platform\"\\:' "
        f"|| coalesce(CAST(to_json(platform) AS text), 'null') || {_LAST_FIELD} "
        f"WHERE right(document, length({_LAST_FIELD})) = {_LAST_FIELD}"
    )
    # The other services hear of it from the worker, round by round; so do activities that the version before enters.
    op.execute(
        "INSERT INTO activities.platform_rounds (country, announces) SELECT DISTINCT country, true "
        "FROM activities.activities WHERE country IN (SELECT country FROM activities.platform_memberships)"
    )


def _make_countries() -> None:
    # It is trusted: the owner of the database may make it without being a superuser.
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    countries = op.create_table(
        "countries",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("organisation_name", sa.Text(), nullable=True),
        sa.Column("organisation_website", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_countries")),
        schema="activities",
    )
    platforms = op.create_table(
        "platforms",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_platforms")),
        schema="activities",
    )
    op.create_table(
        "platform_memberships",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("certainty", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.CheckConstraint("ends_on > starts_on", name=op.f("ck_platform_memberships_ends_after_its_start")),
        sa.CheckConstraint("certainty IN ('stated', 'inferred')", name=op.f("ck_platform_memberships_certainty")),
        postgresql.ExcludeConstraint(
            (sa.column("country"), "="),
            (sa.text("daterange(starts_on, ends_on)"), "&&"),
            using="gist",
            name="ex_platform_memberships_one_at_a_time",
        ),
        sa.ForeignKeyConstraint(
            ["country"], ["activities.countries.code"], name=op.f("fk_platform_memberships_country_countries")
        ),
        sa.ForeignKeyConstraint(
            ["platform"], ["activities.platforms.code"], name=op.f("fk_platform_memberships_platform_platforms")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_platform_memberships")),
        schema="activities",
    )
    op.create_index(op.f("ix_platform_memberships_platform"), "platform_memberships", ["platform"], schema="activities")
    op.create_table(
        "platform_rounds",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("announces", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("after", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_platform_rounds")),
        schema="activities",
    )
    op.bulk_insert(countries, [{"code": code, "name": name} for code, name in _COUNTRIES.items()])
    op.bulk_insert(platforms, [{"code": code, "name": name} for code, name in _PLATFORMS.items()])
    names = ("platform", "country", "starts_on", "ends_on", "certainty", "source")
    statement = sa.text(
        "INSERT INTO activities.platform_memberships (platform, country, starts_on, ends_on, certainty, source) VALUES "
        "(:platform, :country, CAST(CAST(:starts_on AS text) AS date), CAST(CAST(:ends_on AS text) AS date), "
        ":certainty, :source)"
    )
    for platform, members, *rest in _MEMBERSHIPS:
        for country in members.split():
            op.execute(statement.bindparams(**dict(zip(names, (platform, country, *rest), strict=True))))


def _make_sections() -> None:
    op.add_column("sections", sa.Column("merged_into", sa.Text(), nullable=True), schema="activities")
    op.add_column("sections", sa.Column("languages", postgresql.ARRAY(sa.Text()), nullable=True), schema="activities")
    op.add_column(
        "sections",
        sa.Column("edited", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        schema="activities",
    )
    op.create_foreign_key(
        op.f("fk_sections_merged_into_sections"),
        "sections",
        "sections",
        ["merged_into"],
        ["code"],
        source_schema="activities",
        referent_schema="activities",
    )
    op.create_check_constraint(
        op.f("ck_sections_merged_only_when_merged"),
        "sections",
        "merged_into IS NULL OR state = 'merged'",
        schema="activities",
    )
    op.create_check_constraint(
        op.f("ck_sections_merged_into_another"), "sections", "merged_into <> code", schema="activities"
    )
    op.create_index(op.f("ix_sections_merged_into"), "sections", ["merged_into"], schema="activities")
    op.create_table(
        "directory_syncs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("records", sa.Text(), nullable=False),
        sa.Column("report", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_directory_syncs")),
        schema="activities",
    )


def downgrade() -> None:
    """Undo it; the extension stays, since others may use it."""
    op.execute(
        'UPDATE activities.activities SET document = regexp_replace(document, \',"platform"\\:(null|"[^"]*")\', \'\')'
    )
    op.drop_column("activities", "platform", schema="activities")
    op.drop_table("directory_syncs", schema="activities")
    op.drop_index(op.f("ix_sections_merged_into"), table_name="sections", schema="activities")
    for name in ("ck_sections_merged_into_another", "ck_sections_merged_only_when_merged"):
        op.drop_constraint(op.f(name), "sections", schema="activities", type_="check")
    op.drop_constraint(op.f("fk_sections_merged_into_sections"), "sections", schema="activities", type_="foreignkey")
    for column in ("edited", "languages", "merged_into"):
        op.drop_column("sections", column, schema="activities")
    for table in ("platform_rounds", "platform_memberships", "platforms", "countries"):
        op.drop_table(table, schema="activities")
