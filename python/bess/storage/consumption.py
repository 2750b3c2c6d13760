"""A request's consumption on the request's steps, baselined where it is bills or has gaps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bess.baselining import filled, on_year
from bess.profile import Bills, GappedSeries, Profile, horizon, place, read_consumption
from bess.profile.placing import year_from
from bess.timeline import Timeline

__all__ = ["Consumption"]


@dataclass(frozen=True)
class Consumption:
    """What is consumed: an interval profile, or bills, with the typical profile of their shape."""

    readings: Profile | Bills
    typical: Any
    notes: tuple[str, ...]

    @classmethod
    def read(
        cls, source: Any, typical: Any, *, start: datetime, time_zone: str | None, name: str
    ) -> Consumption:
        """Read a consumption; a series with gaps is filled, from ``start`` if it has none."""
        found = read_consumption(source, time_zone=time_zone, name=name)
        if isinstance(found, Bills):
            return cls(found, typical, ())
        if not isinstance(found, GappedSeries):
            unused = () if typical is None else (f"{name} is whole: no typical profile is used",)
            return cls(found, None, (*found.notes, *unused))
        whole = filled(found, start, time_zone, typical)
        profile = Profile(whole.energy_kwh, found.start, found.step_seconds, name)
        return cls(profile, None, whole.assumptions)

    def horizon(self, others: list[Profile], start: datetime, time_zone: str | None) -> Timeline:
        """The request's steps: bills take the others' step, or an hour, and last a year."""
        if not isinstance(self.readings, Bills):
            return horizon([self.readings, *others], start, time_zone)
        return horizon(others, start, time_zone) if others else year_from(start, 3600, time_zone)

    def place(self, timeline: Timeline) -> tuple[NDArray[np.float64], tuple[str, ...]]:
        """kWh in each step, and what had to be assumed."""
        if not isinstance(self.readings, Bills):
            energy, note = place(self.readings, timeline, by_date=False)
            return energy, (note,) if note else ()
        year = year_from(timeline.start, timeline.step_seconds, timeline.time_zone)
        found = on_year(self.readings, year, self.typical)
        return found.energy_kwh[: timeline.steps], found.assumptions
