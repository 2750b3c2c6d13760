"""The least-cost dispatch of a unit where charges join the steps."""

from __future__ import annotations

from collections.abc import Sequence

from bess.decomposition.coupled_rows import split
from bess.decomposition.loop import Rounds
from bess.decomposition.recollection import Recollection
from bess.dynamic_program import Optimum
from bess.errors import SolverError
from bess.highs import Clock
from bess.limits import Limit
from bess.money import Money
from bess.site import Site
from bess.strategy import Optimize
from bess.unit import Unit

__all__ = ["not_by_cuts", "optimize_by_cuts"]


def not_by_cuts(units: list[Unit], strategy: Optimize, money: Money) -> str | None:
    """Why a problem is not one for cuts around the dynamic programme; None where it may be."""
    if len(units) > 1:
        return "there are several devices"
    if money.solar_metered_apart:
        return "the sun has a meter of its own"
    if units[0].battery.terminal_state_of_charge == "cyclic":
        return "the start is free"
    if strategy.allow_simultaneous:
        return "allow_simultaneous is set"
    return None


def optimize_by_cuts(
    site: Site,
    unit: Unit,
    strategy: Optimize,
    money: Money,
    limits: Sequence[Limit],
    within: Optimum | None,
    clock: Clock,
    similar: Recollection | None = None,
) -> Optimum | None:
    """The least-cost dispatch of a unit on a tariff, or under limits on sums over all steps.

    None where the tariff has too many sums, or rounding leaves no answer. ``within`` is a dispatch
    that keeps the limits, where there are any. Where steps are not convex a gap may be left: boxes
    of caps close it, unless there are sums over steps or choices, too. ``similar`` is what the
    search for another battery at the site and tariff found: the search then begins there.

    Raises
    ------
    InfeasibleError
        Naming the first instant at which a policy or the terminal state of charge cannot be met, or
        the first step whose load is above the import limit.
    """
    rows = split(money.charges, limits, unit.battery)
    if rows is None:
        return None
    search = Rounds(site, unit, strategy, money, limits, rows, clock)
    try:
        return search.run(within, similar)
    except SolverError:
        return None
