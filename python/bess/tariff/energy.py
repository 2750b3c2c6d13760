"""Billed energy: what each rate comes to in each billing period, with bands and netting."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, reduce
from math import inf
from typing import Final, overload

import numpy as np
from numpy.typing import NDArray

from bess._arrays import Floats
from bess.tariff.layout import ANY_HOURS, Layout
from bess.tariff.lines import BillLine, Kind
from bess.tariff.model import Tariff
from bess.tariff.quantities import Quantity, in_bands, larger, smaller
from bess.tariff.rates import Band, EnergyRate

__all__ = [
    "SEVERAL",
    "EntryTerms",
    "band_limits",
    "energy_lines",
    "entry_terms",
    "kind_of",
    "net_by_time_of_use",
]


SEVERAL: Final = {"quarter": 3, "year": 12}
"""How many billing periods are netted together."""
_WHOLE_PERIODS: Final = ("billing_period", *SEVERAL)


def net_by_time_of_use(
    layout: Layout, imports: Floats, exports: Floats
) -> tuple[NDArray[np.float64], list[tuple[int, float]]]:
    """Imports by bin after net metering, and the surplus kWh left at each true-up.

    In each billing period each time of use pays for imports less exports less what was carried to
    it; what is below zero is carried on, until the true-up after every twelve periods and at the
    end. What a time of use pays for is shared out over its bins in proportion to their imports.
    """
    billed = np.array(imports)
    keys = int(layout.bin_net.max()) + 1
    carried = np.zeros(keys)
    left = []
    last = len(layout.period_bins) - 1
    for p, (low, high) in enumerate(layout.period_bins):
        key = layout.bin_net[low:high]
        bought = np.bincount(key, imports[low:high], keys)
        net = bought - np.bincount(key, exports[low:high], keys) - carried
        carried = np.maximum(-net, 0.0)
        part = np.divide(np.maximum(net, 0.0), bought, out=np.zeros(keys), where=bought > 0)
        billed[low:high] *= part[key]
        if p % 12 == 11 or p == last:
            left.append((p, float(carried.sum())))
            carried = np.zeros(keys)
    return billed, left


def energy_lines(
    tariff: Tariff,
    layout: Layout,
    imports: Floats,
    exports: Floats,
    peaks: NDArray[np.float64],
) -> list[BillLine]:
    """The lines of every energy rate, from energy by bin and peaks by window and period."""
    if not tariff.rates:
        return []
    lines: list[BillLine] = []
    billed = imports
    if tariff.metering == "net_metering":
        billed, left = net_by_time_of_use(layout, imports, exports)
        price = tariff.true_up_price_per_kwh
        lines += [
            BillLine("Surplus at true-up", "true_up", p, None, None, kwh, "kWh", -price * kwh)
            for p, kwh in left
            if kwh > 0
        ]
    terms = entry_terms(tariff, layout)
    entries = layout.rates
    bought, sold = entries.total(billed), entries.total(exports)
    gross = entries.total(imports) if billed is not imports else bought
    quantity = np.where(terms.of_gross, gross, bought) * terms.of_import - sold * terms.of_export
    if terms.into is not None:
        quantity = np.bincount(terms.into, quantity, len(quantity))
    quantity = np.where(terms.floored, np.maximum(quantity, 0.0), quantity)
    quantity = np.where(terms.capped, np.minimum(quantity, 0.0), quantity)
    amounts = (quantity * terms.price + 0.0).tolist()
    quantities = (quantity * terms.sign + 0.0).tolist()
    bands: list[int | None] = [None] * len(quantities)
    for e in terms.banded:
        rate = tariff.rates[entries.index[e]]
        period = int(entries.period[e])
        low, high = layout.period_bins[period]
        whole = float(billed[low:high].sum()) if rate.counts == "all" else None
        days = layout.periods[period].days
        kw = 0.0
        if ANY_HOURS in layout.windows:
            kw = float(peaks[layout.windows.index(ANY_HOURS), period])
        limits = band_limits(rate.bands, layout.periods[period].share, days, kw)
        lines += _band_lines(rate, period, quantities[e], whole, limits)
    for e, line in enumerate(
        zip(
            terms.names,
            terms.kinds,
            terms.periods,
            terms.times,
            bands,
            quantities,
            terms.units,
            amounts,
            terms.classes,
            strict=True,
        )
    ):
        if e not in terms.elsewhere:
            lines.append(BillLine._make(line))
    return lines


@overload
def band_limits(
    bands: tuple[Band, ...], share: float, days: float, peak_kw: float
) -> Sequence[float]: ...
@overload
def band_limits(
    bands: tuple[Band, ...], share: float, days: float, peak_kw: Quantity
) -> Sequence[Quantity]: ...
def band_limits(
    bands: tuple[Band, ...], share: float, days: float, peak_kw: Quantity
) -> Sequence[Quantity]:
    """Where each band ends in a billing period, in kWh; the last is infinite.

    >>> band_limits((Band(1, limit_kwh=300, limit_kwh_per_kw=200), Band(2)), 1.0, 30, 1.25)
    [250.0, inf]
    """
    limits: list[Quantity] = []
    low: Quantity = 0.0
    for band in bands:
        kwh, per_day, per_kw = band.limits
        given: list[Quantity] = [inf if kwh is None else kwh * share]
        if per_day is not None:
            given.append(per_day * days)
        if per_kw is not None:
            given.append(per_kw * peak_kw * share)
        low = larger(low, reduce(smaller, given))
        limits.append(low)
    return limits


def _band_lines(
    rate: EnergyRate, period: int, quantity: float, whole: float | None, limits: Sequence[float]
) -> list[BillLine]:
    """A line for each band with energy."""
    return [
        BillLine(
            rate.name,
            "energy",
            period,
            rate.time_of_use,
            b + 1,
            kwh,
            "kWh",
            kwh * band.price,
            rate.charge_class,
        )
        for b, (band, kwh) in enumerate(
            zip(rate.bands, in_bands(quantity, limits, whole), strict=True)
        )
        if kwh or not b
    ]


class EntryTerms:
    """What of energy charges does not depend on a site, by entry of ``layout.rates``."""

    def __init__(self, tariff: Tariff, layout: Layout) -> None:
        rates = [tariff.rates[i] for i in layout.rates.index]
        nets = tariff.metering == "net_metering"
        over_period = np.array([r.settlement in _WHOLE_PERIODS for r in rates], np.bool_)
        imports = np.array([r.on_import for r in rates], np.bool_)
        exports = np.array([r.on_export for r in rates], np.bool_)
        self.of_gross = np.array([not r.bypassable for r in rates], np.bool_)
        over_period &= not nets
        # What an export rate pays for counts as negative kWh, so that its amount is owed.
        self.sign = np.where(exports & ~imports, -1.0, 1.0)
        self.of_import = (imports | over_period) * 1.0
        self.of_export = (exports | over_period) * (0.0 if nets else 1.0)
        self.of_import[self.of_gross] = 1.0
        self.of_export[self.of_gross] = 0.0
        self.floored = over_period & imports & ~exports & ~self.of_gross
        self.capped = over_period & exports & ~imports
        self.price = np.array([r.price for r in rates])
        self.names = [r.name for r in rates]
        self.kinds = [kind_of(r) for r in rates]
        self.periods = layout.rates.period.tolist()
        self.times = [r.time_of_use for r in rates]
        self.units = ["kWh"] * len(rates)
        self.classes = [r.charge_class for r in rates]
        self.banded = frozenset(e for e, r in enumerate(rates) if r.bands)
        self.elsewhere = self.banded | {e for e, r in enumerate(rates) if r.by_step}
        self.into = None if nets else _gathered(rates, self.periods)


def _gathered(rates: list[EnergyRate], periods: list[int]) -> NDArray[np.intp] | None:
    """The entry in which each is settled: the rate's last of three or twelve periods, or itself."""
    if not any(rate.settlement in SEVERAL and rate.nets for rate in rates):
        return None
    into = np.arange(len(rates))
    last: dict[tuple[int, int], int] = {}
    for e in reversed(range(len(rates))):
        if rates[e].settlement in SEVERAL and rates[e].nets:
            key = id(rates[e]), periods[e] // SEVERAL[rates[e].settlement]
            into[e] = last.setdefault(key, e)
    return into


@lru_cache(maxsize=32)
def entry_terms(tariff: Tariff, layout: Layout) -> EntryTerms:
    """The terms of a tariff on a layout, kept for the next bill."""
    return EntryTerms(tariff, layout)


def kind_of(rate: EnergyRate) -> Kind:
    """The kind of line that a rate makes."""
    if not rate.on_import:
        return "export"
    return "credit" if rate.price < 0 else "energy"
