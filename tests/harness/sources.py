"""The source of the services, as trees: what it calls, and in which function."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ROOT / "services"


@dataclass(frozen=True)
class Called:
    """One call: in which file and function ("" at the top), of what, and the call itself."""

    path: str
    function: str
    name: str
    call: ast.Call

    @property
    def place(self) -> str:
        """Where it is, as the tests' lists write it."""
        return f"{self.path}:{self.function}"


@cache
def trees() -> dict[str, ast.Module]:
    """Each file of the services by its path below `services`; what receivers are to copy is not ours to run."""
    return {
        str(path.relative_to(SERVICES)): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(SERVICES.rglob("*.py"))
        if "receivers" not in path.parts
    }


def _within(node: ast.AST, path: str, function: str) -> Iterator[Called]:
    for child in ast.iter_child_nodes(node):
        inside = function
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            # What its decorators and defaults call is called when the module is read.
            for early in (*child.decorator_list, child.args):
                yield from _within(ast.Expression(early), path, function)  # type: ignore[arg-type]
            for statement in child.body:
                yield from _within(ast.Module([statement], []), path, child.name)
            continue
        if isinstance(child, ast.Lambda):
            inside = function or "lambda"
        if isinstance(child, ast.Call):
            yield Called(path, function, _named(child.func), child)
        yield from _within(child, path, inside)


def _named(node: ast.expr) -> str:
    """What is called, as it is written."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_named(node.value)}.{node.attr}"
    if isinstance(node, ast.Call):
        return f"{_named(node.func)}()"
    return "…"


@cache
def calls() -> tuple[Called, ...]:
    """Every call of the services."""
    return tuple(each for path, tree in trees().items() for each in _within(tree, path, ""))


@cache
def imported() -> dict[str, frozenset[str]]:
    """What each file imports of others, in full: `hashlib`, `services.kernel.db.create_engine`."""
    found: dict[str, frozenset[str]] = {}
    for path, tree in trees().items():
        names: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                names |= {each.name for each in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
        found[path] = frozenset(names)
    return found


def is_fixed(node: ast.AST) -> bool:
    """Whether an expression is made of constants alone: literals, and names in capitals."""
    if isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.Name):
        return node.id.strip("_").isupper()
    if isinstance(node, ast.JoinedStr):
        return all(is_fixed(each) for each in node.values)
    if isinstance(node, (ast.FormattedValue, ast.Subscript)):
        return is_fixed(node.value)
    if isinstance(node, ast.BinOp):
        return is_fixed(node.left) and is_fixed(node.right)
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "re.escape"
