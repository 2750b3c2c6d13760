"""Baselining: bills and typical profiles as they are given, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import bess
from bess import InputError, baseline

LOS_ANGELES = "America/Los_Angeles"


def message(*arguments: Any, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        baseline(*arguments, **options)
    return str(caught.value)


BAD_BILLS = [
    ([("2025-01-01", "2025-01-01", 1)], "bills[0]: must end after it starts"),
    ([("2025-01-01", "2026-02-01", 1)], "bills[0]: covers 396 days: a bill is of at most a year"),
    ([("2025-01-01", "2025-02-01", -1)], "bills[0][2] = -1: must be a finite energy ≥ 0, in kWh"),
    (
        [("2025-01-01", "2025-02-01", float("nan"))],
        "bills[0][2] = nan: must be a finite energy ≥ 0, in kWh",
    ),
    ([("2025-01-01", "2025-02-01", "x")], "bills[0][2] = 'x': must be a finite energy ≥ 0, in kWh"),
    (
        [("2025-01-01", 3, 1)],
        "bills[0][1] = 3: must be a day such as 2025-01-31, or an aware instant",
    ),
    (
        [("2025-01-01", "soon", 1)],
        "bills[0][1] = 'soon': must be a date and time such as "
        "2025-01-31T00:00 or 2025-01-31T00:00:00-08:00",
    ),
    (
        [{"start": "2025-01-01", "kwh": 1}],
        "bills[0].end: is required (as one of end, to, toDateTime, to_date_time)",
    ),
    (
        [("2025-01-01", "2025-02-01")],
        "bills[0] = ('2025-01-01', '2025-02-01'): must be a bill: start, end and kWh",
    ),
    ([("2025-01-01T00:00Z", "2025-01-01T00:30Z", 1)], "bills[0]: is shorter than a step, 60 min"),
]


@pytest.mark.parametrize(("bills", "expected"), BAD_BILLS)
def test_bad_bills_are_refused_at_their_place(bills: Any, expected: str) -> None:
    assert message(bills, time_zone="Etc/UTC") == expected


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            {"typical": "residental"},
            "typical = 'residental': did you mean residential? known are "
            "residential, commercial, flat, bdew-h25, bdew-g25, bdew-l25",
        ),
        (
            {"typical": [1.0] * 23},
            "typical: must be 24 hours of a day, 168 of a week, or a year, not 23 values",
        ),
        ({"typical": [0.0] * 24}, "typical: must have energy in some step, not 0 throughout"),
        ({"typical": [-1.0] * 24}, "typical[0] = -1.0: must be a finite number ≥ 0"),
        ({"typical": 3}, "typical: must be a profile, a path, a JSON object or numbers, not int"),
        ({"step_hours": 0.7}, "step_hours = 0.7: must be whole seconds that divide a day"),
        (
            {"time_zone": None},
            "bills[0][0] = '2025-01-01': has no offset from UTC: give the site's "
            "zone (timeZone, as in America/Los_Angeles), or write the offset with every stamp",
        ),
        (
            {"start": "2025-01-01"},
            "start = '2025-01-01': must be an ISO 8601 date and time such as "
            "2025-01-01T00:00:00-08:00",
        ),
    ],
)
def test_bad_options_are_refused_by_name(options: Any, expected: str) -> None:
    bills = [("2025-01-01", "2025-02-01", 100)]
    assert message(bills, **({"time_zone": "Etc/UTC"} | options)) == expected


@pytest.mark.parametrize("name", ["bdew-h25", "bdew-g25", "bdew-l25"])
def test_bdew_profiles_have_seasons_weekends_and_quarters(name: str) -> None:
    pytest.importorskip("demandlib")
    bills = [("2025-01-01", "2026-01-01", 1e6)]
    year = baseline(bills, time_zone="Europe/Berlin", typical=name, step_hours=0.25)
    days = year.energy_kwh[: 96 * 88].reshape(-1, 96).sum(axis=1)
    assert_allclose(days.mean(), 2740, rtol=0.35)
    assert np.ptp(days) > 50
    assert len(np.unique(year.energy_kwh[:96])) > 60


def test_a_bdew_profile_without_its_package_names_the_extra(monkeypatch: Any) -> None:
    from bess.baselining import shapes

    shapes._bdew_table.cache_clear()
    monkeypatch.setattr(shapes, "find_spec", lambda _: None)
    with pytest.raises(bess.MissingExtraError, match=r"bess-dispatch\[shapes\]"):
        baseline([("2025-01-01", "2025-02-01", 1)], time_zone="Etc/UTC", typical="bdew-h25")


def test_a_typical_profile_may_have_another_step_and_another_year() -> None:
    hourly = np.arange(8760) % 24 + 1.0
    bills = [("2025-01-01", "2026-01-01", hourly.sum())]
    for typical in (hourly, np.repeat(hourly / 4, 4), hourly[:24], np.tile(hourly[:24], 7)):
        year = baseline(bills, time_zone="Etc/UTC", typical=typical)
        assert_allclose(year.energy_kwh, hourly, rtol=1e-12)
    quarters = baseline(bills, time_zone="Etc/UTC", typical=hourly, step_hours=0.25)
    assert_allclose(quarters.energy_kwh, np.repeat(hourly / 4, 4), rtol=1e-12)
    old = bess.Profile(hourly, datetime(2021, 1, 1, tzinfo=UTC))
    assert_allclose(
        baseline(bills, time_zone="Etc/UTC", typical=old).energy_kwh, hourly, rtol=1e-12
    )
