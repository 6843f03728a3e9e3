"""What is done about certificates: issued to whoever was there, verified by anybody, revoked by organisers."""

from __future__ import annotations

import hashlib
import hmac
import json
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from services.contracts import ParticipantClass
from services.kernel import reach
from services.kernel.auth import Actor, hashed
from services.kernel.problems import FieldError, Invalid
from services.kernel.settings import Settings
from services.kernel.texts import one_line
from services.registration.certificates import rendering, rules, store
from services.registration.certificates.rules import Standing
from services.registration.certificates.schemas import (
    CertificateWanted,
    CertifiedActivity,
    Content,
    HoursOfAYear,
    MyCertificate,
    MyHours,
    Verification,
)
from services.registration.certificates.store import Attended
from services.registration.certificates.tables import Certificate
from services.registration.mail.languages import language_of
from services.registration.places import store as places_store


def address(base_url: str, number: str) -> str:
    """Where anybody verifies a certificate."""
    return f"{base_url}/registration/certificates/{number}"


def day_of(attended: Attended) -> date:
    """The day of an activity, in its own zone."""
    return attended.began_at.astimezone(ZoneInfo(attended.places.time_zone)).date()


async def issue(
    session: AsyncSession, settings: Settings, participant_id: UUID, wanted: CertificateWanted
) -> tuple[Certificate, bool]:
    """Certify attendances of somebody who is locked; answers whether it is a new one, or one that states the same."""
    chosen = _choose(await store.attended(session, participant_id), wanted)
    content = _content(chosen, wanted, settings)
    told = json.dumps(content.model_dump(mode="json"), sort_keys=True, ensure_ascii=False).encode()
    content_hash = hashlib.sha256(told).digest()
    known = await store.current(session, participant_id, content_hash)
    if known is not None:
        return known, False
    if await store.count_of(session, participant_id) >= rules.MOST_CERTIFICATES:
        raise rules.TooMuchToCertify
    number = rules.new_number()
    row = Certificate(
        number_hash=hashed(number),
        number=number,
        participant_id=participant_id,
        content=content.model_dump(mode="json"),
        content_hash=content_hash,
        name_digest=_digest(number, content.name),
        activities=len(content.activities),
        hours=content.hours,
        first_on=content.activities[0].on,
        last_on=content.activities[-1].on,
        issued_at=(await places_store.now(session)).replace(microsecond=0),
    )
    await store.add(session, row, {each.registration.id: each.hours for each in chosen})
    return row, True


def _choose(attended: Sequence[Attended], wanted: CertificateWanted) -> Sequence[Attended]:
    free = [each for each in attended if not each.is_barred]
    if wanted.activity_ids is not None:
        there = {each.places.activity_id: each for each in free}
        missing = [place for place, identity in enumerate(wanted.activity_ids) if identity not in there]
        if missing:
            detail = rules.NothingToCertify().detail
            raise Invalid(errors=[FieldError(pointer=f"#/activity_ids/{place}", detail=detail) for place in missing])
        free = [each for each in free if each.places.activity_id in wanted.activity_ids]
    first, last = wanted.since or date.min, wanted.until or date.max
    chosen = sorted((each for each in free if first <= day_of(each) <= last), key=day_of)
    if not chosen:
        raise rules.NothingToCertify
    if len(chosen) > rules.MOST_ACTIVITIES:
        raise rules.TooMuchToCertify
    return chosen


def _content(chosen: Sequence[Attended], wanted: CertificateWanted, settings: Settings) -> Content:
    latest = chosen[-1].registration
    return Content(
        language=language_of(wanted.language or latest.language).tag,
        name=one_line(f"{latest.given_name} {latest.family_name}"),
        activities=[
            CertifiedActivity(
                title=one_line(each.places.title),
                organisers=[one_line(name) for name in each.places.organiser_names or each.places.section_codes],
                on=day_of(each),
                hours=each.hours,
            )
            for each in chosen
        ],
        hours=sum((each.hours for each in chosen), Decimal(0)),
        base_url=settings.base_url,
    )


async def find(session: AsyncSession, written: str) -> tuple[str, Certificate]:
    """A certificate by its number, however that is written, or a 404. Whoever holds the number may see it."""
    number = rules.read_number(written)
    if number is not None:
        await reach.show(session, "certificate", hashed(number).hex())
        if (row := await store.certificate(session, hashed(number))) is not None:
            return number, row
    raise rules.CertificateNotFound


