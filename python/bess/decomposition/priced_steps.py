"""The steps at the prices of sums, and the flows that their schedules have."""

from __future__ import annotations

from typing import Final

import numpy as np

from bess import _core
from bess._arrays import Floats
from bess.decomposition.coupled_rows import CoupledRows
from bess.decomposition.entries import added
from bess.infeasibility import EnergyWindows
from bess.money import Money
from bess.site import Site
from bess.unit import Unit

__all__ = ["PricedSteps"]

_NEARLY_FREE: Final = 1e-6
"""Money per kWh at which import that is free is spared, where it could raise a charge."""


class PricedSteps:
    """One unit's steps at their own prices, to which those of sums over steps are added."""

    def __init__(
        self, site: Site, unit: Unit, money: Money, rows: CoupledRows, windows: EnergyWindows
    ) -> None:
        self._site, self._unit, self._money, self._rows = site, unit, money, rows
        self._prices = money.import_price, money.export_price
        device = unit.core_device(site.step_hours, windows)
        self.problem = _core.Problem(site._core, [device], *self._prices, False)
        """At the steps' own prices."""
        self.stated = self.problem
        """At the prices last set."""

    def set(self, price: Floats) -> None:
        """State the problem with the sums at their prices."""
        self._prices = self.prices_at(price)
        wear = self._unit.battery.degradation_cost_per_kwh
        wear += float(price @ self._rows.sum_drawn)
        self.stated = self.problem.at_prices(*self._prices, max(wear, 0.0))

    def prices_at(self, price: Floats) -> tuple[Floats, Floats]:
        """What a kWh imported costs in each step, and one exported earns, the sums included."""
        rows, money, steps = self._rows, self._money, self._site.steps
        own = price[rows.sum_row]
        return (
            money.import_price + added(rows.sum_step, own * rows.sum_import, steps),
            money.export_price - added(rows.sum_step, own * rows.sum_export, steps),
        )

    def sparing(self, penalty: Floats) -> _core.Problem:
        """The problem that tells flows from energies: import that is free is spared under a cap.

        ``penalty`` is what a kWh above its cap costs in each step.
        """
        bought, sold = self._prices
        free = (bought == 0) & (penalty > 0)
        if not free.any():
            return self.stated
        return self.problem.at_prices(np.where(free, _NEARLY_FREE, bought), sold)

    def flows(self, oracle: _core.CutOracle, energy: Floats) -> tuple[Floats, Floats]:
        """The flows of a schedule: imports up to the oracle's caps where more would pay."""
        if oracle.is_convex:
            return _core.write_schedule(self.sparing(oracle.penalty), energy)[:2]
        dear = self.problem.at_prices(self._prices[0] + oracle.penalty, self._prices[1])
        series, _, _ = _core.write_schedule(dear, energy)
        limit = np.maximum(oracle.cap, series[0] + series[1])
        if self._site.import_limit_kwh is not None:
            limit = np.minimum(limit, self._site.import_limit_kwh)
        return _core.write_schedule(self.stated, energy, limit)[:2]

    def costs_of(
        self, series: Floats, device_series: Floats
    ) -> tuple[tuple[Floats, Floats, Floats], Floats]:
        """What flows import, export and draw in each step, and cost at the steps' own prices."""
        money, battery = self._money, self._unit.battery
        drawn = (series[6] + series[7]) / battery.dc_to_ac_efficiency
        bought, sold = series[0] + series[1], series[4] + series[7]
        cost = money.import_price * bought - money.export_price * sold
        cost = cost + battery.degradation_cost_per_kwh * drawn
        cost[-1] -= self._unit.terminal_value(float(device_series[0, 4, -1]))
        return (bought, sold, drawn), cost
