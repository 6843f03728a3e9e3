"""Routes and what they depend on run on the loop: a plain function would be run in a thread, which costs more."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from fastapi.dependencies.models import Dependant

from services.registry import SERVICES


def _in_a_thread(call: Any) -> bool:
    is_security = not inspect.isroutine(call)
    called = type(call).__call__ if is_security else call
    return not (inspect.iscoroutinefunction(called) or inspect.isasyncgenfunction(called))


def _plain(dependant: Dependant) -> Iterator[str]:
    if dependant.call is not None and _in_a_thread(dependant.call):
        yield getattr(dependant.call, "__qualname__", repr(dependant.call))
    for deeper in dependant.dependencies:
        yield from _plain(deeper)


def test_no_route_and_no_dependency_needs_a_thread() -> None:
    dependants = [
        route.dependant  # type: ignore[attr-defined]
        for service in SERVICES.values()
        for router in service.routers
        for route in router.routes
    ]
    assert len(dependants) > 100
    assert sorted({name for dependant in dependants for name in _plain(dependant)}) == []


def test_a_plain_function_would_be_found() -> None:
    def plain() -> None: ...

    async def quick() -> None: ...

    assert _in_a_thread(plain)
    assert not _in_a_thread(quick)
