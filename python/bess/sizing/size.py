"""`size`: the battery of greatest net present value, over continuous capacity and power."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import numpy as np

from bess._arrays import Floats, whole_number
from bess.battery import Battery
from bess.dispatch import STRATEGIES
from bess.errors import InputError, SolverError
from bess.policy import SchedulePolicy
from bess.prices import Prices
from bess.site import Site
from bess.sizing.cutting import Proven, least_by_planes
from bess.sizing.planes import planes_of
from bess.sizing.refining import refine
from bess.sizing.sized import Sizing
from bess.sizing.sizes import points_of, sizes_of
from bess.strategy import FixedSchedule, Optimize, Strategy, Surplus
from bess.sweeping.costs import Costs
from bess.sweeping.sweep import sweep
from bess.sweeping.table import SweepTable
from bess.tariff import Tariff

__all__ = ["size"]

_SIZED: Final = ("capacity_kwh", "charge_power_kw", "discharge_power_kw")
_PLAIN: Final = Optimize()
_LITTLE: Final = 1e-3
"""Of the value: where no size can be worth more by this, none is dispatched by itself to look."""
_METRICS: Final = ("net_present_value", "bill", "savings", "import_kwh", "export_kwh", "peak_kw")


def size(
    site: Site,
    paid: Tariff | Prices,
    costs: Costs,
    *,
    capacity_kwh: Any,
    power_kw: Any = None,
    duration_hours: Any = None,
    strategy: Strategy | None = None,
    battery: Battery | None = None,
    policies: Sequence[SchedulePolicy | dict[str, Any]] = (),
    past_peaks_kw: Any = None,
    points: int | None = None,
    workers: int | None = None,
    progress: bool | None = None,
) -> Sizing:
    """The battery of greatest net present value, of any capacity and power in ranges, or none.

    Parameters
    ----------
    site, paid
        Where, and at which tariff or prices.
    costs
        What batteries cost, and how a year's savings become a value.
    capacity_kwh, power_kw, duration_hours
        From what to what, as pairs; one number holds. Power, kW DC of charging and discharging
        alike, is free in a range, or follows from a duration: capacity over it.
    strategy
        How a battery is dispatched; `Optimize()` by default.
    battery
        Its other parameters; its capacity and powers do not count.
    policies, past_peaks_kw
        As for `bess.dispatch`.
    points
        How many sizes along each axis the surface has; by default 25, or 9 where each is dispatched
        by itself, as on a tariff with demand charges. Where nothing is proven, the search starts
        from them.
    workers, progress
        As for `bess.sweep`.

    Under `Optimize`, where no price is negative, no export dearer than import, and a tariff has no
    choices (bands that fall), the cost is jointly convex in capacity and power, demand charges,
    ratchets and rising bands included. There the answer is the best there is, and `Sizing.bound`
    proves it: no other size in the ranges has a greater value. With some steps that are not convex,
    or with wear, the bound holds and is less near; `Sizing.gap` says how far. There, and where
    there is no bound, finer grids are tried around the best of the surface (not where each size is
    dispatched by itself and no more than a thousandth can be missing); `Sizing.not_proven` says
    why.

    >>> import numpy as np
    >>> from bess import Costs, Prices, Site
    >>> sun = np.tile([0] * 9 + [3] * 6 + [0] * 9, 365)
    >>> home = Site(load_kwh=np.ones(8760), solar_kwh=sun, start="2025-01-01T00:00Z")
    >>> best = size(home, Prices(import_price=0.30, export_price=0.05), Costs(per_kwh=300),
    ...             capacity_kwh=(0, 40), duration_hours=4, points=3)
    >>> round(best.capacity_kwh, 3), round(best.net_present_value, 2), best.gap < 1e-6
    (13.542, 6559.0, True)

    Raises
    ------
    InputError
        For what is not valid, before anything runs.
    SolverError
        Where no size has an answer.
    """
    strategy = Optimize() if strategy is None else strategy
    _check(site, paid, costs, strategy, battery)
    tariff, prices = (paid, None) if isinstance(paid, Tariff) else (None, paid)
    sizes = sizes_of(capacity_kwh, power_kw, duration_hours)
    shared = _shared(Battery() if battery is None else battery)
    by_itself = _each_by_itself(strategy, tariff, policies)
    count = (9 if by_itself else 25) if points is None else whole_number(points, "points", 2001)

    def table(points: Floats) -> SweepTable:
        capacity, power = sizes.of(points)
        return sweep(
            site,
            {"capacity_kwh": capacity, "power_kw": power, **shared},
            strategy,
            tariff=tariff,
            prices=prices,
            metrics=_METRICS,
            costs=costs,
            policies=policies,
            past_peaks_kw=past_peaks_kw,
            workers=workers,
            progress=progress,
        )

    def value(points: Floats) -> Floats:
        found: Floats = table(points)["net_present_value"]
        return found

    axes = sizes.grid(max(count, 2), sizes.lower, sizes.upper)
    grid = points_of(axes)
    surface = table(grid)
    values = surface["net_present_value"]
    if np.isnan(values).all():
        raise SolverError(f"no size has an answer; the first: {surface['error'][0]}")
    # The value is linear in savings, capacity and power.
    nothing = float(costs.net_present_value(0.0, 0.0, 0.0))
    weight = float(costs.net_present_value(1.0, 0.0, 0.0)) - nothing
    per_kwh = nothing - float(costs.net_present_value(0.0, 1.0, 0.0))
    per_kw = nothing - float(costs.net_present_value(0.0, 0.0, 1.0))
    given = Battery(**shared)
    make = partial(planes_of, site, given, strategy, paid, policies, past_peaks_kw)
    found = least_by_planes(make, sizes, weight, (per_kwh, per_kw))
    proven, why = (None, found) if isinstance(found, str) else (found, "")
    if proven is not None and proven.cost - proven.bound > proven.near:
        why = _why_apart(proven, given)
    tried, spacing = len(grid) + (0 if proven is None else proven.tried), None
    best, bound, left = None, None, np.inf
    if proven is not None:
        best = table(proven.point[None]).row(0)
        bound = nothing + weight * (best["bill"] + best["savings"]) - proven.bound
        left = bound - max(best["net_present_value"], 0.0)
    if why and (bound is None or left > _LITTLE * bound or not by_itself):
        places, finer, tolerance = (1, 2, 2e-3) if by_itself else (3, 4, 1e-5)
        refined = refine(value, axes, values, places=places, finer=finer, tolerance=tolerance)
        tried, spacing = tried + refined.tried - len(grid), refined.spacing
        if best is None or refined.value > best["net_present_value"]:
            best = table(refined.point[None]).row(0)
    assert best is not None
    worth = best["net_present_value"]
    if bound is not None:
        bound = max(bound, worth, 0.0)
    if not worth > 0:
        best, worth = {}, 0.0
    return Sizing(
        battery=_sized(shared, best["capacity_kwh"], best["power_kw"]) if best else None,
        net_present_value=worth,
        bound=bound,
        not_proven=why,
        figures={name: best[name] for name in _METRICS if name in best},
        surface=surface,
        sizes=sizes,
        spacing=None if spacing is None else tuple(spacing.tolist()),
        tried=tried,
        costs=costs,
        currency=None if tariff is None else tariff.currency,
    )


def _check(site: Any, paid: Any, costs: Any, strategy: Any, battery: Any) -> None:
    kinds = ", ".join(f"{kind.__name__}()" for kind in STRATEGIES)
    wanted = (
        (site, "site", Site, "a bess.Site"),
        (paid, "paid", (Tariff, Prices), "a bess.Tariff (see load_tariff) or bess.Prices"),
        (costs, "costs", Costs, "bess.Costs"),
        (strategy, "strategy", STRATEGIES, f"one of {kinds}"),
        (battery, "battery", (Battery, type(None)), "a bess.Battery"),
    )
    for value, path, kind, words in wanted:
        if not isinstance(value, kind):
            raise InputError.at(path, f"must be {words}", value)


def _shared(battery: Battery) -> dict[str, Any]:
    """The parameters of a battery that are not its size."""
    return {name: getattr(battery, name) for name in Battery.model_fields if name not in _SIZED}


def _sized(shared: Mapping[str, Any], capacity_kwh: float, power_kw: float) -> Battery:
    return Battery(
        capacity_kwh=capacity_kwh,
        charge_power_kw=power_kw,
        discharge_power_kw=power_kw,
        **shared,
    )


def _each_by_itself(strategy: Strategy, tariff: Tariff | None, policies: Sequence[Any]) -> bool:
    """Whether a sweep dispatches one battery after the other."""
    if isinstance(strategy, Optimize):
        by_step = tariff is None or not tariff.not_by_step()
        return not by_step or bool(policies) or strategy != _PLAIN
    return not isinstance(strategy, (Surplus, FixedSchedule))


def _why_apart(proven: Proven, battery: Battery) -> str:
    """Why a bound is not near."""
    why = []
    if proven.failed:
        why.append("a load above the import limit, or a policy, needs a larger battery than some")
    if proven.hulls:
        why.append(
            f"{proven.hulls} steps are not convex (by a negative price, export above import, say)"
        )
    if battery.degradation_cost_per_kwh:
        why.append("the dispatch counts degradation, the value does not")
    return "; ".join(why) or "what a size costs is itself proven only so far"
