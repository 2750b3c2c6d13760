"""What an optimum cannot meet: named in order, or approached as nearly as those before it allow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from test_corridor import once
from test_optimize import best
from test_rules import battery, site
from test_sharing import device, policy

import bess

END_OF_HOUR = [f"2025-06-02T0{hour}:00:00Z" for hour in range(1, 9)]


def socs(result: Any, name: str) -> Any:
    return result.devices[name].battery_soc


def test_no_device_need_serve_alone_what_another_can_serve_too() -> None:
    """Each may lose 5 %; alone, a device would lose 10 % to the load above the import limit."""
    units = [device("a"), device("b")]
    result = best(site([2], import_limit_kwh=1), units, 0.1, terminal_state_of_charge=0.45)
    assert_allclose([socs(result, "a"), socs(result, "b")], [[0.45], [0.45]])


def test_the_earlier_window_has_precedence_however_many_come_later() -> None:
    """One kWh is to be had: for the window of a, though it then misses three windows of b."""
    later = [policy(at, low=10) for at in END_OF_HOUR[1:4]]
    units = [device("a", policies=[policy(END_OF_HOUR[0], low=10)]), device("b", policies=later)]
    place = site([0] * 4, import_limit_kwh=[1, 0, 0, 0])
    with pytest.raises(bess.InfeasibleError, match=r"^b: 2025-06-02T02:00") as caught:
        best(place, units, 0.1, initial_state_of_charge=0)
    assert caught.value.shortfall_kwh == pytest.approx(1)
    result = best(place, units, 0.1, initial_state_of_charge=0, relax_policies=True)
    assert_allclose(socs(result, "a"), [0.1] * 4)
    assert [violation.device for violation in result.violations] == ["b"] * 3


def test_a_missed_window_comes_as_near_as_those_before_it_allow() -> None:
    """1 kWh an hour for both: a takes the first two, b the third."""
    units = [
        device("a", policies=[policy(END_OF_HOUR[1], low=20)]),
        device("b", policies=[policy(END_OF_HOUR[2], low=50)]),
    ]
    result = best(
        site([0] * 3, import_limit_kwh=1),
        units,
        0.1,
        initial_state_of_charge=0,
        relax_policies=True,
    )
    assert_allclose(socs(result, "a")[1], 0.2)
    assert_allclose(socs(result, "b")[2], 0.1)
    assert len(result.violations) == 1


def test_a_window_against_the_terminal_state_of_charge_is_an_error() -> None:
    units = [device("a", policies=[policy(END_OF_HOUR[0], high=20)]), device("b")]
    for relax in (False, True):
        with pytest.raises(bess.InfeasibleError, match="a: the terminal state of charge"):
            best(site([9]), units, 0.1, terminal_state_of_charge=0.3, relax_policies=relax)


def test_a_load_that_devices_cannot_serve_together_is_infeasible_at_its_step() -> None:
    units = [device("a", kw=1), device("b", kw=1)]
    with pytest.raises(bess.InfeasibleError, match="the load is above the import limit") as caught:
        best(site([1, 4, 5, 9], import_limit_kwh=2), units, 0.1, terminal_state_of_charge="free")
    assert caught.value.step == 2


def test_windows_within_a_cycle_come_as_near_as_the_cycle_allows() -> None:
    """Empty after the first hour, full after the second, which is where the cycle began."""
    store = battery(charge_power_kw=1, discharge_power_kw=1, terminal_state_of_charge="cyclic")
    policies = [once(END_OF_HOUR[0], high=0), once(END_OF_HOUR[1], low=100)]
    with pytest.raises(bess.InfeasibleError, match="2025-06-02T02:00"):
        best(site([2, 2]), store, 0.1, policies=policies)
    result = best(site([2, 2]), store, 0.1, policies=policies, relax_policies=True)
    assert_allclose(result.battery_soc, [0, 0.1], atol=1e-9)


def test_a_cycle_that_cannot_close_is_infeasible() -> None:
    store = battery(terminal_state_of_charge="cyclic")
    with pytest.raises(bess.InfeasibleError, match="ends at the state of charge it starts from"):
        best(site([3, 3], import_limit_kwh=2), store, 0.1)


def test_one_device_cannot_charge_from_the_grid_while_another_must_export() -> None:
    """There is no load: what b would take from the grid, a would sell in the same step."""
    units = [
        device("a", policies=[policy(END_OF_HOUR[0], high=40)]),
        device("b", policies=[policy(END_OF_HOUR[0], low=70)]),
    ]
    with pytest.raises(bess.InfeasibleError, match="b: 2025-06-02T01:00"):
        best(site([0]), units, 0.1, terminal_state_of_charge="free")
    result = best(site([0]), units, 0.1, terminal_state_of_charge="free", relax_policies=True)
    assert_allclose([socs(result, "a"), socs(result, "b")], [[0.4], [0.5]], atol=1e-9)
    assert_allclose(result.battery_to_grid_kwh_ac, [1])
    assert not result.grid_to_battery_kwh_ac.any()


def test_out_of_time_the_best_schedule_so_far_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Selling at 0.5 what is bought at 0.1 needs more than the relaxation."""
    from bess import highs, solver_search

    def solve(program: Any, **options: Any) -> Any:
        if program.integrality.any():
            raise bess.SolverError("the time limit passed")
        return highs.solve(program, **options)

    monkeypatch.setattr(solver_search, "solve", solve)
    place, store = site([2], [3]), battery(degradation_cost_per_kwh=1)
    with pytest.raises(bess.SolverError):
        best(place, store, 0.1, 0.5, engine="highs")
    monkeypatch.setattr(highs.Clock, "passed", True)
    result = best(place, store, 0.1, 0.5, engine="highs")
    assert_allclose(result.cost, -0.5)
    assert_allclose(result.lower_bound, 0.2 - 1.5)
    assert_allclose(result.gap, np.float64(0.8))
