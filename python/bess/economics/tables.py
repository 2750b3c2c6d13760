"""Savings as tables for people: the first year by month, the lifetime by year, what it is worth."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

import numpy as np
from rich.table import Table
from rich.text import Text

from bess._arrays import Floats
from bess.economics.scenarios import Savings
from bess.errors import MissingExtraError

__all__ = ["headline", "lifetime_columns", "money_tables", "savings_tables"]


def savings_tables(savings: Savings) -> Iterator[Any]:
    """The tables of a savings analysis, then what was assumed."""
    yield from money_tables(savings)
    for text in savings.assumptions:
        yield Text(f"assumed: {text}")


def money_tables(savings: Savings) -> Iterator[Any]:
    """The first year by billing period, the lifetime by year, and what it is worth."""
    yield _first_year(savings)
    yield _parts(savings)
    yield _lifetime(savings)
    worth = Table(title="What it is worth", title_justify="left", show_header=False)
    worth.add_column("")
    worth.add_column("", justify="right")
    for name, value in headline(savings):
        worth.add_row(Text(name), Text(value))
    yield worth


def headline(savings: Savings) -> list[tuple[str, str]]:
    """The figures of a savings analysis that people ask for first, in words and as text."""
    money = savings.currency or "money"
    flows = savings.cash_flows
    rate = savings.discount_rate_percent
    first = float(flows[1])
    rows = [
        (f"saved in year 1 against {savings.compared_with} ({money})", f"{first:,.2f}"),
        (f"saved in {savings.years} years ({money})", f"{flows[1:].sum():,.2f}"),
        (f"capital cost ({money})", f"{savings.capital_cost:,.2f}"),
        (f"net present value at {rate:g} % ({money})", f"{savings.npv:,.2f}"),
        ("payback (years)", _years(savings.payback_years)),
    ]
    if rate:
        rows.append((f"payback at {rate:g} % (years)", _years(savings.discounted_payback_years)))
    try:
        irr = savings.irr
        rows.append(("internal rate of return", "none" if irr is None else f"{100 * irr:.1f} %"))
    except MissingExtraError as error:
        rows.append(("internal rate of return", str(error).partition(": ")[2]))
    return rows


def lifetime_columns(savings: Savings) -> dict[str, Floats]:
    """The amounts of every year by what they are called; parts that are 0 throughout left out."""
    shown = savings.by_year()
    columns = {
        "before": shown["before"],
        "solar": shown["solar"],
        "after": shown["after"],
        "rate change": shown["saved_by_rate_change"],
        "by solar": shown["saved_by_solar"],
        "by storage": shown["saved_by_storage"],
        "operating cost": shown["saved_by_operating_cost"],
        "saved": shown["saved"],
    }
    always = ("before", "solar", "after", "saved")
    return {name: values for name, values in columns.items() if values.any() or name in always}


def _years(found: float | None) -> str:
    return "never" if found is None else f"{found:.1f}"


def _first_year(savings: Savings) -> Table:
    scenarios = (savings.before, savings.solar, savings.after)
    money = savings.currency or "money"
    table = Table(title=Text(f"Bills of the first year ({money})"), title_justify="left")
    table.add_column("billing period", no_wrap=True)
    several = len({scenario.bill.tariff for scenario in scenarios}) > 1
    for scenario in scenarios:
        words = f"{scenario.name}\n{scenario.bill.tariff}" if several else scenario.name
        table.add_column(Text(words, overflow="fold"), justify="right")
    table.add_column("saved", justify="right")
    periods = max((scenario.bill.billing_periods for scenario in scenarios), key=len)
    months = zip_longest(*(scenario.monthly[0].tolist() for scenario in scenarios), fillvalue=0.0)
    for period, (before, solar, after) in zip(periods, months, strict=True):
        amounts = (before, solar, after, before - after)
        table.add_row(str(period), *(f"{amount:,.2f}" for amount in amounts))
    table.add_section()
    total = [float(scenario.monthly[0].sum()) for scenario in scenarios]
    total.append(total[0] - total[2])
    table.add_row("total", *(f"{amount:,.2f}" for amount in total), style="bold")
    return table


def _parts(savings: Savings) -> Table:
    money = savings.currency or "money"
    table = Table(title=Text(f"What brings the saving ({money})"), title_justify="left")
    table.add_column("")
    table.add_column("year 1", justify="right")
    table.add_column(f"years 1 to {savings.years}", justify="right", overflow="fold")
    columns = lifetime_columns(savings)
    for name in list(columns)[3:]:
        values, last = columns[name], name == "saved"
        if last:
            table.add_section()
        table.add_row(
            name, f"{values[0]:,.2f}", f"{values.sum():,.2f}", style="bold" if last else None
        )
    return table


def _lifetime(savings: Savings) -> Table:
    money = savings.currency or "money"
    table = Table(title=Text(f"Lifetime (whole {money})"), title_justify="left")
    table.add_column("year", justify="right", no_wrap=True)
    table.add_column("capacity\n(kWh)", justify="right", no_wrap=True)
    shown = {
        "before": savings.before.yearly,
        "solar": savings.solar.yearly,
        "after": savings.after.yearly,
        "cash\nflow": savings.cash_flows[1:],
        "sum of\ncash flows": np.cumsum(savings.cash_flows)[1:],
    }
    for name in shown:
        table.add_column(name, justify="right", overflow="fold")
    table.add_row("0", *[""] * 4, *[f"{savings.cash_flows[0]:,.0f}"] * 2)
    for i in range(savings.years):
        mark = "" if i + 1 in savings.dispatched_years else "*"
        amounts = (f"{values[i]:,.0f}" for values in shown.values())
        table.add_row(f"{i + 1}{mark}", f"{savings.capacity_kwh[i]:,.2f}", *amounts)
    table.add_section()
    totals = [f"{values.sum():,.0f}" for values in list(shown.values())[:3]]
    flows = f"{savings.cash_flows.sum():,.0f}"
    table.add_row("all", "", *totals, flows, flows, style="bold")
    remarks = [f"cash flows against {savings.compared_with}"]
    if savings.after.operating_cost.any():
        remarks.append("after with the operating cost")
    if len(savings.dispatched_years) < savings.years:
        remarks.append("* interpolated")
    table.caption = "; ".join(remarks)
    table.caption_justify = "left"
    return table
