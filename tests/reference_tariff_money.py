"""Every rule of section 5 of the specification, as terms of an exact programme."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reference_exact import Exact, Linear, constant, less, times, total
from reference_models import INF
from reference_tariff import Clock, Interval, Period

from bess.tariff import Tariff

ZERO: Linear = {}


@dataclass(frozen=True)
class Meter:
    """What is bought and sold in each step, kWh."""

    imports: list[Linear]
    exports: list[Linear]


@dataclass(frozen=True)
class Line:
    """An amount of a billing period."""

    period: int
    kind: str
    classes: tuple[str, ...]
    amount: Linear


def bill_terms(p: Exact, tariff: Tariff, clock: Clock, meter: Meter) -> list[Line]:
    """The lines of the bill, in the order in which the later look at the earlier."""
    lines = _energy(p, tariff, clock, meter) + _series(tariff, clock, meter)
    lines += _demand(p, tariff, clock, meter) + _fixed(tariff, clock)
    lines += _percentages(tariff, clock, lines, stage=0)
    lines += _minima(p, tariff, clock, lines)
    lines += _percentages(tariff, clock, lines, stage=1)
    lines += _percentages(tariff, clock, lines, stage=2)
    return lines


# Energy


def _energy(p: Exact, tariff: Tariff, clock: Clock, meter: Meter) -> list[Line]:
    holds = {id(rate): clock.inside(rate.times) for rate in tariff.rates}
    nets = tariff.metering == "net_metering"
    groups, lines = _groups(tariff, clock), []
    carried = {key: constant(0.0) for key in groups}
    for number, period in enumerate(clock.periods):
        billed: dict[tuple[bool, ...], Linear] = {}
        for key, steps in groups.items():
            here = [t for t in steps if t in period.steps]
            billed[key] = total(*(meter.imports[t] for t in here))
            if nets:
                sold = total(*(meter.exports[t] for t in here))
                net = less(less(billed[key], sold), carried[key])
                billed[key], carried[key] = p.positive(net), p.positive(times(-1.0, net))
        if nets and (number % 12 == 11 or number == len(clock.periods) - 1):
            earned = times(-tariff.true_up_price_per_kwh, total(*carried.values()))
            lines.append(Line(number, "true_up", (), earned))
            carried = {key: constant(0.0) for key in groups}
        for rate in tariff.rates:
            steps = [t for t in period.steps if holds[id(rate)][t]]
            own = [key for key, at in groups.items() if any(t in steps for t in at)]
            gross = total(*(meter.imports[t] for t in steps))
            sold = total(*(meter.exports[t] for t in steps))
            bought = total(*(billed[key] for key in own)) if nets else gross
            quantity = _quantity(p, rate, nets, gross, bought, sold)
            kind = "energy" if rate.on_import else "export"
            if rate.bands:
                whole = total(*billed.values())
                if rate.counts == "all" and len(steps) != len(period.steps):
                    raise NotImplementedError("a part of bands that others count in as well")
                whole = whole if rate.counts == "all" else quantity
                amount = _banded(p, rate.bands, whole, period, clock, meter)
            else:
                kind = "credit" if kind == "energy" and rate.price < 0 else kind
                amount = times(rate.price, quantity)
            lines.append(Line(number, kind, rate.charge_class, amount))
    return lines


def _groups(tariff: Tariff, clock: Clock) -> dict[tuple[bool, ...], list[int]]:
    """Steps by the times of use that hold in them: what these tell apart nets by itself."""
    inside = [clock.inside([time]) for rate in tariff.rates for time in rate.times]
    groups: dict[tuple[bool, ...], list[int]] = {}
    for t in range(len(clock.walls)):
        groups.setdefault(tuple(at[t] for at in inside), []).append(t)
    return groups


def _quantity(
    p: Exact, rate: Any, nets: bool, gross: Linear, bought: Linear, sold: Linear
) -> Linear:
    """The kWh that a rate charges for; negative where it pays."""
    if not rate.bypassable:
        return gross
    if nets:
        return bought if rate.on_import else ZERO
    if rate.settlement == "interval":
        return less(bought if rate.on_import else ZERO, sold if rate.on_export else ZERO)
    net = less(bought, sold)
    if rate.on_import and rate.on_export:
        return net
    return p.positive(net) if rate.on_import else p.smallest(net, constant(0.0))


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
            peak = _peak(p, clock, meter, here) or constant(0.0)
            ends.append(times(band.limit_kwh_per_kw * period.share, peak))
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


# Demand


def _peak(p: Exact, clock: Clock, meter: Meter, intervals: Sequence[Interval]) -> Linear | None:
    """The highest mean power, kW, over some demand intervals; None without any."""
    powers = []
    for interval in intervals:
        energy = total(*(meter.imports[t] for t in interval.steps))
        powers.append(times(1.0 / (clock.hours * len(interval.steps)), energy))
    return p.largest(*powers) if powers else None


def _demand(p: Exact, tariff: Tariff, clock: Clock, meter: Meter) -> list[Line]:
    lines: list[Line] = []
    count = len(clock.periods)
    for rate in tariff.demand_rates:
        inside = clock.inside(rate.window)
        parts = [clock.part(rate.seasons, period) for period in clock.periods]
        counting = [i for i in clock.intervals if inside[i.first]]
        peaks = [
            _peak(p, clock, meter, [i for i in counting if i.period == n]) for n in range(count)
        ]
        if rate.ratchet is not None:
            peaks = _ratcheted(p, rate.ratchet, peaks, clock)
        if rate.period == "billing_period":
            for n, (peak, part) in enumerate(zip(peaks, parts, strict=True)):
                if peak is not None:
                    amount = _demand_amount(p, rate, peak, part * clock.periods[n].share)
                    lines.append(Line(n, "demand", rate.charge_class, amount))
        elif rate.period == "year":
            for n in sorted({*range(11, count, 12), count - 1}):
                year = range(n - n % 12, n + 1)
                found = [peak for i in year if (peak := peaks[i]) is not None]
                if found:
                    share = sum(parts[i] * clock.periods[i].share for i in year) / 12
                    amount = _demand_amount(p, rate, p.largest(*found), min(share, 1.0))
                    lines.append(Line(n, "demand", rate.charge_class, amount))
        else:
            for day in dict.fromkeys(i.day for i in counting):
                own = [i for i in counting if i.day == day]
                n = own[-1].period  # a day cut in two is of the later period
                peak = _peak(p, clock, meter, own) or ZERO
                amount = _demand_amount(p, rate, peak, parts[n])
                lines.append(Line(n, "demand", rate.charge_class, amount))
    return lines


def _demand_amount(p: Exact, rate: Any, peak: Linear, share: float) -> Linear:
    if not rate.bands:
        return times(rate.price * share, peak)
    amount, below, low = constant(0.0), constant(0.0), 0.0
    for band in rate.bands:
        low = INF if band.limit_kw is None else max(band.limit_kw, low)
        upto = peak if low == INF else p.smallest(peak, constant(low))
        amount = total(amount, times(band.price * share, less(upto, below)))
        below = upto
    return amount


def _ratcheted(
    p: Exact, ratchet: Any, peaks: list[Linear | None], clock: Clock
) -> list[Linear | None]:
    """The larger of each month's own peak and a part of the highest of the months before."""
    own = [constant(0.0) if peak is None else peak for peak in peaks]
    months = [period.month for period in clock.periods]
    # A horizon of a whole year is taken as every year: before its first month lies its last.
    year = len(own) == 12 and all(period.share == 1 for period in clock.periods)
    billed: list[Linear | None] = []
    for n, peak in enumerate(own):
        back = 12 if ratchet.months else ratchet.lookback_months
        looked = [i % len(own) for i in range(max(n - back, -12 if year else 0), n)]
        seen = [own[i] for i in looked if not ratchet.months or months[i] in ratchet.months]
        part = ratchet.percent[months[n] - 1] / 100
        billed.append(p.largest(peak, times(part, p.largest(*seen))) if seen else peak)
    return billed


