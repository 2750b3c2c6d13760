"""What a dispatch refuses before anything runs."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from odd_values import anything

import bess

START = "2025-01-01T00:00Z"
SITE = bess.Site(load_kwh=[1, 2, 3], solar_kwh=[0, 4, 0], start=START)
BATTERY = bess.Battery()
FIELDS = {
    "name": "a",
    "collector": "main",
    "maximum_charging_power": 3000,
    "maximum_discharging_power": 3000,
    "operational_battery_capacity": 6000,
}
DEVICE = bess.BessDevice.model_validate(FIELDS)
OTHER = bess.BessDevice.model_validate(FIELDS | {"name": "b"})
POLICY = {
    "schedule": {"frequency": "once", "date_times": ["2025-01-01T02:00Z"]},
    "minimum_state_of_charge": 20,
    "maximum_state_of_charge": 80,
}
PRICES = bess.Prices([0.1, 0.3, 0.2], 0.05)
TERMINAL = 'must be a fraction, a pair [low, high], "initial", "cyclic" or "free"'
KINDS = "must be one of Surplus(), FixedSchedule(), Follow(), PeakShave(), Optimize()"
STORES = "must be a Battery, a BessDevice or a list of BessDevice"
LATE = {"touPeriods": [{"fromHour": 1, "toHour": 6}]}


def run(**arguments: Any) -> bess.Result:
    positional = {"site": SITE, "battery": BATTERY, "strategy": bess.Surplus()} | arguments
    site, battery, strategy = (positional.pop(name) for name in ("site", "battery", "strategy"))
    return bess.dispatch(site, battery, strategy, **positional)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"site": None}, "site = None: must be a bess.Site"),
    ({"site": [1, 2, 3]}, "site = [1, 2, 3]: must be a bess.Site"),
    ({"battery": None}, f"battery = None: {STORES}"),
    ({"battery": 13.5}, f"battery = 13.5: {STORES}"),
    ({"battery": "a"}, f"battery = 'a': {STORES}"),
    ({"battery": {}}, f"battery = {{}}: {STORES}"),
    ({"battery": []}, "battery: must have at least one device"),
    ({"battery": [DEVICE, 5]}, "battery[1] = 5: must be a BessDevice"),
    ({"battery": [None, DEVICE]}, "battery[0] = None: must be a BessDevice"),
    (
        {"battery": [BATTERY]},
        f"battery[0] = {repr(BATTERY)[:77]}...: must be a BessDevice",
    ),
    ({"battery": [DEVICE, OTHER, DEVICE]}, "battery[2].name = 'a': must be unique on the site"),
    ({"strategy": None}, f"strategy = None: {KINDS}"),
    ({"strategy": "surplus"}, f"strategy = 'surplus': {KINDS}"),
    ({"strategy": bess.Surplus}, f"strategy = <class 'bess.strategy.Surplus'>: {KINDS}"),
    ({"prices": 0.3}, "prices = 0.3: must be bess.Prices"),
    ({"prices": [1, 2, 3]}, "prices = [1, 2, 3]: must be bess.Prices"),
    (
        {"prices": bess.Prices([1, 2])},
        "prices.import_price: has 2 values; the site has 3 steps",
    ),
    (
        {"prices": bess.Prices(1, [1, 2, 3, 4])},
        "prices.export_price: has 4 values; the site has 3 steps",
    ),
    ({"strategy": bess.Optimize()}, "prices: are required by Optimize (or a tariff)"),
    ({"tariff": "E-TOU-C"}, "tariff = 'E-TOU-C': must be a bess.Tariff (see load_tariff)"),
    ({"tariff": {}}, "tariff = {}: must be a bess.Tariff (see load_tariff)"),
    (
        {"tariff": PRICES},
        "tariff = Prices(import_price=<3 values>, export_price=0.05): must be a bess.Tariff (see "
        "load_tariff)",
    ),
    ({"prices": PRICES, "tariff": 5}, "prices: cannot be given together with a tariff"),
    (
        {"strategy": bess.Follow([1, 2])},
        "power_kw: has 2 values; the site has 3 steps",
    ),
    (
        {"strategy": bess.FixedSchedule([LATE], [LATE])},
        "discharge: overlaps with charge, first at 2025-01-01T01:00:00+00:00",
    ),
    (
        {"strategy": bess.FixedSchedule([LATE | {"calendar": 9}])},
        "calendars: lacks the days of: 9",
    ),
    ({"policies": POLICY}, f"policies = {repr(POLICY)[:77]}...: must be a list of policies"),
    ({"policies": 0}, "policies = 0: must be a list of policies"),
    ({"policies": np.array([1, 2])}, "policies = array([1, 2]): must be a list of policies"),
    ({"policies": [None]}, "policies[0] = None: must be an object"),
    (
        {"policies": [POLICY, POLICY | {"minimum_state_of_charge": True}, 5]},
        "policies[1].minimum_state_of_charge = True: must be a number\n"
        "policies[2] = 5: must be an object",
    ),
    (
        {"policies": [POLICY | {"minimumStateOfCharge": 1}]},
        "policies[0].minimumStateOfCharge = 1: is not a known field; did you mean "
        "minimum_state_of_charge?",
    ),
    (
        {
            "policies": [
                POLICY,
                POLICY | {"minimum_state_of_charge": 90, "maximum_state_of_charge": 95},
            ]
        },
        "policies[1]: asks for 90 to 95 % at 2025-01-01T02:00:00+00:00, which has nothing in "
        "common with policies[0] (20 to 80 %)",
    ),
    (
        {"policies": [POLICY | {"minimum_state_of_charge": 0, "maximum_state_of_charge": 5}]},
        "policies[0]: asks for 0 to 5 % at 2025-01-01T02:00:00+00:00, which has nothing in common "
        "with the battery's limits (10 to 100 %)",
    ),
    (
        {"battery": DEVICE, "policies": [POLICY]},
        "policies: is for a Battery: a BessDevice has its own policies",
    ),
    # Keywords for devices
    (
        {"initial_state_of_charge": 0.5},
        "initial_state_of_charge = 0.5: is for devices: a Battery has its own field for it",
    ),
    (
        {"allow_grid_to_battery": False},
        "allow_grid_to_battery = False: is for devices: a Battery has its own field for it",
    ),
    (
        {"battery": DEVICE, "initial_state_of_charge": 50},
        "initial_state_of_charge = 50: must be less than or equal to 1",
    ),
    (
        {"battery": DEVICE, "initial_state_of_charge": True},
        "initial_state_of_charge = True: must be a number",
    ),
    (
        {"battery": [DEVICE, OTHER], "terminal_state_of_charge": "start"},
        f"terminal_state_of_charge = 'start': {TERMINAL}",
    ),
    (
        {"battery": DEVICE, "degradation_cost_per_kwh": -1},
        "degradation_cost_per_kwh = -1: must be greater than or equal to 0",
    ),
    (
        {"battery": DEVICE, "allow_battery_to_grid": "no"},
        "allow_battery_to_grid = 'no': must be true or false",
    ),
    (
        {
            "battery": [
                DEVICE,
                bess.BessDevice.model_validate(
                    FIELDS | {"name": "c", "operational_battery_capacity": 1e-9}
                ),
            ]
        },
        "battery[1].operational_battery_capacity = 1e-09: is out of proportion: as capacity_kwh it "
        "must be from 1e-06 to 1e+12",
    ),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED, ids=[m for _, m in REFUSED])
def test_a_dispatch_is_refused_by_what_is_not_valid(
    arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(bess.InputError) as caught:
        run(**arguments)
    assert str(caught.value) == message


KEYWORDS = [
    "prices",
    "tariff",
    "policies",
    "initial_state_of_charge",
    "terminal_state_of_charge",
    "degradation_cost_per_kwh",
    "allow_grid_to_battery",
    "allow_battery_to_grid",
    "allow_solar_to_battery",
]
RULES = [
    bess.Surplus(),
    bess.PeakShave(target_kw=1),
    bess.Follow([1, -1, 0]),
    bess.FixedSchedule(discharge=[LATE]),
]


@given(
    st.sampled_from([BATTERY, DEVICE, [DEVICE, OTHER]]),
    st.sampled_from(RULES),
    st.dictionaries(
        st.sampled_from(["site", "battery", "strategy", *KEYWORDS]),
        anything,
        min_size=1,
        max_size=3,
    ),
)
def test_whatever_is_dispatched_is_dispatched_or_bad_input(
    battery: Any, strategy: Any, arguments: dict[str, Any]
) -> None:
    with contextlib.suppress(bess.InputError):
        result = run(**({"battery": battery, "strategy": strategy} | arguments))
        assert np.isfinite(result.series).all()
