"""Quantities of one bill or of many at once: numbers, or arrays with one value for each battery.

Rules written with these functions hold for both, element by element.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import pairwise
from typing import Final, TypeAlias, overload

import numpy as np

from bess._arrays import Floats

__all__ = ["Quantity", "highest", "in_bands", "larger", "part_of", "smaller"]

Quantity: TypeAlias = float | Floats

_LEAST: Final = float(np.finfo(np.float64).tiny)


@overload
def larger(first: float, second: float) -> float: ...
@overload
def larger(first: Quantity, second: Quantity) -> Quantity: ...
def larger(first: Quantity, second: Quantity) -> Quantity:
    """The larger of two quantities."""
    if isinstance(first, float) and isinstance(second, float):
        return first if first >= second else second
    return np.maximum(first, second)


@overload
def smaller(first: float, second: float) -> float: ...
@overload
def smaller(first: Quantity, second: Quantity) -> Quantity: ...
def smaller(first: Quantity, second: Quantity) -> Quantity:
    """The smaller of two quantities."""
    if isinstance(first, float) and isinstance(second, float):
        return first if first <= second else second
    return np.minimum(first, second)


def highest(quantities: Sequence[Quantity]) -> Quantity:
    """The largest of one quantity or more."""
    if np.ndarray in map(type, quantities):
        return reduce(np.maximum, quantities)
    return max(quantities)


def part_of(quantity: Quantity, whole: Quantity) -> Quantity:
    """A quantity divided by a whole that is at least as large; 0 where both are."""
    return quantity / larger(whole, _LEAST)


@overload
def in_bands(
    quantity: float, limits: Sequence[float], whole: float | None = None
) -> Sequence[float]: ...
@overload
def in_bands(
    quantity: Quantity, limits: Sequence[Quantity], whole: Quantity | None = None
) -> Sequence[Quantity]: ...
def in_bands(
    quantity: Quantity, limits: Sequence[Quantity], whole: Quantity | None = None
) -> Sequence[Quantity]:
    """How much of a quantity is in each band; what is below zero is in the first.

    ``limits`` are where bands end, never falling; the last has no end, and none is read. Of the
    bands of a larger ``whole``, a quantity has its part of each.

    >>> in_bands(25.0, [10.0, 20.0, float("inf")])
    [10.0, 10.0, 5.0]
    >>> in_bands(10.0, [10.0, float("inf")], whole=40.0)
    [2.5, 7.5]
    """
    if len(limits) == 1:
        return [quantity]
    used = larger(quantity, 0.0)
    part = 1.0 if whole is None else part_of(used, whole)
    reached = [*(smaller(used, limit * part) for limit in limits[:-1]), used]
    return [
        reached[0] + smaller(quantity, 0.0),
        *(high - low for low, high in pairwise(reached)),
    ]
