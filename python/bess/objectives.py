"""What an optimum is of: money, emissions or imported energy; and the limits it is under."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from bess._arrays import Floats
from bess.errors import InfeasibleError, InputError, SolverError
from bess.limits import Limit, cycle_limits
from bess.money import Money
from bess.optimization import Optimum, optimize
from bess.site import Site
from bess.strategy import Optimize
from bess.unit import Unit

__all__ = ["optimize_objective"]

# By so much, relative to all that flows, a second objective may leave the first one's optimum.
_SAME: Final = 1e-9


def optimize_objective(
    site: Site,
    units: list[Unit],
    strategy: Optimize,
    money: Money,
    emitted: tuple[Floats, Floats] | None,
) -> Optimum:
    """The optimum of ``strategy.objective``, and of those the one that costs least.

    ``money`` has the price of emissions in it; ``emitted`` are the factors of import and export.
    What it returns as cost, bound and gap are those of the objective.

    Raises
    ------
    InfeasibleError, InputError, SolverError
        As `bess.optimization.optimize`.
    """
    limits = cycle_limits(site, units, strategy.max_cycles)
    if strategy.max_emissions_kg is not None:
        told = f"max_emissions_kg={strategy.max_emissions_kg:g}"
        limits.append(_sum_of(emitted, units, strategy.max_emissions_kg, told))
    if strategy.objective == "cost":
        return optimize(site, units, strategy, money, limits)
    if strategy.objective == "self_consumption":
        emitted = np.ones(site.steps), np.zeros(site.steps)
    wanted = _sum_of(emitted, units, np.inf, "the least of the objective")
    unworn = [unit.with_wear(0.0).unvalued for unit in units]
    apart = money.solar_metered_apart
    amounts = Money(wanted.imported, -wanted.exported, unworn, None, apart)
    first = optimize(site, unworn, strategy, amounts, limits)
    _, scale = amounts.cost_and_scale(first.series, first.device_series)
    limits.append(replace(wanted, most=first.cost + _SAME * scale))
    try:
        found = optimize(site, units, strategy, money, limits)
    except (InfeasibleError, SolverError):  # for want of room: the first one's choice stands
        found = first
    reached = float(wanted.by_step(found.series, found.device_series).sum())
    bound = min(first.lower_bound, reached)
    return replace(found, cost=reached, lower_bound=bound, gap=(reached - bound) / scale)


def _sum_of(
    factors: tuple[Floats, Floats] | None, units: list[Unit], most: float, told: str
) -> Limit:
    if factors is None:
        raise InputError.at("emissions", "are required by this strategy")
    return Limit(most, factors[0], -factors[1], np.zeros(len(units)), told)
