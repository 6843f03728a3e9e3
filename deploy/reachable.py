"""Whether the servers that DATABASE_URL and REDIS_URL name answer as what they should be."""

import socket
import ssl
import time

from deploy import addresses, interruption, postgres_wire, redis_wire
from deploy.failure import Failure

SECONDS = 5.0
PATIENCE = 20.0  # with a server that answers that it is still starting


def refuse_unless_postgres(name: str, url: str) -> str:
    """Fail unless a Postgres answers at one of the places the URL names; say where."""
    address = addresses.postgres(name, url)
    reasons = []
    for place in address.places:
        reason = _greet(place, address)
        if not reason:
            return str(place)
        reasons.append(reason)
    found = ", and ".join(reasons)
    raise Failure(f"{name} is set, but {found}: start or mend that Postgres, or unset {name} for an embedded one.")


def _greet(place: addresses.Place, address: addresses.Address) -> str:
    deadline = time.monotonic() + PATIENCE
    while True:
        interruption.check()
        try:
            with _connect(place) as connection:
                postgres_wire.greet(
                    connection, user=address.user or "postgres", database=address.database or "postgres"
                )
        except OSError as error:
            return f"nothing answers at {place} ({_reason(error)})"
        except postgres_wire.NotPostgres:
            return f"what answers at {place} is not a Postgres"
        except postgres_wire.Refused as refusal:
            if refusal.code != postgres_wire.STARTING_UP or time.monotonic() > deadline:
                return f"the Postgres at {place} refuses ({refusal})"
            interruption.pause(0.5)
        else:
            return ""


def refuse_unless_redis(name: str, url: str) -> str:
    """Fail unless a Redis answers where the URL points and lets us in; say where."""
    address = addresses.redis(name, url)
    place = address.places[0]
    deadline = time.monotonic() + PATIENCE
    credentials = [word for word in (address.user, address.password) if word]
    while True:
        interruption.check()
        try:
            with redis_wire.connected(
                place.host, place.port, seconds=SECONDS, path=place.path, tls=address.is_encrypted
            ) as line:
                answer = line.ask("AUTH", *credentials) if address.password else "+OK"
                if not answer.startswith("-"):
                    answer = line.ask("PING")
        except OSError as error:
            said = f"nothing answers at {place} ({_reason(error)})"
            break
        if answer == "+PONG":
            return str(place)
        if answer.startswith("-LOADING") and time.monotonic() < deadline:
            interruption.pause(0.5)
            continue
        said = f"what answers at {place} is not a Redis"
        if answer.startswith("-"):
            said = f"the Redis at {place} refuses ({answer[1:]})"
        break
    raise Failure(f"{name} is set, but {said}: start or mend that Redis, or unset {name} for an embedded one.")


def _connect(place: addresses.Place) -> socket.socket:
    if not place.path:
        return socket.create_connection((place.host, place.port), timeout=SECONDS)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(SECONDS)
    try:
        connection.connect(place.path)
    except OSError:
        connection.close()
        raise
    return connection


def _reason(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    return error.strerror or str(error) or type(error).__name__
