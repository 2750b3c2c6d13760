"""`bess.sweep` from the call to the table: a million bills, a Dask cluster, optima."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bess
from bess.tariff import DemandRate, EnergyRate, HourMatrix, Tariff


def three_uses() -> Tariff:
    """Three times of use, and demand."""
    hours = tuple(2 if 16 <= hour < 21 else int(hour >= 7) for hour in range(24))
    off, mid, peak = (HourMatrix((hours,) * 12, (hours,) * 12, use) for use in range(3))
    return Tariff(
        "three times of use",
        rates=(
            EnergyRate("off-peak", price=0.2, times=(off,)),
            EnergyRate("mid-peak", price=0.3, times=(mid,)),
            EnergyRate("peak", price=0.45, times=(peak,)),
            EnergyRate("sold", price=0.05, on_import=False, on_export=True),
        ),
        demand_rates=(DemandRate("any hour", 5.0), DemandRate("peak", 8.0, window=(peak,))),
    )


def sizes(count: int) -> bess.BatteryGrid:
    """A thousand powers by so many capacities."""
    return bess.BatteryGrid(
        capacity_kwh=np.linspace(0.5, 30, count), power_kw=np.linspace(0.3, 15, 1000)
    )


@pytest.mark.benchmark(group="sweeps")
@pytest.mark.parametrize("workers", [1, 2])
def bench_a_million(
    benchmark: Any,
    reached: Callable[..., None],
    hourly: bess.Site,
    workers: int,
) -> None:
    """A million batteries by surplus, each with its bill."""
    tariff = three_uses()
    table = benchmark.pedantic(
        lambda: bess.sweep(hourly, sizes(1000), bess.Surplus(), tariff=tariff, workers=workers),
        rounds=2,
    )
    reached(f"a million batteries, bess.sweep, {workers} threads", 2.0 if workers == 2 else None)
    row = table.row(654_321)
    power = row["power_kw"]
    battery = bess.Battery(
        capacity_kwh=row["capacity_kwh"], charge_power_kw=power, discharge_power_kw=power
    )
    alone = bess.dispatch(hourly, battery, bess.Surplus(), tariff=tariff)
    np.testing.assert_allclose(row["cost"], alone.cost, rtol=1e-9)


@pytest.mark.benchmark(group="sweeps")
def bench_optimised(benchmark: Any, reached: Callable[..., None], hourly: bess.Site) -> None:
    """The optimum for 2,000 batteries at time-of-use prices, one thread."""
    hour = np.arange(8760) % 24
    price = np.select([hour < 7, (hour >= 16) & (hour < 21)], [0.2, 0.45], 0.3)
    prices = bess.Prices(price, 0.05)
    grid = bess.BatteryGrid(
        capacity_kwh=np.linspace(2, 20, 50), duration_hours=np.linspace(1, 6, 40)
    )
    table = benchmark.pedantic(
        lambda: bess.sweep(
            hourly, grid, bess.Optimize(), prices=prices, workers=1, metrics=["cost", "gap"]
        ),
        rounds=3,
    )
    reached("the optimum in a sweep: a battery", 1 / 1500, per=len(grid))
    assert table["gap"].max() <= 1e-12
    row = table.row(137)
    power = row["capacity_kwh"] / row["duration_hours"]
    battery = bess.Battery(
        capacity_kwh=row["capacity_kwh"], charge_power_kw=power, discharge_power_kw=power
    )
    alone = bess.dispatch(hourly, battery, bess.Optimize(), prices=prices)
    np.testing.assert_allclose(row["cost"], alone.cost, rtol=1e-9)


@pytest.mark.benchmark(group="sweeps")
def bench_a_cluster(
    benchmark: Any, reached: Callable[..., None], hourly: bess.Site, tmp_path: Path
) -> None:
    """100,000 batteries on a local Dask cluster of two processes that is up, and on two threads."""
    distributed = pytest.importorskip("distributed")
    batteries, tariff = sizes(100), three_uses()
    threads: list[float] = []

    def sweep(**where: Any) -> bess.SweepTable:
        return bess.sweep(hourly, batteries, bess.Surplus(), tariff=tariff, **where)

    def on_threads() -> None:
        began = time.perf_counter()
        sweep(workers=2)
        threads.append(time.perf_counter() - began)

    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, local_directory=str(tmp_path)
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        table = benchmark.pedantic(
            lambda: sweep(client=client), setup=on_threads, rounds=20, warmup_rounds=2
        )
    least = min(threads)
    reached(f"100,000 on a cluster of two; {least * 1e3:.0f} ms on two threads", 1.2 * least)
    for name, column in sweep().items():
        np.testing.assert_array_equal(table[name], column)
