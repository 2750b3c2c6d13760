"""A battery that ends as it starts, wherever that is: the core's search against brute force."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from random_problems import Case, Floats, random_case, random_year
from reference_optimum import Terminal, optimum
from test_dynamic_program import (
    START,
    avoided_cost,
    check_flows,
    hours,
    intersected,
    money,
    wholesale,
    year,
)

import bess
from bess import _core


def solve(case: Case) -> tuple[Floats, Floats, Floats, float] | None:
    site = case.problem_site()
    device = _core.Device(_core.Battery(**case.battery), 10, 10, case.windows)
    problem = _core.Problem(site, [device], case.import_price, case.export_price, True)
    return _core.solve_dynamic_program(problem)


def is_convex(case: Case) -> bool:
    """Whether the cost of every step is, as far as prices, permissions and losses tell."""
    b = case.battery
    ordered = (case.export_price >= 0) & (case.export_price <= case.import_price)
    sun = 1 / case.solar_efficiency if b["dc_coupled"] else b["ac_to_dc_efficiency"]
    permitted = b["solar_to_battery"] and case.solar_to_grid and case.inverter_limit is None
    return bool(ordered.all()) and permitted and sun >= b["ac_to_dc_efficiency"]


def brute_force(case: Case, terminal: Terminal) -> float | None:
    return optimum(
        [case.step(t) for t in range(case.steps)],
        [case.store()],
        list(case.import_price),
        list(case.export_price),
        windows=[(0, window) for window in intersected(case)],
        terminals=[terminal],
    )


def check_against_brute_force(case: Case) -> None:
    """A bound below the optimum, a schedule that is not; at the optimum where steps are convex."""
    best = brute_force(case, Terminal(cyclic=True))
    found = solve(case)
    assert (found is None) == (best is None), case
    if found is None or best is None:
        return
    flows, _, _, bound = found
    cost, scale = money(case, flows)
    start = float(flows[9, -1]) * case.battery["capacity"]
    fixed = replace(case, battery=case.battery | {"initial_energy": start})
    check_flows(fixed, flows)
    if cost < best - 1e-9 * scale:  # at an edge of what is possible the twin can miss a branch
        best = min(best, brute_force(fixed, Terminal(start - 1e-9, start + 1e-9)) or best)
    assert bound <= best + 1e-9 * scale, case
    assert cost >= best - 1e-9 * scale, case
    proven = cost - bound <= 1e-12 * scale
    assert proven or not is_convex(case), case
    assert abs(cost - best) <= 1e-9 * scale or not proven, case


@pytest.mark.highs
def test_random_problems_have_the_optimum_of_brute_force() -> None:
    rng = np.random.default_rng(21)
    for _ in range(500):
        check_against_brute_force(random_case(rng, int(rng.integers(1, 8))))


@pytest.mark.slow
@pytest.mark.highs
def test_many_random_problems_have_the_optimum_of_brute_force() -> None:
    rng = np.random.default_rng(22)
    for _ in range(15_000):
        check_against_brute_force(random_case(rng, int(rng.integers(1, 10))))


def test_years_of_every_kind_are_certified() -> None:
    """Half of them with hours in which a step is not convex."""
    rng = np.random.default_rng(23)
    solved = 0
    for i in range(40):
        case = random_year(rng, 1460, 40 * (i % 2))
        case.windows.pop()  # the end is to be the start
        found = solve(case)
        if found is None:
            continue
        solved += 1
        cost, scale = money(case, found[0])
        assert abs(cost - found[3]) <= 1e-12 * scale, case
        start = float(found[0][9, -1]) * case.battery["capacity"]
        check_flows(replace(case, battery=case.battery | {"initial_energy": start}), found[0])
    assert solved > 20


def test_what_is_given_first_is_bought_back_last() -> None:
    """2 kWh serve the dear hour and cost 0.1 in the last one; no more fits through the inverter."""
    site, battery = hours([3, 0, 0], terminal_state_of_charge="cyclic")
    result = bess.dispatch(
        site,
        battery,
        bess.Optimize(engine="core"),
        prices=bess.Prices(import_price=[0.5, 0.3, 0.1]),
    )
    assert_allclose(result.cost, 1 * 0.5 + 2 * 0.1)
    start = result.units[0].initial_state_of_charge
    assert_allclose(result.battery_soc, [start - 0.2, start - 0.2, start])
    assert_allclose(result.lower_bound, result.cost)
    assert result.stored_energy_change_kwh == 0


def test_with_self_discharge_a_cycle_holds_no_more_than_it_needs() -> None:
    """Half is lost each hour: of 2 kWh stored at 0.1 in the last hour 1 is left for the first,
    where it saves 0.5, and nothing is held for longer."""
    site, battery = hours([3, 0, 0], terminal_state_of_charge="cyclic", self_discharge_per_hour=0.5)
    result = bess.dispatch(
        site,
        battery,
        bess.Optimize(engine="core"),
        prices=bess.Prices(import_price=[0.5, 0.3, 0.1]),
    )
    assert_allclose(result.battery_soc, [0, 0, 0.2], atol=1e-12)
    assert_allclose(result.cost, 2 * 0.5 + 2 * 0.1)


@pytest.mark.highs
@pytest.mark.parametrize("limited", [{"max_cycles": 200}, {"max_emissions_kg": 70}])
def test_a_limit_on_the_whole_horizon_holds_beside_it(limited: dict[str, float]) -> None:
    rng = np.random.default_rng(24)
    site, battery = hours(list(rng.uniform(0, 3, 96)), terminal_state_of_charge="cyclic")
    prices = bess.Prices(import_price=rng.uniform(0.05, 0.4, 96), export_price=0.02)
    emissions = bess.Emissions(import_kg_per_kwh=rng.uniform(0.2, 0.8, 96))

    def run(engine: str) -> Any:
        strategy = bess.Optimize(engine=engine, **limited)
        return bess.dispatch(site, battery, strategy, prices=prices, emissions=emissions)

    core, other = run("core"), run("highs")
    assert (core.engine, other.engine) == ("core", "highs")
    assert core.gap <= 1e-12
    assert_allclose(core.cost, other.cost, rtol=1e-7)
    assert core.stored_energy_change_kwh == 0


def test_what_cannot_be_met_is_named_or_approached() -> None:
    """From at most 10 kWh, 2 an hour: not 4 after the first hour and 10 before the third."""
    site, battery = hours([0, 0, 0], terminal_state_of_charge="cyclic")
    policies = [
        {
            "schedule": {
                "frequency": "once",
                "date_times": [f"{START[:12]}{hour}:00:00-08:00"],
            },
            "minimum_state_of_charge": low,
            "maximum_state_of_charge": high,
        }
        for hour, low, high in ((1, 0, 40), (2, 100, 100))
    ]

    def run(relax: bool) -> bess.Result:
        strategy = bess.Optimize(engine="core", relax_policies=relax)
        return bess.dispatch(site, battery, strategy, prices=bess.Prices(0.1), policies=policies)

    with pytest.raises(bess.InfeasibleError, match=r"02:00:00.*4 kWh of stored energy"):
        run(relax=False)
    result = run(relax=True)
    assert_allclose(result.battery_soc[1], 0.6, atol=1e-6)
    assert [v.timestamp.hour for v in result.violations] == [2]


@pytest.mark.parametrize("share", [1.0, 0.25])
def test_a_year_of_real_prices_is_certified(shared_data: Path, share: float) -> None:
    for buy, sell in (wholesale(shared_data), avoided_cost(shared_data)):
        result = year(
            shared_data, buy, sell, share, bess.Optimize(), terminal_state_of_charge="cyclic"
        )
        assert result.engine == "core"
        assert result.gap is not None
        assert result.gap <= 1e-12
