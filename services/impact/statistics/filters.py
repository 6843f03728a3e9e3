"""The query parameters of the figures: which activities, of when, in which words; each fault names its parameter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final

from fastapi import Depends, Query
from pydantic import Field, StringConstraints

from services.impact.disclosure.rules import refuse_protected
from services.impact.statistics import answering, periods, rules
from services.impact.statistics.measures import DEFAULT_MEASURES, DIMENSIONS, MEASURES, with_their_parts
from services.impact.statistics.periods import Relative
from services.impact.statistics.rules import CLASSES, UNCLASSIFIED, Asked, Counting
from services.kernel.problems import FieldError, Invalid
from services.kernel.runtime import Reading
from services.kernel.texts import AssignedCountryCode, Code, Day

Month = Annotated[str, StringConstraints(pattern=r"^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])$")]
AcademicYear = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}/[0-9]{2}$")]
Class = Annotated[str, StringConstraints(pattern=rf"^({'|'.join((*CLASSES, UNCLASSIFIED))})$")]
Goal = Annotated[int, Field(ge=1, le=17)]
_Some = Field(max_length=200)
_EDITIONS: Final = {"last": Relative.LAST_EDITION, "this": Relative.THIS_EDITION}


@dataclass(frozen=True, slots=True)
class When:
    """The period that is asked about, in codes and days, and the relative period that it was asked for by."""

    codes: dict[str, tuple[str, ...]]
    since: date | None
    until: date | None
    told: dict[str, Any] | None = None


async def _when(
    session: Reading,
    edition: Annotated[
        list[Code], Query(description="as 2026-autumn; `last` is the last that is over, `this` is under way"), _Some
    ] = [],
    academic_year: Annotated[list[AcademicYear], Query(description="1 August to 31 July, as 2026/27"), _Some] = [],
    month: Annotated[list[Month], Query(description="as 2026-11"), _Some] = [],
    since: Annotated[Day | None, Query(alias="from", description="The first day on which an activity starts.")] = None,
    until: Annotated[Day | None, Query(alias="to", description="The last day on which an activity starts.")] = None,
    period: Annotated[
        Relative | None, Query(description="In the place of every other period; the answer tells what it means today.")
    ] = None,
) -> When:
    if since is not None and until is not None and since > until:
        raise Invalid.at("query/to", "Must not lie before `from`.")
    given = {"edition": edition, "academic_year": academic_year, "month": month}
    codes = {name: tuple(dict.fromkeys(values)) for name, values in given.items() if values}
    if period is not None:
        others = [*codes, *(name for name, day in (("from", since), ("to", until)) if day is not None)]
        if others:
            raise Invalid.at("query/period", f"Contradicts {' and '.join(others)}: a relative period stands alone.")
        return When(*await answering.resolved(session, period, "query/period"))
    told = None
    if {*edition} & _EDITIONS.keys():
        if len(edition) > 1:
            raise Invalid.at("query/edition", "`last` and `this` stand alone.")
        resolved = When(*await answering.resolved(session, _EDITIONS[edition[0]], "query/edition/0"))
        codes["edition"], told = resolved.codes["edition"], resolved.told
    _check_calendar(codes, since, until)
    return When(codes, since, until, told)


def _check_calendar(codes: dict[str, tuple[str, ...]], since: date | None, until: date | None) -> None:
    """Refuse months, academic years and days that have no day in common."""
    spans = {
        "academic_year": [_academic_year(number, each) for number, each in enumerate(codes.get("academic_year", ()))],
        "month": [periods.days_of_month(each) for each in codes.get("month", ())],
    }
    if since is not None or until is not None:
        spans["from"] = [(since or date.min, until or date.max)]
    faults, seen = [], list[str]()
    for name, found in spans.items():
        for other in seen if found else ():
            if all(periods.apart(one, two) for one in found for two in spans[other]):
                detail = f"Contradicts {other}: no day lies in both, so that nothing could be found."
                faults.append(FieldError(pointer=f"query/{name}", detail=detail))
        seen += [name] if found else []
    if faults:
        raise Invalid(errors=faults)


def _academic_year(number: int, code: str) -> periods.Span:
    if not (1900 <= int(code[:4]) <= 2199 and int(code[5:]) == (int(code[:4]) + 1) % 100):
        raise Invalid.at(f"query/academic_year/{number}", "Must be two years that follow each other, as 2026/27.")
    return periods.academic_year(code)


Period = Annotated[When, Depends(_when, scope="function")]
"""When the activities asked about start."""


Codes = dict[str, tuple[str, ...]]
"""The codes that are asked for, by dimension."""


async def _where(
    country: Annotated[list[AssignedCountryCode], Query(), _Some] = [],
    section: Annotated[list[Code], Query(description="The leading section."), _Some] = [],
    platform: Annotated[
        list[Code], Query(description="The regional platform of the country on the activity's first day."), _Some
    ] = [],
    home_country: Annotated[list[str], Query(include_in_schema=False)] = [],
    mobility: Annotated[list[str], Query(include_in_schema=False)] = [],
    age_band: Annotated[list[str], Query(include_in_schema=False)] = [],
    background: Annotated[list[str], Query(include_in_schema=False)] = [],
) -> dict[str, tuple[str, ...]]:
    protected = {"home_country": home_country, "mobility": mobility, "age_band": age_band, "background": background}
    for name, given in protected.items():
        if given:
            # Whoever looks for them is told where they are, and not that nobody knows the word.
            refuse_protected(name, [name])
    return _codes(country=country, section=section, platform=platform)


Where = Annotated[dict[str, tuple[str, ...]], Depends(_where)]
"""Where the activities asked about are."""


async def _what(
    area: Annotated[list[Code], Query(description="The main area; with counting=touches any."), _Some] = [],
    cause: Annotated[list[Code], Query(description="The main cause; with counting=touches any."), _Some] = [],
    sdg: Annotated[list[Goal], Query(description="Any of the activity's."), _Some] = [],
    objective: Annotated[list[Code], Query(description="Any of the activity's."), _Some] = [],
    kind: Annotated[list[Code], Query(), _Some] = [],
    programme: Annotated[list[Code], Query(), _Some] = [],
    source: Annotated[list[Code], Query(description="check_in, organiser or import"), _Some] = [],
    participant_class: Annotated[list[Class], Query(description="Of people and check-ins only."), _Some] = [],
) -> dict[str, tuple[str, ...]]:
    return _codes(
        area=area, cause=cause, sdg=[str(number) for number in sdg], objective=objective, kind=kind,
        programme=programme, source=source, participant_class=participant_class,
    )  # fmt: skip


def _codes(**given: list[str]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(dict.fromkeys(values)) for name, values in given.items() if values}


What = Annotated[dict[str, tuple[str, ...]], Depends(_what)]
"""Of what the activities asked about are."""

Counted = Annotated[
    Counting,
    Query(
        description="`main`: at the main area and cause. `touches`: at each that an activity has, so that the items "
        "can add up to more than the total, in which each counts once. SDGs and objectives are always touches."
    ),
]

Measures = Annotated[
    list[str], Query(description=f"Any of {', '.join(MEASURES)}. With a ratio comes what it is made of.")
]


def measured(measures: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The measures to tell, and those among them that were named."""
    named = rules.names("measures", measures, MEASURES)
    return with_their_parts(named or DEFAULT_MEASURES), named


