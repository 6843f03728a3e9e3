"""A real Chromium, found on this machine; where there is none the other tests run, and the end says what did not."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

from tests.harness import browsing
from tests.harness.databases import Databases
from tests.harness.issuer import issuing

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MISSING = (
    "the tests in tests/browser need Chromium, and none of these is on the PATH: " + ", ".join(NAMES) + ". "
    "Get it by `apt-get install chromium` (Debian) or as your system does it, or set CHROMIUM to its path"
)
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-dev-shm-usage",
    "--no-proxy-server", "--force-color-profile=srgb",
]  # fmt: skip


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser; on a machine of CI it must be there."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None and os.environ.get("CI") == "true":
        pytest.fail(MISSING)
    if found is None:
        pytest.skip(MISSING)
    return found


@pytest.fixture(scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        made = await playwright.chromium.launch(executable_path=chromium, headless=True, args=FLAGS)
        yield made
        await made.close()


@pytest.fixture(scope="session")
async def services(
    chromium: str, databases: Databases, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[browsing.Services]:
    async with (
        databases.fresh() as url,
        issuing() as peer,
        browsing.services(tmp_path_factory.mktemp("services"), url, redis_url, peer.issuer.settings()) as made,
    ):
        yield made


@pytest.fixture(scope="session")
def site(services: browsing.Services) -> Iterator[browsing.Site]:
    with browsing.site(services.base_url) as made:
        yield made


@pytest.fixture
async def viewer(browser: Browser) -> AsyncIterator[browsing.Viewer]:
    made = browsing.Viewer(browser)
    yield made
    await made.close()


@pytest.fixture
def pictures() -> Path | None:
    """Where to put screenshots for people to look at: the folder that PICTURES names."""
    folder = os.environ.get("PICTURES")
    return Path(folder) if folder else None
