"""What energy costs on a tariff: bands, netting of every kind, credits, prices by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reference_exact import Exact, Linear, constant, less, times, total
from reference_tariff import Clock, Interval, Period

from bess.tariff import Tariff

ZERO: Linear = {}
MONTHS = {"quarter": 3, "year": 12}
"""How many billing periods are netted together."""


@dataclass(frozen=True)
class Meter:
    """What is bought and sold in each step, kWh."""

    imports: list[Linear]
    exports: list[Linear]

    def bought(self, steps: Sequence[int]) -> Linear:
        return total(*(self.imports[t] for t in steps))

    def sold(self, steps: Sequence[int]) -> Linear:
        return total(*(self.exports[t] for t in steps))


@dataclass(frozen=True)
class Line:
    """An amount of a billing period."""

    period: int
    kind: str
    classes: tuple[str, ...]
    amount: Linear


def energy_terms(p: Exact, tariff: Tariff, clock: Clock, meter: Meter) -> list[Line]:
    """The lines of every energy rate and of prices by step."""
    billed, lines = _billed(p, tariff, clock, meter)
    for rate in tariff.rates:
        held = [t for t, at in enumerate(clock.inside(rate.times)) if at]
        if rate.prices is not None or rate.settlement in ("hour", "day"):
            lines += _by_span(p, rate, held, clock, meter)
        elif rate.settlement in MONTHS:
            lines += _by_months(p, rate, held, clock, meter)
        else:
            lines += _by_period(p, rate, held, billed, tariff.metering, clock, meter)
    return lines + _series(tariff, clock, meter)


Groups = dict[tuple[bool, ...], list[int]]


def _groups(tariff: Tariff, clock: Clock) -> Groups:
    """Steps by the times of use that hold in them: what these tell apart nets by itself."""
    inside = [clock.inside([time]) for rate in tariff.rates for time in rate.times]
    groups: Groups = {}
    for t in range(len(clock.walls)):
        groups.setdefault(tuple(at[t] for at in inside), []).append(t)
    return groups


def _billed(
    p: Exact, tariff: Tariff, clock: Clock, meter: Meter
) -> tuple[list[list[tuple[list[int], Linear]]], list[Line]]:
    """For each billing period the steps of each group and the kWh they pay for; the true-ups.

    Under net metering a group pays for what it imports above its exports and above the credits
    that it carries; what is left at the true-up of each twelve periods is paid out.
    """
    groups, lines = _groups(tariff, clock), []
    nets = tariff.metering == "net_metering"
    carried = {key: constant(0.0) for key in groups}
    billed: list[list[tuple[list[int], Linear]]] = []
    last = len(clock.periods) - 1
    for number, period in enumerate(clock.periods):
        billed.append([])
        for key, steps in groups.items():
            here = [t for t in steps if t in period.steps]
            energy = meter.bought(here)
            if nets:
                net = less(less(energy, meter.sold(here)), carried[key])
                energy, carried[key] = p.positive(net), p.positive(times(-1.0, net))
            billed[-1].append((steps, energy))
        if nets and (number % 12 == 11 or number == last):
            earned = times(-tariff.true_up_price_per_kwh, total(*carried.values()))
            lines.append(Line(number, "true_up", (), earned))
            carried = {key: constant(0.0) for key in groups}
    return billed, lines


def _by_period(
    p: Exact,
    rate: Any,
    held: Sequence[int],
    billed: list[list[tuple[list[int], Linear]]],
    metering: str,
    clock: Clock,
    meter: Meter,
) -> list[Line]:
    """A rate settled by interval, by billing period or by net metering; with or without bands."""
    lines = []
    for number, period in enumerate(clock.periods):
        steps = [t for t in held if t in period.steps]
        bought = total(*(energy for at, energy in billed[number] if set(at) <= set(held)))
        quantity = _quantity(p, rate, metering, bought, steps, meter)
        if rate.bands:
            if rate.counts == "all":
                if len(steps) != len(period.steps):
                    raise NotImplementedError("a part of bands that others count in as well")
                quantity = total(*(energy for _, energy in billed[number]))
            amount = _banded(p, rate.bands, quantity, period, clock, meter)
        else:
            amount = times(rate.price, quantity)
        lines.append(Line(number, _kind(rate), rate.charge_class, amount))
    return lines


def _kind(rate: Any) -> str:
    if not rate.on_import:
        return "export"
    return "credit" if rate.price < 0 else "energy"


def _quantity(
    p: Exact, rate: Any, metering: str, bought: Linear, steps: Sequence[int], meter: Meter
) -> Linear:
    """The kWh that a rate charges for; negative where it pays."""
    if not rate.bypassable:
        return meter.bought(steps)
    if metering == "net_metering":
        return bought if rate.on_import else ZERO
    if rate.settlement == "interval":
        sold = meter.sold(steps) if rate.on_export else ZERO
        return less(bought if rate.on_import else ZERO, sold)
    return _one_side(p, rate, less(meter.bought(steps), meter.sold(steps)))


def _one_side(p: Exact, rate: Any, net: Linear) -> Linear:
    """Of net kWh what a rate charges for (above 0) or pays for (below)."""
    if rate.on_import and rate.on_export:
        return net
    return p.positive(net) if rate.on_import else p.smallest(net, constant(0.0))


def _by_months(p: Exact, rate: Any, held: Sequence[int], clock: Clock, meter: Meter) -> list[Line]:
    """A rate that nets over three or twelve billing periods, billed in the last it holds in."""
    lines, count = [], MONTHS[rate.settlement]
    for first in range(0, len(clock.periods), count):
        span = range(first, min(first + count, len(clock.periods)))
        steps = [t for t in held if any(t in clock.periods[n].steps for n in span)]
        own = [n for n in span if any(t in clock.periods[n].steps for t in steps)]
        if not own:
            continue
        if not rate.bypassable:
            for n in own:
                here = [t for t in steps if t in clock.periods[n].steps]
                amount = times(rate.price, meter.bought(here))
                lines.append(Line(n, _kind(rate), rate.charge_class, amount))
        elif rate.on_import and rate.on_export:  # at one price, in each period's own bill
            for n in own:
                here = [t for t in steps if t in clock.periods[n].steps]
                net = less(meter.bought(here), meter.sold(here))
                lines.append(Line(n, _kind(rate), rate.charge_class, times(rate.price, net)))
        else:
            net = _one_side(p, rate, less(meter.bought(steps), meter.sold(steps)))
            lines.append(Line(own[-1], _kind(rate), rate.charge_class, times(rate.price, net)))
    return lines


def _by_span(p: Exact, rate: Any, held: Sequence[int], clock: Clock, meter: Meter) -> list[Line]:
    """A rate with prices by step, or one that nets over the hours or days in which it holds."""
    one_price = rate.on_import and rate.on_export
    nets = rate.settlement != "interval" and rate.bypassable and not one_price
    spans: dict[Any, list[int]] = {}
    for t in held:
        number = next(n for n, period in enumerate(clock.periods) if t in period.steps)
        key = _span(clock.walls[t], clock.instants[t], rate.settlement) if nets else t
        spans.setdefault((number, key), []).append(t)
    lines = []
    for (number, _), steps in spans.items():
        buy = sell = rate.price
        if rate.prices is not None:
            buy = sum(float(rate.prices.import_price[t]) for t in steps) / len(steps)
            sell = sum(float(rate.prices.export_price[t]) for t in steps) / len(steps)
        bought, sold = meter.bought(steps), meter.sold(steps)
        if nets:
            net = less(bought, sold)
            bought, sold = p.positive(net), p.positive(times(-1.0, net))
        cost = times(buy, bought) if rate.on_import else ZERO
        earned = times(sell, sold) if rate.on_export and rate.bypassable else ZERO
        lines.append(Line(number, _kind(rate), rate.charge_class, less(cost, earned)))
    return lines


def _span(wall: datetime, instant: datetime, settlement: str) -> Any:
    if settlement == "day":
        return wall.date()
    return instant.timestamp() - 60 * wall.minute - wall.second


def _banded(
    p: Exact, bands: Any, quantity: Linear, period: Period, clock: Clock, meter: Meter
) -> Linear:
    """What a quantity costs in bands; what is below 0 has the first band's price."""
    limit, below, amount = constant(0.0), constant(0.0), constant(0.0)
    for band in bands:
        ends = []
        if band.limit_kwh is not None:
            ends.append(constant(band.limit_kwh * period.share))
        if band.limit_kwh_per_day is not None:
            ends.append(constant(band.limit_kwh_per_day * period.days))
        if band.limit_kwh_per_kw is not None:
            here = [i for i in clock.intervals if i.first in period.steps]
            kw = highest_power(p, clock, meter, here) or constant(0.0)
            ends.append(times(band.limit_kwh_per_kw * period.share, kw))
        upto = quantity
        if ends:
            limit = p.largest(limit, p.smallest(*ends))
            upto = p.smallest(quantity, limit)
        amount = total(amount, times(band.price, less(upto, below)))
        below = upto
    return amount


def _series(tariff: Tariff, clock: Clock, meter: Meter) -> list[Line]:
    if tariff.series is None:
        return []
    lines = []
    for number, period in enumerate(clock.periods):
        buy, sell = tariff.series.import_price, tariff.series.export_price
        bought = total(*(times(float(buy[t]), meter.imports[t]) for t in period.steps))
        sold = total(*(times(-float(sell[t]), meter.exports[t]) for t in period.steps))
        lines += [Line(number, "energy", (), bought), Line(number, "export", (), sold)]
    return lines


def highest_power(
    p: Exact, clock: Clock, meter: Meter, intervals: Sequence[Interval]
) -> Linear | None:
    """The highest mean power, kW, over some demand intervals; None without any."""
    powers = []
    for interval in intervals:
        energy = total(*(meter.imports[t] for t in interval.steps))
        powers.append(times(1.0 / (clock.hours * len(interval.steps)), energy))
    return p.largest(*powers) if powers else None
