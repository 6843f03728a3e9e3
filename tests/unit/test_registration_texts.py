"""What students read: every language has every text, whole and in the words of today, and says dates in its own way."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.messages import Catalog
from babel.messages.checkers import checkers
from babel.messages.pofile import read_po

from services.kernel.catalogues import read as read_catalogue
from services.registration.mail import catalogues, letters
from services.registration.mail.languages import Letter, Page, language_of

NOON = datetime(2026, 11, 14, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
FACTS = letters.Facts(
    title="Clean\r\nBcc: x@y.z \u202eup {0} {given_name}", starts_at=NOON, ends_at=NOON + HOUR, time_zone="Europe/Rome",
    location=None, minimum_age=18, held_until=NOON - HOUR, given_name="Zoë", code="7K3M-QX2D", link="https://x.example/l",
    position=3,
)  # fmt: skip
TAGS = catalogues.tags()
TRANSLATED = [tag for tag in TAGS if tag != "en"]
OF_AN_ACTIVITY = [letter for letter in Letter if letter is not Letter.YOUR_LINKS]


def _file(tag: str) -> Catalog:
    with (catalogues.FOLDER / f"{tag}.po").open("rb") as file:
        return read_po(file, abort_invalid=True)


def _fields(text: str) -> set[str]:
    return set(re.findall(r"{(\w*)}", text))


def test_students_are_written_to_in_these_languages() -> None:
    assert {"en", "it", "es", "fr", "de", "pl"} <= set(TAGS)


@pytest.mark.parametrize("tag", TRANSLATED)
def test_every_language_has_every_text_of_the_english_that_is_there_today(tag: str) -> None:
    english = {message.context: message.id for message in _file("en") if message.id}
    there = {message.context: message.id for message in _file(tag) if message.id}
    assert there.keys() == english.keys()
    assert {name for name in there if there[name] != english[name]} == set(), "translated from other English"


@pytest.mark.parametrize("tag", TRANSLATED)
def test_every_text_is_translated_in_every_form_and_keeps_its_fields(tag: str) -> None:
    file = _file(tag)
    for message in file:
        if not message.id:
            continue
        english = message.id if message.pluralizable else (message.id,)
        forms = message.string if message.pluralizable else (message.string,)
        assert not message.fuzzy, message.context
        assert len(forms) == (file.num_plurals if message.pluralizable else 1), message.context
        for form in forms:
            assert form.strip() == form != "", message.context
            assert _fields(form) == _fields(english[0]), message.context
            assert form.count("{") == form.count("}") == len(re.findall(r"{\w+}", form)), message.context
        for check in checkers:
            check(file, message)


def test_every_letter_and_page_has_its_words_and_no_text_is_for_nothing() -> None:
    names = set(catalogues.catalogue("en").texts)
    needed = {f"letter.{letter}.{part}" for letter in Letter for part in ("subject", "body")}
    needed |= {f"page.{page}.{part}" for page in Page for part in ("heading", "paragraph")}
    assert needed <= names
    owners = {name.rpartition(".")[0] for name in needed}
    for name in names - needed:
        owner, _, part = name.rpartition(".")
        assert not name.startswith(("letter.", "page.")) or (owner in owners and part in {"button", "decline"}), name


def test_a_letter_holds_known_fields_only_and_one_with_a_link_names_its_button() -> None:
    texts = catalogues.catalogue("en").texts
    for letter in Letter:
        body = texts[f"letter.{letter}.body"][0]
        assert _fields(body) | _fields(texts[f"letter.{letter}.subject"][0]) <= letters.FIELDS
        assert ("{link}" in body) == (f"letter.{letter}.button" in texts), letter
        for whole in ("{details}", "{link}", "{minimum_age}", "{position}"):
            assert body.count(whole) == body.split("\n\n").count(whole) <= 1, f"{whole} is a paragraph of its own"


@pytest.mark.parametrize("letter", OF_AN_ACTIVITY)
@pytest.mark.parametrize("tag", TAGS)
def test_every_letter_is_filled_in_and_its_subject_is_one_harmless_line(letter: Letter, tag: str) -> None:
    written = letters.write(letter, language_of(tag), FACTS)
    subject, body = written.subject, written.text
    assert "Clean Bcc: x@y.z up {0} {given_name}" in subject
    assert subject.replace("\u00a0", " ").isprintable()
    assert "Zoë" not in subject
    assert "13:00–14:00" in body
    assert "\u202e" not in body
    assert "{" not in body.replace("{0} {given_name}", "")


@pytest.mark.parametrize("page", Page)
@pytest.mark.parametrize("tag", TAGS)
def test_every_page_has_words(page: Page, tag: str) -> None:
    text = letters.page(page, language_of(tag), replace(FACTS, title="Beach"))
    assert text.heading
    assert text.paragraph
    assert "{" not in f"{text.heading}{text.paragraph}{text.button}{text.decline}"


def test_the_page_of_an_offer_has_a_button_for_either_answer() -> None:
    two = [page for page in Page if letters.page(page, language_of("en"), FACTS).decline]
    assert two == [Page.CONFIRM_TOGETHER, Page.OFFERED, Page.ASKED_AGAIN]
    assert all(letters.page(page, language_of("en"), FACTS).button for page in two)


@pytest.mark.parametrize(
    "letter",
    [Letter.CONFIRM, Letter.STILL_TO_CONFIRM, Letter.STILL_HAS_PLACE, Letter.WAITLISTED, Letter.PENDING,
     Letter.YOUR_LINKS],
)  # fmt: skip
@pytest.mark.parametrize("tag", TAGS)
def test_a_mailbox_that_nobody_has_proved_reads_nothing_a_stranger_wrote_but_the_title(
    letter: Letter, tag: str
) -> None:
    assert "Zoë" not in str(letters.write(letter, language_of(tag), FACTS))


@pytest.mark.parametrize(
    ("asked", "told"),
    [("en-GB", "en"), ("xx", "en"), ("de-AT", "de"), ("pl", "pl"), ("zh-Hant-TW", "en"), ("DE", "en")],
)
def test_whoever_asks_for_a_language_there_is_not_reads_the_one_that_fits_best(asked: str, told: str) -> None:
    assert language_of(asked).tag == told


def test_a_time_over_midnight_names_both_days() -> None:
    when = language_of("en").when(NOON, NOON + 14 * HOUR, ZoneInfo("Atlantic/Azores"))
    assert when == "Saturday, 14 November 2026, 11:00 to Sunday, 15 November 2026, 01:00 (Azores time)"


@pytest.mark.parametrize(
    ("tag", "told"),
    [
        ("it", "sabato 14 novembre 2026, 13:00–14:00 (ora locale: Roma)"),
        ("es", "sábado, 14 de noviembre de 2026, 13:00–14:00 (hora local: Roma)"),
        ("fr", "samedi 14 novembre 2026, 13:00–14:00 (heure locale\u00a0: Rome)"),
        ("de", "Samstag, 14. November 2026, 13:00–14:00 (Ortszeit: Rom)"),
        ("pl", "sobota, 14 listopada 2026, 13:00–14:00 (czas lokalny: Rzym)"),
    ],
)
def test_a_day_is_said_as_its_language_says_it(tag: str, told: str) -> None:
    assert language_of(tag).when(NOON, NOON + HOUR, ZoneInfo("Europe/Rome")) == told


@pytest.mark.parametrize(
    ("tag", "number", "words"),
    [
        ("en", 1, "1 year "), ("en", 18, "18 years"), ("it", 1, "1 anno"), ("it", 16, "16 anni"), ("fr", 1, "1 an."),
        ("fr", 18, "18 ans"), ("pl", 1, "1 rok"), ("pl", 18, "18 lat."), ("pl", 22, "22 lata"), ("pl", 112, "112 lat."),
    ],
)  # fmt: skip
def test_a_number_is_said_in_its_plural(tag: str, number: int, words: str) -> None:
    assert words in letters.words(language_of(tag), replace(FACTS, minimum_age=number))["minimum_age"]


def test_the_position_on_the_waiting_list_counts_those_before() -> None:
    def said(position: int) -> str:
        return letters.words(language_of("en"), replace(FACTS, position=position))["position"]

    assert said(1) == "At this moment you are first on the list."
    assert "1 person is before you" in said(2)
    assert "2 people are before you" in said(3)


def test_a_text_that_is_doubtful_or_missing_is_said_in_english(tmp_path: Path) -> None:
    text = (catalogues.FOLDER / "it.po").read_text()
    text = text.replace('msgctxt "label.when"', '#, fuzzy\nmsgctxt "label.when"').replace('msgstr "Dove"', 'msgstr ""')
    (tmp_path / "it.po").write_text(text)
    read = read_catalogue(tmp_path / "it.po")
    assert (read.text("label.when"), read.text("label.where")) == ("When", "Where")
    assert read.text("label.code") == "Il tuo codice per il check-in"
