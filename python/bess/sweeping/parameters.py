"""The batteries of a sweep: rows of parameters, made when they are asked for."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from copy import copy
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bess.battery import Battery
from bess.errors import InputError, join_path
from bess.sweeping.columns import (
    POWERS,
    SHORT,
    Column,
    check_name,
    check_powers,
    checked_column,
    columns_of,
    is_range,
    one_value,
)

__all__ = ["BatteryGrid", "Parameters", "battery_of", "field", "parameters_of"]

_CHECKED: Final = 65_536
"""Rows that are checked at a time."""
_MOST_ROWS: Final = 1_000_000_000


class Parameters:
    """Batteries in rows, parameters in columns; what is one for all is in ``shared``."""

    names: tuple[str, ...]
    """The columns, as the caller named them."""
    shared: dict[str, Any]

    def __len__(self) -> int:
        raise NotImplementedError

    def rows(self, first: int, last: int) -> dict[str, Column]:
        """Every column from row ``first`` to before ``last``, as the caller named it."""
        raise NotImplementedError

    def part(self, first: int, last: int) -> Parameters:
        """The rows from ``first`` to before ``last``, by themselves."""
        return _Table({**self.shared, **self.rows(first, last)}, "")

    def fields(self, rows: Mapping[str, Column]) -> dict[str, Any]:
        """Fields of `Battery` from rows: columns, and values that all rows share."""
        found = {**self.shared, **rows}
        for short, power_of in SHORT.items():
            if short in found:
                capacity = found.get("capacity_kwh", Battery().capacity_kwh)
                power = power_of(capacity, found.pop(short))
                found.update(dict.fromkeys(POWERS, power))
        return found

    def check(self, path: str) -> None:
        """Refuse the first row that is no battery, naming the column and the row.

        Raises
        ------
        InputError
            At ``path``, with the caller's name of the column.
        """
        for first in range(0, len(self), _CHECKED):
            count = min(_CHECKED, len(self) - first)
            rows = self.rows(first, first + count)
            fields = self.fields(rows)
            wrong = np.zeros(count, np.bool_)
            wrong[0] = first == 0  # what all share is told of by the first
            low, high = (field(fields, f"{end}_state_of_charge") for end in ("min", "max"))
            initial = field(fields, "initial_state_of_charge")
            wrong |= (low >= high) | (initial < low) | (initial > high)
            wrong |= _terminals_outside(fields, count, low, high)
            if not wrong.any():
                continue
            for row in np.flatnonzero(wrong).tolist():
                self._check_row(path, rows, fields, first, row)

    def _check_row(
        self, path: str, rows: Mapping[str, Column], fields: Mapping[str, Any], first: int, row: int
    ) -> None:
        try:
            battery_of(fields, row)
        except InputError as error:
            problem = error.problems[0]
            column = self._column_of(problem.path, rows)
            value = rows[column][[row]].tolist()[0] if column in rows else problem.value
            more = "" if column in rows or not rows else f" (row {first + row})"
            raise InputError.at(
                self._place(path, column, first + row), problem.reason + more, value
            ) from None

    def _column_of(self, field: str, rows: Mapping[str, Column]) -> str:
        """The caller's name of a field."""
        if field in rows or field in self.shared:
            return field
        if field in POWERS:
            return next((n for n in SHORT if n in rows or n in self.shared), field)
        return field

    def _place(self, path: str, name: str, row: int) -> str:
        return join_path(path, f"{name}[{row}]" if name in self.names else name)


def battery_of(fields: Mapping[str, Any], row: int) -> Battery:
    """The battery of one of the rows that `Parameters.fields` were made from.

    Raises
    ------
    InputError
        Where it is none, naming the field.
    """
    return Battery(
        **{
            name: value[[row]].tolist()[0] if isinstance(value, np.ndarray) else value
            for name, value in fields.items()
        }
    )


