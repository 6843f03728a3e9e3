"""What goes over the wire about sections, countries and platforms."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from services.activities.directory.platforms import Certainty
from services.kernel.texts import Code, Day, LanguageTag, Line, Link, Name, Received, Sent, Zone

MOST_MEMBERSHIPS = 50
MOST_RECORDS = 5_000


class SectionOut(Sent):
    """A local section of ESN."""

    code: str
    name: str
    country: str
    platform: str | None = Field(description="The regional platform of its country today.")
    cities: list[str]
    university: str | None
    website: str | None
    latitude: float | None
    longitude: float | None
    state: str
    same_as: str | None = Field(description="The code of the same section in another list.")
    merged_into: str | None = Field(description="The section that took it over.")
    languages: list[str] = Field(description="BCP 47; those of its country unless it says otherwise.")
    time_zone: str
    distance_km: float | None = Field(description="In a list with `near`: how far away it is.")


class SectionPage(Sent):
    """One page of sections."""

    items: list[SectionOut]
    next: str | None


def _unique(values: list[str]) -> list[str]:
    if len(set(values)) != len(values):
        raise PydanticCustomError("not_unique", "Names something twice.")
    return values


def _without_defaults(schema: dict[str, Any]) -> None:
    # What is not sent stays: a client that sent every default would change it all.
    for field in schema["properties"].values():
        field.pop("default", None)


class SectionChanges(Received):
    """Any fields of a section; the others stay. `state` and `merged_into` are for ESN International."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)

    website: Link | None = None
    time_zone: Zone = Field(default="")
    languages: Annotated[list[LanguageTag], Field(min_length=1, max_length=20), AfterValidator(_unique)] | None = Field(
        default=None, description="null: those of its country."
    )
    cities: Annotated[list[Line], AfterValidator(_unique)] = Field(default=[], max_length=10)
    latitude: Annotated[float, Field(strict=True, ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(strict=True, ge=-180, le=180)] | None = None
    state: Literal["active", "warned", "merged", "withdrew"] = Field(default="active")
    merged_into: Code | None = None

    @model_validator(mode="after")
    def _whole(self) -> SectionChanges:
        if not self.model_fields_set:
            raise PydanticCustomError("nothing_named", "Name at least one field.")
        position = {"latitude", "longitude"}
        if len(position & self.model_fields_set) == 1 or (self.latitude is None) != (self.longitude is None):
            raise PydanticCustomError("half_a_position", "Give latitude and longitude, or neither.")
        return self


class OrganisationOut(Sent):
    """The national organisation of a country."""

    name: str
    website: str | None


class OrganisationEntryOut(Sent):
    """The national organisation of a country, to be changed; null where none is known."""

    country: str
    name: str | None
    website: str | None
    revision: int = Field(description="How often it was edited here; 0: it is as the last list had it.")


class OrganisationIn(Received):
    """A national organisation. From now on no list overwrites it."""

    name: Name
    website: Link | None = None


class OrganisationStateOut(Sent):
    """What an entry said."""

    name: str | None
    website: str | None


class OrganisationChangeOut(Sent):
    """A change of a national organisation's entry."""

    revision: int
    at: datetime
    by: str = Field(description="The role of whoever did it.")
    before: OrganisationStateOut
    after: OrganisationStateOut


class OrganisationHistoryPage(Sent):
    """One page of a national organisation's history."""

    items: list[OrganisationChangeOut]
    next: str | None


class CountryOut(Sent):
    """A country of the network."""

    code: str
    name: str
    organisation: OrganisationOut | None
    sections_active: int
    platform: str | None = Field(description="Its regional platform today.")


class CountryList(Sent):
    """Every country that has a section, or whose national organisation is known."""

    items: list[CountryOut]
    next: None


class MembershipOut(Sent):
    """A country's time in a regional platform, from a day until before another; null where it is not known."""

    country: str
    country_name: str
    platform: str
    starts_on: date | None = Field(serialization_alias="from")
    ends_on: date | None = Field(serialization_alias="until", description="The first day after it.")
    certainty: str = Field(description="`stated` by a list of that time, or `inferred` from others.")
    source: str | None


class MembershipList(Sent):
    """A country's memberships, the first one first."""

    items: list[MembershipOut]
    next: None


class PlatformOut(Sent):
    """A regional platform with its members on a day."""

    code: str
    name: str
    members: list[MembershipOut]


class PlatformList(Sent):
    """Every regional platform with its members on a day."""

    on: date
    items: list[PlatformOut]
    next: None


class PlatformHistoryOut(Sent):
    """A regional platform with its members today, and everybody who ever was one."""

    code: str
    name: str
    members: list[MembershipOut]
    history: list[MembershipOut]


class MembershipIn(Received):
    """A country's time in a regional platform."""

    platform: Code
    starts_on: Day | None = Field(default=None, alias="from", description="null: its beginning is not known.")
    ends_on: Day | None = Field(default=None, alias="until", description="The first day after it; null: no end known.")
    certainty: Certainty = "stated"
    source: Line | None = None


class MembershipsIn(Received):
    """All memberships of a country; what is not among them was none."""

    memberships: list[MembershipIn] = Field(max_length=MOST_MEMBERSHIPS)


class SyncIn(Received):
    """Records of ESN Accounts (`accounts_sections_v2`): all sections of the network."""

    records: list[dict[str, Any]] = Field(min_length=1, max_length=MOST_RECORDS)


class FieldChangeOut(Sent):
    """A field that the list would change, or would have but for an edit made here."""

    field: str
    now: Any
    source: Any


class EntryOut(Sent):
    """A section of the report."""

    code: str
    name: str
    state: str


class GoneOut(EntryOut):
    """A section that the list no longer names; it is never deleted."""

    proposed: Literal["withdrew"] | None = Field(
        description="null where a refused record says not whose it is: it may be this one's."
    )


class ChangedOut(Sent):
    """A section with the fields that would change, or that are kept though the list says otherwise."""

    code: str
    fields: list[FieldChangeOut]


class SuspectOut(Sent):
    """A new code and one that is gone, which may be the same section: for people to judge."""

    old: str
    new: str
    reasons: list[str]


class RefusedOut(Sent):
    """A record that can't be taken, by its number from 1."""

    record: int
    code: str | None
    field: str | None
    reason: str


class ReportOut(Sent):
    """What a list of sections would change."""

    new: list[EntryOut]
    changed: list[ChangedOut]
    merged: list[str] = Field(description="Codes of which the list newly says that they merged.")
    gone: list[GoneOut]
    suspected: list[SuspectOut]
    kept: list[ChangedOut] = Field(description="What the sections or this directory state themselves.")
    refused: list[RefusedOut]
    remarks: list[RefusedOut] = Field(description="What was put right in records that are taken.")
    unchanged: int


class SyncOut(Sent):
    """A list of sections that was sent, and what it would change."""

    id: UUID
    digest: str
    created_at: datetime
    applied_at: datetime | None
    report: ReportOut
