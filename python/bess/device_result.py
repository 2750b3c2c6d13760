"""One device's part of a result: its flows and state of charge, and the windows it missed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, cast

from bess._arrays import Floats, freeze

__all__ = ["DEVICE_SERIES", "DeviceResult", "Row", "Violation"]

DEVICE_SERIES: Final = (
    "grid_to_battery_kwh_ac",
    "solar_to_battery_kwh_dc",
    "battery_to_site_kwh_ac",
    "battery_to_grid_kwh_ac",
    "battery_soc",
)


class Row:
    """One row of an object's ``series``, as a read-only attribute."""

    def __init__(self, row: int, doc: str) -> None:
        self._row = row
        self.__doc__ = doc

    def __get__(self, instance: Any, owner: type) -> Floats:
        if instance is None:
            return cast("Floats", self)  # the class's attribute, with its docstring
        return cast("Floats", instance.series[self._row])


@dataclass(frozen=True)
class Violation:
    """A policy's window that was missed: when, what was wanted, and the state of charge reached.

    >>> from datetime import UTC
    >>> print(Violation(None, datetime(2025, 6, 1, 17, tzinfo=UTC), 0.8, 1.0, 0.655))
    2025-06-01T17:00:00+00:00: state of charge 65.50 %, wanted 80 to 100 %
    """

    device: str | None
    """The device's name; None for a plain `Battery`."""
    timestamp: datetime
    """The policy's own instant, on the site's clock."""
    minimum: float
    """Least state of charge wanted, a fraction of capacity."""
    maximum: float
    """Most state of charge wanted, a fraction of capacity."""
    state_of_charge: float
    """The state of charge reached at the end of the step with that instant, a fraction."""

    def __str__(self) -> str:
        whose = f"{self.device}: " if self.device else ""
        wanted = f"{100 * self.minimum:g} to {100 * self.maximum:g} %"
        reached = f"{100 * self.state_of_charge:.2f} %"
        return f"{whose}{self.timestamp.isoformat()}: state of charge {reached}, wanted {wanted}"


@dataclass(frozen=True, eq=False)
class DeviceResult:
    """One device's part of the flows; read-only series as in `Result`, of length ``site.steps``.

    >>> from bess import BessDevice, Site, Surplus, dispatch
    >>> site = Site(load_kwh=[0, 1], solar_kwh=[2, 0], start="2025-06-01T12:00Z")
    >>> device = BessDevice(
    ...     name="east", collector="main", maximum_charging_power=5000,
    ...     maximum_discharging_power=5000, operational_battery_capacity=10000)
    >>> east = dispatch(site, device, Surplus()).devices["east"]
    >>> east.solar_to_battery_kwh_dc.round(3).tolist(), round(east.equivalent_full_cycles, 4)
    ([1.9, 0.0], 0.1053)
    """

    name: str
    capacity_kwh: float
    """kWh DC."""
    initial_state_of_charge: float
    """A fraction of capacity; under a cyclic optimum, the one it found."""
    discharge_efficiency: float
    """kWh AC given for each kWh DC that leaves the cells."""
    violations: tuple[Violation, ...]
    """The windows of its own policies that were missed, in order of time."""
    series: Floats = field(repr=False)
    """Its five series in the order of ``DEVICE_SERIES``, shape (5, steps)."""
    self_discharge_per_step: float = 0.0
    """The part of the stored energy that is lost in a step."""
    terminal_value: float = 0.0
    """What the energy left at the end is worth, money; see `Optimize.terminal_value`."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(freeze(state))

    grid_to_battery_kwh_ac = Row(0, "Grid energy sent to the device, before conversion.")
    solar_to_battery_kwh_dc = Row(1, "Solar energy as it arrives at the device.")
    battery_to_site_kwh_ac = Row(2, "Energy the device gives to the site.")
    battery_to_grid_kwh_ac = Row(3, "Energy the device gives to the grid.")
    battery_soc = Row(4, "State of charge at the end of each step, a fraction of capacity.")

    @property
    def stored_energy_change_kwh(self) -> float:
        """Energy stored at the end less that at the start, kWh DC."""
        return self.capacity_kwh * (float(self.series[4, -1]) - self.initial_state_of_charge)

    @property
    def self_discharge_kwh(self) -> float:
        """Stored energy lost by self-discharge over the horizon, kWh DC.

        What was stored while charging, less what left the cells, less this is the change of stored
        energy.
        """
        held = self.initial_state_of_charge + float(self.series[4, :-1].sum())
        return self.self_discharge_per_step * self.capacity_kwh * held

    @property
    def discharge_kwh_dc(self) -> float:
        """Energy that left the cells over the horizon for the site or the grid, kWh DC."""
        return float(self.series[2].sum() + self.series[3].sum()) / self.discharge_efficiency

    @property
    def equivalent_full_cycles(self) -> float:
        """Energy that left the cells over the horizon, in capacities."""
        return self.discharge_kwh_dc / self.capacity_kwh
