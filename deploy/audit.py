"""`audit`: whether a library of ours has a known weakness, or was left as it is, for longer than SECURITY.md allows."""

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deploy import osv
from deploy.failure import Failure
from deploy.settings import PROJECT

FILES = ("requirements.txt", "requirements-test.txt", "requirements-bench.txt", "requirements-uv.txt")
POLICY = PROJECT / "services" / "SECURITY.md"
OVERDUE = 1
NOT_ANSWERED = 2

_PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([A-Za-z0-9.!+_-]+)")
_DEADLINE = re.compile(r"\| (critical|high|medium|low) \(([0-9.]+) to [0-9.]+\) \| (\d+) days? \|")
_RENEWAL = re.compile(r"brought up to date every\s+(\d+)\s+days,\s+last\s+on\s+(\d{4}-\d{2}-\d{2})\b")


@dataclass(frozen=True)
class Policy:
    """What SECURITY.md allows: days for a severity, from its least score on, and until when all must be renewed."""

    days: Mapping[str, int]
    least: Mapping[str, float]
    renewed: datetime
    renewal_due: datetime

    def severity(self, score: float) -> str:
        """What a score is called."""
        return max(
            (name for name in self.least if score >= self.least[name]), key=self.least.__getitem__, default="low"
        )


@dataclass(frozen=True)
class Finding:
    """A weakness of a library that we use, when it must be gone, and by which version it is."""

    library: str
    version: str
    names: tuple[str, ...]
    severity: str
    published: datetime
    due: datetime
    mended_in: str

    def row(self, now: datetime) -> tuple[str, ...]:
        """The same for people."""
        late = (now - self.due).days
        state = f"overdue for {late} days" if late > 0 else "overdue" if now > self.due else f"due {self.due:%Y-%m-%d}"
        return (
            f"{self.library} {self.version}",
            self.names[0],
            self.severity,
            f"{self.published:%Y-%m-%d}",
            self.mended_in or "nothing yet",
            state,
        )


def audit(
    address: str, *, folder: Path = PROJECT / "deploy", policy: Path = POLICY, now: datetime | None = None
) -> int:
    """Ask about every pinned library; 0 where all is in time, 1 where something is overdue, 2 without an answer."""
    now = now or datetime.now(UTC)
    allowed = read_policy(policy.read_text(encoding="utf-8"))
    pins = sorted({pin for name in FILES for pin in read_pins((folder / name).read_text(encoding="utf-8"))})
    try:
        known = osv.weaknesses(address, pins)
    except osv.NotAnswered as why:
        print(f"Nobody knows: {why}. Nothing was found out about {len(pins)} libraries.", file=sys.stderr, flush=True)
        return NOT_ANSWERED
    found = judge(known, allowed)
    for line in _table([each.row(now) for each in found]):
        print(line)
    late = [each for each in found if now > each.due]
    is_stale = now > allowed.renewal_due
    if is_stale:
        print(
            f"All libraries were renewed on {allowed.renewed:%Y-%m-%d}: that was due on {allowed.renewal_due:%Y-%m-%d}."
        )
    print(f"{len(pins)} libraries, {len(found)} known weaknesses, {len(late)} of them overdue.")
    return OVERDUE if late or is_stale else 0


def read_pins(text: str) -> list[tuple[str, str]]:
    """Each library with its version, as pip's files with hashes name them."""
    found = [_PIN.match(line) for line in text.splitlines()]
    return [(re.sub(r"[-_.]+", "-", each[1]).lower(), each[2]) for each in found if each]


def read_policy(text: str) -> Policy:
    """The deadlines, as the table and the sentence below it say them."""
    rows = _DEADLINE.findall(text)
    renewal = _RENEWAL.search(text)
    if [name for name, _, _ in rows] != ["critical", "high", "medium", "low"] or renewal is None:
        raise Failure("SECURITY.md does not say how soon weaknesses are mended and when libraries were renewed.")
    renewed = datetime.fromisoformat(renewal[2]).replace(tzinfo=UTC)
    return Policy(
        {name: int(days) for name, _, days in rows},
        {name: float(least) for name, least, _ in rows},
        renewed,
        renewed + timedelta(days=int(renewal[1])),
    )


def judge(known: Mapping[tuple[str, str], Sequence[osv.Weakness]], policy: Policy) -> list[Finding]:
    """What is wrong, the soonest due first; a weakness that several lists name counts once, as the worst of them say.

    What nobody rated counts as high: seven days are enough to look at it.
    """
    found = []
    for (library, version), told in known.items():
        for same in _alike(told):
            rated = [each.score for each in same if each.score is not None]
            words = [each.word for each in same if each.word is not None]
            severities = [*words, *([policy.severity(max(rated))] if rated else [])] or ["high"]
            severity = min(severities, key=list(policy.days).index)
            published = min(each.published for each in same)
            names = tuple(sorted({name for each in same for name in each.names}, key=_known_best))
            due = published + timedelta(days=policy.days[severity])
            mended = next((each.mended_in for each in same if each.mended_in), "")
            found.append(Finding(library, version, names, severity, published, due, mended))
    return sorted(found, key=lambda each: (each.due, each.library, each.names))


def _alike(told: Iterable[osv.Weakness]) -> list[list[osv.Weakness]]:
    groups: list[list[osv.Weakness]] = []
    for weakness in told:
        same = [group for group in groups if any(weakness.names & other.names for other in group)]
        groups = [group for group in groups if group not in same]
        groups.append([weakness, *(each for group in same for each in group)])
    return groups


def _known_best(name: str) -> tuple[bool, str]:
    return (not name.startswith("CVE-"), name)


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    if not rows:
        return []
    told = [("library", "weakness", "severity", "known since", "mended in", "state"), *rows]
    widths = [max(len(row[place]) for row in told) for place in range(len(told[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in told]
