"""Sites, batteries, devices and policies without losses, for numbers one checks in the head."""

from __future__ import annotations

from typing import Any

import bess

MONDAY = "2025-06-02T00:00:00+00:00"


def site(load: Any, solar: Any = None, **more: Any) -> bess.Site:
    """An hourly site in UTC whose solar inverter loses nothing."""
    fields = {"start": MONDAY, "time_zone": "UTC", "solar_dc_to_ac_efficiency": 1.0}
    if solar is not None:
        fields["solar_kwh"] = solar
    return bess.Site(load_kwh=load, **(fields | more))


def battery(**more: Any) -> bess.Battery:
    """10 kWh, 5 kW, half full, AC-coupled, without losses or a reserve."""
    fields = {
        "capacity_kwh": 10,
        "charge_power_kw": 5,
        "discharge_power_kw": 5,
        "min_state_of_charge": 0,
        "max_state_of_charge": 1,
        "initial_state_of_charge": 0.5,
        "dc_coupled": False,
        "ac_to_dc_efficiency": 1,
        "dc_to_ac_efficiency": 1,
        "input_efficiency": 1,
    }
    return bess.Battery(**(fields | more))


def hours(first: int, last: int) -> list[dict[str, Any]]:
    return [{"touPeriods": [{"fromHour": first, "toHour": last}]}]


def device(name: str, kwh: float = 10, kw: float = 5, **more: Any) -> bess.BessDevice:
    """A device without losses."""
    fields = {
        "name": name,
        "collector": "main",
        "charging_efficiency": 1,
        "discharging_efficiency": 1,
        "maximum_charging_power": kw * 1000,
        "maximum_discharging_power": kw * 1000,
        "operational_battery_capacity": kwh * 1000,
    }
    return bess.BessDevice.model_validate(fields | more)


def policy(at: str, low: float = 0, high: float = 100) -> dict[str, Any]:
    return {
        "schedule": {"frequency": "once", "date_times": [at]},
        "minimum_state_of_charge": low,
        "maximum_state_of_charge": high,
    }


IDLE = bess.FixedSchedule(charge=[], discharge=[])


def once(at: str | list[str], low: float = 0, high: float = 100) -> bess.SchedulePolicy:
    """The state of charge (percent) lies between low and high at given instants."""
    return bess.SchedulePolicy.model_validate(
        {
            "schedule": {"frequency": "once", "date_times": [at] if isinstance(at, str) else at},
            "minimum_state_of_charge": low,
            "maximum_state_of_charge": high,
        }
    )


def weekly(days: list[str], time: str, zone: str, low: float = 0, high: float = 100) -> Any:
    return bess.SchedulePolicy.model_validate(
        {
            "schedule": {
                "frequency": "weekly",
                "day_of_week": days,
                "time": time,
                "timezone": zone,
            },
            "minimum_state_of_charge": low,
            "maximum_state_of_charge": high,
        }
    )


def slow(**more: Any) -> bess.Battery:
    """An empty 10 kWh battery that takes and gives 1 kW, without losses."""
    fields = {"charge_power_kw": 1, "discharge_power_kw": 1, "initial_state_of_charge": 0}
    return battery(**(fields | more))
