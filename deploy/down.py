"""`down`: stop the `up` that holds this state directory, and nobody else; with --delete, remove what it kept."""

import contextlib
import os
import signal
from pathlib import Path

from deploy import account, binaries, interruption, progress
from deploy.cluster import Cluster
from deploy.failure import Failure
from deploy.settings import PROJECT, Settings
from deploy.state import State, choose

PATIENCE = 60


def down(settings: Settings, *, delete: bool) -> int:
    """Stop, then delete if asked; having nothing to do is no failure."""
    interruption.watch()
    state = State(choose(PROJECT, settings.state))
    if not state.exists():
        progress.say("down", f"nothing to do: there is no state in {state.directory}")
        return 0
    stopped = _stop(state)
    if not delete:
        if not stopped:
            progress.say("down", "nothing to do: nothing is running")
        return 0
    state.make()
    state.take("")
    _end_leftover(state)
    state.delete()
    progress.say("deleted", f"data, mailbox, logs and environments in {state.directory}")
    return 0


def _stop(state: State) -> bool:
    running = state.running()
    if running is None:
        return False
    step = progress.Step("stopping")
    try:
        os.kill(running.pid, signal.SIGTERM)
    except PermissionError as error:
        raise Failure(f"Process {running.pid} belongs to another user: run this as that user.") from error
    except ProcessLookupError:
        return False
    waited = 0.0
    while state.running() == running:
        interruption.check()
        if waited > PATIENCE:
            raise Failure(f"Process {running.pid} was asked to stop {PATIENCE} seconds ago and still runs.")
        interruption.pause(0.1)
        waited += 0.1
    step.done(f"process {running.pid} has stopped")
    return True


def _end_leftover(state: State) -> None:
    """A Postgres that a killed `up` left may still be closing; its data is not pulled from under it."""
    with contextlib.suppress(PermissionError):
        nowhere = binaries.Postgres(Path("/"), 0)
        Cluster(state.postgres, nowhere, account.for_postgres(), state.logs / "postgres.log").clear_leftover()
