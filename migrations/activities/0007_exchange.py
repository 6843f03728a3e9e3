"""Partners, enquiries and the mail they cause, the market of ideas, and activities that name both."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_NO_DISTANCE = "',\"distance_km\"\\:null}'"
_NO_ORIGIN = "',\"adapted_from\"\\:null'"
# An idea is counted again in the transaction that publishes, completes or cancels an adaptation of it; who changes two
# at once waits for the row, and then counts what the other has committed.
_COUNT_ADAPTATIONS = """
CREATE FUNCTION activities.count_adaptations() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    adapted uuid := (COALESCE(NEW.adapted_from, OLD.adapted_from) ->> 'idea_id')::uuid;
BEGIN
    PERFORM FROM activities.ideas WHERE id = adapted FOR UPDATE;
    UPDATE activities.ideas
    SET adapted_sections = counted.sections, adapted_countries = counted.countries,
        revision = revision + 1, updated_at = now()
    FROM (
        SELECT count(DISTINCT section_codes[1]) AS sections, count(DISTINCT country) AS countries
        FROM activities.activities
        WHERE adapted_from ->> 'idea_id' = adapted::text AND adapted_from IS NOT NULL
            AND state IN ('published', 'held')
    ) AS counted
    WHERE id = adapted
        AND (adapted_sections, adapted_countries) IS DISTINCT FROM (counted.sections, counted.countries);
    RETURN NULL;
