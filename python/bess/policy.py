"""Policies: windows in which a battery's state of charge must lie at given instants.

A policy's JSON comes back from `model_dump` as it came in: days, times and offsets keep their
spelling, and are read anew where they are needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from bess._validation import AsNumber, Model, NonEmptyListOf
from bess.errors import InputError, nearest_name
from bess.timeline import EPOCH, SECOND, Timeline, first_change, parse_instant, zone

__all__ = ["OnceSchedule", "SchedulePolicy", "WeeklySchedule", "Window", "next_instants", "windows"]

DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_TIME: Final = r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"
_ROUNDING: Final = 1e-9


def _instant(text: str) -> str:
    parse_instant(text, "")
    return text


def _day(name: str) -> str:
    if name.lower() not in DAYS:
        guess = nearest_name(name, DAYS)
        hint = f"did you mean {guess}?" if guess else f"one of {', '.join(DAYS)}"
        raise InputError.at("", f"is not a day of the week; {hint}", name)
    return name


def _time(text: str) -> str:
    if not re.fullmatch(_TIME, text):
        raise InputError.at("", "must be a time of day, HH:MM or HH:MM:SS, as in 09:00", text)
    return text


def _zone_name(name: str) -> str:
    zone(name, "")
    return name


Instant = Annotated[str, AfterValidator(_instant), Field(json_schema_extra={"format": "date-time"})]
DayName = Annotated[str, AfterValidator(_day), Field(description="An English name, in any case.")]
TimeOfDay = Annotated[str, AfterValidator(_time), Field(json_schema_extra={"pattern": _TIME})]
ZoneName = Annotated[str, AfterValidator(_zone_name)]
Percent = Annotated[float, Field(ge=0, le=100), AsNumber]


def _within(instants: Iterable[datetime], start: datetime, end: datetime) -> list[datetime]:
    """Those from ``start`` to ``end``, both included, in order and each once.

    Compared in UTC: Python compares, and subtracts, two times of one zone by their wall clocks.
    """
    found = {instant.astimezone(UTC): instant for instant in instants}
    first, last = start.astimezone(UTC), end.astimezone(UTC)
    return [found[at] for at in sorted(found) if first <= at <= last]


class OnceSchedule(Model):
    """Given instants."""

    frequency: Literal["once"]
    date_times: Annotated[
        NonEmptyListOf[Instant],
        Field(description="Instants in ISO 8601, each with an offset."),
    ]

    def instants(self, start: datetime, end: datetime) -> list[datetime]:
        """The schedule's instants from ``start`` to ``end``, both included, in order."""
        return _within((parse_instant(text, "date_times") for text in self.date_times), start, end)


