"""Business mail: queued in the transaction that causes it, sent by a sweep under one message id however often tried.

A letter may be queued as what it tells (`facts`), and is written when it is sent: the same facts give the same words.
"""

from __future__ import annotations

import asyncio
import io
import ssl
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

import aiosmtplib
import segno
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel.ids import new_id
from services.kernel.logs import logger
from services.kernel.reach import EVERYTHING
from services.kernel.runtime import Runtime
from services.kernel.settings import Settings
from services.kernel.trace import current_trace_id, traced

BATCH = 20
MOST_TRIES = 30
LONGEST_PAUSE_SECONDS = 4 * 3600
DELIVERY_SECONDS = 20
LEASE_SECONDS = 30

log = logger(__name__)


def outgoing_table(
    metadata: sa.MetaData,
    *,
    takes_replies: bool = False,
    can_be_declined: bool = False,
    shows_codes: bool = False,
    writes_late: bool = False,
) -> sa.Table:
    """The queue of one service's mails: some are answered where `takes_replies`, or unwanted where `can_be_declined`.

    Some hold QR codes where it `shows_codes`, and some are yet to be written where it `writes_late`.

    Addresses, facts and text are wiped as soon as a mail is sent or given up.
    """
    reply_to = [sa.Column("reply_to", sa.Text)] if takes_replies else []
    unsubscribe_url = [sa.Column("unsubscribe_url", sa.Text)] if can_be_declined else []
    codes: list[sa.Column[Any]] = [sa.Column("codes", ARRAY(sa.Text))] if shows_codes else []
    facts: list[sa.Column[Any]] = [sa.Column("facts", JSONB(none_as_null=True))] if writes_late else []
    return sa.Table(
        "outgoing_mail",
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("business_key", sa.Text, nullable=False, unique=True),
        sa.Column("about", sa.Text, sa.Computed("split_part(business_key, ':', 1)", persisted=True), index=True),
        sa.Column("recipient", sa.Text),
        *reply_to,
        *unsubscribe_url,
        *codes,
        *facts,
        sa.Column("subject", sa.Text),
        sa.Column("body", sa.Text),
        sa.Column("html", sa.Text),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("trace_id", sa.Text, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.text("now()")),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.Column("given_up_at", sa.DateTime(timezone=True)),
        sa.Column("error", sa.Text),
        sa.Column("status", sa.Text),
        sa.Column("bounced_at", sa.DateTime(timezone=True)),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.Index("ix_outgoing_mail_due", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
    )


class Outcome(StrEnum):
    """What became of a mail, as far as anybody knows."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Mail:
    """One business mail; `business_key` names its cause, so that the same cause never writes twice.

    What stands before the key's first colon is what the mail is about.
    """

    business_key: str
    recipient: str
    subject: str | None
    body: str | None
    language: str
    reply_to: str | None = None
    html: str | None = None
    unsubscribe_url: str | None = None
    """Where one POST ends further mails of this kind; for those that somebody may not want."""
    codes: Sequence[str] = ()
    """What the QR codes within the mail say; its HTML shows them by their `content_id`."""
    facts: Mapping[str, Any] | None = None
    """What is told, of a letter that is yet to be written: it has neither subject nor body."""


Write = Callable[[sa.RowMapping], Mapping[str, Any]]
"""Writes a letter from its facts: `subject`, `body`, `html` and `codes`."""


async def queue(session: AsyncSession, table: sa.Table, mail: Mail) -> None:
    """Send `mail` once the caller's transaction is committed."""
    row = _row(mail)
    await session.execute(insert(table).values(row).on_conflict_do_nothing(index_elements=["business_key"]))


def _row(mail: Mail) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": new_id(),
        "business_key": mail.business_key,
        "recipient": mail.recipient,
        "subject": mail.subject,
        "body": mail.body,
        "html": mail.html,
        "language": mail.language,
        "trace_id": current_trace_id(),
    }
    if mail.reply_to is not None:
        row["reply_to"] = mail.reply_to
    if mail.unsubscribe_url is not None:
        row["unsubscribe_url"] = mail.unsubscribe_url
    if mail.codes:
        row["codes"] = list(mail.codes)
    if mail.facts is not None:
        row["facts"] = mail.facts
    return row


