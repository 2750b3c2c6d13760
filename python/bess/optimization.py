"""Optimal dispatch: states the problem for a solver, and certifies what comes back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bess import _core
from bess._arrays import Floats
from bess.errors import InfeasibleError, InputError, SolverError
from bess.highs import Answer, Clock, solve
from bess.site import Site
from bess.strategy import Optimize
from bess.unit import Unit

__all__ = ["Optimum", "optimize"]

EnergyWindows = list[tuple[int, float, float]]


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
    cyclic = units[0].battery.terminal_state_of_charge == "cyclic"
    devices = [
        unit.core_device(site.step_hours, _attainable(site, unit, strategy, len(units) == 1))
        for unit in units
    ]
    problem = _core.Problem(site._core, devices, import_price, export_price, cyclic)
    money = _Money(site, units, import_price, export_price)

    program = _core.build_linear_program(problem, None)
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

    def __init__(
        self, site: Site, units: list[Unit], import_price: Floats, export_price: Floats
    ) -> None:
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


def _attainable(site: Site, unit: Unit, strategy: Optimize, alone: bool) -> EnergyWindows:
    """The windows the optimum must meet, in kWh DC: the policies' and the terminal one.

    Where policies are relaxed, a window that cannot be met becomes the point nearest to it.
    """
    battery = unit.battery
    capacity = battery.capacity_kwh
    free_start = battery.terminal_state_of_charge == "cyclic"
    low, high = (
        (battery.min_state_of_charge, battery.max_state_of_charge)
        if free_start
        else (
            battery.initial_state_of_charge,
            battery.initial_state_of_charge,
        )
    )
    wanted = unit.core_windows()
    least, most = battery.terminal_window
    terminal = (site.steps - 1, capacity * least, capacity * most)
    core_battery = unit.core_battery(site.step_hours)

    def corridor(asked: EnergyWindows) -> _core.Corridor:
        return _core.make_corridor(site._core, core_battery, asked, capacity * low, capacity * high)

    if strategy.relax_policies and wanted:
        met = corridor(wanted)
        wanted = wanted if met.infeasible_step >= 0 else met.attained
    found = corridor([*wanted, terminal])
    if found.infeasible_step >= 0 and alone:
        raise unservable(site, found.infeasible_step, found.shortfall)
    if found.infeasible_step < 0 and found.first_missed >= 0:
        raise _missed(site, unit, found, wanted)
    return [*wanted, terminal]


def unservable(site: Site, step: int, shortfall: float) -> InfeasibleError:
    """Load above the import limit that neither solar nor battery can serve."""
    at = site.timeline.instant(step).isoformat()
    return InfeasibleError(
        f"step {step} ({at}): the load is above the import limit, and neither solar nor battery can "
        f"serve the rest ({shortfall:.6g} kWh of stored energy are missing)",
        step,
        at,
        shortfall,
    )


def _missed(
    site: Site, unit: Unit, found: _core.Corridor, wanted: EnergyWindows
) -> InfeasibleError:
    whose = f"{unit.name}: " if unit.name else ""
    missing = f"{found.shortfall:.6g} kWh of stored energy are missing"
    if found.first_missed == len(wanted):
        at = site.timeline.instant(site.steps).isoformat()
        least, most = unit.battery.terminal_window
        what = (
            f"the terminal state of charge ({100 * least:g} to {100 * most:g} %) cannot be reached"
        )
        return InfeasibleError(f"{whose}{what}: {missing}", site.steps - 1, at, found.shortfall)
    binding = [window for window in unit.windows if window.step >= 0]
    window = binding[found.first_missed]
    at = window.at.isoformat()
    return InfeasibleError(
        f"{whose}{at}: a state of charge of {100 * window.minimum:g} to {100 * window.maximum:g} % "
        f"cannot be reached ({missing}); relax_policies=True comes as near as possible",
        window.step,
        at,
        found.shortfall,
    )
