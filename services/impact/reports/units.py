"""The units of quantities: a closed list of UCUM codes, so that one thing has one total, and ISO 4217 for money."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

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


_LITTLE = (
    "ALL AMD COP CLP CRC DZD HUF IDR IQD IRR ISK JPY KHR KRW KZT LAK LBP MGA MMK MNT NGN PKR PYG RSD RUB TZS UGX UZS"
)
OF_LITTLE_VALUE = frozenset([*_LITTLE.split(), "VND", "XAF", "XOF", "YER"])
"""Currencies of which a sandwich costs hundreds."""


class Base(NamedTuple):
    """The unit in which amounts of one kind can be compared, and how much of it a unit is."""

    unit: str
    factor: Decimal


BASES = {
    COUNTED: Base(COUNTED, Decimal(1)),
    "g": Base("kg", Decimal("0.001")),
    "kg": Base("kg", Decimal(1)),
    "t": Base("kg", Decimal(1000)),
    "ml": Base("l", Decimal("0.001")),
    "l": Base("l", Decimal(1)),
    "m": Base("m", Decimal(1)),
    "km": Base("m", Decimal(1000)),
    "m2": Base("m2", Decimal(1)),
    "har": Base("m2", Decimal(10_000)),
    "m3": Base("l", Decimal(1000)),
    "min": Base("h", 1 / Decimal(60)),
    "h": Base("h", Decimal(1)),
    "kW.h": Base("kW.h", Decimal(1)),
}
"""Each unit of UCUM by its base; amounts are stored as they were reported and compared only."""
