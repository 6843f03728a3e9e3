"""The units of quantities: a closed list of UCUM codes, so that one thing has one total, and ISO 4217 for money."""

from __future__ import annotations

from services.kernel.currencies import CURRENCIES

MONEY = "money"
"""The measure whose unit is a currency."""

COUNTED = "1"
"""UCUM's unit of what is counted: trees, boxes, garments."""

UCUM = {
    COUNTED: "counted",
    "g": "grams",
    "kg": "kilograms",
    "t": "tonnes",
    "ml": "millilitres",
    "l": "litres",
    "m": "metres",
    "km": "kilometres",
    "m2": "square metres",
    "har": "hectares",
    "m3": "cubic metres",
    "min": "minutes",
    "h": "hours",
    "kW.h": "kilowatt hours",
}


def fault_of_unit(measure: str, unit: str) -> str | None:
    """Why a unit does not fit its measure, or None when it does.

    >>> fault_of_unit("waste", "kg") is None
    True
    """
    if measure == MONEY:
        return None if unit in CURRENCIES else "Money needs a currency of ISO 4217, as EUR."
    if unit in UCUM:
        return None
    if unit in CURRENCIES:
        return 'A currency is the unit of the measure "money" only.'
    return f"Must be one of: {', '.join(UCUM)}."
