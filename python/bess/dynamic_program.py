"""The exact optimum of one battery whose cost is a sum over steps: no solver, no search."""

from __future__ import annotations

from dataclasses import dataclass

from bess import _core
from bess._arrays import Floats
from bess.infeasibility import EnergyWindows, stated_windows, wanted_windows
from bess.money import Money
from bess.site import Site
from bess.strategy import Optimize
from bess.unit import Unit

__all__ = ["Optimum", "not_by_steps", "optimize_by_steps"]


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


def not_by_steps(units: list[Unit], strategy: Optimize, money: Money) -> str | None:
    """Why a problem is not one for the core's dynamic programme; None where it is."""
    if len(units) > 1:
        return "there are several devices"
    if money.solar_metered_apart:
        return "the sun has a meter of its own"
    if money.charges is not None and money.charges.rows > 0:
        return "the tariff's charges are not by step alone"
    if units[0].battery.terminal_state_of_charge == "cyclic":
        return "the start is free"
    if strategy.allow_simultaneous:
        return "allow_simultaneous is set"
    return None


def optimize_by_steps(site: Site, unit: Unit, strategy: Optimize, money: Money) -> Optimum | None:
    """The least-cost dispatch of a unit at prices by step; None where rounding leaves none.

    The gap to the certified bound is rounding, whatever the signs of the prices.

    Raises
    ------
    InfeasibleError
        Naming the first instant at which a policy or the terminal state of charge cannot be met, or
        the first step whose load is above the import limit.
    """

    def solve(windows: EnergyWindows) -> tuple[Floats, Floats, Floats, float] | None:
        device = unit.core_device(site.step_hours, windows)
        prices = money.import_price, money.export_price
        return _core.solve_dynamic_program(_core.Problem(site._core, [device], *prices, False))

    # Whether the windows can be met the programme knows by itself; which of them cannot, or what
    # comes nearest, is asked only then.
    found = solve(stated_windows(site, unit))
    if found is None:
        found = solve(wanted_windows(site, [unit], strategy.relax_policies)[0])
        if found is None:
            return None
    series, device_series, marginal_value, bound = found
    cost, scale = money.cost_and_scale(series, device_series)
    priced = cost
    if money.charges is not None:  # what a tariff charges besides is the same whatever is done
        prices = Money(money.import_price, money.export_price, [unit])
        priced, _ = prices.cost_and_scale(series, device_series)
    short = max(priced - bound, 0.0)
    return Optimum(series, device_series, cost, cost - short, short / scale, "core", marginal_value)
