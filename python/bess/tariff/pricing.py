"""When the rates of a tariff hold, and the prices by step that they add up to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bess.errors import InputError
from bess.prices import Prices
from bess.tariff.hours import Time
from bess.tariff.rates import EnergyRate
from bess.tariff.series import PriceSeries
from bess.tariff.when import when
from bess.time_of_use import TimeOfUse
from bess.timeline import Timeline

if TYPE_CHECKING:
    from bess.tariff.model import Tariff

__all__ = ["holding", "prices_of", "within"]

Steps = NDArray[np.bool_]
Floats = NDArray[np.float64]


def with_percentages(tariff: Tariff, charge_class: tuple[str, ...]) -> float:
    """What an amount of 1 of a charge class comes to with the percentages and taxes on it."""
    lines = [(charge_class, 1.0)]
    for stage in (0, 1, 2):
        before = list(lines)
        for rate in tariff.percentages:
            if rate.stage == stage:
                wanted = set(rate.charge_class) - {"TAX", "AFTER_TAX"}
                base = sum(a for own, a in before if not wanted or wanted.intersection(own))
                lines.append((rate.charge_class, base * rate.percent / 100))
    return sum(amount for _, amount in lines)


@lru_cache(maxsize=32)
def prices_of(tariff: Tariff, timeline: Timeline, percentages: bool = False) -> Prices:
    """The import and export price of every step, kept for the next call; see `Tariff.prices`."""
    imports, exports = np.zeros(timeline.steps), np.zeros(timeline.steps)
    if tariff.rates:
        holds = holding(tariff, timeline)
        for rate, at in zip(tariff.rates, holds, strict=True):
            factor = with_percentages(tariff, rate.charge_class) if percentages else 1.0
            buy: Floats | float = rate.price
            sell: Floats | float = rate.price
            if rate.prices is not None:
                buy, sell = rate.prices.on(timeline, tariff.time_zone)
            imports += factor * buy * (at & rate.on_import)
            exports += factor * sell * (at & rate.on_export)
    if tariff.series is not None:
        import_series, export_series = tariff.series.on(timeline, tariff.time_zone)
        factor = with_percentages(tariff, ()) if percentages else 1.0
        imports, exports = imports + import_series * factor, exports + export_series * factor
    prices = []
    for series in (imports, exports):
        owned = np.array(series, np.float64)
        owned.setflags(write=False)
        prices.append(owned)
    return Prices(import_price=prices[0], export_price=prices[1])


def holding(
    tariff: Tariff, timeline: Timeline, dates: tuple[date, ...] | None = None
) -> list[Steps]:
    """For each energy rate, the steps in which it holds; gaps and clashes are refused.

    ``dates`` are those bills begin at, to which marked seasons move.
    """
    holds = _holds(tariff, timeline, dates)
    for counted in ([r.on_import for r in tariff.rates], [r.on_export for r in tariff.rates]):
        groups: dict[tuple[str, ...], list[int]] = {}
        for i, rate in enumerate(tariff.rates):
            if counted[i] and rate.group:
                groups.setdefault(rate.group, []).append(i)
        for group in groups.values():
            _check_group(tariff, timeline, holds, group)
    if not isinstance(tariff.series, PriceSeries):
        priced = np.zeros(timeline.steps, np.bool_)
        for rate, at in zip(tariff.rates, holds, strict=True):
            if rate.on_import:
                priced |= at
        _refuse_gap(tariff, timeline, priced, "no rate prices an import")
    return holds


def _check_group(tariff: Tariff, timeline: Timeline, holds: list[Steps], group: list[int]) -> None:
    """Of several alternatives, one and one only holds in every step."""
    if len(group) < 2:
        return
    number = np.add.reduce([holds[i] for i in group], dtype=np.int64)
    if (number > 1).any():
        k = int(np.argmax(number > 1))
        both = " and ".join(tariff.rates[i].name for i in group if holds[i][k])
        raise InputError.at(
            f"tariff {tariff.name}",
            f"{both} are of one group and both hold at {timeline.instant(k).isoformat()}",
        )
    names = ", ".join(tariff.rates[i].name for i in group)
    _refuse_gap(tariff, timeline, number > 0, f"none of {names} holds")


def _refuse_gap(tariff: Tariff, timeline: Timeline, priced: Steps, what: str) -> None:
    if not priced.all():
        instant = timeline.instant(int(np.argmin(priced))).isoformat()
        raise InputError.at(f"tariff {tariff.name}", f"{what} at {instant}")


def _holds(tariff: Tariff, timeline: Timeline, dates: tuple[date, ...] | None) -> list[Steps]:
    """For each rate, the steps in which it holds."""
    at = when(tariff, timeline, dates)
    steps = timeline.steps
    taken: dict[tuple[str, ...], Steps] = {}
    sharing = [rate.week or rate.group for rate in tariff.rates]
    for week, rate in zip(sharing, tariff.rates, strict=True):
        if not _has_calendar(rate):
            continue
        times = rate.times
        whole = [at.holidays(t) for t in times if isinstance(t, TimeOfUse) and t.calendar]
        days = _all_of([*whole, *(at.holds(t) for t in times)], steps)
        taken[week] = taken[week] | days if week in taken else days
    found: dict[tuple[Time, ...], Steps] = {}
    holds = []
    for week, rate in zip(sharing, tariff.rates, strict=True):
        if rate.times not in found:
            found[rate.times] = _all_of((at.holds(t) for t in rate.times), steps)
        inside = found[rate.times]
        if rate.times and week in taken and not _has_calendar(rate):
            inside = inside & ~taken[week]
        holds.append(inside & within(timeline, rate.valid_from, rate.valid_to))
    return holds


def _has_calendar(rate: EnergyRate) -> bool:
    return any(isinstance(time, TimeOfUse) and time.calendar for time in rate.times)


def _all_of(masks: Iterable[Steps], steps: int) -> Steps:
    everything = np.ones(steps, np.bool_)
    for mask in masks:
        everything &= mask
    return everything


def within(timeline: Timeline, start: int | None, end: int | None) -> Steps:
    """True for each step that starts in [start, end); None: no bound."""
    starts = timeline.start_seconds + timeline.step_seconds * np.arange(timeline.steps)
    inside = np.ones(timeline.steps, np.bool_)
    if start is not None:
        inside &= starts >= start
    if end is not None:
        inside &= starts < end
    return inside
