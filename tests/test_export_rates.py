"""Avoided-cost export rates: read, laid on a year with its clock changes, and billed."""

from __future__ import annotations

import csv
import pickle
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from bills import FLAT, make
from tariffs import horizon

from bess import InputError, Site, bill, load_tariff
from bess.tariff import load_export_rates

HEADER = "DateStart,TimeStart,DateEnd,TimeEnd,DayTypeStart,DayTypeEnd,Value,Unit\n"
JANUARY = (
    "2025-01-01,00:00:00,2025-01-31,23:59:59,1,5,0.05,$/kWh\n"
    "2025-01-01,00:00:00,2025-01-31,11:59:59,6,8,0.02,$/kWh\n"
    "2025-01-01,12:00:00,2025-01-31,23:59:59,6,8,1.25,$/kWh\n"
)


@pytest.fixture
def january(tmp_path: Path) -> Path:
    path = tmp_path / "january.csv"
    path.write_text(HEADER + JANUARY)
    return path


def test_weekends_and_holidays_are_a_kind_of_day(january: Path) -> None:
    rates = load_export_rates(january, holidays=["2025-01-01", date(2025, 1, 20)])
    tariff = make(FLAT).with_export_rates(rates)
    imports, exports = tariff.prices(horizon("2025-01-01T00:00Z", 96)).series(96)
    assert set(imports) == {0.1}
    expected = [0.02] * 12 + [1.25] * 12 + [0.05] * 48 + [0.02] * 12 + [1.25] * 12
    assert exports.tolist() == expected
    site = Site(solar_kwh=np.ones(96), start="2025-01-01T00:00Z")
    ours = bill(site, tariff)
    assert ours.total == pytest.approx(-sum(expected))
    assert {line.kind for line in ours.lines} == {"energy", "export"}
    assert bill(site, pickle.loads(pickle.dumps(tariff))).lines == ours.lines


def test_a_published_year_is_priced_hour_by_hour(shared_data: Path) -> None:
    folder = shared_data / "tariffs/export_rates"
    year = horizon("2025-01-01T00:00-08:00", 8760, time_zone="America/Los_Angeles")
    for file in sorted(folder.glob("*.csv")):
        rates = load_export_rates(file, holidays=["2025-07-04"])
        _, exports = rates.on(year, None)
        with file.open(newline="") as lines:
            rows = list(csv.DictReader(lines))
        for step in (0, 1655, 4436, 5999, 8759):
            moment = year.timestamps[step]
            free = moment.weekday() >= 5 or moment.date() == date(2025, 7, 4)
            (row,) = (
                r
                for r in rows
                if r["DateStart"] <= f"{moment:%Y-%m-%d}" <= r["DateEnd"]
                and r["TimeStart"] <= f"{moment:%H:%M:%S}" <= r["TimeEnd"]
                and (r["DayTypeStart"] == "6") == free
            )
            assert exports[step] == float(row["Value"])
    example = Path(__file__).parents[1] / "examples/tariff_pge_e_elec.json"
    if example.exists():
        both = load_tariff(example).with_export_rates(rates)
        assert both.prices(year).series(8760)[1].max() > 0.5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("DateStart\n", "header: must name DateEnd, TimeStart, TimeEnd, DayTypeStart, DayTypeEnd"),
        (HEADER, "has no prices below its header"),
        (HEADER + JANUARY.replace("$/kWh", "c/kWh"), "line 2, Unit = 'c/kWh': must be $/kWh"),
        (HEADER + JANUARY.replace("0.05", "dear"), "line 2, Value = "),
    ],
)
def test_bad_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "rates.csv"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        load_export_rates(path)
    assert message in str(caught.value)


def test_gaps_and_toml_are_refused(january: Path) -> None:
    tariff = make(FLAT).with_export_rates(load_export_rates(january))
    with pytest.raises(InputError, match="no row prices an export at 2025-02-01T00:00:00"):
        tariff.prices(horizon("2025-01-31T00:00Z", 48))
    with pytest.raises(InputError, match="export rates of a file have no TOML"):
        tariff.to_toml()
    with pytest.raises(InputError, match=r"holidays\[0\] = 'soon': must be a date"):
        load_export_rates(january, holidays=["soon"])
