"""Past activities as `real_activities.csv` gives them: the half of a row that belongs to the catalogue."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from services.activities.directory.country_codes import OTHER_CODES, country_of
from services.activities.past.past_dates import DatePrecision, contradictions, dates_of
from services.activities.past.past_organisers import organiser_of
from services.activities.taxonomies.rules import AREAS, CAUSES, KINDS, OBJECTIVES, SDGS
from services.kernel.import_values import choice, listed, needed, needed_choice, text
from services.kernel.imports import Refused, Remark

COLUMNS = (
    "id",
    "title",
    "section",
    "section_code",
    "city",
    "country",
    "start_date",
    "end_date",
    "date_certainty",
    "area_2015",
    "kind",
    "status",
    "source_url",
)
OPTIONAL_COLUMNS = (
    "area_certainty",
    "esn_cause_2019",
    "participants_total",
    "international",
    "locals",
    "esn_volunteers",
    "hours",
    "quantities",
    "partner",
    "sdgs_stated",
    "objectives_stated",
    "summary",
    "source_type",
)

Programme = Literal["socialerasmus", "erasmus_in_schools"]
Mode = Literal["physical", "online", "hybrid"]
Outcome = Literal["held", "cancelled", "announced"]

CAUSE_OF_AREA: Mapping[str, str] = {
    "animals": "environmental-sustainability",
    "disasters": "social-inclusion",
    "discrimination": "social-inclusion",
    "education": "education-youth",
    "environment": "environmental-sustainability",
    "health": "health-well-being",
    "poverty": "social-inclusion",
    "violence": "social-inclusion",
}
"""Our own crosswalk from the eight areas of 2015 to the six causes of 2018; ESN has published none."""

_AREAS = {area: area for area in AREAS}
_CAUSES = {name.casefold(): cause for cause, name in CAUSES.items()}
_OBJECTIVES = {name.casefold(): objective for objective, name in OBJECTIVES.items()}
_KINDS = {kind.replace("_", " "): kind for kind in KINDS}
_OUTCOMES: Mapping[str, Outcome] = {
    "done": "held",
    "no participants": "held",
    "cancelled": "cancelled",
    "announced": "announced",
}
_ERASMUS_IN_SCHOOLS = re.compile(r"\bErasmus in Schools?\b|\bEiS\b")
_IN_SCHOOLS = re.compile(r"\bin schools?\b", re.IGNORECASE)
_ONLINE_ACTIVITY = re.compile(r"\bonline (activity|event)\b", re.IGNORECASE)
_GRANT = re.compile(r"\bgrant\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PastActivityRow:
    """One activity of the past; `starts_on` and `ends_on` are inclusive and as wide as `date_precision` says.

    `known_start` is the first day where the source gives it to the day, else None: only that may decide on an edition.
    `area`, `cause`, `kind` and `objectives` are codes of the taxonomies; `area_certain` and `cause_certain` say that
    the source states them.
    """

    source_id: str
    title: str
    summary: str | None
    organiser_name: str | None
    section_code: str | None
    section_certain: bool
    joint: bool
    city: str | None
    country: str | None
    starts_on: date | None
    ends_on: date | None
    known_start: date | None
    date_precision: DatePrecision
    date_certainty: str
    area: str | None
    area_certain: bool
    cause: str | None
    cause_certain: bool
    kind: str
    programme: Programme
    mode: Mode
    outcome: Outcome
    partners: tuple[str, ...]
    sdgs: tuple[int, ...]
    objectives: tuple[str, ...]
    source_url: str


def past_activity(values: Mapping[str, Any]) -> tuple[PastActivityRow, list[Remark]]:
    """Read one row; raise Refused for impossible dates and for an unknown area, cause, kind, status or country."""
    remarks: list[Remark] = []
    title = needed(values, "title", longest=200)
    organiser = organiser_of(values, remarks)
    country = _country(values, organiser.section_code, remarks)
    city = text(values, "city", longest=100)
    dates = dates_of(values, remarks)
    remarks += contradictions(title, dates)
    area = choice(values, "area_2015", _AREAS)
    if area is None:
        remarks.append(Remark("area_2015", "no area is given"))
    stated_cause = choice(values, "esn_cause_2019", _CAUSES)
    summary = text(values, "summary", longest=2_000)
    outcome = needed_choice(values, "status", _OUTCOMES)
    if outcome == "announced":
        remarks.append(Remark("status", "was announced; whether it took place is not known, so it is not counted"))
    activity = PastActivityRow(
        source_id=needed(values, "id", longest=40),
        title=title,
        summary=summary,
        organiser_name=organiser.name,
        section_code=organiser.section_code,
        section_certain=organiser.section_certain,
        joint=organiser.joint,
        city=city,
        country=country,
        starts_on=dates.starts_on,
        ends_on=dates.ends_on,
        known_start=dates.known_start,
        date_precision=dates.precision,
        date_certainty=dates.certainty,
        area=area,
        area_certain=area is not None and text(values, "area_certainty") == "stated",
        cause=stated_cause or (CAUSE_OF_AREA[area] if area else None),
        cause_certain=stated_cause is not None,
        kind=needed_choice(values, "kind", _KINDS),
        programme=_programme(title, remarks),
        mode=_mode(summary or "", remarks),
        outcome=outcome,
        partners=_partners(values, remarks),
        sdgs=_sdgs(values),
        objectives=_objectives(values, remarks),
        source_url=_source_url(values),
    )
    return activity, remarks


def _country(values: Mapping[str, Any], section_code: str | None, remarks: list[Remark]) -> str | None:
    given = text(values, "country")
    if given is None:
        remarks.append(Remark("country", "no country is given, so the activity counts in no country's total"))
        return None
    country = country_of(given)
    if country is None:
        raise Refused("country", f"{given!r} is not a country of the network")
    if given.upper() in OTHER_CODES:
        remarks.append(Remark("country", f"{given} was read as {country}"))
    if section_code and country_of(section_code[:2]) != country:
        remarks.append(Remark("country", f"took place in {country}, the section is {section_code}"))
    return country


def _programme(title: str, remarks: list[Remark]) -> Programme:
    if _ERASMUS_IN_SCHOOLS.search(title):
        return "erasmus_in_schools"
    if _IN_SCHOOLS.search(title):
        remarks.append(Remark("title", f"{title!r} does not say Erasmus in Schools, so the programme is SocialErasmus"))
    return "socialerasmus"


def _mode(summary: str, remarks: list[Remark]) -> Mode:
    if _ONLINE_ACTIVITY.search(summary):
        remarks.append(Remark("summary", "calls the activity an online one"))
        return "online"
    if "online" in summary.casefold():
        remarks.append(Remark("summary", "speaks of an online part, so the activity is taken as a hybrid one"))
        return "hybrid"
    return "physical"


def _partners(values: Mapping[str, Any], remarks: list[Remark]) -> tuple[str, ...]:
    named = listed(values, "partner")
    grants = [name for name in named if _GRANT.search(name)]
    remarks += [Remark("partner", f"{grant!r} is money, not a partner, and was left out") for grant in grants]
    return tuple(name for name in named if name not in grants)


def _sdgs(values: Mapping[str, Any]) -> tuple[int, ...]:
    goals = listed(values, "sdgs_stated")
    if any(goal not in map(str, SDGS) for goal in goals):
        raise Refused("sdgs_stated", f"{'; '.join(goals)!r} are not goals from 1 to 17")
    return tuple(sorted(int(goal) for goal in goals))


def _objectives(values: Mapping[str, Any], remarks: list[Remark]) -> tuple[str, ...]:
    named = listed(values, "objectives_stated", longest=2_000)
    # The list of ESN's objectives is not known as a whole, so a foreign word is no fault of the row.
    unknown = [name for name in named if name.casefold() not in _OBJECTIVES]
    remarks += [Remark("objectives_stated", f"{name!r} is no objective that is known; left out") for name in unknown]
    return tuple(_OBJECTIVES[name.casefold()] for name in named if name not in unknown)


def _source_url(values: Mapping[str, Any]) -> str:
    address = needed(values, "source_url", longest=2_000)
    if not re.fullmatch(r"https?://[^\s/]+\.[^\s/]+(/\S*)?", address):
        raise Refused("source_url", f"{address!r} is not an address on the web")
    return address
