"""Whatever devices tell, in whatever order and how often, and whatever is corrected: one fact of each person."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from services.kernel.auth import Actor, Role
from services.kernel.reach import EVERYTHING
from services.registration.attendance import actions, corrections, rules
from services.registration.attendance.rules import Note, Standing
from services.registration.attendance.schemas import CheckInNote, Correction
from services.registration.privacy import actions as privacy
from services.registration.privacy import store as privacy_store
from tests.harness.network import Network
from tests.harness.sign_ups import in_hours, students

PEOPLE = ("Ada", "Bo", "Cem")
PLANNED = Decimal("3.00")
HOURS = st.none() | st.sampled_from([Decimal("0.50"), Decimal("2.00"), PLANNED])
NOTES = st.tuples(st.integers(0, 5), st.sampled_from(PEOPLE), st.integers(0, 3), HOURS)
RECORDED = """
SELECT given_name, present, hours, corrected, revision FROM registration.attendances
JOIN registration.registrations ON id = registration_id WHERE activity_id = $1
"""
TOLD = """
SELECT given_name, (payload ->> 'revision')::int AS revision, (payload ->> 'present')::bool AS present,
  (payload ->> 'hours')::numeric AS hours
FROM events.log JOIN registration.registrations ON attendance_key::text = payload ->> 'attendance_key'
WHERE name = 'registration.attendance_recorded.v1' AND aggregate = $1 ORDER BY number
"""
SUMS = """
SELECT count(*) FILTER (WHERE present) AS present, coalesce(sum(hours), 0) AS hours FROM registration.attendances
JOIN registration.registrations ON id = registration_id WHERE activity_id = $1
"""
Known = tuple[bool, Decimal | None] | None


class Door(RuleBasedStateMachine):
    """One activity that is over, with three people who have a place."""

    network: Network
    loop: asyncio.AbstractEventLoop
    who = Actor(UUID(int=1), Role.INTERNATIONAL, None, None)

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Carry out something where the services live."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    @initialize()
    def begin(self) -> None:
        self.do(self._begin())
        self.notes: dict[int, tuple[str, int, Decimal | None]] = {}
        self.corrected: dict[str, Known] = {}
        self.marked: set[str] = set()
        self.erased: dict[str, Known] = {}

    async def _begin(self) -> None:
        ours = await students(self.network, starts_at=in_hours(1), ends_at=in_hours(4))
        for name in PEOPLE:
            await ours.sign_up(name)
        self.id, self.registrations = UUID(ours.activity_id), ours.registrations
        over = "starts_at = now() - interval '5 hours', ends_at = now() - interval '2 hours'"
        await self._rows(f"UPDATE registration.places SET {over} WHERE activity_id = $1", self.id)
        confirmed = "UPDATE registration.registrations SET state = 'confirmed' WHERE activity_id = $1"
        await self._rows(confirmed, self.id)
        self.began = datetime.now(UTC) - timedelta(hours=4)

    @rule(told=st.lists(NOTES, min_size=1, max_size=4))
    def a_device_tells(self, told: list[tuple[int, str, int, Decimal | None]]) -> None:
        results = self.do(self._check_in(told))
        for (nonce, name, minute, hours), result in zip(told, results, strict=True):
            if name in self.erased:
                assert result.reason == "unknown_registration"
                continue
            owner = self.notes.setdefault(nonce, (name, minute, hours))[0]
            assert (result.reason == "nonce_reused") is (owner != name)
            known = self.corrected.get(name)
            if owner == name and known is not None and not known[0]:
                assert result.outcome == "overruled"

    @rule(shuffled=st.randoms(use_true_random=False))
    def a_device_tells_all_of_it_again(self, shuffled: Any) -> None:
        told = [(nonce, *note) for nonce, note in self.notes.items()]
        shuffled.shuffle(told)
        if told:
            assert {result.outcome for result in self.do(self._check_in(told))} <= {"already_recorded", "overruled"}

    @rule(name=st.sampled_from(PEOPLE), present=st.booleans(), hours=HOURS)
    def an_organiser_corrects(self, name: str, present: bool, hours: Decimal | None) -> None:
        if name in self.erased:
            return
        self.do(self._correct(name, Correction(present=present, hours=hours if present else None, reason="Seen.")))
        self.corrected[name] = (True, hours or PLANNED) if present else (False, None)

    @rule(name=st.sampled_from(PEOPLE))
    def somebody_is_erased(self, name: str) -> None:
        if name in self.erased:
            return
        self.do(self._erase(name))
        self.erased[name] = self._known(name)
        self.notes = {nonce: note for nonce, note in self.notes.items() if note[0] != name}

    @rule()
    def an_organiser_marks_who_did_not_come(self) -> None:
        missing = {name for name in self._left() if self._known(name) is None}
        marked = self.do(self._mark())
        named = {UUID(identity) for identity in self.registrations.values()}
        assert set(marked) & named == {UUID(self.registrations[name]) for name in missing}
        self.marked |= missing

    @invariant()
    def what_is_recorded_is_what_was_last_decided_or_else_what_the_check_ins_say(self) -> None:
        if not hasattr(self, "id"):
            return
        recorded = {row["given_name"]: row for row in self.do(self._rows(RECORDED, self.id))}
        told: dict[str, list[Any]] = {}
        for event in self.do(self._rows(TOLD, str(self.id))):
            told.setdefault(event["given_name"], []).append(event)
        assert recorded.keys() - {""} <= set(self._left())
        for name in self._left():
            row, events = recorded.get(name), told.get(name, [])
            assert (row and (row["present"], row["hours"])) == self._known(name)
            assert (row is not None and row["corrected"]) is (name in self.corrected)
            assert [event["revision"] for event in events] == list(range(1, len(events) + 1))
            assert all(
                (one["present"], one["hours"]) != (other["present"], other["hours"]) for one, other in pairwise(events)
            ), "told twice"
            last = (events[-1]["present"], events[-1]["hours"]) if events else (False, None)
            assert last == (self._known(name) or (False, None)), "the other services know otherwise"

    @invariant()
    def whoever_was_erased_is_still_counted(self) -> None:
        if not hasattr(self, "id"):
            return
        known = [*map(self._known, self._left()), *self.erased.values()]
        there = [each[1] or Decimal(0) for each in known if each is not None and each[0]]
        [counted] = self.do(self._rows(SUMS, self.id))
        assert (counted["present"], counted["hours"]) == (len(there), sum(there, Decimal(0)))

    def _left(self) -> list[str]:
        return [name for name in PEOPLE if name not in self.erased]

    def _known(self, name: str) -> Known:
        if name in self.corrected:
            return self.corrected[name]
        own = [(minute, f"device-{nonce}", hours) for nonce, (who, minute, hours) in self.notes.items() if who == name]
        if own:
            return True, max([each for each in own if each[2] is not None], default=(0, "", PLANNED))[2]
        return (False, None) if name in self.marked else None

    async def _check_in(self, told: list[tuple[int, str, int, Decimal | None]]) -> Any:
        notes = [
            CheckInNote(
                registration_id=UUID(self.registrations[name]),
                at=self.began + timedelta(minutes=minute),
                nonce=f"device-{nonce}",
                hours=hours,
            )
            for nonce, name, minute, hours in told
        ]
        async with self.network.runtimes["registration"].unit_of_work(EVERYTHING) as session:
            return await actions.check_in(session, self.who, self.id, notes)

    async def _correct(self, name: str, wanted: Correction) -> None:
        async with self.network.runtimes["registration"].unit_of_work(EVERYTHING) as session:
            found = await corrections.recorded(session, self.who, UUID(self.registrations[name]), locked=True)
            await corrections.correct(session, self.who, found, wanted)

    async def _erase(self, name: str) -> None:
        async with self.network.runtimes["registration"].unit_of_work(EVERYTHING) as session:
            who = await privacy_store.lock_mailbox(session, f"{name.lower()}@students.example")
            assert who is not None
            await privacy.forget_person(session, who)

    async def _mark(self) -> list[UUID]:
        async with self.network.runtimes["registration"].unit_of_work(EVERYTHING) as session:
            return await corrections.mark_no_shows(session, self.who, self.id, None)

    async def _rows(self, statement: str, *values: Any) -> Any:
        return await (await self.network.observer()).fetch(statement, *values)


async def test_attendance_under_whatever_is_told(network: Network) -> None:
    Door.network, Door.loop = network, asyncio.get_running_loop()
    quick = settings(
        max_examples=8, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    await asyncio.to_thread(run_state_machine_as_test, Door, settings=quick)


def _by_the_last_word(notes: Collection[Note], before: Standing | None, planned: Decimal | None) -> Standing | None:
    """What everybody writes first: whatever came last is so."""
    return Standing(True, rules.presence(notes, planned)[1]) if notes else before


async def test_the_control_without_the_rule_is_found_out(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    Door.network, Door.loop = network, asyncio.get_running_loop()

    def run() -> None:
        machine = Door()
        machine.begin()
        machine.an_organiser_corrects("Ada", present=False, hours=None)
        machine.what_is_recorded_is_what_was_last_decided_or_else_what_the_check_ins_say()
        monkeypatch.setattr(rules, "standing", _by_the_last_word)
        with pytest.raises(AssertionError):
            machine.a_device_tells([(0, "Ada", 1, None)])
        with pytest.raises(AssertionError):
            machine.what_is_recorded_is_what_was_last_decided_or_else_what_the_check_ins_say()

    await asyncio.to_thread(run)
