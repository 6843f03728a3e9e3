"""Whatever people, organisers and time do to an activity's places, the counts are right and nobody is overtaken."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.ext.asyncio import AsyncSession

from services.contracts import ParticipantClass
from services.kernel.problems import Invalid
from services.kernel.reach import EVERYTHING
from services.kernel.runtime import Runtime
from services.registration.people import actions as links
from services.registration.people.rules import Purpose, managed_until
from services.registration.places import actions, endings, rules, signing_up, store
from services.registration.places.schemas import SignUp
from services.registration.places.tables import Places as PlacesRow
from services.registration.privacy import actions as privacy
from services.registration.privacy import store as privacy_store
from services.registration.proofs.actions import Asker
from services.registration.terms import actions as terms
from services.registration.terms.schemas import Terms
from services.registration.waiting import actions as waiting
from tests.harness.network import Network
from tests.harness.sign_ups import Students, students, wanted

NAMES = st.sampled_from([chr(letter) + "da" for letter in range(ord("A"), ord("M"))])
CLASSES = st.sampled_from(ParticipantClass)
HELD = {"unconfirmed", "offered"}
SEATED = HELD | {"confirmed"}
COUNTS = """
SELECT capacity, taken, waiting, taken_international, taken_local, taken_esn_volunteer,
  quota_international, quota_local, quota_esn_volunteer
FROM registration.places WHERE activity_id = $1
"""
PARTIES = """
SELECT coalesce(lead_id, id) AS lead, state, array_agg(participant_class) AS classes, min(waiting_since) AS since
FROM registration.registrations WHERE activity_id = $1 GROUP BY coalesce(lead_id, id), state
"""

KEPT = """
SELECT count(*) AS registrations,
  count(*) FILTER (WHERE forgotten_at IS NOT NULL AND (given_name <> '' OR participant_id IS NOT NULL))
    AS named_forgotten,
  ARRAY(SELECT email FROM registration.participants WHERE id IN (
    SELECT participant_id FROM registration.registrations WHERE activity_id = $1)) AS mailboxes
