"""Between a description and its row: what a draft says is written with what follows from it, and read back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.campaigns import store as campaigns
from services.activities.catalogue import rules, surroundings
from services.activities.catalogue.drafts import ActivityDraft, Corrections
from services.activities.catalogue.surroundings import Surroundings
from services.activities.catalogue.tables import Activity
from services.activities.directory import store as directory
from services.activities.directory.ownership import ACTIVE
from services.activities.directory.tables import Section
from services.activities.taxonomies import actions as taxonomies
from services.activities.taxonomies.actions import Named
from services.activities.taxonomies.rules import Label
from services.kernel.problems import FieldError, Invalid, invalid_body


async def fill(
    session: AsyncSession, row: Activity, wanted: ActivityDraft, *, around: Surroundings | None = None
) -> None:
    """Write a description into a row, with what follows from it: zone, country, edition, instants.

    `around` is what it needs, where that was read for several descriptions at once.
    """
    around = around or await surroundings.read(session, [wanted])
    codes = [organiser.code for organiser in wanted.organisers]
    known = around.sections
    faults = taxonomies.faults_among(around.terms, _named(wanted), kept=labels_of(row) if row.revision else ())
    faults += [
        FieldError(pointer=f"#/organisers/{number}/code", detail=detail)
        for number, code in enumerate(codes)
        if (detail := await _why_not(session, known.get(code), kept=row.section_codes or ())) is not None
    ]
    if faults:
        raise Invalid(errors=faults)
    lead = wanted.lead()
    zone = ZoneInfo(wanted.time_zone or known[lead].time_zone)
    times = {
        "starts_at": wanted.starts_at,
        "ends_at": wanted.ends_at,
        "sign_up/opens_at": wanted.sign_up.opens_at,
        "sign_up/closes_at": wanted.sign_up.closes_at,
    }
    instants = {}
    for where, wall_clock in times.items():
        try:
            instants[where] = wall_clock and rules.instant(wall_clock, zone)
        except rules.WallClockError as error:
            faults.append(FieldError(pointer=f"#/{where}", detail=str(error)))
    if faults:
        raise Invalid(errors=faults)
    starts_at, ends_at = instants["starts_at"], instants["ends_at"]
    assert starts_at is not None
    assert ends_at is not None
    opens_at, closes_at = instants["sign_up/opens_at"], instants["sign_up/closes_at"] or starts_at
    # Two times of one zone are compared by their clock faces, which an hour shown twice turns around.
    if ends_at.astimezone(UTC) < starts_at.astimezone(UTC):
        raise Invalid.at("#/ends_at", "Must not lie before the start.")
    if opens_at is not None and closes_at.astimezone(UTC) < opens_at.astimezone(UTC):
        raise Invalid.at("#/sign_up/closes_at", "Must not lie before the opening.")
    if wanted.edition is not None and wanted.edition not in around.editions:
        raise Invalid.at("#/edition", "There is no edition with this code.")
    named = _named_partners(around, wanted)
    row.edition_set_by_hand = wanted.edition is not None
    row.country = known[lead].country
    row.platform = around.platform_on(starts_at.date(), row.country)
    falls_on = rules.edition_day(starts_at, known[lead].time_zone)
    row.edition = wanted.edition or around.edition_on(falls_on, row.country)
    row.section_codes = [lead, *(code for code in codes if code != lead)]
    row.organisers = [{"code": code, "name": known[code].name, "lead": code == lead} for code in row.section_codes]
    row.time_zone = zone.key
    row.starts_at, row.ends_at = starts_at, ends_at
    row.starts_on, row.ends_on = starts_at.date(), ends_at.date()
    row.date_precision = "time"
    row.sign_up_opens_at, row.sign_up_closes_at = opens_at, closes_at
    row.causes = wanted.cause_codes()
    plain = wanted.model_dump(mode="json")
    for name in ("place", "requirements", "cost", "image", "label_checklist", "contact", "translations"):
        setattr(row, name, plain[name])
    row.partners = named
    for name in ("title", "summary", "language", "kind", "programme", "mode", "areas", "sdgs", "objectives",
                 "online_url", "capacity", "takes_sign_ups", "accessibility", "audience", "pupils_expected",
                 "joint"):  # fmt: skip
        setattr(row, name, getattr(wanted, name))


async def edition_by_date(session: AsyncSession, row: Activity) -> str | None:
    """The edition that a row falls into by its start, on the clock of its leading section, else on its own."""
    day = row.starts_on
    if row.date_precision == "time" and row.starts_at is not None:
        leads = await directory.sections_to_name(session, row.section_codes[:1])
        zone = next((section.time_zone for section in leads.values()), row.time_zone)
        day = rules.edition_day(row.starts_at, zone)
    return await campaigns.edition_on(session, day, row.country) if day is not None else None


async def _why_not(session: AsyncSession, section: Section | None, *, kept: Collection[str] = ()) -> str | None:
    """Why a section can't organise anything from now on, in words; what it organises already may stay."""
    if section is None:
        return "There is no section with this code."
    if section.state in ACTIVE or section.code in kept:
        return None
    if successors := await directory.successors(session, section):
        return f"This section merged; its successor is {successors[-1].code}."
    return "This section merged into another one." if section.state == "merged" else "This section withdrew."


async def check_sections_go_on(session: AsyncSession, row: Activity) -> None:
    """Refuse a new draft for a section that is no more."""
    known = await directory.sections_to_name(session, row.section_codes)
    for code, section in known.items():
        if (detail := await _why_not(session, section)) is not None:
            raise rules.SectionIsNoMore(f"{code}: {detail}")


