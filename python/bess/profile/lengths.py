"""Readings of two lengths in one series, as a meter leaves them that was exchanged.

Shorter readings are put together in steps of the longest: their energy is measured there all the
same, and nothing has to be supposed about the hours that were read as a whole.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["LONGEST", "lengths_of", "put_together", "side_by_side"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_RUN: Final = 24
"""So many readings at one distance are of that length: gaps do not repeat so regularly."""
LONGEST: Final = 43_200
"""Half a day: readings of more are bills."""


def lengths_of(starts: Integers, usual: int) -> Integers:
    """How long each of some readings is, seconds, from their starts, which rise.

    All are as long as is ``usual``, unless there are runs of other lengths, each a divisor or a
    multiple of the others; a reading between two runs is of the earlier one's length as far as the
    next reading leaves room for it.

    >>> hours, quarters = np.arange(24) * 3600, 24 * 3600 + np.arange(96) * 900
    >>> lengths_of(np.concatenate([hours, quarters]), 900)[[0, 23, 24, -1]].tolist()
    [3600, 3600, 900, 900]
    """
    lengths = np.full(len(starts), usual, np.int64)
    distance = np.diff(starts)
    if not len(distance):
        return lengths
    edges = np.concatenate([[0], np.flatnonzero(np.diff(distance)) + 1, [len(distance)]])
    runs = [
        (first, last, int(distance[first]))
        for first, last in pairwise(edges.tolist())
        if last - first >= _RUN - 1 and 0 < distance[first] <= LONGEST
    ]
    found = {length for _, _, length in runs}
    if len(found) < 2 or any(max(found) % length for length in found):
        return lengths
    own = runs[0][2]
    position = 0
    for first, last, length in runs:
        between = slice(position, first)
        fits = distance[between] >= own
        lengths[between] = np.where(fits, own, length)
        lengths[first:last] = length
        position, own = last, length
    lengths[position:] = own
    return lengths


def put_together(
    starts: Integers, lengths: Integers, series: tuple[Floats, ...]
) -> tuple[Integers, tuple[Floats, ...], NDArray[np.intp], int]:
    """Readings of several lengths, which rise, in steps of the longest.

    Returns the steps' starts, the series' energies in them, the first reading of each step, and how
    many steps were left out because readings of them are missing.
    """
    longest = int(lengths.max())
    anchor = int(starts[np.argmax(lengths == longest)])
    step = (starts - anchor) // longest
    found, first, number = np.unique(step, return_index=True, return_inverse=True)
    covered = np.bincount(number, lengths)
    whole = covered >= longest
    sums = tuple(np.bincount(number, values)[whole].astype(np.float64) for values in series)
    return (anchor + found * longest)[whole], sums, first[whole], int((~whole).sum())


def side_by_side(imports: dict[int, dict[int, float]]) -> tuple[dict[int, int], bool]:
    """The length of each reading that counts, by its start; and whether others were passed over.

    Of readings of one time the shortest count; longer ones beside them, of a meter that was
    exchanged, count where they are of at most half a day and of a multiple of the others' length.
    """
    shortest = min(imports)
    kept = dict.fromkeys(imports[shortest], shortest)
    passed_over = False
    for length in sorted(imports)[1:]:
        taken = np.array(sorted(kept), np.int64)
        for start in imports[length]:
            at = int(np.searchsorted(taken, start))
            before = int(taken[at - 1]) if at else None
            free = at == len(taken) or taken[at] >= start + length
            free &= before is None or before + kept[before] <= start
            if free and length <= LONGEST and length % shortest == 0:
                kept[start] = length
            else:
                passed_over = True
    return kept, passed_over
