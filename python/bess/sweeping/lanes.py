"""Rules for many batteries at once: in lanes of the core, from determinants to metrics."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, reduce
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bess import _core
from bess._arrays import Floats
from bess.battery import Battery
from bess.site import Site
from bess.strategy import FixedSchedule, Surplus, core_rule
from bess.sweeping.metrics import Found
from bess.tariff.layout import Runs
from bess.tariff.many_bills import ManyBills
from bess.tariff.periods import billing_periods

__all__ = ["Lanes"]

_NUMBERS_AT_ONCE: Final = 1 << 19
"""Determinants of a chunk, so that they stay in a processor's cache."""
_LANES: Final = 64


class Lanes:
    """One rule at one site on one tariff, or at prices by step, for any batteries it knows."""

    def __init__(
        self,
        site: Site,
        strategy: Surplus | FixedSchedule,
        time_zone: str | None,
        bills: ManyBills | None,
        paid: tuple[Floats, Floats] | None,
    ) -> None:
        self._site = site
        self._scheduled = isinstance(strategy, FixedSchedule)
        self._rule = core_rule(strategy, site.timeline, time_zone)
        self._bills = bills
        self._paid = paid if bills is None else None
        self._programs: dict[tuple[bool, bool], _core.SweepProgram] = {}
        for flags in ((False, False), (True, False), (False, True), (True, True)):
            self._program(*flags)

    @staticmethod
    def refusal(site: Site) -> str | None:
        """Why rules at a site must be worked battery by battery; None where lanes know it."""
        if site.import_limit_kwh is not None:
            return "the site has an import limit"
        if site.inverter_limit_kwh is not None:
            return "the site has an inverter limit"
        return None

    @property
    def chunk(self) -> int:
        """How many batteries are best worked at once."""
        rows = _NUMBERS_AT_ONCE // (3 * self._bins[0].bins)
        return max(_LANES, rows // _LANES * _LANES)

    def knows(self, fields: Mapping[str, Any], count: int) -> NDArray[np.bool_]:
        """Which batteries can be worked in lanes."""
        lossless = _field(fields, "self_discharge_per_hour") == 0
        if self._scheduled:
            sun = _field(fields, "allow_solar_to_battery")
            lossless &= np.logical_or(sun, np.logical_not(_field(fields, "allow_grid_to_battery")))
        return np.broadcast_to(lossless, (count,))

    def find(self, fields: Mapping[str, Any], count: int) -> Found:
        """What each of ``count`` batteries does."""
        values = {
            name: _column(fields, name, count)
            for name in Battery.model_fields
            if name not in ("terminal_state_of_charge",)
        }
        properties = self._properties(values)
        by_bin = np.empty((3, self._bins[0].bins, count))
        totals = np.empty((5, count))
        grid = values["allow_grid_to_battery"] & self._scheduled
        send = values["allow_battery_to_grid"] & self._scheduled
        kinds = grid + 2 * send
        for kind in np.unique(kinds).tolist():
            rows = np.flatnonzero(kinds == kind)
            program = self._program(bool(kind % 2), bool(kind // 2))
            if len(rows) == count:
                by_bin, totals = program.run(properties)
            else:
                by_bin[:, :, rows], totals[:, rows] = program.run(
                    np.ascontiguousarray(properties[:, rows])
                )
        return self._found(values, properties, by_bin, totals)

    def _properties(self, values: Mapping[str, NDArray[Any]]) -> Floats:
        """Rows as `_core.SweepProgram.run` takes them."""
        capacity, hours = values["capacity_kwh"], self._site.step_hours
        direct = 1 / self._site.solar_dc_to_ac_efficiency
        solar = np.where(values["dc_coupled"], direct, values["ac_to_dc_efficiency"])
        return np.array(
            [
                capacity * values["min_state_of_charge"],
                capacity * values["max_state_of_charge"],
                capacity * values["initial_state_of_charge"],
                values["charge_power_kw"] * hours,
                values["discharge_power_kw"] * hours,
                solar * values["allow_solar_to_battery"],
                values["ac_to_dc_efficiency"],
                values["dc_to_ac_efficiency"],
                values["input_efficiency"],
            ]
        )

    def _found(
        self, values: Mapping[str, NDArray[Any]], properties: Floats, by_bin: Floats, totals: Floats
    ) -> Found:
        imported, exported, peak = by_bin
        discharged, from_grid, sent, stored, cost = totals
        bought, sold = reduce(np.add, imported), reduce(np.add, exported)
        change = stored - properties[2]
        given = properties[7]
        kept = properties[8] * given
        solar_rate, grid_rate = properties[5] * kept, properties[6] * kept
        solar = discharged + change * given - from_grid * grid_rate
        stores = solar_rate > 0
        solar = np.maximum(np.divide(solar, solar_rate, out=np.zeros_like(solar), where=stores), 0)
        load, sun = self._energies
        curtailed = sun + bought + discharged - load - sold - from_grid - solar
        curtailed[curtailed < 1e-12 * (load + sun)] = 0.0
        hours = self._site.step_hours
        found = Found(
            import_kwh=bought,
            export_kwh=sold,
            peak_kw=reduce(np.maximum, peak) / hours,
            discharged_kwh=discharged,
            sent_kwh=sent,
            from_grid_kwh=from_grid,
            curtailed_kwh=curtailed,
            stored_change_kwh_dc=change,
            bill=cost,
            capacity_kwh=values["capacity_kwh"],
            power_kw=np.maximum(values["charge_power_kw"], values["discharge_power_kw"]),
            dc_to_ac_efficiency=given,
            degradation_cost_per_kwh=values["degradation_cost_per_kwh"],
            monthly_peaks_kw=np.array(
                [reduce(np.maximum, peak[low:high]) / hours for low, high in self._bins[1]]
            ),
            violations=np.zeros(len(bought)),
        )
        if self._bills is not None:
            found.bill, found.bill_by_kind = self._bills.of(imported, exported, peak)
        elif self._paid is None:
            found.bill = np.full(len(bought), np.nan)
        return found

    @cached_property
    def _energies(self) -> tuple[float, float]:
        return float(self._site.load_kwh.sum()), float(self._site.solar_kwh.sum())

    @cached_property
    def _bins(self) -> tuple[Runs, tuple[tuple[int, int], ...]]:
        """Runs of steps of one bin, and the bins of each billing period."""
        if self._bills is not None:
            return self._bills.layout.runs, self._bills.layout.period_bins
        periods = billing_periods(self._site.timeline, None)
        starts = [period.first_step for period in periods]
        runs = Runs(
            np.array([*starts, self._site.steps], np.int32),
            np.arange(len(periods), dtype=np.int32),
            len(periods),
        )
        return runs, tuple((p, p + 1) for p in range(len(periods)))

    def _program(self, grid_to_battery: bool, battery_to_grid: bool) -> _core.SweepProgram:
        flags = grid_to_battery, battery_to_grid
        if flags not in self._programs:
            runs = self._bins[0]
            prices = (None, None) if self._paid is None else self._paid
            self._programs[flags] = _core.SweepProgram(
                self._site._core, self._rule, *flags, runs.start, runs.bin, runs.bins, *prices
            )
        return self._programs[flags]


def _field(fields: Mapping[str, Any], name: str) -> Any:
    return fields.get(name, Battery.model_fields[name].default)


def _column(fields: Mapping[str, Any], name: str, count: int) -> NDArray[Any]:
    return np.broadcast_to(np.asarray(_field(fields, name)), (count,))
