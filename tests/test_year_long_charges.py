"""Year-long random sites on random demand charges, ratchets and tiers: the core against HiGHS."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from random_problems import Case, random_year
from tariff_agreement import money

import bess
from bess.errors import InputError, SolverError
from bess.tariff import Band, DemandRate, EnergyRate, HourMatrix, MinimumCharge, Ratchet, Tariff

pytestmark = [pytest.mark.slow, pytest.mark.highs]

AGREE = 2e-6


def random_tariff(rng: np.random.Generator, case: Case) -> Tariff:
    """Demand charges on prices by time of use; of ratchets, rising tiers and minimum bills some."""
    afternoon = tuple((0,) * 16 + (1,) * 5 + (0,) * 3 for _ in range(12))
    peak = (HourMatrix(afternoon, afternoon, 1),)
    base = float(rng.choice([0.08, 0.2]))
    size = float(case.load.max())
    bands: tuple[Band, ...] = ()
    if rng.integers(3) == 0:
        month = float(case.load.sum()) / 12
        bands = (Band(base, 0.3 * month), Band(1.2 * base, 0.7 * month), Band(1.6 * base))
    ratchet = Ratchet((80.0,)) if rng.integers(3) == 0 else None
    demand = [DemandRate("demand", float(rng.choice([3.0, 12.0, 25.0])), ratchet=ratchet)]
    if rng.integers(2):
        demand.append(DemandRate("peak", 8.0, window=peak))
    minimum: tuple[MinimumCharge, ...] = ()
    if rng.integers(4) == 0:
        minimum = (MinimumCharge("minimum", 50 * size),)
    return Tariff(
        "random",
        rates=(
            EnergyRate("energy", price=0.0 if bands else base, bands=bands),
            EnergyRate("peak", price=float(rng.choice([0.0, 0.1])), times=peak),
        ),
        demand_rates=tuple(demand),
        minimum_charges=minimum,
        demand_interval_minutes=60,
    )


def optimal(case: Case, tariff: Tariff, engine: Any) -> bess.Result:
    b = case.battery
    site = bess.Site(
        load_kwh=case.load,
        solar_kwh=case.solar,
        start="2025-01-01T00:00Z",
        time_zone="UTC",
        solar_dc_to_ac_efficiency=case.solar_efficiency,
    )
    battery = bess.Battery(
        capacity_kwh=b["capacity"],
        charge_power_kw=b["charge_limit"],
        discharge_power_kw=b["discharge_limit"],
        dc_coupled=False,
        degradation_cost_per_kwh=b["degradation_cost"],
        allow_grid_to_battery=b["grid_to_battery"],
    )
    strategy = bess.Optimize(engine=engine, time_limit=120 if engine == "highs" else None)
    return bess.dispatch(site, battery, strategy, tariff=tariff)


@pytest.mark.parametrize("seed", range(20))
def test_years_with_demand_charges_cost_what_highs_finds(seed: int) -> None:
    rng = np.random.default_rng(400 + seed)
    case = random_year(rng, 8760, 0)
    tariff = random_tariff(rng, case)
    try:
        core = optimal(case, tariff, "core")
    except InputError as error:
        pytest.skip(str(error))
    except SolverError as error:
        if "not proven" not in str(error):
            raise
        pytest.skip(str(error))
    highs = optimal(case, tariff, "highs")
    scale = money(bess.bill(core, tariff))
    assert core.gap is not None
    assert core.gap <= 1e-6
    assert core.cost is not None
    assert highs.cost is not None
    assert core.lower_bound is not None
    assert highs.lower_bound is not None
    assert core.lower_bound <= highs.cost + 1e-9 * scale
    assert highs.lower_bound <= core.cost + 1e-9 * scale
