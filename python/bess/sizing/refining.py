"""The best size where nothing is known of the value's shape: a grid, then finer ones at the best.

What lies between the sizes tried is not seen: the answer is as good as the grid is fine.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import NamedTuple

import numpy as np

from bess._arrays import Floats
from bess.sizing.sizes import points_of

__all__ = ["Refined", "refine"]


class Refined(NamedTuple):
    """The best point, its value, how near its neighbours were tried, and how many were."""

    point: Floats
    value: float
    spacing: Floats
    tried: int


def refine(
    value: Callable[[Floats], Floats],
    axes: list[Floats],
    values: Floats,
    *,
    places: int,
    finer: int,
    tolerance: float,
) -> Refined:
    """The point of greatest value, from the ``values`` at a grid on.

    ``value`` takes points, a row each; NaN is no value. Around the best ``places`` that no
    neighbour is better than, grids are made ``finer`` by that factor until ``tolerance`` of the
    ranges, and moved where their best lies at their edge.
    """
    lower, upper = (np.array([axis[end] for axis in axes]) for end in (0, -1))
    first = np.array([axis[1] - axis[0] if len(axis) > 1 else 0.0 for axis in axes])
    shape = tuple(len(axis) for axis in axes)
    points = points_of(axes)
    found = np.where(np.isnan(values), -np.inf, values)
    tried = len(points)
    best = Refined(points[int(np.argmax(found))], float(found.max()), first, tried)
    for start in _peaks(found.reshape(shape))[:places]:
        spacing, centre, most = first, points[start], float(found[start])
        spacing = spacing / finer
        reach = np.arange(1 - finer, finer)
        while True:
            near = [
                np.unique(np.clip(c + s * reach, a, b))
                for c, s, a, b in zip(centre, spacing, lower, upper, strict=True)
            ]
            around = points_of(near)
            own = value(around)
            own = np.where(np.isnan(own), -np.inf, own)
            tried += len(around)
            at_edge = False
            if own.max() > most:
                step = np.abs(around[int(np.argmax(own))] - centre)
                at_edge = bool((step > (finer - 1.5) * spacing).any() and (step > 0).any())
                most, centre = float(own.max()), around[int(np.argmax(own))]
            if not at_edge:
                if (spacing <= tolerance * (upper - lower)).all():
                    break
                spacing = spacing / finer
        if most >= best.value:
            best = Refined(centre, most, spacing, tried)
    return best._replace(tried=tried)


def _peaks(values: Floats) -> list[int]:
    """The points that no neighbour is better than, best first."""
    padded = np.pad(values, 1, constant_values=-np.inf)
    inner = tuple(slice(1, -1) for _ in values.shape)
    is_peak = np.isfinite(values)
    for shift in product((-1, 0, 1), repeat=values.ndim):
        moved = np.roll(padded, shift, axis=tuple(range(values.ndim)))[inner]
        is_peak &= values >= moved
    places = np.flatnonzero(is_peak.ravel())
    order = np.argsort(-values.ravel()[places], kind="stable")
    return [int(place) for place in places[order]]
