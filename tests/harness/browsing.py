"""A website of another origin, a browser that looks at it, and what both noticed."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import Browser, BrowserContext, Locator, Page

from deploy import ports
from tests.harness import processes
from tests.harness.databases import eventually, rows
from tests.harness.databases import settings as told
from tests.harness.network import DRAFT, Network
from tests.harness.sign_ups import CONSENTS


class Services:
    """All services and their workers in one process at one port, as behind the proxy of a production."""

    def __init__(self, base_url: str, database_url: str, network: Network, who: dict[str, str]) -> None:
        self.base_url = base_url
        self.database_url = database_url
        self.network = network
        self.who = who
        self._numbers = itertools.count(100)

    async def section(self, *, name: str = "ESN Alghero", website: str | None = None) -> str:
        """A section of the test's own, so that it lists nothing of another's."""
        code = f"IT-T{next(self._numbers)}-ESN"
        await rows(
            self.database_url,
            """INSERT INTO activities.sections (code, name, country, cities, state, time_zone, website)
               VALUES ($1, $2, 'IT', '{Alghero}', 'active', 'Europe/Rome', $3)""",
            code, name, website,
        )  # fmt: skip
        return code

    async def publish(self, section: str, **changes: Any) -> str:
        """An activity that students can sign up for; answers its id once registration knows it."""
        client, key = self.network.client, self.network.key()
        wanted = {**DRAFT, "organisers": [{"code": section, "lead": True}], **changes}
        reply = await client.post("/activities/v1/activities", json=wanted, headers={**self.who, **key})
        assert reply.status_code == 201, reply.text
        identity: str = reply.json()["id"]
        for verb in ("submit", "approve", "publish"):
            reply = await client.post(f"/activities/v1/activities/{identity}/{verb}", headers=self.who)
            assert reply.status_code == 200, reply.text

        async def is_known() -> None:
            reply = await client.get(f"/registration/v1/activities/{identity}/availability")
            assert reply.status_code == 200

        await eventually(is_known)
        return identity

    async def cancel(self, identity: str) -> None:
        """Call an activity off."""
        address = f"/activities/v1/activities/{identity}/cancel"
        reply = await self.network.client.post(address, headers=self.who, json={"reason": "Storm"})
        assert reply.status_code == 200, reply.text

    async def sign_up(self, identity: str) -> None:
        """Take one place."""
        wanted = {
            "activity_id": identity, "email": f"student{next(self._numbers)}@example.org", "given_name": "Ana",
            "family_name": "Silva", "participant_class": "international",
            "consents": CONSENTS,
        }  # fmt: skip
        reply = await self.network.client.post(
            "/registration/v1/registrations", json=wanted, headers=self.network.key()
        )
        assert reply.status_code == 201, reply.text


@asynccontextmanager
async def services(
    folder: Path, database_url: str, redis_url: str, issuer: Mapping[str, str]
) -> AsyncIterator[Services]:
    """The services for as long as the block runs, at whose pages people sign in with an issuer."""
    port = ports.free()
    base_url = f"http://{ports.LOOPBACK}:{port}"
    settings = told(database_url, redis_url, base_url=base_url)
    variables = {f"SOCIALERASMUS_{name.upper()}": told for name, told in issuer.items()}
    # Of four places or more, whoever wants the last works for it: the form's own script is to be seen at that.
    variables["SOCIALERASMUS_PROOF_AFTER_HELD_PERCENT"] = "90"
    made = processes.Processes(folder, settings, database_url, SOCIALERASMUS_BASE_URL=base_url, **variables)
    everything = processes.Process(["up", "--no-sample", "--port", str(port)], made.environment, folder / "up.log")
    async with httpx.AsyncClient(base_url=base_url, timeout=30) as client:
        network = Network(settings, database_url, {}, client)
        try:
            everything.launch()

            async def is_up() -> None:
                assert everything.is_running, everything.log.read_text()
                try:
                    assert (await client.get("/registration/readyz")).status_code == 200
                except httpx.TransportError:
                    raise AssertionError("not up yet") from None

            await eventually(is_up, seconds=processes.START_SECONDS)
            yield Services(base_url, database_url, network, await network.token("international"))
        finally:
            everything.kill()
            await made.client.aclose()


class Site:
    """A website of somebody else's: pages under a strict policy that allows the API and nothing more."""

    def __init__(self, api: str, port: int) -> None:
        self.api = api
        self.base_url = f"http://localhost:{port}"
        self.policy = f"default-src 'none'; script-src {api}; connect-src {api}; base-uri 'none'"
        self._pages: dict[str, bytes] = {}

    def put(self, body: str, *, html: str = 'lang="en"', head: str = "") -> str:
        """Lay a page with the script tag and `body`; answers its address."""
        path = f"/{len(self._pages)}"
        page = (
            f'<!doctype html><html {html}><head><meta charset="utf-8"><title>A section</title>'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">'
            f'{head}<script src="{self.api}/activities/widget.js" async></script></head>'
            f"<body><main><h1>A section</h1><h2>Volunteer</h2>{body}</main></body></html>"
        )
        self._pages[path] = page.encode()
        return self.base_url + path

    def put_plain(self, body: str) -> str:
        """Lay a page without the script and without a policy, as most websites are; answers its address."""
        path = f"/plain/{len(self._pages)}"
        head = '<link rel="icon" href="data:,"><title>A website</title>'
        self._pages[path] = f'<!doctype html><html lang="en">{head}<body>{body}'.encode()
        return self.base_url + path

    def answer(self, path: str) -> bytes | None:
        """What lies at a path."""
        return self._pages.get(path)


