"""Branch and bound over few binaries and a large linear program, which is solved warm at each node.

A tariff's falling bands have a binary or two for each billing period, and an LP of a whole year under
them. What a node's schedule truly costs is a bound from above that the LP does not know of.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

import numpy as np

from bess.errors import InfeasibleError, SolverError
from bess.highs import Answer, Clock, Relaxation

__all__ = ["branch_and_bound"]

_WHOLE = 1e-6


def branch_and_bound(
    relaxation: Relaxation, worth_less_than: Callable[[Answer], float], clock: Clock
) -> float:
    """A lower bound on the optimum over whole numbers, once it is near enough or time is up.

    ``worth_less_than`` takes the answer of each node, and says which bounds are worth going on
    from: those below what it returns.
    """
    size = len(relaxation.binaries)
    gains = _Gains(size)
    number = count()
    nodes = [(-np.inf, next(number), np.zeros(size), np.ones(size), -1, 0.0, -np.inf)]
    closed, enough = np.inf, np.inf
    while nodes and nodes[0][0] < enough and not (clock.passed and closed < np.inf):
        bound, _, lower, upper, branched, distance, before = heapq.heappop(nodes)
        try:
            answer = relaxation.solve(lower, upper)
        except InfeasibleError:
            continue
        except SolverError:
            if not clock.passed:
                raise
            closed = min(closed, bound)
            break
        bound = max(bound, answer.lower_bound)
        if branched >= 0:
            gains.learn(branched, upper[branched] > 0, (answer.lower_bound - before) / distance)
        enough = worth_less_than(answer)
        found = answer.solution[relaxation.binaries]
        split = np.flatnonzero((lower < upper) & (abs(found - np.round(found)) > _WHOLE))
        if bound >= enough or not len(split):
            closed = min(closed, bound)
            continue
        chosen = int(split[np.argmax(gains.expected(found)[split])])
        for value in (0.0, 1.0):
            low, high = lower.copy(), upper.copy()
            low[chosen] = high[chosen] = value
            node = (low, high, chosen, abs(found[chosen] - value), answer.lower_bound)
            heapq.heappush(nodes, (bound, next(number), *node))
    return float(min(closed, nodes[0][0])) if nodes else float(closed)


class _Gains:
    """By how much bounds rose when a binary was fixed, each for a whole step of it."""

    def __init__(self, size: int) -> None:
        self._total = np.zeros((2, size))
        self._count = np.zeros((2, size))

    def learn(self, binary: int, value: bool, gain: float) -> None:
        self._total[int(value), binary] += max(gain, 0.0)
        self._count[int(value), binary] += 1

    def expected(self, found: np.typing.NDArray[np.float64]) -> np.typing.NDArray[np.float64]:
        """The product of what both branches are expected to gain; unknown ones gain the mean."""
        known = self._count > 0
        mean = self._total[known].sum() / self._count[known].sum() if known.any() else 1.0
        gain = np.where(known, self._total / np.maximum(self._count, 1.0), mean)
        least = 1e-9 * (1.0 + mean)
        product: np.typing.NDArray[np.float64] = np.maximum(gain[0] * found, least) * np.maximum(
            gain[1] * (1.0 - found), least
        )
        return product
