"""What plans are told: series, tables, and the past again."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from bess import Forecast, InputError, Site
from bess.forecast import foreseen

BERLIN = "Europe/Berlin"


def site_of(days: int, start: str = "2025-03-24T00:00+01:00", **others: Any) -> Site:
    """Each hour's load tells its local time, its solar the time in UTC."""
    blank = Site(load_kwh=np.zeros(24 * days), start=start, time_zone=BERLIN)
    clock = blank.timeline.clock()
    load = clock.weekday * 24.0 + clock.second_of_day / 3600
    solar = np.arange(24 * days) % 24
    return Site(load_kwh=load, solar_kwh=solar, start=start, time_zone=BERLIN, **others)


@pytest.mark.parametrize("start", ["2025-03-24T00:00+01:00", "2025-10-20T00:00+02:00"])
def test_persistence_goes_by_the_wall_clock_for_load_and_by_the_sun_for_solar(start: str) -> None:
    """A night of 23 or 25 hours lies in the days that are looked back over."""
    site = site_of(21, start)
    load, solar = foreseen("persistence", site, 48, 1)
    changed = 24 * 6 + 3  # about the hour that is missing, or comes twice
    for begin in (24 * 7 + 1, 24 * 9 + 5, 24 * 14 - 1, 24 * 17):
        expected = site.load_kwh[begin : begin + 48]
        late = np.arange(begin, begin + 48) % (24 * 7)
        usual = abs(late - changed) > 3
        np.testing.assert_array_equal(load.ahead(begin, 48)[usual], expected[usual])
        np.testing.assert_array_equal(solar.ahead(begin, 48), site.solar_kwh[begin : begin + 48])


def test_persistence_takes_a_day_before_in_the_first_week_and_the_last_step_in_the_first_day() -> (
    None
):
    site = Site(load_kwh=np.arange(1.0, 73.0), start="2025-06-01T00:00Z")
    load, _ = foreseen("persistence", site, 4, 1)
    assert load.ahead(0, 3).tolist() == [0, 0, 0]
    assert load.ahead(1, 3).tolist() == [1, 1, 1]
    assert load.ahead(23, 3).tolist() == [23, 1, 2]
    assert load.ahead(30, 3).tolist() == [7, 8, 9]
    assert load.ahead(30, 26)[-2:].tolist() == [7, 8]


def test_rows_are_what_each_plan_foresees() -> None:
    site = site_of(9)
    for given in ("persistence", "perfect", site, Forecast(np.arange(216.0), "persistence")):
        for each in foreseen(given, site, 30, 5):
            values, stride = each.rows(100, 150)
            for k, begin in enumerate(range(100, 150, 5)):
                row = values[k * stride : k * stride + 30]
                np.testing.assert_array_equal(row, each.ahead(begin, 30))


def test_a_table_repeats_its_last_day_where_more_is_asked_for() -> None:
    site = Site(load_kwh=np.zeros(72), start="2025-06-01T00:00Z")
    table = np.arange(72 * 30.0).reshape(72, 30)
    load, _ = foreseen(Forecast(table, "perfect"), site, 30, 1)
    assert load.ahead(2, 32)[28:].tolist() == [88, 89, 66, 67]


def test_a_forecast_pickles_and_says_what_it_is() -> None:
    table = Forecast([[1, 2], [3, 4]], "perfect")
    again = pickle.loads(pickle.dumps(table))
    assert repr(again) == "Forecast(load_kwh=<2 plans, 2 steps ahead>, solar_kwh='perfect')"
    assert repr(Forecast([1, 2])) == "Forecast(load_kwh=<2 values>, solar_kwh='persistence')"
    with pytest.raises(AttributeError):
        again.load_kwh = "perfect"


@pytest.mark.parametrize(
    ("given", "path", "reason"),
    [
        ("yesterday", "load_kwh", "persistence"),
        (3, "load_kwh", "series"),
        ([], "load_kwh", "at least one"),
        ([[]], r"load_kwh[0]", "at least one"),
        ([1, -1], "load_kwh[1]", "at least 0"),
        ([[1, 2], [3]], "load_kwh[1]", "has 1 values; row 0 has 2"),
        ([[1, 2], [3, float("nan")]], "load_kwh[1][1]", "finite"),
        ([[[1]]], "load_kwh", "one-dimensional"),
        ([["a"]], "load_kwh[0][0]", "number"),
        (None, "load_kwh", "series"),
    ],
)
def test_what_is_no_forecast_is_refused_by_name(given: Any, path: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as refused:
        Forecast(given)
    assert refused.value.problems[0].path == path
