"""Baselining: interval series with gaps."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import bess
from bess import InputError, Origin, baseline

LOS_ANGELES = "America/Los_Angeles"


def message(*arguments: Any, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        baseline(*arguments, **options)
    return str(caught.value)


def weeks(count: int) -> Any:
    """Hours of weeks that are all alike, with other weekends."""
    week = np.concatenate([np.tile(np.arange(24.0) + 1, 5), np.tile(np.arange(24.0) + 11, 2)])
    return np.tile(week, count)


def test_a_gap_takes_the_series_own_days() -> None:
    whole = weeks(8)
    given = whole.copy()
    given[400:500] = np.nan
    found = baseline(given, start="2025-01-06T00:00Z", time_zone="Etc/UTC")
    assert_allclose(found.energy_kwh, whole, rtol=1e-9)
    assert (found.origin == np.where(np.isnan(given), 2, 0)).all()
    assert found.assumptions[-2:] == (
        "profile: 100 of 1,344 steps are missing, in 1 gaps of up to 100 h: 1 scaled to the "
        "readings within 7 days, 0 to all readings",
        "profile: gaps follow the series' own averages",
    )


def test_a_short_gap_is_scaled_to_its_neighbours_and_a_long_one_to_all() -> None:
    whole = np.ones(8760)
    whole[4000:] = 3.0
    given = whole.copy()
    given[100:110] = np.nan
    given[6000:6200] = np.nan
    found = baseline(given, start="2025-01-01T00:00Z", time_zone="Etc/UTC", typical="flat")
    assert_allclose(found.energy_kwh[100:110], 1.0, rtol=1e-12)
    overall = np.nansum(given) / np.isfinite(given).sum()
    assert_allclose(found.energy_kwh[6000:6200], overall, rtol=1e-12)


def test_a_month_without_readings_lies_between_its_neighbours() -> None:
    clock = bess.Timeline(datetime(2025, 1, 1, tzinfo=UTC), 3600, 8760).clock()
    given = clock.month.astype(float)
    given[clock.month == 6] = np.nan
    found = baseline(given, start="2025-01-01T00:00Z")
    assert_allclose(found.energy_kwh[clock.month == 6], 6.0, rtol=0.02)


def test_a_series_with_gaps_is_re_dated_with_its_origins() -> None:
    given = np.ones(8760)
    given[24 * 10 : 24 * 11] = np.nan
    index = pd.date_range("2023-01-01", periods=8760, freq="h", tz=LOS_ANGELES)
    found = baseline(pd.Series(given, index), start="2025-01-01T00:00-08:00")
    assert found.start.isoformat() == "2025-01-01T00:00:00-08:00"
    assert found.time_zone == LOS_ANGELES
    assert 23 <= (found.origin == Origin.EXTRAPOLATED).sum() <= 48
    assert "re-dated" in found.assumptions[-1]


def test_missing_rows_of_a_pandas_series_are_gaps() -> None:
    index = pd.date_range("2025-01-06", periods=14 * 24, freq="h", tz="Etc/UTC")
    series = pd.Series(weeks(2), index)
    found = baseline(series.drop(index[30:40]))
    assert_allclose(found.energy_kwh, weeks(2), rtol=1e-9)
    assert (found.origin[30:40] == Origin.EXTRAPOLATED).all()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([np.nan, np.nan], "profile: holds no readings"),
        ([1.0, np.nan, -1.0], "profile[2] = -1.0: must be a finite number ≥ 0"),
        ([None, "x"], "profile[1] = 'x': must be a number"),
        ([1.0, np.nan, np.inf], "profile[2] = inf: must be a finite number ≥ 0"),
    ],
)
def test_bad_series_are_refused(values: Any, expected: str) -> None:
    assert message(values, start="2025-01-01T00:00Z") == expected


def test_a_whole_profile_passes_as_it_is() -> None:
    found = baseline([1.0, 2.0], start="2025-01-01T00:00Z")
    assert found.energy_kwh.tolist() == [1, 2]
    assert (found.origin == Origin.MEASURED).all()
    assert message([1.0, 2.0]) == "start: is required: the series has no time stamps"
    assert message([1.0], start="2025-01-01T00:00Z", step_hours=0.5).startswith("step_hours = 0.5")


@settings(max_examples=40)
@given(st.lists(st.one_of(st.none(), st.floats(0, 1e3)), min_size=24, max_size=400))
def test_a_filled_series_keeps_its_readings(values: list[float | None]) -> None:
    assume(any(value is not None for value in values))
    found = baseline(values, start="2025-03-08T00:00-08:00", time_zone=LOS_ANGELES)
    given = np.array([np.nan if value is None else value for value in values])
    known = np.isfinite(given)
    assert (found.energy_kwh[known] == given[known]).all()
    assert np.isfinite(found.energy_kwh).all()
    assert (found.energy_kwh >= 0).all()
