"""Policies under the rules: reached at the last responsible moment, or reported."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from ideal import IDLE, battery, hours, once, site, slow, weekly
from numpy.testing import assert_allclose

import bess


def test_a_window_is_reached_from_the_grid_at_the_last_moment() -> None:
    result = bess.dispatch(
        site([0.5] * 7), slow(), IDLE, policies=[once("2025-06-02T06:00:00Z", low=30)]
    )
    assert_allclose(result.grid_to_battery_kwh_ac, [0, 0, 0, 1, 1, 1, 0])
    assert_allclose(result.battery_soc[5], 0.3)
    assert result.violations == ()


def test_a_rule_works_on_inside_the_corridor() -> None:
    """Surplus charging goes on; the evening's deficit may not spend what the window needs."""
    result = bess.dispatch(
        site([0, 2, 2, 2], [3, 0, 0, 0]),
        battery(initial_state_of_charge=0, allow_grid_to_battery=False),
        bess.Surplus(),
        policies=[once("2025-06-02T03:00:00Z", low=10)],
    )
    assert_allclose(result.battery_soc, [0.3, 0.1, 0.1, 0])
    assert_allclose(result.grid_to_site_kwh_ac, [0, 0, 2, 1])


def test_a_window_is_reached_from_surplus_when_the_sun_allows() -> None:
    result = bess.dispatch(
        site([0, 0, 0], [0, 3, 0]),
        battery(initial_state_of_charge=0),
        IDLE,
        policies=[once("2025-06-02T02:00:00Z", low=20)],
    )
    assert_allclose(result.solar_to_battery_kwh_dc, [0, 2, 0])
    assert_allclose(result.solar_to_grid_kwh_ac, [0, 1, 0])
    assert not result.grid_to_battery_kwh_ac.any()


def test_without_the_grid_a_window_is_reached_from_the_sites_own_sun() -> None:
    result = bess.dispatch(
        site([2, 2, 2], [2, 2, 2]),
        battery(initial_state_of_charge=0, allow_grid_to_battery=False),
        bess.Surplus(),
        policies=[once("2025-06-02T02:00:00Z", low=30)],
    )
    assert_allclose(result.solar_to_battery_kwh_dc, [1, 2, 0])
    assert_allclose(result.grid_to_site_kwh_ac[:2], [1, 2])


def test_a_forced_charge_takes_the_grid_before_the_sites_own_sun() -> None:
    result = bess.dispatch(
        site([2], [3]),
        battery(initial_state_of_charge=0),
        IDLE,
        policies=[once("2025-06-02T01:00:00Z", low=40)],
    )
    assert_allclose(result.solar_to_battery_kwh_dc, [1])
    assert_allclose(result.grid_to_battery_kwh_ac, [3])
    assert_allclose(result.solar_to_site_kwh_ac, [2])


def test_a_window_out_of_reach_is_approached_and_reported() -> None:
    result = bess.dispatch(
        site([0] * 4), slow(), IDLE, policies=[once("2025-06-02T03:00:00Z", low=50, high=80)]
    )
    assert_allclose(result.battery_soc, [0.1, 0.2, 0.3, 0.3])
    (missed,) = result.violations
    assert missed.timestamp == datetime.fromisoformat("2025-06-02T03:00:00+00:00")
    assert (missed.minimum, missed.maximum) == (0.5, 0.8)
    assert_allclose(missed.state_of_charge, 0.3)
    assert missed.device is None


def test_of_two_windows_that_exclude_each_other_the_earlier_is_met() -> None:
    policies = [once("2025-06-02T03:00:00Z", low=50), once("2025-06-02T02:00:00Z", high=10)]
    result = bess.dispatch(site([0] * 4), slow(), IDLE, policies=policies)
    assert_allclose(result.battery_soc, [0, 0.1, 0.2, 0.2])
    (missed,) = result.violations
    assert missed.timestamp == datetime.fromisoformat("2025-06-02T03:00:00+00:00")
    assert_allclose(missed.state_of_charge, 0.2)


def test_windows_that_contradict_each_other_at_one_instant_are_refused() -> None:
    at = "2025-06-02T03:00:00Z"
    with pytest.raises(bess.InputError, match=r"policies\[1\].*policies\[0\]"):
        bess.dispatch(site([0] * 4), slow(), IDLE, policies=[once(at, low=50), once(at, high=40)])


def test_windows_at_one_instant_intersect() -> None:
    at = "2025-06-02T03:00:00Z"
    result = bess.dispatch(
        site([0] * 3),
        battery(),
        bess.Follow(power_kw=[-5, 5, 5]),
        policies=[once(at, low=40, high=90), once("2025-06-02T05:00:00+02:00", low=10, high=45)],
    )
    assert_allclose(result.battery_soc, [1, 0.5, 0.4])


