"""The words of the pages of figures: every language has every text, and says of a measure what the statistics say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages import Catalog
from babel.messages.pofile import read_po

from services.activities.taxonomies import rules as taxonomies
from services.impact.pages import languages, rules
from services.impact.pages.languages import CATALOGUES, Language, chosen
from services.impact.reports import measures as quantities
from services.impact.reports.units import COUNTED, UCUM
from services.impact.statistics.measures import MEASURES

TRANSLATED = [tag for tag in CATALOGUES.tags() if tag != "en"]


def _file(tag: str) -> Catalog:
    with (CATALOGUES.folder / f"{tag}.po").open("rb") as file:
        return read_po(file, abort_invalid=True)


@pytest.mark.parametrize("tag", TRANSLATED)
def test_every_language_has_every_text_of_the_english_of_today(tag: str) -> None:
    english = {message.context: message.id for message in _file("en") if message.id}
    there = {message.context: message for message in _file(tag) if message.id}
    assert {name: message.id for name, message in there.items()} == english
    for name, message in there.items():
        fields = re.findall(r"{(\w*)}", english[name])
        assert message.string.strip() == message.string != "", name
        assert not message.fuzzy, name
        assert sorted(re.findall(r"{(\w*)}", message.string)) == sorted(fields), name


def test_the_pages_are_in_the_languages_of_the_form_to_sign_up() -> None:
    assert {"en", "it", "es", "fr", "de", "pl"} <= set(CATALOGUES.tags())


def test_what_the_statistics_define_is_defined_in_the_same_words() -> None:
    english = CATALOGUES.catalogue("en").text
    for code in rules.TOLD:
        assert english(f"measure.{code}") == MEASURES[code].title
        assert english(f"measure.{code}.definition") == MEASURES[code].definition
    for code, measure in quantities.KNOWN.items():
        assert english(f"quantity.{code}") == measure.title


def test_the_causes_are_those_of_the_catalogue() -> None:
    english = Language(CATALOGUES.catalogue("en"))
    assert {code: english.cause(code) for code in rules.CAUSES} == taxonomies.CAUSES
    assert english.cause("some-other_cause") == "Some other_cause"


def test_every_unit_has_a_name_in_every_language() -> None:
    assert languages.UNITS.keys() == UCUM.keys() - {COUNTED}
    for tag in CATALOGUES.tags():
        for unit in UCUM:
            assert re.search(r"2\D?500", Language(CATALOGUES.catalogue(tag)).amount("waste", unit, 2500)), unit


@pytest.mark.parametrize(
    ("tag", "grown", "told"),
    [
        ("en", {"absolute": 5, "ratio": 0.1923}, "+5 (+19%)"),
        ("de", {"absolute": -1234.5, "ratio": -0.5}, "−1.234,5 (−50\u00a0%)"),
        ("it", {"absolute": 3, "ratio": None}, "+3"),
        ("en", {"absolute": 0, "ratio": 0.0}, "±0"),
        ("en", {"absolute": None, "ratio": None}, ""),
    ],
)
def test_growth_has_a_sign_and_the_marks_of_its_language(tag: str, grown: dict[str, float], told: str) -> None:
    assert chosen(tag, "").change(grown) == told


@pytest.mark.parametrize(
    ("view", "address"),
    [
        ({}, ""),
        ({"academic_year": "2026/27"}, "years/2026-27"),
        ({"country": "IT", "edition": "2026-autumn"}, "countries/IT?period=2026-autumn"),
        ({"section": "IT-SASS-ESN", "cause": "culture"}, "sections/IT-SASS-ESN?cause=culture"),
        ({"cause": "a b?c", "academic_year": "2026/27"}, "causes/a%20b%3Fc?period=2026-27"),
    ],
)
def test_a_view_has_one_address(view: dict[str, str], address: str) -> None:
    assert rules.View(view).address() == address
    assert rules.View(dict(reversed(view.items()))).address() == address


def test_a_narrower_view_keeps_what_it_can() -> None:
    italy = rules.View({"country": "IT", "academic_year": "2026/27"})
    assert italy.of("section", "IT-SASS-ESN").codes == {"section": "IT-SASS-ESN", "academic_year": "2026/27"}
    assert italy.of("cause", "culture").codes == {**italy.codes, "cause": "culture"}


def test_the_style_holds_no_colour_that_is_fetched() -> None:
    style = Path(rules.__file__).with_name("style.css").read_text()
    assert "url(" not in style
    assert "@import" not in style
