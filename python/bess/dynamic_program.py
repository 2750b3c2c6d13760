"""The exact optimum of one battery whose cost is a sum over steps: no solver, no search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bess import _core
from bess._arrays import Floats
from bess.highs import Clock
from bess.infeasibility import (
    EnergyWindows,
    jointly_attainable,
    stated_windows,
    wanted_windows,
)
from bess.limits import Limit
from bess.money import Money
from bess.site import Site
from bess.strategy import Optimize
from bess.unit import Unit

if TYPE_CHECKING:
    from bess.decomposition import Recollection

__all__ = [
    "Optimum",
    "Solved",
    "StepSolver",
    "certified",
    "kinks_at",
    "not_by_steps",
    "optimize_by_steps",
]


@dataclass(frozen=True, eq=False)
class Optimum:
    """The flows of an optimal dispatch, what it costs, and what no dispatch can undercut."""

    series: Floats
    device_series: Floats
    cost: float
    lower_bound: float
    gap: float
    engine: str = "highs"
    marginal_value: Floats | None = None
    """What one more kWh DC stored in a step would be worth."""
    kinks: int = 0
    """How many steps may be not convex."""
    search: Recollection | None = None
    """What the search for it tells of a similar battery."""


def kinks_at(import_price: Floats, export_price: Floats) -> int:
    """How many steps may be not convex: HiGHS takes a binary for each, and hours for many."""
    return int(((import_price < 0) | (export_price > import_price)).sum())


def not_by_steps(
    units: list[Unit], strategy: Optimize, money: Money, limits: Sequence[Limit] = ()
) -> str | None:
    """Why a problem is not one for the core's dynamic programme; None where it is."""
    if len(units) > 1:
        return "there are several devices"
    if money.solar_metered_apart:
        return "the sun has a meter of its own"
    if money.charges is not None and money.charges.rows > 0:
        return "the tariff's charges are not by step alone"
    if strategy.allow_simultaneous:
        return "allow_simultaneous is set"
    if len(limits) > 1:
        return "there are several limits on the whole horizon"
    return None


@dataclass(frozen=True, eq=False)
class Solved:
    """What the core's programme gives: flows, their worth by step, and a lower bound in money."""

    series: Floats
    device_series: Floats
    marginal_value: Floats
    lower_bound: float


class StepSolver:
    """The programme of one unit, at whatever prices and wear."""

    def __init__(self, site: Site, unit: Unit, strategy: Optimize) -> None:
        self._site = site
        self._unit = unit
        self._cyclic = unit.battery.terminal_state_of_charge == "cyclic"
        self._relax = strategy.relax_policies
        # Whether these can be met the programme knows by itself; which of them cannot, or what
        # comes nearest, is asked only then.
        self._windows: EnergyWindows = stated_windows(site, [unit])[0]
        self._asked = False

    def problem(
        self, import_price: Floats, export_price: Floats, wear: float | None = None
    ) -> _core.Problem:
        """The problem as the core takes it; ``wear`` is money per kWh DC, by default the unit's."""
        unit = self._unit if wear is None else self._unit.with_wear(wear)
        device = unit.core_device(self._site.step_hours, self._windows)
        prices = import_price, export_price
        return _core.Problem(self._site._core, [device], *prices, self._cyclic)

    def solve(
        self, import_price: Floats, export_price: Floats, wear: float | None = None
    ) -> Solved | None:
        """The optimum; None where rounding leaves none. Raises `InfeasibleError`."""
        found = _core.solve_dynamic_program(self.problem(import_price, export_price, wear))
        if found is None and not self._asked:
            self._asked = True
            self._windows = self._met()
            found = _core.solve_dynamic_program(self.problem(import_price, export_price, wear))
        return None if found is None else Solved(*found)

    def _met(self) -> EnergyWindows:
        """The windows made attainable; raises `InfeasibleError` where they must be met."""
        site, units = self._site, [self._unit]
        wanted = wanted_windows(site, units, self._relax)
        if self._cyclic:  # what is in reach depends on the end
            nothing = np.zeros(site.steps)

            def program(windows: list[EnergyWindows]) -> _core.LinearProgram:
                device = self._unit.core_device(site.step_hours, windows[0])
                problem = _core.Problem(site._core, [device], nothing, nothing, True)
                return _core.build_linear_program(problem, None)

            wanted = jointly_attainable(site, units, wanted, program, self._relax, Clock(None))
        return wanted[0]


def optimize_by_steps(site: Site, unit: Unit, strategy: Optimize, money: Money) -> Optimum | None:
    """The least-cost dispatch of a unit at prices by step; None where rounding leaves none.

    The gap to the certified bound is rounding, whatever the signs of the prices.

    Raises
    ------
    InfeasibleError
        Naming the first instant at which a policy or the terminal state of charge cannot be met, or
        the first step whose load is above the import limit.
    """
    found = StepSolver(site, unit, strategy).solve(money.import_price, money.export_price)
    if found is None:
        return None
    return certified(
        unit, money, found.series, found.device_series, found.lower_bound, found.marginal_value
    )


def certified(
    unit: Unit,
    money: Money,
    series: Floats,
    device_series: Floats,
    bound: float,
    marginal_value: Floats,
) -> Optimum:
    """The optimum of given flows and a lower bound on what prices by step and wear come to."""
    cost, scale = money.cost_and_scale(series, device_series)
    priced = cost
    if money.charges is not None:  # what a tariff charges besides is the same whatever is done
        prices = Money(money.import_price, money.export_price, [unit])
        priced, _ = prices.cost_and_scale(series, device_series)
    short = max(priced - bound, 0.0)
    kinks = kinks_at(money.import_price, money.export_price)
    gap = short / scale
    return Optimum(series, device_series, cost, cost - short, gap, "core", marginal_value, kinks)
