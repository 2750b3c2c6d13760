"""Billed demand: peaks by window and billing period, with ratchets over earlier months."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate
from math import inf
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from bess import _core
from bess._arrays import Floats, number
from bess.errors import InputError
from bess.tariff.layout import Layout, shares, window_of
from bess.tariff.lines import BillLine
from bess.tariff.model import Tariff
from bess.tariff.quantities import Quantity, highest, in_bands, larger
from bess.tariff.rates import DemandRate, Ratchet
from bess.timeline import Timeline

__all__ = [
    "PastPeaks",
    "bands_of",
    "billed_peaks",
    "demand_lines",
    "looked_back",
    "looks_round",
    "parts_of",
    "past_peaks",
    "period_peaks",
    "year_ends",
]

PastPeaks = Mapping[str | None, tuple[float, ...]]
"""Monthly peaks before the horizon, the last month last, by rate name (None: of any rate)."""


def past_peaks(given: Any, tariff: Tariff) -> PastPeaks:
    """Check ``past_peaks_kw``: one list for every ratcheted rate, or one for each by its name."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        return {None: _peaks(given, "past_peaks_kw")}
    names = [rate.name for rate in tariff.demand_rates if rate.ratchet is not None]
    for name in given:
        if name not in names:
            known = ", ".join(names) or "it has none"
            reason = f"is no rate of the tariff with a ratchet ({known})"
            raise InputError.at(f"past_peaks_kw.{name}", reason)
    return {name: _peaks(peaks, f"past_peaks_kw.{name}") for name, peaks in given.items()}


def _peaks(given: Any, path: str) -> tuple[float, ...]:
    if isinstance(given, (str, bytes)) or not isinstance(given, (Sequence, np.ndarray)):
        raise InputError.at(path, "must be a list of monthly peaks in kW", given)
    return tuple(number(kw, f"{path}[{i}]", minimum=0.0) for i, kw in enumerate(given))


def period_peaks(
    layout: Layout, imports: Floats, peak_by_bin: Floats, step_hours: float
) -> NDArray[np.float64]:
    """Peak import power in kW by window and billing period, 0 where a window has no hours."""
    runs = layout.peak_runs
    if runs is not None:
        peak_by_bin = _core.peak_demand(
            imports, layout.first, layout.interval, runs.start, runs.bin, runs.bins
        )
    peaks = np.full((len(layout.windows), len(layout.periods)), np.nan)
    found = layout.peaks.highest(peak_by_bin)
    peaks[layout.peaks.index, layout.peaks.period] = found / step_hours
    return peaks


def demand_lines(
    tariff: Tariff,
    timeline: Timeline,
    layout: Layout,
    peaks: NDArray[np.float64],
    imports: Floats,
    past: PastPeaks,
) -> list[BillLine]:
    """The lines of every demand rate."""
    parts = parts_of(tariff, timeline, layout)
    daily = {
        window: (
            _core.peak_demand(
                imports, layout.first, layout.interval, runs.start, runs.bin, runs.bins
            )[1:]
            / timeline.step_hours,
            of_day[1:],
        )
        for window, runs, of_day in layout.daily
    }
    lines: list[BillLine] = []
    for rate, part in zip(tariff.demand_rates, parts, strict=True):
        prices, limits = bands_of(rate)
        if rate.period == "day":
            kw, of_day = daily[window_of(rate)]
            days = np.bincount(of_day, minlength=len(part)).tolist()
            by_band = [np.bincount(of_day, own, len(part)) for own in in_bands(kw, limits)]
            for p, share in enumerate(part):
                if days[p] and share:
                    season = share / layout.periods[p].share
                    own_bands = [float(own[p]) for own in by_band]
                    lines += _band_lines(rate, p, own_bands, prices, season)
            continue
        by_period = peaks[layout.windows.index(window_of(rate))].tolist()
        found = [None if kw != kw else kw for kw in by_period]
        for p, billed, share in billed_peaks(rate, part, found, layout, past):
            lines += _band_lines(rate, p, in_bands(billed, limits), prices, share)
    return lines