async def verify(session: AsyncSession, written: str) -> Verification:
    """What anybody is told who holds a number. Of one that was revoked it is only when that was."""
    number, row = await find(session, written)
    standing = _standing(row, await store.changed(session, [row.number_hash]))
    is_told = standing in {Standing.VALID, Standing.FIGURES_CHANGED}
    content = Content.model_validate(row.content) if is_told and row.content is not None else None
    return Verification(
        number=number,
        standing=standing,
        issued_on=None if standing is Standing.WITHDRAWN else row.issued_at.date(),
        revoked_on=row.revoked_at and row.revoked_at.date(),
        language=content and content.language,
        name=content and content.name,
        hours=row.hours if is_told else None,
        activity_count=row.activities if is_told else None,
        first_on=row.first_on if is_told else None,
        last_on=row.last_on if is_told else None,
        activities=content.activities if content is not None else [],
    )


async def is_name(session: AsyncSession, written: str, name: str) -> bool:
    """Whether a certificate that stands was issued to this name."""
    number, row = await find(session, written)
    if row.name_digest is None or row.revoked_at is not None:
        return False
    return hmac.compare_digest(row.name_digest, _digest(number, name))


def _digest(number: str, name: str) -> bytes:
    # The number is random, and only its hash outlives the holder's data: nobody can try names without it.
    same = " ".join(unicodedata.normalize("NFKC", one_line(name)).casefold().split())
    return hashlib.sha256(f"{number}\0{same}".encode()).digest()


def _standing(row: Certificate, changed: set[bytes]) -> Standing:
    if row.withdrawn_at is not None:
        return Standing.WITHDRAWN
    if row.revoked_at is not None:
        return Standing.REVOKED
    return Standing.FIGURES_CHANGED if row.number_hash in changed else Standing.VALID


async def revoke(session: AsyncSession, actor: Actor, written: str, reason: str) -> None:
    """Revoke a certificate that states an activity within reach; those attendances get on to no other one."""
    _, seen = await find(session, written)
    row = await store.certificate(session, seen.number_hash, locked=True)
    if row is None:
        raise rules.CertificateOutOfReach
    within = [
        identity
        for identity, places in await store.lines_of(session, row.number_hash)
        if actor.reaches(sections=frozenset(places.section_codes), country=places.country)
    ]
    # Where nobody knows any more whose activities they were, only who reaches everything may.
    if not within and not actor.reaches(sections=frozenset(), country=None):
        raise rules.CertificateOutOfReach
    if row.withdrawn_at is not None:
        raise rules.CertificateEnded
    if row.revoked_at is None:
        row.revoked_at = (await places_store.now(session)).replace(microsecond=0)
        row.revoked_by, row.revoked_reason = actor.id, reason if row.participant_id is not None else None
    await store.bar(session, row.number_hash, within)


async def mine(session: AsyncSession, participant_id: UUID) -> list[MyCertificate]:
    """Somebody's certificates, latest first."""
    rows = await store.certificates_of(session, participant_id)
    changed = await store.changed(session, [row.number_hash for row in rows])
    return [shown(row, _standing(row, changed)) for row in rows]


def shown(row: Certificate, standing: Standing = Standing.VALID) -> MyCertificate:
    """A certificate for its holder."""
    assert row.number is not None
    content = Content.model_validate(row.content)
    return MyCertificate(
        number=row.number,
        standing=standing,
        issued_at=row.issued_at,
        revoked_on=row.revoked_at and row.revoked_at.date(),
        language=content.language,
        name=content.name,
        hours=content.hours,
        activities=content.activities,
        url=address(content.base_url, row.number),
        pdf_url=f"{content.base_url}/registration/v1/certificates/{row.number}.pdf",
    )


async def printed(session: AsyncSession, participant_id: UUID, written: str) -> tuple[str, bytes]:
    """The number and the PDF of a certificate of somebody's own, or a 404: whose it is else is told to nobody."""
    number = rules.read_number(written)
    row = None if number is None else await store.certificate(session, hashed(number))
    if number is None or row is None or row.participant_id != participant_id or row.revoked_at is not None:
        raise rules.CertificateNotFound
    content = Content.model_validate(row.content)
    leads_to = address(content.base_url, number)
    pdf = await rendering.print_certificate(content, number=number, address=leads_to, issued_at=row.issued_at)
    return number, pdf


async def hours(session: AsyncSession, participant_id: UUID) -> MyHours:
    """Somebody's hours over all activities that are over, by academic year and class, as they are recorded now."""
    counted: Counter[tuple[str, str]] = Counter()
    summed: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for each in await store.attended(session, participant_id):
        key = (rules.academic_year_of(day_of(each)), each.registration.participant_class)
        counted[key] += 1
        summed[key] += each.hours
    items = [
        HoursOfAYear(
            academic_year=year, participant_class=ParticipantClass(of), activities=counted[year, of],
            hours=summed[year, of],
        )
        for year, of in sorted(counted, key=lambda key: (key[0], key[1]), reverse=True)
    ]  # fmt: skip
    return MyHours(items=items, next=None, activities=counted.total(), hours=sum(summed.values(), Decimal(0)))
