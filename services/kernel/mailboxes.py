"""E-mail addresses: what is one, and which ones are the same mailbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from email_validator import EmailNotValidError, validate_email
from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from services.kernel.texts import Storable


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
        found = validate_email(address, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        raise ValueError("Must be an e-mail address that can receive mail, as name@example.org.") from None
    reachable = found.ascii_email
    assert reachable is not None  # Only an address with an internationalised local part has none.
    return Mailbox(given=address, reachable=reachable, key=reachable.lower())


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
