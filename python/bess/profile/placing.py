"""Placing a profile on a request's steps: cut out where it has them, else re-dated from its year.

A series of a year or more serves any year: each local day of the request takes a local day of the
source, the nearest in the calendar, of the same weekday (loads) or whichever it is (solar), and
each local hour of it the source's same local hour.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bess.errors import InputError
from bess.profile.reading import Profile
from bess.timeline import Timeline

__all__ = ["covers_a_year", "horizon", "place", "year_from"]

FloatArray = NDArray[np.float64]
Integers = NDArray[np.int64]

DAY: Final = 86_400
_QUARTERS_OF_A_YEAR: Final = 4 * 365
_DAYS_BEFORE_MONTH: Final = np.array([0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334])


@dataclass(frozen=True)
class _Days:
    """Consecutive local dates: their numbers since 1970, weekdays, and places in the calendar."""

    number: Integers
    weekday: Integers
    quarters: Integers
    """Four times the day of a 365-day year; 29 February is a quarter of a day after the 28th."""

    @classmethod
    def between(cls, first: int, last: int) -> _Days:
        dates = np.arange(first, last + 1).astype("datetime64[D]")
        months = dates.astype("datetime64[M]")
        month = months.astype(np.int64) % 12
        day = (dates - months).astype(np.int64) + 1
        quarters = 4 * (_DAYS_BEFORE_MONTH[month] + day) - 3 * ((month == 1) & (day == 29))
        number = dates.astype(np.int64)
        return cls(number, (number + 3) % 7, quarters)


def horizon(profiles: Iterable[Profile], start: datetime, time_zone: str | None) -> Timeline:
    """The request's steps: a year from ``start``, or as far as its shortest profile reaches.

    The step is the first profile's. Raises `InputError` at ``start`` where the zone or the step
    forbids it (see `bess.timeline.Timeline`).
    """
    first, *others = profiles
    step = first.step_seconds
    year = year_from(start, step, time_zone)
    shorter = [p.steps for p in (first, *others) if not covers_a_year(p, year)]
    return Timeline(start, step, min([year.steps, *shorter]), time_zone)


def place(profile: Profile, timeline: Timeline, *, by_date: bool) -> tuple[FloatArray, str | None]:
    """The profile's energies on the steps of ``timeline``, kWh, and a note if it was re-dated.

    ``by_date`` takes the source day of the same date, for solar; otherwise that of the same
    weekday nearest in the calendar (within 3 days, except where the source's year wraps), for
    loads. In a local hour that the source's clock skipped, the reading after it counts; of an hour
    it repeated, the first, unless the request's clock repeats it as well.

    Raises
    ------
    InputError
        Where the steps disagree, or a series shorter than a year starts elsewhere.
    """
    step = timeline.step_seconds
    if profile.step_seconds != step:
        raise InputError.at(
            profile.name,
            f"has steps of {profile.step_seconds / 60:g} min, the first profile {step / 60:g} min",
        )
    source = _dated(profile, timeline)
    before = timeline.start_seconds - source.start_seconds
    if before >= 0 and before % step == 0 and before // step + timeline.steps <= profile.steps:
        first = before // step
        return profile.energy_kwh[first : first + timeline.steps], None
    if not covers_a_year(profile, timeline):
        raise InputError.at(
            profile.name,
            f"covers {_span(source)}, less than a year, so it must start where the request does, "
            f"{timeline.instant(0).isoformat()}",
        )
    if before % step and (before + timeline.offset_seconds - source.offset_seconds) % step:
        raise InputError.at(
            profile.name,
            f"starts at {source.instant(0).isoformat()}, not a whole number of steps from the "
            f"request's {timeline.instant(0).isoformat()}",
        )
    kind = "of the same date" if by_date else "of the same weekday nearest in the calendar"
    note = (
        f"{profile.name}: the readings of {_span(source)} are re-dated to {_span(timeline)}: each "
        f"local day takes the source day {kind}, local hour to local hour"
    )
    return profile.energy_kwh[_source_steps(source, timeline, by_date)], note


def _dated(profile: Profile, timeline: Timeline) -> Timeline:
    """The profile's own steps on the site's clock."""
    if profile.typical_year:
        first = timeline.instant(0)
        start = datetime(first.year, 1, 1, tzinfo=timeline.tzinfo)
    else:
        start = profile.start or timeline.start
    start = start.astimezone(UTC).astimezone(timeline.tzinfo)
    try:
        return Timeline(start, profile.step_seconds, profile.steps, timeline.time_zone)
    except InputError as error:
        raise InputError.at(
            profile.name, f"start {error.problems[0].reason}", start.isoformat()
        ) from None


def year_from(start: datetime, step_seconds: int, time_zone: str | None) -> Timeline:
    """The whole steps of the year from ``start`` to the same local time a year later."""
    site = Timeline(start, step_seconds, 1, time_zone)
    steps = (_anniversary(site.instant(0)) - site.start_seconds) // step_seconds
    return Timeline(start, step_seconds, max(1, steps), time_zone)


def covers_a_year(profile: Profile, timeline: Timeline) -> bool:
    """Whether a profile, on the clock of ``timeline``, has a whole year of steps."""
    length = profile.steps * profile.step_seconds
    if length >= 365 * DAY or profile.typical_year:
        return True
    if length < 364 * DAY:
        return False
    source = _dated(profile, timeline)
    return source.end_seconds >= _anniversary(source.instant(0))


def _anniversary(moment: datetime) -> int:
    """The same local time a year later (1 March after a 29 February), in seconds since 1970."""
    try:
        later = moment.replace(year=moment.year + 1, fold=0)
    except ValueError:
        later = moment.replace(year=moment.year + 1, month=3, day=1, fold=0)
    return int(later.timestamp())


def _span(timeline: Timeline) -> str:
    last = timeline.instant(timeline.steps) - timedelta(seconds=1)
    return f"{timeline.instant(0).date()} to {last.date()}"


def _source_steps(source: Timeline, target: Timeline, by_date: bool) -> Integers:
    """For every step of ``target``, the step of ``source`` it takes its reading from."""
    clock, wanted = source.clock(), target.clock()
    first_day, last_day = int(wanted.day_number.min()), int(wanted.day_number.max())
    chosen = _nearest(_whole_days(source), _Days.between(first_day, last_day), by_date)
    local = chosen[wanted.day_number - first_day] * DAY + wanted.second_of_day
    shown = wanted.day_number * DAY + wanted.second_of_day
    latest = np.maximum.accumulate(shown)
    repeated = np.zeros(len(shown), bool)
    repeated[1:] = shown[1:] <= latest[:-1]

    source_local = clock.day_number * DAY + clock.second_of_day
    starts = source.start_seconds + source.step_seconds * np.arange(source.steps)
    offsets = source_local - starts
    steps = np.full(len(local), -1)
    for offset in np.unique(offsets):  # the smaller offset is the later of two equal local times
        candidate = (local - offset - source.start_seconds) // source.step_seconds
        inside = (candidate >= 0) & (candidate < source.steps)
        inside[inside] = offsets[candidate[inside]] == offset
        take = inside & ((steps < 0) | ~repeated)
        steps[take] = candidate[take]
    skipped = steps < 0
    after = np.searchsorted(np.maximum.accumulate(source_local), local[skipped])
    steps[skipped] = np.minimum(after, source.steps - 1)
    return steps


def _whole_days(source: Timeline) -> _Days:
    """The local days of which a source has every step."""
    clock = source.clock()
    first, last = int(clock.day_number[0]), int(clock.day_number[-1])
    if clock.second_of_day[0] >= source.step_seconds:
        first += 1
    if clock.second_of_day[-1] + source.step_seconds < DAY:
        last -= 1
    return _Days.between(first, last)


def _nearest(source: _Days, target: _Days, by_date: bool) -> Integers:
    """For each target day, the source day nearest in the calendar; of equals the nearest in time.

    Distances in the calendar go round the year.
    """
    apart = np.abs(target.quarters[:, None] - source.quarters[None, :])
    apart = np.minimum(apart, _QUARTERS_OF_A_YEAR - apart)
    if not by_date:
        apart += _QUARTERS_OF_A_YEAR * (target.weekday[:, None] != source.weekday[None, :])
    in_time = np.abs(target.number[:, None] - source.number[None, :])
    nearest: Integers = source.number[np.argmin(apart * 10_000_000 + in_time, axis=1)]
    return nearest
