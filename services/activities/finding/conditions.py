"""What a reader wants of the list, as conditions: each of a kind that an index answers."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from services.activities.catalogue.rules import PUBLIC
from services.activities.catalogue.tables import Activity
from services.activities.directory import store as directory
from services.kernel.db import PLANNED_FOR_LISTS
from services.kernel.globe import EARTH_RADIUS_KM, Near, box_around, distance_between

# Spelt out in the statement, since a partial index is not used for a parameter.
IS_PUBLIC: Final = sa.text("state IN ('published', 'held', 'cancelled')")
assert len(PUBLIC) == 3
# A series is found by its dates, which are activities of their own.
IS_LISTED: Final = sa.text("state IN ('published', 'held', 'cancelled') AND NOT is_series")

# How many of a search's groups of three letters must be found close together in a title and its place.
LEAST_RESEMBLANCE: Final = 0.45
# One slip leaves a short word few of its groups; of what has those, the words with one slip are picked out.
LEAST_RESEMBLANCE_OF_A_SHORT_WORD: Final = 0.33
SHORT_WORDS: Final = range(4, 6)
SHORTEST_WITH_A_MISTAKE: Final = 3
# More words than these are compared as a whole only.
MOST_WORDS_WITH_MISTAKES: Final = 8

CODES: Final[Mapping[str, InstrumentedAttribute[Any]]] = {
    "area": Activity.areas,
    "cause": Activity.causes,
    "objective": Activity.objectives,
    "kind": Activity.kind,
    "country": Activity.country,
    "edition": Activity.edition,
    "programme": Activity.programme,
    "platform": Activity.platform,
    "mode": Activity.mode,
    "audience": Activity.audience,
}
"""Labels that are columns of one index: what facets count."""

NO_START = sa.text("'infinity'::timestamptz")
START = sa.func.coalesce(Activity.starts_at, NO_START)


@dataclass(frozen=True, slots=True)
class Filters:
    """What a reader of the list wants; empty means everything.

    `labels` gives, for a dimension such as `country`, codes of which one is enough; `accessible` must all be there. Of
    `label_states`, those of the SocialErasmus label, one is enough.
    """

    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    accessible: tuple[str, ...] = ()
    label_states: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    updated_since: datetime | None = None
    is_open: bool | None = None
    near: Near | None = None
    partners: tuple[UUID, ...] = ()
    cost: tuple[Decimal, str] | None = None
    q: str | None = None

    @property
    def narrows(self) -> bool:
        """Whether it leaves anything out."""
        return any(self.labels.values()) or replace(self, labels={}) != Filters()


class Sought(NamedTuple):
    """A searched text as Postgres sees it: its words and their stems; and the plain words, for typing mistakes."""

    query: str
    words: str
    with_mistakes: bool = False

    def forgiving(self) -> Sought:
        """The same words, or similar ones."""
        return self._replace(with_mistakes=True)


async def prepare(session: AsyncSession, q: str | None, *, whole: bool = False) -> Sought | None:
    """Set up the statements that follow, and read a searched text; wildcards and operators in it are punctuation.

    See `read_whole` about the first of them.
    """
    settings: list[sa.ColumnElement[str]] = [
        *(sa.func.set_config(name, value, sa.true()) for name, value in PLANNED_FOR_LISTS.items()),
        sa.func.set_config("pg_trgm.word_similarity_threshold", str(_least_resemblance(q or "")), sa.true()),
    ]
    if whole:
        settings.append(_reading_whole(whole=True))
    if q is None:
        await session.execute(sa.select(*settings))
        return None
    text = sa.literal(q, sa.Text)
    query, words = sa.func.activities.search_query(text), sa.func.activities.plain_text(text)
    row = (await session.execute(sa.select(sa.cast(query, sa.Text), words, *settings))).one()
    return Sought(row[0], row[1])


async def read_whole(session: AsyncSession, *, whole: bool) -> None:
    """Whether the statements that follow read rows in the order in which they lie, found by their labels and words.

    Each would else be fetched by itself in the order of another index, many of them only to see that it lacks these.
    """
    await session.execute(sa.select(_reading_whole(whole=whole)))


def _reading_whole(*, whole: bool) -> sa.ColumnElement[str]:
    setting: sa.ColumnElement[str] = sa.func.set_config("enable_indexscan", "off" if whole else "on", sa.true())
    return setting


def _least_resemblance(q: str) -> float:
    is_short = any(len(word) in SHORT_WORDS for word in re.split(r"[\W_]+", q))
    return LEAST_RESEMBLANCE_OF_A_SHORT_WORD if is_short else LEAST_RESEMBLANCE


async def with_predecessors(session: AsyncSession, wanted: Filters) -> Filters:
    """The same, where each section stands for those that merged into it too."""
    if not (codes := wanted.labels.get("section")):
        return wanted
    everybody = await directory.with_predecessors(session, codes)
    return replace(wanted, labels={**wanted.labels, "section": tuple(everybody)})


async def conditions_for(session: AsyncSession, wanted: Filters) -> list[sa.ColumnElement[bool]]:
    """The conditions of a feed, which has what the list has: where nothing has the words, those with similar ones."""
    sought = await prepare(session, wanted.q)
    wanted = await with_predecessors(session, wanted)
    conditions = conditions_of(wanted, sought)
    if sought is None or await session.scalar(sa.select(sa.exists().where(IS_LISTED, *conditions))):
        return conditions
    return conditions_of(wanted, sought.forgiving())


def conditions_of(wanted: Filters, sought: Sought | None, *, by_codes: bool = False) -> list[sa.ColumnElement[bool]]:
    """The conditions, beside being public, that an activity must meet.

    With `by_codes` labels are looked for in the columns that they are made of, which the index of codes holds.
    """
    label_condition = _code_condition if by_codes else _label_condition
    conditions = [label_condition(name, codes) for name, codes in wanted.labels.items() if codes]
    if "edition" in wanted.labels and not by_codes:
        # An edition lies at one place of the order by start, which Postgres would else expect to meet it anywhere in.
        conditions.append(Activity.edition.in_(wanted.labels["edition"]))
    if wanted.accessible:
        labels = [f"accessible:{code}" for code in wanted.accessible]
        conditions.append(Activity.labels.contains(sa.literal(labels, Activity.labels.type)))
    if wanted.cost is not None:
        conditions.append(_costs_at_most(*wanted.cost))
    if wanted.partners:
        conditions.append(sa.or_(*(Activity.partners.contains([{"id": str(each)}]) for each in wanted.partners)))
    if wanted.label_states:
        conditions.append(Activity.label_state.in_(wanted.label_states))
    if wanted.since is not None:
        conditions.append(sa.func.coalesce(Activity.ends_at, Activity.starts_at) >= wanted.since)
    if wanted.until is not None:
        conditions.append(wanted.until > START)
    if wanted.updated_since is not None:
        conditions.append(Activity.updated_at >= wanted.updated_since)
    if wanted.is_open is not None:
        is_open = sa.and_(
            sa.text("state = 'published' AND takes_sign_ups AND has_places"),
            Activity.joint.is_(None),
            sa.func.coalesce(Activity.sign_up_closes_at, NO_START) > sa.func.now(),
            sa.func.coalesce(Activity.ends_at, NO_START) > sa.func.now(),
            sa.func.coalesce(Activity.sign_up_opens_at, sa.func.now()) <= sa.func.now(),
        )
        conditions.append(is_open if wanted.is_open else sa.not_(is_open))
    if wanted.near is not None:
        conditions += _within(wanted.near)
    if sought is not None:
        conditions.append(resembling(sought, Activity.plain_words) if sought.with_mistakes else _matching(sought))
    return conditions


def _costs_at_most(amount: Decimal, currency: str) -> sa.ColumnElement[bool]:
    """So much of a currency; what costs nothing costs nothing in any."""
    stated = sa.cast(Activity.cost["amount"].astext, sa.Numeric)
    is_free = Activity.labels.contains(sa.literal(["free:true"], Activity.labels.type))
    return sa.or_(is_free, sa.and_(Activity.cost["currency"].astext == currency, stated <= amount))


def are_codes_enough(wanted: Filters) -> bool:
    """Whether the index of codes holds all that these filters look at."""
    labels = {name for name, codes in wanted.labels.items() if codes}
    others = replace(wanted, labels={}, accessible=(), partners=(), cost=None, q=None)
    return labels <= CODES.keys() and others == replace(wanted, labels={})


def _code_condition(dimension: str, codes: Sequence[str]) -> sa.ColumnElement[bool]:
    column = CODES[dimension]
    if isinstance(column.type, ARRAY):
        overlap: sa.ColumnElement[bool] = column.bool_op("&&")(sa.literal(list(codes), column.type))
        return overlap
    return column.in_(codes)


def _label_condition(dimension: str, codes: Sequence[str]) -> sa.ColumnElement[bool]:
    labels = [f"{dimension}:{code}" for code in codes]
    overlap: sa.ColumnElement[bool] = Activity.labels.overlap(sa.literal(labels, Activity.labels.type))
    return overlap


def query_of(sought: Sought) -> sa.ColumnElement[Any]:
    """The words, with their stems, as Postgres asks for them."""
    return sa.cast(sa.literal(sought.query, sa.Text), TSQUERY)


def _matching(sought: Sought) -> sa.ColumnElement[bool]:
    matches: sa.ColumnElement[bool] = Activity.search.bool_op("@@")(query_of(sought))
    return matches


def resembling(sought: Sought, plain_words: sa.SQLColumnExpression[str]) -> sa.ColumnElement[bool]:
    """What resembles a search as a whole, or has a word like each of its words, wherever that stands."""
    if len(sought.words) < SHORTEST_WITH_A_MISTAKE:
        return sa.false()
    words = [word for word in dict.fromkeys(sought.words.split()) if len(word) >= SHORTEST_WITH_A_MISTAKE]
    whole = _alike(sought.words, plain_words)
    if not words or len(words) > MOST_WORDS_WITH_MISTAKES:
        return whole
    each = [(_slipped if len(word) in SHORT_WORDS else _alike)(word, plain_words) for word in words]
    return sa.or_(whole, sa.and_(*each))


def _alike(text: str, plain_words: sa.SQLColumnExpression[str]) -> sa.ColumnElement[bool]:
    sought = sa.literal(text, sa.Text)
    # The index answers the first with the threshold of the whole search, which a short word may have lowered.
    return sa.and_(plain_words.bool_op("%>")(sought), sa.func.word_similarity(sought, plain_words) >= LEAST_RESEMBLANCE)


def _slipped(word: str, plain_words: sa.SQLColumnExpression[str]) -> sa.ColumnElement[bool]:
    """It has the word, or one that begins so, but for one letter: one too many, too few or another."""
    sought = sa.literal(word, sa.Text)
    there = sa.func.unnest(sa.func.string_to_array(plain_words, " ")).column_valued("there")
    # Nobody's word is longer; the function refuses texts that are.
    spellings = [sa.func.left(there, length) for length in (100, len(word), len(word) + 1)]
    is_near = sa.or_(*(sa.func.levenshtein_less_equal(spelling, sought, 1) <= 1 for spelling in spellings))
    return sa.and_(plain_words.bool_op("%>")(sought), sa.exists().where(is_near))


def distance_from(near: Near) -> sa.ColumnElement[float]:
    """How far an activity is from a place."""
    return distance_between(Activity.latitude, Activity.longitude, near)


def straight_way(near: Near) -> tuple[sa.ColumnElement[float], sa.ColumnElement[bool]]:
    """How far an activity is from a place on the straight way through a globe of radius 1, and that it is near.

    Who is nearer on that way is nearer over land; an index on the positions answers both.
    """
    position = sa.func.activities.on_globe(Activity.latitude, Activity.longitude)
    centre = sa.func.activities.on_globe(sa.literal(near.latitude, sa.Double), sa.literal(near.longitude, sa.Double))
    # A hair wider: whether it is near enough is said by the distance.
    reach = 2 * math.sin(min(near.radius_km / EARTH_RADIUS_KM, math.pi) / 2) + 1e-9
    around = sa.func.cube_enlarge(centre, sa.literal(reach, sa.Double), 3)
    return position.op("<->", return_type=sa.Double())(centre), position.bool_op("<@")(around)


def _within(near: Near) -> list[sa.ColumnElement[bool]]:
    box = box_around(near)
    sides = [Activity.longitude.between(west, east) for west, east in box.longitudes]
    return [
        Activity.latitude.between(box.south, box.north),
        sa.or_(*sides),
        distance_from(near) <= near.radius_km,
    ]
