"""What an activity asks and offers, in further languages, its history, and what it is a part of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_IS_PUBLIC = sa.text("state IN ('published', 'held', 'cancelled')")
_NO_OBJECT, _NO_LIST = sa.text("'{}'::jsonb"), sa.text("'{}'::text[]")

_COLUMNS = (
    sa.Column("audience", postgresql.ARRAY(sa.Text()), server_default=_NO_LIST, nullable=False),
    sa.Column("pupils_expected", sa.Integer()),
    sa.Column("contact", postgresql.JSONB(none_as_null=True)),
    sa.Column("translations", postgresql.JSONB(), server_default=_NO_OBJECT, nullable=False),
    sa.Column("documents", postgresql.JSONB(), server_default=_NO_OBJECT, nullable=False),
    sa.Column("part_of", sa.Uuid()),
    sa.Column("relation", sa.Text()),
    sa.Column("part_of_title", sa.Text()),
    sa.Column("joint", sa.Text()),
    sa.Column("is_series", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    sa.Column("public_parts", sa.Integer(), server_default=sa.text("0"), nullable=False),
)
_CHECKS = {
    "relation": "relation IN ('occurrence', 'local_part')",
    "related_to_something": "(part_of IS NULL) = (relation IS NULL)",
    "joint": "joint IN ('country', 'international')",
    "pupils_not_negative": "pupils_expected >= 0",
}
_HISTORY_COLUMNS = (
    sa.Column("actor_section", sa.Text()),
    sa.Column("actor_country", sa.Text()),
    sa.Column("changes", postgresql.JSONB(), server_default=_NO_OBJECT, nullable=False),
)

# Depth 2 is the cascade of an activity that is itself deleted, which no role of a service does.
_KEEP_HISTORY = """
CREATE FUNCTION activities.keep_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND pg_trigger_depth() > 1 THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'The history of activities can be added to and not be changed.' USING ERRCODE = '42501';
END $$
"""

# The dimensions that a list is found by; `labels` of 0003 with further ones.
_LABELS_BEFORE = """
    CREATE FUNCTION activities.labels(
        edition text, country text, kind text, programme text, tag text,
        areas text[], causes text[], sdgs smallint[], section_codes text[], accessibility text[]
    ) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
    BEGIN ATOMIC
        SELECT array_agg(dimension || ':' || code) FROM (
            VALUES ('edition', edition), ('country', country), ('kind', kind), ('programme', programme),
                ('language', split_part(tag, '-', 1)), ('language', CASE WHEN tag LIKE '%-%' THEN tag END)
            UNION ALL SELECT 'area', unnest(areas) UNION ALL SELECT 'cause', unnest(causes)
            UNION ALL SELECT 'sdg', unnest(sdgs)::text UNION ALL SELECT 'section', unnest(section_codes)
            UNION ALL SELECT 'accessible', unnest(accessibility)
        ) AS label (dimension, code) WHERE code IS NOT NULL;
    END
"""
_LABELS = """
    CREATE FUNCTION activities.labels(
        edition text, country text, kind text, programme text, mode text, tag text, translations jsonb,
        areas text[], causes text[], sdgs smallint[], section_codes text[], accessibility text[],
        audience text[], cost jsonb, part_of uuid, objectives text[], platform text
    ) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
    BEGIN ATOMIC
        SELECT array_agg(DISTINCT dimension || ':' || code) FROM (
            VALUES ('edition', edition), ('country', country), ('kind', kind), ('programme', programme),
                ('mode', mode), ('platform', platform), ('part_of', part_of::text),
                ('free', ((cost ->> 'amount')::numeric = 0)::text)
            UNION ALL SELECT 'language', split_part(each, '-', 1)
                FROM (SELECT tag UNION ALL SELECT jsonb_object_keys(translations)) AS spoken (each)
            UNION ALL SELECT 'language', each
                FROM (SELECT tag UNION ALL SELECT jsonb_object_keys(translations)) AS spoken (each)
                WHERE each LIKE '%-%'
            UNION ALL SELECT 'area', unnest(areas) UNION ALL SELECT 'cause', unnest(causes)
            UNION ALL SELECT 'sdg', unnest(sdgs)::text UNION ALL SELECT 'section', unnest(section_codes)
            UNION ALL SELECT 'accessible', unnest(accessibility) UNION ALL SELECT 'audience', unnest(audience)
            UNION ALL SELECT 'objective', unnest(objectives)
        ) AS label (dimension, code) WHERE code IS NOT NULL;
    END
