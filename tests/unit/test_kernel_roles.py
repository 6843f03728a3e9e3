"""Groups of ESN as roles: which rule gives what, what the caller acts with, and what is wrong with a file of rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from services.__main__ import app
from services.kernel import roles
from services.kernel.failures import Misconfigured, Stop
from services.kernel.roles import Account, RoleRules
from services.operations import development_issuer
from tests.harness import databases as harness

SHIPPED = RoleRules.read(None)
RULE = '[[rules]]\ngroup = "{group}"\nrole = "{role}"\n'


def _acts_as(account: Account) -> tuple[str, str | None, str | None] | None:
    acting = roles.widest(roles.granted(SHIPPED, account), account)
    return None if acting is None else (acting.rule.role.value, acting.section, acting.country)


@pytest.mark.parametrize(
    ("groups", "more", "expected"),
    [
        (["Local.socialerasmus:CZ-BRNO-VUT"], {}, ("local_coordinator", "CZ-BRNO-VUT", "CZ")),
        (["NATIONAL_ORGANISATION:socialerasmus"], {"country": "PL"}, ("national_coordinator", None, "PL")),
        (["NATIONAL_ORGANISATION:president"], {"section": "CZ-BRNO-VUT"}, ("national_coordinator", None, "CZ")),
        (["NATIONAL_ORGANISATION:president"], {}, None),
        (["National.socialerasmus:CZ"], {"country": "PL"}, ("national_coordinator", None, "CZ")),
        (["International.socialerasmus"], {}, ("international", None, None)),
        # Several roles: the widest; several sections: the account's own.
        (["Local.socialerasmus:CZ-BRNO-VUT", "International.socialerasmus"], {}, ("international", None, None)),
        (
            ["Local.socialerasmus:AT-WIEN-TUW", "Local.socialerasmus:CZ-BRNO-VUT"],
            {"section": "CZ-BRNO-VUT"},
            ("local_coordinator", "CZ-BRNO-VUT", "CZ"),
        ),
        (
            ["Local.socialerasmus:CZ-BRNO-VUT", "Local.socialerasmus:AT-WIEN-TUW"],
            {},
            ("local_coordinator", "AT-WIEN-TUW", "AT"),
        ),
        # Nothing that only looks like a group that a rule names.
        (["Local.socialerasmus:cz-brno-vut"], {}, None),
        (["Local.socialerasmus:CZ-BRNO-VUT\n"], {}, None),
        (["xLocal.socialerasmus:CZ-BRNO-VUT"], {}, None),
        (["LocalXsocialerasmus:CZ-BRNO-VUT"], {}, None),
        (["Local.socialerasmus:CZ-BRNO-VUT:more"], {}, None),
        (["International.socialerasmus.former"], {}, None),
        (["Local.webmaster:CZ-BRNO-VUT"], {"section": "CZ-BRNO-VUT"}, None),
        ([], {"section": "CZ-BRNO-VUT", "country": "CZ"}, None),
    ],
)
def test_groups_give_the_widest_role_with_its_reach(
    groups: list[str], more: dict[str, str], expected: tuple[str, str | None, str | None] | None
) -> None:
    assert _acts_as(Account(groups, **more)) == expected


@pytest.mark.parametrize(
    ("claims", "groups"),
    [
        ({"groups": ["a", "b"]}, ["a", "b"]),
        ({"groups": [{"id": "a"}, {"id": "b", "label": "c"}]}, ["a", "b"]),
        ({"groups": {"12": "a", "13": "b"}}, ["a", "b"]),
        ({"groups": "a"}, ["a"]),
        ({"extended_roles": ["a"], "groups": ["a", "b"]}, ["a", "b"]),
        ({"groups": [1, None, ["a"], {"id": 2}, {}, True]}, []),
        ({"groups": None}, []),
        ({}, []),
    ],
)
def test_groups_are_read_in_each_of_their_shapes(claims: dict[str, Any], groups: list[str]) -> None:
    assert list(roles.account_of(SHIPPED, claims).groups) == groups


@pytest.mark.parametrize("told", ["cz-brno-vut", "CZ", 7, ["CZ-BRNO-VUT"], "CZ-BRNO-VUT ", "", None])
def test_a_section_that_is_none_is_passed_over(told: Any) -> None:
    assert roles.account_of(SHIPPED, {"section_code": told, "sc": "PL-WARS-UKS"}).section == "PL-WARS-UKS"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('groups = ["groups"]\n' + RULE.format(group="{section}", role="local_coordinator"), "text of its own"),
        ('groups = ["groups"]\n' + RULE.format(group="x{sektion}", role="local_coordinator"), "no placeholder"),
        ('groups = ["groups"]\n' + RULE.format(group="x{section", role="local_coordinator"), "no placeholder"),
        ('groups = ["groups"]\n' + RULE.format(group="x{section}{country}", role="operator"), "one placeholder"),
        ('groups = ["groups"]\n' + RULE.format(group="x", role="machine"), "rules.0.role"),
        ('groups = ["groups"]\n' + RULE.format(group="x", role="emperor"), "rules.0.role"),
        ('groups = ["groups"]\n' + RULE.format(group="x", role="operator") * 2, "named twice"),
        ('groups = ["groups"]\nrules = []\n', "rules"),
        (RULE.format(group="x", role="operator"), "groups"),
        ('groups = ["groups"]\nrule = "x"\n' + RULE.format(group="x", role="operator"), "rule"),
        ("groups = [", "not TOML"),
    ],
)
def test_what_is_wrong_with_a_file_of_rules_is_one_sentence(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "roles.toml"
    path.write_text(text)
    with pytest.raises(Misconfigured) as refusal:
        RoleRules.read(path)
    assert told in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_file_that_is_not_there_or_no_text_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="can't be read"):
        RoleRules.read(tmp_path / "none.toml")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(Misconfigured, match="UTF-8"):
        RoleRules.read(tmp_path / "binary")


def test_the_commands_check_a_file_and_try_it_out(tmp_path: Path) -> None:
    shown = CliRunner().invoke(app, ["roles", "check", str(roles.SHIPPED)])
    assert (shown.exit_code, shown.stdout) == (0, f"{len(SHIPPED.rules)} rules, nothing is wrong with them\n")
    (tmp_path / "wrong").write_text("groups = 1")
    assert isinstance(CliRunner().invoke(app, ["roles", "check", str(tmp_path / "wrong")]).exception, Stop)
    asked = ["--group", "Local.socialerasmus:CZ-BRNO-VUT", "--group", "NATIONAL_ORGANISATION:president"]
    shown = CliRunner().invoke(app, ["roles", "explain", *asked, "--group", "Local.bar:CZ-BRNO-VUT"])
    nothing = "gives nothing, for no country is named"
    assert shown.stdout.splitlines() == [
        "rule 1  Local.socialerasmus:{section}  matched Local.socialerasmus:CZ-BRNO-VUT: local_coordinator CZ-BRNO-VUT",
        f"rule 5  NATIONAL_ORGANISATION:president  matched NATIONAL_ORGANISATION:president: {nothing}",
        "no rule names Local.bar:CZ-BRNO-VUT",
        "acts as local_coordinator CZ-BRNO-VUT",
    ]
    shown = CliRunner().invoke(app, ["roles", "explain", "--group", "x"])
    assert shown.stdout.splitlines() == ["no rule names x", "no role: every request is refused"]


def test_the_development_issuer_starts_neither_in_production_nor_for_other_machines() -> None:
    told = harness.settings("postgresql://db/se", "redis://queue")
    assert development_issuer.made(told, address="http://127.0.0.1:8010").people
    with pytest.raises(Stop, match="production"):
        development_issuer.made(told.model_copy(update={"environment": "production"}), address="http://127.0.0.1:8010")
    for address in ("http://0.0.0.0:8010", "http://192.0.2.1:8010", "https://accounts.example"):
        with pytest.raises(Stop, match="this machine only"):
            development_issuer.made(told, address=address)
