"""A long program's binaries, stretch by stretch, with a bound for the whole.

Binaries are needed where the relaxation does two things at once, and they matter to the hours
around. Around such steps a stretch is cut out of the program. With the energies at its ends free,
but paid for at what the relaxation says they are worth, its own optimum bounds the whole from below
(the relaxation's bound, with the stretch's part of it replaced). With the energies held as the
relaxation has them, its optimum is a schedule that fits in. Where the two differ by too much, the
stretch is made longer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bess import _core
from bess._arrays import Floats
from bess.errors import InfeasibleError
from bess.highs import Answer, Clock, solve_whole

__all__ = ["Part", "solve_by_stretches"]

_MARGIN: Final = 6
# Stretches that take in more than this part of the horizon are no better than the whole.
_MOST_OF_IT: Final = 0.5
# In the program's units.
_SAME_ENERGY: Final = 1e-9


def solve_by_stretches(
    relaxed: _core.LinearProgram,
    answer: Answer,
    program: _core.LinearProgram,
    exclusive: NDArray[np.uint8],
    at_once: NDArray[np.uint8],
    gap: float,
    clock: Clock,
) -> Answer | None:
    """A solution in the relaxed program's columns that does one thing at a time, and a bound.

    ``program`` has binaries at the ``exclusive`` steps, among them those in which the relaxation's
    ``answer`` does two things ``at_once``. ``gap`` is in money. None where stretches would be most
    of the horizon. Requires: prices by step alone; a start that is given; columns for flows.
    """
    if answer.duals is None or not at_once.any():
        return None
    cut = _Cut(relaxed, answer, answer.duals, program, exclusive)
    steps = len(at_once)
    margins = {(t, t + 1): _MARGIN for t in np.flatnonzero(at_once).tolist()}
    solved: dict[tuple[int, int], _Solved] = {}
    while True:
        stretches = _joined([(max(a - m, 0), min(b + m, steps)) for (a, b), m in margins.items()])
        if sum(b - a for a, b in stretches) > _MOST_OF_IT * steps:
            return None
        share = 0.5 * gap / len(stretches)
        solved = {ends: solved.get(ends) or cut.solve(*ends, share, clock) for ends in stretches}
        short = {ends: own.cost - own.bound for ends, own in solved.items()}
        if sum(short.values()) <= gap:
            break
        margins = {(a, b): b - a if own > share else 0 for (a, b), own in short.items()}
    solution, bound = answer.solution.copy(), answer.lower_bound
    for ends, own in solved.items():
        solution[cut.columns(*ends)] = own.columns
        bound += own.bound - cut.relaxed_part(*ends)
    return Answer(solution, bound, None)


def _joined(stretches: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Stretches in order, those that overlap or touch as one."""
    found: list[tuple[int, int]] = []
    for a, b in sorted(stretches):
        if found and a <= found[-1][1]:
            found[-1] = (found[-1][0], max(b, found[-1][1]))
        else:
            found.append((a, b))
    return found


class _Solved(NamedTuple):
    """A stretch's least cost with the energies at its ends held, a bound on it with them free, both
    in money and with these energies at what they are worth; and the columns of its steps.
    """

    cost: float
    bound: float
    columns: Floats


@dataclass(frozen=True, eq=False)
class Part:
    """A program cut out of another, under the same names."""

    column_cost: Floats
    tie_cost: Floats
    column_lower: Floats
    column_upper: Floats
    row_lower: Floats
    row_upper: Floats
    start: NDArray[np.int32]
    index: NDArray[np.int32]
    value: Floats
    integrality: NDArray[np.int32]
    energy_unit: float
    cost_unit: float
    offset: float = 0.0
    has_flows: bool = True


