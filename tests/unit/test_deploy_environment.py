"""The Python environment is made once, known by its stamp, and made again when half made."""

import sys
from pathlib import Path

import pytest

from deploy import environment, processes
from deploy.failure import Failure

SAYS_NO_NETWORK = "WARNING: Retrying: NewConnectionError: Failed to establish a new connection"


class Builder:
    """Stands in for the making of an environment, which downloads."""

    def __init__(self) -> None:
        """Count the times."""
        self.times = 0
        self.breaks = False

    def make(self, home: Path, *_rest: object) -> None:
        """Leave what a real one leaves: all of it, or a part."""
        self.times += 1
        home.joinpath("bin").mkdir(parents=True)
        if self.breaks:
            raise KeyboardInterrupt
        home.joinpath("bin", "python").touch()


@pytest.fixture
def builder(monkeypatch: pytest.MonkeyPatch) -> Builder:
    """Replace the making."""
    stand_in = Builder()
    monkeypatch.setattr(environment, "_make", stand_in.make)
    return stand_in


def test_a_second_run_does_no_work(builder: Builder, tmp_path: Path) -> None:
    first = environment.ready(tmp_path, "run", tmp_path / "log")
    assert environment.ready(tmp_path, "run", tmp_path / "log") == first
    assert builder.times == 1


def test_a_half_made_environment_is_made_again(builder: Builder, tmp_path: Path) -> None:
    builder.breaks = True
    with pytest.raises(KeyboardInterrupt):
        environment.ready(tmp_path, "run", tmp_path / "log")
    builder.breaks = False
    home = environment.ready(tmp_path, "run", tmp_path / "log")
    assert builder.times == 2
    assert environment.python_of(home).exists()


def test_an_environment_of_other_requirements_or_without_its_python_is_made_again(
    builder: Builder, tmp_path: Path
) -> None:
    home = environment.ready(tmp_path, "run", tmp_path / "log")
    home.joinpath(environment.STAMP).write_text(environment.stamp(b"something older"))
    environment.ready(tmp_path, "run", tmp_path / "log")
    environment.python_of(home).unlink()  # as when the Python below it was uninstalled
    environment.ready(tmp_path, "run", tmp_path / "log")
    assert builder.times == 3


def test_an_environment_that_the_user_keeps_must_be_one(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="no Python environment"):
        environment.existing(str(tmp_path))
    assert environment.existing(sys.prefix) == Path(sys.prefix)


def test_a_python_without_its_venv_parts_is_told_which_package_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "ensurepip" else object())
    with pytest.raises(Failure, match=rf"apt install python3\.{sys.version_info.minor}-venv"):
        environment.ready(tmp_path, "run", tmp_path / "log")


@pytest.mark.parametrize(
    ("failing", "said", "ran", "sentence"),
    [
        ("pip", SAYS_NO_NETWORK, ["venv", "pip"], "the package index cannot be reached"),
        ("pip", "ERROR: No matching distribution", ["venv", "pip", "pip"], "ERROR: No matching distribution"),
        ("venv", "Error: no space left", ["venv"], "could not be made: Error: no space left"),
    ],
)
def test_a_failed_making_is_told_in_one_sentence(
    failing: str, said: str, ran: list[str], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def pretend(command: tuple[object, ...], *, log: Path, **_more: object) -> int:
        seen.append(str(command[2]))
        log.write_text(said)
        return int(command[2] == failing)

    monkeypatch.setattr(processes, "run", pretend)
    with pytest.raises(Failure) as failure:
        environment.ready(tmp_path, "run", tmp_path / "log")
    assert sentence in str(failure.value)
    assert seen == ran