def corrected(row: Activity, changes: Mapping[str, Any]) -> Corrections:
    """What of the row can be corrected, with changes of nothing else laid over it; a 422 for what can't be."""
    if not changes:
        raise Invalid.at("#", "Name at least one field.")
    before = description(row)
    kept = {name: before[name] for name in ("language", *rules.CORRECTABLE)}
    try:
        return Corrections.model_validate({**kept, **changes})
    except ValidationError as error:
        raise invalid_body(error) from None


def correct(row: Activity, wanted: ActivityDraft | Corrections) -> None:
    """Write only what can be corrected of what is over, and nothing that would follow from it today."""
    for name, value in wanted.model_dump(mode="json", include=set(rules.CORRECTABLE)).items():
        setattr(row, name, value)


def labels_of(row: Activity) -> list[Label]:
    """Every label that a row carries, of those that ESN International keeps."""
    one = {"kinds": row.kind, "programmes": row.programme, "modes": row.mode}
    several = {"areas": row.areas, "causes": row.causes, "objectives": row.objectives}
    labels = [Label(scheme, code) for scheme, code in one.items()]
    return labels + [Label(scheme, code) for scheme, codes in several.items() for code in codes]


async def check_labels_in_use(session: AsyncSession, row: Activity) -> None:
    """Refuse a draft that came by a retired label: by an older time, or as a duplicate."""
    retired = await taxonomies.retired_among(session, labels_of(row))
    if retired:
        raise rules.RetiredLabels(
            f"Not used for new activities any more: {', '.join(map(str, retired))}. Revise it, then submit it."
        )


def _named(wanted: ActivityDraft) -> list[Named]:
    one = {"kind": wanted.kind, "programme": wanted.programme, "mode": wanted.mode}
    return [
        *(Named(f"#/{name}", Label(f"{name}s", code)) for name, code in one.items()),
        *(Named(f"#/areas/{number}", Label("areas", code)) for number, code in enumerate(wanted.areas)),
        *(Named(f"#/causes/{number}/code", Label("causes", cause.code)) for number, cause in enumerate(wanted.causes)),
        *(Named(f"#/objectives/{number}", Label("objectives", code)) for number, code in enumerate(wanted.objectives)),
    ]


def _named_partners(around: Surroundings, wanted: ActivityDraft) -> list[dict[str, Any]]:
    """The partners of a draft; a known one bears its own name, and if it was merged, that of its successor."""
    known = around.partners
    faults = [
        FieldError(pointer=f"#/partners/{number}/id", detail="There is no partner with this id.")
        for number, partner in enumerate(wanted.partners)
        if partner.id is not None and partner.id not in known
    ]
    if faults:
        raise Invalid(errors=faults)
    named: list[dict[str, Any]] = []
    for partner in wanted.partners:
        entry = partner.model_dump(mode="json")
        if partner.id is not None:
            entry |= {"id": str(known[partner.id].id), "name": known[partner.id].name}
        if entry not in named:
            named.append(entry)
    return named


def laid_over(row: Activity, changes: Mapping[str, Any]) -> ActivityDraft:
    """What the row describes, with changes laid over it; a 422 for what can't be.

    The edition that it has by its date, sent back, is not set by hand.
    """
    if not changes:
        raise Invalid.at("#", "Name at least one field.")
    if not row.edition_set_by_hand and changes.get("edition") == row.edition:
        changes = {**changes, "edition": None}
    try:
        return ActivityDraft.model_validate({**description(row), **changes})
    except ValidationError as error:
        raise invalid_body(error) from None


async def differing(
    session: AsyncSession, row: Activity, wanted: ActivityDraft, *, around: Surroundings | None = None
) -> frozenset[str]:
    """The fields of a draft in which a description differs from what the row describes; the row stays."""
    # What the row carries already may stay, be it retired, or merged, or not.
    labels = ("kind", "programme", "mode", "areas", "causes", "objectives")
    kept = (*labels, "revision", "part_of", "relation", "section_codes")
    aside = Activity(**{name: getattr(row, name) for name in kept})
    await fill(session, aside, wanted, around=around)
    before, after = description(row), description(aside)
    return frozenset(name for name in before if before[name] != after[name])


def description(row: Activity) -> dict[str, Any]:
    """The row in the words of `ActivityDraft`, so that a change can be laid over it."""
    sign_up = {"opens_at": row.sign_up_opens_at, "closes_at": row.sign_up_closes_at}
    # What equals the default was not chosen: it must go on following the start.
    if row.sign_up_closes_at == row.starts_at:
        sign_up["closes_at"] = None
    zone = ZoneInfo(row.time_zone)
    return {
        "title": row.title, "summary": row.summary, "language": row.language, "kind": row.kind,
        "programme": row.programme, "mode": row.mode, "edition": row.edition if row.edition_set_by_hand else None,
        "areas": row.areas, "causes": [{"code": code, "main": number == 0} for number, code in enumerate(row.causes)],
        "sdgs": row.sdgs, "objectives": row.objectives,
        "organisers": [{"code": each["code"], "lead": each["lead"]} for each in row.organisers],
        "starts_at": row.starts_at and row.starts_at.astimezone(zone).isoformat(),
        "ends_at": row.ends_at and row.ends_at.astimezone(zone).isoformat(), "time_zone": row.time_zone,
        "place": row.place, "online_url": row.online_url, "capacity": row.capacity,
        "sign_up": {name: moment and moment.astimezone(zone).isoformat() for name, moment in sign_up.items()},
        "takes_sign_ups": row.takes_sign_ups, "requirements": row.requirements, "accessibility": row.accessibility,
        "cost": row.cost, "partners": row.partners, "image": row.image, "audience": row.audience,
        "pupils_expected": row.pupils_expected, "contact": row.contact, "translations": row.translations,
        "joint": row.joint, "part_of": row.part_of if row.relation == "local_part" else None,
        "label_checklist": row.label_checklist,
    }  # fmt: skip
