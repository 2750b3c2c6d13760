"""One call for every strategy: what it takes, what cannot be met, and numbers of any size."""

from __future__ import annotations

import contextlib
import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
LATE = {"touPeriods": [{"fromHour": 1, "toHour": 6}]}


def run(**arguments: Any) -> bess.Result:
    positional = {"site": SITE, "battery": BATTERY, "strategy": bess.Surplus()} | arguments
    site, battery, strategy = (positional.pop(name) for name in ("site", "battery", "strategy"))
    return bess.dispatch(site, battery, strategy, **positional)


def test_one_device_is_a_list_of_one() -> None:
    policy = POLICY | {"minimum_state_of_charge": 70}
    device = bess.BessDevice.model_validate(FIELDS | {"policies": [policy]})
    for strategy in (bess.Surplus(), bess.PeakShave(target_kw=2), bess.Optimize()):
        alone, listed = (
            run(battery=it, strategy=strategy, prices=PRICES) for it in (device, [device])
        )
        np.testing.assert_array_equal(alone.series, listed.series)
        assert list(alone.devices) == list(listed.devices) == ["a"]
        assert alone.cost == listed.cost
        assert alone.violations == listed.violations


def test_devices_take_the_batterys_defaults_and_what_is_given_instead() -> None:
    assert run(battery=DEVICE).devices["a"].initial_state_of_charge == 0.5
    quarter = run(battery=DEVICE, initial_state_of_charge=np.float32(0.25))
    assert quarter.devices["a"].initial_state_of_charge == 0.25
    charging = bess.Follow([-2, 0, 0])
    taken = run(battery=DEVICE, strategy=charging).grid_to_battery_kwh_ac
    assert taken[0] == pytest.approx(2)
    refused = run(battery=DEVICE, strategy=charging, allow_grid_to_battery=np.False_)
    assert refused.grid_to_battery_kwh_ac[0] == 0


def test_policies_may_be_models_or_their_json_or_none() -> None:
    policy = bess.SchedulePolicy.model_validate(POLICY)
    one, two = (run(policies=given) for given in ([POLICY], (policy,)))
    np.testing.assert_array_equal(one.series, two.series)
    assert run(policies=None).violations == run(policies=()).violations == ()


def test_the_clock_of_a_schedule_is_the_tariffs_where_it_has_none() -> None:
    """1 to 6 o'clock in Berlin is 0 to 5 o'clock UTC in January."""
    tariff = bess.load_tariff(
        {
            "name": "flat",
            "timeZone": "Europe/Berlin",
            "rates": [
                {
                    "rateName": "energy",
                    "chargeType": "CONSUMPTION_BASED",
                    "rateBands": [{"rateAmount": 0.2}],
                }
            ],
        }
    )
    strategy = bess.FixedSchedule(discharge=[LATE])
    assert run(strategy=strategy).battery_to_site_kwh_ac[0] == 0
    result = run(strategy=strategy, tariff=tariff)
    assert result.battery_to_site_kwh_ac[0] == 1
    assert result.cost == pytest.approx(0.2 * result.import_kwh_ac.sum())


def test_steps_cut_by_a_period_are_an_assumption() -> None:
    cut = {"touPeriods": [{"fromHour": 0, "fromMinute": 30, "toHour": 2}]}
    result = run(strategy=bess.FixedSchedule(charge=[cut]))
    assert result.assumptions == (
        "fixed schedule: 1 steps are cut by a period; each counts for the one it starts in",
    )
    assert run().assumptions == ()


LIMITED = bess.Site(load_kwh=[1, 30, 1], start=START, import_limit_kwh=2)


@pytest.mark.parametrize(
    "battery", [BATTERY, DEVICE, [DEVICE, OTHER]], ids=["one", "device", "two"]
)
def test_load_that_cannot_be_served_is_named_by_its_step(battery: Any) -> None:
    with pytest.raises(bess.InfeasibleError) as caught:
        run(site=LIMITED, battery=battery)
    error = caught.value
    assert (error.step, error.timestamp) == (1, "2025-01-01T01:00:00+00:00")
    assert str(error).startswith(
        "step 1 (2025-01-01T01:00:00+00:00): the load is above the import limit, and neither solar "
        "nor battery can serve the rest"
    )


