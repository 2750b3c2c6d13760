"""What a request asks to dispatch: its battery or devices, how, and what it saves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bess.battery import Battery
from bess.device import BessDevice
from bess.dispatch import dispatch
from bess.economics import Savings, savings
from bess.errors import InputError
from bess.prices import Prices
from bess.result import Result
from bess.site import Site
from bess.storage.request import StorageRequest
from bess.strategy import FixedSchedule, Optimize, Strategy, Surplus
from bess.tariff import Tariff

__all__ = ["battery_of", "dispatch_request", "strategy_of"]


def strategy_of(request: StorageRequest) -> Strategy:
    """How to dispatch; `Optimize` where the request does not say."""
    strategy = request.storage.dispatch_strategy
    schedule = strategy.fixed_schedule
    if schedule is not None:
        return FixedSchedule(
            schedule.charge_tous,
            schedule.discharge_tous,
            schedule.timezone,
            schedule.calendars,
        )
    return Surplus() if strategy.charge_on_surplus else Optimize()


def dispatch_request(
    request: StorageRequest,
    site: Site,
    tariff: Tariff | Prices | None,
    before: Tariff | Prices | None = None,
    solar: Tariff | Prices | None = None,
    progress: Callable[[str], None] | None = None,
) -> tuple[Result, Savings | None]:
    """The dispatch that a request asks for, and what it saves where it asks for that.

    ``before`` and ``solar`` are the tariffs it names for those scenarios.
    """
    battery, options = battery_of(request)
    strategy = strategy_of(request)
    if request.savings is None:
        paid: dict[str, Any] = {"prices" if isinstance(tariff, Prices) else "tariff": tariff}
        return dispatch(site, battery, strategy, **paid, **options), None
    if tariff is None:
        raise InputError.at("after_tariff", "is required: savings need a tariff")
    found = savings(
        site,
        battery,
        strategy,
        before_tariff=tariff if before is None else before,
        after_tariff=tariff,
        solar_tariff=solar,
        progress=progress,
        **request.savings.arguments(),
        **options,
    )
    return found.result, found


def battery_of(
    request: StorageRequest,
) -> tuple[Battery | Sequence[BessDevice], dict[str, Any]]:
    """The battery or the devices, and what `dispatch` is told beside them."""
    storage = request.storage
    common: dict[str, Any] = {
        "initial_state_of_charge": storage.battery_initial_soc,
        "terminal_state_of_charge": storage.battery_terminal_soc,
        "self_discharge_per_hour": storage.battery_self_discharge_per_hour,
        "degradation_cost_per_kwh": storage.battery_degradation_cost,
        "allow_grid_to_battery": storage.allow_grid_to_battery,
        "allow_battery_to_grid": storage.allow_battery_to_grid,
        "allow_solar_to_battery": storage.allow_solar_to_battery,
    }
    if request.all_devices:
        return list(request.all_devices), common
    power = storage.battery_nameplate_power or 3.0
    battery = Battery(
        capacity_kwh=storage.battery_nameplate_capacity,
        charge_power_kw=storage.battery_nameplate_charge_power_kw_dc or power,
        discharge_power_kw=storage.battery_nameplate_discharge_power_kw_dc or power,
        min_state_of_charge=storage.battery_min_soc,
        max_state_of_charge=storage.battery_max_soc,
        dc_coupled=storage.battery_dc_coupled,
        ac_to_dc_efficiency=storage.battery_ac_to_dc_efficiency,
        dc_to_ac_efficiency=storage.battery_dc_to_ac_efficiency,
        input_efficiency=storage.battery_input_efficiency,
        **common,
    )
    return battery, {"policies": storage.policies}
