"""E-mail addresses: what is one, and which ones are the same mailbox."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Final

from email_validator import EmailNotValidError, validate_email
from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from services.kernel.texts import Storable

LONGEST: Final = 254
_PLAIN: Final = re.compile(r"((?=[^@]{1,64}@)[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*)@([A-Za-z0-9.-]{1,253})")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address in three spellings: as given, as mail is sent to, and as the same mailbox is recognised."""

    given: str
    reachable: str
    key: str

    @property
    def counted(self) -> str:
        """The same for whatever is written behind a plus sign, which many mail servers pass over (RFC 5233)."""
        local, _, domain = self.key.rpartition("@")
        return f"{local.partition('+')[0] or local}@{domain}"


def mailbox(address: str) -> Mailbox:
    """Read an address without asking the network; what is no address raises a `ValueError` that does not repeat it.

    >>> mailbox("Zoë.Ann@Müller.example.org").key
    Traceback (most recent call last):
    ...
    ValueError: The part before the @ must be ASCII.
    >>> mailbox("Ann@MÜLLER.org")
    Mailbox(given='Ann@MÜLLER.org', reachable='Ann@xn--mller-kva.org', key='ann@xn--mller-kva.org')
    """
    local = address.partition("@")[0]
    if not local.isascii():
        raise ValueError("The part before the @ must be ASCII.")
    # It would begin an encoded word (RFC 2047), which mail programs decode to whatever it hides.
    if "=?" in local:
        raise ValueError("The part before the @ must not hold =?.")
    try:
        reachable = _plain(address) or _reachable(address)
    except EmailNotValidError:
        raise ValueError("Must be an e-mail address that can receive mail, as name@example.org.") from None
    return Mailbox(given=address, reachable=reachable, key=reachable.lower())


def _plain(address: str) -> str | None:
    """The same for nearly all addresses: a local part of ordinary characters at a domain that is known already."""
    found = _PLAIN.fullmatch(address)
    reachable = f"{found[1]}@{_domain(found[2])}" if found else ""
    return reachable if 0 < len(reachable) <= LONGEST else None


@lru_cache(maxsize=10_000)
def _domain(domain: str) -> str:
    return _reachable(f"a@{domain}").partition("@")[2]


def _reachable(address: str) -> str:
    found = validate_email(address, check_deliverability=False, allow_smtputf8=False)
    assert found.ascii_email is not None  # Only an address with an internationalised local part has none.
    return found.ascii_email


def _mailbox(value: Any) -> Mailbox:
    if not isinstance(value, str):
        raise PydanticCustomError("string_type", "Must be text.")
    try:
        return mailbox(value.strip())
    except ValueError as error:
        raise PydanticCustomError("mailbox", "{reason}", {"reason": str(error)}) from None


Address = Annotated[
    Mailbox,
    # The last one written is the first one asked.
    BeforeValidator(_mailbox),
    Storable,
    WithJsonSchema({"type": "string", "format": "email", "maxLength": 254, "examples": ["ada@example.org"]}),
]
"""An e-mail address, judged by its syntax alone."""
