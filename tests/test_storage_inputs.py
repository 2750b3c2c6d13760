"""What a storage request refers to: its tariff, policies, devices and profiles."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reference import dispatch as slow_dispatch
from reference import surplus_wish
from reference_models import Step, Store
from storage_requests import TARIFF, check_profiles, day, home

import bess
from bess.errors import InputError
from bess.profile import Profile
from bess.storage import StorageRequest, run_request

EXAMPLES = Path(__file__).parents[1] / "examples"
SURPLUS = {"chargeOnSurplus": True}


def example(name: str) -> dict[str, Any]:
    request: dict[str, Any] = json.loads((EXAMPLES / name).read_text("utf-8"))
    return request


# Tariffs


@pytest.mark.highs
def test_the_only_tariff_is_taken_and_said_to_be() -> None:
    response = run_request(day(), profiles=home(1), tariffs={"flat": {"importPrice": 0.3}})
    assert "no mainTariffId: tariff flat, the only tariff given, is used" in response.assumptions
    assert "no dispatchStrategy: optimize" in response.assumptions


def test_an_accounts_tariff_is_used_where_the_request_names_none() -> None:
    asked = day(SURPLUS) | {"providerAccountId": "sins-example-jun23"}
    tariffs = {"99": TARIFF, "flat": {"importPrice": 0.3}}
    response = run_request(asked, home(1), tariffs, accounts={"sins-example-jun23": 99})
    assert response.currency == "USD"
    assert "tariff 99: that of account sins-example-jun23" in response.assumptions


def test_prices_may_stand_for_a_tariff() -> None:
    prices = bess.Prices(import_price=np.linspace(0.1, 0.4, 24))
    response = run_request(day(SURPLUS, mainTariffId="mine"), home(1), {"mine": prices})
    imports = response.result.import_kwh_ac
    assert response.cost == pytest.approx(float(np.linspace(0.1, 0.4, 24) @ imports))


def test_the_schedules_clock_is_its_own_then_the_tariffs_then_the_sites() -> None:
    def first_discharge(asked: dict[str, Any], tariffs: Any = None) -> int:
        flows = run_request(asked, home(1), tariffs).flows
        return int(np.argmax(flows["battery_to_site_kwh_ac"] > 0))

    tous = {"dischargeTous": [{"touPeriods": [{"fromHour": 12, "toHour": 24}]}]}
    without = {**day(), "solar": []}
    site = without | {"storage": {"dispatchStrategy": {"fixedSchedule": tous}}}
    own = {"fixedSchedule": tous | {"timezone": "America/New_York"}}
    east = TARIFF | {"timeZone": "America/Chicago"}
    assert first_discharge(site) == 12
    assert first_discharge(site, [east]) == 10
    assert first_discharge(without | {"storage": {"dispatchStrategy": own}}, [east]) == 9


# Policies and devices

WEEKLY = {
    "schedule": {
        "frequency": "weekly",
        "day_of_week": ["monday"],
        "time": "06:00",
        "timezone": "America/Los_Angeles",
    },
    "minimum_state_of_charge": 80,
    "maximum_state_of_charge": 100,
}
DEVICE = {
    "name": "one",
    "collector": "main",
    "maximum_charging_power": 3000,
    "maximum_discharging_power": 3000,
    "operational_battery_capacity": 6000,
}


def test_a_requests_policies_are_honoured() -> None:
    response = run_request(day(SURPLUS, policies=[WEEKLY]), profiles=home(1))
    assert response.flows["battery_soc"][5] == pytest.approx(0.8)
    assert response.violations == []


def test_a_policy_that_cannot_be_met_is_reported() -> None:
    asked = day(SURPLUS, policies=[WEEKLY], allowGridToBattery=False)
    (missed,) = run_request(asked, profiles=home(1)).violations
    assert missed.model_dump(by_alias=True) == {
        "timestamp": "2025-01-06T06:00:00-08:00",
        "minimum": 0.8,
        "maximum": 1.0,
        "stateOfCharge": 0.5,
    }


@pytest.mark.parametrize("inside", [True, False])
def test_devices_stand_in_the_batterys_place(inside: bool) -> None:
    devices = [DEVICE, DEVICE | {"name": "two", "policies": [WEEKLY]}]
    asked = day(SURPLUS, batteryInitialSoc=0.25)
    (asked["storage"] if inside else asked)["devices"] = devices
    response = run_request(asked, profiles=home(1))
    parts = response.result.devices
    assert list(parts) == ["one", "two"]
    assert parts["one"].initial_state_of_charge == 0.25
    assert parts["two"].battery_soc[5] == pytest.approx(0.8)


# The shipped examples


def test_the_shipped_home_charges_on_surplus_as_the_slow_twin_does() -> None:
    response = run_request(example("charge_on_surplus.json"), EXAMPLES, EXAMPLES)
    site = response.result.site
    store = Store(
        lowest=1.35,
        highest=13.5,
        initial=6.75,
        charge_limit=5.0,
        discharge_limit=5.0,
        ac_to_dc=0.96,
        dc_to_ac=0.96,
        input_efficiency=0.975,
        solar_efficiency=0.96,
        dc_coupled=True,
    )
    steps = [Step(load, solar) for load, solar in zip(site.load_kwh, site.solar_kwh, strict=True)]
    flows, energies, _ = slow_dispatch(steps, store, [surplus_wish(s, store) for s in steps])
    for name in ("grid_to_site_kwh_ac", "solar_to_battery_kwh_dc", "solar_to_grid_kwh_ac"):
        slow = [getattr(flow, name) for flow in flows]
        assert response.flows[name] == pytest.approx(slow, abs=1e-9)
    assert response.flows["battery_soc"] == pytest.approx(np.array(energies) / 13.5, abs=1e-9)


@pytest.mark.highs
def test_the_shipped_requests_rank_as_they_should() -> None:
    names = ("charge_on_surplus", "fixed_schedule", "device_on_surplus", "optimize")
    answers = {n: run_request(example(f"{n}.json"), EXAMPLES, EXAMPLES) for n in names}
    for name, response in answers.items():
        check_profiles(response, example(f"{name}.json")["providerProfileId"])
        assert response.result.site.load_kwh.sum() == pytest.approx(10_618, abs=1)
        assert response.result.site.solar_kwh.sum() == pytest.approx(7_212.5, abs=0.1)
        assert response.violations == []
    costs = {name: answers[name].cost for name in names}
    assert costs["optimize"] == min(costs.values())  # type: ignore[type-var]


def test_requests_and_answers_pickle() -> None:
    request = StorageRequest.model_validate(day(SURPLUS))
    assert pickle.loads(pickle.dumps(request)) == request
    response = run_request(request, profiles=home(1))
    again = pickle.loads(pickle.dumps(response))
    assert again.model_dump() == response.model_dump()


def test_profiles_are_found_by_any_id_they_bear(tmp_path: Path) -> None:
    load, solar = (home(1)[f"sins-example-jun23-{kind}"] for kind in ("bills", "solar"))
    document = {"providerProfileId": "sins-example-jun23-bills", "dataSeries": load.tolist()}
    (tmp_path / "some-file.json").write_text(json.dumps(document))
    (tmp_path / "sins-example-jun23-solar.csv").write_text("\n".join(map(str, solar)))
    (tmp_path / "other.json").write_text("[not a profile")
    found = run_request(day(SURPLUS), profiles=tmp_path)
    listed = run_request(
        day(SURPLUS),
        profiles=[document, {"profileId": "sins-example-jun23-solar", "dataSeries": solar}],
    )
    built = run_request(
        day(SURPLUS),
        profiles={
            "sins-example-jun23-bills": Profile(load),
            "sins-example-jun23-solar": tmp_path / "sins-example-jun23-solar.csv",
        },
    )
    for response in (listed, built):
        assert response.flows["net_load_kwh_ac"].tolist() == found.flows["net_load_kwh_ac"].tolist()


def test_ids_of_two_profiles_are_refused() -> None:
    asked = day(SURPLUS) | {"consumption": {"profileId": "a", "providerProfileId": "b"}}
    with pytest.raises(InputError) as caught:
        run_request(asked, profiles={"a": [1.0], "b": [1.0], "sins-example-jun23-solar": [1.0]})
    assert str(caught.value) == ("consumption.providerProfileId = 'b': is profile b, not profile a")
