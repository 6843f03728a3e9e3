"""Past activities as `real_activities.csv` gives them: the half of a row that belongs to the report."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from services.impact.reports.past_quantities import Quantity, quantities_in
from services.kernel.import_values import decimal, needed, needed_choice, text, whole_number
from services.kernel.imports import Refused, Remark

COLUMNS = (
    "id",
    "status",
    "participants_total",
    "international",
    "locals",
    "esn_volunteers",
    "hours",
    "quantities",
)

Outcome = Literal["held", "cancelled", "announced"]

_OUTCOMES: Mapping[str, Outcome] = {
    "done": "held",
    "no participants": "held",
    "cancelled": "cancelled",
    "announced": "announced",
}
_NOBODY_CAME = "no participants"
_LONGEST_DURATION = Decimal(1000)
_SPAN = re.compile(r"\b([0-9]{1,2}):([0-9]{2})-([0-9]{1,2}):([0-9]{2})\b")


@dataclass(frozen=True, slots=True)
class PastReportRow:
    """What happened, in persons; None is "not stated", and only a held activity has figures at all.

    Where anything is stated, `participants_total` is `international` + `locals` + `esn_volunteers` + `unclassified`.
    `hours` is the duration of the activity as the source gives it, in hours for each participant. For an event that
    people come to and leave (a blood donation from 10:00 to 15:00) it is the opening time and no one's own hours.
    """

    source_id: str
    outcome: Outcome
    participants_total: int | None
    international: int | None
    locals: int | None
    esn_volunteers: int | None
    unclassified: int
    hours: Decimal | None
    quantities: tuple[Quantity, ...]
    partner: str | None


@dataclass(frozen=True, slots=True)
class _People:
    total: int | None = None
    international: int | None = None
    locals: int | None = None
    esn_volunteers: int | None = None
    unclassified: int = 0


def past_report(values: Mapping[str, Any]) -> tuple[PastReportRow, list[Remark]]:
    """Read one row; raise Refused for an unknown status, for what is not a number, and for people where nobody came."""
    remarks: list[Remark] = []
    outcome = needed_choice(values, "status", _OUTCOMES)
    people = _people(values, remarks)
    hours = decimal(values, "hours")
    if hours is not None and not 0 < hours <= _LONGEST_DURATION:
        raise Refused("hours", f"{hours} is not a duration between 0 and {_LONGEST_DURATION} hours")
    quantities, left = quantities_in(text(values, "quantities", longest=1_000) or "", "quantities")
    remarks += left
    if outcome == "held":
        remarks += _doubts(text(values, "summary", longest=2_000) or "", people.total, hours)
    else:
        remarks += _figures_without_an_event(outcome, people, hours, quantities)
        people, hours, quantities = _People(), None, ()
    report = PastReportRow(
        source_id=needed(values, "id", longest=40),
        outcome=outcome,
        participants_total=people.total,
        international=people.international,
        locals=people.locals,
        esn_volunteers=people.esn_volunteers,
        unclassified=people.unclassified,
        hours=hours,
        quantities=quantities,
        partner=text(values, "partner"),
    )
    return report, remarks


def _people(values: Mapping[str, Any], remarks: list[Remark]) -> _People:
    """Make the total agree with its parts; whoever is in no class is unclassified."""
    total = whole_number(values, "participants_total")
    parts = [whole_number(values, column) for column in ("international", "locals", "esn_volunteers")]
    international, locals_, esn_volunteers = parts
    known = sum(part or 0 for part in parts)
    if text(values, "status") == _NOBODY_CAME:
        if total or known:
            raise Refused("status", f"says that nobody came, but {total or known} are counted")
        return _People(0, international, locals_, esn_volunteers)
    if total is None and all(part is None for part in parts):
        return _People()
    if total is None:
        total = known
    elif known > total:
        remarks.append(Remark("participants_total", f"{total} is less than its parts, {known}; the parts were taken"))
        total = known
    elif known < total and None not in parts:
        reason = f"{total} is more than its parts, {known}; the difference counts as unclassified"
        remarks.append(Remark("participants_total", reason))
    return _People(total, international, locals_, esn_volunteers, total - known)


def _doubts(summary: str, total: int | None, hours: Decimal | None) -> list[Remark]:
    """Say where the summary makes a number less exact than its column does."""
    remarks = []
    roughly = re.search(rf"\b(about|around|almost|nearly|over|more than) {total}\b(?!:)", summary, re.IGNORECASE)
    if total and roughly:
        remarks.append(Remark("participants_total", f"{total} is {roughly[0]!r} in the summary"))
    if hours is not None and (span := _SPAN.search(summary)):
        begin_hour, begin_minute, end_hour, end_minute = map(int, span.groups())
        if (end_hour - begin_hour) * 60 + end_minute - begin_minute == hours * 60:
            reason = f"{hours} h is the time of the whole event, {span[0]}; a participant may have stayed for less"
            remarks.append(Remark("hours", reason))
    return remarks


def _figures_without_an_event(
    outcome: str, people: _People, hours: Decimal | None, quantities: tuple[Quantity, ...]
) -> list[Remark]:
    figures = {
        "participants_total": people.total,
        "hours": hours,
        "quantities": "; ".join(quantity.text for quantity in quantities) or None,
    }
    return [
        Remark(column, f"the activity was {outcome}, so {figure} is not counted")
        for column, figure in figures.items()
        if figure is not None
    ]
