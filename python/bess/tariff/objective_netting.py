"""Net metering as expressions: what each time of use is billed for, and the credits it carries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bess.tariff.energy import band_limits
from bess.tariff.expression import Expression
from bess.tariff.layout import Layout
from bess.tariff.model import Tariff
from bess.tariff.piecewise import Charge, split_by_sign
from bess.tariff.pricing import with_percentages
from bess.tariff.program import ChargeProgram
from bess.tariff.rates import EnergyRate

__all__ = ["BinSums", "Entry", "NetMetering"]

Entry = tuple[EnergyRate, int, NDArray[np.intp]]
"""A rate, a billing period, and its bins in it."""

_NEGLIGIBLE: Final = 1e-12


class BinSums:
    """Sums of the meter's energies over the bins of a layout."""

    def __init__(self, layout: Layout, program: ChargeProgram) -> None:
        self._program = program
        bin_of = np.repeat(layout.runs.bin, np.diff(layout.runs.start))
        order = np.argsort(bin_of, kind="stable")
        edges = np.searchsorted(bin_of[order], np.arange(1, layout.runs.bins))
        self._steps = np.split(order, edges)

    def sum(
        self, bins: NDArray[np.intp], imported: float = 1.0, exported: float = 0.0
    ) -> Expression:
        """The sum over the steps of some bins."""
        steps = np.sort(np.concatenate([self._steps[b] for b in bins.tolist()]))
        return self._program.step_sum(steps, imported, exported)


class NetMetering:
    """What each time of use is billed for in each billing period, and what it carries on.

    Imports less exports less what was carried are either billed or carried on. That is a rule, not
    a choice: a binary keeps it where carrying on would pay: a later price or the true-up is higher.
    """

    def __init__(
        self,
        tariff: Tariff,
        layout: Layout,
        program: ChargeProgram,
        meter: BinSums,
        entries: Sequence[Entry],
    ) -> None:
        self._layout = layout
        self._program = program
        self._meter = meter
        periods = len(layout.periods)
        low, high = self._prices(tariff, entries, periods)
        factor = with_percentages(tariff, ())
        self._billed: list[dict[int, Expression]] = [{} for _ in range(periods)]
        self.true_ups: list[Charge] = []
        """What surplus that is left earns."""
        carried: dict[int, Expression] = {}
        for p, (first, past) in enumerate(layout.period_bins):
            end = min(p - p % 12 + 11, periods - 1)
            keys = layout.bin_net[first:past]
            for key in np.unique(keys).tolist():
                bins = first + np.flatnonzero(keys == key)
                net = meter.sum(bins, 1.0, -1.0) - carried.get(key, Expression())
                later = max(high[p + 1 : end + 1, key], default=0.0)
                later = max(later, factor * tariff.true_up_price_per_kwh)
                chosen = later > low[p, key] + _NEGLIGIBLE
                self._billed[p][key], carried[key] = split_by_sign(program, net, chosen)
            if p == end:
                left = Expression()
                for credit in carried.values():
                    left.add(credit)
                amount = left * -tariff.true_up_price_per_kwh
                self.true_ups.append(Charge("true_up", p, (), amount))
                carried = {}

    def whole(self, period: int) -> Expression:
        """All kWh that are billed in a period."""
        total = Expression()
        for part in self._billed[period].values():
            total.add(part)
        return total

    def billed(self, period: int, bins: NDArray[np.intp]) -> Expression:
        """The kWh that are billed in some bins, each having its part of its time of use.

        Of a time of use with other bins too, its part is only held between what it can be.
        """
        first, past = self._layout.period_bins[period]
        keys = self._layout.bin_net[first:past]
        inside = np.isin(np.arange(first, past), bins)
        total = Expression()
        for key, billed in self._billed[period].items():
            own = first + np.flatnonzero((keys == key) & inside)
            others = first + np.flatnonzero((keys == key) & ~inside)
            if not len(others):
                total.add(billed)
            elif len(own):
                part = self._program.column(0.0, max(self._program.bounds(billed)[1], 0.0))
                self._program.row(billed - part, 0.0)
                self._program.row(self._meter.sum(own) - part, 0.0)
                self._program.row(part - billed + self._meter.sum(others), 0.0)
                total.add(part)
        return total

    def _prices(
        self, tariff: Tariff, entries: Sequence[Entry], periods: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The least and the most that a billed kWh can cost, by period and time of use."""
        shape = (periods, int(self._layout.bin_net.max()) + 1)
        low, high = np.zeros(shape), np.zeros(shape)
        for rate, period, bins in entries:
            if rate.on_import and rate.bypassable:
                keys = np.unique(self._layout.bin_net[bins])
                prices = [rate.price]
                if rate.bands:
                    prices = self._reached(rate, period, bins)
                factor = with_percentages(tariff, rate.charge_class)
                low[period, keys] += factor * min(prices)
                high[period, keys] += factor * max(prices)
        if any(charge.amount for charge in tariff.minimum_charges):
            low = np.minimum(low, 0.0)  # below a minimum bill a kWh costs nothing
        return low, high

    def _reached(self, rate: EnergyRate, period: int, bins: NDArray[np.intp]) -> list[float]:
        """The prices of the bands that imports of some bins, or of the whole period, can reach."""
        if rate.counts == "all":
            bins = np.arange(*self._layout.period_bins[period])
        _, most = self._program.bounds(self._meter.sum(bins))
        at = self._layout.periods[period]
        starts = [0.0, *band_limits(rate.bands, at.share, at.days, 0.0)]
        return [band.price for band, low in zip(rate.bands, starts, strict=False) if low <= most]
