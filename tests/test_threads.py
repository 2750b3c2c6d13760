"""Many threads over shared sites, tariffs and schedules: the bits of one after another."""

from __future__ import annotations

import hashlib
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import bess
from bess.strategy import _modes
from bess.tariff.pricing import prices_of
from bess.timeline import _local_clock

THREADS = 8
STEPS = 500
WEEKLY = {
    "schedule": {
        "frequency": "weekly",
        "day_of_week": ["Sunday", "Wednesday"],
        "time": "06:30",
        "timezone": "America/Los_Angeles",
    },
    "minimum_state_of_charge": 60,
    "maximum_state_of_charge": 90,
}
TARIFF = {
    "name": "two prices",
    "timeZone": "America/Los_Angeles",
    "rates": [
        {
            "rateName": name,
            "chargeType": "CONSUMPTION_BASED",
            "timeOfUse": {"touId": 1, "touPeriods": [{"fromHour": start, "toHour": end}]},
            "rateBands": [{"rateAmount": price}],
        }
        for name, start, end, price in (("peak", 16, 21, 0.5), ("off", 21, 16, 0.2))
    ],
}


def device(name: str, priority: int) -> bess.BessDevice:
    return bess.BessDevice.model_validate(
        {
            "name": name,
            "collector": "main",
            "maximum_charging_power": 2000,
            "maximum_discharging_power": 3000,
            "operational_battery_capacity": 5000,
            "charging_priority": priority,
            "policies": [WEEKLY],
        }
    )


def fingerprint(result: bess.Result) -> str:
    """Every bit of a result: its series, its devices', its cost and its violations."""
    digest = hashlib.sha256(np.ascontiguousarray(result.series).tobytes())
    for unit in result.units:
        digest.update(np.ascontiguousarray(unit.series).tobytes())
    said = (result.cost, result.lower_bound, result.gap, result.violations, result.assumptions)
    digest.update(repr(said).encode())
    return digest.hexdigest()


def jobs(steps: int, optimize: bool) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Every strategy for a battery, a device and two devices, on two shared sites."""
    numbers = np.random.default_rng(7)
    load, solar = numbers.random(steps) * 2, numbers.random(steps) * 4
    fields: dict[str, Any] = {
        "load_kwh": load,
        "solar_kwh": solar,
        "start": "2025-03-08T00:00-08:00",
    }
    sites = [
        bess.Site(**fields, time_zone="America/Los_Angeles", export_limit_kwh=1.5),
        bess.Site(**fields, step_hours=0.25, solar_side="DC"),
    ]
    schedule = bess.FixedSchedule(
        charge=[{"touPeriods": [{"fromHour": 0, "toHour": 6}]}],
        discharge=[{"touPeriods": [{"fromHour": 16, "toHour": 21}]}],
    )
    strategies: list[Any] = [
        bess.Surplus(),
        schedule,
        bess.Follow(numbers.random(steps) * 4 - 2),
        bess.PeakShave(target_kw=1),
    ]
    if optimize:
        strategies = [bess.Optimize(relax_policies=True)]
    tariff, prices = bess.load_tariff(TARIFF), bess.Prices(numbers.random(steps), 0.1)
    stores: list[tuple[Any, dict[str, Any]]] = [
        (bess.Battery(), {"policies": [WEEKLY]}),
        (device("alone", 1), {}),
        ([device("east", 1), device("west", 2)], {"allow_grid_to_battery": True}),
    ]
    return [
        ((site, store, strategy), keywords | paid)
        for site in sites
        for store, keywords in stores
        for strategy in strategies
        for paid in ({"tariff": tariff}, {"prices": prices})
    ]


def work(job: tuple[tuple[Any, ...], dict[str, Any]]) -> str:
    return fingerprint(bess.dispatch(*job[0], **job[1]))


@pytest.mark.parametrize(
    ("steps", "optimize", "rounds"),
    [
        pytest.param(STEPS, False, 10, id="rules"),
        pytest.param(24, True, 1, id="optimize", marks=pytest.mark.highs),
    ],
)
def test_threads_give_the_bits_of_one_after_another(
    steps: int, optimize: bool, rounds: int
) -> None:
    shared = jobs(steps, optimize)
    serial = [work(job) for job in shared]
    assert len(set(serial)) == len(serial)
    for cached in (_local_clock, _modes, prices_of):
        cached.cache_clear()
    fresh = jobs(steps, optimize)  # the threads meet at the first use of each
    order = list(range(len(fresh))) * rounds
    random.Random(3).shuffle(order)
    with ThreadPoolExecutor(THREADS) as pool:
        parallel = list(pool.map(lambda i: work(fresh[i]), order))
    assert parallel == [serial[i] for i in order]


def test_results_of_other_threads_do_not_change_while_more_are_made() -> None:
    """Freed blocks are used again; one that is still held is not."""
    shared = jobs(STEPS, False)
    with ThreadPoolExecutor(THREADS) as pool:
        kept = list(pool.map(lambda job: bess.dispatch(*job[0], **job[1]), shared * 2))
        before = [fingerprint(result) for result in kept]
        list(pool.map(work, shared * 3))
    assert [fingerprint(result) for result in kept] == before
    assert before[: len(shared)] == before[len(shared) :]
