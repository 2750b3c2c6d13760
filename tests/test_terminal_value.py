"""What the energy left at the end is worth, a number or a falling curve, in every engine."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from random_problems import Case, Generator, random_case
from reference_optimum import Terminal, optimum
from test_dynamic_program import START, check_flows, hours, intersected, money

import bess
from bess import _core

Curve = list[tuple[float, float]]
FALLING: Curve = [(0.2, 0.45), (0.5, 0.2), (0.9, 0.2), (1.0, -0.05)]


def random_worths(rng: Generator, capacity: float) -> Curve:
    """(money per kWh, kWh), which may end below the capacity or above it; ties with prices."""
    count = int(rng.integers(1, 4))
    values = -np.sort(-rng.choice([-0.05, 0.0, 0.1, 0.1, 0.3, *rng.normal(0.1, 0.1, 3)], count))
    widths = capacity * rng.choice([0.1, 0.25, 0.5, 2.0], count)
    return list(zip(values.tolist(), widths.tolist(), strict=True))


def check_against_brute_force(rng: Generator, case: Case) -> None:
    worths = random_worths(rng, case.battery["capacity"])
    if worths[-1][0] < 0:  # what is beyond them would be worth more again
        worths[-1] = (worths[-1][0], 10 * case.battery["capacity"])
    best = optimum(
        [case.step(t) for t in range(case.steps)],
        [case.store()],
        list(case.import_price),
        list(case.export_price),
        windows=[(0, window) for window in intersected(case)],
        terminals=[Terminal(worths=worths)],
    )
    device = _core.Device(_core.Battery(**case.battery), 10, 10, case.windows, worths)
    problem = _core.Problem(
        case.problem_site(), [device], case.import_price, case.export_price, False
    )
    found = _core.solve_dynamic_program(problem)
    assert (found is None) == (best is None), (case, worths)
    if found is None or best is None:
        return
    flows, _, _, bound = found
    cost, scale = money(case, flows)
    left = float(flows[9, -1]) * case.battery["capacity"]
    for value, width in worths:
        cost -= value * min(left, width)
        left = max(left - width, 0.0)
    assert abs(cost - best) <= 1e-9 * scale, (case, worths)
    assert bound <= best + 1e-9 * scale, (case, worths)
    assert cost - bound <= 1e-12 * max(scale, case.battery["capacity"]), (case, worths)
    check_flows(case, flows)


@pytest.mark.highs
def test_random_curves_have_the_optimum_of_brute_force() -> None:
    rng = np.random.default_rng(31)
    for _ in range(500):
        check_against_brute_force(rng, random_case(rng, int(rng.integers(1, 8))))


@pytest.mark.slow
@pytest.mark.highs
def test_many_random_curves_have_the_optimum_of_brute_force() -> None:
    rng = np.random.default_rng(32)
    for _ in range(10_000):
        check_against_brute_force(rng, random_case(rng, int(rng.integers(1, 10))))


def test_energy_is_kept_as_far_as_it_is_worth_more_than_the_load_pays() -> None:
    """Of 10 kWh 2 are worth 0.45 and 7 more 0.2: at 0.3 all but 2 serve the load, at 0.1 one is
    sold, which would cost 0.05 to be left."""
    site, battery = hours([2] * 6, initial_state_of_charge=1, terminal_state_of_charge="free")
    dear, cheap = (
        bess.dispatch(
            site, battery, bess.Optimize(terminal_value=FALLING), prices=bess.Prices(price)
        )
        for price in (0.3, 0.1)
    )
    assert_allclose([dear.battery_soc[-1], cheap.battery_soc[-1]], [0.2, 0.9])
    assert_allclose([dear.terminal_value, cheap.terminal_value], [0.9, 0.9 + 7 * 0.2])
    assert_allclose([dear.cost, cheap.cost], [4 * 0.3, 11 * 0.1])
    for result in (dear, cheap):
        assert result.cost is not None
        assert_allclose(result.objective, result.cost - result.terminal_value)
        assert_allclose(result.lower_bound, result.objective)


def day(rng: Generator) -> dict[str, Any]:
    steps = 48
    solar = np.maximum(np.sin(np.arange(steps) / 24 * 2 * np.pi - 1.5), 0) * 3
    site = bess.Site(load_kwh=rng.uniform(0, 3, steps), solar_kwh=solar, start=START)
    prices = bess.Prices(rng.uniform(0.05, 0.5, steps), 0.08)
    return {"site": site, "prices": prices}


@pytest.mark.highs
@pytest.mark.parametrize("value", [0.17, FALLING])
@pytest.mark.parametrize("lost", [0.0, 0.01])
@pytest.mark.parametrize(
    "limited", [{}, {"max_cycles": 250}, {"max_emissions_kg": 35}, {"objective": "emissions"}]
)
def test_the_core_and_highs_agree(value: Any, lost: float, limited: dict[str, Any]) -> None:
    case = day(np.random.default_rng(33))
    battery = bess.Battery(self_discharge_per_hour=lost, terminal_state_of_charge="free")
    emissions = bess.Emissions(import_kg_per_kwh=0.5)
    core, other = (
        bess.dispatch(
            battery=battery,
            strategy=bess.Optimize(engine=engine, terminal_value=value, **limited),
            emissions=emissions,
            **case,
        )
        for engine in ("core", "highs")
    )
    assert (core.engine, other.engine) == ("core", "highs")
    assert core.objective is not None
    assert_allclose(core.objective, other.objective, rtol=1e-7)
    assert core.gap is not None
    assert core.gap <= 2e-9


@pytest.mark.highs
@pytest.mark.parametrize("value", [0.17, FALLING])
def test_on_a_tariff_with_demand_charges_cuts_and_highs_agree(value: Any) -> None:
    case = day(np.random.default_rng(34))
    demand = bess.tariff.DemandRate(name="peak", price=2.0)
    rate = bess.tariff.EnergyRate(name="energy", price=0.25)
    tariff = bess.Tariff(name="two", time_zone="UTC", rates=[rate], demand_rates=[demand])
    battery = bess.Battery(terminal_state_of_charge="free")
    core, other = (
        bess.dispatch(
            case["site"],
            battery,
            bess.Optimize(engine=engine, terminal_value=value),
            tariff=tariff,
        )
        for engine in ("core", "highs")
    )
    assert (core.engine, other.engine) == ("core", "highs")
    assert core.objective is not None
    assert other.objective is not None
    assert core.lower_bound is not None
    assert other.lower_bound is not None
    assert core.lower_bound <= other.objective + 1e-7
    assert other.lower_bound <= core.objective + 1e-7
    assert_allclose(core.objective, other.objective, atol=1e-4)


@pytest.mark.highs
def test_each_device_has_its_own_value() -> None:
    """At 0.3 the west, worth 0.5, is filled, and the east serves the load."""
    device = bess.BessDevice(
        name="east",
        collector="main",
        maximum_charging_power=2000,
        maximum_discharging_power=2000,
        operational_battery_capacity=10000,
        charging_efficiency=1,
        discharging_efficiency=1,
    )
    devices = [device, device.model_copy(update={"name": "west"})]
    site = bess.Site(load_kwh=[2] * 5, start=START)

    def run(value: Any) -> bess.Result:
        return bess.dispatch(
            site,
            devices,
            bess.Optimize(terminal_value=value),
            prices=bess.Prices(0.3),
            terminal_state_of_charge="free",
        )

    assert_allclose([d.series[4, -1] for d in run([0.1, 0.5]).units], [0.0, 1.0], atol=1e-9)
    curve = [(0.2, 0.35), (1, 0.1)]
    both = run(curve)
    assert_allclose([d.series[4, -1] for d in both.units], [0.2, 0.2], atol=1e-9)
    assert_allclose(both.terminal_value, 4 * 0.35)
    assert_allclose(run([curve, 0.5]).units[1].terminal_value, 10 * 0.5)


def test_a_plan_counts_what_it_leaves_at_the_value_given() -> None:
    site, battery = hours([1] * 8, initial_state_of_charge=0.5, terminal_state_of_charge="free")
    low, high = (
        bess.roll(
            site,
            "perfect",
            battery,
            bess.Optimize(terminal_value=value),
            prices=bess.Prices(0.3),
            horizon_hours=2,
        )
        for value in (0.2, [(0.4, 0.35), (1, 0.2)])
    )
    assert_allclose(low.battery_soc[-1], 0, atol=1e-9)
    assert_allclose(high.battery_soc[-1], 0.4)
    assert_allclose(high.terminal_value, 4 * 0.35)
    for result in (low, high):
        assert_allclose(result.cost_of_imperfect_foresight, 0, atol=1e-9)


def test_it_goes_through_json_and_pickles() -> None:
    for value in (0.2, FALLING, [0.2, FALLING], [0.1, 0.3]):
        strategy = bess.Optimize(terminal_value=value)
        assert bess.Optimize.model_validate_json(strategy.model_dump_json()) == strategy
        assert pickle.loads(pickle.dumps(strategy)) == strategy


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("much", "terminal_value.*must be a number, or pairs"),
        ([], "terminal_value.*at least one pair"),
        ([(0.5, 0.1), (1, 0.2)], r"terminal_value\[1\]\[1\] = 0\.2: must be at most 0\.1"),
        ([(0.5, 0.1), (0.4, 0.1)], r"terminal_value\[1\]\[0\] = 0\.4: must be above 0\.5"),
        ([(0.5, 0.1)], r"terminal_value\[0\]\[0\] = 0\.5: must be 1"),
        ([(50, 0.1)], r"terminal_value\[0\]\[0\] = 50: must be above 0, and at most 1"),
        ([(1, float("nan"))], r"terminal_value\[0\]\[1\] = nan"),
        ([0.1, [(0.5, "x"), (1, 0)]], r"terminal_value\[1\]\[0\]\[1\] = 'x'"),
        ([0.1, [0.5]], r"terminal_value\[1\]"),
    ],
)
def test_what_is_no_falling_curve_is_refused(value: Any, said: str) -> None:
    with pytest.raises(bess.InputError, match=said):
        bess.Optimize(terminal_value=value)


def test_it_must_fit_the_devices_and_a_start_that_is_given() -> None:
    site, battery = hours([1])
    with pytest.raises(bess.InputError, match=r"strategy\.terminal_value.*one value"):
        bess.dispatch(
            site, battery, bess.Optimize(terminal_value=[0.1, 0.2]), prices=bess.Prices(0.3)
        )
    _, battery = hours([1], terminal_state_of_charge="cyclic")
    with pytest.raises(bess.InputError, match=r"strategy\.terminal_value.*cyclic"):
        bess.dispatch(site, battery, bess.Optimize(terminal_value=0.1), prices=bess.Prices(0.3))
