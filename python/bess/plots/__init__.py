"""Figures of a dispatch and of its money, by plotly (the extra ``plots``)."""

from bess.plots.flows import duration_curve, state_of_charge_map, week
from bess.plots.money import cash_flow_chart, monthly_bills, price_map_chart

__all__ = [
    "cash_flow_chart",
    "duration_curve",
    "monthly_bills",
    "price_map_chart",
    "state_of_charge_map",
    "week",
]
