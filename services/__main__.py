"""The commands: `python -m services …`."""

from __future__ import annotations

import gc
import sys

import typer
from sqlalchemy.exc import DBAPIError

from services.commands import access, audit, entries, figures, log, running
from services.kernel import db
from services.kernel.failures import Stop

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help="SocialErasmus: services and their care.")
for commands in (running, entries, figures, log, access, audit):
    app.add_typer(commands.app)


def main() -> None:
    """Run a command; what must be changed outside is one sentence and exit status 1."""
    # Nearly all that importing a service makes stays: looking through it again and again took a fifth of the start.
    gc.set_threshold(50_000, 20, 20)
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
