"""One page that shows a dispatch and what it saves: it opens from disk, without a network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from html import escape
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from bess.economics.analysis import as_tariff
from bess.economics.tables import headline, lifetime_columns
from bess.errors import InputError, needs_extra
from bess.plots import (
    cash_flow_chart,
    duration_curve,
    monthly_bills,
    price_map_chart,
    state_of_charge_map,
    week,
)
from bess.prices import Prices
from bess.result import Result
from bess.tariff import Tariff
from bess.tariff.bill import Bill, bill, bill_energy, meter_without_storage
from bess.tariff.price_map import price_map

if TYPE_CHECKING:
    from bess.economics import Savings

__all__ = ["cards", "chart", "document", "page"]

# What the page may load: nothing but what is in it.
_POLICY: Final = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:"
)
_MOST_LISTED: Final = 20
_WITHOUT_TARIFF: Final = "There is no tariff: the page shows energy and no money."


def page(
    result: Result,
    savings: Savings | None = None,
    *,
    title: str = "Storage at a site",
    assumptions: Sequence[str] | None = None,
) -> str:
    """The HTML of a page on a dispatch: headline figures, charts, assumptions, missed policies.

    Parameters
    ----------
    result
        A dispatch. With a tariff (or prices) the page has bills and a map of prices.
    savings
        What it saves (`bess.savings`): adds the lifetime.
    title
        The page's title.
    assumptions
        What was assumed; by default what the result and the savings say.

    Raises
    ------
    MissingExtraError
        Without the extra ``plots``.
    """
    tariff = _tariff_of(result)
    bills = _bills(result, savings, tariff)
    if assumptions is None:
        own = [*result.assumptions, *(() if savings is None else savings.assumptions)]
        assumptions = list(dict.fromkeys(own))
    timeline = result.site.timeline
    last = timeline.instant(timeline.steps) - timedelta(seconds=1)
    span = f"{timeline.instant(0):%d %b %Y} to {last:%d %b %Y}"
    under = [f"{span}, {timeline.steps:,} steps of {timeline.step_seconds / 60:g} min"]
    if tariff is not None:
        under.append(tariff.name)

    def body() -> Iterator[str]:
        yield f"<h1>{escape(title)}</h1>"
        yield f'<p class="under">{escape("; ".join(under))}</p>'
        yield cards(_figures(result, savings, bills))
        yield from _sections(result, savings, tariff, bills)
        yield from _lists(result, assumptions, _not_billed(bills))

    return document(title, body())


def document(title: str, body: Iterable[str]) -> str:
    """A page that holds all it needs, of parts in HTML, which are made only where it can be.

    Raises
    ------
    MissingExtraError
        Without the extra ``plots``.
    """
    with needs_extra("a page of charts", "plots"):
        from plotly.offline import get_plotlyjs
    css = files("bess").joinpath("page.css").read_text("utf-8")
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{escape(title)}</title>
<link rel="icon" href="data:,">
<style>{css}</style>
<script>{get_plotlyjs()}</script>
</head>
<body>
<main>
{chr(10).join(body)}
<footer>Made by bess {escape(version("bess-dispatch"))}.</footer>
</main>
</body>
</html>
"""


def _tariff_of(result: Result) -> Tariff | None:
    """What the result is billed on: its tariff, or its prices as one."""
    if result.tariff is not None:
        return result.tariff
    if result.import_price is None or result.export_price is None:
        return None
    return as_tariff(Prices(result.import_price, result.export_price), "prices")


def _bills(
    result: Result, savings: Savings | None, tariff: Tariff | None
) -> list[tuple[str, Bill]]:
    """The first year's bills by scenario; without solar, two of them."""
    site = result.site
    if savings is not None:
        found = [(s.name, s.bill) for s in (savings.before, savings.solar, savings.after)]
    elif tariff is not None:
        found = [
            ("before", bill_energy(site, tariff, site.load_kwh, np.zeros(site.steps))),
            ("solar", bill_energy(site, tariff, *meter_without_storage(site, tariff))),
            ("after", bill(result, tariff)),
        ]
    else:
        return []
    words = {"before": "load alone", "solar": "load and solar", "after": "with storage"}
    same_rates = savings is None or savings.before.bill.tariff == savings.solar.bill.tariff
    if not site.solar_kwh.any() and same_rates:
        del found[1]
    return [(words[name], own) for name, own in found]


def _figures(
    result: Result, savings: Savings | None, bills: list[tuple[str, Bill]]
) -> Iterator[tuple[str, str]]:
    """The headline figures, each with what it is."""
    if savings is not None:
        yield from headline(savings)
    elif bills:
        money = bills[0][1].currency or "money"
        for words, own in bills:
            yield f"bill, {words} ({money})", f"{own.total:,.2f}"
        yield f"saved ({money})", f"{bills[0][1].total - bills[-1][1].total:,.2f}"
    capacity = sum(unit.capacity_kwh for unit in result.units)
    cycles = sum(unit.equivalent_full_cycles * unit.capacity_kwh for unit in result.units)
    yield "battery capacity (kWh)", f"{capacity:,.1f}"
    yield "equivalent full cycles", f"{cycles / capacity:,.0f}"
    load = result.site.load_kwh.sum()
    if load:
        bought = float(result.import_kwh_ac.sum() / load)
        yield "energy bought, of the load", f"{100 * bought:.0f} %"
    yield "peak import (kW)", f"{result.import_kwh_ac.max() / result.site.step_hours:,.2f}"


