"""Everybody who may call, and things of ESN Sassari that each route can be tried on: for who may do what."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel import reach
from services.kernel.runtime import Runtime
from services.registry import HISTORIES
from tests.harness import certificates, exchange, reports, webhooks
from tests.harness.databases import rows, value
from tests.harness.network import DRAFT, Network
from tests.harness.reports import Reporter
from tests.harness.sign_ups import Students

OWN, OTHER = "IT-SASS-ESN", "PL-WARS-UKS"
SITE = "https://esn-sassari.example"
CALLERS = (
    "anonymous", "publishable_key", "reading_key", "writing_key", "other_writing_key", "student", "other_student",
    "local", "other_local", "national", "other_national", "international", "operator", "machine",
)  # fmt: skip
_SCOPES = [f"{service}:{verb}" for service in ("activities", "registration", "impact") for verb in ("read", "write")]
_POLISH = {
    "organisers": [{"code": OTHER, "lead": True}],
    "place": {"name": "Park", "city": "Warsaw", "country": "PL", "latitude": 52.2, "longitude": 21.0},
}


@dataclass
class World:
    """A section's things, those of another, and the headers of everybody."""

    network: Network
    headers: dict[str, dict[str, str]]
    ids: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)


async def _post(network: Network, address: str, who: dict[str, str], body: Any = None, status: int = 200) -> Any:
    reply = await network.client.post(address, json=body, headers={**who, **network.key()})
    assert reply.status_code == status, (address, reply.text)
    return reply.json() if reply.content else None


async def _polish(world: World) -> Students:
    """An activity of the other section, with a student of theirs."""
    network, who = world.network, world.headers
    address = "/activities/v1/activities"
    drafted = await _post(network, address, who["other_local"], {**DRAFT, **_POLISH}, 201)
    for verb, caller in (("submit", "other_local"), ("approve", "other_national"), ("publish", "other_local")):
        await _post(network, f"{address}/{drafted['id']}/{verb}", who[caller])
    await network.settle()
    return Students(network, drafted["id"])


async def _activities(world: World) -> None:
    network, who, ids = world.network, world.headers, world.ids
    address = "/activities/v1/activities"
    for name, verbs in {
        "draft": "", "series": "submit approve publish", "submitted": "submit", "approved": "submit approve",
        "published": "submit approve publish", "over": "submit approve publish", "asked": "submit approve publish",
        "cancelled": "submit approve publish cancel",
    }.items():  # fmt: skip
        ids[name] = (await network.drafted(title=f"Beach {name}"))["id"]
        if name == "series":
            times = [{"starts_at": "2027-05-15T10:00", "ends_at": "2027-05-15T12:00"},
                     {"starts_at": "2027-05-22T10:00", "ends_at": "2027-05-22T12:00"}]  # fmt: skip
            await _post(network, f"{address}/{ids[name]}/occurrences", who["local"], {"times": times}, 201)
        for verb in verbs.split():
            caller = who["national"] if verb == "approve" else who["local"]
            body = {"reason": "The weather."} if verb == "cancel" else None
            await _post(network, f"{address}/{ids[name]}/{verb}", caller, body)
    ids["draft_series"] = (await network.drafted(title="Canteen"))["id"]
    ids["withdrawable"] = (await network.drafted(title="Harbour"))["id"]
    await _post(network, f"{address}/{ids['withdrawable']}/submit", who["local"])
    await network.settle()
    past = "starts_at = now() - interval '5 hours', ends_at = now() - interval '2 hours'"
    await rows(network.database_url, f"UPDATE activities.activities SET {past} WHERE id = '{ids['over']}'")


