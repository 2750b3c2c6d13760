"""A small sweep for clusters, in many tasks."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from small_sweeps import HOME, PRICES, TIGHT

import bess

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


def soon(condition: Callable[[], bool]) -> bool:
    """Whether something comes to be within a minute."""
    end = time.monotonic() + 60
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
