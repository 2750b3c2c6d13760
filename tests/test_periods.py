"""Billing periods: given dates, calendar months, anniversaries, and what the horizon cuts."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tariffs import horizon

from bess.errors import InputError
from bess.tariff.periods import billing_dates, billing_periods


def test_a_horizon_from_the_first_has_calendar_months() -> None:
    year = horizon("2025-01-01T00:00-08:00", 8760, time_zone="America/Los_Angeles")
    periods = billing_periods(year, None)
    assert [p.start.month for p in periods] == list(range(1, 13))
    assert [p.days for p in periods] == [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    assert {p.share for p in periods} == {1.0}
    # March has lost an hour, November gained one.
    assert periods[2].end_step - periods[2].first_step == 31 * 24 - 1
    assert periods[10].end_step - periods[10].first_step == 30 * 24 + 1


def test_the_tariffs_zone_decides_what_the_first_is() -> None:
    year = horizon("2025-01-01T00:00Z", 8760)
    assert str(billing_periods(year, None)[0]) == "2025-01-01 to 2025-01-31"
    # In New York it is still 31 December: months from there, on each month's last day.
    there = billing_periods(year, "America/New_York")
    assert [str(p) for p in there[:3]] == [
        "2024-12-31 to 2025-01-31",
        "2025-01-31 to 2025-02-28",
        "2025-02-28 to 2025-03-31",
    ]


def test_other_starts_have_anniversaries() -> None:
    periods = billing_periods(horizon("2025-01-15T00:00Z", 24 * 59), None)
    assert [(str(p), p.share) for p in periods] == [
        ("2025-01-15 to 2025-02-14", 1.0),
        ("2025-02-15 to 2025-03-14", 1.0),
    ]


def test_a_last_period_that_is_cut_has_its_share_of_days() -> None:
    periods = billing_periods(horizon("2025-01-01T00:00Z", 24 * 38), None)
    assert [p.days for p in periods] == [31, 7]
    assert [p.share for p in periods] == [1.0, 0.25]


def test_given_dates_cut_the_first_and_the_last() -> None:
    days = billing_dates(["2024-12-22", date(2025, 1, 21), "2025-02-20"])
    periods = billing_periods(horizon("2025-01-01T00:00Z", 24 * 35), None, days)
    assert [(str(p), round(p.share, 4)) for p in periods] == [
        ("2025-01-01 to 2025-01-20", round(20 / 30, 4)),
        ("2025-01-21 to 2025-02-04", 0.5),
    ]


def test_what_lies_before_the_first_date_is_a_period_of_its_own() -> None:
    days = billing_dates(["2025-01-11"])
    periods = billing_periods(horizon("2025-01-01T00:00Z", 24 * 20), None, days)
    assert [(p.days, p.share) for p in periods] == [(10, 1.0), (10, 1.0)]


@pytest.mark.parametrize(
    ("dates", "message"),
    [
        (
            "2025-01-01",
            "billing_periods = '2025-01-01': must be a list of the dates bills begin at",
        ),
        (["soon"], "billing_periods[0] = 'soon': must be a date, written as in 2025-07-04"),
        (
            ["2025-02-01", "2025-02-01"],
            "billing_periods[1] = '2025-02-01': must be after 2025-02-01",
        ),
    ],
)
def test_dates_that_are_none_are_refused(dates: object, message: str) -> None:
    with pytest.raises(InputError) as caught:
        billing_dates(dates)
    assert str(caught.value) == message


@given(
    st.dates(date(2000, 1, 1), date(2049, 12, 31)),
    st.integers(1, 9000),
    st.sampled_from([900, 3600]),
)
def test_periods_share_out_the_steps(day: date, steps: int, step_seconds: int) -> None:
    timeline = horizon(f"{day.isoformat()}T00:00Z", steps, step_seconds)
    periods = billing_periods(timeline, "Europe/Berlin")
    assert periods[0].first_step == 0
    assert periods[-1].end_step == steps
    assert all(a.end_step == b.first_step for a, b in pairwise(periods))
    assert all(0 < p.share <= 1 for p in periods)
    assert all(p.share == 1.0 for p in periods[:-1])
