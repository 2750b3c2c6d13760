"""HiGHS, and nothing else: the only module that imports highspy, and only when it solves."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from bess import _core
from bess._arrays import Floats
from bess.errors import InfeasibleError, SolverError

if TYPE_CHECKING:
    from bess.stretches import Part

__all__ = [
    "PRIMAL_SIMPLEX",
    "Answer",
    "Clock",
    "Relaxation",
    "least_throughput",
    "nearest_energies",
    "new_highs",
    "run",
    "solve",
    "solve_whole",
]

# Far tighter than the certificate needs; the flows are recomputed in any case.
_TOLERANCE: Final = 1e-9
_COLUMN_WISE: Final = 1
_MINIMISE: Final = 1
PRIMAL_SIMPLEX: Final = 4
_OTHER_WAYS: Final = (
    ("random_seed", 1),
    ("presolve", "on"),
    ("simplex_strategy", PRIMAL_SIMPLEX),
    ("simplex_scale_strategy", 0),
    ("solver", "ipm"),
    ("primal_feasibility_tolerance", 1e-7),
)
# A second MILP to break ties is affordable up to here (two days of hours), and so many nodes.
_FEW_COLUMNS: Final = 500
_FEW_NODES: Final = 500


@dataclass(frozen=True, eq=False)
class Answer:
    """A solution in the program's units, a lower bound on the optimum in money, and row duals."""

    solution: Floats
    lower_bound: float
    duals: Floats | None
    """Of the program with its whole numbers fixed; None where that could not be solved."""


class Clock:
    """Seconds left of a time limit (None: no limit)."""

    def __init__(self, limit: float | None) -> None:
        self._end = math.inf if limit is None else time.monotonic() + limit

    @property
    def left(self) -> float:
        """Seconds left, at least a hundredth."""
        return max(self._end - time.monotonic(), 0.01)

    @property
    def passed(self) -> bool:
        """Whether nothing is left."""
        return time.monotonic() >= self._end


def solve(
    program: _core.LinearProgram, *, gap: float, clock: Clock, relaxed: bool = False
) -> Answer:
    """Solve a program: an LP to optimality, a MILP to an absolute ``gap`` in money.

    ``relaxed`` leaves whole numbers free between their bounds. Raises `InfeasibleError` (without a
    step: the caller knows better) and `SolverError`.
    """
    if relaxed or not program.integrality.any():
        return _solve_linear(program, clock)
    return solve_whole(program, gap, clock)


def solve_whole(program: _core.LinearProgram | Part, gap: float, clock: Clock) -> Answer:
    """Solve a MILP to an absolute ``gap`` in money; raises as `solve`."""
    whole = program.integrality
    unit = program.cost_unit * program.energy_unit
    highs = _load(program, program.column_cost, program.column_lower, program.column_upper, whole)
    highs.setOptionValue("mip_abs_gap", max(gap / unit, 1e-12))
    found = run(highs, clock)
    info = highs.getInfo()
    bound = float(info.mip_dual_bound) * unit + program.offset
    solution, duals = _with_fixed_modes(program, found, clock)
    return Answer(solution, bound, duals)


def _with_fixed_modes(
    program: _core.LinearProgram | Part, found: Floats, clock: Clock
) -> tuple[Floats, Floats | None]:
    # Whole numbers are whole only to a tolerance: fix them and let the rest follow.
    lower, upper = program.column_lower.copy(), program.column_upper.copy()
    fixed = program.integrality != 0
    lower[fixed] = upper[fixed] = np.round(found[fixed])
    try:
        return _break_ties(program, lower, upper, clock)
    except (InfeasibleError, SolverError):  # by a hair, or for want of time
        return found, None


