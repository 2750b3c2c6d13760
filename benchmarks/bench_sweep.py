"""Many batteries at one site: rules in lanes, energies and peaks in 36 bins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import textbook
from numpy.typing import NDArray

import bess
from bess import _core
from bess.policy import DAYS, SchedulePolicy
from bess.policy import windows as policy_windows
from bess.strategy import core_rule

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
        [capacity, 0.1 * capacity, capacity, 0.5 * capacity, energy, energy, one / 0.96]
        + [one * LOSSES[name] for name in LOSSES]
    )


def with_limit(site: bess.Site, limit: float, **more: Any) -> bess.Site:
    """The site with an export limit, and what else its owner may say."""
    return bess.Site(
        load_kwh=site.load_kwh,
        solar_kwh=site.solar_kwh,
        start=str(site.timeline.start.isoformat()),
        step_hours=site.step_hours,
        time_zone=site.timeline.time_zone,
        export_limit_kwh=limit,
        **more,
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
    check(site, rule, everything, rows, by_bin)


def check(
    site: bess.Site,
    rule: _core.Rule,
    everything: bool,
    rows: Floats,
    by_bin: Floats,
    windows: Sequence[tuple[int, float, float]] = (),
) -> None:
    """A few lanes are what the kernel for one battery finds."""
    start, bin_of = bins_of(site)
    for i in (0, COUNT // 2, COUNT - 1):
        capacity, least, most = rows[:3, i]
        battery = _core.Battery(
            capacity=capacity,
            minimum_energy=least,
            maximum_energy=most,
            initial_energy=rows[3, i],
            charge_limit=rows[4, i],
            discharge_limit=rows[5, i],
            ac_to_dc_efficiency=LOSSES["ac_to_dc"],
            dc_to_ac_efficiency=LOSSES["dc_to_ac"],
            input_efficiency=LOSSES["input"],
            degradation_cost=0.0,
            dc_coupled=True,
            grid_to_battery=everything,
            battery_to_grid=everything,
            solar_to_battery=True,
        )
        kept = [(t, max(low * capacity, least), high * capacity) for t, low, high in windows]
        flows, _, _ = _core.dispatch_rule(site._core, battery, rule, kept)
        alone = _core.settle(flows[0] + flows[1], flows[4] + flows[7], start, bin_of, 36)
        size = site.load_kwh.sum() + site.solar_kwh.sum()
        np.testing.assert_allclose(by_bin[:, :, i], alone, rtol=0, atol=1e-12 * size)


RESERVES: dict[str, tuple[range, float]] = {
    "of 40 % from 17 to 21 h": (range(17, 22), 40),
    "of 30 % always": (range(24), 30),
}


def policies(when: str, site: bess.Site) -> list[SchedulePolicy]:
    """A reserve at the full hours of every day."""
    hours, percent = RESERVES[when]
    return [
        SchedulePolicy(
            schedule={
                "frequency": "weekly",
                "day_of_week": list(DAYS),
                "time": f"{hour:02}:00",
                "timezone": site.timeline.time_zone,
            },
            minimum_state_of_charge=percent,
            maximum_state_of_charge=100,
        )
        for hour in hours
    ]


@pytest.mark.benchmark(group="lanes")
@pytest.mark.parametrize("grid", [True, False], ids=["from the grid", "from the sun"])
@pytest.mark.parametrize("when", RESERVES)
def bench_reserve(
    benchmark: Any, reached: Callable[..., None], hourly: bess.Site, when: str, grid: bool
) -> None:
    """Surplus that keeps a reserve, charged from the grid where need be, or from the sun alone."""
    start, bin_of = bins_of(hourly)
    rule, rows = _core.Rule.surplus(), batteries(hourly, "grid", 30.0)
    found = policy_windows(policies(when, hourly), hourly.timeline)
    windows = [(w.step, w.minimum, w.maximum) for w in found if w.step >= 0]
    program = _core.SweepProgram(hourly._core, rule, grid, grid, start, bin_of, 36, windows=windows)
    by_bin, _ = benchmark(lambda: program.run(rows))
    source = "grid and sun" if grid else "sun alone"
    reached(f"surplus, house, reserve {when}, {source}: a battery and step", per=COUNT * 8760)
    check(hourly, rule, grid, rows, by_bin, windows)


@pytest.mark.benchmark(group="lanes")
def bench_import_limit(benchmark: Any, reached: Callable[..., None], hourly: bess.Site) -> None:
    """A fixed schedule of 11 hours, all options, where the highest load just keeps the limit."""
    site = with_limit(hourly, 1.5, import_limit_kwh=hourly.load_kwh.max())
    start, bin_of = bins_of(site)
    rule, rows = core_rule(NIGHT, site.timeline, None), batteries(site, "grid", 30.0)
    program = _core.SweepProgram(site._core, rule, True, True, start, bin_of, 36)
    by_bin, _ = benchmark(lambda: program.run(rows))
    reached("schedule, 11 hours, import limit: a battery and step", per=COUNT * 8760)
    check(site, rule, True, rows, by_bin)


@pytest.mark.benchmark(group="lanes")
def bench_hours_at_limits(benchmark: Any, reached: Callable[..., None], hourly: bess.Site) -> None:
    """Surplus, and the hours in which batteries are full or empty."""
    start, bin_of = bins_of(hourly)
    rule, rows = _core.Rule.surplus(), batteries(hourly, "grid", 30.0)
    program = _core.SweepProgram(hourly._core, rule, False, False, start, bin_of, 36, hours=True)
    by_bin, totals = benchmark(lambda: program.run(rows))
    reached("surplus, house, hours full and empty: a battery and step", per=COUNT * 8760)
    check(hourly, rule, False, rows, by_bin)
    assert 0 < totals[5:7].max() < 8760


@pytest.mark.benchmark(group="lanes")
@pytest.mark.parametrize("when", RESERVES)
def bench_reserve_one_by_one(
    benchmark: Any, reached: Callable[..., None], hourly: bess.Site, when: str
) -> None:
    """What a battery takes by `bess.dispatch`, which opens the policies' windows every time."""
    battery, asked = bess.Battery(), policies(when, hourly)
    result = benchmark(lambda: bess.dispatch(hourly, battery, bess.Surplus(), policies=asked))
    reached(f"surplus, house, reserve {when}, bess.dispatch: a step", per=8760)
    assert result.battery_soc.min() >= 0.1


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
