"""`savings`: what is asked, checked as a whole before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, TypedDict, Unpack

import numpy as np

from bess._arrays import Floats, is_single, number, series, whole_number
from bess.battery import Battery, Terminal
from bess.device import BessDevice
from bess.economics.assembly import assembled
from bess.economics.fading import compounded, remaining_capacity
from bess.economics.lifetime import Lifetime
from bess.economics.scenarios import Savings
from bess.errors import InputError
from bess.policy import SchedulePolicy
from bess.prices import Prices
from bess.site import Site
from bess.strategy import Strategy
from bess.tariff import PriceSeries, Tariff
from bess.unit import DEVICE_KEYWORDS, units_of

__all__ = ["DispatchOptions", "as_tariff", "savings"]

_MOST_YEARS: Final = 100
_DAY: Final = 86_400
_FADES: Final = {"percentPerYear": 2.0}


class DispatchOptions(TypedDict, total=False):
    """What `bess.dispatch` takes beside site, battery, strategy and tariff."""

    policies: Sequence[SchedulePolicy | dict[str, Any]]
    initial_state_of_charge: float | None
    terminal_state_of_charge: Terminal | None
    self_discharge_per_hour: float | None
    degradation_cost_per_kwh: float | None
    allow_grid_to_battery: bool | None
    allow_battery_to_grid: bool | None
    allow_solar_to_battery: bool | None


def savings(
    site: Site,
    battery: Battery | BessDevice | Sequence[BessDevice],
    strategy: Strategy,
    *,
    before_tariff: Tariff | Prices,
    after_tariff: Tariff | Prices | None = None,
    solar_tariff: Tariff | Prices | None = None,
    years: int = 25,
    battery_degradation: Mapping[str, float] | None = _FADES,
    solar_degradation_percent: float = 0.5,
    rate_inflation_percent: float = 0.0,
    discount_rate_percent: float = 0.0,
    capital_cost: float = 0.0,
    annual_cost: float | Sequence[float] | Floats = 0.0,
    compared_with: Literal["before", "solar"] = "before",
    every: int = 1,
    workers: int | None = None,
    progress: Callable[[str], None] | None = None,
    **options: Unpack[DispatchOptions],
) -> Savings:
    """What storage saves over its life, from three scenarios billed year by year.

    ``before`` is the load alone, ``solar`` load and PV without a battery, ``after`` with storage;
    each is billed on its own tariff. Every year repeats the site's year (load, weather, calendar)
    with what is left of capacity and of solar, and with escalated prices. Year 1 has all of both,
    at the tariffs' prices.

    Parameters
    ----------
    site
        Load and solar of about a year: 364 to 366 days.
    battery, strategy, options
        As for `bess.dispatch`. Later years start at the state of charge at which the first year
        ended (several devices: at that at which it started).
    before_tariff, after_tariff, solar_tariff
        What each scenario is billed on; ``after`` also dispatched. ``after_tariff`` is by default
        that of before, ``solar_tariff`` that of after. `Prices` do as well.
    years
        1 to 100.
    battery_degradation
        ``{"percentPerYear": p}``, compounding, or ``{"kwhPerYear": x}`` of nameplate capacity, or
        None. Power, and the limits of the state of charge as fractions, stay.
    solar_degradation_percent, rate_inflation_percent
        Yearly, compounding. Inflation moves all money of the tariffs: prices, credits, fixed and
        minimum amounts; not percentages, nor costs.
    discount_rate_percent
        Nominal, for present values: cash flows fall at the ends of years.
    capital_cost
        Paid at the start of year 1.
    annual_cost
        Paid at the end of each year, nominal: one amount, or one for each year (a replacement).
    compared_with
        Cash flows are what ``after`` saves against ``"before"``, or ``"solar"`` where PV stands
        already and the capital cost is that of storage.
    every
        Dispatch years 1, 1 + every, … and the last; bills between are interpolated (at prices of
        year 1, then escalated).
    workers
        Threads for `Optimize`; by default one for each processor. Answers do not depend on it.
    progress
        Called with a few words after each dispatched year.

    The battery's ``degradation_cost_per_kwh`` steers the dispatch; it is no cash and in no bill.

    >>> from bess import Surplus
    >>> sun = np.tile([0] * 9 + [3] * 6 + [0] * 9, 365)
    >>> site = Site(load_kwh=np.ones(8760), solar_kwh=sun, start="2025-01-01T00:00Z")
    >>> prices = Prices(import_price=0.30, export_price=0.05)
    >>> found = savings(site, Battery(), Surplus(), before_tariff=prices, years=2,
    ...                 capital_cost=800, compared_with="solar")
    >>> [scenario.yearly.round().tolist() for scenario in (found.before, found.solar, found.after)]
    [[2628.0, 2628.0], [1752.0, 1754.0], [1281.0, 1292.0]]
    >>> round(found.payback_years, 2)
    1.71

    Raises
    ------
    InputError
        Before anything runs, naming what is not valid.
    InfeasibleError, SolverError
        As `bess.dispatch`; of a later year, naming it.
    """
    if not isinstance(site, Site):
        raise InputError.at("site", "must be a bess.Site", site)
    _check_horizon(site)
    count = whole_number(years, "years", _MOST_YEARS)
    step = whole_number(every, "every", _MOST_YEARS)
    threads = None if workers is None else whole_number(workers, "workers", 1024)
    if compared_with not in ("before", "solar"):
        raise InputError.at("compared_with", 'must be "before" or "solar"', compared_with)
    before = as_tariff(before_tariff, "before_tariff")
    after = before if after_tariff is None else as_tariff(after_tariff, "after_tariff")
    solar = after if solar_tariff is None else as_tariff(solar_tariff, "solar_tariff")
    given: dict[str, Any] = dict(options)
    keywords = {k: given[k] for k in DEVICE_KEYWORDS if given.get(k) is not None}
    units = units_of(site, battery, given.get("policies", ()), keywords)
    capacity = sum(unit.battery.capacity_kwh for unit in units)
    compounded(discount_rate_percent, "discount_rate_percent", 1, falls=False)
    lifetime = Lifetime(
        site=site,
        battery=battery,
        strategy=strategy,
        options=given,
        before_tariff=before,
        solar_tariff=solar,
        after_tariff=after,
        capacity_kwh=capacity,
        capacity_left=remaining_capacity(battery_degradation, count, capacity),
        solar_left=compounded(
            solar_degradation_percent, "solar_degradation_percent", count, falls=True
        ),
        price_level=compounded(
            rate_inflation_percent, "rate_inflation_percent", count, falls=False
        ),
        every=step,
        workers=threads,
        wear_steers=units[0].battery.degradation_cost_per_kwh > 0,
        initial_state_of_charge=units[0].battery.initial_state_of_charge,
        tell=progress or (lambda _: None),
    )
    return assembled(
        lifetime,
        annual_cost=_annual(annual_cost, count),
        capital_cost=number(capital_cost, "capital_cost", minimum=0.0),
        discount_rate_percent=number(discount_rate_percent, "discount_rate_percent"),
        compared_with=compared_with,
    )


def _check_horizon(site: Site) -> None:
    days = site.timeline.step_seconds * site.steps / _DAY
    if not 364 <= days <= 366:
        reason = "must cover a year, 364 to 366 days: bills of other horizons are no year's"
        raise InputError.at("site", f"{reason}; it has {days:g} days")


def as_tariff(given: Any, path: str) -> Tariff:
    """A tariff, or prices by step as one."""
    if isinstance(given, Tariff):
        return given
    if not isinstance(given, Prices):
        reason = "must be a bess.Tariff (see load_tariff) or bess.Prices"
        raise InputError.at(path, reason, given)
    bought, sold = np.atleast_1d(given.import_price), np.atleast_1d(given.export_price)
    if len(bought) > 1 and len(sold) > 1 and len(bought) != len(sold):
        reason = f"has {len(bought)} import prices and {len(sold)} export prices"
        raise InputError.at(path, reason)
    steps = max(len(bought), len(sold))
    both = (np.broadcast_to(bought, steps), np.broadcast_to(sold, steps))
    return Tariff("prices", series=PriceSeries(*both, path=path, repeats=steps == 1))


def _annual(given: Any, years: int) -> Floats:
    if is_single(given):
        return np.full(years, number(given, "annual_cost", wanted="a number, or one for each year"))
    found = series(given, "annual_cost")
    if len(found) != years:
        reason = f"must have one number for each of {years} years, not {len(found)}"
        raise InputError.at("annual_cost", reason)
    return found
