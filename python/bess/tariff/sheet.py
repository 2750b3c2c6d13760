"""A bill as tables for people, and the rate sheet of a tariff."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from bess.errors import InputError
from bess.tariff.export_rates import ExportRates
from bess.tariff.model import Tariff
from bess.tariff.price_map import by_month_and_hour, price_map
from bess.tariff.rates import Band, DemandBand
from bess.tariff.terminal_map import terminal_map
from bess.tariff.wording import when_in_words
from bess.timeline import EPOCH_ORDINAL, Timeline, zone

if TYPE_CHECKING:
    from bess.tariff.bill import Bill

__all__ = ["bill_tables", "export_sheet", "rate_sheet"]


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
    """What a tariff charges and when, what is ignored or assumed, its prices by month and hour."""
    money = tariff.currency or "money"
    table = Table(title=escape(tariff.name), title_justify="left")
    for name in ("rate", "charges", f"{money}", "per", "when"):
        table.add_column(name, justify="right" if name == money else "left")
    free = 0
    for rate in tariff.rates:
        side = "import" if rate.on_import else "export"
        side = "import less export" if rate.on_import and rate.on_export else side
        if rate.nets:
            side = f"{side}, net of a {rate.settlement.replace('_', ' ')}"
        when = when_in_words(rate.times)
        if rate.prices is not None:
            every = rate.prices.import_price if rate.on_import else rate.prices.export_price
            shown = f"{every.min():,.6g} to {every.max():,.6g}"
            table.add_row(escape(rate.name), side, shown, "kWh, by step", when)
        elif rate.price == 0 and not rate.bands:
            free += 1
        else:
            _add(table, rate.name, side, _steps(rate.bands, rate.price, "kWh"), when)
    for demand in tariff.demand_rates:
        per_kw = "kW" if demand.period == "billing_period" else f"kW and {demand.period}"
        what = "demand, with a ratchet" if demand.ratchet else "demand"
        when = when_in_words(demand.window, demand.seasons)
        if demand.coincident_hours is not None:
            when = f"{len(demand.coincident_hours)} given hours"
        _add(table, demand.name, what, _steps(demand.bands, demand.price, per_kw), when)
    for fixed in tariff.fixed_charges:
        amount = f"{fixed.amount * fixed.quantity:,.6g}"
        when = when_in_words((), fixed.seasons)
        table.add_row(escape(fixed.name), "fixed", amount, fixed.period, when)
    for least in tariff.minimum_charges:
        table.add_row(escape(least.name), "minimum", f"{least.amount:,.6g}", least.period)
    for part in tariff.percentages:
        of = ", ".join(part.charge_class) or "everything"
        when = when_in_words((), part.seasons)
        percent = f"{part.percent:,.6g} %"
        table.add_row(escape(part.name), "percentage", percent, escape(of), when)
    if table.row_count:
        yield table
    if free:
        yield Text(f"not shown: {free} energy rate{'s' * (free > 1)} of price 0")
    yield Text(f"metering: {tariff.metering}; times: {tariff.time_zone or 'the clock of the site'}")
    for text in tariff.assumptions:
        yield Text(f"assumed: {text}")
    for text in tariff.ignored:
        yield Text(f"ignored: {text}")
    yield from _prices(tariff, money)


def export_sheet(rates: ExportRates, name: str, time_zone: str | None = None) -> Iterator[Any]:
    """What avoided-cost export rates pay: their span, and each year by month and hour."""
    first = date.fromordinal(int(rates.first_day.min()) + EPOCH_ORDINAL)
    last = date.fromordinal(int(rates.end_day.max()) - 1 + EPOCH_ORDINAL)
    yield Text(f"{name}: export rates", style="bold")
    yield Text(
        f"{len(rates.price):,} rows from {first} to {last}, "
        f"{rates.price.min():.5g} to {rates.price.max():.5g} $/kWh; add them to a tariff with "
        "Tariff.with_export_rates"
    )
    for year in range(first.year, last.year + 1):
        start = datetime(year, 1, 1, tzinfo=UTC if time_zone is None else zone(time_zone))
        steps = 24 * (date(year + 1, 1, 1) - date(year, 1, 1)).days
        timeline = Timeline(start, 3600, steps, time_zone)
        try:
            prices = rates.on(timeline, None)[1]
        except InputError as error:
            yield Text(f"no map of {year}: {error}")
            continue
        yield Text(f"{year}", style="bold")
        yield from terminal_map(by_month_and_hour(prices, timeline.clock()), "$ per kWh exported")


def _add(table: Table, name: str, what: str, steps: Iterator[tuple[float, str]], when: str) -> None:
    """A row for each band, the name and the hours on the first."""
    for price, per in steps:
        table.add_row(escape(name), what, f"{price:,.6g}", per, when)
        name = what = when = ""


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
        given = [f"{limit:,.6g} {per}" for per, limit in limits if limit is not None]
        yield band.price, f"{unit} up to {' and '.join(given)}" if given else f"{unit} above"


def _prices(tariff: Tariff, money: str) -> Iterator[Any]:
    """The import price (of first bands) in most weeks of each month."""
    clock = UTC if tariff.time_zone is None else zone(tariff.time_zone)
    begins = tariff.effective[0]
    year = 2025 if begins is None else datetime.fromtimestamp(begins, clock).year
    timeline = Timeline(datetime(year, 1, 1, tzinfo=clock), 3600, 8760, tariff.time_zone)
    by_hour = replace(tariff, series=None) if tariff.rates else tariff
    try:
        prices = price_map(by_hour, timeline)
    except InputError as error:
        yield Text(f"no map of prices: {error}")
        return
    yield from terminal_map(prices, f"{money} per kWh imported")
    if any(rate.bands for rate in tariff.rates):
        yield Text("of rates with bands, the price of the first")
