"""Commands that run the services, migrate their database and describe them."""

from __future__ import annotations

import json
from socket import socket
from typing import Annotated

import typer

from services.commands.alone import run
from services.kernel import db, logs, serve
from services.kernel.failures import Stop
from services.kernel.revisions import refuse_unless_current
from services.kernel.service import Service
from services.kernel.settings import Settings
from services.registry import HISTORIES, SERVICES

app = typer.Typer()


async def _migrate(settings: Settings) -> list[str]:
    from services.kernel import migrate

    engine = db.create_engine(settings, role=None, pool_size=1)
    try:
        return await migrate.upgrade(engine, HISTORIES)
    finally:
        await engine.dispose()


@app.command("migrate")
def migrate_command() -> None:
    """Bring the database up to date."""
    moved = run(_migrate(Settings.load()))
    print(f"migrated: {', '.join(moved)}" if moved else "the database is up to date")


@app.command("revise", hidden=True)
def revise_command(schema: str, revision: str, message: str) -> None:
    """Write a migration from what changed in the tables (for developers)."""
    from services.kernel import revise

    settings = Settings.load()

    async def work() -> None:
        engine = db.create_engine(settings, role=None, pool_size=1)
        try:
            await revise.revise(engine, HISTORIES[schema], message, revision)
        finally:
            await engine.dispose()

    run(work())


@app.command()
def up(
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    host: str = "127.0.0.1",
    sample: Annotated[bool, typer.Option(help="Load the sample network into an empty database.")] = True,
) -> None:
    """Migrate, then serve the three services at one port and run their workers."""
    from services.operations import first_run, welcome

    settings = Settings.load()
    logs.configure(settings.log_level, service="all", file=settings.log_file)
    listener = serve.listen(host, port)
    everything = list(SERVICES.values())

    async def prepare() -> None:
        moved = await _migrate(settings)
        if moved:
            print(f"  migrated      {', '.join(moved)}", flush=True)
        if sample and settings.environment == "development":
            await first_run.ensure_sample(settings, lambda what: print(f"  loaded        {what}", flush=True))
            await first_run.catch_up(settings, everything)

    async def welcome_everybody() -> None:
        tokens = await welcome.development_tokens(settings) if settings.environment == "development" else []
        print(welcome.text(settings, tokens), flush=True)

    async def work() -> None:
        await prepare()
        await serve.serve(settings, web=everything, workers=everything, listener=listener, when_ready=welcome_everybody)

    run(work())


@app.command("api")
def api_command(
    name: str,
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    host: str = "127.0.0.1",
) -> None:
    """Serve one service, below its own name."""
    settings, served = Settings.load(), chosen(name)
    logs.configure(settings.log_level, service=name, file=settings.log_file)
    listener = serve.listen(host, port)
    run(_serve(settings, web=served, workers=[], listener=listener))


@app.command("worker")
def worker_command(name: Annotated[str, typer.Argument(help="A service, or all of them.")]) -> None:
    """Run the worker of one service, or of all."""
    settings, worked = Settings.load(), chosen(name, may_be_all=True)
    logs.configure(settings.log_level, service=name, file=settings.log_file)
    run(_serve(settings, web=[], workers=worked, listener=None))


async def _serve(settings: Settings, *, web: list[Service], workers: list[Service], listener: socket | None) -> None:
    for service in (*web, *workers):
        engine = db.create_engine(settings, role=service.name, pool_size=1)
        try:
            await refuse_unless_current(engine, [HISTORIES[name] for name in ("events", "access", service.name)])
        finally:
            await engine.dispose()
    await serve.serve(settings, web=web, workers=workers, listener=listener, when_ready=_say_ready)


async def _say_ready() -> None:
    logs.logger(__name__).info("ready")


def chosen(name: str, *, may_be_all: bool = False) -> list[Service]:
    """The service that a command names, or a sentence about what could be named."""
    if may_be_all and name == "all":
        return list(SERVICES.values())
    if name not in SERVICES:
        names = [*SERVICES, "all"] if may_be_all else [*SERVICES]
        raise Stop(f"There is no service of that name; choose one of: {', '.join(names)}.")
    return [SERVICES[name]]


@app.command("openapi")
def openapi_command(
    name: Annotated[str | None, typer.Argument(help="A service; without it, all of them.")] = None,
) -> None:
    """Print the OpenAPI description of a service, or of all by their names."""
    from services.kernel.application import describe

    described = {service.name: describe(service) for service in (chosen(name) if name else SERVICES.values())}
    print(json.dumps(described[name] if name else described, indent=2, ensure_ascii=False))
