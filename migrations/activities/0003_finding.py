"""What the list is found by: labels, a search document, plain words for typing mistakes, and coordinates."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_IS_PUBLIC = sa.text("state IN ('published', 'held', 'cancelled')")

# Every configuration for a language that Postgres 15 ships; later ones would refuse to run on it.
_LANGUAGES = {
    "ar": "arabic", "ca": "catalan", "da": "danish", "de": "german", "el": "greek", "en": "english", "es": "spanish",
    "eu": "basque", "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi", "hu": "hungarian",
    "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian", "nb": "norwegian", "ne": "nepali",
    "nl": "dutch", "nn": "norwegian", "no": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian",
    "sr": "serbian", "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
_CASES = " ".join(f"WHEN '{tag}' THEN '{name}'" for tag, name in _LANGUAGES.items())
_NAMES = ", ".join(f"'{name}'" for name in sorted(set(_LANGUAGES.values())))

# A body after RETURN is bound to what its names mean now, whatever search path a caller or a restore may have.
_FUNCTIONS = (
    # `unaccent` follows a dictionary that could be edited, so Postgres calls it STABLE; nobody edits ours. Punctuation
    # goes, else the parser sees addresses, files and markup where people wrote two words and a dash or a slash.
    """
    CREATE FUNCTION activities.plain_text(written text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN btrim(lower(regexp_replace(unaccent('unaccent'::regdictionary, written),
        '[!-/:-@[-`{-~«»„“”‘’‚…–—·•¡¿]+', ' ', 'g')))
    """,
    f"""
    CREATE FUNCTION activities.search_language(tag text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE split_part(tag, '-', 1) {_CASES} ELSE 'simple' END
    """,
    # Each word twice: as it is written, and cut to its stem by the rules of the text's own language.
    """
    CREATE FUNCTION activities.search_words(language text, plain text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE language
        WHEN 'simple' THEN to_tsvector('pg_catalog.simple'::regconfig, plain)
        ELSE to_tsvector('pg_catalog.simple'::regconfig, plain)
            || to_tsvector(('pg_catalog.' || language)::regconfig, plain)
        END
    """,
    # No text can hold the word "in english", blank included: it says whose stems these are.
    """
    CREATE FUNCTION activities.search_document(
        tag text, title text, summary text, organisers jsonb, place jsonb, partners jsonb
    ) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE
    BEGIN ATOMIC
        SELECT array_to_tsvector(ARRAY['in ' || language])
            || setweight(activities.search_words(language, activities.plain_text(title)), 'A')
            || setweight(activities.search_words(language, activities.plain_text(concat_ws(' ', place ->> 'name',
                place ->> 'city', place ->> 'address', jsonb_path_query_array(organisers, '$[*].name')::text))), 'B')
            || setweight(activities.search_words(language, activities.plain_text(coalesce(summary, ''))), 'C')
            || setweight(activities.search_words(language,
                activities.plain_text(jsonb_path_query_array(partners, '$[*].name')::text)), 'D')
        FROM activities.search_language(tag) AS language;
    END
    """,
    # The words as they are written, or else their stems in any language, in texts of that language only: "care" is
    # a stop word of Romanian, and must not make "care home" mean "home" in an English text.
    f"""
    CREATE FUNCTION activities.search_query(sought text) RETURNS tsquery
    LANGUAGE sql STABLE STRICT PARALLEL SAFE SET client_min_messages = error
    BEGIN ATOMIC
        WITH plain AS (SELECT activities.plain_text(sought) AS words),
        written AS (SELECT plainto_tsquery('pg_catalog.simple'::regconfig, words) AS query FROM plain),
        stems AS (
            SELECT plainto_tsquery(('pg_catalog.' || name)::regconfig, words)::text AS query,
                string_agg(quote_literal('in ' || name), ' | ') AS languages
            FROM plain, unnest(ARRAY[{_NAMES}]) AS name GROUP BY 1
        ),
        other AS (
            SELECT string_agg(format('( %s ) & ( %s )', stems.languages, stems.query), ' | ')::tsquery AS query
            FROM stems, written WHERE stems.query <> '' AND stems.query <> written.query::text
        )
        SELECT CASE WHEN other.query IS NULL THEN written.query ELSE written.query || other.query END
        FROM written, other;
    END
    """,
    """
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
    """,
)
_NO_DISTANCE = "',\"distance_km\"\\:null}'"
_COLUMNS = (
    sa.Column("latitude", sa.Double(), sa.Computed("((place ->> 'latitude'::text))::double precision", persisted=True)),
    sa.Column(
        "longitude", sa.Double(), sa.Computed("((place ->> 'longitude'::text))::double precision", persisted=True)
    ),
    sa.Column(
        "labels",
        postgresql.ARRAY(sa.Text()),
        sa.Computed(
            "activities.labels(edition, country, kind, programme, language, areas, causes, sdgs, section_codes, "
            "accessibility)",
            persisted=True,
        ),
    ),
    sa.Column(
        "search",
        postgresql.TSVECTOR(),
        sa.Computed(
            "activities.search_document(language, title, summary, organisers, place, partners)", persisted=True
        ),
    ),
    sa.Column(
        "plain_words",
        sa.Text(),
        sa.Computed(
            "activities.plain_text((((title || ' '::text) || COALESCE((place ->> 'name'::text), ''::text))"
            " || ' '::text) || COALESCE((place ->> 'city'::text), ''::text))",
            persisted=True,
        ),
    ),
)


def upgrade() -> None:
    """Add what the list is found by, and an index for each way of finding."""
    # Both are trusted: the owner of the database may make them without being a superuser.
    for extension in ("pg_trgm", "unaccent"):
        op.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}")
    for function in _FUNCTIONS:
        op.execute(sa.text(function))
    for column in _COLUMNS:
        op.add_column("activities", column, schema="activities")
    # Many texts are looked into for each document that is shown: they stay in their rows, and documents beside them.
    op.execute("ALTER TABLE activities.activities ALTER search SET STORAGE MAIN, ALTER plain_words SET STORAGE MAIN")
    op.execute(
        f"UPDATE activities.activities SET document = left(document, -1) || {_NO_DISTANCE} "
        f"WHERE right(document, length({_NO_DISTANCE})) <> {_NO_DISTANCE}"
    )
    op.drop_index("ix_activities_public_by_start", table_name="activities", schema="activities")
    op.drop_index("ix_activities_section_codes", table_name="activities", schema="activities")
    op.drop_index(op.f("ix_activities_country"), table_name="activities", schema="activities")
    op.drop_index(op.f("ix_activities_edition"), table_name="activities", schema="activities")
    op.create_index(
        "ix_activities_public_by_start",
        "activities",
        [
            sa.text("COALESCE(starts_at, 'infinity'::timestamp with time zone)"),
            "id",
            sa.text("COALESCE(ends_at, starts_at)"),
            "updated_at",
            sa.text("COALESCE(sign_up_closes_at, 'infinity'::timestamp with time zone)"),
        ],
        schema="activities",
        postgresql_where=_IS_PUBLIC,
    )
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
        "ix_activities_public_by_place",
        "activities",
        ["latitude", "longitude", "id"],
        schema="activities",
        postgresql_where=_IS_PUBLIC,
    )
    op.create_index(
        "ix_activities_public_by_end",
        "activities",
        [sa.text("COALESCE(ends_at, starts_at) DESC NULLS LAST")],
        schema="activities",
        postgresql_where=_IS_PUBLIC,
    )
    op.create_index(
        "ix_activities_public_codes",
        "activities",
        ["kind"],
        schema="activities",
        postgresql_include=["programme", "country", "edition", "areas", "causes"],
        postgresql_where=_IS_PUBLIC,
    )
    op.create_index(
        "ix_activities_open_until",
        "activities",
        [sa.text("COALESCE(sign_up_closes_at, 'infinity'::timestamp with time zone)")],
        schema="activities",
        postgresql_where=sa.text("state = 'published' AND takes_sign_ups AND has_places"),
    )


def downgrade() -> None:
    """Undo it; the extensions stay, since others may use them."""
    for name in (
        "open_until",
        "public_codes",
        "public_by_end",
        "public_by_place",
        "plain_words",
        "found_by",
        "public_by_start",
    ):
        op.drop_index(f"ix_activities_{name}", table_name="activities", schema="activities")
    op.create_index(op.f("ix_activities_edition"), "activities", ["edition"], schema="activities")
    op.create_index(op.f("ix_activities_country"), "activities", ["country"], schema="activities")
    op.create_index(
        "ix_activities_section_codes", "activities", ["section_codes"], schema="activities", postgresql_using="gin"
    )
    op.create_index(
        "ix_activities_public_by_start",
        "activities",
        ["starts_at", "id"],
        schema="activities",
        postgresql_where=_IS_PUBLIC,
    )
    op.execute(
        f"UPDATE activities.activities SET document = left(document, -length({_NO_DISTANCE})) || '}}' "
        f"WHERE right(document, length({_NO_DISTANCE})) = {_NO_DISTANCE}"
    )
    for column in reversed(_COLUMNS):
        op.drop_column("activities", column.name, schema="activities")
    for name in ("labels", "search_query", "search_document", "search_words", "search_language", "plain_text"):
        op.execute(f"DROP FUNCTION activities.{name}")
