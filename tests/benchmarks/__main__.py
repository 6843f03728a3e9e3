"""The benchmarks by name: `python -m tests.benchmarks [NAME] [--quick]`, which `python3 deploy bench` calls."""

from __future__ import annotations

import ast
import importlib
import json
import sys
import tempfile
from pathlib import Path

COMPARED = ("reads", "writes", "events", "bad_clients", "start", "folding", "statistics", "export")
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
    "table",
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
    """Run the benchmarks named, or those that compare; `--list` names all, `--json FILE` keeps the figures of each."""
    known = benchmarks()
    names = [each for each in arguments if each in known]
    options = [each for each in arguments if each not in known]
    unknown = [each for each in options[:1] if not each.startswith("-")]
    if unknown or "--list" in options:
        print(*(f"{name:<24}{told}" for name, told in known.items()), sep="\n")
        return 2 if unknown else 0
    file = _taken(options, "--json")
    told, status = {}, 0
    with tempfile.TemporaryDirectory() as folder:
        for name in names or COMPARED:
            print(name, flush=True)
            part = Path(folder) / name
            sys.argv = [f"bench {name}", *options, *(["--json", str(part)] if file else [])]
            try:
                importlib.import_module(f"tests.benchmarks.{name}").main()
            except SystemExit as end:
                if not isinstance(end.code, str):
                    raise
                # What is wrong in one does not keep the others from being measured.
                print(end.code, file=sys.stderr, flush=True)
                status = 1
            if part.exists():
                told[name] = json.loads(part.read_text())
    if file:
        Path(file).write_text(json.dumps(told, indent=1))
    return status


def _taken(options: list[str], name: str) -> str | None:
    """The value of an option, which is taken from among them."""
    if name not in options[:-1]:
        return None
    at = options.index(name)
    _, value = options.pop(at), options.pop(at)
    return value


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
