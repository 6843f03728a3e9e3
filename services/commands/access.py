"""Commands about who may do what: tokens, roles, and an issuer for development."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from services.commands.alone import Audited, as_owner, run
from services.kernel import auth, serve
from services.kernel.roles import Account, RoleRules, explain
from services.kernel.settings import Settings

app = typer.Typer()


@app.command()
def token(
    role: Annotated[auth.Role, typer.Option(help="What the bearer of the token is in ESN.")],
    section: Annotated[str | None, typer.Option(help="The section of a local coordinator.")] = None,
    country: Annotated[str | None, typer.Option(help="The country of a national coordinator.")] = None,
    days: Annotated[int, typer.Option(min=1, max=366, help="How long it is valid.")] = 30,
) -> None:
    """Make a bearer token and print it; it can't be read again."""
    from services.activities.main import issue_token

    lasts = timedelta(days=days)
    print(
        as_owner(
            lambda session: issue_token(
                session, role=role, section=section, country=country, label="command", lasts=lasts
            ),
            audited=Audited("token", {"role": role.value, "section": section, "country": country, "days": days}),
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
    from services.operations import development_issuer

    issuer = development_issuer.made(Settings.load(), address=f"http://{host}:{port}")
    print(issuer.text(), flush=True)
    run(serve.serve_alone(issuer.app(), serve.listen(host, port)))
