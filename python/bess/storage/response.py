"""The answer to a storage request: three post-storage profiles and the flows behind them."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    model_serializer,
)
from pydantic.alias_generators import to_camel

from bess.economics import Savings
from bess.result import Result

__all__ = [
    "PolicyViolation",
    "PostStorageProfile",
    "ProfileSource",
    "StorageOptimizationResponse",
    "StorageResponse",
]

FloatArray = NDArray[np.float64]


def _array(values: Any) -> FloatArray:
    array = np.array(values, dtype=np.float64)
    array.setflags(write=False)
    return array


Series = Annotated[
    np.ndarray[Any, np.dtype[np.float64]],
    BeforeValidator(_array),
    PlainSerializer(lambda array: array.tolist(), return_type=list[float]),
]
"""A read-only float64 array that is dumped as a plain list."""


class _Answer(BaseModel):
    """A part of the answer; fields without a value are left out of its JSON."""

    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, populate_by_name=True, arbitrary_types_allowed=True
    )

    @model_serializer(mode="wrap")
    def _without_absent(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in dump(self).items() if value is not None}


class ProfileSource(_Answer):
    """Who made a profile; the profiles of one answer share ``request_id``."""

    name: str = "bess"
    request_id: str


class PostStorageProfile(_Answer):
    """One of the three profiles (SPEC section 7): kWh AC per step of ``duration`` milliseconds.

    ``data_series`` holds what its name says: grid imports to the site, solar exports, or (for the
    storage profile) grid imports to the battery, whose exports are in ``export_data_series``. The
    other two have no ``export_data_series``.
    """

    profile_id: str
    provider_profile_id: str
    profile_name: str
    account_id: str | None = None
    provider_account_id: str | None = None
    service_types: str = "ELECTRICITY"
    source: ProfileSource
    from_date_time: str
    time_zone: str | None = None
    duration: int
    quantity_unit: str = "kWh"
    data_series: Series
    export_data_series: Series | None = None


class StorageOptimizationResponse(_Answer):
    """Every flow of SPEC section 2, a value per step of ``duration`` milliseconds."""

    from_date_time: str
    time_zone: str | None = None
    duration: int
    grid_to_site_kwh_ac: Series
    grid_to_battery_kwh_ac: Series
    solar_to_battery_kwh_dc: Series
    solar_to_site_kwh_ac: Series
    solar_to_grid_kwh_ac: Series
    solar_curtailed_kwh_dc: Series
    battery_to_site_kwh_ac: Series
    battery_to_grid_kwh_ac: Series
    net_load_kwh_ac: Series
    battery_soc: Series


class PolicyViolation(_Answer):
    """A policy's window that was not met: when, what it wanted, what was reached (fractions)."""

    device: str | None = None
    timestamp: str
    minimum: float
    maximum: float
    state_of_charge: float


class StorageResponse(_Answer):
    """The answer; ``model_dump(by_alias=True)`` is its JSON, in plain lists and numbers.

    ``cost`` is the money for the horizon's energy and wear (None without a tariff),
    ``degradation_cost`` the part that is wear. ``savings`` is what the request asked of the
    lifetime, if it did. ``result``, ``flows`` and ``savings`` are not dumped.
    """

    request_id: str
    profiles: Annotated[list[PostStorageProfile], Field(min_length=3, max_length=3)]
    storage_optimization_response: StorageOptimizationResponse
    cost: float | None = None
    degradation_cost: float | None = None
    currency: str | None = None
    violations: list[PolicyViolation] = []
    assumptions: list[str] = []
    result: Annotated[InstanceOf[Result], Field(exclude=True, repr=False)]
    savings: Annotated[InstanceOf[Savings] | None, Field(exclude=True, repr=False)] = None

    @property
    def flows(self) -> dict[str, FloatArray]:
        """The series of `bess.Result` by name, in the order of SPEC section 2."""
        return dict(self.result.flows)
