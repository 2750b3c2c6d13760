"""From what a meter says to a step series: which steps it measured, and where the rest is from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bess._arrays import freeze, number
from bess.baselining.filling import averages, fill
from bess.baselining.shapes import typical_series
from bess.baselining.spreading import spread
from bess.errors import InputError
from bess.profile import Bills, GappedSeries, Profile, place, read_consumption
from bess.profile.placing import covers_a_year, year_from
from bess.timeline import Timeline, parse_instant, zone

__all__ = ["Baseline", "Origin", "baseline", "filled", "on_year"]

Floats = NDArray[np.float64]

DEFAULT_SHAPE: Final = "residential"


class Origin(IntEnum):
    """Where the energy of a step is from."""

    MEASURED = 0
    """The meter's reading of that step."""
    SHAPED = 1
    """A bill's energy, in the shape of the typical profile."""
    EXTRAPOLATED = 2
    """No reading covers it: the typical profile, scaled to the readings there are."""


@dataclass(frozen=True, eq=False)
class Baseline:
    """Energies of consecutive steps, each with where it is from."""

    energy_kwh: Floats
    """kWh taken from the grid in each step, shape (steps,), ≥ 0, read-only."""
    origin: NDArray[np.int8]
    """The `Origin` of each step, read-only."""
    timeline: Timeline
    """The steps."""
    assumptions: tuple[str, ...] = ()
    """What was understood and what was assumed, a sentence each."""
    export_kwh: Floats | None = field(default=None, kw_only=True)
    """kWh the meter counted into the grid in each step, 0 where it says nothing; None: it counts
    one direction, or says only how much it was in all."""

    def __post_init__(self) -> None:
        freeze(vars(self))

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(freeze(state))

    @property
    def start(self) -> datetime:
        """The start of the first step, on the site's clock."""
        return self.timeline.instant(0)

    @property
    def step_hours(self) -> float:
        """The length of a step in hours."""
        return self.timeline.step_hours

    @property
    def time_zone(self) -> str | None:
        """The IANA name of the site's clock; None for a fixed offset."""
        return self.timeline.time_zone


def baseline(
    readings: Any,
    *,
    start: str | datetime | None = None,
    step_hours: float | None = None,
    time_zone: str | None = None,
    typical: Any = None,
) -> Baseline:
    """A step series made of bills, or of an interval series with gaps.

    Parameters
    ----------
    readings
        Bills: a list of mappings (``start``, ``end``, ``kwh``) or of triples. A start or end is an
        aware instant or a local day; the end is no longer in the period. Or a file: a Green Button
        XML, a utility's CSV export, a CSV of bills, a profile JSON; an array of kWh with NaN for
        gaps; a pandas Series with an aware index; a `bess.Profile`.
    start
        The horizon's start; by default that of the readings, or of the last year of bills.
    step_hours
        The length of a step. Bills: 1 by default, and no longer than the shortest of them; an
        interval series has its own.
    time_zone
        IANA zone of the site's clock, which the shape follows; required for local days.
    typical
        The shape, and the season: "residential", "commercial", "flat"; "bdew-h25", "bdew-g25",
        "bdew-l25" (extra ``shapes``); 24 or 168 hours; a year of anything `read_profile` takes.
        By default bills follow "residential", and gaps the series' own averages.

    Bills give a year of steps. Each bill's total is kept exactly (to rounding) if the bill lies in
    that year; overlapping bills each keep theirs. Totals of which only the rounding of their
    figures (to 1, 0.1, 0.01 or 0.001 kWh) is in contradiction are met within half of it, and it is
    said. A bill of another year lies on the same days of the month there; of several on one day,
    the nearest year's counts. A bill across the year's edge gives both its parts. Steps without a
    bill follow the typical times the ratio of all bills to it.

    An interval series keeps its readings; of two lengths, it has steps of the longer. A gap of up
    to 7 days follows the typical scaled to the readings of the week on either side, a longer one
    scaled to all readings. With ``start`` it is re-dated, like a profile of a request.

    A meter that counts both directions gives its import as the energy and its export beside it:
    what the site's own generation covered behind the meter is in neither.

    >>> bills = [("2025-01-01", "2025-02-01", 310), ("2025-02-01", "2025-03-01", 280)]
    >>> year = baseline(bills, time_zone="America/New_York", typical="flat")
    >>> float(year.energy_kwh[:744].sum().round(9)), float(year.energy_kwh[-1].round(9))
    (310.0, 0.416666667)
    >>> year.assumptions[-1]
    '1,416 of 8,760 steps are shaped from bills, 7,344 extrapolated'

    Raises
    ------
    InputError
        For readings, horizon or typical that are not valid; for bills shorter than a step, or that
        contradict each other.
    MissingExtraError
        For a BDEW profile without the extra ``shapes``.
    """
    if time_zone is not None:
        time_zone = zone(time_zone).key
    first = None if start is None else parse_instant(start, "start")
    found = read_consumption(readings, time_zone=time_zone)
    seconds = None if step_hours is None else _seconds(step_hours)
    if isinstance(found, Bills):
        first = _first_day(found, time_zone) if first is None else first
        return on_year(found, year_from(first, seconds or 3600, time_zone), typical)
    if seconds is not None and seconds != found.step_seconds:
        has = found.step_seconds / 3600
        raise InputError.at("step_hours", f"must be that of the series, {has:g}", step_hours)
    whole = filled(found, first, time_zone, typical)
    if first is None or whole.start == first:
        return whole
    return _moved(whole, found.name, first, time_zone)


