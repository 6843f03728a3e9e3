"""How the command line reads variables, URLs and pip's configuration, and where it puts its state."""

import ast
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from deploy import account, addresses, command, environment, mirrors, processes, settings, state
from deploy.failure import Failure
from services.kernel import secret_files

PROJECT = Path(__file__).resolve().parents[2]

PIP_CONFIGURATION = r"""
global.index-url='https://mirror.example/simple'
global.extra-index-url='https://one.example/simple\nhttps://two.example/simple'
global.timeout='20'
install.timeout='60'
global.trusted-host='mirror.example'
global.proxy='http://proxy.example:3128'
freeze.timeout='1'
:env:.cert='/etc/ca.pem'
:env:.find-links='/one /two'
:env:.no-index='1'
not a setting
"""


@pytest.mark.parametrize(
    ("url", "places", "user", "database"),
    [
        ("postgresql://ann:s3cret@db.example:6432/catalogue", ["db.example:6432"], "ann", "catalogue"),
        ("postgres://ann@db.example", ["db.example:5432"], "ann", "ann"),
        ("postgresql+asyncpg://ann:a%40b@[::1]/c?ssl=require", ["[::1]:5432"], "ann", "c"),
        ("postgresql://ann@one:1,two:2/c?target_session_attrs=any", ["one:1", "two:2"], "ann", "c"),
        ("postgresql:///c?host=/run/postgresql&user=ann", ["/run/postgresql/.s.PGSQL.5432"], "ann", "c"),
        ("postgresql://%2Frun%2Fpostgresql/c", ["/run/postgresql/.s.PGSQL.5432"], "", "c"),
        ("postgresql://", ["localhost:5432"], "", ""),
    ],
)
def test_a_database_url_is_read_in_every_usual_form(url: str, places: list[str], user: str, database: str) -> None:
    address = addresses.postgres("DATABASE_URL", url)
    assert [str(place) for place in address.places] == places
    assert (address.user, address.database) == (user, database)


@pytest.mark.parametrize(
    ("url", "place", "user", "password", "is_encrypted"),
    [
        ("redis://", "localhost:6379", "", "", False),
        ("redis://:s3cret@cache.example:7000/1", "cache.example:7000", "", "s3cret", False),
        ("rediss://ann:s%2Fcret@cache.example", "cache.example:6379", "ann", "s/cret", True),
        ("unix:///run/valkey.sock?db=1&password=s3cret", "/run/valkey.sock", "", "s3cret", False),
    ],
)
def test_a_redis_url_is_read_in_every_usual_form(
    url: str, place: str, user: str, password: str, is_encrypted: bool
) -> None:
    address = addresses.redis("REDIS_URL", url)
    assert (str(address.places[0]), address.user, address.password, address.is_encrypted) == (
        place,
        user,
        password,
        is_encrypted,
    )


@pytest.mark.parametrize(
    "url",
    [
        "hunter2",
        "mysql://ann:hunter2@db/c",
        "postgresql://ann:hun/ter2@db/c",
        "postgresql://ann:hunter2@db:port/c",
        "postgresql://ann:hunter2@db:0/c",
    ],
)
def test_a_bad_database_url_is_refused_without_repeating_its_password(url: str) -> None:
    with pytest.raises(Failure) as refusal:
        addresses.postgres("DATABASE_URL", url)
    assert "DATABASE_URL" in str(refusal.value)
    assert "ter2" not in str(refusal.value)


def test_pip_configuration_becomes_variables_of_uv() -> None:
    told = mirrors.translate(mirrors.read(PIP_CONFIGURATION), {"HTTP_PROXY": "http://mine.example"})
    assert told.options == ["--no-index"]
    assert told.variables == {
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
        "UV_INDEX": "https://one.example/simple https://two.example/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": "/one,/two",
        "UV_INSECURE_HOST": "mirror.example",
        "UV_HTTP_TIMEOUT": "60",
        "SSL_CERT_FILE": "/etc/ca.pem",
        "HTTPS_PROXY": "http://proxy.example:3128",
    }


def test_what_was_told_to_uv_itself_stands() -> None:
    pip = {"index-url": ["https://mirror.example/simple"], "extra-index-url": ["https://one.example/simple"]}
    assert mirrors.translate(pip, {"UV_INDEX_URL": "https://other.example", "UV_INDEX": ""}).variables == {}


