"""Bad bodies: each is a problem document that names the place, echoes nothing, and leaves nothing behind."""

from __future__ import annotations

import copy
import json
import unicodedata
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.harness.network import DRAFT, Network
from tests.harness.refusals import MARKER, refused

ADDRESS = "/activities/v1/activities"
JSON = {"Content-Type": "application/json"}
FULL: dict[str, Any] = {
    **DRAFT,
    "place": {
        "name": "Porto Ferro",
        "address": "Strada",
        "city": "Sassari",
        "country": "IT",
        "latitude": 1,
        "longitude": 2,
    },
    "sdgs": [14],
    "online_url": "https://esn.example",
    "sign_up": {"opens_at": "2027-04-01T10:00", "closes_at": "2027-05-07T10:00"},
    "requirements": {"languages": ["en"], "minimum_age": 18, "notes": "Shoes"},
    "cost": {"amount": "1.50", "currency": "EUR"},
    "partners": [{"name": "Surf school"}],
    "image": {"url": "https://esn.example/a.png", "alternative_text": "A beach"},
    "contact": {"email": "section@esn.org", "url": "https://esn.example", "phone": "+39 079 123456"},
    "translations": {"it": {"title": "Spiaggia", "summary": "Puliamo", "requirements_notes": "Scarpe"}},
}
NUMBERS = ["capacity", "sdgs/0", "place/latitude", "place/longitude", "requirements/minimum_age", "cost/amount"]
NUMBERS.append("pupils_expected")
TEXTS = [
    *("title", "summary", "language", "kind", "programme", "mode", "edition", "areas/0", "causes/0/code"),
    *("organisers/0/code", "starts_at", "ends_at", "time_zone", "place/name", "place/address", "place/city"),
    *("place/country", "online_url", "sign_up/opens_at", "sign_up/closes_at", "requirements/languages/0"),
    *("requirements/notes", "cost/amount", "cost/currency", "partners/0/name", "image/url", "image/alternative_text"),
    *("accessibility/0", "audience/0", "requirements/resident_in", "requirements/documents/0", "requirements/bring/0"),
    *("contact/email", "contact/url", "contact/phone", "translations/it/title", "translations/it/summary"),
    "translations/it/requirements_notes",
]
FLAGS = ["takes_sign_ups", "organisers/0/lead", "causes/0/main"]


def marked(place: str, *, alone: bool) -> dict[str, Any]:
    """A full draft, or `alone` the one field of it, with a mark at `place`."""
    body = copy.deepcopy(FULL)
    *path, last = place.split("/")
    target: Any = body
    for step in path:
        target = target.setdefault(step, [{}]) if isinstance(target, dict) else target[int(step)]
    if isinstance(target, list) or last.isdigit():
        target[int(last) :] = ["@@"]
    else:
        target[last] = "@@"
    top = place.partition("/")[0]
    return {top: body[top]} if alone else body


