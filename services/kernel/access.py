"""What opens the services: the tables of tokens, of keys and of sessions, of which hashes alone are kept."""

from __future__ import annotations

import secrets
from enum import StrEnum
from typing import Final

import sqlalchemy as sa

from services.kernel import db, digests

METADATA = db.metadata("access")

_Instant = sa.DateTime(timezone=True)

TOKENS = sa.Table(
    "tokens",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("token_hash", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("section", sa.Text),
    sa.Column("country", sa.Text),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("issued_at", _Instant, nullable=False, server_default=sa.text("now()")),
    sa.Column("expires_at", _Instant, nullable=False),
    sa.Column("revoked_at", _Instant),
    sa.CheckConstraint("(role = 'local_coordinator') = (section IS NOT NULL)", name="section_of_a_local_coordinator"),
    sa.CheckConstraint(
        "role NOT IN ('local_coordinator', 'national_coordinator') OR country IS NOT NULL",
        name="country_of_a_coordinator",
    ),
)

_TEXTS = sa.ARRAY(sa.Text)

KEYS = sa.Table(
    "keys",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("key_hash", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("last_four", sa.Text, nullable=False),
    sa.Column("former_hash", sa.LargeBinary, unique=True),
    sa.Column("former_until", _Instant),
    sa.Column("scopes", _TEXTS, nullable=False),
    sa.Column("origins", _TEXTS, nullable=False),
    sa.Column("section", sa.Text),
    sa.Column("country", sa.Text),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("made_by", sa.Uuid, nullable=False),
    sa.Column("made_at", _Instant, nullable=False, server_default=sa.text("now()")),
    sa.Column("expires_at", _Instant, nullable=False),
    sa.Column("revoked_at", _Instant),
    sa.Column("last_used_at", _Instant),
    sa.CheckConstraint("kind IN ('publishable', 'secret')", name="kind"),
    sa.CheckConstraint("(kind = 'publishable') = (cardinality(origins) > 0)", name="origins_of_a_publishable_one"),
    sa.CheckConstraint("(kind = 'secret') = (cardinality(scopes) > 0)", name="scopes_of_a_secret_one"),
    sa.CheckConstraint("section IS NULL OR country IS NOT NULL", name="country_of_a_section"),
    sa.CheckConstraint("(former_hash IS NULL) = (former_until IS NULL)", name="end_of_the_former"),
)

SESSIONS = sa.Table(
    "sessions",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("secret_hash", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("sealed", sa.Text, nullable=False),
    sa.Column("token_ends_at", _Instant),
    sa.Column("holder", sa.Uuid, index=True),
    sa.Column("begun_at", _Instant, nullable=False, server_default=sa.text("now()")),
    sa.Column("seen_at", _Instant, nullable=False, server_default=sa.text("now()"), index=True),
)

SESSION_COOKIE: Final = "__Host-session"
"""Of whoever signed in at our own pages."""

TOKEN_PREFIX: Final = "set_"  # noqa: S105  # SocialErasmus token: a leaked one is found by scanners that look for it.


class Kind(StrEnum):
    """A publishable key stands in a website's source; a secret one is kept by a program."""

    PUBLISHABLE = "publishable"
    SECRET = "secret"  # noqa: S105


KEY_PREFIXES: Final = {Kind.PUBLISHABLE: "sepk_", Kind.SECRET: "sesk_"}


def drawn(prefix: str) -> str:
    """A new secret of 256 random bits."""
    return prefix + digests.mark() + secrets.token_urlsafe(32)
