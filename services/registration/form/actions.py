"""Changing what somebody told when they signed up."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from services.contracts import ParticipantClass
from services.kernel.problems import FieldError, Invalid
from services.registration.people.rules import LinkNotFound, Purpose
from services.registration.places import hosts, questions, store
from services.registration.places.actions import Linked
from services.registration.places.rules import ActivityBegan
from services.registration.places.schemas import Details
from services.registration.places.tables import Places, Registration


async def change_by_link(session: AsyncSession, linked: Linked, wanted: Details) -> None:
    """Keep other details of the registration behind a link, or the problem that says why not."""
    if linked.purpose is not Purpose.MANAGE:
        raise LinkNotFound
    linked.check_live()
    if not linked.may_change:
        raise ActivityBegan
    await change(session, linked.row, linked.places, wanted)


async def change(session: AsyncSession, row: Registration, places: Places, wanted: Details) -> None:
    """Keep other details of a locked registration, if they fit the organisers' terms."""
    faults = questions.faults(places.questions, wanted.answers)
    if wanted.mobility is not None and row.participant_class != ParticipantClass.INTERNATIONAL:
        faults.append(FieldError(pointer="#/mobility", detail="Only international students are here for one of these."))
    host = wanted.host_section
    today = None if host is None else await hosts.section_today(session, host)
    if host is not None and host != row.host_section and today is None:
        faults.append(FieldError(pointer="#/host_section", detail="There is no section with this code."))
    guests = await store.guests_of(session, row)
    if wanted.guests is not None and len(wanted.guests) != len(guests):
        faults.append(FieldError(pointer="#/guests", detail="Name every guest who has a place, and nobody else."))
    if faults:
        raise Invalid(errors=faults)
    for name, told in wanted.model_dump(mode="json", include=set(Details.model_fields) - {"guests"}).items():
        setattr(row, name, told)
    for guest, named in zip(guests, wanted.guests or (), strict=False):
        guest.given_name, guest.family_name = named.given_name, named.family_name
    row.host_section = today or host
    await session.flush()
