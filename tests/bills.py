"""Sites and tariffs for tests of bills, small enough to check by head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bess import Site
from bess.tariff import EnergyRate, HourMatrix, Tariff

FLAT = EnergyRate("energy", price=0.1)


def make(*rates: EnergyRate, **other: Any) -> Tariff:
    return Tariff("T", rates=rates or (FLAT,), **other)


def hours(*inside: int) -> HourMatrix:
    """The given hours of every day."""
    row = tuple(int(hour in inside) for hour in range(24))
    return HourMatrix((row,) * 12, (row,) * 12, 1)


def site(load: Any, start: str = "2025-01-01T00:00Z", hours: float = 1.0, **other: Any) -> Site:
    return Site(load_kwh=load, start=start, step_hours=hours, **other)


def year(monthly_peaks_kw: Sequence[float], base_kw: float = 0.0) -> Site:
    """2025 by the hour: a base load, and in each month one hour of the given power."""
    load = np.full(8760, base_kw)
    starts = np.cumsum([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30]) * 24
    load[starts + 12] = monthly_peaks_kw
    return site(load)
