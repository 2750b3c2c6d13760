"""Prices by step in the bills of many batteries, and tariffs that are refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bills import FLAT, hours, make
from many_bills import YEAR, check, everything, random_flows

from bess import InputError
from bess.tariff import (
    DemandRate,
    EnergyRate,
    MinimumCharge,
    PercentageRate,
    PriceSeries,
    Tariff,
)
from bess.tariff.many_bills import ManyBills


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


HOURLY = np.arange(8760) % 24 * 0.01
BOUGHT = PriceSeries(HOURLY, 0 * HOURLY)
SOLD = PriceSeries(0 * HOURLY, HOURLY)
BOTH = PriceSeries(HOURLY, HOURLY)
MARKET = EnergyRate("market", prices=BOTH, times=(hours(*range(12)),))
SUPPLIED = replace(MARKET, name="supplied", charge_class=("SUPPLY",))
NET = EnergyRate("net", on_export=True, prices=BOTH)
DAYS = EnergyRate("days", price=0.1, on_export=False, settlement="day")
HOURS = EnergyRate("hours", price=0.1, on_import=False, on_export=True, settlement="hour")
TWO_HOURS = DemandRate("D", 1.0)
BY_DAY = DemandRate("by day", 1.0, period="day")
TAX, RIDER = PercentageRate("tax", 10.0, ("TAX",)), PercentageRate("rider", 5.0, ("SUPPLY",))
LEAST = MinimumCharge("least", 50.0)


@pytest.mark.parametrize(
    "tariff",
    [
        make(FLAT, series=BOUGHT, percentages=(TAX,)),
        make(FLAT, series=SOLD),
        make(FLAT, series=PriceSeries(HOURLY, 0 * HOURLY + 0.1)),
        make(FLAT, series=SOLD, metering="net_metering"),
        make(FLAT, MARKET, percentages=(TAX, RIDER)),
        make(FLAT, SUPPLIED, percentages=(TAX, RIDER)),
        make(NET, MARKET, demand_rates=(DemandRate("demand", 3.0),)),
        make(FLAT, replace(MARKET, settlement="hour")),
        make(FLAT, HOURS),
    ],
)
def test_prices_by_step_are_taken_where_one_kind_of_line_has_them(tariff: Tariff) -> None:
    bills = ManyBills(tariff, YEAR.timeline)
    assert (bills.step_prices is None) == (HOURS in tariff.rates)
    assert check(YEAR, tariff, random_flows(8, YEAR.steps, 3)) is not None


def test_what_comes_at_step_prices_is_asked_for() -> None:
    kwh = np.ones((12, 2))
    with pytest.raises(InputError, match="at_step_prices: must be given just where"):
        ManyBills(make(FLAT, series=BOUGHT), YEAR.timeline).of(kwh, kwh, kwh)
    with pytest.raises(InputError, match="at_step_prices: must be given just where"):
        ManyBills(make(), YEAR.timeline).of(kwh, kwh, kwh, kwh[0])


@pytest.mark.parametrize(
    ("tariff", "why"),
    [
        (
            make(FLAT, series=BOTH),
            "it has prices by step, and so have lines of another kind",
        ),
        (
            make(MARKET, FLAT, SUPPLIED, percentages=(RIDER,)),
            "market has prices by step, and so have lines of another kind",
        ),
        (
            make(MARKET, FLAT, minimum_charges=(LEAST,)),
            "market has prices by step, and charges depend on months",
        ),
        (
            make(FLAT, HOURS, metering="net_metering"),
            "hours nets imports and exports by the hour",
        ),
        (make(DAYS), "days nets imports and exports by the day"),
        (
            make(demand_rates=(DemandRate("a day", 1.0, period="day"),)),
            "a day is for the peak of each day",
        ),
        (
            make(demand_rates=(TWO_HOURS,), demand_interval_minutes=120),
            "its demand is mean power over 120 minutes, which are several steps",
        ),
        (make(demand_interval_minutes=120), None),
    ],
)
def test_what_needs_steps_says_why(tariff: Tariff, why: str | None) -> None:
    bills = ManyBills(tariff, YEAR.timeline)
    assert bills.refusal == why
    check(YEAR, tariff, random_flows(5, YEAR.steps, 1))
