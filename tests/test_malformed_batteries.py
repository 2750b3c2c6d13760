"""Every way in which a user's grid or table of batteries is malformed, and what is said of it: the
column, the row, the value, and what would be valid."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import bess
from bess.sweeping.parameters import parameters_of

NAN = float("nan")
KWH = "batteries.capacity_kwh"
TERMINAL = 'must be a fraction, a pair [low, high], "initial", "cyclic" or "free"'
TABLES = "must be a bess.BatteryGrid, a mapping of columns, a data frame or an Arrow table"


def said(make: Callable[[], Any]) -> str:
    with pytest.raises(bess.InputError) as caught:
        make()
    return str(caught.value)


def one(value: Any) -> dict[str, Any]:
    return {"capacity_kwh": value}


def values() -> Iterator[float]:
    yield from (1.0, 2.0)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([], f"{KWH}: must have at least one value"),
        (np.array([]), f"{KWH}: must have at least one value"),
        (range(0), f"{KWH}: must have at least one value"),
        (range(2), f"{KWH}[0] = 0.0: must be from 1e-06 to 1e+12"),
        ([1.0, -2.0], f"{KWH}[1] = -2.0: must be from 1e-06 to 1e+12"),
        ([1.0, NAN], f"{KWH}[1] = nan: must be a finite number"),
        ([1.0, 2.0, np.inf], f"{KWH}[2] = inf: must be a finite number"),
        ([1e300], f"{KWH}[0] = 1e+300: must be at most 1e+15 in size"),
        ([1.0, None], f"{KWH}[1] = None: must be a number"),
        (["5", "6"], f"{KWH}[0] = '5': must be a number"),
        ([True, False], f"{KWH}[0] = True: must be a number"),
        ([1 + 2j], f"{KWH}[0] = (1+2j): must be a number"),
        (np.array([1.0, "a"], object), f"{KWH}[1] = 'a': must be a number"),
        ([dt.date(2025, 1, 1)], f"{KWH}[0] = datetime.date(2025, 1, 1): must be a number"),
        (
            np.array(["2025-01-01"], "M8[D]"),
            f"{KWH}[0] = datetime.date(2025, 1, 1): must be a number",
        ),
        (np.array([5], "m8[s]"), f"{KWH}[0] = datetime.timedelta(seconds=5): must be a number"),
        (np.ones((2, 3)), f"{KWH}: must be one-dimensional, not of shape (2, 3)"),
        ([[1.0], [2.0, 3.0]], f"{KWH}: must be a column of values, one for each battery"),
        (
            np.ma.array([1.0, 2.0], mask=[0, 1]),
            f"{KWH}[1]: is masked: fill in what is missing",
        ),
        (pd.Series([1.0, -2.0], index=[7, 8]), f"{KWH}[1] = -2.0: must be from 1e-06 to 1e+12"),
        (pa.array([1.0, None]), f"{KWH}[1] = nan: must be a finite number"),
        (
            pa.chunked_array([[1.0], [2.0, -3.0]]),
            f"{KWH}[2] = -3.0: must be from 1e-06 to 1e+12",
        ),
        ({2.0}, f"{KWH} = {{2.0}}: must be one value, or a list, a range or an array"),
        ({"a": 1}, f"{KWH} = {{'a': 1}}: must be one value, or a list, a range or an array"),
        ("5", f"{KWH} = '5': must be a number"),
        (True, f"{KWH} = True: must be a number"),
        (None, f"{KWH} = None: must be a number"),
        (NAN, f"{KWH} = nan: must be a finite number"),
        (np.array(-5.0), f"{KWH} = -5.0: must be greater than 0"),
    ],
)
def test_a_malformed_column_is_told_by_row_and_value(column: Any, message: str) -> None:
    assert said(lambda: parameters_of(one(column), "batteries")) == message
    grid = said(lambda: bess.BatteryGrid(**one(column)))
    assert grid == message.removeprefix("batteries.")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            {"capacity_kw": [1.0]},
            "batteries.capacity_kw: is no parameter of a battery; did you mean capacity_kwh?",
        ),
        (
            {"batteryMinSoc": [0.1]},
            "batteries.batteryMinSoc: is no parameter of a battery (capacity_kwh,",
        ),
        ({5: [1.0]}, "batteries.5: is no parameter of a battery (capacity_kwh,"),
        (
            {"capacity_kwh": [1.0, 2.0], "power_kw": [1.0, 2.0, 3.0]},
            "batteries.power_kw: has 3 rows, but capacity_kwh has 2",
        ),
        (
            {"power_kw": [1.0], "duration_hours": [2.0]},
            "batteries.duration_hours: gives the power that power_kw gives already",
        ),
        (
            {"capacity_kwh": [1.0], "power_kw": lambda capacity_kwh: capacity_kwh},
            "batteries.power_kw = <function",
        ),
        ({"dc_coupled": [True, 1]}, "batteries.dc_coupled[1] = 1: must be True or False"),
        (
            {"dc_coupled": pa.array([True, None])},
            "batteries.dc_coupled[1] = None: must be True or False",
        ),
        ({"dc_coupled": [True, None]}, "batteries.dc_coupled[1] = None: must be True or False"),
        ({"dc_coupled": ["true"]}, "batteries.dc_coupled[0] = 'true': must be True or False"),
        ({"min_state_of_charge": [10.0]}, "batteries.min_state_of_charge[0] = 10.0: must be from"),
        (
            {"self_discharge_per_hour": [0.0, 1.0]},
            "batteries.self_discharge_per_hour[1] = 1.0: must be from 0 to below 1",
        ),
        (
            {"degradation_cost_per_kwh": [-0.1]},
            "batteries.degradation_cost_per_kwh[0] = -0.1: must be from 0 to 1e+12",
        ),
        (
            {"terminal_state_of_charge": ["free", 0.5, (0.2, 0.4), True]},
            f"batteries.terminal_state_of_charge[3] = True: {TERMINAL}",
        ),
        (
            {"terminal_state_of_charge": [(0.4, 0.2)]},
            "batteries.terminal_state_of_charge[0] = (0.4, 0.2): must be a pair [low, high]",
        ),
        (
            {"terminal_state_of_charge": values()},
            "batteries.terminal_state_of_charge = <generator object values",
        ),
        (pd.DataFrame(one([1.0, None])), f"{KWH}[1] = nan: must be a finite number"),
        (pd.DataFrame(one(["1", 2])), f"{KWH}[0] = '1': must be a number"),
        (pd.DataFrame(one(pd.array([1, None], "Int64"))), f"{KWH}[1] = nan: must be a finite"),
        (
            pd.DataFrame({"dc_coupled": pd.array([True, None], "boolean")}),
            "batteries.dc_coupled[1] = <NA>: must be True or False",
        ),
        (
            pd.DataFrame(one(pd.to_datetime(["2025-01-01"]))),
            f"{KWH}[0] = datetime.datetime(2025, 1, 1, 0, 0): must be a number",
        ),
        (
            pd.DataFrame([[1.0, 2.0]], columns=["capacity_kwh", "capacity_kwh"]),
            f"{KWH}: is the name of two columns",
        ),
        (pd.DataFrame([[1.0]]), "batteries.0: is no parameter of a battery (capacity_kwh,"),
        (pd.DataFrame(), "batteries: must have at least one column"),
        (pd.DataFrame(one([])), f"{KWH}: must have at least one value"),
        (pa.table(one([1, None])), f"{KWH}[1] = nan: must be a finite number"),
        (pa.table(one(["a"])), f"{KWH}[0] = 'a': must be a number"),
        (pa.table({"dc_coupled": [True, None]}), "batteries.dc_coupled[1] = None: must be True"),
        (
            pa.table(one(pa.chunked_array([[1.0], [2.0, -3.0]]))),
            f"{KWH}[2] = -3.0: must be from 1e-06 to 1e+12",
        ),
        (
            pa.table([pa.array([1.0]), pa.array([2.0])], names=["capacity_kwh"] * 2),
            f"{KWH}: is the name of two columns",
        ),
        (pa.table(one([[1.0]])), f"{KWH}[0] = array([1.]): must be a number"),
        (pa.record_batch(one([1.0, -2.0])), f"{KWH}[1] = -2.0: must be from 1e-06 to 1e+12"),
        ([{"capacity_kwh": 5}], f"batteries = [{{'capacity_kwh': 5}}]: {TABLES}"),
        (pd.Series([1.0]), f"batteries = 0    1.0 dtype: float64: {TABLES}"),
        (np.ones(3), f"batteries = array([1., 1., 1.]): {TABLES}"),
        (None, f"batteries = None: {TABLES}"),
    ],
)
def test_a_malformed_table_is_told_in_the_callers_own_names(table: Any, message: str) -> None:
    assert said(lambda: parameters_of(table, "batteries")).startswith(message)


def test_a_row_far_down_is_named() -> None:
    most = np.full(100_000, 1.0)
    most[70_123] = 0.05
    message = said(lambda: parameters_of({"max_state_of_charge": most}, "batteries"))
    assert "(row 70123)" in message or "[70123]" in message


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        (
            {"capacity_kwh": range(1, 10**6), "power_kw": range(1, 10**4)},
            "capacity_kwh: makes 999,999 x 9,999 batteries with the others; a grid may have "
            "1,000,000,000",
        ),
        ({"power_kw": max}, "power_kw = <built-in function max>: must be a rule whose arguments"),
        (
            {"capacity_kwh": [1.0], "power_kw": lambda *sizes: 1.0},
            "power_kw: asks for sizes, which is no range (capacity_kwh)",
        ),
        (
            {"capacity_kwh": [1.0, 2.0], "power_kw": lambda capacity_kwh: np.ones(5)},
            "power_kw: is a rule that gives 5 values for 2 batteries",
        ),
        (
            {"capacity_kwh": [1.0, 2.0], "power_kw": lambda capacity_kwh: "x"},
            "power_kw[0] = 'x': must be a number",
        ),
        (
            {"capacity_kwh": [1.0, 2.0], "power_kw": lambda capacity_kwh: 1 / (2 - capacity_kwh)},
            "power_kw",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_a_malformed_grid_is_told_before_a_row_is_made(grid: dict[str, Any], message: str) -> None:
    assert said(lambda: bess.BatteryGrid(**grid)).startswith(message)


def test_what_looks_odd_and_is_well_formed_is_taken() -> None:
    rule = bess.BatteryGrid(capacity_kwh=[4.0], power_kw=lambda capacity_kwh, k=2: capacity_kwh / k)
    assert rule.rows(0, 1)["power_kw"].tolist() == [2.0]
    for column in (np.array(5.0), [5], np.array([5], object), pd.Index([5]), pa.array([5])):
        assert len(parameters_of(one(column), "batteries")) == 1
    flags = parameters_of(pd.DataFrame({"dc_coupled": pd.array([True], "boolean")}), "batteries")
    assert flags.rows(0, 1)["dc_coupled"].tolist() == [True]
