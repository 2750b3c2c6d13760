"""What a dispatch gives: every flow, the state of charge, the cost, and what was missed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from bess._arrays import Floats
from bess.errors import MissingExtraError
from bess.site import Site

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DeviceResult", "Result", "Violation"]

SERIES: Final = (
    "grid_to_site_kwh_ac",
    "grid_to_battery_kwh_ac",
    "solar_to_battery_kwh_dc",
    "solar_to_site_kwh_ac",
    "solar_to_grid_kwh_ac",
    "solar_curtailed_kwh_dc",
    "battery_to_site_kwh_ac",
    "battery_to_grid_kwh_ac",
    "net_load_kwh_ac",
    "battery_soc",
)
"""The series of a result in the order in which the core stores them."""

DEVICE_SERIES: Final = (
    "grid_to_battery_kwh_ac",
    "solar_to_battery_kwh_dc",
    "battery_to_site_kwh_ac",
    "battery_to_grid_kwh_ac",
    "battery_soc",
)


@dataclass(frozen=True)
class Violation:
    """A policy's window that was missed: when, what was wanted, and the state of charge reached."""

    device: str | None
    timestamp: datetime
    minimum: float
    maximum: float
    state_of_charge: float

    def __str__(self) -> str:
        whose = f"{self.device}: " if self.device else ""
        return (
            f"{whose}{self.timestamp.isoformat()}: state of charge {100 * self.state_of_charge:.2f} %, "
            f"wanted {100 * self.minimum:g} to {100 * self.maximum:g} %"
        )


@dataclass(frozen=True, eq=False)
class DeviceResult:
    """One device's part of the flows; series as in `Result`, of length ``site.steps``."""

    name: str
    capacity_kwh: float
    initial_state_of_charge: float
    discharge_efficiency: float
    violations: tuple[Violation, ...]
    series: Floats = field(repr=False)
    """Its five series in the order of ``DEVICE_SERIES``, shape (5, steps)."""

    @property
    def grid_to_battery_kwh_ac(self) -> Floats:
        """Grid energy sent to the device, before conversion."""
        return self.series[0]

    @property
    def solar_to_battery_kwh_dc(self) -> Floats:
        """Solar energy as it arrives at the device."""
        return self.series[1]

    @property
    def battery_to_site_kwh_ac(self) -> Floats:
        """Energy the device gives to the site."""
        return self.series[2]

    @property
    def battery_to_grid_kwh_ac(self) -> Floats:
        """Energy the device gives to the grid."""
        return self.series[3]

    @property
    def battery_soc(self) -> Floats:
        """State of charge at the end of each step, a fraction of capacity."""
        return self.series[4]

    @property
    def stored_energy_change_kwh(self) -> float:
        """Energy stored at the end less that at the start, kWh DC."""
        return self.capacity_kwh * (float(self.series[4, -1]) - self.initial_state_of_charge)

    @property
    def discharge_kwh_dc(self) -> float:
        """Energy that left the cells over the horizon, kWh DC."""
        return float(self.series[2].sum() + self.series[3].sum()) / self.discharge_efficiency

    @property
    def equivalent_full_cycles(self) -> float:
        """Energy that left the cells over the horizon, in capacities."""
        return self.discharge_kwh_dc / self.capacity_kwh


