"""The optimum on a tariff that charges more than steps, each battery's from the one before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bess import _core
from bess.battery import Battery
from bess.decomposition import Recollection
from bess.errors import BessError
from bess.money import BilledMoney
from bess.optimization import optimize
from bess.site import Site
from bess.strategy import Optimize
from bess.sweeping.determinants import AtOnce, Totals
from bess.sweeping.metrics import Found
from bess.sweeping.one_by_one import hours_at_limits
from bess.sweeping.parameters import battery_of, field
from bess.tariff import Tariff
from bess.tariff.demand import PastPeaks
from bess.tariff.many_bills import ManyBills
from bess.unit import units_of

__all__ = ["CutOptima"]

_CHAIN: Final = 16
"""Batteries of which each begins where the search for the one before it ended. They are worked
together, so that answers depend on nothing but the table."""


class CutOptima(AtOnce):
    """The least cost of each battery as `bess.dispatch` finds it, straight to determinants."""

    is_slow = True

    def __init__(
        self,
        site: Site,
        bills: ManyBills,
        strategy: Optimize,
        tariff: Tariff,
        past: PastPeaks,
        policies: Sequence[Any],
    ) -> None:
        super().__init__(site, bills, 0.0)
        self._strategy = strategy
        self._tariff = tariff
        self._past = past
        self._policies = policies
        self._step_prices = bills.step_prices

    @property
    def chunk(self) -> int:
        return _CHAIN

    def knows(self, fields: Mapping[str, Any], count: int) -> NDArray[np.bool_]:
        return np.broadcast_to(field(fields, "terminal_state_of_charge") != "cyclic", (count,))

    def find(self, fields: Mapping[str, Any], count: int, stopped: Callable[[], bool]) -> Found:
        runs = self.bins[0]
        by_bin = np.full((3, runs.bins, count), np.nan)
        discharged, from_grid, sent, curtailed, stored, paid, gap = np.full((7, count), np.nan)
        full, empty = np.full((2, count), np.nan)
        similar: Recollection | None = None
        batteries = [battery_of(fields, row) for row in range(count)]
        for row in sorted(range(count), key=lambda row: _size(batteries[row])):
            if stopped():
                raise CancelledError
            battery = batteries[row]
            try:
                units = units_of(self.site, battery, self._policies, {})
                money = BilledMoney(self.site, units, self._tariff, None, self._past)
                optimum = optimize(self.site, units, self._strategy, money, (), similar)
            except BessError:  # it is told one by one
                continue
            similar = optimum.search or similar
            flows = optimum.series
            bought, sold = flows[0] + flows[1], flows[4] + flows[7]
            by_bin[:, :, row] = _core.settle(bought, sold, runs.start, runs.bin, runs.bins)
            discharged[row], sent[row] = flows[6].sum() + flows[7].sum(), flows[7].sum()
            from_grid[row] = flows[1].sum()
            curtailed[row] = flows[5].sum() * self.site.solar_dc_to_ac_efficiency
            stored[row] = flows[9, -1] - battery.initial_state_of_charge
            stored[row] *= battery.capacity_kwh
            gap[row] = optimum.gap
            full[row], empty[row] = hours_at_limits(self.site, battery, flows[9])
            if self._step_prices is not None:
                paid[row] = bought @ self._step_prices[0] - sold @ self._step_prices[1]
        sums = Totals(discharged, from_grid, sent, curtailed, stored, paid)
        found = self.found(fields, by_bin, sums)
        found.gap, found.hours_full, found.hours_empty = gap, full, empty
        return found


def _size(battery: Battery) -> tuple[float, ...]:
    """What batteries are gone through by, the largest first: from more power to less takes fewer
    rounds than the other way.
    """
    return -battery.capacity_kwh, -battery.discharge_power_kw, -battery.charge_power_kw