FROM registration.registrations WHERE activity_id = $1
"""


class Places(RuleBasedStateMachine):
    """One activity and twelve people who may come back at any time."""

    network: Network
    loop: asyncio.AbstractEventLoop

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Carry out something where the services live."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    @initialize(capacity=st.integers(1, 3))
    def publish(self, capacity: int) -> None:
        self.ours: Students = self.do(students(self.network, capacity=capacity))
        self.id = UUID(self.ours.activity_id)
        self.seated_before = 0
        self.acknowledged: set[str] = set()
        self.registrations = 0
        self.do(self.ours.on_terms(guests_at_most=3))

    @rule(name=NAMES, each=CLASSES)
    def sign_up(self, name: str, each: ParticipantClass) -> None:
        self._wants(name, each, [], waits=True)

    @rule(name=NAMES, each=CLASSES)
    def sign_up_without_waiting(self, name: str, each: ParticipantClass) -> None:
        self._wants(name, each, [], waits=False)

    @rule(name=NAMES, each=CLASSES, friends=st.lists(CLASSES, min_size=1, max_size=2))
    def sign_up_with_friends(self, name: str, each: ParticipantClass, friends: list[ParticipantClass]) -> None:
        self._wants(name, each, friends, waits=True)

    def _wants(self, name: str, each: ParticipantClass, friends: list[ParticipantClass], *, waits: bool) -> None:
        guests = [{"given_name": "G", "family_name": "H", "participant_class": friend} for friend in friends]
        body = wanted(self.ours.activity_id, name, participant_class=each, guests=guests, waiting_list=waits)

        async def sign_up() -> None:
            asker = Asker(self.runtime, self.ours.activity_id, address="192.0.2.1", actor=None, proof=None)
            async with self.runtime.unit_of_work(EVERYTHING) as session:
                await signing_up.sign_up(session, self.runtime.settings, SignUp.model_validate(body), asker)

        try:
            self.do(sign_up())
        except (rules.ActivityFull, Invalid):
            return
        self.acknowledged.add(name)

    @precondition(lambda self: self.seated_before)
    @rule(which=st.integers(0, 11))
    def confirm(self, which: int) -> None:
        self.do(self._by_link(which, HELD, Purpose.CONFIRM))

    @precondition(lambda self: self.seated_before)
    @rule(which=st.integers(0, 11))
    def give_up_a_place(self, which: int) -> None:
        self.do(self._by_link(which, SEATED, Purpose.MANAGE))
        self.do(self._sweep(offers=True))

    @rule(which=st.integers(0, 11))
    def stop_waiting(self, which: int) -> None:
        self.do(self._by_link(which, {"waitlisted"}, Purpose.MANAGE))

    @precondition(lambda self: self.acknowledged)
    @rule(which=st.integers(0, 11))
    def erase(self, which: int) -> None:
        name = sorted(self.acknowledged)[which % len(self.acknowledged)]
        self.do(self._erase(name))
        self.acknowledged.discard(name)

    @rule(capacity=st.none() | st.integers(0, 8))
    def change_the_capacity(self, capacity: int | None) -> None:
        statement = "UPDATE registration.places SET capacity = $2, offers_due = waiting > 0 WHERE activity_id = $1"
        self.do(self._rows(statement, self.id, capacity))

    @rule(quotas=st.dictionaries(st.sampled_from(ParticipantClass), st.integers(0, 4)))
    def set_quotas(self, quotas: dict[ParticipantClass, int]) -> None:
        self.do(self._set(Terms(quotas=quotas, guests_at_most=3)))

    @rule()
    def let_the_offers_end(self) -> None:
        statement = """UPDATE registration.registrations SET held_until = now()
        WHERE activity_id = $1 AND state IN ('unconfirmed', 'offered')"""
        self.do(self._rows(statement, self.id))
        self.do(self._sweep(offers=False))

    @rule()
    def offer(self) -> None:
        before = self._parties()
        self.do(self._sweep(offers=True))
        room, after = self._room(), self._parties()
        left = [each for each in after if each["state"] == "waitlisted"]
        assert not any(room.fits(_party(each)) for each in left), "a place is free that somebody waits for"
        for one in left:
            for other in before:
                overtaken = other["state"] == "waitlisted" and other["lead"] not in {each["lead"] for each in left}
                alike = sorted(one["classes"]) == sorted(other["classes"])
                assert not (overtaken and alike and one["since"] < other["since"]), "somebody was overtaken"

    @invariant()
    def the_counts_are_those_of_the_registrations(self) -> None:
        [counts] = self.do(self._rows(COUNTS, self.id))
        parties = self._parties()
        seated = [each for party in parties if party["state"] in SEATED for each in party["classes"]]
        listed = [each for party in parties if party["state"] == "waitlisted" for each in party["classes"]]
        assert (counts["taken"], counts["waiting"]) == (len(seated), len(listed))
        assert {each: counts[f"taken_{each}"] for each in ParticipantClass} == {
            each: seated.count(each) for each in ParticipantClass
        }
        if counts["capacity"] is not None and len(seated) > counts["capacity"]:
            assert len(seated) <= self.seated_before, "somebody came in where there was no place"
        self.seated_before = len(seated)

    @invariant()
    def nobody_has_two_places_and_no_acknowledged_one_is_lost(self) -> None:
        statement = """SELECT given_name, count(*) FILTER (
          WHERE state IN ('unconfirmed', 'pending_approval', 'waitlisted', 'offered', 'confirmed')) AS live
        FROM registration.registrations
        WHERE activity_id = $1 AND lead_id IS NULL AND forgotten_at IS NULL GROUP BY given_name"""
        found = self.do(self._rows(statement, self.id))
        assert all(row["live"] <= 1 for row in found)
        assert {row["given_name"] for row in found} == self.acknowledged

    @invariant()
    def whoever_was_erased_is_nowhere_and_still_counted(self) -> None:
        [kept] = self.do(self._rows(KEPT, self.id))
        assert {mailbox.partition("@")[0] for mailbox in kept["mailboxes"]} == {
            name.lower() for name in self.acknowledged
        }
        assert kept["named_forgotten"] == 0
        assert kept["registrations"] >= self.registrations
        self.registrations = kept["registrations"]

    async def _erase(self, name: str) -> None:
        async with self.runtime.unit_of_work(EVERYTHING) as session:
            who = await privacy_store.lock_mailbox(session, f"{name.lower()}@students.example")
            assert who is not None
            await privacy.forget_person(session, who)

    async def _rows(self, statement: str, *arguments: Any) -> list[Any]:
        connection = await self.network.observer()
        found: list[Any] = await connection.fetch(statement, *arguments)
        return found

    @property
    def runtime(self) -> Runtime:
        """Where the service's work is done."""
        return self.network.runtimes["registration"]

    def _parties(self) -> list[Any]:
        found: list[Any] = self.do(self._rows(PARTIES, self.id))
        return found

    def _room(self) -> rules.Room:
        async def read() -> rules.Room:
            async with self.runtime.reading(EVERYTHING) as session:
                found = await store.places(session, self.id)
                assert found is not None
                return found.room

        room: rules.Room = self.do(read())
        return room

    async def _by_link(self, which: int, states: set[str], purpose: Purpose) -> None:
        statement = """SELECT id FROM registration.registrations
        WHERE activity_id = $1 AND state = ANY ($2) AND lead_id IS NULL ORDER BY given_name"""
        possible = await self._rows(statement, self.id, list(states))
        if not possible:
            return
        found = possible[which % len(possible)]
        async with self.runtime.unit_of_work(EVERYTHING) as session:
            ends = managed_until(await store.now(session), None)
            token = await links.issue_link(session, registration_id=found["id"], purpose=purpose, expires_at=ends)
            act = actions.confirm if purpose is Purpose.CONFIRM else actions.cancel
            await act(session, self.runtime.settings, token)

    async def _set(self, wanted_terms: Terms) -> None:
        async with self.runtime.unit_of_work(EVERYTHING) as session:
            places = await store.lock_places(session, self.id)
            assert places is not None
            await terms.set_terms(session, places, wanted_terms)

    async def _sweep(self, *, offers: bool) -> None:
        async with self.runtime.unit_of_work(EVERYTHING) as session:
            await endings.expire_holds(session, self.runtime.settings)
        if offers:
            async with self.runtime.unit_of_work(EVERYTHING) as session:
                await waiting.offer_due(session, self.runtime.settings)


