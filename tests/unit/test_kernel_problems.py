"""Problems: pointers into what was sent, names of kinds, and texts that repeat no input."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, ValidationError

from services import registry
from services.kernel.problems import (
    LONGEST_POINTER,
    MOST_FAULTS,
    Invalid,
    MalformedBody,
    Problem,
    every,
    invalid,
    invalid_body,
    pointer,
)
from services.kernel.routes import MOST_NAMES, read_json

assert registry.SERVICES  # Every service's own problems are known by now.


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        (("body",), "#"),
        ((), "#"),
        (("body", "place", "city"), "#/place/city"),
        (("body", "causes", 0, "code"), "#/causes/0/code"),
        (("body", "a/b", "c~d"), "#/a~1b/c~0d"),
        (("query", "limit"), "query/limit"),
        (("query", "sdg", 1), "query/sdg/1"),
        (("path", "activity_id"), "path/activity_id"),
        (("header", "Idempotency-Key"), "header/Idempotency-Key"),
        (("body", "\ud800"), "#/?"),
    ],
)
def test_a_place_is_a_json_pointer(location: tuple[int | str, ...], expected: str) -> None:
    assert pointer(location) == expected


def test_of_faults_without_number_the_first_are_told() -> None:
    faults = [{"loc": ("body", number), "type": "extra_forbidden", "msg": ""} for number in range(MOST_FAULTS + 1)]
    assert [each.pointer for each in invalid(faults).errors] == [f"#/{number}" for number in range(MOST_FAULTS)]


def test_an_object_has_not_more_names_than_anything_could_mean() -> None:
    assert len(read_json(json.dumps({f"a{number}": 1 for number in range(MOST_NAMES)}).encode())) == MOST_NAMES
    with pytest.raises(MalformedBody) as refusal:
        read_json(json.dumps({"a": {f"a{number}": 1 for number in range(MOST_NAMES + 1)}}).encode())
    assert [each.pointer for each in refusal.value.errors] == ["#"]


@given(st.lists(st.one_of(st.integers(0, 99), st.text(max_size=300)), max_size=9))
def test_a_pointer_is_short_and_storable_whatever_was_sent(path: list[int | str]) -> None:
    found = pointer(["body", *path])
    assert len(found) <= LONGEST_POINTER
    assert found.encode()


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=9), min_size=1, max_size=4))
def test_a_pointer_leads_back_to_its_place(path: list[str]) -> None:
    parts = pointer(["body", *path]).split("/")[1:]
    assert [part.replace("~1", "/").replace("~0", "~") for part in parts] == path


class _Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    number: int


class _Outer(BaseModel):
    inner: _Inner


def test_the_faults_of_a_body_validated_by_hand_are_places_of_the_body() -> None:
    with pytest.raises(ValidationError) as refusal:
        _Outer.model_validate({"inner": {"number": "Zq7Marker", "other": "Zq7Marker"}})
    problem = invalid_body(refusal.value)
    assert isinstance(problem, Invalid)
    assert {fault.pointer for fault in problem.errors} == {"#/inner/number", "#/inner/other"}
    assert "Zq7Marker" not in str([fault.detail for fault in problem.errors])


def test_a_fault_in_a_query_is_no_place_of_the_body() -> None:
    fault = {"loc": ("query", "limit"), "type": "missing", "msg": "Field required"}
    assert [each.pointer for each in invalid([fault]).errors] == ["query/limit"]


@pytest.mark.parametrize("kind", every(), ids=lambda kind: kind.__name__)
def test_every_kind_has_a_title_a_status_and_a_sentence_of_its_own(kind: type[Problem]) -> None:
    assert kind.__doc__
    assert kind().detail.endswith((".", "?", "!"))
    assert "\n" not in kind().detail
    assert 400 <= kind.status <= 599
    assert kind.title[0].isupper()
    assert "  " not in kind().detail


@pytest.mark.parametrize("service", sorted(registry.SERVICES))
def test_no_two_kinds_share_a_page(service: str) -> None:
    here = [kind for kind in every() if kind.__module__.startswith(("services.kernel.", f"services.{service}."))]
    slugs = [kind.slug() for kind in here]
    assert sorted(slugs) == sorted(set(slugs))
    assert "idempotency-key-missing" in slugs
