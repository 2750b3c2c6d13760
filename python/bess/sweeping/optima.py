"""The optimum at prices by step for many batteries, straight to billing determinants."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bess import _core
from bess._arrays import Floats
from bess.site import Site
from bess.strategy import Optimize
from bess.sweeping.determinants import AtOnce, Totals, column, stacked
from bess.sweeping.metrics import Found
from bess.sweeping.parameters import field
from bess.tariff.many_bills import ManyBills

__all__ = ["Optima"]

_PLAIN: Final = Optimize()


class Optima(AtOnce):
    """The least cost at ``prices`` by step, which are all that a tariff charges by what is done."""

    def __init__(
        self,
        site: Site,
        bills: ManyBills | None,
        prices: tuple[Floats, Floats],
        fixed: float,
        gap: float,
    ) -> None:
        super().__init__(site, bills, fixed)
        self._prices = prices
        self._gap = gap

    @property
    def chunk(self) -> int:
        return 32

    @staticmethod
    def know(site: Site, strategy: Optimize) -> bool:
        """Whether a strategy at a site can be worked so."""
        plain = _PLAIN.model_copy(update={"gap": strategy.gap, "engine": strategy.engine})
        return strategy == plain and strategy.engine != "highs" and site.inverter_limit_kwh is None

    def knows(self, fields: Mapping[str, Any], count: int) -> NDArray[np.bool_]:
        wanted = field(fields, "terminal_state_of_charge")
        known = np.equal(field(fields, "self_discharge_per_hour"), 0)
        return np.broadcast_to(known & (wanted == "initial"), (count,))

    def find(self, fields: Mapping[str, Any], count: int, stopped: Callable[[], bool]) -> Found:
        runs = self.bins[0]
        batteries = self._batteries(fields, count)
        by_bin, totals = _core.sweep_optima(
            self.site._core, *self._prices, batteries, runs.start, runs.bin, runs.bins
        )
        discharged, from_grid, sent, curtailed, stored, paid, moved, bound = totals
        cost = paid + batteries[9] * discharged / batteries[7]
        gap = np.maximum(cost - bound, 0.0) / np.maximum(moved, 1.0)
        # What is not proven is told one by one, by whatever engine proves it.
        by_bin = np.where(gap > self._gap, np.nan, by_bin)
        curtailed = curtailed * self.site.solar_dc_to_ac_efficiency
        sums = Totals(discharged, from_grid, sent, curtailed, stored - batteries[3], paid)
        found = self.found(fields, by_bin, sums)
        found.gap = gap
        return found

    def _batteries(self, fields: Mapping[str, Any], count: int) -> Floats:
        """Rows as `_core.sweep_optima` takes them."""
        capacity, hours = column(fields, "capacity_kwh", count), self.site.step_hours
        initial = capacity * field(fields, "initial_state_of_charge")
        most = capacity * field(fields, "max_state_of_charge")
        rows = (
            capacity,
            capacity * field(fields, "min_state_of_charge"),
            most,
            initial,
            field(fields, "charge_power_kw") * hours,
            field(fields, "discharge_power_kw") * hours,
            field(fields, "ac_to_dc_efficiency"),
            field(fields, "dc_to_ac_efficiency"),
            field(fields, "input_efficiency"),
            field(fields, "degradation_cost_per_kwh"),
            1.0,
            field(fields, "dc_coupled"),
            field(fields, "allow_grid_to_battery"),
            field(fields, "allow_battery_to_grid"),
            field(fields, "allow_solar_to_battery"),
            initial,
            most,
        )
        return stacked(rows, count)
