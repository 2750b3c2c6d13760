"""Cuts around the dynamic programme: against HiGHS on whole tariffs, and the cuts by themselves."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from random_problems import Case, random_case
from random_tariffs import random_place, random_tariff
from test_objective import TARIFFS, two_months

from bess import Battery, Optimize, Site, _core, bill, dispatch
from bess.errors import InfeasibleError, SolverError
from bess.tariff import Tariff
from bess.tariff.rates import DemandRate, EnergyRate
from bess.time_of_use import TimeOfUse

LATER = TimeOfUse.model_validate({"touPeriods": [{"fromHour": 1, "toHour": 0}]})
EXACT = (
    "rising",
    "bands of all",
    "demand",
    "ratchet",
    "net metering",
    "netted over the day",
    "netted over the period",
    "falling",
    "hours of use",
    "bands of demand",
    "minimum and taxes",
)


@pytest.mark.highs
@pytest.mark.parametrize("solar", [0.0, 3.0, 9.0])
@pytest.mark.parametrize("name", EXACT)
def test_the_core_finds_the_optimum_of_highs_on_two_months(name: str, solar: float) -> None:
    tariff = Tariff(name, **TARIFFS[name])  # type: ignore[arg-type]
    battery = Battery(capacity_kwh=8, charge_power_kw=3, discharge_power_kw=3, dc_coupled=False)
    home = two_months(solar)
    core = dispatch(home, battery, Optimize(engine="core"), tariff=tariff)
    highs = dispatch(home, battery, Optimize(engine="highs"), tariff=tariff)
    assert core.engine == "core"
    assert core.gap is not None
    assert core.gap <= 1e-6
    assert core.cost == pytest.approx(highs.cost, rel=1e-6)
    assert core.lower_bound is not None
    assert highs.cost is not None
    assert core.lower_bound <= highs.cost + 1e-9 * abs(highs.cost)


@pytest.mark.parametrize("engine", ["core", "highs"])
def test_import_that_is_free_is_spared_where_it_makes_a_peak(engine: Any) -> None:
    """The sun goes to the battery behind its inverter, since the grid's way there is longer."""
    site = Site(load_kwh=[3.0, 0.0], solar_kwh=[6.0, 0.0], start="2025-06-01T00:00Z")
    battery = Battery(
        capacity_kwh=20,
        charge_power_kw=20,
        discharge_power_kw=20,
        terminal_state_of_charge=(0.9, 0.9),
    )
    rates = (EnergyRate("free", price=0.0), EnergyRate("later", price=1.0, times=(LATER,)))
    tariff = Tariff("free", rates=rates, demand_rates=(DemandRate("demand", 300.0),))
    result = dispatch(site, battery, Optimize(engine=engine), tariff=tariff)
    from_sun = 6 / 0.96
    from_grid = (8 / 0.975 - from_sun) / 0.96
    assert result.import_kwh_ac[0] == pytest.approx(3 + from_grid)
    assert result.gap is not None
    assert result.gap <= 1e-6


def _check_random(seed: int, hours: int, *, wild: bool) -> None:
    """Neither engine's cost is below the other's bound; a gap is left only to the wild ones."""
    random = np.random.default_rng(seed)
    site, battery, size = random_place(random, hours, wild=wild)
    tariff = random_tariff(random, site, size, wild=wild)
    by_core = Optimize(engine="core" if wild else "auto")
    by_highs = Optimize(engine="highs", time_limit=20)
    try:
        core = dispatch(site, battery, by_core, tariff=tariff)
    except InfeasibleError as error:
        with pytest.raises(InfeasibleError, match=re.escape(str(error))):
            dispatch(site, battery, by_highs, tariff=tariff)
        return
    assert core.gap is not None
    try:
        highs = dispatch(site, battery, by_highs, tariff=tariff)
    except SolverError:  # HiGHS stopped in doubt, where the core need not
        assert wild or core.gap <= 1e-6
        return
    assert core.cost is not None
    assert core.lower_bound is not None
    assert highs.cost is not None
    assert highs.lower_bound is not None
    scale = max(1.0, sum(abs(line.amount) for line in bill(core, tariff).lines))
    slack = 1e-9 * scale
    if core.marginal_value is not None:  # states of charge this near are the same
        slack += 2e-9 * battery.capacity_kwh * float(np.abs(core.marginal_value).max())
    assert core.lower_bound <= highs.cost + slack
    assert highs.lower_bound <= core.cost + slack
    assert wild or core.gap <= 1e-6


