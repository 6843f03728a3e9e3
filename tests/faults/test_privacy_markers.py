"""Nothing personal lies where it does not belong, after a whole life of an activity with failures in it (I7).

People with unmistakable names, mailboxes, answers, links and codes go all the way through running services. Then every
table of every schema, every command that Redis was sent, every log line and every refusal is searched for them.
"""

from __future__ import annotations

import email
import re
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from email.policy import default
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from deploy import ports, valkey
from services.registry import SERVICES
from tests.harness import databases as harness
from tests.harness.databases import Databases, eventually, rows
from tests.harness.network import DRAFT, Network
from tests.harness.processes import REPOSITORY, Process
from tests.harness.sign_ups import in_hours, text_of, wanted
from tests.harness.webhooks import hooked

# Where each kind of thing may lie; wherever else one is found, the test fails.
PERMITTED = {
    "mailbox": {"registration.participants"},
    "given name": {"registration.registrations"},
    "family name": {"registration.registrations"},
    "answer": {"registration.registrations"},
    "check-in code": {"registration.registrations"},
    "reason of a correction": {"registration.attendance_history"},
    "number of a card": {"registration.cards"},
    "secret of a link": set[str](),
    "secret of a webhook": set[str](),
    "token of a coordinator": set[str](),
    "refused": set[str](),
}
TABLES = """
SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables
WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND tablename !~ '_part_[0-9]+$' ORDER BY 1
"""
SIGN_UPS = "/registration/v1/registrations"


def _mailbox(name: str) -> str:
    # Nothing of the name: each kind of thing is searched for by itself.
    return f"qx{name[2:]}@mail.example"


@dataclass
class Watch:
    """Everything that was said to Redis, and every refusal."""

    redis_url: str
    commands: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    public: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """Write down each command until the server ends."""
        with redis.Redis.from_url(self.redis_url) as client, client.monitor() as monitor:
            try:
                for heard in monitor.listen():
                    self.commands.append(str(heard["command"]))
            except (redis.RedisError, OSError, ValueError):
                return


@pytest.fixture(scope="module")
def watch() -> Iterator[Watch]:
    with valkey.running() as server:
        made = Watch(server.url)
        thread = threading.Thread(target=made.listen)
        thread.start()
        yield made
        server.stop()
        thread.join(20)


@pytest.fixture(scope="module")
async def up(databases: Databases, watch: Watch, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Journey]:
    """The three services and their workers in one process that logs all it ever logs, and the journey through them."""
    folder = tmp_path_factory.mktemp("privacy")
    port = ports.free()
    base = f"http://{ports.LOOPBACK}:{port}"
    async with databases.fresh() as url:
        settings = harness.settings(url, watch.redis_url, base_url=base)
        environment = {
            "DATABASE_URL": url,
            "REDIS_URL": watch.redis_url,
            "SOCIALERASMUS_ENVIRONMENT": "test",
            "SOCIALERASMUS_SECRET": harness.SECRET,
            "SOCIALERASMUS_BASE_URL": base,
            "SOCIALERASMUS_LOG_LEVEL": "INFO",
            "SOCIALERASMUS_MAILBOX": str(folder / "mailbox"),
            "PYTHONPATH": str(REPOSITORY),
            "PYTHONPYCACHEPREFIX": str(folder / "compiled"),
        }
        process = Process(["up", "--port", str(port), "--no-sample"], environment, folder / "up.log")
        process.launch()
        try:
            async with httpx.AsyncClient(base_url=base, timeout=30) as client:
                await eventually(lambda: _answers(client), seconds=60)
                journey = Journey(Network(settings, url, {}, client), watch, folder / "mailbox", process.log)
                await journey.run()
                yield journey
        finally:
            process.kill()


async def _answers(client: httpx.AsyncClient) -> None:
    try:
        assert (await client.get("/registration/readyz")).status_code == 200
    except httpx.TransportError as failure:
        raise AssertionError from failure