class Relaxation:
    """A program without its whole numbers, to be solved again and again with some of them fixed."""

    def __init__(self, program: _core.LinearProgram, clock: Clock) -> None:
        columns = len(program.column_cost)
        self._program = program
        self._clock = clock
        self._lower, self._upper = program.column_lower.copy(), program.column_upper.copy()
        self._highs = _load(
            program,
            program.column_cost,
            self._lower,
            self._upper,
            np.zeros(columns, dtype=np.int32),
        )
        self.binaries = np.flatnonzero(program.integrality).astype(np.int32)
        """The columns of the whole numbers."""

    def solve(self, lower: Floats, upper: Floats) -> Answer:
        """The optimum with ``binaries`` between these bounds.

        Raises `InfeasibleError` and `SolverError`.
        """
        self._lower[self.binaries], self._upper[self.binaries] = lower, upper
        self._highs.changeColsBounds(len(self.binaries), self.binaries, lower, upper)
        solution = run(self._highs, self._clock, to_the_end=True)
        duals = np.array(self._highs.getSolution().row_dual)
        bound = _core.dual_bound(self._program, duals, self._lower, self._upper)
        return Answer(solution, bound, duals)


def least_throughput(program: _core.LinearProgram, found: Floats, clock: Clock) -> Floats:
    """Of all solutions of a MILP that cost no more than the one found, one of least throughput.

    That is a second MILP, so only on short horizons; on long ones the solver's choice among ties
    stands, which is the same every time.
    """
    whole = program.integrality
    if not whole.any() or len(whole) > _FEW_COLUMNS:
        return found
    highs = _load(program, program.column_cost, program.column_lower, program.column_upper, whole)
    columns = np.arange(len(found), dtype=np.int32)
    cost = float(program.column_cost @ found)
    highs.addRow(
        -np.inf, cost + _TOLERANCE * max(1.0, abs(cost)), len(columns), columns, program.column_cost
    )
    throughput = program.tie_cost / max(program.tie_cost.max(), 1e-300)
    highs.changeColsCost(len(columns), columns, throughput)
    highs.setOptionValue("mip_abs_gap", _TOLERANCE)
    highs.setOptionValue("mip_max_nodes", _FEW_NODES)
    highs.setSolution(len(found), columns, found)
    try:
        return _with_fixed_modes(program, run(highs, clock), clock)[0]
    except (InfeasibleError, SolverError):  # by a hair, or for want of time
        return found


def _solve_linear(program: _core.LinearProgram, clock: Clock) -> Answer:
    solution, duals = _break_ties(program, program.column_lower, program.column_upper, clock)
    bound = _core.dual_bound(program, duals, program.column_lower, program.column_upper)
    return Answer(solution, bound, duals)


def _break_ties(
    program: _core.LinearProgram | Part, lower: Floats, upper: Floats, clock: Clock
) -> tuple[Floats, Floats]:
    """An optimal solution of least throughput, and optimal duals.

    The first run has a little cost on throughput, which decides ties; the second starts from its
    basis with the true cost, and moves only where that is strictly cheaper.
    """
    columns = len(program.column_cost)
    cost = program.column_cost + program.tie_cost
    highs = _load(program, cost, lower, upper, np.zeros(columns, dtype=np.int32))
    first = run(highs, clock)
    first_duals = np.array(highs.getSolution().row_dual)
    highs.changeColsCost(columns, np.arange(columns, dtype=np.int32), program.column_cost)
    highs.setOptionValue("simplex_strategy", PRIMAL_SIMPLEX)
    try:
        solution = run(highs, clock)
    except (InfeasibleError, SolverError):  # the first is optimal but for the little cost
        return first, first_duals
    return solution, np.array(highs.getSolution().row_dual)


