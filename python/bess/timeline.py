"""Steps, instants and local clocks: where time is worked out, in whole seconds and integers only.

An instant is a number of seconds since 1970-01-01T00:00Z. A local clock adds a zone's offset to
the instants at which steps start, so a local day has 23, 24 or 25 hours as it falls.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cached_property, lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
from numpy.typing import NDArray

from bess.errors import InputError

__all__ = ["LocalClock", "Timeline", "offset_changes", "parse_instant", "zone"]

DAY: Final = 86_400
SECOND: Final = timedelta(seconds=1)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()

_FIRST_SECOND = (datetime(2, 1, 1, tzinfo=UTC) - EPOCH) // SECOND
_LAST_SECOND = (datetime(9999, 1, 1, tzinfo=UTC) - EPOCH) // SECOND
_YEARS = "must lie in the years 2 to 9998"
_ISO_8601 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?(Z|z|[+-]\d{2}(:?\d{2}(:\d{2})?)?)?",
    re.ASCII,
)

Integers = NDArray[np.int64]


def zone(name: str, path: str = "time_zone") -> ZoneInfo:
    """The time zone of an IANA name; an unknown one is an `InputError` with the nearest names."""
    if not isinstance(name, str):
        raise InputError.at(path, "must be the IANA name of a time zone, a string", name)
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # not found; not a relative path; a folder
        raise InputError.at(path, _unknown_zone(name), name) from None


@lru_cache(maxsize=256)
def _unknown_zone(name: str) -> str:
    known = _zone_names()
    if not known:
        return "cannot be looked up: no time zone database was found (pip install tzdata)"
    wanted = name.strip().lower().replace(" ", "_")
    found = difflib.get_close_matches(wanted, known, n=3, cutoff=0.8)
    guess = ", ".join(dict.fromkeys(known[match] for match in found))
    hint = f"did you mean {guess}?" if guess else "write it as in America/Los_Angeles"
    return f"is not a known IANA time zone; {hint}"


@lru_cache(maxsize=1)
def _zone_names() -> dict[str, str]:
    """Zone names by what a caller might write: the whole name or the city alone."""
    names = sorted(available_timezones())
    by_city = {name.rpartition("/")[2].lower(): name for name in reversed(names)}
    return by_city | {name.lower(): name for name in names}


def parse_instant(text: str | datetime, path: str) -> datetime:
    """The aware instant of an ISO 8601 date and time, which must carry its offset from UTC.

    >>> parse_instant("2025-01-01T00:00:00-08:00", "start").isoformat()
    '2025-01-01T00:00:00-08:00'
    """
    if isinstance(text, datetime) and text == text:  # NaT, a datetime too, equals nothing
        moment = text
    elif not isinstance(text, str) or not _ISO_8601.fullmatch(text):
        raise InputError.at(
            path, "must be an ISO 8601 date and time such as 2025-01-01T00:00:00-08:00", text
        )
    else:
        try:
            moment = datetime.fromisoformat(text.upper())
        except ValueError as error:
            raise InputError.at(path, f"is not a date and time: {error}", text) from None
    if moment.utcoffset() is None:
        raise InputError.at(path, "has no UTC offset: add one, as in 2025-01-01T00:00-08:00", text)
    if not _FIRST_SECOND <= (moment - EPOCH) // SECOND < _LAST_SECOND:
        raise InputError.at(path, _YEARS, text)
    return moment


@dataclass(frozen=True)
class Timeline:
    """``steps`` steps of ``step_seconds`` each, from the instant ``start``.

    The site's clock is ``time_zone`` (an IANA name; by default the zone that ``start`` carries,
    else its offset, which then never changes). The offset of ``start`` must be the zone's at that
    instant. The start lies on a step boundary: its time of day is a whole number of steps after
    midnight, either on the site's clock (hours of a half-hour or 45-minute zone begin on the local
    hour) or in UTC (a series cut on UTC hours); steps that do not divide a day are counted from
    that day's midnight. Timelines compare by instants and clock, and hash and pickle.

    >>> year = Timeline(parse_instant("2024-01-01T00:00-08:00", "start"), 3600, 8784)
    >>> year.instant(8784).isoformat()
    '2025-01-01T00:00:00-08:00'

    Raises
    ------
    InputError
        At ``start``, ``step_seconds``, ``steps`` or ``time_zone``.
    """

    start: datetime = field(compare=False)
    step_seconds: int
    steps: int
    time_zone: str | None = None
    start_seconds: int = field(init=False, repr=False)
    offset_seconds: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        given = parse_instant(self.start, "start")
        if (given - EPOCH) % SECOND:
            raise InputError.at("start", "must be a whole second", given.isoformat())
        step, steps = (_positive(getattr(self, n), n) for n in ("step_seconds", "steps"))
        seconds = (given - EPOCH) // SECOND
        if seconds + step * steps >= _LAST_SECOND:
            raise InputError.at("steps", f"end too late: every instant {_YEARS}", steps)
        name = self.time_zone
        if name is None:  # what ZoneInfo calls its key, pytz calls its zone
            name = getattr(given.tzinfo, "key", None) or getattr(given.tzinfo, "zone", None)
        start = _local(seconds, timezone(_offset(given)) if name is None else zone(name))
        if _offset(start) != _offset(given):
            raise InputError.at(
                "start",
                f"has an offset that contradicts {name}, where it is {start.isoformat()}",
                given.isoformat(),
            )
        offset = _offset(start) // SECOND
        if (seconds + offset) % DAY % step and seconds % DAY % step:
            raise InputError.at(
                "start",
                f"must be a whole number of steps ({step} s) after midnight, local or UTC",
                given.isoformat(),
            )
        settled = {"start": start, "step_seconds": step, "steps": steps, "time_zone": name}
        for key, value in (settled | {"start_seconds": seconds, "offset_seconds": offset}).items():
            object.__setattr__(self, key, value)

    def __reduce__(self) -> tuple[Any, ...]:
        return Timeline, (self.start, self.step_seconds, self.steps, self.time_zone)

    @property
    def end_seconds(self) -> int:
        """The end of the last step, in seconds since the epoch."""
        return self.start_seconds + self.step_seconds * self.steps

    @property
    def step_hours(self) -> float:
        """The length of a step in hours."""
        return self.step_seconds / 3600

    @property
    def tzinfo(self) -> ZoneInfo | timezone:
        """The site's clock: its zone, or the fixed offset of the start."""
        return _tzinfo(self._clock_key)

    @property
    def _clock_key(self) -> str | int:
        return self.offset_seconds if self.time_zone is None else self.time_zone

    def instant(self, k: int) -> datetime:
        """Boundary ``k`` (0: the start; ``steps``: the end) on the site's clock."""
        if not 0 <= k <= self.steps:
            raise IndexError(f"boundary {k} of a timeline of {self.steps} steps")
        return _local(self.start_seconds + k * self.step_seconds, self.tzinfo)

    @cached_property
    def timestamps(self) -> tuple[datetime, ...]:
        """The start of every step on the site's clock."""
        clock, seconds = self.tzinfo, range(self.start_seconds, self.end_seconds, self.step_seconds)
        return tuple(_local(second, clock) for second in seconds)

    @cached_property
    def years(self) -> float:
        """The length in years: whole ones from the start's date to the same date, and the part of
        the last that it reaches into.

        >>> day = Timeline(parse_instant("2025-06-01T00:00-07:00", "start"), 3600, 24)
        >>> round(365 * day.years, 9)
        1.0
        """
        whole = 0
        begins, ends = self.start_seconds, self._anniversary(1)
        while ends <= self.end_seconds:
            whole += 1
            begins, ends = ends, self._anniversary(whole + 1)
        return whole + (self.end_seconds - begins) / (ends - begins)

    def _anniversary(self, years: int) -> int:
        """The instant so many years after the start on the site's clock; 29 February ends on 28."""
        local = self.start.replace(tzinfo=None)
        day = 28 if (local.month, local.day) == (2, 29) else local.day
        later = local.replace(year=local.year + years, day=day, tzinfo=self.tzinfo)
        return (later.astimezone(UTC) - EPOCH) // SECOND

    def clock(self, time_zone: str | None = None) -> LocalClock:
        """The local time at every step's start, in a zone (None: the site's clock); cached."""
        key = self._clock_key if time_zone is None else zone(time_zone).key
        return _local_clock(self.start_seconds, self.step_seconds, self.steps, key)


