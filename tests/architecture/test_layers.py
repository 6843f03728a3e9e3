"""Who may import whom: the rules of design.md, section 4, as import-linter reads them from pyproject.toml."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Neither has routes, verbs or tables: the sample network calls other capabilities, the texts of mails are texts.
WITHOUT_LAYERS = {"services.activities.sample", "services.registration.mail"}


def test_imports_go_one_way() -> None:
    command = [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports_command; lint_imports_command()",
        "--no-cache",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_every_capability_is_held_to_the_layers() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    held = {
        container
        for contract in contracts
        if contract["name"].startswith("inside")
        for container in contract["containers"]
    }
    services = [ROOT / "services" / name for name in ("activities", "registration", "impact")]
    capabilities = {
        f"services.{path.parent.parent.name}.{path.parent.name}"
        for each in services
        for path in each.glob("*/__init__.py")
    }
    assert capabilities - WITHOUT_LAYERS == held


def test_every_contract_about_layers_is_exhaustive() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    assert all(contract["exhaustive"] for contract in contracts if contract["type"] == "layers")
