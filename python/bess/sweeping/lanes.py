"""Rules for many batteries at once, in lanes of the core."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bess import _core
from bess._arrays import Floats
from bess.site import Site
from bess.strategy import FixedSchedule, Surplus, core_rule
from bess.sweeping.determinants import AtOnce, Totals, column, stacked
from bess.sweeping.metrics import Found
from bess.sweeping.parameters import field
from bess.tariff.many_bills import ManyBills

__all__ = ["Lanes"]

_NUMBERS_AT_ONCE: Final = 1 << 19
"""Determinants of a chunk, so that they stay in a processor's cache."""
_MOST_ROWS: Final = 65_536
_LANES: Final = 64


class Lanes(AtOnce):
    """Surplus or a fixed schedule; ``prices`` by step are those of bills, or all there is."""

    def __init__(
        self,
        site: Site,
        strategy: Surplus | FixedSchedule,
        time_zone: str | None,
        bills: ManyBills | None,
        prices: tuple[Floats, Floats] | None,
        fixed: float = 0.0,
    ) -> None:
        super().__init__(site, bills, fixed)
        self._scheduled = isinstance(strategy, FixedSchedule)
        self._priced = prices is not None
        rule = core_rule(strategy, site.timeline, time_zone)
        runs = self.bins[0]
        paid = (None, None) if prices is None else prices
        self._programs = {
            (grid, send): _core.SweepProgram(
                site._core, rule, grid, send, runs.start, runs.bin, runs.bins, *paid
            )
            for grid in {False, self._scheduled}
            for send in {False, self._scheduled}
        }

    @staticmethod
    def know_site(site: Site) -> bool:
        """Whether lanes can work a site."""
        return site.import_limit_kwh is None and site.inverter_limit_kwh is None

    @property
    def chunk(self) -> int:
        rows = min(_NUMBERS_AT_ONCE // (3 * self.bins[0].bins), _MOST_ROWS)
        return max(_LANES, rows // _LANES * _LANES)

    def knows(self, fields: Mapping[str, Any], count: int) -> NDArray[np.bool_]:
        known = np.equal(field(fields, "self_discharge_per_hour"), 0)
        if self._scheduled:
            sun = field(fields, "allow_solar_to_battery")
            known = known & np.logical_or(sun, ~np.asarray(field(fields, "allow_grid_to_battery")))
        return np.broadcast_to(known, (count,))

    def find(self, fields: Mapping[str, Any], count: int) -> Found:
        batteries = self._batteries(fields, count)
        grid = column(fields, "allow_grid_to_battery", count) & self._scheduled
        send = column(fields, "allow_battery_to_grid", count) & self._scheduled
        by_bin = np.empty((3, self.bins[0].bins, count))
        totals = np.empty((5, count))
        for flags, program in self._programs.items():
            rows = np.flatnonzero((grid == flags[0]) & (send == flags[1]))
            if len(rows) == count:
                by_bin, totals = program.run(batteries)
            elif len(rows):
                own = np.ascontiguousarray(batteries[:, rows])
                by_bin[:, :, rows], totals[:, rows] = program.run(own)
        return self.found(fields, by_bin, self._totals(batteries, by_bin, totals))

    def _batteries(self, fields: Mapping[str, Any], count: int) -> Floats:
        """Rows as `_core.SweepProgram.run` takes them."""
        capacity, hours = field(fields, "capacity_kwh"), self.site.step_hours
        direct = 1 / self.site.solar_dc_to_ac_efficiency
        into = field(fields, "ac_to_dc_efficiency")
        solar = np.where(field(fields, "dc_coupled"), direct, into)
        rows = (
            capacity * field(fields, "min_state_of_charge"),
            capacity * field(fields, "max_state_of_charge"),
            capacity * field(fields, "initial_state_of_charge"),
            field(fields, "charge_power_kw") * hours,
            field(fields, "discharge_power_kw") * hours,
            solar * field(fields, "allow_solar_to_battery"),
            into,
            field(fields, "dc_to_ac_efficiency"),
            field(fields, "input_efficiency"),
        )
        return stacked(rows, count)

    def _totals(self, batteries: Floats, by_bin: Floats, totals: Floats) -> Totals:
        """The sun stored follows from what is stored, the sun lost from the meter's balance."""
        discharged, from_grid, sent, stored, paid = totals
        given = batteries[7]
        kept = batteries[8] * given
        solar_rate, grid_rate = batteries[5] * kept, batteries[6] * kept
        change = stored - batteries[2]
        charged = discharged + change * given - from_grid * grid_rate
        none = np.zeros_like(charged)
        solar = np.divide(charged, solar_rate, out=none, where=solar_rate > 0)
        load, sun = float(self.site.load_kwh.sum()), float(self.site.solar_kwh.sum())
        curtailed = sun + discharged - load - from_grid - np.maximum(solar, 0.0)
        for bought, sold in zip(*by_bin[:2], strict=True):
            curtailed += bought
            curtailed -= sold
        curtailed[curtailed < 1e-12 * (load + sun)] = 0.0
        return Totals(
            discharged, from_grid, sent, curtailed, change, paid if self._priced else None
        )
