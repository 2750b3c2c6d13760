"""Storage requests for tests: two in the shape in which they are published, and a day's."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from bess.errors import InputError
from bess.storage import StorageResponse, run_request

WEEK = {"fromDayOfWeek": 0, "toDayOfWeek": 6}
WINTER = {"seasonFromMonth": 10, "seasonFromDay": 1, "seasonToMonth": 5, "seasonToDay": 31}
SUMMER = {"seasonFromMonth": 6, "seasonFromDay": 1, "seasonToMonth": 9, "seasonToDay": 30}


def hours(start: int, end: int, season: dict[str, int]) -> dict[str, Any]:
    """A time of use: from ``start`` to ``end`` o'clock on every day of a season."""
    return {"season": season, "touPeriods": [{"fromHour": start, "toHour": end, **WEEK}]}


OPTIMIZED: dict[str, Any] = {
    "providerAccountId": "sins-example-jun23",
    "providerProfileId": "sins-example-jun23-poststorage",
    "fromDateTime": "2023-05-01T00:00:00-07:00",
    "consumption": {"providerProfileId": "sins-example-jun23-bills"},
    "solar": [
        {"providerProfileId": "sins-example-jun23-solar", "dataFactor": 1.5},
        {"providerProfileId": "sins-example-jun23-solar2"},
    ],
    "storage": {
        "mainTariffId": 3424821,
        "dispatchStrategy": {"optimize": True},
        "batteryNameplatePower": "3.0",
        "batteryNameplateCapacity": "6.0",
        "batteryMinSoc": "0.1",
        "batteryMaxSoc": "1.0",
        "batteryInitialSoc": "0.5",
        "batteryDcCoupled": True,
        "batteryAcToDcEfficiency": "0.96",
        "batteryDcToAcEfficiency": "0.96",
        "batteryInputEfficiency": "0.975",
        "batteryDegradationCost": "0",
        "solarDcToAcEfficiency": "0.96",
        "allowBatteryToGrid": True,
        "allowGridToBattery": True,
        "allowSolarToGrid": True,
        "allowSolarToBattery": True,
        "tariffPropertyInputs": [
            {"keyName": "accPlusAdderCustomerType", "dataValue": "nonLowIncome"},
            {"keyName": "hasCareDiscount", "dataValue": "false"},
        ],
    },
}

FIXED_SCHEDULE: dict[str, Any] = {
    "providerAccountId": "sins-example-jun23",
    "providerProfileId": "sins-example-jun23-poststorage-fixed-schedule",
    "fromDateTime": "2023-05-01T00:00:00-07:00",
    "consumption": {"providerProfileId": "sins-example-jun23-bills"},
    "solar": {"providerProfileId": "sins-example-jun23-solar"},
    "storage": {
        "dispatchStrategy": {
            "fixedSchedule": {
                "chargeTous": [hours(8, 17, WINTER), hours(8, 18, SUMMER)],
                "dischargeTous": [hours(17, 22, WINTER), hours(18, 22, SUMMER)],
            }
        }
    },
}


def energy_rate(name: str, price: float, start: int, end: int, **other: Any) -> dict[str, Any]:
    """An Arcadia/Genability rate that holds from ``start`` to ``end`` o'clock."""
    return {
        "rateName": name,
        "rateGroupName": other.pop("group", "Energy"),
        "chargeType": "CONSUMPTION_BASED",
        "transactionType": "BUY_IMPORT",
        "rateBands": [{"rateAmount": price}],
        "timeOfUse": {"touPeriods": [{"fromHour": start, "toHour": end, **WEEK}]},
    } | other


TARIFF: dict[str, Any] = {
    "tariffId": 3424821,
    "masterTariffId": 99,
    "tariffName": "Test tariff",
    "timeZone": "America/Los_Angeles",
    "currency": "USD",
    "properties": [
        {
            "keyName": "hasCareDiscount",
            "dataType": "BOOLEAN",
            "propertyTypes": "RATE_CRITERIA",
            "propertyValue": "true",
        }
    ],
    "rates": [
        energy_rate("Peak", 0.50, 16, 21),
        energy_rate("Off-peak", 0.20, 21, 16),
        energy_rate("Export", 0.05, 0, 24, group="Export", transactionType="SELL_EXPORT"),
    ],
}


def home(days: int = 365) -> dict[str, np.ndarray]:
    """A load with an evening peak and two arrays of solar panels, kWh per hour."""
    hour = np.arange(24.0 * days) % 24
    sun = np.maximum(0.0, 1 - np.abs(hour - 12.5) / 6)
    return {
        "sins-example-jun23-bills": 0.4 + 1.6 * ((hour >= 17) & (hour < 22)),
        "sins-example-jun23-solar": 2.0 * sun,
        "sins-example-jun23-solar2": 1.0 * sun,
    }


def day(strategy: Any = None, **storage: Any) -> dict[str, Any]:
    """A request for one winter day."""
    if strategy is not None:
        storage["dispatchStrategy"] = strategy
    return {
        "fromDateTime": "2025-01-06T00:00:00-08:00",
        "timeZone": "America/Los_Angeles",
        "consumption": {"profileId": "sins-example-jun23-bills"},
        "solar": {"profileId": "sins-example-jun23-solar"},
        "storage": storage,
    }


def check_profiles(response: StorageResponse, prefix: str) -> None:
    """The three profiles are one family, and add up to the net load."""
    usage, solar, storage = response.profiles
    assert [p.provider_profile_id for p in response.profiles] == [
        f"{prefix}-usage",
        f"{prefix}-solar",
        f"{prefix}-storage",
    ]
    assert {p.source.request_id for p in response.profiles} == {response.request_id}
    assert usage.export_data_series is None
    assert solar.export_data_series is None
    assert storage.export_data_series is not None
    assert min(p.data_series.min() for p in response.profiles) >= 0
    assert storage.export_data_series.min() >= 0
    net = usage.data_series + storage.data_series - solar.data_series - storage.export_data_series
    assert net == pytest.approx(response.flows["net_load_kwh_ac"], abs=1e-9)


def refusal(request: Any, **given: Any) -> str:
    """The message with which a request is refused."""
    with pytest.raises(InputError) as caught:
        run_request(request, **({"profiles": home(1)} | given))
    return str(caught.value)


def changed(path: str, value: Any) -> dict[str, Any]:
    """A day's request in which one field has another value; ``...`` takes the field away."""
    request = copy.deepcopy(day({"chargeOnSurplus": True}))
    *outer, last = path.split(".")
    node = request
    for key in outer:
        node = node.setdefault(key, {})
    if value is ...:
        del node[last]
    else:
        node[last] = value
    return request
