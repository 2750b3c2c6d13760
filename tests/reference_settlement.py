"""Billing determinants the slow way: one step, one demand interval at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["peaks", "settled"]


def settled(
    imports: Sequence[float], exports: Sequence[float], bins: Sequence[int], count: int
) -> np.ndarray:
    """kWh imported, kWh exported and the most imported in a step, by bin."""
    found = np.zeros((3, count))
    for bought, sold, b in zip(imports, exports, bins, strict=True):
        found[0, b] += bought
        found[1, b] += sold
        found[2, b] = max(found[2, b], bought)
    return found


def peaks(
    imports: Sequence[float], first: int, interval: int, bins: Sequence[int], count: int
) -> np.ndarray:
    """The highest mean over an interval, by the interval's bin."""
    found = np.zeros(count)
    intervals = [list(imports[:first])]
    rest = list(imports[first:])
    while rest:
        intervals.append(rest[:interval])
        rest = rest[interval:]
    for steps, b in zip(intervals, bins, strict=True):
        found[b] = max(found[b], sum(steps) / len(steps))
    return found
