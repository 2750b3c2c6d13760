"""One site, strategy and what is paid there, on which all batteries of a sweep are tried."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bess._arrays import Floats
from bess.battery import Battery
from bess.errors import InfeasibleError, InputError
from bess.policy import Window
from bess.prices import Prices
from bess.site import Site
from bess.strategy import (
    FixedSchedule,
    Optimize,
    Strategy,
    Surplus,
    core_rule,
)
from bess.sweeping.costs import Costs
from bess.sweeping.cut_optima import CutOptima
from bess.sweeping.determinants import AtOnce
from bess.sweeping.lanes import Lanes
from bess.sweeping.metrics import Baseline, columns_of
from bess.sweeping.one_by_one import OneByOne
from bess.sweeping.optima import Optima
from bess.sweeping.parameters import Parameters
from bess.tariff import Tariff
from bess.tariff.bill import bill, meter_without_storage
from bess.tariff.demand import past_peaks
from bess.tariff.layout import lay_out
from bess.tariff.many_bills import ManyBills
from bess.tariff.pricing import prices_of
from bess.unit import units_of

__all__ = ["Case"]

_CHUNKS: Final = 12
"""Chunks of batteries that are worked together, some 10 ms each, that are worth a task."""


@dataclass(frozen=True, eq=False)
class Case:
    """One site, strategy and tariff (or prices), for all batteries of a sweep."""

    labels: dict[str, str]
    """What sets it apart from the other cases, by column."""
    site: Site
    strategy: Strategy
    tariff: Tariff | None
    prices: Prices | None
    options: Mapping[str, Any]
    """Other keywords of `bess.dispatch`."""
    metrics: tuple[str, ...]
    costs: Costs | None
    periods: int
    """The most billing periods that a case of the sweep has."""

    def check(self, path: str) -> None:
        """Refuse what no battery could be dispatched with; ``path`` is that of the strategy.

        Raises
        ------
        InputError
            For a schedule, a tariff, policies or past peaks that do not fit the site.
        """
        past = self.options.get("past_peaks_kw")
        _ = self._windows
        if past is not None and self.tariff is None:
            raise InputError.at("past_peaks_kw", "are for a tariff")
        zone = None
        if self.tariff is not None:
            zone = self.tariff.time_zone
            past_peaks(past, self.tariff)
            lay_out(self.tariff, self.site.timeline)
        if not isinstance(self.strategy, Optimize):
            try:
                core_rule(self.strategy, self.site.timeline, zone)
            except InputError as error:
                raise error.under(path) from None

    @property
    def chunk(self) -> int:
        """How many batteries are best worked at once."""
        return 16 if self._at_once is None else self._at_once.chunk

    @property
    def least(self) -> int:
        """How many batteries are worth a task of their own, or a file."""
        slow = self._at_once is None or self._at_once.is_slow
        return self.chunk if slow else _CHUNKS * self.chunk

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    def columns(
        self,
        parameters: Parameters,
        first: int,
        last: int,
        stopped: Callable[[], bool] = lambda: False,
    ) -> dict[str, NDArray[Any]]:
        """Parameters and metrics of the batteries from ``first`` to before ``last``.

        Raises
        ------
        concurrent.futures.CancelledError
            Between two batteries, when ``stopped`` says so.
        """
        rows = parameters.rows(first, last)
        count = last - first
        fields = parameters.fields(rows)
        rest = np.arange(count)
        parts = []
        if self._at_once is not None:
            known = np.flatnonzero(self._at_once.knows(fields, count))
            if len(known):
                found = self._at_once.find(_at(fields, known, count), len(known), stopped)
                told = ~np.isnan(found.import_kwh)
                columns = columns_of(found, self._baseline, self.metrics, self.periods)
                if not told.all():
                    columns = {name: values[told] for name, values in columns.items()}
                parts.append((known[told], columns))
                rest = np.setdiff1d(rest, known[told], assume_unique=True)
        if len(rest):
            own = _at(fields, rest, count)
            found = self._one_by_one.find(own, len(rest), stopped)
            parts.append((rest, columns_of(found, self._baseline, self.metrics, self.periods)))
        return {**rows, **_joined(parts, count)}

    @cached_property
    def _one_by_one(self) -> OneByOne:
        given = {"tariff": self.tariff, "prices": self.prices, **self.options}
        return OneByOne(self.site, self.strategy, given)

    @cached_property
    def _windows(self) -> tuple[Window, ...]:
        """Windows of the policies, for a battery without limits of its own."""
        policies = self.options.get("policies") or ()
        return units_of(self.site, Battery(min_state_of_charge=0.0), policies, {})[0].windows

    @cached_property
    def _at_once(self) -> AtOnce | None:
        """How many batteries are worked together; None where each must go by itself."""
        strategy = self.strategy
        hours = bool({"hours_full", "hours_empty"}.intersection(self.metrics))
        if isinstance(strategy, Optimize) and (self._windows or hours) and self._paid is not None:
            return None
        bills = None
        if self.tariff is not None:
            if self.tariff.metering == "buy_all_sell_all":
                return None
            past = past_peaks(self.options.get("past_peaks_kw"), self.tariff)
            bills = ManyBills(self.tariff, self.site.timeline, past=past)
            if isinstance(strategy, Optimize) and self._paid is None:
                if bills.refusal is not None or not Optima.know(self.site, strategy):
                    return None
                policies = self.options.get("policies") or ()
                return CutOptima(self.site, bills, strategy, self.tariff, past, policies)
            by_step = isinstance(strategy, Optimize) and bills.step_prices is not None
            if bills.refusal is not None or by_step:
                bills = None
                told = self._paid is not None and not np.isnan(self._fixed)
                if not told or "bill_by_kind" in self.metrics:
                    return None
        if isinstance(strategy, Optimize):
            if self._paid is None or not Optima.know(self.site, strategy):
                return None
            return Optima(self.site, bills, self._paid, self._fixed, strategy.gap)
        if isinstance(strategy, (Surplus, FixedSchedule)) and Lanes.know_site(self.site):
            zone = None if self.tariff is None else self.tariff.time_zone
            prices = self._paid if bills is None else bills.step_prices
            return Lanes(
                self.site, strategy, zone, bills, prices, self._fixed, self._windows, hours
            )
        return None

    @cached_property
    def _paid(self) -> tuple[Floats, Floats] | None:
        """Prices by step, where they are all that is paid but what is paid whatever is done."""
        prices = self.prices
        if self.tariff is not None and not self.tariff.not_by_step():
            prices = prices_of(self.tariff, self.site.timeline, percentages=True)
        return None if prices is None else prices.series(self.site.steps)

    @cached_property
    def _fixed(self) -> float:
        """What a tariff that charges by step charges besides."""
        if self.tariff is None or self._paid is None:
            return 0.0
        return self._baseline.bill - self._paid_without

    @cached_property
    def _paid_without(self) -> float:
        """What is paid at prices by step without a battery."""
        assert self._paid is not None
        bought, sold = meter_without_storage(self.site, self.tariff)
        return float(np.dot(bought, self._paid[0]) - np.dot(sold, self._paid[1]))

    @cached_property
    def _baseline(self) -> Baseline:
        site = self.site
        paid = float("nan")
        if self.tariff is not None:
            past = self.options.get("past_peaks_kw")
            with suppress(InfeasibleError):  # only a battery can serve its load
                paid = bill(site, self.tariff, past_peaks_kw=past).total
        elif self._paid is not None:
            paid = self._paid_without
        return Baseline(
            load_kwh=float(site.load_kwh.sum()),
            solar_kwh=float(site.solar_kwh.sum()),
            bill=paid,
            worth=None if self.costs is None else self.costs.net_present_value,
        )


def _at(fields: Mapping[str, Any], rows: NDArray[np.intp], count: int) -> Mapping[str, Any]:
    """The fields of some of ``count`` rows."""
    if len(rows) == count:
        return fields
    return {n: v[rows] if isinstance(v, np.ndarray) else v for n, v in fields.items()}


def _joined(
    parts: Sequence[tuple[NDArray[np.intp], dict[str, NDArray[Any]]]], count: int
) -> dict[str, NDArray[Any]]:
    """Columns of parts of the rows as columns of all, NaN where a part lacks one."""
    if len(parts) == 1:
        return parts[0][1]
    names = dict.fromkeys(name for _, columns in parts for name in columns)
    joined = {}
    for name in names:
        whole = np.full(count, "", object) if name == "error" else np.full(count, np.nan)
        for places, columns in parts:
            if name in columns:
                whole[places] = columns[name]
        joined[name] = whole
    return joined
