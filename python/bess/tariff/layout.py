"""How a tariff divides a horizon: bins of energy, and windows of demand, by billing period.

A bin is a billing period and the energy rates and demand windows that hold in it. The core adds up
energy and finds peaks by bin (`bess._core.settle`); rates and windows are sums and maxima of bins.
A layout depends on the tariff and the horizon alone and is kept for the next bill.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bess.tariff.hours import Time
from bess.tariff.model import Tariff
from bess.tariff.periods import BillingPeriod, billing_periods
from bess.tariff.pricing import holding, within
from bess.tariff.rates import DemandRate
from bess.tariff.when import when
from bess.time_of_use import Season
from bess.timeline import Timeline

__all__ = ["Entries", "Layout", "Runs", "Window", "lay_out", "window_of"]

Integers = NDArray[np.int32]
Steps = NDArray[np.bool_]
Floats = NDArray[np.float64]

Window = tuple[tuple[Time, ...], tuple[int, ...] | None]
"""The hours over which demand is measured: times of use, and given hours alone."""

ANY_HOURS: Window = ((), None)


@dataclass(frozen=True, eq=False)
class Runs:
    """Consecutive steps (or intervals) of one bin, as the core takes them."""

    start: Integers
    bin: Integers
    bins: int


@dataclass(frozen=True, eq=False)
class Entries:
    """What a rate or a window has in a billing period: a set of bins for each."""

    index: NDArray[np.intp]
    """The rate or window of each entry."""
    period: NDArray[np.intp]
    bins: NDArray[np.intp]
    """The bins of all entries, one after another."""
    offset: NDArray[np.intp]
    """Where each entry's bins begin."""

    def total(self, by_bin: Floats) -> Floats:
        """The sum over each entry's bins."""
        return np.add.reduceat(by_bin[self.bins], self.offset) if len(self.offset) else by_bin[:0]

    def highest(self, by_bin: Floats) -> Floats:
        """The largest over each entry's bins."""
        if not len(self.offset):
            return by_bin[:0]
        return np.maximum.reduceat(by_bin[self.bins], self.offset)


@dataclass(frozen=True, eq=False)
class Layout:
    """Where everything that is billed comes from."""

    periods: tuple[BillingPeriod, ...]
    runs: Runs
    period_bins: tuple[tuple[int, int], ...]
    """The bins of each billing period: first, and one past the last."""
    bin_net: NDArray[np.intp]
    """The time of use, across all rates, in which each bin nets under net metering."""
    rates: Entries
    """Energy rates by billing period."""
    peak_runs: Runs | None
    """Demand intervals of several steps; None: a step's mean is its demand."""
    first: int
    """Steps of the first demand interval."""
    interval: int
    """Steps of the others."""
    windows: tuple[Window, ...]
    peaks: Entries
    """Windows by billing period."""
    daily: tuple[tuple[Window, Runs, NDArray[np.intp]], ...]
    """Windows measured by day: runs of days, and the billing period of each day."""
    assumptions: tuple[str, ...]
    labels: tuple[tuple[tuple[int, tuple[str, ...]], ...], tuple[tuple[str, ...], ...]]
    """The billing period and the rates of each bin; the rates of each window."""
    by_step: tuple[tuple[int, Steps], ...] = ()
    """Energy rates that are billed from steps, and the steps in which each holds."""
    dates: tuple[date, ...] | None = None
    """The dates that bills were said to begin at."""


