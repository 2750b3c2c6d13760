"""A tariff's bill as the objective of a linear program: the same lines, in variables.

`charges_of` goes through a bill as `bess.tariff.bill.bill_energy` does, with expressions in place
of numbers. What is convex needs no binaries: demand, rising bands, ratchets, netting at falling
prices, minimum bills. Binaries come in where a price falls with quantity, or where a rule that
costs money would not be kept by choice.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from bess._arrays import Floats
from bess.tariff.amounts import (
    OFFSET_BY_CREDITS,
    fixed_lines,
    minimum_spans,
    percentages_of,
    shares_class,
)
from bess.tariff.demand import PastPeaks
from bess.tariff.expression import Expression
from bess.tariff.layout import Layout, lay_out
from bess.tariff.meter_bounds import MeterBounds
from bess.tariff.model import Tariff
from bess.tariff.objective_demand import demand_charges, peaks_of
from bess.tariff.objective_energy import energy_charges
from bess.tariff.objective_steps import series_charges, step_charges
from bess.tariff.piecewise import Charge
from bess.tariff.pricing import holding
from bess.tariff.program import ChargeProgram, Charges
from bess.tariff.rates import MinimumCharge
from bess.timeline import Timeline

__all__ = ["charges_of"]


def charges_of(
    tariff: Tariff, timeline: Timeline, bounds: MeterBounds, past: PastPeaks | None = None
) -> Charges:
    """The bill as a function of what crosses the meter.

    Where nothing but bounds depends on the batteries, it is laid out once, and kept for the next.
    """
    given = frozenset((past or {}).items())
    kept = _kept(tariff, timeline, given, bounds.net_load.tobytes())
    if kept:
        return kept[0].at(bounds)
    charges = _stated(tariff, timeline, bounds, past)
    if charges.layout is not None:
        kept.append(charges)
    return charges


@lru_cache(maxsize=32)
def _kept(tariff: Tariff, timeline: Timeline, past: Hashable, net_load: bytes) -> list[Charges]:
    """The charges of a tariff at a site, once they are stated and if they are to be kept."""
    return []


def _stated(
    tariff: Tariff, timeline: Timeline, bounds: MeterBounds, past: PastPeaks | None
) -> Charges:
    layout = lay_out(tariff, timeline)
    program = ChargeProgram(bounds)
    peaks = peaks_of(layout, program, timeline.step_hours)
    # Where percentages treat a minimum bill and what counts towards it differently, no part of the
    # bill may be overstated to reach it.
    exact = any(m.amount for m in tariff.minimum_charges) and bool(tariff.percentages)
    lines = energy_charges(tariff, layout, program, peaks, exact)
    lines += step_charges(tariff, timeline, layout, program, exact)
    lines += series_charges(tariff, timeline, layout, program)
    lines += demand_charges(tariff, timeline, layout, program, peaks, past or {})
    lines += [
        Charge(line.kind, line.billing_period, line.charge_class, Expression(line.amount))
        for line in fixed_lines(tariff, timeline, layout)
    ]
    lines += _percentages(tariff, timeline, layout, lines, taxes=False)
    lines += _minimum(tariff, layout, program, lines)
    lines += _percentages(tariff, timeline, layout, lines, taxes=True)
    total = Expression()
    for line in lines:
        total.add(line.amount)
    return replace(program.finish(total), ordered=_is_ordered(tariff, timeline))


@lru_cache(maxsize=32)
def _is_ordered(tariff: Tariff, timeline: Timeline) -> bool:
    """Whether a kWh exported never earns more than one imported costs, nor less than nothing."""
    prices = [rate.price for rate in tariff.rates]
    prices += [rate.price for rate in tariff.demand_rates]
    prices += [band.price for rate in tariff.rates for band in rate.bands]
    prices += [band.price for rate in tariff.demand_rates for band in rate.bands]
    if min(prices, default=0.0) < 0 or any(rate.percent < 0 for rate in tariff.percentages):
        return False
    nets = tariff.metering == "net_metering"
    sells = [rate for rate in tariff.rates if rate.on_export and not nets]
    if tariff.series is None and not sells and not any(r.prices for r in tariff.rates):
        return True
    over_period = any(rate.settlement != "interval" for rate in tariff.rates)
    if tariff.percentages or tariff.minimum_charges or nets or over_period:
        return False  # what an import costs, or an export earns, can then differ from its price
    dear, cheap = np.zeros(timeline.steps), np.zeros(timeline.steps)
    if tariff.series is not None:
        cheap, dear = tariff.series.on(timeline, tariff.time_zone)
        if min(cheap.min(), dear.min()) < 0:
            return False
    for rate, holds in zip(tariff.rates, holding(tariff, timeline), strict=True):
        buy: Floats | float = min((band.price for band in rate.bands), default=rate.price)
        sell: Floats | float = rate.price
        if rate.prices is not None:
            buy, sell = rate.prices.on(timeline, tariff.time_zone)
            if min(buy.min(), sell.min()) < 0:
                return False
        if rate.on_import:
            cheap = cheap + holds * buy
        if rate.on_export:
            dear = dear + holds * sell
    return bool((dear <= cheap).all())


def _percentages(
    tariff: Tariff, timeline: Timeline, layout: Layout, lines: Sequence[Charge], taxes: bool
) -> list[Charge]:
    found: list[Charge] = []
    for stage in (1, 2) if taxes else (0,):
        on = [*lines, *found]
        for rate, classes, parts in percentages_of(tariff, timeline, layout, stage):
            bases = [Expression() for _ in layout.periods]
            for line in on:
                if shares_class(classes, line.charge_class):
                    bases[line.billing_period].add(line.amount)
            found += [
                Charge(
                    "tax" if taxes else "percentage",
                    p,
                    rate.charge_class,
                    base * (rate.percent * part / 100),
                )
                for p, (base, part) in enumerate(zip(bases, parts, strict=True))
                if part
            ]
    return found


def _minimum(
    tariff: Tariff, layout: Layout, program: ChargeProgram, lines: Sequence[Charge]
) -> list[Charge]:
    """What each minimum charge adds: at least what is short of it."""
    found: list[Charge] = []
    for charge in tariff.minimum_charges:
        if charge.amount == 0:
            continue
        own = _counted(charge, layout, program, lines)
        for p, span, least in minimum_spans(charge, layout.periods):
            reached = Expression()
            for i in span:
                reached.add(own[i])
            low, _ = program.bounds(reached)
            if low >= least:
                continue
            short = program.column(0.0, least - low)
            program.row(short + reached, least)
            found.append(Charge("minimum", p, charge.charge_class, short))
    return found


def _counted(
    charge: MinimumCharge, layout: Layout, program: ChargeProgram, lines: Sequence[Charge]
) -> list[Expression]:
    """By billing period, what counts towards a minimum charge: energy if above 0, and the rest."""
    energy = [Expression() for _ in layout.periods]
    other = [Expression() for _ in layout.periods]
    for line in lines:
        if line.kind != "tax" and shares_class(charge.charge_class, line.charge_class):
            into = energy if line.kind in OFFSET_BY_CREDITS else other
            into[line.billing_period].add(line.amount)
    return [_at_least_zero(program, e) + o for e, o in zip(energy, other, strict=True)]


def _at_least_zero(program: ChargeProgram, amount: Expression) -> Expression:
    """An amount, or 0 if it is negative: never more."""
    low, high = program.bounds(amount)
    if low >= 0:
        return amount
    counted = program.column(0.0, max(high, 0.0))
    if high > 0:
        negative = program.binary()
        program.row(amount - counted + negative * -low, 0.0)
        program.row(Expression(high) - negative * high - counted, 0.0)
    return counted
