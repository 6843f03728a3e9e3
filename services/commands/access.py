"""Commands about who may do what: tokens, roles, and an issuer for development."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from services.commands.alone import Audited, as_owner, run
from services.kernel import auth, ending, serve
from services.kernel.failures import Stop
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


tokens = typer.Typer(no_args_is_help=True, help="The bearer tokens that open something, and their end.")
app.add_typer(tokens, name="tokens")
sessions = typer.Typer(no_args_is_help=True, help="The browsers in which somebody is signed in, and their end.")
app.add_typer(sessions, name="sessions")
OfAll = Annotated[bool, typer.Option("--all", help="Every one of them.")]


@tokens.command("list")
def list_tokens() -> None:
    """List the tokens that open something; nobody can read the tokens themselves any more."""
    _say(as_owner(ending.live_tokens, audited=None))


@tokens.command("revoke")
def revoke_tokens(
    identity: Annotated[UUID | None, typer.Argument(help="The number of a token.")] = None, of_all: OfAll = False
) -> None:
    """Revoke a token, or all: within half a minute it opens nothing."""
    which = _meant(identity, of_all=of_all)
    audited = Audited("revoke tokens", {"token": which})
    print(f"{as_owner(lambda session: ending.revoke_tokens(session, identity), audited=audited)} revoked")


@sessions.command("list")
def list_sessions() -> None:
    """List the sessions of whoever signed in at our pages, each with the number of its holder."""
    _say(as_owner(ending.sessions, audited=None))


@sessions.command("end")
def end_sessions(
    identity: Annotated[UUID | None, typer.Argument(help="The number of a session, or of a holder.")] = None,
    of_all: OfAll = False,
) -> None:
    """End a session, those of a holder, or all, at once."""
    which = _meant(identity, of_all=of_all)
    audited = Audited("end sessions", {"session": which})
    print(f"{as_owner(lambda session: ending.end_sessions(session, identity), audited=audited)} ended")


def _meant(identity: UUID | None, *, of_all: bool) -> str:
    if (identity is None) != of_all:
        raise Stop("Say which one by its number, or --all.")
    return "all" if identity is None else str(identity)


def _say(rows: list[Any]) -> None:
    for row in rows:
        print("  ".join("-" if each is None else str(each) for each in row))
    print(f"{len(rows)} in all")


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
