"""Savings as JSON."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from pydantic.alias_generators import to_camel

from bess.economics.scenarios import Savings
from bess.errors import MissingExtraError

__all__ = ["savings_answer"]


def savings_answer(savings: Savings) -> dict[str, Any]:
    """The savings in plain lists and numbers, their names in camel case.

    ``byYear`` has a list for each series of `Savings.by_year`, ``firstYear`` each scenario's bills
    by billing period; ``cashFlows`` begins with year 0. What does not exist is null; the internal
    rate of return is left out without the extra ``finance``.
    """
    scenarios = (savings.before, savings.solar, savings.after)
    found: dict[str, Any] = {
        "currency": savings.currency,
        "comparedWith": savings.compared_with,
        "capitalCost": savings.capital_cost,
        "discountRatePercent": savings.discount_rate_percent,
        "npv": savings.npv,
        "paybackYears": savings.payback_years,
        "discountedPaybackYears": savings.discounted_payback_years,
    }
    with suppress(MissingExtraError):
        found["irr"] = savings.irr
    return found | {
        "dispatchedYears": list(savings.dispatched_years),
        "cashFlows": savings.cash_flows.tolist(),
        "byYear": {to_camel(name): series.tolist() for name, series in savings.by_year().items()},
        "firstYear": {
            scenario.name: {
                "tariff": scenario.bill.tariff,
                "billingPeriods": [
                    {
                        "fromDateTime": period.start.isoformat(),
                        "toDateTime": period.end.isoformat(),
                        "amount": amount,
                    }
                    for period, amount in zip(
                        scenario.bill.billing_periods, scenario.bill.monthly, strict=True
                    )
                ],
            }
            for scenario in scenarios
        },
        "assumptions": list(savings.assumptions),
    }
