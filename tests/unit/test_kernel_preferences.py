"""Which media type a reader likes best, from headers as they are sent by anything that speaks HTTP."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel import preferences


@given(st.text())
def test_any_header_has_an_answer(header: str) -> None:
    assert preferences.prefers(header, "application/ld+json") in {True, False}


@pytest.mark.parametrize(
    ("header", "prefers"),
    [
        ("application/ld+json", True),
        ("application/ld+json;q=0.5, application/json", False),
        ("application/json;q=0.4, application/ld+json;q=0.5", True),
        ("application/ld+json;q=0", False),
        ("*/*", False),
        ("", False),
    ],
)
def test_linked_data_goes_to_those_who_name_it(header: str, prefers: bool) -> None:
    assert preferences.prefers(header, "application/ld+json") is prefers
