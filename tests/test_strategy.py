"""Strategies: what each is made from, what it refuses, and that it stays as it is."""

from __future__ import annotations

import contextlib
import datetime
import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from odd_values import anything

import bess

NIGHT = {"touPeriods": [{"fromHour": 0, "toHour": 6}]}
EVENING = {"touPeriods": [{"fromHour": 16, "toHour": 21}]}
DAY = bess.Timeline(datetime.datetime(2025, 7, 4, tzinfo=datetime.UTC), 3600, 24)


def refusal(make: Any, *args: Any, **fields: Any) -> str:
    with pytest.raises(bess.InputError) as caught:
        make(*args, **fields)
    return str(caught.value)


OVERLONG = (
    "known fields: relax_policies, allow_simultaneous, gap, time_limit, engine, objective, "
    "emissions_price_per_kg, max_emissions_kg, terminal_value, max_cycles"
)

REFUSED: list[tuple[type, dict[str, Any], str]] = [
    (bess.Surplus, {"power": 1}, "power = 1: is not a known field; there are none"),
    (bess.PeakShave, {}, "target_kw: is required"),
    (bess.PeakShave, {"target_kw": -1}, "target_kw = -1: must be greater than or equal to 0"),
    (bess.PeakShave, {"target_kw": True}, "target_kw = True: must be a number"),
    (bess.PeakShave, {"target_kw": np.nan}, "target_kw = nan: must be a finite number"),
    (
        bess.PeakShave,
        {"target": 5},
        "target = 5: is not a known field; did you mean target_kw?\ntarget_kw: is required",
    ),
    (bess.Follow, {"power_kw": 5}, "power_kw = 5: must be a series of numbers"),
    (bess.Follow, {"power_kw": [1, None]}, "power_kw[1] = None: must be a number"),
    (bess.Follow, {"power_kw": [[1]]}, "power_kw: must be one-dimensional, not of shape (1, 1)"),
    (bess.Optimize, {"gap": -1}, "gap = -1: must be greater than or equal to 0"),
    (bess.Optimize, {"gap": None}, "gap = None: must be a number"),
    (bess.Optimize, {"time_limit": 0}, "time_limit = 0: must be greater than 0"),
    (bess.Optimize, {"time_limit": "60"}, "time_limit = '60': must be a number"),
    (bess.Optimize, {"relax_policies": 1}, "relax_policies = 1: must be true or false"),
    (
        bess.Optimize,
        {"allow_simultaneous": "no"},
        "allow_simultaneous = 'no': must be true or false",
    ),
    (
        bess.Optimize,
        {"timelimit": 9},
        "timelimit = 9: is not a known field; did you mean time_limit?",
    ),
    (bess.Optimize, {"x": 9}, f"x = 9: is not a known field; {OVERLONG}"),
    (bess.FixedSchedule, {"charge": NIGHT}, "charge: must be a list"),
    (bess.FixedSchedule, {"charge": None}, "charge = None: must be a list"),
    (bess.FixedSchedule, {"charge": [5]}, "charge[0] = 5: must be an object"),
    (bess.FixedSchedule, {"discharge": [{}]}, "discharge[0].touPeriods: is required"),
    (
        bess.FixedSchedule,
        {"discharge": [NIGHT, {"touPeriods": []}]},
        "discharge[1].touPeriods = []: must have at least 1 item",
    ),
    (
        bess.FixedSchedule,
        {"charge": [{"tou_periods": [{"from_hour": 25, "to_hour": "x"}]}]},
        "charge[0].tou_periods[0].from_hour = 25: must be less than or equal to 24\n"
        "charge[0].tou_periods[0].to_hour = 'x': must be an integer",
    ),
    (bess.FixedSchedule, {"time_zone": 5}, "time_zone = 5: must be a string"),
    (
        bess.FixedSchedule,
        {"time_zone": "Los Angeles"},
        "time_zone = 'Los Angeles': is not a known IANA time zone; did you mean "
        "America/Los_Angeles?",
    ),
    (
        bess.FixedSchedule,
        {"calendars": ["2025-07-04"]},
        "calendars = ['2025-07-04']: must map the ids of calendars to their days",
    ),
    (bess.FixedSchedule, {"calendars": {7: 4}}, "calendars.7 = 4: must be a list of dates"),
    (
        bess.FixedSchedule,
        {"calendars": {7: "2025-07-04"}},
        "calendars.7 = '2025-07-04': must be a list of dates",
    ),
    (
        bess.FixedSchedule,
        {"calendars": {7: ["2025-07-04", "4 July"]}},
        "calendars.7[1] = '4 July': must be a date, written as in 2025-07-04",
    ),
    (
        bess.FixedSchedule,
        {"calendars": {7: [pd.NaT]}},
        "calendars.7[0] = NaT: must be a date, written as in 2025-07-04",
    ),
    (
        bess.FixedSchedule,
        {"calendars": {7: [], "7": []}},
        "calendars.7: is given twice, as a number and as text",
    ),
]