@overload
def billed_peaks(
    rate: DemandRate,
    part: Sequence[float],
    peaks: Sequence[float | None],
    layout: Layout,
    past: PastPeaks,
) -> Iterator[tuple[int, float, float]]: ...
@overload
def billed_peaks(
    rate: DemandRate,
    part: Sequence[float],
    peaks: Sequence[Quantity | None],
    layout: Layout,
    past: PastPeaks,
) -> Iterator[tuple[int, Quantity, float]]: ...
def billed_peaks(
    rate: DemandRate,
    part: Sequence[float],
    peaks: Sequence[Quantity | None],
    layout: Layout,
    past: PastPeaks,
) -> Iterator[tuple[int, Quantity, float]]:
    """Where a rate bills its peaks: the billing period, the kW, and the part of its price.

    ``part``: see `parts_of`; ``peaks``: those of its window by billing period, None where it has no
    hours. Not for demand by day.
    """
    if rate.ratchet is not None:
        peaks = _ratcheted(rate, peaks, layout, past)
    if rate.period == "year":
        for last in year_ends(len(peaks)):
            first = last - last % 12
            year = [kw for kw in peaks[first : last + 1] if kw is not None]
            if year:
                yield last, highest(year), min(sum(part[first : last + 1]) / 12, 1.0)
        return
    for p, (kw, share) in enumerate(zip(peaks, part, strict=True)):
        if share and kw is not None:
            yield p, kw, share


def year_ends(periods: int) -> list[int]:
    """The last billing period of every twelve, and the last of all."""
    return sorted({*range(11, periods, 12), periods - 1})


@lru_cache(maxsize=32)
def parts_of(tariff: Tariff, timeline: Timeline, layout: Layout) -> list[list[float]]:
    """For each rate, the part of a month's charge that each billing period bears."""
    rules = [(rate.seasons, rate.valid_from, rate.valid_to) for rate in tariff.demand_rates]
    found = {rule: shares(tariff, timeline, layout, rule) for rule in set(rules)}
    return [
        [share * p.share for share, p in zip(found[rule], layout.periods, strict=True)]
        for rule in rules
    ]


def _ratcheted(
    rate: DemandRate, peaks: Sequence[Quantity | None], layout: Layout, past: PastPeaks
) -> list[Quantity]:
    """The larger of each period's peak and the ratchet's part of the highest before it.

    A horizon of a whole year is taken as every year: its first months look back at its last.
    """
    assert rate.ratchet is not None
    own: list[Quantity] = [0.0 if kw is None else kw for kw in peaks]
    given = past.get(rate.name, past.get(None))
    before = list(given) if given is not None else own if looks_round(layout) else []
    history = [*before, *own]
    return [
        larger(kw, part * highest([0.0, *(history[i] for i in looked)]))
        for kw, (part, looked) in zip(
            own, looked_back(rate.ratchet, layout, len(before)), strict=True
        )
    ]


def looks_round(layout: Layout) -> bool:
    """Whether the first months of the horizon look back at its last: where it is a whole year."""
    return len(layout.periods) == 12 and all(p.share == 1 for p in layout.periods)


def looked_back(ratchet: Ratchet, layout: Layout, before: int) -> list[tuple[float, list[int]]]:
    """For each billing period, the ratchet's part, and the months whose highest peak it is of.

    Months are counted from the first of the ``before`` months before the horizon.
    """
    months = [p.start.month for p in layout.periods]
    calendar = [*((months[0] - before + i - 1) % 12 + 1 for i in range(before)), *months]
    back = 12 if ratchet.months else ratchet.lookback_months
    return [
        (
            ratchet.percent[month - 1] / 100,
            [
                i
                for i in range(max(0, before + p - back), before + p)
                if not ratchet.months or calendar[i] in ratchet.months
            ],
        )
        for p, month in enumerate(months)
    ]


def bands_of(rate: DemandRate) -> tuple[tuple[float, ...], list[float]]:
    """The price of each band of a rate, and where it ends, in kW; the last is infinite."""
    if not rate.bands:
        return (rate.price,), [inf]
    ends = (inf if band.limit_kw is None else band.limit_kw for band in rate.bands)
    return tuple(band.price for band in rate.bands), list(accumulate(ends, max))


def _band_lines(
    rate: DemandRate,
    period: int,
    by_band: Sequence[float],
    prices: Sequence[float],
    share: float,
) -> list[BillLine]:
    """A line for each band that has any of the peak, or of those of some days."""
    unit = "kW-days" if rate.period == "day" else "kW"
    return [
        BillLine(
            rate.name,
            "demand",
            period,
            rate.time_of_use,
            b + 1 if rate.bands else None,
            kw,
            unit,
            kw * share * price,
            rate.charge_class,
        )
        for b, (kw, price) in enumerate(zip(by_band, prices, strict=True))
        if kw or not b
    ]
