"""When the parts of a tariff hold on a horizon: by its clock, its calendars and its bills."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bess.tariff.holiday_calendars import days_in
from bess.tariff.hours import HourMatrix, Time
from bess.tariff.periods import billing_periods
from bess.time_of_use import Season, TimeOfUse, covers, holidays
from bess.timeline import LocalClock, Timeline

if TYPE_CHECKING:
    from bess.tariff.model import Tariff

__all__ = ["When", "when"]

Steps = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class When:
    """What times of use and seasons are read against."""

    clock: LocalClock
    calendars: Mapping[str, Collection[date]]
    bills: Sequence[tuple[int, int]]
    """The steps of each billing period: first, and one past the last."""

    def holds(self, time: Time) -> Steps:
        """True for each step that starts in a time of use or in the hours of a matrix."""
        if isinstance(time, HourMatrix):
            return time.includes(self.clock)
        if time.season is None or not time.season.moves:
            return covers([time], self.clock, self.calendars)
        whole_year = time.model_copy(update={"season": None})
        return covers([whole_year], self.clock, self.calendars) & self.season(time.season)

    def season(self, season: Season) -> Steps:
        """True for each step in a season.

        An edge of the season inside a bill stays where it is, unless it is marked: where it is
        PREDOMINANT the season has the whole of that bill, where it is SUBSERVIENT none of it.
        """
        inside = season.includes(self.clock)
        if not season.moves:
            return inside
        moved = inside.copy()
        marks = (season.from_edge_predominance, season.to_edge_predominance)
        for low, high in self.bills:
            for at in np.flatnonzero(np.diff(inside[low:high])) + low + 1:
                begins = bool(inside[at])
                mark = marks[0] if begins else marks[1]
                if mark is not None:
                    outside = slice(low, at) if begins else slice(at, high)
                    own = slice(at, high) if begins else slice(low, at)
                    if mark == "PREDOMINANT":
                        moved[outside] = True
                    else:
                        moved[own] = False
        return moved

    def holidays(self, time: TimeOfUse) -> Steps:
        """True for each step of a day that the calendar of a time of use takes whole."""
        return holidays([time], self.clock, self.calendars)


@lru_cache(maxsize=64)
def when(tariff: Tariff, timeline: Timeline, dates: tuple[date, ...] | None = None) -> When:
    """What a tariff's times are read against on a horizon; ``dates`` are those bills begin at."""
    clock = timeline.clock(tariff.time_zone)
    years = int(clock.year.min()), int(clock.year.max()) + 1
    bills = billing_periods(timeline, tariff.time_zone, dates)
    return When(
        clock,
        days_in(tariff.calendars, *years),
        [(period.first_step, period.end_step) for period in bills],
    )
