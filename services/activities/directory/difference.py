"""What a list of all sections would change in the directory: a report that is the same for the same two sides."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Final

from services.activities.directory.country_codes import folded
from services.activities.directory.ownership import Difference, differences
from services.activities.directory.section_rows import SectionRow, section_in_accounts
from services.kernel.imports import Refused, Row, parsed

NEAR_KM: Final = 0.5
_KM_OF_A_DEGREE: Final = 111.195


@dataclass(slots=True)
class Listed:
    """A list as it was read: its sections, what was refused or put right, and every code that it names."""

    rows: dict[str, SectionRow] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)
    refused: list[dict[str, Any]] = field(default_factory=list)
    remarks: list[dict[str, Any]] = field(default_factory=list)
    is_clear: bool = True
    """Whether it is known of every record which section it speaks of; else nobody can be said to be missing."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be written, and the report of it."""

    new: Sequence[SectionRow]
    changed: Mapping[str, Sequence[Difference]]
    gone: Sequence[str]
    report: dict[str, Any]

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be written."""
        return not (self.new or self.changed or self.gone)

    @property
    def digest(self) -> str:
        """What the report is known by."""
        text = json.dumps(self.report, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()


def listed(records: Iterable[Row]) -> Listed:
    """Read records of ESN Accounts; of two with one code the first is taken."""
    found = Listed()
    for number, record in enumerate(records, 1):
        code = record.values.get("code")
        named = code.strip().upper() if isinstance(code, str) and code.isprintable() else None
        try:
            row, remarks = parsed(record, section_in_accounts)
            if row.code in found.rows:
                raise Refused("code", f"{row.code} stands in the list already")
        except Refused as refused:
            found.refused.append(_told(number, named, refused.column, refused.reason))
        else:
            found.rows[row.code] = row
            found.remarks += [_told(number, row.code, each.column, each.reason) for each in remarks]
        if named is None:
            found.is_clear = False
        else:
            found.named.add(named)
    return found


def compare(entries: Mapping[str, Mapping[str, Any]], source: Listed) -> Changes:
    """What the list says that the directory does not; an entry is a section's columns by their names."""
    new = [row for code, row in sorted(source.rows.items()) if code not in entries]
    changed: dict[str, list[Difference]] = {}
    kept: dict[str, list[Difference]] = {}
    for code, row in sorted(source.rows.items()):
        for each in differences(entries[code], row, entries[code]["edited"]) if code in entries else ():
            (changed if each.wins == "source" else kept).setdefault(code, []).append(each)
    missing = [code for code, entry in sorted(entries.items()) if _is_gone(entry, source)]
    report = {
        "new": [{"code": row.code, "name": row.name, "state": row.state} for row in new],
        "changed": [_fields(code, found) for code, found in changed.items()],
        "merged": [
            code
            for code, found in changed.items()
            if any(each.column == "state" and each.listed == "merged" for each in found)
        ],
        "gone": [
            {
                "code": code,
                "name": entries[code]["name"],
                "state": entries[code]["state"],
                "proposed": "withdrew" if source.is_clear else None,
            }
            for code in missing
        ],
        "suspected": [
            {"old": code, "new": row.code, "reasons": reasons}
            for code, row in product(missing, new)
            if (reasons := _resemblance(entries[code], row))
        ],
        "kept": [_fields(code, found) for code, found in kept.items()],
        "refused": source.refused,
        "remarks": source.remarks,
        "unchanged": sum(code in entries and code not in changed for code in source.rows),
    }  # fmt: skip
    return Changes(new, changed, missing if source.is_clear else [], report)


def _is_gone(entry: Mapping[str, Any], source: Listed) -> bool:
    # A second code of a section that is listed was never ESN Accounts' own; a refused record is there all the same.
    is_known = entry["code"] in source.named or entry["same_as"] in source.named
    return not is_known and entry["state"] in {"active", "warned"}


def _resemblance(entry: Mapping[str, Any], row: SectionRow) -> list[str]:
    reasons = []
    if entry["country"] == row.country and folded(entry["name"]) == folded(row.name):
        reasons.append("the same name in the same country")
    if entry["code"][2:] == row.code[2:]:
        reasons.append("the same code but for the country")
    if _distance_km(entry, row) <= NEAR_KM:
        reasons.append(f"the same place, within {NEAR_KM:g} km")
    return reasons


def _distance_km(entry: Mapping[str, Any], row: SectionRow) -> float:
    north, east, other_north, other_east = entry["latitude"], entry["longitude"], row.latitude, row.longitude
    if None in {north, east} or other_north is None or other_east is None:
        return math.inf
    # Whole degrees are a region and not a place.
    if (north % 1, east % 1) == (0, 0) or (other_north % 1, other_east % 1) == (0, 0):
        return math.inf
    width = math.cos(math.radians(north)) * (east - other_east)
    return math.hypot(north - other_north, width) * _KM_OF_A_DEGREE


def _fields(code: str, found: Iterable[Difference]) -> dict[str, Any]:
    return {
        "code": code,
        "fields": [{"field": each.column, "now": each.present, "source": each.listed} for each in found],
    }


def _told(number: int, code: str | None, column: str | None, reason: str) -> dict[str, Any]:
    shown = code and code[:60]
    return {"record": number, "code": shown, "field": column, "reason": reason}