def _party(each: Any) -> dict[ParticipantClass, int]:
    return {one: each["classes"].count(one) for one in ParticipantClass}


async def test_places_under_whatever_happens(network: Network) -> None:
    Places.network, Places.loop = network, asyncio.get_running_loop()
    quick = settings(
        max_examples=12, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    await asyncio.to_thread(run_state_machine_as_test, Places, settings=quick)


async def _without_looking(session: AsyncSession, activity_id: UUID, party: dict[ParticipantClass, int]) -> PlacesRow:
    """The taking of a place without its guard."""
    one_more = {"taken": PlacesRow.taken + sum(party.values())}
    one_more |= {f"taken_{each}": getattr(PlacesRow, f"taken_{each}") + many for each, many in party.items()}
    statement = sa.update(PlacesRow).where(PlacesRow.activity_id == activity_id).values(one_more).returning(PlacesRow)
    quiet = {"populate_existing": True, "synchronize_session": False}
    return (await session.scalars(statement, execution_options=quiet)).one()


async def test_the_control_without_the_guard_is_found_out(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    Places.network, Places.loop = network, asyncio.get_running_loop()

    def run() -> None:
        machine = Places()
        machine.publish(capacity=1)
        machine.sign_up("Ada", ParticipantClass.LOCAL)
        machine.the_counts_are_those_of_the_registrations()
        # What was read a moment ago says that there is a place, as it does to all who come at once.
        monkeypatch.setattr(signing_up, "state_of", lambda *_, **__: rules.State.UNCONFIRMED)
        monkeypatch.setattr(store, "take_place", _without_looking)
        machine.sign_up("Bda", ParticipantClass.LOCAL)
        with pytest.raises(AssertionError, match="there was no place"):
            machine.the_counts_are_those_of_the_registrations()

    await asyncio.to_thread(run)
