"""The blocks of consecutive steps that cuts and trajectories speak of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bess._arrays import Floats
from bess.battery import Battery
from bess.decomposition.coupled_rows import CoupledRows
from bess.decomposition.entries import Indices
from bess.site import Site

__all__ = ["Blocks", "blocks_at", "cut_into_blocks", "part_bounds"]

# Blocks of some days, as long as what a cap holds for but no longer than this, cut where the worth
# of stored energy jumps: there a limit binds.
_BLOCK_HOURS = 120
_REACH_HOURS = 12


@dataclass(frozen=True, eq=False)
class Blocks:
    """Stretches of consecutive steps."""

    starts: NDArray[np.uint32]
    of_step: Indices
    low: Floats
    """The least energy stored at the start of each, and at the end of the last; kWh DC."""
    high: Floats
    count: int


def cut_into_blocks(site: Site, caps: int, worth: Floats, limits: Floats) -> Blocks:
    """Blocks that end where the worth of energy jumps most, near the ends of days.

    ``caps`` is how many columns cap imports, ``limits`` what stored energy lies between before each
    step and after the last.
    """
    per_hour = 1 / site.step_hours
    each = site.steps / per_hour / max(caps, 1)
    hours = min(_BLOCK_HOURS, max(each, 2 * _REACH_HOURS))
    length, reach = max(round(hours * per_hour), 1), round(_REACH_HOURS * per_hour)
    jump = np.abs(np.diff(worth, prepend=np.nan))
    starts = [0]
    wanted = length
    while wanted < site.steps - length // 2:
        near = slice(max(wanted - reach, starts[-1] + 1), min(wanted + reach + 1, site.steps))
        starts.append(near.start + int(np.argmax(jump[near])))
        wanted = starts[-1] + length
    return blocks_at(np.array(starts, np.uint32), limits)


def blocks_at(starts: NDArray[np.uint32], limits: Floats) -> Blocks:
    """Blocks that begin at given steps."""
    low, high = limits
    steps = len(low) - 1
    ends = np.append(starts, steps)
    of_step = np.repeat(np.arange(len(starts), dtype=np.int32), np.diff(ends))
    return Blocks(starts, of_step, low[ends], high[ends], len(starts))


def part_bounds(
    rows: CoupledRows, blocks: Blocks, site: Site, battery: Battery
) -> tuple[Floats, Floats]:
    """What a block's part of a sum lies between, whatever is done: by sum and block."""
    hours = site.step_hours
    most_import = site.load_kwh + battery.charge_power_kw * hours / battery.ac_to_dc_efficiency
    most_drawn = battery.discharge_power_kw * hours
    most_export = site.solar_kwh + most_drawn
    block = blocks.of_step[rows.sum_step]
    ends = []
    for limit in (np.minimum, np.maximum):
        most = limit(rows.sum_import * most_import[rows.sum_step], 0.0)
        most = most + limit(rows.sum_export * most_export[rows.sum_step], 0.0)
        most = most + limit(rows.sum_drawn[rows.sum_row] * most_drawn, 0.0)
        found = np.zeros((rows.sums, blocks.count))
        np.add.at(found, (rows.sum_row, block), most)
        ends.append(found)
    return ends[0], ends[1]
