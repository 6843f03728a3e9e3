"""What amounts are amounts of: a list of known measures, each with its units and the most that one activity moves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import Final

from services.impact.reports.units import BASES, OF_LITTLE_VALUE, UCUM
from services.kernel.currencies import CURRENCIES

MONEY: Final = "money"
"""The measure whose unit is a currency."""

OTHER: Final = "other:"
"""How the code of a measure begins that is not in the list, as `other:benches_painted`."""

MOST_MONEY: Final = Decimal(100_000)
MOST_MONEY_OF_LITTLE_VALUE: Final = Decimal(100_000_000)

_OTHER_CODE: Final = re.compile(r"other:[a-z][a-z0-9]*(_[a-z0-9]+)*")
_CLOSE_ENOUGH: Final = 0.6


@dataclass(frozen=True, slots=True)
class Measure:
    """A thing that activities collect, give, plant or do.

    `most` is what no single activity is likely to move, in the base unit of each kind of unit that fits.
    """

    title: str
    most: Mapping[str, Decimal]

    @property
    def units(self) -> tuple[str, ...]:
        """The units that fit, as kg, g and t for what is weighed."""
        return tuple(unit for unit in UCUM if BASES[unit].unit in self.most)


def _measure(title: str, **most: int) -> Measure:
    names = {"count": "1"}
    return Measure(title, {names.get(base, base): Decimal(amount) for base, amount in most.items()})


KNOWN: Final[Mapping[str, Measure]] = {
    "waste": _measure("Waste collected", kg=100_000, l=1_000_000),
    "waste_bags": _measure("Bags of waste collected", count=5_000),
    "cigarette_butts": _measure("Cigarette butts collected", count=1_000_000),
    "recycled": _measure("Goods recycled", kg=100_000, count=100_000),
    "trees": _measure("Trees planted", count=20_000),
    "plants": _measure("Other plants planted", count=50_000),
    "cuttings": _measure("Cuttings planted", count=50_000),
    "seeds": _measure("Seeds sown", count=1_000_000, kg=1_000),
    "acorns": _measure("Acorns planted", kg=5_000, count=500_000),
    "area_cleaned": _measure("Area cleaned", m2=1_000_000),
    "shore_cleaned": _measure("Shore or path cleaned", m=100_000),
    "food": _measure("Food collected or given", kg=50_000, l=20_000),
    "food_boxes": _measure("Boxes of food", count=5_000),
    "meals": _measure("Meals cooked or served", count=10_000),
    "clothes": _measure("Clothes collected or given", kg=20_000),
    "garments": _measure("Garments collected or given", count=20_000),
    "goods_boxes": _measure("Boxes of clothes and necessities", count=5_000),
    "hygiene_products": _measure("Hygiene products", count=50_000, kg=10_000),
    "school_supplies": _measure("School supplies", count=50_000, kg=10_000),
    "toys": _measure("Toys", count=20_000, kg=10_000),
    "books": _measure("Books", count=50_000, kg=20_000),
    "blood": _measure("Blood donated", l=1_000),
    "donations": _measure("Donations of blood", count=2_000),
    "registered_donors": _measure("Donors registered", count=5_000),
    "hair": _measure("Hair donated", m=1_000, kg=100),
    "distance": _measure("Distance run, walked or cycled together", m=50_000_000),
    "animals": _measure("Animals helped", count=5_000),
    "dogs_walked": _measure("Dogs walked", count=2_000),
    "pet_food": _measure("Food for animals", kg=20_000, l=10_000),
    "schools": _measure("Schools visited", count=500),
    "classes": _measure("Classes visited", count=1_000),
    "pupils": _measure("Pupils reached", count=20_000),
    "lessons": _measure("Lessons given", count=1_000, h=2_000),
    "visits": _measure("Visits paid", count=1_000),
    "postcards": _measure("Postcards and letters written", count=20_000),
    "leaflets": _measure("Leaflets handed out", count=100_000),
    "signatures": _measure("Signatures collected", count=100_000),
    "people_informed": _measure("People informed in the street or online", count=500_000),
    "walls_painted": _measure("Walls and rooms painted", count=500, m2=20_000),
}
"""Every measure but money. What imports of the past read from prose is among them."""

_OF_ANYTHING: Final = _measure(
    "",
    **{"count": 1_000_000, "kg": 200_000, "l": 1_000_000, "m": 50_000_000, "m2": 5_000_000, "h": 20_000, "kW.h": 10**6},
)


def fault_of_measure(code: str) -> str | None:
    """Why there is no such measure, and which may be meant; None when there is one.

    >>> fault_of_measure("waste") is None and fault_of_measure("other:benches_painted") is None
    True
    >>> fault_of_measure("Tree")
    'Unknown measure; did you mean "trees"? GET /impact/v1/quantities lists them; others begin with "other:".'
    """
    if code in KNOWN or code == MONEY or _OTHER_CODE.fullmatch(code):
        return None
    wanted = code.removeprefix(OTHER).lower().replace(" ", "_").replace("-", "_")
    close = get_close_matches(wanted, [*KNOWN, MONEY], n=1, cutoff=_CLOSE_ENOUGH)
    meant = f'; did you mean "{close[0]}"?' if close else "."
    return f'Unknown measure{meant} GET /impact/v1/quantities lists them; others begin with "{OTHER}".'


def fault_of_unit(measure: str, unit: str) -> str | None:
    """Why a unit does not fit its measure, or None when it does.

    >>> fault_of_unit("waste", "kg") is None
    True
    >>> fault_of_unit("trees", "kg")
    'Must be one of: 1.'
    """
    if measure == MONEY:
        return None if unit in CURRENCIES else "Money needs a currency of ISO 4217, as EUR."
    units = units_of(measure)
    if unit in units:
        return None
    if unit in CURRENCIES:
        return 'A currency is the unit of the measure "money" only.'
    return f"Must be one of: {', '.join(units)}."


def units_of(measure: str) -> tuple[str, ...]:
    """The units that fit a measure; all of UCUM's that are known here for one that is not in the list."""
    return KNOWN[measure].units if measure in KNOWN else tuple(UCUM)


def most_of(measure: str, unit: str) -> Decimal:
    """More than this, in this unit, is not believed without being confirmed.

    >>> most_of("waste", "t"), most_of("waste", "g"), most_of("money", "HUF")
    (Decimal('100'), Decimal('100000000'), Decimal('100000000'))
    """
    if measure == MONEY or unit not in BASES:
        return MOST_MONEY_OF_LITTLE_VALUE if unit in OF_LITTLE_VALUE else MOST_MONEY
    base = BASES[unit]
    most = KNOWN.get(measure, _OF_ANYTHING).most
    # An imported amount may be in a unit that is taken from nobody today.
    return most.get(base.unit, _OF_ANYTHING.most[base.unit]) / base.factor