@pytest.mark.parametrize(("kind", "fields", "message"), REFUSED, ids=[m for *_, m in REFUSED])
def test_a_strategy_is_refused_by_what_is_not_valid(
    kind: type, fields: dict[str, Any], message: str
) -> None:
    assert refusal(kind, **fields) == message


def test_flags_and_numbers_of_numpy_are_plain_ones() -> None:
    optimize = bess.Optimize(relax_policies=np.True_, gap=np.float32(0.5), time_limit=np.int64(9))
    assert optimize == bess.Optimize(relax_policies=True, gap=0.5, time_limit=9)


def test_a_step_in_both_kinds_of_period_is_an_error_naming_the_first_instant() -> None:
    late = {"touPeriods": [{"fromHour": 20, "toHour": 23}]}
    schedule = bess.FixedSchedule(charge=[NIGHT, late], discharge=[EVENING])
    message = "discharge: overlaps with charge, first at 2025-07-04T20:00:00+00:00"
    assert refusal(schedule.modes, DAY) == message


def test_a_schedule_is_worked_out_once_for_each_timeline_and_zone() -> None:
    schedule = bess.FixedSchedule(charge=[NIGHT], discharge=[EVENING])
    modes = schedule.modes(DAY)
    assert modes.tolist() == [1] * 6 + [0] * 10 + [-1] * 5 + [0] * 3
    assert not modes.flags.writeable
    assert schedule.modes(DAY) is modes
    same = bess.FixedSchedule(charge=(bess.TimeOfUse.model_validate(NIGHT),), discharge=[EVENING])
    assert same.modes(DAY) is modes
    assert schedule.modes(DAY, "America/Los_Angeles") is not modes


def test_the_clock_of_a_schedule_is_its_own_before_the_tariffs() -> None:
    """Midnight in Los Angeles is 7 o'clock UTC in July."""
    own = bess.FixedSchedule(charge=[NIGHT], time_zone="America/Los_Angeles")
    assert np.flatnonzero(own.modes(DAY, "Europe/Berlin")).tolist() == [7, 8, 9, 10, 11, 12]
    none = bess.FixedSchedule(charge=[NIGHT])
    assert np.flatnonzero(none.modes(DAY, "Europe/Berlin")).tolist() == [0, 1, 2, 3, 22, 23]
    assert np.flatnonzero(none.modes(DAY)).tolist() == [0, 1, 2, 3, 4, 5]


def test_a_calendar_takes_its_days_whole_and_may_not_be_missing() -> None:
    holiday = EVENING | {"calendarId": 7}
    assert refusal(bess.FixedSchedule(discharge=[holiday]).modes, DAY) == (
        "calendars: lacks the days of: 7"
    )
    fourth = datetime.date(2025, 7, 4)
    for days in (["2025-07-04"], {fourth}, pd.DatetimeIndex(["2025-07-04"]), (fourth,)):
        for key in (7, "7"):
            schedule = bess.FixedSchedule(discharge=[holiday], calendars={key: days})
            assert schedule.modes(DAY).tolist() == [-1] * 24
            assert dict(schedule.calendars) == {"7": (fourth,)}


def test_a_schedule_keeps_the_calendars_it_was_given() -> None:
    days = ["2025-07-04"]
    calendars = {7: days}
    schedule = bess.FixedSchedule(discharge=[EVENING | {"calendarId": 7}], calendars=calendars)
    days.clear()
    calendars.clear()
    assert schedule.modes(DAY).tolist() == [-1] * 24
    with pytest.raises(TypeError):
        schedule.calendars["7"] = ()  # type: ignore[index]


