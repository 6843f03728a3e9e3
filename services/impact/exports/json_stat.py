"""Cubes as JSON-stat 2.0: a measure is a dimension like the others, a figure that is withheld has a status."""

from __future__ import annotations

import math
from typing import Any, Final

from services.impact.exports.rules import (
    GROWN_BY,
    QUANTITIES,
    Absent,
    Category,
    Cube,
    Observation,
    observations,
    words,
)

MOST_DENSE: Final = 100_000
_FEW: Final = 1_000
_STATUS: Final = {Absent.SUPPRESSED: "c", Absent.NOT_APPLICABLE: "z"}
_TIMES: Final = ("edition", "academic_year", "month")
_PLACES: Final = ("country", "section", "platform")


def written(cube: Cube) -> dict[str, Any]:
    """The dataset; where most combinations are empty, `value` names only those that aren't."""
    seen = list(observations(cube))
    metrics = _metrics(cube, seen)
    lists = [*(_codes(cube, place) for place in range(len(cube.dimensions))), [each for each, _ in metrics]]
    places = [{category.code: number for number, category in enumerate(categories)} for categories in lists]
    sizes = [len(each) for each in places]
    values: dict[int, float | None] = {}
    status: dict[str, str] = {}
    for each in seen:
        codes = [code or own.unstated.code for code, own in zip(each.key, cube.dimensions, strict=True)]
        at = 0
        for code, known, size in zip([*codes, _metric(each)], places, sizes, strict=True):
            at = at * size + known[code]
        if isinstance(each.value, Absent):
            status[str(at)] = _STATUS[each.value]
        else:
            values[at] = each.value if isinstance(each.value, int) else float(each.value)
    names = [*(each.code for each in cube.dimensions), "measure"]
    return {
        "version": "2.0",
        "class": "dataset",
        "label": cube.title,
        **({"updated": cube.as_of} if cube.as_of else {}),
        **({"source": cube.notes["source"]} if "source" in cube.notes else {}),
        "note": [f"{words(name)}: {text}" for name, text in cube.notes.items()],
        "id": names,
        "size": sizes,
        "role": _roles(names),
        "dimension": {
            name: {"label": words(name), "category": _category(categories, dict(metrics))}
            for name, categories in zip(names, lists, strict=True)
        },
        "value": [values.get(at) for at in range(math.prod(sizes))]
        if math.prod(sizes) <= min(MOST_DENSE, _FEW + 10 * len(values))
        else {str(at): value for at, value in values.items()},
        **({"status": status} if status else {}),
        "extension": {"status": {code: reason.value for reason, code in _STATUS.items()}},
    }


def _codes(cube: Cube, place: int) -> list[Category]:
    own = cube.dimensions[place]
    is_unstated = any(row.key[place] is None for row in cube.rows)
    return [*own.categories, *([own.unstated] if is_unstated else [])]


def _metric(each: Observation) -> str:
    return each.measure if each.quantity is None else f"{each.measure}:{each.quantity}:{each.unit}"


def _metrics(cube: Cube, seen: list[Observation]) -> list[tuple[Category, dict[str, Any]]]:
    titles = {each.code: each for each in cube.measures}
    found = {
        each.code: (Category(each.code, each.title), {"unit": each.unit, "definition": each.definition})
        for each in cube.counts
    }
    for each in sorted((each for each in seen if each.measure.startswith(QUANTITIES)), key=_metric):
        own = titles[each.measure]
        label = own.title if each.quantity is None else f"{words(each.quantity)} ({each.unit})"
        if each.measure != QUANTITIES:
            label = f"{own.title}: {label}"
        unit = "1" if each.measure.endswith(GROWN_BY) else each.unit
        about = {"unit": unit, "definition": own.definition}
        found.setdefault(_metric(each), (Category(_metric(each), label), about))
    return list(found.values())


def _category(categories: list[Category], about: dict[Category, dict[str, Any]]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "index": [each.code for each in categories],
        "label": {each.code: each.label for each in categories},
    }
    measured = {each.code: about[each] for each in categories if each in about}
    if measured:
        told["unit"] = {code: {"label": each["unit"]} for code, each in measured.items()}
        told["note"] = {code: [each["definition"]] for code, each in measured.items()}
    return told


def _roles(names: list[str]) -> dict[str, list[str]]:
    roles = {"time": _TIMES, "geo": _PLACES, "metric": ("measure",)}
    found = {role: [name for name in names if name in known] for role, known in roles.items()}
    return {role: known for role, known in found.items() if known}
