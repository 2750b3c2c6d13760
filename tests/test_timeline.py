"""Steps and local clocks, step by step against the datetime module."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bess import timeline as module
from bess.errors import InputError
from bess.timeline import LocalClock, Timeline, parse_instant, zone

ZONES = [
    "America/Los_Angeles",
    "America/St_Johns",
    "Europe/Berlin",
    "Africa/Casablanca",  # back to standard time for a month in spring
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",  # half an hour of summer time
    "Pacific/Chatham",
    "Pacific/Apia",  # no 30 December 2011
    "UTC",
]


def at(text: str, step_seconds: int = 3600, steps: int = 24, zone: str | None = None) -> Timeline:
    return Timeline(parse_instant(text, "start"), step_seconds, steps, zone)


def local_midnight(year: int, month: int, day: int, name: str) -> datetime:
    """With an offset alone, so that it brings no zone."""
    midnight = datetime(year, month, day, tzinfo=ZoneInfo(name))
    return datetime.fromisoformat(midnight.isoformat())


def agrees_with_datetime(clock: LocalClock, line: Timeline, name: str) -> None:
    first = datetime.fromtimestamp(line.start_seconds, UTC)
    local = [
        (first + timedelta(seconds=line.step_seconds * t)).astimezone(ZoneInfo(name))
        for t in range(line.steps)
    ]
    assert clock.year.tolist() == [now.year for now in local]
    assert clock.month.tolist() == [now.month for now in local]
    assert clock.day.tolist() == [now.day for now in local]
    assert clock.weekday.tolist() == [now.weekday() for now in local]
    seconds = [3600 * now.hour + 60 * now.minute + now.second for now in local]
    assert clock.second_of_day.tolist() == seconds
    assert clock.day_number.tolist() == [now.toordinal() - 719163 for now in local]


@pytest.mark.parametrize("year", [2011, 2024, 2025])
@pytest.mark.parametrize("name", ZONES)
def test_a_local_clock_agrees_with_the_datetime_module_over_a_year(name: str, year: int) -> None:
    line = Timeline(local_midnight(year, 1, 1, name), 3600, 8784)
    agrees_with_datetime(line.clock(name), line, name)


@given(
    name=st.sampled_from(ZONES),
    step=st.sampled_from([1, 60, 300, 900, 1800, 3600, 5400, 14_400, 86_400]),
    days=st.integers(-20_000, 30_000),
    steps=st.integers(1, 300),
)
def test_a_local_clock_agrees_with_the_datetime_module_anywhere(
    name: str, step: int, days: int, steps: int
) -> None:
    line = Timeline(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=days), step, steps)
    agrees_with_datetime(line.clock(name), line, name)


@pytest.mark.parametrize(
    ("name", "short", "long"),
    [
        ("America/Los_Angeles", (3, 9), (11, 2)),
        ("Europe/Berlin", (3, 30), (10, 26)),
        ("Australia/Lord_Howe", (10, 5), (4, 6)),
    ],
)
def test_days_when_the_clock_changes_are_shorter_and_longer(
    name: str, short: tuple[int, int], long: tuple[int, int]
) -> None:
    quarter = 900
    change = 2 if name == "Australia/Lord_Howe" else 4
    line = Timeline(local_midnight(2025, 1, 1, name), quarter, 35_040)
    clock = line.clock(name)
    for (month, day), expected in ((short, 96 - change), (long, 96 + change)):
        assert np.sum((clock.month == month) & (clock.day == day)) == expected


def test_a_leap_year_has_8784_hours() -> None:
    year = at("2024-01-01T00:00-08:00", steps=8784, zone="America/Los_Angeles")
    clock = year.clock()
    assert np.sum((clock.month == 2) & (clock.day == 29)) == 24
    assert year.instant(8784).isoformat() == "2025-01-01T00:00:00-08:00"


def test_a_fixed_offset_never_changes() -> None:
    year = at("2025-01-01T00:00-08:00", steps=8760)
    assert set(np.bincount(year.clock().day_number - year.clock().day_number[0])) == {24}
    assert year.tzinfo == timezone(timedelta(hours=-8))
    assert year.instant(5000).utcoffset() == timedelta(hours=-8)


def test_timestamps_are_the_starts_of_steps_on_the_sites_clock() -> None:
    night = at("2025-11-02T00:00-07:00", steps=4, zone="America/Los_Angeles")
    assert [stamp.isoformat() for stamp in night.timestamps] == [
        "2025-11-02T00:00:00-07:00",
        "2025-11-02T01:00:00-07:00",
        "2025-11-02T01:00:00-08:00",
        "2025-11-02T02:00:00-08:00",
    ]
    assert night.instant(4).isoformat() == "2025-11-02T03:00:00-08:00"
    assert (night.end_seconds - night.start_seconds, night.step_hours) == (4 * 3600, 1.0)
    with pytest.raises(IndexError):
        night.instant(5)


def test_a_start_that_carries_a_zone_brings_it() -> None:
    line = Timeline(datetime(2025, 7, 1, tzinfo=ZoneInfo("Europe/Berlin")), 3600, 24)
    assert line.time_zone == "Europe/Berlin"
    assert line.start.isoformat() == "2025-07-01T00:00:00+02:00"


@pytest.mark.parametrize(
    ("start", "step_seconds"),
    [
        ("2025-01-01T07:00+05:30", 3600),  # a local hour
        ("2025-01-01T05:30+05:30", 3600),  # an hour in UTC
        ("2025-01-01T05:45+05:45", 3600),
        ("2025-01-01T00:15+05:45", 900),
        ("2025-01-01T14:00-08:00", 7 * 3600),  # the third step of the day
        ("2025-01-01T00:00:07Z", 7),
        ("2025-01-01T00:00-08:00", 7 * 86_400),
    ],
)
def test_a_start_lies_on_a_local_or_a_utc_step_boundary(start: str, step_seconds: int) -> None:
    assert at(start, step_seconds).instant(0) == datetime.fromisoformat(start)


@pytest.mark.parametrize(
    ("start", "step_seconds"),
    [
        ("2025-01-01T00:10-08:00", 3600),
        ("2025-01-01T00:15+05:30", 3600),
        ("2025-01-01T00:05+05:45", 900),
        ("2025-01-01T12:00-08:00", 7 * 3600),
    ],
)
def test_a_start_between_steps_is_refused(start: str, step_seconds: int) -> None:
    with pytest.raises(InputError, match=f"must be a whole number of steps \\({step_seconds} s\\)"):
        at(start, step_seconds)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"time_zone": "America/New_York"},
            "start = '2025-01-01T00:00:00-08:00': has an offset that contradicts America/New_York, "
            "where it is 2025-01-01T03:00:00-05:00",
        ),
        (
            {"start": datetime(2025, 3, 9, 2, 30, tzinfo=ZoneInfo("America/Los_Angeles"))},
            "start = '2025-03-09T02:30:00-08:00': has an offset that contradicts "
            "America/Los_Angeles, where it is 2025-03-09T03:30:00-07:00",
        ),
        (
            {"start": datetime(2025, 1, 1)},
            "start = datetime.datetime(2025, 1, 1, 0, 0): has no UTC offset: add one, as in "
            "2025-01-01T00:00-08:00",
        ),
        (
            {"start": datetime(2025, 1, 1, 0, 0, 0, 500, tzinfo=UTC)},
            "start = '2025-01-01T00:00:00.000500+00:00': must be a whole second",
        ),
        ({"step_seconds": 0}, "step_seconds = 0: must be a whole number, 1 or more"),
        ({"step_seconds": 900.0}, "step_seconds = 900.0: must be a whole number, 1 or more"),
        ({"steps": True}, "steps = True: must be a whole number, 1 or more"),
        (
            {"steps": 10**9},
            "steps = 1000000000: end too late: every instant must lie in the years 2 to 9998",
        ),
        (
            {"time_zone": "America/Los_Angles"},
            "time_zone = 'America/Los_Angles': is not a known IANA time zone; "
            "did you mean America/Los_Angeles?",
        ),
    ],
)
def test_an_impossible_timeline_is_refused(arguments: dict[str, object], message: str) -> None:
    good: dict[str, object] = {
        "start": parse_instant("2025-01-01T00:00-08:00", "start"),
        "step_seconds": 3600,
        "steps": 24,
    }
    with pytest.raises(InputError) as caught:
        Timeline(**(good | arguments))  # type: ignore[arg-type]
    assert str(caught.value) == message


def test_timelines_compare_by_instants_and_clock() -> None:
    west, utc = at("2024-12-31T16:00-08:00"), at("2025-01-01T00:00Z")
    assert west.start_seconds == utc.start_seconds
    assert west != utc
    assert west.clock().day[0] == 31
    assert utc.clock().day[0] == 1
    assert len({west, at("2024-12-31T16:00-08:00"), utc}) == 2


def test_a_timeline_pickles() -> None:
    line = at("2025-01-01T00:00-08:00", zone="America/Los_Angeles")
    assert len(line.timestamps) == 24
    copy = pickle.loads(pickle.dumps(line))
    assert copy == line
    assert copy.clock() is line.clock()


def test_a_clock_is_made_once_and_cannot_be_written_to() -> None:
    line = at("2025-01-01T00:00-08:00", zone="America/Los_Angeles", steps=8760)
    with ThreadPoolExecutor(4) as threads:
        clocks = list(threads.map(lambda _: line.clock("Europe/Berlin"), range(8)))
    assert line.clock("Europe/Berlin") is clocks[0] or clocks[0].steps == 8760
    assert line.clock() is line.clock("America/Los_Angeles")
    with pytest.raises(ValueError, match="read-only"):
        line.clock().month[0] = 2


@pytest.mark.parametrize(
    "name", ["", "America", "PST", "/etc", "../UTC", "a\0b", "\ud800", "x" * 999]
)
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=r"timezone = .*is not a known IANA time zone; write"):
        zone(name, "timezone")


@pytest.mark.parametrize("name", ["america/los_angeles", "Los Angeles", "America/Los_Angelos"])
def test_an_unknown_zone_brings_the_nearest_name(name: str) -> None:
    with pytest.raises(InputError, match=r"did you mean America/Los_Angeles\?"):
        zone(name)


def test_a_machine_without_zones_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_zone_names", dict)
    with pytest.raises(
        InputError, match="no time zone database was found \\(pip install tzdata\\)"
    ):
        zone("Nowhere/But_Here")


@pytest.mark.parametrize(
    "text",
    ["2025-01-01T00:00:00-08:00", "2025-01-01 00:00-0800", "2025-01-01t08:00:00.0z"],
)
def test_an_instant_is_an_iso_8601_date_and_time(text: str) -> None:
    assert parse_instant(text, "at") == datetime(2025, 1, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2025-01-01", "must be an ISO 8601 date and time"),
        ("2025-01-01x00:00Z", "must be an ISO 8601 date and time"),
        (1735689600, "must be an ISO 8601 date and time"),
        (None, "must be an ISO 8601 date and time"),
        ("2025-01-01T00:00:00", "has no UTC offset"),
        ("2025-02-29T00:00:00Z", "is not a date and time: day is out of range for month"),
        ("2025-01-01T00:00:00+99:00", "is not a date and time"),
        ("0001-01-01T00:00:00+23:00", "must lie in the years 2 to 9998"),
        ("9999-12-31T23:59:59-23:00", "must lie in the years 2 to 9998"),
    ],
)
def test_a_text_that_is_no_instant_is_refused(text: str, reason: str) -> None:
    with pytest.raises(InputError, match=f"at = .*: {reason}"):
        parse_instant(text, "at")
