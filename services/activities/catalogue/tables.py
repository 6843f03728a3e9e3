"""Activities with their rendered document, and the history of who did what to them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.tables import Table

_Instant = sa.DateTime(timezone=True)
_IS_PUBLIC = sa.text("state IN ('published', 'held', 'cancelled')")


def _made(kind: Any, expression: str) -> Any:
    """A column that Postgres makes of the others whenever they change; read by the list's statements alone."""
    return mapped_column(
        kind, sa.Computed(expression, persisted=True), nullable=True, deferred=True, deferred_raiseload=True
    )


class Activity(Table):
    """One activity. `areas` and `causes` name the main one first; `document` is what readers get.

    `documents` holds the same in each further language, by its tag in small letters. A series (`is_series`) has
    occurrences and a `joint` day local parts: activities of their own that are `part_of` it.
    """

    __tablename__ = "activities"
    __table_args__ = (
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'returned', 'approved', 'published', 'held', 'cancelled', 'discarded')",
            name="state",
        ),
        sa.CheckConstraint("label_state IN ('not_asked', 'asked', 'given', 'returned')", name="label_state"),
        sa.CheckConstraint("ends_at >= starts_at", name="ends_after_its_start"),
        sa.CheckConstraint("capacity >= 0", name="capacity_not_negative"),
        sa.CheckConstraint("relation IN ('occurrence', 'local_part')", name="relation"),
        sa.CheckConstraint("(part_of IS NULL) = (relation IS NULL)", name="related_to_something"),
        sa.CheckConstraint("joint IN ('country', 'international')", name="joint"),
        sa.CheckConstraint("pupils_expected >= 0", name="pupils_not_negative"),
        sa.UniqueConstraint("source", "source_id"),
        sa.Index("ix_activities_part_of", "part_of", "id", postgresql_where=sa.text("part_of IS NOT NULL")),
        sa.Index(
            "ix_activities_local_parts",
            "part_of",
            "id",
            postgresql_where=sa.text("relation = 'local_part' AND state NOT IN ('held', 'cancelled', 'discarded')"),
        ),
        sa.Index(
            "ix_activities_public_by_start",
            sa.text("COALESCE(starts_at, 'infinity'::timestamp with time zone)"),
            "id",
            # What belongs to a time is found at one end of this order: checked here, not in the rows on the way to it.
            sa.text("COALESCE(ends_at, starts_at)"),
            "updated_at",
            sa.text("COALESCE(sign_up_closes_at, 'infinity'::timestamp with time zone)"),
            postgresql_where=_IS_PUBLIC,
        ),
        sa.Index(
            "ix_activities_public_by_end",
            sa.text("COALESCE(ends_at, starts_at) DESC NULLS LAST"),
            postgresql_where=_IS_PUBLIC,
        ),
        sa.Index(
            "ix_activities_public_codes",
            "kind",
            postgresql_include=[
                *("programme", "country", "edition", "areas", "causes", "objectives", "platform", "mode", "audience"),
                "is_series",
                # What facets are narrowed by, so that counting reads this index alone.
                *("state", "label_state", "latitude", "longitude", "starts_at", "ends_at", "updated_at", "joint"),
                *("takes_sign_ups", "has_places", "sign_up_opens_at", "sign_up_closes_at"),
            ],
            postgresql_where=_IS_PUBLIC,
        ),
        # What an edition has, and what begins on days that change hands.
        sa.Index("ix_activities_edition", "edition"),
        sa.Index("ix_activities_by_day", "starts_on", postgresql_where=sa.text("NOT edition_set_by_hand")),
        sa.Index(
            "ix_activities_public_on_globe",
            sa.text("activities.on_globe(latitude, longitude)"),
            postgresql_using="gist",
            postgresql_where=_IS_PUBLIC,
        ),
        sa.Index("ix_activities_public_by_place", "latitude", "longitude", "id", postgresql_where=_IS_PUBLIC),
        sa.Index(
            "ix_activities_open_until",
            sa.text("COALESCE(sign_up_closes_at, 'infinity'::timestamp with time zone)"),
            postgresql_where=sa.text("state = 'published' AND takes_sign_ups AND has_places"),
        ),
        sa.Index(
            "ix_activities_public_cost",
            sa.text("(cost ->> 'currency'::text)"),
            sa.text("((cost ->> 'amount'::text)::numeric)"),
            postgresql_where=_IS_PUBLIC,
        ),
        # Any combination of labels and words in one scan; without a list of pending entries, which every search reads.
        sa.Index(
            "ix_activities_found_by",
            "labels",
            "search",
            postgresql_using="gin",
            postgresql_with={"fastupdate": "off"},
            postgresql_where=_IS_PUBLIC,
        ),
        sa.Index(
            "ix_activities_plain_words",
            "plain_words",
            postgresql_using="gin",
            postgresql_ops={"plain_words": "gin_trgm_ops"},
            postgresql_with={"fastupdate": "off"},
            postgresql_where=_IS_PUBLIC,
        ),
        sa.Index(
            "ix_activities_partners",
            "partners",
            postgresql_using="gin",
            postgresql_ops={"partners": "jsonb_path_ops"},
        ),
        sa.Index("ix_activities_section_codes", "section_codes", postgresql_using="gin"),
        sa.Index(
            "ix_activities_adapted_from",
            sa.text("(adapted_from ->> 'idea_id')"),
            postgresql_where=sa.text("adapted_from IS NOT NULL"),
        ),
        sa.Index("ix_activities_public_by_update", "updated_at", "id", postgresql_where=_IS_PUBLIC),
        sa.Index(
            "ix_activities_public_label",
            "label_state",
            sa.text("COALESCE(starts_at, 'infinity'::timestamp with time zone)"),
            "id",
            postgresql_where=_IS_PUBLIC,
        ),
        sa.Index(
            "ix_activities_label_waits",
            "country",
            sa.text("COALESCE(label_look_since, label_asked_at)"),
            "id",
            postgresql_where=sa.text(
                "(label_state = 'asked' OR label_look_since IS NOT NULL) AND relation IS DISTINCT FROM 'occurrence'"
            ),
        ),
        sa.Index("ix_activities_starts_at", "starts_at", postgresql_where=sa.text("state <> 'cancelled'")),
        sa.Index("ix_activities_turns_at", "turns_at", postgresql_where=sa.text("turns_at IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(sa.Uuid, primary_key=True)
    state: Mapped[str] = mapped_column(sa.Text)
    revision: Mapped[int] = mapped_column(sa.Integer)
    title: Mapped[str] = mapped_column(sa.Text)
    summary: Mapped[str | None] = mapped_column(sa.Text)
    language: Mapped[str] = mapped_column(sa.Text)
    kind: Mapped[str] = mapped_column(sa.Text)
    programme: Mapped[str] = mapped_column(sa.Text)
    mode: Mapped[str] = mapped_column(sa.Text)
    edition: Mapped[str | None] = mapped_column(sa.Text)
    edition_set_by_hand: Mapped[bool] = mapped_column(sa.Boolean)
    areas: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    causes: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    sdgs: Mapped[list[int]] = mapped_column(ARRAY(sa.SmallInteger))
    objectives: Mapped[list[str]] = mapped_column(ARRAY(sa.Text), server_default=sa.text("'{}'"))
    organisers: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    section_codes: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    country: Mapped[str | None] = mapped_column(sa.Text)
    platform: Mapped[str | None] = mapped_column(sa.Text)
    starts_at: Mapped[datetime | None] = mapped_column(_Instant)
    ends_at: Mapped[datetime | None] = mapped_column(_Instant)
    starts_on: Mapped[date | None] = mapped_column(sa.Date)
    ends_on: Mapped[date | None] = mapped_column(sa.Date)
    date_precision: Mapped[str] = mapped_column(sa.Text)
    time_zone: Mapped[str] = mapped_column(sa.Text)
    place: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    online_url: Mapped[str | None] = mapped_column(sa.Text)
    capacity: Mapped[int | None] = mapped_column(sa.Integer)
    takes_sign_ups: Mapped[bool] = mapped_column(sa.Boolean)
    sign_up_opens_at: Mapped[datetime | None] = mapped_column(_Instant)
    sign_up_closes_at: Mapped[datetime | None] = mapped_column(_Instant)
    requirements: Mapped[dict[str, Any]] = mapped_column(JSONB)
    accessibility: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    cost: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    partners: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    image: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    adapted_from: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    audience: Mapped[list[str]] = mapped_column(ARRAY(sa.Text), server_default=sa.text("'{}'::text[]"))
    pupils_expected: Mapped[int | None] = mapped_column(sa.Integer)
    contact: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    translations: Mapped[dict[str, dict[str, Any]]] = mapped_column(JSONB, server_default=sa.text("'{}'::jsonb"))
    part_of: Mapped[UUID | None] = mapped_column(sa.ForeignKey("activities.activities.id"))
    relation: Mapped[str | None] = mapped_column(sa.Text)
    part_of_title: Mapped[str | None] = mapped_column(sa.Text)
    joint: Mapped[str | None] = mapped_column(sa.Text)
    is_series: Mapped[bool] = mapped_column(sa.Boolean, server_default=sa.false())
    public_parts: Mapped[int] = mapped_column(sa.Integer, server_default=sa.text("0"))
    reason: Mapped[str | None] = mapped_column(sa.Text)
    label_checklist: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    label_state: Mapped[str] = mapped_column(sa.Text, server_default="not_asked")
    label_asked_at: Mapped[datetime | None] = mapped_column(_Instant)
    label_decided_at: Mapped[datetime | None] = mapped_column(_Instant)
    label_note: Mapped[str | None] = mapped_column(sa.Text)
    label_look_since: Mapped[datetime | None] = mapped_column(_Instant)
    label_changed: Mapped[list[str] | None] = mapped_column(ARRAY(sa.Text))
    sample: Mapped[bool] = mapped_column(sa.Boolean)
    source: Mapped[str | None] = mapped_column(sa.Text)
    source_id: Mapped[str | None] = mapped_column(sa.Text)
    source_url: Mapped[str | None] = mapped_column(sa.Text)
    has_places: Mapped[bool] = mapped_column(sa.Boolean, server_default=sa.true())
    availability_revision: Mapped[int] = mapped_column(sa.Integer, server_default=sa.text("0"))
    turns_at: Mapped[datetime | None] = mapped_column(_Instant)
    document: Mapped[str] = mapped_column(sa.Text)
    documents: Mapped[dict[str, str]] = mapped_column(JSONB, server_default=sa.text("'{}'::jsonb"))
    created_at: Mapped[datetime] = mapped_column(_Instant, server_default=sa.func.now())
    updated_at: Mapped[datetime] = mapped_column(_Instant, server_default=sa.func.now())
    latitude: Mapped[float | None] = _made(sa.Double, "((place ->> 'latitude'::text))::double precision")
    longitude: Mapped[float | None] = _made(sa.Double, "((place ->> 'longitude'::text))::double precision")
    labels: Mapped[list[str]] = _made(
        ARRAY(sa.Text),
        "activities.labels(edition, country, kind, programme, mode, language, translations, areas, causes, sdgs, "
        "section_codes, accessibility, audience, cost, part_of, objectives, platform)",
    )
    search: Mapped[Any] = _made(
        TSVECTOR, "activities.search_document(language, title, summary, organisers, place, partners, translations)"
    )
    plain_words: Mapped[str] = _made(
        sa.Text,
        "activities.plain_text((((((title || ' '::text) || COALESCE((place ->> 'name'::text), ''::text))"
        " || ' '::text) || COALESCE((place ->> 'city'::text), ''::text)) || ' '::text)"
        " || (jsonb_path_query_array(translations, '$.*.\"title\"'::jsonpath))::text)",
    )


class HistoryEntry(Table):
    """Who did what to an activity: a row can be added, and never be changed or deleted (a trigger sees to that)."""

    __tablename__ = "activity_history"

    activity_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("activities.activities.id", ondelete="CASCADE"), primary_key=True
    )
    revision: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    verb: Mapped[str] = mapped_column(sa.Text)
    actor_id: Mapped[UUID | None] = mapped_column(sa.Uuid)
    actor_role: Mapped[str] = mapped_column(sa.Text)
    actor_section: Mapped[str | None] = mapped_column(sa.Text)
    actor_country: Mapped[str | None] = mapped_column(sa.Text)
    reason: Mapped[str | None] = mapped_column(sa.Text)
    changes: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=sa.text("'{}'::jsonb"))
    at: Mapped[datetime] = mapped_column(_Instant, server_default=sa.func.clock_timestamp())
