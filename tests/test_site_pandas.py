"""A site made from pandas: an aware, regular index brings its start, step and zone."""

from __future__ import annotations

import datetime
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

import bess

LA = "America/Los_Angeles"
SPRING = pd.date_range("2025-03-09", periods=4, freq="h", tz=LA)  # 0, 1, 3 and 4 o'clock
LOAD = pd.Series([1.0, 2.0, 3.0, 4.0], index=SPRING)

REFUSED: list[tuple[dict[str, Any], str]] = [
    (
        {"load_kwh": LOAD.tz_localize(None)},
        "load_kwh.index: must be aware of its time zone: use tz_localize",
    ),
    (
        {"load_kwh": LOAD.reset_index(drop=True)},
        "start: is required: an aware datetime, or an aware pandas index",
    ),
    (
        {"load_kwh": LOAD.iloc[[0, 1, 3]]},
        "load_kwh.index[2] = '2025-03-09T04:00:00-07:00': must follow the one before at the same "
        "step as the others",
    ),
    (
        {"load_kw": LOAD.iloc[::-1]},
        "load_kw.index[1] = '2025-03-09T03:00:00-07:00': must follow the one before at the same "
        "step as the others",
    ),
    (
        {"load_kwh": LOAD.iloc[:1]},
        "load_kwh.index: must have at least two time stamps, or give a plain array",
    ),
    (
        {"load_kwh": pd.Series([1, 2], index=pd.DatetimeIndex([SPRING[0], pd.NaT]))},
        "load_kwh.index[1] = None: must be a time stamp",
    ),
    (
        {"load_kwh": pd.Series([1, 2], index=pd.date_range(SPRING[0], periods=2, freq="500ms"))},
        "load_kwh.index = '500000 us': must have steps of whole seconds",
    ),
    (
        {"load_kwh": LOAD, "solar_kwh": LOAD.shift(1, freq="h")},
        "solar_kwh.index = '2025-03-09T01:00:00-08:00': must start where load_kwh.index starts, at "
        "2025-03-09T00:00:00-08:00",
    ),
    (
        {"load_kwh": LOAD, "solar_kwh": LOAD.iloc[:3]},
        "solar_kwh: has 3 values; the site has 4 steps",
    ),
    (
        {
            "load_kwh": LOAD,
            "solar_kwh": LOAD.set_axis(pd.date_range(SPRING[0], periods=4, freq="30min")),
        },
        "solar_kwh.index = '1800 s': must have the step of load_kwh.index, 3600 s",
    ),
    (
        {"load_kwh": LOAD, "start": "2025-03-09T01:00-08:00"},
        "start = '2025-03-09T01:00-08:00': differs from load_kwh.index: 2025-03-09T00:00:00-08:00",
    ),
    (
        {"load_kwh": LOAD, "step_hours": 0.25},
        "step_hours = 0.25: differs from load_kwh.index: 1",
    ),
    (
        {"load_kwh": LOAD.tz_convert("UTC"), "time_zone": LA},
        "load_kwh.index = '2025-03-09T08:00:00+00:00': has an offset that contradicts "
        "America/Los_Angeles, where it is 2025-03-09T00:00:00-08:00",
    ),
    (
        {"load_kwh": LOAD.to_frame()},
        "load_kwh: must be one-dimensional, not of shape (4, 1)",
    ),
]


