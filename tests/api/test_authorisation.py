"""Who may do what: every route as everybody, against a table in the tree."""

from __future__ import annotations

import csv
import json
from collections.abc import AsyncIterator

import pytest

from services.kernel.auth import Actor
from tests.harness import authorisation
from tests.harness.attacks import Attacker
from tests.harness.attempts import ATTEMPTS, Trier, route_of
from tests.harness.authorisation import CALLERS, OTHER, OWN, World
from tests.harness.authorisation_table import FIELDS, TABLE
from tests.harness.databases import Databases
from tests.harness.databases import settings as settings_of
from tests.harness.network import running
from tests.harness.openapi import OPERATIONS, Operation

with TABLE.open(newline="") as _file:
    HEADER, *_ROWS = csv.reader(_file)
with FIELDS.open(newline="") as _file:
    _APART = list(csv.reader(_file))[1:]
EXPECTED = {row[0]: dict(zip(HEADER[1:], row[1:], strict=True)) for row in _ROWS}


@pytest.fixture(scope="module")
async def world(databases: Databases, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Everybody and everything, made once."""
    async with databases.fresh() as url:
        told = settings_of(url, redis_url, mailbox=tmp_path_factory.mktemp("mailbox"))
        async with running(told, url) as network:
            yield await authorisation.build(network)


@pytest.fixture
def undone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What requests of a test change is not kept."""
    authorisation.undo_everything(monkeypatch)


def test_every_route_has_its_row_and_every_row_its_route() -> None:
    routes = [route_of(operation) for operation in OPERATIONS]
    assert (HEADER[1:], list(EXPECTED)) == (list(CALLERS), sorted(routes, key=lambda route: route.split()[::-1]))
    assert ATTEMPTS.keys() <= set(routes)
    assert len({route for route, _, _ in _APART} & set(routes)) > 4
    assert {route for route, _, _ in _APART} <= set(routes)


@pytest.mark.parametrize("operation", OPERATIONS, ids=route_of)
@pytest.mark.usefixtures("undone")
async def test_everybody_may_do_what_the_table_says_and_no_more(world: World, operation: Operation) -> None:
    trier = Trier(world)
    found = {caller: await trier.outcome(operation, caller) for caller in CALLERS}
    assert found == EXPECTED[route_of(operation)]
    apart = {field: shown_to for route, field, shown_to in _APART if route == route_of(operation)}
    assert trier.fields_apart() == apart, "fields.csv says otherwise"


# Where strangers may sign up or enquire, and whoever holds a certificate's number reads what it states.
_PUBLIC = {
    "POST /registration/v1/registrations", "POST /registration/v1/series/{series_id}/registrations",
    "POST /registration/v1/me/links", "POST /activities/v1/partners/enquiries",
    "GET /registration/v1/certificates/{number}",
}  # fmt: skip
ATTACKED = [operation for operation in OPERATIONS if route_of(operation) not in _PUBLIC]


@pytest.mark.parametrize("operation", ATTACKED, ids=route_of)
async def test_no_coordinator_reads_or_changes_what_is_anothers(world: World, operation: Operation) -> None:
    before = set() if operation.method == "get" else await authorisation.rows_of(world)
    for section, own, callers in (
        (OWN, OTHER, ("other_local", "other_writing_key")),
        (OTHER, OWN, ("local", "writing_key")),
    ):
        attacker = Attacker(world, operation, section)
        for number in range(attacker.many):
            sent, reply = await attacker.strike(callers[number % 2])
            assert reply.status_code < 500, (sent, reply.text)
            assert not [mark for mark in authorisation.PRIVATE[section] if mark in reply.text], (sent, reply.text)
        if before:
            after = await authorisation.rows_of(world)
            assert not authorisation.not_of(world, own, before - after)
            before = after


# The terms of an activity are nobody's.
ABOUT_PEOPLE = [
    operation
    for operation in OPERATIONS
    if operation.service == "registration"
    and EXPECTED[route_of(operation)]["anonymous"] not in {"2xx", "404"}
    and not operation.path.startswith(("/v1/me", "/v1/mail"))
    and not operation.path.endswith("/terms")
]


@pytest.mark.parametrize("operation", ABOUT_PEOPLE, ids=route_of)
async def test_nothing_leaks_where_the_decision_in_code_is_gone(
    world: World, operation: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    trier = Trier(world)
    await trier.read_tag(operation)
    before = await authorisation.rows_of(world)
    monkeypatch.setattr(Actor, "reaches", lambda *_, **__: True)
    private = [*authorisation.PRIVATE[OWN], *(world.ids[name] for name in ("attended", "applied", "placed", "held"))]
    for caller in ("other_local", "other_writing_key", "other_national", "machine"):
        told = (await trier.send(operation, caller)).text
        instance = json.loads(told).get("instance", "") if told else ""
        assert not [mark for mark in private if mark in told.replace(instance, "")]
    after = await authorisation.rows_of(world)
    assert not before - after
    # Their own, of which nothing is anybody else's.
    own = {"webhook_endpoints", "idempotency_keys", "audit_entries", "audit_changes"}
    assert {name for name, _ in after - before} <= {f"registration.{name}" for name in own}
