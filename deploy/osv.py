"""What an OSV service (https://google.github.io/osv.dev/api/) knows of versions of libraries."""

import http.client
import json
import math
import re
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

ADDRESS = "https://api.osv.dev"
SECONDS = 20.0
MOST_AT_ONCE = 500  # of the 1,000 that are allowed
MOST_BYTES = 16 << 20
MOST_PAGES = 50

# Of CVSS 3, as its specification numbers them; privileges weigh more where the scope changes.
_WEIGHTS = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "UI": {"N": 0.85, "R": 0.62},
    "C": {"H": 0.56, "L": 0.22, "N": 0.0},
    "I": {"H": 0.56, "L": 0.22, "N": 0.0},
    "A": {"H": 0.56, "L": 0.22, "N": 0.0},
}
_PRIVILEGES = {"U": {"N": 0.85, "L": 0.62, "H": 0.27}, "C": {"N": 0.85, "L": 0.68, "H": 0.5}}
_WORDS = {"critical": "critical", "high": "high", "moderate": "medium", "medium": "medium", "low": "low"}


class NotAnswered(Exception):
    """The service is away, or answered something else; the message says which."""


@dataclass(frozen=True)
class Weakness:
    """One entry about a library: its names in all lists, since when it is known, and how bad it is, if that is said."""

    names: frozenset[str]
    published: datetime
    score: float | None
    word: str | None
    mended_in: str


class _Straight(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Nobody is asked but the one who was named."""


_OPENER = urllib.request.build_opener(_Straight)


def weaknesses(address: str, pins: Sequence[tuple[str, str]]) -> dict[tuple[str, str], list[Weakness]]:
    """Ask about all libraries at once, and then for what each entry says."""
    entries: dict[tuple[str, str], list[str]] = {}
    for start in range(0, len(pins), MOST_AT_ONCE):
        for pin, identity in _entries(address, pins[start : start + MOST_AT_ONCE]):
            entries.setdefault(pin, []).append(identity)
    told = {each: _ask(address, f"/v1/vulns/{quote(each, safe='')}") for ids in entries.values() for each in ids}
    found = {
        pin: [_read(told[each], pin[0]) for each in dict.fromkeys(ids) if not told[each].get("withdrawn")]
        for pin, ids in entries.items()
    }
    return {pin: those for pin, those in found.items() if those}


def _entries(address: str, pins: Sequence[tuple[str, str]]) -> Iterator[tuple[tuple[str, str], str]]:
    waiting: list[tuple[tuple[str, str], str | None]] = [(pin, None) for pin in pins]
    for _ in range(MOST_PAGES):
        queries = [
            {
                "package": {"name": name, "ecosystem": "PyPI"},
                "version": version,
                **({"page_token": page} if page else {}),
            }
            for (name, version), page in waiting
        ]
        results = _ask(address, "/v1/querybatch", {"queries": queries}).get("results")
        if not isinstance(results, list) or len(results) != len(waiting):
            raise NotAnswered(f"{_host(address)} answered something else than was asked")
        asked, waiting = waiting, []
        for (pin, _page), result in zip(asked, results, strict=True):
            for entry in result.get("vulns", []):
                yield pin, str(entry["id"])
            if result.get("next_page_token"):
                waiting.append((pin, str(result["next_page_token"])))
        if not waiting:
            return
    raise NotAnswered(f"{_host(address)} does not come to an end")


def _ask(address: str, path: str, question: Mapping[str, Any] | None = None) -> dict[str, Any]:
    body = None if question is None else json.dumps(question).encode()
    headers = {"Accept": "application/json", **({} if body is None else {"Content-Type": "application/json"})}
    request = urllib.request.Request(address.rstrip("/") + path, body, headers)  # noqa: S310 - see is_address
    try:
        with _OPENER.open(request, timeout=SECONDS) as reply:
            told = json.loads(reply.read(MOST_BYTES))
    except urllib.error.HTTPError as error:
        error.close()
        raise NotAnswered(f"{_host(address)} answered {error.code}") from None
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        why = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
        raise NotAnswered(f"{_host(address)} can't be reached ({why})") from None
    except (ValueError, RecursionError):
        raise NotAnswered(f"{_host(address)} answered something that is no JSON") from None
    if not isinstance(told, dict):
        raise NotAnswered(f"{_host(address)} answered something else than was asked")
    return told


def _host(address: str) -> str:
    return urlsplit(address).netloc.rpartition("@")[2]


def is_address(text: str) -> bool:
    """Whether a text is a web address; plain HTTP only on this machine, since the answer decides what is safe."""
    parts = urlsplit(text)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in {"127.0.0.1", "::1", "localhost"})
    )


def _read(entry: Mapping[str, Any], library: str) -> Weakness:
    try:
        published = datetime.fromisoformat(str(entry.get("published") or entry["modified"]))
        names = frozenset({str(entry["id"]), *map(str, entry.get("aliases", []))})
        scores = [score(str(each.get("score"))) for each in entry.get("severity", [])]
        rated = [each for each in scores if each is not None]
        word = str(entry.get("database_specific", {}).get("severity", "")).lower()
        mended = _mended_in(entry, library)
    except (KeyError, ValueError, TypeError, AttributeError):
        raise NotAnswered("an entry of the list is not of OSV's form") from None
    # Fractions of seconds differ from list to list; days are what counts.
    since = published if published.tzinfo else published.replace(tzinfo=UTC)
    return Weakness(names, since, max(rated, default=None), _WORDS.get(word), mended)


def _mended_in(entry: Mapping[str, Any], library: str) -> str:
    fixed = [
        str(event["fixed"])
        for affected in entry.get("affected", [])
        if re.sub(r"[-_.]+", "-", str(affected.get("package", {}).get("name", ""))).lower() == library
        for span in affected.get("ranges", [])
        if span.get("type") == "ECOSYSTEM"
        for event in span.get("events", [])
        if "fixed" in event
    ]
    return ", ".join(dict.fromkeys(fixed))


def score(vector: str) -> float | None:
    """The base score of a CVSS 3 vector; None for what is not one, as CVSS 4, which lists say in a word besides."""
    if not vector.startswith("CVSS:3."):
        return None
    told = dict(part.split(":", 1) for part in vector.split("/")[1:] if ":" in part)
    try:
        weight = {name: options[told[name]] for name, options in _WEIGHTS.items()}
        weight["PR"] = _PRIVILEGES[told["S"]][told["PR"]]
    except KeyError:
        return None
    base = 1 - (1 - weight["C"]) * (1 - weight["I"]) * (1 - weight["A"])
    impact = 6.42 * base
    if told["S"] == "C":
        impact = 7.52 * (base - 0.029) - 3.25 * (base - 0.02) ** 15
    if impact <= 0:
        return 0.0
    ease = 8.22 * weight["AV"] * weight["AC"] * weight["PR"] * weight["UI"]
    return _rounded_up(min((1.08 if told["S"] == "C" else 1.0) * (impact + ease), 10.0))


def _rounded_up(value: float) -> float:
    # As the specification does it, so that no error of floating point makes a tenth more.
    whole = round(value * 100_000)
    return whole / 100_000 if whole % 10_000 == 0 else (math.floor(whole / 10_000) + 1) / 10
