"""The query parameters of the list, and what of them can't be: each fault names its parameter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, Query
from pydantic import Field

from services.activities.campaigns.known import EDITIONS
from services.activities.catalogue.details import Accessibility, Audience
from services.activities.directory.known import PLATFORMS, SECTIONS
from services.activities.finding.conditions import Filters
from services.activities.finding.facets import FACETS
from services.activities.finding.ways import MOST_RANKED, Sort
from services.activities.label.rules import LabelState
from services.activities.taxonomies import words
from services.kernel.globe import Near, written_place
from services.kernel.problems import FieldError, Invalid
from services.kernel.runtime import Running
from services.kernel.texts import AssignedCountryCode, Code, Currency, Instant, LanguageTag, Line

MOST_CODES: Final = 50
DEFAULT_RADIUS_KM: Final = 25.0
LARGEST_RADIUS_KM: Final = 1000.0


async def narrowed(
    runtime: Running,
    edition: Annotated[list[Code], Query(max_length=MOST_CODES, description="as 2026-autumn")] = [],
    country: Annotated[list[AssignedCountryCode], Query(max_length=MOST_CODES)] = [],
    section: Annotated[
        list[Code], Query(max_length=MOST_CODES, description="ESN code of any organiser, or of its successor")
    ] = [],
    platform: Annotated[list[Code], Query(max_length=MOST_CODES, description="of the country then, as NEP")] = [],
    area: Annotated[list[Code], Query(max_length=MOST_CODES)] = [],
    cause: Annotated[list[Code], Query(max_length=MOST_CODES)] = [],
    sdg: Annotated[list[Annotated[int, Field(ge=1, le=17)]], Query(max_length=MOST_CODES)] = [],
    objective: Annotated[list[Code], Query(max_length=MOST_CODES)] = [],
    kind: Annotated[list[Code], Query(max_length=MOST_CODES)] = [],
    programme: Annotated[list[Code], Query(max_length=MOST_CODES)] = [],
    mode: Annotated[list[Code], Query(max_length=MOST_CODES, description="physical, online or hybrid")] = [],
    audience: Annotated[list[Audience], Query(max_length=MOST_CODES, description="whom it is for")] = [],
    free: Annotated[
        bool | None, Query(description="Costs nothing; or, `false`, something. What states no cost is neither.")
    ] = None,
    max_cost: Annotated[
        Decimal | None,
        Query(ge=0, max_digits=9, decimal_places=2, description="At most so much in `currency`; what is free too."),
    ] = None,
    currency: Annotated[Currency | None, Query(description="Of `max_cost`, as EUR; others can't be compared.")] = None,
    part_of: Annotated[
        list[UUID], Query(max_length=MOST_CODES, description="The occurrences of a series, or a joint day's parts.")
    ] = [],
    language: Annotated[
        list[LanguageTag],
        Query(max_length=MOST_CODES, description="Written in it; pt also finds pt-BR, pt-BR only itself"),
    ] = [],
    accessible: Annotated[
        list[Accessibility], Query(max_length=MOST_CODES, description="as step-free; given twice, both are needed")
    ] = [],
    partner: Annotated[list[UUID], Query(max_length=MOST_CODES, description="id of a partner that takes part")] = [],
    label: Annotated[list[LabelState], Query(max_length=MOST_CODES, description="of the SocialErasmus label")] = [],
    since: Annotated[Instant | None, Query(alias="from", description="Ends at or after this instant.")] = None,
    until: Annotated[Instant | None, Query(alias="to", description="Starts before this instant.")] = None,
    updated_since: Annotated[Instant | None, Query()] = None,
    is_open: Annotated[bool | None, Query(alias="open", description="Takes sign-ups now and has a place.")] = None,
    near: Annotated[str | None, Query(max_length=60, description="LAT,LNG in degrees", examples=["40.68,8.2"])] = None,
    radius_km: Annotated[
        float | None,
        Query(gt=0, le=LARGEST_RADIUS_KM, allow_inf_nan=False, description=f"Around `near`; {DEFAULT_RADIUS_KM:g}."),
    ] = None,
    q: Annotated[
        Line | None,
        Query(
            description="Words in title, place, organisers, summary and partners; accents and word forms don't matter. "
            f"By relevance the {MOST_RANKED} latest that have them are listed, by another order all; facets count all."
        ),
    ] = None,
) -> Filters:
    """The activities that a reader wants, or a 422 that names every parameter at fault."""
    coded = {
        "areas": area,
        "causes": cause,
        "objectives": objective,
        "kinds": kind,
        "programmes": programme,
        "modes": mode,
    }
    faults = [
        *await EDITIONS.faults_of(runtime, edition),
        *await SECTIONS.faults_of(runtime, section),
        *await PLATFORMS.faults_of(runtime, platform),
        *await words.faults_of(runtime, coded),
    ]
    place = _near(near, radius_km, faults)
    if q is not None and not q:
        faults.append(FieldError(pointer="query/q", detail="Must hold a word."))
    if max_cost is not None and currency is None:
        detail = "`max_cost` needs a currency: amounts in others can't be compared."
        faults.append(FieldError(pointer="query/currency", detail=detail))
    if currency is not None and max_cost is None:
        faults.append(FieldError(pointer="query/currency", detail="A currency needs `max_cost`."))
    if since is not None and until is not None and since > until:
        faults.append(FieldError(pointer="query/to", detail="Must not lie before `from`."))
    if faults:
        raise Invalid(errors=faults)
    labels: dict[str, Sequence[str]] = {
        "edition": edition, "country": country, "section": section, "area": area, "cause": cause,
        "objective": objective, "sdg": [str(number) for number in sdg], "kind": kind, "programme": programme,
        "language": language, "platform": platform, "mode": mode, "audience": audience,
        "part_of": [str(identity) for identity in part_of], "free": [] if free is None else [str(free).lower()],
    }  # fmt: skip
    return Filters(
        labels={name: tuple(codes) for name, codes in labels.items() if codes},
        accessible=tuple(accessible),
        partners=tuple(partner),
        label_states=tuple(label),
        since=since,
        until=until,
        updated_since=updated_since,
        is_open=is_open,
        near=place,
        cost=None if max_cost is None or currency is None else (max_cost, currency),
        q=q,
    )


Narrowed = Annotated[Filters, Depends(narrowed)]
"""Which activities a reader wants, of the list and of every feed made from it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which activities a reader of the list wants, in which order, and the facets to count."""

    filters: Filters
    sort: Sort
    facets: tuple[str, ...]

    @property
    def is_plain(self) -> bool:
        """Whether it is a list by start without words or counts."""
        return self.sort is Sort.STARTS_AT and self.filters.q is None and not self.facets


async def asked(
    filters: Narrowed,
    sort: Annotated[
        Sort | None, Query(description="`relevance` needs `q` and is its default; `distance` needs `near`.")
    ] = None,
    facets: Annotated[
        str | None, Query(max_length=200, description=f"Names parted by commas, of {', '.join(FACETS)}.")
    ] = None,
) -> Asked:
    """The list that a reader wants, or a 422 that names every parameter at fault."""
    faults: list[FieldError] = []
    names = _facets(facets, faults)
    if sort is Sort.DISTANCE and filters.near is None:
        faults.append(FieldError(pointer="query/sort", detail="Sorting by distance needs `near`."))
    if sort is Sort.RELEVANCE and filters.q is None:
        faults.append(FieldError(pointer="query/sort", detail="Sorting by relevance needs `q`."))
    if faults:
        raise Invalid(errors=faults)
    return Asked(filters, sort or (Sort.RELEVANCE if filters.q else Sort.STARTS_AT), names)


Wanted = Annotated[Asked, Depends(asked)]
"""What a reader of the list asks for."""


def _near(written: str | None, radius_km: float | None, faults: list[FieldError]) -> Near | None:
    if written is None:
        if radius_km is not None:
            faults.append(FieldError(pointer="query/radius_km", detail="A radius needs `near`."))
        return None
    place = written_place(written)
    if place is None:
        faults.append(
            FieldError(
                pointer="query/near",
                detail="Must be LAT,LNG in degrees, as 40.68,8.2: between -90 and 90, and between -180 and 180.",
            )
        )
        return None
    return Near(*place, DEFAULT_RADIUS_KM if radius_km is None else radius_km)


def _facets(written: str | None, faults: list[FieldError]) -> tuple[str, ...]:
    if written is None:
        return ()
    names = tuple(dict.fromkeys(written.split(",")))
    if set(names) <= set(FACETS):
        return names
    detail = f"Must be names parted by commas, of {', '.join(FACETS)}."
    faults.append(FieldError(pointer="query/facets", detail=detail))
    return ()
