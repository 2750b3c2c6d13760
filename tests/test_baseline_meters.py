"""Readings of two lengths, of a meter that was exchanged; and bills that nearly contradict."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from bess import Baseline, baseline
from bess.errors import InputError
from bess.profile.lengths import lengths_of

START = datetime(2025, 1, 1, tzinfo=UTC)
HOURS = np.linspace(0.5, 2.0, 48)
QUARTERS = np.linspace(0.1, 0.4, 192)


def rows(kw: bool = False) -> list[tuple[datetime, float]]:
    """Two days of hours, then two of quarter-hours; as energy or as mean power."""
    hours = [(START + i * timedelta(hours=1), value) for i, value in enumerate(HOURS)]
    begin = START + timedelta(hours=48)
    quarters = [
        (begin + i * timedelta(minutes=15), value * (4 if kw else 1))
        for i, value in enumerate(QUARTERS)
    ]
    return hours + quarters


def check(found: Baseline, tail: np.ndarray[Any, Any] = QUARTERS) -> None:
    assert found.step_hours == 1
    assert_allclose(found.energy_kwh[:48], HOURS)
    assert_allclose(found.energy_kwh[48:96], tail.reshape(-1, 4).sum(axis=1))
    assert "readings of 15, 60 min are put together in steps of 60 min" in "".join(
        found.assumptions
    )


@pytest.mark.parametrize("unit", ["kWh", "kW"])
def test_a_table_of_hours_and_then_quarters_is_one_of_hours(tmp_path: Path, unit: str) -> None:
    file = tmp_path / "meter.csv"
    text = "".join(f"{at:%Y-%m-%dT%H:%M}Z,{value}\n" for at, value in rows(unit == "kW"))
    file.write_text(f"time,load_{unit.lower()}\n{text}")
    check(baseline(file))


def test_local_stamps_of_two_lengths_are_read(tmp_path: Path) -> None:
    file = tmp_path / "meter.csv"
    text = "".join(f"{at:%Y-%m-%d %H:%M},{value}\n" for at, value in rows())
    file.write_text(f"time,load_kwh\n{text}")
    check(baseline(file, time_zone="America/Phoenix"))


def test_a_pandas_series_of_two_lengths_is_read() -> None:
    at, values = zip(*rows(), strict=True)
    check(baseline(pd.Series(values, pd.DatetimeIndex(at))))


def test_readings_of_a_document_may_have_two_lengths() -> None:
    data = [
        {
            "fromDateTime": at.isoformat(),
            "toDateTime": (at + timedelta(minutes=60 if i < 48 else 15)).isoformat(),
            "quantityValue": value,
            "quantityUnit": "kWh",
        }
        for i, (at, value) in enumerate(rows())
    ]
    check(baseline({"profileId": "p", "readingData": data}))
    data[3]["toDateTime"] = (rows()[3][0] + timedelta(minutes=25)).isoformat()
    with pytest.raises(InputError) as caught:
        baseline({"profileId": "p", "readingData": data})
    assert str(caught.value) == (
        "profile.readingData[3]: is 1500 s long; must be as long as the others (900 s), or an even "
        "part of the longest"
    )


def test_green_button_readings_may_have_two_lengths(tmp_path: Path) -> None:
    """Three readings of two hours before the file's hours; one of a day beside them is none."""
    source = Path(__file__).parent / "cases/usage/green_button_both_directions.xml"
    text = source.read_text("utf-8")
    plain = baseline(source, time_zone="America/Los_Angeles")
    first = int(plain.start.timestamp())
    spans = [(first - 7200 * k, 7200, 1000 * k) for k in (3, 2, 1)] + [(first, 86_400, 9)]
    before = "".join(
        f"<espi:IntervalReading><espi:timePeriod><espi:duration>{length}</espi:duration>"
        f"<espi:start>{start}</espi:start></espi:timePeriod><espi:value>{value}</espi:value>"
        "</espi:IntervalReading>"
        for start, length, value in spans
    )
    at = text.index("<espi:IntervalReading>")
    file = tmp_path / "two.xml"
    file.write_text(text[:at] + before + text[at:], "utf-8")
    found = baseline(file, time_zone="America/Los_Angeles")
    assert found.step_hours == 2
    assert found.energy_kwh[:3] == pytest.approx([3.0, 2.0, 1.0])
    assert found.energy_kwh[3] == pytest.approx(plain.energy_kwh[:2].sum())
    assert any("readings longer than 60 min are left out" in text for text in found.assumptions)


