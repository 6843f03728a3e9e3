"""Changing what somebody told when they signed up."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from services.contracts import ParticipantClass
from services.kernel.problems import FieldError, Invalid
from services.registration.places import questions, store
from services.registration.places.schemas import Details
from services.registration.places.tables import Places, Registration


async def change(session: AsyncSession, row: Registration, places: Places, wanted: Details) -> None:
    """Keep other details of a locked registration, if they fit the organisers' terms."""
    faults = questions.faults(places.questions, wanted.answers)
    if wanted.mobility is not None and row.participant_class != ParticipantClass.INTERNATIONAL:
        faults.append(FieldError(pointer="#/mobility", detail="Only international students are here for one of these."))
    host = wanted.host_section
    if host is not None and host != row.host_section and not await store.may_be_section(session, host):
        faults.append(FieldError(pointer="#/host_section", detail="There is no section with this code."))
    if faults:
        raise Invalid(errors=faults)
    for name, told in wanted.model_dump(mode="json").items():
        setattr(row, name, told)
    await session.flush()