def test_a_window_out_of_reach_is_named_unless_it_is_relaxed() -> None:
    """From 50 to 100 % of 6 kWh in an hour of 3 kW: 0.975 * 3 of the 3 kWh arrive."""
    policy = {
        "schedule": {"frequency": "once", "date_times": ["2025-01-01T01:00Z"]},
        "minimum_state_of_charge": 100,
        "maximum_state_of_charge": 100,
    }
    with pytest.raises(bess.InfeasibleError) as caught:
        run(strategy=bess.Optimize(), prices=PRICES, policies=[policy])
    assert str(caught.value) == (
        "2025-01-01T01:00:00+00:00: a state of charge of 100 to 100 % cannot be reached (0.075 kWh "
        "of stored energy are missing); relax_policies=True comes as near as possible"
    )
    assert (caught.value.step, caught.value.timestamp) == (0, "2025-01-01T01:00:00+00:00")
    assert caught.value.shortfall_kwh == pytest.approx(0.075)

    result = run(strategy=bess.Optimize(relax_policies=True), prices=PRICES, policies=[policy])
    assert result.battery_soc[0] == pytest.approx(0.9875)
    (missed,) = result.violations
    assert (missed.device, missed.minimum, missed.maximum) == (None, 1.0, 1.0)
    assert missed.timestamp == datetime.datetime(2025, 1, 1, 1, tzinfo=datetime.UTC)
    assert missed.state_of_charge == pytest.approx(0.9875)


def test_a_terminal_state_of_charge_out_of_reach_is_infeasible() -> None:
    with pytest.raises(bess.InfeasibleError) as caught:
        run(
            battery=bess.Battery(capacity_kwh=100, terminal_state_of_charge=(0.9, 1)),
            strategy=bess.Optimize(),
            prices=PRICES,
        )
    assert str(caught.value) == (
        "the terminal state of charge (90 to 100 %) cannot be reached: 31.225 kWh of stored energy "
        "are missing"
    )
    assert (caught.value.step, caught.value.timestamp) == (2, "2025-01-01T03:00:00+00:00")


def test_the_optimum_comes_with_a_certificate() -> None:
    result = run(strategy=bess.Optimize(), prices=PRICES)
    assert result.cost is not None
    assert result.lower_bound is not None
    assert result.gap is not None
    assert result.lower_bound <= result.cost
    assert 0 <= result.gap <= 1e-6
    by_rule = run(prices=PRICES)
    assert by_rule.cost is not None
    assert (by_rule.lower_bound, by_rule.gap) == (None, None)


def test_no_answer_in_time_is_an_error_of_the_solver() -> None:
    random = np.random.default_rng(1)
    site = bess.Site(load_kwh=random.random(8760), solar_kwh=random.random(8760), start=START)
    prices = bess.Prices(random.random(8760), random.random(8760))
    with pytest.raises(bess.SolverError) as caught:
        run(site=site, strategy=bess.Optimize(engine="highs", time_limit=1e-9), prices=prices)
    assert str(caught.value) == (
        "the time limit passed before any schedule was found: allow more time"
    )


RULES = [
    bess.Surplus(),
    bess.PeakShave(target_kw=1),
    bess.Follow([1, -1, 0]),
    bess.FixedSchedule(discharge=[LATE]),
]


sizes = st.one_of(
    st.floats(0, 10), st.sampled_from([0.0, 1e-300, 1e-12, 1e-6, 1e6, 1e12, 1e15, 1.0])
)


@pytest.mark.highs
@given(
    st.lists(sizes, min_size=3, max_size=3),
    st.lists(sizes, min_size=3, max_size=3),
    st.sampled_from([None, 0.0, 1e-9, 1.0, 1e15]),
    sizes.map(lambda size: max(size / 1e3, 1e-6)),
    st.sampled_from([1.0, 0.9, 1e-6]),
    st.sampled_from([*RULES, bess.Optimize()]),
)
def test_numbers_of_any_size_give_finite_flows_or_an_error_of_ours(
    load: Any, solar: Any, limit: Any, size: float, efficiency: float, strategy: Any
) -> None:
    with contextlib.suppress(bess.InfeasibleError, bess.SolverError):
        result = run(
            site=bess.Site(
                load_kwh=load,
                solar_kwh=solar,
                start=START,
                import_limit_kwh=limit,
                solar_dc_to_ac_efficiency=efficiency,
            ),
            battery=bess.Battery(
                capacity_kwh=size,
                charge_power_kw=min(size, 1e3),
                discharge_power_kw=size,
                ac_to_dc_efficiency=efficiency,
                dc_to_ac_efficiency=efficiency,
                input_efficiency=efficiency,
            ),
            strategy=strategy,
            prices=PRICES,
        )
        assert np.isfinite(result.series).all()
        assert result.cost is not None
        assert np.isfinite(result.cost)
