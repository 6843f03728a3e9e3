"""The tools agree: rules (docstrings among them), format and types."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "command",
    [["ruff", "check", "--quiet", "--output-format=concise"], ["ruff", "format", "--check", "--quiet"], ["mypy"]],
    ids=["rules and docstrings", "format", "types"],
)
def test_a_tool_finds_nothing(command: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]


def test_a_public_thing_without_a_docstring_is_found(tmp_path: Path) -> None:
    wrong = tmp_path / "services" / "wrong.py"
    wrong.parent.mkdir()
    wrong.write_text(
        "class Public:\n    def method(self) -> None:\n        pass\n\n\ndef function() -> None:\n    pass\n"
    )
    command = ["ruff", "check", "--config", str(ROOT / "pyproject.toml"), "--output-format=concise", str(wrong)]
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False)
    assert {code for code in ("D100", "D101", "D102", "D103") if code in done.stdout} == {
        "D100",
        "D101",
        "D102",
        "D103",
    }
