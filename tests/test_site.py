"""A site: what it is made from, what it refuses, and that it stays as it is."""

from __future__ import annotations

import contextlib
import copy
import datetime
import pickle
import re
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from odd_values import anything

import bess

START = "2025-01-01T00:00Z"
LA = "America/Los_Angeles"


def site(**fields: Any) -> bess.Site:
    return bess.Site(**({"load_kwh": [1, 2, 3], "start": START} | fields))


class Nameless(datetime.tzinfo):
    """A zone that changes its offset and has no IANA name."""

    def utcoffset(self, moment: datetime.datetime | None) -> datetime.timedelta | None:
        return None if moment is None else datetime.timedelta(hours=1 if moment.month < 6 else 2)

    def dst(self, moment: datetime.datetime | None) -> datetime.timedelta | None:
        return None if moment is None else datetime.timedelta(0)


REFUSED: list[tuple[dict[str, Any], str]] = [
    # Energies
    ({"load_kwh": None}, "load_kwh: is required (or solar_kwh, load_kw, solar_kw)"),
    ({"load_kw": [1, 2, 3]}, "load_kw: cannot be given together with load_kwh"),
    (
        {"solar_kwh": [1, 2, 3], "solar_kw": [1, 2, 3]},
        "solar_kw: cannot be given together with solar_kwh",
    ),
    ({"solar_kwh": [1, 2]}, "solar_kwh: has 2 values; the site has 3 steps"),
    ({"load_kwh": [1, -2, -3]}, "load_kwh[1] = -2.0: must be at least 0 (1 more like it)"),
    ({"solar_kw": [0, np.nan, 0]}, "solar_kw[1] = nan: must be a finite number"),
    ({"load_kwh": "history.csv"}, "load_kwh = 'history.csv': must be a series of numbers"),
    # The clock
    ({"start": None}, "start: is required: an aware datetime, or an aware pandas index"),
    (
        {"start": "2025-01-01T00:00"},
        "start = '2025-01-01T00:00': has no UTC offset: add one, as in 2025-01-01T00:00-08:00",
    ),
    (
        {"start": datetime.datetime(2025, 1, 1)},
        "start = datetime.datetime(2025, 1, 1, 0, 0): has no UTC offset: add one, as in "
        "2025-01-01T00:00-08:00",
    ),
    (
        {"start": pd.NaT},
        "start = NaT: must be an ISO 8601 date and time such as 2025-01-01T00:00:00-08:00",
    ),
    (
        {"start": 2025},
        "start = 2025: must be an ISO 8601 date and time such as 2025-01-01T00:00:00-08:00",
    ),
    (
        {"start": "2025-01-01T00:00-07:00", "time_zone": LA},
        "start = '2025-01-01T00:00:00-07:00': has an offset that contradicts America/Los_Angeles, "
        "where it is 2024-12-31T23:00:00-08:00",
    ),
    (
        {"start": "2025-01-01T00:10Z"},
        "start = '2025-01-01T00:10:00+00:00': must be a whole number of steps (3600 s) after "
        "midnight, local or UTC",
    ),
    (
        {"start": "9999-01-01T00:00Z"},
        "start = '9999-01-01T00:00Z': must lie in the years 2 to 9998",
    ),
    (
        {"time_zone": "America/Los_Angles"},
        "time_zone = 'America/Los_Angles': is not a known IANA time zone; did you mean "
        "America/Los_Angeles?",
    ),
    (
        {"time_zone": ZoneInfo(LA)},
        "time_zone = zoneinfo.ZoneInfo(key='America/Los_Angeles'): must be the IANA name of a time "
        "zone, a string",
    ),
    ({"step_hours": 0}, "step_hours = 0: must be a positive whole number of seconds"),
    ({"step_hours": -1}, "step_hours = -1: must be a positive whole number of seconds"),
    ({"step_hours": 1 / 7}, f"step_hours = {1 / 7!r}: must be a positive whole number of seconds"),
    ({"step_hours": np.inf}, "step_hours = inf: must be a finite number"),
    ({"step_hours": "1"}, "step_hours = '1': must be a number"),
    ({"step_hours": True}, "step_hours = True: must be a number"),
    (
        {"step_hours": 9e7},
        "step_hours = 90000000.0: end too late: every instant must lie in the years 2 to 9998",
    ),
    # Inverter and meter
    ({"solar_side": "ac"}, 'solar_side = \'ac\': must be "AC" or "DC"'),
    ({"solar_side": ["AC"]}, 'solar_side = [\'AC\']: must be "AC" or "DC"'),
    (
        {"solar_dc_to_ac_efficiency": 0},
        "solar_dc_to_ac_efficiency = 0: must be from 1e-06 to 1",
    ),
    (
        {"solar_dc_to_ac_efficiency": 1.01},
        "solar_dc_to_ac_efficiency = 1.01: must be from 1e-06 to 1",
    ),
    (
        {"solar_dc_to_ac_efficiency": None},
        "solar_dc_to_ac_efficiency = None: must be a number",
    ),
    ({"allow_solar_to_grid": 1}, "allow_solar_to_grid = 1: must be true or false"),
    ({"allow_solar_to_grid": "yes"}, "allow_solar_to_grid = 'yes': must be true or false"),
    ({"export_limit_kwh": -1}, "export_limit_kwh = -1: must be at least 0"),
    ({"export_limit_kwh": [1, 2]}, "export_limit_kwh: has 2 values; the site has 3 steps"),
    ({"import_limit_kwh": [1, -2, 3]}, "import_limit_kwh[1] = -2.0: must be at least 0"),
    ({"import_limit_kwh": np.inf}, "import_limit_kwh = inf: must be a finite number"),
    (
        {"import_limit_kwh": True},
        "import_limit_kwh = True: must be a number or a series of numbers",
    ),
]


