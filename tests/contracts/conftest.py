"""Node with the validators of others, as .ci/run installs them; without them the end says what was not judged."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deploy import ports
from tests.harness import databases as harness
from tests.harness.databases import SECRET, Databases
from tests.harness.network import Network, running
from tests.harness.processes import REPOSITORY, Process

FOLDER = Path(__file__).with_name("validators")
MISSING = (
    "the tests in tests/contracts need Node 18 or newer and the packages of "
    "tests/contracts/validators. Copy the two package files of that folder to one outside of the project, run "
    "`npm ci --ignore-scripts` there, and name it in SOCIALERASMUS_VALIDATORS"
)


class Validators:
    """A folder with our scripts and the packages of others, and Node to run them."""

    def __init__(self, node: str, folder: Path) -> None:
        self.node = node
        self.folder = folder

    def run(self, *arguments: str, given: str = "") -> str:
        """What a script prints; its failure is the test's."""
        done = self._done(*arguments, given=given)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    def refused(self, *arguments: str) -> str:
        """What a program prints that must find something wrong."""
        done = self._done(*arguments)
        assert done.returncode != 0, done.stdout
        return done.stdout

    def _done(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        told = {"PATH": os.environ["PATH"], "NODE_NO_WARNINGS": "1"}
        return subprocess.run(
            [self.node, *arguments], cwd=self.folder, env=told, input=given, capture_output=True, text=True,
            timeout=120, encoding="utf-8", check=False,
        )  # fmt: skip

    def judged(self, *arguments: str, given: str = "") -> Any:
        """The same, read as JSON."""
        return json.loads(self.run(*arguments, given=given))


@pytest.fixture(scope="session")
def validators(tmp_path_factory: pytest.TempPathFactory) -> Validators:
    """The validators; on a machine of CI they must be there."""
    node, installed = shutil.which("node"), Path(os.environ.get("SOCIALERASMUS_VALIDATORS", "none"), "node_modules")
    if node is None or not installed.is_dir():
        pytest.fail(MISSING) if os.environ.get("CI") == "true" else pytest.skip(MISSING)
    folder = tmp_path_factory.mktemp("validators")
    for script in FOLDER.iterdir():
        shutil.copy(script, folder)
    (folder / "node_modules").symlink_to(installed, target_is_directory=True)
    return Validators(node, folder)


@pytest.fixture(scope="session")
async def served(
    validators: Validators, databases: Databases, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Network]:
    """A network in this process, and `api activities` as one of its own at `settings.base_url`."""
    folder, port = tmp_path_factory.mktemp("served"), ports.free()
    base_url = f"http://{ports.LOOPBACK}:{port}"
    async with databases.fresh() as url:
        told = harness.settings(url, redis_url, mailbox=folder / "mailbox", base_url=base_url)
        environment = {
            "DATABASE_URL": url,
            "REDIS_URL": redis_url,
            "SOCIALERASMUS_ENVIRONMENT": "test",
            "SOCIALERASMUS_SECRET": SECRET,
            "SOCIALERASMUS_BASE_URL": base_url,
            "PYTHONPATH": str(REPOSITORY),
            "PYTHONPYCACHEPREFIX": str(folder / "compiled"),
        }
        process = Process(["api", "activities", "--port", str(port)], environment, folder / "api.log")
        async with running(told, url) as network:
            try:
                await process.start()
                yield network
            finally:
                process.kill()