class _Cut:
    def __init__(
        self,
        relaxed: _core.LinearProgram,
        answer: Answer,
        duals: Floats,
        program: _core.LinearProgram,
        exclusive: NDArray[np.uint8],
    ) -> None:
        self._relaxed = relaxed
        self._held = answer.solution
        self._duals = duals
        self._program = program
        self._steps = len(exclusive)
        self._unit = program.cost_unit * program.energy_unit
        self._per_step = (
            len(relaxed.column_cost) // self._steps
        )  # the energy of a device comes last
        self._devices = (self._per_step - 2) // 5
        self._binaries_before = np.concatenate([[0], np.cumsum(exclusive, dtype=np.intp)])
        entry_column = np.repeat(np.arange(len(relaxed.column_cost)), np.diff(relaxed.start))
        reduced = relaxed.column_cost - np.bincount(
            entry_column, duals[relaxed.index] * relaxed.value, len(relaxed.column_cost)
        )
        least = np.where(reduced > 0, relaxed.column_lower, relaxed.column_upper)
        side = np.where(duals > 0, relaxed.row_lower, relaxed.row_upper)
        self._of_column = reduced * least
        self._of_row = duals * np.where((duals != 0) & np.isfinite(side), side, 0.0)

    def columns(self, first: int, end: int) -> slice:
        """The columns of steps but for their binaries."""
        return slice(first * self._per_step, end * self._per_step)

    def relaxed_part(self, first: int, end: int) -> float:
        """What steps are in the relaxation's bound, the energies at their ends as in `solve`."""
        of_rows = self._of_row[self._rows(self._relaxed, first, end)].sum()
        return float(self._of_column[self.columns(first, end)].sum() + of_rows) * self._unit

    def solve(self, first: int, end: int, gap: float, clock: Clock) -> _Solved:
        """The optimum of steps with the energies at their ends free, and with them held."""
        part, of_ends, held = self._part(first, end)
        free = solve_whole(part, gap, clock)
        own = slice((end - first) * self._per_step)
        if (abs(free.solution[of_ends] - held) <= _SAME_ENERGY).all():
            cost = float(part.column_cost @ free.solution) * self._unit
            return _Solved(cost, free.lower_bound, free.solution[own])
        lower, upper = part.column_lower.copy(), part.column_upper.copy()
        lower[of_ends] = upper[of_ends] = np.clip(held, lower[of_ends], upper[of_ends])
        try:
            fixed = solve_whole(replace(part, column_lower=lower, column_upper=upper), gap, clock)
        except InfeasibleError:  # by a hair: a longer stretch has other ends
            return _Solved(np.inf, free.lower_bound, free.solution[own])
        cost = float(part.column_cost @ fixed.solution) * self._unit
        return _Solved(cost, free.lower_bound, fixed.solution[own])

    def _rows(self, program: _core.LinearProgram, first: int, end: int) -> slice:
        """The rows of steps: the first entry of a step's first column is in its first row."""
        begin = program.index[program.start[first * self._per_step]]
        if end == self._steps:
            return slice(begin, len(program.row_lower))
        return slice(begin, program.index[program.start[end * self._per_step]])

    def _energies(self, step: int) -> NDArray[np.intp]:
        """The columns of the energies after a step; none before the first and after the last."""
        devices = range(self._devices) if 0 <= step < self._steps - 1 else ()
        return np.array([self._program.energy_column(step, i) for i in devices], np.intp)

    def _worth(self, energies: NDArray[np.intp]) -> Floats:
        entry = self._relaxed.start[energies] + 1
        found: Floats = -self._duals[self._relaxed.index[entry]] * self._relaxed.value[entry]
        return found

    def _part(self, first: int, end: int) -> tuple[Part, NDArray[np.intp], Floats]:
        """The program of steps, the energies before them as its last columns; which of its columns
        are energies at its ends, and what these are in the relaxation.
        """
        program, rows = self._program, self._rows(self._program, first, end)
        before, after = self._energies(first - 1), self._energies(end - 1)
        own = self.columns(first, end)
        each = self._devices + 1
        binaries = self._steps * self._per_step + each * self._binaries_before[[first, end]]
        taken = np.concatenate([np.arange(own.start, own.stop), np.arange(*binaries), before])
        counts = np.diff(program.start)[taken]
        column = np.repeat(np.arange(len(taken)), counts)
        offset = np.arange(len(column)) - np.repeat(np.cumsum(counts) - counts, counts)
        entry = program.start[taken][column] + offset
        row = program.index[entry] - rows.start
        inside = (row >= 0) & (row < rows.stop - rows.start)
        cost = program.column_cost[taken].copy()
        # What the energies are worth: their entries in the next step's rows, each its second.
        worth = [self._worth(energies) for energies in (before, after)]
        last = np.arange(len(taken) - len(before), len(taken))
        cost[last] = -worth[0]
        cost[after - own.start] += worth[1]
        part = Part(
            column_cost=cost,
            tie_cost=program.tie_cost[taken],
            column_lower=program.column_lower[taken],
            column_upper=program.column_upper[taken],
            row_lower=program.row_lower[rows],
            row_upper=program.row_upper[rows],
            start=np.searchsorted(column[inside], np.arange(len(taken) + 1)).astype(np.int32),
            index=row[inside].astype(np.int32),
            value=program.value[entry[inside]],
            integrality=program.integrality[taken],
            energy_unit=program.energy_unit,
            cost_unit=program.cost_unit,
        )
        of_ends = np.concatenate([last, after - own.start])
        return part, of_ends, self._held[np.concatenate([before, after])]
