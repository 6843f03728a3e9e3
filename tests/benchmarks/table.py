"""The figures of benchmarks as a table of Markdown: `python -m tests.benchmarks.table FILE`, FILE being of `--json`.

One row for each measure that has a goal, with the benchmark that makes it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HEAD = ("measure", "result", "goal", "`python3 deploy bench …`")


def rows(told: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """The cells of each row."""
    for benchmark, found in told.items():
        for name, measure in found["measures"].items():
            if measure["goal"] is not None:
                low, middle, high = measure["quartiles"]
                result = f"{middle:.2f} ({low:.2f}-{high:.2f}) of {measure['reference']}"
                yield name, result, f"≥ {measure['goal']:g}", f"`{benchmark}`"
        for name, limit in found["limits"].items():
            unit = f" {limit['unit']}" if limit["unit"] else ""
            yield name, f"{limit['value']:.3g}{unit}", f"≤ {limit['goal']:g}{unit}", f"`{benchmark}`"


def table(told: dict[str, Any]) -> str:
    """The whole of it."""
    lines = [HEAD, ("---",) * len(HEAD), *rows(told)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main() -> None:
    """The command."""
    print(table(json.loads(Path(sys.argv[1]).read_text())), end="")


if __name__ == "__main__":
    main()
