"""What a process holds: the code of its own service and of no other, and nothing heavy that is rarely used."""

from __future__ import annotations

import subprocess
import sys

import pytest

from services.registry import SERVICES

LOADED = """
import sys
import services.__main__
from services.registry import SERVICES
SERVICES[sys.argv[1]]
print(*{name.split(".")[1] for name in sys.modules if name.startswith("services.")})
print(*sys.modules)
"""
HEAVY = {"alembic", "icalendar", "pyarrow", "typst", "xlsxwriter"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_s_process_holds_no_other_service(name: str) -> None:
    told = subprocess.run([sys.executable, "-c", LOADED, name], check=True, capture_output=True, text=True).stdout
    own, every = (set(line.split()) for line in told.splitlines())
    assert own & set(SERVICES) == {name}
    assert HEAVY & every == set()
