"""A battery: its defaults, what it refuses, and that it stays as it is."""

from __future__ import annotations

import contextlib
import math
import pickle
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from odd_values import anything

import bess

TERMINAL = 'must be a fraction, a pair [low, high], "initial", "cyclic" or "free"'

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"capacity_kwh": 0}, "capacity_kwh = 0: must be greater than 0"),
    ({"capacity_kwh": "13.5"}, "capacity_kwh = '13.5': must be a number"),
    ({"capacity_kwh": True}, "capacity_kwh = True: must be a number"),
    ({"capacity_kwh": None}, "capacity_kwh = None: must be a number"),
    ({"capacity_kwh": [13.5]}, "capacity_kwh = [13.5]: must be a number"),
    ({"capacity_kwh": math.nan}, "capacity_kwh = nan: must be a finite number"),
    ({"capacity_kwh": 1e300}, "capacity_kwh = 1e+300: must be from 1e-06 to 1e+12"),
    (
        {"capacity_kwh": np.timedelta64(1, "h")},
        "capacity_kwh = np.timedelta64(1,'h'): must be a number",
    ),
    ({"charge_power_kw": -5}, "charge_power_kw = -5: must be greater than 0"),
    ({"discharge_power_kw": math.inf}, "discharge_power_kw = inf: must be a finite number"),
    ({"discharge_power_kw": 1e-9}, "discharge_power_kw = 1e-09: must be from 1e-06 to 1e+12"),
    ({"ac_to_dc_efficiency": 0.0}, "ac_to_dc_efficiency = 0.0: must be greater than 0"),
    ({"dc_to_ac_efficiency": 96}, "dc_to_ac_efficiency = 96: must be less than or equal to 1"),
    ({"input_efficiency": 5e-324}, "input_efficiency = 5e-324: must be from 1e-06 to 1"),
    (
        {"degradation_cost_per_kwh": -0.1},
        "degradation_cost_per_kwh = -0.1: must be greater than or equal to 0",
    ),
    ({"dc_coupled": 1}, "dc_coupled = 1: must be true or false"),
    ({"allow_grid_to_battery": "no"}, "allow_grid_to_battery = 'no': must be true or false"),
    (
        {"min_state_of_charge": 0.9, "max_state_of_charge": 0.5},
        "min_state_of_charge = 0.9: must be below max_state_of_charge (0.5)",
    ),
    (
        {"min_state_of_charge": 0.5, "max_state_of_charge": 0.5},
        "min_state_of_charge = 0.5: must be below max_state_of_charge (0.5)",
    ),
    (
        {"min_state_of_charge": 20, "max_state_of_charge": 80},
        "min_state_of_charge = 20: must be less than or equal to 1\n"
        "max_state_of_charge = 80: must be less than or equal to 1",
    ),
    (
        {"initial_state_of_charge": 0.05},
        "initial_state_of_charge = 0.05: must lie between min_state_of_charge (0.1) and "
        "max_state_of_charge (1)",
    ),
    (
        {"min_state_of_charge": 0.6},
        "initial_state_of_charge = 0.5: must lie between min_state_of_charge (0.6) and "
        "max_state_of_charge (1)",
    ),
    ({"terminal_state_of_charge": 1.5}, f"terminal_state_of_charge = 1.5: {TERMINAL}"),
    ({"terminal_state_of_charge": -1}, f"terminal_state_of_charge = -1: {TERMINAL}"),
    ({"terminal_state_of_charge": math.nan}, f"terminal_state_of_charge = nan: {TERMINAL}"),
    ({"terminal_state_of_charge": True}, f"terminal_state_of_charge = True: {TERMINAL}"),
    ({"terminal_state_of_charge": None}, f"terminal_state_of_charge = None: {TERMINAL}"),
    ({"terminal_state_of_charge": "Initial"}, f"terminal_state_of_charge = 'Initial': {TERMINAL}"),
    ({"terminal_state_of_charge": [0.5]}, f"terminal_state_of_charge = [0.5]: {TERMINAL}"),
    ({"terminal_state_of_charge": (0.5, 2)}, f"terminal_state_of_charge = (0.5, 2): {TERMINAL}"),
    (
        {"terminal_state_of_charge": {"low": 0}},
        f"terminal_state_of_charge = {{'low': 0}}: {TERMINAL}",
    ),
    (
        {"terminal_state_of_charge": (0.9, 0.2)},
        "terminal_state_of_charge = (0.9, 0.2): must be a pair [low, high] with low ≤ high",
    ),
    (
        {"terminal_state_of_charge": (0.0, 0.05)},
        "terminal_state_of_charge = (0.0, 0.05): must leave a state of charge between 0.1 and 1",
    ),
    (
        {"max_state_of_charge": 0.8, "terminal_state_of_charge": 0.9},
        "terminal_state_of_charge = 0.9: must leave a state of charge between 0.1 and 0.8",
    ),
    ({"capcity_kwh": 6}, "capcity_kwh = 6: is not a known field; did you mean capacity_kwh?"),
    ({"capacityKwh": 6}, "capacityKwh = 6: is not a known field; did you mean capacity_kwh?"),
    (
        {"soc_min": 0.1},
        "soc_min = 0.1: is not a known field; known fields: capacity_kwh, charge_power_kw, "
        "discharge_power_kw, min_state_of_charge, max_state_of_charge, initial_state_of_charge, "
        "terminal_state_of_charge, dc_coupled, ac_to_dc_efficiency, dc_to_ac_efficiency, "
        "input_efficiency, self_discharge_per_hour, degradation_cost_per_kwh, "
        "allow_grid_to_battery, allow_battery_to_grid, "
        "allow_solar_to_battery",
    ),
]