async def send_due(runtime: Runtime, table: sa.Table, write: Write | None = None) -> int:
    """Send what is due, at most one batch, and `write` before what is yet to be written; answers how many were tried.

    A mail is claimed for `LEASE_SECONDS` and sent outside of any transaction: while one is open, nobody can read the
    event log past its beginning, and a mail server may take its time. Two workers never send the same mail at once,
    and one whose sender was killed is sent again, with the same id, when its claim ends.
    """
    for done in range(BATCH):
        async with runtime.unit_of_work(EVERYTHING) as session:
            row = await _claim(session, table)
        if row is None:
            return done
        with traced(row["trace_id"]):
            changes = await _try(runtime.settings, row, write)
        async with runtime.unit_of_work(EVERYTHING) as session:
            await session.execute(sa.update(table).where(table.c.id == row["id"]).values(changes))
    return BATCH


async def bounced(session: AsyncSession, table: sa.Table, identity: UUID, status: str) -> bool:
    """Remember that a mail that was sent came back for good; answers whether there is such a mail."""
    statement = (
        sa.update(table)
        .where(table.c.id == identity)
        .values(bounced_at=sa.func.coalesce(table.c.bounced_at, sa.func.now()), status=status)
        .returning(table.c.id)
    )
    return await session.scalar(statement) is not None


async def outcomes(session: AsyncSession, table: sa.Table, about: Collection[str]) -> dict[str, Outcome]:
    """What became of the latest mail about each of several things."""
    statement = (
        sa.select(table.c.about, table.c.sent_at, table.c.given_up_at, table.c.bounced_at)
        .where(table.c.about.in_(about))
        .ext(distinct_on(table.c.about))
        .order_by(table.c.about, table.c.queued_at.desc(), table.c.id.desc())
    )
    found = {}
    for row in await session.execute(statement):
        failed = row.given_up_at is not None or row.bounced_at is not None
        found[row.about] = Outcome.FAILED if failed else Outcome.SENT if row.sent_at else Outcome.QUEUED
    return found


async def _claim(session: AsyncSession, table: sa.Table) -> sa.RowMapping | None:
    due = sa.select(table.c.id).where(table.c.due_at <= sa.func.now()).order_by(table.c.due_at).limit(1)
    first = due.with_for_update(skip_locked=True).cte("due")
    claimed = (
        sa.update(table)
        .where(table.c.id == first.c.id)
        .values(due_at=_after(LEASE_SECONDS), tries=table.c.tries + 1)
        .returning(table)
    )
    found: sa.RowMapping | None = (await session.execute(claimed)).mappings().one_or_none()
    return found


def _after(seconds: float) -> sa.ColumnElement[Any]:
    return sa.func.now() + sa.func.make_interval(0, 0, 0, 0, 0, 0, seconds)


async def _try(settings: Settings, row: sa.RowMapping, write: Write | None) -> dict[str, Any]:
    personal = {"recipient", "reply_to", "subject", "body", "html", "unsubscribe_url", "codes", "facts"} & row.keys()
    over = {"due_at": None, **dict.fromkeys(personal)}
    try:
        said = dict(row) if write is None or row["facts"] is None else {**row, **write(row)}
    except Exception as failure:  # Of our own words: a later version may know how to say it.
        log.exception("a letter could not be written", mail=str(row["id"]), exc_info=failure)
        return {"due_at": _after(_pause(row)), "error": type(failure).__name__}
    try:
        async with asyncio.timeout(DELIVERY_SECONDS):
            await _deliver(settings, row["id"].hex, compose(settings, said))
    except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as failure:
        code = _code(failure)
        # A ValueError is about the mail itself, which no waiting mends.
        hopeless = isinstance(failure, ValueError) or (code is not None and 500 <= code < 600)
        if hopeless or row["tries"] >= MOST_TRIES:
            log.warning("mail given up", mail=str(row["id"]), error=type(failure).__name__, code=code)
            status = None if code is None else str(code)
            return {**over, "given_up_at": sa.func.now(), "error": type(failure).__name__, "status": status}
        log.warning("mail delayed", mail=str(row["id"]), error=type(failure).__name__, code=code)
        return {"due_at": _after(_pause(row)), "error": type(failure).__name__}
    log.info("mail sent", mail=str(row["id"]))
    return {**over, "sent_at": sa.func.now(), "error": None}


