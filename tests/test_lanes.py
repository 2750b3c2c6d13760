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
        )
        return program.run(self.batteries if batteries is None else batteries, instruction_set)

    def alone(self, i: int) -> tuple[Floats, Floats]:
        """What battery ``i`` comes to by the kernel for one."""
        b = self.batteries[:, i]
        battery = _core.Battery(
            capacity=1.0 * b[1],
            minimum_energy=b[0],
            maximum_energy=b[1],
            initial_energy=b[2],
            charge_limit=b[3],
            discharge_limit=b[4],
            ac_to_dc_efficiency=b[6],
            dc_to_ac_efficiency=b[7],
            input_efficiency=b[8],
            degradation_cost=0.0,
            dc_coupled=bool(self.coupled[i]),
            grid_to_battery=self.grid,
            battery_to_grid=self.send,
            solar_to_battery=bool(b[5] > 0),
            retention=1.0,
        )
        flows, _, _ = _core.dispatch_rule(self.site, battery, self.rule, [])
        imports, exports = flows[0] + flows[1], flows[4] + flows[7]
        by_bin = _core.settle(imports, exports, self.start, self.bin, self.bins)
        cost = 0.0
        if self.prices is not None:
            cost = float(np.dot(self.prices[0], imports) - np.dot(self.prices[1], exports))
        given = flows[6] + flows[7]
        totals = [given.sum(), flows[1].sum(), flows[7].sum(), flows[9, -1] * b[1], cost]
        return by_bin, np.array(totals)


def drawn(seed: int, most_steps: int = 60) -> Case:
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
    site = _core.Site(load, solar, limit, None, None, efficiency, bool(rng.random() < 0.8))
    scheduled = rng.random() < 0.6
    if scheduled:
        modes = np.repeat(rng.integers(-1, 2, steps), rng.integers(1, 6))[:steps].astype(np.int8)
        rule = _core.Rule.fixed_schedule(modes)
    else:
        rule = _core.Rule.surplus()
    grid, send = (bool(scheduled and rng.random() < 0.5) for _ in range(2))
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
    initial = rng.choice([0.0, 0.5, 1.0], count)
    power = scale * (one * 0.2 if rng.random() < 0.4 else rng.random(count) + 1e-3)
    coupled = rng.random(count) < 0.5
    into = rng.choice([1.0, 0.96, 0.5], count)
    sun = np.where(coupled, 1 / efficiency, into)
    if not grid:
        sun = sun * (rng.random(count) < 0.9)
    batteries = np.array(
        [
            capacity * low,
            capacity,
            capacity * (low + initial * (1 - low)),
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
    )


def check(case: Case, rows: Any) -> None:
    by_bin, totals = case.run()
    scale = case.load.sum() + case.solar.sum() + 1e-9
    for i in rows:
        size = scale + case.batteries[1, i]  # what the energies and their sums are made of
        alone, sums = case.alone(i)
        np.testing.assert_allclose(by_bin[:, :, i], alone, rtol=0, atol=1e-12 * size)
        np.testing.assert_allclose(totals[:4, i], sums[:4], rtol=0, atol=1e-12 * size)
        np.testing.assert_allclose(totals[4, i], sums[4], rtol=0, atol=1e-12 * size)


@pytest.mark.parametrize("block", range(10))
def test_every_lane_is_the_kernel_for_one_battery(block: int) -> None:
    for seed in range(100 * block, 100 * block + 100):
        case = drawn(seed)
        count = case.batteries.shape[1]
        check(case, sorted({0, count // 2, count - 1}))


@pytest.mark.slow
def test_every_lane_of_many_more_cases_is_the_kernel_for_one_battery() -> None:
    for seed in range(10_000, 20_000):
        case = drawn(seed, most_steps=200)
        check(case, range(case.batteries.shape[1]))


def test_every_tail_of_a_block_has_the_bits_of_a_whole_one() -> None:
    case = drawn(11)
    while case.batteries.shape[1] < 128:
        case.batteries = np.concatenate([case.batteries, case.batteries[:, ::-1]], axis=1)
        case.coupled = np.concatenate([case.coupled, case.coupled[::-1]])
    whole, totals = case.run()
    for count in range(1, 130):
        part, sums = case.run(np.ascontiguousarray(case.batteries[:, :count]))
        np.testing.assert_array_equal(part, whole[:, :, :count])
        np.testing.assert_array_equal(sums, totals[:, :count])


@pytest.mark.parametrize("seed", range(200))
def test_neighbours_and_instruction_sets_change_no_bit(seed: int) -> None:
    case = drawn(seed)
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
        case.batteries[5] = 1 / 0.96
        check(case, range(0, case.batteries.shape[1], 10))
