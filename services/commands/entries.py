"""Commands that bring entries in: files, and the list of sections of the system that owns them."""

from __future__ import annotations

from hashlib import file_digest
from pathlib import Path
from typing import Annotated

import typer

from services.commands.alone import Audited, enter, run
from services.kernel import logs
from services.kernel.failures import Stop
from services.kernel.settings import Settings
from services.operations.kinds import Kind

app = typer.Typer()


@app.command("import")
def import_command(
    kind: Annotated[Kind, typer.Argument(help="What the file holds.")],
    path: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A CSV file; JSON for ESN Accounts.")],
) -> None:
    """Import a file; what was refused is written beside it, and running it twice changes nothing."""
    from services.operations import imports

    settings = Settings.load()
    logs.configure("WARNING", service="import")
    with path.open("rb") as stream:
        # The name of a file may be somebody's; its digest is nobody's.
        enter(Audited(f"import {kind.value}", {"sha256": file_digest(stream, "sha256").hexdigest()}))
    report = run(imports.run(settings, kind, path))
    totals = {"taken": report.taken, "unchanged": report.unchanged, "refused": report.refused}
    enter(Audited(f"imported {kind.value}", {**totals, "is_whole": report.stopped is None}))
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
    from services.operations import sync

    if apply != (report is not None):
        raise Stop("--apply and --report DIGEST go together: only a report that was seen is carried out.")
    settings = Settings.load()
    logs.configure("WARNING", service="sync")
    if apply:
        enter(Audited("sync sections", {"report": report}))
    print(sync.text(run(sync.sections(settings, source, digest=report)), applied=apply))
