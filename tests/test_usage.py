"""Utilities' CSV exports: what the reader understands, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import bess
from bess import InputError, Origin, baseline
from bess.profile import Bills, GappedSeries, Profile, read_consumption

CASES = Path(__file__).parent / "cases" / "usage"
LOS_ANGELES = "America/Los_Angeles"


def series(name: str) -> GappedSeries:
    found = read_consumption(CASES / name, time_zone=LOS_ANGELES)
    assert isinstance(found, GappedSeries)
    return found


def bills(name: str) -> Bills:
    found = read_consumption(CASES / name, time_zone=LOS_ANGELES)
    assert isinstance(found, Bills)
    return found


def days(found: Bills) -> list[float]:
    return ((found.end_seconds - found.start_seconds) / 86_400).round(2).tolist()


def refusal(folder: Path, text: str, zone: str | None = LOS_ANGELES) -> str:
    path = folder / "usage.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError) as caught:
        read_consumption(path, time_zone=zone)
    return str(caught.value)


def test_an_hourly_export_follows_the_clock_and_keeps_its_gap() -> None:
    found = series("hourly_with_account.csv")
    assert found.start is not None
    assert found.start.isoformat() == "2025-03-08T00:00:00-08:00"
    assert (found.steps, found.step_seconds) == (24 + 23 + 24, 3600)
    missing = np.flatnonzero(np.isnan(found.energy_kwh))
    assert missing.tolist() == [24 + 23 + 5]
    assert_allclose(found.energy_kwh[26], 0.2 + 0.05 * 3)  # 3 a.m. of the short day
    whole = baseline(CASES / "hourly_with_account.csv", time_zone=LOS_ANGELES)
    assert whole.origin[52] == Origin.EXTRAPOLATED
    assert whole.export_kwh is None


def test_imports_and_exports_in_two_columns() -> None:
    found = series("hourly_both_directions.csv")
    assert found.export_kwh is not None
    assert_allclose([found.energy_kwh.sum(), found.export_kwh.sum()], [9.0, 5.0])
    assert_allclose(found.export_kwh[12], 1.0)
    whole = baseline(CASES / "hourly_both_directions.csv", time_zone=LOS_ANGELES)
    assert whole.export_kwh is not None
    assert "counts 5 kWh into the grid" in whole.assumptions[-1]


def test_blocks_of_either_direction_with_periods_in_one_cell() -> None:
    found = series("blocks_by_direction.csv")
    assert found.step_seconds == 900
    assert found.export_kwh is not None
    assert_allclose([found.energy_kwh.sum(), found.export_kwh.sum()], [6.8, 7.0])


def test_quarter_hours_with_a_column_of_generation() -> None:
    found = series("quarter_hours_with_generation.csv")
    assert found.start is not None
    assert found.start.isoformat() == "2025-01-31T00:00:00-08:00"
    assert found.export_kwh is not None
    assert_allclose([found.energy_kwh.sum(), found.export_kwh.sum()], [14.4, 4.0])
    assert_allclose(found.export_kwh[40], 0.2)


def test_bills_beside_those_of_another_fuel() -> None:
    found = bills("bills_with_account.csv")
    assert len(found.energy_kwh) == 12
    assert found.energy_kwh[7] == 1020
    assert (found.start_seconds[1:] == found.end_seconds[:-1]).all()
    assert found.notes == (
        "bills_with_account.csv: 12 bills, the last day of each is in its period",
        "bills_with_account.csv: 12 rows of other fuels are left out",
    )


def test_plain_bills_of_whole_months_have_their_last_day_in_them() -> None:
    assert days(bills("bills.csv")) == [31, 28, 30]
    year = baseline(CASES / "bills.csv", time_zone=LOS_ANGELES, typical="flat")
    assert_allclose(year.energy_kwh[: 24 * 31].sum(), 620, rtol=1e-12)


def test_bills_that_touch_end_where_the_next_begins(tmp_path: Path) -> None:
    text = "from;to;Verbrauch kWh\n05.01.2025;04.02.2025;300,5\n04.02.2025;17.03.2025;310\n"
    path = tmp_path / "bills.csv"
    path.write_text(text, "utf-8")
    found = read_consumption(path, time_zone="Europe/Berlin")
    assert isinstance(found, Bills)
    assert days(found) == [30, 41]
    assert found.energy_kwh.tolist() == [300.5, 310]


def test_a_column_of_first_days_makes_periods_of_a_month() -> None:
    found = bills("bills_monthly.csv")
    assert days(found) == [31, 28, 30]
    assert found.notes[0].endswith("3 bills, each up to the next, or a month long")


@pytest.mark.parametrize(
    ("text", "lengths"),
    [
        ("Read Date,Days,kWh\n2025-02-14,31,300\n2025-03-14,28,290\n", [31, 28]),
        ("Read Date,kWh\n2025-01-14,1\n2025-02-14,300\n2025-03-14,290\n", [31, 28]),
        ("Start Date,Days,kWh\n2025-01-14,31,300\n2025-02-14,28,290\n", [31, 28]),
    ],
)
def test_bills_by_their_meter_readings_and_their_days(
    tmp_path: Path, text: str, lengths: list[float]
) -> None:
    path = tmp_path / "bills.csv"
    path.write_text(text, "utf-8")
    found = read_consumption(path, time_zone="Etc/UTC")
    assert isinstance(found, Bills)
    assert days(found) == lengths
    assert found.start_seconds[0] == 1736812800  # 14 January
    assert found.energy_kwh.tolist() == [300, 290]


def test_a_plain_table_of_starts_and_ends_keeps_to_the_clock(tmp_path: Path) -> None:
    hours = [f"2025-11-02 {h:02}:00,2025-11-02 {h:02}:59,{h}" for h in range(23)]
    path = tmp_path / "home.csv"
    path.write_text("\n".join(["start,end,kwh", *hours]), "utf-8")
    with pytest.raises(InputError, match="give it twice"):
        read_consumption(path, time_zone=LOS_ANGELES)


def test_a_doubled_hour_in_an_export_is_two_steps(tmp_path: Path) -> None:
    shown = [0, 1, 1, *range(2, 24)]
    rows = [f"Electric usage,2025-11-02,{h:02}:00,{h:02}:59,{i}" for i, h in enumerate(shown)]
    path = tmp_path / "usage.csv"
    title = "TYPE,DATE,START TIME,END TIME,USAGE (kWh)"
    path.write_text("\n".join(["Name,X", title, *rows]), "utf-8")
    found = read_consumption(path, time_zone=LOS_ANGELES)
    assert isinstance(found, Profile)
    assert found.energy_kwh.tolist() == list(range(25))


def test_daily_readings_are_bills_of_a_day(tmp_path: Path) -> None:
    lines = [f"2025-03-{day:02},{24 - (day == 9)}" for day in range(1, 21) if day != 12]
    path = tmp_path / "daily.csv"
    path.write_text("\n".join(["day,kwh", *lines]), "utf-8")
    year = baseline(path, time_zone=LOS_ANGELES, typical="flat")
    assert (year.origin == Origin.SHAPED).sum() == 19 * 24 - 1
    assert_allclose(year.energy_kwh, 1.0, rtol=1e-12)


def test_a_plain_table_with_empty_cells_and_missing_rows(tmp_path: Path) -> None:
    hours = [f"2025-06-02 {h:02}:00,{'' if h == 3 else 1}" for h in range(24) if h != 7]
    path = tmp_path / "home.csv"
    path.write_text("\n".join(["time,kwh", *hours]), "utf-8")
    found = read_consumption(path, time_zone=LOS_ANGELES)
    assert isinstance(found, GappedSeries)
    assert np.flatnonzero(np.isnan(found.energy_kwh)).tolist() == [3, 7]


def test_a_doubled_hour_that_an_export_has_once_leaves_a_gap(tmp_path: Path) -> None:
    hours = [f"2025-11-02 {h:02}:00,{h}" for h in range(24)]
    path = tmp_path / "home.csv"
    path.write_text("\n".join(["time,kwh", *hours]), "utf-8")
    with pytest.raises(InputError, match="shows 2025-11-02T01:00 twice: give it twice"):
        read_consumption(path, time_zone=LOS_ANGELES)
    path.write_text("\n".join(["Account,1", "time,usage kwh", *hours]), "utf-8")
    found = read_consumption(path, time_zone=LOS_ANGELES)
    assert isinstance(found, GappedSeries)
    assert found.steps == 25
    assert np.flatnonzero(np.isnan(found.energy_kwh)).tolist() == [2]
    backwards = tmp_path / "backwards.csv"
    backwards.write_text("\n".join(["Account,1", "time,usage kwh", *hours[::-1]]), "utf-8")
    again = read_consumption(backwards, time_zone=LOS_ANGELES)
    assert_allclose(again.energy_kwh, found.energy_kwh)


def test_a_column_of_generation_beside_a_load_is_no_export(tmp_path: Path) -> None:
    path = tmp_path / "home.csv"
    hours = [f"2025-06-02 {h:02}:00,{'' if h == 3 else 1},2" for h in range(24)]
    for first in (hours, hours[4:]):
        path.write_text("\n".join(["time,load kwh,solar generation kwh", *first]), "utf-8")
        found = read_consumption(path, time_zone=LOS_ANGELES)
        assert np.nansum(found.energy_kwh) == len(first) - (first is hours)
        assert getattr(found, "export_kwh", None) is None


def test_a_whole_profile_is_read_as_before(tmp_path: Path) -> None:
    path = tmp_path / "home.csv"
    path.write_text("time,kwh\n2025-01-01T00:00Z,1\n2025-01-01T01:00Z,2\n", "utf-8")
    assert isinstance(read_consumption(path), Profile)
    empty = "home.csv line 3, kwh = '': is missing: bess.baseline makes"
    path.write_text("time,kwh\n2025-01-01T00:00Z,1\n2025-01-01T01:00Z,\n", "utf-8")
    with pytest.raises(InputError, match=empty):
        bess.read_profile(path)


BAD_TABLES = {
    "Name,X\nDATE,START TIME,USAGE,UNITS\n2025-01-31,00:00,1,gal\n2025-01-31,01:00,1,gal\n": (
        "usage.csv line 3, USAGE = 'gal': must be kWh, Wh, MWh, kW, W or MW"
    ),
    "Name,X\nDATE,START TIME,USAGE (kWh)\n2025-01-31,00:00,1\n2025-01-31,01:00,x\n": (
        "usage.csv line 4, USAGE (kWh) = 'x': must be a finite number"
    ),
    "Name,X\nDATE,START TIME,USAGE (kWh)\n2025-01-31,00:00,1\n": (
        "usage.csv line 3, USAGE (kWh): is a single reading: its step cannot be known; give two"
    ),
    "Name,X\nDATE,START TIME,USAGE (kWh)\n": "usage.csv: holds no electric readings",
    "start,end,kwh\n2025-01-01,2025-01-31,-4\n2025-02-01,2025-02-28,\n": (
        "usage.csv line 2, kwh = '-4': must be the energy delivered, ≥ 0; leave out a bill that is "
        "not known"
    ),
    "start,end,usage kW\n2025-01-01,2025-01-31,4\n2025-02-01,2025-02-28,\n": (
        "usage.csv line 2, usage kW = 'kW': must be kWh, Wh or MWh: a bill has energy"
    ),
    "Read Date,kWh\n2025-01-14,1\n": (
        "usage.csv line 2, kWh = '2025-01-14': is the day on which a period ends: give the day on "
        "which it starts, or its days"
    ),
    "Read Date,Days,kWh\n2025-01-14,0,1\n": (
        "usage.csv line 2, kWh = '0': must have from 1 to 366 days"
    ),
    "start,end,kwh\n2025-02-01,2025-01-31,4\n2025-03-01,2025-03-31,4\n": (
        "usage.csv line 2, kwh: must end after it starts"
    ),
    "Name,X\nDATE,START TIME,USAGE (kWh)\n2025-01-31,00:00,1\n2025-01-31,01:00,1\n"
    "2025-01-31,01:00,1\n": (
        "usage.csv line 5, USAGE (kWh): is of the same time as usage.csv line 4, USAGE (kWh)"
    ),
    "Name,X\nDATE,START TIME,USAGE (kWh)\n2025-01-31,00:00,1\n2025-01-31,01:00,1\n"
    "2025-01-31,02:00,1\n2025-01-31,02:30,1\n": (
        "usage.csv line 6, USAGE (kWh): must lie a whole number of 60-min steps after "
        "2025-01-31T00:00:00-08:00"
    ),
    "Name,X\nDATE,START TIME,USAGE (kWh)\n2025-03-09,01:00,1\n2025-03-09,02:00,1\n"
    "2025-03-09,03:00,1\n": (
        "usage.csv line 4, USAGE (kWh) = '2025-03-09 02:00': does not exist: America/Los_Angeles "
        "skips it when it sets its clock forward"
    ),
    "time,kwh\n2025-01-31 00:00,1\n2025-01-31 01:00,\n2025-01-31 02:00,-1\n": (
        "usage.csv line 4, kwh = '-1': must be a finite number ≥ 0"
    ),
}


@pytest.mark.parametrize("text", BAD_TABLES)
def test_bad_tables_are_refused_with_their_line(tmp_path: Path, text: str) -> None:
    assert refusal(tmp_path, text) == BAD_TABLES[text]


def test_local_times_need_a_zone(tmp_path: Path) -> None:
    text = "start,end,kwh\n2025-01-01,2025-01-31,4\n2025-02-01,2025-02-28,4\n"
    assert refusal(tmp_path, text, None).startswith(
        "usage.csv line 2, kwh = '2025-01-01': has no offset from UTC"
    )


@settings(max_examples=150)
@given(
    st.sampled_from(sorted(path.name for path in CASES.iterdir())),
    st.lists(
        st.tuples(st.floats(0, 1), st.binary(max_size=4), st.integers(0, 30)),
        min_size=1,
        max_size=4,
    ),
)
def test_whatever_becomes_of_a_file_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, name: str, changes: list[tuple[float, bytes, int]]
) -> None:
    data = (CASES / name).read_bytes()
    for where, put, take in changes:
        at = int(where * len(data))
        data = data[:at] + put + data[at + take :]
    path = tmp_path_factory.mktemp("mutated") / name
    path.write_bytes(data)
    try:
        found = baseline(path, time_zone=LOS_ANGELES)
    except InputError:
        return
    assert np.isfinite(found.energy_kwh).all()
    assert (found.energy_kwh >= 0).all()
