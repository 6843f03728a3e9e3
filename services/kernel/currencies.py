"""The currencies of ISO 4217, and how finely amounts of them are written."""

from __future__ import annotations

from decimal import Decimal

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

_HAVE_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_WITHOUT_DECIMALS = frozenset(_HAVE_NONE.split())


def written(amount: Decimal, currency: str) -> Decimal | None:
    """An amount with the decimals of its currency, two at most; None where it is finer than that.

    >>> written(Decimal("12.5"), "EUR"), written(Decimal("1200"), "JPY"), written(Decimal("12.5"), "JPY")
    (Decimal('12.50'), Decimal('1200'), None)
    """
    exact = amount.quantize(Decimal(1) if currency in _WITHOUT_DECIMALS else Decimal("0.01"))
    return exact if exact == amount else None
