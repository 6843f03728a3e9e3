"""Titles that contradict their date: months, seasons, feasts, years and dates, in six languages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Final, NamedTuple

from services.activities.review.rules import Described, Hint

MONTH_TOLERANCE: Final = timedelta(days=7)

Window = Callable[[int], tuple[date, date]]


class Period(NamedTuple):
    """A part of the year, with what it is called and the days between which nobody would wonder about the name."""

    name: str
    words: re.Pattern[str]
    window: Window


def _words(*written: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(written)})\b", re.IGNORECASE)


def _days(first: tuple[int, int], last: tuple[int, int]) -> Window:
    """From a day of a year to a day of the same year, or of the next one."""
    return lambda year: (date(year, *first), date(year + (last < first), *last))


def easter_sunday(year: int) -> date:
    """Easter of the western churches (Meeus, Jones and Butcher)."""
    century, of_century = divmod(year, 100)
    epact = (19 * (year % 19) + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (of_century // 4) - epact - of_century % 4) % 7
    month, day = divmod(epact + weekday - 7 * ((year % 19 + 11 * epact + 22 * weekday) // 451) + 114, 31)
    return date(year, month, day + 1)


def _around_easter(year: int) -> tuple[date, date]:
    # The eastern churches' Easter comes up to five weeks later.
    return easter_sunday(year) - timedelta(days=28), easter_sunday(year) + timedelta(days=49)


_FEASTS: Final = (
    Period(
        "Christmas",
        _words(
            r"christmas\w*", r"x-?mas", r"natale", r"nataliz\w+", r"navidad\w*", r"navideñ\w+", r"noël",
            r"weihnacht\w*", r"bożego narodzenia", r"boże narodzenie", r"wigili\w+",
        ),
        _days((11, 10), (1, 15)),
    ),
    Period(
        "St Nicholas",
        _words(
            # Whom a hospital or a street is named after says nothing of the date.
            r"(?:st\.?|saint|san|sankt) ni[ck]k?h?ol\w+(?! (?:hospital|church|school|home|cent|parish|square|street))",
            r"nikolaustag", r"mikołajk\w+",
        ),
        _days((11, 15), (12, 31)),
    ),
    Period(
        "Easter",
        _words(
            r"easter", r"pasqua", r"pasquett[ae]", r"pascua", r"pâques", r"ostern",
            r"oster(?:ei|eier|hase|fest|markt|feuer)\w*", r"wielkanoc\w*", r"wielkiejnocy",
        ),
        _around_easter,
    ),
    Period("Halloween", _words(r"hallowe'?en"), _days((10, 10), (11, 12))),
    Period(
        "Valentine's Day",
        _words(
            r"valentine['’]?s", r"san valentino", r"san valent[ií]n", r"saint[- ]valentin", r"valentinstag",
            r"walentynk\w+",
        ),
        _days((1, 31), (2, 28)),
    ),
)  # fmt: skip

_SEASONS: Final = (
    Period(
        "spring",
        _words(r"spring", r"primavera\w*", r"printemps", r"frühling\w*", r"frühjahr\w*", r"wiosn\w+", r"wiosenn\w+"),
        _days((1, 15), (7, 10)),
    ),
    Period(
        "summer",
        _words(r"summer", r"verano", r"sommer", r"sommerfest", r"(?<!\d-)(?<!\d )letni(?:a|ej?|ego)?"),
        _days((5, 1), (10, 10)),
    ),
    Period(
        "autumn",
        _words(r"autumn", r"autunn\w+", r"otoño\w*", r"automne", r"herbst", r"jesie[nń]\w*"),
        _days((8, 15), (1, 15)),
    ),
    # Winter clothes are collected from September on.
    Period(
        "winter",
        _words(r"winter", r"inverno", r"invernale", r"invierno", r"hiver", r"zimow\w+"),
        _days((9, 15), (4, 15)),
    ),
)

# A form that means something else in another language counts in its own language only.
_MONTHS: Final[tuple[tuple[str, str, dict[str, str]], ...]] = (
    ("January", "january|gennaio|enero|janvier|januar|stycznia|styczeń|styczniu", {}),
    ("February", "february|febbraio|febrero|février|februar|lutego|lutym", {"pl": "luty"}),
    ("March", "marzo|märz|marcu|marzec", {"pl": "marca", "fr": "mars"}),
    ("April", "april|aprile|abril|avril|kwietnia|kwiecień|kwietniu", {}),
    ("May", "maggio", {"es": "mayo", "fr": "mai", "de": "mai", "pl": "maja|maj|maju"}),
    ("June", "june|giugno|junio|juin|juni|czerwca|czerwiec|czerwcu", {}),
    ("July", "july|luglio|julio|juillet|juli|lipca|lipiec|lipcu", {}),
    ("August", "august|agosto|août|sierpnia|sierpień|sierpniu", {}),
    ("September", "september|settembre|septiembre|septembre|września|wrzesień|wrześniu", {}),
    ("October", "october|ottobre|octubre|octobre|oktober|października|październik|październiku", {}),
    ("November", "november|novembre|noviembre", {"pl": "listopada|listopad|listopadzie"}),
    ("December", "december|dicembre|diciembre|décembre|dezember|grudnia|grudzień|grudniu", {}),
)
# In English March and May are words, and months beside a number or after "in".
_MARCH_OR_MAY: Final = r"(?:(?:in|of|this|next|early|late|mid|\d{{1,2}}(?:st|nd|rd|th)?)[ -]{0}|{0} \d)"
_YEAR: Final = re.compile(
    r"(?<![\w/.-])(20\d\d)(?:\s?[-–/]\s?(?:20)?(\d\d))?(?![\w%])(?! (?:people|students|trees|euros?|agenda|goals))"
)
_NOT_ITS_OWN_YEAR: Final = re.compile(
    r"\b(agenda|goals?|horizon|europe|vision|strategy|target|since|from|after|by|until|class of|founded|dal|del|"
    r"desde|depuis|seit|od|roku|expo|mundial|generation)\W+$",
    re.IGNORECASE,
)
_NUMERIC_DATE: Final = re.compile(r"(?<![\d./-])(\d{1,2})([./-])(\d{1,2})\2(20\d\d|(?<!-)\d\d)(?![\d/-])")
_DATE_WITHOUT_YEAR: Final = re.compile(r"(?<![\d./-])(\d{1,2})\.(\d{1,2})\.(?!\d)")
_ISO_DATE: Final = re.compile(r"\b(20\d\d)-(\d\d)-(\d\d)\b")


def of_dates(given: Described) -> Iterator[Hint]:
    """Where the title names another time than the date; nothing where the date is not known."""
    if given.starts_on is None:
        return
    first, last = given.starts_on, given.ends_on or given.starts_on
    for period in (*_FEASTS, *_SEASONS):
        if period.words.search(given.title) and not _within(period.window, first, last):
            detail = f"The title speaks of {period.name}; the date is {first}."
            yield Hint("title_contradicts_date", "#/starts_at", detail, 3 if period in _FEASTS else 2)
    dates = _dates_in(given.title, given.language, first.year)
    if dates:
        if not any(first <= named <= last for choices in dates for named in choices):
            detail = f"The title names another day; the date is {first}."
            yield Hint("title_contradicts_date", "#/starts_at", detail, 3)
    else:
        for number in _months_in(given.title, given.language):
            if not _within(_whole_month(number), first - MONTH_TOLERANCE, last + MONTH_TOLERANCE):
                detail = f"The title names {_MONTHS[number - 1][0]}; the date is {first}."
                yield Hint("title_contradicts_date", "#/starts_at", detail, 2)
    for years in _years_in(given.title):
        if not any((first - MONTH_TOLERANCE).year <= year <= (last + MONTH_TOLERANCE).year for year in years):
            named = " and ".join(map(str, sorted(years)))
            yield Hint("title_contradicts_date", "#/starts_at", f"The title names {named}; the date is {first}.", 2)


def _within(window: Window, first: date, last: date) -> bool:
    windows = map(window, {first.year - 1, first.year, last.year})
    return any(begins <= last and first <= ends for begins, ends in windows)


def _whole_month(number: int) -> Window:
    def window(year: int) -> tuple[date, date]:
        following = date(year + number // 12, number % 12 + 1, 1)
        return date(year, number, 1), following - timedelta(days=1)

    return window


def _spelt(number: int, language: str) -> str:
    """A pattern for the ways in which a month is written so that nothing else is meant."""
    name, anywhere, in_language = _MONTHS[number - 1]
    own = in_language.get(language.partition("-")[0])
    return f"(?:{anywhere}{f'|{own}' if own else ''}{f'|{name}' if number in {3, 5} else ''})"


def _months_in(title: str, language: str) -> Iterator[int]:
    for number in range(1, 13):
        name, anywhere, in_language = _MONTHS[number - 1]
        own = in_language.get(language.partition("-")[0])
        written = f"{anywhere}|{own}" if own else anywhere
        if number in {3, 5}:
            written += f"|{_MARCH_OR_MAY.format(name)}"
        if re.search(rf"(?<![\w'’])(?:{written})(?![\w'’])", title, re.IGNORECASE):
            yield number


def _dates_in(title: str, language: str, year: int) -> list[list[date]]:
    """Each day that the title names, in every way it may be read; without a year it is of the activity's."""
    written = [_readings((found[1], found[2], found[3])) for found in _ISO_DATE.finditer(title)]
    for found in _NUMERIC_DATE.finditer(title):
        named = f"20{found[4]}"[-4:] if len(found[4]) == 2 else found[4]
        written.append(_readings((named, found[3], found[1]), (named, found[1], found[3])))
    written += [_readings((str(year), found[2], found[1])) for found in _DATE_WITHOUT_YEAR.finditer(title)]
    for number in range(1, 13):
        month = _spelt(number, language)
        pattern = (
            rf"\b(\d{{1,2}})(?:st|nd|rd|th|\.|º)?(?: of| de| di)? {month}\b(?: (20\d\d))?"
            rf"|\b{month} (\d{{1,2}})(?:st|nd|rd|th)?\b(?!\d|[:.]\d)(?:,? (20\d\d))?"
        )
        for found in re.finditer(pattern, title, re.IGNORECASE):
            named = found[2] or found[4] or str(year)
            written.append(_readings((named, str(number), found[1] or found[3])))
    return [readings for readings in written if readings]


def _readings(*written: tuple[str, str, str]) -> list[date]:
    found = []
    for year, month, day in written:
        try:
            found.append(date(int(year), int(month), int(day)))
        except ValueError:
            continue
    return found


def _years_in(title: str) -> Iterator[set[int]]:
    for found in _YEAR.finditer(title):
        if _NOT_ITS_OWN_YEAR.search(title[: found.start()]):
            continue
        year = int(found[1])
        # Two digits after a dash are the end of an academic year; anything else is no range.
        second = (year // 100) * 100 + int(found[2]) if found[2] else year
        yield {year, second} if second in {year, year + 1} else {year}
