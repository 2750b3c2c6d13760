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


def many_in_numba() -> Callable[[bess.Site, Floats], Floats]:
    """What surplus costs at 0.30 and 0.05 a kWh for many batteries, blocked over them in numba."""
    numba = pytest.importorskip("numba")
    cost_of = numba.njit(_surplus_of_many, fastmath=True, error_model="numpy")

    def many(site: bess.Site, batteries: Floats) -> Floats:
        _, low, high, stored, into, out, sun, _, given, kept = batteries
        cost = np.empty(len(low))
        net = site.load_kwh - site.solar_kwh
        cost_of(
            net,
            (high - low) * given,
            (stored - low) * given,
            out * given,
            into * kept * given,
            sun * kept * given,
            cost,
        )
        return cost

    return many


_BLOCK = 128
"""Batteries side by side, in arrays of the loop's own: so numba makes vectors of them."""


def _surplus_of_many(
    net: Any, room: Any, stored: Any, power: Any, charge: Any, rate: Any, cost: Any
) -> None:
    held, paid, most = np.empty(_BLOCK), np.empty(_BLOCK), np.empty(_BLOCK)
    out, into, per, forgone = np.empty(_BLOCK), np.empty(_BLOCK), np.empty(_BLOCK), np.empty(_BLOCK)
    for first in range(0, len(room), _BLOCK):
        for i in range(_BLOCK):
            k = min(first + i, len(room) - 1)
            held[i], paid[i], most[i], out[i] = stored[k], 0.0, room[k], power[k]
            into[i], per[i], forgone[i] = charge[k], rate[k], 0.05 / rate[k]
        without = 0.0
        for t in range(len(net)):
            n = net[t]
            if n > 0:
                without += 0.3 * n
                for i in range(_BLOCK):
                    given = out[i] if out[i] < n else n
                    given = held[i] if held[i] < given else given
                    held[i] -= given
                    paid[i] -= 0.3 * given
            else:
                without += 0.05 * n
                for i in range(_BLOCK):
                    taken = -n * per[i]
                    taken = into[i] if into[i] < taken else taken
                    left = most[i] - held[i]
                    taken = left if left < taken else taken
                    held[i] += taken
                    paid[i] += forgone[i] * taken
        for i in range(min(_BLOCK, len(room) - first)):
            cost[first + i] = without + paid[i]


def many_in_numpy(site: bess.Site, batteries: Floats) -> Floats:
    """The same, a NumPy operation over all batteries for each step of the textbook."""
    _, low, high, stored, into, out, sun, _, given, kept = batteries
    room, held, power = (high - low) * given, (stored - low) * given, out * given
    charge, rate = into * kept * given, sun * kept * given
    cost = np.zeros(len(low))
    for n in (site.load_kwh - site.solar_kwh).tolist():
        if n > 0:
            served = np.minimum(np.minimum(n, power), held)
            held = held - served
            cost += 0.3 * (n - served)
        else:
            taken = np.minimum(np.minimum(-n * rate, charge), room - held)
            held = held + taken
            cost -= 0.05 * (-n - taken / rate)
    return cost
