"""What a battery does under a fixed schedule, in numbers one checks in the head."""

from __future__ import annotations

import numpy as np
import pytest
from ideal import battery, hours, site
from numpy.testing import assert_allclose
from reference_adapters import check_result

import bess


def test_a_charge_period_takes_full_power_from_the_grid() -> None:
    rule = bess.FixedSchedule(charge=hours(0, 2), discharge=[])
    result = bess.dispatch(site([1, 1, 1]), battery(initial_state_of_charge=0.2), rule)
    assert_allclose(result.grid_to_battery_kwh_ac, [5, 3, 0])
    assert_allclose(result.grid_to_site_kwh_ac, [1, 1, 1])
    assert_allclose(result.battery_soc, [0.7, 1, 1])


@pytest.mark.parametrize(
    ("power", "load", "solar", "from_sun", "from_grid", "sun_to_site", "sold"),
    [
        (2, 1, 3, 2, 0, 1, 0),  # the battery first, then the site
        (2, 2, 3, 2, 0, 1, 0),  # ... even if the site must then buy
        (4, 1, 3, 3, 1, 0, 0),  # the grid tops the battery up
        (2, 1, 6, 2, 0, 1, 3),  # what neither wants is sold
        (2, 1, 0, 0, 2, 0, 0),
    ],
)
def test_in_a_charge_period_the_sun_serves_the_battery_first(
    power: float,
    load: float,
    solar: float,
    from_sun: float,
    from_grid: float,
    sun_to_site: float,
    sold: float,
) -> None:
    rule = bess.FixedSchedule(charge=hours(0, 24), discharge=[])
    result = bess.dispatch(site([load], [solar]), battery(charge_power_kw=power), rule)
    assert_allclose(result.solar_to_battery_kwh_dc, [from_sun])
    assert_allclose(result.grid_to_battery_kwh_ac, [from_grid])
    assert_allclose(result.solar_to_site_kwh_ac, [sun_to_site])
    assert_allclose(result.solar_to_grid_kwh_ac, [sold])
    assert_allclose(result.grid_to_site_kwh_ac, [load - sun_to_site])


def test_without_the_grid_only_surplus_charges_in_a_charge_period() -> None:
    rule = bess.FixedSchedule(charge=hours(0, 24), discharge=[])
    result = bess.dispatch(site([2, 2], [3, 1]), battery(allow_grid_to_battery=False), rule)
    assert_allclose(result.solar_to_battery_kwh_dc, [1, 0])
    assert_allclose(result.solar_to_site_kwh_ac, [2, 1])
    assert_allclose(result.grid_to_site_kwh_ac, [0, 1])


def test_the_battery_does_not_buy_while_sun_it_may_not_store_is_sold() -> None:
    rule = bess.FixedSchedule(charge=hours(0, 24), discharge=[])
    stored = battery(allow_solar_to_battery=False, charge_power_kw=2)
    sold = bess.dispatch(site([1, 3], [3, 1]), stored, rule)
    assert_allclose(sold.solar_to_grid_kwh_ac, [2, 0])
    assert_allclose(sold.grid_to_battery_kwh_ac, [0, 2])
    for unsold in ({"allow_solar_to_grid": False}, {"export_limit_kwh": 0}):
        result = bess.dispatch(site([1, 3], [3, 1], **unsold), stored, rule)
        assert_allclose(result.grid_to_battery_kwh_ac, [2, 2])
        assert_allclose(result.solar_curtailed_kwh_dc, [2, 0])


def test_a_discharge_period_serves_the_site_then_the_grid() -> None:
    rule = bess.FixedSchedule(charge=[], discharge=hours(0, 24))
    result = bess.dispatch(site([1]), battery(discharge_power_kw=3), rule)
    assert_allclose(result.battery_to_site_kwh_ac, [1])
    assert_allclose(result.battery_to_grid_kwh_ac, [2])
    kept = bess.dispatch(site([1]), battery(allow_battery_to_grid=False), rule)
    assert_allclose(kept.battery_to_site_kwh_ac, [1])
    assert kept.battery_to_grid_kwh_ac[0] == 0.0
    limited = bess.dispatch(site([1], export_limit_kwh=0.5), battery(), rule)
    assert_allclose(limited.battery_to_grid_kwh_ac, [0.5])


