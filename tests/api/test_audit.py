"""The audit: who did what to which object, from where, what it changed, and who is shown it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from typer.testing import CliRunner

from services import __main__ as commands
from services.kernel import runtime
from services.kernel.audit.noting import NOT_TOLD, about
from services.kernel.auth import IDENTIFIES
from services.kernel.routes import StrictRoute
from services.registry import SERVICES
from tests.harness import sign_ups
from tests.harness.databases import value
from tests.harness.network import DRAFT, Network
from tests.harness.refusals import MARKER, refused

LIST = "/activities/v1/activities"
WRITING = {"POST", "PUT", "PATCH", "DELETE"}
# What students do by links, by forms, or with nothing but a number of their own; and enquiries of strangers.
BY_NOBODY_WHO_CAN_BE_NAMED = {
    "cancel_registration", "change_details", "check_name", "confirm_registration", "forget_me", "get_certified",
    "send_my_link", "withdraw_consent",
}  # fmt: skip
ROUTES = [
    (service.name, route)
    for service in SERVICES.values()
    for router in service.routers
    for route in router.routes
    if isinstance(route, StrictRoute) and WRITING & (route.methods or set()) and route.include_in_schema
]


async def audit(network: Network, headers: dict[str, str], service: str = "activities", **filters: Any) -> Any:
    """The items of the first page."""
    reply = await network.client.get(f"/{service}/v1/audit", headers=headers, params=filters)
    assert reply.status_code == 200, reply.text
    assert reply.headers["cache-control"] == "private, no-store"
    return reply.json()["items"]


async def _tag(network: Network, activity: dict[str, Any], headers: dict[str, str]) -> str:
    reply = await network.client.get(f"{LIST}/{activity['id']}", headers=headers)
    return str(reply.headers["etag"])


def _depends(dependant: Dependant, call: Any) -> bool:
    return any(each.call is call or _depends(each, call) for each in dependant.dependencies)


def test_every_route_on_which_somebody_acts_is_audited_in_its_transaction() -> None:
    acting = [route for _, route in ROUTES if _depends(route.dependant, IDENTIFIES)]
    assert len(acting) > 70
    for route in acting:
        ways = (runtime._writing, runtime._writing_for_actors)
        assert any(_depends(route.dependant, way) for way in ways), route.path
    assert {route.name for _, route in ROUTES if route not in acting} == BY_NOBODY_WHO_CAN_BE_NAMED


def test_what_is_told_of_an_address_leads_to_nobody() -> None:
    named = {
        segment.strip("{}")
        for _, route in ROUTES
        if _depends(route.dependant, IDENTIFIES)
        for segment in route.path.split("/")
        if segment.startswith("{")
    }
    ids = {name for name in named if name.endswith("_id")}
    assert named - ids == {"academic_year", "code", "country", "scheme", "source", "target"} | NOT_TOLD
    told = about("/v1/certificates/{number}/revoke", {"number": MARKER}, method="POST", location=None)
    assert told == "certificates"


async def test_who_did_what_to_what_from_where_with_before_and_after(network: Network) -> None:
    local, national = await network.local(), await network.national()
    drafted = await network.drafted(title=f"{MARKER} beach")
    address, trace = f"{LIST}/{drafted['id']}", "c" * 32
    etag = await _tag(network, drafted, local)
    reply = await network.client.patch(
        address,
        headers={**local, "If-Match": etag, "traceparent": f"00-{trace}-{'1' * 16}-01"},
        json={"capacity": 12, "title": f"{MARKER} bay"},
    )
    assert reply.status_code == 200, reply.text
    for verb, who in (("submit", local), ("approve", national)):
        assert (await network.client.post(f"{address}/{verb}", headers=who)).status_code == 200
    entries = await audit(network, await network.token("operator"), object=f"activities/{drafted['id']}")
    assert [entry["verb"] for entry in entries] == [
        "approve_activity", "submit_activity", "revise_activity", "draft_activity"
    ]  # fmt: skip
    approved, _, revised, made = entries
    assert approved["actor"] | {"id": None} == {
        "id": None, "role": "national_coordinator", "section": None, "country": "IT", "by_key": False
    }  # fmt: skip
    assert revised["actor"]["section"] == "IT-SASS-ESN"
    assert (revised["sections"], revised["country"], revised["status"]) == (["IT-SASS-ESN"], "IT", 200)
    assert (revised["trace_id"], revised["client_network"]) == (trace, "127.0.0.0/24")
    change = next(each for each in revised["changes"] if each["kind"] == "activities")
    assert (change["key"], change["act"]) == (drafted["id"], "update")
    assert (change["before"], change["after"]) == ({"capacity": 40}, {"capacity": 12})
    assert change["named"] == ["title"]
    assert (made["changes"][0]["act"], made["changes"][0]["before"]) == ("insert", None)
    assert made["changes"][0]["after"]["state"] == "draft"
    assert next(each for each in approved["changes"] if each["kind"] == "activities")["after"]["label_state"] == "given"
    assert MARKER not in str(entries), "texts may speak of people"


async def test_an_act_is_shown_to_whoever_reaches_all_that_it_was_about(network: Network) -> None:
    milan = await network.local("IT-MILA-STA")
    ours = await network.drafted()
    theirs = (
        await network.client.post(
            LIST,
            json={**DRAFT, "organisers": [{"code": "IT-MILA-STA", "lead": True}]},
            headers={**milan, **network.key()},
        )
    ).json()
    national = await network.national()
    items = [
        {"op": "revise", "id": each["id"], "if_match": await _tag(network, each, national), "changes": {"capacity": 9}}
        for each in (ours, theirs)
    ]
    reply = await network.client.post(f"{LIST}/bulk", json={"items": items}, headers={**national, **network.key()})
    assert reply.status_code == 200, reply.text
    seen = {
        name: [(entry["verb"], entry["sections"]) for entry in await audit(network, headers)]
        for name, headers in {
            "sassari": await network.local(),
            "milan": milan,
            "warsaw": await network.local("PL-WARS-UKS"),
            "italy": national,
            "poland": await network.national("PL"),
            "international": await network.token("international"),
        }.items()
    }
    of_sassari, of_milan = ("draft_activity", ["IT-SASS-ESN"]), ("draft_activity", ["IT-MILA-STA"])
    assert seen["sassari"] == [of_sassari]
    assert seen["milan"] == [of_milan]
    assert seen["italy"] == seen["international"] == [("change_many", []), of_milan, of_sassari]
    assert seen["warsaw"] == seen["poland"] == []


async def test_networks_are_for_those_who_look_after_all(network: Network) -> None:
    await network.drafted()
    for headers, told in ((await network.local(), None), (await network.token("international"), "127.0.0.0/24")):
        entries = await audit(network, headers)
        assert [entry["client_network"] for entry in entries] == [told]


async def test_a_key_acts_in_the_audit_and_does_not_read_it(network: Network) -> None:
    local = await network.local()
    scopes = ["activities:read", "activities:write"]
    wanted = {"kind": "secret", "name": MARKER, "scopes": scopes, "section": "IT-SASS-ESN"}
    key = (await network.client.post("/activities/v1/keys", json=wanted, headers=local)).json()
    by_key = {"Authorization": f"Bearer {key['key']}"}
    reply = await network.client.post(LIST, json=DRAFT, headers={**by_key, **network.key()})
    assert reply.status_code == 201
    await network.client.post(f"/activities/v1/keys/{key['id']}/revoke", headers=local)
    revoked, drafted, made = await audit(network, local)
    assert (drafted["actor"]["id"], drafted["actor"]["by_key"]) == (key["id"], True)
    assert (made["object"], made["changes"][0]["kind"]) == (f"keys/{key['id']}", "keys")
    assert made["changes"][0]["after"]["scopes"] == scopes
    assert made["changes"][0]["named"] == ["name", "key_hash"]
    assert (revoked["verb"], set(revoked["changes"][0]["after"])) == ("revoke_key", {"revoked_at", "revision"})
    assert MARKER not in str([made, revoked])
    assert key["key"] not in str([made, revoked])


@pytest.mark.parametrize("service", sorted(SERVICES))
async def test_machines_and_keys_and_strangers_read_no_audit(shared: Network, service: str) -> None:
    address = f"/{service}/v1/audit"
    await refused(shared, "GET", address, status=403, headers=await shared.token("machine"))
    await refused(shared, "GET", address, status=401)
    wanted = {"kind": "secret", "name": "Ours", "scopes": [f"{service}:read"], "section": "IT-SASS-ESN"}
    key = (await shared.client.post("/activities/v1/keys", json=wanted, headers=await shared.local())).json()
    await refused(shared, "GET", address, status=403, headers={"Authorization": f"Bearer {key['key']}"})


@pytest.mark.parametrize("service", sorted(SERVICES))
async def test_webhooks_are_audited_without_where_they_lead_to(shared: Network, service: str) -> None:
    national, address = await shared.national("PT"), f"/{service}/v1/webhooks"
    made = await shared.client.post(
        address, json={"url": f"https://hooks.example/{MARKER}"}, headers={**national, **shared.key()}
    )
    assert made.status_code == 201, made.text
    hook, tag = f"{address}/{made.json()['id']}", made.headers["etag"]
    secret = await shared.client.post(f"{hook}/secret", json={}, headers={**national, "If-Match": tag})
    assert secret.status_code == 200, secret.text
    gone = await shared.client.delete(hook, headers={**national, "If-Match": secret.headers["etag"]})
    assert gone.status_code == 204
    entries = await audit(shared, national, service, object=f"webhooks/{made.json()['id']}")
    assert [entry["verb"] for entry in entries] == ["remove_webhook", "make_webhook_secret", "add_webhook"]
    assert [entry["changes"][0]["act"] for entry in entries] == ["delete", "update", "insert"]
    assert "salt" in entries[1]["changes"][0]["named"]
    assert MARKER not in str(entries)
    assert secret.json()["secret"] not in str(entries)


async def test_what_students_do_is_nobodys_entry_and_what_is_decided_of_them_names_no_person(network: Network) -> None:
    activity = await network.published(capacity=1)
    local = await network.local()
    terms = f"/registration/v1/activities/{activity['id']}/terms"
    tag = (await network.client.get(terms, headers=local)).headers["etag"]
    await network.client.put(terms, json={"choosing": "approval"}, headers={**local, "If-Match": tag})
    before = await value(network.database_url, "SELECT count(*) FROM registration.audit_entries")
    signed = await network.client.post(
        "/registration/v1/registrations",
        json=sign_ups.wanted(activity["id"], name=MARKER),
        # What is no token of ours is refused before anything is written, and a link's secret is no actor.
        headers=network.key(),
    )
    assert signed.status_code == 201, signed.text
    assert await value(network.database_url, "SELECT count(*) FROM registration.audit_entries") == before
    registration = signed.json()["id"]
    decided = await network.client.post(f"/registration/v1/registrations/{registration}/decline", headers=local)
    assert decided.status_code in {200, 409}, decided.text
    entries = await audit(network, local, "registration")
    assert entries[-1]["verb"] == "set_terms"
    assert entries[-1]["changes"][0]["after"]["choosing"] == "approval"
    if decided.status_code == 200:
        # Who knows the number of a registration finds what was done with it; nobody learns it here.
        asked = await audit(network, local, "registration", object=f"registrations/{registration}")
        assert [(each["id"], each["sections"]) for each in asked] == [(entries[0]["id"], ["IT-SASS-ESN"])]
    assert registration not in str(entries)
    assert MARKER.lower() not in str(entries).lower()


async def test_what_is_refused_or_answered_again_leaves_no_entry(network: Network) -> None:
    headers = {**await network.local(), **network.key()}
    first = await network.client.post(LIST, json=DRAFT, headers=headers)
    again = await network.client.post(LIST, json=DRAFT, headers=headers)
    assert (first.json()["id"], again.headers["idempotency-replayed"]) == (again.json()["id"], "true")
    others = await network.local("PL-WARS-UKS")
    await refused(network, "POST", f"{LIST}/{first.json()['id']}/submit", status=403, headers=others)
    await refused(network, "POST", LIST, status=422, json={"title": MARKER}, headers={**others, **network.key()})
    assert len(await audit(network, await network.token("operator"))) == 1


async def test_acts_are_found_and_paged(network: Network) -> None:
    local, operator = await network.local(), await network.token("operator")
    drafts = [await network.drafted() for _ in range(3)]
    await network.client.post(f"{LIST}/{drafts[0]['id']}/submit", headers=local)
    everything = await audit(network, operator)
    assert [entry["id"] for entry in await audit(network, operator, verb="submit_activity")] == [everything[0]["id"]]
    assert [entry["id"] for entry in await audit(network, operator, actor_id=everything[1]["actor"]["id"])] == [
        everything[1]["id"]
    ]
    assert len(await audit(network, operator, object="activities")) == 4
    middle = everything[2]["at"]
    since, until = await audit(network, operator, since=middle), await audit(network, operator, until=middle)
    assert [entry["id"] for entry in [*since, *until]] == [entry["id"] for entry in everything]
    page, found = "/activities/v1/audit?limit=3&object=activities", []
    while page:
        told = (await network.client.get(page, headers=operator)).json()
        found += [entry["id"] for entry in told["items"]]
        page = told["next"] and told["next"].removeprefix(network.settings.base_url)
    assert found == [entry["id"] for entry in everything]


async def test_all_that_an_act_changed_can_be_read(network: Network) -> None:
    local = await network.local()
    series = await network.drafted()
    starts = [f"2027-06-{day:02d}T10:00" for day in range(1, 26)]
    reply = await network.client.post(
        f"{LIST}/{series['id']}/occurrences",
        json={"times": [{"starts_at": each, "ends_at": each.replace("T10", "T12")} for each in starts]},
        headers={**local, **network.key()},
    )
    assert reply.status_code == 201, reply.text
    entry = (await audit(network, local))[0]
    assert (entry["object"], len(entry["changes"]), entry["has_more_changes"]) == (
        f"activities/{series['id']}", 20, True
    )  # fmt: skip
    found, page = [], f"/activities/v1/audit/{entry['id']}/changes?limit=10"
    while page:
        told = (await network.client.get(page, headers=local)).json()
        found += told["items"]
        page = told["next"] and told["next"].removeprefix(network.settings.base_url)
    assert found[:20] == entry["changes"]
    assert {change["key"] for change in found} >= {series["id"]}
    assert len({change["key"] for change in found}) == 26
    others = await network.local("PL-WARS-UKS")
    await refused(network, "GET", f"/activities/v1/audit/{entry['id']}/changes", status=404, headers=others)


@pytest.mark.parametrize(
    ("filters", "pointer"),
    [
        (f"object={MARKER}%25", "query/object"),
        (f"object=/{MARKER}", "query/object"),
        (f"actor_id={MARKER}", "query/actor_id"),
        (f"verb={MARKER}!", "query/verb"),
        (f"since={MARKER}", "query/since"),
        ("since=2027-01-01T00:00:00Z&until=2027-01-01T00:00:00Z", "query/until"),
        (f"cursor={MARKER}", "query/cursor"),
        ("limit=201", "query/limit"),
    ],
)
async def test_a_filter_that_cannot_be_is_refused(shared: Network, filters: str, pointer: str) -> None:
    headers = await shared.token("operator")
    await refused(shared, "GET", f"/impact/v1/audit?{filters}", status=422, pointers=[pointer], headers=headers)


async def test_what_operators_run_is_audited(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", network.database_url)
    monkeypatch.setenv("SOCIALERASMUS_SECRET", network.settings.secret.get_secret_value())
    command = ["token", "--role", "local_coordinator", "--section", "IT-SASS-ESN", "--days", "3"]
    made = await asyncio.to_thread(CliRunner().invoke, commands.app, command)
    assert made.exit_code == 0, made.output
    entry = (await audit(network, await network.token("operator")))[0]
    assert (entry["actor"]["role"], entry["actor"]["id"], entry["verb"]) == ("command", None, "token")
    assert entry["details"] == {"role": "local_coordinator", "section": "IT-SASS-ESN", "country": None, "days": 3}
    assert entry["changes"][0]["kind"] == "tokens"
    assert made.output.strip() not in str(entry)
    assert await audit(network, await network.local()) == []
