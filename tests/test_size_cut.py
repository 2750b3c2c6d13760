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


def cut(
    site: Site, prices: Prices, battery: Battery, size: tuple[float, float, float]
) -> tuple[float, float, float, float] | None:
    """The plane at a capacity, a charging and a discharging power."""
    sized = resized(battery, size)
    unit = Unit(None, sized, 10, 10, ())
    problem = StepSolver(site, unit, Optimize()).problem(*prices.series(site.steps))
    return _core.size_cut(problem)


def resized(battery: Battery, size: tuple[float, float, float]) -> Battery:
    names = ("capacity_kwh", "charge_power_kw", "discharge_power_kw")
    return battery.model_copy(update=dict(zip(names, size, strict=True)))


@settings(max_examples=60, deadline=None)
@given(problems(), st.integers(0, 2**32 - 1))
def test_a_plane_touches_the_cost_at_its_size_and_is_nowhere_above_it(
    problem: tuple[Site, Prices, Battery, Costs], seed: int
) -> None:
    site, prices, battery, _ = problem
    rng = np.random.default_rng(seed)
    # Round sizes meet loads and limits exactly, where planes have edges.
    sizes = [tuple(size) for size in np.round(rng.uniform([1, 1, 1], [20, 8, 8], (4, 3)), 1)]
    found = [cut(site, prices, battery, size) for size in sizes]
    if None in found:
        return
    for size, plane in zip(sizes, found, strict=True):
        cost = dispatch(site, resized(battery, size), Optimize(), prices=prices).cost
        assert plane is not None
        assert plane[0] == pytest.approx(cost, abs=1e-9)
        slopes = np.array(plane[1:]) * [1, site.step_hours, site.step_hours]
        assert (slopes[1:] <= 0).all()
        for other, at_other in zip(sizes, found, strict=True):
            assert at_other is not None
            below = plane[0] + slopes @ (np.array(other) - size)
            assert below <= at_other[0] + 1e-9


def test_where_a_step_is_not_convex_or_no_size_serves_there_is_no_plane() -> None:
    site = Site(load_kwh=[1.0, 2.0], start="2025-01-01T00:00Z")
    assert cut(site, Prices(0.2, 0.3), Battery(), (5, 2, 2)) is None
    assert cut(site, Prices([-0.1, 0.2]), Battery(), (5, 2, 2)) is None
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
    assert cut(site, prices, ideal, (2, 5, 5)) == pytest.approx((4.5 - 0.8, -0.4, 0, 0))
    cost, per_kwh, charging, discharging = cut(site, prices, ideal, (5, 2, 3)) or (0, 0, 0, 0)
    assert (cost, per_kwh, charging + discharging) == pytest.approx((4.5 - 0.8, 0, -0.4))