def test_a_window_outside_the_limits_of_the_battery_is_refused() -> None:
    with pytest.raises(bess.InputError, match=r"policies\[0\]"):
        bess.dispatch(
            site([0] * 4),
            battery(min_state_of_charge=0.2),
            IDLE,
            policies=[once("2025-06-02T03:00:00Z", high=10)],
        )


def test_a_window_between_two_steps_binds_at_the_end_of_the_step_it_falls_in() -> None:
    result = bess.dispatch(
        site([0] * 4), slow(), IDLE, policies=[once("2025-06-02T01:20:00Z", low=20)]
    )
    assert_allclose(result.battery_soc, [0.1, 0.2, 0.2, 0.2])
    assert result.violations == ()


def test_a_window_at_the_start_is_reported_and_binds_nothing() -> None:
    at = "2025-06-02T00:00:00Z"
    missed = bess.dispatch(site([0] * 2), battery(), IDLE, policies=[once(at, low=80)])
    assert_allclose(missed.battery_soc, [0.5, 0.5])
    assert [v.state_of_charge for v in missed.violations] == [0.5]
    met = bess.dispatch(site([0] * 2), battery(), IDLE, policies=[once(at, low=20)])
    assert met.violations == ()


def test_a_window_at_the_end_binds_and_one_outside_the_horizon_does_not() -> None:
    outside = once(
        ["2025-06-01T23:00:00Z", "2025-06-02T02:00:01Z", "2024-01-01T00:00:00Z"], low=100
    )
    result = bess.dispatch(site([0] * 2), slow(), IDLE, policies=[outside])
    assert_allclose(result.battery_soc, [0, 0])
    assert result.violations == ()
    result = bess.dispatch(
        site([0] * 2), slow(), IDLE, policies=[once("2025-06-02T02:00:00Z", low=10)]
    )
    assert_allclose(result.battery_soc, [0, 0.1])


def test_a_maximum_forces_a_discharge_to_the_site_first() -> None:
    at = once("2025-06-02T03:00:00Z", high=50)
    result = bess.dispatch(
        site([1, 1, 1]),
        battery(initial_state_of_charge=1, discharge_power_kw=3),
        IDLE,
        policies=[at],
    )
    assert_allclose(result.battery_soc, [1, 0.8, 0.5])
    assert_allclose(result.battery_to_site_kwh_ac, [0, 1, 1])
    assert_allclose(result.battery_to_grid_kwh_ac, [0, 1, 2])


def test_a_maximum_that_only_the_load_can_help_is_approached() -> None:
    result = bess.dispatch(
        site([1, 2, 1]),
        battery(initial_state_of_charge=1, allow_battery_to_grid=False),
        IDLE,
        policies=[once("2025-06-02T03:00:00Z", high=50)],
    )
    assert_allclose(result.battery_soc, [0.9, 0.7, 0.6])
    assert_allclose([v.state_of_charge for v in result.violations], [0.6])


def test_a_battery_that_may_not_sell_displaces_the_sun_when_it_must_empty() -> None:
    result = bess.dispatch(
        site([2], [3]),
        battery(allow_battery_to_grid=False),
        IDLE,
        policies=[once("2025-06-02T01:00:00Z", high=40)],
    )
    assert_allclose(result.battery_to_site_kwh_ac, [1])
    assert_allclose(result.solar_to_site_kwh_ac, [1])
    assert_allclose(result.solar_to_grid_kwh_ac, [2])


def test_rounding_of_a_large_load_does_not_bar_the_sun_from_being_sold() -> None:
    result = bess.dispatch(
        site([1455.4], [2910.8]),
        battery(allow_battery_to_grid=False, dc_to_ac_efficiency=0.96),
        IDLE,
        policies=[once("2025-06-02T01:00:00Z", high=20)],
    )
    assert_allclose(result.battery_to_site_kwh_ac, [2.88])
    assert_allclose(result.solar_to_grid_kwh_ac, [1455.4 + 2.88])


def test_losses_count_in_the_corridor() -> None:
    """1 kW DC into the battery at 0.8: 0.8 kWh an hour, so 1.6 kWh need the last two hours."""
    result = bess.dispatch(
        site([0] * 4),
        slow(input_efficiency=0.8, ac_to_dc_efficiency=0.5),
        IDLE,
        policies=[once("2025-06-02T03:00:00Z", low=16)],
    )
    assert_allclose(result.battery_soc, [0, 0.08, 0.16, 0.16], atol=1e-12)
    assert_allclose(result.grid_to_battery_kwh_ac, [0, 2, 2, 0], atol=1e-12)


