"""What can cross a site's meter, whatever its batteries do."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bess._arrays import Floats

__all__ = ["MeterBounds", "Steps", "Stretches"]

Steps = NDArray[np.intp]
_INFINITY: Final = float("inf")
_LENGTHS: Final = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64, 96, 192)
"""Of the stretches over which a peak is bounded from below, in steps."""


@dataclass(frozen=True, eq=False)
class MeterBounds:
    """What can cross the meter, whatever the batteries do; kWh AC, series by step."""

    most_import: Floats
    most_export: Floats
    least_import: Floats
    net_load: Floats
    """Load less solar."""
    most_shifted: float
    """What storage can give over consecutive steps beyond what it takes in them."""

    def of_sum(self, steps: Steps, imported: Floats, exported: Floats) -> tuple[float, float]:
        """Bounds on the sum over rising ``steps`` of factors times import and export."""
        least, most = self.least_import[steps], self.most_import[steps]
        sold = exported * self.most_export[steps]
        low = np.minimum(imported * least, imported * most).sum() + np.minimum(sold, 0.0).sum()
        high = np.maximum(imported * least, imported * most).sum() + np.maximum(sold, 0.0).sum()
        if len(steps) and _is_one(imported) and imported[0] > 0 and _is_one(exported):
            runs = np.concatenate([[0], np.flatnonzero(np.diff(steps) != 1) + 1])
            by_energy = np.add.reduceat(self.net_load[steps], runs) - self.most_shifted
            if exported[0] == 0:
                by_power = np.add.reduceat(least, runs)
                low = imported[0] * np.maximum(by_power, by_energy).sum()
            elif exported[0] == -imported[0]:
                by_power = np.add.reduceat(least - self.most_export[steps], runs)
                low = imported[0] * np.maximum(by_power, by_energy).sum()
        return float(low), float(high)

    def least_mean(self, stretches: Stretches) -> float:
        """The least that the largest import in some rising steps can be.

        Over consecutive steps, what storage cannot give must come in.
        """
        least = float(self.least_import[stretches.steps].max())
        for length in stretches.lengths:
            if stretches.highest - self.most_shifted / length <= least:
                continue
            most = stretches.most(length)
            if most == -_INFINITY:
                break
            least = max(least, (most - self.most_shifted) / length)
        return least


class Stretches:
    """The most net load over some consecutive of rising steps, found when it is first asked for."""

    def __init__(self, steps: Steps, net_load: Floats) -> None:
        self.steps = steps
        self.lengths = _LENGTHS[: bisect_right(_LENGTHS, len(steps))]
        own = net_load[steps]
        self.highest = float(own.max())
        self._summed = np.concatenate([[0.0], np.cumsum(own)])
        self._run = steps - np.arange(len(steps))  # the same where steps follow each other
        self._most: dict[int, float] = {}

    def most(self, length: int) -> float:
        """The most net load in so many steps that follow each other; -inf where none do."""
        if length not in self._most:
            run, summed = self._run, self._summed
            together = run[length - 1 :] == run[: len(run) - length + 1]
            net = summed[length:] - summed[:-length]
            self._most[length] = float(net.max(where=together, initial=-_INFINITY))
        return self._most[length]


def _is_one(values: Floats) -> bool:
    return bool((values == values[0]).all())
