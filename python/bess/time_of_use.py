"""Times of use: which steps a season, the hours of a week and a calendar of holidays take.

The shape is that of a time of use in a published tariff, so that one can be pasted: camel or
snake case, numbers perhaps as strings, and keys that say nothing about time are ignored.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AliasChoices, BeforeValidator, ConfigDict, Field, model_validator

from bess._validation import CamelModel, NonEmptyListOf, TextInteger
from bess.errors import InputError
from bess.timeline import DAY, EPOCH_ORDINAL, LocalClock

__all__ = [
    "Calendars",
    "Season",
    "TimeOfUse",
    "TouPeriod",
    "boundary_inside_step",
    "calendar_days",
    "covers",
    "holidays",
    "missing_calendars",
]

Steps = NDArray[np.bool_]
Calendars = Mapping[Any, Collection[date | str]]
"""The days of each calendar by its id (an integer, or the same as a string)."""

_DAYS_IN_MONTH: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _calendar(value: Any) -> Any:
    """A calendar's id, or its dates."""
    if isinstance(value, (list, tuple)):
        return tuple(_date(day, f"[{i}]") for i, day in enumerate(value))
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise InputError.at("", "must be a calendar's id or a list of its dates", value)


Calendar = Annotated[
    str | tuple[date, ...] | None,
    BeforeValidator(_calendar),
    Field(validation_alias=AliasChoices("calendar", "calendarId", "calendar_id")),
]
ExceptCalendar = Annotated[str | tuple[date, ...] | None, BeforeValidator(_calendar)]
Month = Annotated[TextInteger, Field(ge=1, le=12)]
DayOfMonth = Annotated[TextInteger, Field(ge=1, le=31)]
DayOfWeek = Annotated[TextInteger, Field(ge=0, le=6)]
Hour = Annotated[TextInteger, Field(ge=0, le=24)]
Minute = Annotated[TextInteger, Field(ge=0, le=59)]
Edge = Literal["PREDOMINANT", "SUBSERVIENT"]


class _Pasted(CamelModel):
    """A model read from a tariff: keys it does not know are ignored, null is as good as absent."""

    ignores_unknown: ClassVar[bool] = True
    null_is_absent: ClassVar[bool] = True
    model_config = ConfigDict(extra="ignore")


class Season(_Pasted):
    """Part of every year, both ends inclusive; it wraps the year where its end comes first.

    Without days a season begins on the first and ends on the last day of its months. One that ends
    on 28 February includes the 29th. An edge that is marked moves to an edge of the bill that
    contains it, in a tariff (`bess.tariff.when`); here it stays.
    """

    season_from_month: Month
    season_to_month: Month
    season_from_day: DayOfMonth | None = None
    season_to_day: DayOfMonth | None = None
    from_edge_predominance: Edge | None = None
    to_edge_predominance: Edge | None = None

    @model_validator(mode="after")
    def _dates_exist(self) -> Season:
        for name in ("season_from", "season_to"):
            month, day = getattr(self, f"{name}_month"), getattr(self, f"{name}_day")
            last = _DAYS_IN_MONTH[month - 1]
            if day is not None and day > last:
                raise InputError.at(f"{name}_day", f"must be at most {last} in month {month}", day)
        return self

    @property
    def moves(self) -> bool:
        """Whether an edge of it is marked."""
        return bool(self.from_edge_predominance or self.to_edge_predominance)

    def includes(self, clock: LocalClock) -> Steps:
        """True for each step that starts in the season."""
        last = self.season_to_day or _DAYS_IN_MONTH[self.season_to_month - 1]
        if (self.season_to_month, last) == (2, 28):
            last = 29
        first = 100 * self.season_from_month + (self.season_from_day or 1)
        last += 100 * self.season_to_month
        day = 100 * clock.month + clock.day
        after, before = day >= first, day <= last
        return after & before if first <= last else after | before


class TouPeriod(_Pasted):
    """Hours of some days of the week, read on each of those days by itself.

    Days run from 0 (Monday) to 6 (Sunday), both inclusive, and may wrap the week. The end is
    exclusive; hour 24 and a closing hour 0 are midnight; equal ends are the whole day. Where the
    start is after the end, each day has two parts: from its midnight to the end, and from the
    start to its last moment. A period with a calendar holds on that calendar's days alone, one with
    an ``except_calendar`` (ours) on none of them.
    """

    from_hour: Hour
    to_hour: Hour
    from_minute: Minute = 0
    to_minute: Minute = 0
    from_day_of_week: DayOfWeek = 0
    to_day_of_week: DayOfWeek = 6
    calendar: Calendar = None
    except_calendar: ExceptCalendar = None

    @model_validator(mode="after")
    def _end_of_day(self) -> TouPeriod:
        for name in ("from", "to"):
            minute = getattr(self, f"{name}_minute")
            if getattr(self, f"{name}_hour") == 24 and minute:
                raise InputError.at(f"{name}_minute", "must be 0 where the hour is 24", minute)
        return self

    @property
    def seconds_of_day(self) -> tuple[int, int]:
        """Start and end in seconds after midnight, midnight always 0."""
        start = 60 * (60 * self.from_hour + self.from_minute)
        end = 60 * (60 * self.to_hour + self.to_minute)
        return start % DAY, end % DAY

    def includes(self, clock: LocalClock) -> Steps:
        """True for each step that starts in the period, on any date."""
        days = (self.to_day_of_week - self.from_day_of_week) % 7
        on_day = (clock.weekday - self.from_day_of_week) % 7 <= days
        start, end = self.seconds_of_day
        if start == end:
            return on_day
        after, before = clock.second_of_day >= start, clock.second_of_day < end
        return on_day & (after & before if start < end else after | before)


