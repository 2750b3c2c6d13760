"""Small sites for sweeps, in many chunks, and what tests of folders and clusters share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import bess
from bess.sweeping import case, lanes
from bess.sweeping.case import Case

HOURS = np.arange(24 * 40) % 24
SUN = np.maximum(np.sin((HOURS - 6) / 12 * np.pi), 0) * 4
HOME = bess.Site(load_kwh=1 + HOURS % 7 / 10, solar_kwh=SUN, start="2025-03-01T00:00Z")
TIGHT = bess.Site(  # of which batteries go one by one
    load_kwh=1 + HOURS % 7 / 10,
    start="2025-03-01T00:00Z",
    import_limit_kwh=1.5,
    inverter_limit_kw=50,
)
NIGHT = bess.FixedSchedule(
    charge=[{"touPeriods": [{"fromHour": 0, "toHour": 6}]}],
    discharge=[{"touPeriods": [{"fromHour": 16, "toHour": 21}]}],
)
PRICES = bess.Prices(np.where(HOURS >= 16, 0.4, 0.2), 0.05)
GRID = bess.BatteryGrid(capacity_kwh=np.linspace(1, 20, 29), duration_hours=np.linspace(1, 5, 13))


def small_chunks() -> None:
    """Of 64 batteries each, in this process from now on."""
    lanes._NUMBERS_AT_ONCE = 64
    case._CHUNKS = 1


def same(found: bess.SweepTable, expected: bess.SweepTable) -> None:
    assert list(found) == list(expected)
    assert found.scenarios == expected.scenarios
    for name in expected:
        texts = expected[name].dtype == object and name != "error"
        column = np.array([str(v) for v in expected[name]], object) if texts else expected[name]
        assert found[name].dtype == column.dtype
        assert_array_equal(found[name], column)


def rows_worked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What `Case.columns` is asked for from now on: where, and which battery."""
    worked: list[tuple[str, int]] = []
    columns = Case.columns

    def noted(self: Case, parameters: Any, first: int, last: int, *more: Any) -> Any:
        worked.extend((str(self.labels), row) for row in range(first, last))
        return columns(self, parameters, first, last, *more)

    monkeypatch.setattr(Case, "columns", noted)
    return worked
