"""Tokens of an issuer such as ESN Accounts: who they make of their bearers, and every forgery is a 401."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import statistics
import time
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from joserfc import jws, jwt
from joserfc.jwk import OctKey

from services.kernel import auth, issuer, key_sets
from services.operations.development_issuer import CLIENT, DevelopmentIssuer, Somebody, challenge_of, new_key
from tests.harness import databases as harness
from tests.harness.databases import Databases
from tests.harness.issuer import Peer, issuing
from tests.harness.network import DRAFT, Network, running
from tests.harness.refusals import check_problem

ADDRESS = "/activities/v1/activities"


@pytest.fixture(scope="module")
async def peer() -> AsyncIterator[Peer]:
    async with issuing() as made:
        yield made


@pytest.fixture(scope="module")
async def ours(
    databases: Databases, redis_url: str, peer: Peer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Network]:
    """The services, which take the issuer's word."""
    async with databases.fresh() as url:
        mailbox = tmp_path_factory.mktemp("mailbox")
        async with running(harness.settings(url, redis_url, mailbox=mailbox, **peer.issuer.settings()), url) as made:
            yield made


async def _draft(network: Network, token: str, **changes: Any) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {token}", **network.key()}
    reply = await network.client.post(ADDRESS, json={**DRAFT, **changes}, headers=headers)
    return reply.status_code, reply.json()


def _later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let time pass for whatever is remembered."""
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + seconds, time=time.time)
    for module in (auth, issuer, key_sets):
        monkeypatch.setattr(module, "time", clock)


@pytest.mark.parametrize("kind", ["signed", "opaque"])
@pytest.mark.parametrize(
    ("person", "section", "status"),
    [
        ("local", "IT-SASS-ESN", 201),
        ("local", "PT-PORT-ESN", 403),
        ("other-local", "PT-PORT-ESN", 201),
        ("national", "IT-SASS-ESN", 201),
        ("national", "PT-PORT-ESN", 403),
        ("international", "PT-PORT-ESN", 201),
        ("nobody", "IT-SASS-ESN", 403),
    ],
)
async def test_groups_are_roles_with_their_reach(
    ours: Network, peer: Peer, person: str, section: str, status: int, kind: str
) -> None:
    made = peer.issuer.access_token(person) if kind == "signed" else peer.issuer.opaque_token(person)
    told, document = await _draft(ours, made, organisers=[{"code": section, "lead": True}])
    assert told == status, document
    assert (document.get("title") == "No role") == (person == "nobody")


async def test_our_own_tokens_go_on_working_beside(ours: Network) -> None:
    local = await ours.local()
    assert (await _draft(ours, local["Authorization"].removeprefix("Bearer ")))[0] == 201


async def test_the_same_account_is_the_same_actor_and_nobody_reads_the_account_from_it(
    ours: Network, peer: Peer
) -> None:
    found = {}
    for made in (
        peer.issuer.access_token("local"),
        peer.issuer.access_token("local"),
        peer.issuer.opaque_token("local"),
    ):
        told = issuer.of(ours.settings)
        assert told is not None
        vouched = await told.vouch(made)
        assert vouched is not None
        found[vouched.actor.id] = vouched.actor
    assert len(found) == 1
    (actor,) = found.values()
    assert (actor.role, actor.section, actor.country) == ("local_coordinator", "IT-SASS-ESN", "IT")
    assert "local" not in bytes(actor.id.bytes).decode("latin-1")


def _segment(told: Any) -> str:
    text = told if isinstance(told, str) else json.dumps(told)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    header, payload, signature = token.split(".")
    read = [json.loads(base64.urlsafe_b64decode(each + "==")) for each in (header, payload)]
    return read[0], read[1], signature


def _with_header(made: DevelopmentIssuer, **more: Any) -> str:
    """A token that is signed as it should be, with other parameters."""
    key = made.keys[-1]
    header, claims, _ = _parts(made.access_token("international"))
    text = f"{_segment({**header, **more})}.{_segment(claims)}"
    signature = key.raw_value  # The library refuses to write some of these, so it is signed by hand.
    first, second = utils.decode_dss_signature(signature.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    raw = first.to_bytes(32, "big") + second.to_bytes(32, "big")
    return f"{text}.{base64.urlsafe_b64encode(raw).decode().rstrip('=')}"


def _payload(made: DevelopmentIssuer, text: str) -> str:
    """A token whose payload is signed as it is written."""
    key = made.keys[-1]
    return jws.serialize_compact({"alg": "ES256", "kid": key.kid, "typ": "at+jwt"}, text, key, algorithms=["ES256"])


def _none(made: DevelopmentIssuer, name: str = "none") -> str:
    header, claims, _ = _parts(made.access_token("international"))
    return f"{_segment({**header, 'alg': name})}.{_segment(claims)}."


def _by_public_key(made: DevelopmentIssuer, *, pem: bool) -> str:
    """HS256, with what everybody may know as the secret."""
    header, claims, _ = _parts(made.access_token("international"))
    key = made.keys[-1]
    secret = key.as_pem(private=False) if pem else json.dumps(key.as_dict(private=False)).encode()
    text = f"{_segment({**header, 'alg': 'HS256'})}.{_segment(claims)}"
    return f"{text}.{base64.urlsafe_b64encode(hmac.digest(secret, text.encode(), 'sha256')).decode().rstrip('=')}"


def _foreign(made: DevelopmentIssuer, **header: Any) -> str:
    """By a key of somebody else's."""
    key = new_key("ES256")
    told, claims, _ = _parts(made.access_token("international"))
    return jwt.encode({**told, **header}, claims, key, algorithms=["ES256"])


