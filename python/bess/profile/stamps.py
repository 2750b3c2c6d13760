"""Time stamps of a file's rows: their instants, where each row starts one step after the last.

A stamp with an offset is an instant. One without is what the wall clock of the site's zone shows:
the hour that spring skips is absent, the hour that autumn repeats appears twice, in order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bess.errors import InputError
from bess.profile.lengths import lengths_of
from bess.profile.reading import GAP, LATER, regular, usual_step
from bess.timeline import Timeline, zone

__all__ = ["NO_ZONE", "instants", "is_date", "is_stamp", "is_time", "localised", "moments_of"]

Place = Callable[[int], str]
"""What to call a row in an error."""

DAY: Final = 86_400
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}\S*)?(\s?[+-]\d{2}:?\d{2})?", re.ASCII)
_CLOCK = r"(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([AaPp][Mm])?"
_SLASHED = re.compile(rf"(\d{{1,2}})([/.])(\d{{1,2}})\2(\d{{4}})(?:[T ]+{_CLOCK})?", re.ASCII)
_TIME = re.compile(_CLOCK, re.ASCII)
_FORMS = "must be a date and time such as 2025-01-31T00:00 or 2025-01-31T00:00:00-08:00"
NO_ZONE: Final = (
    "has no offset from UTC: give the site's zone (timeZone, as in America/Los_Angeles), "
    "or write the offset with every stamp"
)


def is_stamp(cell: str) -> bool:
    """Whether a cell looks like a date, with or without a time."""
    return bool(_ISO.fullmatch(cell) or _SLASHED.fullmatch(cell))


def is_date(cell: str) -> bool:
    """Whether a cell looks like a date alone."""
    return is_stamp(cell) and ":" not in cell


def is_time(cell: str) -> bool:
    """Whether a cell looks like a time of day alone."""
    return bool(_TIME.fullmatch(cell))


def instants(
    cells: Sequence[str], place: Place, *, time_zone: str | None, ends: bool = False
) -> tuple[datetime, int, str]:
    """The start of the first step, the step in seconds, and what was understood.

    ``ends`` says that a stamp marks the end of its step.
    """
    moments = moments_of(cells, place)
    aware = [moment.tzinfo is not None for moment in moments]
    if any(aware) != all(aware):
        row = aware.index(not aware[0])
        raise InputError.at(
            place(row), "must have an offset from UTC like the others, or none", cells[row]
        )
    if aware[0]:
        stamps = np.array([moment.timestamp() for moment in moments])
        if (stamps % 1).any():
            row = int(np.argmax(stamps % 1 > 0))
            raise InputError.at(place(row), "must be a whole second", cells[row])
        _, step = regular(stamps.astype(np.int64), place)
        start, how = moments[0], "time stamps with offsets"
    else:
        if time_zone is None:
            raise InputError.at(
                place(0),
                NO_ZONE,
                cells[0],
            )
        start, step = _localised(moments, place, time_zone)
        how = f"time stamps in local time of {time_zone}"
    if ends:
        start = (start.astimezone(UTC) - timedelta(seconds=step)).astimezone(start.tzinfo)
        how += " at the end of each step"
    return start, step, f"{how}, {step / 60:g} min from {start.isoformat()}"


def localised(text: str, path: str, time_zone: str | None) -> datetime:
    """The instant at which a zone's wall clock shows a date and time; of two, the first."""
    moment = moments_of([text], lambda _: path)[0]
    if time_zone is None:
        raise InputError.at(path, NO_ZONE, text)
    if not 1900 <= moment.year < 2200:
        raise InputError.at(path, "must lie in the years 1900 to 2199", text)
    moment = moment.replace(tzinfo=zone(time_zone))
    there = moment.astimezone(UTC).astimezone(moment.tzinfo)
    if there.replace(tzinfo=None) != moment.replace(tzinfo=None):
        why = f"{time_zone} skips it when it sets its clock forward"
        raise InputError.at(path, f"does not exist: {why}", text)
    return moment


