"""Calendars of holidays, and a published tariff whose times of use share out the week."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from bess.errors import InputError
from bess.time_of_use import TimeOfUse, covers, holidays, missing_calendars
from bess.timeline import LocalClock, Timeline, parse_instant


def clock(start: str, steps: int, zone: str | None = None) -> LocalClock:
    return Timeline(parse_instant(start, "start"), 3600, steps, zone).clock()


HOLIDAY = {"touPeriods": [{"fromHour": 19, "toHour": 15, "toDayOfWeek": 4}], "calendarId": 61}
PEAK = TimeOfUse.model_validate({"touPeriods": [{"fromHour": 15, "toHour": 19, "toDayOfWeek": 4}]})


def test_a_calendar_takes_its_days_whole() -> None:
    tou = TimeOfUse.model_validate(HOLIDAY)
    fourth = clock("2025-07-03T00:00Z", 48)
    for calendars in ({61: [date(2025, 7, 4)]}, {"61": {"2025-07-04"}}):
        assert covers([tou], fourth, calendars)[24:].all()
        assert covers([tou], fourth, calendars)[:24].sum() == 20
        assert (covers([PEAK], fourth) & ~holidays([tou], fourth, calendars)).sum() == 4
    assert covers([tou], fourth).sum() == 40
    assert missing_calendars([tou, PEAK]) == missing_calendars([tou], {62: []}) == ("61",)
    assert missing_calendars([tou], {61: []}) == ()


def test_the_dates_of_a_calendar_may_stand_in_its_place() -> None:
    tou = TimeOfUse.model_validate(HOLIDAY | {"calendarId": None, "calendar": ["2025-07-04"]})
    assert covers([tou], clock("2025-07-04T00:00Z", 24)).all()


def test_a_calendar_takes_days_within_the_season_alone() -> None:
    summer = {"seasonFromMonth": 6, "seasonToMonth": 9}
    tou = TimeOfUse.model_validate(HOLIDAY | {"season": summer})
    winter_holiday = {61: [date(2025, 12, 25)]}
    assert not covers([tou], clock("2025-12-25T00:00Z", 24), winter_holiday).any()


def test_a_period_with_a_calendar_holds_on_its_days_alone() -> None:
    tou = TimeOfUse.model_validate({"touPeriods": [{"fromHour": 8, "toHour": 10, "calendarId": 7}]})
    found = covers([tou], clock("2025-07-03T00:00Z", 48), {7: [date(2025, 7, 4)]})
    assert np.flatnonzero(found).tolist() == [32, 33]
    assert missing_calendars([tou]) == ("7",)


def test_a_date_that_is_none_is_refused_with_its_place() -> None:
    tou = TimeOfUse.model_validate(HOLIDAY)
    with pytest.raises(InputError, match=r"calendars.61\[0\] = '4 July': must be a date"):
        covers([tou], clock("2025-07-04T00:00Z", 1), {61: ["4 July"]})


def pseg_times_of_use(folder: Path) -> list[list[TimeOfUse]]:
    """For each season, each distinct time of use of the PSEG-LI tariff."""
    document = json.loads(
        (folder / "tariffs/genability/psegli_default_2025-01-01.json").read_text()
    )
    tariff = document[0] if isinstance(document, list) else document.get("results", [document])[0]
    found: dict[int, dict[int, TimeOfUse]] = {}
    for rate in tariff["rates"]:
        if rate.get("timeOfUse"):
            tou = TimeOfUse.model_validate(rate["timeOfUse"] | {"season": rate["season"]})
            found.setdefault(rate["season"]["seasonId"], {})[rate["timeOfUse"]["touId"]] = tou
    return [list(tous.values()) for tous in found.values()]


@pytest.mark.parametrize("monday", ["2025-07-07T00:00-04:00", "2025-01-06T00:00-05:00"])
def test_the_published_periods_of_a_tariff_cover_each_hour_of_the_week_once(
    shared_data: Path, monday: str
) -> None:
    this_week = clock(monday, 168, zone="America/New_York")
    by_season = pseg_times_of_use(shared_data)
    assert len(by_season) == 2
    counts = [sum(covers([tou], this_week).astype(int) for tou in tous) for tous in by_season]
    assert sorted(int(np.sum(count)) for count in counts) == [0, 168]
    assert np.sum(counts, axis=0).tolist() == [1] * 168


def test_the_holidays_of_a_published_tariff_are_off_peak_whole(shared_data: Path) -> None:
    fourth = clock("2025-07-04T00:00-04:00", 24, zone="America/New_York")  # a Friday
    tous = [tou for season in pseg_times_of_use(shared_data) for tou in season]
    assert missing_calendars(tous) == ("61",)
    calendars = {61: [date(2025, 7, 4)]}
    off_peak = [tou for tou in tous if tou.calendar == "61"]
    on_peak = [tou for tou in tous if tou.calendar is None]
    assert covers(off_peak, fourth, calendars).all()
    assert covers(on_peak, fourth, calendars).sum() == 4
    assert not (covers(on_peak, fourth, calendars) & ~holidays(off_peak, fourth, calendars)).any()
