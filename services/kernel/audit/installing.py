"""What the first migration of each service's audit makes; a later shape is another migration, and no change here."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from services.kernel.events import Xid8

TRIGGER: Final = "note_audited_change"
"""The trigger of every table whose changes are noted, and the function behind it."""

# It costs next to nothing where nobody's act is under way: in sweeps, reactions, and what students do by links.
_WHEN = "coalesce(current_setting('socialerasmus.audit', true), '') <> ''"

_NOTE = """
CREATE FUNCTION {schema}.note_audited_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    keys text[] := TG_ARGV[0];
    shown text[] := TG_ARGV[1];
    named text[] := TG_ARGV[2];
    was jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
    is_now jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
    nothing CONSTANT jsonb := 'null';
    before_it jsonb;
    after_it jsonb;
    others text[];
BEGIN
    SELECT jsonb_object_agg(name, was -> name), jsonb_object_agg(name, is_now -> name) INTO before_it, after_it
    FROM unnest(shown) AS name
    WHERE coalesce(was -> name, nothing) IS DISTINCT FROM coalesce(is_now -> name, nothing);
    SELECT array_agg(name) INTO others
    FROM unnest(named) AS name
    WHERE coalesce(was -> name, nothing) IS DISTINCT FROM coalesce(is_now -> name, nothing);
    IF TG_OP = 'UPDATE' AND before_it IS NULL AND others IS NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO {into}.audit_changes (entry, kind, key, act, before, after, named) VALUES (
        CAST(current_setting('socialerasmus.audit') AS uuid),
        TG_TABLE_NAME,
        (SELECT string_agg(coalesce(is_now, was) ->> name, '/' ORDER BY place)
         FROM unnest(keys) WITH ORDINALITY AS key (name, place)),
        lower(TG_OP),
        CASE WHEN TG_OP <> 'INSERT' THEN before_it END,
        CASE WHEN TG_OP <> 'DELETE' THEN after_it END,
        others
    );
    RETURN NULL;
END $$
"""

_REFUSE = """
CREATE FUNCTION {schema}.refuse_change_of_audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_OP = 'DELETE' AND TG_NARGS = 0 THEN
        IF OLD.at < now() - interval '730 days' THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit is only added to' USING ERRCODE = 'insufficient_privilege';
END $$
"""

# The service's role may delete nothing here; this deletes, with its owner's rights, what is old and linked.
_FORGET = """
CREATE FUNCTION {schema}.forget_old_audit() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    old uuid[];
BEGIN
    SELECT array_agg(found.id) INTO old FROM (
        SELECT entries.id FROM {schema}.audit_entries AS entries
        JOIN {schema}.audit_links AS links ON links.entry = entries.id
        WHERE entries.at < now() - interval '730 days'
        ORDER BY entries.number LIMIT 500
    ) AS found;
    DELETE FROM {schema}.audit_changes WHERE entry = ANY (old);
    DELETE FROM {schema}.audit_entries WHERE id = ANY (old);
    RETURN coalesce(cardinality(old), 0);
END $$
"""


def install(schema: str) -> None:
    """Make the tables of one service, and what keeps them from being changed."""
    _make_tables(schema)
    op.execute(_NOTE.format(schema=schema, into=schema))
    op.execute(_REFUSE.format(schema=schema))
    op.execute(_FORGET.format(schema=schema))
    for table, for_good in (("audit_entries", ""), ("audit_changes", ""), ("audit_links", "'for good'")):
        for when, each in (("UPDATE OR DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
            name = f"only_added_to_{each.lower()}"
            argument = for_good if each == "ROW" else "'for good'"
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {when} ON {schema}.{table} "
                f"FOR EACH {each} EXECUTE FUNCTION {schema}.refuse_change_of_audit({argument})"
            )


def uninstall(schema: str) -> None:
    """Undo it."""
    for table in ("audit_links", "audit_changes", "audit_entries"):
        op.drop_table(table, schema=schema)
    for function in ("forget_old_audit", "refuse_change_of_audit", "note_audited_change"):
        op.execute(f"DROP FUNCTION {schema}.{function}()")


def note_into(schema: str, into: str) -> None:
    """Let changes of tables that all services share be noted in the audit of one of them."""
    op.execute(_NOTE.format(schema=schema, into=into))


def note(table: str, *, keys: str, shown: str, named: str = "") -> None:
    """Note a table's changes from now on: `shown` columns before and after, of `named` ones that they changed.

    Columns are named with blanks between them.
    """
    lists = ", ".join(f"'{{{','.join(columns.split())}}}'" for columns in (keys, shown, named))
    function = f"{table.partition('.')[0]}.{TRIGGER}"
    op.execute(
        f"CREATE TRIGGER {TRIGGER} AFTER INSERT OR UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW WHEN ({_WHEN}) EXECUTE FUNCTION {function}({lists})"
    )


def leave(table: str) -> None:
    """Note them no more."""
    op.execute(f"DROP TRIGGER {TRIGGER} ON {table}")


def _make_tables(schema: str) -> None:
    text, texts, instant = sa.Text(), postgresql.ARRAY(sa.Text()), sa.DateTime(timezone=True)
    now = sa.text("clock_timestamp()")
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("xid", Xid8(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", instant, server_default=now, nullable=False),
        sa.Column("actor_id", sa.Uuid()),
        sa.Column("actor_role", text, nullable=False),
        sa.Column("actor_section", text),
        sa.Column("actor_country", text),
        sa.Column("by_key", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("client_network", text),
        sa.Column("verb", text, nullable=False),
        sa.Column("object", text, nullable=False),
        sa.Column("sections", texts, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("country", text),
        sa.Column("status", sa.SmallInteger()),
        sa.Column("details", postgresql.JSONB()),
        sa.Column("trace_id", text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
        sa.UniqueConstraint("number", name=op.f("uq_audit_entries_number")),
        schema=schema,
    )
    op.create_index("ix_audit_entries_order", "audit_entries", ["xid", "number"], schema=schema)
    op.create_index(
        op.f("ix_audit_entries_sections"), "audit_entries", ["sections"], schema=schema, postgresql_using="gin"
    )
    for column in ("country", "actor_id"):
        op.create_index(op.f(f"ix_audit_entries_{column}_number"), "audit_entries", [column, "number"], schema=schema)
    op.create_index(
        op.f("ix_audit_entries_object"),
        "audit_entries",
        ["object"],
        schema=schema,
        postgresql_ops={"object": "text_pattern_ops"},
    )
    op.create_table(
        "audit_changes",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("entry", sa.Uuid(), nullable=False),
        sa.Column("at", instant, server_default=now, nullable=False),
        sa.Column("kind", text, nullable=False),
        sa.Column("key", text, nullable=False),
        sa.Column("act", text, nullable=False),
        sa.Column("before", postgresql.JSONB()),
        sa.Column("after", postgresql.JSONB()),
        sa.Column("named", texts),
        sa.ForeignKeyConstraint(
            ["entry"],
            [f"{schema}.audit_entries.id"],
            name=op.f("fk_audit_changes_entry_audit_entries"),
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_changes")),
        schema=schema,
    )
    op.create_index(op.f("ix_audit_changes_entry_number"), "audit_changes", ["entry", "number"], schema=schema)
    op.create_table(
        "audit_links",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry", sa.Uuid(), nullable=False),
        sa.Column("xid", Xid8(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("at", instant, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("linked_at", instant, server_default=now, nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_audit_links")),
        sa.UniqueConstraint("entry", name=op.f("uq_audit_links_entry")),
        schema=schema,
    )
