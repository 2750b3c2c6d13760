"""Energy charges as expressions: prices, bands, and what is netted over a billing period."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bess.tariff.energy import SEVERAL, kind_of
from bess.tariff.expression import Expression
from bess.tariff.layout import ANY_HOURS, Layout
from bess.tariff.model import Tariff
from bess.tariff.objective_demand import Peaks
from bess.tariff.objective_netting import BinSums, Entry, NetMetering
from bess.tariff.piecewise import Charge, banded, larger, smaller, split_by_sign
from bess.tariff.pricing import with_percentages
from bess.tariff.program import ChargeProgram
from bess.tariff.rates import Band, EnergyRate

__all__ = ["energy_charges"]

_NEGLIGIBLE: Final = 1e-12


def energy_charges(
    tariff: Tariff,
    layout: Layout,
    program: ChargeProgram,
    peaks: Peaks,
    exact: bool,
) -> list[Charge]:
    """The amounts of every energy rate, as `bess.tariff.energy.energy_lines` has them."""
    if not tariff.rates:
        return []
    return _Energy(tariff, layout, program, peaks, exact).charges()


class _Energy:
    def __init__(
        self,
        tariff: Tariff,
        layout: Layout,
        program: ChargeProgram,
        peaks: Peaks,
        exact: bool,
    ) -> None:
        self._tariff = tariff
        self._layout = layout
        self._program = program
        self._peaks = peaks
        self._exact = exact
        self._meter = BinSums(layout, program)
        self._entries = _entries(tariff, layout)

    def charges(self) -> list[Charge]:
        tariff, layout = self._tariff, self._layout
        lines: list[Charge] = []
        netting = None
        if tariff.metering == "net_metering":
            netting = NetMetering(tariff, layout, self._program, self._meter, self._entries)
            lines += netting.true_ups
        netted = self._netted() if netting is None else {}
        shared: dict[int, list[tuple[EnergyRate, Expression]]] = defaultdict(list)
        for rate, period, bins in self._entries:
            if rate.by_step:
                continue
            over_period = netting is None and _nets_by_itself(rate)
            if not rate.bypassable:
                quantity = self._meter.sum(bins)
            elif netting is not None:
                if not rate.on_import:
                    continue
                quantity = netting.billed(period, bins)
            elif over_period and not (rate.on_import and rate.on_export):
                above, below = netted[bins.tobytes()]
                quantity = above if rate.on_import else below * -1.0
            else:
                bought = 1.0 if over_period or rate.on_import else 0.0
                sold = 1.0 if over_period or rate.on_export else 0.0
                quantity = self._meter.sum(bins, bought, -sold)
            if rate.bands and rate.counts == "all":
                shared[period].append((rate, quantity))
                continue
            amount = quantity * rate.price
            if rate.bands:
                limits = self._limits(rate.bands, period)
                prices = [band.price for band in rate.bands]
                amount = banded(self._program, quantity, prices, limits, self._exact)
            lines.append(Charge(kind_of(rate), period, rate.charge_class, amount))
        for period, parts in shared.items():
            low, high = layout.period_bins[period]
            whole = self._meter.sum(np.arange(low, high))
            if netting is not None:
                whole = netting.whole(period)
            lines += self._in_shared_bands(period, parts, whole)
        return lines

    def _netted(self) -> dict[bytes, tuple[Expression, Expression]]:
        """By the bins of rates that net over a billing period, what is above and below 0."""
        gain: dict[bytes, float] = defaultdict(float)
        bins_of: dict[bytes, NDArray[np.intp]] = {}
        for rate, _, bins in self._entries:
            if not _nets_by_itself(rate) or rate.by_step or (rate.on_import and rate.on_export):
                continue
            key = bins.tobytes()
            price = min((band.price for band in rate.bands), default=rate.price)
            price *= with_percentages(self._tariff, rate.charge_class)
            gain[key] += price if rate.on_import else -price
            bins_of[key] = bins
        return {
            key: split_by_sign(
                self._program,
                self._meter.sum(bins, 1.0, -1.0),
                self._exact or gain[key] < -_NEGLIGIBLE,
            )
            for key, bins in bins_of.items()
        }

    def _limits(self, bands: Sequence[Band], period: int) -> list[Expression]:
        """Where each band but the last ends, as `bess.tariff.energy.band_limits` has it."""
        at = self._layout.periods[period]
        limits: list[Expression] = []
        for band in bands[:-1]:
            kwh, per_day, per_kw = band.limits
            given = [] if kwh is None else [Expression(kwh * at.share)]
            if per_day is not None:
                given.append(Expression(per_day * at.days))
            if per_kw is not None:
                window = self._layout.windows.index(ANY_HOURS)
                given.append(self._peaks.get((window, period), Expression()) * (per_kw * at.share))
            limit = given[0]
            for other in given[1:]:
                limit = smaller(self._program, limit, other)
            limits.append(larger(self._program, limits[-1], limit) if limits else limit)
        return limits

    def _in_shared_bands(
        self, period: int, parts: Sequence[tuple[EnergyRate, Expression]], whole: Expression
    ) -> list[Charge]:
        """Rates whose bands count the whole import, each having its part of every band.

        Where prices rise from band to band alike, and the rates make up the whole, the bands are
        those of the whole, on top of each rate's first price.
        """
        first = parts[0][0]
        total = Expression()
        for _, quantity in parts:
            total.add(quantity)
        rises = {_rises(rate) for rate, _ in parts}
        if len(rises) > 1 or not self._program.equal(total, whole):
            return [
                Charge("energy", period, rate.charge_class, self._part(period, rate, own, whole))
                for rate, own in parts
            ]
        lines = [
            Charge("energy", period, rate.charge_class, quantity * rate.bands[0].price)
            for rate, quantity in parts
        ]
        above = [band.price - first.bands[0].price for band in first.bands]
        limits = self._limits(first.bands, period)
        amount = banded(self._program, whole, above, limits, self._exact)
        return [*lines, Charge("energy", period, first.charge_class, amount)]

    def _part(
        self, period: int, rate: EnergyRate, quantity: Expression, whole: Expression
    ) -> Expression:
        """A rate's part of the whole's bands, as far as it is linear: never more than it costs.

        Up to a limit, at most the limit is in the bands before it, and no more than its share of
        the largest whole is left out of them: what the certificate says decides.
        """
        low, high = self._program.bounds(quantity)
        least, most = self._program.bounds(whole)
        amount, before = Expression(), Expression()
        parts = [self._program.column(min(low, 0.0), max(high, 0.0)) for _ in rate.bands]
        for part, band in zip(parts, rate.bands, strict=True):
            amount.add(part, band.price)
        for part, limit in zip(parts, self._limits(rate.bands, period), strict=False):
            before.add(part)
            smallest, largest = self._program.bounds(limit)
            share = smallest / most if most > smallest else 1.0
            self._program.row(before - quantity * share, 0.0)
            share = largest / least if least > largest else 1.0
            self._program.row(quantity * share - before, 0.0)
        for part in parts[len(rate.bands) - 1 :]:
            before.add(part)
        self._program.row(quantity - before, 0.0, 0.0)
        return amount


def _entries(tariff: Tariff, layout: Layout) -> list[Entry]:
    """The bins of each rate in each billing period, or in the three or twelve that it nets over."""
    ends = np.append(layout.rates.offset, len(layout.rates.bins))
    together: dict[tuple[int, int], list[NDArray[np.intp]]] = defaultdict(list)
    last: dict[tuple[int, int], int] = {}
    for e, (i, p) in enumerate(
        zip(layout.rates.index.tolist(), layout.rates.period.tolist(), strict=True)
    ):
        rate = tariff.rates[i]
        periods = SEVERAL.get(rate.settlement, 1) if rate.nets else 1
        if tariff.metering == "net_metering":
            periods = 1
        key = (i, p // periods)
        together[key].append(layout.rates.bins[ends[e] : ends[e + 1]])
        last[key] = p
    return [
        (tariff.rates[key[0]], last[key], np.concatenate(bins)) for key, bins in together.items()
    ]


def _nets_by_itself(rate: EnergyRate) -> bool:
    return rate.settlement != "interval" and rate.bypassable


def _rises(rate: EnergyRate) -> tuple[tuple[float, object], ...]:
    first = rate.bands[0].price
    return tuple((round(band.price - first, 12), band.limits) for band in rate.bands)
