"""Instants of many wall-clock times, of which some may be missing: with them, no order is given up
but the one in which a doubled hour is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bess.errors import InputError
from bess.profile.stamps import NO_ZONE, moments_of
from bess.timeline import offset_changes, zone

__all__ = ["instants_of"]

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

DAY: Final = 86_400


def instants_of(
    cells: Sequence[str], place: Callable[[int], str], time_zone: str | None
) -> tuple[Integers, Booleans, str]:
    """The instants of stamps in seconds, which of them do not exist, and how they were understood.

    Stamps with offsets are instants. Those without follow the clock of ``time_zone``: of a doubled
    hour, what comes first is the first, and a stamp not after one before it is of the second; one
    in the hour that spring skips does not exist. A column in falling order is read from its end.

    Raises
    ------
    InputError
        For a stamp that cannot be read, and for one without an offset where no zone is given.
    """
    moments = moments_of(cells, place)
    aware = [moment.tzinfo is not None for moment in moments]
    if any(aware) != all(aware):
        row = aware.index(not aware[0])
        raise InputError.at(
            place(row), "must have an offset from UTC like the others, or none", cells[row]
        )
    if not all(moment.microsecond == 0 and 1900 <= moment.year < 2200 for moment in moments):
        row = next(i for i, m in enumerate(moments) if m.microsecond or not 1900 <= m.year < 2200)
        raise InputError.at(place(row), "must be a whole second of 1900 to 2199", cells[row])
    if aware[0]:
        seconds = np.array([int(moment.timestamp()) for moment in moments], np.int64)
        return seconds, np.zeros(len(seconds), bool), "time stamps with offsets"
    if time_zone is None:
        raise InputError.at(place(0), NO_ZONE, cells[0])
    walls = np.array(moments, dtype="datetime64[s]").astype(np.int64)
    falling = bool((np.diff(walls) < 0).sum() > (np.diff(walls) > 0).sum())
    seconds, absent = _localised(walls[::-1] if falling else walls, time_zone)
    if falling:
        seconds, absent = seconds[::-1], absent[::-1]
    return seconds, absent, f"time stamps in local time of {time_zone}"


def _localised(walls: Integers, name: str) -> tuple[Integers, Booleans]:
    clock = zone(name)
    changes = offset_changes(clock, int(walls.min()) - 2 * DAY, int(walls.max()) + 2 * DAY)
    instants = np.array([instant for instant, _ in changes[1:]], np.int64)
    offsets = np.array([offset for _, offset in changes], np.int64)
    # What the clock showed, before and after each change, at the instant of it.
    until, since = instants + offsets[:-1], instants + offsets[1:]
    regime = np.searchsorted(until, walls, side="right")
    changed = np.maximum(regime - 1, 0)
    absent = np.zeros(len(walls), bool)
    if len(instants):
        absent = (regime > 0) & (walls < since[changed])
        upcoming = np.minimum(regime, len(instants) - 1)
        doubled = (regime < len(instants)) & (walls >= since[upcoming])
        latest = np.maximum.accumulate(walls)
        repeated = np.zeros(len(walls), bool)
        repeated[1:] = walls[1:] <= latest[:-1]
        regime = regime + (doubled & repeated)
    seconds: Integers = walls - offsets[regime]
    return seconds, absent
