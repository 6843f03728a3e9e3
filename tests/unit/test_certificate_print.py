"""A certificate on paper: PDF/A in every script that our fonts have, the same each time, and read without eyes.

No validator of PDF/A can be installed from a package registry (veraPDF is none of these packages), so the typesetter's
own check, which refuses what the standard forbids, stands beside what another reader of PDF finds in the file.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal

import pypdf
import pytest
from pypdf.generic import DictionaryObject, IndirectObject

from services.registration.certificates import rendering
from services.registration.certificates.rules import (
    MOST_ACTIVITIES,
    NotPrintable,
    check_character,
    new_number,
    printable,
    read_number,
)
from services.registration.certificates.schemas import CertifiedActivity, Content
from services.registration.mail.catalogues import tags
from services.registration.places.rules import ALPHABET

NUMBER = "SE-0000-0000-0000-0000"
ISSUED_AT = datetime(2026, 11, 22, 12, 30, 15, tzinfo=UTC)
ADDRESS = f"https://social.example/registration/certificates/{NUMBER}"
NAMES = {
    "latin": "Zoë Łukasiewicz-Ğürsöy Nguyễn", "greek": "Ελένη Παπαδοπούλου", "cyrillic": "Юлія Шевченко",
    "arabic": "محمد بن عبد الله", "hebrew": "שרה כהן", "georgian": "გიორგი", "devanagari": "अनिल",
    "markup": '#panic() *b* $x$ \\ "q" <l> @r [c] `r`',
}  # fmt: skip

STATED = (
    "Ada Lovelace", "14 November 2026", "Cleaning Porto Ferro beach #panic()", "ESN Sassari, ESN Cagliari", "2.5", "5",
    NUMBER, "Issued on 22 November 2026", "took part in 2 volunteering activities",
)  # fmt: skip


def _content(name: str = "Ada Lovelace", *, language: str = "en", many: int = 2) -> Content:
    activity = CertifiedActivity(
        title="Cleaning Porto Ferro beach 🏖️ #panic()", organisers=["ESN Sassari", "ESN Cagliari"],
        on=date(2026, 11, 14), hours=Decimal("2.50"),
    )  # fmt: skip
    return Content(
        language=language, name=name, activities=[activity] * many, hours=Decimal("2.50") * many,
        base_url="https://social.example",
    )  # fmt: skip


async def _printed(content: Content) -> tuple[bytes, pypdf.PdfReader]:
    made = await rendering.print_certificate(content, number=NUMBER, address=ADDRESS, issued_at=ISSUED_AT)
    return made, pypdf.PdfReader(io.BytesIO(made), strict=True)


def _objects(reader: pypdf.PdfReader) -> list[DictionaryObject]:
    every = [
        IndirectObject(number, 0, reader).get_object()
        for number in range(1, len(reader.xref[0]) + len(reader.xref_objStm) + 1)
    ]
    return [each for each in every if isinstance(each, DictionaryObject)]


async def test_the_file_says_that_it_is_pdf_a_and_ua_and_has_what_these_demand() -> None:
    made, reader = await _printed(_content())
    root = reader.root_object
    xmp = root["/Metadata"].get_object().get_data().decode()
    for said in ("<pdfaid:part>2<", "<pdfaid:conformance>A<", "<pdfuaid:part>1<", "2026-11-22T12:30:15"):
        assert said in xmp
    intent = root["/OutputIntents"][0].get_object()
    assert intent["/S"] == "/GTS_PDFA1"
    assert intent["/DestOutputProfile"].get_object().get_data()[36:40] == b"acsp", "an ICC profile"
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert "/StructTreeRoot" in root
    assert not reader.is_encrypted
    assert "/ID" in reader.trailer
    assert reader.metadata is not None
    assert reader.metadata.title == "Certificate of volunteering"
    assert f">{reader.metadata.title}<" in xmp, "the two descriptions of the file agree"
    assert reader.metadata.creation_date == ISSUED_AT
    for forbidden in (b"/JavaScript", b"/Launch", b"/EmbeddedFile", b"/XFA", b"/Encrypt"):
        assert forbidden not in made
    descriptors = [each for each in _objects(reader) if each.get("/Type") == "/FontDescriptor"]
    assert descriptors
    assert all({"/FontFile2", "/FontFile3"} & each.keys() for each in descriptors), "every font is in the file"
    fonts = [each for each in _objects(reader) if each.get("/Subtype") == "/Type0"]
    assert all("/ToUnicode" in each for each in fonts), "every letter can be read out"


async def test_who_has_it_read_out_hears_of_headings_the_table_and_the_code() -> None:
    _, reader = await _printed(_content())
    kinds = {str(each["/S"]) for each in _objects(reader) if "/S" in each and "/P" in each}
    assert {"/H1", "/Table", "/TH", "/TD", "/Figure", "/Link"} <= kinds
    figure = next(each for each in _objects(reader) if each.get("/S") == "/Figure")
    assert "page where this certificate can be checked" in str(figure["/Alt"])


async def test_it_states_what_it_should_and_leads_to_its_page() -> None:
    _, reader = await _printed(_content())
    text = " ".join(reader.pages[0].extract_text().split())
    for said in STATED:
        assert said in text
    links = [each["/A"]["/URI"] for each in (note.get_object() for note in reader.pages[0]["/Annots"])]
    assert set(links) == {ADDRESS}
    assert len(reader.pages) == 1


@pytest.mark.parametrize("tag", tags())
async def test_it_is_printed_in_every_language_and_the_same_each_time(tag: str) -> None:
    made, reader = await _printed(_content(language=tag))
    assert (await _printed(_content(language=tag)))[0] == made
    assert reader.root_object["/Lang"] == tag
    assert "{" not in reader.pages[0].extract_text()


@pytest.mark.parametrize("script", NAMES)
async def test_a_name_is_printed_as_it_is_written(script: str) -> None:
    _, reader = await _printed(_content(NAMES[script]))
    if script in {"latin", "greek", "cyrillic", "georgian", "markup"}:  # The reader mixes up what runs to the left.
        assert " ".join(NAMES[script].split()) in " ".join(reader.pages[0].extract_text().split())
    assert "2" in reader.root_object["/Metadata"].get_object().get_data().decode().partition("pdfaid:part>")[2][:1]


async def test_what_no_font_has_is_refused_and_never_shown_as_boxes() -> None:
    with pytest.raises(NotPrintable):
        await _printed(_content("\U00016800\U00016801"))


async def test_the_longest_has_several_pages_and_a_bounded_size() -> None:
    made, reader = await _printed(_content(many=MOST_ACTIVITIES))
    assert len(reader.pages) > 3
    assert len(made) < 500_000
    assert NUMBER in reader.pages[1].extract_text()


def test_no_process_loads_the_typesetter_before_somebody_prints() -> None:
    loaded = "import sys, services.registration.main; print({'typst', 'fontpkg_noto_sans'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("text", "shown"),
    [("Party 🎉🎉!", "Party !"), ("👩🏽‍🎓 Ann", "Ann"), ("7° © ™ ½", "7° © ™ ½"), ("می‌خواهم", "می‌خواهم"), ("🏴󠁧󠁢󠁳󠁣󠁴󠁿", "")],
)
def test_pictures_are_left_out_and_letters_are_not(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_one_wrong_character_of_a_number_is_always_noticed() -> None:
    number = new_number()
    for place, there in enumerate(number):
        if there == "-" or place < 3:
            continue
        for other in ALPHABET.replace(there, ""):
            assert read_number(number[:place] + other + number[place + 1 :]) is None


def test_two_neighbours_swapped_are_noticed_but_for_one_pair() -> None:
    missed = {
        one + other
        for one in ALPHABET
        for other in ALPHABET
        if one < other and check_character("0" * 13 + one + other) == check_character("0" * 13 + other + one)
    }
    assert missed == {"0Z"}


def test_numbers_are_random_and_read_back() -> None:
    numbers = {new_number() for _ in range(100)}
    assert len(numbers) == 100
    for number in numbers:
        assert re.fullmatch(r"SE(-[0-9A-Z]{4}){4}", number)
        assert read_number(number) == read_number(number.lower().replace("-", "").replace("0", "o")) == number