class Sender:
    """Sends a description of an activity by POST or by PATCH, so that both are held to the same."""

    def __init__(self, network: Network, method: str, address: str, headers: dict[str, str]) -> None:
        self.network, self.method, self.address, self.headers = network, method, address, headers

    async def refused(
        self, place: str, raw: str, *, status: int = 422, pointer: str | None = None, hidden: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """Send a full description with `raw` at `place`."""
        text = json.dumps(marked(place, alone=self.method == "PATCH")).replace('"@@"', raw)
        return await self.send(text, status=status, pointer=pointer or f"#/{place}", hidden=hidden)

    async def send(
        self, content: Any, *, status: int, pointer: str | None, hidden: tuple[str, ...] = (), **more: str
    ) -> dict[str, Any]:
        """Send any content."""
        headers = {**JSON, **self.headers, **self.network.key(), **more}
        pointers = None if pointer is None else [pointer]
        return await refused(
            self.network, self.method, self.address, status=status, pointers=pointers, hidden=(MARKER, *hidden),
            headers=headers, content=content,
        )  # fmt: skip


@pytest.fixture(scope="module")
async def local(shared: Network) -> dict[str, str]:
    return await shared.local()


@pytest.fixture(scope="module", params=["POST", "PATCH"])
async def sender(request: pytest.FixtureRequest, shared: Network, local: dict[str, str]) -> AsyncIterator[Sender]:
    if request.param == "POST":
        yield Sender(shared, "POST", ADDRESS, local)
    else:
        drafted = await shared.drafted(accessibility=["step-free"])
        address = f"{ADDRESS}/{drafted['id']}"
        etag = (await shared.client.get(address, headers=local)).headers["etag"]
        yield Sender(shared, "PATCH", address, {**local, "If-Match": etag})


@pytest.mark.parametrize(
    ("place", "raw"),
    [
        (place, raw)
        for place in NUMBERS
        for raw in ("1e400", "-1e400", '"7"', "true", "-9223372036854775809", "9223372036854775808", "9" * 30)
        if (place, raw) != ("cost/amount", '"7"')  # Amounts of money travel as text.
    ],
)
async def test_a_number_is_neither_text_nor_truth_nor_out_of_range(sender: Sender, place: str, raw: str) -> None:
    await sender.refused(place, raw)


@pytest.mark.parametrize("raw", ["NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize("place", NUMBERS)
async def test_nan_and_infinity_are_not_json(sender: Sender, place: str, raw: str) -> None:
    await sender.refused(place, raw, status=400, pointer="#")


@pytest.mark.parametrize("raw", ["-1", "7.5", "1000001", '""', "[]", "{}"])
async def test_a_capacity_is_a_whole_number_from_zero(sender: Sender, raw: str) -> None:
    await sender.refused("capacity", raw)


@pytest.mark.parametrize("raw", ['"yes"', "1", "0", '"true"', "null"])
@pytest.mark.parametrize("place", FLAGS)
async def test_a_flag_is_true_or_false(sender: Sender, place: str, raw: str) -> None:
    await sender.refused(place, raw)


@pytest.mark.parametrize("raw", [rf'"{MARKER}\u0000"', rf'"\ud800{MARKER}"', rf'"{MARKER}\udc00x"'], ids=ascii)
@pytest.mark.parametrize("place", TEXTS)
async def test_no_text_holds_nul_or_half_a_character(sender: Sender, place: str, raw: str) -> None:
    await sender.refused(place, raw)


@pytest.mark.parametrize(
    "raw", [r"a\nb", r"a\u0007b", r"a\u001b[31mb", r"a\u2028b", r"a\u0085b", r"a\rb", "", "  "], ids=ascii
)
@pytest.mark.parametrize("place", ["title", "place/name", "partners/0/name"])
async def test_a_name_is_one_line(sender: Sender, place: str, raw: str) -> None:
    await sender.refused(place, f'"{raw}"')


@pytest.mark.parametrize(
    ("place", "raw"),
    [
        ("title", json.dumps(MARKER * 40)),
        ("organisers/0/code", f'"{MARKER}"'),
        ("edition", f'"{MARKER}"'),
        ("areas/0", f'"{MARKER}"'),
        ("causes/0/code", f'"{MARKER}"'),
        ("time_zone", f'"Europe/{MARKER}"'),
        ("time_zone", '"../../etc/passwd"'),
        ("online_url", f'"javascript:alert({MARKER})"'),
        ("image/url", f'"file:///{MARKER}"'),
        ("language", f'"english-{MARKER}-{MARKER}"'),
        ("cost/currency", '"euro"'),
        ("cost/currency", '"ZZZ"'),
        *(("time_zone", f'"{name}"') for name in ("localtime", "Factory", "posixrules", "EST5EDT", "Etc/GMT+3", "GMT")),
        ("cost/amount", '"-0.01"'),
        ("cost/amount", '"0.001"'),
        ("place/latitude", "90.1"),
        ("sdgs/0", "18"),
    ],
)
async def test_what_is_not_in_its_list_or_form_is_named(sender: Sender, place: str, raw: str) -> None:
    await sender.refused(place, raw, hidden=(raw.strip('"'),) if len(raw) > 7 else ())


async def test_a_section_that_the_directory_does_not_know_is_named(sender: Sender) -> None:
    document = await sender.refused("organisers/0/code", '"XX-NONE-ZQ7"', hidden=("XX-NONE-ZQ7",))
    assert "no section" in document["errors"][0]["detail"]


async def test_an_end_before_its_start_is_refused(sender: Sender) -> None:
    await sender.refused("ends_at", '"2027-05-08T09:59"', hidden=("2027-05-08T09:59",))


async def test_a_sign_up_that_closes_before_it_opens_is_refused(sender: Sender) -> None:
    await sender.refused("sign_up/closes_at", '"2027-03-31T10:00"')


@pytest.mark.parametrize("place", ["starts_at", "ends_at", "sign_up/opens_at", "sign_up/closes_at"])
@pytest.mark.parametrize(
    ("wall_clock", "words"),
    [
        ("2027-03-28T02:30", "skip this time"),
        ("2027-03-28T02:30:00+01:00", "skip this time"),
        ("2027-10-31T02:30", "twice"),
        ("2027-10-31T02:30+03:00", "do not have this offset"),
        ("2027-05-08T10:00+05:00", "do not have this offset"),
        ("2027-05-08T10:00+14:00", "do not have this offset"),
        ("0001-01-01T00:00", "between 1900 and 2200"),
        ("9999-12-31T23:59:59", "between 1900 and 2200"),
        ("0001-01-01T00:00+14:00", "between 1900 and 2200"),
        ("9999-12-31T23:59:59-14:00", "between 1900 and 2200"),
        ("2027-05-08T24:00", None),
        ("2027-05-08T23:59:60", None),
        ("2027-02-30T10:00", None),
        ("2027-05-08", "date and time"),
        ("1809856800", "date and time"),
        ("٢٠٢٧-٠٥-٠٨T10:00", None),
    ],
)
async def test_a_time_that_no_clock_shows_is_refused(
    sender: Sender, place: str, wall_clock: str, words: str | None
) -> None:
    document = await sender.refused(place, json.dumps(wall_clock), hidden=(wall_clock,))
    assert words is None or words in document["errors"][0]["detail"]


@pytest.mark.parametrize("raw", ["1809856800", "1809856800.5", "true", "[]"])
async def test_a_time_is_not_a_number(sender: Sender, raw: str) -> None:
    await sender.refused("starts_at", raw)


@pytest.mark.parametrize("offset", ["+02:00", "+01:00"])
async def test_a_time_shown_twice_is_taken_with_its_offset(shared: Network, local: dict[str, str], offset: str) -> None:
    wanted = {**DRAFT, "starts_at": f"2027-10-31T02:30{offset}", "ends_at": "2027-10-31T05:00"}
    reply = await shared.client.post(ADDRESS, json=wanted, headers={**local, **shared.key()})
    assert reply.json()["starts_at"] == f"2027-10-31T02:30:00{offset}"


async def test_times_within_an_hour_shown_twice_are_compared_as_instants(
    shared: Network, local: dict[str, str]
) -> None:
    first, second = "2027-10-31T02:30+02:00", "2027-10-31T02:15+01:00"
    wanted = {**DRAFT, "starts_at": first, "ends_at": second}
    headers = {**local, **shared.key()}
    assert (await shared.client.post(ADDRESS, json=wanted, headers=headers)).status_code == 201
    turned = {**DRAFT, "starts_at": second, "ends_at": first}
    headers = {**local, **shared.key()}
    await refused(shared, "POST", ADDRESS, status=422, pointers=["#/ends_at"], headers=headers, json=turned)


@pytest.mark.parametrize(
    ("place", "pointer"),
    [
        (MARKER, f"#/{MARKER}"),
        ("id", "#/id"),
        ("state", "#/state"),
        ("sample", "#/sample"),
        ("country", "#/country"),
        ("revision", "#/revision"),
        ("has_places", "#/has_places"),
        ("updated_at", "#/updated_at"),
        ("place/state", "#/place/state"),
        ("organisers/0/seat", "#/organisers/0/seat"),
        ("causes/0/title", "#/causes/0/title"),
        ("requirements/health", "#/requirements/health"),
        ("a~1b~0c", "#/a~01b~00c"),
    ],
)
async def test_an_unknown_field_is_refused_wherever_it_stands(sender: Sender, place: str, pointer: str) -> None:
    text = json.dumps(marked(place, alone=sender.method == "PATCH")).replace('"@@"', f'"{MARKER}2"')
    headers = {**JSON, **sender.headers, **sender.network.key()}
    await refused(
        sender.network, sender.method, sender.address, status=422, pointers=[pointer], hidden=[f"{MARKER}2"],
        headers=headers, content=text,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        (b"", None),
        (MARKER.encode(), "#"),
        (b'{"title": "%s",}' % MARKER.encode(), "#"),
        (b'{"title": "a" /* %s */}' % MARKER.encode(), "#"),
        (b"{'title': 'a'}", "#"),
        (b'{"title": "a", "title": "%s"}' % MARKER.encode(), "#"),
        (b'{"place": {"city": "a", "city": "%s"}}' % MARKER.encode(), "#"),
        (b'{"title": "\xff%s"}' % MARKER.encode(), "#"),
        (b'{"title": "\xc0\x80"}', "#"),
        (b'{"title": "\xed\xa0\x80"}', "#"),
        (json.dumps(DRAFT).encode("utf-16"), "#"),
        (b"\xef\xbb\xbf" + json.dumps(DRAFT).encode(), "#"),
        (b"[" * 100_000 + b"]" * 100_000, "#"),
        (b'{"place":' * 65 + b"1" + b"}" * 65, "#"),
        (b'{"capacity": ' + b"9" * 5000 + b"}", "#"),
        (b'{"title": "a\nb"}', "#"),
    ],
    ids=lambda value: ascii(value)[:40],
)
async def test_what_is_not_strict_json_in_utf_8_is_refused(sender: Sender, content: bytes, pointer: str | None) -> None:
    await sender.send(content, status=400 if content else 422, pointer=pointer)


@pytest.mark.parametrize("content", [b"[]", b"null", b'"%s"' % MARKER.encode(), b"7", b"true"])
async def test_a_body_is_an_object(sender: Sender, content: bytes) -> None:
    await sender.send(content, status=422, pointer="#")


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=latin1",
    ],
)
async def test_another_content_type_is_415(sender: Sender, content_type: str) -> None:
    document = await sender.send(json.dumps(DRAFT), status=415, pointer=None, **{"Content-Type": content_type})
    assert document["type"] == "/activities/problems/unsupported-media-type"


