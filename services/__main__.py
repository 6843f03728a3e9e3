"""The commands: `python -m services …`. The only module that knows all three services."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path
from socket import socket
from typing import Annotated, Any, TypeVar

import typer
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from uvicorn.loops.auto import auto_loop_factory

import services.activities.main as activities
import services.impact.main as impact
import services.registration.main as registration
from services.impact.disclosure import actions as disclosure
from services.impact.facts import actions as facts
from services.kernel import access, auth, db, dead_letters, events, logs, migrate, renumber, replay, revise, serve
from services.kernel.application import describe
from services.kernel.failures import Stop
from services.kernel.roles import Account, RoleRules, explain
from services.kernel.runtime import Runtime
from services.kernel.service import Service
from services.kernel.settings import Settings
from services.operations import development_issuer, first_run, imports, sync, welcome

SERVICES: dict[str, Service] = {
    service.name: service for service in (activities.SERVICE, registration.SERVICE, impact.SERVICE)
}
HISTORIES = {
    history.schema: history
    for history in (
        migrate.History(
            "events",
            events.METADATA,
            grants=(
                ("alembic_version", "SELECT"),
                ("count", "SELECT"),
                ("log", "SELECT, INSERT"),
                ("cursors", "SELECT, INSERT, UPDATE"),
                ("dead_letters", "SELECT, INSERT, UPDATE, DELETE"),
            ),
        ),
        migrate.History(
            "access",
            access.METADATA,
            grants=(
                ("alembic_version", "SELECT"),
                ("tokens", "SELECT"),
                ("keys", "SELECT, UPDATE (last_used_at)"),
            ),
            grants_to=(("activities", "keys", "INSERT, UPDATE"),),
        ),
        migrate.History("activities", activities.METADATA, owner="activities"),
        migrate.History("registration", registration.METADATA, owner="registration"),
        migrate.History("impact", impact.METADATA, owner="impact"),
    )
}

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help="SocialErasmus: services and their care.")


class Rebuildable(StrEnum):
    """What can be made anew from what it was made of."""

    IMPACT = "impact"


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    # uvicorn would choose the quicker loop itself, if it were the one to start it.
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        return runner.run(work)


async def _migrate(settings: Settings) -> list[str]:
    engine = db.create_engine(settings, role=None, pool_size=1)
    try:
        return await migrate.upgrade(engine, HISTORIES)
    finally:
        await engine.dispose()


@app.command("migrate")
def migrate_command() -> None:
    """Bring the database up to date."""
    moved = _run(_migrate(Settings.load()))
    print(f"migrated: {', '.join(moved)}" if moved else "the database is up to date")


@app.command("revise", hidden=True)
def revise_command(schema: str, revision: str, message: str) -> None:
    """Write a migration from what changed in the tables (for developers)."""
    settings = Settings.load()

    async def work() -> None:
        engine = db.create_engine(settings, role=None, pool_size=1)
        try:
            await revise.revise(engine, HISTORIES[schema], message, revision)
        finally:
            await engine.dispose()

    _run(work())


@app.command()
def up(
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    host: str = "127.0.0.1",
    sample: Annotated[bool, typer.Option(help="Load the sample network into an empty database.")] = True,
) -> None:
    """Migrate, then serve the three services at one port and run their workers."""
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

    _run(work())


@app.command("import")
def import_command(
    kind: Annotated[imports.Kind, typer.Argument(help="What the file holds.")],
    path: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A CSV file; JSON for ESN Accounts.")],
) -> None:
    """Import a file; what was refused is written beside it, and running it twice changes nothing."""
    settings = Settings.load()
    logs.configure("WARNING", service="import")
    report = _run(imports.run(settings, kind, path))
    print(report.text())
    if report.stopped:
        raise typer.Exit(1)


synced = typer.Typer(no_args_is_help=True, help="Bring entries into line with the system that owns them.")
app.add_typer(synced, name="sync")


@synced.callback()
def sync_group() -> None:
    """Bring entries into line with the system that owns them."""


@synced.command("sections")
def sync_sections(
    source: Annotated[str, typer.Argument(help="All sections, as ESN Accounts lists them: a JSON file or an address.")],
    apply: Annotated[bool, typer.Option("--apply", help="Change what the report said.")] = False,
    report: Annotated[str | None, typer.Option(help="The digest of the report that was seen.")] = None,
) -> None:
    """Show what a list of all sections would change; with --apply --report DIGEST, change exactly that."""
    if apply != (report is not None):
        raise Stop("--apply and --report DIGEST go together: only a report that was seen is carried out.")
    settings = Settings.load()
    logs.configure("WARNING", service="sync")
    print(sync.text(_run(sync.sections(settings, source, digest=report)), applied=apply))


@app.command()
def rebuild(what: Annotated[Rebuildable, typer.Argument()]) -> None:
    """Make the figures anew from the reports, while the services go on."""
    assert what is Rebuildable.IMPACT
    made = _as_owner(facts.rebuild)
    print(f"{made.activities} activities in {made.cells} cells, {made.quantity_cells} cells of quantities")
    print(f"{made.differences} differences from what folding had kept")


@app.command("release-tables")
def release_tables_command() -> None:
    """Release the tables of people of every academic year that is closed and has none."""

    async def alone() -> None:
        runtime = Runtime(Settings.load(), role=None)
        try:
            while (year := await disclosure.release_due(runtime)) is not None:
                print(f"released: {year}")
        finally:
            await runtime.close()

    _run(alone())
    print("nothing more is due")


@app.command("api")
def api_command(
    name: str,
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    host: str = "127.0.0.1",
) -> None:
    """Serve one service, below its own name."""
    settings, chosen = Settings.load(), _chosen(name)
    logs.configure(settings.log_level, service=name, file=settings.log_file)
    listener = serve.listen(host, port)
    _run(_serve(settings, web=chosen, workers=[], listener=listener))


@app.command("worker")
def worker_command(name: Annotated[str, typer.Argument(help="A service, or all of them.")]) -> None:
    """Run the worker of one service, or of all."""
    settings, chosen = Settings.load(), _chosen(name, may_be_all=True)
    logs.configure(settings.log_level, service=name, file=settings.log_file)
    _run(_serve(settings, web=[], workers=chosen, listener=None))


async def _serve(settings: Settings, *, web: list[Service], workers: list[Service], listener: socket | None) -> None:
    for service in (*web, *workers):
        engine = db.create_engine(settings, role=service.name, pool_size=1)
        try:
            await migrate.refuse_unless_current(
                engine, [HISTORIES[name] for name in ("events", "access", service.name)]
            )
        finally:
            await engine.dispose()
    await serve.serve(settings, web=web, workers=workers, listener=listener, when_ready=_say_ready)


def _chosen(name: str, *, may_be_all: bool = False) -> list[Service]:
    if may_be_all and name == "all":
        return list(SERVICES.values())
    if name not in SERVICES:
        names = [*SERVICES, "all"] if may_be_all else [*SERVICES]
        raise Stop(f"There is no service of that name; choose one of: {', '.join(names)}.")
    return [SERVICES[name]]


async def _say_ready() -> None:
    logs.logger(__name__).info("ready")


letters = typer.Typer(no_args_is_help=True, help="Events that a consumer could not carry out.")
app.add_typer(letters, name="dead-letters")
OneConsumer = Annotated[str | None, typer.Option("--consumer", help="Of this service only.")]


@letters.command("list")
def list_letters(consumer: OneConsumer = None) -> None:
    """Show what is parked, oldest first."""
    found = _as_owner(lambda session: dead_letters.listed(session, consumer=consumer))
    for letter in found:
        if letter.error is None:
            why = "waits behind another"
        else:
            after = f"next try {letter.next_try_at:%Y-%m-%d %H:%M:%SZ}" if letter.next_try_at else "no try left"
            why = f"{letter.error}, {letter.tries} tries, {after}"
        print(f"{letter.consumer}  {letter.event_id}  {letter.name}  {letter.aggregate}  {why}")
    print(f"{len(found)} parked")


@letters.command("retry")
def retry_letters(consumer: OneConsumer = None) -> None:
    """Let the workers try everything parked again."""
    print(f"{_as_owner(lambda session: dead_letters.retry(session, consumer=consumer))} to be tried again")


@letters.command("discard")
def discard_letters(consumer: OneConsumer = None) -> None:
    """Give up the events that no try is left for; what waits behind them goes on."""
    print(f"{_as_owner(lambda session: dead_letters.discard(session, consumer=consumer))} given up")


@app.command("openapi")
def openapi_command(
    name: Annotated[str | None, typer.Argument(help="A service; without it, all of them.")] = None,
) -> None:
    """Print the OpenAPI description of a service, or of all by their names."""
    described = {service.name: describe(service) for service in (_chosen(name) if name else SERVICES.values())}
    print(json.dumps(described[name] if name else described, indent=2, ensure_ascii=False))


@app.command("replay")
def replay_command(
    since: Annotated[str, typer.Option(help="An instant with its offset, as 2026-11-14T10:00:00Z.")],
    consumer: Annotated[str | None, typer.Option(help="The service that shall read again; without it, all.")] = None,
) -> None:
    """Let consumers read the log again from an instant on; carrying an event out twice changes nothing."""
    readers = [service.name for service in (_chosen(consumer) if consumer else SERVICES.values())]
    try:
        instant = datetime.fromisoformat(since)
    except ValueError:
        raise Stop("--since is an instant such as 2026-11-14T10:00:00Z.") from None
    if instant.tzinfo is None:
        raise Stop("--since needs its offset from UTC, such as the Z in 2026-11-14T10:00:00Z.")
    for reader in readers:
        ahead = _as_owner(partial(replay.set_back, consumer=reader, since=instant))
        print(f"{reader} reads {ahead} events again")


Answer = TypeVar("Answer")


def _as_owner(work: Callable[[AsyncSession], Awaitable[Answer]]) -> Answer:
    """Do something in one transaction with the rights of the login."""
    settings = Settings.load()

    async def alone() -> Answer:
        engine = db.create_engine(settings, role=None, pool_size=1)
        try:
            async with db.session_factory(engine).begin() as session:
                return await work(session)
        finally:
            await engine.dispose()

    answer: Answer = _run(alone())
    return answer


@app.command("renumber")
def renumber_command() -> None:
    """After the restore of a dump: let events and changes be numbered past those in it. Otherwise it does nothing."""
    moved = _as_owner(lambda session: renumber.go_on(session, [*renumber.NUMBERED, activities.CHANGED]))
    print(f"the count goes on, moved by {moved}" if moved else "nothing to do: every number is of this cluster")


@app.command()
def token(
    role: Annotated[auth.Role, typer.Option(help="What the bearer of the token is in ESN.")],
    section: Annotated[str | None, typer.Option(help="The section of a local coordinator.")] = None,
    country: Annotated[str | None, typer.Option(help="The country of a national coordinator.")] = None,
    days: Annotated[int, typer.Option(min=1, max=366, help="How long it is valid.")] = 30,
) -> None:
    """Make a bearer token and print it; it can't be read again."""
    lasts = timedelta(days=days)
    print(
        _as_owner(
            lambda session: activities.issue_token(
                session, role=role, section=section, country=country, label="command", lasts=lasts
            )
        )
    )


