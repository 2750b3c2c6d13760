"""The device registry's model: defaults, bounds, spelling, and what it says about bad input."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest

from bess.device import BessDevice
from bess.errors import InputError

WEEKLY: dict[str, Any] = {
    "type": "schedule",
    "schedule": {
        "frequency": "weekly",
        "day_of_week": ["monday", "friday"],
        "time": "09:00",
        "timezone": "America/New_York",
    },
    "minimum_state_of_charge": 85.49,
    "maximum_state_of_charge": 85.49,
}
ONCE: dict[str, Any] = {
    "schedule": {"frequency": "once", "date_times": ["2025-07-04T18:00:00-04:00"]},
    "minimum_state_of_charge": 0,
    "maximum_state_of_charge": 20,
}
DEVICE: dict[str, Any] = {
    "name": "LR34_001",
    "collector": "main_collector",
    "maximum_charging_power": 5000,
    "maximum_discharging_power": 4500.5,
    "operational_battery_capacity": 13500,
    "policies": [WEEKLY, ONCE],
}


def refusal(given: Any) -> str:
    with pytest.raises(InputError) as caught:
        BessDevice.model_validate(given)
    return str(caught.value)


def changed(path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """The device with one value replaced, or left out where the value is Ellipsis."""
    whole = copy.deepcopy(DEVICE)
    node: Any = whole
    for part in path[:-1]:
        node = node[part]
    if value is ...:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return whole


def test_what_may_be_absent_has_the_registrys_defaults() -> None:
    required = {key: value for key, value in DEVICE.items() if key != "policies"}
    device = BessDevice.model_validate(required)
    assert device.model_dump() == required | {
        "type": "battery_energy_storage_system",
        "charging_efficiency": 0.95,
        "discharging_efficiency": 0.95,
        "charging_priority": 10,
        "discharging_priority": 10,
        "policies": [],
    }


def test_a_device_comes_back_as_it_was_written() -> None:
    device = BessDevice.model_validate(DEVICE)
    assert device.model_dump(exclude_unset=True) == DEVICE
    assert json.loads(device.model_dump_json(exclude_unset=True)) == DEVICE
    again = BessDevice.model_validate_json(device.model_dump_json())
    assert again.model_dump() == device.model_dump()
    assert again == device
    assert len({again, device}) == 1
    assert pickle.loads(pickle.dumps(device)) == device


def test_a_device_is_built_in_python_from_its_fields() -> None:
    assert BessDevice(**DEVICE) == BessDevice.model_validate(DEVICE)


def test_the_schema_states_every_bound() -> None:
    schema = BessDevice.model_json_schema()
    assert schema["additionalProperties"] is False
    assert schema["required"] == [
        "name",
        "collector",
        "maximum_charging_power",
        "maximum_discharging_power",
        "operational_battery_capacity",
    ]
    bounds = {
        name: {key: value for key, value in field.items() if key not in ("title", "description")}
        for name, field in schema["properties"].items()
    }
    efficiency = {"type": "number", "exclusiveMinimum": 0, "maximum": 1, "default": 0.95}
    positive = {"type": "number", "exclusiveMinimum": 0}
    priority = {"type": "integer", "minimum": 1, "maximum": 10, "default": 10}
    kind = "battery_energy_storage_system"
    assert bounds == {
        "name": {"type": "string"},
        "collector": {"type": "string"},
        "type": {"type": "string", "const": kind, "default": kind},
        "charging_efficiency": efficiency,
        "discharging_efficiency": efficiency,
        "maximum_charging_power": positive,
        "maximum_discharging_power": positive,
        "operational_battery_capacity": positive,
        "charging_priority": priority,
        "discharging_priority": priority,
        "policies": {"type": "array", "items": {"$ref": "#/$defs/SchedulePolicy"}, "default": []},
    }
    policy = schema["$defs"]["SchedulePolicy"]["properties"]
    assert [choice["$ref"] for choice in policy["schedule"]["oneOf"]] == [
        "#/$defs/OnceSchedule",
        "#/$defs/WeeklySchedule",
    ]
    percent = policy["minimum_state_of_charge"]
    assert (percent["minimum"], percent["maximum"]) == (0, 100)
    assert schema["$defs"]["OnceSchedule"]["properties"]["date_times"]["minItems"] == 1
    assert json.loads(json.dumps(schema)) == schema


SCHEDULE = ("policies", 0, "schedule")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("name",), ..., "name: is required"),
        (("name",), 7, "name = 7: must be a string"),
        (("collector",), None, "collector = None: must be a string"),
        (("type",), "bess", "type = 'bess': must be 'battery_energy_storage_system'"),
        (("maximum_charging_power",), 0, "maximum_charging_power = 0: must be greater than 0"),
        (("maximum_charging_power",), "5000", "maximum_charging_power = '5000': must be a number"),
        (("maximum_charging_power",), True, "maximum_charging_power = True: must be a number"),
        (
            ("maximum_discharging_power",),
            float("inf"),
            "maximum_discharging_power = inf: must be a finite number",
        ),
        (("operational_battery_capacity",), ..., "operational_battery_capacity: is required"),
        (
            ("charging_efficiency",),
            1.01,
            "charging_efficiency = 1.01: must be less than or equal to 1",
        ),
        (
            ("discharging_efficiency",),
            0,
            "discharging_efficiency = 0: must be greater than 0",
        ),
        (("charging_priority",), 11, "charging_priority = 11: must be less than or equal to 10"),
        (
            ("charging_priority",),
            0,
            "charging_priority = 0: must be greater than or equal to 1",
        ),
        (("discharging_priority",), 1.5, "discharging_priority = 1.5: must be an integer"),
        (("discharging_priority",), "1", "discharging_priority = '1': must be an integer"),
        (("policies",), None, "policies = None: must be a list"),
        (("policies",), {}, "policies: must be a list"),
        (
            ("charging_eficiency",),
            0.9,
            "charging_eficiency = 0.9: is not a known field; did you mean charging_efficiency?",
        ),
        (("policies", 1), "weekly", "policies[1] = 'weekly': must be an object"),
        (("policies", 0, "type"), "tariff", "policies[0].type = 'tariff': must be 'schedule'"),
        (SCHEDULE, ..., "policies[0].schedule: is required"),
        (SCHEDULE, [], "policies[0].schedule = []: must be an object"),
        (
            (*SCHEDULE, "frequency"),
            "daily",
            "policies[0].schedule.frequency = 'daily': must be one of 'once', 'weekly'",
        ),
        ((*SCHEDULE, "frequency"), ..., "policies[0].schedule.frequency: is required"),
        ((*SCHEDULE, "timezone"), ..., "policies[0].schedule.timezone: is required"),
        (
            (*SCHEDULE, "timezone"),
            "America/NewYork",
            "policies[0].schedule.timezone = 'America/NewYork': is not a known IANA time zone; "
            "did you mean America/New_York?",
        ),
        (
            (*SCHEDULE, "time"),
            "9:00",
            "policies[0].schedule.time = '9:00': must be a time of day, HH:MM or HH:MM:SS, as in "
            "09:00",
        ),
        (
            (*SCHEDULE, "time"),
            "24:00",
            "policies[0].schedule.time = '24:00': must be a time of day, HH:MM or HH:MM:SS, as in "
            "09:00",
        ),
        (
            (*SCHEDULE, "time"),
            "09:00\n",
            "policies[0].schedule.time = '09:00\\n': must be a time of day, HH:MM or HH:MM:SS, as "
            "in 09:00",
        ),
        (
            (*SCHEDULE, "day_of_week"),
            [],
            "policies[0].schedule.day_of_week = []: must have at least 1 item",
        ),
        (
            (*SCHEDULE, "day_of_week"),
            "monday",
            "policies[0].schedule.day_of_week = 'monday': must be a list",
        ),
        (
            (*SCHEDULE, "day_of_week", 1),
            "Wensday",
            "policies[0].schedule.day_of_week[1] = 'Wensday': is not a day of the week; did you "
            "mean wednesday?",
        ),
        (
            (*SCHEDULE, "dayOfWeek"),
            ["monday"],
            "policies[0].schedule.dayOfWeek = ['monday']: is not a known field; did you mean "
            "day_of_week?",
        ),
        (
            ("policies", 1, "schedule", "date_times", 0),
            "2025-07-04T18:00:00",
            "policies[1].schedule.date_times[0] = '2025-07-04T18:00:00': has no UTC offset: add "
            "one, as in 2025-01-01T00:00-08:00",
        ),
        (
            ("policies", 1, "schedule", "date_times", 0),
            1751666400,
            "policies[1].schedule.date_times[0] = 1751666400: must be a string",
        ),
        (
            ("policies", 1, "minimum_state_of_charge"),
            21,
            "policies[1].minimum_state_of_charge = 21: must not exceed maximum_state_of_charge "
            "(20)",
        ),
        (
            ("policies", 1, "maximum_state_of_charge"),
            100.1,
            "policies[1].maximum_state_of_charge = 100.1: must be less than or equal to 100",
        ),
    ],
)
def test_bad_input_is_refused_by_its_path(
    path: tuple[str | int, ...], value: Any, message: str
) -> None:
    assert refusal(changed(path, value)) == message


def test_every_problem_is_named_at_once() -> None:
    bad = changed(("maximum_charging_power",), 0)
    bad["policies"][0]["schedule"]["timezone"] = 3
    bad["colector"] = bad.pop("collector")
    assert refusal(bad).splitlines() == [
        "colector = 'main_collector': is not a known field; did you mean collector?",
        "collector: is required",
        "maximum_charging_power = 0: must be greater than 0",
        "policies[0].schedule.timezone = 3: must be a string",
    ]


@pytest.mark.parametrize("given", [None, 3, "device", [], [DEVICE]])
def test_what_is_no_object_is_refused(given: Any) -> None:
    assert refusal(given).endswith(": must be an object")
