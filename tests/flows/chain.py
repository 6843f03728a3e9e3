"""The life of an activity over real HTTP, from its draft to verified figures, and what is left of it at the end."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from uuid import uuid4

import httpx

from tests.harness.databases import eventually, rows
from tests.harness.mail_server import MailServer
from tests.harness.network import DRAFT
from tests.harness.processes import Processes
from tests.harness.sign_ups import CONSENTS, text_of

# Every chain has a country of its own, so that chains can share a database and their figures can't mix.
COUNTRIES = (
    "AT",
    "BE",
    "BG",
    "CY",
    "CZ",
    "DE",
    "DK",
    "EE",
    "ES",
    "FI",
    "FR",
    "GR",
    "HR",
    "HU",
    "IE",
    "LT",
    "LU",
    "LV",
    "MT",
)
SECTIONS = "INSERT INTO activities.sections (code, name, country, cities, state, time_zone) VALUES " + ", ".join(
    f"('{country}-FLOW-ESN', 'ESN {country}', '{country}', '{{}}', 'active', 'Europe/Brussels')"
    for country in COUNTRIES
)
PEOPLE = {
    "Ada": "international",
    "Bo": "international",
    "Cem": "local",
    "Dana": "esn_volunteer",
    "Eli": "local",
}
GIVES_UP = "Eli"
STEPS = (
    "draft", "submit", "return", "revise", "submit again", "approve", "publish", "list", "sign up", "confirm", "cancel",
    "check in", "complete", "report", "submit the report", "verify",
)  # fmt: skip


_ONCE = {"Confirm your place": 1, "You have a place": 1}
_FIGURES = (1, 4, 12.0, [("money", "EUR", "42.5"), ("waste", "kg", "130")])
END = {
    "activity": ("held", "closed", 5, "2027-spring"),
    "places": (5, 4, False),
    "people": {
        "Ada": ("confirmed", "international", True),
        "Bo": ("confirmed", "international", True),
        "Cem": ("confirmed", "local", True),
        "Dana": ("confirmed", "esn_volunteer", True),
        "Eli": ("cancelled", "local", False),
    },
    "mails": {name: _ONCE | ({"You gave up your place": 1} if name == GIVES_UP else {}) for name in PEOPLE},
    "report": ("verified", "check_in", (2, 1, 1, 0, 4, None), 12.0, 3, _FIGURES[-1]),
    "statistics": {
        by: [(value, *_FIGURES)]
        for by, value in {
            "country": "XX",
            "section": "XX-FLOW-ESN",
            "edition": "2027-spring",
            "area": "environment",
            "cause": "environmental-sustainability",
            "kind": "volunteering",
        }.items()
    },
    "events": {
        "activities.activity_published.v1": 1,
        "activities.activity_held.v1": 1,
        "registration.availability_changed.v1": 2,
        "registration.attendance_recorded.v1": 4,
        "impact.report_verified.v1": 1,
        "impact.activity_figures_changed.v1": 1,
    },
}
"""What every chain ends in: each mail, event and figure once, whatever went wrong on the way."""


class Calm:
    """Nothing goes wrong. What does goes wrong before or after one of `STEPS`."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Undo what was done to the servers, and see that all is well without any help."""

    async def before(self, step: str) -> None:
        """Called when a step is about to be taken."""

    async def after(self, step: str) -> None:
        """Called as soon as a step is acknowledged, before its effects elsewhere are waited for."""


