"""When a tariff's charges hold, the slow way: each step's local time, each billing period in turn.

Reads `bess.tariff.Tariff` as plain data and uses none of its methods.
"""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from reference_time import in_season, step_starts


@dataclass(frozen=True)
class Period:
    """A billing period: its steps, its days, what part of a month, and the month it starts in."""

    steps: list[int]
    days: float
    share: float
    month: int


@dataclass(frozen=True)
class Interval:
    """A demand interval: steps whose mean import is one demand."""

    steps: list[int]
    period: int
    day: Any

    @property
    def first(self) -> int:
        return self.steps[0]


@dataclass(frozen=True)
class Clock:
    """The local starts of a horizon's steps, and its billing periods and demand intervals."""

    walls: list[datetime]
    instants: list[datetime]
    hours: float
    periods: list[Period]
    intervals: list[Interval]

    def inside(self, times: Sequence[Any]) -> list[bool]:
        """For each step, whether all of some hour matrices hold where it starts."""
        found = []
        for wall in self.walls:
            rows = [t.weekend if wall.weekday() >= 5 else t.weekday for t in times]
            here = [row[wall.month - 1][wall.hour] for row in rows]
            found.append(all(n == t.number for n, t in zip(here, times, strict=True)))
        return found

    def part(self, seasons: Sequence[Any], period: Period) -> float:
        """The part of a billing period's steps in which any of some seasons holds."""
        if not seasons:
            return 1.0
        spelt = [
            {
                "seasonFromMonth": s.season_from_month,
                "seasonToMonth": s.season_to_month,
                "seasonFromDay": s.season_from_day or 1,
                "seasonToDay": s.season_to_day or 31,
            }
            for s in seasons
        ]
        held = [any(in_season(self.walls[t], s) for s in spelt) for t in period.steps]
        return sum(held) / len(held)


def clock_of(start: str, step_seconds: int, steps: int, zone: str, minutes: int) -> Clock:
    """The clock of a horizon; demand is mean power over so many minutes."""
    instants = step_starts(start, step_seconds, steps + 1)
    walls = [i.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for i in instants]
    periods = _periods(walls, instants, zone)
    intervals = _intervals(walls, step_seconds, 60 * minutes, periods)
    return Clock(walls[:-1], instants[:-1], step_seconds / 3600, periods, intervals)


def _periods(walls: list[datetime], instants: list[datetime], zone: str) -> list[Period]:
    """Months from the start, to the same time of the same day of the next month, or its last."""
    first, end = walls[0], walls[-1]
    periods: list[Period] = []
    count = 0
    while _months_later(first, count) < end:
        low, high = _months_later(first, count), _months_later(first, count + 1)
        opens, closes = (w.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) for w in (low, high))
        steps = [t for t, i in enumerate(instants[:-1]) if opens <= i < closes]
        if count == 0:
            steps = [t for t, i in enumerate(instants[:-1]) if i < closes]
        days = (min(high, end) - low) / timedelta(days=1)
        if steps:
            share = days / ((high - low) / timedelta(days=1))
            periods.append(Period(steps, days, share, low.month))
        count += 1
    return periods


def _months_later(wall: datetime, months: int) -> datetime:
    year, month = divmod(12 * wall.year + wall.month - 1 + months, 12)
    day = min(wall.day, calendar.monthrange(year, month + 1)[1])
    return wall.replace(year=year, month=month + 1, day=day)


def _intervals(
    walls: list[datetime], step: int, length: int, periods: list[Period]
) -> list[Interval]:
    """Steps together by the clock; a step that does not fit into an interval is one by itself."""
    count = len(walls) - 1
    groups: list[list[int]] = []
    if step >= length or length % step:
        groups = [[t] for t in range(count)]
    else:
        into = (walls[0] - walls[0].replace(hour=0, minute=0, second=0)) // timedelta(seconds=1)
        for t in range(count):
            if t == 0 or (into + t * step) % length < step:
                groups.append([])
            groups[-1].append(t)
    of_step = {t: p for p, period in enumerate(periods) for t in period.steps}
    return [Interval(group, of_step[group[0]], walls[group[0]].date()) for group in groups]
