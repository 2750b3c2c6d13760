"""The bills of many batteries at once, from what each meters by bin: energies, and peaks.

The charges are those of `bess.bill`, worked out for arrays with one value for each battery. What a
battery's bill comes to is the same bits wherever it stands in an array and however long that is:
all operations are element by element, and sums run over bins and lines in their order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from functools import reduce
from typing import TypeAlias

import numpy as np

from bess._arrays import Floats
from bess.errors import InputError
from bess.tariff.amounts import (
    Amounts,
    charges_on_charges,
    classes_asked_for,
    fixed_lines,
    percentages_of,
)
from bess.tariff.demand import PastPeaks, bands_of, billed_peaks, parts_of
from bess.tariff.layout import lay_out, window_of
from bess.tariff.lines import BillLine
from bess.tariff.many_energies import Energies, ManyEnergies, Netting
from bess.tariff.many_sums import Place, Places, Sums, rows_of
from bess.tariff.model import Tariff
from bess.tariff.quantities import Quantity, in_bands
from bess.tariff.stepwise import EnergyPrices, nets_steps, step_prices
from bess.timeline import Timeline

__all__ = ["ManyBills"]

Peaks: TypeAlias = list[Quantity | None]


class ManyBills:
    """Bills of many batteries on one tariff and horizon. Immutable, picklable, safe from threads.

    Parameters
    ----------
    tariff
        What they are billed on.
    timeline
        The steps of the horizon.
    dates
        The dates at which bills begin; by default months.
    past
        Peaks before the horizon, for ratchets.

    Raises
    ------
    InputError
        For what `bess.bill` refuses of the tariff on the horizon.

    >>> from datetime import UTC, datetime
    >>> from bess.tariff import EnergyRate, FixedCharge
    >>> tariff = Tariff("T", rates=(EnergyRate("energy", price=0.5),),
    ...                 fixed_charges=(FixedCharge("meter", 10.0),))
    >>> bills = ManyBills(tariff, Timeline(datetime(2025, 6, 1, tzinfo=UTC), 3600, 720))
    >>> kwh = np.array([[100.0, 200.0]])  # one bin, two batteries
    >>> bills.of(kwh, 0 * kwh, 0 * kwh)[0]
    array([ 60., 110.])
    """

    def __init__(
        self,
        tariff: Tariff,
        timeline: Timeline,
        dates: tuple[date, ...] | None = None,
        past: PastPeaks | None = None,
    ) -> None:
        self.layout = lay_out(tariff, timeline, dates)
        """Its ``runs`` are the bins by which energies and peaks are taken."""
        self._tariff = tariff
        self._timeline = timeline
        self._past = past or {}
        self._netting = Netting(self.layout) if tariff.metering == "net_metering" else None
        parts = [
            part
            for stage in range(3)
            for _, _, part in percentages_of(tariff, timeline, self.layout, stage)
        ]
        matters = bool(tariff.minimum_charges) or any(len(set(part)) > 1 for part in parts)
        self._places = Places(matters, classes_asked_for(tariff))
        self._by_bin: list[EnergyPrices] = []
        self._by_step: list[EnergyPrices] = []
        for prices in step_prices(tariff, timeline, self.layout):
            by_bin = prices.by_bin(self.layout.runs)
            if by_bin is not None:
                self._by_bin.append(by_bin)
            else:
                self._by_step.append(prices)
        self.step_prices = _together(self._by_step)
        """What energy costs and earns in each step beside what it does by bin; None: nothing."""
        self.refusal = self._refuse()
        """Why bills do not follow from energies and peaks by bin; None where they do."""
        self._windows = tuple(rows_of(self.layout.peaks)) if self.layout.peak_runs is None else ()
        self._compiled: dict[Places, tuple[ManyEnergies, Amounts]] = {}

    def of(
        self,
        imports: Floats,
        exports: Floats,
        peaks: Floats,
        at_step_prices: Floats | None = None,
    ) -> tuple[Floats, dict[str, Floats]]:
        """What the bills come to: in all, and what each kind of line that there can be does.

        Arrays of shape (batteries,), in the tariff's currency. Fastest for some thousand batteries
        at a time, whose rows stay in the processor's caches.

        Parameters
        ----------
        imports, exports
            kWh over each battery's meter by bin of ``layout.runs``, shape (bins, batteries).
        peaks
            The most kWh imported in a step, likewise.
        at_step_prices
            What energy comes to at `step_prices`, if there are any, shape (batteries,).

        Raises
        ------
        InputError
            Where there is a `refusal`, or step prices and nothing at them.
        """
        amounts = self._amounts(self._places, imports, exports, peaks, at_step_prices)
        batteries = imports.shape[1]
        kinds: dict[str, list[Quantity]] = defaultdict(list)
        for (kind, _, _), amount in amounts.items():
            kinds[kind].append(amount)
        by_kind = {kind: _sum(own, batteries) for kind, own in kinds.items()}
        return _sum(by_kind.values(), batteries), by_kind

    def by_period(self, imports: Floats, exports: Floats, peaks: Floats) -> Floats:
        """What the bills come to in each billing period, shape (periods, batteries); see `of`."""
        places = self._places._replace(periods=True)
        if self._by_step:
            reason = f"cannot be billed by period: {self._by_step[0].name} has prices by step"
            raise InputError.at(f"tariff {self._tariff.name}", reason)
        amounts = self._amounts(places, imports, exports, peaks, None)
        periods: list[list[Quantity]] = [[] for _ in self.layout.periods]
        for (_, p, _), amount in amounts.items():
            periods[p].append(amount)
        return np.array([_sum(own, imports.shape[1]) for own in periods])

    def _amounts(
        self,
        places: Places,
        imports: Floats,
        exports: Floats,
        peaks: Floats,
        at_step_prices: Floats | None,
    ) -> Amounts:
        """Everything that is billed, by place."""
        tariff, timeline, layout = self._tariff, self._timeline, self.layout
        if self.refusal is not None:
            reason = f"cannot be billed from energies and peaks by bin: {self.refusal}"
            raise InputError.at(f"tariff {tariff.name}", reason)
        if (at_step_prices is None) == bool(self._by_step):
            reason = "must be given just where the tariff has prices by step"
            raise InputError.at("at_step_prices", reason)
        bought, sold = list(imports), list(exports)
        energies = Energies((bought, bought, sold))
        if self._netting is not None:
            energies = self._netting.net(bought, sold)
        highest = self._period_peaks(peaks)
        if places not in self._compiled:
            fixed = _fixed(fixed_lines(tariff, timeline, layout), places)
            self._compiled[places] = ManyEnergies(tariff, layout, places, self._by_bin), fixed
        charges, fixed = self._compiled[places]
        sums = Sums()
        charges.add(sums, energies, highest)
        parts = parts_of(tariff, timeline, layout)
        for rate, part in zip(tariff.demand_rates, parts, strict=True):
            own = highest[layout.windows.index(window_of(rate))]
            prices, limits = bands_of(rate)
            for p, kw, share in billed_peaks(rate, part, own, layout, self._past):
                place = places.of("demand", p, rate.charge_class)
                for price, quantity in zip(prices, in_bands(kw, limits), strict=True):
                    sums.add(place, price * share, quantity)
        amounts = dict(fixed)
        if at_step_prices is not None:
            amounts[self._step_place(self._by_step[0])] = at_step_prices
        sums.price(amounts)
        charges_on_charges(tariff, timeline, layout, amounts)
        return amounts

    def _refuse(self) -> str | None:
        tariff, layout = self._tariff, self.layout
        for rate in tariff.rates:
            nets = rate.by_step and rate.prices is None and self._netting is not None
            if nets or nets_steps(rate, self._timeline):
                return f"{rate.name} nets imports and exports by the {rate.settlement}"
        if self._by_step and self._places.periods:
            return f"{self._by_step[0].name} has prices by step, and charges depend on months"
        if len({self._step_place(prices) for prices in self._by_step}) > 1:
            return f"{self._by_step[0].name} has prices by step, and so have lines of another kind"
        for demand in tariff.demand_rates:
            if demand.period == "day":
                return f"{demand.name} is for the peak of each day"
        if layout.peak_runs is not None:
            minutes = tariff.demand_interval_minutes
            return f"its demand is mean power over {minutes} minutes, which are several steps"
        return None

    def _step_place(self, prices: EnergyPrices) -> Place:
        return self._places.of(prices.kind, 0, prices.charge_class)

    def _period_peaks(self, peaks: Floats) -> list[Peaks]:
        """Peak power in kW by window and billing period, None where a window has no hours."""
        layout, timeline = self.layout, self._timeline
        found: list[Peaks] = [[None] * len(layout.periods) for _ in layout.windows]
        for window, p, bins in self._windows:
            highest = peaks[bins[0]]
            for b in bins[1:]:
                highest = np.maximum(highest, peaks[b])
            if timeline.step_seconds != 3600:
                highest = highest * (3600 / timeline.step_seconds)
            found[window][p] = highest
        return found


def _together(prices: Sequence[EnergyPrices]) -> tuple[Floats, Floats] | None:
    if not prices:
        return None
    return reduce(np.add, [own.buy for own in prices]), reduce(np.add, [own.sell for own in prices])


def _fixed(lines: Iterable[BillLine], places: Places) -> Amounts:
    amounts: Amounts = {}
    for line in lines:
        place = places.of(line.kind, line.billing_period, line.charge_class)
        amounts[place] = amounts.get(place, 0.0) + line.amount
    return amounts


def _sum(amounts: Collection[Quantity], batteries: int) -> Floats:
    """The sum of some amounts for each battery, those that are alike for all of them first."""
    arrays = [amount for amount in amounts if isinstance(amount, np.ndarray)]
    found = np.full(batteries, sum((a for a in amounts if not isinstance(a, np.ndarray)), 0.0))
    for amount in arrays:
        found += amount
    return found
