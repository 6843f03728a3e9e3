"""Turtle (RDF 1.1) from a graph in the plain form of JSON-LD: nodes with an `@id`, no nesting."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

MEDIA_TYPE = "text/turtle"


def written(told: Mapping[str, Any]) -> str:
    """The same graph; `@context` holds prefixes and nothing else."""
    prefixes = "".join(f"@prefix {name}: <{_iri(address)}> .\n" for name, address in told["@context"].items())
    return prefixes + "".join(f"\n{_node(node)}" for node in told["@graph"])


def _node(node: Mapping[str, Any]) -> str:
    kinds = node["@type"] if isinstance(node["@type"], list) else [node["@type"]]
    lines = [f"a {', '.join(kinds)}"]
    for name, value in node.items():
        if not name.startswith("@"):
            values: Sequence[Any] = value if isinstance(value, list) else [value]
            lines.append(f"{name} {', '.join(_term(each) for each in values)}")
    return f"<{_iri(node['@id'])}>\n  " + " ;\n  ".join(lines) + " .\n"


def _term(value: Any) -> str:
    if isinstance(value, str):
        return _text(value)
    if "@id" in value:
        return f"<{_iri(value['@id'])}>"
    return f"{_text(value['@value'])}@{value['@language']}"


def _text(text: str) -> str:
    # What JSON escapes, Turtle reads in the same way (its ECHAR and UCHAR).
    return json.dumps(text, ensure_ascii=False)


def _iri(address: str) -> str:
    # What Turtle's IRIREF does not let in.
    return "".join(f"%{ord(each):02X}" if each in '<>"{}|^`\\' or each <= " " else each for each in address)
