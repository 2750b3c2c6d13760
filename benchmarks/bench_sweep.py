"""Many batteries at one site: rules in lanes, energies and peaks in 36 bins; and whole sweeps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import textbook
from numpy.typing import NDArray

import bess
from bess import _core
from bess.strategy import core_rule
from bess.tariff import DemandRate, EnergyRate, HourMatrix, Tariff

Floats = NDArray[np.float64]
NANOSECOND = 1e-9
COUNT = 4096
LOSSES = {"ac_to_dc": 0.96, "dc_to_ac": 0.96, "input": 0.975}


def schedule(charge: tuple[int, int], discharge: tuple[int, int]) -> bess.FixedSchedule:
    """Hours from, to."""
    times = (
        [{"touPeriods": [{"fromHour": low, "toHour": high % 24}]}]
        for low, high in (charge, discharge)
    )
    return bess.FixedSchedule(*times)


NIGHT, ALL_DAY = schedule((0, 6), (16, 21)), schedule((0, 16), (16, 24))


@pytest.fixture(scope="session")
def shop(shared_data: Path) -> bess.Site:
    """A measured commercial site with 400 kW of sun, 35,040 quarter hours."""
    return shop_at(shared_data)


def shop_at(folder: Path) -> bess.Site:
    """The same, of the folder of real inputs."""
    file = folder / "loads" / "wisconsin_commercial_15min_2022_load_pv.csv"
    load, solar = np.loadtxt(file, delimiter=",", skiprows=1, unpack=True)
    return bess.Site(
        load_kw=load, solar_kw=400 * solar, start="2022-01-01T00:00-06:00", step_hours=0.25
    )


def bins_of(site: bess.Site) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Runs of steps: twelve months by three times of use."""
    clock = np.arange(site.steps) * site.step_hours
    month = (clock / 730).astype(int) % 12
    use = np.digitize(clock % 24, [7, 16, 21]) % 3
    bin_of = (3 * month + use).astype(np.int32)
    change = np.flatnonzero(np.diff(bin_of)) + 1
    start = np.concatenate([[0], change, [site.steps]]).astype(np.int32)
    return start, bin_of[start[:-1]]


def batteries(site: bess.Site, order: str, scale: float) -> Floats:
    """Rows as the core takes them: 64 capacities by 64 powers, or at random."""
    if order == "grid":
        power, capacity = (
            side.ravel()
            for side in np.meshgrid(
                np.linspace(0.01, 0.5, 64), np.linspace(0.02, 1, 64), indexing="ij"
            )
        )
    else:
        rng = np.random.default_rng(1)
        capacity, power = rng.uniform(0.02, 1, COUNT), rng.uniform(0.01, 0.5, COUNT)
    capacity, energy = scale * capacity, scale * power * site.step_hours
    one = np.ones(COUNT)
    return np.array(
        [0.1 * capacity, capacity, 0.5 * capacity, energy, energy, one / 0.96]
        + [one * LOSSES[name] for name in LOSSES]
    )


def with_limit(site: bess.Site, limit: float) -> bess.Site:
    return bess.Site(
        load_kwh=site.load_kwh,
        solar_kwh=site.solar_kwh,
        start=str(site.timeline.start.isoformat()),
        step_hours=site.step_hours,
        time_zone=site.timeline.time_zone,
        export_limit_kwh=limit,
    )


CASES: dict[str, tuple[str, Any, bool, bool, str, str | None, float]] = {
    # place, strategy, everything allowed, export limit, order, instruction set, goal
    "surplus, house, grid": ("house", bess.Surplus(), False, False, "grid", None, 0.22),
    "surplus, shop, grid": ("shop", bess.Surplus(), False, False, "grid", None, 0.10),
    "surplus, house, export limit": ("house", bess.Surplus(), False, True, "grid", None, 0.30),
    "surplus, house, shuffled": ("house", bess.Surplus(), False, False, "shuffled", None, 0.35),
    "surplus, house, SSE2": ("house", bess.Surplus(), False, False, "grid", "baseline", 0.60),
    "surplus, house, AVX2": ("house", bess.Surplus(), False, False, "grid", "avx2", 0.22),
    "schedule, 11 hours, least": ("house", NIGHT, False, False, "grid", None, 0.25),
    "schedule, 11 hours, all options": ("house", NIGHT, True, True, "grid", None, 0.40),
    "schedule, 24 hours, all options": ("house", ALL_DAY, True, True, "grid", None, 0.70),
}