def _pause(row: sa.RowMapping) -> int:
    return min(LONGEST_PAUSE_SECONDS, int(5 * 2 ** min(row["tries"] - 1, 20)))


def _code(failure: Exception) -> int | None:
    """What the mail server answered; each mail has one recipient."""
    if isinstance(failure, aiosmtplib.SMTPRecipientsRefused):
        return failure.recipients[0].code
    return failure.code if isinstance(failure, aiosmtplib.SMTPResponseException) else None


def compose(settings: Settings, row: Any) -> EmailMessage:
    """The message as it is sent; every try has the same Message-ID and Date, and is the same to the last byte.

    List-Unsubscribe (RFC 2369, RFC 8058) stands only where a further mail of the kind may be unwanted: most are about
    something that their reader signed up for, once.
    """
    message = EmailMessage()
    message["From"] = settings.mail_from
    message["To"] = _header(row["recipient"])
    if reply_to := row.get("reply_to"):
        message["Reply-To"] = _header(reply_to)
    message["Subject"] = _header(row["subject"])
    message["Message-ID"] = f"<{row['id'].hex}@{urlsplit(settings.base_url).hostname}>"
    message["Date"] = format_datetime(row["queued_at"])
    message["Auto-Submitted"] = "auto-generated"
    if unsubscribe_url := row.get("unsubscribe_url"):
        message["List-Unsubscribe"] = f"<{unsubscribe_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(row["body"])
    if row.get("html") is not None:
        message.add_alternative(row["html"], subtype="html")
        message.set_boundary(f"=_{row['id'].hex}")
        _add_codes(message, row["id"].hex, row.get("codes") or ())
    # Setting the content takes every header away that speaks of content.
    message["Content-Language"] = row["language"]
    return message


def content_id(number: int) -> str:
    """How the HTML of a mail names one of its QR codes, behind `cid:` (RFC 2392)."""
    return f"code-{number}"


def _add_codes(message: EmailMessage, name: str, codes: Sequence[str]) -> None:
    """Put QR codes into a mail, which shows them without asking any server, and without a network."""
    html = message.get_body(("html",))
    if not codes or html is None:
        return
    for number, code in enumerate(codes, 1):
        picture = drawn(code)
        html.add_related(
            picture, "image", "png", cid=f"<{content_id(number)}>", disposition="inline", filename=f"code-{number}.png"
        )
    html.set_boundary(f"=_{name}_codes")


def drawn(code: str) -> bytes:
    """A QR code as PNG: black on white, in the dark too."""
    made = io.BytesIO()
    segno.make_qr(code, error="m").save(made, kind="png", scale=4, border=4, light="#fff")
    return made.getvalue()


def _header(written: str) -> str:
    """What stands in a header, as it is: Python decodes encoded words (RFC 2047) in it, line ends and all."""
    return written.replace("=?", "= ?")


async def _deliver(settings: Settings, name: str, message: EmailMessage) -> None:
    if settings.smtp_url is not None:
        await _deliver_by_smtp(settings.smtp_url.get_secret_value(), message)
    elif settings.mailbox is not None:
        await asyncio.to_thread(_deliver_to_folder, settings.mailbox, name, message)
    else:
        raise OSError("neither SMTP_URL nor SOCIALERASMUS_MAILBOX is set")


def _deliver_to_folder(folder: Path, name: str, message: EmailMessage) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = folder / f".{name}"
    unfinished.write_bytes(bytes(message))
    unfinished.rename(folder / f"{name}.eml")


async def _deliver_by_smtp(url: str, message: EmailMessage) -> None:
    """`smtp://user:password@host:587` (STARTTLS when offered, `?starttls=always|never`), `smtps://…:465`."""
    parts = urlsplit(url)
    secure = parts.scheme == "smtps"
    starttls = {"always": True, "never": False}.get(parse_qs(parts.query).get("starttls", [""])[0])
    await aiosmtplib.send(
        message,
        hostname=parts.hostname or "localhost",
        port=parts.port or (465 if secure else 587),
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        use_tls=secure,
        start_tls=None if secure else starttls,
        tls_context=ssl.create_default_context(),
        timeout=15,
    )