async def test_ten_megabytes_are_refused_by_their_announced_length(sender: Sender) -> None:
    await sender.send(b'{"title": "' + MARKER.encode() * 1_200_000 + b'"}', status=413, pointer="#")


async def test_an_endless_body_is_not_read_to_its_end(sender: Sender) -> None:
    taken = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal taken
        yield b'{"title": "'
        for _ in range(640):
            taken += 1
            yield b"x" * 65536

    await sender.send(chunks(), status=413, pointer="#")
    assert taken * 65536 < 17 * 1024 * 1024


@pytest.mark.parametrize("key", ["", '""', "x" * 256, "k\xe9y", "a\tb"])
async def test_a_malformed_idempotency_key_is_a_400(shared: Network, local: dict[str, str], key: str) -> None:
    headers = [(name.encode(), value.encode()) for name, value in local.items()]
    await refused(
        shared, "POST", ADDRESS, status=400, headers=[*headers, (b"Idempotency-Key", key.encode("latin-1"))], json=DRAFT
    )


async def test_two_idempotency_keys_are_a_400(shared: Network, local: dict[str, str]) -> None:
    headers = [*local.items(), ("Idempotency-Key", "one"), ("Idempotency-Key", "two")]
    await refused(shared, "POST", ADDRESS, status=400, headers=headers, json=DRAFT)


