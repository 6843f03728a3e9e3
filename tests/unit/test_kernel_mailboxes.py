"""Addresses that are read the short way: what they are is what the long way says."""

from __future__ import annotations

import pytest

from services.kernel import mailboxes


@pytest.mark.parametrize(
    "address",
    [
        "a.b+c@students.example", "_@X.Example", "-a@x.example", "a@XN--MLLER-KVA.org", "a..b@x.example",
        ".a@x.example", "a.@x.example", f"{'a' * 64}@x.example", f"{'a' * 65}@x.example", "x@-a.example",
        "x@a..example", "x@localhost",
        "x@foo.test", "x@[192.0.2.1]", "a@x.example.", "a'b@x.example", "a@x_y.example", "a@123.456", "a@x.example\n",
        f"a@{'bbbbb.' * 41}org", f"{'a' * 60}@{'bbbbbbbbb.' * 19}org", f"a@{'b.' * 125}org",
        "a@b@x.example", "@x.example",
    ],
)  # fmt: skip
def test_the_short_way_and_the_long_way_say_the_same(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def read() -> mailboxes.Mailbox | str:
        try:
            return mailboxes.mailbox(address)
        except ValueError as failure:
            return str(failure)

    short = [read(), read()]
    monkeypatch.setattr(mailboxes, "_plain", lambda _: None)
    assert short == [read()] * 2
