"""What energy comes to for many batteries at once: see `bess.tariff.many_bills`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from bess._arrays import Floats
from bess.tariff.energy import band_limits, entry_terms
from bess.tariff.layout import ANY_HOURS, Layout
from bess.tariff.many_sums import Place, Places, Sums, rows_of, total
from bess.tariff.model import Tariff
from bess.tariff.quantities import Quantity, in_bands, larger, part_of, smaller
from bess.tariff.rates import EnergyRate
from bess.tariff.stepwise import EnergyPrices

__all__ = ["Energies", "ManyEnergies", "Netting"]

Row: TypeAlias = tuple[int, int]
"""A bin of the energy that is imported, is billed after net metering, or is exported."""

IMPORTED: Final = 0
BILLED: Final = 1
EXPORTED: Final = 2


class Energies(NamedTuple):
    """Energies by side and bin, each with a value for each battery."""

    rows: tuple[Sequence[Floats], Sequence[Floats], Sequence[Floats]]
    """kWh that are imported, are billed after net metering, and are exported."""
    left: Sequence[tuple[int, Quantity]] = ()
    """The billing period of each true-up, and the kWh that net metering leaves."""


class Settled(NamedTuple):
    """Energy that is more than priced: netted over a while, or in bands."""

    place: Place
    period: int
    rate: EnergyRate
    bought: list[Row]
    sold: list[Row]
    floored: bool
    """Whether what is below zero counts for nothing."""
    capped: bool
    """Whether what is above zero counts for nothing."""


class ManyEnergies:
    """The energy charges of a tariff on a layout, added up by place.

    ``prices``: by bin, what energy costs and earns beside the rates that have one price.
    """

    def __init__(
        self, tariff: Tariff, layout: Layout, places: Places, prices: Sequence[EnergyPrices]
    ) -> None:
        self._layout = layout
        self._true_up_price = tariff.true_up_price_per_kwh
        self._places = places
        terms = entry_terms(tariff, layout)
        nets = tariff.metering == "net_metering"
        price_of: dict[Place, dict[Row, float]] = defaultdict(lambda: defaultdict(float))
        settled: dict[int, Settled] = {}
        for e, (index, _, bins) in enumerate(rows_of(layout.rates)):
            rate = tariff.rates[index]
            into = e if terms.into is None else int(terms.into[e])
            period = terms.periods[into]
            place = places.of(terms.kinds[into], period, rate.charge_class)
            side = BILLED if nets and not terms.of_gross[e] else IMPORTED
            bought = [(side, b) for b in bins if terms.of_import[e]]
            sold = [(EXPORTED, b) for b in bins if terms.of_export[e]]
            if terms.floored[e] or terms.capped[e] or rate.bands:
                whether = bool(terms.floored[e]), bool(terms.capped[e])
                one = settled.setdefault(into, Settled(place, period, rate, [], [], *whether))
                one.bought.extend(bought)
                one.sold.extend(sold)
                continue
            for row in bought:
                price_of[place][row] += rate.price
            for row in sold:
                price_of[place][row] -= rate.price
        for own in prices:
            for p, (low, high) in enumerate(layout.period_bins):
                own_prices = price_of[places.of(own.kind, p, own.charge_class)]
                for b in range(low, high):
                    own_prices[IMPORTED, b] += float(own.buy[b])
                    own_prices[EXPORTED, b] -= float(own.sell[b])
        self._priced = [
            (place, price, rows)
            for place, own_prices in price_of.items()
            for price, rows in _by_price(own_prices)
        ]
        self._settled = tuple(settled.values())

    def add(
        self, sums: Sums, energies: Energies, highest: Sequence[Sequence[Quantity | None]]
    ) -> None:
        """Add what is billed; ``highest``: peak power by window and billing period."""
        rows = energies.rows
        for place, price, own_rows in self._priced:
            sums.add(place, price, total([rows[side][b] for side, b in own_rows]))
        for p, kwh in energies.left:
            sums.add(self._places.of("true_up", p, ()), -self._true_up_price, kwh)
        for own in self._settled:
            quantity = total([rows[side][b] for side, b in own.bought])
            quantity = quantity - total([rows[side][b] for side, b in own.sold])
            if own.floored:
                quantity = larger(quantity, 0.0)
            if own.capped:
                quantity = smaller(quantity, 0.0)
            if not own.rate.bands:
                sums.add(own.place, own.rate.price, quantity)
                continue
            for band, kwh in zip(
                own.rate.bands, self._in_bands(own, quantity, energies, highest), strict=True
            ):
                sums.add(own.place, band.price, kwh)

    def _in_bands(
        self,
        own: Settled,
        quantity: Quantity,
        energies: Energies,
        highest: Sequence[Sequence[Quantity | None]],
    ) -> Sequence[Quantity]:
        layout = self._layout
        period, kw, whole = layout.periods[own.period], None, None
        if ANY_HOURS in layout.windows:
            kw = highest[layout.windows.index(ANY_HOURS)][own.period]
        if own.rate.counts == "all":
            bins = range(*layout.period_bins[own.period])
            whole = total([energies.rows[BILLED][b] for b in bins])
        limits = band_limits(own.rate.bands, period.share, period.days, 0.0 if kw is None else kw)
        return in_bands(quantity, limits, whole)


class Netting:
    """As `bess.tariff.energy.net_by_time_of_use`, for many batteries."""

    def __init__(self, layout: Layout) -> None:
        self._bins: list[list[tuple[int, list[int]]]] = []
        for low, high in layout.period_bins:
            bins_of: dict[int, list[int]] = defaultdict(list)
            for b in range(low, high):
                bins_of[int(layout.bin_net[b])].append(b)
            self._bins.append(list(bins_of.items()))

    def net(self, imports: Sequence[Floats], exports: Sequence[Floats]) -> Energies:
        """What is billed of imports, and what is left at each true-up."""
        billed = list(imports)
        left: list[tuple[int, Quantity]] = []
        carried: dict[int, Floats] = {}
        for p, groups in enumerate(self._bins):
            for key, bins in groups:
                bought = total([imports[b] for b in bins])
                net = bought - total([exports[b] for b in bins])
                if key in carried:
                    net -= carried[key]
                paid = np.maximum(net, 0.0)
                carried[key] = paid - net
                if len(bins) == 1:
                    billed[bins[0]] = paid
                    continue
                part = part_of(paid, bought)
                for b in bins:
                    billed[b] = imports[b] * part
            if p % 12 == 11 or p == len(self._bins) - 1:
                left.append((p, total(list(carried.values()))))
                carried = {}
        return Energies((imports, billed, exports), left)


def _by_price(prices: dict[Row, float]) -> list[tuple[float, list[Row]]]:
    """The rows of each price, those that are free left out."""
    rows: dict[float, list[Row]] = defaultdict(list)
    for row, price in prices.items():
        if price:
            rows[price].append(row)
    return list(rows.items())