def on_year(bills: Bills, year: Timeline, typical: Any = None) -> Baseline:
    """Bills on the steps of a whole year."""
    shape, said = typical_series(DEFAULT_SHAPE if typical is None else typical, year)
    found = spread(bills, year, shape)
    why = " (no typical profile given)" if typical is None else ""
    origin = np.where(found.billed, Origin.SHAPED, Origin.EXTRAPOLATED).astype(np.int8)
    shaped = int(found.billed.sum())
    notes = [*bills.notes, f"bills are spread in the shape of {said}{why}", *found.notes]
    if bills.export_kwh > 0:
        notes.append(_net_metered(bills.name, bills.export_kwh))
    notes.append(
        f"{shaped:,} of {year.steps:,} steps are shaped from bills, {year.steps - shaped:,} "
        "extrapolated"
    )
    return Baseline(found.energy_kwh, origin, year, tuple(notes))


def filled(
    series: GappedSeries | Profile, start: datetime | None, time_zone: str | None, typical: Any
) -> Baseline:
    """An interval series on its own steps, without gaps; ``start`` for one that has none."""
    first = series.start or start
    if first is None:
        raise InputError.at("start", "is required: the series has no time stamps")
    if time_zone is not None:
        first = first.astimezone(UTC).astimezone(zone(time_zone))
    try:
        timeline = Timeline(first, series.step_seconds, series.steps, time_zone)
    except InputError as error:
        problem = error.problems[0]
        reason = f"{problem.path} {problem.reason}"
        raise InputError.at(series.name, reason, problem.value) from None
    if isinstance(series, Profile):
        origin = np.full(series.steps, Origin.MEASURED, np.int8)
        return Baseline(series.energy_kwh, origin, timeline, series.notes)
    if typical is None:
        shape, said = averages(series, timeline.clock()), "the series' own averages"
    else:
        shape, said = typical_series(typical, timeline)
    energy, notes = fill(series, shape)
    missing = np.isnan(series.energy_kwh)
    if notes:
        notes.append(f"{series.name}: gaps follow {said}")
    export = None
    if series.export_kwh is not None:
        export = np.nan_to_num(series.export_kwh)
        notes.append(_net_metered(series.name, float(export.sum())))
    origin = np.where(missing, Origin.EXTRAPOLATED, Origin.MEASURED).astype(np.int8)
    assumptions = (*series.notes, *notes)
    return Baseline(energy, origin, timeline, assumptions, export_kwh=export)


def _net_metered(name: str, export: float) -> str:
    return (
        f"{name}: the meter also counts {export:,.0f} kWh into the grid: the series is what the "
        "site took from the grid, its own generation not in it; do not count that solar again, or "
        "give a load measured without it"
    )


def _moved(whole: Baseline, name: str, start: datetime, time_zone: str | None) -> Baseline:
    """A series on a horizon of its own: cut out, or re-dated where it covers a year."""
    own = whole.timeline
    profile = Profile(whole.energy_kwh, whole.start, own.step_seconds, name)
    year = year_from(start, own.step_seconds, time_zone or own.time_zone)
    steps = year.steps if covers_a_year(profile, year) else min(year.steps, own.steps)
    target = replace(year, steps=steps)
    energy, note = place(profile, target, by_date=False)
    beside = []
    for values in (whole.origin.astype(np.float64), whole.export_kwh):
        other = None if values is None else replace(profile, energy_kwh=values)
        beside.append(None if other is None else place(other, target, by_date=False)[0].copy())
    origin, export = beside
    assert origin is not None
    notes = (*whole.assumptions, *([note] if note else []))
    return Baseline(energy.copy(), origin.astype(np.int8), target, notes, export_kwh=export)


def _first_day(bills: Bills, time_zone: str | None) -> datetime:
    """The start of the bills, or of their last year."""
    if time_zone is None:
        raise InputError.at("time_zone", "is required, as in America/Los_Angeles (or give start)")
    clock = zone(time_zone)
    first, last = int(bills.start_seconds.min()), int(bills.end_seconds.max())
    begin = datetime.fromtimestamp(first, clock)
    end = datetime.fromtimestamp(last, clock)
    day = begin
    if last - first > 366 * 86_400:
        day = end.replace(year=end.year - 1, day=min(end.day, 28))
        day += timedelta(days=end.day - min(end.day, 28))
    midnight = day.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return midnight.astimezone(UTC).astimezone(clock)


def _seconds(step_hours: Any) -> int:
    hours = number(step_hours, "step_hours")
    seconds = round(hours * 3600)
    if seconds < 1 or abs(hours * 3600 - seconds) > 1e-6 or 86_400 % seconds:
        raise InputError.at("step_hours", "must be whole seconds that divide a day", step_hours)
    return seconds
