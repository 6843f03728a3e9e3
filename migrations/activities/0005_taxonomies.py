"""Taxonomies and the crosswalk as data, and the objectives of an activity."""

from __future__ import annotations

import csv
from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_JSON = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())
_TERM = ["activities.taxonomy_terms.scheme", "activities.taxonomy_terms.code"]

# Code, title, authority, official, complete, kept here, first and last year, replaced by, URI, source.
_SCHEMES = (
    ("causes", "Causes of ESN (2018)", "ESN", True, True, True, 2018, None, None, None,
     "Consultation by the board of ESN in 2017-18, in use since the transition of 2018-19."),
    ("areas", "Areas of SocialErasmus (2015)", "ESN", True, True, True, 2015, 2018, "causes", None,
     "SocialErasmus Action Plan July 2015 - July 2016; sections use them to this day."),
    ("pillars", "Pillars of SocialErasmus (2010)", "ESN", True, True, True, 2010, 2015, "areas", None,
     "SocialErasmus Guidebook 2012; still named in the Week of May 2015."),
    ("objectives", "Objectives of ESN's activities", "ESN", True, False, True, 2021, None, None, None,
     "Seen on pages of activities.esn.org; ESN's list has more."),
    ("sdgs", "Sustainable Development Goals", "United Nations", True, True, False, 2015, None, None,
     "http://metadata.un.org/sdg", "Resolution 70/1 of the General Assembly, 25 September 2015."),
    ("odi_causes", "Charitable causes of the Volunteering Data Standard", "Open Data Institute", True, True, False,
     2025, None, None, "https://ns.volunteeringdata.io/Cause",
     "Open Data Institute, Volunteering Vocabulary, as of April 2026; Open Government Licence v3.0."),
    ("kinds", "Kinds of activities", "SocialErasmus platform", False, False, True, None, None, None, None, "Ours."),
    ("programmes", "Programmes of ESN", "ESN", True, False, True, None, None, None, None,
     "Names that ESN gives its programmes."),
    ("modes", "Where an activity is done", "SocialErasmus platform", False, True, True, None, None, None, None,
     "ESN's register knows physical and online; hybrid is ours."),
)  # fmt: skip

