"""Students of one activity: they sign up, read their mail and follow its links."""

from __future__ import annotations

import email
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from typing import Any

import httpx

from services.contracts import SectionRecorded
from services.kernel import events
from tests.harness.network import Network

_LINK = re.compile(r"https?://\S+/registration/v1/links/(\S+)")

VERSIONS = {"participation": "2026-09", "of_age": "2026-11"}
CONSENTS = [{"purpose": purpose, "text_version": version} for purpose, version in VERSIONS.items()]


def wanted(activity_id: str, name: str = "Ada", **changes: Any) -> dict[str, Any]:
    """What somebody sends to sign up."""
    return {
        "activity_id": activity_id,
        "email": f"{name.lower()}@students.example",
        "given_name": name,
        "family_name": "Lovelace",
        "participant_class": "international",
        "consents": CONSENTS,
        **changes,
    }


def in_hours(hours: float) -> str:
    """An instant as the API reads it."""
    return (datetime.now(UTC).replace(microsecond=0) + timedelta(hours=hours)).isoformat()


def text_of(mail: EmailMessage) -> str:
    """What a mail says to whoever reads it as plain text."""
    plain = mail.get_body(("plain",))
    assert plain is not None
    text: str = plain.get_content()
    return text


async def directory_has(network: Network, code: str) -> None:
    """Let everybody hear that a section is in the directory."""
    async with network.runtimes["activities"].unit_of_work() as session:
        told = SectionRecorded(code=code, title=code, country=code[:2], state="active", time_zone="Europe/Rome")
        await events.record(session, told)
    await network.settle()


@dataclass
class Students:
    """The students of one activity."""

    network: Network
    activity_id: str
    registrations: dict[str, str] = field(default_factory=dict)

    async def sign_up(self, name: str, *, status: int = 201, **changes: Any) -> httpx.Response:
        """Sign somebody up."""
        reply = await self.network.client.post(
            "/registration/v1/registrations",
            json=wanted(self.activity_id, name, **changes),
            headers=self.network.key(),
        )
        assert reply.status_code == status, reply.text
        if status == 201:
            self.registrations.setdefault(name, reply.json()["id"])
        return reply

    async def mails(self, name: str) -> list[EmailMessage]:
        """What somebody has got, oldest first."""
        await self.network.sweep()
        every = [email.message_from_bytes(path.read_bytes(), policy=default) for path in self.network.mails()]
        return [mail for mail in every if mail["To"] == f"{name.lower()}@students.example"]

    async def subjects(self, name: str) -> list[str]:
        """What the mails of somebody are about."""
        return [mail["Subject"].partition(":")[0] for mail in await self.mails(name)]

    async def secret(self, name: str) -> str:
        """The secret of the latest link that somebody was mailed."""
        found = [link[1] for mail in await self.mails(name) if (link := _LINK.search(text_of(mail)))]
        return found[-1]

    async def confirmed(self, name: str, **changes: Any) -> str:
        """Sign somebody up and confirm it; answers the secret of the link that gives the place back."""
        await self.sign_up(name, **changes)
        reply = await self.network.client.post(f"/registration/v1/links/{await self.secret(name)}")
        assert reply.status_code == 200, reply.text
        return await self.secret(name)

    async def by_token(self, name: str, verb: str, token: str) -> httpx.Response:
        """Confirm or cancel as an app does."""
        return await self.network.client.post(
            f"/registration/v1/registrations/{self.registrations[name]}/{verb}",
            json={"token": token},
            headers=self.network.key(),
        )

    async def on_terms(self, *, status: int = 200, **terms: Any) -> httpx.Response:
        """Set the activity's terms, as its organisers."""
        address = f"/registration/v1/activities/{self.activity_id}/terms"
        etag = (await self.network.client.get(address)).headers["etag"]
        reply = await self.network.client.put(
            address, json=terms, headers={**await self.network.local(), "If-Match": etag}
        )
        assert reply.status_code == status, reply.text
        return reply

    async def decide(self, name: str, verb: str, *, status: int = 200) -> httpx.Response:
        """Approve or decline somebody, as the activity's organisers."""
        reply = await self.network.client.post(
            f"/registration/v1/registrations/{self.registrations[name]}/{verb}", headers=await self.network.local()
        )
        assert reply.status_code == status, reply.text
        return reply

    async def gives_up(self, name: str) -> None:
        """Let somebody give back their place, or stop waiting for one, by their latest link."""
        reply = await self.network.client.post(f"/registration/v1/links/{await self.secret(name)}/cancel")
        assert reply.status_code == 200, reply.text

    async def accepts(self, name: str, *, status: int = 200) -> None:
        """Let somebody confirm by their latest link."""
        reply = await self.network.client.post(f"/registration/v1/links/{await self.secret(name)}")
        assert reply.status_code == status, reply.text

    async def availability(self) -> dict[str, Any]:
        """How many places there are and how many are taken."""
        reply = await self.network.client.get(f"/registration/v1/activities/{self.activity_id}/availability")
        found: dict[str, Any] = reply.json()
        return found

    async def states(self) -> dict[str, str]:
        """The latest state of everybody's registration, as the organisers see it."""
        reply = await self.network.client.get(
            f"/registration/v1/activities/{self.activity_id}/registrations", headers=await self.network.local()
        )
        assert reply.status_code == 200, reply.text
        return {item["given_name"]: item["state"] for item in reply.json()["items"]}


async def students(network: Network, **changes: Any) -> Students:
    """The students of a new activity, who can sign up for it."""
    return Students(network, (await network.published(**changes))["id"])