@lru_cache(maxsize=32)
def lay_out(tariff: Tariff, timeline: Timeline, dates: tuple[date, ...] | None = None) -> Layout:
    """The layout of a tariff on a horizon; see `Tariff.prices` for what is refused."""
    periods = billing_periods(timeline, tariff.time_zone, dates)
    period = np.repeat(np.arange(len(periods)), [p.end_step - p.first_step for p in periods])
    holds = holding(tariff, timeline, dates)
    kinds = {rate.period for rate in tariff.demand_rates}
    windows = [window_of(rate) for rate in tariff.demand_rates if rate.period != "day"]
    if any(band.limit_kwh_per_kw is not None for rate in tariff.rates for band in rate.bands):
        windows.append(ANY_HOURS)
    windows = list(dict.fromkeys(windows))
    inside = [_window_steps(window, tariff, timeline, dates) for window in windows]
    first, interval, assumptions = _interval(tariff, timeline, bool(windows) or "day" in kinds)
    together = interval == 1
    net = _times(tariff, timeline, dates) if tariff.metering == "net_metering" else []
    bin_of, bins = _number_bins(period, holds + (inside if together else []) + net)
    firsts = np.full(bins, timeline.steps)
    np.minimum.at(firsts, bin_of, np.arange(timeline.steps))
    bin_period = period[firsts]
    energy = [mask[firsts] for mask in holds]
    if together:
        peak_runs, peak_period = None, bin_period
        peak = [mask[firsts] for mask in inside]
    else:
        starts = np.maximum(np.arange(first - interval, timeline.steps, interval), 0)
        cut, count = _number_bins(period[starts], [mask[starts] for mask in inside])
        peak_runs = _runs(cut, count)
        where = np.full(count, len(starts))
        np.minimum.at(where, cut, np.arange(len(starts)))
        peak_period = period[starts][where]
        peak = [mask[starts][where] for mask in inside]
    bin_rates = [
        tuple(rate.name for rate, member in zip(tariff.rates, energy, strict=True) if member[b])
        for b in range(bins)
    ]
    window_rates = [
        tuple(rate.name for rate in tariff.demand_rates if window_of(rate) == window)
        for window in windows
    ]
    edges = np.searchsorted(bin_period, np.arange(len(periods) + 1)).tolist()
    days = {window_of(rate): None for rate in tariff.demand_rates if rate.period == "day"}
    grid = period, first, interval
    return Layout(
        periods=periods,
        runs=_runs(bin_of, bins),
        period_bins=tuple(pairwise(edges)),
        bin_net=_number_bins(np.zeros(bins, np.intp), [mask[firsts] for mask in net])[0],
        rates=_entries(energy, bin_period),
        peak_runs=peak_runs,
        first=first,
        interval=interval,
        windows=tuple(windows),
        peaks=_entries(peak, peak_period),
        daily=tuple(
            _days(window, _window_steps(window, tariff, timeline, dates), tariff, timeline, grid)
            for window in days
        ),
        assumptions=assumptions,
        labels=(tuple(zip(bin_period.tolist(), bin_rates, strict=True)), tuple(window_rates)),
        by_step=tuple((i, holds[i]) for i, rate in enumerate(tariff.rates) if rate.by_step),
        dates=dates,
    )


def window_of(rate: DemandRate) -> Window:
    """The window of a demand rate."""
    return rate.window, rate.coincident_hours


def shares(
    tariff: Tariff,
    timeline: Timeline,
    layout: Layout,
    rule: tuple[tuple[Season, ...], int | None, int | None],
) -> list[float]:
    """The part of each billing period in which one of some seasons holds and a rate is in force."""
    periods = layout.periods
    seasons, valid_from, valid_to = rule
    if not seasons and valid_from is None and valid_to is None:
        return [1.0] * len(periods)
    inside = within(timeline, valid_from, valid_to)
    if seasons:
        at = when(tariff, timeline, layout.dates)
        inside &= np.logical_or.reduce([at.season(season) for season in seasons])
    return [float(inside[p.first_step : p.end_step].mean()) for p in periods]


def _window_steps(
    window: Window, tariff: Tariff, timeline: Timeline, dates: tuple[date, ...] | None
) -> Steps:
    times, hours = window
    at = when(tariff, timeline, dates)
    inside = np.ones(timeline.steps, np.bool_)
    for time in times:
        inside &= at.holds(time)
    if hours is not None:
        given = np.zeros(timeline.steps, np.bool_)
        for hour in hours:
            given |= within(timeline, hour, hour + 3600)
        inside &= given
    return inside


