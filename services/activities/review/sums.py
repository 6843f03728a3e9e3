"""Numbers in a text that do not add up, or contradict the fields beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from services.activities.review.rules import Described, Hint

_PEOPLE: Final = (
    r"(?:people|persons|participants|students|volunteers|places|spots|partecipanti|persone|studenti|volontari|posti|"
    r"personas|participantes|estudiantes|voluntarios|plazas|personnes|participants|étudiants|bénévoles|places|"
    r"personen|teilnehmer\w*|studierende|freiwillige|plätze|osób|uczestników|studentów|wolontariuszy|miejsc)"
)
_SUM: Final = re.compile(r"(?<![\d.,:+])(\d{1,6}(?:\s*\+\s*\d{1,6})+)\s*=\s*(\d{1,7})(?![\d.,]*\d)")
_TOTAL_OF_PARTS: Final = re.compile(
    r"(?<![\d.,:+])(\d{1,6})\s+(?:[^\W\d_]+\s+){0,2}" + _PEOPLE + r"\s*\(\s*(\d{1,6}(?:\s*\+\s*\d{1,6})+)\s*\)",
    re.IGNORECASE,
)
_GROUP: Final = (
    r"(?:[^\W\d_]+\s+){0,2}(?:internationals?|locals?|erasmus|volunteers?|esners?|students?|participants?|members?|guests?)"
    r"(?:\s+(?:students?|volunteers?|participants?|people))?"
)
_IN_ALL: Final = r"(?:in total|altogether|in totale|in tutto|en total|au total|insgesamt)"
_TOTAL: Final = (
    # Of what was collected there is a total too: the numbers of people end before it, and it is of nothing else.
    r"(?:\s+[^\d.!?;=\n]{0,30}?)?(?:[,:(–—-]|\b(?:makes?|are|were|is|was)\b)"
    r"\s*(?:(?:a|makes?|that is|we are|we were)\s+)?"
    rf"(?:\b(?:total(?: of)?|{_IN_ALL})\s*[:=]?\s*(?P<before>\d{{1,7}})"
    rf"(?=\s*(?:$|[.,;:!?)]|people|participants|students))"
    rf"|(?<!\d)(?P<after>\d{{1,7}})\s+(?:people\s+|participants\s+|students\s+)?{_IN_ALL}\b)(?![.,]?\d)"
)
_ADDED_UP: Final = re.compile(r"(?<![\d.,:+])(?P<parts>\d{1,6}(?:\s*\+\s*\d{1,6})+)(?!\d)" + _TOTAL, re.IGNORECASE)
_LISTED: Final = re.compile(
    rf"(?<![\d.,:+])(?<![,&]\s)(?<!and\s)(?P<parts>\d{{1,6}}\s+{_GROUP}(?:(?:\s*,\s*(?:and\s+)?|\s+(?:and|&)\s+)\d{{1,6}}\s+{_GROUP})+)\b{_TOTAL}",
    re.IGNORECASE,
)
_AT_MOST: Final = re.compile(
    r"\b(?:at most|max(?:\.|imum)?(?: of)?|up to|limited to|no more than|massimo(?: di)?|al massimo|fino a|"
    r"máximo(?: de)?|hasta|"
    r"au maximum|jusqu['’]à|höchstens|maximal|bis zu|maksymalnie)\s+(\d{1,6})\s+(?:[^\W\d_]+\s+)?" + _PEOPLE,
    re.IGNORECASE,
)
_AT_LEAST: Final = re.compile(
    r"\b(?:at least|min(?:\.|imum)?(?: of)?|no fewer than|minimo(?: di)?|almeno|mínimo(?: de)?|al menos|au moins|"
    r"mindestens|minimum|co najmniej)\s+(\d{1,6})\s+(?:[^\W\d_]+\s+)?" + _PEOPLE,
    re.IGNORECASE,
)
_AMOUNT: Final = (
    r"(?:(?:€|£|eur\s?|euros?\s)\s?(?P<after>\d{1,4}(?:[.,]\d{1,2})?)"
    r"|(?P<before>\d{1,4}(?:[.,]\d{1,2})?)\s?(?:€|£|eur\b|euros?\b|zł|pln\b|czk\b|kč|huf\b|chf\b|sek\b|dkk\b|nok\b|ron\b))"
)
_PRICE: Final = re.compile(
    r"\b(?:price|fee|entry|entrance|ticket|tickets|costs?|participation|costo|quota|biglietto|ingresso|precio|cuota|"
    r"entrada|prix|tarif|entrée|billet|preis|eintritt|kosten|teilnahmegebühr|teilnahmebeitrag|cena|opłata|bilet|wstęp)"
    r"(?:\s+(?:is|of|per|person|each|of|the|è|di|a|es|de|est|ist|beträgt|wynosi|to)){0,3}\s*[:=-]?\s*" + _AMOUNT,
    re.IGNORECASE,
)


def of_sums(given: Described) -> Iterator[Hint]:
    """What of the numbers in title and summary is not so."""
    for pointer, text in (("#/title", given.title), ("#/summary", given.summary or "")):
        for parts, total in _stated_sums(text):
            if sum(parts) != total:
                yield Hint("sum_wrong", pointer, f"{' + '.join(map(str, parts))} is not {total}.", 3)
        yield from _of_people(given, pointer, text)
        if not given.cost and (price := _price(text)):
            said = "no cost is given" if given.cost is None else "the cost is 0"
            yield Hint("price_without_cost", "#/cost", f"The text names a price of {price}, and {said}.", 2)


def _stated_sums(text: str) -> Iterator[tuple[list[int], int]]:
    for found in _SUM.finditer(text):
        yield _numbers(found[1]), int(found[2])
    for found in _TOTAL_OF_PARTS.finditer(text):
        yield _numbers(found[2]), int(found[1])
    for pattern in (_ADDED_UP, _LISTED):
        for found in pattern.finditer(text):
            yield [int(part) for part in re.findall(r"\d+", found["parts"])], int(found["before"] or found["after"])


def _numbers(parts: str) -> list[int]:
    return [int(part) for part in parts.split("+")]


def _of_people(given: Described, pointer: str, text: str) -> Iterator[Hint]:
    if given.capacity is None:
        return
    for found in _AT_MOST.finditer(text):
        if int(found[1]) != given.capacity:
            detail = f"The text says at most {int(found[1])} people; the capacity is {given.capacity}."
            yield Hint("capacity_contradicts_text", pointer, detail, 2)
    for found in _AT_LEAST.finditer(text):
        if int(found[1]) > given.capacity:
            detail = f"The text asks for at least {int(found[1])} people; the capacity is {given.capacity}."
            yield Hint("capacity_below_minimum", "#/capacity", detail, 3)


def _price(text: str) -> str | None:
    for found in _PRICE.finditer(text):
        amount = found["after"] or found["before"]
        if float(amount.replace(",", ".")) > 0:
            return amount
    return None
