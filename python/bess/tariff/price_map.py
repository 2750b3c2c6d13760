"""The price of an import by kind of day, month and hour: what a heat map of a tariff shows."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np

from bess._arrays import Floats
from bess.tariff.model import Tariff
from bess.tariff.pricing import prices_of
from bess.timeline import LocalClock, Timeline

__all__ = ["by_month_and_hour", "price_map"]


def price_map(tariff: Tariff, timeline: Timeline) -> Floats:
    """The median price of an imported kWh, of first bands, before percentages and netting.

    Shape (2, 12, 24): Monday to Friday and weekends, January to December, hours of the tariff's
    clock; NaN where the horizon has none. The median is what most weeks pay, holidays apart.

    Raises
    ------
    InputError
        Where an instant has no price.
    """
    first_bands = tuple(
        replace(rate, bands=(), price=rate.bands[0].price if rate.bands else rate.price)
        for rate in tariff.rates
    )
    plain = replace(tariff, rates=first_bands, metering="net_billing", percentages=())
    prices = prices_of(plain, timeline).series(timeline.steps)[0]
    return by_month_and_hour(prices, timeline.clock(tariff.time_zone))


def by_month_and_hour(prices: Floats, clock: LocalClock) -> Floats:
    """The median of some prices, one a step, by kind of day, month and hour; as `price_map`."""
    cell = ((clock.weekday >= 5) * 12 + clock.month - 1) * 24 + clock.second_of_day // 3600
    order = np.argsort(cell, kind="stable")
    edges = np.searchsorted(cell[order], np.arange(2 * 12 * 24 + 1))
    found = np.full(2 * 12 * 24, np.nan)
    for i, (low, high) in enumerate(pairwise(edges)):
        if high > low:
            found[i] = np.median(prices[order[low:high]])
    return found.reshape(2, 12, 24)
