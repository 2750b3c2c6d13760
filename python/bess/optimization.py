"""Optimal dispatch: the fastest engine that is exact, and the solver where none of ours is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bess.decomposition import Recollection, not_by_cuts, optimize_by_cuts
from bess.dynamic_program import Optimum, not_by_steps, optimize_by_steps
from bess.errors import InputError, SolverError
from bess.highs import Clock
from bess.limits import Limit
from bess.money import Money
from bess.multiplier import optimize_within
from bess.site import Site
from bess.solver_search import optimize_by_solver
from bess.strategy import Optimize
from bess.unit import Unit

__all__ = ["Optimum", "optimize"]

# HiGHS takes hours where more steps than this may be not convex.
_FEW_KINKS = 100
# Cuts under limits take longer than HiGHS on fewer steps.
_MANY_STEPS = 2000


def optimize(
    site: Site,
    units: list[Unit],
    strategy: Optimize,
    money: Money,
    limits: Sequence[Limit] = (),
    similar: Recollection | None = None,
) -> Optimum:
    """The least-cost dispatch of one unit or several, under limits on sums over all steps.

    ``similar`` is what the search for another battery at the site and tariff found, if any was
    needed: a search then begins there.

    Raises
    ------
    InfeasibleError
        Naming the first instant at which a policy or the terminal state of charge cannot be met, or
        the first step whose load is above the import limit, or a limit on the whole horizon.
    InputError
        At ``strategy.engine``, where the core alone is asked for and cannot do it.
    SolverError
        Where the solver gives no answer, or none in time.
    """
    known: Optimum | None = None
    clock, is_small = Clock(strategy.time_limit), False
    if strategy.engine != "highs":
        reason = not_by_steps(units, strategy, money, limits)
        if reason is None and limits:
            known = optimize_within(site, units[0], strategy, money, limits[0])
        elif reason is None:
            known = optimize_by_steps(site, units[0], strategy, money)
        elif money.charges is not None or limits:
            reason = not_by_cuts(units, strategy, money)
            is_small = reason is None and _is_small(site, strategy, money, limits)
            if reason is None and not is_small:
                within = _within(site, units, strategy, limits)
                known = optimize_by_cuts(
                    site, units[0], strategy, money, limits, within, clock, similar
                )
        if known is not None and (
            known.gap <= strategy.gap
            or strategy.engine == "core"
            or known.kinks > _FEW_KINKS
            or clock.passed
        ):
            return known
        if strategy.engine == "core" and reason is not None:
            raise InputError.at("strategy.engine", f"cannot be core here: {reason}", "core")
        if strategy.engine == "core":
            raise SolverError("the core's schedule is not proven: highs may do better")
    try:
        found = optimize_by_solver(site, units, strategy, money, limits)
    except SolverError:
        if is_small and not clock.passed:
            within = _within(site, units, strategy, limits)
            known = optimize_by_cuts(site, units[0], strategy, money, limits, within, clock)
        if known is None:
            raise
        return known
    return found if known is None else _together(found, known, money)


def _is_small(site: Site, strategy: Optimize, money: Money, limits: Sequence[Limit]) -> bool:
    """Whether HiGHS is the faster one: on short horizons, without binaries, under limits."""
    return (
        strategy.engine == "auto"
        and bool(limits)
        and site.steps < _MANY_STEPS
        and money.ordered
        and all(limit.keeps_order for limit in limits)
    )


def _within(
    site: Site, units: list[Unit], strategy: Optimize, limits: Sequence[Limit]
) -> Optimum | None:
    """A dispatch that keeps all limits: of those that keep the others, the least in the last one.

    Raises `InfeasibleError` of the first limit that cannot be kept beside those before it.
    """
    found = None
    for i, limit in enumerate(limits):
        wears = limit.drawn * [unit.battery.dc_to_ac_efficiency for unit in units]
        worn = [u.unvalued.with_wear(wear) for u, wear in zip(units, wears.tolist(), strict=True)]
        amounts = Money(limit.imported, -limit.exported, worn)
        found = optimize(site, worn, strategy, amounts, limits[:i])
        if not limit.is_met(found.cost):
            raise limit.refused(found.lower_bound)
    return found


def _together(one: Optimum, other: Optimum, money: Money) -> Optimum:
    """The cheaper of two optima, with the higher bound."""
    cheaper = min(one, other, key=lambda optimum: optimum.cost)
    bound = min(max(one.lower_bound, other.lower_bound), cheaper.cost)
    _, scale = money.cost_and_scale(cheaper.series, cheaper.device_series)
    return replace(cheaper, lower_bound=bound, gap=(cheaper.cost - bound) / scale)
