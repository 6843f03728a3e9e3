"""The sample network: real sections and activities of the past, and an upcoming edition modelled on them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.campaigns import actions as campaigns
from services.activities.campaigns import store as editions
from services.activities.campaigns.edition_rows import EditionRow
from services.activities.catalogue import actions as catalogue
from services.activities.catalogue import describing, store
from services.activities.catalogue.drafts import ActivityDraft
from services.activities.catalogue.rules import State
from services.activities.catalogue.tables import Activity
from services.activities.directory import actions as directory
from services.activities.directory import store as sections
from services.activities.directory.section_rows import section_in_list
from services.activities.label.rules import LabelState
from services.activities.sample.upcoming import SampleActivity, UpcomingEdition, next_edition, sample_activities
from services.kernel.ids import new_id
from services.kernel.imports import CsvRows
from services.kernel.settings import Settings

FOLDER = Path(__file__).parent
PAST = FOLDER / "real_activities.csv"
EDITIONS = FOLDER / "social_weeks_and_secm.csv"
UPCOMING = FOLDER / "upcoming.csv"
SOURCE = "sample"


class Loaded(Enum):
    """How much of the sample network a database holds."""

    NOTHING = "the directory is empty"
    PART = "loading was begun and not finished"
    ALL = "it is all there"
    OTHER = "the database holds another network"


async def find(session: AsyncSession) -> Loaded:
    """How much of the sample network is there: its edition is entered first, its activities to come last."""
    if not await sections.holds_sections(session):
        return Loaded.NOTHING
    if not any(edition.sample for edition, _ in await editions.editions(session)):
        return Loaded.OTHER
    return Loaded.ALL if await store.holds_samples(session) else Loaded.PART


async def begin(session: AsyncSession, today: date) -> int:
    """Enter the edition to come and the sections that the sample activities name; answers how many sections."""
    await _record_edition(session, next_edition(today))
    found: dict[str, dict[str, str]] = {}
    for row in _named_sections():
        found.setdefault(row["code"], row)
    for values in found.values():
        section, _ = section_in_list(values)
        await directory.record_section(session, section)
    return len(found)


async def load_upcoming(session: AsyncSession, settings: Settings, today: date) -> int:
    """Publish the sample activities of the edition to come, unless they are there; answers how many were added."""
    edition = next_edition(today)
    await _record_edition(session, edition)
    added = 0
    with UPCOMING.open("rb") as stream:
        for template in sample_activities(stream):
            added += await _publish(session, settings, template, edition)
    return added


async def _record_edition(session: AsyncSession, edition: UpcomingEdition) -> None:
    year, season = edition.code.split("-")
    assert season in {"spring", "autumn"}
    row = EditionRow(
        code=edition.code,
        series=edition.series,
        season="spring" if season == "spring" else "autumn",
        year=int(year),
        starts_on=edition.starts_on,
        ends_on=edition.ends_on,
        precision="day",
        certainty="sample dates",
        theme=None,
        published_numbers=None,
        source="sample network",
    )
    await campaigns.record_edition(session, row, sample=True)


async def _publish(
    session: AsyncSession, settings: Settings, template: SampleActivity, edition: UpcomingEdition
) -> bool:
    source_id = f"{template.key}@{edition.code}"
    if await store.imported(session, SOURCE, source_id) is not None:
        return False
    activity = Activity(
        id=new_id(), state=State.PUBLISHED.value, revision=0, edition_set_by_hand=False, sample=True, has_places=True,
        availability_revision=0, reason=None, source=SOURCE, source_id=source_id, source_url=None,
        label_state=LabelState.GIVEN.value, label_decided_at=await store.now(session),
    )  # fmt: skip
    await describing.fill(session, activity, ActivityDraft.model_validate(_draft(template, edition)))
    await catalogue.changed(session, settings, activity, None, "record")
    return True


def _draft(template: SampleActivity, edition: UpcomingEdition) -> dict[str, Any]:
    place = template.place
    return {
        "title": template.title,
        "summary": template.summary,
        "language": template.language,
        "kind": template.kind,
        "programme": template.programme,
        "mode": template.mode,
        "edition": edition.code,
        "areas": [template.area],
        "causes": [{"code": template.cause, "main": True}],
        "organisers": [{"code": template.section_code, "lead": True}],
        "starts_at": template.begins(edition).isoformat(),
        "ends_at": template.ends(edition).isoformat(),
        "place": place and {
            "name": place.name, "city": template.city, "country": template.country,
            "latitude": place.latitude, "longitude": place.longitude,
        },
        "online_url": template.online_url,
        "capacity": template.capacity,
        "requirements": {
            "languages": list(template.required_languages),
            "minimum_age": template.minimum_age,
            "notes": template.requirements_notes,
        },
        "accessibility": list(template.accessibility),
        "partners": [{"name": template.partner_kind}] if template.partner_kind else [],
    }  # fmt: skip


def _named_sections() -> Iterator[dict[str, str]]:
    """The sections that the sample files name, in the words of a list of sections."""
    with PAST.open("rb") as stream:
        for row in CsvRows(stream, required=("section", "section_code", "city", "country")):
            if row.values["section_code"]:
                yield _section(
                    row.values["section_code"], row.values["section"], row.values["city"], row.values["country"]
                )
    with UPCOMING.open("rb") as stream:
        for template in sample_activities(stream):
            yield _section(template.section_code, template.section_name, template.city, template.country)


def _section(code: str, name: str, city: str, country: str) -> dict[str, str]:
    # "ESN Kalmar with ESN Izmir United" is the section of Kalmar; "(inferred)" speaks of the record.
    plain = name.split(" with ", maxsplit=1)[0].removesuffix(" (inferred)")
    return {"code": code, "name": plain, "country_code_esn": country, "country_code_iso": country, "city": city}
