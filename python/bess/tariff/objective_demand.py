"""Demand charges as expressions: peaks by window and billing period, and ratchets over them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bess._arrays import Floats
from bess.tariff.demand import PastPeaks, looked_back, looks_round, parts_of, year_ends
from bess.tariff.layout import Layout, Runs, window_of
from bess.tariff.model import Tariff
from bess.tariff.piecewise import Charge, banded
from bess.tariff.program import ChargeProgram, Expression
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
    groups: dict[tuple[tuple[int, int], ...], list[int]] = {}
    for b, of_bin in owners.items():
        groups.setdefault(tuple(of_bin), []).append(b)
    peaks: Peaks = {}
    highest: dict[tuple[int, int], float] = {}
    lowest: dict[tuple[int, int], float] = {}
    shared = []
    for windows, bins in groups.items():
        most = intervals.of(bins)
        least = program.meter.least_mean(most[0][0]) if layout.interval == 1 else 0.0
        for window in windows:
            highest[window] = max(highest.get(window, 0.0), most[1])
            lowest[window] = max(lowest.get(window, 0.0), least)
        shared.append((windows, most[0]))
    variables = {window: program.column(lowest[window], highest[window]) for window in highest}
    for windows, means in shared:
        if len(windows) == 1:
            own = variables[windows[0]]
        else:
            own = program.column(0.0, min(highest[window] for window in windows))
            for window in windows:
                program.row(variables[window] - own, 0.0)
        program.means_at_most(*means, own)
    for window, variable in variables.items():
        peaks[window] = variable * (1.0 / step_hours)
    return peaks


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
        self._most = np.add.reduceat(program.meter.most_import, starts) / self._length
        of_interval = np.repeat(runs.bin, np.diff(runs.start))
        ends = np.cumsum(np.bincount(of_interval, minlength=runs.bins))[:-1]
        self._of_bin = np.split(np.argsort(of_interval, kind="stable"), ends)

    def of(self, bins: Sequence[int]) -> tuple[Means, float]:
        """The steps, intervals and weights of some bins, and the most their means can be."""
        own = np.sort(np.concatenate([self._of_bin[b] for b in bins]))
        most = float(self._most[own].max())
        if len(self._start) == self._steps:
            return (own, np.arange(len(own)), np.ones(len(own))), most
        length = self._length[own]
        interval = np.repeat(np.arange(len(own)), length)
        before = np.cumsum(length) - length
        step = (self._start[own] - before)[interval] + np.arange(len(interval))
        return (step, interval, 1.0 / length[interval]), most


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
            for p, share in enumerate(part):
                season = share / layout.periods[p].share
                for day in (np.flatnonzero(of_day[1:] == p) + 1).tolist() if share else ():
                    means, most = intervals.of([day])
                    peak = program.column(0.0, most)
                    program.means_at_most(*means, peak)
                    kw = peak * (1.0 / timeline.step_hours)
                    lines.append(_charge(program, rate, p, kw, season))
            continue
        window = layout.windows.index(window_of(rate))
        own = [peaks.get((window, p)) for p in range(len(layout.periods))]
        billed = own if rate.ratchet is None else _ratcheted(rate, own, layout, program, past)
        if rate.period == "year":
            for last in year_ends(len(own)):
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
