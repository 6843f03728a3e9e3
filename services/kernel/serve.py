"""Runs services in a process: web applications behind one uvicorn server, workers, or both."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.util import find_spec
from typing import Literal

import uvicorn
from starlette.types import ASGIApp

from services.kernel.application import combine, create_app
from services.kernel.failures import Stop
from services.kernel.logs import logger
from services.kernel.runtime import Runtime
from services.kernel.service import Service
from services.kernel.settings import Settings
from services.kernel.straight import warm_up
from services.kernel.watching import watch
from services.kernel.worker import Worker

GRACE_SECONDS = 20

log = logger(__name__)


def listen(host: str, port: int) -> socket.socket:
    """The listening socket, or a sentence about why it can't be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise Stop(f"Port {port} on {host} can't be used ({error.strerror}); choose another one with --port.") from None
    return listener


@asynccontextmanager
async def runtimes(settings: Settings, services: Sequence[Service]) -> AsyncIterator[dict[str, Runtime]]:
    """A runtime for each service, acting as its own database role."""
    made = {service.name: Runtime(settings, role=service.name) for service in services}
    try:
        yield made
    finally:
        for runtime in made.values():
            await runtime.close()


async def serve(
    settings: Settings,
    *,
    web: Sequence[Service],
    workers: Sequence[Service],
    listener: socket.socket | None,
    when_ready: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM: requests under way are finished, then the workers stop."""
    involved = {service.name: service for service in (*web, *workers)}
    async with runtimes(settings, list(involved.values())) as held, AsyncExitStack() as stack:
        running = [asyncio.create_task(Worker(service, held[service.name]).run()) for service in workers]
        stack.push_async_callback(_cancel, running)
        if listener is None:
            if when_ready is not None:
                await when_ready()
            await _until_stopped(running)
            return
        apps = {service.name: create_app(service, held[service.name]) for service in web}
        app = combine(apps)
        await warm_up((held[service.name], service.straight) for service in web)
        stack.callback(app.close)
        watching = [asyncio.create_task(watch(each.state.memory)) for each in apps.values() if each.state.memory]
        stack.push_async_callback(_cancel, watching)
        _leave_alone_what_stays()
        server = _Server(_server_config(app))
        serving = asyncio.create_task(server.serve([listener]))
        while not server.started and not serving.done():  # noqa: ASYNC110  # uvicorn sets a flag and no event.
            await asyncio.sleep(0.01)
        if when_ready is not None and not serving.done():
            await when_ready()
        done, _ = await asyncio.wait([serving, *running], return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await serving
        for task in done:
            task.result()


async def serve_alone(app: ASGIApp, listener: socket.socket) -> None:
    """Serve one application that is no service, until SIGINT or SIGTERM."""
    await _Server(_server_config(app)).serve([listener])


class _Server(uvicorn.Server):
    """uvicorn raises the signal anew after its shutdown, which would end the process before ours is done."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)


def _leave_alone_what_stays() -> None:
    """Let the collector pass over all that was made until now: looking through it takes a tenth of a second."""
    gc.collect()
    gc.freeze()


def _protocol() -> type[asyncio.Protocol] | Literal["auto"]:
    if find_spec("httptools") is None:
        return "auto"
    from services.kernel.writing_protocol import WritingProtocol  # noqa: PLC0415  # Needs httptools.

    return WritingProtocol


def _server_config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_protocol(),
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=64 * 1024,
        timeout_keep_alive=10,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


async def _until_stopped(running: Sequence[asyncio.Task[None]]) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    waiting = asyncio.create_task(stopped.wait())
    done, _ = await asyncio.wait([waiting, *running], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    for task in done:
        task.result()


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
