"""Amounts that are no multiple of a quantity: bands, and what is netted before it is priced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bess.tariff.expression import Expression
from bess.tariff.lines import Kind
from bess.tariff.program import ChargeProgram

__all__ = ["Charge", "banded", "larger", "smaller", "split_by_sign"]


class Charge(NamedTuple):
    """A line of a bill, as an expression."""

    kind: Kind
    billing_period: int
    charge_class: tuple[str, ...]
    amount: Expression


def banded(
    program: ChargeProgram,
    quantity: Expression,
    prices: Sequence[float],
    limits: Sequence[Expression],
    exact: bool = False,
) -> Expression:
    """The amount of a quantity (at least 0) in bands that end at ``limits``, the last at none.

    Up to a limit, no more than the limit can be in the bands before it: that much is linear, and
    enough where the next price is higher. Where it is lower (or ``exact``), a binary says whether
    the quantity is above the limit, and then they are full.
    """
    low, high = program.bounds(quantity)
    high = max(high, 0.0)
    parts = [program.column(0.0, high) for _ in prices]
    parts[0] = parts[0] if low >= 0 else program.column(low, high)  # credits go to the first
    amount, before, rest = Expression(), Expression(), quantity
    for b, (part, price) in enumerate(zip(parts, prices, strict=True)):
        amount.add(part, price)
        before.add(part)
        rest = rest - part
        if b == len(limits):
            break
        limit = limits[b]
        least_limit, most_limit = program.bounds(limit)
        if low >= most_limit:
            program.row(before - limit, 0.0, 0.0)  # always full
            continue
        if high <= least_limit:
            program.row(rest, 0.0, 0.0)  # never full
            continue
        program.row(limit - before, 0.0)
        if prices[b + 1] < price or exact:
            above = program.binary()
            program.row(above * (high - least_limit) - rest, 0.0)
            program.row(before - limit + (Expression(1.0) - above) * (most_limit - low), 0.0)
    program.row(rest, 0.0, 0.0)
    return amount


def split_by_sign(
    program: ChargeProgram, net: Expression, exact: bool
) -> tuple[Expression, Expression]:
    """A quantity's part above 0, and its part below as a positive number; one if ``exact``."""
    low, high = program.bounds(net)
    above = program.column(0.0, max(high, 0.0))
    below = program.column(0.0, max(-low, 0.0))
    program.row(above - below - net, 0.0, 0.0)
    if exact and low < 0 < high:
        positive = program.binary()
        program.row(positive * high - above, 0.0)
        program.row((Expression(1.0) - positive) * -low - below, 0.0)
    return above, below


def larger(program: ChargeProgram, first: Expression, second: Expression) -> Expression:
    """The larger of two limits."""
    low_1, high_1 = program.bounds(first)
    low_2, high_2 = program.bounds(second)
    if low_1 >= high_2:
        return first
    if low_2 >= high_1:
        return second
    found = program.column(max(low_1, low_2), max(high_1, high_2))
    of_first = program.binary()
    program.row(found - first, 0.0)
    program.row(found - second, 0.0)
    program.row(first - found + (Expression(1.0) - of_first) * (high_2 - low_1), 0.0)
    program.row(second - found + of_first * (high_1 - low_2), 0.0)
    return found


def smaller(program: ChargeProgram, first: Expression, second: Expression) -> Expression:
    """The smaller of two limits."""
    return larger(program, first * -1.0, second * -1.0) * -1.0
