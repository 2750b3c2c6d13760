"""Dispatches and bills the years of a lifetime.

A bill is proportional to the level of prices, so every bill is worked out at those of year 1 and
then escalated; only a dispatch, in which the cost of wear stays as it is, sees escalated prices.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from bess._arrays import Floats
from bess.battery import Battery
from bess.device import BessDevice
from bess.dispatch import dispatch
from bess.economics.fading import faded_battery
from bess.errors import InfeasibleError, SolverError
from bess.result import Result
from bess.site import Site
from bess.strategy import Optimize, Strategy
from bess.tariff import Tariff
from bess.tariff.bill import Bill, bill, bill_energy, meter_without_storage

__all__ = [
    "Lifetime",
    "SolarBills",
    "bills_with_storage",
    "bills_without_storage",
    "later_start",
]


_Billed = tuple[tuple[float, ...], int]
"""A year's bill by billing period, and how many windows of policies it missed."""


@dataclass(frozen=True, eq=False)
class Lifetime:
    """What is checked and settled before anything runs; arrays are by year."""

    site: Site
    battery: Battery | BessDevice | Sequence[BessDevice]
    strategy: Strategy
    options: dict[str, Any]
    before_tariff: Tariff
    solar_tariff: Tariff
    after_tariff: Tariff
    capacity_kwh: float
    capacity_left: Floats
    solar_left: Floats
    price_level: Floats
    every: int
    workers: int | None
    wear_steers: bool
    initial_state_of_charge: float
    tell: Callable[[str], None]
    """Called with a few words after each dispatch."""

    @property
    def years(self) -> int:
        return len(self.capacity_left)

    @property
    def dispatched_years(self) -> tuple[int, ...]:
        """Years 1, 1 + every, … and the last."""
        return tuple(sorted({*range(1, self.years + 1, self.every), self.years}))

    def site_in(self, year: int) -> Site:
        """The site with what its array yields in a year."""
        left = float(self.solar_left[year - 1])
        site = self.site
        if left == 1.0 or not site.solar_kwh.any():
            return site
        return site._with(solar_kwh=site.solar_kwh * left)

    def dispatch_in(self, year: int, starts_at: float | None) -> Result:
        """The dispatch of a year; ``starts_at`` is its initial state of charge (None: year 1's)."""
        options = dict(self.options)
        left = float(self.capacity_left[year - 1])
        battery: Any = self.battery
        if year > 1:
            battery = faded_battery(battery, left, starts_at)
            if not isinstance(battery, Battery) and len(battery) == 1 and starts_at is not None:
                options["initial_state_of_charge"] = starts_at
        tariff = self.after_tariff
        if isinstance(self.strategy, Optimize):
            tariff = tariff.scaled(float(self.price_level[year - 1]))
        try:
            return dispatch(self.site_in(year), battery, self.strategy, tariff=tariff, **options)
        except InfeasibleError as error:
            if year == 1:
                raise
            told = f"in year {year}: {error}"
            raise InfeasibleError(told, error.step, error.timestamp, error.shortfall_kwh) from None
        except SolverError as error:
            raise SolverError(f"in year {year}: {error}") from None


@dataclass(frozen=True, eq=False)
class SolarBills:
    """Bills with solar and without storage, at the first year's prices."""

    first: Bill
    on_solar: Floats
    """By year and billing period, on the solar tariff."""
    on_after: Floats
    """The same on the storage tariff."""


def bills_without_storage(lifetime: Lifetime) -> SolarBills:
    """The bills of every year with solar and without storage."""
    first: Bill | None = None
    own: list[tuple[float, ...]] = []
    after: list[tuple[float, ...]] = []
    for year in range(1, lifetime.years + 1):
        site = lifetime.site_in(year)
        if year > 1 and site is lifetime.site:
            own.append(own[0])
            after.append(after[0])
            continue
        found = [
            bill_energy(site, tariff, *meter_without_storage(site, tariff))
            for tariff in (lifetime.solar_tariff, lifetime.after_tariff)
        ]
        first = first or found[0]
        own.append(found[0].monthly)
        after.append(found[1].monthly)
    assert first is not None
    return SolarBills(first, np.array(own), np.array(after))


def bills_with_storage(lifetime: Lifetime, first: Result) -> tuple[Floats, dict[int, int]]:
    """Bills with storage by year and period, at the first year's prices, and how many windows of
    policies each dispatched year missed."""
    asked = lifetime.dispatched_years
    starts_at = later_start(lifetime, first)
    # Years that are alike are dispatched once.
    alike: dict[tuple[float, ...], int] = {}
    for year in asked[1:]:
        alike.setdefault(_likeness(lifetime, year), year)
    unlike = list(alike.values())

    def billed(year: int) -> _Billed:
        result = lifetime.dispatch_in(year, starts_at)
        return bill(result, lifetime.after_tariff).monthly, len(result.violations)

    threads = lifetime.workers or os.cpu_count() or 1
    if isinstance(lifetime.strategy, Optimize) and min(threads, len(unlike)) > 1:
        with ThreadPoolExecutor(threads) as pool:
            try:
                answers = _told(lifetime, unlike, pool.map(billed, unlike))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    else:
        answers = _told(lifetime, unlike, map(billed, unlike))
    found = dict(zip(unlike, answers, strict=True))
    found = {year: found[alike[_likeness(lifetime, year)]] for year in asked[1:]}
    found[1] = (bill(first, lifetime.after_tariff).monthly, len(first.violations))
    known = np.array([found[year][0] for year in asked])
    every_year = np.arange(1, lifetime.years + 1)
    columns = [np.interp(every_year, asked, column) for column in known.T]
    return np.stack(columns, axis=1), {year: found[year][1] for year in asked}


def _told(lifetime: Lifetime, years: list[int], answers: Iterable[_Billed]) -> list[_Billed]:
    """The answers of some years, each told of as it comes."""
    found = []
    for year, answer in zip(years, answers, strict=True):
        lifetime.tell(f"dispatched year {year} of {lifetime.years}")
        found.append(answer)
    return found


def _likeness(lifetime: Lifetime, year: int) -> tuple[float, ...]:
    """What tells a later year's dispatch from another's."""
    i = year - 1
    level = lifetime.price_level[i] if lifetime.wear_steers else 1.0
    return float(lifetime.capacity_left[i]), float(lifetime.solar_left[i]), float(level)


def later_start(lifetime: Lifetime, first: Result) -> float | None:
    """The state of charge at which later years start; None: that of the first year."""
    if len(first.units) > 1:
        return None
    low, high = 0.0, 1.0
    if isinstance(lifetime.battery, Battery):
        low = lifetime.battery.min_state_of_charge
        high = lifetime.battery.max_state_of_charge
    return min(max(float(first.units[0].battery_soc[-1]), low), high)
