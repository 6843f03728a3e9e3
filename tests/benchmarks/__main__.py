"""The benchmarks by name: `python -m tests.benchmarks [NAME] [--quick]`, which `python3 deploy bench` calls."""

from __future__ import annotations

import ast
import importlib
import sys
from pathlib import Path

COMPARED = ("reads", "writes", "events", "bad_clients", "folding", "statistics", "export")
"""Those that measure a ratio to a reference, and say which goals are met; without a name all of them run."""
_PARTS = {
    "__init__",
    "__main__",
    "constant",
    "facts",
    "jobs",
    "load",
    "misbehaving",
    "pairs",
    "queues",
    "usual",
    "validating",
}


def benchmarks() -> dict[str, str]:
    """Every benchmark with its first line."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if path.stem not in _PARTS:
            told = ast.get_docstring(ast.parse(path.read_text())) or ""
            found[path.stem] = told.partition("\n")[0]
    return found


def main(arguments: list[str]) -> int:
    """Run the benchmarks named, or those that compare; `--list` names all."""
    known = benchmarks()
    names = [each for each in arguments if each in known]
    options = [each for each in arguments if each not in known]
    unknown = [each for each in options[:1] if not each.startswith("-")]
    if unknown or "--list" in options:
        print(*(f"{name:<24}{told}" for name, told in known.items()), sep="\n")
        return 2 if unknown else 0
    for name in names or COMPARED:
        print(name, flush=True)
        sys.argv = [f"bench {name}", *options]
        importlib.import_module(f"tests.benchmarks.{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
