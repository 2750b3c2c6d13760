"""Optimal dispatch: states the problem for a solver, and certifies what comes back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bess import _core
from bess._arrays import Floats
from bess.errors import InfeasibleError, SolverError
from bess.highs import Answer, Clock, solve
from bess.infeasibility import EnergyWindows, attainable, jointly_attainable
from bess.site import Site
from bess.strategy import Optimize
from bess.unit import Unit

__all__ = ["Optimum", "optimize"]


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
    clock = Clock(strategy.time_limit)
    wanted = [attainable(site, unit, strategy.relax_policies, len(units) == 1) for unit in units]

    def stated(windows: list[EnergyWindows]) -> tuple[_core.Problem, _core.LinearProgram]:
        devices = [
            unit.core_device(site.step_hours, asked)
            for unit, asked in zip(units, windows, strict=True)
        ]
        cyclic = units[0].battery.terminal_state_of_charge == "cyclic"
        problem = _core.Problem(site._core, devices, import_price, export_price, cyclic)
        return problem, _core.build_linear_program(problem, None)

    problem, program = stated(wanted)
    money = _Money(units, import_price, export_price)
    try:
        answer = solve(program, gap=0.0, clock=clock)
    except InfeasibleError:
        # Each unit could meet its windows alone; what they share does not suffice for all.
        without = stated([windows[-1:] for windows in wanted])[1]
        nearest = jointly_attainable(site, units, wanted, without, strategy.relax_policies, clock)
        problem, program = stated(nearest)
        answer = solve(program, gap=0.0, clock=clock)
    best = _recovered(problem, program, answer, strategy, money)
    if strategy.allow_simultaneous:
        return best.optimum
    needed = np.zeros(site.steps, dtype=np.uint8)
    while best.optimum.gap > strategy.gap and (best.not_exclusive > needed).any():
        # Binaries where a price calls for them, and wherever else the relaxation used both at once.
        suspects = (import_price < 0) | (export_price > import_price)
        needed |= best.not_exclusive | suspects.astype(np.uint8)
        program = _core.build_linear_program(problem, needed)
        target = strategy.gap * money.scale(best.optimum.series)
        answer = solve(program, gap=target, clock=clock)
        best = _recovered(problem, program, answer, strategy, money)
    if not best.feasible:
        raise SolverError("the solver's schedule cannot be carried out")
    return best.optimum


@dataclass(frozen=True, eq=False)
class _Recovered:
    optimum: Optimum
    not_exclusive: NDArray[np.uint8]
    feasible: bool


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


def _recovered(
    problem: _core.Problem,
    program: _core.LinearProgram,
    answer: Answer,
    strategy: Optimize,
    money: _Money,
) -> _Recovered:
    series, device_series, not_exclusive, feasible = _core.recover(
        problem, program, answer.solution, strategy.allow_simultaneous
    )
    cost = money.cost(series, device_series)
    scale = money.scale(series)
    lower_bound = min(answer.lower_bound, cost)
    gap = (cost - lower_bound) / scale
    return _Recovered(
        Optimum(series, device_series, cost, lower_bound, gap if feasible else np.inf),
        not_exclusive,
        feasible,
    )
