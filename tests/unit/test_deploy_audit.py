"""`deploy audit`: weaknesses of libraries against the deadlines of SECURITY.md, told by a stand-in for OSV."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from deploy import audit, command, osv
from deploy.failure import Failure

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
PINS = """sqlalchemy[asyncio]==2.1.0 \\
    --hash=sha256:aa
    # via -r x==9
Python_Multipart==0.0.9 ; python_version > "3"
"""


class _List(BaseHTTPRequestHandler):
    entries: ClassVar[dict[str, dict[str, Any]]] = {}
    known: ClassVar[dict[str, list[list[str]]]] = {}
    asked: ClassVar[list[Any]] = []
    status: ClassVar[int] = 200

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(asked)
        results = []
        for query in asked["queries"]:
            pages = self.known.get(query["package"]["name"], [[]])
            number = int(query.get("page_token", 0))
            result: dict[str, Any] = {"vulns": [{"id": each, "modified": "x"} for each in pages[number]]}
            if number + 1 < len(pages):
                result["next_page_token"] = str(number + 1)
            results.append(result if result["vulns"] else {})
        self._answer({"results": results})

    def do_GET(self) -> None:
        self._answer(self.entries[self.path.removeprefix("/v1/vulns/")])

    def _answer(self, told: Any) -> None:
        body = json.dumps(told).encode()
        self.send_response(self.status)
        self.send_header("Location", "https://elsewhere.example/")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def osv_url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name, value in {"entries": {}, "known": {}, "asked": [], "status": 200}.items():
        monkeypatch.setattr(_List, name, value)
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), _List) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in audit.FILES:
        (tmp_path / name).write_text(PINS)
    return tmp_path


def _known(library: str, *entries: dict[str, Any]) -> None:
    _List.known[library] = [[each["id"] for each in entries]]
    _List.entries.update({each["id"]: each for each in entries})


def _entry(identity: str, days: float, **more: Any) -> dict[str, Any]:
    return {"id": identity, "published": (NOW - timedelta(days=days)).isoformat().replace("+00:00", "Z"), **more}


_HIGH = {"severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}]}


def test_nothing_known_is_nothing_to_do(osv_url: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.audit(osv_url, folder=folder, now=NOW) == 0
    assert capsys.readouterr().out == "2 libraries, 0 known weaknesses, 0 of them overdue.\n"
    [asked] = _List.asked
    assert asked["queries"] == [
        {"package": {"name": "python-multipart", "ecosystem": "PyPI"}, "version": "0.0.9"},
        {"package": {"name": "sqlalchemy", "ecosystem": "PyPI"}, "version": "2.1.0"},
    ]


@pytest.mark.parametrize(
    ("days", "code", "state"), [(6.9, 0, "due 2026-12-01"), (7.1, 1, "overdue"), (9.5, 1, "overdue for 2 days")]
)
def test_a_weakness_may_be_young_but_not_old(
    osv_url: str, folder: Path, capsys: pytest.CaptureFixture[str], days: float, code: int, state: str
) -> None:
    span = {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "0.0.18"}]}
    affected = [{"package": {"name": "python_multipart"}, "ranges": [span]}]
    _known("python-multipart", _entry("GHSA-1", days, aliases=["CVE-2026-1"], affected=affected, **_HIGH))
    assert audit.audit(osv_url, folder=folder, now=NOW) == code
    heading, row, total = capsys.readouterr().out.splitlines()
    assert heading.split("  ")[0] == "library"
    since = f"{NOW - timedelta(days=days):%Y-%m-%d}"
    assert [cell.strip() for cell in row.split("  ") if cell.strip()] == [
        "python-multipart 0.0.9", "CVE-2026-1", "high", since, "0.0.18", state,
    ]  # fmt: skip
    assert total == f"2 libraries, 1 known weaknesses, {code} of them overdue."


def test_what_several_lists_know_counts_once_as_the_worst_of_them_say(
    osv_url: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _known(
        "sqlalchemy",
        _entry("PYSEC-1", 20, aliases=["CVE-2026-2"]),
        _entry("GHSA-2", 3, aliases=["CVE-2026-2"], database_specific={"severity": "MODERATE"}),
        _entry("GHSA-3", 1, database_specific={"severity": "LOW"}, **_HIGH),
        _entry("GHSA-4", 400, withdrawn="2026-01-01T00:00:00Z"),
    )
    # What comes on a second page counts as much.
    _List.known["sqlalchemy"] = [["PYSEC-1"], ["GHSA-2", "GHSA-3", "GHSA-4"]]
    assert audit.audit(osv_url, folder=folder, now=NOW) == 0
    _, first, second, _ = capsys.readouterr().out.splitlines()
    assert "GHSA-3" in first
    assert "high" in first
    assert "CVE-2026-2" in second
    assert "medium" in second
    assert f"{NOW - timedelta(days=20):%Y-%m-%d}" in second


def test_what_nobody_rated_counts_as_high(osv_url: str, folder: Path) -> None:
    _known("sqlalchemy", _entry("PYSEC-1", 8))
    assert audit.audit(osv_url, folder=folder, now=NOW) == 1
    _known("sqlalchemy", _entry("PYSEC-1", 8, database_specific={"severity": "LOW"}))
    assert audit.audit(osv_url, folder=folder, now=NOW) == 0


def test_libraries_that_nobody_renewed_for_too_long_are_told(
    osv_url: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    due = audit.read_policy(audit.POLICY.read_text()).renewal_due
    assert audit.audit(osv_url, folder=folder, now=due) == 0
    assert audit.audit(osv_url, folder=folder, now=due + timedelta(seconds=1)) == 1
    assert "All libraries were renewed on " in capsys.readouterr().out


@pytest.mark.parametrize("status", [302, 404, 500])
def test_who_answers_something_else_said_nothing(
    osv_url: str, folder: Path, capsys: pytest.CaptureFixture[str], status: int
) -> None:
    _List.status = status
    assert audit.audit(osv_url, folder=folder, now=NOW) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert f"answered {status}. Nothing was found out about 2 libraries." in told.err


def test_a_list_that_is_away_is_not_one_that_knows_of_nothing(
    osv_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOCIALERASMUS_OSV_URL", raising=False)
    # Nobody listens at 1.
    assert command.main(["audit", "--osv", "http://127.0.0.1:1/"]) == 2
    assert "127.0.0.1:1 can't be reached (Connection refused)" in capsys.readouterr().err
    _known("sqlalchemy", {"id": "x"})
    assert command.main(["audit", "--osv", osv_url]) == 2
    assert "not of OSV's form" in capsys.readouterr().err


@pytest.mark.parametrize("address", ["http://osv.example", "ftp://127.0.0.1", "api.osv.dev", ""])
def test_the_list_is_asked_by_tls_alone(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["audit", "--osv", address])
    assert "https://" in capsys.readouterr().err


def test_every_library_that_is_installed_is_asked_about() -> None:
    for name in audit.FILES:
        text = (audit.PROJECT / "deploy" / name).read_text()
        pins = audit.read_pins(text)
        assert len(pins) == sum("==" in line and not line.startswith((" ", "#")) for line in text.splitlines()) > 0
        assert all("_" not in library for library, _ in pins)
    assert set(audit.FILES) == {path.name for path in (audit.PROJECT / "deploy").glob("requirements*.txt")}


def test_a_policy_that_cannot_be_read_ends_it() -> None:
    with pytest.raises(Failure):
        audit.read_policy("| high (7.0 to 8.9) | 7 days |")


# Vectors with the scores that the specification's own examples and NVD give.
@pytest.mark.parametrize(
    ("vector", "score"),
    [
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10.0),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1),
        ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", 7.5),
        ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 6.4),
        ("CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", 1.8),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0.0),
        ("CVSS:3.1/AV:N", None),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", None),
    ],
)
def test_a_vector_is_scored_as_its_specification_says(vector: str, score: float | None) -> None:
    assert osv.score(vector) == score
