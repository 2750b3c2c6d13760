"""Cuts around the dynamic programme: against HiGHS on whole tariffs, and the cuts by themselves."""

from __future__ import annotations

import numpy as np
import pytest
from random_problems import Case, random_case
from test_objective import TARIFFS, two_months

from bess import Battery, Optimize, Site, _core, dispatch
from bess.tariff import Tariff
from bess.tariff.rates import Band, DemandBand, DemandRate, EnergyRate, MinimumCharge, Ratchet
from bess.time_of_use import TimeOfUse

EVENING = TimeOfUse.model_validate({"touPeriods": [{"fromHour": 16, "toHour": 21}]})
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


def _random_tariff(random: np.random.Generator) -> Tariff:
    energy = [EnergyRate("flat", price=random.choice([0.1, 0.2]))]
    if random.random() < 0.5:
        prices = [0.1, 0.2, 0.3] if random.random() < 0.7 else [0.3, 0.2, 0.1]
        limits = 40.0, 60.0, None
        bands = tuple(
            Band(price, limit_kwh_per_day=limit)
            for price, limit in zip(prices, limits, strict=True)
        )
        energy = [EnergyRate("bands", bands=bands)]
    if random.random() < 0.7:
        energy.append(EnergyRate("evening", price=0.15, times=(EVENING,)))
    if random.random() < 0.5:
        energy.append(EnergyRate("sold", price=0.05, on_import=False, on_export=True))
    demand = [
        DemandRate("any", random.choice([3.0, 10.0])),
        DemandRate("evening", 6.0, window=(EVENING,)),
        DemandRate("bands", bands=(DemandBand(2.0, 4.0), DemandBand(7.0))),
        DemandRate("ratchet", 4.0, ratchet=Ratchet((80.0,))),
        DemandRate("day", 0.3, period="day"),
        DemandRate("year", 12.0, period="year"),
    ]
    chosen = [rate for rate in demand if random.random() < 0.4]
    least = (MinimumCharge("least", 60.0),) if random.random() < 0.3 else ()
    return Tariff("random", rates=tuple(energy), demand_rates=tuple(chosen), minimum_charges=least)


def random_problem(random: np.random.Generator) -> tuple[Site, Battery, Tariff]:
    """A site, a battery and a tariff with charges on more than a step."""
    hours = int(random.choice([1, 5, 24 * 9, 24 * 40]))
    load = random.choice([0.5, 3.0]) * (1 + random.random(hours) ** 3)
    sun = np.maximum(np.sin((np.arange(hours) - 6) / 24 * 2 * np.pi), 0) * random.choice([0, 4])
    home = Site(
        load_kwh=load,
        solar_kwh=sun * random.random(hours),
        start="2025-01-20T00:00Z",
        time_zone="UTC",
        inverter_limit_kw=2.0 if random.random() < 0.2 else None,
    )
    battery = Battery(
        capacity_kwh=random.choice([0.5, 4.0, 40.0]),
        charge_power_kw=random.choice([0.3, 2.0]),
        discharge_power_kw=random.choice([0.3, 2.0]),
        dc_coupled=bool(random.random() < 0.5),
        allow_grid_to_battery=bool(random.random() < 0.7),
        allow_battery_to_grid=bool(random.random() < 0.3),
        degradation_cost_per_kwh=random.choice([0.0, 0.02]),
        self_discharge_per_hour=random.choice([0.0, 0.0, 1e-3, 0.05]),
        initial_state_of_charge=0.5,
        terminal_state_of_charge=(0.4, 0.9) if random.random() < 0.3 else "initial",
    )
    return home, battery, _random_tariff(random)


def _check_random_tariff(seed: int) -> None:
    home, battery, tariff = random_problem(np.random.default_rng(seed))
    core = dispatch(home, battery, Optimize(), tariff=tariff)
    highs = dispatch(home, battery, Optimize(engine="highs"), tariff=tariff)
    assert core.cost is not None
    assert core.gap is not None
    assert core.lower_bound is not None
    assert highs.cost is not None
    scale = max(1.0, abs(highs.cost))
    assert core.gap <= 1e-6
    assert abs(core.cost - highs.cost) <= 2e-6 * scale
    assert core.lower_bound <= highs.cost + 1e-9 * scale


@pytest.mark.highs
@pytest.mark.parametrize("seed", range(25))
def test_the_core_finds_the_optimum_of_highs_on_random_tariffs(seed: int) -> None:
    _check_random_tariff(seed)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(20))
def test_the_core_finds_the_optimum_of_highs_on_many_random_tariffs(block: int) -> None:
    for seed in range(100 + 50 * block, 150 + 50 * block):
        _check_random_tariff(seed)


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
        numbers, count, column, value = oracle.cut(starts)
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
