"""Alembic's environment, one for every history: `services.kernel.migrate` hands it connection, schema and metadata."""

from __future__ import annotations

from typing import Any

from alembic import context

from services.kernel.migrate import PARTITION

attributes = context.config.attributes
schema = attributes["schema"]


def belongs_here(name: str | None, kind: str, _: Any) -> bool:
    """Keep each history to its own schema, and partitions to the table that they are parts of."""
    if kind == "table":
        return PARTITION.search(name or "") is None
    return name == schema if kind == "schema" else True


context.configure(
    connection=attributes["connection"],
    target_metadata=attributes["metadata"],
    version_table_schema=schema,
    include_schemas=True,
    include_name=belongs_here,
    compare_server_default=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
