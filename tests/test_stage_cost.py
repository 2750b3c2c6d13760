"""The least cost of one step: worked by hand, and against two slow twins on thousands of steps."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from random_problems import Case, random_case
from reference_optimum import least_cost_flows

from bess import _core

BATTERY = {
    "capacity": 10.0,
    "minimum_energy": 0.0,
    "maximum_energy": 10.0,
    "initial_energy": 5.0,
    "charge_limit": 4.0,
    "discharge_limit": 4.0,
    "ac_to_dc_efficiency": 0.8,
    "dc_to_ac_efficiency": 0.5,
    "input_efficiency": 1.0,
    "degradation_cost": 0.0,
    "dc_coupled": False,
    "grid_to_battery": True,
    "battery_to_grid": True,
    "solar_to_battery": True,
}

Pieces = list[list[tuple[float, float]]]


def pieces(
    load: float, solar: float, buy: float, sell: float, site: dict[str, Any], **battery: Any
) -> Pieces:
    """The convex pieces of a step's cost as corners (change of stored energy, cost)."""
    case = Case(
        np.array([float(load)]),
        np.array([float(solar)]),
        np.array([float(buy)]),
        np.array([float(sell)]),
        BATTERY | battery,
        solar_efficiency=1.0,
        **{name: np.array([limit]) for name, limit in site.items()},
    )
    found = _core.stage_cost(case.problem(), 0)
    assert found is not None
    return found


def test_discharging_displaces_import_before_it_earns_export() -> None:
    """1 kWh of load is worth 0.3, what is sold 0.1; a kWh from the cells gives half a kWh."""
    found = pieces(1, 0, 0.3, 0.1, {}, grid_to_battery=False)
    assert_allclose(found, [[(-4, -0.1), (-2, 0), (0, 0.3)]], atol=1e-12)


def test_charging_takes_solar_energy_that_would_be_wasted_first() -> None:
    """Of 4 kWh of sun 1 serves the site, 1 is sold and 2 have nowhere to go."""
    found = pieces(1, 4, 0.4, 0.1, {"export_limit": 1.0}, battery_to_grid=False)
    corners = [(-2, -0.1), (0, -0.1), (1.6, -0.1), (2.4, 0), (3.2, 0.4), (4, 0.8)]
    assert_allclose(found, [corners], atol=1e-12)


def test_where_export_pays_more_than_import_costs_the_meter_turns_at_a_kink() -> None:
    found = pieces(1, 0, 0.1, 0.3, {}, grid_to_battery=False)
    assert_allclose(found[0], [(-4, -0.3), (-2, 0)], atol=1e-12)
    assert_allclose(found[1], [(-2, 0), (0, 0.1)], atol=1e-12)


def test_where_import_earns_money_charging_and_discharging_part_at_0() -> None:
    found = pieces(1, 0, -0.1, -0.1, {})
    assert_allclose(found[0], [(-4, 0.1), (-2, 0), (0, -0.1)], atol=1e-12)
    assert_allclose(found[1], [(0, -0.1), (4, -0.6)], atol=1e-12)


def test_wear_can_make_a_step_convex_that_prices_would_not() -> None:
    assert len(pieces(1, 0, -0.1, -0.1, {}, degradation_cost=0.2)) == 1


def test_a_round_trip_that_gains_energy_makes_a_kink_at_0() -> None:
    """A DC-coupled battery bypasses the poor inverter of the sun."""
    gains = {"dc_coupled": True, "dc_to_ac_efficiency": 1.0, "grid_to_battery": False}
    case = Case(
        *(np.array([x]) for x in (3.0, 2.0, 0.3, 0.1)), BATTERY | gains, solar_efficiency=0.5
    )
    found = _core.stage_cost(case.problem(), 0)
    assert found is not None
    assert len(found) == 2


def test_a_battery_that_the_sun_may_not_charge_stops_its_export() -> None:
    found = pieces(0, 2, 0.1, 0.3, {}, solar_to_battery=False)
    assert_allclose(found[0][-1], (0, -0.6), atol=1e-12)
    assert_allclose(found[1], [(0, 0), (4, 0.5)], atol=1e-12)


def test_load_above_the_import_limit_must_be_discharged() -> None:
    found = pieces(3, 0, 0.1, 0, {"import_limit": 2.0})
    assert_allclose([found[0][0], found[-1][-1]], [(-4, 0.1), (-2, 0.2)], atol=1e-12)
    too_much = Case(
        *(np.array([x]) for x in (5.0, 0.0, 0.1, 0.0)), BATTERY, import_limit=np.array([2.0])
    )
    assert _core.stage_cost(too_much.problem(), 0) is None


