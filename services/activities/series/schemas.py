"""The dates of a series as they are sent, one by one or by a rule, and the occurrences that are made of them."""

from __future__ import annotations

import re
from datetime import date, time
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from services.activities.catalogue.drafts import WallClock
from services.activities.catalogue.schemas import ActivityOut
from services.activities.series.rules import MOST_OCCURRENCES, Slot, weekly
from services.kernel.texts import Received, Sent, unique

_LONGEST_DAYS = 366


def _day(value: Any) -> Any:
    if not isinstance(value, str) or not re.fullmatch(r"(19|20|21)\d\d-\d\d-\d\d", value):
        raise PydanticCustomError("day", "Must be a day, as 2027-01-29.")
    return value


def _clock(value: Any) -> Any:
    if not isinstance(value, str) or not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        raise PydanticCustomError("clock", "Must be a time of the day by the clock, as 18:00.")
    return value


Day = Annotated[date, BeforeValidator(_day)]
Clock = Annotated[time, BeforeValidator(_clock)]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class Times(Received):
    """When one occurrence is, by the clock of the activity's zone or with an offset."""

    starts_at: WallClock
    ends_at: WallClock


class WeeklyRule(Received):
    """Days of the week, by the clock of the activity's zone: 18:00 stays 18:00 when the clocks change."""

    weekly: Annotated[list[Weekday], Field(min_length=1, max_length=7), AfterValidator(unique)]
    since: Annotated[Day, Field(alias="from", description="The first day that counts.")]
    until: Annotated[Day, Field(description="The last day that counts.")]
    starts: Annotated[Clock, Field(examples=["18:00"])]
    ends: Annotated[Clock, Field(description="On the next day where it is not after `starts`.", examples=["21:00"])]
    left_out: Annotated[list[Day], Field(alias="except", max_length=_LONGEST_DAYS)] = []

    @model_validator(mode="after")
    def _within_a_year(self) -> WeeklyRule:
        if not 0 <= (self.until - self.since).days < _LONGEST_DAYS:
            raise PydanticCustomError("span", "`until` must lie after `from`, by a year at most.")
        return self


class OccurrencesIn(Received):
    """Dates to add to a series: either `times` or a `rule`."""

    times: Annotated[list[Times], Field(min_length=1, max_length=MOST_OCCURRENCES)] | None = None
    rule: WeeklyRule | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> OccurrencesIn:
        if (self.times is None) == (self.rule is None):
            raise PydanticCustomError("one_of_both", "Give either `times` or a `rule`.")
        return self

    def slots(self) -> list[Slot]:
        """The times that are meant."""
        if self.times is not None:
            return [Slot(each.starts_at, each.ends_at, f"#/times/{number}") for number, each in enumerate(self.times)]
        assert self.rule is not None
        rule = self.rule
        left_out = frozenset(rule.left_out)
        times = weekly(rule.weekly, rule.since, rule.until, starts=rule.starts, ends=rule.ends, left_out=left_out)
        return [Slot(starts_at, ends_at, "#/rule") for starts_at, ends_at in times]


class OccurrenceList(Sent):
    """The occurrences that were added."""

    items: list[ActivityOut]
    next: None
