"""Energy at prices by step, and what nets over hours or days, as expressions."""

from __future__ import annotations

import numpy as np

from bess._arrays import Floats
from bess.tariff.layout import Layout
from bess.tariff.lines import Kind
from bess.tariff.model import Tariff
from bess.tariff.piecewise import Charge, split_by_sign
from bess.tariff.program import ChargeProgram, Expression
from bess.tariff.stepwise import spans_of
from bess.timeline import Timeline

__all__ = ["series_charges", "step_charges"]


def series_charges(
    tariff: Tariff, timeline: Timeline, layout: Layout, program: ChargeProgram
) -> list[Charge]:
    """The amounts of a whole tariff's prices by step."""
    if tariff.series is None:
        return []
    buy, sell = tariff.series.on(timeline, tariff.time_zone)
    lines = []
    for p, period in enumerate(layout.periods):
        steps = np.arange(period.first_step, period.end_step)
        if buy[steps].any():
            lines.append(Charge("energy", p, (), program.step_sum(steps, buy[steps])))
        if sell[steps].any():
            lines.append(Charge("export", p, (), program.step_sum(steps, 0.0, -sell[steps])))
    return lines


def step_charges(
    tariff: Tariff, timeline: Timeline, layout: Layout, program: ChargeProgram, exact: bool
) -> list[Charge]:
    """The amounts of rates that are billed from steps, as `bess.tariff.stepwise` has them."""
    lines = []
    period_of = np.repeat(
        np.arange(len(layout.periods)), [p.end_step - p.first_step for p in layout.periods]
    )
    for index, inside in layout.by_step:
        rate = tariff.rates[index]
        steps = np.flatnonzero(inside)
        if not len(steps):
            continue
        buy: Floats = np.full(len(steps), rate.price)
        sell = buy
        if rate.prices is not None:
            both = rate.prices.on(timeline, tariff.time_zone)
            buy, sell = both[0][steps], both[1][steps]
        buy = buy * rate.on_import
        sell = sell * (rate.on_export and rate.bypassable)
        kind: Kind = "energy" if rate.on_import else "export"
        period = period_of[steps]
        if not rate.nets:
            for p in np.unique(period).tolist():
                own = period == p
                amount = program.step_sum(steps[own], buy[own], -sell[own])
                lines.append(Charge(kind, p, rate.charge_class, amount))
            continue
        span = spans_of(rate, timeline, tariff, steps, period)
        amounts: dict[int, Expression] = {}
        for own in np.split(np.arange(len(steps)), np.flatnonzero(np.diff(span)) + 1):
            total = amounts.setdefault(int(period[own[0]]), Expression())
            mean_buy, mean_sell = float(buy[own].mean()), float(sell[own].mean())
            if len(own) == 1:  # a step's meter imports or exports, never both
                total.add(program.step_sum(steps[own], mean_buy, -mean_sell))
                continue
            net = program.step_sum(steps[own], 1.0, -1.0)
            above, below = split_by_sign(program, net, exact or mean_sell > mean_buy)
            total.add(above, mean_buy)
            total.add(below, -mean_sell)
        lines += [Charge(kind, p, rate.charge_class, amount) for p, amount in amounts.items()]
    return lines
