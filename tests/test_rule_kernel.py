"""Whatever the machine can run, a rule gives the same bits."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bess import _core

SETS = _core.instruction_sets()
PERMISSIONS = ("grid_to_battery", "battery_to_grid", "solar_to_battery")


@st.composite
def dispatches(draw: st.DrawFn) -> tuple[Any, ...]:
    """Arguments of `_core.dispatch_rule`, of lengths that fill whole packs of steps and do not."""
    steps = draw(st.integers(1, 13))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))

    def energies(zeros: float) -> np.ndarray[Any, Any]:
        return np.where(random.random(steps) < zeros, 0.0, 6 * random.random(steps))

    def limit(least: float) -> np.ndarray[Any, Any] | None:
        return least + energies(0.2) if draw(st.booleans()) else None

    dc_coupled = draw(st.booleans())
    limits = limit(0.0), limit(4.0), limit(1.0) if dc_coupled else None
    site = _core.Site(energies(0.2), energies(0.4), *limits, 0.9, draw(st.booleans()))
    battery = _core.Battery(
        capacity=10.0,
        minimum_energy=1.0,
        maximum_energy=9.7,
        initial_energy=draw(st.sampled_from([1.0, 5.3, 9.7])),
        charge_limit=2.9,
        discharge_limit=3.1,
        ac_to_dc_efficiency=0.93,
        dc_to_ac_efficiency=0.97,
        input_efficiency=0.975,
        degradation_cost=0.0,
        retention=draw(st.sampled_from([1.0, 0.99, 0.3])),
        dc_coupled=dc_coupled,
        **{name: draw(st.booleans()) for name in PERMISSIONS},
    )
    rule = draw(
        st.sampled_from(
            [
                _core.Rule.surplus(),
                _core.Rule.fixed_schedule(random.integers(-1, 2, steps).astype(np.int8)),
                _core.Rule.follow(6 * random.random(steps) - 3),
                _core.Rule.peak_shaving(1.7),
            ]
        )
    )
    windows = [(draw(st.integers(0, steps - 1)), 6.1, 8.0)] if draw(st.booleans()) else []
    return site, battery, rule, windows


@settings(max_examples=300, deadline=None)
@given(dispatches())
def test_every_instruction_set_gives_the_same_bits(arguments: tuple[Any, ...]) -> None:
    answers = [_core.dispatch_rule(*arguments, instruction_set=name) for name in SETS]
    for one, other in itertools.pairwise([*answers, _core.dispatch_rule(*arguments)]):
        assert one[1:] == other[1:]
        assert one[0] is other[0] is None or one[0].tobytes() == other[0].tobytes()


def test_the_machine_runs_the_baseline_and_refuses_what_it_has_not() -> None:
    assert SETS[0] == "baseline"
    site = _core.Site(np.ones(3), np.zeros(3), None, None, None, 1.0, True)
    battery = _core.Battery(
        capacity=2.0,
        minimum_energy=0.0,
        maximum_energy=2.0,
        initial_energy=1.0,
        charge_limit=1.0,
        discharge_limit=0.5,
        ac_to_dc_efficiency=1.0,
        dc_to_ac_efficiency=1.0,
        input_efficiency=1.0,
        degradation_cost=0.0,
        dc_coupled=False,
        grid_to_battery=True,
        battery_to_grid=True,
        solar_to_battery=True,
    )
    series, step, _ = _core.dispatch_rule(site, battery, _core.Rule.surplus(), [])
    assert series is not None
    assert step == -1
    assert series[9].tolist() == [0.25, 0.0, 0.0]
    with pytest.raises(ValueError, match="no instruction set abacus"):
        _core.dispatch_rule(site, battery, _core.Rule.surplus(), [], instruction_set="abacus")