def test_a_gap_among_quarters_is_a_gap_of_its_hour() -> None:
    kept = [row for i, row in enumerate(rows()) if i != 48 + 10]
    at, values = zip(*kept, strict=True)
    found = baseline(pd.Series(values, pd.DatetimeIndex(at)))
    assert np.flatnonzero(found.origin).tolist() == [50]
    assert "1 steps of which some are missing are gaps" in "".join(found.assumptions)


def test_gaps_are_no_lengths() -> None:
    hours = np.arange(200) * 3600
    kept = np.delete(hours, [5, 17, 18, 40, 90])
    assert set(lengths_of(kept, 3600).tolist()) == {3600}
    odd = np.concatenate([np.arange(30) * 3600, 30 * 3600 + np.arange(30) * 2500])
    assert set(lengths_of(odd, 3600).tolist()) == {3600}


def bills_of(load: np.ndarray[Any, Any], count: int, seed: int) -> Any:
    """Bills over any days of 2025, many of them overlapping."""
    random = np.random.default_rng(seed)
    bills = []
    for _ in range(count):
        days = int(random.integers(1, 60))
        first = int(random.integers(0, 365 - days))
        kwh = float(load[first : first + days].sum())
        begin = date(2025, 1, 1) + timedelta(first)
        bills.append((begin, begin + timedelta(days), kwh))
    return bills


def off(found: Baseline, bills: Any) -> float:
    """How far the worst bill is from its total."""
    running = np.concatenate([[0.0], np.cumsum(found.energy_kwh)])
    days = [[24 * (day - date(2025, 1, 1)).days for day in bill[:2]] for bill in bills]
    return max(
        abs(running[last] - running[first] - bill[2])
        for (first, last), bill in zip(days, bills, strict=True)
    )


@pytest.mark.parametrize(("count", "seed"), [(35, 1), (46, 2), (60, 3), (74, 4)])
@pytest.mark.parametrize("empty", [0.0, 0.7], ids=["any days", "mostly empty days"])
def test_many_overlapping_bills_that_one_load_explains_all_keep_their_totals(
    count: int, seed: int, empty: float
) -> None:
    random = np.random.default_rng(seed)
    load = random.gamma(0.5, 20, 365) * (random.random(365) >= empty)
    bills = bills_of(load, count, seed)
    found = baseline(bills, time_zone="Etc/UTC", start="2025-01-01T00:00Z")
    assert off(found, bills) <= 1e-9 * found.energy_kwh.sum()
    assert (found.energy_kwh >= 0).all()


@pytest.mark.parametrize(("decimals", "unit"), [(0, 1.0), (1, 0.1)])
def test_totals_that_contradict_by_rounding_alone_are_met_within_it(
    decimals: int, unit: float
) -> None:
    """Tens of days, then months of three of them, then the year: each rounded by itself."""
    load = np.random.default_rng(5).gamma(0.5, 20, 360)
    bills = [
        (
            date(2025, 1, 1) + timedelta(first),
            date(2025, 1, 1) + timedelta(first + days),
            round(float(load[first : first + days].sum()), decimals),
        )
        for days in (10, 30, 360)
        for first in range(0, 360, days)
    ]
    found = baseline(bills, time_zone="Etc/UTC", start="2025-01-01T00:00Z")
    assert off(found, bills) <= unit / 2 + 1e-6
    assert any("agree but for the rounding of their figures" in s for s in found.assumptions)


def test_only_the_bills_that_contradict_give_way() -> None:
    bills = [
        ("2025-01-01", "2025-02-01", 100),
        ("2025-01-01", "2025-01-16", 50),
        ("2025-01-16", "2025-02-01", 51),
        ("2025-03-01", "2025-04-01", 77),
    ]
    found = baseline(bills, time_zone="Etc/UTC", typical="flat")
    march = found.energy_kwh[59 * 24 : 90 * 24].sum()
    assert march == pytest.approx(77, rel=1e-12)
    assert found.energy_kwh[:744].sum() == pytest.approx(100.33, abs=0.01)
    said = next(text for text in found.assumptions if "rounding" in text)
    assert said == (
        "bills[0], bills[1], bills[2] overlap, and their totals agree but for the rounding of "
        "their figures to 1 kWh: met within 0.33 kWh of each"
    )
    with pytest.raises(InputError, match=r"bills\[\d\] = .*: contradicts bills"):
        baseline([*bills[:2], ("2025-01-16", "2025-02-01", 52)], time_zone="Etc/UTC")
