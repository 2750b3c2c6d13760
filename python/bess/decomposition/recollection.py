"""What the search for one battery's optimum tells of a similar battery at the same site."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bess._arrays import Floats
from bess.decomposition.entries import Indices

__all__ = ["Recollection"]

# Of the cuts that the last bound weighed in a block, the heaviest are worth a row of the next.
_HEAVIEST = 3


@dataclass(frozen=True, eq=False)
class Recollection:
    """Worths of stored energy: whatever they are, they bound any battery's cost from below."""

    starts: NDArray[np.uint32]
    """The first step of each block."""
    columns: Floats
    """The tariff's columns at the optimum."""
    worths: list[Floats]
    """By round of cuts, by step."""
    chosen: list[Indices]
    """By round, the blocks that were cut."""
    weight: Floats
    """Of each block's cut in the last bound, round by round."""

    def heaviest(self) -> Iterator[tuple[Floats, NDArray[np.bool_]]]:
        """Worths that cut as the last bound did, and the blocks that they cut."""
        count, steps = len(self.starts), len(self.worths[0])
        weights = np.zeros((len(self.chosen), count))
        first = 0
        for own, chosen in zip(weights, self.chosen, strict=True):
            own[chosen] = self.weight[first : first + len(chosen)]
            first += len(chosen)
        order = np.argsort(-weights, axis=0, kind="stable")
        length = np.diff(np.append(self.starts, steps))
        worths, step = np.array(self.worths), np.arange(steps)
        for rounds in order[:_HEAVIEST]:
            kept = weights[rounds, np.arange(count)] > 0
            if kept.any():
                yield worths[np.repeat(rounds, length), step], kept
