"""What goes over the wire about taxonomies and the crosswalk."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from services.activities.taxonomies.rules import Relation
from services.kernel.texts import Code, EachLanguageOnce, LanguageTag, Line, LongText, Received, Sent, Storable

WrittenLabel = Annotated[
    str, Storable, StringConstraints(pattern=r"^[a-z][a-z_]{0,39}:[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$")
]
"""A term, as `areas:health`."""

WrittenPart = Annotated[
    str, Storable, StringConstraints(pattern=r"^[a-z][a-z_]{0,39}(:[A-Za-z0-9][A-Za-z0-9_.-]{0,62})?$")
]
"""A term, or a scheme with all of its terms."""

NewCode = Annotated[Code, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
Position = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
Definition = Annotated[LongText, Field(max_length=500)]
MOST_LANGUAGES = 60


def _written_out(value: Any) -> Any:
    # The validator alone would also take seconds since 1970.
    if isinstance(value, date) or (isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value)):
        return value
    raise PydanticCustomError("day", "Must be a day, as 2026-11-14.")


Day = Annotated[date, BeforeValidator(_written_out), Field(ge=date(1900, 1, 1), le=date(2200, 12, 31))]


def _with_english(names: dict[str, str]) -> dict[str, str]:
    if "en" not in names:
        raise PydanticCustomError("english_name", "The English name is needed: others fall back to it.")
    return names


def _english_stays(names: dict[str, str | None]) -> dict[str, str | None]:
    if "en" in names and names["en"] is None:
        raise PydanticCustomError("english_name", "The English name can be changed, not taken away.")
    return names


class TermIn(Received):
    """A new term of a scheme."""

    code: Annotated[NewCode, Field(examples=["loneliness"])]
    names: Annotated[
        dict[LanguageTag, Line],
        EachLanguageOnce,
        Field(max_length=MOST_LANGUAGES, description="By language.", examples=[{"en": "Loneliness"}]),
        AfterValidator(_with_english),
    ]
    definition: Definition | None = None
    position: Annotated[Position | None, Field(description="None: at the end.")] = None
    begins_on: Annotated[Day | None, Field(alias="from", description="The first day on which it may be used.")] = None


class TermChangeIn(Received):
    """Fields of a term to change; the others stay. To retire it say `until`; to bring it back say null there."""

    names: Annotated[
        dict[LanguageTag, Line | None],
        EachLanguageOnce,
        Field(max_length=MOST_LANGUAGES, description="Laid over the known ones; null takes a language away."),
        AfterValidator(_english_stays),
    ] = {}
    definition: Definition | None = None
    position: Annotated[Position, Field()] = 0
    begins_on: Annotated[Day | None, Field(alias="from")] = None
    retired_on: Annotated[
        Day | None, Field(alias="until", description="The first day on which new activities may not carry it.")
    ] = None
    replaced_by: Annotated[Code | None, Field(description="The term of the same scheme to use instead.")] = None

    @model_validator(mode="after")
    def _names_a_field(self) -> TermChangeIn:
        if not self.model_fields_set:
            raise PydanticCustomError("nothing", "Name at least one field.")
        return self


class MappingIn(Received):
    """How one term lies to another."""

    relation: Relation
    note: Annotated[Definition | None, Field(description="Why, in a sentence.")] = None
    ours: Annotated[bool, Field(strict=True, description="False where ESN or another body has published it.")] = True


class Term(Sent):
    """A code and its name in the language that was asked for, else in English."""

    code: str
    name: str
    definition: str | None


class TermOut(Sent):
    """A term with all that is known of it."""

    scheme: str
    code: str
    name: str = Field(description="In the language that was asked for, else in English.")
    names: dict[str, str] = Field(description="By language.")
    definition: str | None
    position: int
    begins_on: date | None = Field(serialization_alias="from", description="Null: with its scheme.")
    retired_on: date | None = Field(
        serialization_alias="until", description="The first day on which new activities may not carry it."
    )
    replaced_by: str | None
    in_use: bool = Field(description="Whether new activities may carry it today.")
    uri: str
    revision: int
    updated_at: datetime


class SchemeOut(Sent):
    """A code list of one generation."""

    code: str
    title: str
    version: int = Field(description="Counts the changes of its terms.")
    authority: str = Field(description="Whose words they are.")
    official: bool = Field(description="False where the words are ours.")
    complete: bool = Field(description="Whether every term of it is known here.")
    kept_here: bool = Field(description="Whether ESN International can change it here.")
    first_year: int | None = Field(serialization_alias="from")
    last_year: int | None = Field(serialization_alias="until", description="Null: to this day.")
    replaced_by: str | None
    source: str
    uri: str
    updated_at: datetime


class VersionOut(Sent):
    """One change of a scheme."""

    version: int
    code: str
    actor_role: str
    at: datetime


class SchemeWithTerms(SchemeOut):
    """A scheme with every term it ever had, and what changed in it since it was entered."""

    language: str
    terms: list[TermOut]
    versions: list[VersionOut] = Field(description="The latest first.")


class Taxonomies(Sent):
    """The code lists of SocialErasmus: what an activity of today may carry."""

    language: str
    areas: list[Term]
    causes: list[Term]
    objectives: list[Term]
    sdgs: list[Term]
    kinds: list[Term]
    programmes: list[Term]
    modes: list[Term]
    schemes: list[SchemeOut]


class MappingOut(Sent):
    """How one term lies to another: `areas:health` has a close match in `causes:health-well-being`."""

    source: str = Field(serialization_alias="from")
    target: str = Field(serialization_alias="to")
    relation: Relation
    note: str | None
    ours: bool = Field(description="A proposal of ours: ESN has published none.")
    revision: int
    updated_at: datetime


class MappingList(Sent):
    """The crosswalk, or a part of it; a list of some dozens needs no pages."""

    items: list[MappingOut]
    next: None


class MappingContent(Sent):
    """What a mapping says, in its history."""

    relation: Relation
    note: str | None
    ours: bool


class MappingChangeOut(Sent):
    """Who changed a mapping, when, from what to what; null where there was none."""

    revision: int
    actor_id: UUID | None
    actor_role: str
    at: datetime
    before: MappingContent | None
    after: MappingContent | None


class MappingHistoryList(Sent):
    """Every change of one mapping, the latest first."""

    items: list[MappingChangeOut]
    next: None


class ReasonOut(Sent):
    """Why something is suggested."""

    source: str = Field(serialization_alias="from")
    relation: Relation
    note: str | None
    ours: bool


class SuggestionOut(Sent):
    """A term that what was named leads to."""

    code: str
    name: str
    because: list[ReasonOut]


class Suggestions(Sent):
    """Causes and goals that the crosswalk leads to, the closest first; nothing is filled in for anybody."""

    causes: list[SuggestionOut]
    sdgs: list[SuggestionOut]
