"""Billed energy of rates whose prices change from step to step, or that net over hours or days."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bess._arrays import Floats
from bess.tariff.layout import Layout, Runs
from bess.tariff.lines import BillLine, Kind
from bess.tariff.model import Tariff
from bess.tariff.rates import EnergyRate
from bess.timeline import Timeline

__all__ = ["EnergyPrices", "nets_steps", "series_lines", "spans_of", "step_lines", "step_prices"]


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


class EnergyPrices(NamedTuple):
    """What energy costs and earns in each step, or in each bin, of one kind of line."""

    name: str
    kind: Kind
    charge_class: tuple[str, ...]
    buy: Floats
    sell: Floats

    def by_bin(self, runs: Runs) -> EnergyPrices | None:
        """The prices of each bin from those of steps; None where they change within one."""
        bin_of = np.repeat(runs.bin, np.diff(runs.start))
        buy, sell = np.zeros(runs.bins), np.zeros(runs.bins)
        buy[bin_of], sell[bin_of] = self.buy, self.sell
        if not (np.array_equal(buy[bin_of], self.buy) and np.array_equal(sell[bin_of], self.sell)):
            return None
        return self._replace(buy=buy, sell=sell)


def nets_steps(rate: EnergyRate, timeline: Timeline) -> bool:
    """Whether a rate nets hours or days of several steps; in one, a meter only runs one way."""
    several = rate.settlement == "day" or timeline.step_seconds < 3600
    return rate.by_step and rate.nets and several


def step_prices(tariff: Tariff, timeline: Timeline, layout: Layout) -> list[EnergyPrices]:
    """All prices by step of a tariff, but for rates that net several steps."""
    found = []
    if tariff.series is not None:
        buy, sell = tariff.series.on(timeline, tariff.time_zone)
        found.append(EnergyPrices("it", "energy", (), buy, np.zeros(len(buy))))
        found.append(EnergyPrices("it", "export", (), np.zeros(len(buy)), sell))
    for index, inside in layout.by_step:
        rate = tariff.rates[index]
        if rate.prices is not None and not nets_steps(rate, timeline):
            buy, sell = rate.prices.on(timeline, tariff.time_zone)
            buy = buy * (inside & rate.on_import)
            sell = sell * (inside & (rate.on_export and rate.bypassable))
            kind: Kind = "energy" if rate.on_import else "export"
            found.append(EnergyPrices(rate.name, kind, rate.charge_class, buy, sell))
    return found


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