async def _people(world: World) -> None:
    network, who, ids, secrets = world.network, world.headers, world.ids, world.secrets
    ours, asked = Students(network, ids["published"]), Students(network, ids["asked"])
    await asked.on_terms(choosing="approval")
    await asked.sign_up("Cy")
    await ours.sign_up("Bo")
    secrets["student:confirm"] = await ours.secret("Bo")
    secrets["student"] = await ours.confirmed("Ada")
    ids |= {"applied": asked.registrations["Cy"], "held": ours.registrations["Bo"], "placed": ours.registrations["Ada"]}
    past = Students(network, ids["over"])
    await certificates.present(past, "Ada", 3)
    ids["attended"], ids["certificate"] = (
        past.registrations["Ada"],
        await certificates.certified(past, secrets["student"]),
    )
    passes = f"/registration/v1/activities/{ids['published']}/check-in-passes"
    ids["pass"] = (await _post(network, passes, who["local"], {}, 201))["id"]
    theirs = await _polish(world)
    secrets["other_student"] = secrets["other_student:confirm"] = await theirs.confirmed(
        "Ewa", family_name="Nowakowska"
    )
    ids |= {"their_activity": theirs.activity_id, "their_registration": theirs.registrations["Ewa"]}
    mail = "SELECT id FROM registration.outgoing_mail WHERE about = $1 LIMIT 1"
    found = await value(network.database_url, mail, ids["placed"])
    ids["mail"] = f"<{found.hex}@socialerasmus.test>"  # type: ignore[attr-defined]
    for caller in ("student", "other_student"):
        who[caller] = {"Authorization": f"Link {secrets[caller]}"}


async def _impact(world: World) -> None:
    network, ids, who = world.network, world.ids, world.headers
    told = {name: reports.activity(days_ago=days) for days, name in enumerate(("unreported", "drafted", "reported"), 1)}
    await reports.enter(network, *told.values(), *reports.sections())
    ids |= {name: str(row.activity_id) for name, row in told.items()}
    for name in ("drafted", "reported"):
        reporter = Reporter(network, ids[name], who["local"], who["national"])
        await reporter.put()
        if name == "reported":
            await reporter.done("submit")
    size = "/impact/v1/sections/IT-SASS-ESN/sizes/2024-25"
    reply = await network.client.put(size, json={"international_students": 90}, headers=who["national"])
    assert reply.status_code == 201, reply.text
    exported = {"dataset": "facts", "shape": "csv"}
    ids["export"] = (await _post(network, "/impact/v1/exports", who["national"], exported, 202))["id"]


async def _exchanged(world: World) -> None:
    network, who, ids = world.network, world.headers, world.ids
    ids["partner"] = (await exchange.partner(network))["id"]
    ids["double"] = (await exchange.partner(network, name="Mensa San Sabino 2", even_if_similar=True))["id"]
    await exchange.set_mailbox(network, "sections/IT-SASS-ESN", "partners@sassari.example", who["local"])
    await exchange.set_mailbox(network, "countries/IT", "partners@italy.example", who["national"])
    await _post(network, exchange.ENQUIRIES, {}, exchange.ENQUIRY, 201)
    ids["enquiry"] = str(await value(network.database_url, "SELECT id FROM activities.enquiries"))
    ids["idea"] = (await exchange.idea(network))["id"]
    ids["taken_back"] = (await exchange.idea(network, title="Dinner in silence"))["id"]
    await _post(network, f"{exchange.IDEAS}/{ids['taken_back']}/withdraw", who["local"])
    ids["endorsed"] = (await exchange.idea(network, title="Dinner with sounds"))["id"]
    ids["idea_of"] = await exchange.held(network)
    crosswalk = "/activities/v1/taxonomies/crosswalk/areas:health/sdgs:3"
    ids["crosswalk"] = crosswalk
    sync = {"records": [{"code": OWN, "label": "ESN Sassari", "cc": "IT", "state": "active",
                         "cities": [{"name": "Sassari"}]}]}  # fmt: skip
    for name in ("sync", "other_sync"):
        ids[name] = (await _post(network, "/activities/v1/directory/syncs", who["international"], sync, 201))["id"]
    dates = {"starts_on": "2027-05-10", "ends_on": "2027-05-20"}
    italy = "/activities/v1/editions/2027-spring/national-dates/IT"
    assert (await network.client.put(italy, json=dates, headers=who["national"])).status_code == 201
    for service in ("activities", "registration", "impact"):
        address, _ = await webhooks.hooked(
            network, who["local"], "https://hooks.example.org/", f"/{service}/v1/webhooks"
        )
        ids[f"{service}_webhook"] = address.rpartition("/")[2]
        sent = await _post(network, f"{address}/ping", who["local"], status=202)
        ids[f"{service}_delivery"] = sent["id"]
        entry = f"SELECT id FROM {service}.audit_entries WHERE '{OWN}' = ANY (sections) ORDER BY number LIMIT 1"
        ids[f"{service}_entry"] = str(await value(network.database_url, entry))


