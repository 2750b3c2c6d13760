"""One call for every strategy: what a battery at a site does, step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from bess import _core
from bess._arrays import Floats, broadcast
from bess.battery import Battery, Terminal
from bess.device import BessDevice
from bess.emissions import Emissions
from bess.errors import InputError
from bess.infeasibility import unservable
from bess.money import BilledMoney, Money
from bess.objectives import optimize_objective
from bess.optimization import Optimum
from bess.policy import SchedulePolicy
from bess.prices import Prices
from bess.result import Result
from bess.site import Site
from bess.strategy import (
    FixedSchedule,
    Follow,
    Optimize,
    PeakShave,
    Strategy,
    Surplus,
    core_rule,
)
from bess.terminal_value import valued
from bess.unit import Unit, units_of

if TYPE_CHECKING:
    from bess.tariff import Tariff
    from bess.tariff.demand import PastPeaks

__all__ = ["dispatch", "sunk", "with_clipped"]

STRATEGIES: Final = (Surplus, FixedSchedule, Follow, PeakShave, Optimize)


def dispatch(
    site: Site,
    battery: Battery | BessDevice | Sequence[BessDevice],
    strategy: Strategy,
    *,
    prices: Prices | None = None,
    tariff: Tariff | None = None,
    emissions: Emissions | None = None,
    past_peaks_kw: Sequence[float] | Mapping[str, Sequence[float]] | None = None,
    policies: Sequence[SchedulePolicy | dict[str, Any]] = (),
    reserve_state_of_charge: Any = None,
    initial_state_of_charge: float | None = None,
    terminal_state_of_charge: Terminal | None = None,
    self_discharge_per_hour: float | None = None,
    degradation_cost_per_kwh: float | None = None,
    allow_grid_to_battery: bool | None = None,
    allow_battery_to_grid: bool | None = None,
    allow_solar_to_battery: bool | None = None,
) -> Result:
    """Dispatch a battery, a device or several devices over the site's horizon.

    Parameters
    ----------
    site, battery, strategy
        Where, what, and how. Several devices share surplus and deficit by priority.
    prices, tariff
        What energy costs; one of them at most. `Optimize` needs one, others then tell the cost. A
        tariff gives the result a bill.
    emissions
        What a kWh at the meter emits: the result then has `Result.emissions_kg`.
    past_peaks_kw
        Monthly peaks before the horizon, for a tariff's ratchets: see `bess.bill`.
    policies
        Windows on the state of charge, for a `Battery`; devices have their own.
    reserve_state_of_charge
        Least state of charge at the end of every step, for outages say (see `outage_reserve`): a
        number, or one for each step. Every device keeps it as it keeps policies.
    initial_state_of_charge, terminal_state_of_charge, self_discharge_per_hour,
    degradation_cost_per_kwh, allow_...
        For devices, whose model does not hold them: as the fields of `Battery`, with its defaults.

    >>> site = Site(load_kwh=[1, 1], solar_kwh=[3, 0], start="2025-06-01T12:00Z")
    >>> battery = Battery(dc_coupled=False, ac_to_dc_efficiency=1, input_efficiency=1)
    >>> result = dispatch(site, battery, Surplus())
    >>> result.solar_to_battery_kwh_dc.tolist(), result.battery_to_site_kwh_ac.round(6).tolist()
    ([2.0, 0.0], [0.0, 1.0])

    Raises
    ------
    InputError
        Before anything runs, naming what is not valid.
    InfeasibleError
        Where load above the import limit cannot be served, or, under `Optimize`, where a policy or
        the terminal state of charge cannot be met.
    SolverError
        Under `Optimize`, where the solver gives no answer in time.
    """
    if not isinstance(site, Site):
        raise InputError.at("site", "must be a bess.Site", site)
    if not isinstance(strategy, STRATEGIES):
        names = ", ".join(f"{kind.__name__}()" for kind in STRATEGIES)
        raise InputError.at("strategy", f"must be one of {names}", strategy)
    given = {
        "initial_state_of_charge": initial_state_of_charge,
        "terminal_state_of_charge": terminal_state_of_charge,
        "self_discharge_per_hour": self_discharge_per_hour,
        "degradation_cost_per_kwh": degradation_cost_per_kwh,
        "allow_grid_to_battery": allow_grid_to_battery,
        "allow_battery_to_grid": allow_battery_to_grid,
        "allow_solar_to_battery": allow_solar_to_battery,
    }
    keywords = {name: value for name, value in given.items() if value is not None}
    units = units_of(site, battery, policies, keywords)
    if reserve_state_of_charge is not None:
        reserve = broadcast(
            reserve_state_of_charge, "reserve_state_of_charge", site.steps, minimum=0.0
        )
        units = [unit.with_reserve(reserve, site.timeline) for unit in units]
    if isinstance(strategy, Optimize):
        units = valued(units, strategy.terminal_value)
    # An AC-coupled battery sees what the array's inverter lets through, not the inverter itself.
    seen = site if units[0].battery.dc_coupled else site.behind_inverter
    assumptions: list[str] = []
    paid = _paid(site, prices, tariff, assumptions)
    emitted = _emitted(site, emissions)
    past = _past_peaks(past_peaks_kw, tariff)
    common: dict[str, Any] = {
        "site": site,
        "named": not isinstance(battery, Battery),
        "import_price": None if paid is None else paid[0],
        "export_price": None if paid is None else paid[1],
        "degradation_cost_per_kwh": units[0].battery.degradation_cost_per_kwh,
        "tariff": tariff,
        "emissions": emissions,
        "past_peaks_kw": past_peaks_kw,
    }
    if isinstance(strategy, Optimize):
        besides = None
        if strategy.emissions_price_per_kg:
            if emitted is None:
                raise InputError.at("emissions", "are required by emissions_price_per_kg")
            per_kg = strategy.emissions_price_per_kg
            besides = per_kg * emitted[0], per_kg * emitted[1]
        if tariff is not None:
            money: Money = BilledMoney(seen, units, tariff, besides, past)
        elif paid is not None:
            if besides is not None:
                paid = paid[0] + besides[0], paid[1] + besides[1]
            money = Money(*paid, units)
        else:
            raise InputError.at("prices", "are required by Optimize (or a tariff)")
        optimum = optimize_objective(seen, units, strategy, money, emitted)
        optimum = replace(optimum, series=with_clipped(site, seen, optimum.series))
        return _optimal(units, strategy, optimum, assumptions, common)
    time_zone = None if tariff is None else tariff.time_zone
    if isinstance(strategy, FixedSchedule):
        assumptions += strategy.assumptions(site.timeline, time_zone)
    rule = core_rule(strategy, site.timeline, time_zone)
    series, parts = _by_rule(seen, units, rule)
    if tariff is not None and tariff.metering == "buy_all_sell_all":
        series, parts = _sold_whole(series, parts)
    assumptions += sunk(units, parts)
    return Result(
        **common,
        series=with_clipped(site, seen, series),
        units=tuple(
            unit.result(part, site.step_hours) for unit, part in zip(units, parts, strict=True)
        ),
        assumptions=tuple(assumptions),
    )


def _by_rule(site: Site, units: list[Unit], rule: _core.Rule) -> tuple[Floats, Sequence[Floats]]:
    if len(units) == 1:
        series, step, shortfall = _core.dispatch_rule(
            site._core, units[0].core_battery(site.step_hours), rule, units[0].core_windows()
        )
        if series is None:
            raise unservable(site, step, shortfall)
        return series, [_part_of_one(series)]
    devices = [unit.core_device(site.step_hours, unit.core_windows()) for unit in units]
    series, parts, step = _core.dispatch_shared(site._core, devices, rule)
    if step >= 0:
        raise unservable(site, step, 0.0)
    return series, cast("Sequence[Floats]", parts)


def sunk(units: list[Unit], parts: Sequence[Floats]) -> list[str]:
    """Where self-discharge took a battery below its least state of charge."""
    found = []
    for unit, part in zip(units, parts, strict=True):
        least, reached = unit.battery.min_state_of_charge, part[4]
        steps = int((reached < least - 1e-9).sum())
        if steps:
            found.append(
                f"self-discharge takes the state of charge below {100 * least:g} % in {steps} "
                f"steps, to {100 * reached.min():.4g} %, where it cannot be made good"
            )
    return found


def _sold_whole(series: Floats, parts: Sequence[Floats]) -> tuple[Floats, list[Floats]]:
    """The same dispatch where the sun has a meter of its own, and is sold whole.

    What the sun gave the site is sold, and the battery serves the site first, then the grid.
    """
    sold, own = np.array(series), np.array(parts)
    instead = np.minimum(sold[7], sold[3])
    share = np.divide(instead, sold[7], out=np.zeros_like(instead), where=sold[7] > 0)
    own[:, 2] += share * own[:, 3]
    own[:, 3] -= share * own[:, 3]
    sold[6] += instead
    sold[7] -= instead
    sold[0] += sold[3] - instead
    sold[4] += sold[3]
    sold[3] = 0.0
    for array in (sold, own):
        array.flags.writeable = False
    return sold, list(own)


def with_clipped(site: Site, seen: Site, series: Floats) -> Floats:
    """The flows, with what was clipped before the battery could see it among the curtailed."""
    if seen is site:
        return series
    whole = np.array(series)
    whole[5] += (site.solar_kwh - seen.solar_kwh) / site.solar_dc_to_ac_efficiency
    whole.flags.writeable = False
    return whole


def _part_of_one(series: Floats) -> Floats:
    """The rows of the site's series that are a device's, where there is one device only."""
    part = series[[1, 2, 6, 7, 9]]
    part.flags.writeable = False
    return part


def _optimal(
    units: list[Unit],
    strategy: Optimize,
    optimum: Optimum,
    assumptions: list[str],
    common: dict[str, Any],
) -> Result:
    parts = optimum.device_series
    cyclic = units[0].battery.terminal_state_of_charge == "cyclic"
    if strategy.time_limit is None and optimum.gap > strategy.gap + 1e-12:
        assumptions.append(
            f"the gap reached is {optimum.gap:.1e}, above the {strategy.gap:.1e} asked for"
        )
    assumptions += sunk(units, list(parts))
    return Result(
        **common,
        series=optimum.series,
        units=tuple(
            unit.result(part, common["site"].step_hours, float(part[4, -1]) if cyclic else None)
            for unit, part in zip(units, parts, strict=True)
        ),
        objective=optimum.cost,
        lower_bound=optimum.lower_bound,
        gap=optimum.gap,
        engine=optimum.engine,
        marginal_value=optimum.marginal_value,
        assumptions=tuple(assumptions),
    )


def _emitted(site: Site, emissions: Emissions | None) -> tuple[Floats, Floats] | None:
    """Emission factors of import and export in every step, or None."""
    if emissions is None:
        return None
    if not isinstance(emissions, Emissions):
        raise InputError.at("emissions", "must be bess.Emissions", emissions)
    try:
        return emissions.series(site.steps)
    except InputError as error:
        raise error.under("emissions") from None


def _past_peaks(given: Any, tariff: Tariff | None) -> PastPeaks:
    if given is None:
        return {}
    if tariff is None:
        raise InputError.at("past_peaks_kw", "are for a tariff")
    from bess.tariff.demand import past_peaks

    return past_peaks(given, tariff)


def _paid(
    site: Site, prices: Prices | None, tariff: Tariff | None, assumptions: list[str]
) -> tuple[Floats, Floats] | None:
    """Import and export price of every step, or None; assumptions of the tariff are added."""
    if prices is not None and tariff is not None:
        raise InputError.at("prices", "cannot be given together with a tariff")
    if tariff is not None:
        from bess.tariff import Tariff
        from bess.tariff.layout import lay_out
        from bess.tariff.pricing import prices_of

        if not isinstance(tariff, Tariff):
            raise InputError.at("tariff", "must be a bess.Tariff (see load_tariff)", tariff)
        if tariff.not_by_step("energy"):
            lay_out(tariff, site.timeline)  # refuses gaps before anything runs
        else:
            tariff.prices(site.timeline)
            prices = prices_of(tariff, site.timeline, percentages=True)
        assumptions += (*tariff.assumptions, *tariff.notes(site.timeline))
    if prices is None:
        return None
    if not isinstance(prices, Prices):
        raise InputError.at("prices", "must be bess.Prices", prices)
    try:
        return prices.series(site.steps)
    except InputError as error:
        raise error.under("prices") from None
