"""Users' arrays become finite, one-dimensional, contiguous float64, once; already right means not
copied."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bess.errors import InputError

__all__ = [
    "LARGEST",
    "Floats",
    "broadcast",
    "freeze",
    "is_single",
    "number",
    "series",
    "whole_number",
]

Floats = NDArray[np.float64]

LARGEST: Final = 1e15
"""The largest size of a number: beyond it, sums and products of series lose their meaning."""


def series(
    values: Any, path: str, *, steps: int | None = None, minimum: float | None = None
) -> Floats:
    """A read-only series of finite numbers, at least ``minimum``, of length ``steps`` if given."""
    array = _float_array(values, path)
    if steps is not None and len(array) != steps:
        raise InputError.at(path, f"has {len(array)} values; the site has {steps} steps")
    if len(array) == 0:
        raise InputError.at(path, "must have at least one value")
    least, most = array.min(), array.max()
    if not (least >= -LARGEST and most <= LARGEST):  # a NaN is neither
        finite = np.isfinite(array)
        if not finite.all():
            _refuse(array, ~finite, path, "must be a finite number")
        _refuse(array, abs(array) > LARGEST, path, f"must be at most {LARGEST:g} in size")
    if minimum is not None and least < minimum:
        _refuse(array, array < minimum, path, f"must be at least {minimum:g}")
    if array.flags.writeable:
        array = array.view()
        array.flags.writeable = False
    return array


def number(
    value: Any, path: str, *, minimum: float | None = None, wanted: str = "a number"
) -> float:
    """A finite number of any library, at least ``minimum``; booleans and strings are none."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    # NumPy counts its time differences among the integers.
    if isinstance(value, (bool, np.bool_, np.timedelta64)) or not isinstance(
        value, (numbers.Real, Decimal)
    ):
        raise InputError.at(path, f"must be {wanted}", value)
    try:
        found = float(value)
    except (OverflowError, ValueError):  # an integer beyond floats; a Decimal's signalling NaN
        found = math.inf
    if not math.isfinite(found):
        raise InputError.at(path, "must be a finite number", value)
    if abs(found) > LARGEST:
        raise InputError.at(path, f"must be at most {LARGEST:g} in size", value)
    if minimum is not None and found < minimum:
        raise InputError.at(path, f"must be at least {minimum:g}", value)
    return found


def whole_number(given: Any, path: str, most: int) -> int:
    """A whole number from 1 to ``most``; booleans are none."""
    if (
        isinstance(given, (bool, np.bool_))
        or not isinstance(given, (int, np.integer))
        or not 1 <= given <= most
    ):
        raise InputError.at(path, f"must be a whole number from 1 to {most}", given)
    return int(given)


def is_single(values: Any) -> bool:
    """Whether values are one for all steps rather than one for each."""
    try:
        return np.ndim(values) == 0
    except Exception:  # a ragged list, or an array that does not let itself be read
        return False


def broadcast(values: Any, path: str, steps: int, *, minimum: float | None = None) -> Floats:
    """A series of ``steps`` values, from one for each step or a single one for all."""
    if not is_single(values):
        return series(values, path, steps=steps, minimum=minimum)
    single = number(values, path, minimum=minimum, wanted="a number or a series of numbers")
    whole = np.full(steps, single)
    whole.flags.writeable = False
    return whole


def freeze(state: dict[str, Any]) -> dict[str, Any]:
    """The state of an unpickled object, its arrays read-only again."""
    for value in state.values():
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    return state


def _float_array(values: Any, path: str) -> Floats:
    if isinstance(values, (str, bytes)) or is_single(values):
        raise InputError.at(path, "must be a series of numbers", values)
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        at = int(np.argmax(np.ma.getmaskarray(values).ravel()))
        raise InputError.at(f"{path}[{at}]", "is masked: fill in what is missing")
    try:
        array = np.asarray(values)
    except Exception:  # whatever an object's own conversion may raise
        raise InputError.at(path, "must be a series of numbers, one for each step") from None
    if array.ndim != 1:
        raise InputError.at(path, f"must be one-dimensional, not of shape {array.shape}")
    if array.dtype.kind not in "fiu" or _holds_booleans(values):
        return _one_by_one(values if isinstance(values, (list, tuple)) else array.tolist(), path)
    with np.errstate(over="ignore"):  # wider floats may become infinite, and are refused as such
        return np.ascontiguousarray(array, dtype=np.float64)


def _holds_booleans(values: Any) -> bool:
    """Whether a list has booleans among its numbers, which NumPy would take for 0 and 1."""
    return isinstance(values, (list, tuple)) and not {bool, np.bool_}.isdisjoint(map(type, values))


def _one_by_one(values: Iterable[Any], path: str) -> Floats:
    """Numbers that NumPy does not hold as such: Decimal, Fraction, pandas' nullable ones."""
    return np.array([number(value, f"{path}[{i}]") for i, value in enumerate(values)])


def _refuse(array: Floats, wrong: NDArray[np.bool_], path: str, reason: str) -> None:
    i = int(np.argmax(wrong))
    others = int(wrong.sum()) - 1
    more = f" ({others} more like it)" if others else ""
    raise InputError.at(f"{path}[{i}]", f"{reason}{more}", float(array[i]))
