"""Limits on what a dispatch adds up to over the whole horizon: cycles, emissions, imports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bess import _core
from bess._arrays import Floats
from bess.errors import InfeasibleError, InputError
from bess.site import Site
from bess.unit import Unit

__all__ = ["Limit", "all_met", "coupling_of", "cycle_limits"]

# A total that exceeds its limit by less, relative to it, meets it.
_ROUNDING = 1e-8


@dataclass(frozen=True, eq=False)
class Limit:
    """A weighted sum of what crosses the meter and what leaves the cells, and the most it may be.

    ``imported`` and ``exported`` are per kWh AC in each step, ``drawn`` per kWh AC that each unit
    gives.
    """

    most: float
    imported: Floats
    exported: Floats
    drawn: Floats
    told: str
    """The limit in words, which `refused` goes on from."""
    per: float = 1.0
    """What one of the units in which it is told comes to."""

    def by_step(self, series: Floats, device_series: Floats) -> Floats:
        """What each step adds."""
        given = device_series[:, 2] + device_series[:, 3]
        total: Floats = self.imported * (series[0] + series[1]) + self.drawn @ given
        total += self.exported * (series[4] + series[7])
        return total

    def is_met(self, total: float) -> bool:
        """Whether a total is within the limit but for rounding."""
        return total <= self.most + _ROUNDING * max(abs(self.most), self.per)

    @property
    def keeps_order(self) -> bool:
        """Whether a price on the sum leaves 0 <= export price <= import price as it is."""
        return bool((self.exported <= 0).all() and (self.imported + self.exported >= 0).all())

    def refused(self, least: float) -> InfeasibleError:
        """What to raise where the sum cannot be less than ``least``."""
        needed = ""
        if not self.is_met(least):
            needed = f": at least {least / self.per:.6g} are needed"
        return InfeasibleError(f"{self.told} cannot be kept{needed}")


def cycle_limits(
    site: Site, units: Sequence[Unit], max_cycles: float | tuple[float, ...] | None
) -> list[Limit]:
    """The limits of ``max_cycles`` equivalent full cycles a year, one for each unit."""
    if max_cycles is None:
        return []
    asked = max_cycles if isinstance(max_cycles, tuple) else (max_cycles,) * len(units)
    if len(asked) != len(units):
        raise InputError.at(
            "strategy.max_cycles",
            f"must be one number, or one for each of the {len(units)} devices",
            list(asked),
        )
    nothing = np.zeros(site.steps)
    found = []
    for i, (unit, cycles) in enumerate(zip(units, asked, strict=True)):
        most = cycles * site.timeline.years
        drawn = np.zeros(len(units))
        drawn[i] = 1 / unit.battery.dc_to_ac_efficiency
        told = (
            f"{unit.name or 'battery'}: max_cycles={cycles:g} a year, {most:.6g} equivalent full "
            "cycles over the horizon,"
        )
        capacity = unit.battery.capacity_kwh
        found.append(Limit(most * capacity, nothing, nothing, drawn, told, capacity))
    return found


def all_met(limits: Sequence[Limit], series: Floats, device_series: Floats) -> bool:
    """Whether flows keep all limits."""
    return all(limit.is_met(float(limit.by_step(series, device_series).sum())) for limit in limits)


def coupling_of(limits: Sequence[Limit], units: Sequence[Unit]) -> _core.Coupling:
    """The limits as rows to be joined to the program of the steps, in their order."""
    count, steps = len(limits), len(limits[0].imported)
    imported = np.array([limit.imported for limit in limits])
    exported = np.array([limit.exported for limit in limits])
    step, row = np.nonzero(((imported != 0) | (exported != 0)).T)
    to_dc = [unit.battery.dc_to_ac_efficiency for unit in units]
    drawn = np.array([limit.drawn for limit in limits]) * to_dc
    drawn_row, drawn_device = np.nonzero(drawn)
    nothing, no_index = np.zeros(0), np.zeros(0, np.int32)
    return _core.Coupling(
        step_start=np.searchsorted(step, np.arange(steps + 1)).astype(np.int32),
        step_row=row.astype(np.int32),
        import_factor=np.ascontiguousarray(imported[row, step]),
        export_factor=np.ascontiguousarray(exported[row, step]),
        drawn_device=drawn_device.astype(np.int32),
        drawn_row=drawn_row.astype(np.int32),
        drawn_factor=np.ascontiguousarray(drawn[drawn_row, drawn_device]),
        column_cost=nothing,
        column_lower=nothing,
        column_upper=nothing,
        integrality=no_index,
        start=np.zeros(1, np.int32),
        index=no_index,
        value=nothing,
        row_lower=np.full(count, -np.inf),
        row_upper=np.array([limit.most for limit in limits]),
        offset=0.0,
    )
