"""From billing determinants of many batteries to what a sweep tells of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bess._arrays import Floats
from bess.site import Site
from bess.sweeping.metrics import Found
from bess.sweeping.parameters import field
from bess.tariff.layout import Runs
from bess.tariff.many_bills import ManyBills
from bess.tariff.periods import billing_periods

__all__ = ["AtOnce", "Totals", "column", "stacked"]


@dataclass(frozen=True, eq=False)
class Totals:
    """Sums over the horizon for each battery, kWh AC unless said otherwise."""

    discharged: Floats
    from_grid: Floats
    sent: Floats
    curtailed: Floats
    stored_change: Floats
    """kWh DC."""
    paid: Floats | None
    """At prices by step; None without prices."""


class AtOnce:
    """Many batteries at one site, straight to the determinants of their bills.

    ``bills`` are on a tariff; without, what is paid at prices by step and ``fixed`` is the bill.
    Where bills have prices by step, what is paid is at those.
    """

    is_slow: ClassVar[bool] = False
    """Whether a chunk is worth a task of its own, or a file."""

    def __init__(self, site: Site, bills: ManyBills | None, fixed: float) -> None:
        self.site = site
        self._bills = bills
        self._fixed = fixed

    @property
    def chunk(self) -> int:
        """How many batteries are best worked at once."""
        raise NotImplementedError

    def knows(self, fields: Mapping[str, Any], count: int) -> NDArray[np.bool_]:
        """Which batteries can be worked so."""
        raise NotImplementedError

    def find(self, fields: Mapping[str, Any], count: int, stopped: Callable[[], bool]) -> Found:
        """What each of ``count`` batteries does; NaN where it cannot be told so.

        Raises
        ------
        concurrent.futures.CancelledError
            Between two batteries that take long, when ``stopped`` says so.
        """
        raise NotImplementedError

    @cached_property
    def bins(self) -> tuple[Runs, tuple[tuple[int, int], ...]]:
        """Runs of steps of one bin, and the bins of each billing period."""
        if self._bills is not None:
            return self._bills.layout.runs, self._bills.layout.period_bins
        periods = billing_periods(self.site.timeline, None)
        starts = [period.first_step for period in periods]
        runs = Runs(
            np.array([*starts, self.site.steps], np.int32),
            np.arange(len(periods), dtype=np.int32),
            len(periods),
        )
        return runs, tuple((p, p + 1) for p in range(len(periods)))

    def found(self, fields: Mapping[str, Any], by_bin: Floats, totals: Totals) -> Found:
        """Sums and bills of determinants: import, export (kWh) and peak (kWh a step) by bin.

        Sums go bin by bin, so that what one battery comes to does not depend on how many there are.
        """
        imported, exported, peak = by_bin
        count = len(totals.discharged)
        hours = self.site.step_hours
        charge, discharge = (
            column(fields, f"{way}_power_kw", count) for way in ("charge", "discharge")
        )
        found = Found(
            import_kwh=reduce(np.add, imported),
            export_kwh=reduce(np.add, exported),
            peak_kw=reduce(np.maximum, peak) / hours,
            discharged_kwh=totals.discharged,
            sent_kwh=totals.sent,
            from_grid_kwh=totals.from_grid,
            curtailed_kwh=totals.curtailed,
            stored_change_kwh_dc=totals.stored_change,
            bill=np.full(count, np.nan) if totals.paid is None else totals.paid + self._fixed,
            capacity_kwh=column(fields, "capacity_kwh", count),
            power_kw=np.maximum(charge, discharge),
            dc_to_ac_efficiency=column(fields, "dc_to_ac_efficiency", count),
            degradation_cost_per_kwh=column(fields, "degradation_cost_per_kwh", count),
            monthly_peaks_kw=np.array(
                [reduce(np.maximum, peak[low:high]) / hours for low, high in self.bins[1]]
            ),
            violations=np.zeros(count),
        )
        if self._bills is not None:
            paid = None if self._bills.step_prices is None else totals.paid
            found.bill, found.bill_by_kind = self._bills.of(imported, exported, peak, paid)
        return found


def column(fields: Mapping[str, Any], name: str, count: int) -> NDArray[Any]:
    """A field of `Battery` as a column."""
    return np.broadcast_to(np.asarray(field(fields, name)), (count,))


def stacked(rows: Sequence[Any], count: int) -> Floats:
    """Rows of ``count`` numbers, some of which are one for all, as the core takes them."""
    batteries = np.empty((len(rows), count))
    for i, row in enumerate(rows):
        batteries[i] = row
    return batteries
