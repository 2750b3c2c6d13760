"""What a bill charges on itself: fixed amounts, minimum charges, percentages and taxes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

from bess.tariff.layout import Layout, shares
from bess.tariff.lines import BillLine, Kind
from bess.tariff.model import Tariff
from bess.tariff.periods import BillingPeriod
from bess.tariff.quantities import Quantity, larger
from bess.tariff.rates import MinimumCharge, PercentageRate
from bess.timeline import Timeline

__all__ = [
    "OFFSET_BY_CREDITS",
    "Amounts",
    "charges_on_charges",
    "classes_asked_for",
    "fixed_lines",
    "lines_on_lines",
    "minimum_spans",
    "percentages_of",
    "shares_class",
]

Amounts: TypeAlias = dict[tuple[Kind, int, tuple[str, ...]], Quantity]
"""Money by kind of line, billing period and charge classes: of one bill, or of many."""
Percentages: TypeAlias = tuple[tuple[PercentageRate, tuple[str, ...], list[float]], ...]

OFFSET_BY_CREDITS: Final = ("energy", "credit", "export", "true_up")


class OnCharges(NamedTuple):
    """A line of a bill that depends on others."""

    charge: PercentageRate | MinimumCharge
    kind: Kind
    billing_period: int
    quantity: float
    """Per cent, or times."""
    amount: Quantity


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


def lines_on_lines(
    tariff: Tariff, timeline: Timeline, layout: Layout, lines: Sequence[BillLine]
) -> list[BillLine]:
    """The lines of what a bill charges on the lines before, of one bill."""
    amounts: Amounts = {}
    for line in lines:
        place = line.kind, line.billing_period, line.charge_class
        amounts[place] = amounts.get(place, 0.0) + line.amount
    return [
        BillLine(
            line.charge.name,
            line.kind,
            line.billing_period,
            None,
            None,
            line.quantity,
            "times" if line.kind == "minimum" else "%",
            float(line.amount),
            line.charge.charge_class,
        )
        for line in charges_on_charges(tariff, timeline, layout, amounts)
        if line.kind != "minimum" or line.amount
    ]


def charges_on_charges(
    tariff: Tariff, timeline: Timeline, layout: Layout, amounts: Amounts
) -> list[OnCharges]:
    """What percentages, then minimum charges, then taxes come to, on amounts before them.

    Each is added to ``amounts``. Percentages of a stage do not compound.
    """
    found: list[OnCharges] = []
    for stage in (0, None, 1, 2):
        if stage is None:
            own = _minimums(tariff, layout.periods, amounts)
        else:
            own = _percentages(percentages_of(tariff, timeline, layout, stage), layout, amounts)
        for line in own:
            place = line.kind, line.billing_period, line.charge.charge_class
            amounts[place] = amounts.get(place, 0.0) + line.amount
        found += own
    return found


def _minimums(
    tariff: Tariff, periods: Sequence[BillingPeriod], amounts: Amounts
) -> list[OnCharges]:
    """What each minimum charge adds to reach it; credits for energy do not count against it."""
    found = []
    for charge in tariff.minimum_charges:
        if charge.amount == 0:
            continue
        own = _counted(charge, periods, amounts)
        for p, span, least in minimum_spans(charge, periods):
            short = larger(least - sum(own[i] for i in span), 0.0)
            found.append(OnCharges(charge, "minimum", p, 1.0, short))
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


def _counted(
    charge: MinimumCharge, periods: Sequence[BillingPeriod], amounts: Amounts
) -> list[Quantity]:
    """By billing period, what counts towards a minimum charge: energy if above 0, and the rest."""
    energy: list[Quantity] = [0.0] * len(periods)
    other: list[Quantity] = [0.0] * len(periods)
    for (kind, p, has), amount in amounts.items():
        if kind != "tax" and shares_class(charge.charge_class, has):
            into = energy if kind in OFFSET_BY_CREDITS else other
            into[p] = into[p] + amount
    return [larger(e, 0.0) + o for e, o in zip(energy, other, strict=True)]


def _percentages(stage: Percentages, layout: Layout, amounts: Amounts) -> list[OnCharges]:
    """What the percentages of a stage come to."""
    found = []
    for rate, classes, parts in stage:
        base: list[Quantity] = [0.0] * len(layout.periods)
        for (_, p, has), amount in amounts.items():
            if parts[p] and shares_class(classes, has):
                base[p] = base[p] + amount
        kind: Kind = "tax" if rate.stage else "percentage"
        for p, (amount, part) in enumerate(zip(base, parts, strict=True)):
            if part:
                percent = rate.percent * part
                found.append(OnCharges(rate, kind, p, percent, amount * (percent / 100)))
    return found


@lru_cache(maxsize=32)
def percentages_of(tariff: Tariff, timeline: Timeline, layout: Layout, stage: int) -> Percentages:
    """The percentages of a stage, the classes each is on, and its part of every billing period."""
    found = []
    for rate in tariff.percentages:
        if rate.stage == stage and rate.percent != 0:
            classes = tuple(c for c in rate.charge_class if c not in ("TAX", "AFTER_TAX"))
            rule = (rate.seasons, rate.valid_from, rate.valid_to)
            found.append((rate, classes, shares(tariff, timeline, layout, rule)))
    return tuple(found)


def classes_asked_for(tariff: Tariff) -> frozenset[str]:
    """The charge classes that a percentage or minimum charge is on: others do not matter."""
    classes = [charge.charge_class for charge in tariff.percentages]
    classes += [charge.charge_class for charge in tariff.minimum_charges]
    return frozenset(name for own in classes for name in own)


def shares_class(wanted: Sequence[str], has: Sequence[str]) -> bool:
    """Whether a charge on some classes (none: on all) is also on one with those it has."""
    return not wanted or any(name in has for name in wanted)


def _length(period: BillingPeriod, unit: str) -> float:
    """How many months, days or years a billing period is."""
    if unit == "day":
        return period.days
    return period.share if unit == "month" else period.share / 12