# Amounts, percentages, minima


def _fixed(tariff: Tariff, clock: Clock) -> list[Line]:
    lines = []
    for charge in tariff.fixed_charges:
        for n, period in enumerate(clock.periods):
            part = clock.part(charge.seasons, period) * _length(period, charge.period)
            amount = charge.amount * charge.quantity * part
            kind = "credit" if charge.amount < 0 else "fixed"
            lines.append(Line(n, kind, charge.charge_class, constant(amount)))
    return lines


def _length(period: Period, unit: str) -> float:
    return {"day": period.days, "month": period.share, "year": period.share / 12}[unit]


def _shared(wanted: Any, classes: tuple[str, ...]) -> bool:
    return not wanted or bool(set(wanted) & set(classes))


def _percentages(tariff: Tariff, clock: Clock, lines: list[Line], stage: int) -> list[Line]:
    found = []
    for rate in tariff.percentages:
        mine = 2 if "AFTER_TAX" in rate.charge_class else 1 if "TAX" in rate.charge_class else 0
        wanted = set(rate.charge_class) - {"TAX", "AFTER_TAX"}
        for n, period in enumerate(clock.periods if mine == stage else []):
            own = [e.amount for e in lines if e.period == n and _shared(wanted, e.classes)]
            part = rate.percent / 100 * clock.part(rate.seasons, period)
            kind = "tax" if stage else "percentage"
            found.append(Line(n, kind, rate.charge_class, times(part, total(*own))))
    return found


def _minima(p: Exact, tariff: Tariff, clock: Clock, lines: list[Line]) -> list[Line]:
    found = []
    count = len(clock.periods)
    for charge in tariff.minimum_charges:
        counted = []
        for n in range(count):
            own = [e for e in lines if e.period == n and _shared(charge.charge_class, e.classes)]
            offset = ("energy", "credit", "export", "true_up")  # credits take energy to 0, no lower
            energy = total(*(e.amount for e in own if e.kind in offset))
            counted.append(
                total(p.positive(energy), *(e.amount for e in own if e.kind not in offset))
            )
        yearly = charge.period == "year"
        ends = sorted({*range(11, count, 12), count - 1}) if yearly else range(count)
        for n in ends:
            span = range(n - n % 12, n + 1) if yearly else [n]
            least = charge.amount * sum(_length(clock.periods[i], charge.period) for i in span)
            short = less(constant(least), total(*(counted[i] for i in span)))
            found.append(Line(n, "minimum", charge.charge_class, p.positive(short)))
    return found
