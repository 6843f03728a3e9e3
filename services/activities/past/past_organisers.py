"""Who organised a past activity: one section, several, a national body, or nobody that its source names."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.activities.directory.section_rows import SECTION_CODE
from services.kernel.import_values import text
from services.kernel.imports import Refused, Remark

_NOT_STATED = re.compile(r"\s*\(?\bnot stated\b\)?", re.IGNORECASE)
_INFERRED = re.compile(r"\s*\(inferred\)", re.IGNORECASE)
_JOINT = re.compile(r"\bwith\b|\bsections\b|\band others\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PastOrganiser:
    """The organiser's name as its source has it, and the section's code; `section_certain` only for a stated one."""

    name: str | None
    section_code: str | None
    section_certain: bool
    joint: bool


def organiser_of(values: Mapping[str, Any], remarks: list[Remark]) -> PastOrganiser:
    """Read section and code; raise Refused for a code that has not the form of one."""
    given = text(values, "section")
    code = text(values, "section_code")
    if code is not None and not SECTION_CODE.fullmatch(code):
        raise Refused("section_code", f"{code!r} is not a section code like CZ-BRNO-VUT")
    is_inferred = given is not None and _INFERRED.search(given) is not None
    is_stated = given is not None and _NOT_STATED.search(given) is None
    name = None
    if given is not None:
        name = _NOT_STATED.sub("", _INFERRED.sub("", given)).strip()
        name = None if name.casefold() in ("section", "") else name
    joint = name is not None and _JOINT.search(name) is not None
    if not is_stated:
        remarks.append(Remark("section", f"which section it was is not stated{f', only {name!r}' if name else ''}"))
    elif is_inferred:
        remarks.append(Remark("section", f"{name} is inferred, the source does not name it"))
    if joint:
        linked = f"only {code} is linked" if code else "no section is linked"
        remarks.append(Remark("section", f"organised by several, {name!r}; {linked}"))
    elif code is None and is_stated:
        remarks.append(Remark("section_code", f"{name!r} is not linked to a section: no code is given"))
    return PastOrganiser(name, code, code is not None and is_stated and not is_inferred, joint)
