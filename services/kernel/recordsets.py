"""Many rows written by one statement with one parameter: its text does not grow with the rows, nor does its plan."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Insert, insert


@cache
def inserting(table: sa.TableClause, columns: tuple[str, ...], order_by: str | None = None) -> Insert:
    """An INSERT of the rows in the parameter `rows` (see `written`); other columns get their defaults.

    Rows that may collide with somebody else's are inserted in the order of a column, so that no two wait for each
    other.
    """
    told = rows_of(table, columns)
    chosen = sa.select(*(told.c[name] for name in columns))
    if order_by is not None:
        chosen = chosen.order_by(told.c[order_by])
    return insert(table).from_select(list(columns), chosen, include_defaults=False)


def rows_of(table: sa.TableClause, columns: Sequence[str]) -> sa.TableValuedAlias:
    """The rows in the parameter `rows`, read as rows of a table."""
    shape = sa.text(f"CAST(NULL AS {table.schema}.{table.name})")
    told = sa.cast(sa.bindparam("rows", type_=sa.Text), sa.JSON)
    return sa.func.json_populate_recordset(shape, told).table_valued(*columns, name="told")


def written(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Rows as the parameter of such a statement."""
    return {"rows": json.dumps(rows, default=_as_text, ensure_ascii=False)}


def _as_text(value: object) -> str:
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(type(value).__name__)