def test_a_stamp_changes_with_the_requirements_only() -> None:
    assert environment.stamp(b"a==1") == environment.stamp(b"a==1")
    assert environment.stamp(b"a==1") != environment.stamp(b"a==2")


def test_python_versions_and_purposes_have_environments_of_their_own() -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert environment.name_for("run") == f"environment-{version}"
    assert environment.name_for("test") == f"environment-{version}-test"


def test_a_file_of_variables_is_read_and_a_bad_line_named(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# a comment\n\nexport A=1\nB = 'two words'\nC=\"x=y\"\nD=\n")
    assert settings.read_file(file) == {"A": "1", "B": "two words", "C": "x=y", "D": ""}
    file.write_text("A=1\nnonsense\n")
    with pytest.raises(Failure, match="Line 2 of"):
        settings.read_file(file)
    assert settings.read_file(tmp_path / "absent") == {}


def test_the_state_lies_where_asked_else_in_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert state.choose(tmp_path, "/elsewhere/state") == Path("/elsewhere/state")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert state.choose(tmp_path, None) == tmp_path / ".socialerasmus"


def test_root_puts_the_state_of_a_private_project_where_postgres_can_reach_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(account.Account, "may_enter", lambda _self, directory: directory != tmp_path / "private")
    assert state.choose(tmp_path / "open", None) == tmp_path / "open" / ".socialerasmus"
    chosen = state.choose(tmp_path / "private", None)
    assert chosen.parent == Path("/var/tmp")
    assert chosen != state.choose(tmp_path / "private" / "..", None)
    assert chosen == state.choose(tmp_path / "private", None)


def test_a_folder_that_holds_other_things_is_not_taken_for_a_state(tmp_path: Path) -> None:
    tmp_path.joinpath("thesis.tex").touch()
    with pytest.raises(Failure, match="other things"):
        state.State(tmp_path).make()
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_private_file_is_written_whole_and_for_us_alone(tmp_path: Path) -> None:
    state.write_private(tmp_path / "secret", "one")
    state.write_private(tmp_path / "secret", "two")
    assert (tmp_path / "secret").read_text() == "two"
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("code", "words"), [(0, "ended with code 0"), (3, "ended with code 3"), (-9, "was ended by SIGKILL")]
)
def test_an_ending_is_told_in_words(code: int, words: str) -> None:
    assert str(processes.Ending(code)) == words


@pytest.mark.parametrize(
    "arguments", [["up", "--port", "0"], ["up", "--port", "http"], ["up", "--prot", "1"], ["sideways"], []]
)
def test_a_wrong_command_line_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ending:
        command.main(arguments)
    assert ending.value.code == 2
    assert "usage: python3 deploy" in capsys.readouterr().err


def test_an_old_python_is_told_so_in_one_sentence() -> None:
    entry = str(PROJECT / "deploy")
    pretend = f"import sys, runpy; sys.version_info = (3, 6, 15); runpy.run_path({entry!r}, run_name='__main__')"
    answer = subprocess.run([sys.executable, "-c", pretend], capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert answer.stderr.startswith("SocialErasmus needs Python 3.11 or newer, this is 3.6.15")
    assert answer.stderr.count("\n") == 1


def test_the_entry_is_written_for_pythons_that_are_too_old() -> None:
    text = (PROJECT / "deploy" / "__main__.py").read_text()
    assert text.isascii()
    ast.parse(text, feature_version=(3, 7))  # the oldest grammar this Python still knows
    for newer in ('f"', ":=", "->", "from __future__"):
        assert newer not in text


def test_secrets_in_files_are_read_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert settings.FROM_FILES == secret_files.FROM_FILES
    (tmp_path / "url").write_text("postgresql://ann:s3cret@db.example/c\n")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path / "url"))
    gathered = settings.gather(state=None, environment=None, with_file=False)
    assert gathered.database_url == "postgresql://ann:s3cret@db.example/c"
    assert "DATABASE_URL_FILE" not in gathered.variables
    monkeypatch.setenv("DATABASE_URL", "postgresql://")
    with pytest.raises(Failure, match="both set"):
        settings.gather(state=None, environment=None, with_file=False)
    monkeypatch.delenv("DATABASE_URL")
    (tmp_path / "url").unlink()
    with pytest.raises(Failure, match="DATABASE_URL_FILE can't be read: No such file or directory"):
        settings.gather(state=None, environment=None, with_file=False)
