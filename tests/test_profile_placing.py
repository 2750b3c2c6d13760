"""Profiles placed on a request's year: cut out, re-dated by weekday or by date, or refused."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bess.errors import InputError
from bess.profile import Profile, horizon, place, read_profile
from bess.timeline import LocalClock, Timeline, parse_instant

LOS_ANGELES = "America/Los_Angeles"


def year(
    start: str, zone: str | None = LOS_ANGELES, steps: int = 8760, step: int = 3600
) -> Timeline:
    return Timeline(parse_instant(start, "start"), step, steps, zone)


def numbered(start: str | None, steps: int, step: int = 3600, **options: Any) -> Profile:
    """A profile whose readings are the numbers of its steps."""
    return Profile(np.arange(float(steps)), start, step, **options)  # type: ignore[arg-type]


def day_of_year(clock: LocalClock) -> Any:
    """The day of a common year on which each step starts, from 0."""
    before_month = np.cumsum([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30])
    return before_month[clock.month - 1] + clock.day - 1


def test_a_year_that_holds_the_horizon_is_cut_and_not_re_dated() -> None:
    profile = numbered("2024-12-01T00:00-08:00", 10_000)
    placed, note = place(profile, year("2025-01-01T00:00-08:00"), by_date=False)
    assert placed[0] == 24 * 31
    assert note is None


def test_each_day_takes_the_nearest_day_of_its_weekday_and_each_hour_its_own() -> None:
    profile = numbered("2016-08-01T00:00-07:00", 8760)
    timeline = year("2025-01-01T00:00-08:00")
    placed, note = place(profile, timeline, by_date=False)
    source = year("2016-08-01T00:00-07:00").clock()
    taken, wanted = placed.astype(int), timeline.clock()

    assert (source.weekday[taken] == wanted.weekday).all()
    assert note is not None
    assert note.endswith("same weekday nearest in the calendar, local hour to local hour")
    apart = (day_of_year(source)[taken] - day_of_year(wanted)) % 365
    calendar = np.minimum(apart, 365 - apart)
    assert calendar.max() <= 4  # 3, and one more where 31 July meets 1 August
    nights = source.second_of_day[taken] != wanted.second_of_day
    assert nights.sum() == 0  # both clocks change on Sundays
    assert len(np.unique(taken)) > 8600


def test_solar_goes_by_date() -> None:
    profile = numbered("2016-08-01T00:00-07:00", 8760)
    placed, _ = place(profile, year("2025-01-01T00:00-08:00"), by_date=True)
    source = year("2016-08-01T00:00-07:00").clock()
    wanted = year("2025-01-01T00:00-08:00").clock()
    taken = placed.astype(int)
    assert (source.month[taken] == wanted.month).all()
    assert (source.day[taken] == wanted.day).all()


def test_a_leap_day_takes_the_day_before_from_a_common_year() -> None:
    profile = numbered("2023-01-01T00:00Z", 8760)
    timeline = year("2024-01-01T00:00Z", "Etc/UTC", 8784)
    placed, _ = place(profile, timeline, by_date=True)
    first = 24 * 59  # 29 February
    assert placed[first : first + 24].tolist() == list(range(24 * 58, 24 * 59))
    assert placed[first + 24] == 24 * 59  # 1 March


def test_a_common_year_leaves_the_leap_day_out() -> None:
    profile = numbered("2024-01-01T00:00Z", 8784)
    placed, _ = place(profile, year("2025-01-01T00:00Z", "Etc/UTC"), by_date=True)
    assert placed[24 * 58] == 24 * 58
    assert placed[24 * 59] == 24 * 60


def test_a_doubled_hour_takes_the_sources_two_or_its_one_twice() -> None:
    night = 24 * 30 + 1  # 1 a.m. of 31 days after the start
    clock = year("2025-10-03T00:00-07:00")  # 2 November is day 30
    double = numbered("2025-10-03T00:00-07:00", 8760)
    placed, _ = place(double, year("2026-10-03T00:00-07:00"), by_date=True)
    assert clock.clock().second_of_day[night] == clock.clock().second_of_day[night + 1]
    # In 2026 the clock goes back on 1 November, whose source is an ordinary day.
    there = 24 * 29 + 1
    assert placed[there] == placed[there + 1] == 24 * 29 + 1
    # On 2 November, an ordinary day, the first of the source's two counts.
    assert placed[24 * 30 + 2] == night
    assert placed[24 * 30 + 3] == night + 2


def test_quarter_hours_of_a_half_hour_zone_keep_their_place() -> None:
    profile = numbered("2024-07-01T00:00+10:30", 35_040, 900)
    timeline = year("2025-07-01T00:00+10:30", "Australia/Lord_Howe", 35_040, 900)
    placed, _ = place(profile, timeline, by_date=True)
    source = year("2024-07-01T00:00+10:30", "Australia/Lord_Howe", 35_040, 900).clock()
    moved = source.second_of_day[placed.astype(int)] != timeline.clock().second_of_day
    assert moved.sum() == 2  # 2:00 and 2:15 of the source's short night


def test_a_short_series_starts_where_the_request_does() -> None:
    timeline = year("2025-01-01T00:00-08:00", steps=24)
    placed, note = place(numbered("2025-01-01T08:00Z", 24), timeline, by_date=False)
    assert placed.tolist() == list(range(24))
    assert note is None
    with pytest.raises(InputError) as caught:
        place(numbered("2025-01-02T08:00Z", 24), timeline, by_date=False)
    assert str(caught.value) == (
        "profile: covers 2025-01-02 to 2025-01-02, less than a year, so it must start where the "
        "request does, 2025-01-01T00:00:00-08:00"
    )


def test_steps_must_agree_and_meet() -> None:
    timeline = year("2025-01-01T00:00-08:00", steps=4)
    with pytest.raises(InputError, match=r"profile: has steps of 15 min, the first profile 60 min"):
        place(numbered(None, 4, 900), timeline, by_date=False)
    shifted = numbered("2016-01-01T00:30-08:00", 9000)
    with pytest.raises(
        InputError, match=r"profile = .*00:30.*: start must be a whole number of steps"
    ):
        place(shifted, timeline, by_date=False)


def test_the_horizon_is_a_year_of_the_local_clock_or_the_shortest_series() -> None:
    start = parse_instant("2024-01-01T00:00-08:00", "")
    assert horizon([numbered(None, 8760)], start, LOS_ANGELES).steps == 8784
    assert horizon([numbered(None, 8760), numbered(None, 48)], start, LOS_ANGELES).steps == 48
    spring = parse_instant("2025-03-09T00:00-08:00", "")
    assert horizon([numbered(None, 9000)], spring, LOS_ANGELES).steps == 8759
    assert horizon([numbered(spring.isoformat(), 8759)], spring, LOS_ANGELES).steps == 8759
    leap_day = parse_instant("2024-02-29T00:00-08:00", "")
    assert horizon([numbered(None, 8784)], leap_day, LOS_ANGELES).steps == 24 * 366


@settings(max_examples=40)
@given(
    source=st.dates(date(2000, 1, 1), date(2040, 1, 1)),
    target=st.dates(date(2000, 1, 1), date(2040, 1, 1)),
    days=st.integers(367, 800),
    by_date=st.booleans(),
    name=st.sampled_from([LOS_ANGELES, "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata"]),
)
def test_every_reading_keeps_its_weekday_or_date_and_its_hour(
    source: date, target: date, days: int, by_date: bool, name: str
) -> None:
    starts = [datetime(d.year, d.month, d.day, tzinfo=ZoneInfo(name)) for d in (source, target)]
    profile = Profile(np.arange(48.0 * days), starts[0], 1800)
    timeline = horizon([profile], starts[1], name)
    placed, _ = place(profile, timeline, by_date=by_date)
    taken = placed.astype(int)
    clock, wanted = Timeline(starts[0], 1800, 48 * days, name).clock(), timeline.clock()

    if by_date:
        same = (clock.month[taken] == wanted.month) & (clock.day[taken] == wanted.day)
        assert same[(wanted.month != 2) | (wanted.day != 29)].all()
    else:
        assert (clock.weekday[taken] == wanted.weekday).all()
    apart = np.abs(clock.second_of_day[taken] - wanted.second_of_day)
    assert (apart > 0).sum() <= 4  # hours that the source's clock skipped, in two springs
    assert apart.max() <= 3600


def test_the_shipped_homes_days_are_all_there() -> None:
    path = Path(__file__).parents[1] / "examples" / "fontana-home.csv"
    load = read_profile(path, role="load", time_zone=LOS_ANGELES)
    solar = read_profile(path, role="solar", time_zone=LOS_ANGELES)
    assert load.start == solar.start == datetime(2016, 8, 1, tzinfo=ZoneInfo(LOS_ANGELES))
    assert (load.steps, load.step_seconds) == (8760, 3600)
    assert load.energy_kwh.sum() == pytest.approx(10_583.5, abs=0.1)
    assert solar.energy_kwh.sum() == pytest.approx(7_212.5, abs=0.1)
    noon = solar.energy_kwh[:2160].reshape(90, 24).sum(axis=0).argmax()
    assert noon == 12  # on summer time the sun is highest shortly before one o'clock
    assert load.start is not None
    assert load.start + timedelta(days=365) == datetime(2017, 8, 1, tzinfo=ZoneInfo(LOS_ANGELES))