class WeeklySchedule(Model):
    """A local time on some days of every week.

    A time that the clock skips in spring is the first instant after the gap; one that occurs twice
    in autumn is the first of the two.
    """

    frequency: Literal["weekly"]
    day_of_week: Annotated[NonEmptyListOf[DayName], Field(description="Days of the week.")]
    time: Annotated[TimeOfDay, Field(description="Local time of day, HH:MM or HH:MM:SS.")]
    timezone: Annotated[ZoneName, Field(description="IANA time zone in which the time is read.")]

    def instants(self, start: datetime, end: datetime) -> list[datetime]:
        """The schedule's instants from ``start`` to ``end``, both included, in order."""
        return _within(self._near(start, end), start, end)

    def _near(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """The instants of every matching local date from two days before to two days after."""
        clock = zone(self.timezone)
        days = {DAYS.index(name.lower()) for name in self.day_of_week}
        at = time.fromisoformat(self.time)
        date = start.astimezone(clock).date() - timedelta(days=2)
        last = end.astimezone(clock).date() + timedelta(days=2)
        while date <= last:
            if date.weekday() in days:
                wall = datetime.combine(date, at, tzinfo=clock)
                # Read with the offset before a change of the clock, then with the one after it:
                # the same instant on an ordinary day, in falling order across a gap.
                before, after = ((wall.replace(fold=f) - EPOCH) // SECOND for f in (0, 1))
                skipped = after < before
                seconds = first_change(clock, after, before) if skipped else before
                yield (EPOCH + timedelta(seconds=seconds)).astimezone(clock)
            date += timedelta(days=1)


class SchedulePolicy(Model):
    """The state of charge lies between a minimum and a maximum at the instants of a schedule.

    >>> policy = SchedulePolicy.model_validate({
    ...     "schedule": {"frequency": "weekly", "day_of_week": ["Friday"], "time": "17:00",
    ...                  "timezone": "Europe/Berlin"},
    ...     "minimum_state_of_charge": 80, "maximum_state_of_charge": 100})
    >>> [at.isoformat() for at in next_instants(policy, datetime(2025, 6, 1, tzinfo=UTC), 1)]
    ['2025-06-06T17:00:00+02:00']

    Raises
    ------
    InputError
        With every problem found, each at its path, such as ``schedule.timezone``.
    """

    type: Literal["schedule"] = "schedule"
    schedule: Annotated[
        OnceSchedule | WeeklySchedule,
        Field(discriminator="frequency", description="When the state of charge must lie within."),
    ]
    minimum_state_of_charge: Annotated[Percent, Field(description="Percent of capacity.")]
    maximum_state_of_charge: Annotated[Percent, Field(description="Percent of capacity.")]

    @model_validator(mode="after")
    def _minimum_below_maximum(self) -> SchedulePolicy:
        low, high = self.minimum_state_of_charge, self.maximum_state_of_charge
        if low > high:
            raise InputError.at(
                "minimum_state_of_charge",
                f"must not exceed maximum_state_of_charge ({high:g})",
                low,
            )
        return self


@dataclass(frozen=True)
class Window:
    """What policies ask of the state of charge at one instant.

    ``step`` is the index of the step at whose end the window binds, the one that contains the
    instant; -1 is the start of the horizon, which is compared and reported but binds nothing.
    ``minimum`` and ``maximum`` are fractions of capacity, ``sources`` the policies asking.
    """

    at: datetime
    step: int
    minimum: float
    maximum: float
    sources: tuple[str, ...]


def windows(
    policies: Sequence[SchedulePolicy],
    timeline: Timeline,
    *,
    minimum: float = 0.0,
    maximum: float = 1.0,
) -> tuple[Window, ...]:
    """The windows of policies at the instants of a horizon, in order of time.

    Windows of the same instant are intersected, and with ``minimum`` to ``maximum``, the limits of
    the battery. Different instants within one step stay apart, though they bind at its same end.

    Raises
    ------
    InputError
        At ``policies[i]``, where nothing is left of a window.
    """
    if not policies:
        return ()
    found = []
    met: dict[tuple[int, ...], tuple[float, float, tuple[str, ...]]] = {}
    for at, step, asking in _asking(tuple(policy.schedule for policy in policies), timeline):
        if asking not in met:
            sources = tuple(f"policies[{i}]" for i in asking)
            met[asking] = (*_meet(policies, asking, at, minimum, maximum), sources)
        found.append(Window(at, step, *met[asking]))
    return tuple(found)


@lru_cache(maxsize=32)  # finding a year of instants takes longer than dispatching a battery
def _asking(
    schedules: tuple[OnceSchedule | WeeklySchedule, ...], timeline: Timeline
) -> tuple[tuple[datetime, int, tuple[int, ...]], ...]:
    """The instants of schedules in order, the step of each, and which schedules it is of."""
    start, end = (timeline.instant(k).astimezone(UTC) for k in (0, timeline.steps))
    asking: dict[datetime, list[int]] = {}
    for i, schedule in enumerate(schedules):
        for instant in schedule.instants(start, end):
            asking.setdefault(instant.astimezone(UTC), []).append(i)
    return tuple(
        (
            instant.astimezone(timeline.tzinfo),
            -((start - instant) // timedelta(seconds=timeline.step_seconds)) - 1,
            tuple(asking[instant]),
        )
        for instant in sorted(asking)
    )


def _meet(
    policies: Sequence[SchedulePolicy],
    asking: Sequence[int],
    at: datetime,
    minimum: float,
    maximum: float,
) -> tuple[float, float]:
    """The window common to policies at an instant, within the battery's limits."""
    bounds = [(minimum, maximum, f"the battery's limits ({_percent(minimum, maximum)})")]
    for i in asking:
        policy = policies[i]
        low, high = policy.minimum_state_of_charge / 100, policy.maximum_state_of_charge / 100
        for least, most, whose in bounds:
            if max(low, least) > min(high, most) + _ROUNDING:
                raise InputError.at(
                    f"policies[{i}]",
                    f"asks for {_percent(low, high)} at {at.isoformat()}, which has nothing in "
                    f"common with {whose}",
                )
        bounds.append((low, high, f"policies[{i}] ({_percent(low, high)})"))
    low = min(max(bound[0] for bound in bounds), maximum)
    return low, max(low, min(bound[1] for bound in bounds))


def _percent(low: float, high: float) -> str:
    return f"{100 * low:g} to {100 * high:g} %"


def next_instants(policy: SchedulePolicy, after: datetime, count: int) -> list[datetime]:
    """The next ``count`` instants (fewer if there are no more) of a policy after an instant."""
    after = parse_instant(after, "after").astimezone(UTC)
    end = datetime(9998, 12, 1, tzinfo=UTC)
    if isinstance(policy.schedule, WeeklySchedule):  # at least one in every week
        end = after + min(timedelta(weeks=min(count + 2, 1_000_000)), end - after)
    later = (at for at in policy.schedule.instants(after, end) if at.astimezone(UTC) > after)
    return list(later)[: max(count, 0)]
