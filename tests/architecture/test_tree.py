"""The tree: what lies where, how long files are, what they are called, and what must not be in them."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOP = {"LICENSE", "README.md", "deploy", "migrations", "pyproject.toml", "services", "tests"}
LONGEST = {"services": 400, "deploy": 400, "tests": 500}
NAMELESS = {"utils", "util", "helpers", "helper", "manager", "managers", "base", "common", "misc"}
CAPABILITY_FILES = {"api", "consumers", "actions", "store", "schemas", "tables", "rules"}


@cache
def _files() -> list[Path]:
    """Every file of the project, committed or about to be."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for name in done.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def _python() -> list[Path]:
    return [path for path in _files() if path.suffix == ".py"]


def _found(pattern: str, paths: list[Path]) -> list[str]:
    wanted = re.compile(pattern)
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in paths
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1)
        if wanted.search(line)
    ]


def test_the_top_level_is_exactly_that_of_the_design() -> None:
    assert {
        path.relative_to(ROOT).parts[0] for path in _files() if not path.relative_to(ROOT).parts[0].startswith(".")
    } == TOP


@pytest.mark.parametrize("folder", sorted(LONGEST))
def test_no_file_is_longer_than_one_can_read_at_a_sitting(folder: str) -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for path in _python()
        if path.is_relative_to(ROOT / folder)
    }
    assert lengths
    assert {name: length for name, length in lengths.items() if length > LONGEST[folder]} == {}


def test_nothing_has_a_name_that_says_nothing() -> None:
    names = {part for path in _files() for part in (*path.relative_to(ROOT).parts[:-1], path.stem)}
    assert names & NAMELESS == set()
    assert _found(r"^\s*class \w*(Utils?|Helpers?|Manager|Common)\b", _python()) == []


def test_nothing_is_left_undone() -> None:
    left = r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|NotImplemented" + r"Error)\b"
    assert (
        _found(left, [path for path in _files() if path.suffix in {".py", ".md", ".toml", ".yml", ".yaml", ".sh"}])
        == []
    )


def test_application_code_never_commits() -> None:
    application = [path for path in _python() if path.is_relative_to(ROOT / "services")]
    assert _found(r"\.(commit|rollback)\(", application) == []


def test_only_the_commands_read_the_environment() -> None:
    application = [path for path in _python() if path.is_relative_to(ROOT / "services")]
    assert _found(r"os\.environ|os\.getenv|\bgetenv\(", application) == []


def test_nothing_speaks_of_the_machine_it_was_written_on() -> None:
    machine = "/" + "work/|/tmp/" + "dev|/" + "Users/|/ho" + "me/[a-z]+/"
    text = [path for path in _files() if path.suffix not in {".csv", ".png", ".ico", ".pdf"}]
    assert _found(machine, text) == []


@pytest.mark.parametrize("path", sorted((ROOT / "deploy").glob("requirements*.txt")), ids=lambda path: path.name)
def test_every_requirement_is_pinned_by_hash_and_says_nothing_about_where_it_comes_from(path: Path) -> None:
    text = path.read_text()
    assert re.findall(r"(?m)^-.*|https?://\S+|.*@\s*file.*", text) == []
    wanted = [
        line for line in text.replace("\\\n", " ").splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]
    assert wanted
    for line in wanted:
        assert re.match(r"[a-zA-Z0-9_.\[\],-]+==\S+", line), line
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", line), line


def test_only_store_and_actions_write_statements() -> None:
    routes = [
        path
        for path in _python()
        if path.is_relative_to(ROOT / "services") and path.stem in {"api", "link_api", "schemas", "rules"}
    ]
    assert routes
    assert _found(r"\bsession\.(execute|scalars?|add|get|stream)\(|\bsa\.(select|insert|update|delete)\(", routes) == []


def test_every_capability_says_in_its_first_file_what_it_is() -> None:
    for path in _python():
        if path.name == "__init__.py" and path.is_relative_to(ROOT / "services"):
            assert path.read_text().startswith('"""'), path
            assert len(path.read_text().splitlines()) <= 5, f"{path} holds code"
