"""A battery as a device registry describes it, with the policies it must honour."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from bess._validation import AsInteger, AsNumber, ListOf, Model
from bess.policy import SchedulePolicy

__all__ = ["BessDevice"]

Efficiency = Annotated[float, Field(gt=0, le=1), AsNumber]
Positive = Annotated[float, Field(gt=0), AsNumber]
Priority = Annotated[int, Field(ge=1, le=10), AsInteger]


class BessDevice(Model):
    """A battery energy storage system, coupled to the site on its AC side.

    Powers (W) and efficiencies are those seen at its AC terminals, its state of charge may go from
    0 to 1, and its JSON comes back from `model_dump` as it came in. A number is a JSON number,
    never a string or a boolean; an unknown field is refused.

    >>> device = BessDevice.model_validate({
    ...     "name": "LR34_001", "collector": "main", "maximum_charging_power": 5000,
    ...     "maximum_discharging_power": 5000, "operational_battery_capacity": 13500})
    >>> device.charging_efficiency, device.charging_priority
    (0.95, 10)
    >>> BessDevice.model_validate(device.model_dump() | {"maximum_charging_power": 0})
    Traceback (most recent call last):
    bess.errors.InputError: maximum_charging_power = 0: must be greater than 0

    Raises
    ------
    InputError
        With every problem found, each at its path, such as ``policies[0].schedule.timezone``.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "description": "A battery energy storage system, seen at its AC terminals."
        }
    )

    name: Annotated[str, Field(description="Name of the device, unique on its site.")]
    collector: Annotated[
        str, Field(description="Node of the site's electrical tree to which it is connected.")
    ]
    type: Literal["battery_energy_storage_system"] = "battery_energy_storage_system"
    charging_efficiency: Annotated[
        Efficiency, Field(description="Stored energy per energy taken at the AC terminals.")
    ] = 0.95
    discharging_efficiency: Annotated[
        Efficiency, Field(description="Energy given at the AC terminals per stored energy used.")
    ] = 0.95
    maximum_charging_power: Annotated[Positive, Field(description="W at the AC terminals.")]
    maximum_discharging_power: Annotated[Positive, Field(description="W at the AC terminals.")]
    operational_battery_capacity: Annotated[Positive, Field(description="Wh.")]
    charging_priority: Annotated[
        Priority, Field(description="Turn when several devices charge: 1 first, 10 last.")
    ] = 10
    discharging_priority: Annotated[
        Priority, Field(description="Turn when several devices discharge: 1 first, 10 last.")
    ] = 10
    policies: Annotated[
        ListOf[SchedulePolicy], Field(description="What the device's state of charge must obey.")
    ] = ()
