"""Commands about the figures: making them anew, releasing the tables of people."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from services.commands.alone import Audited, as_owner, enter, run
from services.contracts import IMPACT
from services.kernel.runtime import Runtime
from services.kernel.settings import Settings

app = typer.Typer()


class Rebuildable(StrEnum):
    """What can be made anew from what it was made of."""

    IMPACT = "impact"


@app.command()
def rebuild(what: Annotated[Rebuildable, typer.Argument()]) -> None:
    """Make the figures anew from the reports, while the services go on."""
    from services.impact.facts import actions as facts

    assert what is Rebuildable.IMPACT
    made = as_owner(facts.rebuild, audited=Audited("rebuild impact", schema=IMPACT))
    print(f"{made.activities} activities in {made.cells} cells, {made.quantity_cells} cells of quantities")
    print(f"{made.differences} differences from what folding had kept")


@app.command("release-tables")
def release_tables_command() -> None:
    """Release the tables of people of every academic year that is closed and has none."""
    from services.impact.disclosure import actions as disclosure

    enter(Audited("release-tables", schema=IMPACT))

    async def alone() -> None:
        runtime = Runtime(Settings.load(), role=None)
        try:
            while (year := await disclosure.release_due(runtime)) is not None:
                print(f"released: {year}")
        finally:
            await runtime.close()

    run(alone())
    print("nothing more is due")