@dataclass
class Journey:
    """The life of one activity and of its people."""

    network: Network
    watch: Watch
    mailbox: Path
    log: Path
    unsubscribing: set[str] = field(default_factory=set)
    markers: dict[str, set[str]] = field(default_factory=lambda: {kind: set() for kind in PERMITTED})

    async def run(self) -> None:
        """Publish, sign up, confirm, cancel, check in, report; and fail in between."""
        await self._publish()
        for name in ("Qzada", "Qzbob"):
            await self._sign_up(name)
        await self._fail()
        await self._confirm_and_cancel()
        await self._remind()
        await self._take_place()
        await self._report()
        await eventually(self._all_is_quiet, seconds=30)

    async def _send(self, method: str, address: str, expected: int, **more: Any) -> httpx.Response:
        headers = {**self.network.key(), **more.pop("headers", {})}
        reply = await self.network.client.request(method, address, headers=headers, **more)
        assert reply.status_code == expected, f"{method} {address}: {reply.text}"
        if expected >= 400:
            self.watch.refusals.append(f"{reply.text} {reply.headers}")
        return reply

    async def _publish(self) -> None:
        self.local, self.national = await self.network.local(), await self.network.national()
        tokens = {headers["Authorization"].removeprefix("Bearer ") for headers in (self.local, self.national)}
        self.markers["token of a coordinator"] |= tokens
        draft = {**DRAFT, "starts_at": in_hours(2), "ends_at": in_hours(5), "capacity": 2}
        self.id = (await self._send("POST", "/activities/v1/activities", 201, headers=self.local, json=draft)).json()[
            "id"
        ]
        self.activity = f"/activities/v1/activities/{self.id}"
        for verb, who in (("submit", self.local), ("approve", self.national), ("publish", self.local)):
            await self._send("POST", f"{self.activity}/{verb}", 200, headers=who)

        async def is_known() -> None:
            reply = await self.network.client.get(f"/registration/v1/activities/{self.id}/availability")
            assert reply.status_code == 200

        await eventually(is_known)
        asked = {"questions": [{"code": "a", "kind": "text", "text": {"en": "Why do you come?"}}]}
        # Whose system is told of every state that a registration takes; nobody answers at this address.
        hook = await hooked(self.network, self.local, "https://hooks.example/qx", "/registration/v1/webhooks")
        self.markers["secret of a webhook"].add(hook[1].removeprefix("whsec_"))
        terms = f"/registration/v1/activities/{self.id}/terms"
        await self._send("PUT", terms, 200, headers={**self.local, "If-Match": '"terms-0"'}, json=asked)

    def _wanted(self, name: str, **changes: Any) -> dict[str, Any]:
        return (
            wanted(
                self.id,
                name,
                email=_mailbox(name),
                family_name=f"{name}fam",
                answers={"a": f"{name}answer"},
            )
            | changes
        )

    async def _sign_up(self, name: str) -> None:
        for _ in range(2 if name == "Qzada" else 1):
            await self._send("POST", SIGN_UPS, 201, json=self._wanted(name))
        self.markers["mailbox"].add(_mailbox(name))
        self.markers["given name"].add(name)
        self.markers["family name"].add(f"{name}fam")
        self.markers["answer"].add(f"{name}answer")

    async def _secrets(self, name: str, many: int) -> list[str]:
        async def mailed() -> list[str]:
            mails = [
                email.message_from_bytes(path.read_bytes(), policy=default)
                for path in sorted(self.mailbox.glob("*.eml"))
            ]
            texts = [text_of(mail) for mail in mails if mail["To"] == _mailbox(name)]
            found = [link[1] for text in texts if (link := re.search(r"/links/(\S+)", text))]
            assert len(found) >= many
            self.markers["secret of a link"] |= set(found)
            return found

        return await eventually(mailed)

    async def _fail(self) -> None:
        """Be refused in every way, with things in hand that no refusal may repeat."""
        self.markers["refused"].add("Qzrefused")
        refused = self._wanted("Qzrefused")
        await self._send("POST", SIGN_UPS, 409, json=refused)  # It is full.
        for changes in (
            {"email": "Qzrefused"}, {"home_country": "Qzrefused"}, {"host_section": "Qzrefused section"},
            {"participant_class": "Qzrefused"}, {"answers": {"a": ["Qzrefused"]}}, {"activity_id": "Qzrefused"},
            {"language": "Qzrefused!"}, {"consents": [{"purpose": "Qzrefused", "text_version": "1"}]},
            {"given_name": "Qzrefused\x00"}, {"given_name": "Qzrefused" * 30},
        ):  # fmt: skip
            await self._send("POST", SIGN_UPS, 422, json={**refused, **changes})
        await self._send(
            "POST", SIGN_UPS, 400, content=b'{"given_name": "Qzrefused', headers={"Content-Type": "application/json"}
        )
        await self._send("POST", SIGN_UPS, 415, content=b"Qzrefused", headers={"Content-Type": "text/plain"})
        token = (await self._secrets("Qzada", 1))[0]
        for method, tail, status in (("PUT", "", 405), ("GET", "/cancel", 405), ("GET", "/more?x=Qzrefused", 404)):
            await self._send(method, f"/registration/v1/links/{token}{tail}", status)
        nobody = "01890000-0000-7000-8000-000000000000"
        for verb in ("confirm", "cancel"):
            await self._send("POST", f"{SIGN_UPS}/{nobody}/{verb}", 404, json={"token": token})
        # Postgres repeats the whole row in its message when a constraint refuses it.
        await self._sql("ALTER TABLE registration.places DROP CONSTRAINT ck_places_taken_not_negative")
        await self._sql("UPDATE registration.places SET taken = 0")
        await self._sql("ALTER TABLE registration.registrations ADD CONSTRAINT never CHECK (false) NOT VALID")
        await self._send("POST", SIGN_UPS, 500, json=refused)
        await self._send("POST", f"/registration/v1/links/{token}", 500)
        await self._sql("ALTER TABLE registration.registrations DROP CONSTRAINT never")
        await self._sql("UPDATE registration.places SET taken = 2")

    async def _sql(self, statement: str) -> None:
        await rows(self.network.database_url, statement)

    async def _confirm_and_cancel(self) -> None:
        ada = (await self._secrets("Qzada", 1))[0]
        await self._send("POST", f"/registration/v1/links/{ada}?utm_source=mail", 200)
        bob = (await self._secrets("Qzbob", 1))[0]
        listed = await self._send(
            "GET", f"/registration/v1/activities/{self.id}/registrations", 200, headers=self.local
        )
        self.people = {item["given_name"]: item for item in listed.json()["items"]}
        self.markers["check-in code"] |= {item["code"] for item in self.people.values()}
        bobs = f"{SIGN_UPS}/{self.people['Qzbob']['id']}"
        await self._send("POST", f"{bobs}/confirm", 200, json={"token": bob})
        await self._send("POST", f"{bobs}/cancel", 200, json={"token": (await self._secrets("Qzbob", 2))[-1]})
        await self._send("POST", f"{bobs}/confirm", 409, json={"token": bob})
        await self._secrets("Qzada", 3)

    async def _remind(self) -> None:
        """Those who come are reminded a day before, and one of them wants no more of that."""
        of = f"WHERE activity_id = '{self.id}'"
        later = "starts_at = starts_at + interval '2 days', ends_at = ends_at + interval '2 days', remind_at = now()"
        await self._sql(f"UPDATE registration.places SET {later} {of}")

        async def unsubscribing() -> str:
            mails = [email.message_from_bytes(path.read_bytes(), policy=default) for path in self.mailbox.glob("*.eml")]
            to = _mailbox("Qzada")
            found = [mail["List-Unsubscribe"] for mail in mails if mail["To"] == to and mail["List-Unsubscribe"]]
            assert found
            return str(found[0]).strip("<>")

        address = await eventually(unsubscribing)
        secret = address.split("/links/")[1].split("/")[0]
        self.unsubscribing = {secret}
        self.markers["secret of a link"].add(secret)
        await self._secrets("Qzada", 4)
        one_click = {"Content-Type": "application/x-www-form-urlencoded"}
        path = "/registration" + address.split("/registration", 1)[1]
        await self._send("POST", path, 200, headers=one_click, content=b"List-Unsubscribe=One-Click")
        back = "starts_at = starts_at - interval '2 days', ends_at = ends_at - interval '2 days'"
        await self._sql(f"UPDATE registration.places SET {back} {of}")

    async def _take_place(self) -> None:
        note = {"at": in_hours(0), "code": self.people["Qzada"]["code"], "nonce": "device-one-1"}
        address = f"/registration/v1/activities/{self.id}/check-ins"
        await self._send("POST", address, 200, headers=self.local, json=note)
        other = {**note, "code": self.people["Qzbob"]["code"], "nonce": "device-one-2", "hours": 1}
        await self._send("POST", address, 200, headers=self.local, json=[note, other])
        await self._send("POST", address, 422, headers=self.local, json={**note, "nonce": "Qzrefused!"})
        await self._send("GET", address.replace("check-ins", "registrations"), 401)
        await self._put_right(address)
        # What has not begun can't be completed.
        begun = "starts_at = now() - interval '3 hours', ends_at = now() - interval '1 minute'"
        await self._sql(f"UPDATE activities.activities SET {begun}")
        await self._send("POST", f"{self.activity}/complete", 200, headers=self.local)

    async def _put_right(self, address: str) -> None:
        """Somebody comes without a place, and what is recorded of somebody who has one is corrected."""
        came = {"at": in_hours(0), "participant_class": "local", "nonce": "device-two-1"}
        await self._send("POST", address.replace("check-ins", "walk-ins"), 200, headers=self.local, json=came)
        identity = self.people["Qzada"]["id"]
        attendance = f"/registration/v1/attendances/{identity}"
        etag = (await self._send("GET", attendance, 200, headers=self.local)).headers["etag"]
        corrected = {"present": True, "hours": 2, "reason": "Qyreason"}
        who = {**self.local, "If-Match": etag}
        await self._send("PUT", attendance, 200, headers=who, json=corrected)
        await self._send("PUT", attendance, 412, headers=who, json=corrected)
        self.markers["reason of a correction"].add("Qyreason")
        # As it lies there until somebody can tell whether it is valid.
        card = (
            f"INSERT INTO registration.cards (registration_id, number, due_at) VALUES ('{identity}', 'QZCARD1', NULL)"
        )
        await self._sql(card)
        self.markers["number of a card"].add("QZCARD1")

    async def _report(self) -> None:
        async def is_heard() -> None:
            assert (await self.network.client.get("/impact/readyz")).json()["unread_events"] == 0

        await eventually(is_heard)
        address = f"/impact/v1/activities/{self.id}/report"
        await self._send("PUT", address, 201, headers=self.local, json={"outcome": "held", "quantities": []})
        await self._send("POST", f"{address}/submit", 200, headers=self.local)
        await self._send("POST", f"{address}/verify", 200, headers=self.national)
        for public in ("/impact/v1/statistics?by=country", "/activities/v1/activities", self.activity):
            self.watch.public.append((await self.network.client.get(public)).text)

    async def _all_is_quiet(self) -> None:
        due = await rows(self.network.database_url, "SELECT FROM registration.outgoing_mail WHERE due_at IS NOT NULL")
        unread = [(await self.network.client.get(f"/{name}/readyz")).json() for name in SERVICES]
        assert not due
        assert all((each["unread_events"], each["parked_events"]) == (0, 0) for each in unread)

    async def holding(self, marker: str) -> set[str]:
        """The tables that hold something, as text or within bytes."""
        tables = [row[0] for row in await rows(self.network.database_url, TABLES)]
        parts = [
            f"SELECT '{name}' FROM {name} AS held WHERE held::text ILIKE '%' || $1 || '%'"
            f" OR held::text LIKE '%' || $2 || '%' OR held::text LIKE '%' || $3 || '%'"
            for name in tables
        ]
        values = (marker, marker.encode().hex(), marker.lower().encode().hex())
        return {row[0] for row in await rows(self.network.database_url, " UNION ALL ".join(parts), *values)}