def _changed(made: DevelopmentIssuer) -> str:
    header, _, signature = made.access_token("local").split(".")
    _, claims, _ = _parts(made.access_token("international"))
    return f"{header}.{_segment(claims)}.{signature}"


def _claims_text(made: DevelopmentIssuer, more: str) -> str:
    _, claims, _ = _parts(made.access_token("international"))
    return json.dumps(claims)[:-1] + more + "}"


NOW = int(time.time())
FORGERIES: dict[str, Callable[[DevelopmentIssuer], str]] = {
    "alg none": _none,
    "alg None": lambda made: _none(made, "None"),
    "alg empty": lambda made: _none(made, ""),
    "no signature": lambda made: made.access_token("international").rpartition(".")[0] + ".",
    "HS256 by the public key as PEM": lambda made: _by_public_key(made, pem=True),
    "HS256 by the public key as JWK": lambda made: _by_public_key(made, pem=False),
    "HS256 by an empty key": lambda made: jwt.encode(
        {"alg": "HS256", "kid": made.keys[-1].kid, "typ": "at+jwt"},
        _parts(made.access_token("international"))[1],
        OctKey.import_key("0" * 32),
        algorithms=["HS256"],
    ),
    "RS256 named for a key of ES256": lambda made: _with_header(made, alg="RS256"),
    "a key of somebody else": _foreign,
    "a kid that is a path": lambda made: _foreign(made, kid="../../../../dev/null"),
    "a kid that is SQL": lambda made: _foreign(made, kid="x' OR '1'='1"),
    "a kid that is an address": lambda made: _foreign(made, kid="http://127.0.0.1/keys"),
    "a kid that is a number": lambda made: _with_header(made, kid=7),
    "a kid that is long": lambda made: _with_header(made, kid="k" * 300),
    "a kid that is empty": lambda made: _with_header(made, kid=""),
    "jku": lambda made: _with_header(made, jku="https://keys.example/jwks"),
    "x5u": lambda made: _with_header(made, x5u="https://keys.example/chain"),
    "jwk": lambda made: _with_header(made, jwk=made.keys[-1].as_dict(private=False)),
    "crit": lambda made: _with_header(made, crit=["exp"]),
    "b64": lambda made: _with_header(made, b64=False, crit=["b64"]),
    "another type": lambda made: _with_header(made, typ="logout+jwt"),
    "expired": lambda made: made.access_token("international", exp=NOW - 60),
    "no exp": lambda made: made.access_token("international", exp=None),
    "exp as text": lambda made: made.access_token("international", exp="9999999999"),
    "exp true": lambda made: made.access_token("international", exp=True),
    "exp without end": lambda made: _payload(made, _claims_text(made, ', "nbf": NaN')),
    "not yet": lambda made: made.access_token("international", nbf=NOW + 86400),
    "made tomorrow": lambda made: made.access_token("international", iat=NOW + 86400),
    "another audience": lambda made: made.access_token("international", aud="another-service"),
    "other audiences": lambda made: made.access_token("international", aud=["a", "b"]),
    "audience as an object": lambda made: made.access_token("international", aud={"a": "socialerasmus"}),
    "no audience": lambda made: made.access_token("international", aud=None),
    "another issuer": lambda made: made.access_token("international", iss="https://evil.example"),
    "the issuer with a slash": lambda made: made.access_token("international", iss=made.address + "/"),
    "no issuer": lambda made: made.access_token("international", iss=None),
    "no subject": lambda made: made.access_token("international", sub=None),
    "an empty subject": lambda made: made.access_token("international", sub=""),
    "a subject that is a number": lambda made: made.access_token("international", sub=7),
    "a long subject": lambda made: made.access_token("international", sub="s" * 256),
    "somebody whom the issuer does not know": lambda made: made.access_token("never-heard-of"),
    "an ID token": lambda made: made.access_token("international", aud=CLIENT, nonce="n"),
    "an ID token for us": lambda made: made.access_token("international", nonce="n"),
    "a claim twice": lambda made: _payload(made, _claims_text(made, ', "aud": "socialerasmus"')),
    "a payload that is a list": lambda made: _payload(made, "[]"),
    "a payload that is no JSON": lambda made: _payload(made, "{"),
    "a payload nested out of all measure": lambda made: _payload(made, '{"a":' + "[" * 2500 + "]" * 2500 + "}"),
    "a changed payload": _changed,
    "a huge token": lambda made: made.access_token("international", more="x" * 9000),
    "a part too many": lambda made: made.access_token("international") + ".x",
    "padding": lambda made: made.access_token("international") + "=",
    "a header that is no JSON": lambda made: "e30x." + made.access_token("international").split(".", 1)[1],
    "a header that names alg twice": lambda made: (
        _segment('{"alg":"none","alg":"ES256"}') + "." + made.access_token("international").split(".", 1)[1]
    ),
    "only dots": lambda _: "..",
    "an opaque one that nobody made": lambda _: "made-up",
}


