"""Times of use: every wrap, midnight either way, seasons, nights when the clock changes."""

from __future__ import annotations

import pickle
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
import reference_time
from hypothesis import given
from hypothesis import strategies as st

from bess.errors import InputError
from bess.time_of_use import (
    TimeOfUse,
    boundary_inside_step,
    covers,
)
from bess.timeline import LocalClock, Timeline, parse_instant

MONDAY = "2025-01-06T00:00Z"


def clock(start: str, steps: int, step_seconds: int = 3600, zone: str | None = None) -> LocalClock:
    return Timeline(parse_instant(start, "start"), step_seconds, steps, zone).clock()


def period(**keys: int) -> TimeOfUse:
    return TimeOfUse.model_validate({"touPeriods": [keys]})


def in_season(**keys: Any) -> TimeOfUse:
    return TimeOfUse.model_validate({"season": keys, "touPeriods": [{"fromHour": 0, "toHour": 24}]})


def week(tou: TimeOfUse) -> list[set[int]]:
    """The hours covered on each day of a week, Monday first."""
    on = covers([tou], clock(MONDAY, 168)).reshape(7, 24)
    return [set(np.flatnonzero(day).tolist()) for day in on]


def days(tou: TimeOfUse, year: int) -> list[date]:
    first = date(year, 1, 1)
    on = covers([tou], clock(f"{year}-01-01T00:00Z", 366, 86_400))
    return [first + timedelta(days=int(n)) for n in np.flatnonzero(on)]


ALL_DAY, NOTHING = set(range(24)), set[int]()


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ((8, 17), set(range(8, 17))),
        ((22, 24), {22, 23}),
        ((22, 0), {22, 23}),
        ((0, 6), set(range(6))),
        ((0, 24), ALL_DAY),
        ((0, 0), ALL_DAY),
        ((7, 7), ALL_DAY),
        ((24, 24), ALL_DAY),
        ((24, 6), set(range(6))),
        ((23, 1), {23, 0}),
    ],
)
def test_hours_end_exclusive_and_midnight_is_24_or_a_closing_0(
    hours: tuple[int, int], expected: set[int]
) -> None:
    assert week(period(fromHour=hours[0], toHour=hours[1])) == [expected] * 7


def test_a_period_that_wraps_midnight_is_read_per_day() -> None:
    found = week(period(fromDayOfWeek=0, toDayOfWeek=4, fromHour=22, toHour=6))
    assert found == [{22, 23, 0, 1, 2, 3, 4, 5}] * 5 + [NOTHING] * 2


def test_days_wrap_the_week() -> None:
    found = week(period(fromDayOfWeek=5, toDayOfWeek=0, fromHour=10, toHour=12))
    assert found == [{10, 11}] + [NOTHING] * 4 + [{10, 11}] * 2


def test_days_from_one_to_the_day_before_are_the_whole_week() -> None:
    assert week(period(fromDayOfWeek=3, toDayOfWeek=2, fromHour=0, toHour=1)) == [{0}] * 7


def test_days_are_the_whole_week_by_default_and_may_be_bounded_on_one_side() -> None:
    assert week(period(fromDayOfWeek=6, fromHour=0, toHour=1)) == [NOTHING] * 6 + [{0}]
    assert week(period(toDayOfWeek=0, fromHour=0, toHour=1)) == [{0}] + [NOTHING] * 6


def test_minutes_count() -> None:
    tou = period(fromHour=7, fromMinute=30, toHour=8, toMinute=15)
    on = covers([tou], clock(MONDAY, 96, 900))
    assert np.flatnonzero(on).tolist() == [30, 31, 32]


def test_a_step_belongs_to_the_period_in_which_it_starts() -> None:
    tou = period(fromHour=7, fromMinute=30, toHour=9)
    assert np.flatnonzero(covers([tou], clock(MONDAY, 24))).tolist() == [8]


def test_a_season_includes_both_ends() -> None:
    tou = in_season(seasonFromMonth=6, seasonFromDay=15, seasonToMonth=9, seasonToDay=30)
    found = days(tou, 2025)
    assert (found[0], found[-1], len(found)) == (date(2025, 6, 15), date(2025, 9, 30), 108)


def test_a_season_without_days_takes_whole_months() -> None:
    found = days(in_season(seasonFromMonth=2, seasonToMonth=4), 2024)
    assert (found[0], found[-1], len(found)) == (date(2024, 2, 1), date(2024, 4, 30), 90)


