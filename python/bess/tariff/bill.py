"""Bills: what a site or a dispatch comes to on a tariff, line by line, and from what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bess import _core
from bess._arrays import Floats, freeze
from bess.errors import InputError, needs_extra
from bess.result import Result
from bess.site import Site
from bess.tariff.amounts import fixed_lines, lines_on_lines
from bess.tariff.demand import PastPeaks, demand_lines, past_peaks, period_peaks
from bess.tariff.energy import energy_lines
from bess.tariff.layout import Layout, lay_out
from bess.tariff.lines import BillLine
from bess.tariff.model import Tariff
from bess.tariff.periods import BillingPeriod, billing_dates
from bess.tariff.stepwise import series_lines, step_lines
from bess.timeline import Timeline

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Bill",
    "BillLine",
    "EnergyDeterminant",
    "PeakDeterminant",
    "bill",
    "bill_energy",
    "meter_without_storage",
]


class EnergyDeterminant(NamedTuple):
    """Energy over the meter in one billing period, where certain rates hold."""

    billing_period: int
    rates: tuple[str, ...]
    import_kwh: float
    export_kwh: float


class PeakDeterminant(NamedTuple):
    """Peak import power in one billing period, over the hours of certain demand rates."""

    billing_period: int
    rates: tuple[str, ...]
    kw: float


@dataclass(frozen=True, eq=False)
class Bill:
    """What a tariff charges over a horizon, line by line. Immutable; pickles.

    >>> from bess import Site, bill, load_tariff
    >>> site = Site(load_kwh=[1.0] * 24, start="2025-06-01T00:00Z")
    >>> day = bill(site, load_tariff({"importPrice": 0.3, "exportPrice": 0.1}))
    >>> round(day.total, 2), day.lines[0].kind, day.lines[0].quantity
    (7.2, 'energy', 24.0)
    """

    tariff: str
    """The tariff's name."""
    currency: str | None
    billing_periods: tuple[BillingPeriod, ...]
    lines: tuple[BillLine, ...]
    """In order of billing periods."""
    assumptions: tuple[str, ...]
    ignored: tuple[str, ...]
    """What the tariff holds that is not billed."""
    energy_by_bin: Floats = field(repr=False)
    """kWh imported, kWh exported and the most imported in a step, by bin; shape (3, bins)."""
    peaks_kw: Floats = field(repr=False)
    """Peak power by demand window and billing period; NaN where a window has no hours."""
    labels: tuple[tuple[tuple[int, tuple[str, ...]], ...], tuple[tuple[str, ...], ...]] = field(
        repr=False
    )
    """The billing period and the rates of each bin, and the rates of each window."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(freeze(state))

    @cached_property
    def monthly(self) -> tuple[float, ...]:
        """The total of each billing period."""
        totals = [0.0] * len(self.billing_periods)
        for line in self.lines:
            totals[line.billing_period] += line.amount
        return tuple(totals)

    @property
    def total(self) -> float:
        """All lines together."""
        return sum(self.monthly)

    def by_kind(self) -> dict[str, tuple[float, ...]]:
        """The amounts of each kind of line, by billing period."""
        found: dict[str, list[float]] = defaultdict(lambda: [0.0] * len(self.billing_periods))
        for line in self.lines:
            found[line.kind][line.billing_period] += line.amount
        return {kind: tuple(amounts) for kind, amounts in found.items()}

    @cached_property
    def determinants(self) -> tuple[EnergyDeterminant | PeakDeterminant, ...]:
        """The energies and peaks that the lines were worked out from."""
        bins, windows = self.labels
        energy = [
            EnergyDeterminant(period, rates, float(bought), float(sold))
            for (period, rates), bought, sold in zip(
                bins, self.energy_by_bin[0], self.energy_by_bin[1], strict=True
            )
        ]
        peaks = [
            PeakDeterminant(p, rates, float(kw))
            for rates, row in zip(windows, self.peaks_kw, strict=True)
            for p, kw in enumerate(row)
            if kw == kw
        ]
        return (*energy, *peaks)

    def to_pandas(self) -> pd.DataFrame:
        """One row for each line, with the billing period's first day.

        Raises
        ------
        MissingExtraError
            Without the extra ``pandas``.
        """
        with needs_extra("to_pandas()", "pandas"):
            import pandas
        frame = pandas.DataFrame(list(self.lines), columns=list(BillLine._fields))
        starts = [str(p.start.date()) for p in self.billing_periods]
        frame.insert(3, "from", [starts[line.billing_period] for line in self.lines])
        return frame

    def __rich_console__(self, console: Any, options: Any) -> Iterator[Any]:
        from bess.tariff.sheet import bill_tables

        yield from bill_tables(self)


def bill(
    site: Site | Result,
    tariff: Tariff,
    *,
    billing_periods: Sequence[date | str] | None = None,
    past_peaks_kw: Sequence[float] | Mapping[str, Sequence[float]] | None = None,
) -> Bill:
    """The bill of a site without storage, or of a dispatch.

    Parameters
    ----------
    site
        A `Site`: its load less its solar, exported where the site may; or a `Result`.
    tariff
        What it is billed on.
    billing_periods
        The dates at which bills begin; by default months (see `bess.tariff.periods`).
    past_peaks_kw
        Monthly peaks before the horizon, the last month last, for ratchets; by the names of rates
        where they differ. They replace what a whole-year horizon takes from its own end.

    Raises
    ------
    InputError
        Naming what is not valid: an instant without a price, a series that does not fit.
    InfeasibleError
        For a site whose load is above its import limit.
    """
    if not isinstance(tariff, Tariff):
        raise InputError.at("tariff", "must be a bess.Tariff (see load_tariff)", tariff)
    dates = billing_dates(billing_periods)
    past = past_peaks(past_peaks_kw, tariff)
    if isinstance(site, Result):
        imports, exports = site.import_kwh_ac, site.export_kwh_ac
        if tariff.metering == "buy_all_sell_all":
            imports = imports + site.solar_to_site_kwh_ac
            exports = exports + site.solar_to_site_kwh_ac
        site = site.site
    elif isinstance(site, Site):
        imports, exports = _without_storage(site, tariff)
    else:
        raise InputError.at("site", "must be a bess.Site or a bess.Result", site)
    return bill_energy(site, tariff, imports, exports, dates=dates, past=past)


def bill_energy(
    site: Site,
    tariff: Tariff,
    imports: Floats,
    exports: Floats,
    *,
    dates: tuple[date, ...] | None = None,
    past: PastPeaks | None = None,
    demand_steps: int | None = None,
) -> Bill:
    """The bill of what crosses a site's meter: kWh imported and exported in each step.

    Of the first ``demand_steps`` steps alone, where given, is there any demand.
    """
    timeline = site.timeline
    layout = lay_out(tariff, timeline, dates)
    runs = layout.runs
    by_bin = _core.settle(imports, exports, runs.start, runs.bin, runs.bins)
    demanded = imports
    if demand_steps is not None:
        demanded = np.where(np.arange(site.steps) < demand_steps, imports, 0.0)
        by_bin = np.array(
            [*by_bin[:2], _core.settle(demanded, exports, runs.start, runs.bin, runs.bins)[2]]
        )
    peaks = period_peaks(layout, demanded, by_bin[2], timeline.step_hours)
    lines = energy_lines(tariff, layout, by_bin[0], by_bin[1], peaks)
    lines += step_lines(tariff, timeline, layout, imports, exports)
    lines += series_lines(tariff, timeline, layout, imports, exports)
    lines += demand_lines(tariff, timeline, layout, peaks, demanded, past or {})
    lines += fixed_lines(tariff, timeline, layout)
    if tariff.percentages or tariff.minimum_charges:
        lines += lines_on_lines(tariff, timeline, layout, lines)
    lines.sort(key=_period_of)
    return Bill(
        tariff=tariff.name,
        currency=tariff.currency,
        billing_periods=layout.periods,
        lines=tuple(lines),
        assumptions=(*tariff.assumptions, *_notes(tariff, timeline, layout)),
        ignored=tariff.ignored,
        energy_by_bin=by_bin,
        peaks_kw=peaks,
        labels=layout.labels,
    )


def _period_of(line: BillLine) -> int:
    return line.billing_period


def meter_without_storage(site: Site, tariff: Tariff | None) -> tuple[Floats, Floats]:
    """What a site imports and exports in each step without storage, its import limit left aside."""
    if tariff is not None and tariff.metering == "buy_all_sell_all":
        return site.load_kwh, site.solar_output_kwh
    net = site.load_kwh - site.solar_output_kwh
    imports = np.maximum(net, 0.0)
    exports = np.maximum(-net, 0.0) if site.allow_solar_to_grid else np.zeros(site.steps)
    if site.export_limit_kwh is not None:
        exports = np.minimum(exports, site.export_limit_kwh)
    return imports, exports


def _without_storage(site: Site, tariff: Tariff) -> tuple[Floats, Floats]:
    """The same, where the import limit allows it."""
    imports, exports = meter_without_storage(site, tariff)
    if tariff.metering == "buy_all_sell_all" or site.import_limit_kwh is None:
        return imports, exports
    if (over := imports > site.import_limit_kwh).any():
        from bess.infeasibility import unservable

        step = int(np.argmax(over))
        raise unservable(site, step, float(imports[step] - site.import_limit_kwh[step]))
    return imports, exports


@lru_cache(maxsize=32)
def _notes(tariff: Tariff, timeline: Timeline, layout: Layout) -> tuple[str, ...]:
    """What billing assumes beyond reading the tariff."""
    notes = [*tariff.notes(timeline), *layout.assumptions]
    for p, period in enumerate(layout.periods):
        if period.share < 1:
            notes.append(
                f"tariff {tariff.name}: billing period {p + 1} ({period}) is cut: monthly amounts "
                f"and limits count for {period.share:.3f} of a month"
            )
    return tuple(notes)
