"""Bills of many batteries at once, from energies and peaks by bin: 4,096 at a time, on one core.

Goal: 0.2 µs a bill on a tariff of three times of use and two demand windows, so that a million
bills take a fifth of a second. The baseline is `bess.bill` of one battery after the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from bench_settlement import commercial

import bess
from bess import _core
from bess.tariff import DemandRate, EnergyRate, Ratchet, Tariff
from bess.tariff.bill import bill_energy
from bess.tariff.many_bills import ManyBills
from bess.time_of_use import TimeOfUse

BATTERIES = 4096


def at(start: int, end: int) -> tuple[TimeOfUse]:
    return (TimeOfUse.model_validate({"touPeriods": [{"fromHour": start, "toHour": end}]}),)


def time_of_use() -> Tariff:
    """Three times of use, exports, and demand at any hour and in the evening."""
    return Tariff(
        "time of use",
        time_zone="America/Los_Angeles",
        rates=(
            EnergyRate("peak", ("energy",), 0.4, times=at(16, 21)),
            EnergyRate("day", ("energy",), 0.3, times=at(8, 16)),
            EnergyRate("night", ("energy",), 0.2, times=at(21, 8)),
            EnergyRate("sold", price=0.05, on_import=False, on_export=True),
        ),
        demand_rates=(DemandRate("any hours", 10.0), DemandRate("peak", 5.0, window=at(16, 21))),
    )


TARIFFS: dict[str, Callable[[], Tariff]] = {
    "time of use": time_of_use,
    "net metering": lambda: replace(time_of_use(), metering="net_metering"),
    "ratchet": lambda: replace(
        time_of_use(), demand_rates=(DemandRate("any hours", 10.0, ratchet=Ratchet((80.0,))),)
    ),
    "commercial": commercial,
}


@pytest.mark.parametrize("name", TARIFFS)
def bench_many_bills(
    benchmark: Any, reached: Callable[..., None], hourly: bess.Site, name: str
) -> None:
    tariff = TARIFFS[name]()
    bills = ManyBills(tariff, hourly.timeline)
    runs = bills.layout.runs
    net = hourly.load_kwh - hourly.solar_kwh
    imports, exports = np.maximum(net, 0.0), np.maximum(-net, 0.0)
    once = _core.settle(imports, exports, runs.start, runs.bin, runs.bins)
    known = once[:, :, None] * np.linspace(0.0, 1.0, BATTERIES)
    total, _ = benchmark(bills.of, *known)
    goal = 0.2e-6 if name == "time of use" else None
    reached(f"a bill of {BATTERIES:,}, {name}, {runs.bins} bins", goal, per=BATTERIES)
    for i in (0, 1000, BATTERIES - 1):
        part = i / (BATTERIES - 1)
        own = bill_energy(hourly, tariff, part * imports, part * exports)
        assert total[i] == pytest.approx(own.total, rel=1e-9)


def bench_one_bill(benchmark: Any, reached: Callable[..., None], hourly: bess.Site) -> None:
    net = hourly.load_kwh - hourly.solar_kwh
    flows = np.maximum(net, 0.0), np.maximum(-net, 0.0)
    benchmark(bill_energy, hourly, time_of_use(), *flows)
    reached("bess.bill, time of use")
