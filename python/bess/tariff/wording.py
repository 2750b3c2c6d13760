"""When a rate holds, in a few words: months, days and hours."""

from __future__ import annotations

from collections.abc import Sequence

from bess.tariff.hours import HourMatrix, Time, month_seasons
from bess.time_of_use import Season, TimeOfUse, TouPeriod

__all__ = ["when_in_words"]

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def when_in_words(times: Sequence[Time], seasons: Sequence[Season] = ()) -> str:
    """When all of some times of use hold, and one of some seasons; empty for always.

    >>> period = {"fromHour": 16, "toHour": 21, "toDayOfWeek": 4}
    >>> summer = {"seasonFromMonth": 6, "seasonToMonth": 9}
    >>> when_in_words([TimeOfUse.model_validate({"touPeriods": [period], "season": summer})])
    'Jun-Sep, Mon-Fri 16-21'
    """
    parts = [" and ".join(map(_season, seasons))] if seasons else []
    parts += [_matrix(t) if isinstance(t, HourMatrix) else _time_of_use(t) for t in times]
    return ", ".join(dict.fromkeys(part for part in parts if part))


def _season(season: Season) -> str:
    first, last = _MONTHS[season.season_from_month - 1], _MONTHS[season.season_to_month - 1]
    if season.season_from_day not in (None, 1):
        first = f"{season.season_from_day} {first}"
    whole = season.season_to_day is None or season.season_to_day >= 28
    if not whole:
        last = f"{season.season_to_day} {last}"
    return first if first == last else f"{first}-{last}"


def _time_of_use(time: TimeOfUse) -> str:
    days: dict[str, list[str]] = {}
    for period in time.tou_periods:
        days.setdefault(_days(period), []).append(_hours(period))
    hours = [
        " ".join(filter(None, (day, ", ".join(filter(None, own))))) for day, own in days.items()
    ]
    parts = [] if time.season is None else [_season(time.season)]
    text = "; ".join(filter(None, hours))
    if time.calendar is not None:
        text = f"{text}; holidays whole".removeprefix("; ")
    return ", ".join(filter(None, [*parts, text]))


def _days(period: TouPeriod) -> str:
    first, last = period.from_day_of_week, period.to_day_of_week
    every = (last - first) % 7 == 6
    days = "" if every else _DAYS[first] if first == last else f"{_DAYS[first]}-{_DAYS[last]}"
    if period.calendar is not None:
        return f"holidays {days}".strip()
    if period.except_calendar is not None:
        return f"{days or 'every day'} but holidays"
    return days


def _hours(period: TouPeriod) -> str:
    start, end = period.seconds_of_day
    return "" if start == end else f"{_clock(start)}-{_clock(end or 86_400)}"


def _clock(seconds: int) -> str:
    hour, minute = divmod(seconds // 60, 60)
    return f"{hour}:{minute:02d}" if minute else str(hour)


def _matrix(matrix: HourMatrix) -> str:
    """Its months and hours where the months are alike, else its months alone."""
    if not matrix.months:
        return "never"
    months = " and ".join(map(_season, month_seasons(matrix.months)))
    kinds = []
    for name, rows in (("weekdays", matrix.weekday), ("weekends", matrix.weekend)):
        found = {_runs(rows[month - 1], matrix.number) for month in matrix.months}
        if len(found) > 1:
            return f"{months or 'all year'}, hours by month"
        kinds.append((name, found.pop()))
    (_, weekday), (_, weekend) = kinds
    if weekday == weekend:
        text = "" if weekday == "0-24" else weekday
    else:
        text = "; ".join(f"{name} {hours}".removesuffix(" 0-24") for name, hours in kinds if hours)
    return ", ".join(filter(None, (months, text)))


def _runs(row: Sequence[int], number: int) -> str:
    """The hours of a row that bear a number, such as 0-8, 18-24."""
    inside = [h for h, own in enumerate(row) if own == number]
    starts = [h for h in inside if h - 1 not in inside]
    ends = [h + 1 for h in inside if h + 1 not in inside]
    return ", ".join(f"{a}-{b}" for a, b in zip(starts, ends, strict=True))