@pytest.mark.parametrize(("fields", "message"), REFUSED, ids=[m for _, m in REFUSED])
def test_an_index_is_refused_by_what_is_not_valid(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(bess.InputError) as caught:
        bess.Site(**fields)
    assert str(caught.value) == message


def test_a_zone_that_changes_and_has_no_name_is_refused_unless_one_is_given() -> None:
    with files("tzdata").joinpath("zoneinfo", *LA.split("/")).open("rb") as file:
        nobody = ZoneInfo.from_file(file)
    nameless = LOAD.set_axis(pd.date_range("2025-01-01", periods=4, freq="h", tz=nobody))
    with pytest.raises(bess.InputError) as caught:
        bess.Site(load_kwh=nameless)
    assert caught.value.problems[0].path == "load_kwh.index"
    assert "has a time zone without an IANA name: give time_zone" in str(caught.value)
    assert bess.Site(load_kwh=nameless, time_zone=LA).timeline.time_zone == LA


def test_a_pandas_series_brings_start_step_and_zone_across_a_clock_change() -> None:
    got = bess.Site(load_kwh=LOAD)
    assert (got.steps, got.step_hours, got.timeline.time_zone) == (4, 1.0, LA)
    assert [at.isoformat() for at in got.timeline.timestamps] == [
        "2025-03-09T00:00:00-08:00",
        "2025-03-09T01:00:00-08:00",
        "2025-03-09T03:00:00-07:00",
        "2025-03-09T04:00:00-07:00",
    ]
    assert list(got.timeline.timestamps) == [at.to_pydatetime() for at in SPRING]


def test_the_doubled_hour_of_a_pandas_index_is_two_steps() -> None:
    index = pd.date_range("2025-11-02T00:00-07:00", periods=4, freq="h").tz_convert(LA)
    got = bess.Site(load_kwh=pd.Series(range(4), index=index), start=index[0], step_hours=1)
    assert [at.isoformat() for at in got.timeline.timestamps][1:3] == [
        "2025-11-02T01:00:00-07:00",
        "2025-11-02T01:00:00-08:00",
    ]


@pytest.mark.parametrize(
    ("zone", "name", "first"),
    [
        ("UTC", None, "2025-06-01T00:00:00+00:00"),
        (ZoneInfo("Etc/UTC"), "Etc/UTC", "2025-06-01T00:00:00+00:00"),
        (datetime.timezone(datetime.timedelta(hours=5.5)), None, "2025-06-01T00:00:00+05:30"),
        ("Asia/Kolkata", "Asia/Kolkata", "2025-06-01T00:00:00+05:30"),
    ],
)
def test_an_index_may_be_in_utc_at_a_fixed_offset_or_in_a_zone(
    zone: Any, name: str | None, first: str
) -> None:
    index = pd.date_range("2025-06-01", periods=2, freq="15min", tz=zone)
    got = bess.Site(solar_kw=pd.Series([1.0, 2.0], index=index))
    assert got.timeline.time_zone in (name, "UTC" if name is None else name)
    assert got.timeline.instant(0).isoformat() == first
    assert got.solar_kwh.tolist() == [0.25, 0.5]


def test_the_same_instant_in_another_zone_agrees_with_the_index() -> None:
    got = bess.Site(load_kwh=LOAD, solar_kwh=LOAD.tz_convert("UTC"), start="2025-03-09T08:00Z")
    assert got.timeline.time_zone == LA
    assert got.timeline.instant(0).isoformat() == "2025-03-09T00:00:00-08:00"


def test_an_index_may_lie_far_in_the_future() -> None:
    index = pd.DatetimeIndex(["3000-01-01T00Z", "3000-01-01T01Z"]).as_unit("s")
    assert bess.Site(load_kwh=pd.Series([1, 2], index=index)).timeline.instant(0).year == 3000


def test_a_series_without_time_stamps_goes_by_position() -> None:
    got = bess.Site(load_kwh=LOAD, solar_kwh=LOAD.reset_index(drop=True))
    assert got.solar_kwh.tolist() == got.load_kwh.tolist() == [1.0, 2.0, 3.0, 4.0]


def test_a_data_frame_keeps_its_columns_as_they_are() -> None:
    frame = pd.DataFrame({"load": LOAD})
    bess.dispatch(bess.Site(load_kwh=frame["load"]), bess.Battery(), bess.Surplus())
    assert frame["load"].tolist() == [1, 2, 3, 4]
