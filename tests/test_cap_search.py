"""Demand charges where steps are not convex: boxes of caps against HiGHS with whole numbers."""

from __future__ import annotations

import numpy as np
import pytest
from random_problems import Case, random_case

from bess import Battery, Optimize, Site, _core, dispatch
from bess.errors import InfeasibleError
from bess.tariff import Tariff
from bess.tariff.rates import DemandBand, DemandRate, EnergyRate, Ratchet
from bess.time_of_use import TimeOfUse

EVENING = TimeOfUse.model_validate({"touPeriods": [{"fromHour": 16, "toHour": 21}]})
NOON = TimeOfUse.model_validate({"touPeriods": [{"fromHour": 10, "toHour": 15}]})


def _random_case(seed: int) -> tuple[Site, Battery, Tariff]:
    """Noons at which importing earns money, or evenings at which export pays more, or both."""
    random = np.random.default_rng(seed)
    hours = int(random.choice([5, 24, 24 * 9, 24 * 40]))
    load = random.choice([0.5, 3.0]) * (1 + random.random(hours) ** 3)
    sun = np.maximum(np.sin((np.arange(hours) - 6) / 24 * 2 * np.pi), 0) * random.choice([0, 4])
    site = Site(
        load_kwh=load,
        solar_kwh=sun * random.random(hours),
        start="2025-01-20T00:00Z",
        time_zone="UTC",
        export_limit_kwh=1.0 if random.random() < 0.2 else None,
        allow_solar_to_grid=bool(random.random() < 0.8),
    )
    battery = Battery(
        capacity_kwh=random.choice([0.5, 4.0, 20.0]),
        charge_power_kw=random.choice([0.3, 2.0]),
        discharge_power_kw=random.choice([0.3, 2.0]),
        dc_coupled=bool(random.random() < 0.5),
        allow_grid_to_battery=bool(random.random() < 0.8),
        allow_battery_to_grid=bool(random.random() < 0.5),
        allow_solar_to_battery=bool(random.random() < 0.9),
        degradation_cost_per_kwh=random.choice([0.0, 0.02]),
        self_discharge_per_hour=random.choice([0.0, 0.0, 1e-3]),
        initial_state_of_charge=0.5,
        terminal_state_of_charge=(0.4, 0.9) if random.random() < 0.3 else "initial",
    )
    energy = [EnergyRate("flat", price=random.choice([0.1, 0.2]))]
    negative = random.random() < 0.7
    if negative:
        energy.append(EnergyRate("noon", price=-0.3, times=(NOON,)))
    if not negative or random.random() < 0.5:
        sold = {"on_import": False, "on_export": True}
        energy.append(EnergyRate("sold", price=0.05, **sold))
        energy.append(EnergyRate("dear", price=0.3, times=(EVENING,), **sold))
    demand = [
        DemandRate("any", random.choice([3.0, 10.0])),
        DemandRate("noon", 6.0, window=(NOON,)),
        DemandRate("bands", bands=(DemandBand(2.0, 4.0), DemandBand(7.0))),
        DemandRate("ratchet", 4.0, ratchet=Ratchet((80.0,))),
        DemandRate("day", 0.3, period="day"),
    ]
    chosen = [rate for rate in demand if random.random() < 0.4] or demand[:1]
    return site, battery, Tariff("random", rates=tuple(energy), demand_rates=tuple(chosen))


def _check(seed: int) -> None:
    site, battery, tariff = _random_case(seed)
    try:
        core = dispatch(site, battery, Optimize(engine="core", time_limit=60), tariff=tariff)
    except InfeasibleError:
        return
    highs = dispatch(site, battery, Optimize(engine="highs", time_limit=2.0), tariff=tariff)
    assert core.cost is not None
    assert core.gap is not None
    assert core.lower_bound is not None
    assert highs.cost is not None
    assert highs.lower_bound is not None
    scale = max(1.0, abs(highs.cost))
    assert core.lower_bound <= highs.cost + 1e-9 * scale
    assert core.cost >= highs.lower_bound - 1e-9 * scale
    of_a_day = any(rate.period == "day" for rate in tariff.demand_rates)
    if len(tariff.demand_rates) < 3 and not of_a_day:
        assert core.gap <= 1e-6


@pytest.mark.highs
@pytest.mark.parametrize("seed", [*range(8, 22), *range(58, 66)])
def test_boxes_of_caps_close_the_gap_of_steps_that_are_not_convex(seed: int) -> None:
    _check(seed)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_boxes_of_caps_close_the_gap_of_many_tariffs(block: int) -> None:
    for seed in range(100 + 20 * block, 120 + 20 * block):
        _check(seed)


@pytest.mark.slow
def test_on_few_steps_highs_proves_what_boxes_of_caps_leave() -> None:
    site, battery, tariff = _random_case(209)  # a demand charge on each of nine days
    result = dispatch(site, battery, Optimize(), tariff=tariff)
    assert result.engine == "highs"
    assert result.gap is not None
    assert result.gap <= 1e-6


def _stretch(case: Case) -> tuple[_core.StretchProgram, _core.CostToGo] | None:
    """The whole of a problem as one stretch, and nothing to pay after it."""
    oracle = _core.CutOracle(*_NO_CAPS)
    problem = case.problem()
    if not oracle.start(problem) or oracle.evaluate(np.zeros(0)) == np.inf:
        return None
    low, high = oracle.limits.copy()
    after = _core.CostToGo(float(low[-1]), float(high[-1]), 0.0, 0.0)
    return _core.StretchProgram(problem, 0, low, high), after


_NO_CAPS = np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0), np.zeros(0), np.zeros(0)


def test_a_stretch_costs_what_the_programme_says_of_it() -> None:
    random = np.random.default_rng(0)
    seen = 0
    for _ in range(200):
        case = random_case(random, int(random.integers(1, 9)))
        found = _stretch(case)
        solved = _core.solve_dynamic_program(case.problem())
        if found is None or solved is None:
            continue
        stretch, after = found
        free = np.full(case.steps, 1e9), np.zeros(case.steps), np.full(case.steps, 1e9)
        cost = stretch.before(*free, after)
        assert cost is not None
        start = case.battery["initial_energy"]
        said = cost.at(cost.corner_near(start, 1e-9))
        assert said == pytest.approx(solved[3], rel=1e-9, abs=1e-9)
        seen += 1
    assert seen > 80


def test_no_schedule_under_the_highest_caps_costs_less_than_its_box() -> None:
    """Whatever import above the lowest caps pays, at prices of any sign."""
    random = np.random.default_rng(1)
    seen = 0
    for _ in range(300):
        case = random_case(random, int(random.integers(1, 9)))
        found = _stretch(case)
        if found is None:
            continue
        stretch, after = found
        start = case.battery["initial_energy"]
        known = []
        for _ in range(6):
            least = random.choice([0.0, 0.5, 1.0, 2.0, 4.0], case.steps)
            most = least + random.choice([0.0, 0.3, 2.0, 1e9], case.steps)
            more = random.choice([0.0, 0.05, 0.2, 3.0], case.steps)
            cost = stretch.before(least, more, most, after)
            if cost is None or cost.at(start) == np.inf:
                continue
            schedule = stretch.schedule(least, more, most, after, start)
            if schedule is not None:
                known.append((cost.at(start), least, more, most, *schedule[1:]))
        for said, least, more, most, *_ in known:
            for *_, imports, paid in known:
                if (imports <= most).all():
                    dear = paid + float(more @ np.maximum(imports - least, 0.0))
                    assert said <= dear + 1e-9 * (1 + abs(dear))
                    seen += 1
    assert seen > 500
