"""Demand charges as expressions: peaks by window and billing period, and ratchets over them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from bess._arrays import Floats
from bess.tariff.demand import PastPeaks, looked_back, looks_round, parts_of, year_ends
from bess.tariff.expression import Expression
from bess.tariff.layout import Layout, Runs, window_of
from bess.tariff.meter_bounds import MeterBounds, Stretches
from bess.tariff.model import Tariff
from bess.tariff.piecewise import Charge, banded
from bess.tariff.program import ChargeProgram
from bess.tariff.rates import DemandBand, DemandRate
from bess.timeline import Timeline

__all__ = ["Peaks", "demand_charges", "peaks_of"]

Peaks = dict[tuple[int, int], Expression]
"""Peak import power in kW by window and billing period; none where a window has no hours."""

Means = tuple[NDArray[np.intp], NDArray[np.intp], Floats]
"""Steps, the demand interval of each, and its weight in the interval's mean."""


def peaks_of(layout: Layout, program: ChargeProgram, step_hours: float) -> Peaks:
    """The peaks of all windows: each demand interval is held under the peaks it belongs to.

    Intervals that belong to the same windows share one variable for their highest.
    """
    if not layout.windows:
        return {}
    owners: dict[int, list[tuple[int, int]]] = {}
    ends = np.append(layout.peaks.offset, len(layout.peaks.bins))
    for e, (window, period) in enumerate(
        zip(layout.peaks.index.tolist(), layout.peaks.period.tolist(), strict=True)
    ):
        for b in layout.peaks.bins[ends[e] : ends[e + 1]].tolist():
            owners.setdefault(b, []).append((window, period))
    runs = layout.runs if layout.peak_runs is None else layout.peak_runs
    intervals = _Intervals(program, layout, runs)
    bins_of: dict[tuple[tuple[int, int], ...], list[int]] = {}
    for b, of_bin in owners.items():
        bins_of.setdefault(tuple(of_bin), []).append(b)
    groups = [
        (windows, own, Stretches(own, program.meter.net_load) if layout.interval == 1 else None)
        for windows, own in ((w, intervals.within(bins)) for w, bins in bins_of.items())
    ]
    windows = list(dict.fromkeys(window for group in groups for window in group[0]))
    shared = [group[0] for group in groups if len(group[0]) > 1]

    def bounds_at(meter: MeterBounds) -> tuple[Floats, Floats]:
        """Of the peaks of windows, and of the highest in the intervals that several share."""
        most_of = intervals.most_at(meter)
        highest, lowest = dict.fromkeys(windows, 0.0), dict.fromkeys(windows, 0.0)
        for group, own, stretches in groups:
            most = float(most_of[own].max())
            least = 0.0 if stretches is None else meter.least_mean(stretches)
            for window in group:
                highest[window] = max(highest[window], most)
                lowest[window] = max(lowest[window], least)
        joint = [min(highest[window] for window in group) for group in shared]
        nothing = [0.0] * len(joint)
        return np.array([*lowest.values(), *nothing]), np.array([*highest.values(), *joint])

    columns = program.columns(bounds_at)
    variables = dict(zip(windows, columns, strict=False))
    joint_of = dict(zip(shared, columns[len(windows) :], strict=True))
    for group, own, _ in groups:
        peak = joint_of.get(group, variables[group[0]])
        for window in group if len(group) > 1 else ():
            program.row(variables[window] - peak, 0.0)
        program.means_at_most(*intervals.means(own), peak)
    return {window: variable * (1.0 / step_hours) for window, variable in variables.items()}


class _Intervals:
    """The demand intervals of a horizon by bins, and the most that each can import."""

    def __init__(self, program: ChargeProgram, layout: Layout, runs: Runs) -> None:
        steps = len(program.meter.most_import)
        starts = np.arange(steps)
        if layout.interval > 1:
            starts = np.arange(layout.first - layout.interval, steps, layout.interval)
            starts = np.maximum(starts, 0)
        self._steps, self._start = steps, starts
        self._length = np.diff(np.append(starts, steps))
        of_interval = np.repeat(runs.bin, np.diff(runs.start))
        ends = np.cumsum(np.bincount(of_interval, minlength=runs.bins))[:-1]
        self._of_bin = np.split(np.argsort(of_interval, kind="stable"), ends)

    def most_at(self, meter: MeterBounds) -> Floats:
        """The most that the mean of each interval can be."""
        return np.add.reduceat(meter.most_import, self._start) / self._length

    def within(self, bins: Sequence[int]) -> NDArray[np.intp]:
        """The intervals in some bins."""
        return np.sort(np.concatenate([self._of_bin[b] for b in bins]))

    def means(self, own: NDArray[np.intp]) -> Means:
        """The steps of some intervals, the place of each one's interval, and its weight there."""
        if len(self._start) == self._steps:
            return own, np.arange(len(own)), np.ones(len(own))
        length = self._length[own]
        interval = np.repeat(np.arange(len(own)), length)
        before = np.cumsum(length) - length
        step = (self._start[own] - before)[interval] + np.arange(len(interval))
        return step, interval, 1.0 / length[interval]


