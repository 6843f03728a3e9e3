"""What can be saved of the websites that sections gave in free text."""

import re

from services.kernel.imports import Remark

LONGEST_ADDRESS = 500

_SCHEME = re.compile(r"(https?):/{0,2}", re.IGNORECASE)
_OTHER_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:(?![0-9]{1,5}(/|$))", re.IGNORECASE)
_AUTHORITY = re.compile(r"(?P<host>([a-z0-9_]([a-z0-9_-]*[a-z0-9])?\.)+[a-z0-9-]{2,})(:[0-9]{1,5})?\.?", re.IGNORECASE)
_PLACEHOLDERS = {"0", "-", "n/a", "na", "no", "none", "null", "none.none.fi", "example.com", "www.example.com"}


def website_of(given: str, column: str) -> tuple[str | None, list[Remark]]:
    """Return an absolute http(s) address with a lower-case host, or None, and a remark for every change."""
    remarks: list[Remark] = []
    address, _, rest = given.strip().partition(" ")
    if rest:
        remarks.append(Remark(column, f"words after the address left out: {rest.strip()!r}"))
    scheme, address, reason = _without_scheme(address)
    if reason:
        remarks.append(Remark(column, reason))
    if address.rstrip("/").casefold() in _PLACEHOLDERS | {""}:
        return None, [Remark(column, f"{given!r} is no address and was left out")]
    if _OTHER_SCHEME.match(address):
        return None, [Remark(column, f"{given!r} is not an address on the web and was left out")]
    authority, path = re.fullmatch(r"([^/?#]*)(.*)", address, re.DOTALL).groups()  # type: ignore[union-attr]
    if "@" in authority:
        return None, [Remark(column, "an e-mail address instead of a website was left out")]
    try:
        ascii_authority = authority.encode("idna").decode() if not authority.isascii() else authority
    except UnicodeError:
        ascii_authority = ""
    if not _AUTHORITY.fullmatch(ascii_authority) or not path.isprintable() or set(path) & set("\\<>\"'`{}"):
        return None, [Remark(column, f"{given!r} cannot be an address and was left out")]
    website = f"{scheme}://{ascii_authority.lower()}{path}"
    if len(website) > LONGEST_ADDRESS:
        return None, [Remark(column, f"an address of more than {LONGEST_ADDRESS} characters was left out")]
    return website, remarks


def _without_scheme(address: str) -> tuple[str, str, str | None]:
    """Return the scheme, what follows it, and what was wrong with it."""
    found = []
    rest = address
    while match := _SCHEME.match(rest):
        found.append(match)
        rest = rest[match.end() :]
    if not found:
        return "http", rest, "http:// was missing and was added"
    scheme = found[-1][1].lower()
    if len(found) > 1:
        return scheme, rest, f"{''.join(match[0] for match in found)} was read as {scheme}://"
    if not found[0][0].endswith("://"):
        return scheme, rest.lstrip("/"), f"{found[0][0]} was read as {scheme}://"
    return scheme, rest, None
