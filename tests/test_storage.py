"""Storage requests, end to end: what is asked, what comes back."""

from __future__ import annotations

import json

import pytest
from storage_requests import FIXED_SCHEDULE, OPTIMIZED, TARIFF, check_profiles, day, home

from bess.storage import run_request
from bess.tariff import load_tariff

SURPLUS = {"chargeOnSurplus": True}


@pytest.mark.highs
def test_the_published_optimised_request() -> None:
    response = run_request(OPTIMIZED, profiles=home(), tariffs={"3424821": TARIFF})

    check_profiles(response, "sins-example-jun23-poststorage")
    result = response.result
    assert result.site.steps == 8784  # the year from 1 May 2023 has a leap day
    assert result.site.solar_kwh.sum() == pytest.approx(4 * 6 * 366)  # 1.5 × 2 kW and 1 kW
    assert result.gap is not None
    assert result.gap <= 1e-6
    idle = run_request(
        OPTIMIZED | {"storage": {"mainTariffId": 99, "dispatchStrategy": {"fixedSchedule": {}}}},
        profiles=home(),
        tariffs=[TARIFF],
    )
    assert response.cost is not None
    assert idle.cost is not None
    assert response.cost < idle.cost
    assert idle.result.stored_energy_change_kwh == 0
    assert response.currency == "USD"
    assert any("multiplied by 1.5" in text for text in response.assumptions)
    assert any("no timeZone: the site's clock stays at -07:00" in t for t in response.assumptions)


def test_the_published_fixed_schedule_request() -> None:
    response = run_request(FIXED_SCHEDULE, profiles=home(366))

    check_profiles(response, "sins-example-jun23-poststorage-fixed-schedule")
    assert response.cost is None
    flows = {name: flow.reshape(366, 24) for name, flow in response.flows.items()}
    charging = flows["grid_to_battery_kwh_ac"] + flows["solar_to_battery_kwh_dc"]
    discharging = flows["battery_to_site_kwh_ac"] + flows["battery_to_grid_kwh_ac"]
    assert charging[:, :8].sum() == charging[:, 18:].sum() == 0
    assert charging[:31, 17].sum() == 0  # in May the charge period ends at five
    assert discharging[:, :17].sum() == discharging[:, 22:].sum() == 0
    assert discharging[31:153, 17].sum() == 0  # from June to September it charges until six
    assert flows["battery_soc"][0, 8:11].tolist() == pytest.approx([0.9875, 1.0, 1.0])


def test_the_surplus_form_of_the_published_request() -> None:
    asked = OPTIMIZED | {"storage": OPTIMIZED["storage"] | {"dispatchStrategy": SURPLUS}}
    response = run_request(asked, profiles=home(), tariffs={3424821: load_tariff(TARIFF)})

    check_profiles(response, "sins-example-jun23-poststorage")
    assert response.flows["grid_to_battery_kwh_ac"].sum() == 0
    assert response.flows["battery_to_grid_kwh_ac"].sum() == 0
    assert response.cost is not None


def test_the_answer_is_plain_json_and_comes_back() -> None:
    asked = day(SURPLUS) | {"accountId": 7, "profileName": "Fav Customer"}
    response = run_request(asked, profiles=home(1))
    answer = response.model_dump(by_alias=True)

    again = json.loads(json.dumps(answer, allow_nan=False))
    assert again == answer
    usage, solar, storage = answer["profiles"]
    assert list(usage) == [
        "profileId",
        "providerProfileId",
        "profileName",
        "accountId",
        "serviceTypes",
        "source",
        "fromDateTime",
        "timeZone",
        "duration",
        "quantityUnit",
        "dataSeries",
    ]
    assert usage["accountId"] == "7"
    assert usage["serviceTypes"] == "ELECTRICITY"
    assert usage["source"] == {"name": "bess", "requestId": response.request_id}
    assert usage["fromDateTime"] == "2025-01-06T00:00:00-08:00"
    assert (usage["duration"], usage["quantityUnit"]) == (3_600_000, "kWh")
    assert [usage["profileName"], solar["profileName"], storage["profileName"]] == [
        "Fav Customer - Post-storage grid imports to site",
        "Fav Customer - Post-storage grid exports from solar",
        "Fav Customer - Grid imports and exports to and from battery",
    ]
    assert type(usage["dataSeries"]) is list
    assert {type(value) for value in usage["dataSeries"]} == {float}
    assert len(storage["exportDataSeries"]) == 24
    assert list(answer["storageOptimizationResponse"]) == [
        "fromDateTime",
        "timeZone",
        "duration",
        "gridToSiteKwhAc",
        "gridToBatteryKwhAc",
        "solarToBatteryKwhDc",
        "solarToSiteKwhAc",
        "solarToGridKwhAc",
        "solarCurtailedKwhDc",
        "batteryToSiteKwhAc",
        "batteryToGridKwhAc",
        "netLoadKwhAc",
        "batterySoc",
    ]
    assert "result" not in answer
    profile = type(response.profiles[2]).model_validate(again["profiles"][2])
    assert profile.model_dump(by_alias=True) == storage


