"""The command line: `up`, `run`, `test`, `bench`, `audit` and `down`, and how each ends."""

import argparse
import os
import sys
from collections.abc import Sequence

from deploy import interruption, osv, settings
from deploy.audit import audit
from deploy.bench import bench
from deploy.down import down
from deploy.failure import Failure
from deploy.run import run
from deploy.test import test
from deploy.up import up

INTERRUPTED = 130


def main(arguments: Sequence[str]) -> int:
    """Run a command and give its exit code; what went wrong is one sentence on standard error."""
    parser = _parser()
    # Everything behind `run` belongs to the command that is run, its options too.
    if arguments[:1] == ["run"] and arguments[1:2] not in (["-h"], ["--help"], ["--state"]):
        arguments = ["run", "--", *arguments[1:]]
    asked, rest = parser.parse_known_args(arguments)
    if rest and asked.command not in ("test", "bench"):
        parser.error(f"unknown: {' '.join(rest)}")
    try:
        return _run(asked, rest)
    except Failure as failure:
        return _complain(str(failure), 1)
    except interruption.Interrupted:
        return _complain(
            "Stopped before it was ready; nothing was left half done that the next run does not mend.", INTERRUPTED
        )
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        where = f": {os.fsdecode(error.filename)}" if isinstance(error.filename, str | bytes) else ""
        return _complain(f"{error.strerror or error}{where}.", 1)


def _run(asked: argparse.Namespace, rest: list[str]) -> int:
    if asked.command == "up":
        return up(settings.gather(state=asked.state, environment=asked.environment, port=asked.port, with_file=True))
    if asked.command == "run":
        return run(settings.gather(state=asked.state, environment=None, with_file=True), asked.services_command)
    if asked.command == "down":
        return down(settings.gather(state=asked.state, environment=None, with_file=True), delete=asked.delete)
    if asked.command == "audit":
        return audit(asked.osv)
    # Tests never take a database from .env: it may be one that somebody works with.
    alone = settings.gather(state=asked.state, environment=asked.environment, with_file=False)
    return bench(alone, rest) if asked.command == "bench" else test(alone, rest)


def _complain(sentence: str, code: int) -> int:
    print(sentence, file=sys.stderr, flush=True)
    return code


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"a port is a number from 1 to 65535, not '{text}'")
    return int(text)


def _osv(text: str) -> str:
    if not osv.is_address(text):
        raise argparse.ArgumentTypeError("an OSV service has an https:// address, or http:// on this machine")
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 deploy", description="Run SocialErasmus on this machine.", allow_abbrev=False
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="up | run | test | bench | audit | down")
    placed = argparse.ArgumentParser(add_help=False)
    placed.add_argument("--state", metavar="DIR", help="where data, mailbox and logs lie (SOCIALERASMUS_STATE)")
    built = argparse.ArgumentParser(add_help=False)
    built.add_argument(
        "--environment", metavar="DIR", help="a Python environment to use as is (SOCIALERASMUS_ENVIRONMENT_DIR)"
    )
    up = commands.add_parser(
        "up", parents=[placed, built], allow_abbrev=False, help="start everything and watch over it"
    )
    up.add_argument("--port", type=_port, default=8000, help="where the services listen (8000)")
    beside = commands.add_parser(
        "run", parents=[placed], allow_abbrev=False, help="run a command of the services beside a running up"
    )
    beside.add_argument("services_command", nargs="+", metavar="COMMAND", help="as in: run import sections FILE")
    commands.add_parser(
        "test",
        parents=[placed, built],
        allow_abbrev=False,
        help="run the tests; other arguments go to pytest",
        epilog="Other arguments go to pytest.",
    )
    commands.add_parser(
        "bench",
        parents=[placed, built],
        allow_abbrev=False,
        help="measure how fast it is, against what the machine can do",
        epilog="Other arguments: names of benchmarks (all that compare), --list, --quick, --json FILE.",
    )
    audited = commands.add_parser(
        "audit",
        allow_abbrev=False,
        help="ask whether libraries have weaknesses for longer than services/SECURITY.md allows",
        epilog="Ends with 1 where something is overdue, with 2 where nobody answered.",
    )
    audited.add_argument(
        "--osv",
        type=_osv,
        default=os.environ.get("SOCIALERASMUS_OSV_URL") or osv.ADDRESS,
        metavar="URL",
        help="whom to ask (SOCIALERASMUS_OSV_URL, or api.osv.dev)",
    )
    down = commands.add_parser("down", parents=[placed], allow_abbrev=False, help="stop a running up")
    down.add_argument("--delete", action="store_true", help="remove its data, mailbox, logs and environments too")
    return parser
