"""Optimal dispatch: states the problem for a solver, and certifies what comes back."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bess import _core
from bess._arrays import Floats
from bess.errors import InfeasibleError, SolverError
from bess.highs import Answer, Clock, least_throughput, solve
from bess.infeasibility import EnergyWindows, jointly_attainable, wanted_windows
from bess.site import Site
from bess.strategy import Optimize
from bess.unit import Unit

__all__ = ["Optimum", "optimize"]

# Part of the gap that the solver is given: what is left is for the recomputed flows.
_SOLVERS_PART = 0.9
# Costs that differ by less, relative to the money that flows, are the same.
_SAME_COST = 2e-9


@dataclass(frozen=True, eq=False)
class Optimum:
    """The flows of an optimal dispatch, what it costs, and what no dispatch can undercut."""

    series: Floats
    device_series: Floats
    cost: float
    lower_bound: float
    gap: float


def optimize(
    site: Site, units: list[Unit], strategy: Optimize, import_price: Floats, export_price: Floats
) -> Optimum:
    """The least-cost dispatch of one unit or several.

    Raises
    ------
    InfeasibleError
        Naming the first instant at which a policy or the terminal state of charge cannot be met, or
        the first step whose load is above the import limit.
    SolverError
        Where the solver gives no answer, or none in time.
    """
    search = _Search(site, units, strategy, import_price, export_price)
    search.run(None, np.inf)
    if strategy.allow_simultaneous:
        return search.best.optimum
    suspects = (import_price < 0) | (export_price > import_price)
    needed = np.zeros(site.steps, dtype=np.uint8)
    loosest = np.inf
    while search.best.optimum.gap > strategy.gap:
        asked = strategy.gap * search.scale
        if not (search.not_exclusive > needed).any() and loosest <= asked:
            break
        # Binaries where a price calls for them, and wherever else the relaxation used both at once.
        needed |= search.not_exclusive | suspects.astype(np.uint8)
        loosest = _SOLVERS_PART * asked
        try:
            search.run(needed, loosest)
        except SolverError:
            if search.best.feasible and search.clock.passed:
                break
            raise
    search.break_ties()
    if not search.best.feasible:
        raise SolverError("the solver's schedule cannot be carried out")
    return search.best.optimum


@dataclass(frozen=True, eq=False)
class _Recovered:
    optimum: Optimum
    feasible: bool


class _Search:
    """The windows that are to be met, and the best dispatch found that meets them."""

    def __init__(
        self,
        site: Site,
        units: list[Unit],
        strategy: Optimize,
        import_price: Floats,
        export_price: Floats,
    ) -> None:
        self.clock = Clock(strategy.time_limit)
        self._site = site
        self._units = units
        self._strategy = strategy
        self._prices = (import_price, export_price)
        self._money = _Money(units, import_price, export_price)
        self._wanted = wanted_windows(site, units, strategy.relax_policies)
        self._problem = self._stated(self._wanted)
        self._best: _Recovered | None = None
        self._last: tuple[_core.LinearProgram, Answer]
        self.not_exclusive: NDArray[np.uint8] = np.zeros(site.steps, dtype=np.uint8)

    @property
    def best(self) -> _Recovered:
        """The cheapest feasible dispatch, with the highest lower bound."""
        assert self._best is not None
        return self._best

    @property
    def scale(self) -> float:
        """The money that flows in the best dispatch."""
        return self._money.scale(self.best.optimum.series)

    def run(self, exclusive: NDArray[np.uint8] | None, gap: float) -> None:
        """Solve to an absolute ``gap``, with binaries at the ``exclusive`` steps."""
        program = _core.build_linear_program(self._problem, exclusive)
        try:
            answer = solve(program, gap=gap, clock=self.clock)
        except InfeasibleError:
            # Each window could be met, but not all of them together.
            self._problem = self._stated(
                jointly_attainable(
                    self._site,
                    self._units,
                    self._wanted,
                    lambda windows: _core.build_linear_program(self._stated(windows), exclusive),
                    self._strategy.relax_policies,
                    self.clock,
                )
            )
            self._best = None  # it met other windows
            program = _core.build_linear_program(self._problem, exclusive)
            answer = solve(program, gap=gap, clock=self.clock)
        self._last = (program, answer)
        self._keep(program, answer)

    def break_ties(self) -> None:
        """Take a dispatch of less throughput, where the last program has one of the same cost."""
        program, answer = self._last
        solution = least_throughput(program, answer.solution, self.clock)
        if solution is not answer.solution:
            dearest = self.best.optimum.cost + _SAME_COST * self.scale
            self._keep(program, replace(answer, solution=solution), dearest)

    def _stated(self, windows: list[EnergyWindows]) -> _core.Problem:
        devices = [
            unit.core_device(self._site.step_hours, asked)
            for unit, asked in zip(self._units, windows, strict=True)
        ]
        cyclic = self._units[0].battery.terminal_state_of_charge == "cyclic"
        return _core.Problem(self._site._core, devices, *self._prices, cyclic)

    def _keep(
        self, program: _core.LinearProgram, answer: Answer, dearest: float | None = None
    ) -> None:
        """Recover an answer's flows: the best if cheaper, or if not above ``dearest``."""
        series, device_series, self.not_exclusive, feasible = _core.recover(
            self._problem, program, answer.solution, self._strategy.allow_simultaneous
        )
        cost = self._money.cost(series, device_series)
        optimum = Optimum(series, device_series, cost, answer.lower_bound, np.inf)
        lower_bound = answer.lower_bound
        if self._best is not None:
            before = self._best.optimum
            lower_bound = max(lower_bound, before.lower_bound)
            dearest = before.cost if dearest is None else dearest
            if self._best.feasible and (not feasible or cost > dearest):
                optimum, feasible = before, True
        gap = np.inf
        if feasible:  # rounding apart, a bound is never above a cost
            lower_bound = min(lower_bound, optimum.cost)
            gap = (optimum.cost - lower_bound) / self._money.scale(optimum.series)
        self._best = _Recovered(replace(optimum, lower_bound=lower_bound, gap=gap), feasible)


class _Money:
    """What flows cost."""

    def __init__(self, units: list[Unit], import_price: Floats, export_price: Floats) -> None:
        self._prices = (import_price, export_price)
        self._wear = [
            unit.battery.degradation_cost_per_kwh / unit.battery.dc_to_ac_efficiency
            for unit in units
        ]

    def cost(self, series: Floats, device_series: Floats) -> float:
        """Energy bought less energy sold, plus degradation."""
        import_price, export_price = self._prices
        bought, sold = series[0] + series[1], series[4] + series[7]
        given = device_series[:, 2].sum(axis=1) + device_series[:, 3].sum(axis=1)
        energy = float(np.dot(import_price, bought) - np.dot(export_price, sold))
        return energy + float(np.dot(self._wear, given))

    def scale(self, series: Floats) -> float:
        """The money that flows, at least 1: what a gap is relative to."""
        import_price, export_price = self._prices
        bought = float(np.dot(abs(import_price), series[0] + series[1]))
        return max(1.0, bought + float(np.dot(abs(export_price), series[4] + series[7])))
