"""Which languages a reader asks for, and which of those that there are is found (RFC 4647, 3.4)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.languages import MOST_TAGS, accepted, best, chosen

KNOWN = ["en", "es", "it", "pt-BR"]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", ()),
        ("it", ("it",)),
        ("pt-BR", ("pt-br", "pt")),
        ("zh-Hant-CN-x-private1", ("zh-hant-cn-x-private1", "zh-hant-cn", "zh-hant", "zh")),
        ("en;q=0.3, it;q=0.8, de", ("de", "it", "en")),
        ("it,en", ("it", "en")),
        ("pt-BR, it;q=0.9, pt;q=0", ("pt-br", "it")),
        # Whatever else: the original is as good as what comes after it.
        ("it;q=0.3, *;q=0.5, de", ("de",)),
        ("*", ()),
        ("it;q=nonsense, de;q=2, ,;;, \x00, en", ("en",)),
        ("it ; q=0.5 , en", ("en", "it")),
        ("\u0130t, english_words, 12345678901, fr", ("fr",)),
    ],
    ids=ascii,
)
def test_a_header_names_tags_the_best_first(header: str, expected: tuple[str, ...]) -> None:
    assert accepted(header) == expected


def test_a_header_without_end_is_read_up_to_a_bound() -> None:
    many = ",".join(f"a{chr(97 + number // 26)}{chr(97 + number % 26)}" for number in range(600))
    assert len(accepted(many)) == MOST_TAGS


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [((), None), (("de",), None), (("it",), "it"), (("en", "it"), None), (("de", "pt-br", "pt"), "pt-br")],
)
def test_the_first_tag_that_there_is_wins_and_else_the_original(wanted: tuple[str, ...], expected: str | None) -> None:
    assert chosen(wanted, {"it": "", "pt-br": ""}, original="EN") == expected


@pytest.mark.parametrize(
    ("asked", "accept", "expected"),
    [
        (None, "it", "it"),
        (None, "IT-ch", "it"),
        (None, "pt-BR", "pt-BR"),
        (None, "pt", "en"),
        (None, "es;q=0.2, it;q=0.8", "it"),
        (None, "es;q=0.2, de", "es"),
        (None, "it;q=0, es;q=0.1", "es"),
        (None, "it;q=nan, es", "es"),
        (None, "", "en"),
        ("pt-br", "it", "pt-BR"),
        ("es-MX", "it", "es"),
        ("de", "it", "it"),
        ("de", "fr", "en"),
    ],
)
def test_what_is_asked_for_by_name_comes_before_what_a_browser_wants(
    asked: str | None, accept: str, expected: str
) -> None:
    assert best(KNOWN, asked=asked, accept=accept, otherwise="en") == expected


@given(st.text(), st.none() | st.text())
def test_any_header_and_any_wish_has_an_answer(header: str, asked: str | None) -> None:
    assert best(KNOWN, asked=asked, accept=header, otherwise="en") in KNOWN