@pytest.mark.parametrize("kind", PERMITTED)
async def test_each_thing_lies_in_the_tables_that_may_hold_it_and_in_no_other(up: Journey, kind: str) -> None:
    assert up.markers[kind]
    for marker in up.markers[kind]:
        assert await up.holding(marker) == PERMITTED[kind]


async def test_the_search_finds_what_is_there(up: Journey) -> None:
    identity = up.people["Qzada"]["id"]
    found = await up.holding(identity)
    assert {"registration.registrations", "registration.idempotency_keys", "registration.outgoing_mail"} <= found
    assert "registration.webhook_deliveries" in found, "what the organisers' own system is told names a registration"
    assert "events.log" in await up.holding(up.id)
    text = up.log.read_text()
    assert {"request", "mail sent", "request failed"} <= set(re.findall(r'"event": "([^"]*)"', text))
    assert any("arq" in command for command in up.watch.commands)
    assert len(up.watch.refusals) > 20


async def test_logs_redis_refusals_and_public_answers_hold_nothing_of_anybody(up: Journey) -> None:
    places = {
        "the log": up.log.read_text(),
        "Redis": "\n".join(up.watch.commands),
        "a refusal": "\n".join(up.watch.refusals),
        "a public answer": "\n".join(up.watch.public),
    }
    for where, text in places.items():
        assert text
        for kind, markers in up.markers.items():
            for marker in markers:
                assert marker.casefold() not in text.casefold(), f"a {kind} in {where}"


