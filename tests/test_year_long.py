"""Year-long random problems: the core's exact programme against HiGHS on every flow's column.

A year of steps that are all convex is a linear programme, which HiGHS solves to the end. One with
kinks is a mixed-integer programme, of which it may, in the time given, only learn that the optimum
lies between two costs.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from random_problems import Case, Floats, random_year
from test_dynamic_program import check_flows, money

from bess import _core
from bess.errors import InfeasibleError, SolverError
from bess.highs import Clock, solve

pytestmark = [pytest.mark.slow, pytest.mark.highs]

SECONDS = 20.0
"""For one mixed-integer programme."""


def judged(case: Case) -> tuple[float, float] | None:
    """The cost of the best schedule that HiGHS finds, and its bound; None: there is none."""
    problem, clock = case.problem(), Clock(SECONDS)
    suspects = (case.import_price < 0) | (case.export_price > case.import_price)
    exclusive: NDArray[np.uint8] | None = None
    best, bound = np.inf, -np.inf
    while True:
        program = _core.build_linear_program(problem, exclusive)
        gap = 1e-10 * abs(best) if np.isfinite(best) else 0.0
        try:
            answer = solve(program, gap=gap, clock=Clock(None) if exclusive is None else clock)
        except InfeasibleError:
            return None
        except SolverError:
            return best, bound
        flows, _, at_once, feasible = _core.recover(problem, program, answer.solution, False)
        bound = max(bound, answer.lower_bound)
        cost, scale = money(case, flows)
        best = min(best, cost) if feasible else best
        if best - bound <= 1e-10 * scale or clock.passed:
            return best, bound
        marked = at_once.astype(bool) | suspects
        if exclusive is not None:
            marked |= exclusive.astype(bool)
            if (marked == exclusive).all():
                return best, bound
        exclusive = marked.astype(np.uint8)


def check(case: Case) -> bool:
    """Whether HiGHS has proven its optimum: then it is the core's."""
    found, other = _core.solve_dynamic_program(case.problem()), judged(case)
    assert (found is None) == (other is None), case
    if found is None or other is None:
        return True
    flows: Floats = found[0]
    cost, scale = money(case, flows)
    assert abs(cost - found[3]) <= 1e-12 * scale, case
    check_flows(case, flows)
    best, bound = other
    assert cost <= best + 1e-9 * scale, (case, cost, other)
    assert bound <= cost + 1e-9 * scale, (case, cost, other)
    return best - bound <= 2e-9 * scale


@pytest.mark.parametrize("seed", range(14))
def test_years_of_convex_steps_cost_what_highs_finds(seed: int) -> None:
    rng = np.random.default_rng(100 + seed)
    for _ in range(10):
        check(random_year(rng, 8760, 0))


@pytest.mark.parametrize("seed", range(5))
def test_years_with_kinks_cost_what_highs_finds(seed: int) -> None:
    rng = np.random.default_rng(200 + seed)
    for kinks in (1, 3, 10, 30, 100, 3, 10, 30, 10, 30):
        check(random_year(rng, 8760, kinks))


@pytest.mark.parametrize("seed", range(2))
def test_years_of_quarter_hours_cost_what_highs_finds(seed: int) -> None:
    rng = np.random.default_rng(300 + seed)
    for kinks in (0, 0, 0, 0, 10):
        check(random_year(rng, 35040, kinks))
