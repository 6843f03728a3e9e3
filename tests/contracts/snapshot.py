"""The events as they were last agreed, in events.json; `python -m tests.contracts.snapshot` writes it anew.

It refuses to write what would break a hearer or an event in the log: a field taken away, changed, or added without a
default. Such a change is a new version of the event beside the old one.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from services.contracts import EVENTS

FILE = Path(__file__).with_name("events.json")
_WORDS = {"title", "description", "examples"}


def present() -> dict[str, Any]:
    """The events in code: who hears each, and its JSON schema without words."""
    return {
        event.name: {"heard_by": list(event.heard_by), "schema": _plain(event.model_json_schema(mode="serialization"))}
        for event in sorted(EVENTS, key=lambda event: event.name)
    }


def committed() -> dict[str, Any]:
    """The events as last agreed."""
    found: dict[str, Any] = json.loads(FILE.read_text())
    return found


def incompatibilities(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What in `new` would break those who know `old`, one sentence each."""
    faults = [f"{name} is gone" for name in old.keys() - new.keys()]
    for name in old.keys() & new.keys():
        before, after = old[name]["schema"], new[name]["schema"]
        faults += [
            f"{name}: {hearer} no longer hears it" for hearer in set(old[name]["heard_by"]) - set(new[name]["heard_by"])
        ]
        faults += _faults(name, before, after)
        for part, schema in before.get("$defs", {}).items():
            faults += _faults(f"{name}: {part}", schema, after.get("$defs", {}).get(part, {}))
    return sorted(faults)


def _faults(where: str, before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    if "properties" not in before:
        return [] if before == after else [f"{where} changed"]
    fields = after.get("properties", {})
    faults = [f"{where}: {field} is gone" for field in before["properties"].keys() - fields.keys()]
    both = before["properties"].keys() & fields.keys()
    faults += [f"{where}: {field} changed" for field in both if before["properties"][field] != fields[field]]
    added = fields.keys() - before["properties"].keys()
    faults += [f"{where}: {field} is new and has no default" for field in added if "default" not in fields[field]]
    faults += [
        f"{where}: {field} is now required"
        for field in set(after.get("required", ())) - set(before.get("required", ())) - added
    ]
    return faults


def _plain(schema: Any, *, is_map: bool = False) -> Any:
    if isinstance(schema, dict):
        kept = schema if is_map else {key: value for key, value in schema.items() if key not in _WORDS}
        return {
            key: _plain(value, is_map=key in {"properties", "$defs"} and not is_map)
            for key, value in sorted(kept.items())
        }
    return [_plain(each) for each in schema] if isinstance(schema, list) else schema


def main() -> None:
    """Write the snapshot, unless somebody would be left behind."""
    faults = incompatibilities(committed(), present()) if FILE.exists() else []
    if faults:
        sys.exit("\n".join([*faults, "Make a new version of the event beside the old one."]))
    FILE.write_text(json.dumps(present(), indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
