"""Energies of segments that meet the totals of bills which may overlap.

The typical's energies are scaled to one bill after the other until all are met (iterative
proportional fitting: where it converges, to the solution nearest to the typical in relative
entropy). Where that is slow, the energies it has reached are moved as little as possible, in least
squares relative to each, so that every total is met and none is below 0: a least-distance problem,
solved by way of non-negative least squares (Lawson and Hanson, Solving Least Squares Problems,
1974, chapter 23), which also tells when there is no solution. Totals that contradict each other by
no more than the rounding of their figures are then met within that rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["EXACT", "Contradiction", "Met", "meet"]

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

EXACT: Final = 1e-12
_SWEEPS: Final = 60
_RELAXED: Final = (0.0, 1e-13, 1e-12, 1e-11)
"""By how much, relative to the largest total, an energy may come out below 0, to be set to 0."""
_MET: Final = 1e-9
"""How far, relative to the largest total, a solution may be off before it is none."""


class Contradiction(Exception):  # noqa: N818 (caught where the bills' names are known)
    """No energies have all totals; holds the bill that is farthest from its own."""

    def __init__(self, bill: int) -> None:
        super().__init__(bill)
        self.bill = bill


@dataclass(frozen=True)
class Met:
    """Energies of segments, each ≥ 0."""

    energies: Floats
    rounded: tuple[tuple[tuple[int, ...], float], ...]
    """Groups of bills that are met but for rounding, and how far the worst of each is off, kWh."""


def meet(cover: Booleans, totals: Floats, weights: Floats, unit: float) -> Met:
    """Energies in the shape of ``weights`` of which every bill's sum to its total.

    ``cover``: which segments each bill has, shape (bills, segments); ``unit``: what all totals are
    whole multiples of, in kWh; 0 for none.

    Raises
    ------
    Contradiction
        Where no energies have all the totals, not even within half a unit of each.
    """
    energies = weights.copy()
    rounded = []
    for bills in _connected(cover):
        segments = np.flatnonzero(cover[bills].any(axis=0))
        rows = cover[np.ix_(bills, segments)].astype(np.float64)
        wanted = totals[bills]
        found = _scaled(rows, wanted, weights[segments])
        if not _are_met(rows, wanted, found, EXACT):
            exact = _nearest(rows, wanted, found, 0.0)
            if exact is None and unit:
                exact = _nearest(rows, wanted, found, unit / 2)
                if exact is not None:
                    off = float(np.abs(rows @ exact - wanted).max())
                    rounded.append((tuple(map(int, bills)), off))
            if exact is None:
                gaps = np.abs(rows @ found - wanted) / np.maximum(wanted, 1.0)
                raise Contradiction(int(bills[np.argmax(gaps)]))
            found = exact
        energies[segments] = found
    return Met(energies, tuple(rounded))


def _connected(cover: Booleans) -> list[NDArray[np.intp]]:
    """Groups of bills that share segments, one of them with the next."""
    left = {int(i) for i in np.flatnonzero(cover.any(axis=1))}
    groups = []
    while left:
        own = {min(left)}
        reached = cover[min(left)]
        while True:
            more = {i for i in left - own if (cover[i] & reached).any()}
            if not more:
                break
            own |= more
            reached = cover[sorted(own)].any(axis=0)
        groups.append(np.array(sorted(own)))
        left -= own
    return groups


def _scaled(rows: Floats, wanted: Floats, weights: Floats) -> Floats:
    energies = weights.copy()
    inside = [np.flatnonzero(row) for row in rows]
    for _ in range(_SWEEPS):
        for own, total in zip(inside, wanted, strict=True):
            there = energies[own].sum()
            energies[own] *= total / there if there > 0 else 0.0
        if _are_met(rows, wanted, energies, EXACT):
            break
    return energies


def _are_met(rows: Floats, wanted: Floats, energies: Floats, tolerance: float) -> bool:
    gaps = np.abs(rows @ energies - wanted)
    return bool((gaps <= tolerance * np.maximum(wanted, 1e-300)).all())


def _nearest(rows: Floats, wanted: Floats, near: Floats, slack: float) -> Floats | None:
    """Energies ≥ 0 nearest to some that have the totals, each within a slack; None for none.

    A total off by the slack counts as much as energies that are moved by a hundred times theirs.
    """
    scale = np.sqrt(np.maximum(near, 1e-6 * max(near.max(), 1e-300)))
    columns = rows * scale
    lower = -near / scale
    upper = np.full(len(near), np.inf)
    if slack:
        small = 0.01 * slack / max(float(np.sqrt(near.sum())), 1e-300)
        columns = np.hstack([columns, small * np.eye(len(wanted))])
        lower = np.concatenate([lower, np.full(len(wanted), -slack / small)])
        upper = np.concatenate([upper, np.full(len(wanted), slack / small)])
    left, sizes, right = np.linalg.svd(columns)
    rank = int((sizes > 1e-11 * sizes[0]).sum())
    gaps = wanted - rows @ near
    move = right[:rank].T @ ((left[:, :rank].T @ gaps) / sizes[:rank])
    if np.abs(columns @ move - gaps).max() > _MET * wanted.max():
        return None
    free = right[rank:].T
    bounded = np.isfinite(upper)
    sides = np.vstack([free, -free[bounded]])
    least = np.concatenate([lower - move, (move - upper)[bounded]])
    width = np.concatenate([scale, np.ones(len(least) - len(scale))])
    for relaxed in _RELAXED:  # where some can be nothing but 0, rounding may leave no room
        moved = _least_distance(sides, least - relaxed * wanted.max() / width)
        if moved is not None:
            found: Floats = np.maximum(near + scale * (move + free @ moved)[: len(near)], 0.0)
            if _off(rows, wanted, found) <= slack + _MET * wanted.max():
                return found
    found = _non_negative(rows, wanted)  # far from what was near, but there
    return found if _off(rows, wanted, found) <= slack + _MET * wanted.max() else None


def _off(rows: Floats, wanted: Floats, energies: Floats) -> float:
    """How far the worst total is from what is wanted."""
    return float(np.abs(rows @ energies - wanted).max())


def _least_distance(matrix: Floats, least: Floats) -> Floats | None:
    """The shortest v with matrix @ v >= least; None where there is none."""
    if (least <= 0).all():
        return np.zeros(matrix.shape[1])
    size = max(float(np.abs(least).max()), 1e-300)
    left = np.vstack([matrix.T, least / size])
    right = np.zeros(len(left))
    right[-1] = 1.0
    residual = left @ _non_negative(left, right) - right
    if -residual[-1] <= 1e-13:
        return None
    found: Floats = -residual[:-1] / residual[-1] * size
    return found


def _non_negative(matrix: Floats, wanted: Floats) -> Floats:
    """The x >= 0 for which matrix @ x is nearest to what is wanted (Lawson and Hanson's NNLS)."""
    count = matrix.shape[1]
    found = np.zeros(count)
    inside = np.zeros(count, np.bool_)
    for _ in range(3 * count):
        slope = matrix.T @ (wanted - matrix @ found)
        slope[inside] = -np.inf
        if slope.max(initial=-np.inf) <= 1e-14:
            break
        inside[np.argmax(slope)] = True
        while True:
            trial = np.zeros(count)
            trial[inside] = np.linalg.lstsq(matrix[:, inside], wanted, rcond=None)[0]
            below = inside & (trial <= 0)
            if not below.any():
                break
            step = (found[below] / (found[below] - trial[below])).min()
            found += step * (trial - found)
            inside &= found > 1e-15
            found[~inside] = 0.0
        found = trial
    return found