"""
_LABELS_OF_BEFORE = (
    "activities.labels(edition, country, kind, programme, language, areas, causes, sdgs, section_codes, accessibility)"
)
_LABELS_OF = (
    "activities.labels(edition, country, kind, programme, mode, language, translations, areas, causes, sdgs, "
    "section_codes, accessibility, audience, cost, part_of, objectives, platform)"
)

# The texts of a further language stand beside the original's, each with the stems of its own language.
_SEARCH_DOCUMENT = """
    CREATE FUNCTION activities.search_document(
        tag text, title text, summary text, organisers jsonb, place jsonb, partners jsonb, translations jsonb
    ) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = activities, pg_catalog AS $$
    DECLARE
        found tsvector := activities.search_document(tag, title, summary, organisers, place, partners);
        each record;
        language text;
    BEGIN
        FOR each IN SELECT key, value FROM jsonb_each(translations) ORDER BY key LOOP
            language := activities.search_language(lower(each.key));
            found := found || array_to_tsvector(ARRAY['in ' || language])
                || setweight(activities.search_words(language, activities.plain_text(each.value ->> 'title')), 'A')
                || setweight(activities.search_words(language,
                    activities.plain_text(coalesce(each.value ->> 'summary', ''))), 'C');
        END LOOP;
        RETURN found;
    END $$
"""
_SEARCH_OF_BEFORE = "activities.search_document(language, title, summary, organisers, place, partners)"
_SEARCH_OF = "activities.search_document(language, title, summary, organisers, place, partners, translations)"

_WORDS_OF_BEFORE = (
    "activities.plain_text((((title || ' '::text) || COALESCE((place ->> 'name'::text), ''::text))"
    " || ' '::text) || COALESCE((place ->> 'city'::text), ''::text))"
)
_WORDS_OF = (
    "activities.plain_text((((((title || ' '::text) || COALESCE((place ->> 'name'::text), ''::text))"
    " || ' '::text) || COALESCE((place ->> 'city'::text), ''::text)) || ' '::text)"
    " || (jsonb_path_query_array(translations, '$.*.\"title\"'::jsonpath))::text)"
)

# A document as it was written before says of what is new that it does not apply.
_COMPLETE_DOCUMENTS = """
UPDATE activities.activities SET document = replace(
    left(document, -length(',"distance_km":null}'))
        || ',"audience":[],"pupils_expected":null,"contact":null,"part_of":null,"joint":null,"parts":null'
        || ',"translations":{},"original_language":' || to_json(language)::text || ',"distance_km":null}',
    '"requirements":{', '"requirements":{"resident_in":null,"documents":[],"bring":[],')
WHERE position('"original_language":' IN document) = 0
    AND right(document, length(',"distance_km":null}')) = ',"distance_km":null}'
