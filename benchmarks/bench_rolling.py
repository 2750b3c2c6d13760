"""A rolling horizon: a plan of 48 hours at every step of a year."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bench_dynamic_program as of_a_year
import numpy as np
import pytest

import bess
from bess.tariff import DemandRate, EnergyRate, Tariff

GOALS = {  # seconds: an hourly year, a quarter-hour year
    "time of use": (0.3, None),
    "flat": (0.3, None),
    "wholesale without negative hours": (0.4, None),
    "wholesale with negative hours": (0.4, None),
    "avoided-cost export": (0.4, None),
    "wholesale, 57 % of hours negative": (None, None),
}


@pytest.mark.parametrize("forecast", ["perfect", "persistence"])
@pytest.mark.parametrize("steps", [8760, 35040])
@pytest.mark.parametrize("kind", GOALS)
def bench_year_of_plans(
    benchmark: Any,
    reached: Callable[..., None],
    hourly: bess.Site,
    quarter_hourly: bess.Site,
    battery: bess.Battery,
    shared_data: Path,
    kind: str,
    steps: int,
    forecast: str,
) -> None:
    """The whole call, with the optimum that it is held against."""
    site = hourly if steps == 8760 else quarter_hourly
    buy, sell = of_a_year.prices_of(kind, site, shared_data)
    prices = bess.Prices(import_price=buy, export_price=sell)
    rolled = benchmark.pedantic(
        lambda: bess.roll(
            site, forecast, battery, bess.Optimize(), prices=prices, replan_hours=site.step_hours
        ),
        rounds=2,
    )
    assert rolled.plans == steps
    assert rolled.relaxed_plans == ()
    assert rolled.optimum.gap <= 1e-12
    moved = abs(buy) @ rolled.import_kwh_ac + abs(sell) @ rolled.export_kwh_ac
    assert rolled.cost_of_imperfect_foresight >= -1e-12 * moved
    if forecast == "perfect":  # two days ahead are nearly as good as a year
        assert rolled.savings_kept >= 0.999
    goal = GOALS[kind][0 if steps == 8760 else 1]
    reached(f"{steps:,} plans of 48 h, {forecast} forecast, {kind}", goal)


def bench_month_of_plans_with_demand_charges(
    benchmark: Any, reached: Callable[..., None], hourly: bess.Site, battery: bess.Battery
) -> None:
    """720 plans against the bill so far: a twelfth of a year."""
    site = bess.Site(
        load_kwh=hourly.load_kwh[:720],
        solar_kwh=hourly.solar_kwh[:720],
        start=hourly.timeline.start,
        time_zone=hourly.timeline.time_zone,
    )
    tariff = Tariff(
        "demand",
        rates=(
            EnergyRate("import", price=0.2),
            EnergyRate("export", price=0.05, on_import=False, on_export=True),
        ),
        demand_rates=(DemandRate("peak", 15.0),),
    )
    rolled = benchmark.pedantic(
        lambda: bess.roll(site, "perfect", battery, bess.Optimize(), tariff=tariff), rounds=1
    )
    assert rolled.relaxed_plans == ()
    assert rolled.cost == pytest.approx(bess.bill(rolled, tariff).total, rel=1e-12)
    assert rolled.savings_kept >= 0.9
    assert -1e-6 * rolled.cost <= rolled.cost_of_imperfect_foresight
    assert np.all(rolled.import_kwh_ac.max() <= site.load_kwh.max() + 1e-9)
    reached("720 plans of 48 h, a demand charge", None)
