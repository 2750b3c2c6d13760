"""Each field of a storage request, given wrongly: the exact message, at the path as spelt."""

from __future__ import annotations

from typing import Any

import pytest
from storage_requests import changed, refusal

FRACTION = "must be less than or equal to 1"

BAD_FIELDS = [
    ("fromDateTime", ..., "fromDateTime: is required"),
    (
        "fromDateTime",
        "2025-01-06T00:00:00",
        "fromDateTime = '2025-01-06T00:00:00': has no UTC offset: add one, as in "
        "2025-01-01T00:00-08:00",
    ),
    (
        "fromDateTime",
        "6 January 2025",
        "fromDateTime = '6 January 2025': must be an ISO 8601 date and time such as "
        "2025-01-01T00:00:00-08:00",
    ),
    (
        "fromDateTime",
        1736150400,
        "fromDateTime = 1736150400: must be an ISO 8601 date and time such as "
        "2025-01-01T00:00:00-08:00",
    ),
    (
        "fromDateTime",
        "2025-01-06T00:00:00-07:00",
        "fromDateTime = '2025-01-06T00:00:00-07:00': has an offset that contradicts "
        "America/Los_Angeles, where it is 2025-01-05T23:00:00-08:00",
    ),
    (
        "fromDateTime",
        "2025-01-06T00:20:00-08:00",
        "fromDateTime = '2025-01-06T00:20:00-08:00': must be a whole number of steps (3600 s) "
        "after midnight, local or UTC",
    ),
    (
        "timeZone",
        "America/LosAngeles",
        "timeZone = 'America/LosAngeles': is not a known IANA time zone; did you mean "
        "America/Los_Angeles?",
    ),
    ("timeZone", -8, "timeZone = -8: must be a string"),
    ("serviceType", "GAS", "serviceType = 'GAS': must be ELECTRICITY"),
    ("consumption", ..., "consumption: is required"),
    ("consumption", "home", "consumption = 'home': must be an object"),
    ("consumption", {}, "consumption: needs a profileId or a providerProfileId"),
    ("consumption.profileId", " ", "consumption.profileId = ' ': must not be empty"),
    ("consumption.profileId", True, "consumption.profileId = True: must be a string"),
    (
        "consumption.dataFactor",
        2,
        "consumption.dataFactor = 2: is not a known field; known fields: profileId, "
        "providerProfileId, typicalProfileId",
    ),
    (
        "consumption.profileId",
        "sins-example-jun23-bill",
        "consumption.profileId = 'sins-example-jun23-bill': no profile has this id; did you mean "
        "sins-example-jun23-bills? (given: sins-example-jun23-bills, sins-example-jun23-solar, "
        "sins-example-jun23-solar2)",
    ),
    ("solar", 5, "solar = 5: must be an object"),
    ("solar.dataFactor", "-1", "solar.dataFactor = '-1': must be greater than or equal to 0"),
    ("solar.dataFactor", "much", "solar.dataFactor = 'much': must be a number"),
    ("solar.side", "dc", "solar.side = 'dc': must be 'AC' or 'DC'"),
    ("solar", [{"dataFactor": 1}], "solar[0]: needs a profileId or a providerProfileId"),
    ("storage", [], "storage = []: must be an object"),
    (
        "storage.batteryMinSOC",
        0.2,
        "storage.batteryMinSOC = 0.2: is not a known field; did you mean batteryMinSoc?",
    ),
    (
        "storage.batteryNameplateCapacity",
        0,
        "storage.batteryNameplateCapacity = 0: must be greater than 0",
    ),
    (
        "storage.batteryNameplatePower",
        "-3",
        "storage.batteryNameplatePower = '-3': must be greater than 0",
    ),
    (
        "storage.batteryNameplatePower",
        "3 kW",
        "storage.batteryNameplatePower = '3 kW': must be a number",
    ),
    (
        "storage.batteryNameplatePower",
        True,
        "storage.batteryNameplatePower = True: must be a number",
    ),
    (
        "storage.batteryNameplatePower",
        "inf",
        "storage.batteryNameplatePower = 'inf': must be a finite number",
    ),
    (
        "storage.batteryNameplateChargePowerKwDc",
        3,
        "storage.batteryNameplateDischargePowerKwDc: is required with "
        "batteryNameplateChargePowerKwDc",
    ),
    ("storage.batteryMaxSoc", 1.5, f"storage.batteryMaxSoc = 1.5: {FRACTION}"),
    (
        "storage.batteryMaxSoc",
        "0.05",
        "storage.batteryMaxSoc = '0.05': must be above batteryMinSoc (0.1 by default)",
    ),
    (
        "storage.batteryMinSoc",
        "0.6",
        "storage.batteryInitialSoc: must be at least batteryMinSoc (0.6) (0.5 by default)",
    ),
    (
        "storage.batteryInitialSoc",
        "0.05",
        "storage.batteryInitialSoc = '0.05': must be at least batteryMinSoc (0.1)",
    ),
    (
        "storage.battery_initial_soc",
        0.05,
        "storage.battery_initial_soc = 0.05: must be at least batteryMinSoc (0.1)",
    ),
    (
        "storage.batteryTerminalSoc",
        "end",
        "storage.batteryTerminalSoc = 'end': must be a fraction, a pair [low, high], "
        '"initial", "cyclic" or "free"',
    ),
    (
        "storage.batteryTerminalSoc",
        [0.8, 0.2],
        "storage.batteryTerminalSoc = [0.8, 0.2]: must be a pair [low, high] with low ≤ high",
    ),
    (
        "storage.batteryTerminalSoc",
        [0, 0.05],
        "storage.batteryTerminalSoc = [0, 0.05]: must leave a state of charge between 0.1 and 1",
    ),
    ("storage.batteryDcCoupled", "yes", "storage.batteryDcCoupled = 'yes': must be true or false"),
    ("storage.allowSolarToGrid", 1, "storage.allowSolarToGrid = 1: must be true or false"),
    (
        "storage.batteryAcToDcEfficiency",
        "0.0",
        "storage.batteryAcToDcEfficiency = '0.0': must be greater than 0",
    ),
    (
        "storage.batteryDcToAcEfficiency",
        96,
        f"storage.batteryDcToAcEfficiency = 96: {FRACTION}",
    ),
    (
        "storage.batteryDegradationCost",
        -0.01,
        "storage.batteryDegradationCost = -0.01: must be greater than or equal to 0",
    ),
    (
        "storage.exportLimitKwhAc",
        -1,
        "storage.exportLimitKwhAc = -1: must be greater than or equal to 0",
    ),
    (
        "storage.exportLimitKwhAc",
        [1, -1],
        "storage.exportLimitKwhAc[1] = -1.0: must be a finite number ≥ 0",
    ),
    (
        "storage.export_limit_kwh_ac",
        [1, 1],
        "storage.export_limit_kwh_ac: has 2 values; the site has 24 steps",
    ),
    (
        "storage.dispatchStrategy",
        {"optimize": True, "chargeOnSurplus": "true"},
        "storage.dispatchStrategy: must hold one strategy, not optimize and chargeOnSurplus",
    ),
    (
        "storage.dispatchStrategy",
        {"optimise": True},
        "storage.dispatchStrategy.optimise = True: is not a known field; did you mean optimize?",
    ),
    (
        "storage.dispatchStrategy",
        {"optimize": True},
        "storage.mainTariffId: is required: optimize needs a tariff",
    ),
    (
        "storage.dispatchStrategy",
        {"fixedSchedule": {"chargeTous": [{"touPeriods": [{"fromHour": 25, "toHour": 2}]}]}},
        "storage.dispatchStrategy.fixedSchedule.chargeTous[0].touPeriods[0].fromHour = 25: must "
        "be less than or equal to 24",
    ),
    (
        "storage.dispatchStrategy",
        {
            "fixedSchedule": {
                "chargeTous": [{"touPeriods": [{"fromHour": 8, "toHour": 12}]}],
                "dischargeTous": [{"touPeriods": [{"fromHour": 11, "toHour": 22}]}],
            }
        },
        "storage.dispatchStrategy.fixedSchedule.dischargeTous: overlaps with charge, first at "
        "2025-01-06T11:00:00-08:00",
    ),
    (
        "storage.dispatchStrategy",
        {"fixedSchedule": {"timezone": "Nowhere"}},
        "storage.dispatchStrategy.fixedSchedule.timezone = 'Nowhere': is not a known IANA time "
        "zone; write it as in America/Los_Angeles",
    ),
    (
        "storage.dispatchStrategy",
        {
            "fixedSchedule": {
                "chargeTous": [{"calendarId": 7, "touPeriods": [{"fromHour": 0, "toHour": 1}]}]
            }
        },
        "storage.dispatchStrategy.fixedSchedule.calendars: lacks the days of: 7",
    ),
    (
        "storage.mainTariffId",
        5,
        "storage.mainTariffId = '5': no tariff has this id (given: none)",
    ),
    (
        "storage.tariffPropertyInputs",
        [{"keyName": "a"}],
        "storage.tariffPropertyInputs[0].dataValue: is required",
    ),
    (
        "storage.policies",
        [{"schedule": {"frequency": "daily"}}],
        "storage.policies[0].schedule.frequency = 'daily': must be one of 'once', 'weekly'\n"
        "storage.policies[0].minimum_state_of_charge: is required\n"
        "storage.policies[0].maximum_state_of_charge: is required",
    ),
    ("storage.devices", {}, "storage.devices: must be a list"),
]


@pytest.mark.parametrize(("path", "value", "message"), BAD_FIELDS)
def test_a_bad_field_is_refused_at_its_path(path: str, value: Any, message: str) -> None:
    assert refusal(changed(path, value)) == message
