"""A battery or a device as the core takes it: one way in for both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from bess import _core
from bess._arrays import Floats
from bess.battery import Battery
from bess.device import BessDevice
from bess.errors import InputError, Problem, join_path
from bess.policy import SchedulePolicy, Window, windows
from bess.result import DeviceResult, Violation
from bess.site import Site
from bess.timeline import Timeline

__all__ = ["Unit", "units_of"]

# What a device's model leaves open, and dispatch() takes as keywords.
DEVICE_KEYWORDS: Final = (
    "initial_state_of_charge",
    "terminal_state_of_charge",
    "self_discharge_per_hour",
    "degradation_cost_per_kwh",
    "allow_grid_to_battery",
    "allow_battery_to_grid",
    "allow_solar_to_battery",
)


# States of charge that differ by less are the same.
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, eq=False)
class Unit:
    """One battery on the site, with the windows its policies open."""

    name: str | None
    battery: Battery
    charging_priority: int
    discharging_priority: int
    windows: tuple[Window, ...]
    end_worth: tuple[tuple[float, float], ...] = ()
    """What energy left at the end is worth, from the first kWh DC on: money for each, and how many.
    """

    @property
    def unvalued(self) -> Unit:
        """The unit where what is left at the end is worth nothing."""
        return replace(self, end_worth=())

    def terminal_value(self, state_of_charge: float) -> float:
        """What is left at the end is worth."""
        left, value = self.battery.capacity_kwh * state_of_charge, 0.0
        for worth, width in self.end_worth:
            value += worth * min(left, width)
            left = max(left - width, 0.0)
        return value

    @property
    def initial_energy(self) -> float:
        """kWh DC stored before the first step."""
        return self.battery.capacity_kwh * self.battery.initial_state_of_charge

    def with_reserve(self, reserve: Floats, timeline: Timeline) -> Unit:
        """The unit with a window at every step's end at which more than its least is reserved.

        Raises `InputError` where a reserve is above the battery's most state of charge.
        """
        most, least = self.battery.max_state_of_charge, self.battery.min_state_of_charge
        above = np.flatnonzero(reserve > most + _ROUNDING)
        if len(above):
            raise InputError.at(
                f"reserve_state_of_charge[{above[0]}]",
                f"must be at most the battery's max_state_of_charge ({most:g})",
                float(reserve[above[0]]),
            )
        added = [
            Window(
                timeline.instant(step + 1),
                step,
                min(float(reserve[step]), most),
                most,
                ("reserve",),
            )
            for step in np.flatnonzero(reserve > least + _ROUNDING).tolist()
        ]
        found = sorted([*self.windows, *added], key=lambda window: window.at.timestamp())
        return replace(self, windows=tuple(found))

    def with_wear(self, degradation_cost_per_kwh: float) -> Unit:
        """The unit at another degradation cost."""
        update = {"degradation_cost_per_kwh": degradation_cost_per_kwh}
        return replace(self, battery=self.battery.model_copy(update=update))

    def core_battery(self, step_hours: float) -> _core.Battery:
        """The battery in the core's units: kWh and kWh per step."""
        b = self.battery
        return _core.Battery(
            capacity=b.capacity_kwh,
            minimum_energy=b.capacity_kwh * b.min_state_of_charge,
            maximum_energy=b.capacity_kwh * b.max_state_of_charge,
            initial_energy=self.initial_energy,
            charge_limit=b.charge_power_kw * step_hours,
            discharge_limit=b.discharge_power_kw * step_hours,
            ac_to_dc_efficiency=b.ac_to_dc_efficiency,
            dc_to_ac_efficiency=b.dc_to_ac_efficiency,
            input_efficiency=b.input_efficiency,
            degradation_cost=b.degradation_cost_per_kwh,
            dc_coupled=b.dc_coupled,
            grid_to_battery=b.allow_grid_to_battery,
            battery_to_grid=b.allow_battery_to_grid,
            solar_to_battery=b.allow_solar_to_battery,
            retention=(1 - b.self_discharge_per_hour) ** step_hours,
        )

    def core_windows(self) -> list[tuple[int, float, float]]:
        """The windows that bind, in kWh DC."""
        capacity = self.battery.capacity_kwh
        return [
            (w.step, capacity * w.minimum, capacity * w.maximum)
            for w in self.windows
            if w.step >= 0
        ]

    def core_device(
        self, step_hours: float, energy_windows: list[tuple[int, float, float]]
    ) -> _core.Device:
        """The unit with other windows, in kWh DC, than its own."""
        return _core.Device(
            self.core_battery(step_hours),
            self.charging_priority,
            self.discharging_priority,
            energy_windows,
            self.end_worth,
        )

    def result(
        self, series: Floats, step_hours: float, initial_state_of_charge: float | None = None
    ) -> DeviceResult:
        """The unit's part of a result, with the windows it missed."""
        initial = self.battery.initial_state_of_charge
        if initial_state_of_charge is not None:
            initial = initial_state_of_charge
        missed = []
        for window in self.windows:
            reached = initial if window.step < 0 else float(series[4, window.step])
            if max(window.minimum - reached, reached - window.maximum) > 1e-9:
                missed.append(
                    Violation(self.name, window.at, window.minimum, window.maximum, reached)
                )
        return DeviceResult(
            self.name or "battery",
            self.battery.capacity_kwh,
            initial,
            self.battery.dc_to_ac_efficiency,
            tuple(missed),
            series,
            1 - (1 - self.battery.self_discharge_per_hour) ** step_hours,
            self.terminal_value(float(series[4, -1])),
        )


