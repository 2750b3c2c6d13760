"""Rules in lanes against the kernel for one battery, and against themselves in other company."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bess import _core

Floats = NDArray[np.float64]
SETS = _core.instruction_sets()


@dataclass
class Case:
    """A random site, rule and company of batteries, nasty ones among them."""

    load: Floats
    solar: Floats
    site: Any
    rule: Any
    grid: bool
    send: bool
    start: NDArray[np.int32]
    bin: NDArray[np.int32]
    bins: int
    prices: tuple[Floats, Floats] | None
    batteries: Floats
    coupled: NDArray[np.bool_]
    windows: list[tuple[int, float, float]]
    hours: bool

    def run(self, batteries: Floats | None = None, instruction_set: str | None = None) -> Any:
        program = _core.SweepProgram(
            self.site,
            self.rule,
            self.grid,
            self.send,
            self.start,
            self.bin,
            self.bins,
            *(self.prices or (None, None)),
            self.windows,
            self.hours,
        )
        return program.run(self.batteries if batteries is None else batteries, instruction_set)

    def alone(self, i: int) -> tuple[Floats, Floats] | None:
        """What battery ``i`` comes to by the kernel for one; None where it cannot serve a load."""
        b = self.batteries[:, i]
        battery = _core.Battery(
            capacity=b[0],
            minimum_energy=b[1],
            maximum_energy=b[2],
            initial_energy=b[3],
            charge_limit=b[4],
            discharge_limit=b[5],
            ac_to_dc_efficiency=b[7],
            dc_to_ac_efficiency=b[8],
            input_efficiency=b[9],
            degradation_cost=0.0,
            dc_coupled=bool(self.coupled[i]),
            grid_to_battery=self.grid,
            battery_to_grid=self.send,
            solar_to_battery=bool(b[6] > 0),
            retention=1.0,
        )
        least, most = b[1] / b[0], b[2] / b[0]
        within = [
            (step, *np.clip([low, high], least, most).tolist()) for step, low, high in self.windows
        ]
        kept = [(step, b[0] * low, b[0] * high) for step, low, high in within]
        flows, _, _ = _core.dispatch_rule(self.site, battery, self.rule, kept)
        if flows is None:
            return None
        imports, exports = flows[0] + flows[1], flows[4] + flows[7]
        by_bin = _core.settle(imports, exports, self.start, self.bin, self.bins)
        cost = 0.0
        if self.prices is not None:
            cost = float(np.dot(self.prices[0], imports) - np.dot(self.prices[1], exports))
        given = flows[6] + flows[7]
        charge = flows[9]
        totals = [given.sum(), flows[1].sum(), flows[7].sum(), charge[-1] * b[0], cost]
        missed = [max(low - charge[t], charge[t] - high) > 1e-9 for t, low, high in within]
        full, empty = (charge >= most - 1e-9).sum(), (charge <= least + 1e-9).sum()
        return by_bin, np.array([*totals, full, empty, sum(missed)])


def drawn(seed: int, most_steps: int = 60, watched: bool = False) -> Case:
    rng = np.random.default_rng(seed)
    steps = int(rng.integers(1, most_steps))

    def energies() -> Floats:
        kind = rng.integers(5)
        if kind == 0:
            return np.zeros(steps)
        if kind == 1:
            return np.full(steps, rng.choice([0.5, 1.0, 3.0]))
        if kind == 2:
            return rng.choice([0.0, 0.0, 0.5, 1.0, 1.0, 2.5], steps)
        found: Floats = rng.random(steps) * rng.choice([1.0, 1e-3, 1e3])
        return found * (rng.random(steps) < 0.7)

    load, solar = energies(), energies()
    limits = [None, np.full(steps, rng.choice([0.0, 0.3, 1.0])), rng.random(steps)]
    limit = limits[rng.integers(3)]
    efficiency = float(rng.choice([1.0, 0.96, 0.8]))
    imports = None
    if watched and rng.random() < 0.5:
        tight = load * rng.choice([1.0, 1.0, 0.9, 0.5], steps)
        imports = [tight, np.full(steps, rng.random() * load.max()), tight + rng.random(steps)][
            rng.integers(3)
        ]
    site = _core.Site(load, solar, limit, imports, None, efficiency, bool(rng.random() < 0.8))
    scheduled = rng.random() < 0.6
    if scheduled:
        modes = np.repeat(rng.integers(-1, 2, steps), rng.integers(1, 6))[:steps].astype(np.int8)
        rule = _core.Rule.fixed_schedule(modes)
    else:
        rule = _core.Rule.surplus()
    grid, send = (bool((scheduled or watched) and rng.random() < 0.5) for _ in range(2))
    bin_of = np.cumsum(rng.random(steps) < 0.15)
    bin_of = (bin_of % rng.integers(1, 6)).astype(np.int32)
    change = np.flatnonzero(np.diff(bin_of)) + 1
    start = np.concatenate([[0], change, [steps]]).astype(np.int32)
    prices = None
    if rng.random() < 0.3:
        prices = (rng.choice([0.1, 0.3, -0.05, 0.2], steps), rng.choice([0.0, 0.05, 0.4], steps))
    count = int(rng.integers(1, 131))
    scale = float(rng.choice([0.1, 1.0, 10.0, 1e4]))
    one = np.ones(count)
    alike = rng.random() < 0.3
    capacity = scale * (one if alike else rng.random(count) + 0.01)
    low = rng.choice([0.0, 0.1, 0.5], count)
    high = rng.choice([1.0, 0.9], count) if watched else one
    initial = rng.choice([0.0, 0.5, 1.0], count)
    power = scale * (one * 0.2 if rng.random() < 0.4 else rng.random(count) + 1e-3)
    coupled = rng.random(count) < 0.5
    into = rng.choice([1.0, 0.96, 0.5], count)
    sun = np.where(coupled, 1 / efficiency, into)
    if not (grid and scheduled):
        sun = sun * (rng.random(count) < 0.9)
    batteries = np.array(
        [
            capacity,
            capacity * low,
            capacity * high,
            capacity * (low + initial * (high - low)),
            power,
            power * rng.choice([1.0, 0.5]),
            sun,
            into,
            rng.choice([1.0, 0.96, 0.5], count),
            rng.choice([1.0, 0.975], count),
        ]
    )
    return Case(
        load,
        solar,
        site,
        rule,
        grid,
        send,
        start,
        bin_of[start[:-1]],
        int(bin_of.max()) + 1,
        prices,
        np.ascontiguousarray(batteries),
        coupled,
        drawn_windows(rng, steps) if watched else [],
        watched and rng.random() < 0.5,
    )


def drawn_windows(rng: np.random.Generator, steps: int) -> list[tuple[int, float, float]]:
    """Windows that leave every battery room: here and there, by the day, always, or several."""
    kind = rng.integers(6)
    at = np.flatnonzero(rng.random(steps) < rng.choice([0.05, 0.3, 1.0]))
    if kind == 1:
        at = np.arange(steps)
    elif kind == 2:
        at = np.flatnonzero(np.arange(steps) % 8 < rng.integers(1, 6))
    elif kind == 3:
        at = np.sort(np.concatenate([at, at]))
    elif kind == 4:
        return []
    low = rng.choice([0.0, 0.2, 0.3, 0.7, 0.9], len(at))
    high = np.maximum(rng.choice([0.5, 0.6, 0.8, 1.0], len(at)), low)
    if rng.random() < 0.5:
        low[:], high[:] = (rng.choice([0.3, 0.7]), 1.0) if rng.random() < 0.7 else (0.0, 0.6)
    return list(zip(at.tolist(), low.tolist(), high.tolist(), strict=True))


def check(case: Case, rows: Any) -> None:
    by_bin, totals = case.run()
    scale = case.load.sum() + case.solar.sum() + 1e-9
    for i in rows:
        size = scale + case.batteries[0, i]  # what the energies and their sums are made of
        found = case.alone(i)
        if found is None:
            assert np.isnan(by_bin[0, :, i]).all()
            continue
        alone, sums = found
        np.testing.assert_allclose(by_bin[:, :, i], alone, rtol=0, atol=1e-12 * size)
        np.testing.assert_allclose(totals[:4, i], sums[:4], rtol=0, atol=1e-12 * size)
        np.testing.assert_allclose(totals[4, i], sums[4], rtol=0, atol=1e-12 * size)
        told = slice(5 if case.hours else 7, 8)
        np.testing.assert_array_equal(totals[told, i], sums[told])


@pytest.mark.parametrize("block", range(10))
def test_every_lane_is_the_kernel_for_one_battery(block: int) -> None:
    for seed in range(100 * block, 100 * block + 100):
        case = drawn(seed)
        count = case.batteries.shape[1]
        check(case, sorted({0, count // 2, count - 1}))


@pytest.mark.parametrize("block", range(10))
def test_every_lane_under_policies_is_the_kernel_for_one_battery(block: int) -> None:
    for seed in range(100 * block, 100 * block + 100):
        case = drawn(seed, watched=True)
        count = case.batteries.shape[1]
        check(case, sorted({0, count // 2, count - 1}))


@pytest.mark.slow
def test_every_lane_of_many_more_cases_is_the_kernel_for_one_battery() -> None:
    for seed in range(10_000, 20_000):
        case = drawn(seed, most_steps=200, watched=seed % 2 == 0)
        check(case, range(case.batteries.shape[1]))


@pytest.mark.parametrize("watched", [False, True])
def test_every_tail_of_a_block_has_the_bits_of_a_whole_one(watched: bool) -> None:
    case = drawn(11, watched=watched)
    while case.batteries.shape[1] < 128:
        case.batteries = np.concatenate([case.batteries, case.batteries[:, ::-1]], axis=1)
        case.coupled = np.concatenate([case.coupled, case.coupled[::-1]])
    whole, totals = case.run()
    for count in range(1, 130):
        part, sums = case.run(np.ascontiguousarray(case.batteries[:, :count]))
        np.testing.assert_array_equal(part, whole[:, :, :count])
        np.testing.assert_array_equal(sums, totals[:, :count])


@pytest.mark.parametrize("watched", [False, True])
@pytest.mark.parametrize("seed", range(200))
def test_neighbours_and_instruction_sets_change_no_bit(seed: int, watched: bool) -> None:
    case = drawn(seed, watched=watched)
    whole, totals = case.run()
    order = np.random.default_rng(seed).permutation(case.batteries.shape[1])
    shuffled = np.ascontiguousarray(case.batteries[:, order])
    for instruction_set in SETS:
        by_bin, sums = case.run(shuffled, instruction_set)
        np.testing.assert_array_equal(by_bin, whole[:, :, order])
        np.testing.assert_array_equal(sums, totals[:, order])


def test_a_year_of_a_million_kilowatt_hours_keeps_its_balance() -> None:
    rng = np.random.default_rng(5)
    for seed in range(5):
        case = drawn(seed)
        steps = 8760
        case.load, case.solar = rng.random(steps) * 200, np.maximum(rng.normal(0, 200, steps), 0)
        case.site = _core.Site(case.load, case.solar, None, None, None, 0.96, True)
        case.rule = _core.Rule.surplus()
        case.grid = case.send = False
        case.prices = None
        case.start, case.bin = np.array([0, steps], np.int32), np.zeros(1, np.int32)
        case.bins = 1
        case.coupled[:] = True
        case.batteries[6] = 1 / 0.96
        check(case, range(0, case.batteries.shape[1], 10))
