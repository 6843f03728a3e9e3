"""The units of quantities: a closed list of UCUM codes, so that one thing has one total, and ISO 4217 for money."""

from __future__ import annotations

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

_IN_USE_OR_IN_OLD_REPORTS = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY
    COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS
    INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP
    MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR
    SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV
    WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
    EEK HRK LTL LVL
"""
CURRENCIES = frozenset(_IN_USE_OR_IN_OLD_REPORTS.split())
"""Currencies in use, and those that past reports were written in before the euro."""


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
