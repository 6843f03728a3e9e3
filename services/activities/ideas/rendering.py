"""Turns an idea's row into what readers get."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.activities.catalogue.schemas import CauseOut, OrganiserOut
from services.activities.ideas.rules import INTERNATIONAL, State
from services.activities.ideas.schemas import (
    ActivityFiguresOut,
    AdaptedOut,
    CostOut,
    EndorsementOut,
    FigureQuantityOut,
    GroupSizeOut,
    IdeaDetailOut,
    IdeaOut,
    NeedsOut,
    SourceActivityOut,
)
from services.activities.ideas.tables import ActivityFigures, Endorsement, Idea
from services.kernel.auth import Role
from services.kernel.settings import Settings


def listed(row: Idea, settings: Settings, figures: ActivityFigures | None) -> IdeaOut:
    """The idea as it stands in a list."""
    return IdeaOut(**_fields(row, settings, figures))


def detailed(
    row: Idea, settings: Settings, endorsements: Sequence[Endorsement], figures: ActivityFigures | None
) -> IdeaDetailOut:
    """The idea with who recommends it."""
    return IdeaDetailOut(**_fields(row, settings, figures), endorsed_by=[_endorsement(each) for each in endorsements])


def _fields(row: Idea, settings: Settings, figures: ActivityFigures | None) -> dict[str, Any]:
    base = f"{settings.base_url}/activities/v1"
    return {
        "id": row.id,
        "url": f"{base}/ideas/{row.id}",
        "state": State(row.state),
        "language": row.language,
        "title": row.title,
        "what": row.what,
        "how": row.how,
        "needs": NeedsOut(**row.needs),
        "cost": CostOut(amount=row.cost_amount, currency=row.cost_currency) if row.cost_currency else None,
        "group_size": GroupSizeOut(min=row.group_min, max=row.group_max),
        "seasons": row.seasons,
        "settings": row.settings,
        "partner_kinds": row.partner_kinds,
        "lessons": row.lessons,
        "kind": row.kind,
        "areas": row.areas,
        "causes": [CauseOut(code=code, main=number == 0) for number, code in enumerate(row.causes)],
        "sdgs": row.sdgs,
        "country": row.country,
        "organisers": [OrganiserOut(**organiser) for organiser in row.organisers],
        "activity": SourceActivityOut(
            id=row.activity_id,
            url=f"{base}/activities/{row.activity_id}",
            title=row.activity_title,
            held_on=row.held_on,
            hours=row.hours,
            capacity=row.capacity,
            figures=figures and _figures(figures),
        ),
        "adapted": AdaptedOut(sections=row.adapted_sections, countries=row.adapted_countries),
        "endorsements": row.endorsements,
        "offered_at": row.offered_at,
        "updated_at": row.updated_at,
    }


def _figures(row: ActivityFigures) -> ActivityFiguresOut:
    return ActivityFiguresOut(
        international=row.participants_international,
        local=row.participants_local,
        esn_volunteer=row.participants_esn_volunteer,
        unclassified=row.participants_unclassified,
        hours=None if row.hours is None else float(row.hours),
        quantities=[FigureQuantityOut.model_validate(each) for each in row.quantities],
    )


def _endorsement(row: Endorsement) -> EndorsementOut:
    is_international = row.endorser == INTERNATIONAL
    return EndorsementOut(
        role=(Role.INTERNATIONAL if is_international else Role.NATIONAL_COORDINATOR).value,
        country=None if is_international else row.endorser,
        note=row.note,
        endorsed_at=row.endorsed_at,
    )
