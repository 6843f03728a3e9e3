"""What is sent to try each route on the things of ESN Sassari: bodies and ids that its coordinators would send."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.harness import exchange, reports, sign_ups
from tests.harness.authorisation import OWN, World
from tests.harness.network import DRAFT
from tests.harness.openapi import Operation

_FOR_ALL = {name: told for name, told in sign_ups.wanted("", "Zoe").items() if name != "activity_id"}
_CSV = (
    "external_id,title,areas,causes,starts_at,ends_at,capacity\n"
    "beach,Cleaning the beach,environment,environmental-sustainability,2027-05-08T10:00,2027-05-08T13:00,40\n"
)


@dataclass(frozen=True)
class Attempt:
    """One request; `named` are the names of things in its address, of which `World.ids` knows the ids."""

    named: dict[str, str] = field(default_factory=dict)
    body: Any = None
    query: dict[str, str] = field(default_factory=dict)
    tagged: bool | str = False
    """Whether it changes what was read before, at the same address or at this one."""
    content: str | None = None


def _activity(name: str, **more: Any) -> Attempt:
    return Attempt({"activity_id": name}, **more)


def _filled_in(body: Any, world: World, caller: str) -> Any:
    """A body with ids and secrets in the places of their names, which begin with `@`."""
    if isinstance(body, dict):
        return {name: _filled_in(each, world, caller) for name, each in body.items()}
    if isinstance(body, list):
        return [_filled_in(each, world, caller) for each in body]
    if not isinstance(body, str) or not body.startswith("@"):
        return body
    if body.startswith("@secret"):
        return world.secrets.get(body.replace("@secret", caller), "S3cret-that-nobody-was-ever-mailed")
    return world.ids[body[1:]]


def _hooks(service: str) -> dict[str, Attempt]:
    hooks, one = f"/{service}/v1/webhooks", {"webhook_id": f"{service}_webhook"}
    told = {**one, "delivery_id": f"{service}_delivery"}
    return {
        f"POST {hooks}": Attempt(body={"url": "https://new.example.org/"}),
        f"GET {hooks}/{{webhook_id}}": Attempt(one),
        f"PATCH {hooks}/{{webhook_id}}": Attempt(one, {"description": "Ours"}, tagged=True),
        f"DELETE {hooks}/{{webhook_id}}": Attempt(one, tagged=True),
        f"POST {hooks}/{{webhook_id}}/secret": Attempt(one, {}, tagged=f"{hooks}/{{webhook_id}}"),
        f"GET {hooks}/{{webhook_id}}/deliveries": Attempt(one),
        f"POST {hooks}/{{webhook_id}}/ping": Attempt(one),
        f"POST {hooks}/{{webhook_id}}/deliveries/{{delivery_id}}/replay": Attempt(told),
    }


_A, _R, _I = "/activities/v1", "/registration/v1", "/impact/v1"
_ONE = f"{_A}/activities/{{activity_id}}"
_IDEA = f"{_A}/ideas/{{idea_id}}"
_SHAPES = ("", ".csv", ".sdmx.csv", ".csv-metadata.json", ".parquet", ".jsonstat", ".xlsx")
_CROSSWALK = f"{_A}/taxonomies/crosswalk/{{source}}/{{target}}"
_MAPPED = {"source": "=areas:health", "target": "=sdgs:3"}
_CODE, _COUNTRY = {"code": f"={OWN}"}, {"code": "=IT"}
_DATES = {"code": "=2027-spring", "country": "=IT"}
_SIZE = {**_CODE, "academic_year": "=2024-25"}
_REPORT = f"{_I}/activities/{{activity_id}}/report"
_NOW = sign_ups.in_hours(-3)
_WHY = {"reason": "Because of the weather."}

ATTEMPTS: dict[str, Attempt] = {
    f"POST {_A}/activities": Attempt(body=DRAFT),
    f"GET {_A}/partners/{{partner_id}}": Attempt({"partner_id": "partner"}),
    f"PATCH {_A}/partners/{{partner_id}}": Attempt({"partner_id": "partner"}, {"city": "Alghero"}, tagged=True),
    f"POST {_A}/partners/{{partner_id}}/merge": Attempt({"partner_id": "double"}, {"into": "@partner"}),
    f"POST {_A}/partners": Attempt(
        body={**exchange.PARTNER, "name": "Surf school", "contact_email": "surf@example.org"}
    ),
    f"POST {_A}/partners/enquiries": Attempt(body=exchange.ENQUIRY),
    f"POST {_A}/partners/enquiries/{{enquiry_id}}/answered": Attempt({"enquiry_id": "enquiry"}),
    f"GET {_ONE}": _activity("draft"),
    f"PATCH {_ONE}": _activity("draft", body={"title": "Cleaning the bay"}, tagged=True),
    f"GET {_ONE}/history": _activity("draft"),
    f"GET {_ONE}/hints": _activity("draft"),
    f"GET {_ONE}/review": _activity("submitted"),
    f"GET {_ONE}.ics": _activity("published"),
    f"POST {_ONE}/submit": _activity("draft"),
    f"POST {_ONE}/approve": _activity("submitted", body={}),
    f"POST {_ONE}/return": _activity("submitted", body=_WHY),
    f"POST {_ONE}/publish": _activity("approved"),
    f"POST {_ONE}/cancel": _activity("published", body=_WHY),
    f"PUT {_ONE}/reason": _activity("cancelled", body=_WHY, tagged=_ONE),
    f"POST {_ONE}/withdraw": _activity("submitted"),
    f"POST {_ONE}/discard": _activity("draft"),
    f"POST {_ONE}/complete": _activity("over"),
    f"POST {_ONE}/duplicate": _activity("published"),
    f"POST {_ONE}/occurrences": _activity(
        "draft_series", body={"times": [{"starts_at": "2027-05-15T10:00", "ends_at": "2027-05-15T12:00"}]}
    ),
    f"POST {_A}/activities/bulk": Attempt(body={"items": [{"op": "create", "draft": DRAFT}], "all_or_nothing": True}),
    f"POST {_A}/activities/import": Attempt(content=_CSV),
    f"GET {_A}/sections/{{code}}": Attempt(_CODE),
    f"PATCH {_A}/sections/{{code}}": Attempt(_CODE, {"website": "https://sassari.example.org/"}, tagged=True),
    f"GET {_A}/sections/{{code}}/mailbox": Attempt(_CODE),
    f"PUT {_A}/sections/{{code}}/mailbox": Attempt(_CODE, {"address": "others@sassari.example"}, tagged=True),
    f"GET {_A}/countries/{{country}}/mailbox": Attempt({"country": "=IT"}),
    f"PUT {_A}/countries/{{country}}/mailbox": Attempt(
        {"country": "=IT"}, {"address": "it@italy.example"}, tagged=True
    ),
    f"GET {_A}/countries/{{code}}": Attempt(_COUNTRY),
    f"GET {_A}/countries/{{code}}/organisation": Attempt(_COUNTRY),
    f"PUT {_A}/countries/{{code}}/organisation": Attempt(
        _COUNTRY, {"name": "ESN Italia", "website": "https://italy.example.org/"}, tagged=True
    ),
    f"GET {_A}/countries/{{code}}/organisation/history": Attempt(_COUNTRY),
    f"GET {_A}/countries/{{code}}/platform-memberships": Attempt(_COUNTRY),
    f"PUT {_A}/countries/{{code}}/platform-memberships": Attempt(_COUNTRY, {"memberships": []}, tagged=True),
    f"GET {_A}/platforms/{{code}}": Attempt({"code": "=SWEP"}),
    f"POST {_A}/directory/syncs": Attempt(
        body={"records": [{"code": OWN, "label": "ESN Sassari", "cc": "IT", "state": "active"}]}
    ),
    f"GET {_A}/directory/syncs/{{sync_id}}": Attempt({"sync_id": "sync"}),
    f"POST {_A}/directory/syncs/{{sync_id}}/apply": Attempt({"sync_id": "sync"}),
    f"GET {_CROSSWALK}": Attempt(_MAPPED),
    f"PUT {_CROSSWALK}": Attempt(_MAPPED, {"relation": "closeMatch"}, tagged=True),
    f"DELETE {_CROSSWALK}": Attempt(_MAPPED, tagged=True),
    f"GET {_CROSSWALK}/history": Attempt(_MAPPED),
    f"GET {_A}/taxonomies/{{scheme}}": Attempt({"scheme": "=areas"}),
    f"GET {_A}/concepts/{{scheme}}": Attempt({"scheme": "=areas"}),
    f"GET {_A}/taxonomies/{{scheme}}/terms/{{code}}": Attempt({"scheme": "=areas", "code": "=health"}),
    f"PATCH {_A}/taxonomies/{{scheme}}/terms/{{code}}": Attempt(
        {"scheme": "=areas", "code": "=health"}, {"names": {"en": "Health and sport"}}, tagged=True
    ),
    f"POST {_A}/taxonomies/{{scheme}}/terms": Attempt(
        {"scheme": "=areas"}, {"code": "gardens", "names": {"en": "Gardens"}}
    ),
    f"GET {_A}/series/{{code}}": Attempt({"code": "=social-impact-days"}),
    f"GET {_A}/editions/{{code}}": Attempt({"code": "=2027-spring"}),
    f"POST {_A}/editions": Attempt(
        body={
            "series": "social-impact-days",
            "season": "autumn",
            "year": 2027,
            "starts_on": "2027-11-08",
            "ends_on": "2027-11-21",
        }
    ),
    f"PATCH {_A}/editions/{{code}}": Attempt({"code": "=2027-spring"}, {"theme": "Water"}, tagged=True),
    f"GET {_A}/editions/{{code}}/national-dates/{{country}}": Attempt(_DATES),
    f"PUT {_A}/editions/{{code}}/national-dates/{{country}}": Attempt(
        _DATES, {"starts_on": "2027-05-11", "ends_on": "2027-05-20"}, tagged=True
    ),
    f"DELETE {_A}/editions/{{code}}/national-dates/{{country}}": Attempt(_DATES, tagged=True),
    f"POST {_A}/ideas": Attempt(body={**exchange.IDEA, "activity_id": "@idea_of"}),
    f"GET {_IDEA}": Attempt({"idea_id": "idea"}),
    f"PATCH {_IDEA}": Attempt({"idea_id": "idea"}, {"title": "Dinner for the ears"}, tagged=True),
    f"POST {_IDEA}/withdraw": Attempt({"idea_id": "idea"}),
    f"POST {_IDEA}/offer": Attempt({"idea_id": "taken_back"}),
    f"PUT {_IDEA}/endorsement": Attempt({"idea_id": "idea"}, {}),
    f"DELETE {_IDEA}/endorsement": Attempt({"idea_id": "idea"}),
    f"POST {_IDEA}/adapt": Attempt(
        {"idea_id": "idea"},
        {"section": OWN, "starts_at": "2027-05-15T10:00", "ends_at": "2027-05-15T12:00"},
    ),
    f"POST {_A}/keys": Attempt(body={"kind": "secret", "name": "App", "scopes": ["activities:read"], "section": OWN}),
    f"GET {_A}/keys/{{key_id}}": Attempt({"key_id": "key"}),
    f"POST {_A}/keys/{{key_id}}/rotate": Attempt({"key_id": "key"}, {}, tagged=f"{_A}/keys/{{key_id}}"),
    f"POST {_A}/keys/{{key_id}}/revoke": Attempt({"key_id": "key"}),
    f"GET {_A}/label/policies/{{country}}": Attempt({"country": "=IT"}),
    f"PUT {_A}/label/policies/{{country}}": Attempt({"country": "=IT"}, {"policy": "recorded"}, tagged=True),
    f"GET {_R}/certificates/{{number}}.pdf": Attempt({"number": "certificate"}),
    f"GET {_R}/certificates/{{number}}": Attempt({"number": "certificate"}),
    f"POST {_R}/certificates/{{number}}/name-check": Attempt({"number": "certificate"}, {"name": "Ada Lovelace"}),
    f"POST {_R}/certificates/{{number}}/revoke": Attempt({"number": "certificate"}, _WHY),
    f"POST {_R}/me/certificates": Attempt(body={}),
    f"POST {_R}/me/links": Attempt(body={"email": "ada@students.example"}),
    f"POST {_R}/me/consents/{{purpose}}/withdraw": Attempt({"purpose": "=participation"}),
    f"GET {_R}/consents/{{purpose}}": Attempt({"purpose": "=participation"}),
    f"POST {_R}/registrations": Attempt(body=sign_ups.wanted("@published", "Zoe")),
    f"POST {_R}/series/{{series_id}}/registrations": Attempt({"series_id": "series"}, _FOR_ALL),
    f"GET {_R}/series/{{series_id}}/availability": Attempt({"series_id": "series"}),
    f"POST {_R}/registrations/{{registration_id}}/confirm": Attempt(
        {"registration_id": "held"}, {"token": "@secret:confirm"}
    ),
    f"POST {_R}/registrations/{{registration_id}}/cancel": Attempt({"registration_id": "placed"}, {"token": "@secret"}),
    f"PUT {_R}/registrations/{{registration_id}}/details": Attempt(
        {"registration_id": "placed"},
        {"token": "@secret", "given_name": "Ada", "family_name": "King", "language": "en", "answers": {}},
    ),
    f"POST {_R}/registrations/{{registration_id}}/approve": Attempt({"registration_id": "applied"}),
    f"POST {_R}/registrations/{{registration_id}}/decline": Attempt({"registration_id": "applied"}),
    f"GET {_R}/activities/{{activity_id}}/availability": _activity("published"),
    f"GET {_R}/availability": Attempt(query={"activity": "published"}),
    f"POST {_R}/mail/bounces": Attempt(body={"message_id": "@mail", "status": "5.1.1"}),
    f"GET {_R}/activities/{{activity_id}}/terms": _activity("published"),
    f"PUT {_R}/activities/{{activity_id}}/terms": _activity("published", body={"guests_at_most": 1}, tagged=True),
    f"GET {_R}/activities/{{activity_id}}/registrations": _activity("published"),
    f"GET {_R}/activities/{{activity_id}}/attendance": _activity("over"),
    f"POST {_R}/activities/{{activity_id}}/check-ins": _activity(
        "over", body={"registration_id": "@attended", "at": _NOW, "nonce": "device-1-1"}
    ),
    f"GET {_R}/activities/{{activity_id}}/walk-ins": _activity("over"),
    f"POST {_R}/activities/{{activity_id}}/walk-ins": _activity(
        "over", body={"participant_class": "local", "at": _NOW, "nonce": "device-1-2"}
    ),
    f"POST {_R}/activities/{{activity_id}}/no-shows": _activity("over", body={}),
    f"POST {_R}/activities/{{activity_id}}/check-in-passes": _activity("published", body={}),
    f"GET {_R}/activities/{{activity_id}}/check-in-passes": _activity("published"),
    f"DELETE {_R}/activities/{{activity_id}}/check-in-passes/{{pass_id}}": Attempt(
        {"activity_id": "published", "pass_id": "pass"}
    ),
    f"GET {_R}/activities/{{activity_id}}/door": _activity("over"),
    f"GET {_R}/activities/{{activity_id}}/door/people": _activity("over"),
    f"POST {_R}/activities/{{activity_id}}/door/check-ins": _activity(
        "over", body={"registration_id": "@attended", "at": _NOW, "nonce": "device-2-1"}
    ),
    f"POST {_R}/activities/{{activity_id}}/door/walk-ins": _activity(
        "over", body={"participant_class": "local", "at": _NOW, "nonce": "device-2-2"}
    ),
    f"GET {_R}/attendances/{{attendance_id}}": Attempt({"attendance_id": "attended"}),
    f"PUT {_R}/attendances/{{attendance_id}}": Attempt(
        {"attendance_id": "attended"}, {"present": True, "hours": 2, "reason": "Left early."}, tagged=True
    ),
    f"GET {_R}/attendances/{{attendance_id}}/history": Attempt({"attendance_id": "attended"}),
    f"GET {_REPORT}": _activity("drafted"),
    f"PUT {_REPORT}": _activity("drafted", body=reports.HELD, tagged=True),
    f"GET {_REPORT}/draft": _activity("unreported"),
    f"POST {_REPORT}/submit": _activity("drafted"),
    f"POST {_REPORT}/verify": _activity("reported"),
    f"POST {_REPORT}/return": _activity("reported", body=_WHY),
    f"POST {_I}/exports": Attempt(body={"dataset": "facts", "shape": "csv"}),
    f"GET {_I}/exports/{{export_id}}": Attempt({"export_id": "export"}),
    **{f"GET {_I}/tables/{{code}}{shape}": Attempt({"code": "=mobility-by-cause"}) for shape in _SHAPES},
    **{f"GET {_I}/rankings{shape}": Attempt(query={"academic_year": "2024/25"}) for shape in _SHAPES},
    f"GET {_I}/sections/{{code}}/sizes": Attempt(_CODE),
    f"GET {_I}/sections/{{code}}/sizes/{{academic_year}}": Attempt(_SIZE),
    f"PUT {_I}/sections/{{code}}/sizes/{{academic_year}}": Attempt(_SIZE, {"international_students": 80}, tagged=True),
    f"DELETE {_I}/sections/{{code}}/sizes/{{academic_year}}": Attempt(_SIZE, tagged=True),
    f"GET {_I}/sections/{{code}}/rankings": Attempt(_CODE),
    f"PUT {_I}/sections/{{code}}/rankings": Attempt(_CODE),
    f"DELETE {_I}/sections/{{code}}/rankings": Attempt(_CODE),
    **_hooks("activities"),
    **_hooks("registration"),
    **_hooks("impact"),
    **{
        f"GET /{service}/v1/audit/{{entry_id}}/changes": Attempt({"entry_id": f"{service}_entry"})
        for service in ("activities", "registration", "impact")
    },
}
"""By route; what is not here needs nothing but its address."""


def route_of(operation: Operation) -> str:
    """The name of a route, as the table of who may do what has it."""
    return f"{operation.method.upper()} /{operation.service}{operation.path}"


# What is of one object and not of another: columns of what was changed, the next page of a list.
_OF_ONE_OBJECT = frozenset({"before", "after", "next"})


def _fields(told: Any, path: str = "") -> Iterator[str]:
    """The fields of a reply that say something."""
    if isinstance(told, dict):
        for name, each in told.items():
            if name not in _OF_ONE_OBJECT:
                yield from _fields(each, f"{path}.{name}".lstrip("."))
    elif isinstance(told, list):
        for each in told:
            yield from _fields(each, path)
    elif told is not None:
        yield path


class Trier:
    """Sends attempts as anybody."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tags: dict[str, str] = {}
        self._shown: dict[str, frozenset[str]] = {}

    async def read_tag(self, operation: Operation) -> str | None:
        """The ETag of what a route changes, if it is to be read before; it is read once."""
        attempt = ATTEMPTS.get(route_of(operation), Attempt())
        if not attempt.tagged:
            return None
        read = f"/{operation.service}{operation.path}" if attempt.tagged is True else attempt.tagged
        return await self._tag(self._filled(read, attempt))

    async def send(self, operation: Operation, caller: str) -> httpx.Response:
        """Try a route as somebody."""
        world, attempt = self._world, ATTEMPTS.get(route_of(operation), Attempt())
        told = {**world.network.key(), **world.headers[caller]}
        address = self._filled(f"/{operation.service}{operation.path}", attempt)
        if (tag := await self.read_tag(operation)) is not None:
            told["If-Match"] = tag
        body = _filled_in(attempt.body, world, caller)
        if attempt.content is not None:
            told["Content-Type"] = "text/csv"
        query = {name: world.ids.get(each, each) for name, each in attempt.query.items()}
        return await world.network.client.request(
            operation.method, address, params=query, headers=told, json=body, content=attempt.content
        )

    async def outcome(self, operation: Operation, caller: str) -> str:
        """What comes of it, as the table has it."""
        reply = await self.send(operation, caller)
        is_json = "json" in reply.headers.get("content-type", "")
        # What is one's own differs with whoever asks.
        if reply.is_success and operation.method == "get" and is_json and not operation.path.startswith("/v1/me"):
            self._note(caller, reply.json())
        return "2xx" if reply.is_success else str(reply.status_code)

    def fields_apart(self) -> dict[str, str]:
        """The fields of what was read that not everybody was shown who may read it, and who was."""
        if not self._shown:
            return {}
        apart = frozenset().union(*self._shown.values()) - frozenset.intersection(*self._shown.values())
        return {
            field: " ".join(caller for caller, shown in self._shown.items() if field in shown)
            for field in sorted(apart)
        }

    def _note(self, caller: str, told: Any) -> None:
        # Who is shown no objects says nothing of their fields.
        if not isinstance(told, dict) or told.get("items", True):
            self._shown[caller] = frozenset(_fields(told))

    def _filled(self, address: str, attempt: Attempt) -> str:
        for name, thing in attempt.named.items():
            known = thing[1:] if thing.startswith("=") else self._world.ids[thing]
            address = address.replace(f"{{{name}}}", known)
        assert "{" not in address, address
        return address

    async def _tag(self, address: str) -> str:
        if address not in self._tags:
            reply = await self._world.network.client.get(address, headers=self._world.headers["international"])
            assert reply.status_code == 200, (address, reply.text)
            self._tags[address] = reply.headers["etag"]
        return self._tags[address]