# Histories would be worth nothing if what they hold could be mended.
_KEEP = """
CREATE FUNCTION activities.keep_as_it_is() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is never changed', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""
_HISTORIES = ("taxonomy_history", "crosswalk_history")


def upgrade() -> None:
    """Add the tables with what is known today, and the objectives of activities."""
    _make_tables()
    _fill_tables()
    op.execute(_KEEP)
    for table in _HISTORIES:
        op.execute(
            f"CREATE TRIGGER keep_as_it_is BEFORE UPDATE OR DELETE ON activities.{table} "
            "FOR EACH ROW EXECUTE FUNCTION activities.keep_as_it_is()"
        )
    op.add_column(
        "activities",
        sa.Column("objectives", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        schema="activities",
    )
    # Documents are written as a whole; inside a text the quotes would stand behind backslashes.
    op.execute(
        """UPDATE activities.activities
        SET document = regexp_replace(
            document, '("sdgs"\\:\\[[0-9,]*\\],)("organisers"\\:)', '\\1"objectives"\\:[],\\2')"""
    )


def downgrade() -> None:
    """Undo it."""
    op.drop_column("activities", "objectives", schema="activities")
    op.execute(
        """UPDATE activities.activities
        SET document = regexp_replace(document, '("sdgs"\\:\\[[0-9,]*\\],)"objectives"\\:\\[[^]]*\\],', '\\1')"""
    )
    for table in ("crosswalk_history", "crosswalk", "taxonomy_history", "taxonomy_terms", "taxonomy_schemes"):
        op.drop_table(table, schema="activities")
    op.execute("DROP FUNCTION activities.keep_as_it_is")


def _make_tables() -> None:
    op.create_table(
        "taxonomy_schemes",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("official", sa.Boolean(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("kept_here", sa.Boolean(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("uri", sa.Text(), nullable=True),
        sa.Column("first_year", sa.Integer(), nullable=True),
        sa.Column("last_year", sa.Integer(), nullable=True),
        sa.Column("replaced_by", sa.Text(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", _INSTANT, server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["replaced_by"],
            ["activities.taxonomy_schemes.code"],
            name=op.f("fk_taxonomy_schemes_replaced_by_taxonomy_schemes"),
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_taxonomy_schemes")),
        schema="activities",
    )
    op.create_table(
        "taxonomy_terms",
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("names", _JSON, nullable=False),
        sa.Column("definition", sa.Text(), nullable=True),
        sa.Column("uri", sa.Text(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("begins_on", sa.Date(), nullable=True),
        sa.Column("retired_on", sa.Date(), nullable=True),
        sa.Column("replaced_by", sa.Text(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("updated_at", _INSTANT, server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("names ? 'en'", name=op.f("ck_taxonomy_terms_has_an_english_name")),
        sa.CheckConstraint("retired_on >= begins_on", name=op.f("ck_taxonomy_terms_retired_after_its_beginning")),
        sa.CheckConstraint("replaced_by <> code", name=op.f("ck_taxonomy_terms_not_replaced_by_itself")),
        sa.ForeignKeyConstraint(
            ["scheme"], ["activities.taxonomy_schemes.code"], name=op.f("fk_taxonomy_terms_scheme_taxonomy_schemes")
        ),
        sa.ForeignKeyConstraint(
            ["scheme", "replaced_by"], _TERM, name=op.f("fk_taxonomy_terms_scheme_replaced_by_taxonomy_terms")
        ),
        sa.PrimaryKeyConstraint("scheme", "code", name=op.f("pk_taxonomy_terms")),
        schema="activities",
    )
    op.create_table(
        "taxonomy_history",
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("actor_role", sa.Text(), nullable=False),
        sa.Column("before", _JSON, nullable=True),
        sa.Column("after", _JSON, nullable=False),
        sa.Column("at", _INSTANT, server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.ForeignKeyConstraint(["scheme", "code"], _TERM, name=op.f("fk_taxonomy_history_scheme_code_taxonomy_terms")),
        sa.PrimaryKeyConstraint("scheme", "version", name=op.f("pk_taxonomy_history")),
        schema="activities",
    )
    ends = ("source_scheme", "source_code", "target_scheme", "target_code")
    op.create_table(
        "crosswalk",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ends),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("ours", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("updated_at", _INSTANT, server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "relation IN ('exactMatch', 'closeMatch', 'broadMatch', 'relatedMatch')", name=op.f("ck_crosswalk_relation")
        ),
        sa.CheckConstraint("source_scheme <> target_scheme", name=op.f("ck_crosswalk_between_two_schemes")),
        *(
            sa.ForeignKeyConstraint(
                [f"{end}_scheme", f"{end}_code"],
                _TERM,
                name=op.f(f"fk_crosswalk_{end}_scheme_{end}_code_taxonomy_terms"),
            )
            for end in ("source", "target")
        ),
        sa.PrimaryKeyConstraint(*ends, name=op.f("pk_crosswalk")),
        schema="activities",
    )
    op.create_table(
        "crosswalk_history",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ends),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_role", sa.Text(), nullable=False),
        sa.Column("before", _JSON, nullable=True),
        sa.Column("after", _JSON, nullable=True),
        sa.Column("at", _INSTANT, server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint(*ends, "revision", name=op.f("pk_crosswalk_history")),
        schema="activities",
    )


def _rows(name: str) -> list[dict[str, str]]:
    with Path(__file__).with_name(name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _table(name: str, **columns: sa.types.TypeEngine[object]) -> sa.TableClause:
    return sa.table(name, *(sa.column(key, kind) for key, kind in columns.items()), schema="activities")


def _fill_tables() -> None:
    text, whole, truth = sa.Text(), sa.Integer(), sa.Boolean()
    schemes = _table(
        "taxonomy_schemes", code=text, title=text, authority=text, official=truth, complete=truth, kept_here=truth,
        first_year=whole, last_year=whole, replaced_by=text, uri=text, source=text, position=whole, version=whole,
    )  # fmt: skip
    names = [column.name for column in schemes.columns]
    op.bulk_insert(
        schemes,
        [dict(zip(names, (*scheme, number, 1), strict=True)) for number, scheme in enumerate(_SCHEMES, 1)],
    )
    terms = _table(
        "taxonomy_terms", scheme=text, code=text, names=_JSON, definition=text, uri=text, position=whole, revision=whole
    )
    counts: dict[str, int] = {}
    found = []
    for row in _rows("0005_terms.csv"):
        scheme = row["scheme"]
        counts[scheme] = counts.get(scheme, 0) + 10
        found.append(
            {
                "scheme": scheme,
                "code": row["code"],
                "names": {language: row[language] for language in ("en", "it", "es") if row[language]},
                "definition": row["definition"] or None,
                "uri": row["uri"] or None,
                "position": counts[scheme],
                "revision": 1,
            }
        )
    op.bulk_insert(terms, found)
    ends = {"source_scheme": text, "source_code": text, "target_scheme": text, "target_code": text}
    crosswalk = _table("crosswalk", **ends, relation=text, note=text, ours=truth, revision=whole)
    history = _table("crosswalk_history", **ends, revision=whole, actor_role=text, after=_JSON)
    mappings, changes = [], []
    for row in _rows("0005_crosswalk.csv"):
        places = dict(zip(ends, (*row["source"].split(":"), *row["target"].split(":")), strict=True))
        told = {"relation": row["relation"], "note": row["note"] or None, "ours": True}
        mappings.append({**places, **told, "revision": 1})
        changes.append({**places, "revision": 1, "actor_role": "migration", "after": told})
    op.bulk_insert(crosswalk, mappings)
    op.bulk_insert(history, changes)