def test_a_season_wraps_the_year() -> None:
    tou = in_season(seasonFromMonth=10, seasonFromDay=1, seasonToMonth=5, seasonToDay=31)
    summer = in_season(seasonFromMonth=6, seasonFromDay=1, seasonToMonth=9, seasonToDay=30)
    year = clock("2025-01-01T00:00Z", 365, 86_400)
    assert (covers([tou], year) ^ covers([summer], year)).all()


def test_a_season_of_one_day() -> None:
    day = {"seasonFromMonth": 7, "seasonFromDay": 4, "seasonToMonth": 7, "seasonToDay": 4}
    assert days(in_season(**day), 2025) == [date(2025, 7, 4)]


@pytest.mark.parametrize("last_day", [{"seasonToDay": 28}, {"seasonToDay": 29}, {}])
def test_a_season_that_ends_on_28_february_includes_the_29th(last_day: dict[str, int]) -> None:
    winter = in_season(seasonFromMonth=11, seasonFromDay=1, seasonToMonth=2, **last_day)
    assert date(2024, 2, 29) in days(winter, 2024)
    assert date(2024, 3, 1) not in days(winter, 2024)
    assert days(winter, 2025)[58] == date(2025, 2, 28)


NIGHTS = [
    ("2025-03-09T00:00-08:00", "America/Los_Angeles"),
    ("2025-11-02T00:00-07:00", "America/Los_Angeles"),
    ("2025-03-30T00:00+01:00", "Europe/Berlin"),
    ("2025-10-26T00:00+02:00", "Europe/Berlin"),
    ("2025-04-06T00:00+11:00", "Australia/Lord_Howe"),
    ("2025-10-05T00:00+10:30", "Australia/Lord_Howe"),
]


@pytest.mark.parametrize(("night", "expected"), list(zip(NIGHTS, [0, 8, 0, 8, 6, 2], strict=True)))
def test_the_clock_that_changes_skips_or_repeats_part_of_a_period(
    night: tuple[str, str], expected: int
) -> None:
    start, zone = night
    # The hour skipped or doubled begins at 2:00 in Berlin, at 1:00 in autumn in Los Angeles; on
    # Lord Howe 2:00 to 2:30 is skipped and 1:30 to 2:00 comes twice.
    hour = 1 if zone == "America/Los_Angeles" and expected else 2
    hour = 1 if zone == "Australia/Lord_Howe" and expected == 6 else hour
    on = covers([period(fromHour=hour, toHour=hour + 1)], clock(start, 96, 900, zone))
    assert on.sum() == expected


@given(
    place=st.sampled_from([*NIGHTS, ("2024-02-28T00:00+05:30", "Asia/Kolkata")]),
    hours=st.tuples(st.integers(0, 23), st.integers(0, 24)),
    minutes=st.tuples(st.sampled_from([0, 15, 30, 59]), st.sampled_from([0, 15, 30, 59])),
    on_days=st.tuples(st.integers(0, 6), st.integers(0, 6)),
    season=st.none() | st.tuples(*[st.integers(1, 12), st.integers(1, 28)] * 2),
    step_seconds=st.sampled_from([300, 900, 1800, 3600]),
)
def test_times_of_use_agree_with_a_step_by_step_reading(
    place: tuple[str, str],
    hours: tuple[int, int],
    minutes: tuple[int, int],
    on_days: tuple[int, int],
    season: tuple[int, int, int, int] | None,
    step_seconds: int,
) -> None:
    keys = {
        "fromHour": hours[0],
        "fromMinute": minutes[0],
        "toHour": hours[1],
        "toMinute": minutes[1] if hours[1] < 24 else 0,
        "fromDayOfWeek": on_days[0],
        "toDayOfWeek": on_days[1],
    }
    tou: dict[str, Any] = {"touPeriods": [keys]}
    if season:
        bounds = ("seasonFromMonth", "seasonFromDay", "seasonToMonth", "seasonToDay")
        tou["season"] = dict(zip(bounds, season, strict=True))
    start, zone = place
    steps = 3 * 86_400 // step_seconds
    found = covers([TimeOfUse.model_validate(tou)], clock(start, steps, step_seconds, zone))
    starts = reference_time.step_starts(start, step_seconds, steps)
    assert found.tolist() == reference_time.covered([tou], starts, zone)


def cut(tou: TimeOfUse, clock: LocalClock) -> list[int]:
    return np.flatnonzero(boundary_inside_step([tou], clock)).tolist()


