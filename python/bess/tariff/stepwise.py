"""Billed energy of rates whose prices change from step to step, or that net over hours or days."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bess._arrays import Floats
from bess.tariff.layout import Layout
from bess.tariff.lines import BillLine, Kind
from bess.tariff.model import Tariff
from bess.tariff.rates import EnergyRate
from bess.timeline import Timeline

__all__ = ["prices_by_bin", "series_lines", "spans_of", "step_lines"]


def step_lines(
    tariff: Tariff, timeline: Timeline, layout: Layout, imports: Floats, exports: Floats
) -> list[BillLine]:
    """A line for each billing period in which one of the rates holds.

    What is netted over an hour has the mean of the prices of its steps in which the rate holds.
    """
    lines = []
    for index, inside in layout.by_step:
        rate = tariff.rates[index]
        steps = np.flatnonzero(inside)
        bought, sold = imports[steps], exports[steps]
        buy = np.full(len(steps), rate.price)
        sell = buy
        if rate.prices is not None:
            both = rate.prices.on(timeline, tariff.time_zone)
            buy, sell = both[0][steps], both[1][steps]
        period = np.repeat(
            np.arange(len(layout.periods)), [p.end_step - p.first_step for p in layout.periods]
        )[steps]
        if rate.nets:
            span = spans_of(rate, timeline, tariff, steps, period)
            first = np.unique(span, return_index=True)[1]
            count = np.bincount(span)
            net = np.bincount(span, bought) - np.bincount(span, sold)
            bought, sold = np.maximum(net, 0.0), np.maximum(-net, 0.0)
            buy, sell = np.bincount(span, buy) / count, np.bincount(span, sell) / count
            period = period[first]
        if not rate.on_import:
            bought = np.zeros(len(bought))
        if not rate.on_export or not rate.bypassable:
            sold = np.zeros(len(sold))
        lines += _lines(rate, period, bought, sold, bought * buy - sold * sell)
    return lines


def series_lines(
    tariff: Tariff, timeline: Timeline, layout: Layout, imports: Floats, exports: Floats
) -> list[BillLine]:
    """What the prices by step of a whole tariff come to."""
    if tariff.series is None:
        return []
    starts = [p.first_step for p in layout.periods]
    both = tariff.series.on(timeline, tariff.time_zone)
    lines = []
    for name, energy, price, sign in (
        ("Import price", imports, both[0], 1.0),
        ("Export price", exports, both[1], -1.0),
    ):
        if not price.any():
            continue
        kwh = np.add.reduceat(energy, starts).tolist()
        money = (np.add.reduceat(energy * price, starts) * sign + 0.0).tolist()
        for p, (quantity, amount) in enumerate(zip(kwh, money, strict=True)):
            kind: Kind = "energy" if sign > 0 else "export"
            lines.append(BillLine(name, kind, p, None, None, quantity, "kWh", amount))
    return lines


def prices_by_bin(
    tariff: Tariff, timeline: Timeline, layout: Layout
) -> tuple[Floats, Floats] | None:
    """Import and export prices of a whole tariff by bin; None where they change within one."""
    runs = layout.runs
    own = np.zeros(runs.bins), np.zeros(runs.bins)
    if tariff.series is not None:
        bin_of = np.repeat(runs.bin, np.diff(runs.start))
        for by_bin, price in zip(own, tariff.series.on(timeline, tariff.time_zone), strict=True):
            by_bin[bin_of] = price
            if not np.array_equal(by_bin[bin_of], price):
                return None
    return own


def spans_of(
    rate: EnergyRate,
    timeline: Timeline,
    tariff: Tariff,
    steps: NDArray[np.intp],
    period: NDArray[np.intp],
) -> NDArray[np.intp]:
    """The hour or day of each step, numbered in order; one that two bills share is cut."""
    clock = timeline.clock(tariff.time_zone)
    if rate.settlement == "day":
        span = clock.day_number[steps]
    else:
        started = timeline.start_seconds + timeline.step_seconds * steps
        span = started - clock.second_of_day[steps] % 3600
    change = (np.diff(span) != 0) | (np.diff(period) != 0)
    return np.concatenate([np.zeros(1, np.intp), np.cumsum(change)])[: len(steps)]


def _lines(
    rate: EnergyRate, period: NDArray[np.intp], bought: Floats, sold: Floats, money: Floats
) -> list[BillLine]:
    kind: Kind = "energy" if rate.on_import else "export"
    if rate.on_import and rate.price < 0:
        kind = "credit"
    kwh = np.bincount(period, bought - sold if rate.on_import else sold)
    amount = np.bincount(period, money)
    return [
        BillLine(
            rate.name,
            kind,
            p,
            rate.time_of_use,
            None,
            float(kwh[p]),
            "kWh",
            float(amount[p]) + 0.0,
            rate.charge_class,
        )
        for p in np.unique(period).tolist()
    ]