def test_a_battery_that_may_do_nothing_has_one_point() -> None:
    nothing = {"grid_to_battery": False, "solar_to_battery": False, "battery_to_grid": False}
    assert_allclose(pieces(0, 1, 0.1, 0.2, {}, **nothing), [[(0, -0.2)]], atol=1e-12)


def test_thousands_of_steps_cost_what_the_cheapest_flows_cost() -> None:
    rng = np.random.default_rng(5)
    for _ in range(3000):
        check_against_flows(random_case(rng, 1, windows=False, lossy=False))


def test_closed_forms_are_what_the_simplex_finds() -> None:
    rng = np.random.default_rng(7)
    for _ in range(4000):
        check_against_simplex(random_case(rng, 1, windows=False, lossy=False))


def test_steps_worked_four_at_once_are_what_the_simplex_finds() -> None:
    """Where 0 <= export price <= import price and import has no limit."""
    rng = np.random.default_rng(9)
    for _ in range(800):
        case = random_case(rng, 4, windows=False, lossy=False)
        prices = np.abs([case.import_price, case.export_price])
        check_against_simplex(
            replace(
                case,
                import_price=prices.max(axis=0),
                export_price=prices.min(axis=0),
                import_limit=None,
            )
        )


@pytest.mark.slow
def test_closed_forms_are_what_the_simplex_finds_in_many_steps() -> None:
    rng = np.random.default_rng(8)
    for _ in range(400_000):
        check_against_simplex(random_case(rng, 1, windows=False, lossy=False))


def check_against_flows(case: Case) -> None:
    found = _core.stage_cost(case.problem(), 0)
    step, store = case.step(0), case.store()
    buy, sell = float(case.import_price[0]), float(case.export_price[0])

    def slow(change: float) -> float | None:
        costed = least_cost_flows(step, store, change, buy, sell)
        return None if costed is None else costed[0]

    if found is None:
        changes = np.linspace(-store.discharge_limit, store.charge_limit * store.input_efficiency)
        assert all(slow(float(change)) is None for change in changes)
        return
    for change, cost in points(found):
        expected = slow(change)
        assert expected is not None, (case, found)
        assert abs(cost - expected) <= 1e-9 * max(1.0, abs(cost)), (case, change, found)
    for change in (found[0][0][0] - 1e-3, found[-1][-1][0] + 1e-3):
        assert slow(change) is None, (case, change)


def check_against_simplex(case: Case) -> None:
    for t in range(case.steps):
        found = _core.stage_cost(case.problem(), t)
        generic = _core.generic_stage_cost(case.problem(), t)
        assert (found is None) == (generic is None), case
        if found is None or generic is None:
            continue
        for piece in found:
            check_is_convex(piece)
        segments, end = generic
        starts = np.array([start for start, _, _ in segments])
        assert_allclose([found[0][0][0], found[-1][-1][0]], [starts[0], end], atol=1e-9)
        for change, cost in points(found, corners=False):
            i = max(int(np.searchsorted(starts, change, side="right")) - 1, 0)
            start, value, slope = segments[i]
            difference = abs(value + slope * (change - start) - cost)
            assert difference <= 1e-9 * max(1.0, abs(cost)), (case, t)


def check_is_convex(piece: list[tuple[float, float]]) -> None:
    slopes = [(y1 - y0) / (x1 - x0) for (x0, y0), (x1, y1) in pairwise(piece) if x1 - x0 > 1e-6]
    assert all(after >= before - 1e-8 for before, after in pairwise(slopes)), piece


def points(found: Pieces, corners: bool = True) -> list[tuple[float, float]]:
    """Points between the corners, and the corners but for the upper end of a jump."""
    inside = [
        (x0 + part * (x1 - x0), y0 + part * (y1 - y0))
        for piece in found
        for (x0, y0), (x1, y1) in pairwise(piece)
        for part in (0.01, 0.5, 0.99)
        if x1 - x0 > 1e-6
    ]
    if not corners:
        return inside
    jumps = {
        (after[0][0], after[0][1])
        for before, after in pairwise(found)
        if after[0][1] > before[-1][1]
    }
    return inside + [c for piece in found for c in piece if (c[0], c[1]) not in jumps]