def _interval(
    tariff: Tariff, timeline: Timeline, matters: bool
) -> tuple[int, int, tuple[str, ...]]:
    """Steps of the first demand interval and of the others, and what had to be assumed."""
    length, step = 60 * tariff.demand_interval_minutes, timeline.step_seconds
    if step == length or not matters:
        return 1, 1, ()
    if step > length or length % step:
        note = (
            f"tariff {tariff.name}: demand is mean power over steps of {step / 60:g} minutes, not "
            f"{tariff.demand_interval_minutes}"
        )
        return 1, 1, (note,)
    into = int(timeline.clock(tariff.time_zone).second_of_day[0]) % length
    return -((into - length) // step), length // step, ()


def _number_bins(period: NDArray[np.intp], masks: Sequence[Steps]) -> tuple[NDArray[np.intp], int]:
    """A bin for each position, numbered by period first, and how many there are."""
    code = np.zeros(len(period), np.int64)
    for i, mask in enumerate(masks):
        code = 2 * code + mask
        if i % 40 == 39:
            code = np.unique(code, return_inverse=True)[1].astype(np.int64)
    code = np.unique(code, return_inverse=True)[1]
    found, bin_of = np.unique(period * (int(code.max()) + 1) + code, return_inverse=True)
    return bin_of, len(found)


def _runs(bin_of: NDArray[np.intp], bins: int) -> Runs:
    change = np.flatnonzero(np.diff(bin_of)) + 1
    start = np.concatenate([[0], change, [len(bin_of)]]).astype(np.int32)
    return Runs(start, bin_of[start[:-1]].astype(np.int32), bins)


def _entries(members: Sequence[Steps], bin_period: NDArray[np.intp]) -> Entries:
    """The sets of bins of each of several rates or windows, by billing period."""
    index: list[int] = []
    period: list[int] = []
    bins: list[NDArray[np.intp]] = []
    offset: list[int] = []
    for i, member in enumerate(members):
        own = np.flatnonzero(member)
        begin = np.flatnonzero(np.diff(bin_period[own], prepend=-1))
        index += [i] * len(begin)
        period += bin_period[own][begin].tolist()
        offset += (begin + sum(len(own) for own in bins)).tolist()
        bins.append(own)
    return Entries(
        np.array(index, np.intp),
        np.array(period, np.intp),
        np.concatenate(bins) if bins else np.zeros(0, np.intp),
        np.array(offset, np.intp),
    )


def _times(tariff: Tariff, timeline: Timeline, dates: tuple[date, ...] | None) -> list[Steps]:
    """The steps of each time of use of any rate: what they tell apart nets by itself."""
    at = when(tariff, timeline, dates)
    times = dict.fromkeys(time for rate in tariff.rates for time in rate.times)
    return [at.holds(time) for time in times]


def _days(
    window: Window,
    hours: Steps,
    tariff: Tariff,
    timeline: Timeline,
    grid: tuple[NDArray[np.intp], int, int],
) -> tuple[Window, Runs, NDArray[np.intp]]:
    """A window's demand intervals by local day; bin 0 holds those outside its hours.

    ``grid``: the billing period of each step, steps of the first interval and of the others.
    """
    period, first, interval = grid
    starts = np.maximum(np.arange(first - interval, timeline.steps, interval), 0)
    day = timeline.clock(tariff.time_zone).day_number[starts]
    inside = hours[starts]
    days, number = np.unique(day[inside], return_inverse=True)
    bin_of = np.zeros(len(starts), np.intp)
    bin_of[inside] = number + 1
    of_day = np.zeros(len(days) + 1, np.intp)
    of_day[bin_of] = period[starts]
    return window, _runs(bin_of, len(days) + 1), of_day