def test_steps_cut_by_an_edge_are_found() -> None:
    half = period(fromHour=7, fromMinute=30, toHour=9)
    assert cut(half, clock(MONDAY, 24)) == [7]
    assert cut(half, clock(MONDAY, 48, 1800)) == []
    assert cut(period(fromHour=9, toHour=11), clock("2025-01-06T00:00Z", 8, 10_800)) == [3]
    # The hours of UTC begin at half past on a clock in India.
    assert cut(period(fromHour=9, toHour=11), clock(MONDAY, 24, zone=None)) == []
    india = clock("2025-01-06T05:30+05:30", 24, zone="Asia/Kolkata")
    assert cut(period(fromHour=9, toHour=11), india) == [3, 5]


def test_a_period_that_begins_and_ends_within_a_step_is_found() -> None:
    assert cut(period(fromHour=1, toHour=2), clock(MONDAY, 6, 4 * 3600)) == [0]
    assert cut(period(fromHour=1, toHour=2, fromDayOfWeek=1), clock(MONDAY, 1, 86_400)) == []
    assert cut(period(fromHour=1, toHour=2, fromDayOfWeek=1), clock(MONDAY, 1, 3 * 86_400)) == [0]


def test_a_whole_day_cuts_steps_at_midnight() -> None:
    monday = period(fromHour=0, toHour=0, toDayOfWeek=0)
    assert cut(monday, clock("2025-01-06T05:30+05:30", 24, zone="Asia/Kolkata")) == [18]


def test_keys_come_in_either_spelling_and_numbers_as_strings() -> None:
    snake = {"tou_periods": [{"from_hour": "8", "to_hour": "17", "from_day_of_week": "0"}]}
    camel = {"touPeriods": [{"fromHour": 8, "toHour": 17.0, "fromDayOfWeek": 0}], "season": None}
    assert TimeOfUse.model_validate(snake) == TimeOfUse.model_validate(camel)
    assert len({TimeOfUse.model_validate(snake), TimeOfUse.model_validate(camel)}) == 1


def test_a_time_of_use_pickles_and_dumps() -> None:
    tou = TimeOfUse.model_validate(
        {"touPeriods": [{"fromHour": 1, "toHour": 2}], "calendarId": ["2025-07-04"]}
    )
    assert pickle.loads(pickle.dumps(tou)) == tou
    assert TimeOfUse.model_validate(tou.model_dump(by_alias=True)) == tou


HOLIDAY = {"touPeriods": [{"fromHour": 19, "toHour": 15, "toDayOfWeek": 4}], "calendarId": 61}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "touPeriods: is required"),
        ({"touPeriods": []}, "touPeriods = []: must have at least 1 item"),
        ({"touPeriods": {}}, "touPeriods: must be a list"),
        ({"tou_periods": [3]}, "tou_periods[0] = 3: must be an object"),
        ({"touPeriods": [{"fromHour": 3}]}, "touPeriods[0].toHour: is required"),
        (
            {"touPeriods": [{"fromHour": 3, "toHour": "25"}]},
            "touPeriods[0].toHour = '25': must be less than or equal to 24",
        ),
        (
            {"touPeriods": [{"fromHour": 3.5, "toHour": 4}]},
            "touPeriods[0].fromHour = 3.5: must be an integer",
        ),
        (
            {"touPeriods": [{"fromHour": 3, "to_hour": 24, "to_minute": "30"}]},
            "touPeriods[0].to_minute = '30': must be 0 where the hour is 24",
        ),
        (
            {"touPeriods": [{"fromHour": 3, "toHour": 4, "toDayOfWeek": 7}]},
            "touPeriods[0].toDayOfWeek = 7: must be less than or equal to 6",
        ),
        (
            HOLIDAY | {"season": {"seasonFromMonth": 2, "seasonFromDay": 30, "seasonToMonth": 3}},
            "season.seasonFromDay = 30: must be at most 29 in month 2",
        ),
        (HOLIDAY | {"season": {"seasonToMonth": 3}}, "season.seasonFromMonth: is required"),
        (HOLIDAY | {"season": "summer"}, "season = 'summer': must be an object"),
        (
            HOLIDAY | {"calendarId": 1.5},
            "calendarId = 1.5: must be a calendar's id or a list of its dates",
        ),
        (
            HOLIDAY | {"calendarId": ["2025-02-30"]},
            "calendarId[0] = '2025-02-30': must be a date, written as in 2025-07-04",
        ),
        (
            HOLIDAY | {"calendar": 3},
            "calendar = 3: is given twice, also as calendarId",
        ),
    ],
)
def test_a_time_of_use_that_is_not_valid_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        TimeOfUse.model_validate(given)
    assert str(caught.value) == message
