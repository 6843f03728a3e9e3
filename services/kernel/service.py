"""What makes a service: its name, its routes, what it hears of and what it does when time passes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel.answers import Remembered
from services.kernel.consumers import Consumer
from services.kernel.runtime import Runtime
from services.kernel.straight import Straight


@dataclass(frozen=True)
class Sweep:
    """Work that is due when time has passed; `work` does at most one batch in its transaction and says how much."""

    name: str
    work: Callable[[AsyncSession, Runtime], Awaitable[int]]
    every_seconds: float = 1.0


@dataclass(frozen=True)
class Service:
    """One of the three services, as the kernel runs it."""

    name: str
    title: str
    description: str
    routers: tuple[APIRouter, ...]
    consumer: Consumer
    sweeps: tuple[Sweep, ...] = field(default=())
    has_walls: bool = False
    """Whether Postgres shows a request only what lies within its caller's reach (see `kernel.reach`)."""
    at_the_root: tuple[str, ...] = ()
    """Addresses beside `/{name}` that a standard fixes and this service answers."""
    remembered: Remembered | None = None
    """Which of its answers each process remembers."""
    straight: tuple[Straight, ...] = ()
    """Which of its requests need nothing of the framework."""
