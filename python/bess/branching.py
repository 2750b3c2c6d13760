"""Branch and bound over few binaries and a large linear program, solved warm at each node.

A tariff's falling bands have a binary or two for each billing period, and an LP of a whole year
under them. What a node's schedule truly costs is a bound from above that the LP does not know of.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from bess._arrays import Floats
from bess.errors import InfeasibleError, SolverError
from bess.highs import Answer, Clock, Relaxation

__all__ = ["branch_and_bound"]

_WHOLE = 1e-6


class _Node(NamedTuple):
    bound: float
    number: int
    lower: Floats
    upper: Floats
    branched: int
    """The binary that was fixed last, and by how much; -1 at the root."""
    distance: float
    before: float
    """The bound before it was fixed."""


def branch_and_bound(
    relaxation: Relaxation,
    worth_less_than: Callable[[Answer], float],
    clock: Clock,
    most_nodes: int,
) -> float:
    """A lower bound on the optimum over whole numbers, near enough unless time or nodes run out.

    ``worth_less_than`` takes the answer of each node, and says which bounds are worth going on
    from: those below what it returns. It goes on from a node to the nearer of the two below it,
    until that is not worth it, and then to the least bound.
    """
    size = len(relaxation.binaries)
    gains = _Gains(size)
    node: _Node | None = _Node(-np.inf, 0, np.zeros(size), np.ones(size), -1, 0.0, -np.inf)
    waiting: list[_Node] = []
    closed = enough = np.inf
    number = 0
    while node is not None:
        if clock.passed or number > 2 * most_nodes:
            waiting.append(node)
            break
        bound, below = node.bound, None
        try:
            answer = relaxation.solve(node.lower, node.upper)
        except InfeasibleError:
            bound = np.inf
        except SolverError:
            waiting.append(node)
            break
        else:
            bound = max(bound, answer.lower_bound)
            if node.branched >= 0:
                gain = (answer.lower_bound - node.before) / node.distance
                gains.learn(node.branched, node.upper[node.branched] > 0, gain)
            enough = worth_less_than(answer)
            found = answer.solution[relaxation.binaries]
            free = node.lower < node.upper
            split = np.flatnonzero(free & (abs(found - np.round(found)) > _WHOLE))
            if bound < enough and len(split):
                chosen = int(split[np.argmax(gains.expected(found)[split])])
                for value in (0.0, 1.0) if found[chosen] > 0.5 else (1.0, 0.0):
                    if below is not None:  # the farther one waits
                        heapq.heappush(waiting, below)
                    number += 1
                    low, high = node.lower.copy(), node.upper.copy()
                    low[chosen] = high[chosen] = value
                    distance = abs(found[chosen] - value)
                    below = _Node(bound, number, low, high, chosen, distance, answer.lower_bound)
        if below is None:
            closed = min(closed, bound)
            below = heapq.heappop(waiting) if waiting and waiting[0].bound < enough else None
        node = below
    return float(min([closed, *(node.bound for node in waiting)]))


class _Gains:
    """By how much bounds rose when a binary was fixed, each for a whole step of it."""

    def __init__(self, size: int) -> None:
        self._total = np.zeros((2, size))
        self._count = np.zeros((2, size))

    def learn(self, binary: int, value: bool, gain: float) -> None:
        self._total[int(value), binary] += max(gain, 0.0)
        self._count[int(value), binary] += 1

    def expected(self, found: Floats) -> Floats:
        """The product of what both branches are expected to gain; unknown ones gain the mean."""
        known = self._count > 0
        mean = self._total[known].sum() / self._count[known].sum() if known.any() else 1.0
        gain = np.where(known, self._total / np.maximum(self._count, 1.0), mean)
        least = 1e-9 * (1.0 + mean)
        product: Floats = np.maximum(gain[0] * found, least) * np.maximum(
            gain[1] * (1.0 - found), least
        )
        return product