def test_solar_has_the_first_claim_on_the_export_limit() -> None:
    rule = bess.FixedSchedule(charge=[], discharge=hours(0, 24))
    result = bess.dispatch(site([1], [3], export_limit_kwh=2.5), battery(), rule)
    assert_allclose(result.solar_to_grid_kwh_ac, [2])
    assert_allclose(result.battery_to_grid_kwh_ac, [0.5])
    unsold = bess.dispatch(
        site([1], [3], export_limit_kwh=2.5, allow_solar_to_grid=False), battery(), rule
    )
    assert_allclose(unsold.battery_to_grid_kwh_ac, [2.5])
    assert_allclose(unsold.solar_curtailed_kwh_dc, [2])


def test_outside_its_periods_the_battery_idles() -> None:
    rule = bess.FixedSchedule(charge=hours(0, 1), discharge=hours(3, 4))
    result = bess.dispatch(site([1, 1, 1, 1, 1], [0, 3, 0, 0, 0]), battery(charge_power_kw=1), rule)
    assert_allclose(result.battery_soc, [0.6, 0.6, 0.6, 0.1, 0.1])
    assert_allclose(result.solar_to_grid_kwh_ac, [0, 2, 0, 0, 0])


def test_a_step_in_a_charge_and_a_discharge_period_is_refused_at_its_first_instant() -> None:
    rule = bess.FixedSchedule(charge=hours(0, 4), discharge=hours(2, 6))
    with pytest.raises(bess.InputError, match="2025-06-02T02:00"):
        bess.dispatch(site([1] * 24), battery(), rule)


@pytest.mark.parametrize(
    ("start", "steps", "charging"),
    [
        ("2025-03-09T00:00:00-08:00", 23, [1]),  # 01:00; 02:00 does not occur
        ("2025-11-02T00:00:00-07:00", 25, [1, 2, 3]),  # 01:00 twice, 02:00
        ("2025-06-01T00:00:00-07:00", 24, [1, 2]),
    ],
)
def test_a_schedule_follows_the_clock_through_a_change(
    start: str, steps: int, charging: list[int]
) -> None:
    place = bess.Site(load_kwh=[0.0] * steps, start=start, time_zone="America/Los_Angeles")
    rule = bess.FixedSchedule(charge=hours(1, 3), discharge=[])
    result = bess.dispatch(place, battery(charge_power_kw=1), rule)
    assert np.flatnonzero(result.grid_to_battery_kwh_ac).tolist() == charging


def test_a_schedule_may_name_a_zone_of_its_own() -> None:
    rule = bess.FixedSchedule(charge=hours(2, 3), discharge=[], time_zone="Europe/Berlin")
    result = bess.dispatch(site([0] * 4), battery(charge_power_kw=1), rule)
    assert np.flatnonzero(result.grid_to_battery_kwh_ac).tolist() == [0]


def test_a_leap_year_has_8784_hours() -> None:
    year = bess.Site(
        load_kwh=np.ones(8784), start="2024-01-01T00:00:00-08:00", time_zone="America/Los_Angeles"
    )
    feb_29 = [
        {
            "season": {
                "seasonFromMonth": 2,
                "seasonFromDay": 29,
                "seasonToMonth": 2,
                "seasonToDay": 29,
            },
            "touPeriods": [{"fromHour": 0, "toHour": 24}],
        }
    ]
    result = bess.dispatch(
        year, battery(discharge_power_kw=0.1), bess.FixedSchedule(charge=[], discharge=feb_29)
    )
    assert len(result.timestamps) == 8784
    check_result(result, battery(discharge_power_kw=0.1))
    assert np.flatnonzero(result.battery_to_site_kwh_ac).tolist() == list(range(59 * 24, 60 * 24))
    assert result.timestamps[-1].isoformat() == "2024-12-31T23:00:00-08:00"
