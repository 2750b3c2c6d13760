"""A small sweep for clusters, in many tasks, and what tests of it share."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.testing import assert_array_equal

import bess
from bess.sweeping import case, lanes

STEPS = 24 * 40
HOURS = np.arange(STEPS) % 24
SUN = np.maximum(np.sin((HOURS - 6) / 12 * np.pi), 0) * 4
HOME = bess.Site(load_kwh=1 + HOURS % 7 / 10, solar_kwh=SUN, start="2025-03-01T00:00Z")
TIGHT = bess.Site(load_kwh=1 + HOURS % 7 / 10, start="2025-03-01T00:00Z", import_limit_kwh=1.5)
PRICES = bess.Prices(np.where(HOURS >= 16, 0.4, 0.2), 0.05)
GRID = bess.BatteryGrid(
    capacity_kwh=np.linspace(0.1, 20, 50),
    power_kw=lambda capacity_kwh: capacity_kwh / 3,
    dc_coupled=[True, False],
)
SWEEP: dict[str, Any] = {
    "site": {"home": HOME, "tight": TIGHT},
    "batteries": GRID,
    "strategy": bess.Surplus(),
    "prices": PRICES,
    "metrics": ["cost", "import_kwh", "monthly_peaks_kw"],
}
"""Lanes and one by one, and scenarios that fail."""


def small_chunks() -> None:
    lanes._NUMBERS_AT_ONCE = 64
    case._CHUNKS = 1


def same(found: bess.SweepTable, expected: bess.SweepTable) -> None:
    assert list(found) == list(expected)
    for name in expected:
        assert found[name].dtype == expected[name].dtype
        assert_array_equal(found[name], expected[name])


def soon(condition: Callable[[], bool]) -> bool:
    """Whether something comes to be within a minute."""
    end = time.monotonic() + 60
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
