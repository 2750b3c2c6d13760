"""The bills of many batteries at once are those of `bess.bill`, one by one."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bills import make
from hypothesis import given, settings
from hypothesis import strategies as st
from many_bills import YEAR, check, determinants, everything, random_flows
from strategies_rules import few
from strategies_tariffs import TariffCase, tariff_cases
from test_pysam_bills import LOADS, METERING, column

from bess import Site, load_tariff
from bess.tariff import (
    DemandRate,
    EnergyRate,
    FixedCharge,
    Tariff,
)
from bess.tariff.demand import past_peaks
from bess.tariff.many_bills import ManyBills
from bess.tariff.periods import billing_dates

KNOWN = ("net metering", "bands", "demand", "netted", "minimum", "percentages", "fixed")


@settings(few, max_examples=40)
@given(tariff_cases(), st.integers(0, 2**32))
def test_random_tariffs_are_billed_as_one_by_one(case: TariffCase, seed: int) -> None:
    site = case.site.build()
    check(site, case.tariff, random_flows(seed, site.steps, 5))


@pytest.mark.slow
@settings(few, max_examples=300)
@given(tariff_cases(KNOWN, most=len(KNOWN)), st.integers(0, 2**32))
def test_charges_of_all_kinds_together_are_billed_as_one_by_one(
    case: TariffCase, seed: int
) -> None:
    site = case.site.build()
    tariff = replace(case.tariff, demand_interval_minutes=1)
    check(site, tariff, random_flows(seed, site.steps, 5))


@pytest.mark.parametrize("metering", ["net_billing", "net_metering", "buy_all_sell_all"])
def test_a_year_of_every_charge(metering: Any) -> None:
    tariff = replace(everything(), metering=metering, true_up_price_per_kwh=0.03)
    flows = random_flows(7, YEAR.steps, 12)
    found = check(YEAR, tariff, flows)
    assert found is not None
    assert {"energy", "credit", "demand", "fixed", "minimum", "tax"} <= set(found)
    check(YEAR, tariff, flows, past=past_peaks({"any hours": [9.0, 50.0]}, tariff))
    check(YEAR, tariff, flows, dates=billing_dates(["2025-01-01", "2025-02-11", "2025-06-01"]))


def test_urdb_tariffs(shared_data: Path) -> None:
    flows = random_flows(1, YEAR.steps, 4, 20.0)
    files = sorted((shared_data / "tariffs/urdb").glob("*.json"))
    tariffs = [load_tariff(file) for file in files]
    assert sum(check(YEAR, tariff, flows) is not None for tariff in tariffs) == 30


TERRITORIES = {"psegli": None, "coned": 3634, "nimo": 3631, "bge": None, "pepco": 3641}


@pytest.mark.parametrize("name", TERRITORIES)
def test_genability_tariffs(shared_data: Path, name: str) -> None:
    tariff = load_tariff(
        shared_data / f"tariffs/genability/{name}_default_2025-01-01.json",
        property_inputs={"territoryId": TERRITORIES[name]} if TERRITORIES[name] else None,
        missing="zero",
    )
    start = "2025-01-01T00:00-05:00"
    site = Site(load_kwh=YEAR.load_kwh, start=start, time_zone="America/New_York")
    assert check(site, tariff, random_flows(2, YEAR.steps, 4)) is not None


@pytest.mark.parametrize("case", range(18))
def test_every_published_month_agrees_to_a_cent(shared_data: Path, case: int) -> None:
    published = json.loads((shared_data / "cases/pysam_utilityrate5_bills.json").read_text("utf-8"))
    known = published["cases"][case]
    record = json.loads((shared_data / f"tariffs/urdb/{known['tariff']}.json").read_text("utf-8"))
    load = column(shared_data / "loads" / LOADS[known["load"]])
    sun = column(shared_data / "pv/phoenix_tmy_pvwattsv8_kwac_per_kwdc_60min.csv")
    net = load - np.outer([0.0, known["pv_kwdc"]], sun)
    site = Site(load_kw=load, start="2018-01-01T00:00-07:00")
    tariff = Tariff.from_urdb(record, metering=METERING[known["metering"]])  # type: ignore[arg-type]
    bills = ManyBills(tariff, site.timeline)
    flows = np.maximum(net, 0.0), np.maximum(-net, 0.0)
    found = bills.by_period(*determinants(bills, flows))
    theirs = [known["monthly_wo_sys"]["total"], known["monthly_w_sys"]["total"]]
    assert pytest.approx(np.array(theirs), abs=0.01) == found.T


@pytest.mark.parametrize("metering", ["net_billing", "net_metering"])
def test_bits_do_not_depend_on_the_chunk(metering: Any) -> None:
    bills = ManyBills(replace(everything(), metering=metering), YEAR.timeline)
    random = np.random.default_rng(4)
    shape = 3, bills.layout.runs.bins, 1031
    known = random.uniform(0, 200, shape) * random.integers(0, 2, shape)
    total, by_kind = bills.of(*known)
    by_period = bills.by_period(*known)
    for low, high in ((0, 1), (0, 2), (3, 10), (5, 22), (7, 71), (1000, 1031)):
        for part in (known[..., low:high], np.ascontiguousarray(known[..., low:high])):
            own, own_kinds = bills.of(*part)
            assert own.tobytes() == total[low:high].tobytes()
            assert bills.by_period(*part).tobytes() == by_period[:, low:high].tobytes()
            for kind, amounts in by_kind.items():
                assert own_kinds[kind].tobytes() == amounts[low:high].tobytes()
    backwards, _ = bills.of(*known[..., ::-1])
    assert backwards[::-1].tobytes() == total.tobytes()


def test_kinds_and_billing_periods_add_up_and_determinants_stay_as_they_are() -> None:
    bills = ManyBills(everything(), YEAR.timeline)
    known = determinants(bills, random_flows(3, YEAR.steps, 6))
    before = known.copy()
    total, by_kind = bills.of(*known)
    assert sum(by_kind.values()) == pytest.approx(total)
    assert bills.by_period(*known).sum(axis=0) == pytest.approx(total)
    assert np.array_equal(known, before)


def test_no_batteries_have_no_bills() -> None:
    bills = ManyBills(everything(), YEAR.timeline)
    none = np.zeros((3, bills.layout.runs.bins, 0))
    assert bills.of(*none)[0].shape == (0,)
    assert bills.by_period(*none).shape == (12, 0)


def test_fixed_charges_alone_are_billed_to_each_battery() -> None:
    tariff = make(EnergyRate("free"), fixed_charges=(FixedCharge("meter", 10.0),))
    bills = ManyBills(tariff, YEAR.timeline)
    total, by_kind = bills.of(*np.ones((3, 12, 4)))
    assert total == pytest.approx([120.0] * 4)
    assert list(by_kind) == ["fixed"]


def test_pickled_they_bill_the_same() -> None:
    bills = ManyBills(everything(), YEAR.timeline)
    known = determinants(bills, random_flows(3, YEAR.steps, 6))
    again = pickle.loads(pickle.dumps(bills))
    assert np.array_equal(again.of(*known)[0], bills.of(*known)[0])


def test_a_price_by_hand() -> None:
    # Two batteries, January to March: 10 and 20 kWh a month, 5 kW and 2 kW.
    tariff = make(EnergyRate("energy", price=0.2), demand_rates=(DemandRate("demand", 3.0),))
    site = Site(load_kwh=np.ones(90 * 24), start="2025-01-01T00:00Z")
    kwh = np.array([[10.0, 20.0]] * 3)
    total, _ = ManyBills(tariff, site.timeline).of(kwh, 0 * kwh, np.array([[5.0, 2.0]] * 3))
    assert total == pytest.approx([3 * (2 + 15), 3 * (4 + 6)])
