"""A bill as tables for people, and the rate sheet of a tariff."""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from bess.errors import InputError
from bess.tariff.model import Tariff
from bess.tariff.pricing import prices_of
from bess.tariff.rates import Band, DemandBand
from bess.timeline import Timeline, zone

if TYPE_CHECKING:
    from bess.tariff.bill import Bill

__all__ = ["bill_tables", "rate_sheet"]

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def bill_tables(bill: Bill) -> Iterator[Any]:
    """The months of a bill by kind of line, then its rates, then what was assumed or ignored."""
    money = bill.currency or "money"
    kinds = bill.by_kind()
    months = Table(title=escape(f"{bill.tariff}, {money}"), title_justify="left")
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
        rates.add_row(escape(rate), kind, str(band or ""), summed, unit, f"{amount:,.2f}")
    yield rates
    for text in bill.assumptions:
        yield Text(f"assumed: {text}")
    for text in bill.ignored:
        yield Text(f"ignored: {text}")


def rate_sheet(tariff: Tariff) -> Iterator[Any]:
    """What a tariff charges, what is ignored or assumed, and its prices by month and hour."""
    money = tariff.currency or "money"
    table = Table(title=escape(tariff.name), title_justify="left")
    for name in ("rate", "charges", f"{money}", "per"):
        table.add_column(name, justify="right" if name == money else "left")
    for rate in tariff.rates:
        side = "import" if rate.on_import else "export"
        side = "import less export" if rate.on_import and rate.on_export else side
        if rate.prices is not None:
            both = rate.prices.import_price, rate.prices.export_price
            every = both[0] if rate.on_import else both[1]
            table.add_row(
                escape(rate.name), side, f"{every.min():,.6g} to {every.max():,.6g}", "kWh, by step"
            )
            continue
        for price, per in _steps(rate.bands, rate.price, "kWh"):
            table.add_row(escape(rate.name), side, f"{price:,.6g}", per)
    for demand in tariff.demand_rates:
        per_kw = "kW" if demand.period == "billing_period" else f"kW and {demand.period}"
        what = "demand, with a ratchet" if demand.ratchet else "demand"
        for price, per in _steps(demand.bands, demand.price, per_kw):
            table.add_row(escape(demand.name), what, f"{price:,.6g}", per)
    for fixed in tariff.fixed_charges:
        amount = f"{fixed.amount * fixed.quantity:,.6g}"
        table.add_row(escape(fixed.name), "fixed", amount, fixed.period)
    for least in tariff.minimum_charges:
        table.add_row(escape(least.name), "minimum", f"{least.amount:,.6g}", least.period)
    for part in tariff.percentages:
        of = ", ".join(part.charge_class) or "everything"
        table.add_row(escape(part.name), "percentage", f"{part.percent:,.6g} %", escape(of))
    yield table
    clock = tariff.time_zone or "the clock of the site"
    yield Text(f"metering: {tariff.metering}; times: {clock}")
    for text in tariff.assumptions:
        yield Text(f"assumed: {text}")
    for text in tariff.ignored:
        yield Text(f"ignored: {text}")
    if tariff.rates:
        yield from _heat_map(tariff, money)


def _steps(
    bands: Sequence[Band | DemandBand], price: float, unit: str
) -> Iterator[tuple[float, str]]:
    """The price and the reach of each band."""
    if not bands:
        yield price, unit
    for band in bands:
        limits = [("kW", band.limit_kw)] if isinstance(band, DemandBand) else []
        if isinstance(band, Band):
            limits = list(zip(("kWh", "kWh a day", "kWh per kW"), band.limits, strict=True))
        given = [f"{limit:g} {per}" for per, limit in limits if limit is not None]
        yield band.price, f"{unit} up to {' and '.join(given)}" if given else f"{unit} above"


def _heat_map(tariff: Tariff, money: str) -> Iterator[Any]:
    """The import price (of first bands) in most weeks of each month, a letter for each price."""
    plain = replace(
        tariff,
        rates=tuple(
            replace(rate, bands=(), price=rate.bands[0].price if rate.bands else rate.price)
            for rate in tariff.rates
        ),
        series=None,
    )
    clock = UTC if tariff.time_zone is None else zone(tariff.time_zone)
    begins = tariff.effective[0]
    year = 2025 if begins is None else datetime.fromtimestamp(begins, clock).year
    timeline = Timeline(datetime(year, 1, 1, tzinfo=clock), 3600, 8760, tariff.time_zone)
    try:
        prices = prices_of(plain, timeline).series(8760)[0].round(9).tolist()
    except InputError as error:
        yield Text(f"no map of prices: {error}")
        return
    own = timeline.clock()
    found: dict[tuple[bool, int, int], Counter[float]] = {}
    weekend, hour = (own.weekday >= 5).tolist(), (own.second_of_day // 3600).tolist()
    for at in zip(weekend, own.month.tolist(), hour, prices, strict=True):
        found.setdefault(at[:3], Counter())[at[3]] += 1
    shown = {at: counts.most_common(1)[0][0] for at, counts in found.items()}
    levels = sorted(set(shown.values()))
    if len(levels) > len(string.ascii_letters):
        yield Text(f"no map of prices: there are {len(levels)} of them")
        return
    for name, is_weekend in (("Monday to Friday", False), ("Saturday and Sunday", True)):
        picture = Text(f"{name}, hours 0 to 23\n", style="bold")
        for month in range(1, 13):
            picture.append(f"{_MONTHS[month - 1]} ", style="default")
            for h in range(24):
                level = levels.index(shown[is_weekend, month, h])
                heat = int(255 * level / max(len(levels) - 1, 1))
                style = f"black on rgb({heat},{200 - heat // 2},{255 - heat})"
                picture.append(string.ascii_letters[level] * 2, style=style)
            picture.append("\n")
        yield picture
    key = ", ".join(f"{string.ascii_letters[i]} {level:.5g}" for i, level in enumerate(levels))
    yield Text(f"{money} per kWh imported: {key}")
