"""Whatever coordinators do to a report in whatever order: only what was verified counts, and the history has it all."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import httpx
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.harness.network import Network
from tests.harness.reports import HELD, Reporter, activity, enter

IMPOSSIBLE = "9999"


class Life(RuleBasedStateMachine):
    """One report, its section, which is careless, and its national coordinator."""

    network: Network
    loop: asyncio.AbstractEventLoop
    local: dict[str, str]
    national: dict[str, str]

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Carry out something where the services live."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    @initialize()
    def hold(self) -> None:
        row = activity(section=None, edition="2026-autumn")
        self.do(enter(self.network, row))
        self.report = Reporter(self.network, row.activity_id, self.local, self.national)
        self.state, self.hours, self.etag = "none", "", ""
        self.verbs: list[str] = []
        self.before: float = self.do(self._total())

    @rule(hours=st.sampled_from(["40", "45", IMPOSSIBLE]))
    def write(self, hours: str) -> None:
        told = {**self.local, **({"If-Match": self.etag} if self.etag else {})}
        reply = self.do(self.network.client.put(self.report.address, headers=told, json={**HELD, "hours": hours}))
        if self._done(reply, "write", {"none": "draft", "draft": "draft", "returned": "returned"}):
            self.hours = hours

    @rule(looks_again=st.booleans())
    def submit(self, looks_again: bool) -> None:
        body = {"acknowledged": ["hours_beyond_the_clock"]} if looks_again else None
        possible = {"draft": "submitted", "returned": "submitted"}
        self._done(
            self.do(self.report.act("submit", body)),
            "submit",
            {} if self.hours == IMPOSSIBLE and not looks_again else possible,
        )

    @rule()
    def verify(self) -> None:
        self._done(self.do(self.report.act("verify")), "verify", {"submitted": "verified"})

    @rule()
    def give_back(self) -> None:
        reply = self.do(self.report.act("return", {"reason": "Count again."}))
        self._done(reply, "return", {"submitted": "returned", "verified": "returned"})

    def _done(self, reply: httpx.Response, verb: str, possible: dict[str, str]) -> bool:
        if self.state not in possible:
            assert reply.status_code == (404 if self.state == "none" else 409), reply.text
            return False
        assert reply.status_code in {200, 201}, reply.text
        self.state, self.etag = possible[self.state], reply.headers["etag"]
        self.verbs.append(verb)
        return True

    @invariant()
    def the_history_has_it_all(self) -> None:
        if self.state == "none":
            return
        found = self.do(self.report.read())
        assert (found["state"], found["revision"]) == (self.state, len(self.verbs))
        assert [entry["verb"] for entry in found["history"]] == self.verbs
        assert found["history"][-1]["figures"]["hours"] == self.hours

    @invariant()
    def only_what_is_verified_counts(self) -> None:
        if self.verbs[-1:] not in (["verify"], ["return"], ["write"]):
            return
        mine = float(self.hours) if self.state == "verified" else 0.0
        assert self.do(self._total()) == self.before + mine

    async def _total(self) -> float:
        await self.network.settle()
        query = {"measures": "hours", "edition": "2026-autumn"}
        reply = await self.network.client.get("/impact/v1/statistics", params=query)
        found: float = reply.json()["total"]["hours"]
        return found


async def test_whatever_is_done_to_a_report_only_what_is_verified_counts(network: Network) -> None:
    Life.network, Life.loop = network, asyncio.get_running_loop()
    Life.local, Life.national = await network.local(), await network.national()
    few = settings(
        max_examples=6, stateful_step_count=10, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    await asyncio.to_thread(run_state_machine_as_test, Life, settings=few)
