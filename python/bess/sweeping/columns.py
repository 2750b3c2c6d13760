"""The columns of a grid or a table of batteries, as callers give them, checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bess._arrays import series
from bess.battery import SIZES, Battery
from bess.errors import InputError, join_path, nearest_name

__all__ = [
    "POWERS",
    "SHORT",
    "Column",
    "check_name",
    "check_powers",
    "checked_column",
    "columns_of",
    "is_range",
    "one_value",
]

Column = NDArray[Any]

POWERS: Final = ("charge_power_kw", "discharge_power_kw")
SHORT: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "power_kw": lambda capacity, power: power,
    "duration_hours": lambda capacity, hours: capacity / hours,
}
"""What stands for both powers of a battery, and the power it comes to."""
_NAMES: Final = (*Battery.model_fields, *SHORT)
_FLAGS: Final = tuple(n for n in _NAMES if n == "dc_coupled" or n.startswith("allow_"))
_LIMITS: Final = {
    **SIZES,
    "duration_hours": (1e-6, 1e12),
    "power_kw": SIZES["charge_power_kw"],
    "min_state_of_charge": (0.0, 1.0),
    "max_state_of_charge": (0.0, 1.0),
    "initial_state_of_charge": (0.0, 1.0),
    "self_discharge_per_hour": (0.0, float(np.nextafter(1.0, 0.0))),
}


def columns_of(table: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The columns of a data frame or an Arrow table.

    Raises
    ------
    InputError
        Where it is none, has no columns, or two of one name.
    """
    names = getattr(table, "column_names", None)
    if names is None:
        names = getattr(table, "columns", None)
    if names is None or not hasattr(table, "__getitem__"):
        valid = "a bess.BatteryGrid, a mapping of columns, a data frame or an Arrow table"
        raise InputError.at(path, f"must be {valid}", table)
    listed = [str(name) for name in names]
    if not listed:
        raise InputError.at(path, "must have at least one column")
    for i, name in enumerate(listed):
        if name in listed[:i]:
            raise InputError.at(join_path(path, name), "is the name of two columns")
    for name in names:
        given = table[name]
        yield str(name), given.to_numpy() if hasattr(given, "to_numpy") else np.asarray(given)


def check_name(name: Any, path: str) -> None:
    """Refuse a name that is no parameter's.

    Raises
    ------
    InputError
        With the nearest that is, or all that are.
    """
    if name not in _NAMES:
        near = nearest_name(str(name), _NAMES)
        known = f"; did you mean {near}?" if near else f" ({', '.join(_NAMES)})"
        raise InputError.at(path, f"is no parameter of a battery{known}")


def check_powers(given: Mapping[str, Any], path: str) -> None:
    """Refuse powers that are given twice.

    Raises
    ------
    InputError
        At the second of them.
    """
    ways = [n for n in SHORT if n in given]
    ways += [n for n in POWERS if n in given and ways]
    if len(ways) > 1:
        reason = f"gives the power that {ways[0]} gives already"
        raise InputError.at(join_path(path, ways[1]), reason)


def is_range(name: str, value: Any, path: str) -> bool:
    """Whether a parameter's value is a range or a column, not one for all.

    Raises
    ------
    InputError
        Where it is neither.
    """
    if name == "terminal_state_of_charge" and isinstance(value, tuple):
        return False  # a pair: from, to
    if isinstance(value, (list, tuple, range)) or np.ndim(value) > 0:
        return True
    if callable(value):
        raise InputError.at(path, "is a function: rules are for a bess.BatteryGrid", value)
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes, np.ndarray)):
        raise InputError.at(path, "must be one value, or a list, a range or an array", value)
    return False


def one_value(value: Any) -> Any:
    """What holds for all; an array without dimensions is what is in it."""
    return value.item() if isinstance(value, np.ndarray) else value


def checked_column(name: str, values: Any, path: str, first: int = 0) -> Column:
    """Values from row ``first`` on as an array of what the parameter holds.

    Raises
    ------
    InputError
        At the row whose value is none of a battery.
    """
    if name == "terminal_state_of_charge" and not isinstance(values, np.ndarray):
        found = np.empty(len(values), object)
        found[:] = list(values)
        if all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values):
            found = found.astype(np.float64)
        return _filled(found, path)
    try:
        array = np.asarray(values)
    except ValueError:
        raise InputError.at(path, "must be a column of values, one for each battery") from None
    if array.ndim != 1:
        raise InputError.at(path, f"must be one-dimensional, not of shape {array.shape}")
    if name in _FLAGS:
        if array.dtype != np.bool_:
            given = values if isinstance(values, (list, tuple)) else array.tolist()
            for row, value in enumerate(given):
                if not isinstance(value, (bool, np.bool_)):
                    raise InputError.at(f"{path}[{first + row}]", "must be True or False", value)
        return _filled(array.astype(np.bool_), path)
    if name == "terminal_state_of_charge" and array.dtype.kind not in "fiu":
        return _filled(array.astype(object), path)
    numbers = series(values, path)
    if name in _LIMITS:
        low, high = _LIMITS[name]
        outside = ~((numbers >= low) & (numbers <= high))
        if outside.any():
            row = int(np.argmax(outside))
            where = f"{path}[{first + row}]"
            most = "below 1" if 1 - 1e-15 < high < 1 else f"{high:g}"
            raise InputError.at(where, f"must be from {low:g} to {most}", float(numbers[row]))
    return numbers


def _filled(values: Column, path: str) -> Column:
    if not len(values):
        raise InputError.at(path, "must have at least one value")
    return values