def nearest_energies(
    program: _core.LinearProgram, columns: Any, low: Floats, high: Floats, clock: Clock
) -> Floats:
    """Values of ``columns`` that a feasible solution can have, each as near to its [low, high] as
    those before it allow. All in the program's units.
    """
    nothing = np.zeros(len(program.column_cost))
    highs = _load(program, nothing, program.column_lower, program.column_upper, program.integrality)
    highs.setOptionValue("mip_abs_gap", _TOLERANCE)
    count, slack = len(columns), len(nothing) + np.arange(len(columns), dtype=np.int32)
    unlimited = np.full(count, np.inf)
    empty = np.zeros(0, dtype=np.int32)
    weights, most = np.ones(count), unlimited.copy()
    highs.addCols(
        count, weights, np.zeros(count), unlimited, 0, np.zeros(count, np.int32), empty, np.zeros(0)
    )
    pairs = np.stack([columns, slack], axis=1).astype(np.int32).ravel()
    starts = 2 * np.arange(count, dtype=np.int32)
    for sign, lower, upper in ((1.0, low, unlimited), (-1.0, -unlimited, high)):
        highs.addRows(count, lower, upper, 2 * count, starts, pairs, np.tile([1.0, sign], count))
    settled = 0
    while True:
        found = run(highs, clock)
        missing = found[slack]
        late = settled + np.flatnonzero(missing[settled:] > _TOLERANCE)
        if len(late) == 0:
            nearest: Floats = found[columns]
            return nearest
        # All before the first that is missed can be met: hold them, and see how near it can come.
        first, most[settled : late[0]] = int(late[0]), 0.0
        weights[:] = slack == slack[first]
        highs.changeColsCost(count, slack, weights)
        highs.changeColsBounds(count, slack, np.zeros(count), most)
        most[first] = max(float(run(highs, clock)[slack[first]]), 0.0)
        weights[:] = np.arange(count) > first
        highs.changeColsCost(count, slack, weights)
        highs.changeColsBounds(count, slack, np.zeros(count), most)
        settled = first + 1


def new_highs() -> Any:
    """HiGHS, empty, quiet and strict."""
    import highspy

    highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    for option, value in (
        ("output_flag", False),
        ("threads", 1),
        ("random_seed", 0),
        ("primal_feasibility_tolerance", _TOLERANCE),
        ("dual_feasibility_tolerance", _TOLERANCE),
        ("mip_feasibility_tolerance", _TOLERANCE),
        ("mip_rel_gap", 0.0),
    ):
        highs.setOptionValue(option, value)
    return highs


def _load(
    program: _core.LinearProgram | Part, cost: Floats, lower: Floats, upper: Floats, whole: Any
) -> Any:
    import highspy

    highs = new_highs()
    # With a row a step there is little for presolve to find: measured, it takes longer.
    highs.setOptionValue("presolve", "choose" if program.has_flows or whole.any() else "off")
    status = highs.passModel(
        len(cost),
        len(program.row_lower),
        len(program.value),
        _COLUMN_WISE,
        _MINIMISE,
        0.0,
        cost,
        lower,
        upper,
        program.row_lower,
        program.row_upper,
        program.start,
        program.index,
        program.value,
        whole,
    )
    if status == highspy.HighsStatus.kError:
        raise SolverError("HiGHS refused the model")
    return highs


def run(highs: Any, clock: Clock, *, to_the_end: bool = False) -> Floats:
    """The columns of the solution found; ``to_the_end``: of an optimum.

    Raises `InfeasibleError` and `SolverError`.
    """
    import highspy

    if clock.left < math.inf:
        highs.setOptionValue("time_limit", clock.left + highs.getRunTime())
    status = highs.run()
    model = highs.getModelStatus()
    kinds = highspy.HighsModelStatus
    in_doubt = (kinds.kUnknown, kinds.kSolveError, kinds.kNotset)
    for option, value in _OTHER_WAYS if model in in_doubt else ():
        # On degenerate programs simplex can stop in doubt: start afresh, in another way.
        highs.clearSolver()
        highs.setOptionValue(option, value)
        status = highs.run()
        model = highs.getModelStatus()
        if model not in in_doubt:
            break
    if model in (kinds.kInfeasible, kinds.kUnboundedOrInfeasible):
        raise InfeasibleError("no dispatch meets every limit")
    feasible = highs.getInfo().primal_solution_status == 2
    stopped = model in (kinds.kTimeLimit, kinds.kIterationLimit, kinds.kSolutionLimit)
    if model == kinds.kOptimal or (stopped and feasible and not to_the_end):
        return np.array(highs.getSolution().col_value)
    if stopped:
        raise SolverError("the time limit passed before any schedule was found: allow more time")
    raise SolverError(
        f"HiGHS stopped without an answer ({highs.modelStatusToString(model)}, {status})"
    )
