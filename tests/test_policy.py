"""Policies: the instants of schedules, the steps at whose end they bind, and their windows."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import reference_time
from hypothesis import given
from hypothesis import strategies as st

from bess.errors import InputError
from bess.policy import SchedulePolicy, Window, next_instants, windows
from bess.timeline import Timeline, parse_instant

LOS_ANGELES = "America/Los_Angeles"


def once(*date_times: str, least: float = 80, most: float = 100) -> SchedulePolicy:
    return policy({"frequency": "once", "date_times": list(date_times)}, least, most)


def weekly(
    days: list[str], time: str, zone: str = LOS_ANGELES, least: float = 80, most: float = 100
) -> SchedulePolicy:
    schedule = {"frequency": "weekly", "day_of_week": days, "time": time, "timezone": zone}
    return policy(schedule, least, most)


def policy(schedule: dict[str, Any], least: float, most: float) -> SchedulePolicy:
    return SchedulePolicy.model_validate(
        {
            "schedule": schedule,
            "minimum_state_of_charge": least,
            "maximum_state_of_charge": most,
        }
    )


def day(start: str = "2025-01-06T00:00-08:00", steps: int = 24, step: int = 3600) -> Timeline:
    return Timeline(parse_instant(start, "start"), step, steps, LOS_ANGELES)


def instants(policy: SchedulePolicy, start: str, end: str) -> list[str]:
    found = policy.schedule.instants(parse_instant(start, "start"), parse_instant(end, "end"))
    return [instant.isoformat() for instant in found]


def test_a_weekly_time_comes_on_each_of_its_days() -> None:
    policy = weekly(["Monday", "FRIDAY", "monday"], "09:00", "America/New_York")
    assert instants(policy, "2025-01-06T00:00-05:00", "2025-01-19T23:00-05:00") == [
        "2025-01-06T09:00:00-05:00",
        "2025-01-10T09:00:00-05:00",
        "2025-01-13T09:00:00-05:00",
        "2025-01-17T09:00:00-05:00",
    ]


def test_days_are_those_of_the_policys_zone() -> None:
    # Monday 00:30 in Auckland is Sunday in Los Angeles.
    found = windows(
        [weekly(["monday"], "00:30", "Pacific/Auckland")], day("2025-01-05T00:00-08:00")
    )
    assert [window.at.isoformat() for window in found] == ["2025-01-05T03:30:00-08:00"]


@pytest.mark.parametrize(
    ("zone", "sunday", "time", "expected"),
    [
        (LOS_ANGELES, "2025-03-09", "02:30", "2025-03-09T03:00:00-07:00"),
        (LOS_ANGELES, "2025-03-09", "02:00", "2025-03-09T03:00:00-07:00"),
        (LOS_ANGELES, "2025-03-09", "03:00", "2025-03-09T03:00:00-07:00"),
        ("Europe/Berlin", "2025-03-30", "02:59:59", "2025-03-30T03:00:00+02:00"),
        ("Australia/Lord_Howe", "2025-10-05", "02:15", "2025-10-05T02:30:00+11:00"),
        ("America/Santiago", "2025-09-07", "00:10", "2025-09-07T01:00:00-03:00"),
    ],
)
def test_a_time_skipped_in_spring_is_the_first_instant_after_the_gap(
    zone: str, sunday: str, time: str, expected: str
) -> None:
    policy = weekly(["sunday"], time, zone)
    assert instants(policy, f"{sunday}T00:00+14:00", f"{sunday}T23:00-12:00") == [expected]


def test_a_day_the_clock_skips_whole_is_the_first_instant_after_it() -> None:
    found = instants(
        weekly(["friday"], "09:00", "Pacific/Apia"), "2011-12-29T00:00Z", "2012-01-01T00:00Z"
    )
    assert found == ["2011-12-31T00:00:00+14:00"]


@pytest.mark.parametrize(
    ("zone", "sunday", "time", "expected"),
    [
        (LOS_ANGELES, "2025-11-02", "01:30", "2025-11-02T01:30:00-07:00"),
        ("Europe/Berlin", "2025-10-26", "02:00", "2025-10-26T02:00:00+02:00"),
        ("Australia/Lord_Howe", "2025-04-06", "01:45", "2025-04-06T01:45:00+11:00"),
    ],
)
def test_a_time_that_comes_twice_in_autumn_is_the_first(
    zone: str, sunday: str, time: str, expected: str
) -> None:
    policy = weekly(["sunday"], time, zone)
    assert instants(policy, f"{sunday}T00:00+14:00", f"{sunday}T23:00-12:00") == [expected]


def test_a_window_binds_at_the_end_of_the_step_that_contains_it() -> None:
    found = windows(
        [
            once(
                "2025-01-06T09:00:00-08:00",
                "2025-01-06T09:00:01-08:00",
                "2025-01-06T09:00:00.5-08:00",
                "2025-01-06T09:59:59-08:00",
                "2025-01-06T18:00:00Z",
            )
        ],
        day(),
    )
    assert [window.step for window in found] == [8, 9, 9, 9, 9]
    assert found[-1].at.isoformat() == "2025-01-06T10:00:00-08:00"


def test_the_horizon_holds_its_end_and_reports_its_start() -> None:
    found = windows(
        [
            once("2025-01-06T00:00-08:00", "2025-01-07T00:00-08:00"),
            once("2025-01-05T23:59:59-08:00", "2025-01-07T00:00:01-08:00"),
        ],
        day(),
    )
    assert [(window.step, window.at.day) for window in found] == [(-1, 6), (23, 7)]


def test_windows_of_one_instant_intersect_with_each_other_and_the_battery() -> None:
    at = "2025-01-06T09:00:00-08:00"
    found = windows(
        [
            once(at, least=20, most=90),
            weekly(["monday"], "10:00", least=50, most=50),
            once("2025-01-06T12:00-05:00", least=0, most=60),
        ],
        day(),
        minimum=0.1,
        maximum=0.55,
    )
    nine, ten = (datetime.fromisoformat(f"2025-01-06T{hour}:00-08:00") for hour in ("09", "10"))
    assert found == (
        Window(nine, 8, 0.2, 0.55, ("policies[0]", "policies[2]")),
        Window(ten, 9, 0.5, 0.5, ("policies[1]",)),
    )


def test_windows_that_contradict_each_other_are_refused_by_name() -> None:
    later = once("2025-01-06T17:00:00Z", least=80, most=90)
    with pytest.raises(InputError) as caught:
        windows(
            [weekly(["monday"], "09:00", least=0, most=40), weekly(["monday"], "10:00"), later],
            day(),
        )
    assert str(caught.value) == (
        "policies[2]: asks for 80 to 90 % at 2025-01-06T09:00:00-08:00, which has nothing in "
        "common with policies[0] (0 to 40 %)"
    )


def test_a_window_outside_the_batterys_limits_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        windows([once("2025-01-06T17:00:00Z", least=0, most=5)], day(), minimum=0.1, maximum=0.9)
    assert str(caught.value) == (
        "policies[0]: asks for 0 to 5 % at 2025-01-06T09:00:00-08:00, which has nothing in common "
        "with the battery's limits (10 to 90 %)"
    )


def test_contradictions_outside_the_horizon_bind_nothing() -> None:
    at = "2026-01-06T17:00:00Z"
    assert windows([once(at, least=90), once(at, least=0, most=10)], day()) == ()


def test_percent_and_fraction_meet_at_a_limit_in_spite_of_rounding() -> None:
    for tenth in range(1, 1000):
        at, limit = "2025-01-06T17:00:00Z", tenth / 1000
        (window,) = windows([once(at, least=tenth / 10, most=100)], day(), maximum=limit)
        assert window.minimum <= window.maximum <= limit
        assert window.minimum == pytest.approx(limit, abs=1e-12)


@given(
    start=st.sampled_from(
        ["2025-03-08T00:00-08:00", "2025-11-01T00:00-07:00", "2024-02-28T12:00-08:00"]
    ),
    step=st.sampled_from([300, 900, 3600, 14_400]),
    steps=st.integers(1, 60),
    days=st.lists(st.sampled_from(reference_time.DAYS), min_size=1),
    time=st.times().map(lambda t: t.replace(microsecond=0).isoformat())
    | st.sampled_from(["01:30", "02:00", "02:30", "03:00"]),
    zone=st.sampled_from([LOS_ANGELES, "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia"]),
    late=st.integers(-4000, 90_000),
)
def test_windows_agree_with_a_date_by_date_reading(
    start: str, step: int, steps: int, days: list[str], time: str, zone: str, late: int
) -> None:
    instant = parse_instant(start, "start") + timedelta(seconds=late)
    asked = [weekly(days, time, zone, 10, 60), once(instant.isoformat(), least=30, most=90)]
    line = Timeline(parse_instant(start, "start"), step, steps, LOS_ANGELES)
    found = windows(asked, line, minimum=0.05, maximum=0.95)
    expected = reference_time.policy_windows(
        [policy.model_dump() for policy in asked], start, step, steps, 0.05, 0.95
    )
    in_utc = [(w.at.astimezone(UTC), w.step, w.minimum, w.maximum) for w in found]
    assert in_utc == expected  # Python finds no time of a doubled hour equal to one in UTC


def test_the_next_instants_come_after_a_moment() -> None:
    now = parse_instant("2025-01-06T09:00-08:00", "now")
    once_only = once("2025-01-06T17:00Z", "2025-03-01T00:00+01:00", "2025-01-07T00:00-08:00")
    assert [at.isoformat() for at in next_instants(once_only, now, 5)] == [
        "2025-01-07T00:00:00-08:00",
        "2025-03-01T00:00:00+01:00",
    ]
    every_week = weekly(["monday"], "09:00")
    assert [at.isoformat() for at in next_instants(every_week, now, 3)] == [
        "2025-01-13T09:00:00-08:00",
        "2025-01-20T09:00:00-08:00",
        "2025-01-27T09:00:00-08:00",
    ]
    assert next_instants(every_week, now, 0) == next_instants(once_only, now, -1) == []
    late = datetime(9998, 11, 20, tzinfo=UTC)
    assert next_instants(every_week, late, 10**9)[0].isoformat() == "9998-11-23T09:00:00-08:00"
    assert next_instants(every_week, datetime(9998, 12, 20, tzinfo=UTC), 3) == []


def test_a_policy_comes_back_as_it_was_written() -> None:
    given = {
        "type": "schedule",
        "schedule": {
            "frequency": "weekly",
            "day_of_week": ["MONDAY", "Friday"],
            "time": "09:00",
            "timezone": "US/Pacific",
        },
        "minimum_state_of_charge": 85.49,
        "maximum_state_of_charge": 100,
    }
    policy = SchedulePolicy.model_validate(given)
    assert policy.model_dump() == given
    assert SchedulePolicy.model_validate_json(policy.model_dump_json()) == policy
    assert pickle.loads(pickle.dumps(policy)) == policy
    times = ["2025-01-06T09:00:00-08:00", "2025-01-06 17:00Z", "2025-01-06T09:00:00.250+05:30"]
    assert once(*times).model_dump()["schedule"]["date_times"] == times
    assert len({once(*times), once(*times), policy}) == 2
