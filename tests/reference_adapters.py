"""From the library's own objects to the slow twin's plain numbers, and a check of any result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reference_balances import check_balances
from reference_models import INF, Step, Store

import bess


def steps_of(site: bess.Site) -> list[Step]:
    """The steps of a site."""
    return [
        Step(
            load=float(site.load_kwh[t]),
            solar=float(site.solar_kwh[t]),
            export_limit=_at(site.export_limit_kwh, t),
            import_limit=_at(site.import_limit_kwh, t),
            solar_to_grid=site.allow_solar_to_grid,
            inverter_limit=_at(site.inverter_limit_kwh, t),
        )
        for t in range(site.steps)
    ]


def _at(limit: Any, t: int) -> float:
    return INF if limit is None else float(limit[t])


def store_of(battery: bess.Battery, site: bess.Site) -> Store:
    """A battery at a site."""
    return Store(
        lowest=battery.min_state_of_charge * battery.capacity_kwh,
        highest=battery.max_state_of_charge * battery.capacity_kwh,
        initial=battery.initial_state_of_charge * battery.capacity_kwh,
        charge_limit=battery.charge_power_kw * site.step_hours,
        discharge_limit=battery.discharge_power_kw * site.step_hours,
        ac_to_dc=battery.ac_to_dc_efficiency,
        dc_to_ac=battery.dc_to_ac_efficiency,
        input_efficiency=battery.input_efficiency,
        solar_efficiency=site.solar_dc_to_ac_efficiency,
        dc_coupled=battery.dc_coupled,
        grid_to_battery=battery.allow_grid_to_battery,
        battery_to_grid=battery.allow_battery_to_grid,
        solar_to_battery=battery.allow_solar_to_battery,
        wear=battery.degradation_cost_per_kwh,
        retention=(1 - battery.self_discharge_per_hour) ** site.step_hours,
    )


def store_of_device(
    device: bess.BessDevice, site: bess.Site, initial: float = 0.5, **permissions: bool
) -> Store:
    """A registry's device at a site; powers and efficiencies are those of its AC terminals."""
    into, out = device.charging_efficiency, device.discharging_efficiency
    capacity = device.operational_battery_capacity / 1000
    return Store(
        lowest=0.0,
        highest=capacity,
        initial=initial * capacity,
        charge_limit=device.maximum_charging_power / 1000 * into * site.step_hours,
        discharge_limit=device.maximum_discharging_power / 1000 / out * site.step_hours,
        ac_to_dc=into,
        dc_to_ac=out,
        solar_efficiency=site.solar_dc_to_ac_efficiency,
        **permissions,
    )


def check_result(
    result: Any,
    battery: bess.Battery | bess.BessDevice | Sequence[bess.BessDevice],
    *,
    initial: float = 0.5,
    **options: Any,
) -> None:
    """`check_balances` on a result of `bess.dispatch`; `initial` is the devices' state of charge.

    Further options: the permissions of devices (`grid_to_battery=False`, ...) and
    `allow_simultaneous`.
    """
    site = result.site
    simultaneous = options.pop("allow_simultaneous", False)
    if isinstance(battery, bess.Battery):
        stores, capacities = [store_of(battery, site)], [battery.capacity_kwh]
    else:
        devices = [battery] if isinstance(battery, bess.BessDevice) else list(battery)
        stores = [store_of_device(d, site, initial, **options) for d in devices]
        capacities = [d.operational_battery_capacity / 1000 for d in devices]
    check_balances(steps_of(site), stores, capacities, result, allow_simultaneous=simultaneous)
