"""Published years with demand charges: their bills as published, their optima certified by us.

The cases are DER-VET's bill reduction (a site of 6 MW, 1,575 kW / 9,450 kWh) and two of REopt's (a
mid-rise of flats under SCE's TOU-8 B and under NIPSCO's rate 724, 39 kW / 123 kWh). None sells, so
the sun is used, stored or curtailed. Only energy and demand count.
"""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bess
from bess.tariff import Tariff

REOPT = ["reopt_sce_tou8b_midriseapt_pv_batt", "reopt_nipsco724_tiered_midriseapt_pv_batt"]
DERVET_ENERGY, DERVET_DEMAND = 4_065_918.50, 823_148.63
"""Published without storage and sun."""
NIPSCO_ENERGY, NIPSCO_DEMAND = 13_883.76, 1_129.67
"""Published with a battery of the size that REopt found best, which the case does not tell."""


def site_of(load: Any, sun: Any) -> bess.Site:
    return bess.Site(
        load_kw=load,
        solar_kw=sun,
        start="2017-01-01T00:00Z",
        time_zone="UTC",
        solar_dc_to_ac_efficiency=1,
        allow_solar_to_grid=False,
        export_limit_kwh=0,
    )


def without_fixed(bill: bess.Bill) -> float:
    return sum(line.amount for line in bill.lines if line.kind != "fixed")


def dervet(folder: Path) -> tuple[bess.Site, Tariff]:
    """Load, 1,000 kW of sun, and the rows of the tariff as the rates of an URDB record."""
    table = np.loadtxt(folder / "timeseries.csv", delimiter=",", skiprows=1, usecols=(2, 3))
    with (folder / "tariff.csv").open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    schedules = [[[0] * 24 for _ in range(12)] for _ in range(2)]  # weekends, weekdays
    rates: list[float] = []
    for row in (row for row in rows if row["Charge"] == "Energy"):
        rates.append(float(row["Value"]))
        for month in range(int(row["Start Month"]), int(row["End Month"]) + 1):
            for hour in range(int(row["Start Time"]) - 1, int(row["End Time"])):
                schedules[int(row["Weekday?"])][month - 1][hour] = len(rates) - 1
    (demand,) = (float(row["Value"]) for row in rows if row["Charge"] == "Demand")
    record = {
        "name": "bill reduction",
        "energyratestructure": [[{"rate": rate, "unit": "kWh"}] for rate in rates],
        "energyweekendschedule": schedules[0],
        "energyweekdayschedule": schedules[1],
        "flatdemandstructure": [[{"rate": demand}]],
        "flatdemandmonths": [0] * 12,
        "flatdemandunit": "kW",
    }
    return site_of(table[:, 0], 1000 * table[:, 1]), Tariff.from_urdb(record)


def reopt(folder: Path) -> tuple[bess.Site, Tariff]:
    table = np.loadtxt(folder / "load_pv.csv", delimiter=",", skiprows=1)
    record = json.loads((folder / "urdb.json").read_text("utf-8"))
    return site_of(table[:, 0], table[:, 1]), Tariff.from_urdb(record)


def reopt_battery() -> bess.Battery:
    """Its charge limit holds on the stored side, its discharge limit on the delivered side."""
    way = math.sqrt(0.96 * 0.975 * 0.96)
    return bess.Battery(
        capacity_kwh=122.9379,
        charge_power_kw=39.2295 / way,
        discharge_power_kw=39.2295 / way,
        ac_to_dc_efficiency=1,
        input_efficiency=way,
        dc_to_ac_efficiency=way,
        dc_coupled=False,
        min_state_of_charge=0.2,
        initial_state_of_charge=0.5,
        terminal_state_of_charge="free",
    )


def dervet_battery() -> bess.Battery:
    """1,575 kW AC both ways; all of the loss falls on charging."""
    return bess.Battery(
        capacity_kwh=9450,
        charge_power_kw=1575 * 0.91,
        discharge_power_kw=1575,
        ac_to_dc_efficiency=0.91,
        input_efficiency=1,
        dc_to_ac_efficiency=1,
        dc_coupled=False,
        min_state_of_charge=0,
        initial_state_of_charge=0.5,
        terminal_state_of_charge=(0.5, 0.5),
    )


def certified(site: bess.Site, battery: bess.Battery, tariff: Tariff, engine: Any) -> bess.Result:
    result = bess.dispatch(site, battery, bess.Optimize(engine=engine), tariff=tariff)
    assert result.bill is not None
    assert result.gap is not None
    assert result.gap <= 1e-6
    assert abs(bess.bill(result, tariff).total - result.bill.total) <= 1e-6
    assert result.lower_bound is not None
    assert result.cost is not None
    assert result.lower_bound <= result.cost
    return result


def check_alike(one: bess.Result, other: bess.Result) -> None:
    """Two certified optima: neither is below the other's bound."""
    assert one.cost is not None
    assert other.cost is not None
    assert one.bill is not None
    scale = sum(abs(line.amount) for line in one.bill.lines)
    assert abs(one.cost - other.cost) <= 2e-6 * scale


def test_the_bills_before_are_as_published(shared_data: Path) -> None:
    site, tariff = dervet(shared_data / "cases" / "dervet_bill_reduction")
    bill = bess.bill(site_of(site.load_kwh, 0 * site.load_kwh), tariff)
    of = {
        kind: sum(line.amount for line in bill.lines if line.kind == kind)
        for kind in ("energy", "demand")
    }
    assert of["energy"] == pytest.approx(DERVET_ENERGY, abs=0.01)
    assert of["demand"] == pytest.approx(DERVET_DEMAND, abs=0.01)


def test_the_year_of_der_vet_is_optimised_with_a_certificate(shared_data: Path) -> None:
    site, tariff = dervet(shared_data / "cases" / "dervet_bill_reduction")
    result = certified(site, dervet_battery(), tariff, "auto")
    assert result.battery_soc[-1] == pytest.approx(0.5, abs=1e-9)
    assert result.cost is not None
    assert result.cost < bess.bill(site, tariff).total


@pytest.mark.parametrize("name", [REOPT[0], pytest.param(REOPT[1], marks=pytest.mark.slow)])
def test_the_years_of_reopt_are_optimised_with_a_certificate(shared_data: Path, name: str) -> None:
    site, tariff = reopt(shared_data / "cases" / name)
    result = certified(site, reopt_battery(), tariff, "auto")
    assert result.bill is not None
    if "nipsco" in name:
        # Between the bill without a battery and that with one as large as the other case's.
        published = NIPSCO_ENERGY + NIPSCO_DEMAND
        without = without_fixed(bess.bill(site, tariff))
        assert without_fixed(result.bill) < published < without


@pytest.mark.slow
@pytest.mark.highs
@pytest.mark.parametrize("name", ["dervet_bill_reduction", *REOPT])
def test_highs_finds_the_same_optima(shared_data: Path, name: str) -> None:
    folder = shared_data / "cases" / name
    is_reopt = name in REOPT
    site, tariff = reopt(folder) if is_reopt else dervet(folder)
    battery = reopt_battery() if is_reopt else dervet_battery()
    auto, highs = (certified(site, battery, tariff, engine) for engine in ("auto", "highs"))
    check_alike(auto, highs)
