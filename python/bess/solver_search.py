"""Optimal dispatch by HiGHS: states the problem for it, and certifies what comes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from bess import _core
from bess.branching import branch_and_bound
from bess.crossings import at_once, taken_where_exclusive, with_crossings
from bess.dynamic_program import Optimum
from bess.errors import InfeasibleError, SolverError
from bess.highs import Answer, Clock, Relaxation, least_throughput, solve
from bess.infeasibility import EnergyWindows, jointly_attainable, refused_limit, wanted_windows
from bess.limits import Limit, all_met, coupling_of
from bess.money import Money
from bess.site import Site
from bess.strategy import Optimize
from bess.stretches import solve_by_stretches
from bess.unit import Unit

__all__ = ["optimize_by_solver"]

# Part of the gap that the solver is given: what is left is for the recomputed flows.
_SOLVERS_PART = 0.9
# Costs that differ by less, relative to the money that flows, are the same; and so are prices,
# relative to the largest.
_SAME_COST = 2e-9
_SAME_PRICE = 1e-9
# Our own branching is the faster one on few binaries over a long horizon; else HiGHS is.
_FEW_BINARIES = 100
_MANY_COLUMNS = 16_000
_MOST_NODES = 300
# Horizons of as many steps are cut into stretches.
_LONG = 500


def optimize_by_solver(
    site: Site, units: list[Unit], strategy: Optimize, money: Money, limits: Sequence[Limit]
) -> Optimum:
    """The least-cost dispatch of one unit or several, under limits on sums over all steps.

    Raises
    ------
    InfeasibleError
        Naming the first instant at which a policy or the terminal state of charge cannot be met, or
        the first step whose load is above the import limit, or a limit on the whole horizon.
    SolverError
        Where the solver gives no answer, or none in time.
    """
    search = _Search(site, units, strategy, money, limits)
    search.run(None, None)
    if strategy.allow_simultaneous:
        if search.best.optimum.gap > strategy.gap and money.charges is not None:
            search.run(None, _SOLVERS_PART * strategy.gap * search.scale)
        return search.best.optimum
    if search.best.optimum.gap > strategy.gap:
        search.go_by_stretches()
    needed = np.zeros(site.steps, dtype=np.uint8)
    loosest = np.inf
    while search.best.optimum.gap > strategy.gap:
        asked = strategy.gap * search.scale
        both = search.not_exclusive | search.suspects
        more = (search.not_exclusive > needed).any()
        if not more and (loosest <= asked or not (search.has_choices or both.any())):
            break
        # Binaries where a price calls for them, and wherever else the relaxation used both at once.
        needed |= both
        loosest = _SOLVERS_PART * asked
        try:
            if not needed.any() and search.branch():
                break
            search.run(needed if needed.any() else None, loosest)
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
    scale: float


class _Search:
    """The windows that are to be met, and the best dispatch found that meets them."""

    def __init__(
        self,
        site: Site,
        units: list[Unit],
        strategy: Optimize,
        money: Money,
        limits: Sequence[Limit],
    ) -> None:
        self.clock = Clock(strategy.time_limit)
        self._site = site
        self._units = units
        self._strategy = strategy
        self._money = money
        self._limits = limits
        self._limited = coupling_of(limits, units) if limits else None
        self._ordered = money.ordered and all(limit.keeps_order for limit in limits)
        self._wanted = wanted_windows(site, units, strategy.relax_policies)
        self._problem = self._stated(self._wanted)
        self._best: _Recovered | None = None
        self._last: tuple[_core.LinearProgram, Answer]
        self._marginal = (money.import_price, money.export_price)
        self.not_exclusive: NDArray[np.uint8] = np.zeros(site.steps, dtype=np.uint8)

    @property
    def best(self) -> _Recovered:
        """The cheapest feasible dispatch, with the highest lower bound."""
        assert self._best is not None
        return self._best

    @property
    def scale(self) -> float:
        """The money that flows in the best dispatch."""
        return self.best.scale

    @property
    def has_choices(self) -> bool:
        """Whether the last program has binaries."""
        return bool(self._last[0].integrality.any())

    @property
    def suspects(self) -> NDArray[np.uint8]:
        """The steps whose prices may pay for doing two things at once."""
        found = np.zeros(self._site.steps, np.bool_)
        money = self._money
        for bought, sold in (self._marginal, (money.import_price, money.export_price)):
            found |= (bought < 0) | (sold > bought)
        return found.astype(np.uint8)

    def run(self, exclusive: NDArray[np.uint8] | None, gap: float | None) -> None:
        """Solve to an absolute ``gap``, with binaries at the ``exclusive`` steps.

        A ``gap`` of None leaves the tariff's own binaries free between 0 and 1.
        """
        program = self._program(exclusive)
        solved = partial(solve, gap=gap or 0.0, clock=self.clock, relaxed=gap is None)
        try:
            answer = solved(program)
        except InfeasibleError:
            refused = refused_limit(
                self._site,
                self._units,
                self._wanted,
                self._limits,
                self._money.solar_metered_apart,
                self.clock,
            )
            if refused is not None:
                raise refused from None
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
            program = self._program(exclusive)
            answer = solved(program)
        self._last = (program, answer)
        self._take_marginal_prices(program, answer)
        self._keep(program, answer)

    def go_by_stretches(self) -> None:
        """Take binaries to where the relaxation needs them, on a long horizon at prices by step."""
        relaxed, answer = self._last
        cyclic = self._units[0].battery.terminal_state_of_charge == "cyclic"
        if (
            self._site.steps < _LONG
            or self._money.charges is not None
            or self._limits
            or cyclic
            or any(len(unit.end_worth) > 1 for unit in self._units)
            or not relaxed.has_flows
        ):
            return
        exclusive = self.not_exclusive | self.suspects
        program = _core.build_linear_program(self._problem, exclusive)
        gap = _SOLVERS_PART * self._strategy.gap * self.scale
        at_once = self.not_exclusive
        try:
            found = solve_by_stretches(
                relaxed, answer, program, exclusive, at_once, gap, self.clock
            )
        except (InfeasibleError, SolverError):  # by a hair, or for want of time
            return
        if found is not None:
            self._keep(relaxed, found)

    def branch(self) -> bool:
        """Branch on the tariff's own binaries; whether that reached the gap asked for."""
        program = self._last[0]
        binaries = int(program.integrality.sum())
        if binaries > _FEW_BINARIES or len(program.integrality) < _MANY_COLUMNS:
            return False

        def worth_less_than(answer: Answer) -> float:
            self._last = (program, answer)
            self._take_marginal_prices(program, answer)
            self._keep(program, replace(answer, lower_bound=-np.inf))
            return self.best.optimum.cost - _SOLVERS_PART * self._strategy.gap * self.scale

        relaxation = Relaxation(program, self.clock)
        lower_bound = branch_and_bound(relaxation, worth_less_than, self.clock, _MOST_NODES)
        self._keep(program, replace(self._last[1], lower_bound=lower_bound))
        return self.best.optimum.gap <= self._strategy.gap or self.clock.passed

    def break_ties(self) -> None:
        """Take a dispatch of less throughput, where the last program has one of the same cost."""
        program, answer = self._last
        solution = least_throughput(program, answer.solution, self.clock)
        if solution is not answer.solution:
            dearest = self.best.optimum.cost + _SAME_COST * self.scale
            self._keep(program, replace(answer, solution=solution), dearest)

    def _program(self, exclusive: NDArray[np.uint8] | None) -> _core.LinearProgram:
        """The steps' program, the smaller one where it holds, with the tariff's rows joined."""
        program = None
        if exclusive is None and self._ordered and not self._strategy.allow_simultaneous:
            program = _core.build_reduced_program(self._problem)
        if program is None:
            program = _core.build_linear_program(self._problem, exclusive)
        if self._limited is not None:
            program = _core.couple(program, self._limited)
        charges = self._money.charges
        if charges is None:
            return program
        return _core.couple(program, charges.coupling)

    def _take_marginal_prices(self, program: _core.LinearProgram, answer: Answer) -> None:
        """What a kWh costs and earns in each step at the solution: it decides the step's flows."""
        charges = self._money.charges
        if answer.duals is None or (charges is None and not self._limits):
            return
        bought, sold = self._money.import_price, self._money.export_price
        end = len(answer.duals)
        if charges is not None:
            dual = answer.duals[end - charges.rows :] * program.cost_unit
            bought, sold = charges.marginal_prices(dual)
            end -= charges.rows
        for limit in reversed(self._limits):
            end -= 1
            bought = bought - answer.duals[end] * program.cost_unit * limit.imported
            sold = sold + answer.duals[end] * program.cost_unit * limit.exported
        little = _SAME_PRICE * program.cost_unit
        bought = np.where(abs(bought) < little, 0.0, bought)
        sold = np.where(abs(sold) < little, 0.0, sold)
        sold = np.where(abs(sold - bought) < little, bought, sold)
        if self._ordered:
            bought = np.maximum(bought, 0.0)
            sold = np.clip(sold, 0.0, bought)
        if charges is not None:  # import that is free is spared where it counts towards a peak
            step, row, *_ = charges.entries
            under_peak = np.zeros(len(bought), np.bool_)
            under_peak[step[row >= charges.first_demand_row]] = True
            bought = np.where(under_peak & (bought == 0), little, bought)
        self._marginal = (bought, sold)

    def _stated(self, windows: list[EnergyWindows]) -> _core.Problem:
        devices = [
            unit.core_device(self._site.step_hours, asked)
            for unit, asked in zip(self._units, windows, strict=True)
        ]
        prices = (self._money.import_price, self._money.export_price)
        cyclic = self._units[0].battery.terminal_state_of_charge == "cyclic"
        apart = self._money.solar_metered_apart
        return _core.Problem(self._site._core, devices, *prices, cyclic, apart)

    def _keep(
        self, program: _core.LinearProgram, answer: Answer, dearest: float | None = None
    ) -> None:
        """Recover an answer's flows: the best if cheaper, or if not above ``dearest``."""
        problem, both = self._problem.at_prices(*self._marginal), self._strategy.allow_simultaneous
        series, device_series, self.not_exclusive, feasible = _core.recover(
            problem, program, answer.solution, both
        )
        cost, scale = self._money.cost_and_scale(series, device_series)
        kept = all_met(self._limits, series, device_series)
        missed = cost - answer.lower_bound > self._strategy.gap * scale or not kept
        ties = self._money.charges is not None or bool(self._limits)
        ties = ties and not self._money.solar_metered_apart
        if missed and ties and program.has_flows and not both:
            # Marginal prices tie where a rule has a kink: the solution's own imports and exports,
            # which lie at it, may then be cheaper.
            own, own_devices, *_ = _core.recover(problem, program, answer.solution, True)
            self.not_exclusive |= at_once(own)
            crossing = with_crossings(self._site, series, own[0] + own[1], own[4] + own[7])
            for other, devices in (
                (crossing, device_series),
                taken_where_exclusive((own, own_devices), (series, device_series)),
            ):
                other_cost, other_scale = self._money.cost_and_scale(other, devices)
                other_kept = all_met(self._limits, other, devices)
                if (not other_kept, other_cost) < (not kept, cost):
                    series, device_series = other, devices
                    cost, scale, kept = other_cost, other_scale, other_kept
        feasible = feasible and kept
        optimum = Optimum(series, device_series, cost, answer.lower_bound, np.inf)
        lower_bound = answer.lower_bound
        if self._best is not None:
            before = self._best.optimum
            lower_bound = max(lower_bound, before.lower_bound)
            dearest = before.cost if dearest is None else dearest
            if self._best.feasible and (not feasible or cost > dearest):
                optimum, feasible, scale = before, True, self._best.scale
        gap = np.inf
        if feasible:  # rounding apart, a bound is never above a cost
            lower_bound = min(lower_bound, optimum.cost)
            gap = (optimum.cost - lower_bound) / scale
        self._best = _Recovered(replace(optimum, lower_bound=lower_bound, gap=gap), feasible, scale)