@pytest.mark.parametrize(("fields", "message"), REFUSED, ids=[m for _, m in REFUSED])
def test_a_site_is_refused_by_what_is_not_valid(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(bess.InputError) as caught:
        site(**fields)
    assert str(caught.value) == message


def test_power_becomes_energy_by_the_step() -> None:
    quarter = site(load_kwh=None, load_kw=[4, 8], solar_kw=[0, 2], step_hours=0.25)
    assert quarter.load_kwh.tolist() == [1.0, 2.0]
    assert quarter.solar_kwh.tolist() == [0.0, 0.5]
    assert quarter.step_hours == 0.25


def test_load_or_solar_may_be_left_out() -> None:
    assert site().solar_kwh.tolist() == [0.0, 0.0, 0.0]
    assert site(load_kwh=None, solar_kwh=[1, 2]).load_kwh.tolist() == [0.0, 0.0]


def test_solar_given_before_the_inverter_is_seen_after_it() -> None:
    """1 kWh DC at an efficiency of 0.8 is 0.8 kWh AC; the DC side is as given."""
    dc = site(solar_kwh=[0, 1, 2], solar_side="DC", solar_dc_to_ac_efficiency=0.8)
    np.testing.assert_allclose(dc.solar_kwh, [0.0, 0.8, 1.6])
    np.testing.assert_allclose(dc.solar_kwh_dc, [0.0, 1.0, 2.0])


def test_a_limit_may_be_one_number_or_one_for_each_step() -> None:
    limited = site(export_limit_kwh=2, import_limit_kwh=np.array([1.0, 2.0, 3.0]))
    assert limited.export_limit_kwh is not None
    assert limited.import_limit_kwh is not None
    assert limited.export_limit_kwh.tolist() == [2.0, 2.0, 2.0]
    assert limited.import_limit_kwh.tolist() == [1.0, 2.0, 3.0]
    assert site().export_limit_kwh is None


def test_numpy_scalars_are_numbers_and_flags() -> None:
    got = site(
        step_hours=np.float32(0.5),
        solar_dc_to_ac_efficiency=np.float64(0.9),
        allow_solar_to_grid=np.False_,
        export_limit_kwh=np.int16(3),
    )
    assert (got.step_hours, got.solar_dc_to_ac_efficiency) == (0.5, 0.9)
    assert got.allow_solar_to_grid is False


def test_a_start_from_another_library_brings_the_zone_it_names() -> None:
    class Named(Nameless):
        zone = "Europe/Berlin"

    start = datetime.datetime(2025, 1, 1, tzinfo=Named())
    assert site(start=start).timeline.time_zone == "Europe/Berlin"
    assert site(start=pd.Timestamp("2025-01-01", tz=LA)).timeline.time_zone == LA


def test_a_site_cannot_be_changed() -> None:
    given = site(solar_kwh=[1, 2, 3], export_limit_kwh=4)
    for name in ("load_kwh", "timeline", "anything_else"):
        message = f"Site.{name} cannot be changed: make a new one"
        with pytest.raises(AttributeError, match=re.escape(message)):
            setattr(given, name, None)
        with pytest.raises(AttributeError, match=re.escape(message)):
            delattr(given, name)
    for values in (given.load_kwh, given.solar_kwh, given.export_limit_kwh):
        assert values is not None
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 9.0


def test_the_callers_arrays_are_neither_copied_nor_made_read_only() -> None:
    load, solar, limit = np.array([1.0, 2.0]), np.array([3.0, 0.0]), np.array([5.0, 6.0])
    given = site(load_kwh=load, solar_kwh=solar, export_limit_kwh=limit)
    bess.dispatch(given, bess.Battery(), bess.Surplus())
    for own, held in (
        (load, given.load_kwh),
        (solar, given.solar_kwh),
        (limit, given.export_limit_kwh),
    ):
        assert held is not None
        assert np.shares_memory(own, held)
        assert own.flags.writeable
    assert (load.tolist(), solar.tolist(), limit.tolist()) == ([1, 2], [3, 0], [5, 6])


@pytest.mark.parametrize("again", [lambda it: pickle.loads(pickle.dumps(it)), copy.deepcopy])
def test_a_site_survives_pickling_and_copying_and_stays_read_only(again: Any) -> None:
    limits = {"import_limit_kwh": 9, "inverter_limit_kw": 1}
    one = site(solar_kw=[0, 1, 2], solar_side="DC", time_zone="Europe/London", **limits)
    bess.dispatch(one, bess.Battery(), bess.Surplus())  # what it has cached is left behind
    other = again(one)
    assert other.timeline == one.timeline
    for name in ("load_kwh", "solar_kwh", *limits):
        assert getattr(other, name).tolist() == getattr(one, name).tolist()
        assert not getattr(other, name).flags.writeable
    assert (other.export_limit_kwh, other.allow_solar_to_grid) == (None, True)
    assert repr(other) == repr(one)


def test_a_site_says_what_it_is() -> None:
    assert repr(site(solar_kwh=[0, 1000, 0.6], step_hours=0.25)) == (
        "Site(3 steps of 0.25 h from 2025-01-01T00:00:00+00:00, load 6 kWh, solar 1,001 kWh AC)"
    )


FIELDS = [
    "load_kwh",
    "solar_kwh",
    "load_kw",
    "solar_kw",
    "start",
    "step_hours",
    "time_zone",
    "solar_side",
    "solar_dc_to_ac_efficiency",
    "allow_solar_to_grid",
    "export_limit_kwh",
    "import_limit_kwh",
    "inverter_limit_kw",
]


@given(st.dictionaries(st.sampled_from(FIELDS), anything, min_size=1, max_size=3))
def test_whatever_a_site_is_made_from_it_is_a_site_or_bad_input(fields: dict[str, Any]) -> None:
    with contextlib.suppress(bess.InputError):
        got = site(**fields)
        assert np.isfinite(got.load_kwh).all()
        assert np.isfinite(got.solar_kwh_dc).all()
        assert repr(got).startswith("Site(")
