"""The gaps of an interval series, filled from a typical one or from the series' own averages."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bess.errors import InputError
from bess.profile.readings import GappedSeries
from bess.timeline import LocalClock

__all__ = ["averages", "fill"]

Floats = NDArray[np.float64]

DAY: Final = 86_400
SHORT_GAP: Final = 7 * DAY
"""A gap up to this long follows the week before and the week after it."""


def fill(series: GappedSeries, typical: Floats) -> tuple[Floats, list[str]]:
    """The series without gaps, kWh in each step, and what was done.

    A gap of up to 7 days follows the typical, scaled as the readings of the 7 days before it and
    after it are to theirs; a longer one, or one without readings around it, as all readings are.

    Raises
    ------
    InputError
        For a series without a single reading.
    """
    known = ~np.isnan(series.energy_kwh)
    if not known.any():
        raise InputError.at(series.name, "holds no readings")
    if known.all():
        return series.energy_kwh.copy(), []
    measured = np.where(known, series.energy_kwh, 0.0)
    expected = np.where(known, typical, 0.0)
    if not expected.any():  # nothing to scale by
        typical, expected = np.ones_like(typical), known.astype(np.float64)
    overall = measured.sum() / expected.sum()

    edges = np.flatnonzero(np.diff(np.concatenate(([True], known, [True]))))
    first, last = edges[::2], edges[1::2]
    around = SHORT_GAP // series.step_seconds
    low, high = np.maximum(first - around, 0), np.minimum(last + around, series.steps)
    had, would = (_sums(values, low, high) for values in (measured, expected))
    local = (last - first) * series.step_seconds <= SHORT_GAP
    local &= would > 1e-9 * expected.sum() / series.steps
    scale = np.where(local, had / np.where(local, would, 1.0), overall)
    filled = measured
    filled[~known] = typical[~known] * np.repeat(scale, last - first)
    long = int((~local).sum())
    longest = int((last - first).max()) * series.step_seconds / 3600
    note = (
        f"{series.name}: {int((~known).sum()):,} of {series.steps:,} steps are missing, in "
        f"{len(first):,} gaps of up to {longest:g} h: {len(first) - long:,} scaled to the readings "
        f"within 7 days, {long:,} to all readings"
    )
    return filled, [note]


def averages(series: GappedSeries, clock: LocalClock) -> Floats:
    """What the series typically is in each step, from its own readings.

    The mean of its readings at that time of day on weekdays, or on weekends, times how the month's
    readings compare with such means; a month without readings lies between its neighbours.
    """
    known = ~np.isnan(series.energy_kwh)
    values = np.where(known, series.energy_kwh, 0.0)
    slots = -(-DAY // series.step_seconds)
    slot = clock.second_of_day // series.step_seconds + slots * (clock.weekday >= 5)
    total = np.bincount(slot, values, minlength=2 * slots)
    count = np.bincount(slot, known.astype(np.float64), minlength=2 * slots)
    weekday, weekend = np.split(_ratio(total, count), 2)
    either = _ratio(total[:slots] + total[slots:], count[:slots] + count[slots:])
    either = np.where(np.isnan(either), values.sum() / max(int(known.sum()), 1), either)
    means = np.concatenate([np.where(np.isnan(part), either, part) for part in (weekday, weekend)])
    base = means[slot]

    month = clock.month - 1
    factors = _ratio(
        np.bincount(month, values, minlength=12),
        np.bincount(month, np.where(known, base, 0.0), minlength=12),
    )
    given = np.flatnonzero(~np.isnan(factors))
    if not len(given):
        return base
    factors = np.interp(np.arange(12), given, factors[given], period=12)
    found: Floats = base * factors[month]
    return found


def _ratio(total: Any, count: Any) -> Floats:
    """total / count, NaN where count is 0."""
    found: Floats = np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)
    return found


def _sums(values: Floats, low: NDArray[np.int64], high: NDArray[np.int64]) -> Floats:
    """Sums over [low, high) of values ≥ 0."""
    running = np.concatenate(([0.0], np.cumsum(values)))
    sums: Floats = np.maximum(running[high] - running[low], 0.0)
    return sums