async def _asked(
    where: Where,
    what: What,
    when: Period,
    by: Annotated[
        list[str], Query(description=f"Any of {', '.join(DIMENSIONS)}; repeated or separated by commas.")
    ] = [],
    measures: Measures = [],
    counting: Counted = Counting.MAIN,
) -> Asked:
    refuse_protected("by", by)
    wanted, named = measured(measures)
    codes = {**where, **what, **when.codes}
    return asked_of(
        rules.names("by", by, DIMENSIONS), wanted, codes,
        since=when.since, until=when.until, counting=counting, named=named,
    )  # fmt: skip


def asked_of(
    by: tuple[str, ...],
    measures: tuple[str, ...],
    codes: dict[str, tuple[str, ...]],
    *,
    since: date | None = None,
    until: date | None = None,
    counting: Counting = Counting.MAIN,
    named: tuple[str, ...] = (),
) -> Asked:
    """A question that has an answer; filters stand in the order of the dimensions."""
    in_order: dict[str, tuple[str, ...]] = {name: codes[name] for name in DIMENSIONS if name in codes}
    asked = Asked(by, measures, in_order, since, until, counting)
    rules.check(asked, named=named)
    return asked


Question = Annotated[Asked, Depends(_asked)]
"""What a reader of the statistics asks."""
