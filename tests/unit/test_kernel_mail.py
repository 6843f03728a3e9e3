"""A mail has the headers that it was given, whatever stands in them."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.kernel import mail
from services.kernel.mailboxes import mailbox
from tests.harness.databases import settings

ROW: dict[str, Any] = {
    "id": UUID(int=1), "recipient": "ann@example.org", "reply_to": "bob@example.org", "subject": "A place",
    "body": "Hello", "language": "en", "queued_at": datetime(2026, 11, 1, tzinfo=UTC),
}  # fmt: skip
SETTINGS = settings("postgresql://nobody@localhost/none", "redis://localhost")


def _headers(**changes: Any) -> dict[str, str]:
    sent = bytes(mail.compose(SETTINGS, {**ROW, **changes}))
    read = email.message_from_bytes(sent, policy=email.policy.compat32)
    return {name.lower(): value for name, value in read.items()}


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=200))
@example("=?utf-8?q?=0D=0ABcc:_all@example.org?=")
@example("=?utf-8?b?DQpCY2M6IGFsbEBleGFtcGxlLm9yZw==?= hidden =?utf-8?q?=0A?=")
def test_no_subject_adds_a_header(subject: str) -> None:
    plain = _headers()
    assert _headers(subject=f"Partner: {subject}").keys() == plain.keys()
    assert (plain["to"], plain["reply-to"]) == ("ann@example.org", "bob@example.org")


def test_a_mail_that_nobody_answers_names_nobody_to_answer() -> None:
    assert "reply-to" not in _headers(reply_to=None)


@pytest.mark.parametrize("local", ["=?utf-8?q?x=2C_a=40b.c?=", "=?utf-8?q?=0D=0ABcc=3A_all?=", "a=?b"])
def test_an_address_that_hides_another_one_is_none(local: str) -> None:
    with pytest.raises(ValueError, match="before the @"):
        mailbox(f"{local}@example.org")
    assert "bcc" not in _headers(recipient=f"{local}@example.org")
