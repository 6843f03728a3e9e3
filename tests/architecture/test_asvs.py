"""What shows each requirement of OWASP's ASVS 5.0, levels 1 and 2: complete, and each test that is named is there.

The standard's numbers and levels are facts; its words are not repeated in `asvs.csv`, whose wording is our own.
"""

from __future__ import annotations

import ast
import csv
import re
from functools import cache
from pathlib import Path
from typing import Final

from tests.harness.sources import calls, imported

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "tests" / "architecture" / "asvs.csv"

# Each section of ASVS 5.0.0 with the levels of its requirements, in their order.
LEVELS: Final = """
1.1:22 1.2:1111122223 1.3:112222222223 1.4:222 1.5:123 2.1:122 2.2:112 2.3:12223 2.4:23 3.1:3 3.2:113 3.3:12223
3.4:11222233 3.5:11122333 3.6:3 3.7:22333 4.1:12233 4.2:23333 4.3:22 4.4:1222 5.1:2 5.2:112333 5.3:113 5.4:222 6.1:122
6.2:111111112222 6.3:11223333 6.4:112233 6.5:22222333 6.6:2223 6.7:33 6.8:2222 7.1:222 7.2:1111 7.3:22 7.4:11222
7.5:223 7.6:22 8.1:1233 8.2:1123 8.3:133 8.4:23 9.1:111 9.2:1222 10.1:22 10.2:223 10.3:22223 10.4:1111122222233333
10.5:22222 10.6:22 10.7:222 11.1:2233 11.2:22233 11.3:11233 11.4:1222 11.5:23 11.6:23 11.7:33 12.1:12233 12.2:11
12.3:22223 13.1:2333 13.2:222223 13.3:2233 13.4:1222233 14.1:22 14.2:12223333 14.3:122 15.1:12233 15.2:12233
15.3:1222222 15.4:3333 16.1:2 16.2:22222 16.3:2222 16.4:222 16.5:2223 17.1:23 17.2:22223333 17.3:22
"""
NOT_SHOWN: Final = "not shown: "
_TEST = re.compile(r"(tests/[a-z_/]+/test_[a-z_0-9]+\.py)::(test_[a-z_0-9]+)")


@cache
def _rows() -> tuple[list[dict[str, str]], int]:
    """The requirements, and how many of them may be shown by nothing."""
    with FILE.open(encoding="utf-8", newline="") as stream:
        *rows, bound = csv.DictReader(stream)
    assert bound["number"] == "not shown at most"
    return rows, int(bound["evidence"])


@cache
def _tests(path: str) -> frozenset[str]:
    """The tests of a file, by their names."""
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(each.name for each in tree.body if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef)))


def _of_levels_one_and_two() -> dict[str, str]:
    sections = dict(section.split(":") for section in LEVELS.split())
    return {
        f"{section}.{place}": level
        for section, levels in sections.items()
        for place, level in enumerate(levels, 1)
        if level != "3"
    }


def test_every_requirement_of_levels_one_and_two_has_a_row_in_its_place() -> None:
    wanted = _of_levels_one_and_two()
    assert len(wanted) == 253
    assert [(row["number"], row["level"]) for row in _rows()[0]] == list(wanted.items())


def test_every_row_says_what_is_asked_and_how_it_is_answered() -> None:
    for row in _rows()[0]:
        assert set(row) == {"number", "level", "requirement", "applies", "evidence"}, row
        assert row["applies"] in {"yes", "no"}, row
        assert 10 < len(row["requirement"]) <= 100, row
        assert row["evidence"].strip(), row
        if row["applies"] == "no":
            assert "::" not in row["evidence"], f"{row['number']} does not apply, and yet a test shows it"
            assert not row["evidence"].startswith(NOT_SHOWN), row


def test_every_test_that_is_named_is_there() -> None:
    for row in _rows()[0]:
        if row["applies"] == "yes" and not row["evidence"].startswith(NOT_SHOWN):
            for named in row["evidence"].split(" "):
                found = _TEST.fullmatch(named)
                assert found, (row["number"], named)
                assert (ROOT / found[1]).is_file(), (row["number"], named)
                assert found[2] in _tests(found[1]), (row["number"], named)


def test_what_is_not_shown_becomes_less() -> None:
    rows, bound = _rows()
    open_ones = [row["number"] for row in rows if row["evidence"].startswith(NOT_SHOWN)]
    assert len(open_ones) == bound, "lower the number in the last row, which may never rise"
    assert all(len(row["evidence"]) > len(NOT_SHOWN) + 10 for row in rows if row["evidence"].startswith(NOT_SHOWN))


# What rows say is not there, by the modules with which it would begin.
ABSENT: Final = (
    "subprocess ldap ldap3 xml lxml pickle shelve marshal yaml memcache pymemcache graphql strawberry websockets "
    "zipfile tarfile bz2 lzma"
)


def test_what_does_not_apply_is_not_there() -> None:
    used = {(path, name) for path, names in imported().items() for name in names}
    assert {each for each in used if each[1].partition(".")[0] in ABSENT.split()} == set()
    assert not [
        each.place for each in calls() if re.search(r"websocket|os\.(system|popen|exec|spawn)", each.name.lower())
    ]
    setting = {each.place for each in calls() if each.name.endswith(".set_cookie")}
    assert setting == {"registration/signing_in/page_api.py:_keep"}
