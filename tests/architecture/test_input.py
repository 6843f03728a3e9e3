"""What people send is never a pattern, a format, a path or a line of the log; what else is made of more is listed."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

import pytest

from tests.harness.sources import SERVICES, calls, is_fixed

_PATTERNS: Final = {f"re.{name}" for name in ("compile", "match", "fullmatch", "search", "sub", "subn", "split")}
_FINDERS: Final = {"re.findall", "re.finditer"}
PATTERNS: Final = {
    "activities/review/calendar_words.py:_words": "words of its own, when the module is read",
    "activities/review/calendar_words.py:_months_in": "names of months, from its own list",
    "activities/review/calendar_words.py:_dates_in": "names of months, from its own list",
    "impact/reports/past_quantities.py:_reading": "phrases of its own, when the module is read",
    "impact/reports/past_rows.py:_doubts": "a whole number",
    "kernel/roles.py:match": "a rule of the operator's file, whose words are escaped",
    "kernel/roles.py:_first": "one of two constants",
}
FORMATS: Final = {
    "activities/enquiries/pages.py:form": "texts of its own languages",
    "activities/enquiries/pages.py:thanks": "texts of its own languages",
    "activities/reminders/letters.py:write": "texts of its own languages",
    "impact/pages/languages.py:text": "texts of a catalogue",
    "impact/pages/pages.py:_bar": "a constant",
    "kernel/audit/chain.py:_sql": "constants of the module, with the name of a schema",
    "kernel/limit_page/page.py:page": "texts of its own languages",
    "kernel/logs.py:format": "of logging, which is another function",
    "registration/certificates/rendering.py:_told": "texts of a catalogue",
    "registration/mail/languages.py:_moment": "how the CLDR puts day and time together",
    "registration/mail/letters.py:write": "texts of a catalogue",
    "registration/privacy/notice.py:_records": "words of an enumeration",
}
FILES: Final = {
    "kernel/revisions.py:head": "the migrations of a schema that the registry names",
    "commands/entries.py:import_command": "named by an operator",
    "operations/imports.py:run": "named by an operator",
    "operations/sync.py:_records": "named by an operator",
    "kernel/roles.py:read": "named by a setting",
    "kernel/secret_files.py:read": "named by the environment",
    "kernel/secret_files.py:_content": "named by the environment",
    "kernel/mail.py:_deliver_to_folder": "the folder of a setting, and the mail's own number",
    **dict.fromkeys(
        ("kernel/import_files.py:__init__", "kernel/import_files.py:discard", "kernel/import_files.py:keep",
         "kernel/import_files.py:write"),
        "beside the file that an operator named",
    ),
    "kernel/application.py:_add_operations": "the manual's files, of a library",
    **dict.fromkeys(
        ("kernel/catalogues.py:read", "kernel/catalogues.py:tags", "activities/sample/network.py:load_upcoming",
         "activities/sample/network.py:_named_sections", "impact/facts/academic_years.py:listed",
         "registration/certificates/rendering.py:_set", "registration/people/agreements.py:_read",
         "registration/people/agreements.py:known", "registration/people/consenting_ages.py:listed"),
        "a file of the code",
    ),
}  # fmt: skip
_OPENING: Final = {"open", "Path", "pathlib.Path", "FileResponse", "StaticFiles"}
_OPENING_METHODS: Final = {
    "open", "read_text", "read_bytes", "write_text", "write_bytes", "unlink", "rename", "mkdir", "glob", "rglob",
    "iterdir", "joinpath", "with_name",
}  # fmt: skip
_HARMLESS: Final = {"os.urandom", "os.urandom().hex", "os.fsync", "os.fstat"}


def test_no_pattern_is_made_of_input() -> None:
    found = {
        each.place
        for each in calls()
        if each.name in _PATTERNS | _FINDERS and each.function and not is_fixed(each.call.args[0])
    }
    assert found == PATTERNS.keys()


def _is_of_a_catalogue(receiver: ast.expr) -> bool:
    """Whether a format is the text of a name in a catalogue, which translators wrote."""
    return isinstance(receiver, ast.Call) and ast.unparse(receiver.func).endswith(
        ("language.text", "language.counted", "self.text")
    )


def test_no_format_is_made_of_input() -> None:
    found = {
        each.place
        for each in calls()
        if each.function
        and isinstance(each.call.func, ast.Attribute)
        and each.call.func.attr in {"format", "format_map"}
        and not is_fixed(each.call.func.value)
        and not _is_of_a_catalogue(each.call.func.value)
    }
    assert found == FORMATS.keys()
    assert not [each.place for each in calls() if each.name in {"Template", "string.Template", "eval", "exec"}]


def test_no_path_is_made_of_input() -> None:
    found = {
        each.place
        for each in calls()
        if each.function
        and each.name not in _HARMLESS
        and (
            each.name in _OPENING
            or each.name.startswith(("os.", "shutil.", "tempfile."))
            or (isinstance(each.call.func, ast.Attribute) and each.call.func.attr in _OPENING_METHODS)
        )
    }
    assert found == FILES.keys()
    served = [each.place for each in calls() if each.name.endswith(("FileResponse", "StaticFiles"))]
    assert served == ["kernel/application.py:_add_operations"]


def test_what_happened_is_told_in_constants() -> None:
    told = [each for each in calls() if re.fullmatch(r"(log|logger|logging)\.\w+", each.name) and each.function]
    assert len([each for each in told if each.name.startswith("log.")]) > 30
    for each in told:
        if each.name.partition(".")[2] in {"debug", "info", "warning", "error", "exception", "critical"}:
            assert isinstance(each.call.args[0], ast.Constant), each.place
            assert len(each.call.args) == 1, each.place


_COMPUTED: Final = re.compile(r"[\w$)\]]\[(?![\"'][\w-]+[\"']\])[^\]\n]*\]\s*(?:=(?![=>])|[-+*/%&|^?]{1,2}=|\+\+|--)")
_COPIED: Final = re.compile(r"Object\.(?:assign|defineProperty|setPrototypeOf)\(.*")
# What is copied onto elements of the page comes from our own calls, in names that they write out.
COPIED: Final = {
    "const made = Object.assign(document.createElement(name), more);",
    "const item = old?.shows === shows ? old : Object.assign(make(), { key, shows });",
}
_BARE: Final = re.compile(
    r"__proto__|\.prototype\s*[.=\[]|\.constructor\b|\beval\(|new Function|\.innerHTML|document\.write"
)


@pytest.mark.parametrize("path", sorted(SERVICES.rglob("*.js")), ids=lambda path: path.name)
def test_no_script_sets_what_it_read_the_name_of(path: Path) -> None:
    for line in path.read_text(encoding="utf-8").splitlines():
        assert not _COMPUTED.search(line), line
        assert not _BARE.search(line), line
        if found := _COPIED.search(line):
            is_written_out = re.match(r"Object\.assign\(\w+, \{ ", found[0])
            assert is_written_out or line.strip() in COPIED, line


def test_a_script_that_did_would_be_found() -> None:
    for wrong in ("found[name] = told;", "this.#kept[each.name] ||= {};", "counts[kind]++;", "a.b[c.d] += 1"):
        assert _COMPUTED.search(wrong), wrong
    for right in (
        "const [one] = list;",
        "if (found[name] === told) x();",
        "[last, since] = [1, 2];",
        "f(a[b]) == c",
        'x["A-b"] = 1',
    ):
        assert not _COMPUTED.search(right), right
