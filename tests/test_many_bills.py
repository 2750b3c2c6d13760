"""The bills of many batteries at once are those of `bess.bill`, one by one."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bills import FLAT, hours, make
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies_rules import few
from strategies_tariffs import TariffCase, tariff_cases
from test_pysam_bills import LOADS, METERING, column

from bess import Bill, InputError, Site, _core, load_tariff
from bess.tariff import (
    Band,
    DemandRate,
    EnergyRate,
    FixedCharge,
    MinimumCharge,
    PercentageRate,
    PriceSeries,
    Ratchet,
    Tariff,
)
from bess.tariff.bill import bill_energy
from bess.tariff.demand import past_peaks
from bess.tariff.many_bills import ManyBills
from bess.tariff.periods import billing_dates

YEAR = Site(load_kwh=np.ones(8760), start="2025-01-01T00:00Z")
Flows = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]


def random_flows(seed: int, steps: int, batteries: int, most: float = 4.0) -> Flows:
    """What crosses the meters of some batteries, shape (batteries, steps): never both ways."""
    random = np.random.default_rng(seed)
    net = random.uniform(-most, most, (batteries, steps)) * random.integers(0, 2, (1, steps))
    net *= random.choice([0.0, 0.001, 1.0, 1.0, 30.0], (batteries, 1))
    net += random.choice([0.0, 0.0, -most, most], (batteries, 1))
    return np.maximum(net, 0.0), np.maximum(-net, 0.0)


def determinants(bills: ManyBills, flows: Flows) -> np.ndarray[Any, Any]:
    """Imports, exports and peaks by bin, shape (3, bins, batteries)."""
    runs = bills.layout.runs
    each = [_core.settle(*own, runs.start, runs.bin, runs.bins) for own in zip(*flows, strict=True)]
    return np.ascontiguousarray(np.moveaxis(each, 0, -1))


def one_by_one(site: Site, tariff: Tariff, flows: Flows, **given: Any) -> list[Bill]:
    return [bill_energy(site, tariff, *own, **given) for own in zip(*flows, strict=True)]


def check(site: Site, tariff: Tariff, flows: Flows, **given: Any) -> dict[str, Any] | None:
    """Assert that totals, kinds and billing periods are those of single bills."""
    bills = ManyBills(tariff, site.timeline, **given)
    known = determinants(bills, flows)
    if bills.refusal is not None:
        with pytest.raises(InputError, match="cannot be billed from energies and peaks by bin"):
            bills.of(*known)
        return None
    total, by_kind = bills.of(*known)
    by_period = bills.by_period(*known)
    for i, own in enumerate(one_by_one(site, tariff, flows, **given)):
        near = 1e-9 * sum(abs(line.amount) for line in own.lines)
        assert abs(total[i] - own.total) <= near
        assert np.abs(by_period[:, i] - own.monthly).max() <= near
        kinds = {kind: sum(amounts) for kind, amounts in own.by_kind().items()}
        for kind in {*kinds, *by_kind}:
            found = by_kind[kind][i] if kind in by_kind else 0.0
            assert abs(found - kinds.get(kind, 0.0)) <= near
    return by_kind


def everything() -> Tariff:
    """Every charge that follows from energies and peaks by bin."""
    peak, year = (hours(*range(16, 21)),), Ratchet((50.0,))
    return Tariff(
        "everything",
        rates=(
            EnergyRate("peak", price=0.3, times=peak),
            EnergyRate("any", price=0.1),
            EnergyRate("credit", price=-0.02, charge_class=("SUPPLY",)),
            EnergyRate("tiers", bands=(Band(0.1, limit_kwh=300), Band(0.2))),
            EnergyRate("of use", bands=(Band(0.2, limit_kwh_per_kw=100), Band(0.1)), times=peak),
            EnergyRate(
                "all", bands=(Band(0.1, limit_kwh=200), Band(0.2)), times=peak, counts="all"
            ),
            EnergyRate("sold", price=0.05, on_import=False, on_export=True),
            EnergyRate("quarter", price=0.01, settlement="quarter"),
            EnergyRate("year", price=0.04, on_import=False, on_export=True, settlement="year"),
            EnergyRate("public", price=0.02, bypassable=False),
        ),
        demand_rates=(
            DemandRate("any hours", 3.0, ratchet=year),
            DemandRate("peak hours", 2.0, window=peak, charge_class=("SUPPLY",)),
            DemandRate("year", 5.0, period="year"),
        ),
        fixed_charges=(FixedCharge("meter", 20.0), FixedCharge("gift", -5.0)),
        minimum_charges=(MinimumCharge("least", 100.0), MinimumCharge("of a year", 2000.0, "year")),
        percentages=(
            PercentageRate("rider", 3.0, ("SUPPLY",)),
            PercentageRate("tax", 8.0, ("TAX",)),
            PercentageRate("on top", 1.0, ("AFTER_TAX",)),
        ),
    )


KNOWN = ("net metering", "bands", "demand", "netted", "minimum", "percentages", "fixed")


@settings(few, max_examples=40)
@given(tariff_cases(), st.integers(0, 2**32))
def test_random_tariffs_are_billed_as_one_by_one(case: TariffCase, seed: int) -> None:
    site = case.site.build()
    check(site, case.tariff, random_flows(seed, site.steps, 5))


@pytest.mark.slow
@settings(few, max_examples=1000)
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


def test_prices_by_step_are_taken_where_they_are_one_in_each_bin() -> None:
    flat = make(series=PriceSeries([0.3], [0.1], repeats=True))  # type: ignore[arg-type]
    flows = random_flows(6, YEAR.steps, 3)
    found = check(YEAR, flat, flows)
    assert found is not None
    assert set(found) == {"energy", "export"}
    months = np.array([instant.month for instant in YEAR.timeline.timestamps])
    monthly = replace(everything(), series=PriceSeries(0.01 * months, 0 * months))
    assert check(YEAR, monthly, flows) is not None
    assert check(YEAR, replace(monthly, metering="net_metering"), flows) is not None


HOUR = PriceSeries(np.arange(8760) % 24, np.ones(8760))
PRICES = EnergyRate("market", prices=HOUR)
DAYS = EnergyRate("days", price=0.1, on_export=False, settlement="day")
HOURS = EnergyRate("hours", price=0.1, on_import=False, on_export=True, settlement="hour")
BY_DAY = DemandRate("by day", 1.0, period="day")


@pytest.mark.parametrize(
    ("tariff", "why"),
    [
        (make(series=HOUR), "it has prices by step"),
        (make(PRICES), "market has prices by step"),
        (make(DAYS), "days nets imports and exports by the day"),
        (make(FLAT, HOURS), "hours nets imports and exports by the hour"),
        (
            make(demand_rates=(DemandRate("a day", 1.0, period="day"),)),
            "a day is for the peak of each day",
        ),
        (
            make(demand_rates=(DemandRate("D", 1.0),), demand_interval_minutes=120),
            "its demand is mean power over 120 minutes, which are several steps",
        ),
        (make(demand_interval_minutes=120), None),
    ],
)
def test_what_needs_steps_says_why(tariff: Tariff, why: str | None) -> None:
    bills = ManyBills(tariff, YEAR.timeline)
    assert bills.refusal == why
    check(YEAR, tariff, random_flows(5, YEAR.steps, 1))


def test_a_price_by_hand() -> None:
    # Two batteries, January to March: 10 and 20 kWh a month, 5 kW and 2 kW.
    tariff = make(EnergyRate("energy", price=0.2), demand_rates=(DemandRate("demand", 3.0),))
    site = Site(load_kwh=np.ones(90 * 24), start="2025-01-01T00:00Z")
    kwh = np.array([[10.0, 20.0]] * 3)
    total, _ = ManyBills(tariff, site.timeline).of(kwh, 0 * kwh, np.array([[5.0, 2.0]] * 3))
    assert total == pytest.approx([3 * (2 + 15), 3 * (4 + 6)])
