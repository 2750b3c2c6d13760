"""Batteries that are dispatched one by one: everything that `bess.dispatch` can do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError
from functools import cached_property
from typing import Any

import numpy as np

from bess._arrays import Floats
from bess.battery import Battery
from bess.dispatch import dispatch
from bess.errors import BessError
from bess.result import Result
from bess.site import Site
from bess.strategy import Strategy
from bess.sweeping.metrics import Found
from bess.sweeping.parameters import battery_of
from bess.tariff.periods import billing_periods

__all__ = ["OneByOne", "hours_at_limits"]

_NUMBERS = (
    "import_kwh",
    "export_kwh",
    "peak_kw",
    "discharged_kwh",
    "sent_kwh",
    "from_grid_kwh",
    "curtailed_kwh",
    "stored_change_kwh_dc",
    "bill",
    "gap",
    "violations",
    "hours_full",
    "hours_empty",
)
_FULL = 1e-9
"""States of charge that are nearer to a limit than this are at it."""


class OneByOne:
    """One strategy at one site, by `bess.dispatch`; ``options`` are its keywords."""

    def __init__(self, site: Site, strategy: Strategy, options: Mapping[str, Any]) -> None:
        self._site = site
        self._strategy = strategy
        self._options = dict(options)

    def find(
        self,
        fields: Mapping[str, Any],
        count: int,
        stopped: Callable[[], bool],
    ) -> Found:
        """What each of ``count`` batteries does; one that cannot be dispatched has an error.

        Raises
        ------
        CancelledError
            Before the next battery, when ``stopped`` says so.
        """
        numbers = {name: np.full(count, np.nan) for name in _NUMBERS}
        errors = np.full(count, "", object)
        kinds: dict[str, Any] = {}
        peaks: list[Any] = [None] * count
        hours = self._site.step_hours
        batteries = [battery_of(fields, row) for row in range(count)]
        for row, battery in enumerate(batteries):
            if stopped():
                raise CancelledError
            try:
                result = dispatch(self._site, battery, self._strategy, **self._options)
                self._note(result, battery, numbers, row)
                if result.bill is not None:
                    for kind, amounts in result.bill.by_kind().items():
                        kinds.setdefault(kind, np.zeros(count))[row] = sum(amounts)
            except BessError as error:
                errors[row] = f"{type(error).__name__}: {error}"
                continue
            peaks[row] = np.maximum.reduceat(result.import_kwh_ac, self._months) / hours
        periods = max((len(p) for p in peaks if p is not None), default=0)
        empty = np.full(periods, np.nan)
        return Found(
            **numbers,
            capacity_kwh=np.array([b.capacity_kwh for b in batteries]),
            power_kw=np.array([max(b.charge_power_kw, b.discharge_power_kw) for b in batteries]),
            dc_to_ac_efficiency=np.array([b.dc_to_ac_efficiency for b in batteries]),
            degradation_cost_per_kwh=np.array([b.degradation_cost_per_kwh for b in batteries]),
            bill_by_kind=kinds,
            monthly_peaks_kw=np.array([empty if p is None else p for p in peaks]).T,
            error=errors,
        )

    @cached_property
    def _months(self) -> list[int]:
        """The first step of each billing period."""
        tariff = self._options.get("tariff")
        zone = None if tariff is None else tariff.time_zone
        return [period.first_step for period in billing_periods(self._site.timeline, zone)]

    def _note(self, result: Result, battery: Battery, numbers: Mapping[str, Any], row: int) -> None:
        site, unit = self._site, result.units[0]
        imports, sent = result.import_kwh_ac, result.battery_to_grid_kwh_ac
        full, empty = hours_at_limits(site, battery, result.battery_soc)
        paid = result.energy_cost if result.bill is None else result.bill.total
        for name, value in {
            "import_kwh": imports.sum(),
            "export_kwh": result.export_kwh_ac.sum(),
            "peak_kw": imports.max() / site.step_hours,
            "discharged_kwh": result.battery_to_site_kwh_ac.sum() + sent.sum(),
            "sent_kwh": sent.sum(),
            "from_grid_kwh": result.grid_to_battery_kwh_ac.sum(),
            "curtailed_kwh": result.solar_curtailed_kwh_dc.sum() * site.solar_dc_to_ac_efficiency,
            "stored_change_kwh_dc": unit.stored_energy_change_kwh,
            "bill": np.nan if paid is None else paid,
            "gap": np.nan if result.gap is None else result.gap,
            "violations": len(result.violations),
            "hours_full": full,
            "hours_empty": empty,
        }.items():
            numbers[name][row] = value


def hours_at_limits(site: Site, battery: Battery, state_of_charge: Floats) -> tuple[float, float]:
    """How long a battery is full, and how long it is empty."""
    full = state_of_charge >= battery.max_state_of_charge - _FULL
    empty = state_of_charge <= battery.min_state_of_charge + _FULL
    return float(full.sum()) * site.step_hours, float(empty.sum()) * site.step_hours