@pytest.mark.parametrize("forged", FORGERIES)
async def test_a_forgery_is_a_401(ours: Network, peer: Peer, forged: str) -> None:
    token = FORGERIES[forged](peer.issuer)
    headers = {"Authorization": f"Bearer {token}", **ours.key()}
    reply = await ours.client.post(ADDRESS, json=DRAFT, headers=headers)
    check_problem(reply, status=401, hidden=[token])


async def test_what_the_forgeries_are_made_of_is_right(ours: Network, peer: Peer) -> None:
    made = peer.issuer
    right = [_with_header(made), _payload(made, _claims_text(made, "")), made.access_token("international", nbf=None)]
    right.append(made.access_token("international", aud=["another-service", "socialerasmus"]))
    for token in right:
        assert (await _draft(ours, token))[0] == 201


async def test_a_key_that_is_new_is_known_at_once_and_one_that_is_withdrawn_is_not_for_long(
    ours: Network, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = peer.issuer.access_token("international")
    assert (await _draft(ours, old))[0] == 201
    _later(monkeypatch, 31)
    peer.issuer.keys.append(new_key("RS256"))
    assert (await _draft(ours, peer.issuer.access_token("international")))[0] == 201
    del peer.issuer.keys[0]
    _later(monkeypatch, 31 + key_sets.FRESH_SECONDS)
    assert (await _draft(ours, old))[0] == 401
    peer.issuer.keys[:] = [new_key("ES256")]
    _later(monkeypatch, 3 * key_sets.FRESH_SECONDS)
    assert (await _draft(ours, peer.issuer.access_token("international")))[0] == 201


async def test_made_up_names_of_keys_do_not_make_a_flood_of_questions(ours: Network, peer: Peer) -> None:
    assert (await _draft(ours, peer.issuer.access_token("international")))[0] == 201
    before = peer.asked["jwks"]
    tokens = [_foreign(peer.issuer, kid=f"key-{number}") for number in range(30)]
    found = await asyncio.gather(*(_draft(ours, each) for each in tokens))
    assert {status for status, _ in found} == {401}
    assert peer.asked["jwks"] - before <= 1


async def test_made_up_opaque_tokens_do_not_make_a_flood_of_questions(
    ours: Network, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic() + 100
    monkeypatch.setattr(issuer, "time", SimpleNamespace(monotonic=lambda: now, time=time.time))
    before = peer.asked["userinfo"]
    found = await asyncio.gather(*(_draft(ours, f"made-up-{number}") for number in range(40)))
    assert {status for status, _ in found} == {401, 503}
    assert peer.asked["userinfo"] - before == issuer.ASKED_AT_ONCE


async def test_a_role_that_is_taken_away_is_gone_within_a_minute(
    ours: Network, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    _later(monkeypatch, 10_000)
    peer.issuer.people["volunteer"] = Somebody("volunteer", ["Local.socialerasmus:IT-SASS-ESN"], "IT-SASS-ESN", "IT")
    tokens = [peer.issuer.access_token("volunteer"), peer.issuer.opaque_token("volunteer")]
    for token in tokens:
        assert (await _draft(ours, token))[0] == 201
    asked = peer.asked["userinfo"]
    peer.issuer.people["volunteer"] = Somebody("volunteer", [])
    for token in tokens:
        assert (await _draft(ours, token))[0] == 201, "it is remembered for a moment"
    assert peer.asked["userinfo"] == asked
    _later(monkeypatch, 10_060)
    for token in tokens:
        assert (await _draft(ours, token))[0] == 403
    del peer.issuer.people["volunteer"]
    _later(monkeypatch, 10_120)
    for token in tokens:
        assert (await _draft(ours, token))[0] == 401


async def test_while_the_issuer_is_away_nobody_new_is_let_in_and_nothing_breaks(
    ours: Network, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    _later(monkeypatch, 20_000)
    known = peer.issuer.access_token("international")
    assert (await _draft(ours, known))[0] == 201
    peer.is_away = True
    try:
        assert (await _draft(ours, known))[0] == 201
        new = [peer.issuer.access_token("international"), peer.issuer.opaque_token("international")]
        for token in new:
            assert (await _draft(ours, token))[0] == 503
        assert (await _draft(ours, _foreign(peer.issuer)))[0] == 401
        assert (await ours.client.get(ADDRESS)).status_code == 200
    finally:
        peer.is_away = False
    for token in new:
        assert (await _draft(ours, token))[0] == 201


async def test_a_token_is_verified_in_less_than_a_third_of_a_millisecond(ours: Network, peer: Peer) -> None:
    found = auth.Tokens(issuer.of(ours.settings))
    token = peer.issuer.access_token("international")
    runtime = ours.runtimes["activities"]
    await found.holder(runtime, token)
    took = []
    for _ in range(400):
        begun = time.perf_counter()
        await found.holder(runtime, token)
        took.append(time.perf_counter() - begun)
    assert statistics.median(took) < 0.000_3


async def test_an_app_signs_somebody_in_with_a_code_and_its_verifier_once(ours: Network, peer: Peer) -> None:
    verifier, back_to = "v" * 64, "http://127.0.0.1:5173/callback"
    asked = {
        "response_type": "code", "client_id": CLIENT, "redirect_uri": back_to, "state": "of the app", "nonce": "n",
        "code_challenge": challenge_of(verifier), "code_challenge_method": "S256",
    }  # fmt: skip
    form = {"grant_type": "authorization_code", "client_id": CLIENT, "redirect_uri": back_to}
    async with httpx.AsyncClient(base_url=peer.issuer.address) as browser:

        async def code() -> str:
            chosen = await browser.post("/oauth/authorize", params=asked, data={"person": "local"})
            told = dict(parse_qsl(urlsplit(chosen.headers["location"]).query))
            assert (told["state"], told["iss"]) == ("of the app", peer.issuer.address)
            return told["code"]

        for wrong in ({"code_verifier": "w" * 64}, {"client_id": "x"}, {"redirect_uri": back_to + "x"}, {"code": "x"}):
            told = {**form, "code": await code(), "code_verifier": verifier, **wrong}
            assert (await browser.post("/oauth/token", data=told)).status_code == 400
        told = {**form, "code": await code(), "code_verifier": verifier}
        answer = (await browser.post("/oauth/token", data=told)).json()
        assert (await browser.post("/oauth/token", data=told)).status_code == 400
        for wrong in ({"redirect_uri": "https://evil.example/"}, {"client_id": "x"}):
            assert (await browser.get("/oauth/authorize", params={**asked, **wrong})).status_code == 400
        page = await browser.get("/oauth/authorize", params={**asked, "code_challenge_method": "plain"})
        assert "error=invalid_request" in page.headers["location"]
    assert (await _draft(ours, answer["access_token"]))[0] == 201
    assert (await _draft(ours, answer["id_token"]))[0] == 401
