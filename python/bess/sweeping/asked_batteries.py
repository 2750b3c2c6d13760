"""The batteries of a sweep's file: a grid of ranges, or a table in another file."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from bess._arrays import number, whole_number
from bess.battery import Battery
from bess.errors import InputError, MissingExtraError, needs_extra
from bess.sweeping.parameters import BatteryGrid, Parameters, parameters_of

__all__ = ["batteries_asked", "read_columns"]

_POWERS: Final = ("charge_power_kw", "discharge_power_kw")
_ENDS: Final = {"from", "to", "count"}
_MOST_VALUES: Final = 10_000_000


def batteries_asked(given: Mapping[str, Any], battery: Battery, folder: Path) -> Parameters:
    """What ``[batteries]`` asks for, beside the request's own parameters.

    Raises
    ------
    InputError
        At the parameter, of a table also the row.
    MissingExtraError
        For a table in Parquet, without the extra.
    """
    own = dict(given)
    path = own.pop("table", None)
    columns: Mapping[str, Any] = {} if path is None else read_columns(path, folder, "table")
    for name, value in own.items():
        if isinstance(value, Mapping):
            own[name] = _range(value, name)
    both = sorted(set(columns) & set(own))
    if both:
        raise InputError.at(both[0], f"is a column of {path} already")
    powers = any(name in _POWERS or name in ("power_kw", "duration_hours") for name in given)
    powers = powers or any(name in ("power_kw", "duration_hours", *_POWERS) for name in columns)
    shared = {
        name: getattr(battery, name)
        for name in Battery.model_fields
        if name not in own and name not in columns and not (powers and name in _POWERS)
    }
    if path is None:
        return BatteryGrid(**own, **shared)
    return parameters_of({**columns, **own, **shared}, "")


def _range(given: Mapping[str, Any], name: str) -> Any:
    """``{ from, to, count }`` or ``{ from, to, step }``, both ends in it."""
    keys = set(given)
    if keys not in (_ENDS, _ENDS - {"count"} | {"step"}):
        reason = "must be { from = …, to = …, count = … }, or step in place of count"
        raise InputError.at(name, reason, ", ".join(given))
    low, high = (number(given[end], f"{name}.{end}") for end in ("from", "to"))
    if "count" in given:
        count = whole_number(given["count"], f"{name}.count", _MOST_VALUES)
        return np.linspace(low, high, count)
    step = number(given["step"], f"{name}.step")
    if not step > 0 or high < low or (high - low) / step > _MOST_VALUES:
        raise InputError.at(f"{name}.step", "must lead from the first to the last", step)
    return low + step * np.arange(int((high - low) / step + 1e-9) + 1)


def read_columns(path: Any, folder: Path, at: str) -> Mapping[str, Any]:
    """The columns of a CSV or Parquet file, which is named at a path.

    Raises
    ------
    InputError
        Where it cannot be read.
    MissingExtraError
        For Parquet, without the extra.
    """
    if not isinstance(path, str) or not path.lower().endswith((".csv", ".parquet")):
        raise InputError.at(at, "must be the name of a CSV or Parquet file", path)
    file = folder / path
    try:
        if path.lower().endswith(".csv"):
            with file.open(newline="", encoding="utf-8-sig") as lines:
                rows = list(csv.DictReader(lines, strict=True))
            if not rows:
                raise ValueError("it has no rows")
            if any(None in row or None in row.values() for row in rows):
                raise ValueError("a row has more or fewer cells than the first")
            return {name: [_cell(row[name]) for row in rows] for name in rows[0]}
        with needs_extra("a table in Parquet", "parquet"):
            import pyarrow.parquet
        table = pyarrow.parquet.read_table(file)
        return {name: np.asarray(table[name]) for name in table.column_names}
    except MissingExtraError:
        raise
    except Exception as error:
        raise InputError.at(at, f"cannot be read: {error}", path) from None


def _cell(text: Any) -> Any:
    """A number or a flag where a cell spells one."""
    if isinstance(text, str) and text.strip().lower() in ("true", "false"):
        return text.strip().lower() == "true"
    try:
        return float(text)
    except (TypeError, ValueError):
        return text
