"""A bill of which part is metered already: what is left of it to decide, as a linear program.

The program of the whole horizon is stated once. Steps whose energies are known then turn into
constants of its rows, and demand intervals that are over into the least that their peaks can be:
so every plan's program is the bill of the whole horizon, as a function of its own steps alone.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace

import numpy as np

from bess import _core
from bess._arrays import Floats
from bess.site import Site
from bess.tariff.bill import Bill, bill_energy
from bess.tariff.demand import PastPeaks
from bess.tariff.layout import lay_out
from bess.tariff.meter_bounds import MeterBounds
from bess.tariff.model import Tariff
from bess.tariff.objective import charges_of
from bess.tariff.pricing import prices_of
from bess.tariff.program import Charges
from bess.timeline import Timeline

__all__ = ["OpenBill", "typical_prices"]


class OpenBill:
    """The bill of a site's horizon, metered up to some step.

    Parameters
    ----------
    bounds
        What can cross the meter, whatever is metered or expected.
    past
        Peaks of the months before the horizon, for ratchets.
    """

    def __init__(
        self, site: Site, tariff: Tariff, bounds: MeterBounds, past: PastPeaks | None = None
    ) -> None:
        self._site = site
        self._tariff = tariff
        self._past = past
        self._whole = charges_of(tariff, site.timeline, bounds, past)
        coupling, step = self._whole.coupling, self._whole.entries[0]
        self._begin = np.searchsorted(step, np.arange(site.steps + 1))
        self._first = self._whole.first_demand_row
        self._known = np.zeros(self._whole.rows)
        self._floor = np.array(coupling.column_lower)
        column = np.repeat(np.arange(len(self._floor)), np.diff(coupling.start))
        of_demand = coupling.index >= self._first
        self._peak_of = np.zeros(self._whole.rows, np.intp)
        self._peak_of[coupling.index[of_demand]] = column[of_demand]
        self._own = tuple(part[~of_demand] for part in (column, coupling.index, coupling.value))
        self.imports, self.exports = np.zeros(site.steps), np.zeros(site.steps)
        """kWh metered in each step; 0 from the first open one on."""

    @property
    def ordered(self) -> bool:
        """See `Charges.ordered`."""
        return self._whole.ordered

    @property
    def couples_energy(self) -> bool:
        """Whether what steps cost depends on energy in others, not on demand alone."""
        return bool((self._whole.entries[1] < self._first).any())

    def meter(self, first: int, imports: Floats, exports: Floats) -> None:
        """Take what crossed the meter from step ``first`` on, all steps before being metered."""
        last = first + len(imports)
        self.imports[first:last], self.exports[first:last] = imports, exports
        self._known += self._sums(first, last, imports, exports)
        rows = self._whole.entries[1][self._begin[first] : self._begin[last]]
        rows = rows[rows >= self._first]
        np.maximum.at(self._floor, self._peak_of[rows], self._known[rows])

    def charges(self, first: int, last: int, imports: Floats, exports: Floats) -> Charges:
        """The whole bill as a function of what crosses the meter in the steps from first to last.

        ``imports`` and ``exports`` are expected in the steps after them; they make no demand, as a
        plan for those steps can still prevent it.
        """
        whole, coupling = self._whole, self._whole.coupling
        low, high = self._begin[first], self._begin[last]
        step, row, imported, exported = whole.entries
        step, row = step[low:high] - first, row[low:high].copy()
        imported, exported = imported[low:high], exported[low:high]
        of_demand = row >= self._first
        demand, row[of_demand] = np.unique(row[of_demand], return_inverse=True)
        row[of_demand] += self._first
        known = np.array(self._known)
        known[: self._first] += self._sums(last, self._site.steps, imports, exports)[: self._first]
        kept = np.concatenate([np.arange(self._first), demand])
        column = np.concatenate([self._own[0], self._peak_of[demand]])
        index = np.concatenate([self._own[1], self._first + np.arange(len(demand))])
        value = np.concatenate([self._own[2], np.full(len(demand), -1.0)])
        order = np.argsort(column, kind="stable")
        starts = np.searchsorted(column[order], np.arange(len(self._floor) + 1))
        own = _core.Coupling(
            step_start=(self._begin[first : last + 1] - low).astype(np.int32),
            step_row=row.astype(np.int32),
            import_factor=imported,
            export_factor=exported,
            column_cost=coupling.column_cost,
            column_lower=self._floor,
            column_upper=np.maximum(coupling.column_upper, self._floor),
            integrality=coupling.integrality,
            start=starts.astype(np.int32),
            index=index[order].astype(np.int32),
            value=value[order],
            row_lower=coupling.row_lower[kept] - known[kept],
            row_upper=coupling.row_upper[kept] - known[kept],
            offset=coupling.offset + self._priced(first, last, imports, exports),
        )
        return Charges(
            whole.import_price[first:last],
            whole.export_price[first:last],
            own,
            (step, row, imported, exported),
            len(kept),
            self._first,
            whole.ordered,
        )

    def with_energies(
        self, first: int, imports: Floats, exports: Floats, demand_steps: int
    ) -> Bill:
        """The whole bill with all that crosses the meter from ``first`` on; see `bill_energy`."""
        bought, sold = self.imports.copy(), self.exports.copy()
        bought[first:], sold[first:] = imports, exports
        return bill_energy(
            self._site, self._tariff, bought, sold, past=self._past, demand_steps=demand_steps
        )

    def period_end(self, step: int) -> int:
        """One past the last step of a step's billing period."""
        ends = [period.end_step for period in lay_out(self._tariff, self._site.timeline).periods]
        return ends[bisect_right(ends, step)]

    def _sums(self, first: int, last: int, imports: Floats, exports: Floats) -> Floats:
        """What energies in some steps add to each row."""
        low, high = self._begin[first], self._begin[last]
        step, row, imported, exported = (entry[low:high] for entry in self._whole.entries)
        amounts = imported * imports[step - first] + exported * exports[step - first]
        return np.bincount(row, amounts, self._whole.rows).astype(np.float64)

    def _priced(self, first: int, last: int, imports: Floats, exports: Floats) -> float:
        """What all steps but those from first to last come to at prices by step."""
        bought, sold = self._whole.import_price, self._whole.export_price
        before = np.dot(bought[:first], self.imports[:first])
        before -= np.dot(sold[:first], self.exports[:first])
        after = np.dot(bought[last:], imports) - np.dot(sold[last:], exports)
        return float(before + after)


def typical_prices(tariff: Tariff, timeline: Timeline) -> tuple[Floats, Floats]:
    """Prices by step of any tariff: bands count at their mean, netted exports as they offset."""
    rates = tuple(
        replace(rate, price=float(np.mean([band.price for band in rate.bands])), bands=())
        if rate.bands
        else rate
        for rate in tariff.rates
    )
    prices = prices_of(replace(tariff, rates=rates), timeline, percentages=True)
    bought, sold = prices.series(timeline.steps)
    return bought, bought if tariff.metering == "net_metering" else sold