@pytest.mark.parametrize(
    ("start", "zone", "time", "step"),
    [
        ("2025-03-09T00:00:00-08:00", "America/Los_Angeles", "02:30", 1),  # skipped: 03:00 PDT
        ("2025-11-02T00:00:00-07:00", "America/Los_Angeles", "01:30", 1),  # the first of two
        ("2025-11-02T00:00:00-07:00", "America/Los_Angeles", "02:00", 2),  # 01:00 came twice
        ("2025-03-30T00:00:00+01:00", "Europe/Berlin", "02:00", 1),
        ("2025-10-26T00:00:00+02:00", "Europe/Berlin", "02:59", 2),
        ("2025-10-05T00:00:00+10:30", "Australia/Lord_Howe", "02:15", 1),  # half an hour skipped
    ],
)
def test_a_weekly_window_on_the_night_the_clock_changes(
    start: str, zone: str, time: str, step: int
) -> None:
    place = bess.Site(load_kwh=[0.0] * 6, start=start, time_zone=zone)
    policy = weekly(["Sunday"], time, zone, low=1)
    result = bess.dispatch(place, slow(), IDLE, policies=[policy])
    charging: Sequence[int] = np.flatnonzero(result.battery_soc > 0.005).tolist()
    assert charging[0] == step


def test_violations_come_in_the_order_of_instants_in_the_hour_that_occurs_twice() -> None:
    place = bess.Site(
        load_kwh=[0.0] * 10,
        start="2025-11-02T00:00:00-07:00",
        step_hours=0.5,
        time_zone="America/Los_Angeles",
    )
    at = ["2025-11-02T01:00:00-08:00", "2025-11-02T01:30:00-07:00", "2025-11-02T01:00:00-07:00"]
    result = bess.dispatch(
        place, slow(allow_grid_to_battery=False), IDLE, policies=[once(at, low=10)]
    )
    found = [violation.timestamp.isoformat() for violation in result.violations]
    assert found == [at[2], at[1], at[0]]


def test_one_instant_spelt_in_two_ways_in_the_doubled_hour_is_one_instant() -> None:
    place = bess.Site(
        load_kwh=[0.0] * 4, start="2025-11-02T00:00:00-07:00", time_zone="America/Los_Angeles"
    )
    policies = [
        weekly(["Sunday"], "01:30", "America/Los_Angeles", low=50),
        once("2025-11-02T08:30:00Z", high=40),
    ]
    with pytest.raises(bess.InputError, match=r"policies\[1\].*policies\[0\]"):
        bess.dispatch(place, slow(), IDLE, policies=policies)


def test_a_weekly_window_comes_back_every_week() -> None:
    policy = weekly(["Wednesday", "saturday"], "06:00", "UTC", low=20)
    drain = bess.Follow(power_kw=[1.0] * 14 * 24)
    result = bess.dispatch(site([0] * 14 * 24), battery(), drain, policies=[policy])
    at = [2 * 24 + 5, 5 * 24 + 5, 9 * 24 + 5, 12 * 24 + 5]
    assert_allclose(result.battery_soc[at], [0.2] * 4)
    assert_allclose(result.battery_soc[[47, 143]], 0, atol=1e-12)


def test_energy_is_kept_and_bought_for_a_load_above_the_import_limit() -> None:
    result = bess.dispatch(
        site([1, 1, 5], import_limit_kwh=3), battery(initial_state_of_charge=0), IDLE
    )
    assert_allclose(result.battery_soc, [0, 0.2, 0])
    assert_allclose(result.net_load_kwh_ac, [1, 3, 3])


@pytest.mark.parametrize("strategy", [IDLE, bess.Surplus(), bess.PeakShave(target_kw=9)])
def test_a_load_above_the_import_limit_without_help_is_infeasible_at_its_step(
    strategy: Any,
) -> None:
    with pytest.raises(bess.InfeasibleError) as caught:
        bess.dispatch(
            site([1, 1, 5], import_limit_kwh=3),
            battery(initial_state_of_charge=0, allow_grid_to_battery=False),
            strategy,
        )
    assert caught.value.step == 2


def test_the_battery_may_spend_what_the_grid_can_bring_back_in_time() -> None:
    result = bess.dispatch(
        site([1, 1, 1, 1]),
        battery(initial_state_of_charge=0.2),
        bess.Surplus(),
        policies=[once("2025-06-02T02:00:00Z", low=20)],
    )
    assert_allclose(result.battery_soc, [0.1, 0.2, 0.1, 0], atol=1e-12)


def test_a_schedule_that_charges_is_held_back_by_a_maximum() -> None:
    result = bess.dispatch(
        site([0, 0, 0]),
        battery(initial_state_of_charge=0),
        bess.FixedSchedule(charge=hours(0, 24), discharge=[]),
        policies=[once("2025-06-02T02:00:00Z", high=60)],
    )
    assert_allclose(result.battery_soc, [0.5, 0.6, 1.0])