def test_equal_schedules_are_equal_and_hash_alike() -> None:
    one = bess.FixedSchedule(charge=[NIGHT], calendars={1: ["2025-07-04", "2025-01-01"]})
    same = bess.FixedSchedule(charge=[NIGHT], calendars={"1": ["2025-01-01", "2025-07-04"]})
    others = [
        bess.FixedSchedule(charge=[NIGHT]),
        bess.FixedSchedule(discharge=[NIGHT]),
        bess.FixedSchedule(charge=[NIGHT], time_zone="UTC"),
    ]
    assert one == same
    assert hash(one) == hash(same)
    assert len({one, same, *others}) == 4
    assert one != NIGHT


def test_cut_steps_are_told() -> None:
    cut = {"touPeriods": [{"fromHour": 1, "fromMinute": 30, "toHour": 6}]}
    assert bess.FixedSchedule(charge=[cut]).assumptions(DAY) == (
        "fixed schedule: 1 steps are cut by a period; each counts for the one it starts in",
    )
    assert bess.FixedSchedule(charge=[NIGHT]).assumptions(DAY) == ()


ALL = [
    bess.Surplus(),
    bess.PeakShave(target_kw=5),
    bess.Optimize(gap=0.1),
    bess.Follow([1.0, -1.0]),
    bess.FixedSchedule(charge=[NIGHT], time_zone="UTC", calendars={1: ["2025-07-04"]}),
]


@pytest.mark.parametrize("strategy", ALL, ids=lambda strategy: type(strategy).__name__)
def test_a_strategy_cannot_be_changed(strategy: Any) -> None:
    names = [*getattr(type(strategy), "model_fields", ()), *getattr(strategy, "__slots__", ()), "x"]
    for name in names:
        with pytest.raises(AttributeError, match=f"{type(strategy).__name__}.{name} cannot be"):
            setattr(strategy, name, None)
        with pytest.raises(AttributeError, match=f"{type(strategy).__name__}.{name} cannot be"):
            delattr(strategy, name)


@pytest.mark.parametrize("strategy", ALL, ids=lambda strategy: type(strategy).__name__)
def test_a_strategy_survives_pickling(strategy: Any) -> None:
    again = pickle.loads(pickle.dumps(strategy))
    assert type(again) is type(strategy)
    assert repr(again) == repr(strategy)
    if isinstance(strategy, bess.Follow):
        assert again.power_kw.tolist() == strategy.power_kw.tolist()
        assert not again.power_kw.flags.writeable
    else:
        assert again == strategy


def test_a_followed_power_is_the_callers_array_and_leaves_it_alone() -> None:
    own = np.array([1.0, -1.0])
    follow = bess.Follow(own)
    assert np.shares_memory(follow.power_kw, own)
    assert own.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        follow.power_kw[0] = 2.0


def test_a_strategy_says_what_it_is() -> None:
    assert repr(bess.Surplus()) == "Surplus()"
    assert repr(bess.Follow([1, 2, 3])) == "Follow(power_kw=<3 values>)"
    schedule = bess.FixedSchedule(charge=[NIGHT], time_zone="UTC")
    assert repr(schedule).startswith("FixedSchedule(charge=(TimeOfUse(tou_periods=(TouPeriod(")
    assert repr(schedule).endswith(", discharge=(), time_zone='UTC')")


@given(anything, anything, anything, anything)
def test_whatever_a_schedule_is_made_from_it_is_one_or_bad_input(
    charge: Any, discharge: Any, time_zone: Any, calendars: Any
) -> None:
    for fields in (
        {"charge": charge, "discharge": discharge},
        {"charge": [NIGHT], "time_zone": time_zone},
        {"charge": [NIGHT | {"calendar": charge}], "calendars": calendars},
        {"charge": [NIGHT | {"season": charge}]},
    ):
        with contextlib.suppress(bess.InputError):
            assert len(bess.FixedSchedule(**fields).modes(DAY)) == 24  # type: ignore[arg-type]


@given(
    st.sampled_from([bess.PeakShave, bess.Optimize, bess.Follow]),
    st.sampled_from(["target_kw", "gap", "time_limit", "relax_policies", "power_kw"]),
    anything,
)
def test_whatever_a_strategy_is_made_from_it_is_one_or_bad_input(
    kind: type, name: str, value: Any
) -> None:
    if kind is bess.Follow:
        name = "power_kw"
    with contextlib.suppress(bess.InputError):
        assert repr(kind(**{name: value})).startswith(kind.__name__)