@pytest.mark.benchmark(group="lanes")
@pytest.mark.parametrize("name", CASES)
def bench_lanes(
    benchmark: Any,
    reached: Callable[..., None],
    request: pytest.FixtureRequest,
    name: str,
) -> None:
    place, strategy, everything, limited, order, instruction_set, goal = CASES[name]
    if instruction_set not in (None, *_core.instruction_sets()):
        pytest.skip(f"this machine has no {instruction_set}")
    site = request.getfixturevalue("hourly" if place == "house" else "shop")
    scale = 30.0 if place == "house" else 800.0
    if limited:
        site = with_limit(site, 1.5)
    start, bin_of = bins_of(site)
    rule = core_rule(strategy, site.timeline, None)
    program = _core.SweepProgram(site._core, rule, everything, everything, start, bin_of, 36)
    rows = batteries(site, order, scale)
    by_bin, _ = benchmark(lambda: program.run(rows, instruction_set))
    reached(f"{name}: a battery and step", goal * NANOSECOND, per=COUNT * site.steps)
    for i in (0, COUNT // 2, COUNT - 1):
        battery = _core.Battery(
            capacity=rows[1, i],
            minimum_energy=rows[0, i],
            maximum_energy=rows[1, i],
            initial_energy=rows[2, i],
            charge_limit=rows[3, i],
            discharge_limit=rows[4, i],
            ac_to_dc_efficiency=LOSSES["ac_to_dc"],
            dc_to_ac_efficiency=LOSSES["dc_to_ac"],
            input_efficiency=LOSSES["input"],
            degradation_cost=0.0,
            dc_coupled=True,
            grid_to_battery=everything,
            battery_to_grid=everything,
            solar_to_battery=True,
        )
        flows, _, _ = _core.dispatch_rule(site._core, battery, rule, [])
        alone = _core.settle(flows[0] + flows[1], flows[4] + flows[7], start, bin_of, 36)
        size = site.load_kwh.sum() + site.solar_kwh.sum()
        np.testing.assert_allclose(by_bin[:, :, i], alone, rtol=0, atol=1e-12 * size)


@pytest.mark.benchmark(group="lanes")
@pytest.mark.parametrize("library", ["numba", "NumPy"])
def bench_textbook_of_many(
    benchmark: Any, reached: Callable[..., None], hourly: bess.Site, library: str
) -> None:
    """The cost of surplus at one price alone, no energies and no peaks."""
    rows = batteries(hourly, "grid", 30.0)
    many = textbook.many_in_numba() if library == "numba" else textbook.many_in_numpy
    cost = many(hourly, rows)
    start, bin_of = bins_of(hourly)
    program = _core.SweepProgram(
        hourly._core, _core.Rule.surplus(), False, False, start, bin_of, 36
    )
    (imported, exported, _), _ = program.run(rows)
    np.testing.assert_allclose(cost, 0.3 * imported.sum(0) - 0.05 * exported.sum(0), rtol=1e-9)
    benchmark.pedantic(lambda: many(hourly, rows), rounds=3)
    reached(f"the textbook's surplus over batteries in {library}, cost alone", per=COUNT * 8760)


@pytest.mark.benchmark(group="sweeps")
@pytest.mark.parametrize("workers", [1, 2])
def bench_a_million(
    benchmark: Any, reached: Callable[..., None], hourly: bess.Site, workers: int
) -> None:
    """A million batteries by surplus, each with its bill: three times of use, and demand."""
    hours = tuple(2 if 16 <= hour < 21 else int(hour >= 7) for hour in range(24))
    off, mid, peak = (HourMatrix((hours,) * 12, (hours,) * 12, use) for use in range(3))
    tariff = Tariff(
        "three times of use",
        rates=(
            EnergyRate("off-peak", price=0.2, times=(off,)),
            EnergyRate("mid-peak", price=0.3, times=(mid,)),
            EnergyRate("peak", price=0.45, times=(peak,)),
            EnergyRate("sold", price=0.05, on_import=False, on_export=True),
        ),
        demand_rates=(DemandRate("any hour", 5.0), DemandRate("peak", 8.0, window=(peak,))),
    )
    grid = bess.BatteryGrid(
        capacity_kwh=np.linspace(0.5, 30, 1000), power_kw=np.linspace(0.3, 15, 1000)
    )
    table = benchmark.pedantic(
        lambda: bess.sweep(hourly, grid, bess.Surplus(), tariff=tariff, workers=workers), rounds=2
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
    """The optimum for 400 batteries at time-of-use prices, one thread."""
    hour = np.arange(8760) % 24
    price = np.select([hour < 7, (hour >= 16) & (hour < 21)], [0.2, 0.45], 0.3)
    prices = bess.Prices(price, 0.05)
    grid = bess.BatteryGrid(
        capacity_kwh=np.linspace(2, 20, 20), duration_hours=np.linspace(1, 6, 20)
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
