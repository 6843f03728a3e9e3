"""Commands about the log of events: what could not be carried out, reading it again, going on after a restore."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Annotated

import typer

from services.commands.alone import Audited, as_owner
from services.commands.running import chosen
from services.kernel import dead_letters, renumber, replay
from services.kernel.audit.tables import audit_in
from services.kernel.failures import Stop
from services.registry import HISTORIES, SERVICES

app = typer.Typer()
letters = typer.Typer(no_args_is_help=True, help="Events that a consumer could not carry out.")
app.add_typer(letters, name="dead-letters")
OneConsumer = Annotated[str | None, typer.Option("--consumer", help="Of this service only.")]


@letters.command("list")
def list_letters(consumer: OneConsumer = None) -> None:
    """Show what is parked, oldest first."""
    found = as_owner(lambda session: dead_letters.listed(session, consumer=consumer), audited=None)
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
    audited = Audited("dead-letters retry", {"consumer": consumer})
    done = as_owner(lambda session: dead_letters.retry(session, consumer=consumer), audited=audited)
    print(f"{done} to be tried again")


@letters.command("discard")
def discard_letters(consumer: OneConsumer = None) -> None:
    """Give up the events that no try is left for; what waits behind them goes on."""
    audited = Audited("dead-letters discard", {"consumer": consumer})
    done = as_owner(lambda session: dead_letters.discard(session, consumer=consumer), audited=audited)
    print(f"{done} given up")


@app.command("replay")
def replay_command(
    since: Annotated[str, typer.Option(help="An instant with its offset, as 2026-11-14T10:00:00Z.")],
    consumer: Annotated[str | None, typer.Option(help="The service that shall read again; without it, all.")] = None,
) -> None:
    """Let consumers read the log again from an instant on; carrying an event out twice changes nothing."""
    readers = [service.name for service in (chosen(consumer) if consumer else SERVICES.values())]
    try:
        instant = datetime.fromisoformat(since)
    except ValueError:
        raise Stop("--since is an instant such as 2026-11-14T10:00:00Z.") from None
    if instant.tzinfo is None:
        raise Stop("--since needs its offset from UTC, such as the Z in 2026-11-14T10:00:00Z.")
    for reader in readers:
        audited = Audited("replay", {"consumer": reader, "since": instant.isoformat()})
        ahead = as_owner(partial(replay.set_back, consumer=reader, since=instant), audited=audited)
        print(f"{reader} reads {ahead} events again")


@app.command("renumber")
def renumber_command() -> None:
    """After the restore of a dump: let events and changes be numbered past those in it. Otherwise it does nothing."""
    from services.activities.main import CHANGED

    entries = (audit_in(HISTORIES[name].metadata).entries.c.xid for name in SERVICES)
    numbered = [*renumber.NUMBERED, CHANGED, *entries]
    moved = as_owner(lambda session: renumber.go_on(session, numbered), audited=Audited("renumber"))
    print(f"the count goes on, moved by {moved}" if moved else "nothing to do: every number is of this cluster")