class TimeOfUse(_Pasted):
    """Periods of the week within a season (all year without one), and holidays taken whole.

    ``calendar`` (or ``calendarId``) is the id of a calendar of holidays, or a list of their dates.

    >>> peak = {"touPeriods": [{"toDayOfWeek": 4, "fromHour": "16", "toHour": "21"}]}
    >>> TimeOfUse.model_validate(peak).tou_periods[0].seconds_of_day
    (57600, 75600)

    Raises
    ------
    InputError
        With every problem found, each at its path, such as ``touPeriods[0].fromHour``.
    """

    tou_periods: NonEmptyListOf[TouPeriod]
    season: Season | None = None
    calendar: Calendar = None


def covers(
    tous: Sequence[TimeOfUse], clock: LocalClock, calendars: Calendars | None = None
) -> Steps:
    """True for each step that starts in any of the times of use; length ``clock.steps``.

    A calendar whose days are not among ``calendars`` has none: see `missing_calendars`.
    """
    found = holidays(tous, clock, calendars)
    for tou in tous:
        within = np.zeros(clock.steps, np.bool_)
        for period in tou.tou_periods:
            on = _on_calendar(period.includes(clock), period.calendar, clock, calendars)
            if period.except_calendar is not None:
                on &= ~_on_calendar(on, period.except_calendar, clock, calendars)
            within |= on
        found |= _in_season(within, tou, clock)
    return found


def calendar_days(calendars: Any) -> dict[str, tuple[date, ...]]:
    """The days of each calendar, checked and in order, by its id as a string.

    >>> calendar_days({7: ["2025-12-25", date(2025, 1, 1)]})
    {'7': (datetime.date(2025, 1, 1), datetime.date(2025, 12, 25))}

    Raises
    ------
    InputError
        At ``calendars``, where it maps no ids, gives one twice, or holds what is not a date.
    """
    if calendars is None:
        return {}
    if not isinstance(calendars, Mapping):
        raise InputError.at("calendars", "must map the ids of calendars to their days", calendars)
    found: dict[str, tuple[date, ...]] = {}
    for key, days in calendars.items():
        path = f"calendars.{key}"
        if str(key) in found:
            raise InputError.at(path, "is given twice, as a number and as text")
        if isinstance(days, (str, bytes)) or not isinstance(days, Collection):
            raise InputError.at(path, "must be a list of dates", days)
        found[str(key)] = tuple(sorted(_date(day, f"{path}[{i}]") for i, day in enumerate(days)))
    return found


def holidays(
    tous: Sequence[TimeOfUse], clock: LocalClock, calendars: Calendars | None = None
) -> Steps:
    """True for each step on a day that the calendar of any of the times of use takes whole.

    Where the times of use of a tariff share out the week, one without a calendar has
    ``covers([it]) & ~holidays(others)``.
    """
    found = np.zeros(clock.steps, np.bool_)
    for tou in tous:
        if tou.calendar is not None:
            everything = np.ones(clock.steps, np.bool_)
            found |= _in_season(
                _on_calendar(everything, tou.calendar, clock, calendars), tou, clock
            )
    return found


def missing_calendars(
    tous: Sequence[TimeOfUse], calendars: Mapping[Any, Any] | None = None
) -> tuple[str, ...]:
    """The ids of calendars that times of use name and ``calendars`` does not give, in order."""
    known = {str(key) for key in calendars or {}}
    periods = [period for tou in tous for period in tou.tou_periods]
    named = [tou.calendar for tou in tous]
    named += [calendar for p in periods for calendar in (p.calendar, p.except_calendar)]
    return tuple(dict.fromkeys(c for c in named if isinstance(c, str) and c not in known))


def boundary_inside_step(
    tous: Sequence[TimeOfUse], clock: LocalClock, calendars: Calendars | None = None
) -> Steps:
    """True for each step that is only partly theirs: they begin or end within it.

    Such a step counts for the period in which it starts; whoever assumes that should say so.
    """
    edges = {0} | {edge for t in tous for p in t.tou_periods for edge in p.seconds_of_day}
    at_start = covers(tous, clock, calendars)
    cut = np.zeros(clock.steps, np.bool_)
    for edge in edges:
        until = (edge - clock.second_of_day) % DAY
        for first in np.unique(until[until < clock.step_seconds]):
            for seconds in range(int(first) or DAY, clock.step_seconds, DAY):
                cut |= covers(tous, clock.later(seconds), calendars) != at_start
    return cut


def _in_season(steps: Steps, tou: TimeOfUse, clock: LocalClock) -> Steps:
    return steps if tou.season is None else steps & tou.season.includes(clock)


def _on_calendar(
    steps: Steps,
    calendar: str | tuple[date, ...] | None,
    clock: LocalClock,
    calendars: Calendars | None,
) -> Steps:
    if calendar is None:
        return steps
    if isinstance(calendar, str):
        given = {str(key): days for key, days in (calendars or {}).items()}
        path = f"calendars.{calendar}"
        days = enumerate(given.get(calendar, ()))
        calendar = tuple(_date(day, f"{path}[{i}]") for i, day in days)
    numbers = [day.toordinal() - EPOCH_ORDINAL for day in calendar]
    on_day: Steps = np.isin(clock.day_number, numbers)
    return steps & on_day


def _date(day: Any, path: str) -> date:
    if isinstance(day, date) and day == day:  # pandas' NaT, a date too, equals nothing
        return day.date() if isinstance(day, datetime) else day
    try:
        return date.fromisoformat(day)
    except (TypeError, ValueError):
        raise InputError.at(path, "must be a date, written as in 2025-07-04", day) from None
