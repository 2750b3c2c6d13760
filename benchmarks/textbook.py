"""Surplus dispatch as a textbook writes it, compiled from C++ and by numba: the baselines."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import bess

Floats = NDArray[np.float64]
Loop = Callable[[bess.Site, Floats], None]
"""Writes a site's ten series, shape (10, steps)."""


def _numbers(battery: bess.Battery, site: bess.Site) -> tuple[float, ...]:
    """The arguments of the loop after load, solar and steps."""
    b, pv = battery, site.solar_dc_to_ac_efficiency
    return (
        b.capacity_kwh * b.min_state_of_charge,
        b.capacity_kwh * b.max_state_of_charge,
        b.capacity_kwh * b.initial_state_of_charge,
        b.charge_power_kw * site.step_hours,
        b.discharge_power_kw * site.step_hours,
        1 / pv if b.dc_coupled else b.ac_to_dc_efficiency,
        pv,
        b.input_efficiency,
        b.dc_to_ac_efficiency,
        b.capacity_kwh,
    )


def in_cpp(battery: bess.Battery, folder: Path) -> Loop:
    """The loop of textbook.cpp, compiled here and now; skips without a compiler."""
    compiler = os.environ.get("CXX") or shutil.which("c++")
    if compiler is None:
        pytest.skip("no C++ compiler for the baseline")
    library = folder / "textbook.so"
    source = Path(__file__).with_name("textbook.cpp")
    subprocess.run(
        [compiler, "-O3", "-shared", "-fPIC", str(source), "-o", str(library)], check=True
    )
    surplus = ctypes.CDLL(str(library)).surplus
    pointer = ctypes.POINTER(ctypes.c_double)
    surplus.argtypes = [pointer, pointer, ctypes.c_long, *[ctypes.c_double] * 10, pointer]
    surplus.restype = None

    def loop(site: bess.Site, series: Floats) -> None:
        arrays = (site.load_kwh, site.solar_kwh, series)
        load, solar, written = (array.ctypes.data_as(pointer) for array in arrays)
        surplus(load, solar, site.steps, *_numbers(battery, site), written)

    return loop


def in_numba(battery: bess.Battery) -> Loop:
    """The same loop compiled by numba; skips without it."""
    numba = pytest.importorskip("numba")
    surplus = numba.njit(_surplus)

    def loop(site: bess.Site, series: Floats) -> None:
        surplus(site.load_kwh, site.solar_kwh, *_numbers(battery, site), series)

    return loop


def _surplus(
    load: Any,
    solar: Any,
    low: float,
    high: float,
    energy: float,
    charge_limit: float,
    discharge_limit: float,
    ratio: float,
    solar_efficiency: float,
    input_efficiency: float,
    output_efficiency: float,
    capacity: float,
    series: Any,
) -> None:
    for t in range(len(load)):
        sun_to_site = min(load[t], solar[t])
        unserved = load[t] - sun_to_site
        charge = 0.0
        to_site = 0.0
        if solar[t] > load[t]:
            surplus = (solar[t] - load[t]) * ratio
            charge = min(surplus, charge_limit, (high - energy) / input_efficiency)
            energy += charge * input_efficiency
        else:
            drawn = min(unserved / output_efficiency, discharge_limit, energy - low)
            to_site = drawn * output_efficiency
            energy -= drawn
        sold = solar[t] - sun_to_site - charge / ratio
        series[0, t] = unserved - to_site
        series[1, t] = 0.0
        series[2, t] = charge
        series[3, t] = sun_to_site
        series[4, t] = sold
        series[5, t] = (solar[t] - sun_to_site - charge / ratio - sold) / solar_efficiency
        series[6, t] = to_site
        series[7, t] = 0.0
        series[8, t] = series[0, t] - sold
        series[9, t] = energy / capacity