def moments_of(cells: Sequence[str], place: Place) -> list[datetime]:
    """The dates and times of a column, aware or naive as they are written."""
    if is_stamp(cells[0]) and not _ISO.fullmatch(cells[0]):
        return _slashed(cells, place)
    try:
        return [datetime.fromisoformat(cell) for cell in cells]
    except ValueError:
        for row, cell in enumerate(cells):
            _checked(datetime.fromisoformat, cell, place(row), cell)
        raise


def _slashed(cells: Sequence[str], place: Place) -> list[datetime]:
    """Dates such as 1/31/2025 or 31.01.2025: which part is the month, the whole column tells."""
    found = [_SLASHED.fullmatch(cell) for cell in cells]
    if None in found:
        row = found.index(None)
        raise InputError.at(place(row), _FORMS, cells[row])
    parts = [match.groups() for match in found if match]
    first, second = (max(int(part[i]) for part in parts) for i in (0, 2))
    day_first = first > 12 or (second <= 12 and parts[0][1] == ".")
    if not day_first and second <= 12:
        raise InputError.at(
            place(0),
            "is a date whose day and month cannot be told apart: write 2025-01-31",
            cells[0],
        )

    def moment(part: tuple[str, ...]) -> datetime:
        a, _, b, year, hour, minute, second, half = part
        day, month = (a, b) if day_first else (b, a)
        clock = int(hour or 0)
        if half:
            if not 1 <= clock <= 12:
                raise ValueError
            clock = clock % 12 + (12 if half.lower() == "pm" else 0)
        return datetime(int(year), int(month), int(day), clock, int(minute or 0), int(second or 0))

    return [_checked(moment, part, place(row), cells[row]) for row, part in enumerate(parts)]


def _checked(make: Callable[[Any], datetime], part: Any, path: str, cell: str) -> datetime:
    try:
        return make(part)
    except ValueError:
        raise InputError.at(path, _FORMS, cell) from None


def _localised(moments: list[datetime], place: Place, name: str) -> tuple[datetime, int]:
    """Start and step of local times that follow the clock of a zone, its changes included."""
    walls = np.array(moments, dtype="datetime64[s]").astype(np.int64)
    if any(moment.microsecond for moment in moments):
        raise InputError.at(place(0), "must be a whole second")
    if len(walls) < 2:
        regular(walls, place)
    step = usual_step(walls, place)
    clock = zone(name)
    both = [moments[0].replace(tzinfo=clock, fold=fold) for fold in (0, 1)]
    expected = [_walls(start, step, len(walls), name, place) for start in both]
    for start, times in zip(both, expected, strict=True):
        if np.array_equal(times, walls):
            return start, step
    raise _off_the_clock(walls, expected[0], step, name, place)


def _walls(start: datetime, step: int, steps: int, name: str, place: Place) -> NDArray[np.int64]:
    """What the wall clock shows at every step's start, in seconds since 1970-01-01 local."""
    try:
        clock = Timeline(start.astimezone(UTC).astimezone(zone(name)), step, steps, name).clock()
    except InputError as error:
        raise InputError.at(place(0), error.problems[0].reason, start.isoformat()) from None
    return clock.day_number * DAY + clock.second_of_day


def _off_the_clock(
    given: NDArray[np.int64], expected: NDArray[np.int64], step: int, name: str, place: Place
) -> InputError:
    row = int(np.argmax(given != expected))
    here, there = (str(np.datetime64(int(t[row]), "s"))[:16] for t in (given, expected))
    if row and expected[row] <= expected[:row].max():
        why = f"{name} sets its clock back that night and shows {there} twice: give it twice"
    elif row and expected[row] - expected[row - 1] > step and given[row] < expected[row]:
        why = f"{name} sets its clock forward that night and skips {here}"
    elif row == 0:
        why = f"{name} skips it when it sets its clock forward"
    elif given[row] > expected[row]:
        why = GAP
    else:
        why = "it does not come one step after the reading before it"
        if (lengths_of(given, step) != step).any():
            why = f"{why}; {LATER}"
    hint = "; a file that keeps one clock all year needs stamps with offsets" if step < DAY else ""
    return InputError.at(place(row), f"should be {there}: {why}{hint if why != GAP else ''}", here)
