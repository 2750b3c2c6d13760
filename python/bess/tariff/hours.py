"""Hours of weekdays and weekends by month, as an OpenEI URDB record lays out its periods."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bess.errors import InputError
from bess.time_of_use import Season, TimeOfUse
from bess.timeline import LocalClock

__all__ = ["HourMatrix", "Matrix", "Time", "month_seasons"]

Matrix = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class HourMatrix:
    """The hours that bear one number in a matrix of 12 months by 24 hours.

    >>> night = HourMatrix(((1,) * 6 + (0,) * 18,) * 12, ((1,) * 24,) * 12, number=1)
    >>> night.months
    (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
    """

    weekday: Matrix
    """A number for each hour of Monday to Friday: 12 rows (January first) of 24."""
    weekend: Matrix
    """The same for Saturday and Sunday."""
    number: int
    """The number whose hours are meant."""

    def __post_init__(self) -> None:
        for name in ("weekday", "weekend"):
            rows = getattr(self, name)
            if len(rows) != 12 or any(len(row) != 24 for row in rows):
                raise InputError.at(name, "must have 12 rows (months) of 24 hours")

    @property
    def months(self) -> tuple[int, ...]:
        """The months, 1 to 12, of which it holds any hour."""
        both = zip(self.weekday, self.weekend, strict=True)
        return tuple(m for m, rows in enumerate(both, 1) if any(self.number in row for row in rows))

    def includes(self, clock: LocalClock) -> NDArray[np.bool_]:
        """True for each step that starts in one of its hours."""
        tables = np.array([self.weekday, self.weekend]) == self.number
        hour = clock.second_of_day // 3600
        found: NDArray[np.bool_] = tables[(clock.weekday >= 5) * 1, clock.month - 1, hour]
        return found


Time = TimeOfUse | HourMatrix
"""When a rate holds."""


def month_seasons(months: Collection[int]) -> tuple[Season, ...]:
    """The seasons that some months make, none where they are all twelve.

    >>> [(s.season_from_month, s.season_to_month) for s in month_seasons([1, 2, 5, 11, 12])]
    [(5, 5), (11, 2)]
    """
    inside = sorted(set(months))
    if len(inside) == 12:
        return ()
    starts = [m for m in inside if (m - 2) % 12 + 1 not in inside]
    seasons = []
    for start in starts:
        end = start
        while end % 12 + 1 in inside:
            end = end % 12 + 1
        seasons.append(Season(season_from_month=start, season_to_month=end))
    return tuple(seasons)