def units_of(
    site: Site,
    battery: Battery | BessDevice | Sequence[BessDevice],
    policies: Sequence[Any],
    keywords: dict[str, Any],
) -> list[Unit]:
    """The units to dispatch, checked; ``keywords`` are the given ones of ``DEVICE_KEYWORDS``."""
    if isinstance(battery, Battery):
        if keywords:
            name, value = next(iter(keywords.items()))
            raise InputError.at(name, "is for devices: a Battery has its own field for it", value)
        opened = windows(
            _policies(policies),
            site.timeline,
            minimum=battery.min_state_of_charge,
            maximum=battery.max_state_of_charge,
        )
        if battery.self_discharge_per_hour:  # its own minimum binds only as far as it is kept
            least = battery.min_state_of_charge
            opened = tuple(replace(w, minimum=0.0) if w.minimum <= least else w for w in opened)
        return [Unit(None, battery, 10, 10, opened)]
    alone = isinstance(battery, BessDevice)
    devices = [battery] if isinstance(battery, BessDevice) else battery
    if not isinstance(devices, Sequence) or isinstance(devices, (str, bytes)):
        raise InputError.at(
            "battery", "must be a Battery, a BessDevice or a list of BessDevice", devices
        )
    if not devices:
        raise InputError.at("battery", "must have at least one device")
    if _policies(policies):
        raise InputError.at("policies", "is for a Battery: a BessDevice has its own policies")
    units: list[Unit] = []
    for i, device in enumerate(devices):
        path = "" if alone else f"battery[{i}]"
        if not isinstance(device, BessDevice):
            raise InputError.at(path, "must be a BessDevice", device)
        if any(device.name == unit.name for unit in units):
            raise InputError.at(f"{path}.name", "must be unique on the site", device.name)
        try:
            opened = windows(device.policies, site.timeline)
        except InputError as error:
            raise error.under(path) from None
        units.append(
            Unit(
                device.name,
                _battery_of(device, keywords, path),
                device.charging_priority,
                device.discharging_priority,
                opened,
            )
        )
    return units


def _policies(policies: Any) -> tuple[SchedulePolicy, ...]:
    if policies is None:
        return ()
    if not isinstance(policies, (list, tuple)):
        raise InputError.at("policies", "must be a list of policies", policies)
    if all(isinstance(policy, SchedulePolicy) for policy in policies):
        return tuple(policies)
    checked, problems = [], list[Problem]()
    for i, policy in enumerate(policies):
        try:
            checked.append(SchedulePolicy.model_validate(policy))
        except InputError as error:
            problems += error.under(f"policies[{i}]").problems
    if problems:
        raise InputError(*problems)
    return tuple(checked)


# What a figure of the battery is made of, where the device's own is out of all proportion.
_OF_DEVICE: Final = {
    "capacity_kwh": "operational_battery_capacity",
    "charge_power_kw": "maximum_charging_power",
    "discharge_power_kw": "maximum_discharging_power",
    "ac_to_dc_efficiency": "charging_efficiency",
    "dc_to_ac_efficiency": "discharging_efficiency",
}


def _battery_of(device: BessDevice, keywords: dict[str, Any], path: str) -> Battery:
    """A device's figures hold at its AC terminals; a battery's at the DC side of its inverter."""
    charging, discharging = device.charging_efficiency, device.discharging_efficiency
    try:
        return Battery(
            capacity_kwh=device.operational_battery_capacity / 1000,
            charge_power_kw=device.maximum_charging_power / 1000 * charging,
            discharge_power_kw=min(device.maximum_discharging_power / 1000 / discharging, 1e300),
            min_state_of_charge=0.0,
            max_state_of_charge=1.0,
            dc_coupled=False,
            ac_to_dc_efficiency=charging,
            dc_to_ac_efficiency=discharging,
            input_efficiency=1.0,
            **keywords,
        )
    except InputError as error:
        problem = error.problems[0]
        own = _OF_DEVICE.get(problem.path)
        if own is None:
            raise
        reason = f"is out of proportion: as {problem.path} it {problem.reason}"
        raise InputError.at(join_path(path, own), reason, getattr(device, own)) from None