END $$
"""
_TRIGGERS = (
    (
        "CREATE TRIGGER count_new_adaptation AFTER INSERT ON activities.activities FOR EACH ROW "
        "WHEN (NEW.adapted_from IS NOT NULL) EXECUTE FUNCTION activities.count_adaptations()"
    ),
    (
        "CREATE TRIGGER count_adaptations AFTER UPDATE OF state, section_codes, country ON activities.activities "
        "FOR EACH ROW WHEN (NEW.adapted_from IS NOT NULL AND (OLD.state, OLD.section_codes[1], OLD.country) "
        "IS DISTINCT FROM (NEW.state, NEW.section_codes[1], NEW.country)) "
        "EXECUTE FUNCTION activities.count_adaptations()"
    ),
    (
        "CREATE TRIGGER count_lost_adaptation AFTER DELETE ON activities.activities FOR EACH ROW "
        "WHEN (OLD.adapted_from IS NOT NULL) EXECUTE FUNCTION activities.count_adaptations()"
    ),
)
_TELL_PARTNERS = sa.text("UPDATE activities.activities SET document = :document WHERE id = :id")
_NAMED = sa.text("SELECT id, document FROM activities.activities WHERE partners <> '[]'::jsonb")


def _rewrite_partners(*, with_more: bool) -> None:
    """Give the partners in documents every field that they have in this version, or the name alone."""
    connection = op.get_bind()
    for row in connection.execute(_NAMED).all():
        document = json.loads(row.document)
        nothing = dict.fromkeys(("id", "name", "contribution", "contribution_note"))
        document["partners"] = [
            {**nothing, **partner} if with_more else {"name": partner["name"]} for partner in document["partners"]
        ]
        written = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        connection.execute(_TELL_PARTNERS, {"document": written, "id": row.id})


def upgrade() -> None:
    """Make the tables; documents name the new fields from now on."""
    op.create_table(
        "mailboxes",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_mailboxes")),
        schema="activities",
    )
    op.create_table(
        "outgoing_mail",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("business_key", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), sa.Computed("split_part(business_key, ':', 1)", persisted=True), nullable=True),
        sa.Column("recipient", sa.Text(), nullable=True),
        sa.Column("reply_to", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("html", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("given_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("bounced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("queued_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing_mail")),
        sa.UniqueConstraint("business_key", name=op.f("uq_outgoing_mail_business_key")),
        schema="activities",
    )
    op.create_index(
        "ix_outgoing_mail_due",
        "outgoing_mail",
        ["due_at"],
        unique=False,
        schema="activities",
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_outgoing_mail_about"), "outgoing_mail", ["about"], unique=False, schema="activities")
    op.create_table(
        "enquiries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("section", sa.Text(), nullable=True),
        sa.Column("home", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("went_to", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["section"], ["activities.sections.code"], name=op.f("fk_enquiries_section_sections")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enquiries")),
        schema="activities",
    )
    op.create_index(
        op.f("ix_enquiries_email_key_asked_at"),
        "enquiries",
        ["email_key", "asked_at"],
        unique=False,
        schema="activities",
    )
    op.create_index(op.f("ix_enquiries_home_id"), "enquiries", ["home", "id"], unique=False, schema="activities")
    op.create_index(
        op.f("ix_enquiries_level_went_to_asked_at"),
        "enquiries",
        ["level", "went_to", "asked_at"],
        unique=False,
        schema="activities",
    )
    op.create_index(op.f("ix_enquiries_section_id"), "enquiries", ["section", "id"], unique=False, schema="activities")
    op.create_table(
        "ideas",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("activity_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("how", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("needs", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("cost_amount", sa.Numeric(precision=9, scale=2), nullable=False),
        sa.Column("cost_currency", sa.Text(), nullable=True),
        sa.Column("group_min", sa.Integer(), nullable=True),
        sa.Column("group_max", sa.Integer(), nullable=True),
        sa.Column("seasons", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("settings", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("partner_kinds", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("lessons", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("programme", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("areas", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("causes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("sdgs", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("section_codes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("organisers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("activity_title", sa.Text(), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=True),
        sa.Column("hours", sa.Double(), nullable=True),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.Column("adapted_sections", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("adapted_countries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("endorsements", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "search",
            postgresql.TSVECTOR(),
            sa.Computed(
                "activities.search_document(language, title, ((what || ' '::text) || COALESCE(lessons, ''::text)), "
                "organisers, '{}'::jsonb, '[]'::jsonb)",
                persisted=True,
            ),
            nullable=True,
        ),
        sa.Column("plain_words", sa.Text(), sa.Computed("activities.plain_text(title)", persisted=True), nullable=True),
        sa.CheckConstraint("state IN ('offered', 'withdrawn')", name=op.f("ck_ideas_state")),
        sa.CheckConstraint("group_max >= group_min", name=op.f("ck_ideas_group_has_a_size")),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["activities.activities.id"], name=op.f("fk_ideas_activity_id_activities")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ideas")),
        sa.UniqueConstraint("activity_id", name=op.f("uq_ideas_activity_id")),
        schema="activities",
    )
    op.create_index(
        "ix_ideas_by_adaptations",
        "ideas",
        ["adapted_sections", "id"],
        unique=False,
        schema="activities",
        postgresql_where=sa.text("state = 'offered'"),
    )
    op.create_index(
        "ix_ideas_by_age",
        "ideas",
        ["id"],
        unique=False,
        schema="activities",
        postgresql_where=sa.text("state = 'offered'"),
    )
    op.create_index(
        "ix_ideas_by_endorsements",
        "ideas",
        ["endorsements", "id"],
        unique=False,
        schema="activities",
        postgresql_where=sa.text("state = 'offered'"),
    )
    op.create_index(
        "ix_ideas_plain_words",
        "ideas",
        ["plain_words"],
        unique=False,
        schema="activities",
        postgresql_using="gin",
        postgresql_ops={"plain_words": "gin_trgm_ops"},
        postgresql_with={"fastupdate": "off"},
        postgresql_where=sa.text("state = 'offered'"),
    )
    op.create_index(
        "ix_ideas_search",
        "ideas",
        ["search"],
        unique=False,
        schema="activities",
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
        postgresql_where=sa.text("state = 'offered'"),
    )
    op.create_table(
        "partners",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("website", sa.Text(), nullable=True),
        sa.Column("causes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("areas", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("contact_email", sa.Text(), nullable=True),
        sa.Column("section", sa.Text(), nullable=True),
        sa.Column("owner_country", sa.Text(), nullable=True),
        sa.Column("merged_into", sa.Uuid(), nullable=True),
        sa.Column("is_followed", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("plain_name", sa.Text(), sa.Computed("activities.plain_text(name)", persisted=True), nullable=False),
        sa.Column(
            "plain_words",
            sa.Text(),
            sa.Computed("activities.plain_text(((name || ' '::text) || COALESCE(city, ''::text)))", persisted=True),
            nullable=False,
        ),
        sa.CheckConstraint(
            "level = 'international' OR country IS NOT NULL", name=op.f("ck_partners_country_of_a_local_one")
        ),
        sa.CheckConstraint("level IN ('local', 'national', 'international')", name=op.f("ck_partners_level")),
        sa.CheckConstraint("merged_into <> id", name=op.f("ck_partners_not_merged_into_itself")),
        sa.CheckConstraint(
            "section IS NULL OR owner_country IS NOT NULL", name=op.f("ck_partners_country_of_a_section")
        ),
        sa.ForeignKeyConstraint(
            ["merged_into"], ["activities.partners.id"], name=op.f("fk_partners_merged_into_partners")
        ),
        sa.ForeignKeyConstraint(["section"], ["activities.sections.code"], name=op.f("fk_partners_section_sections")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partners")),
        schema="activities",
    )
    op.create_index(
        "ix_partners_by_name",
        "partners",
        ["plain_name", "id"],
        unique=False,
        schema="activities",
        postgresql_where=sa.text("merged_into IS NULL"),
    )
    op.create_index(op.f("ix_partners_country"), "partners", ["country"], unique=False, schema="activities")
    op.create_index(op.f("ix_partners_merged_into"), "partners", ["merged_into"], unique=False, schema="activities")
    op.create_index(
        "ix_partners_not_followed",
        "partners",
        ["id"],
        unique=False,
        schema="activities",
        postgresql_where=sa.text("NOT is_followed"),
    )
    op.create_index(
        "ix_partners_plain_words",
        "partners",
        ["plain_words"],
        unique=False,
        schema="activities",
        postgresql_using="gin",
        postgresql_ops={"plain_words": "gin_trgm_ops"},
        postgresql_with={"fastupdate": "off"},
    )
    op.create_index(op.f("ix_partners_section"), "partners", ["section"], unique=False, schema="activities")
    op.create_table(
        "idea_endorsements",
        sa.Column("idea_id", sa.Uuid(), nullable=False),
        sa.Column("endorser", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("endorsed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["idea_id"], ["activities.ideas.id"], name=op.f("fk_idea_endorsements_idea_id_ideas"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("idea_id", "endorser", name=op.f("pk_idea_endorsements")),
        schema="activities",
    )
    op.add_column(
        "activities",
        sa.Column("adapted_from", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        schema="activities",
    )
    op.create_index(
        "ix_activities_adapted_from",
        "activities",
        [sa.literal_column("(adapted_from ->> 'idea_id')")],
        unique=False,
        schema="activities",
        postgresql_where=sa.text("adapted_from IS NOT NULL"),
    )
    op.create_index(
        "ix_activities_partners",
        "activities",
        ["partners"],
        unique=False,
        schema="activities",
        postgresql_using="gin",
        postgresql_ops={"partners": "jsonb_path_ops"},
    )
    op.execute(_COUNT_ADAPTATIONS)
    for trigger in _TRIGGERS:
        op.execute(trigger)
    op.execute(
        f"UPDATE activities.activities SET document = "
        f"left(document, -length({_NO_DISTANCE})) || {_NO_ORIGIN} || {_NO_DISTANCE} "
        f"WHERE right(document, length({_NO_DISTANCE})) = {_NO_DISTANCE}"
    )
    _rewrite_partners(with_more=True)


def downgrade() -> None:
    """Undo it; activities forget of which ideas they were made."""
    for name in ("count_new_adaptation", "count_adaptations", "count_lost_adaptation"):
        op.execute(f"DROP TRIGGER {name} ON activities.activities")
    op.execute("DROP FUNCTION activities.count_adaptations()")
    _rewrite_partners(with_more=False)
    op.execute(
        "UPDATE activities.activities SET document = "
        'regexp_replace(document, \',"adapted_from"\\:.*,"distance_km"\\:null}$\', \',"distance_km"\\:null}\')'
    )
    op.drop_index(
        "ix_activities_partners",
        table_name="activities",
        schema="activities",
        postgresql_using="gin",
        postgresql_ops={"partners": "jsonb_path_ops"},
    )
    op.drop_index(
        "ix_activities_adapted_from",
        table_name="activities",
        schema="activities",
        postgresql_where=sa.text("adapted_from IS NOT NULL"),
    )
    op.drop_column("activities", "adapted_from", schema="activities")
    op.drop_table("idea_endorsements", schema="activities")
    op.drop_index(op.f("ix_partners_section"), table_name="partners", schema="activities")
    op.drop_index(
        "ix_partners_plain_words",
        table_name="partners",
        schema="activities",
        postgresql_using="gin",
        postgresql_ops={"plain_words": "gin_trgm_ops"},
        postgresql_with={"fastupdate": "off"},
    )
    op.drop_index(
        "ix_partners_not_followed",
        table_name="partners",
        schema="activities",
        postgresql_where=sa.text("NOT is_followed"),
    )
    op.drop_index(op.f("ix_partners_merged_into"), table_name="partners", schema="activities")
    op.drop_index(op.f("ix_partners_country"), table_name="partners", schema="activities")
    op.drop_index(
        "ix_partners_by_name",
        table_name="partners",
        schema="activities",
        postgresql_where=sa.text("merged_into IS NULL"),
    )
    op.drop_table("partners", schema="activities")
    op.drop_index(
        "ix_ideas_search",
        table_name="ideas",
        schema="activities",
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
        postgresql_where=sa.text("state = 'offered'"),
    )
    op.drop_index(
        "ix_ideas_plain_words",
        table_name="ideas",
        schema="activities",
        postgresql_using="gin",
        postgresql_ops={"plain_words": "gin_trgm_ops"},
        postgresql_with={"fastupdate": "off"},
        postgresql_where=sa.text("state = 'offered'"),
    )
    op.drop_index(
        "ix_ideas_by_endorsements",
        table_name="ideas",
        schema="activities",
        postgresql_where=sa.text("state = 'offered'"),
    )
    op.drop_index(
        "ix_ideas_by_age", table_name="ideas", schema="activities", postgresql_where=sa.text("state = 'offered'")
    )
    op.drop_index(
        "ix_ideas_by_adaptations",
        table_name="ideas",
        schema="activities",
        postgresql_where=sa.text("state = 'offered'"),
    )
    op.drop_table("ideas", schema="activities")
    op.drop_index(op.f("ix_enquiries_section_id"), table_name="enquiries", schema="activities")
    op.drop_index(op.f("ix_enquiries_level_went_to_asked_at"), table_name="enquiries", schema="activities")
    op.drop_index(op.f("ix_enquiries_home_id"), table_name="enquiries", schema="activities")
    op.drop_index(op.f("ix_enquiries_email_key_asked_at"), table_name="enquiries", schema="activities")
    op.drop_table("enquiries", schema="activities")
    op.drop_index(
        "ix_outgoing_mail_due",
        table_name="outgoing_mail",
        schema="activities",
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.drop_table("outgoing_mail", schema="activities")
    op.drop_table("mailboxes", schema="activities")