def test_without_ids_the_request_id_names_the_profiles_and_is_always_the_same() -> None:
    first, second = (run_request(day(SURPLUS), profiles=home(1)) for _ in range(2))
    assert first.request_id == second.request_id
    assert first.profiles[0].provider_profile_id == f"{first.request_id}-usage"
    assert first.profiles[1].profile_name.startswith(f"{first.request_id} - ")
    other = run_request(day(SURPLUS, batteryMinSoc=0.2), profiles=home(1))
    assert other.request_id != first.request_id


def test_snake_case_strings_and_nulls_ask_for_the_same() -> None:
    camel = day(SURPLUS, batteryNameplateCapacity=9, allowSolarToGrid=False)
    snake = {
        "from_date_time": "2025-01-06T00:00:00-08:00",
        "time_zone": "America/Los_Angeles",
        "consumption": {"profile_id": "sins-example-jun23-bills", "provider_profile_id": None},
        "solar": [{"profile_id": "sins-example-jun23-solar", "data_factor": "1.0"}],
        "storage": {
            "dispatch_strategy": {
                "charge_on_surplus": "true",
                "optimize": None,
                "fixed_schedule": False,
            },
            "battery_nameplate_capacity": "9",
            "allow_solar_to_grid": "False",
            "export_limit_kwh_ac": None,
        },
    }
    flows = [run_request(asked, profiles=home(1)).flows for asked in (camel, snake)]
    for name, flow in flows[0].items():
        assert flow.tolist() == flows[1][name].tolist()


def test_asymmetric_powers_come_as_a_pair() -> None:
    pair = {
        "batteryNameplateChargePowerKwDc": "1.25",
        "batteryNameplateDischargePowerKwDc": "0.5",
    }
    response = run_request(day(SURPLUS, **pair), profiles=home(1))
    assert response.flows["solar_to_battery_kwh_dc"].max() == pytest.approx(1.25)
    assert response.flows["battery_to_site_kwh_ac"].max() == pytest.approx(0.5 * 0.96)


def test_limits_are_one_number_or_one_for_each_step() -> None:
    one = run_request(day(SURPLUS, exportLimitKwhAc="0.25"), profiles=home(1))
    many = run_request(day(SURPLUS, exportLimitKwhAc=[0.25] * 24), profiles=home(1))
    assert one.flows["solar_to_grid_kwh_ac"].max() == 0.25
    assert one.flows["solar_to_grid_kwh_ac"].tolist() == many.flows["solar_to_grid_kwh_ac"].tolist()


def test_several_arrays_are_scaled_and_summed_on_their_sides() -> None:
    asked = day(SURPLUS) | {
        "solar": [
            {"profileId": "sins-example-jun23-solar", "dataFactor": "0.5"},
            {"profileId": "sins-example-jun23-solar2", "side": "DC", "dataFactor": 2},
        ]
    }
    profiles = home(1)
    site = run_request(asked, profiles=profiles).result.site
    ac, dc = profiles["sins-example-jun23-solar"], profiles["sins-example-jun23-solar2"]
    assert site.solar_kwh_dc == pytest.approx(0.5 * ac / 0.96 + 2 * dc)


def test_solar_may_be_left_out() -> None:
    asked = {key: value for key, value in day(SURPLUS).items() if key != "solar"}
    response = run_request(asked, profiles=home(1))
    assert response.profiles[1].data_series.sum() == 0


def test_the_horizon_is_as_long_as_the_shortest_profile() -> None:
    profiles = {**home(2), "sins-example-jun23-solar": home(1)["sins-example-jun23-solar"]}
    assert run_request(day(SURPLUS), profiles=profiles).result.site.steps == 24