@pytest.mark.highs
@pytest.mark.parametrize("seed", range(16))
def test_the_core_finds_the_optimum_of_highs_on_random_tariffs(seed: int) -> None:
    _check_random(seed, (1, 5, 216, 336)[seed % 4], wild=False)


@pytest.mark.highs
@pytest.mark.parametrize("seed", range(16))
def test_the_core_is_bounded_as_highs_is_where_steps_are_not_convex(seed: int) -> None:
    _check_random(1000 + seed, 72, wild=True)


@pytest.mark.slow
@pytest.mark.parametrize("wild", [False, True])
@pytest.mark.parametrize("block", range(20))
def test_the_core_and_highs_agree_on_many_random_tariffs(block: int, wild: bool) -> None:
    for seed in range(2000 + 25 * block, 2025 + 25 * block):
        _check_random(seed, 72 if wild else (5, 216, 336, 960)[seed % 4], wild=wild)


def _paid(case: Case, oracle: _core.CutOracle) -> np.ndarray:
    """The cost of each step of the schedule last found, with the penalty above the caps."""
    problem = case.problem()
    cheap, cheap_device, _ = _core.write_schedule(problem, oracle.energy)
    dear_prices = case.import_price + oracle.penalty, case.export_price
    dear, dear_device, _ = _core.write_schedule(problem.at_prices(*dear_prices), oracle.energy)
    costs = []
    for series, device in ((cheap, cheap_device), (dear, dear_device)):
        bought, sold = series[0] + series[1], series[4] + series[7]
        given = (device[0, 2] + device[0, 3]) / case.battery["dc_to_ac_efficiency"]
        cost = case.import_price * bought - case.export_price * sold
        cost += oracle.penalty * np.maximum(bought - np.minimum(oracle.cap, 1e9), 0.0)
        costs.append(cost + case.battery["degradation_cost"] * given)
    return np.minimum(*costs)


@pytest.mark.parametrize("block", range(10))
def test_a_cut_is_nowhere_above_what_a_schedule_costs(block: int) -> None:
    """At other caps, with prices of any sign: cuts bound the cost of every block from below."""
    random = np.random.default_rng(block)
    for _ in range(40):
        case = random_case(random, int(random.integers(1, 9)))
        steps = np.arange(case.steps, dtype=np.int32)
        columns = random.integers(0, 2, case.steps).astype(np.int32)
        room = np.where(random.random(case.steps) < 0.2, 0.5, 0.0)
        factor = random.choice([1.0, 0.25], case.steps)
        penalty = random.choice([0.0, 0.4, 3.0], 2)
        oracle = _core.CutOracle(steps, columns, room, factor, penalty)
        if not oracle.start(case.problem()):
            continue
        first = random.choice([0.0, 1.0, 2.5, 4.0], 2)
        if oracle.evaluate(first) == np.inf:
            continue
        starts = np.unique(np.append(random.integers(0, case.steps, 2), 0)).astype(np.uint32)
        worth = oracle.worth
        if block % 2:  # whatever energy is said to be worth
            worth = worth + random.choice([-0.3, 0.0, 0.2], case.steps)
        numbers, count, column, value = oracle.cut(worth, starts)
        for other in ([0.0, 0.5], [4.0, 1.5], [9.0, 9.0], first):
            there = np.array(other, dtype=np.float64)
            oracle.evaluate(there)
            stored = np.concatenate([oracle.limits[0, :1], oracle.energy])
            ends = np.append(starts[1:], case.steps)
            paid = np.add.reduceat(_paid(case, oracle), starts)
            slopes = value * there[column]
            of_block = np.repeat(np.arange(len(starts)), count)
            said = numbers[:, 0] + np.bincount(of_block, slopes, len(starts))
            said += numbers[:, 2] * stored[ends] - numbers[:, 1] * stored[starts]
            assert (said <= paid + 1e-9 * (1 + abs(paid))).all()