@dataclass(frozen=True, eq=False)
class LocalClock:
    """The local date and time at the start of every step: read-only int64 arrays, one per part."""

    year: Integers
    month: Integers
    """1 to 12."""
    day: Integers
    """Day of the month, 1 to 31."""
    weekday: Integers
    """0 (Monday) to 6 (Sunday)."""
    second_of_day: Integers
    """What the wall clock shows, in seconds after midnight."""
    day_number: Integers
    """Days from 1970-01-01 to the local date."""
    start_seconds: int
    step_seconds: int
    time_zone: str | int
    """An IANA name, or a fixed offset from UTC in seconds."""

    @property
    def steps(self) -> int:
        """The number of steps."""
        return len(self.day_number)

    def later(self, seconds: int) -> LocalClock:
        """The local time ``seconds`` after the start of every step."""
        start = self.start_seconds + seconds
        return _local_clock(start, self.step_seconds, self.steps, self.time_zone)


@lru_cache(maxsize=64)
def _local_clock(start: int, step: int, steps: int, key: str | int) -> LocalClock:
    clock = _tzinfo(key)
    offsets = offset_changes(clock, start, start + step * (steps - 1))
    changes = [min(-((start - instant) // step), steps) for instant, _ in offsets] + [steps]
    offset = np.repeat(np.array([value for _, value in offsets], np.int64), np.diff(changes))
    local = np.arange(start, start + step * steps, step, dtype=np.int64) + offset
    day_number = local // DAY
    first = int(day_number.min())
    dates = np.arange(first, int(day_number.max()) + 1).astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    since_first = day_number - first
    parts = {
        "year": (dates.astype("datetime64[Y]").astype(np.int64) + 1970)[since_first],
        "month": (months.astype(np.int64) % 12 + 1)[since_first],
        "day": ((dates - months).astype(np.int64) + 1)[since_first],
        "weekday": ((dates.astype(np.int64) + 3) % 7)[since_first],
        "second_of_day": local - day_number * DAY,
        "day_number": day_number,
    }
    for array in parts.values():
        array.setflags(write=False)
    return LocalClock(**parts, start_seconds=start, step_seconds=step, time_zone=key)


def offset_changes(clock: ZoneInfo | timezone, first: int, last: int) -> list[tuple[int, int]]:
    """Offsets from UTC in seconds, each with the instant from which it holds (first: ``first``).

    Found by looking once a day and bisecting where the offset differs: no zone changes its clock
    and changes it back within a day.
    """
    found = [(first, offset_at(clock, first))]
    for low in range(first, last, DAY):
        high = min(low + DAY, last)
        offset = offset_at(clock, high)
        if offset != found[-1][1]:
            found.append((first_change(clock, low, high), offset))
    return found


def first_change(clock: ZoneInfo | timezone, low: int, high: int) -> int:
    """The instant after ``low`` at which the offset becomes the one that holds at ``high``."""
    offset = offset_at(clock, high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if offset_at(clock, middle) == offset else (middle, high)
    return high


def offset_at(clock: ZoneInfo | timezone, seconds: int) -> int:
    """A clock's offset from UTC at an instant, in seconds."""
    return _offset(_local(seconds, clock)) // SECOND


def _local(seconds: int, clock: ZoneInfo | timezone) -> datetime:
    return (EPOCH + timedelta(seconds=seconds)).astimezone(clock)


def _offset(moment: datetime) -> timedelta:
    offset = moment.utcoffset()
    assert offset is not None
    return offset


def _tzinfo(key: str | int) -> ZoneInfo | timezone:
    return zone(key) if isinstance(key, str) else timezone(timedelta(seconds=key))


def _positive(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise InputError.at(name, "must be a whole number, 1 or more", value)
    return int(value)
