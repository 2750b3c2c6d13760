"""Requests that cannot be run: each is refused with everything wrong, at its path, as spelt."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from storage_requests import OPTIMIZED, TARIFF, changed, day, home, refusal

from bess.errors import InputError
from bess.storage import StorageRequest


def test_everything_wrong_is_reported_at_once() -> None:
    request = copy.deepcopy(OPTIMIZED)
    request["fromDateTime"] = "2023-05-01T00:00:00"
    request["storage"] |= {
        "batteryAcToDcEfficiency": "0.0",
        "batteryInitialSoc": "0.0",
        "batterySize": 6,
        "batteryNameplateChargePowerKwDc": "3.0",
    }
    request["solar"][1] = {"dataFactor": "x"}
    assert refusal(request).splitlines() == [
        "fromDateTime = '2023-05-01T00:00:00': has no UTC offset: add one, as in "
        "2025-01-01T00:00-08:00",
        "solar[1].dataFactor = 'x': must be a number",
        "storage.batterySize = 6: is not a known field; did you mean batteryMinSoc?",
        "storage.batteryAcToDcEfficiency = '0.0': must be greater than 0",
        "storage.batteryNameplateChargePowerKwDc = '3.0': cannot be given with "
        "batteryNameplatePower: give one or the pair, not both",
        "storage.batteryInitialSoc = '0.0': must be at least batteryMinSoc (0.1)",
    ]


def test_profiles_and_tariff_are_looked_for_before_any_is_refused() -> None:
    request = changed("storage.mainTariffId", 5)
    profiles = {"sins-example-jun23-bills": [1.0, -1.0]}
    assert refusal(request, profiles=profiles, tariffs=[TARIFF]).splitlines() == [
        "profile sins-example-jun23-bills[1] = -1.0: must be a finite number ≥ 0",
        "solar.profileId = 'sins-example-jun23-solar': no profile has this id; did you mean "
        "sins-example-jun23-bills? (given: sins-example-jun23-bills)",
        "storage.mainTariffId = '5': no tariff has this id (given: 3424821, 99)",
    ]


def test_a_key_given_twice_is_refused() -> None:
    request = changed("storage.batteryMinSoc", 0.1)
    request["storage"]["battery_min_soc"] = 0.2
    assert refusal(request) == (
        "storage.battery_min_soc = 0.2: is given twice, also as batteryMinSoc"
    )


def test_devices_and_a_battery_are_not_given_together() -> None:
    device = {
        "name": "one",
        "collector": "main",
        "maximum_charging_power": 3000,
        "maximum_discharging_power": 3000,
        "operational_battery_capacity": 6000,
    }
    inside = changed("storage.batteryNameplateCapacity", 6)
    inside["storage"]["devices"] = [device]
    message = (
        "storage.batteryNameplateCapacity{}: cannot be given with devices, which have their own"
    )
    assert refusal(inside) == message.format(" = 6")
    beside = changed("storage.batteryNameplateCapacity", 6) | {"devices": [device]}
    assert refusal(beside) == message.format("")
    zero = changed("devices", [device | {"maximum_charging_power": 0}])
    assert refusal(zero) == "devices[0].maximum_charging_power = 0: must be greater than 0"
    same = changed("storage.devices", [device, device])
    assert refusal(same).startswith("storage.devices[1].name = 'one': ")


def test_several_tariffs_need_a_choice() -> None:
    tariffs = {"a": {"importPrice": 0.3}, "b": {"importPrice": 0.4}}
    assert refusal(day({"optimize": True}), tariffs=tariffs) == (
        "storage.mainTariffId: is required, for there are several tariffs: tariff a, tariff b"
    )


def test_a_tariffs_open_questions_are_asked_under_the_requests_name() -> None:
    asking = copy.deepcopy(TARIFF)
    asking["rates"][0] |= {
        "applicabilityKey": "zone",
        "rateBands": [{"rateAmount": 0.5, "applicabilityValue": "H"}],
    }
    asking["properties"] = [
        {
            "keyName": "zone",
            "dataType": "CHOICE",
            "choices": [{"value": "H"}, {"value": "J"}],
        }
    ]
    message = refusal(day({"chargeOnSurplus": True}), tariffs=[asking])
    assert message.startswith("storage.tariffPropertyInputs")
    assert "zone" in message


def test_profiles_of_other_steps_or_days_are_refused() -> None:
    profiles = home(1) | {"sins-example-jun23-solar": [1.0] * 35_040}
    assert refusal(day({"chargeOnSurplus": True}), profiles=profiles) == (
        "profile sins-example-jun23-solar: has steps of 15 min, the first profile 60 min"
    )
    late = {"dataSeries": [1.0] * 24, "fromDateTime": "2025-01-07T00:00:00-08:00"}
    profiles = home(1) | {"sins-example-jun23-solar": late}
    assert refusal(day({"chargeOnSurplus": True}), profiles=profiles) == (
        "profile sins-example-jun23-solar: covers 2025-01-07 to 2025-01-07, less than a year, so "
        "it must start where the request does, 2025-01-06T00:00:00-08:00"
    )


def test_folders_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    asked = day({"chargeOnSurplus": True})
    assert refusal(asked, profiles=tmp_path / "absent") == (
        f"profiles = '{tmp_path / 'absent'}': is no folder that can be read: "
        "No such file or directory"
    )
    assert refusal(asked, profiles=3) == ("profiles: must be a folder or a mapping of ids, not int")
    (tmp_path / "sins-example-jun23-bills.csv").write_text("1\n")
    (tmp_path / "sins-example-jun23-bills.json").write_text("{}")
    (tmp_path / "sins-example-jun23-solar.json").write_text('{"dataSeries": [1, }')
    lines = refusal(asked, profiles=tmp_path).splitlines()
    assert lines[0] == (
        "consumption.profileId = 'sins-example-jun23-bills': is the id of several profiles: "
        "sins-example-jun23-bills.csv, sins-example-jun23-bills.json"
    )
    assert "sins-example-jun23-solar.json: is not JSON" in lines[1]


@pytest.mark.parametrize("request_", [None, 3, "text", [], [1]])
def test_a_request_that_is_no_object_is_refused(request_: Any) -> None:
    assert refusal(request_).endswith("must be an object")


def test_comments_are_not_json() -> None:
    with pytest.raises(InputError, match="JSON has no comments: remove them"):
        StorageRequest.model_validate_json(
            json.dumps(OPTIMIZED, indent=1).replace(",\n", ", // a comment\n", 1)
        )
