"""Two things measured by turns in one run: a machine is faster at one minute than at another, and only ratios hold."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.benchmarks.load import Seen


@dataclass(frozen=True)
class Length:
    """How long to measure."""

    name: str
    pairs: int
    seconds: float


FULL = Length("full", pairs=7, seconds=2.0)
QUICK = Length("quick", pairs=2, seconds=0.4)
SHORTEST = Length("shortest", pairs=1, seconds=0.25)
"""For the tests: whether all is right, and no ratio absurd."""


@dataclass
class Measure:
    """A ratio of rates, of ours to the reference, with its spread; and what was seen of either."""

    name: str
    reference: str
    goal: float | None
    ratios: list[float] = field(default_factory=list)
    rates: tuple[float, float] = (0.0, 0.0)
    p50_ms: tuple[float, float] = (0.0, 0.0)
    p99_ms: tuple[float, float] = (0.0, 0.0)
    cpu_us: tuple[float, float] = (0.0, 0.0)
    replies: int = 0
    wrong: int = 0

    @property
    def quartiles(self) -> tuple[float, float, float]:
        """Lower quartile, median and upper quartile of the ratios."""
        if len(self.ratios) < 2:
            return (self.ratios[0],) * 3
        low, middle, high = statistics.quantiles(self.ratios, n=4, method="inclusive")
        return low, middle, high

    def line(self) -> str:
        """One line of the table."""
        low, middle, high = self.quartiles
        goal = "" if self.goal is None else f"  goal {self.goal:.2f} {'ok' if middle >= self.goal else 'MISSED'}"
        return (
            f"  {self.name:<34} {middle:6.3f} ({low:.3f}-{high:.3f}) of {self.reference:<26}"
            f" {self.rates[0]:8.0f}/s of {self.rates[1]:8.0f}/s"
            f"  p50 {self.p50_ms[0]:6.2f} p99 {self.p99_ms[0]:6.2f} ms (p99 of it {self.p99_ms[1]:6.2f})"
            f"  cpu {self.cpu_us[0]:6.1f} of {self.cpu_us[1]:6.1f} us  wrong {self.wrong}{goal}"
        )

    def told(self) -> dict[str, Any]:
        """For the file of results."""
        return {**asdict(self), "quartiles": self.quartiles}


def measure(
    name: str,
    ours: Callable[[float], Seen],
    reference: Callable[[float], Seen],
    *,
    reference_name: str,
    goal: float | None,
    pids: tuple[int, int],
    length: Length,
    spent: Callable[[int], float] | None = None,
) -> Measure:
    """Turn by turn; the first turn of each warms up and counts for nothing but its errors.

    `spent` says what a process has used of the processor, with whatever else belongs to it.
    """
    spent = spent or cpu_seconds
    seconds = length.seconds
    made = Measure(name, reference_name, goal)
    seen: tuple[list[Seen], list[Seen]] = ([], [])
    cpu: tuple[list[float], list[float]] = ([], [])
    for each in (ours(seconds / 2), reference(seconds / 2)):
        made.wrong += each.wrong
    for _ in range(length.pairs):
        for side, (ask, pid) in enumerate(zip((ours, reference), pids, strict=True)):
            before = spent(pid)
            found = ask(seconds)
            cpu[side].append((spent(pid) - before) / max(1, found.replies) * 1e6)
            seen[side].append(found)
            made.wrong += found.wrong
        made.ratios.append(seen[0][-1].rate / max(0.001, seen[1][-1].rate))
    made.replies = sum(each.replies for each in seen[0])
    made.rates, made.cpu_us = _pair(lambda side: [each.rate for each in seen[side]]), _pair(lambda side: cpu[side])
    made.p50_ms = _pair(lambda side: [each.at(0.5) for each in seen[side]])
    made.p99_ms = _pair(lambda side: [each.at(0.99) for each in seen[side]])
    return made


def _pair(of: Callable[[int], Sequence[float]]) -> tuple[float, float]:
    return statistics.median(of(0)), statistics.median(of(1))


def cpu_seconds(pid: int) -> float:
    """What a process has used of the processor; 0 where the system does not show it."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int) -> float:
    """The memory of a process that is its own, and its share of what it has in common with others."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def idle_percent(pid: int, seconds: float) -> float:
    """How much of a processor a process uses while nobody asks it anything."""
    before = cpu_seconds(pid)
    time.sleep(seconds)
    return (cpu_seconds(pid) - before) / seconds * 100


def pin(pid: int, core: int) -> bool:
    """Keep a process on one core, where there is more than one and the system can."""
    if (os.cpu_count() or 1) < 2 or not hasattr(os, "sched_setaffinity"):
        return False
    os.sched_setaffinity(pid, {core})
    return True
