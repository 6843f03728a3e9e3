"""What a past report's row says, in the words of the reports that organisers write today."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

from services.impact.reports.past_rows import PastReportRow
from services.impact.reports.rules import Qualifier

_CENT = Decimal("0.01")
_FROM_EXACT_TO_VAGUE = list(Qualifier)


class PastQuantity(NamedTuple):
    """An amount of one measure in one unit."""

    measure: str
    unit: str
    amount: Decimal
    qualifier: Qualifier


def figures_of(row: PastReportRow) -> dict[str, Any]:
    """The columns of a report: people by class, and the duration times the people where both are known."""
    stated = row.participants_total is not None
    hours = None
    if row.hours is not None and row.participants_total is not None:
        hours = (row.hours * row.participants_total).quantize(_CENT)
    return {
        "outcome": row.outcome,
        "international": row.international,
        "local": row.locals,
        "esn_volunteer": row.esn_volunteers,
        "unclassified": row.unclassified if stated else None,
        "hours": hours,
        "partner": row.partner,
    }


def quantities_of(row: PastReportRow) -> list[PastQuantity]:
    """Each measure and unit once; a sum is as vague as the vaguest of its parts."""
    found: dict[tuple[str, str], PastQuantity] = {}
    for each in row.quantities:
        key, amount, qualifier = (each.measure, each.unit), each.amount, Qualifier(each.qualifier)
        if key in found:
            amount += found[key].amount
            qualifier = max(qualifier, found[key].qualifier, key=_FROM_EXACT_TO_VAGUE.index)
        found[key] = PastQuantity(each.measure, each.unit, amount, qualifier)
    return list(found.values())
