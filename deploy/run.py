"""`run`: a command of the services, told what the running `up` has told them."""

import os
import subprocess
from collections.abc import Sequence

from deploy.failure import Failure
from deploy.settings import FROM_FILES, PROJECT, Settings
from deploy.state import State, choose


def run(settings: Settings, command: Sequence[str]) -> int:
    """Run `python -m services COMMAND` beside the running `up`, in the caller's own folder, and give its code."""
    state = State(choose(PROJECT, settings.state))
    if not state.exists() or state.running() is None:
        raise Failure("Nothing is running here: start it with `python3 deploy up`, then run this beside it.")
    told = state.told()
    python = told.pop("PYTHON")
    variables = {**os.environ, **told, "PYTHONPATH": str(PROJECT)}
    for name in ("PYTHONHOME", *(f"{name}_FILE" for name in FROM_FILES if name in told)):
        variables.pop(name, None)
    return subprocess.run([python, "-m", "services", *command], env=variables, check=False).returncode
