"""Grids and tables of batteries: what is in them, and what is refused before anything runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import bess
from bess.sweeping.parameters import battery_of, parameters_of


def test_a_grid_combines_every_value_and_the_last_range_changes_fastest() -> None:
    grid = bess.BatteryGrid(capacity_kwh=[5, 10], charge_power_kw=range(1, 4), dc_coupled=False)
    rows = grid.rows(0, 6)
    assert rows["capacity_kwh"].tolist() == [5, 5, 5, 10, 10, 10]
    assert rows["charge_power_kw"].tolist() == [1, 2, 3, 1, 2, 3]
    assert grid.rows(2, 5)["capacity_kwh"].tolist() == [5, 10, 10]
    assert grid.shared == {"dc_coupled": False}


@pytest.mark.parametrize(
    "how",
    [
        {"duration_hours": [2.0, 4.0]},
        {"power_kw": lambda capacity_kwh: capacity_kwh / np.array([2.0, 4.0, 2.0, 4.0])},
    ],
)
def test_duration_and_rules_give_both_powers(how: dict[str, Any]) -> None:
    if "power_kw" in how:
        grid = bess.BatteryGrid(capacity_kwh=[5, 10], min_state_of_charge=[0, 0.1], **how)
    else:
        grid = bess.BatteryGrid(capacity_kwh=[5, 10], **how)
    fields = grid.fields(grid.rows(0, 4))
    assert fields["charge_power_kw"].tolist() == [2.5, 1.25, 5.0, 2.5]
    assert fields["discharge_power_kw"].tolist() == [2.5, 1.25, 5.0, 2.5]
    battery = battery_of(fields, 1)
    assert (battery.capacity_kwh, battery.charge_power_kw) == (5, 1.25)


@pytest.mark.parametrize("count", [1, 4, 9, 24])
def test_a_part_has_its_rows_however_few(count: int) -> None:
    sizes = {"capacity_kwh": range(1, 9), "duration_hours": [1.0, 2.0, 4.0]}
    ruled = {"max_state_of_charge": lambda capacity_kwh: 0.9 + capacity_kwh / 100}
    for grid in (bess.BatteryGrid(**sizes), bess.BatteryGrid(**sizes, **ruled)):
        part = grid.part(24 - count, 24)
        assert len(part) == count
        again = part.part(count // 2, count)
        for few, first in ((part, 24 - count), (again, 24 - count + count // 2)):
            expected = grid.rows(first, 24)
            for name, column in few.rows(0, len(few)).items():
                assert column.tolist() == expected[name].tolist()


COLUMNS = {"capacity_kwh": [5.0, 10.0, 20.0], "dc_coupled": [True, False, True]}


@pytest.mark.parametrize(
    "table", [COLUMNS, pd.DataFrame(COLUMNS), pa.table(COLUMNS), bess.Battery(capacity_kwh=5)]
)
def test_tables_in_any_common_form(table: Any) -> None:
    parameters = parameters_of(table, "batteries")
    rows = parameters.rows(0, len(parameters))
    if isinstance(table, bess.Battery):
        assert len(parameters) == 1
        assert battery_of(parameters.fields(rows), 0) == table
        return
    assert rows["capacity_kwh"].tolist() == COLUMNS["capacity_kwh"]
    assert battery_of(parameters.fields(rows), 1).dc_coupled is False


NAN = float("nan")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"capacity": [1.0]}, "batteries.capacity: is no parameter of a battery"),
        ({"capacity_kwh": []}, "batteries.capacity_kwh: must have at least one value"),
        ({"capacity_kwh": [1.0, 2.0, -3.0]}, "batteries.capacity_kwh[2]: must be"),
        ({"capacity_kwh": [1.0, NAN]}, "batteries.capacity_kwh[1]: must be a finite number"),
        ({"capacity_kwh": ["1", "2"]}, "batteries.capacity_kwh"),
        ({"capacity_kwh": 0.0}, "batteries.capacity_kwh: "),
        ({"capacity_kwh": [[1.0], [2.0]]}, "batteries.capacity_kwh: must be one-dimensional"),
        (
            {"capacity_kwh": [1.0, 2.0], "charge_power_kw": [1.0]},
            "batteries.charge_power_kw: has 1 rows, but capacity_kwh has 2",
        ),
        ({"ac_to_dc_efficiency": [0.9, 1.2]}, "batteries.ac_to_dc_efficiency[1]: must be"),
        ({"dc_coupled": [1, 0]}, "batteries.dc_coupled[0]: must be True or False"),
        ({"duration_hours": [1.0, 0.0]}, "batteries.duration_hours[1]: must be from"),
        ({"power_kw": [1.0], "duration_hours": 2.0}, "batteries.duration_hours: gives the power"),
        (
            {"power_kw": [1.0], "charge_power_kw": 2.0},
            "batteries.charge_power_kw: gives the power that power_kw gives already",
        ),
        (
            {"min_state_of_charge": [0.1, 0.6], "max_state_of_charge": 0.6},
            "batteries.min_state_of_charge[1]: must be below max_state_of_charge",
        ),
        (
            {"max_state_of_charge": [0.9, 0.4]},
            "batteries.initial_state_of_charge: must lie between",
        ),
        (
            {"terminal_state_of_charge": [0.5, 1.5]},
            "batteries.terminal_state_of_charge[1]: must be a fraction",
        ),
        (
            {"terminal_state_of_charge": ["free", "never"]},
            "batteries.terminal_state_of_charge[1]: must be a fraction",
        ),
        (
            {"terminal_state_of_charge": 0.9, "max_state_of_charge": [1.0, 0.8]},
            "batteries.terminal_state_of_charge: must leave",
        ),
        (5.0, "batteries: must be a bess.BatteryGrid"),
        ([1.0], "batteries: must be a bess.BatteryGrid"),
    ],
)
def test_a_malformed_table_names_the_column_and_the_row(table: Any, message: str) -> None:
    with pytest.raises(bess.InputError) as caught:
        parameters_of(table, "batteries")
    problem = caught.value.problems[0]
    assert f"{problem.path}: {problem.reason}".startswith(message)


def test_the_row_is_named_where_what_is_wrong_is_shared() -> None:
    with pytest.raises(bess.InputError, match=r"\(row 1\)"):
        parameters_of({"max_state_of_charge": [0.9, 0.4]}, "batteries")


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({"capacity_kwh": [1.0, -1.0]}, "capacity_kwh[1]: must be"),
        ({"capacity": [1.0]}, "capacity: is no parameter"),
        ({"capacity_kwh": []}, "capacity_kwh: must have at least one value"),
        ({"power_kw": lambda size: size}, "power_kw: asks for size, which is no range"),
        (
            {"capacity_kwh": [1.0, 2.0], "power_kw": lambda capacity_kwh: capacity_kwh.no},
            "power_kw: is a rule that failed: AttributeError",
        ),
        (
            {"capacity_kwh": [1.0, 2.0], "power_kw": lambda capacity_kwh: capacity_kwh - 2},
            "power_kw[0]: must be",
        ),
        (
            {"min_state_of_charge": [0.0, 0.5], "max_state_of_charge": [1.0, 0.4]},
            "initial_state_of_charge: must lie between",
        ),
    ],
)
def test_a_malformed_grid_says_what_is_wrong(grid: dict[str, Any], message: str) -> None:
    with pytest.raises(bess.InputError) as caught:
        bess.BatteryGrid(**grid)
    problem = caught.value.problems[0]
    assert f"{problem.path}: {problem.reason}".startswith(message)