@dataclass(frozen=True, eq=False, kw_only=True)
class Result:
    """Everything a dispatch decided, as read-only series of length ``site.steps``.

    Flows are at least 0: kWh AC in a step, except ``solar_to_battery_kwh_dc`` (as it arrives at the
    battery) and ``solar_curtailed_kwh_dc``. ``net_load_kwh_ac`` is import minus export, signed;
    ``battery_soc`` the state of charge at the end of each step (of several devices, total energy
    over total capacity). Money is in the currency of the prices.
    """

    site: Site
    units: tuple[DeviceResult, ...]
    """Every battery or device, in the order given; a plain `Battery` is called "battery"."""
    named: bool
    series: Floats = field(repr=False)
    """All ten series in the order of ``SERIES``, shape (10, steps)."""
    import_price: Floats | None = field(default=None, repr=False)
    export_price: Floats | None = field(default=None, repr=False)
    degradation_cost_per_kwh: float = 0.0
    lower_bound: float | None = None
    """Under `Optimize`: no schedule can cost less than this (a certificate)."""
    gap: float | None = None
    """Under `Optimize`: cost less lower bound, relative to max(1, the money that flows)."""
    assumptions: tuple[str, ...] = ()
    """What was assumed on the caller's behalf."""

    @property
    def grid_to_site_kwh_ac(self) -> Floats:
        """Grid energy that serves the load."""
        return self.series[0]

    @property
    def grid_to_battery_kwh_ac(self) -> Floats:
        """Grid energy sent to the battery, before conversion."""
        return self.series[1]

    @property
    def solar_to_battery_kwh_dc(self) -> Floats:
        """Solar energy as it arrives at the battery."""
        return self.series[2]

    @property
    def solar_to_site_kwh_ac(self) -> Floats:
        """Solar energy that serves the load."""
        return self.series[3]

    @property
    def solar_to_grid_kwh_ac(self) -> Floats:
        """Solar energy exported."""
        return self.series[4]

    @property
    def solar_curtailed_kwh_dc(self) -> Floats:
        """Solar energy not used."""
        return self.series[5]

    @property
    def battery_to_site_kwh_ac(self) -> Floats:
        """Battery energy that serves the load."""
        return self.series[6]

    @property
    def battery_to_grid_kwh_ac(self) -> Floats:
        """Battery energy exported."""
        return self.series[7]

    @property
    def net_load_kwh_ac(self) -> Floats:
        """Import minus export."""
        return self.series[8]

    @property
    def battery_soc(self) -> Floats:
        """State of charge at the end of each step, a fraction of capacity."""
        return self.series[9]

    @property
    def flows(self) -> dict[str, Floats]:
        """All ten series by name, in the order of the specification."""
        return dict(zip(SERIES, self.series, strict=True))

    @property
    def timestamps(self) -> tuple[datetime, ...]:
        """The start of every step on the site's clock."""
        return self.site.timeline.timestamps

    @property
    def devices(self) -> Mapping[str, DeviceResult]:
        """Each `BessDevice`'s part by its name; empty for a `Battery`."""
        return {unit.name: unit for unit in self.units} if self.named else {}

    @property
    def violations(self) -> tuple[Violation, ...]:
        """The policies' windows that were missed, in order of time."""
        missed = (violation for unit in self.units for violation in unit.violations)
        return tuple(sorted(missed, key=lambda violation: violation.timestamp.timestamp()))

    @property
    def import_kwh_ac(self) -> Floats:
        """Energy bought at the meter in each step."""
        return self.series[0] + self.series[1]

    @property
    def export_kwh_ac(self) -> Floats:
        """Energy sold at the meter in each step."""
        return self.series[4] + self.series[7]

    @property
    def stored_energy_change_kwh(self) -> float:
        """Energy stored at the end less that at the start, kWh DC."""
        return sum(unit.stored_energy_change_kwh for unit in self.units)

    @cached_property
    def degradation_cost(self) -> float:
        """Degradation cost of all energy that left the cells."""
        drawn = sum(unit.discharge_kwh_dc for unit in self.units)
        return self.degradation_cost_per_kwh * drawn if self.degradation_cost_per_kwh else 0.0

    @cached_property
    def energy_cost(self) -> float | None:
        """Energy bought less energy sold at the prices; None without prices."""
        if self.import_price is None or self.export_price is None:
            return None
        bought = float(np.dot(self.import_price, self.import_kwh_ac))
        return bought - float(np.dot(self.export_price, self.export_kwh_ac))

    @property
    def cost(self) -> float | None:
        """Energy cost plus degradation cost; None without prices or tariff."""
        return None if self.energy_cost is None else self.energy_cost + self.degradation_cost

    def to_pandas(self) -> pd.DataFrame:
        """All series as a data frame on the site's clock; needs the extra ``pandas``."""
        try:
            import pandas
        except ImportError:
            raise MissingExtraError("to_pandas()", "pandas") from None
        timeline = self.site.timeline
        seconds = timeline.start_seconds + timeline.step_seconds * np.arange(self.site.steps)
        index = pandas.DatetimeIndex(seconds.astype("datetime64[s]"), name="timestamp")
        columns: dict[str, Any] = {name: row.copy() for name, row in self.flows.items()}
        return pandas.DataFrame(columns, index=index.tz_localize("UTC").tz_convert(timeline.tzinfo))
