"""Whoever we connect to shows a certificate that is trusted and theirs, or hears nothing from us."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deploy import ports
from services.kernel import db, issuer_wire, mail, wakeups
from services.kernel.issuer_wire import Wire
from services.kernel.webhooks import connecting
from services.registration.cards.checkers import ByHTTP
from tests.harness import databases as harness


def _certificate(folder: Path, name: x509.GeneralName) -> tuple[Path, ssl.SSLContext]:
    """A certificate that nobody but itself vouches for, and the context of a server that shows it."""
    key = ec.generate_private_key(ec.SECP256R1())
    its_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "made for a test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(its_name, its_name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([name]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path, secret = folder / "certificate.pem", folder / "key.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    no_password = serialization.NoEncryption()
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, no_password))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, secret)
    return path, context


class _Peer:
    """Whoever is connected to: it keeps what it is told once the connection is encrypted, and says no more."""

    def __init__(self, context: ssl.SSLContext, before: Callable[..., Awaitable[None]] | None) -> None:
        self.context = context
        self.before = before
        self.told = b""
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self.before is not None:
                await self.before(reader, writer)
                await writer.start_tls(self.context)
            self.told += await asyncio.wait_for(reader.read(1000), 5)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def _listening(context: ssl.SSLContext, before: Callable[..., Awaitable[None]] | None) -> AsyncIterator[_Peer]:
    peer = _Peer(context, before)
    server = await asyncio.start_server(peer.serve, ports.LOOPBACK, 0, ssl=None if before else context)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()


async def _of_postgres(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readexactly(8)
    writer.write(b"S")


async def _of_mail(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 here\r\n")
    await reader.readline()
    writer.write(b"250-here\r\n250 STARTTLS\r\n")
    await reader.readline()
    writer.write(b"220 go on\r\n")


async def _issuer(port: int) -> None:
    address = f"https://{ports.LOOPBACK}:{port}/jwks"
    await Wire(address).get(address)


async def _card_checker(port: int) -> None:
    await ByHTTP(f"https://{ports.LOOPBACK}:{port}/card").check("1234567ABCD", today=date(2027, 1, 1))


async def _webhook(port: int) -> None:
    url = f"https://{ports.LOOPBACK}:{port}/hook"
    await connecting.post(url, b"{}", {"Host": ports.LOOPBACK}, seconds=5, loopback_allowed=True)


async def _redis(port: int) -> None:
    client = wakeups.connect(f"rediss://{ports.LOOPBACK}:{port}/0")
    try:
        await client.ping()
    finally:
        await client.aclose()


async def _starttls(port: int) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.org", "b@example.org", "Hello"
    await mail._deliver_by_smtp(f"smtp://{ports.LOOPBACK}:{port}?starttls=always", message)


async def _postgres(port: int) -> None:
    url = f"postgresql://me@{ports.LOOPBACK}:{port}/se?sslmode=verify-full"
    engine = db.create_engine(harness.settings(url, "redis://127.0.0.1"), role=None, pool_size=1)
    try:
        async with engine.connect():
            pass
    finally:
        await engine.dispose()


WAYS = {
    "issuer": (_issuer, None),
    "ESNcard": (_card_checker, None),
    "webhook": (_webhook, None),
    "Redis": (_redis, None),
    "mail": (_starttls, _of_mail),
    "Postgres": (_postgres, _of_postgres),
}


@pytest.mark.parametrize("way", WAYS)
async def test_who_shows_a_wrong_certificate_is_told_nothing(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, before = WAYS[way]
    right, wrong = x509.IPAddress(ip_address(ports.LOOPBACK)), x509.DNSName("elsewhere.example")
    for number, (name, is_trusted) in enumerate(((right, True), (right, False), (wrong, True))):
        folder = tmp_path / str(number)
        folder.mkdir()
        path, context = _certificate(folder, name)
        other, _ = _certificate(tmp_path, right)
        for variable in ("SSL_CERT_FILE", "PGSSLROOTCERT"):
            monkeypatch.setenv(variable, str(path if is_trusted else other))
        for cached in (issuer_wire._trusted, connecting._tls):
            cached.cache_clear()
        async with _listening(context, before) as peer:
            # None of them gets an answer that it could use.
            with suppress(Exception):
                await asyncio.wait_for(connect(peer.port), 10)
            is_right = (name, is_trusted) == (right, True)
            assert bool(peer.told) == is_right, (way, number, peer.told)
    for cached in (issuer_wire._trusted, connecting._tls):
        cached.cache_clear()
