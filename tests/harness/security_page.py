"""Reads the tables of SECURITY.md, and writes those anew that follow from the code: what is said of each row stays.

Run it after a change that its test tells of: `python -m tests.harness.security_page`.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from typing import Any, Final

from services.registry import SERVICES
from tests.harness.sources import SERVICES as FOLDER
from tests.harness.sources import Called, calls, trees

PAGE: Final = FOLDER / "SECURITY.md"
_NAMES: Final = {
    "hashlib.sha256": "SHA-256", "file_digest": "SHA-256", "hashlib.blake2b": "BLAKE2b",
    "hashlib.pbkdf2_hmac": "PBKDF2-HMAC-SHA-256",
    "hmac.compare_digest": "comparison in constant time", "jwe.encrypt_compact": "AES-256-GCM (JWE)",
    "jwe.decrypt_compact": "AES-256-GCM (JWE)", "jwt.decode": "RS256, ES256 (JWS)", "jwt.encode": "RS256, ES256 (JWS)",
    "RSAKey.import_key": "RSA", "RSAKey.generate_key": "RSA", "ECKey.import_key": "P-256",
    "ECKey.generate_key": "P-256", "OctKey.import_key": "AES-256-GCM (JWE)", "random.random": "random, not for secrets",
    "os.urandom": "random of the system", "uuid4": "random of the system",
    "uuid_utils.uuid7": "random, not for secrets",
    "ssl.create_default_context": "TLS", "httpx.create_ssl_context": "TLS",
}  # fmt: skip
# Of a refusal: how urgent it is depends on whether the caller is known.
_CHOSEN: Final = "kernel/application.py:_on_problem"
_KINDS: Final = re.compile(r"(hmac|hashlib|secrets|jwe|jwt|jws|OctKey|ECKey|RSAKey|random|ssl|uuid_utils)\.\w+")


def tables(text: str) -> dict[str, list[list[str]]]:
    """The rows of the table below each heading, without its head."""
    found: dict[str, list[list[str]]] = {}
    for part in re.split(r"(?m)^## ", text)[1:]:
        lines = [line for line in part.splitlines() if line.startswith("|")]
        found[part.partition("\n")[0]] = [_cells(line) for line in lines[2:]]
    return found


def _cells(line: str) -> list[str]:
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def _units(dependency: Any) -> int | None:
    """What `costing` was told, where a dependency is of it: held by an object, or by a function."""
    if inspect.isfunction(dependency):
        return inspect.getclosurevars(dependency).nonlocals.get("units")
    return getattr(dependency, "units", None)


def costs() -> list[list[str]]:
    """Each route that costs more than one, and how much."""
    found: dict[int, list[str]] = {}
    for service in SERVICES.values():
        for router in service.routers:
            for route in router.routes:
                for each in route.dependencies:  # type: ignore[attr-defined]
                    if (units := _units(each.dependency)) is not None:
                        [method] = route.methods - {"HEAD"}  # type: ignore[attr-defined]
                        found.setdefault(units, []).append(f"`{method} /{service.name}{route.path}`")  # type: ignore[attr-defined]
    return [[str(units), " ".join(sorted(found[units]))] for units in sorted(found, reverse=True)]


def dear_inside() -> set[str]:
    """The functions that let a request cost more by what it asks for."""
    return {each.place for each in calls() if each.name == "charge" and not each.path.startswith("kernel/limits")}


def logged() -> list[list[str]]:
    """Each event that is logged, how urgent it is, and what is told with it."""
    found: dict[str, tuple[set[str], set[str]]] = {}
    for each in calls():
        if re.fullmatch(r"(log|logs\.logger\(\))\.\w+", each.name) or (each.place == _CHOSEN and each.name == "tell"):
            assert isinstance(each.call.args[0], ast.Constant), each.place
            levels, fields = found.setdefault(str(each.call.args[0].value), (set(), set()))
            level = each.name.rpartition(".")[2]
            levels |= {"info", "warning"} if level == "tell" else {"error" if level == "exception" else level}
            fields |= set(_told(each))
    return [
        [event, " ".join(sorted(levels)), " ".join(f"`{name}`" for name in sorted(fields))]
        for event, (levels, fields) in sorted(found.items())
    ]


def _told(each: Called) -> Iterator[str]:
    for keyword in each.call.keywords:
        if keyword.arg is None:
            yield "…"
        else:
            yield "failure" if keyword.arg == "exc_info" else keyword.arg


def fitting() -> list[list[str]]:
    """What of a body must fit together, by the model that judges it, in the words of its refusals."""
    return [
        [f"`{node.name}`", " ".join(said)]
        for path, tree in trees().items()
        if not path.startswith("kernel/")
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and (said := [word for method in node.body for word in _refusals(method)])
    ]


def _refusals(method: ast.stmt) -> Iterator[str]:
    if isinstance(method, ast.FunctionDef) and "model_validator(mode='after')" in map(
        ast.unparse, method.decorator_list
    ):
        for each in ast.walk(method):
            if isinstance(each, ast.Constant) and isinstance(each.value, str) and each.value.endswith("."):
                yield each.value


def _algorithm(each: Called) -> str | None:
    name = each.name
    if name in {"hmac.digest", "hmac.new"}:
        call = each.call
        told = {ast.unparse(part) for part in (*call.args[2:], *(named.value for named in call.keywords))}
        # The audit's chain names its algorithms in a list.
        assert told in ({"'sha256'"}, {"hashlib.sha256"}, {"ALGORITHMS[length]"}), told
        return "HMAC-SHA-256"
    if name.startswith("secrets."):
        return "random of the system"
    if name in _NAMES:
        return _NAMES[name]
    assert not _KINDS.fullmatch(name), f"{each.place} uses {name}, of which nothing is said"
    return None


def cryptography() -> dict[str, str]:
    """Each file that hashes, signs, seals, draws or compares secrets, and by what."""
    found: dict[str, set[str]] = {}
    for each in calls():
        if each.path != "operations/development_issuer.py" and (algorithm := _algorithm(each)):
            found.setdefault(f"`{each.path}`", set()).add(algorithm)
    return {path: ", ".join(sorted(names)) for path, names in sorted(found.items())}


def expected(page: dict[str, list[list[str]]]) -> dict[str, list[list[str]]]:
    """The tables that follow from the code; what was said of a row is taken over."""
    said = {row[0]: row[2:] for row in page["Cryptography in use"]}
    return {
        "What is dear": costs(),
        "What is logged": logged(),
        "What must fit together": fitting(),
        "Cryptography in use": [[path, by, *said.get(path, ["", ""])] for path, by in cryptography().items()],
    }


def written(text: str) -> str:
    """The page with these tables as they should be."""
    for heading, rows in expected(tables(text)).items():
        head, _, rest = text.partition(f"## {heading}\n")
        lines = rest.splitlines(keepends=True)
        begin = next(number for number, line in enumerate(lines) if line.startswith("|")) + 2
        end = next((number for number in range(begin, len(lines)) if not lines[number].startswith("|")), len(lines))
        lines[begin:end] = [f"| {' | '.join(_escaped(cell) for cell in row)} |\n" for row in rows]
        text = f"{head}## {heading}\n{''.join(lines)}"
    return text


def _escaped(cell: Any) -> str:
    return str(cell).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
