"""Profile JSON, arrays and pandas series: what the reader understands, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from bess.errors import InputError
from bess.profile import Profile, place, read_profile
from bess.timeline import Timeline, parse_instant

LOS_ANGELES = "America/Los_Angeles"
GAP = "is missing: bess.baseline makes a step series of bills and of a series with gaps"


def test_a_profile_json_in_either_spelling() -> None:
    camel = {
        "fromDateTime": "2025-01-01T00:00:00-08:00",
        "duration": 1_800_000,
        "quantityUnit": "Wh",
        "dataSeries": [500, "1500", 0.0],
        "exportDataSeries": [0, 0, 0],
        "description": "what else a profile holds is not read",
    }
    snake = {
        "from_date_time": "2025-01-01T00:00:00-08:00",
        "duration": "1800000",
        "quantity_unit": "Wh",
        "data_series": [500, "1500", 0.0],
    }
    for document in (camel, snake):
        profile = read_profile(document)
        assert profile.energy_kwh.tolist() == [0.5, 1.5, 0.0]
        assert profile.step_seconds == 1800
        assert profile.start == parse_instant("2025-01-01T00:00-08:00", "")


def test_reading_data_are_dated_readings() -> None:
    rows = [
        {
            "fromDateTime": f"2025-11-02T{hour}:00:00",
            "toDateTime": f"2025-11-02T{until}:00:00",
            "quantityUnit": "kWh",
            "quantityValue": str(value),
        }
        for hour, until, value in (("00", "01", 1), ("01", "01", 2), ("01", "02", 3))
    ]
    profile = read_profile({"readingData": rows}, time_zone=LOS_ANGELES)
    assert profile.energy_kwh.tolist() == [1, 2, 3]
    assert profile.start == parse_instant("2025-11-02T00:00-07:00", "")
    short = [
        {"from": f"2025-11-02T0{k}:00Z", "to": f"2025-11-02T0{k + 1}:00Z", "unit": "kW", "value": k}
        for k in range(3)
    ]
    assert read_profile({"readingData": short}).energy_kwh.tolist() == [0, 1, 2]


def test_baseline_measures_are_a_typical_year() -> None:
    rows = [{"i": str(i), "v": i / 10} for i in range(1, 8761)]
    profile = read_profile({"baselineMeasures": rows})
    assert profile.typical_year
    assert profile.energy_kwh[8759] == 876.0
    timeline = Timeline(parse_instant("2025-05-01T00:00-07:00", ""), 3600, 8760, LOS_ANGELES)
    placed, note = place(profile, timeline, by_date=True)
    midnight_of_may_first = 24 * 120 - 1  # the year began on standard time
    assert placed[0] == profile.energy_kwh[midnight_of_may_first]
    assert note is not None


BAD_DOCUMENTS = [
    ({}, "profile: has no readings: give one of dataSeries, readingData, baselineMeasures"),
    (
        {"dataSeries": [1], "readingData": [{}]},
        "profile: has dataSeries and readingData: give one of dataSeries, readingData, "
        "baselineMeasures",
    ),
    ({"dataSeries": "12"}, "profile.dataSeries = '12': must be a list"),
    ({"dataSeries": [1, None]}, f"profile.dataSeries[1] = None: {GAP}"),
    ({"data_series": [1, True]}, "profile.data_series[1] = True: must be a number"),
    ({"dataSeries": [1, "x"]}, "profile.dataSeries[1] = 'x': must be a number"),
    ({"dataSeries": [1, -1e-3]}, "profile.dataSeries[1] = -0.001: must be a finite number ≥ 0"),
    ({"dataSeries": [1, 10**400]}, "profile.dataSeries: must hold finite numbers"),
    ({"dataSeries": [[1]]}, "profile.dataSeries[0] = [1]: must be a number"),
    (
        {"dataSeries": [1], "exportDataSeries": [1]},
        "profile.exportDataSeries: has exports: a profile of consumption or solar gives one "
        "direction, in dataSeries",
    ),
    (
        {"dataSeries": [1], "duration": 0},
        "profile.duration = 0: must be the length of a step in milliseconds, whole seconds",
    ),
    (
        {"dataSeries": [1], "quantityUnit": "kVA"},
        "profile.quantityUnit = 'kVA': must be kWh, Wh, MWh, kW, W or MW",
    ),
    (
        {"dataSeries": [1], "quantityUnit": 7},
        "profile.quantityUnit = 7: must be a string such as kWh",
    ),
    (
        {"dataSeries": [1], "fromDateTime": "yesterday"},
        "profile.fromDateTime = 'yesterday': must be a date and time such as 2025-01-31T00:00 or "
        "2025-01-31T00:00:00-08:00",
    ),
    (
        {"dataSeries": [1], "fromDateTime": 20250101},
        "profile.fromDateTime = 20250101: must be an ISO 8601 date and time",
    ),
    (
        {"dataSeries": [1], "timeZone": "Nowhere"},
        "profile.timeZone = 'Nowhere': is not a known IANA time zone; write it as in "
        "America/Los_Angeles",
    ),
    (
        {"dataSeries": [1], "fromDateTime": "2025-03-09T02:30", "timeZone": LOS_ANGELES},
        "profile.fromDateTime = '2025-03-09T02:30': does not exist: America/Los_Angeles skips it "
        "when it sets its clock forward",
    ),
    (
        {"readingData": [{"from": "2025-01-01T00:00Z", "to": "2025-02-01T00:00Z", "value": 9}]},
        "profile.readingData: has a single reading: bess.baseline makes a step series of "
        "bills and of a series with gaps",
    ),
    (
        {
            "readingData": [
                {"from": "2025-01-01T00:00Z", "to": "2025-02-01T00:00Z", "value": 9},
                {"from": "2025-02-01T00:00Z", "to": "2025-03-01T00:00Z", "value": 9},
                {"from": "2025-03-01T00:00Z", "to": "2025-04-01T00:00Z", "value": 9},
            ]
        },
        "profile.readingData[1].from: comes 2678400 s after the reading before it, where others "
        "come 2419200 s after: "
        "bess.baseline makes a step series of bills and of a series with gaps",
    ),
    (
        {
            "readingData": [
                {"from": "2025-01-01T00:00Z", "to": "2025-01-01T00:30Z", "value": 9},
                {"from": "2025-01-01T01:00Z", "to": "2025-01-01T01:30Z", "value": 9},
            ]
        },
        "profile.readingData[0].to = '2025-01-01T00:30Z': must be 3600 s after the reading's "
        "start, where the next one starts; bess.baseline makes a step series of bills and of a "
        "series with gaps",
    ),
    (
        {"readingData": [{"from": "2025-01-01T00:00Z"}, {"from": "2025-01-01T01:00Z"}]},
        "profile.readingData[0].toDateTime: is required",
    ),
    ({"readingData": [3, 4]}, "profile.readingData[0] = 3: must be an object"),
    (
        {"baselineMeasures": [{"i": 1, "v": 1}, {"i": 3, "v": 1}]},
        "profile.baselineMeasures[1].i = 3: must be 2: i counts from 1",
    ),
    (
        {"baselineMeasures": [{"i": 1, "v": 1}]},
        "profile.baselineMeasures: must cover a year in hours, 8760 or 8784, not 1",
    ),
]


@pytest.mark.parametrize(("document", "message"), BAD_DOCUMENTS)
def test_bad_profile_json_is_refused_at_its_path(document: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read_profile(document)
    assert str(caught.value) == message


BAD_ARRAYS = [
    ([], "profile: must be a series of one dimension, not shape (0,)"),
    (np.ones((2, 2)), "profile: must be a series of one dimension, not shape (2, 2)"),
    (np.array(["a"]), "profile: must hold numbers, not <U1"),
    (np.array([1, np.nan]), f"profile[1] = nan: {GAP}"),
    (np.array([1, np.inf]), "profile[1] = inf: must be a finite number ≥ 0"),
    (np.array([-1.0]), "profile[0] = -1.0: must be a finite number ≥ 0"),
    (7, "profile: must be a profile, a path, a JSON object or numbers, not int"),
]


@pytest.mark.parametrize(("values", "message"), BAD_ARRAYS)
def test_bad_arrays_are_refused(values: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read_profile(values)
    assert str(caught.value) == message


def test_a_profile_keeps_its_own_copy_and_cannot_be_written_to() -> None:
    values = np.array([1.0, -0.0])
    profile = Profile(values)
    values[0] = 9
    assert profile.energy_kwh.tolist() == [1.0, 0.0]
    with pytest.raises(ValueError, match="read-only"):
        profile.energy_kwh[0] = 2
    with pytest.raises(InputError, match=r"profile\.step_seconds = 0: must be a whole number"):
        Profile(values, step_seconds=0)


def test_a_pandas_series_brings_its_clock() -> None:
    index = pd.date_range("2025-01-01", periods=4, freq="30min", tz=LOS_ANGELES)
    profile = read_profile(pd.Series([1.0, 2, 3, 4], index=index))
    assert profile.step_seconds == 1800
    assert profile.start == parse_instant("2025-01-01T00:00-08:00", "")
    with pytest.raises(InputError, match=r"index: must be a DatetimeIndex with a time zone"):
        read_profile(pd.Series([1.0, 2], index=index[:2].tz_localize(None)))