roles = typer.Typer(no_args_is_help=True, help="Which groups of ESN give which role.")
app.add_typer(roles, name="roles")
RolesFile = Annotated[Path | None, typer.Option("--file", help="Another file than the one that is shipped.")]


@roles.command("check")
def check_roles(path: Annotated[Path, typer.Argument(help="A file of rules.")]) -> None:
    """Say what is wrong with a file of rules, if anything is."""
    print(f"{len(RoleRules.read(path).rules)} rules, nothing is wrong with them")


@roles.command("explain")
def explain_roles(
    group: Annotated[list[str], typer.Option(help="A group of an account, as ESN Accounts writes it.")],
    section: Annotated[str | None, typer.Option(help="The section that the account states.")] = None,
    country: Annotated[str | None, typer.Option(help="The country that the account states.")] = None,
    file: RolesFile = None,
) -> None:
    """Show which rule gives an account which role and reach, and with which of them it acts."""
    print(explain(RoleRules.read(file), Account(group, section, country)))


@app.command("development-issuer")
def development_issuer_command(
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8010, host: str = "127.0.0.1"
) -> None:
    """Serve an issuer of tokens for made-up people, on this machine only and never in production."""
    issuer = development_issuer.made(Settings.load(), address=f"http://{host}:{port}")
    print(issuer.text(), flush=True)
    _run(serve.serve_alone(issuer.app(), serve.listen(host, port)))


def main() -> None:
    """Run a command; what must be changed outside is one sentence and exit status 1."""
    try:
        app()
    except Stop as stop:
        print(stop, file=sys.stderr)
        raise SystemExit(1) from None
    except (DBAPIError, OSError) as failure:
        if (sentence := db.why_no_connection(failure)) is None:
            raise
        print(sentence, file=sys.stderr)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
