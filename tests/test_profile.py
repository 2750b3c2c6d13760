"""Interval profiles in CSV: what the reader understands, and what it refuses."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bess.errors import InputError
from bess.profile import read_profile
from bess.timeline import parse_instant

LOS_ANGELES = "America/Los_Angeles"


def local_hours(
    start: str, hours: int, zone: str = LOS_ANGELES, minutes: int = 60
) -> list[datetime]:
    """The wall clock at the start of consecutive steps."""
    first = datetime.fromisoformat(start).replace(tzinfo=ZoneInfo(zone)).timestamp()
    return [datetime.fromtimestamp(first + 60 * minutes * k, ZoneInfo(zone)) for k in range(hours)]


def write(folder: Path, text: str, name: str = "home.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_local_stamps_follow_the_clock_over_both_changes(tmp_path: Path) -> None:
    stamps = local_hours("2016-08-01", 8760)
    lines = [f"{at:%Y-%m-%dT%H:%M},{k}" for k, at in enumerate(stamps)]
    profile = read_profile(write(tmp_path, "\n".join(["time,kwh", *lines])), time_zone=LOS_ANGELES)

    assert profile.start == stamps[0]
    assert (profile.step_seconds, profile.steps) == (3600, 8760)
    assert profile.energy_kwh.tolist() == list(range(8760))
    assert sum(line.startswith("2016-11-06T01:00") for line in lines) == 2
    assert not any(line.startswith("2017-03-12T02:00") for line in lines)
    assert profile.notes == (
        "home.csv: kwh read as kWh, 8,760 steps, time stamps in local time of "
        "America/Los_Angeles, 60 min from 2016-08-01T00:00:00-07:00",
    )


def test_a_series_may_start_in_either_of_two_equal_hours(tmp_path: Path) -> None:
    later = "time,kwh\n2025-11-02 01:00,1\n2025-11-02 02:00,2\n2025-11-02 03:00,3\n"
    earlier = "time,kwh\n2025-11-02 01:00,1\n2025-11-02 01:00,2\n2025-11-02 02:00,3\n"
    starts = [
        read_profile(write(tmp_path, text), time_zone=LOS_ANGELES).start
        for text in (later, earlier)
    ]
    assert [start.isoformat() for start in starts if start] == [
        "2025-11-02T01:00:00-08:00",
        "2025-11-02T01:00:00-07:00",
    ]


def test_stamps_with_offsets_need_no_zone(tmp_path: Path) -> None:
    text = "start,load [kW]\n2025-01-01T00:00Z,4\n2025-01-01T00:15Z,8\n"
    profile = read_profile(write(tmp_path, text))
    assert profile.step_seconds == 900
    assert profile.energy_kwh.tolist() == [1.0, 2.0]


def test_stamps_at_the_ends_of_steps_are_understood_by_their_title(tmp_path: Path) -> None:
    text = "interval end,kwh\n2025-01-01 01:00,1\n2025-01-01 02:00,2\n"
    profile = read_profile(write(tmp_path, text), time_zone=LOS_ANGELES)
    assert profile.start == parse_instant("2025-01-01T00:00-08:00", "")
    assert "at the end of each step" in profile.notes[0]


def test_a_date_and_a_time_may_stand_in_two_columns(tmp_path: Path) -> None:
    text = "DATE,START TIME,END TIME,USAGE (kWh)\n1/30/2025,23:00,23:59,1\n1/31/2025,0:00,0:59,2\n"
    profile = read_profile(write(tmp_path, text), time_zone=LOS_ANGELES)
    assert profile.start == parse_instant("2025-01-30T23:00-08:00", "")


@pytest.mark.parametrize(
    ("stamps", "start"),
    [
        (("1/31/2025 11:00 PM", "2/1/2025 12:00 AM"), "2025-01-31T23:00-08:00"),
        (("31.01.2025 23:00", "01.02.2025 00:00"), "2025-01-31T23:00-08:00"),
        (("31/01/2025 23:00:00", "01/02/2025 00:00:00"), "2025-01-31T23:00-08:00"),
    ],
)
def test_other_ways_to_write_dates(tmp_path: Path, stamps: tuple[str, str], start: str) -> None:
    text = f"time,kwh\n{stamps[0]},1\n{stamps[1]},2\n"
    profile = read_profile(write(tmp_path, text), time_zone=LOS_ANGELES)
    assert profile.start == parse_instant(start, "")


def test_semicolons_and_decimal_commas(tmp_path: Path) -> None:
    text = "zeit;load_kwh;solar_kwh\n2025-01-01 00:00;1,5;0,25\n2025-01-01 01:00;2,5;0\n"
    profile = read_profile(write(tmp_path, text), role="solar", time_zone="Europe/Berlin")
    assert profile.energy_kwh.tolist() == [0.25, 0.0]


def test_a_plain_column_of_numbers_is_a_year_by_its_length(tmp_path: Path) -> None:
    for steps, step in ((8760, 3600), (8784, 3600), (17_520, 1800), (35_040, 900), (105_120, 300)):
        profile = read_profile(write(tmp_path, "1\n" * steps))
        assert (profile.start, profile.step_seconds) == (None, step)
    short = read_profile(write(tmp_path, "load_kw\n2\n4\n"))
    assert short.energy_kwh.tolist() == [2.0, 4.0]
    assert short.notes == (
        "home.csv: load_kw read as kW, 2 steps, no time stamps: taken as hourly",
    )


@pytest.mark.parametrize(
    ("title", "factor"),
    [("kWh", 1), ("energy [Wh]", 1e-3), ("MWh", 1e3), ("P in kW", 0.5), ("W", 5e-4), ("x", 1)],
)
def test_units_come_from_titles(tmp_path: Path, title: str, factor: float) -> None:
    text = f"t,{title}\n2025-01-01T00:00Z,4\n2025-01-01T00:30Z,8\n"
    assert read_profile(write(tmp_path, text)).energy_kwh.tolist() == [4 * factor, 8 * factor]


def test_columns_are_picked_by_their_titles(tmp_path: Path) -> None:
    header = "time,Consumption kWh,PV yield (kW/kW),outside temperature"
    path = write(tmp_path, f"{header}\n2025-01-01T00:00Z,1,2,3\n2025-01-01T01:00Z,4,5,6\n")
    assert read_profile(path, role="load").energy_kwh.tolist() == [1, 4]
    assert read_profile(path, role="solar").energy_kwh.tolist() == [2, 5]


def test_a_title_that_says_nothing_is_taken_where_it_stands_alone(tmp_path: Path) -> None:
    path = write(tmp_path, "# a comment\n\nmeter 7\n1\n2\n")
    assert read_profile(path, role="load").energy_kwh.tolist() == [1, 2]
    assert read_profile(path, role="solar").energy_kwh.tolist() == [1, 2]
    united = write(tmp_path, "kWh,temperature\n1,20\n2,21\n")
    assert read_profile(united, role="load").energy_kwh.tolist() == [1, 2]


GAP = "is missing: bess.baseline makes a step series of bills and of a series with gaps"
BAD_FILES = {
    "": "home.csv: holds no readings",
    "kwh\n": "home.csv: holds titles but no readings",
    "kwh\n1\nx\n": "home.csv line 3, kwh = 'x': must be a number",
    "kwh\n1\n\n-2\n": "home.csv line 4, kwh = '-2': must be a finite number ≥ 0",
    "kwh\n1\ninf\n": "home.csv line 3, kwh = 'inf': must be a finite number ≥ 0",
    "kwh\n1\nnan\n": f"home.csv line 3, kwh = 'nan': {GAP}",
    "kwh,n\n1,2\n,3\n": "home.csv: has several columns to read: kwh, n; leave one",
    "t,kwh\n2025-01-01T00:00Z,1\n2025-01-01T01:00Z,\n": f"home.csv line 3, kwh = '': {GAP}",
    "t,kwh\n2025-01-01T00:00Z,\n2025-01-01T01:00Z,1\n": f"home.csv line 2, kwh = '': {GAP}",
    "t,kwh\n2025-01-01T00:00Z,1\n": (
        "home.csv line 2, t: is a single reading: its step cannot be known; give two"
    ),
    "t,kwh\n2025-01-01T00:00Z,1\n2025-01-01T00:00Z,1\n": (
        "home.csv line 3, t: does not come after the reading before it"
    ),
    "t,kwh\n2025-01-01T00:00Z,1\n2025-01-01T01:00Z,1\n2025-01-01T02:00Z,1\n2025-01-01T04:00Z,1\n": (
        "home.csv line 5, t: comes 7200 s after the reading before it, where others come 3600 s "
        "after: bess.baseline makes a step series of bills and of a series with gaps"
    ),
    "t,kwh\n2025-01-01T00:00Z,1\n2025-01-01T01:00,1\n": (
        "home.csv line 3, t = '2025-01-01T01:00': must have an offset from UTC like the others, "
        "or none"
    ),
    "t,kwh\n2025-01-01T00:00,1\n2025-01-01T25:00,1\n": (
        "home.csv line 3, t = '2025-01-01T25:00': must be a date and time such as "
        "2025-01-31T00:00 or 2025-01-31T00:00:00-08:00"
    ),
    "t,kwh\n1/2/2025 0:00,1\n1/2/2025 1:00,1\n": (
        "home.csv line 2, t = '1/2/2025 0:00': is a date whose day and month cannot be told "
        "apart: write 2025-01-31"
    ),
    "t,kwh\n1/31/2025 0:00,1\n1/31/2025 13:00 PM,1\n": (
        "home.csv line 3, t = '1/31/2025 13:00 PM': must be a date and time such as "
        "2025-01-31T00:00 or 2025-01-31T00:00:00-08:00"
    ),
    "t,kwh\n2025-03-09 01:00,1\n2025-03-09 02:00,1\n2025-03-09 03:00,1\n": (
        "home.csv line 3, t = '2025-03-09T02:00': should be 2025-03-09T03:00: "
        "America/Los_Angeles sets its clock forward that night and skips 2025-03-09T02:00; a "
        "file that keeps one clock all year needs stamps with offsets"
    ),
    "t,kwh\n2025-11-02 00:00,1\n2025-11-02 01:00,1\n2025-11-02 02:00,1\n": (
        "home.csv line 4, t = '2025-11-02T02:00': should be 2025-11-02T01:00: "
        "America/Los_Angeles sets its clock back that night and shows 2025-11-02T01:00 twice: "
        "give it twice; a file that keeps one clock all year needs stamps with offsets"
    ),
    "t,kwh\n2025-01-01 00:00,1\n2025-01-01 01:00,1\n2025-01-01 02:00,1\n2025-01-01 04:00,1\n": (
        f"home.csv line 5, t = '2025-01-01T04:00': should be 2025-01-01T03:00: {GAP}"
    ),
    "a,b\n1,2\n3\n": "home.csv line 3: has 1 cells where the first row has 2",
    "t,kwh\n2025-01-01 00:00,x\n": "home.csv line 2, kwh = 'x': must be a number",
}


@pytest.mark.parametrize("text", BAD_FILES)
def test_bad_files_are_refused_with_their_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError) as caught:
        read_profile(write(tmp_path, text), time_zone=LOS_ANGELES)
    assert str(caught.value) == BAD_FILES[text]


@pytest.mark.parametrize(
    ("header", "role", "message"),
    [
        (
            "solar_kwh",
            "load",
            "home.csv: has no column of load (a title with one of: load, consumption, demand, "
            "usage, electric power); it has solar_kwh",
        ),
        (
            "load_kwh,load_kw",
            "load",
            "home.csv: has several columns of load: load_kwh, load_kw; leave one",
        ),
        (
            "a,b",
            "solar",
            "home.csv: has no column of solar (a title with one of: solar, pv, photovoltaic, "
            "generation, production); it has a, b",
        ),
    ],
)
def test_columns_that_cannot_be_told_apart_are_refused(
    tmp_path: Path, header: str, role: Any, message: str
) -> None:
    row = ",".join("1" for _ in header.split(","))
    with pytest.raises(InputError) as caught:
        read_profile(write(tmp_path, f"{header}\n{row}\n"), role=role)
    assert str(caught.value) == message


def test_local_stamps_without_a_zone_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "t,kwh\n2025-01-01 00:00,1\n2025-01-01 01:00,1\n")
    with pytest.raises(
        InputError, match=r"line 2, t = .*: has no offset from UTC: give the site's"
    ):
        read_profile(path)


def test_a_file_that_is_not_there_or_is_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.csv: cannot be read: No such file"):
        read_profile(tmp_path / "absent.csv")
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"bytes\.csv: is not UTF-8 text \(byte 0\)"):
        read_profile(tmp_path / "bytes.csv")
