"""Clocks the slow way: each step's local time, each period in turn, each policy date by date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


def step_starts(start: str, step_seconds: int, steps: int) -> list[datetime]:
    """The instants at which steps start, in UTC."""
    first = datetime.fromisoformat(start).astimezone(UTC)
    return [first + timedelta(seconds=step_seconds * t) for t in range(steps)]


def in_period(local: datetime, period: Mapping[str, int]) -> bool:
    """Whether a local time lies in a period of a time of use (camel-case keys)."""
    first, last = period.get("fromDayOfWeek", 0), period.get("toDayOfWeek", 6)
    day = local.weekday()
    in_days = first <= day <= last if first <= last else day >= first or day <= last
    opens = 60 * period.get("fromHour", 0) + period.get("fromMinute", 0)
    closes = 60 * period.get("toHour", 0) + period.get("toMinute", 0)
    closes = closes or 24 * 60
    now = 60 * local.hour + local.minute + local.second / 60
    if opens == closes or opens == closes - 24 * 60:
        in_hours = True
    elif opens < closes:
        in_hours = opens <= now < closes
    else:
        in_hours = now >= opens or now < closes
    return in_days and in_hours


def in_season(local: datetime, season: Mapping[str, int] | None) -> bool:
    """Whether a date lies in a season; both bounds inclusive, 28 February includes the 29th."""
    if season is None:
        return True
    today = (local.month, local.day)
    opens = (season["seasonFromMonth"], season.get("seasonFromDay", 1))
    closes = (season["seasonToMonth"], season.get("seasonToDay", 31))
    if closes == (2, 28):
        closes = (2, 29)
    if opens <= closes:
        return opens <= today <= closes
    return today >= opens or today <= closes


def covered(tous: Sequence[Mapping[str, Any]], starts: Sequence[datetime], zone: str) -> list[bool]:
    """For each step, whether any period of any of the times of use holds the instant it starts."""
    local = [instant.astimezone(ZoneInfo(zone)) for instant in starts]
    return [
        any(
            in_season(now, tou.get("season")) and any(in_period(now, p) for p in tou["touPeriods"])
            for tou in tous
        )
        for now in local
    ]


def weekly_instant(day: date, at: time, zone: str) -> datetime:
    """When a zone's clock first shows a time on a day; in a gap, the first instant after it."""
    tz = ZoneInfo(zone)
    instant = datetime.combine(day, at, tzinfo=tz).astimezone(UTC)  # fold 0: the first of two
    if instant.astimezone(tz).replace(tzinfo=None) == datetime.combine(day, at):
        return instant
    offset = instant.astimezone(tz).utcoffset()  # the time does not exist: walk back to the change
    while (instant - timedelta(seconds=1)).astimezone(tz).utcoffset() == offset:
        instant -= timedelta(seconds=1)
    return instant


def policy_instants(policy: Mapping[str, Any], first: datetime, last: datetime) -> list[datetime]:
    """The instants of a schedule policy from `first` to `last`, both included, in UTC."""
    schedule = policy["schedule"]
    if schedule["frequency"] == "once":
        found = [datetime.fromisoformat(t).astimezone(UTC) for t in schedule["date_times"]]
    else:
        days = [DAYS.index(name.lower()) for name in schedule["day_of_week"]]
        at, zone = time.fromisoformat(schedule["time"]), schedule["timezone"]
        day = first.date() - timedelta(days=2)
        found = []
        while day <= last.date() + timedelta(days=2):
            if day.weekday() in days:
                found.append(weekly_instant(day, at, zone))
            day += timedelta(days=1)
    return sorted({t for t in found if first <= t <= last})


def policy_windows(
    policies: Sequence[Mapping[str, Any]],
    start: str,
    step_seconds: int,
    steps: int,
    minimum: float,
    maximum: float,
) -> list[tuple[datetime, int, float, float]] | None:
    """(instant, step it binds at the end of, least, most) in order; None if two contradict.

    A window at the start of the horizon has step -1. Fractions of the capacity.
    """
    first = datetime.fromisoformat(start).astimezone(UTC)
    last = first + timedelta(seconds=step_seconds * steps)
    found: dict[datetime, tuple[float, float]] = {}
    for policy in policies:
        for instant in policy_instants(policy, first, last):
            low, high = found.get(instant, (minimum, maximum))
            found[instant] = (
                max(low, policy["minimum_state_of_charge"] / 100),
                min(high, policy["maximum_state_of_charge"] / 100),
            )
    if any(low > high + 1e-9 for low, high in found.values()):  # not by rounding alone
        return None
    windows = []
    for instant in sorted(found):
        seconds = (instant - first) / timedelta(seconds=1)
        whole, rest = divmod(seconds, step_seconds)
        low, high = found[instant]
        step = int(whole) if rest else int(whole) - 1
        windows.append((instant, step, min(low, high), high))
    return windows
