"""Every rule of section 5 of the specification, as terms of an exact programme."""

from __future__ import annotations

from typing import Any

from reference_exact import Exact, Linear, constant, less, times, total
from reference_models import INF
from reference_tariff import Clock, Period
from reference_tariff_energy import ZERO, Line, Meter, energy_terms, highest_power

from bess.tariff import Tariff


def bill_terms(p: Exact, tariff: Tariff, clock: Clock, meter: Meter) -> list[Line]:
    """The lines of the bill, in the order in which the later look at the earlier."""
    lines = energy_terms(p, tariff, clock, meter)
    lines += _demand(p, tariff, clock, meter) + _fixed(tariff, clock)
    lines += _percentages(tariff, clock, lines, stage=0)
    lines += _minima(p, tariff, clock, lines)
    lines += _percentages(tariff, clock, lines, stage=1)
    lines += _percentages(tariff, clock, lines, stage=2)
    return lines


# Demand


def _demand(p: Exact, tariff: Tariff, clock: Clock, meter: Meter) -> list[Line]:
    lines: list[Line] = []
    count = len(clock.periods)
    for rate in tariff.demand_rates:
        inside = clock.inside(rate.window)
        parts = [clock.part(rate.seasons, period) for period in clock.periods]
        counting = [i for i in clock.intervals if inside[i.first]]
        peaks = [
            highest_power(p, clock, meter, [i for i in counting if i.period == n])
            for n in range(count)
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
                highest = highest_power(p, clock, meter, own) or ZERO
                amount = _demand_amount(p, rate, highest, parts[n])
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
