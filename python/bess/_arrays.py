"""Users' arrays become finite, one-dimensional, contiguous float64, once; already right means not
copied."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bess.errors import InputError

__all__ = ["Floats", "broadcast", "number", "series"]

Floats = NDArray[np.float64]


def series(
    values: Any, path: str, *, steps: int | None = None, minimum: float | None = None
) -> Floats:
    """A read-only series of finite numbers, at least ``minimum``, of length ``steps`` if given."""
    array = _float_array(values, path)
    if array.ndim != 1:
        raise InputError.at(path, f"must be one-dimensional, not of shape {array.shape}")
    if steps is not None and len(array) != steps:
        raise InputError.at(path, f"has {len(array)} values; the site has {steps} steps")
    if len(array) == 0:
        raise InputError.at(path, "must have at least one value")
    # One pass decides: a sum is finite only if every value is, short of overflow.
    if not np.isfinite(array.sum()) and not (finite := np.isfinite(array)).all():
        _refuse(array, ~finite, path, "must be a finite number")
    if minimum is not None and array.min() < minimum:
        _refuse(array, array < minimum, path, f"must be at least {minimum:g}")
    if array.flags.writeable:
        array = array.view()
        array.flags.writeable = False
    return array


def number(value: Any, path: str, *, minimum: float | None = None) -> float:
    """A finite number, at least ``minimum``; booleans and strings are none."""
    if (
        isinstance(value, (bool, np.bool_))
        or not np.isscalar(value)
        or isinstance(value, (str, bytes))
    ):
        raise InputError.at(path, "must be a number", value)
    return float(series(np.array([value]), path, minimum=minimum)[0])


def broadcast(values: Any, path: str, steps: int, *, minimum: float | None = None) -> Floats:
    """A series of ``steps`` values, from one for each step or a single one for all."""
    if np.ndim(values) == 0:
        whole = np.full(steps, number(values, path, minimum=minimum))
        whole.flags.writeable = False
        return whole
    return series(values, path, steps=steps, minimum=minimum)


def _float_array(values: Any, path: str) -> Floats:
    if isinstance(values, (str, bytes)) or np.ndim(values) == 0:
        raise InputError.at(path, "must be a series of numbers", values)
    try:
        array = np.asarray(values)
    except ValueError:
        raise InputError.at(path, "must be one-dimensional, a number for each step") from None
    if array.dtype.kind == "O":  # lists with None or Decimal; pandas' nullable numbers
        for i, value in enumerate(array.ravel()):
            if value is None or isinstance(value, (str, bytes, bool)):
                raise InputError.at(f"{path}[{i}]", "must be a number", value)
    elif array.dtype.kind not in "fiu":
        raise InputError.at(path, f"must hold numbers, not {array.dtype}")
    try:
        return np.ascontiguousarray(array, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError.at(path, "must hold numbers only") from None


def _refuse(array: Floats, wrong: NDArray[np.bool_], path: str, reason: str) -> None:
    i = int(np.argmax(wrong))
    others = int(wrong.sum()) - 1
    more = f" ({others} more like it)" if others else ""
    raise InputError.at(f"{path}[{i}]", f"{reason}{more}", float(array[i]))