@dataclass
class Chain:
    """One activity of one country."""

    processes: Processes
    mails: MailServer
    country: str
    disturbance: Calm = field(default_factory=Calm)
    publish_headers: dict[str, str] = field(default_factory=dict)
    id: str = ""
    registrations: dict[str, str] = field(default_factory=dict)

    async def run(self) -> dict[str, Any]:
        """Take every step among disturbances, and let them pass; answers the end state."""
        async with self.disturbance:
            await self._run()
        await self.processes.settle()
        await self.processes.healthy()
        return await self.end_state()

    async def _run(self) -> None:
        network = self.processes.network
        section = f"{self.country}-FLOW-ESN"
        self._local = await network.local(section)
        self._national = await network.national(self.country)
        await self._publish(section)
        await self._sign_up()
        await self._take_place()
        await self._report()

    async def _step(self, step: str, method: str, address: str, *, status: int = 200, **more: Any) -> httpx.Response:
        assert step in STEPS
        await self.disturbance.before(step)
        headers = {"Idempotency-Key": f'"{uuid4()}"', **more.pop("headers", {})}
        reply = await self.processes.client.request(method, address, headers=headers, **more)
        assert reply.status_code == status, f"{step}: {reply.status_code} {reply.text}"
        await self.disturbance.after(step)
        return reply

    @property
    def _activity(self) -> str:
        return f"/activities/v1/activities/{self.id}"

    def _mailbox(self, name: str) -> str:
        return f"{name.lower()}@{self.country.lower()}.example"

    async def _publish(self, section: str) -> None:
        local, national = self._local, self._national
        starts_at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=6)
        draft = {
            **DRAFT,
            "organisers": [{"code": section, "lead": True}],
            "edition": "2027-spring",
            "capacity": len(PEOPLE) - 1,
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + timedelta(hours=3)).isoformat(),
        }
        drafted = await self._step("draft", "POST", "/activities/v1/activities", status=201, headers=local, json=draft)
        self.id = drafted.json()["id"]
        await self._step("submit", "POST", f"{self._activity}/submit", headers=local)
        returned = await self._step(
            "return", "POST", f"{self._activity}/return", headers=national, json={"reason": "One place more, please."}
        )
        assert returned.json()["reason"] == "One place more, please."
        changes = {"capacity": len(PEOPLE)}
        headers = {**local, "If-Match": returned.headers["etag"]}
        await self._step("revise", "PATCH", self._activity, headers=headers, json=changes)
        await self._step("submit again", "POST", f"{self._activity}/submit", headers=local)
        await self._step("approve", "POST", f"{self._activity}/approve", headers=national)
        await self._step("publish", "POST", f"{self._activity}/publish", headers={**local, **self.publish_headers})
        listed = await self._step("list", "GET", "/activities/v1/activities", params={"country": self.country})
        assert [item["id"] for item in listed.json()["items"]] == [self.id]
        assert (await self.processes.client.get(self._activity)).json() == listed.json()["items"][0]

    async def _sign_up(self) -> None:
        await self.processes.opened(self.id, seconds=60)
        for name, participant_class in PEOPLE.items():
            wanted = {
                "activity_id": self.id,
                "email": self._mailbox(name),
                "given_name": name,
                "family_name": "Flow",
                "participant_class": participant_class,
                "consents": CONSENTS,
            }
            signed_up = await self._step("sign up", "POST", "/registration/v1/registrations", status=201, json=wanted)
            self.registrations[name] = signed_up.json()["id"]
        await eventually(lambda: self._shows("full"), seconds=60)
        for name, participant_class in PEOPLE.items():
            link = await self._link(name)
            for _ in range(2):
                assert (await self.processes.client.get(link)).status_code == 200
            assert (await self._registered())[name] == ("unconfirmed", participant_class, False), (
                "opening it confirmed it"
            )
            await self._step("confirm", "POST", link)
            assert (await self._registered())[name] == ("confirmed", participant_class, False)
        await self._step(
            "cancel",
            "POST",
            f"/registration/v1/registrations/{self.registrations[GIVES_UP]}/cancel",
            json={"token": (await self._link(GIVES_UP, nth=1)).rpartition("/")[2]},
        )
        await eventually(lambda: self._shows("open"), seconds=60)

    async def _shows(self, sign_up: str) -> None:
        found = (await self.processes.client.get(self._activity)).json()["sign_up"]["state"]
        assert found == sign_up

    async def _link(self, name: str, *, nth: int = 0) -> str:
        async def arrived() -> str:
            mails = {mail["Message-ID"]: mail for mail in self.mails.to(self._mailbox(name))}
            assert len(mails) > nth, f"{name} has {len(mails)} mails"
            found = re.search(r"https?://\S+/registration/v1/links/\S+", text_of(list(mails.values())[nth]))
            assert found is not None
            return found[0]

        link: str = await eventually(arrived, seconds=60)
        return link

    async def _registered(self) -> dict[str, tuple[str, str, bool]]:
        reply = await self.processes.client.get(
            f"/registration/v1/activities/{self.id}/registrations", headers=self._local
        )
        assert reply.status_code == 200, reply.text
        return {
            item["given_name"]: (item["state"], item["participant_class"], item["checked_in"])
            for item in reply.json()["items"]
        }

    async def _take_place(self) -> None:
        now = datetime.now(UTC).isoformat()
        notes = [
            {"registration_id": identity, "at": now, "nonce": f"device-one-{name}"}
            for name, identity in self.registrations.items()
            if name != GIVES_UP
        ]
        # Ada is seen at two doors, and the whole batch is sent twice.
        notes.append({"registration_id": self.registrations["Ada"], "at": now, "nonce": "device-two-Ada"})
        for outcome in ("recorded", "already_recorded"):
            reply = await self._step(
                "check in",
                "POST",
                f"/registration/v1/activities/{self.id}/check-ins",
                headers=self._local,
                json=notes,
            )
            assert [item["outcome"] for item in reply.json()["items"]] == [outcome] * 4 + ["already_recorded"]
        # What would be waiting for hours: the activity begins.
        begun = "UPDATE activities.activities SET starts_at = now() - interval '1 minute' WHERE id = $1::uuid"
        await rows(self.processes.database_url, begun, self.id)
        await self._step("complete", "POST", f"{self._activity}/complete", headers=self._local)

    async def _report(self) -> None:
        async def impact_has_heard() -> None:
            # An organiser sees that on the page of the report, and sends it again where it was too early.
            assert (await self.processes.backlog())["impact"] == 0

        await eventually(impact_has_heard, seconds=60)
        address = f"/impact/v1/activities/{self.id}/report"
        written = {
            "outcome": "held",
            "quantities": [
                {"measure": "waste", "unit": "kg", "amount": "130"},
                {"measure": "money", "unit": "EUR", "amount": "42.50"},
            ],
            "partner": "Bonga Surf School",
        }
        await self._step("report", "PUT", address, status=201, headers=self._local, json=written)
        await self._step("submit the report", "POST", f"{address}/submit", headers=self._local)
        await self._step("verify", "POST", f"{address}/verify", headers=self._national)

    async def end_state(self) -> dict[str, Any]:
        """What everybody can see at the end, free of ids and instants, the same whatever went wrong on the way."""
        client = self.processes.client
        activity = (await client.get(self._activity, headers=self._local)).json()
        places = (await client.get(f"/registration/v1/activities/{self.id}/availability")).json()
        report = (await client.get(f"/impact/v1/activities/{self.id}/report", headers=self._local)).json()
        statistics = {}
        for by in END["statistics"]:
            found = (await client.get("/impact/v1/statistics", params={"by": by, "country": self.country})).json()
            statistics[by] = [
                tuple(
                    self._without_country(value) if name == by else _plain(value)
                    for name, value in item.items()
                    if name != "suppressed"
                )
                for item in found["items"]
            ]
        recorded = await rows(
            self.processes.database_url,
            "SELECT name, count(*), count(DISTINCT id) FROM events.log WHERE aggregate = $1 GROUP BY name",
            self.id,
        )
        return {
            "activity": (activity["state"], activity["sign_up"]["state"], activity["capacity"], activity["edition"]),
            "places": (places["capacity"], places["taken"], places["open"]),
            "people": await self._registered(),
            "mails": {
                name: Counter(
                    {
                        mail["Message-ID"]: mail["Subject"].partition(":")[0]
                        for mail in self.mails.to(self._mailbox(name))
                    }.values()
                )
                for name in PEOPLE
            },
            "report": (
                report["state"],
                report["source"],
                tuple(report["participants"].values()),
                report["hours"],
                report["revision"],
                sorted((each["measure"], each["unit"], each["amount"]) for each in report["quantities"]),
            ),
            "statistics": statistics,
            "events": {row[0]: row[1] for row in recorded},
        }

    def _without_country(self, value: str) -> str:
        return value.replace(self.country, "XX", 1) if value.startswith(self.country) else value


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return sorted((each["measure"], each["unit"], each["amount"]) for each in value)
    return value
