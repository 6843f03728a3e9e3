"""Bearer tokens: what is not a valid one is a 401, and a stolen table of tokens opens nothing."""

from __future__ import annotations

import hashlib
import secrets
import statistics
import time
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from services.activities import main as activities
from services.kernel import auth, db, digests
from services.kernel.auth import Role
from tests.harness.databases import rows
from tests.harness.network import Network
from tests.harness.refusals import MARKER, refused

ADDRESS = "/activities/v1/activities"


async def _draft(network: Network, headers: dict[str, str]) -> int:
    return (await network.client.post(ADDRESS, json={}, headers={**headers, **network.key()})).status_code


async def test_a_valid_token_gets_past_the_door(shared: Network) -> None:
    local = await shared.local()
    assert await _draft(shared, local) == 422
    assert await _draft(shared, {"Authorization": local["Authorization"].replace("Bearer", "bearer")}) == 422


async def test_an_expired_token_is_a_401(shared: Network) -> None:
    engine = db.create_engine(shared.settings, role=None, pool_size=1)
    async with db.session_factory(engine).begin() as session:
        token = await activities.issue_token(
            session, role=Role.INTERNATIONAL, section=None, country=None, label="test", lasts=timedelta(seconds=-1)
        )
    await engine.dispose()
    headers = {"Authorization": f"Bearer {token}", **shared.key()}
    await refused(shared, "POST", ADDRESS, status=401, headers=headers, json={}, hidden=[token])


async def test_a_revoked_token_is_a_401_within_half_a_minute(shared: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    local = await shared.local()
    assert await _draft(shared, local) == 422
    await rows(shared.database_url, "UPDATE access.tokens SET revoked_at = now()")
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + 30)
    monkeypatch.setattr(auth, "time", clock)
    assert await _draft(shared, local) == 401


@pytest.mark.parametrize(
    "sent",
    [
        f"Bearer {MARKER}",
        f"Bearer set_{MARKER}",
        f"Basic {MARKER}",
        f"Token {MARKER}",
        MARKER,
        "Bearer",
        "Bearer ",
        "",
        "Bearer a b",
        "Bearer \xff\xfe",
        "Bearer " + MARKER * 1000,
    ],
    ids=lambda text: ascii(text)[:30],
)
@pytest.mark.parametrize(
    ("method", "address"), [("POST", ADDRESS), ("GET", f"{ADDRESS}/01890000-0000-7000-8000-000000000000")]
)
async def test_what_is_not_a_token_of_ours_is_a_401(shared: Network, method: str, address: str, sent: str) -> None:
    headers = [(b"Authorization", sent.encode("latin-1")), (b"Idempotency-Key", b"a")]
    body: dict[str, Any] = {"json": {}} if method == "POST" else {}
    await refused(shared, method, address, status=401, headers=headers, **body)


async def test_two_authorization_headers_are_a_401_even_if_one_is_right(shared: Network) -> None:
    right = (await shared.local())["Authorization"]
    for pair in ((right, "Bearer x"), ("Bearer x", right), (right, right)):
        headers = [("Authorization", each) for each in pair] + list(shared.key().items())
        await refused(shared, "POST", ADDRESS, status=401, headers=headers, json={})


async def test_a_401_says_what_is_needed(shared: Network) -> None:
    reply = await shared.client.post(ADDRESS, json={}, headers=shared.key())
    assert (reply.status_code, reply.headers["www-authenticate"]) == (401, 'Bearer realm="socialerasmus"')


async def test_tokens_are_stored_hashed(shared: Network) -> None:
    token = (await shared.local())["Authorization"].removeprefix("Bearer ")
    stored = " ".join(
        str(tuple(row)) for row in await rows(shared.database_url, "SELECT t, token_hash FROM access.tokens t")
    )
    assert token not in stored
    assert token.removeprefix(auth.PREFIX) not in stored
    assert repr(auth.hashed(token)) in stored


async def test_a_token_holds_256_random_bits(shared: Network) -> None:
    tokens = {(await shared.local())["Authorization"] for _ in range(3)}
    assert len(tokens) == 3
    assert all(len(token.removeprefix(f"Bearer {auth.PREFIX}")) == 43 for token in tokens)


async def test_another_algorithm_works_beside_the_one_before_and_without_it(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await network.local()
    monkeypatch.setitem(digests.ALGORITHMS, "3", lambda secret: hashlib.sha3_512(secret).digest())
    monkeypatch.setattr(digests, "NEWEST", "3")
    after = await network.local()
    token = after["Authorization"].removeprefix("Bearer ")
    assert token.startswith(f"{auth.PREFIX}3~")
    assert [await _draft(network, each) for each in (before, after)] == [422, 422]
    lengths = await rows(network.database_url, "SELECT length(token_hash) FROM access.tokens ORDER BY 1")
    assert [length for (length,) in lengths] == [32, 64]
    # A mark opens nothing by itself, and neither does leaving it out.
    old = before["Authorization"].removeprefix(f"Bearer {auth.PREFIX}")
    for wrong in (f"{auth.PREFIX}3~{old}", token.replace("3~", ""), token.replace("3~", "4~")):
        assert await _draft(network, {"Authorization": f"Bearer {wrong}"}) == 401
    # The former one ends: what was stored by it opens nothing, as soon as nobody remembers it.
    monkeypatch.delitem(digests.ALGORITHMS, "")
    monkeypatch.setattr(auth, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + 30))
    assert [await _draft(network, each) for each in (before, after)] == [401, 422]


_SECONDS_THAT_TELL = 0.000_05


async def _told_by_time(network: Network, known: str) -> bool:
    """Whether guesses that begin as a valid token take longer or shorter than others, by turns and at the median."""
    runtime, took = network.runtimes["activities"], dict[bool, list[float]]({True: [], False: []})
    tokens = auth.Tokens()
    for number in range(600):
        is_near = bool(number % 2)
        guess = (known[:-6] if is_near else auth.PREFIX + secrets.token_urlsafe(32)[:-6]) + secrets.token_urlsafe(9)[:6]
        begun = time.perf_counter()
        assert await tokens.holder(runtime, guess) is None
        took[is_near].append(time.perf_counter() - begun)
    return abs(statistics.median(took[True]) - statistics.median(took[False])) > _SECONDS_THAT_TELL


async def test_how_long_a_guess_takes_says_nothing_of_how_near_it_is(
    shared: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = (await shared.local())["Authorization"].removeprefix("Bearer ")
    # Another load of the machine is nobody's secret: it does not come back.
    assert not all([await _told_by_time(shared, known) for _ in range(2)])

    def comparing(secret: str) -> bytes:
        if secret.startswith(known[:-6]):
            end = time.perf_counter() + 0.000_2
            while time.perf_counter() < end:
                pass
        return hashlib.sha256(secret.encode()).digest()

    monkeypatch.setattr(digests, "stored", comparing)
    assert await _told_by_time(shared, known)
