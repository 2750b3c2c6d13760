"""What a bill charges on itself: fixed amounts, minimum charges, percentages and taxes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from bess.tariff.layout import Layout, shares
from bess.tariff.lines import BillLine, Kind
from bess.tariff.model import Tariff
from bess.tariff.periods import BillingPeriod
from bess.tariff.rates import MinimumCharge, PercentageRate
from bess.timeline import Timeline

__all__ = [
    "OFFSET_BY_CREDITS",
    "fixed_lines",
    "minimum_lines",
    "minimum_spans",
    "percentage_lines",
    "percentages_of",
    "shares_class",
]

OFFSET_BY_CREDITS: Final = ("energy", "credit", "export", "true_up")


@lru_cache(maxsize=32)
def fixed_lines(tariff: Tariff, timeline: Timeline, layout: Layout) -> tuple[BillLine, ...]:
    """The lines of fixed charges, which depend on no energy."""
    lines = []
    for charge in tariff.fixed_charges:
        rule = (charge.seasons, charge.valid_from, charge.valid_to)
        parts = shares(tariff, timeline, layout, rule)
        for p, (period, part) in enumerate(zip(layout.periods, parts, strict=True)):
            if part:
                quantity = charge.quantity * part * _length(period, charge.period)
                kind: Kind = "credit" if charge.amount < 0 else "fixed"
                lines.append(
                    BillLine(
                        charge.name,
                        kind,
                        p,
                        None,
                        None,
                        quantity,
                        f"{charge.period}s",
                        charge.amount * quantity,
                        charge.charge_class,
                    )
                )
    return tuple(lines)


def minimum_lines(
    tariff: Tariff, periods: Sequence[BillingPeriod], lines: Sequence[BillLine]
) -> list[BillLine]:
    """What each minimum charge adds to reach it; credits for energy do not count against it."""
    found = []
    for charge in tariff.minimum_charges:
        if charge.amount == 0:
            continue
        own = _own(charge, periods, lines)
        for p, span, least in minimum_spans(charge, periods):
            short = least - sum(own[i] for i in span)
            if short > 0:
                found.append(
                    BillLine(
                        charge.name,
                        "minimum",
                        p,
                        None,
                        None,
                        1.0,
                        "times",
                        short,
                        charge.charge_class,
                    )
                )
    return found


def minimum_spans(
    charge: MinimumCharge, periods: Sequence[BillingPeriod]
) -> Iterator[tuple[int, range, float]]:
    """The billing period that each is billed in, those it is of, and what they come to at least."""
    ends = range(len(periods))
    if charge.period == "year":
        ends = range(min(11, len(periods) - 1), len(periods), 12)
    for p in sorted({*ends, len(periods) - 1}):
        span = range(p - p % 12, p + 1) if charge.period == "year" else range(p, p + 1)
        yield p, span, charge.amount * sum(_length(periods[i], charge.period) for i in span)


def _own(
    charge: MinimumCharge, periods: Sequence[BillingPeriod], lines: Sequence[BillLine]
) -> list[float]:
    """By billing period, the amounts that count towards a minimum charge."""
    energy, other = [0.0] * len(periods), [0.0] * len(periods)
    for line in lines:
        if line.kind != "tax" and shares_class(charge.charge_class, line.charge_class):
            into = energy if line.kind in OFFSET_BY_CREDITS else other
            into[line.billing_period] += line.amount
    return [max(e, 0.0) + o for e, o in zip(energy, other, strict=True)]


def percentage_lines(
    tariff: Tariff,
    timeline: Timeline,
    layout: Layout,
    lines: Sequence[BillLine],
    taxes: bool,
) -> list[BillLine]:
    """The lines of percentages: those that are no taxes, or the taxes, on the lines before them."""
    found: list[BillLine] = []
    for stage in (1, 2) if taxes else (0,):
        on = [*lines, *found]
        for rate, classes, parts in percentages_of(tariff, timeline, layout, stage):
            base = [0.0] * len(layout.periods)
            for line in on:
                if shares_class(classes, line.charge_class):
                    base[line.billing_period] += line.amount
            kind: Kind = "tax" if taxes else "percentage"
            for p, (amount, part) in enumerate(zip(base, parts, strict=True)):
                if part:
                    quantity = rate.percent * part
                    found.append(
                        BillLine(
                            rate.name,
                            kind,
                            p,
                            None,
                            None,
                            quantity,
                            "%",
                            amount * quantity / 100,
                            rate.charge_class,
                        )
                    )
    return found


def percentages_of(
    tariff: Tariff, timeline: Timeline, layout: Layout, stage: int
) -> Iterator[tuple[PercentageRate, tuple[str, ...], list[float]]]:
    """The percentages of a stage, the classes each is on, and its part of every billing period."""
    for rate in tariff.percentages:
        if rate.stage == stage and rate.percent != 0:
            classes = tuple(c for c in rate.charge_class if c not in ("TAX", "AFTER_TAX"))
            rule = (rate.seasons, rate.valid_from, rate.valid_to)
            yield rate, classes, shares(tariff, timeline, layout, rule)


def shares_class(wanted: Sequence[str], has: Sequence[str]) -> bool:
    """Whether a charge on some classes (none: on all) is also on one with those it has."""
    return not wanted or any(name in has for name in wanted)


def _length(period: BillingPeriod, unit: str) -> float:
    """How many months, days or years a billing period is."""
    if unit == "day":
        return period.days
    return period.share if unit == "month" else period.share / 12
