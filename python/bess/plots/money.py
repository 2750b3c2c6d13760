"""Figures of money: bills by month, the tariff's prices, cash flows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from bess._arrays import Floats
from bess.plots.style import COLOURS, SCALE, figure, graph_objects, styled

if TYPE_CHECKING:
    from bess.economics import Savings
    from bess.tariff.bill import Bill

__all__ = ["cash_flow_chart", "monthly_bills", "price_map_chart"]

_MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
_BILL_COLOURS: Final = {1: ("battery",), 2: ("before", "battery")}


def monthly_bills(bills: Sequence[tuple[str, Bill]]) -> Any:
    """Bars of each bill by billing period, side by side, for up to three bills and their names."""
    fig = figure("the chart of bills")
    money = next((bill.currency for _, bill in bills if bill.currency), None) or "money"
    colours = _BILL_COLOURS.get(len(bills), ("before", "solar", "battery"))
    for (words, bill), colour in zip(bills, colours, strict=True):
        fig.add_trace(
            graph_objects("the chart of bills").Bar(
                x=[f"{period.start:%b %Y}" for period in bill.billing_periods],
                y=np.round(bill.monthly, 2),
                name=words,
                marker={"color": COLOURS[colour]},
                customdata=[str(period) for period in bill.billing_periods],
                hovertemplate=f"{words}, %{{customdata}}: %{{y:,.2f}} {money}<extra></extra>",
            )
        )
    fig.update_yaxes(title_text=f"{money} a billing period")
    return styled(fig, title="Bills by month", height=380, barmode="group", bargap=0.25)


def price_map_chart(prices: Floats, currency: str | None) -> Any:
    """The prices of `bess.tariff.price_map.price_map`, shape (2, 12, 24), as two heat maps."""
    money = currency or "money"
    names = ("Monday to Friday", "Saturday and Sunday")
    fig = figure(
        "the map of prices",
        rows=2,
        subplot_titles=names,
        shared_xaxes=True,
        vertical_spacing=0.1,
    )
    low, high = float(np.nanmin(prices)), float(np.nanmax(prices))
    for i, name in enumerate(names):
        fig.add_trace(
            graph_objects("the map of prices").Heatmap(
                x=np.arange(24),
                y=list(_MONTHS),
                z=np.round(prices[i], 6),
                zmin=low,
                zmax=high if high > low else low + 1e-9,
                colorscale=SCALE,
                xgap=1,
                ygap=1,
                showscale=i == 0,
                colorbar={
                    "title": {"text": f"{money}<br>per kWh"},
                    "thickness": 12,
                    "len": 1.0,
                },
                hovertemplate=f"%{{y}}, {name}, hour %{{x}}: %{{z:.4f}} {money}/kWh<extra></extra>",
            ),
            row=i + 1,
            col=1,
        )
    fig.update_xaxes(dtick=3)
    fig.update_xaxes(title_text="hour of the day", row=2, col=1)
    fig.update_yaxes(autorange="reversed")
    fig.update_annotations(font_size=13)
    return styled(fig, title="Price of an imported kWh", height=600)


def cash_flow_chart(savings: Savings) -> Any:
    """Cash flow of every year as bars, and their sum as a line."""
    fig = figure("the chart of cash flows", rows=2, shared_xaxes=True, vertical_spacing=0.08)
    objects = graph_objects("the chart of cash flows")
    money = savings.currency or "money"
    flows = savings.cash_flows
    years = np.arange(len(flows))
    for row, (words, values) in enumerate(
        (("cash flow of the year", flows), ("sum since year 0", np.cumsum(flows))), 1
    ):
        fig.add_trace(
            objects.Bar(
                x=years,
                y=np.round(values, 2),
                name=words,
                marker={"color": [COLOURS["battery" if v >= 0 else "loss"] for v in values]},
                hovertemplate=f"{words}, year %{{x}}: %{{y:,.0f}} {money}<extra></extra>",
            ),
            row=row,
            col=1,
        )
        fig.update_yaxes(
            title_text=f"{words.split(' of')[0].split(' since')[0]} ({money})", row=row
        )
    fig.update_xaxes(title_text="year", row=2, col=1)
    title = f"Cash flow, measured against {savings.compared_with}"
    return styled(fig, title=title, height=460, bargap=0.25, showlegend=False)
