"""Billing periods: which steps a bill covers, and how much of a month that is."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from bess.errors import InputError
from bess.timeline import Timeline, zone

__all__ = ["BillingPeriod", "billing_dates", "billing_periods"]


@dataclass(frozen=True)
class BillingPeriod:
    """The steps of one bill: those that start from its first instant to before its end."""

    start: datetime
    """Where it starts on the horizon, on the tariff's clock."""
    end: datetime
    first_step: int
    end_step: int
    """One past its last step."""
    days: float
    """Its days on the horizon, by the calendar: 23 hours can be a day."""
    share: float
    """The part of the whole period that lies on the horizon: 1 but for a period that is cut."""

    def __str__(self) -> str:
        last = self.end - timedelta(seconds=1)
        return f"{self.start:%Y-%m-%d} to {last:%Y-%m-%d}"


def billing_dates(dates: Any) -> tuple[date, ...] | None:
    """The dates at which bills begin, rising; None where none are given."""
    if dates is None:
        return None
    if isinstance(dates, (str, bytes)) or not isinstance(dates, Sequence):
        raise InputError.at("billing_periods", "must be a list of the dates bills begin at", dates)
    found: list[date] = []
    for i, day in enumerate(dates):
        path = f"billing_periods[{i}]"
        try:
            found.append(day if type(day) is date else date.fromisoformat(day))
        except (TypeError, ValueError):
            raise InputError.at(path, "must be a date, written as in 2025-07-04", day) from None
        if i and found[i] <= found[i - 1]:
            raise InputError.at(path, f"must be after {found[i - 1].isoformat()}", day)
    return tuple(found)


@lru_cache(maxsize=64)
def billing_periods(
    timeline: Timeline, time_zone: str | None, dates: tuple[date, ...] | None = None
) -> tuple[BillingPeriod, ...]:
    """The billing periods of a horizon.

    They begin at the midnights of ``dates`` (the horizon's start begins one too). Without dates
    they are months from the horizon's start, in the tariff's zone (None: the site's), to the same
    time of the same day of the next month, or of its last day where it has no such day: calendar
    months where it starts on a first.

    >>> half = Timeline(datetime(2025, 1, 1, tzinfo=UTC), 3600, 24 * 45)
    >>> [(str(p), round(p.share, 3)) for p in billing_periods(half, None)]
    [('2025-01-01 to 2025-01-31', 1.0), ('2025-02-01 to 2025-02-14', 0.5)]
    """
    clock = timeline.tzinfo if time_zone is None else zone(time_zone)
    start = datetime.fromtimestamp(timeline.start_seconds, UTC).astimezone(clock)
    end = datetime.fromtimestamp(timeline.end_seconds, UTC).astimezone(clock)
    edges = _monthly(start, end) if dates is None else _given(dates, start)
    if edges[0] > _wall(start):
        edges.insert(0, _wall(start))
    periods: list[BillingPeriod] = []
    for low, high in zip(edges, [*edges[1:], None], strict=True):
        first = max(_step_at(timeline, low, clock), 0)
        past = timeline.steps if high is None else _step_at(timeline, high, clock)
        past = min(past, timeline.steps)
        if first >= past:
            continue
        begins = max(low, _wall(start))
        ends = _wall(end) if high is None else min(high, _wall(end))
        days = (ends - begins) / timedelta(days=1)
        whole = days if high is None else (high - low) / timedelta(days=1)
        periods.append(
            BillingPeriod(
                begins.replace(tzinfo=clock),
                ends.replace(tzinfo=clock),
                first,
                past,
                days,
                min(days / whole, 1.0),
            )
        )
    return tuple(periods)


def _monthly(start: datetime, end: datetime) -> list[datetime]:
    wall = _wall(start)
    edges = [wall]
    while edges[-1] < _wall(end):
        months = 12 * wall.year + wall.month - 1 + len(edges)
        year, month = divmod(months, 12)
        day = min(wall.day, calendar.monthrange(year, month + 1)[1])
        edges.append(wall.replace(year=year, month=month + 1, day=day))
    return edges


def _given(dates: Sequence[date], start: datetime) -> list[datetime]:
    return [datetime(day.year, day.month, day.day) for day in dates] or [_wall(start)]


def _step_at(timeline: Timeline, wall: datetime, clock: ZoneInfo | timezone) -> int:
    """The first step that starts at or after a wall-clock time."""
    seconds = int(wall.replace(tzinfo=clock).timestamp())
    return -((timeline.start_seconds - seconds) // timeline.step_seconds)


def _wall(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None)