"""


def upgrade() -> None:
    """Add the columns, and find activities by them."""
    for column in _COLUMNS:
        op.add_column("activities", column, schema="activities")
    for name, condition in _CHECKS.items():
        op.create_check_constraint(op.f(f"ck_activities_{name}"), "activities", condition, schema="activities")
    op.create_foreign_key(
        op.f("fk_activities_part_of_activities"),
        "activities",
        "activities",
        ["part_of"],
        ["id"],
        source_schema="activities",
        referent_schema="activities",
    )
    _drop_what_it_is_found_by()
    op.get_bind().exec_driver_sql(_COMPLETE_DOCUMENTS)
    op.execute("DROP FUNCTION activities.labels")
    for function in (_LABELS, _SEARCH_DOCUMENT):
        op.get_bind().exec_driver_sql(function)
    _add_what_it_is_found_by(
        _LABELS_OF, _SEARCH_OF, _WORDS_OF, ["objectives", "platform", "mode", "audience", "is_series"]
    )
    op.create_index(
        "ix_activities_part_of",
        "activities",
        ["part_of", "id"],
        schema="activities",
        postgresql_where=sa.text("part_of IS NOT NULL"),
    )
    for column in _HISTORY_COLUMNS:
        op.add_column("activity_history", column, schema="activities")
    op.get_bind().exec_driver_sql(_KEEP_HISTORY)
    op.execute(
        "CREATE TRIGGER keep_history BEFORE UPDATE OR DELETE ON activities.activity_history "
        "FOR EACH ROW EXECUTE FUNCTION activities.keep_history()"
    )
    op.execute(
        "CREATE TRIGGER keep_all_history BEFORE TRUNCATE ON activities.activity_history "
        "FOR EACH STATEMENT EXECUTE FUNCTION activities.keep_history()"
    )


def downgrade() -> None:
    """Undo it; what documents say of it stays in them until they change."""
    for name in ("keep_all_history", "keep_history"):
        op.execute(f"DROP TRIGGER {name} ON activities.activity_history")
    op.execute("DROP FUNCTION activities.keep_history")
    for column in reversed(_HISTORY_COLUMNS):
        op.drop_column("activity_history", column.name, schema="activities")
    op.drop_index("ix_activities_part_of", table_name="activities", schema="activities")
    _drop_what_it_is_found_by()
    op.execute("DROP FUNCTION activities.labels")
    op.execute("DROP FUNCTION activities.search_document(text, text, text, jsonb, jsonb, jsonb, jsonb)")
    op.get_bind().exec_driver_sql(_LABELS_BEFORE)
    _add_what_it_is_found_by(_LABELS_OF_BEFORE, _SEARCH_OF_BEFORE, _WORDS_OF_BEFORE, [])
    op.drop_constraint(op.f("fk_activities_part_of_activities"), "activities", schema="activities", type_="foreignkey")
    for name in _CHECKS:
        op.drop_constraint(op.f(f"ck_activities_{name}"), "activities", schema="activities", type_="check")
    for column in reversed(_COLUMNS):
        op.drop_column("activities", column.name, schema="activities")


def _drop_what_it_is_found_by() -> None:
    for name in ("public_codes", "plain_words", "found_by"):
        op.drop_index(f"ix_activities_{name}", table_name="activities", schema="activities")
    for name in ("plain_words", "search", "labels"):
        op.drop_column("activities", name, schema="activities")


def _add_what_it_is_found_by(labels: str, search: str, words: str, counted: list[str]) -> None:
    for name, kind, expression in (
        ("labels", postgresql.ARRAY(sa.Text()), labels),
        ("search", postgresql.TSVECTOR(), search),
        ("plain_words", sa.Text(), words),
    ):
        column = sa.Column(name, kind, sa.Computed(expression, persisted=True))
        op.add_column("activities", column, schema="activities")
    op.execute("ALTER TABLE activities.activities ALTER search SET STORAGE MAIN, ALTER plain_words SET STORAGE MAIN")
    op.create_index(
        "ix_activities_found_by",
        "activities",
        ["labels", "search"],
        schema="activities",
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
        postgresql_where=_IS_PUBLIC,
    )
    op.create_index(
        "ix_activities_plain_words",
        "activities",
        ["plain_words"],
        schema="activities",
        postgresql_using="gin",
        postgresql_ops={"plain_words": "gin_trgm_ops"},
        postgresql_with={"fastupdate": "off"},
        postgresql_where=_IS_PUBLIC,
    )
    op.create_index(
        "ix_activities_public_codes",
        "activities",
        ["kind"],
        schema="activities",
        postgresql_include=["programme", "country", "edition", "areas", "causes", *counted],
        postgresql_where=_IS_PUBLIC,
    )
