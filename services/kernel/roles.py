"""Which groups of ESN give which role here: rules of a file, and what they come to for one account."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from services.kernel.auth import Role
from services.kernel.failures import Misconfigured

SHIPPED: Final = Path(__file__).with_name("roles.toml")
WIDEST_FIRST: Final = (Role.OPERATOR, Role.INTERNATIONAL, Role.NATIONAL_COORDINATOR, Role.LOCAL_COORDINATOR)
MOST_GROUPS: Final = 500
_SECTION: Final = r"[A-Z]{2}-[A-Z0-9]{2,8}-[A-Z0-9]{2,8}"
_COUNTRY: Final = r"[A-Z]{2}"
_STANDS_FOR: Final = {"{section}": f"(?P<section>{_SECTION})", "{country}": f"(?P<country>{_COUNTRY})"}


def _pattern(text: str) -> str:
    parts = re.split(r"(\{[^}]*\}?)", text)
    placeholders = [part for part in parts if part.startswith("{")]
    if unknown := [part for part in placeholders if part not in _STANDS_FOR]:
        raise ValueError(f"{unknown[0]} is no placeholder; {{section}} and {{country}} are")
    if len(placeholders) > 1:
        raise ValueError("one placeholder at most")
    if not any(part.strip() for part in parts if not part.startswith("{")):
        raise ValueError("a group needs some text of its own, or anybody would have it")
    return text


def _grantable(role: Role) -> Role:
    if role not in WIDEST_FIRST:
        raise ValueError("no group of people gives this role")
    return role


class Rule(BaseModel):
    """One group and the role that it gives."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    group: Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_pattern)]
    role: Annotated[Role, AfterValidator(_grantable)]

    def match(self, group: str) -> re.Match[str] | None:
        """How a group of an account is the one that is meant, if it is."""
        parts = re.split(r"(\{\w+\})", self.group)
        return re.fullmatch("".join(_STANDS_FOR.get(part) or re.escape(part) for part in parts), group)


class RoleRules(BaseModel):
    """The file of rules."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    groups: Annotated[list[str], Field(min_length=1)]
    section: list[str] = []
    country: list[str] = []
    rules: Annotated[list[Rule], Field(min_length=1)]

    @model_validator(mode="after")
    def _each_once(self) -> RoleRules:
        if len({rule.group for rule in self.rules}) != len(self.rules):
            raise ValueError("a group is named twice")
        return self

    @classmethod
    def read(cls, path: Path | None) -> RoleRules:
        """The rules of a file, or of the one that is shipped; `Misconfigured` says in one sentence what is wrong."""
        chosen = path or SHIPPED
        try:
            return cls.model_validate(tomllib.loads(chosen.read_text(encoding="utf-8")))
        except OSError as error:
            raise Misconfigured(f"The file of roles can't be read ({error.strerror}).") from None
        except UnicodeDecodeError:
            raise Misconfigured("The file of roles is not UTF-8.") from None
        except tomllib.TOMLDecodeError as error:
            raise Misconfigured(f"The file of roles is not TOML: {error}.") from None
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "it"
            reason = first["msg"].removeprefix("Value error, ")
            raise Misconfigured(f"The file of roles: {where}: {reason}.") from None


@dataclass(frozen=True, slots=True)
class Given:
    """What one rule made of one group: a role and its reach, or why it gives none."""

    number: int
    group: str
    rule: Rule
    section: str | None
    country: str | None
    reason: str | None = None

    def text(self) -> str:
        """It, for people."""
        told = f"rule {self.number}  {self.rule.group}  matched {self.group}"
        if self.reason is not None:
            return f"{told}: gives nothing, {self.reason}"
        return f"{told}: {self.rule.role.value} {self.section or self.country or 'everywhere'}"


@dataclass(frozen=True, slots=True)
class Account:
    """What an account says of itself that roles are made of."""

    groups: Sequence[str]
    section: str | None = None
    country: str | None = None


def account_of(rules: RoleRules, claims: Mapping[str, Any]) -> Account:
    """What claims say, in whichever of their shapes groups come: texts, objects with an `id`, or texts by their ids."""
    groups: list[str] = []
    for name in rules.groups:
        told = claims.get(name)
        each = list(told.values()) if isinstance(told, dict) else told if isinstance(told, list) else [told]
        for one in each:
            text = one.get("id") if isinstance(one, dict) else one
            if isinstance(text, str) and text not in groups:
                groups.append(text)
    return Account(
        groups[:MOST_GROUPS], _first(claims, rules.section, _SECTION), _first(claims, rules.country, _COUNTRY)
    )


def _first(claims: Mapping[str, Any], names: Sequence[str], shape: str) -> str | None:
    for name in names:
        told = claims.get(name)
        if isinstance(told, str) and re.fullmatch(shape, told):
            return told
    return None


def granted(rules: RoleRules, account: Account) -> list[Given]:
    """What every rule gives an account, group by group."""
    return [
        _given(number, rule, group, found, account)
        for group in account.groups
        for number, rule in enumerate(rules.rules, 1)
        if (found := rule.match(group)) is not None
    ]


def _given(number: int, rule: Rule, group: str, found: re.Match[str], account: Account) -> Given:
    named = found.groupdict()
    section = named.get("section")
    if rule.role is Role.LOCAL_COORDINATOR:
        section = section or account.section
        if section is None:
            return Given(number, group, rule, None, None, "for no section is named")
        return Given(number, group, rule, section, section[:2])
    if rule.role is Role.NATIONAL_COORDINATOR:
        of_section = section or account.section
        country = (
            named.get("country") or (section and section[:2]) or account.country or (of_section and of_section[:2])
        )
        return Given(number, group, rule, None, country, None if country else "for no country is named")
    return Given(number, group, rule, None, None)


def widest(given: Sequence[Given], account: Account) -> Given | None:
    """What the caller acts with: the widest role; among sections the account's own, else the first by its code."""
    roles = [each for each in given if each.reason is None]
    return min(
        roles,
        key=lambda each: (
            WIDEST_FIRST.index(each.rule.role),
            each.section != account.section,
            each.section or "",
            each.country != account.country,
            each.country or "",
        ),
        default=None,
    )


def explain(rules: RoleRules, account: Account) -> str:
    """Which rule gives which role and reach, and with which of them the account acts."""
    given = granted(rules, account)
    lines = [each.text() for each in given]
    matched = {each.group for each in given}
    lines += [f"no rule names {group}" for group in account.groups if group not in matched]
    acting = widest(given, account)
    if acting is None:
        return "\n".join([*lines, "no role: every request is refused"])
    return "\n".join([*lines, f"acts as {acting.rule.role.value} {acting.section or acting.country or 'everywhere'}"])