async def _certified(up: Journey, secret: str) -> str:
    """Let somebody get a certificate, print it, and have it verified and refused; answers its number."""
    await up._sql("UPDATE registration.places SET starts_at = now() - interval '3 hours', ends_at = now()")
    holder = {"Authorization": f"Link {secret}"}
    made = await up._send("POST", "/registration/v1/me/certificates", 201, headers=holder, json={})
    number: str = made.json()["number"]
    address = f"/registration/v1/certificates/{number}"
    await up._send("GET", f"{address}.pdf", 200, headers=holder)
    assert (await up._send("GET", address, 200)).json()["name"] == "Qzada Qzadafam"
    await up._send("POST", f"{address}/name-check", 200, json={"name": "Qzada Qzadafam"})
    # An error names the address that was asked for, and so the number, to whoever wrote it there.
    refused = await up.network.client.post(f"{address}/name-check", json={"name": "Qzada", "more": "Qzadafam"})
    assert (refused.status_code, "Qzada" in refused.text) == (422, False)
    return number


async def test_whoever_is_erased_is_nowhere_any_more_and_no_figure_changes(up: Journey) -> None:
    """It comes last: nobody of the journey is looked for after it."""
    client, url = up.network.client, up.network.database_url
    known = await rows(
        url,
        "SELECT whose.id, participant_id, attendance_key, person_key FROM registration.registrations AS whose"
        " JOIN registration.participants AS person ON person.id = participant_id WHERE given_name = 'Qzada'"
        " UNION ALL SELECT id, NULL, NULL, NULL FROM registration.handles",
    )
    assert len(known) == 2, "the registration, and the further id of the repeated sign-up"
    markers = {
        "mailbox": {_mailbox("Qzada")},
        "name": {"Qzada"},
        "answer": {"Qzadaanswer"},
        "code": {up.people["Qzada"]["code"], up.people["Qzada"]["code"].replace("-", "")},
        "id": {str(each) for row in known for each in (row["id"], row["participant_id"]) if each is not None},
        "secret": set(await up._secrets("Qzada", 4)) | up.unsubscribing,
        "reason": {"Qyreason"},
        "card": {"QZCARD1"},
    }
    for kind in ("mailbox", "name", "answer", "id", "reason", "card"):
        assert any([await up.holding(marker) for marker in markers[kind]]), kind
    public = "/impact/v1/statistics?by=country"
    before = (await client.get(public)).json()
    secret = (await up._secrets("Qzada", 4))[-1]
    number = await _certified(up, secret)
    markers["certificate"] = {number, number.replace("-", "")}
    assert await up.holding(number) == {"registration.certificates"}
    await up._send("DELETE", "/registration/v1/me", 204, headers={"Authorization": f"Link {secret}"})
    await up._send("DELETE", "/registration/v1/me", 401, headers={"Authorization": f"Link {secret}"})
    await up._send("GET", f"/registration/v1/links/{secret}", 404)
    withdrawn = await up._send("GET", f"/registration/v1/certificates/{number}", 200)
    assert (withdrawn.json()["standing"], withdrawn.json()["name"]) == ("withdrawn", None)
    for kind, each in markers.items():
        for marker in each:
            assert await up.holding(marker) == set(), f"a {kind}"
    told = "\n".join([up.log.read_text(), *up.watch.commands, *up.watch.refusals]).casefold()
    assert {kind for kind in markers for marker in markers[kind] if kind != "id" and marker.casefold() in told} == set()
    after = (await client.get(public)).json()
    assert (after["items"], after["total"]) == (before["items"], before["total"])
    key = next(row["attendance_key"] for row in known if row["attendance_key"] is not None)
    assert await up.holding(str(key)) == {"events.log", "impact.attendances"}, "the fact, which leads to nobody"
    person = next(row["person_key"] for row in known if row["person_key"] is not None)
    counted = await up.holding(str(person))
    assert {"events.log", "impact.attendances"} <= counted, "who it was is counted once, and leads to nobody"
    assert not [table for table in counted if table.startswith("registration.")]
    assert await up.holding(_mailbox("Qzbob")) == {"registration.participants"}, "who was not asked for stays"
