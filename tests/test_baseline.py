"""Baselining: bills spread over a year, each total kept."""

from __future__ import annotations

import pickle
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import bess
from bess import Baseline, InputError, Origin, baseline

LOS_ANGELES = "America/Los_Angeles"
SEASON = np.repeat([3.0, 2.0, 1.0, 2.0], 8760 // 4)  # a typical year of four quarters


def energy_of(result: Baseline, first: str, last: str) -> float:
    """The energy from one local day to before another."""
    clock = result.timeline.clock()
    days = [(date.fromisoformat(day) - date(1970, 1, 1)).days for day in (first, last)]
    inside = (clock.day_number >= days[0]) & (clock.day_number < days[1])
    return float(result.energy_kwh[inside].sum())


def message(*arguments: Any, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        baseline(*arguments, **options)
    return str(caught.value)


def test_one_bill_sets_the_level_and_the_typical_year_the_season() -> None:
    bills = [{"start": "2025-01-01", "end": "2025-02-01", "kwh": 31 * 24 * 0.6}]
    year = baseline(bills, time_zone="Etc/UTC", typical=SEASON)
    assert year.start.isoformat() == "2025-01-01T00:00:00+00:00"
    assert len(year.energy_kwh) == 8760
    assert_allclose(year.energy_kwh, SEASON * 0.2, rtol=1e-12)
    assert (year.origin == np.repeat([Origin.SHAPED, Origin.EXTRAPOLATED], [744, 8016])).all()
    assert year.assumptions == (
        "bills are spread in the shape of the profile typical",
        "744 of 8,760 steps are shaped from bills, 8,016 extrapolated",
    )


def test_every_bill_and_every_month_without_one_has_the_typical_shape() -> None:
    hours = np.tile(np.arange(24) + 1.0, 365) * SEASON
    bills = [("2025-01-01", "2025-02-01", 500), ("2025-03-01", "2025-04-01", 900)]
    year = baseline(bills, time_zone="Etc/UTC", typical=hours)
    first, third = slice(0, 744), slice(24 * 59, 24 * 90)
    assert_allclose(year.energy_kwh[first], hours[first] * (500 / hours[first].sum()), rtol=1e-12)
    assert_allclose(year.energy_kwh[third], hours[third] * (900 / hours[third].sum()), rtol=1e-12)
    rest = np.delete(np.arange(8760), np.r_[first, third])
    scale = (500 + 900) / (hours[first].sum() + hours[third].sum())
    assert_allclose(year.energy_kwh[rest], hours[rest] * scale, rtol=1e-12)


def test_without_a_typical_profile_bills_have_the_residential_shape_and_it_is_said() -> None:
    year = baseline([("2025-01-01", "2025-02-01", 600)], time_zone=LOS_ANGELES)
    evening, night = year.energy_kwh[18], year.energy_kwh[3]
    assert evening > 3 * night
    assert year.assumptions[0] == (
        "bills are spread in the shape of the built-in residential shape, without a season (no "
        "typical profile given)"
    )


def test_bills_follow_local_days_of_23_and_25_hours() -> None:
    bills = [("2025-03-09", "2025-03-10", 23), ("2025-11-02", "2025-11-03", 25)]
    year = baseline(bills, time_zone=LOS_ANGELES, typical="flat", start="2025-01-01T00:00-08:00")
    assert (year.origin == Origin.SHAPED).sum() == 48
    assert_allclose(year.energy_kwh, 1.0, rtol=1e-12)


def test_a_bill_of_a_leap_february_keeps_its_total_in_either_kind_of_year() -> None:
    bills = [("2024-02-01", "2024-03-01", 290), ("2024-03-01", "2024-04-01", 310)]
    leap = baseline(bills, time_zone="Etc/UTC", typical="flat", start="2024-01-01T00:00Z")
    assert len(leap.energy_kwh) == 8784
    assert_allclose(leap.energy_kwh[24 * 59], 290 / (29 * 24), rtol=1e-12)
    common = baseline(bills, time_zone="Etc/UTC", typical="flat", start="2025-01-01T00:00Z")
    assert_allclose(energy_of(common, "2025-02-01", "2025-03-01"), 290, rtol=1e-12)
    assert_allclose(energy_of(common, "2025-03-01", "2025-04-01"), 310, rtol=1e-12)


def test_a_bill_of_the_leap_day_alone_is_left_out_of_a_common_year() -> None:
    bills = [("2024-02-29", "2024-03-01", 9), ("2024-03-01", "2024-03-11", 10)]
    year = baseline(bills, time_zone="Etc/UTC", typical="flat", start="2025-01-01T00:00Z")
    assert "bills[0] lies on a day that the year has not: left out" in year.assumptions
    assert_allclose(year.energy_kwh.sum(), 365, rtol=1e-12)


def test_a_bill_across_the_years_edge_gives_both_its_parts() -> None:
    bills = [("2024-12-17", "2025-01-16", 300)]
    year = baseline(bills, time_zone=LOS_ANGELES, typical="flat", start="2025-01-01T00:00-08:00")
    assert_allclose(energy_of(year, "2025-01-01", "2025-01-16"), 150, rtol=1e-12)
    assert_allclose(energy_of(year, "2025-12-17", "2026-01-01"), 150, rtol=1e-12)
    assert (year.origin == Origin.SHAPED).sum() == 30 * 24


def test_of_several_years_bills_the_nearest_counts_and_then_the_later() -> None:
    bills = [
        ("2023-06-01", "2023-07-01", 100),
        ("2024-06-01", "2024-07-01", 200),
        ("2024-07-01", "2024-08-01", 310),
        ("2025-07-01", "2025-08-01", 62),
    ]
    year = baseline(bills, time_zone="Etc/UTC", typical="flat", start="2025-01-01T00:00Z")
    assert_allclose(energy_of(year, "2025-06-01", "2025-07-01"), 200, rtol=1e-12)
    assert_allclose(energy_of(year, "2025-07-01", "2025-08-01"), 62, rtol=1e-12)
    assert "bills left out, whose days nearer bills cover: 2" in year.assumptions


def test_a_bill_of_another_year_counts_on_the_days_that_are_left() -> None:
    bills = [("2024-06-01", "2024-07-01", 300), ("2025-06-11", "2025-06-21", 50)]
    year = baseline(bills, time_zone="Etc/UTC", typical="flat", start="2025-01-01T00:00Z")
    assert_allclose(energy_of(year, "2025-06-01", "2025-06-11"), 100, rtol=1e-12)
    assert_allclose(energy_of(year, "2025-06-11", "2025-06-21"), 50, rtol=1e-12)
    assert_allclose(energy_of(year, "2025-06-21", "2025-07-01"), 100, rtol=1e-12)


def test_overlapping_bills_each_keep_their_total() -> None:
    bills = [("2025-01-01", "2025-01-21", 100), ("2025-01-11", "2025-01-31", 200)]
    year = baseline(bills, time_zone="Etc/UTC", typical="flat")
    assert_allclose(energy_of(year, "2025-01-01", "2025-01-21"), 100, rtol=1e-10)
    assert_allclose(energy_of(year, "2025-01-11", "2025-01-31"), 200, rtol=1e-10)
    twice = baseline([*bills, bills[1]], time_zone="Etc/UTC", typical="flat")
    assert_allclose(twice.energy_kwh, year.energy_kwh, rtol=1e-9)


def test_a_bill_that_another_takes_up_whole_leaves_the_rest_empty() -> None:
    bills = [("2025-01-01", "2025-01-31", 100), ("2025-01-01", "2025-01-21", 100)]
    year = baseline(bills, time_zone="Etc/UTC", typical="flat")
    assert_allclose(energy_of(year, "2025-01-01", "2025-01-21"), 100, rtol=1e-9)
    assert energy_of(year, "2025-01-21", "2025-01-31") < 1e-7


def test_bills_that_contradict_each_other_are_refused_by_name() -> None:
    bills = [("2025-01-01", "2025-02-01", 100), ("2025-01-01", "2025-02-01", 120)]
    assert message(bills, time_zone="Etc/UTC") == (
        "bills[0] = 100.0: contradicts bills[1], which it overlaps: no series has all their "
        "totals; leave out what was corrected later"
    )
    inner = [("2025-01-01", "2025-02-01", 100), ("2025-01-05", "2025-01-12", 120)]
    assert "which it overlaps" in message(inner, time_zone="Etc/UTC")


def test_a_bill_where_the_typical_is_zero_is_spread_evenly_and_it_is_said() -> None:
    typical = np.where(np.arange(8760) < 744, 0.0, 1.0)
    year = baseline([("2025-01-01", "2025-02-01", 744)], time_zone="Etc/UTC", typical=typical)
    assert_allclose(year.energy_kwh[:744], 1.0, rtol=1e-12)
    assert "bills[0]: the typical profile is 0 throughout: spread evenly" in year.assumptions


def test_a_bill_of_nothing_is_nothing() -> None:
    bills = [("2025-01-01", "2025-02-01", 0), ("2025-02-01", "2025-03-01", 28)]
    year = baseline(bills, time_zone="Etc/UTC", typical="flat")
    assert energy_of(year, "2025-01-01", "2025-02-01") == 0
    assert_allclose(energy_of(year, "2025-03-01", "2025-04-01"), 31 * 28 / 59, rtol=1e-12)


def test_a_whole_year_on_one_bill_and_a_day_more() -> None:
    for last in ("2026-01-01", "2026-01-02"):
        year = baseline([("2025-01-01", last, 3650)], time_zone="Etc/UTC", typical=SEASON)
        assert_allclose(year.energy_kwh.sum(), 3650, rtol=1e-12)
        assert (year.origin == Origin.SHAPED).all()


def test_quarter_hours_and_bills_that_end_inside_a_step() -> None:
    bills = [("2025-01-01T00:00Z", "2025-01-11T00:20Z", 240 + 1 / 3)]
    year = baseline(bills, time_zone="Etc/UTC", typical="flat", step_hours=1)
    assert_allclose(year.energy_kwh, 1.0, rtol=1e-12)
    quarters = baseline(bills, time_zone="Etc/UTC", typical="residential", step_hours=0.25)
    assert len(quarters.energy_kwh) == 35_040
    inside = quarters.energy_kwh[:961].sum() + quarters.energy_kwh[961] / 3
    assert_allclose(inside, 240 + 1 / 3, rtol=1e-12)


def test_more_than_a_year_of_bills_gives_its_last_year() -> None:
    months = pd.date_range("2023-01-01", "2025-03-01", freq="MS")
    bills = [(a.date(), b.date(), 100 + i) for i, (a, b) in enumerate(pairwise(months))]
    year = baseline(bills, time_zone=LOS_ANGELES, typical="flat")
    assert year.start.isoformat() == "2024-03-01T00:00:00-08:00"
    assert_allclose(year.energy_kwh.sum(), sum(range(114, 126)), rtol=1e-12)


def test_a_baseline_is_read_only_pickles_and_makes_a_site() -> None:
    year = baseline([("2025-01-01", "2025-02-01", 600)], time_zone=LOS_ANGELES)
    again = pickle.loads(pickle.dumps(year))
    for found in (year, again):
        assert not found.energy_kwh.flags.writeable
        assert not found.origin.flags.writeable
    assert_allclose(again.energy_kwh, year.energy_kwh)
    site = bess.Site(
        load_kwh=year.energy_kwh,
        start=year.start,
        step_hours=year.step_hours,
        time_zone=year.time_zone,
    )
    assert site.timeline == year.timeline


@st.composite
def plausible_bills(draw: Any) -> tuple[list[tuple[date, date, float]], str]:
    """Consecutive bills of a year, of any lengths, some missing; and perhaps one beside them."""
    zone = draw(st.sampled_from(["Etc/UTC", LOS_ANGELES, "Australia/Lord_Howe", "Asia/Kathmandu"]))
    day = date(draw(st.integers(2019, 2026)), draw(st.integers(1, 12)), draw(st.integers(1, 28)))
    end = day + timedelta(days=365)
    bills = []
    while day < end and len(bills) < 14:
        until = min(day + timedelta(days=draw(st.integers(1, 65))), end)
        if draw(st.integers(0, 4)):
            energy = draw(
                st.floats(0, 1e4, allow_subnormal=False).filter(lambda e: e == 0 or e > 1e-6)
            )
            bills.append((day, until, energy))
        day = until
    assume(bills)
    return draw(st.permutations(bills)), zone


def assert_kept(year: Baseline, bills: list[tuple[date, date, float]], zone: str) -> None:
    assert np.isfinite(year.energy_kwh).all()
    assert (year.energy_kwh >= 0).all()
    edges = year.timeline.start_seconds + year.timeline.step_seconds * np.arange(
        year.timeline.steps + 1
    )
    running = np.concatenate(([0.0], np.cumsum(year.energy_kwh)))
    for first, last, energy in bills:
        ends = [
            datetime(d.year, d.month, d.day, tzinfo=ZoneInfo(zone)).timestamp()
            for d in (first, last)
        ]
        low, high = np.interp(ends, edges, running)
        assert_allclose(high - low, energy, rtol=1e-9, atol=1e-9 * max(running[-1], 1))


@settings(max_examples=60)
@given(plausible_bills(), st.sampled_from(["residential", "flat", "commercial"]), st.booleans())
def test_any_bills_of_a_year_keep_their_totals(
    given_bills: tuple[list[tuple[date, date, float]], str], typical: str, half: bool
) -> None:
    bills, zone = given_bills
    first = min(bill[0] for bill in bills)
    midnight = datetime(first.year, first.month, first.day, tzinfo=ZoneInfo(zone))
    step = 0.25 if half else 0.5
    year = baseline(bills, start=midnight, time_zone=zone, typical=typical, step_hours=step)
    assert_kept(year, bills, zone)


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(0, 330), st.integers(1, 34)), min_size=1, max_size=10, unique=True
    )
)
def test_overlapping_bills_that_one_load_explains_all_keep_their_totals(
    spans: list[tuple[int, int]],
) -> None:
    load = 1.0 + np.cos(np.arange(365)) ** 2
    new_year = date(2025, 1, 1)
    bills = [
        (
            new_year + timedelta(days=first),
            new_year + timedelta(days=first + days),
            float(load[first : first + days].sum()),
        )
        for first, days in spans
    ]
    start = datetime(2025, 1, 1, tzinfo=UTC)
    year = baseline(bills, start=start, time_zone="Etc/UTC", typical="residential")
    assert_kept(year, bills, "Etc/UTC")


@settings(max_examples=40)
@given(plausible_bills(), st.integers(2018, 2027), st.integers(1, 12))
def test_bills_of_any_year_on_any_year_give_finite_energies(
    given_bills: tuple[list[tuple[date, date, float]], str], year: int, month: int
) -> None:
    bills, zone = given_bills
    start = datetime(year, month, 1, tzinfo=ZoneInfo(zone))
    found = baseline(bills, start=start, time_zone=zone)
    assert np.isfinite(found.energy_kwh).all()
    assert (found.energy_kwh >= 0).all()
    assert found.energy_kwh.sum() > 0 or sum(bill[2] for bill in bills) == 0
