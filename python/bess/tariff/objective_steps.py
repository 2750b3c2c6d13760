"""Energy at prices by step, and what nets over hours or days, as expressions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bess._arrays import Floats
from bess.tariff.expression import Expression
from bess.tariff.layout import Layout
from bess.tariff.lines import Kind
from bess.tariff.model import Tariff
from bess.tariff.piecewise import Charge, split_by_sign
from bess.tariff.program import ChargeProgram
from bess.tariff.rates import EnergyRate
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
    netted: list[_Netted] = []
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
        period = period_of[steps]
        if rate.nets:
            span = spans_of(rate, timeline, tariff, steps, period)
            for own in np.split(np.arange(len(steps)), np.flatnonzero(np.diff(span)) + 1):
                prices = float(buy[own].mean()), float(sell[own].mean())
                netted.append(_Netted(rate, int(period[own[0]]), steps[own], *prices))
            continue
        for p in np.unique(period).tolist():
            own = period == p
            amount = program.step_sum(steps[own], buy[own], -sell[own])
            lines.append(Charge(_kind(rate), p, rate.charge_class, amount))
    return lines + _netted_charges(netted, program, exact)


class _Netted(NamedTuple):
    """What a rate nets over one hour or day: its price for what is bought, and for what is sold."""

    rate: EnergyRate
    period: int
    steps: NDArray[np.intp]
    buy: float
    sell: float


def _netted_charges(netted: Sequence[_Netted], program: ChargeProgram, exact: bool) -> list[Charge]:
    """Amounts by rate and billing period; rates that net over the same steps share what is netted.

    A step alone needs no netting: its meter imports or exports, never both.
    """
    gains: dict[bytes, float] = defaultdict(float)
    for part in netted:
        gains[part.steps.tobytes()] += part.buy - part.sell
    parts: dict[bytes, tuple[Expression, Expression]] = {}
    amounts: dict[tuple[int, int], tuple[EnergyRate, Expression]] = {}
    for part in netted:
        key = part.steps.tobytes()
        _, total = amounts.setdefault((id(part.rate), part.period), (part.rate, Expression()))
        if len(part.steps) == 1:
            total.add(program.step_sum(part.steps, part.buy, -part.sell))
            continue
        if key not in parts:
            net = program.step_sum(part.steps, 1.0, -1.0)
            parts[key] = split_by_sign(program, net, exact or gains[key] < 0)
        above, below = parts[key]
        total.add(above, part.buy)
        total.add(below, -part.sell)
    return [
        Charge(_kind(rate), period, rate.charge_class, amount)
        for (_, period), (rate, amount) in amounts.items()
    ]


def _kind(rate: EnergyRate) -> Kind:
    return "energy" if rate.on_import else "export"
