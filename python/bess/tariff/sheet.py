"""A bill as tables for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rich.table import Table

if TYPE_CHECKING:
    from bess.tariff.bill import Bill

__all__ = ["bill_tables"]


def bill_tables(bill: Bill) -> Iterator[Any]:
    """The months of a bill by kind of line, then its rates, then what was assumed or ignored."""
    money = bill.currency or "money"
    kinds = bill.by_kind()
    months = Table(title=f"{bill.tariff}, {money}", title_justify="left")
    months.add_column("billing period")
    for name in (*kinds, "total"):
        months.add_column(name, justify="right")
    for p, period in enumerate(bill.billing_periods):
        amounts = (*(kinds[kind][p] for kind in kinds), bill.monthly[p])
        months.add_row(str(period), *(f"{amount:,.2f}" for amount in amounts))
    totals = (*(sum(amounts) for amounts in kinds.values()), bill.total)
    months.add_section()
    months.add_row("total", *(f"{amount:,.2f}" for amount in totals))
    yield months

    rates = Table(title_justify="left")
    for name in ("rate", "kind", "band", "quantity", "unit", money):
        rates.add_column(name, justify="right" if name in ("quantity", money) else "left")
    found: dict[tuple[str, str, int | None, str], list[float]] = {}
    for line in bill.lines:
        key = (line.rate, line.kind, line.band, line.unit)
        own = found.setdefault(key, [0.0, 0.0])
        own[0] += line.quantity
        own[1] += line.amount
    for (rate, kind, band, unit), (quantity, amount) in found.items():
        summed = "" if unit in ("kW", "%") else f"{quantity:,.1f}"
        rates.add_row(rate, kind, str(band or ""), summed, unit, f"{amount:,.2f}")
    yield rates
    for text in bill.assumptions:
        yield f"assumed: {text}"
    for text in bill.ignored:
        yield f"ignored: {text}"
