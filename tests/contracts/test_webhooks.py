"""Our signatures before the libraries of Standard Webhooks and our own sample receivers (F-66), and real deliveries."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from deploy import ports
from services.kernel.webhooks import signing
from services.kernel.webhooks.receivers.receiver import Receiver, Refused
from tests.contracts.conftest import Validators
from tests.harness import databases as harness
from tests.harness.databases import eventually
from tests.harness.network import Network, running
from tests.harness.processes import REPOSITORY
from tests.harness.webhooks import deliveries, given_secret, hooked, send

SAMPLES = REPOSITORY / "services" / "kernel" / "webhooks" / "receivers"
IDENTITY, BODY = UUID("01890000-0000-7000-8000-000000000001"), '{"data":{},"type":"activity.held"}'
KEY, OTHER = (signing.key_of("secret", IDENTITY, salt) for salt in (b"a", b"b"))
SECRET = signing.written(KEY)


def _request(*, late: timedelta = timedelta(), keys: tuple[bytes, ...] = (KEY,), **changed: str) -> dict[str, Any]:
    headers = signing.headers(IDENTITY, datetime.now(UTC) - late, BODY.encode(), keys)
    body = changed.pop("body", BODY)
    named = {key.replace("_", "-"): value for key, value in changed.items()}
    return {"secret": SECRET, "headers": {**headers, **named}, "body": body}


def _cases() -> tuple[dict[str, Any], dict[str, Any]]:
    """What is ours, and what is not: made at the moment, since it is soon too old."""
    good = {
        "as it is": _request(),
        "while a secret is replaced": _request(keys=(OTHER, KEY)),
        "a minute late": _request(late=timedelta(minutes=1)),
    }
    ours = good["as it is"]["headers"]["webhook-signature"]
    forged = {
        "another body": _request(body=BODY.replace("held", "gone")),
        "another id": _request(webhook_id=str(UUID(int=2))),
        "another instant": _request(webhook_timestamp=str(int(datetime.now(UTC).timestamp()) - 2)),
        "another secret": _request(keys=(OTHER,)),
        "old": _request(late=timedelta(minutes=6)),
        "from the future": _request(late=-timedelta(minutes=6)),
        "another version": _request(webhook_signature=ours.replace("v1,", "v1a,")),
        "no version": _request(webhook_signature=ours.removeprefix("v1,")),
        "no signature": _request(webhook_signature=""),
        "an empty signature": _request(webhook_signature="v1,"),
        "no id": _request(webhook_id=""),
        "no instant": _request(webhook_timestamp="soon"),
    }
    return good, forged


@pytest.mark.parametrize("name", [name for cases in _cases() for name in cases])
def test_the_library_and_the_sample_in_python_take_what_is_ours_alone(name: str) -> None:
    good, forged = _cases()
    case = {**good, **forged}[name]
    for read, refusals in (
        # What has no version is no signature, on which the library stumbles instead of refusing it.
        (
            lambda: Webhook(case["secret"]).verify(case["body"], case["headers"]),
            (WebhookVerificationError, ValueError),
        ),
        (lambda: Receiver(case["secret"]).read(case["headers"], case["body"].encode()), (Refused,)),
    ):
        if name in good:
            assert read() == {"data": {}, "type": "activity.held"}
        else:
            with pytest.raises(refusals):
                read()


def test_the_library_and_the_sample_in_javascript_take_what_is_ours_alone(validators: Validators) -> None:
    good, forged = _cases()
    cases = {**good, **forged}
    given = json.dumps(list(cases.values()))
    found = validators.judged("webhooks.mjs", str(SAMPLES / "receiver.mjs"), given=given)
    assert dict(zip(cases, found, strict=True)) == {
        name: {"library": name in good, "sample": name in good} for name in cases
    }


@pytest.fixture
async def network(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Network]:
    """The services, which may send to this machine."""
    told = harness.settings(database_url, redis_url, mailbox=tmp_path / "mailbox", webhooks_to_loopback=True)
    async with running(told, database_url) as made:
        yield made


@pytest.mark.parametrize("sample", ["receiver.py", "receiver.mjs"])
async def test_a_sample_receiver_takes_a_real_message_once_and_a_forged_one_never(
    request: pytest.FixtureRequest, network: Network, tmp_path: Path, sample: str
) -> None:
    command = sys.executable
    if sample.endswith(".mjs"):
        command = request.getfixturevalue("validators").node
    local, port = await network.local(), ports.free()
    address, secret = await hooked(network, local, f"http://{ports.LOOPBACK}:{port}/")
    kept = tmp_path / "secret"
    kept.write_text(secret)
    process = await asyncio.create_subprocess_exec(
        command, str(SAMPLES / sample), str(port), str(kept), stdout=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    try:
        await eventually(lambda: _listens(port))
        await network.client.post(f"{address}/ping", headers=local)
        await send(network)
        [delivery] = await deliveries(network, local, address)
        assert (delivery["state"], delivery["status"]) == ("delivered", 204)
        await network.client.post(f"{address}/deliveries/{delivery['id']}/replay", headers=local)
        await send(network)
        await given_secret(network, local, address, overlap_hours=0)
        await network.client.post(f"{address}/ping", headers=local)
        await send(network)
        assert [each["status"] for each in await deliveries(network, local, address)] == [400, 204]
    finally:
        process.kill()
        printed, _ = await process.communicate()
    assert printed.decode().count("webhook.ping") == 1


async def _listens(port: int) -> None:
    try:
        _, writer = await asyncio.open_connection(ports.LOOPBACK, port)
    except OSError as failure:
        raise AssertionError from failure
    writer.close()