@contextmanager
def site(api: str) -> Iterator[Site]:
    """The website for as long as the block runs: another host name and another port than the API's."""
    port = ports.free()
    made = Site(api, port)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = made.answer(self.path)
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            if not self.path.startswith("/plain/"):
                self.send_header("Content-Security-Policy", made.policy)
            self.end_headers()
            self.wfile.write(found or b"")

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer((ports.LOOPBACK, port), Handler)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        serving.join()


@dataclass
class View:
    """A page in the browser with all that it complained about."""

    page: Page
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    @property
    def element(self) -> Locator:
        """The element; locators look through its shadow."""
        return self.page.locator("socialerasmus-activities")

    @property
    def status(self) -> Locator:
        """What it announces."""
        return self.element.get_by_role("status")

    @property
    def items(self) -> Locator:
        """The activities that it shows."""
        return self.element.get_by_role("listitem")

    async def violations(self) -> list[str]:
        """What axe finds against WCAG 2.2 A and AA, and its good practices."""
        found = (await Axe().run(self.page, options={"resultTypes": ["violations"]})).response["violations"]
        return [f"{each['id']}: {[node['html'] for node in each['nodes']]}" for each in found]

    async def fits(self) -> bool:
        """Whether nothing needs scrolling sideways."""
        fits: bool = await self.page.evaluate(
            "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        )
        return fits

    async def focused(self) -> str:
        """The text of what has the keyboard's focus, in the shadow too."""
        text: str = await self.page.evaluate(
            """() => {
                let at = document.activeElement;
                while (at.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
                return at === document.body ? "" : at.textContent.trim();
            }"""
        )
        return text


class Viewer:
    """Opens pages as visitors of different kinds do."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.views: list[View] = []

    async def open(self, address: str, *, with_clock: bool = False, for_axe: bool = False, **context: Any) -> View:
        """Look at an address. axe is a script that no strict policy lets in, so it needs the policy set aside."""
        told = {"locale": "en-GB", "viewport": {"width": 900, "height": 900}, **context}
        made = await self._browser.new_context(bypass_csp=for_axe, **told)
        self._contexts.append(made)
        view = View(await made.new_page())
        self.views.append(view)
        view.page.on("console", lambda message: view.console.append(f"{message.type}: {message.text}"))
        view.page.on("pageerror", lambda error: view.console.append(f"uncaught: {error}"))
        view.page.on("request", lambda request: view.requests.append(request.url))
        if with_clock:
            await view.page.clock.install()
        await view.page.goto(address)
        return view

    async def close(self) -> None:
        """Close all."""
        await asyncio.gather(*(context.close() for context in self._contexts))