def _not_billed(bills: list[tuple[str, Bill]]) -> list[str]:
    """What the tariffs hold that is in no bill, with the tariff's name where there are several."""
    several = len({own.tariff for _, own in bills}) > 1
    found = [
        f"{own.tariff}: {text}" if several else text for _, own in bills for text in own.ignored
    ]
    return list(dict.fromkeys(found))


def cards(figures: Iterable[tuple[str, str]]) -> str:
    """Figures, each with what it is."""
    each = (
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in figures
    )
    return f'<dl class="cards">{"".join(each)}</dl>'


def _sections(
    result: Result, savings: Savings | None, tariff: Tariff | None, bills: list[tuple[str, Bill]]
) -> Iterator[str]:
    if bills:
        yield chart("bills", monthly_bills(bills), "Each billing period of the first year.")
    else:
        yield f"<section><p>{_WITHOUT_TARIFF}</p></section>"
    if savings is not None and savings.years > 1:
        yield chart(
            "cash-flow",
            cash_flow_chart(savings),
            "The capital cost is paid in year 0; savings come at the ends of years.",
        )
    yield chart(
        "week",
        week(result),
        "The days in which the battery moves most. Upwards what serves the load, downwards what is "
        "stored or exported; below, the state of charge at the end of each step.",
    )
    yield chart(
        "state-of-charge", state_of_charge_map(result), "Mean of each hour, on the site's clock."
    )
    yield chart(
        "duration",
        duration_curve(result),
        "Import less export in each step, from the highest; below 0 the site exports.",
    )
    if tariff is not None:
        yield from _price_section(result, tariff)
    if savings is not None:
        yield _lifetime(savings)


def _price_section(result: Result, tariff: Tariff) -> Iterator[str]:
    try:
        prices = price_map(tariff, result.site.timeline)
    except InputError:
        return
    yield chart(
        "prices",
        price_map_chart(prices, tariff.currency),
        f"{tariff.name}: the price of most weeks, of first bands, before percentages.",
    )


def chart(name: str, fig: Any, caption: str) -> str:
    """A section with a figure, under the figure's own title."""
    title = fig.layout.title.text
    fig.update_layout(title=None, margin={"t": 16})
    drawn = fig.to_html(
        full_html=False,
        include_plotlyjs=False,
        div_id=name,
        config={"responsive": True, "displaylogo": False, "displayModeBar": False},
    )
    return (
        f"<section><h2>{escape(title)}</h2><figure>{drawn}"
        f"<figcaption>{escape(caption)}</figcaption></figure></section>"
    )


def _lifetime(savings: Savings) -> str:
    """The lifetime as a table, for who wants the numbers."""
    money = savings.currency or "money"
    columns = {"capacity (kWh)": savings.capacity_kwh} | lifetime_columns(savings)
    head = "".join(f"<th>{escape(name)}</th>" for name in ("year", *columns))
    rows = ""
    for i in range(savings.years):
        cells = "".join(f"<td>{values[i]:,.2f}</td>" for values in columns.values())
        mark = "" if i + 1 in savings.dispatched_years else "*"
        rows += f"<tr><td>{i + 1}{mark}</td>{cells}</tr>"
    totals = [f"<td>{values.sum():,.2f}</td>" for values in list(columns.values())[1:]]
    remarks = ["The columns between after and saved are what brings the saving"]
    if savings.after.operating_cost.any():
        remarks.append("After includes the operating cost")
    if len(savings.dispatched_years) < savings.years:
        remarks.append("* interpolated")
    foot = f"<tr><td>total</td><td></td>{''.join(totals)}</tr>"
    return (
        f"<section><h2>Year by year ({escape(money)})</h2>"
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody>'
        f"<tfoot>{foot}</tfoot></table></div>"
        f'<p class="caption">{". ".join(remarks)}.</p></section>'
    )


def _lists(result: Result, assumed: Sequence[str], ignored: Sequence[str]) -> Iterator[str]:
    """Missed policies, what was assumed, what of the tariff is not billed."""
    missed = [str(violation) for violation in result.violations]
    if missed:
        more = len(missed) - _MOST_LISTED
        if more > 0:
            missed[_MOST_LISTED:] = [f"and {more:,} more"]
        yield _list("Policies missed", missed, ' class="missed"')
    else:
        yield "<section><h2>Policies missed</h2><p>None.</p></section>"
    yield _list("Assumed", assumed or ["nothing"])
    if ignored:
        yield _list("Not billed", ignored)


def _list(title: str, lines: Sequence[str], style: str = "") -> str:
    items = "".join(f"<li{style}>{escape(line)}</li>" for line in lines)
    return f"<section><h2>{escape(title)}</h2><ul>{items}</ul></section>"