async def _theirs(world: World) -> None:
    """Things of the other section that are nobody else's business."""
    network, who, ids = world.network, world.headers["other_local"], world.ids
    draft = {**DRAFT, **_POLISH, "title": "Planting in a hiding-place"}
    ids["their_draft"] = (await _post(network, "/activities/v1/activities", who, draft, 201))["id"]
    mailbox = {"name": "Las", "country": "PL", "city": "Warsaw", "contact_email": "las@hiding-place.example"}
    ids["their_partner"] = (await exchange.partner(network, who, **mailbox))["id"]
    for service in ("activities", "registration", "impact"):
        address, _ = await webhooks.hooked(
            network, who, "https://hooks.hiding-place.example/", f"/{service}/v1/webhooks"
        )
        ids[f"their_{service}_webhook"] = address.rpartition("/")[2]
    key = {"kind": "secret", "name": "A hiding-place", "scopes": _SCOPES, "section": OTHER}
    ids["their_key"] = (await _post(network, "/activities/v1/keys", who, key, 201))["id"]


async def _keys(world: World) -> None:
    network, who, ids = world.network, world.headers, world.ids
    keys = "/activities/v1/keys"

    async def made(owner: str, **told: Any) -> dict[str, str]:
        found = await _post(network, keys, who[owner], {"name": "A key", **told}, 201)
        ids["key"] = found["id"] if owner == "local" and "scopes" in told else ids.get("key", "")
        return {"Authorization": f"Bearer {found['key']}"}

    who["publishable_key"] = {
        **await made("local", kind="publishable", origins=[SITE], section=OWN), "Origin": SITE,
    }  # fmt: skip
    who["reading_key"] = await made("local", kind="secret", scopes=_SCOPES[::2], section=OWN)
    who["writing_key"] = await made("local", kind="secret", scopes=_SCOPES, section=OWN)
    who["other_writing_key"] = await made("other_local", kind="secret", scopes=_SCOPES, section=OTHER)


async def build(network: Network) -> World:
    """Everybody, and everything once."""
    who = {
        "anonymous": {}, "local": await network.local(), "other_local": await network.local(OTHER),
        "national": await network.national(), "other_national": await network.national("PL"),
        **{role: await network.token(role) for role in ("international", "operator", "machine")},
    }  # fmt: skip
    world = World(network, who)
    await _keys(world)
    await _activities(world)
    await _people(world)
    await _exchanged(world)
    await _impact(world)
    await _theirs(world)
    return world


PRIVATE = {
    OWN: ("Lovelace", "ada@", "bo@", "cy@", "hooks.example.org", "Beach draft", "Beach submitted", "Canteen",
          "volunteers@mensa.example.org", "boards@surf", "partners@sassari.example", "partners@italy.example"),
    OTHER: ("Nowakowska", "ewa@", "hiding-place"),
}  # fmt: skip
"""What nobody but a section's own coordinators may read of its things."""

_ROWS = " UNION ALL ".join(
    f"SELECT '{table.fullname}' AS name, (to_jsonb(one) - 'last_used_at')::text AS row FROM {table.fullname} AS one"
    for schema in ("activities", "registration", "impact", "access")
    for table in HISTORIES[schema].metadata.sorted_tables
)


def ids_of(world: World, section: str) -> dict[str, str]:
    """The names and ids of a section's things."""
    return {name: each for name, each in world.ids.items() if name.startswith("their_") == (section == OTHER)}


async def rows_of(world: World) -> set[tuple[str, str]]:
    """Every row of every table."""
    return {(each["name"], each["row"]) for each in await (await world.network.observer()).fetch(_ROWS)}


def not_of(world: World, section: str, found: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of some rows that do not speak of a section or of its things."""
    marks = [section, *ids_of(world, section).values()]
    return {(name, row) for name, row in found if not any(mark in row for mark in marks)}


@asynccontextmanager
async def _undone(self: Runtime, how_far: str | None = None) -> AsyncIterator[AsyncSession]:
    async with self._sessions() as session:
        await session.begin()
        if how_far is not None:
            await reach.take(session, how_far)
        try:
            yield session
            await session.flush()
        finally:
            await session.rollback()


def undo_everything(patch: pytest.MonkeyPatch) -> None:
    """From now on every request is carried out and answered, and then nothing of it is kept."""
    patch.setattr(Runtime, "unit_of_work", _undone)
