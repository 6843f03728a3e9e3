"""Cubes as SDMX-CSV 2.0, each figure a line, with SDMX's own codes for what has no number."""

from __future__ import annotations

import csv
import io
from typing import Final

from services.impact.exports.rules import Absent, Cube, harmless, observations, plain

STRUCTURE: Final = "SOCIALERASMUS:{name}(1.0.0)"
_FIRST: Final = ("STRUCTURE", "STRUCTURE_ID", "ACTION")
_LAST: Final = ("MEASURE", "QUANTITY", "UNIT_MEASURE", "OBS_VALUE", "OBS_STATUS", "CONF_STATUS")
_NOT_APPLICABLE: Final = "_Z"
# CL_OBS_STATUS and CL_CONF_STATUS of the SDMX content-oriented guidelines.
_STATUS: Final = {None: ("A", "F"), Absent.SUPPRESSED: ("Q", "C"), Absent.NOT_APPLICABLE: ("M", "F")}


def written(cube: Cube) -> bytes:
    """The lines with their header."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([*_FIRST, *(each.code.upper() for each in cube.dimensions), *_LAST])
    structure = STRUCTURE.format(name=cube.name.upper().replace("-", "_"))
    for each in observations(cube):
        codes = [code or own.unstated.code for code, own in zip(each.key, cube.dimensions, strict=True)]
        reason = each.value if isinstance(each.value, Absent) else None
        value = "" if isinstance(each.value, Absent) else plain(each.value)
        quantity, unit = each.quantity or _NOT_APPLICABLE, each.unit or _NOT_APPLICABLE
        told = [*map(harmless, codes), each.measure, harmless(quantity), harmless(unit)]
        writer.writerow(["dataflow", structure, "I", *told, value, *_STATUS[reason]])
    return text.getvalue().encode()