def demand_charges(
    tariff: Tariff,
    timeline: Timeline,
    layout: Layout,
    program: ChargeProgram,
    peaks: Peaks,
    past: PastPeaks,
) -> list[Charge]:
    """The amounts of every demand rate, as `bess.tariff.demand.demand_lines` has them."""
    lines: list[Charge] = []
    daily = {window: (runs, of_day) for window, runs, of_day in layout.daily}
    for rate, part in zip(tariff.demand_rates, parts_of(tariff, timeline, layout), strict=True):
        if rate.period == "day":
            runs, of_day = daily[window_of(rate)]
            intervals = _Intervals(program, layout, runs)
            days = [
                (p, share / layout.periods[p].share, intervals.within([day]))
                for p, share in enumerate(part)
                for day in ((np.flatnonzero(of_day[1:] == p) + 1).tolist() if share else ())
            ]
            highest = program.columns(partial(_highest_at, intervals, [own for *_, own in days]))
            for (p, season, own), peak in zip(days, highest, strict=True):
                program.means_at_most(*intervals.means(own), peak)
                kw = peak * (1.0 / timeline.step_hours)
                lines.append(_charge(program, rate, p, kw, season))
            continue
        window = layout.windows.index(window_of(rate))
        by_period = [peaks.get((window, p)) for p in range(len(layout.periods))]
        billed = by_period
        if rate.ratchet is not None:
            billed = _ratcheted(rate, by_period, layout, program, past)
        if rate.period == "year":
            for last in year_ends(len(billed)):
                first = last - last % 12
                year = [kw for kw in billed[first : last + 1] if kw is not None]
                share = min(sum(part[first : last + 1]) / 12, 1.0)
                if year and share:
                    lines.append(_charge(program, rate, last, _highest_of(program, year), share))
            continue
        for p, (found, share) in enumerate(zip(billed, part, strict=True)):
            if share and found is not None:
                lines.append(_charge(program, rate, p, found, share))
    return lines


def _highest_at(
    intervals: _Intervals, groups: Sequence[NDArray[np.intp]], meter: MeterBounds
) -> tuple[Floats, Floats]:
    """What the peaks of some groups of intervals lie between."""
    most = intervals.most_at(meter)
    return np.zeros(len(groups)), np.array([most[own].max() for own in groups])


def _charge(
    program: ChargeProgram, rate: DemandRate, period: int, kw: Expression, share: float
) -> Charge:
    bands = rate.bands or (DemandBand(rate.price),)
    if len(bands) == 1:
        amount = kw * bands[0].price
    else:
        limits: list[float] = []
        for band in bands[:-1]:
            assert band.limit_kw is not None
            limits.append(max([band.limit_kw, *limits[-1:]]))
        prices = [band.price for band in bands]
        amount = banded(program, kw, prices, [Expression(limit) for limit in limits])
    return Charge("demand", period, rate.charge_class, amount * share)


def _highest_of(program: ChargeProgram, parts: Sequence[Expression]) -> Expression:
    if len(parts) == 1:
        return parts[0]
    highest = program.column(0.0, max(program.bounds(part)[1] for part in parts))
    for part in parts:
        program.row(highest - part, 0.0)
    return highest


def _ratcheted(
    rate: DemandRate,
    own: Sequence[Expression | None],
    layout: Layout,
    program: ChargeProgram,
    past: PastPeaks,
) -> list[Expression | None]:
    """The larger of each period's peak and the ratchet's part of the highest before it."""
    assert rate.ratchet is not None
    peaks = [Expression() if kw is None else kw for kw in own]
    given = past.get(rate.name, past.get(None))
    before = peaks if looks_round(layout) else []
    if given is not None:
        before = [Expression(kw) for kw in given]
    history = [*before, *peaks]
    return [
        _highest_of(program, [peak, *(history[i] * part for i in looked if part)])
        for peak, (part, looked) in zip(
            peaks, looked_back(rate.ratchet, layout, len(before)), strict=True
        )
    ]
