"""Rules for many batteries at once, in lanes of the core."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bess import _core
from bess._arrays import Floats
from bess.policy import Window
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
_SAME_CHARGE: Final = 1e-9
"""States of charge that differ by less are the same."""


class Lanes(AtOnce):
    """Surplus or a fixed schedule; ``prices`` by step are those of bills, or all there is.

    ``windows`` are those of policies, for a battery without limits of its own; ``hours`` says
    whether to count the hours in which batteries are full or empty.
    """

    def __init__(
        self,
        site: Site,
        strategy: Surplus | FixedSchedule,
        time_zone: str | None,
        bills: ManyBills | None,
        prices: tuple[Floats, Floats] | None,
        fixed: float = 0.0,
        windows: Sequence[Window] = (),
        hours: bool = False,
    ) -> None:
        super().__init__(site, bills, fixed)
        self._windows = windows
        self._hours = hours
        self._scheduled = isinstance(strategy, FixedSchedule)
        self._priced = prices is not None
        rule = core_rule(strategy, site.timeline, time_zone)
        runs = self.bins[0]
        buy, sell = (None, None) if prices is None else prices
        ahead = [(w.step, w.minimum, w.maximum) for w in windows if w.step >= 0]
        # Whether there may be trade with the grid.
        self._trades = self._scheduled or bool(ahead) or site.import_limit_kwh is not None
        self._programs = {
            (grid, send): _core.SweepProgram(
                site._core,
                rule,
                grid,
                send,
                runs.start,
                runs.bin,
                runs.bins,
                buy,
                sell,
                ahead,
                hours,
            )
            for grid in {False, self._trades}
            for send in {False, self._trades}
        }

    @staticmethod
    def know_site(site: Site) -> bool:
        """Whether lanes can work a site."""
        return site.inverter_limit_kwh is None

    @property
    def chunk(self) -> int:
        rows = min(_NUMBERS_AT_ONCE // (3 * self.bins[0].bins), _MOST_ROWS)
        return max(_LANES, rows // _LANES * _LANES)

    def knows(self, fields: Mapping[str, Any], count: int) -> NDArray[np.bool_]:
        known = np.equal(field(fields, "self_discharge_per_hour"), 0)
        if self._scheduled:
            sun = field(fields, "allow_solar_to_battery")
            known = known & np.logical_or(sun, ~np.asarray(field(fields, "allow_grid_to_battery")))
        least, most = (field(fields, f"{end}_state_of_charge") for end in ("min", "max"))
        for low, high in {(w.minimum, w.maximum) for w in self._windows}:  # one not met is refused
            known = known & np.less_equal(np.maximum(low, least), np.minimum(high, most))
        return np.broadcast_to(known, (count,))

    def find(self, fields: Mapping[str, Any], count: int, stopped: Callable[[], bool]) -> Found:
        batteries = self._batteries(fields, count)
        grid = column(fields, "allow_grid_to_battery", count) & self._trades
        send = column(fields, "allow_battery_to_grid", count) & self._trades
        by_bin = np.empty((3, self.bins[0].bins, count))
        totals = np.empty((8, count))
        for flags, program in self._programs.items():
            rows = np.flatnonzero((grid == flags[0]) & (send == flags[1]))
            if len(rows) == count:
                by_bin, totals = program.run(batteries)
            elif len(rows):
                own = np.ascontiguousarray(batteries[:, rows])
                by_bin[:, :, rows], totals[:, rows] = program.run(own)
        found = self.found(fields, by_bin, self._totals(batteries, by_bin, totals[:5]))
        found.violations = totals[7] + self._missed_at_start(fields)
        if self._hours:
            found.hours_full, found.hours_empty = totals[5:7] * self.site.step_hours
        return found

    def _missed_at_start(self, fields: Mapping[str, Any]) -> Any:
        """How many windows at the start, which bind nothing, each battery misses."""
        least, initial, most = (
            field(fields, f"{end}_state_of_charge") for end in ("min", "initial", "max")
        )
        missed: Any = 0
        for window in self._windows:
            if window.step < 0:
                low, high = (np.clip(end, least, most) for end in (window.minimum, window.maximum))
                missed = missed + (np.maximum(low - initial, initial - high) > _SAME_CHARGE)
        return missed

    def _batteries(self, fields: Mapping[str, Any], count: int) -> Floats:
        """Rows as `_core.SweepProgram.run` takes them."""
        capacity, hours = field(fields, "capacity_kwh"), self.site.step_hours
        direct = 1 / self.site.solar_dc_to_ac_efficiency
        into = field(fields, "ac_to_dc_efficiency")
        solar = np.where(field(fields, "dc_coupled"), direct, into)
        rows = (
            capacity,
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
        initial, solar_ratio, into, given, kept = batteries[[3, 6, 7, 8, 9]]
        kept = kept * given
        solar_rate, grid_rate = solar_ratio * kept, into * kept
        change = stored - initial
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
