"""Wall-clock times: every instant can be written down and read back, and what no clock shows is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.activities.catalogue.rules import WallClockError, instant, midnight

ROME, LORD_HOWE, AZORES = ZoneInfo("Europe/Rome"), ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Atlantic/Azores")
ZONES = st.timezone_keys(allow_prefix=False).map(ZoneInfo)
INSTANTS = st.datetimes(datetime(1901, 1, 2), datetime(2199, 12, 30), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0)
)


def _is_whole_minutes(moment: datetime) -> bool:
    offset = moment.utcoffset()
    return offset is not None and offset % timedelta(minutes=1) == timedelta(0)


@given(INSTANTS, ZONES)
def test_an_instant_written_with_its_offset_is_read_back(moment: datetime, zone: ZoneInfo) -> None:
    local = moment.astimezone(zone)
    assume(_is_whole_minutes(local))  # Before railways, zones had offsets that RFC 3339 can't write.
    written = datetime.fromisoformat(local.isoformat())
    assert instant(written, zone) == moment
    assert instant(written, zone).tzinfo is zone


@given(INSTANTS, ZONES)
def test_an_instant_written_without_offset_is_read_back_unless_it_is_shown_twice(
    moment: datetime, zone: ZoneInfo
) -> None:
    local = moment.astimezone(zone)
    naive = local.replace(tzinfo=None, fold=0)
    others = {naive.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    if len(others) == 1:
        assert instant(naive, zone) == moment
    else:
        with pytest.raises(WallClockError, match="twice"):
            instant(naive, zone)


@given(st.datetimes(datetime(1901, 1, 2), datetime(2199, 12, 30)), ZONES)  # noqa: DTZ001
def test_what_is_read_shows_the_time_that_was_written(naive: datetime, zone: ZoneInfo) -> None:
    try:
        found = instant(naive, zone)
    except WallClockError:
        return
    assert found.astimezone(UTC).astimezone(zone).replace(tzinfo=None, fold=0) == naive


@given(INSTANTS, ZONES, st.integers(-14 * 4, 14 * 4))
def test_an_offset_that_the_zone_does_not_have_is_refused(moment: datetime, zone: ZoneInfo, quarters: int) -> None:
    local = moment.astimezone(zone)
    claimed = timedelta(minutes=15 * quarters)
    naive = local.replace(tzinfo=None, fold=0)
    real = {naive.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1)}
    assume(claimed not in real and claimed != timedelta(0))
    with pytest.raises(WallClockError, match="do not have this offset"):
        instant(naive.replace(tzinfo=timezone(claimed)), zone)


@given(INSTANTS, ZONES)
def test_utc_is_understood_everywhere(moment: datetime, zone: ZoneInfo) -> None:
    assert instant(moment, zone) == moment


@pytest.mark.parametrize(
    ("zone", "gap"),
    [
        (ROME, datetime(2027, 3, 28, 2, 30)),  # noqa: DTZ001
        (ROME, datetime(2027, 3, 28, 2, 0)),  # noqa: DTZ001
        (ROME, datetime(2027, 3, 28, 2, 59, 59)),  # noqa: DTZ001
        (AZORES, datetime(2027, 3, 28, 0, 30)),  # noqa: DTZ001
        (LORD_HOWE, datetime(2026, 10, 4, 2, 15)),  # noqa: DTZ001
        (ZoneInfo("Pacific/Apia"), datetime(2011, 12, 30, 12)),  # noqa: DTZ001
    ],
)
def test_a_time_that_the_clocks_skip_is_refused(zone: ZoneInfo, gap: datetime) -> None:
    with pytest.raises(WallClockError, match="skip"):
        instant(gap, zone)


@pytest.mark.parametrize(
    ("zone", "fold", "offsets"),
    [
        (ROME, "2027-10-31T02:30:00", ("+02:00", "+01:00")),
        (LORD_HOWE, "2027-04-04T01:45:00", ("+11:00", "+10:30")),
        (AZORES, "2027-10-31T00:30:00", ("+00:00", "-01:00")),
    ],
)
def test_a_time_shown_twice_needs_the_offset_that_tells_which(
    zone: ZoneInfo, fold: str, offsets: tuple[str, str]
) -> None:
    with pytest.raises(WallClockError, match="twice"):
        instant(datetime.fromisoformat(fold), zone)
    first, second = [instant(datetime.fromisoformat(fold + offset), zone) for offset in offsets]
    assert second.astimezone(UTC) > first.astimezone(UTC)
    assert (first.isoformat(), second.isoformat()) == tuple(fold + offset for offset in offsets)


@pytest.mark.parametrize(
    "edge", ["2027-03-28T01:59:59", "2027-03-28T03:00:00", "2027-10-31T01:59:59", "2027-10-31T03:00:00"]
)
def test_the_times_beside_a_change_are_taken(edge: str) -> None:
    assert instant(datetime.fromisoformat(edge), ROME).replace(tzinfo=None) == datetime.fromisoformat(edge)


@given(st.dates(date(1901, 1, 2), date(2199, 12, 30)), ZONES)
def test_midnight_is_the_first_instant_of_its_day(day: date, zone: ZoneInfo) -> None:
    assume((zone.key, day) not in {("Pacific/Apia", date(2011, 12, 30)), ("Pacific/Fakaofo", date(2011, 12, 30))})
    first = midnight(day, zone)
    before = (first.astimezone(UTC) - timedelta(microseconds=1)).astimezone(zone)
    assert before.date() < day <= first.date()