async def test_every_fault_is_named_at_once(shared: Network, local: dict[str, str]) -> None:
    body = {**DRAFT, "capacity": -1, "areas": [], "place": {"latitude": 91, "longitude": 0}}
    await refused(
        shared, "POST", ADDRESS, status=422, pointers=["#/capacity", "#/areas", "#/place/latitude"],
        headers={**local, **shared.key()}, json=body,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("causes", [{"code": "culture"}, {"code": "culture"}]),
        ("causes", [{"code": "culture", "main": True}, {"code": "education-youth", "main": True}]),
        ("organisers", [{"code": "IT-SASS-ESN"}, {"code": "IT-SASS-ESN"}]),
        ("organisers", [{"code": "IT-SASS-ESN", "lead": True}, {"code": "IT-MILA-STA", "lead": True}]),
        ("areas", ["health", "health"]),
        ("sdgs", [1, 1]),
        ("place", {"latitude": 40.0}),
    ],
)
async def test_what_is_named_twice_or_by_half_is_refused(sender: Sender, place: str, value: Any) -> None:
    await sender.refused(place, json.dumps(value))


async def test_an_empty_change_is_refused(shared: Network, local: dict[str, str]) -> None:
    drafted = await shared.drafted()
    address = f"{ADDRESS}/{drafted['id']}"
    etag = (await shared.client.get(address, headers=local)).headers["etag"]
    await refused(shared, "PATCH", address, status=422, pointers=["#"], headers={**local, "If-Match": etag}, json={})


@pytest.mark.parametrize(
    "title",
    [
        "Cafe\u0301 con Nun\u0303ez",
        "\u1112\u1161\u11ab\u1100\u1173\u11af",
        "abc \u202eedoc\u202c fed",
        "\u0645\u0631\u062d\u0628\u0627 \u200f!",
        "👩\u200d👩\u200d👧 İıß",
        "=HYPERLINK(1)",
        "</script><script>alert(1)</script>",
        "' OR 1=1--",
        "{{7*7}} ${jndi:x} %s {0.__class__}",
        "x" * 200,
    ],
    ids=ascii,
)
async def test_text_of_any_script_is_kept_in_nfc_and_nothing_else_is_done_to_it(
    shared: Network, local: dict[str, str], title: str
) -> None:
    reply = await shared.client.post(ADDRESS, json={**DRAFT, "title": title}, headers={**local, **shared.key()})
    assert reply.json()["title"] == unicodedata.normalize("NFC", title)
    again = await shared.client.get(f"{ADDRESS}/{reply.json()['id']}", headers=local)
    assert again.json() == reply.json()