class BatteryGrid(Parameters):
    """Every combination of ranges of parameters: a battery for each.

    Parameters
    ----------
    parameters
        By the names of `Battery`'s fields: a sequence is a range, of which every value is combined
        with every value of the others (the last one changes fastest); a number (or text, or flag)
        holds for all; a function is a rule, whose arguments are named after other columns and hold
        arrays. ``power_kw`` stands for both powers, ``duration_hours`` for capacity over power.

    >>> grid = BatteryGrid(capacity_kwh=[5, 10, 20], duration_hours=[2, 4], dc_coupled=False)
    >>> len(grid), {name: column.tolist() for name, column in grid.rows(0, 3).items()}
    (6, {'capacity_kwh': [5.0, 5.0, 10.0], 'duration_hours': [2.0, 4.0, 2.0]})
    >>> ruled = BatteryGrid(capacity_kwh=[5, 10], power_kw=lambda capacity_kwh: capacity_kwh / 4)
    >>> ruled.rows(0, 2)["power_kw"].tolist()
    [1.25, 2.5]

    Raises
    ------
    InputError
        For a name that is no parameter, a range without values, a value that is none of a battery,
        a rule that asks for what is no column.
    """

    def __init__(self, **parameters: Any) -> None:
        self.shared = {}
        self._ranges: dict[str, Column] = {}
        self._rules: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {}
        for name, value in parameters.items():
            check_name(name, name)
            if callable(value):
                self._rules[name] = value, _arguments(name, value, parameters)
            elif is_range(name, value, name):
                self._ranges[name] = checked_column(name, value, name)
            else:
                self.shared[name] = one_value(value)
        check_powers(parameters, "")
        for name, (_, asked) in self._rules.items():
            for other in asked:
                if other not in self._ranges and other not in self.shared:
                    known = ", ".join([*self._ranges, *self.shared]) or "there are none"
                    raise InputError.at(name, f"asks for {other}, which is no range ({known})")
        self.names = (*self._ranges, *self._rules)
        lengths = [len(values) for values in self._ranges.values()]
        if math.prod(lengths) > _MOST_ROWS:
            counts = " x ".join(f"{length:,}" for length in lengths)
            reason = f"makes {counts} batteries with the others; a grid may have {_MOST_ROWS:,}"
            raise InputError.at(max(self._ranges, key=lambda n: len(self._ranges[n])), reason)
        strides = np.cumprod([1, *reversed(lengths)], dtype=np.int64)[::-1]
        self._first, self._length = 0, int(strides[0])
        self._strides = dict(zip(self._ranges, strides[1:].tolist(), strict=True))
        self.check("")

    @property
    def ranges(self) -> dict[str, Column]:
        """The values of each range."""
        return dict(self._ranges)

    def __len__(self) -> int:
        return self._length

    def __repr__(self) -> str:
        ranges = (f"{name}=<{len(values)} values>" for name, values in self._ranges.items())
        rules = (f"{name}=<rule>" for name in self._rules)
        shared = (f"{name}={value!r}" for name, value in self.shared.items())
        return f"BatteryGrid({', '.join([*ranges, *rules, *shared])})"

    def rows(self, first: int, last: int) -> dict[str, Column]:
        """Every column from row ``first`` to before ``last``."""
        row = np.arange(self._first + first, self._first + last)
        found = {
            name: values[row // self._strides[name] % len(values)]
            for name, values in self._ranges.items()
        }
        for name, (rule, asked) in self._rules.items():
            given = {n: found[n] if n in found else self.shared[n] for n in asked}
            try:
                told = rule(**given)
            except Exception as error:
                reason = f"is a rule that failed: {type(error).__name__}: {error}"
                raise InputError.at(name, reason) from error
            if np.ndim(told) and np.shape(told) != row.shape:
                reason = f"is a rule that gives {len(told)} values for {len(row)} batteries"
                raise InputError.at(name, reason)
            values = np.broadcast_to(told, row.shape)
            found[name] = checked_column(name, values, name, first)
        return found

    def part(self, first: int, last: int) -> Parameters:
        """The rows by themselves; as ranges, where these are fewer numbers."""
        if self._rules or sum(map(len, self._ranges.values())) > last - first:
            return super().part(first, last)
        part = copy(self)
        part._first, part._length = self._first + first, last - first
        return part


class _Table(Parameters):
    """Columns that the caller has."""

    def __init__(self, columns: Mapping[str, Any], path: str) -> None:
        self.shared = {}
        self._columns: dict[str, Column] = {}
        for name, value in columns.items():
            where = join_path(path, str(name))
            check_name(name, where)
            if is_range(name, value, where):
                self._columns[name] = checked_column(name, value, where)
            else:
                self.shared[name] = one_value(value)
        check_powers(columns, path)
        self.names = tuple(self._columns)
        for (name, values), (other, others) in pairwise(self._columns.items()):
            if len(values) != len(others):
                reason = f"has {len(others)} rows, but {name} has {len(values)}"
                raise InputError.at(join_path(path, other), reason)
        self._length = len(next(iter(self._columns.values()), "."))

    def __len__(self) -> int:
        return self._length

    def rows(self, first: int, last: int) -> dict[str, Column]:
        return {name: values[first:last] for name, values in self._columns.items()}


def parameters_of(batteries: Any, path: str) -> Parameters:
    """The batteries of a sweep, checked: a grid, or a table in any common form.

    Raises
    ------
    InputError
        Naming the column and the row.
    """
    if isinstance(batteries, Parameters):
        return batteries
    if isinstance(batteries, Battery):
        given = batteries.model_dump()
        batteries = {name: value for name, value in given.items() if name != "type"}
    if not isinstance(batteries, Mapping):
        batteries = dict(columns_of(batteries, path))
    table = _Table(batteries, path)
    table.check(path)
    return table


def _arguments(name: str, rule: Callable[..., Any], others: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns that a rule asks for: its arguments, but those that have a value already."""
    try:
        asked = inspect.signature(rule).parameters.values()
    except (TypeError, ValueError):
        reason = "must be a rule whose arguments have names: a lambda, say"
        raise InputError.at(name, reason, rule) from None
    return tuple(a.name for a in asked if a.default is a.empty or a.name in others)


def field(fields: Mapping[str, Any], name: str) -> Any:
    """A field of `Battery`: a column, or what all rows share."""
    return fields.get(name, Battery.model_fields[name].default)


def _terminals_outside(
    fields: Mapping[str, Any], count: int, low: Any, high: Any
) -> NDArray[np.bool_]:
    """Which terminal states of charge leave no end between the least and the most."""
    wanted = fields.get("terminal_state_of_charge", "initial")
    if isinstance(wanted, str):
        return np.zeros(count, np.bool_)
    if isinstance(wanted, np.ndarray) and wanted.dtype == object:
        return np.ones(count, np.bool_)  # whether one is right is told one by one
    least, most = wanted if isinstance(wanted, tuple) else (wanted, 1.0)
    inside = (least >= 0) & (least <= high) & (most >= low)
    return ~np.broadcast_to(inside, (count,))
