"""The storage request: what a caller asks for, checked as a whole before anything runs.

Keys may be camel or snake case, numbers and booleans may come as strings, and null is as good as
absent, as published requests have it. Everything wrong is reported at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AliasChoices,
    BeforeValidator,
    Discriminator,
    Field,
    ModelWrapValidatorHandler,
    Tag,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_snake
from pydantic_core import InitErrorDetails, PydanticCustomError

from bess._validation import ListOf, TextFlag, as_found
from bess.device import BessDevice
from bess.errors import InputError, Problem
from bess.policy import SchedulePolicy
from bess.storage.asked import Asked
from bess.storage.checks import NOT_WITH_DEVICES, storage_problems
from bess.storage.fields import (
    Calendars,
    DataValue,
    Efficiency,
    Fraction,
    Identifier,
    Instant,
    Limit,
    NotNegative,
    Positive,
    SelfDischarge,
    ServiceType,
    Terminal,
    ZoneName,
    absent_if_false,
    one_or_list,
)
from bess.storage.savings_inputs import SavingsInputs
from bess.time_of_use import TimeOfUse

__all__ = [
    "ConsumptionReference",
    "DispatchStrategy",
    "FixedScheduleInputs",
    "ProfileReference",
    "PropertyInput",
    "SolarReference",
    "StorageInputs",
    "StorageRequest",
]


class ProfileReference(Asked):
    """A profile by ``profileId``, ``providerProfileId`` or both."""

    profile_id: Identifier | None = None
    provider_profile_id: Identifier | None = None

    @model_validator(mode="after")
    def _has_an_id(self) -> ProfileReference:
        if self.profile_id is None and self.provider_profile_id is None:
            raise InputError.at("", "needs a profileId or a providerProfileId")
        return self


class ConsumptionReference(ProfileReference):
    """The consumption. ``typicalProfileId`` (ours) gives bills and gaps their shape: a profile's
    id, or one of the names `bess.baseline` knows."""

    typical_profile_id: Identifier | None = None


class SolarReference(ProfileReference):
    """A solar profile, multiplied by ``dataFactor``; its readings are kWh AC, or DC by ``side``."""

    data_factor: NotNegative = 1.0
    side: Literal["AC", "DC"] = "AC"


class FixedScheduleInputs(Asked):
    """When to charge and discharge: times of use, which can be pasted from a tariff.

    ``timezone`` is by default the tariff's, else the site's; ``calendars`` (ours) gives the days of
    calendars that the times of use name, each a list of dates.
    """

    charge_tous: ListOf[TimeOfUse] = ()
    discharge_tous: ListOf[TimeOfUse] = ()
    timezone: Annotated[
        ZoneName | None, Field(validation_alias=AliasChoices("timezone", "timeZone", "time_zone"))
    ] = None
    calendars: Calendars | None = None


class DispatchStrategy(Asked):
    """Exactly one strategy; none, or only false ones, means ``optimize``."""

    optimize: TextFlag = False
    charge_on_surplus: TextFlag = False
    fixed_schedule: Annotated[FixedScheduleInputs | None, BeforeValidator(absent_if_false)] = None

    @model_validator(mode="after")
    def _is_one(self) -> DispatchStrategy:
        if len(self.chosen) > 1:
            raise InputError.at("", f"must hold one strategy, not {' and '.join(self.chosen)}")
        return self

    @property
    def chosen(self) -> tuple[str, ...]:
        """The camel-case names of the strategies that are present and not false."""
        present = {
            "optimize": self.optimize,
            "chargeOnSurplus": self.charge_on_surplus,
            "fixedSchedule": self.fixed_schedule is not None,
        }
        return tuple(name for name, is_there in present.items() if is_there)


class PropertyInput(Asked):
    """A customer's property that chooses among a tariff's rates: ``keyName`` and ``dataValue``."""

    ignores_unknown: ClassVar[bool] = True

    key_name: Identifier
    data_value: DataValue


class StorageInputs(Asked):
    """The battery, its permissions, its tariff and its strategy; every field may be left out.

    States of charge are fractions of nameplate capacity, powers kW DC, capacity kWh DC, limits kWh
    AC per step, the inverter's limit kW AC, self-discharge (ours) the part lost in an hour, the
    degradation cost money per kWh DC that leaves the cells. ``devices`` (ours) stands in place of
    the battery's own fields.
    """

    main_tariff_id: Identifier | None = None
    dispatch_strategy: DispatchStrategy = DispatchStrategy()
    battery_nameplate_power: Positive | None = None
    battery_nameplate_charge_power_kw_dc: Positive | None = None
    battery_nameplate_discharge_power_kw_dc: Positive | None = None
    battery_nameplate_capacity: Positive = 6.0
    battery_min_soc: Fraction = 0.1
    battery_max_soc: Fraction = 1.0
    battery_initial_soc: Fraction = 0.5
    battery_terminal_soc: Terminal = "initial"
    battery_dc_coupled: TextFlag = True
    battery_ac_to_dc_efficiency: Efficiency = 0.96
    battery_dc_to_ac_efficiency: Efficiency = 0.96
    battery_input_efficiency: Efficiency = 0.975
    battery_self_discharge_per_hour: SelfDischarge = 0.0
    battery_degradation_cost: NotNegative = 0.0
    solar_dc_to_ac_efficiency: Efficiency = 0.96
    allow_grid_to_battery: TextFlag = True
    allow_battery_to_grid: TextFlag = True
    allow_solar_to_grid: TextFlag = True
    allow_solar_to_battery: TextFlag = True
    export_limit_kwh_ac: Limit | None = None
    import_limit_kwh_ac: Limit | None = None
    inverter_limit_kw_ac: Limit | None = None
    tariff_property_inputs: ListOf[PropertyInput] = ()
    policies: ListOf[SchedulePolicy] = ()
    devices: ListOf[BessDevice] = ()

    @model_validator(mode="wrap")
    @classmethod
    def _fields_agree(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        problems = list(storage_problems(data)) if isinstance(data, Mapping) else []
        found: list[InitErrorDetails] = []
        try:
            model = handler(data)
        except ValidationError as error:
            found = [as_found(details) for details in error.errors(include_url=False)]
        if problems:
            error_type = PydanticCustomError("value_error", "", {"error": InputError(*problems)})
            found.append({"type": error_type, "loc": (), "input": data})
        if found:
            raise ValidationError.from_exception_data(cls.__name__, found)
        return model


class StorageRequest(Asked):
    """A storage request (SPEC section 7).

    >>> request = StorageRequest.model_validate({
    ...     "fromDateTime": "2025-01-01T00:00:00-08:00",
    ...     "consumption": {"providerProfileId": "home"},
    ...     "storage": {"batteryNameplateCapacity": "13.5"}})
    >>> request.storage.battery_nameplate_capacity
    13.5

    Raises
    ------
    InputError
        With everything wrong, each at its path in the caller's own spelling.
    """

    from_date_time: Instant
    time_zone: ZoneName | None = None
    consumption: ConsumptionReference
    solar: Annotated[
        Annotated[SolarReference, Tag("one")] | Annotated[ListOf[SolarReference], Tag("list")],
        Discriminator(one_or_list),
    ] = ()
    storage: StorageInputs = StorageInputs()
    service_type: ServiceType = "ELECTRICITY"
    account_id: Identifier | None = None
    provider_account_id: Identifier | None = None
    provider_profile_id: Identifier | None = None
    profile_name: Identifier | None = None
    devices: ListOf[BessDevice] = ()
    savings: SavingsInputs | None = None
    """What the storage saves over its life (ours); None: it is not asked."""

    @model_validator(mode="after")
    def _devices_stand_alone(self) -> Self:
        given = self.storage.model_fields_set if self.devices else set()
        problems = [
            Problem(f"storage.{name}", "cannot be given with devices, which have their own")
            for name in (*NOT_WITH_DEVICES, "devices")
            if to_snake(name) in given
        ]
        if problems:
            raise InputError(*problems)
        return self

    @property
    def all_devices(self) -> tuple[BessDevice, ...]:
        """The devices, whether they stand beside the storage object or in it."""
        return self.devices or self.storage.devices

    @property
    def solar_profiles(self) -> tuple[SolarReference, ...]:
        """The solar profiles, of which there may be none."""
        return self.solar if isinstance(self.solar, tuple) else (self.solar,)