@pytest.mark.parametrize(("fields", "message"), REFUSED, ids=[str(f) for f, _ in REFUSED])
def test_a_battery_is_refused_by_what_is_not_valid(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(bess.InputError) as caught:
        bess.Battery(**fields)
    assert str(caught.value) == message


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(bess.InputError) as caught:
        bess.Battery(capacity_kwh=-1, charge_power_kw="a", dc_coupled=0)
    assert [problem.path for problem in caught.value.problems] == [
        "capacity_kwh",
        "charge_power_kw",
        "dc_coupled",
    ]


def test_what_is_no_object_is_no_battery() -> None:
    with pytest.raises(bess.InputError) as caught:
        bess.Battery.model_validate([1])
    assert str(caught.value) == "[1]: must be an object"


def test_the_defaults_are_those_of_the_request() -> None:
    assert bess.Battery().model_dump() == {
        "capacity_kwh": 6.0,
        "charge_power_kw": 3.0,
        "discharge_power_kw": 3.0,
        "min_state_of_charge": 0.1,
        "max_state_of_charge": 1.0,
        "initial_state_of_charge": 0.5,
        "terminal_state_of_charge": "initial",
        "dc_coupled": True,
        "ac_to_dc_efficiency": 0.96,
        "dc_to_ac_efficiency": 0.96,
        "input_efficiency": 0.975,
        "self_discharge_per_hour": 0.0,
        "degradation_cost_per_kwh": 0.0,
        "allow_grid_to_battery": True,
        "allow_battery_to_grid": True,
        "allow_solar_to_battery": True,
    }


def test_numbers_and_flags_of_any_library_are_plain_ones() -> None:
    battery = bess.Battery(
        capacity_kwh=np.int64(10),
        charge_power_kw=np.float32(2.5),
        min_state_of_charge=Fraction(1, 4),
        terminal_state_of_charge=[np.float64(0.25), 1],
        dc_coupled=np.False_,
    )
    assert (battery.capacity_kwh, type(battery.capacity_kwh)) == (10.0, float)
    assert (battery.charge_power_kw, battery.min_state_of_charge) == (2.5, 0.25)
    assert battery.terminal_state_of_charge == (0.25, 1.0)
    assert battery.dc_coupled is False


@pytest.mark.parametrize(
    ("terminal", "window"),
    [
        ("initial", (0.4, 0.9)),
        ("cyclic", (0.2, 0.9)),
        ("free", (0.2, 0.9)),
        (0.3, (0.3, 0.9)),
        ((0.3, 0.35), (0.3, 0.35)),
    ],
)
def test_the_terminal_state_of_charge_is_a_window(terminal: Any, window: Any) -> None:
    battery = bess.Battery(
        min_state_of_charge=0.2,
        max_state_of_charge=0.9,
        initial_state_of_charge=0.4,
        terminal_state_of_charge=terminal,
    )
    assert battery.terminal_window == window


def test_a_kwh_from_the_grid_comes_back_less_three_losses() -> None:
    battery = bess.Battery(ac_to_dc_efficiency=0.9, input_efficiency=0.5, dc_to_ac_efficiency=0.8)
    assert battery.round_trip_efficiency == pytest.approx(0.36)


def test_a_battery_cannot_be_changed_and_hashes() -> None:
    battery = bess.Battery()
    for name in ("capacity_kwh", "anything_else"):
        with pytest.raises(AttributeError, match=f"Battery.{name} cannot be changed"):
            setattr(battery, name, 5)
        with pytest.raises(AttributeError, match=f"Battery.{name} cannot be changed"):
            delattr(battery, name)
    assert len({battery, bess.Battery(), bess.Battery(capacity_kwh=7)}) == 2


def test_a_battery_survives_pickling_and_json() -> None:
    battery = bess.Battery(capacity_kwh=13.5, terminal_state_of_charge=(0.2, 0.4))
    assert pickle.loads(pickle.dumps(battery)) == battery
    assert bess.Battery.model_validate_json(battery.model_dump_json()) == battery
    assert eval(repr(battery), {"Battery": bess.Battery}) == battery


@given(st.dictionaries(st.sampled_from([*bess.Battery.model_fields, "x"]), anything, max_size=3))
def test_whatever_a_battery_is_made_from_it_is_one_or_bad_input(fields: dict[str, Any]) -> None:
    with contextlib.suppress(bess.InputError):
        battery = bess.Battery(**fields)
        low, high = battery.terminal_window
        assert 0 <= low <= high <= 1
        assert battery.round_trip_efficiency > 0
