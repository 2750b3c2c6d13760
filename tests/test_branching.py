"""Branch and bound: the least over whole numbers, by trying them all."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bess.branching import branch_and_bound
from bess.errors import InfeasibleError
from bess.highs import Answer, Clock


class Knapsack:
    """Least cost of binaries whose weights reach a total; a fraction of one is solved as such."""

    def __init__(self, costs: list[int], weights: list[int], total: int) -> None:
        self.costs, self.weights, self.total = np.array(costs), np.array(weights), total
        self.binaries = np.arange(len(costs))

    def solve(self, lower: np.ndarray, upper: np.ndarray) -> Answer:
        found = lower.copy()
        missing = self.total - float(self.weights @ found)
        for i in np.argsort(self.costs / self.weights):
            if missing > 0 and found[i] < upper[i]:
                found[i] = min(1.0, missing / self.weights[i])
                missing -= self.weights[i] * found[i]
        if missing > 1e-9:
            raise InfeasibleError("too little")
        return Answer(found, float(self.costs @ found), None)


numbers = st.integers(1, 9)


@given(
    pairs=st.lists(st.tuples(numbers, numbers), min_size=1, max_size=7), part=st.floats(0.1, 1.0)
)
def test_the_bound_is_the_least_over_all_whole_numbers(
    pairs: list[tuple[int, int]], part: float
) -> None:
    costs, weights = ([pair[i] for pair in pairs] for i in (0, 1))
    total = round(part * sum(weights))
    best = [np.inf]

    def worth_less_than(answer: Answer) -> float:
        whole = np.ceil(answer.solution - 1e-9)  # rounded up, it reaches the total
        best[0] = min(best[0], float(np.dot(costs, whole)))
        return best[0] - 1e-9

    bound = branch_and_bound(
        Knapsack(costs, weights, total),  # type: ignore[arg-type]
        worth_less_than,
        Clock(None),
        1000,
    )
    every = itertools.product((0, 1), repeat=len(costs))
    least = min(np.dot(costs, x) for x in every if np.dot(weights, x) >= total)
    assert best[0] == pytest.approx(least)
    assert least - 1e-6 <= bound <= least + 1e-6


def test_without_nodes_the_bound_is_that_of_what_was_seen() -> None:
    found: list[Answer] = []

    def worth_less_than(answer: Answer) -> float:
        found.append(answer)
        return np.inf

    knapsack = Knapsack([3, 2], [2, 3], 4)
    bound = branch_and_bound(knapsack, worth_less_than, Clock(None), 0)  # type: ignore[arg-type]
    assert len(found) == 1
    assert bound == pytest.approx(found[0].lower_bound)
