"""Dispatch without foresight: plans that know the hours ahead as forecast, made again and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from bess._arrays import number
from bess.battery import Battery, Terminal
from bess.device import BessDevice
from bess.dispatch import dispatch, sunk, with_clipped
from bess.dynamic_program import not_by_steps
from bess.errors import InputError
from bess.forecast import Forecast, foreseen
from bess.money import BilledMoney, Money
from bess.policy import SchedulePolicy
from bess.prices import Prices
from bess.replanning import Plans, roll_by_plans, roll_by_steps
from bess.result import Result
from bess.site import Site
from bess.strategy import Optimize
from bess.terminal_value import valued
from bess.unit import units_of

if TYPE_CHECKING:
    from bess.tariff import Tariff
    from bess.tariff.demand import PastPeaks

__all__ = ["RollingResult", "roll"]

# Options whose limits reach over the whole horizon, and objectives but cost.
_NOT_ROLLED: Final = {
    "objective": "cost",
    "emissions_price_per_kg": 0.0,
    "max_emissions_kg": None,
    "max_cycles": None,
}


@dataclass(frozen=True, eq=False, kw_only=True)
class RollingResult(Result):
    """What was done by plans without foresight, and what that cost. Immutable; pickles."""

    optimum: Result = field(repr=False)
    """The dispatch of least cost under perfect foresight, with its certificate."""
    cost_without_storage: float
    """What the same load and solar cost without the battery."""
    plans: int
    """How many plans were made."""
    relaxed_plans: tuple[datetime, ...] = ()
    """When plans were made that could not meet every window or limit, and came as near as can be.
    """
    import_limit_exceeded: tuple[datetime, ...] = ()
    """The steps whose load was above the import limit when the battery had nothing left to give."""

    @property
    def cost_of_imperfect_foresight(self) -> float:
        """Cost less that of the optimum, both less their terminal value; to within the gap of the
        optimum.

        Not below 0, but for that gap, where no window or limit was missed.
        """
        assert self.cost is not None
        assert self.optimum.cost is not None
        left = self.terminal_value - self.optimum.terminal_value
        return self.cost - self.optimum.cost - left

    @property
    def savings_kept(self) -> float | None:
        """The part of what the battery saves under perfect foresight; None where that is nothing.

        Less than 0 where the site would have paid less without the battery.
        """
        assert self.cost is not None
        assert self.optimum.cost is not None
        most = self.cost_without_storage - self.optimum.cost + self.optimum.terminal_value
        scale = max(1.0, abs(self.cost_without_storage))
        lost = self.cost_of_imperfect_foresight
        return (most - lost) / most if most > 1e-9 * scale else None


def roll(
    site: Site,
    forecast: Forecast | Site | str,
    battery: Battery | BessDevice,
    strategy: Optimize,
    *,
    prices: Prices | None = None,
    tariff: Tariff | None = None,
    horizon_hours: float = 48,
    replan_hours: float = 1,
    past_peaks_kw: Sequence[float] | Mapping[str, Sequence[float]] | None = None,
    policies: Sequence[SchedulePolicy | dict[str, Any]] = (),
    initial_state_of_charge: float | None = None,
    terminal_state_of_charge: Terminal | None = None,
    self_discharge_per_hour: float | None = None,
    degradation_cost_per_kwh: float | None = None,
    allow_grid_to_battery: bool | None = None,
    allow_battery_to_grid: bool | None = None,
    allow_solar_to_battery: bool | None = None,
) -> RollingResult:
    """Dispatch a battery by plans that do not know the future: what foresight is worth.

    Every ``replan_hours`` a plan is made, optimal for the ``horizon_hours`` ahead as they are
    forecast, and its first ``replan_hours`` are carried out: the planned change of stored energy,
    as far as the actual load, solar and limits allow, with the flows of least cost around it.
    Prices, tariff and limits are known; of load and solar nothing but the forecast is used.

    Energy left at the end of a plan counts at what the load beyond the sun costs in it on average
    (or at the mean export price, where that is higher and the battery may export), after losses and
    wear; where `Optimize.terminal_value` is given, at that in every plan. At the end of the site's
    horizon the terminal state of charge holds. A window or limit binds a plan that reaches it;
    where a plan can meet no schedule it comes as near as it can, and is counted.

    Parameters
    ----------
    site
        What really happens.
    forecast
        What plans expect: a `Forecast`; a `Site` whose load and solar are expected all along; or
        ``"persistence"`` or ``"perfect"`` for both load and solar (see `Forecast`).
    battery, strategy, prices, tariff, past_peaks_kw, policies, and what is for devices
        As `dispatch` takes them; one battery or device, and `Optimize`. Its terminal state of
        charge cannot be ``"cyclic"``.
    horizon_hours, replan_hours
        How far ahead plans go (or to the end), and how long each is followed; whole steps.

    >>> site = Site(load_kwh=[1, 1, 1, 4], start="2025-06-01T18:00Z")
    >>> expected = Site(load_kwh=[1, 1, 1, 1], start="2025-06-01T18:00Z")
    >>> battery = Battery(capacity_kwh=10, allow_battery_to_grid=False)
    >>> prices = Prices(import_price=[0.1, 0.1, 0.4, 0.4])
    >>> done = roll(site, expected, battery, Optimize(), prices=prices, replan_hours=2)
    >>> done.plans, round(done.cost, 3), round(done.cost_of_imperfect_foresight, 3)
    (2, 1.623, 0.543)

    Raises
    ------
    InputError
        Before anything runs, naming what is not valid.
    InfeasibleError, SolverError
        As `dispatch`, for the optimum under perfect foresight.
    """
    if not isinstance(site, Site):
        raise InputError.at("site", "must be a bess.Site", site)
    if not isinstance(battery, Battery | BessDevice):
        raise InputError.at("battery", "must be one bess.Battery or bess.BessDevice", battery)
    if not isinstance(strategy, Optimize):
        raise InputError.at("strategy", "must be Optimize(): rules make no plans", strategy)
    for name, usual in _NOT_ROLLED.items():
        if getattr(strategy, name) != usual:
            asked = getattr(strategy, name)
            raise InputError.at(f"strategy.{name}", "is not for a rolling horizon", asked)
    horizon = _steps(horizon_hours, "horizon_hours", site)
    replan = _steps(replan_hours, "replan_hours", site)
    if replan > horizon:
        reason = f"must be at most horizon_hours ({horizon_hours:g})"
        raise InputError.at("replan_hours", reason, replan_hours)
    given = {
        "initial_state_of_charge": initial_state_of_charge,
        "terminal_state_of_charge": terminal_state_of_charge,
        "self_discharge_per_hour": self_discharge_per_hour,
        "degradation_cost_per_kwh": degradation_cost_per_kwh,
        "allow_grid_to_battery": allow_grid_to_battery,
        "allow_battery_to_grid": allow_battery_to_grid,
        "allow_solar_to_battery": allow_solar_to_battery,
    }
    keywords: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    (unit,) = units_of(site, battery, policies, keywords)
    if unit.battery.terminal_state_of_charge == "cyclic":
        raise InputError.at(
            "terminal_state_of_charge", "cannot be cyclic: the start would need foresight", "cyclic"
        )
    (unit,) = valued([unit], strategy.terminal_value)
    if getattr(tariff, "metering", None) == "buy_all_sell_all":
        raise InputError.at("tariff", "with buy_all_sell_all is not for a rolling horizon")
    ahead = foreseen(forecast, site, horizon, replan)
    optimum = dispatch(
        site,
        battery,
        strategy,
        prices=prices,
        tariff=tariff,
        past_peaks_kw=past_peaks_kw,
        policies=policies,
        **keywords,
    )
    past: PastPeaks = {}
    seen = site if unit.battery.dc_coupled else site.behind_inverter
    limit = site.inverter_limit_kwh
    if seen is not site and limit is not None:
        ahead = ahead[0], ahead[1].cut_at(limit)
    if tariff is not None:
        from bess.tariff.demand import past_peaks

        past = past_peaks(past_peaks_kw, tariff)
        money: Money = BilledMoney(seen, [unit], tariff, past=past)
    else:
        assert optimum.import_price is not None
        assert optimum.export_price is not None
        money = Money(optimum.import_price, optimum.export_price, [unit])
    plans = Plans(seen, unit, strategy, ahead, horizon, replan)
    if not_by_steps([unit], strategy, money) is None and strategy.engine != "highs":
        rolled = roll_by_steps(plans, money)
    else:
        rolled = roll_by_plans(plans, money, tariff, past)
    instants = site.timeline.instant
    foreseeing = sunk([unit], [own.series for own in optimum.units])
    assumptions = [note for note in optimum.assumptions if note not in foreseeing]
    assumptions += sunk([unit], list(rolled.device_series))
    return RollingResult(
        site=site,
        named=optimum.named,
        import_price=optimum.import_price,
        export_price=optimum.export_price,
        degradation_cost_per_kwh=optimum.degradation_cost_per_kwh,
        tariff=tariff,
        past_peaks_kw=past_peaks_kw,
        series=with_clipped(site, seen, rolled.series),
        units=(unit.result(rolled.device_series[0], site.step_hours),),
        engine=rolled.engine,
        marginal_value=rolled.marginal_value,
        assumptions=tuple(assumptions),
        optimum=optimum,
        cost_without_storage=_cost_without_storage(site, optimum, tariff, past),
        plans=-(-site.steps // replan),
        relaxed_plans=tuple(map(instants, rolled.relaxed)),
        import_limit_exceeded=tuple(map(instants, rolled.over_import_limit)),
    )


def _steps(hours: Any, path: str, site: Site) -> int:
    """A time as a whole number of the site's steps, 1 or more."""
    steps = number(hours, path) / site.step_hours
    if round(steps) < 1 or abs(steps - round(steps)) > 1e-9 * steps:
        step = site.step_hours
        raise InputError.at(path, f"must be a whole number of steps ({step:g} h), 1 or more", hours)
    return round(steps)


def _cost_without_storage(
    site: Site, optimum: Result, tariff: Tariff | None, past: PastPeaks
) -> float:
    from bess.tariff.bill import bill_energy, meter_without_storage

    imports, exports = meter_without_storage(site, tariff)
    if tariff is not None:
        return bill_energy(site, tariff, imports, exports, past=past).total
    bought, sold = optimum.import_price, optimum.export_price
    assert bought is not None
    assert sold is not None
    return float(np.dot(bought, imports) - np.dot(sold, exports))
