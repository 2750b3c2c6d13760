"""A plane at one size is the least cost there, and below the least cost at every other size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_size import problems

from bess import Battery, Costs, Optimize, Prices, Site, _core, dispatch
from bess.dynamic_program import StepSolver
from bess.unit import Unit

LARGEST = (20.0, 8.0, 8.0)


def cut(
    site: Site, prices: Prices, battery: Battery, size: tuple[float, float, float]
) -> tuple[float, float, float, float, int] | None:
    """The plane at a capacity, a charging and a discharging power, up to the largest."""
    units = [Unit(None, resized(battery, each), 10, 10, ()) for each in (size, LARGEST)]
    problem, largest = (
        StepSolver(site, unit, Optimize()).problem(*prices.series(site.steps)) for unit in units
    )
    return _core.size_cut(problem, largest)


def resized(battery: Battery, size: tuple[float, float, float]) -> Battery:
    names = ("capacity_kwh", "charge_power_kw", "discharge_power_kw")
    return battery.model_copy(update=dict(zip(names, size, strict=True)))


@settings(max_examples=60, deadline=None)
@given(problems(), st.integers(0, 2**32 - 1), st.sampled_from((0.0, 0.0, 0.1, 0.5)), st.booleans())
def test_a_plane_touches_the_cost_at_its_size_and_is_nowhere_above_it(
    problem: tuple[Site, Prices, Battery, Costs], seed: int, kinked: float, cyclic: bool
) -> None:
    site, prices, battery, _ = problem
    if cyclic:
        battery = battery.model_copy(update={"terminal_state_of_charge": "cyclic"})
    rng = np.random.default_rng(seed)
    if kinked:  # some prices below 0, and some exports above imports
        buy, sell = prices.series(site.steps)
        buy = np.where(rng.random(site.steps) < kinked, -0.5 * buy, buy)
        prices = Prices(buy, np.where(rng.random(site.steps) < kinked, buy + 0.2, sell))
    # Round sizes meet loads and limits exactly, where planes have edges.
    sizes = [tuple(size) for size in np.round(rng.uniform([1, 1, 1], [20, 8, 8], (4, 3)), 1)]
    found = [cut(site, prices, battery, size) for size in sizes]
    if None in found:
        return
    costs = [dispatch(site, resized(battery, s), Optimize(), prices=prices).cost for s in sizes]
    for size, plane, cost in zip(sizes, found, costs, strict=True):
        assert plane is not None
        assert plane[0] <= cost + 1e-9
        if plane[4] == 0:
            assert plane[0] == pytest.approx(cost, abs=1e-9)
        slopes = np.array(plane[1:4]) * [1, site.step_hours, site.step_hours]
        assert (slopes[1:] <= 0).all()
        for other, at_other in zip(sizes, costs, strict=True):
            below = plane[0] + slopes @ (np.array(other) - size)
            assert below <= at_other + 1e-9


def test_a_step_that_is_not_convex_leaves_the_plane_below_the_cost() -> None:
    """An hour at -0.1, then one at 0.2: the hull mixes charging and discharging in the first."""
    site = Site(load_kwh=[1.0, 2.0], start="2025-01-01T00:00Z")
    prices = Prices([-0.1, 0.2])
    plane = cut(site, prices, Battery(), (5, 2, 2))
    assert plane is not None
    assert plane[4] == 1
    cost = dispatch(site, resized(Battery(), (5, 2, 2)), Optimize(), prices=prices).cost
    assert cost is not None
    assert cost - 0.3 < plane[0] < cost - 0.1


def test_where_no_size_serves_or_energy_is_lost_there_is_no_plane() -> None:
    site = Site(load_kwh=[1.0, 2.0], start="2025-01-01T00:00Z")
    loses = Battery(self_discharge_per_hour=0.01)
    assert cut(site, Prices([0.1, 0.2]), loses, (5, 2, 2)) is None
    small = Site(load_kwh=[1.0, 9.0], start="2025-01-01T00:00Z", import_limit_kwh=2.0)
    assert cut(small, Prices(0.3), Battery(), (5, 2, 2)) is None


def test_a_plane_s_slopes_are_what_more_of_a_size_saves() -> None:
    """Two steps, 0.1 and 0.5 a kWh: each kWh moved saves 0.5 - 0.1 of it, without losses."""
    site = Site(load_kwh=[0.0, 9.0], start="2025-01-01T00:00Z")
    ideal = Battery(
        min_state_of_charge=0,
        initial_state_of_charge=0,
        ac_to_dc_efficiency=1,
        dc_to_ac_efficiency=1,
        input_efficiency=1,
    )
    prices = Prices([0.1, 0.5])
    assert cut(site, prices, ideal, (2, 5, 5)) == pytest.approx((4.5 - 0.8, -0.4, 0, 0, 0))
    cost, per_kwh, charging, discharging, _ = cut(site, prices, ideal, (5, 2, 3)) or 5 * (0,)
    assert (cost, per_kwh, charging + discharging) == pytest.approx((4.5 - 0.8, 0, -0.4))
