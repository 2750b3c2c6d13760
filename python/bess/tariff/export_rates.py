"""Avoided-cost export rates: what an export earns by date, hour and kind of day.

The CSV is as Californian utilities publish it: ``DateStart``, ``DateEnd``, ``TimeStart``,
``TimeEnd``, ``DayTypeStart``, ``DayTypeEnd`` (1 Monday to 7 Sunday, 8 a holiday), ``Value`` in
``Unit`` $/kWh; dates and times are local and their ends inclusive.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bess._arrays import freeze
from bess.errors import InputError
from bess.tariff.holiday_calendars import Calendar, NamedCalendar, calendar_of, days_in
from bess.timeline import EPOCH_ORDINAL, Timeline

__all__ = ["ExportRates", "is_export_rates", "load_export_rates"]

Floats = NDArray[np.float64]

_COLUMNS: Final = (
    *("DateStart", "DateEnd", "TimeStart", "TimeEnd", "DayTypeStart", "DayTypeEnd", "Value"),
)


@dataclass(frozen=True, eq=False)
class ExportRates:
    """Rows of prices for exports, each for a range of dates, of times of day and of kinds of days.

    Arrays are of one length, a row each; ends are exclusive. They price no import.
    """

    first_day: NDArray[np.int64]
    """Days since 1970-01-01."""
    end_day: NDArray[np.int64]
    first_second: NDArray[np.int64]
    """Seconds after midnight."""
    end_second: NDArray[np.int64]
    first_kind: NDArray[np.int64]
    """1 (Monday) to 7 (Sunday), 8 for a holiday."""
    end_kind: NDArray[np.int64]
    price: Floats
    """Money per kWh."""
    path: str
    """What errors call them."""
    holidays: Calendar = frozenset()

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(freeze(state))

    def on(self, timeline: Timeline, time_zone: str | None) -> tuple[Floats, Floats]:
        """Import prices (0) and export prices of every step of a horizon, by a zone's clock.

        Raises
        ------
        InputError
            For a step that no row, or more than one, prices.
        """
        clock = timeline.clock(time_zone)
        years = int(clock.year.min()), int(clock.year.max())
        named = days_in([("", self.holidays)], *years)[""]
        days = [day.toordinal() - EPOCH_ORDINAL for day in named]
        kind = np.where(np.isin(clock.day_number, days), 8, clock.weekday + 1)
        prices = np.zeros(timeline.steps)
        number = np.zeros(timeline.steps, np.int64)
        reached = (self.end_day > clock.day_number.min()) & (
            self.first_day <= clock.day_number.max()
        )
        for row in np.flatnonzero(reached):
            low, high = np.searchsorted(
                clock.day_number, [self.first_day[row], self.end_day[row]]
            ).tolist()
            second, own = clock.second_of_day[low:high], kind[low:high]
            inside = (second >= self.first_second[row]) & (second < self.end_second[row])
            inside &= (own >= self.first_kind[row]) & (own < self.end_kind[row])
            prices[low:high] += self.price[row] * inside
            number[low:high] += inside
        if (number != 1).any():
            step = int(np.argmax(number != 1))
            found = f"{number[step]} rows price" if number[step] else "no row prices"
            instant = timeline.instant(step).isoformat()
            raise InputError.at(self.path, f"{found} an export at {instant}")
        return np.zeros(timeline.steps), prices


def is_export_rates(path: Path) -> bool:
    """Whether a file is a CSV with the columns of export rates."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            header = file.readline()
    except OSError:
        return False
    return path.suffix.lower() == ".csv" and set(_COLUMNS) <= set(header.strip().split(","))


def load_export_rates(
    path: str | Path, *, holidays: Collection[date | str] | str | NamedCalendar = ()
) -> ExportRates:
    """The export rates in a CSV.

    ``holidays`` are the days of kind 8: dates, or a calendar by its name ("NERC", "US").

    Raises
    ------
    InputError
        Naming the line and what would be valid.
    """
    place = str(path)
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError.at(place, f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InputError.at(place, f"is not UTF-8 text (byte {error.start})") from None
    days = calendar_of(holidays, "holidays")
    lines = csv.DictReader(io.StringIO(text))
    absent = [name for name in _COLUMNS if name not in (lines.fieldnames or ())]
    if absent:
        raise InputError.at(f"{place}: header", f"must name {', '.join(absent)}")
    rows = []
    for row in lines:
        line = f"{place}: line {lines.line_num}"
        if row.get("Unit", "$/kWh") != "$/kWh":
            raise InputError.at(f"{line}, Unit", "must be $/kWh", row["Unit"])
        rows.append(_row(row, line))
    if not rows:
        raise InputError.at(place, "has no prices below its header")
    columns = list(zip(*rows, strict=True))
    whole = [np.array(column, np.int64) for column in columns[:6]]
    price = np.array(columns[6], np.float64)
    for array in (*whole, price):
        array.setflags(write=False)
    return ExportRates(
        first_day=whole[0],
        end_day=whole[1],
        first_second=whole[2],
        end_second=whole[3],
        first_kind=whole[4],
        end_kind=whole[5],
        price=price,
        path=place,
        holidays=days,
    )


def _row(row: dict[str, str], line: str) -> tuple[float, ...]:
    def cell(name: str, read: Callable[[str], float], valid: str) -> float:
        try:
            return read(row[name])
        except (TypeError, ValueError):
            raise InputError.at(f"{line}, {name}", f"must be {valid}", row[name]) from None

    first, last = (cell(name, _day, "a date such as 2025-07-04") for name in _COLUMNS[:2])
    begin, end = (cell(name, _second, "a time such as 16:00:00") for name in _COLUMNS[2:4])
    kinds = [cell(name, _kind, "a kind of day from 1 to 8") for name in _COLUMNS[4:6]]
    price = cell("Value", float, "a price")
    if not abs(price) < 1e9:
        raise InputError.at(f"{line}, Value", "must be a price", row["Value"])
    for low, high, name in ((first, last, "DateEnd"), (kinds[0], kinds[1], "DayTypeEnd")):
        if high < low:
            start = name.replace("End", "Start")
            raise InputError.at(f"{line}, {name}", f"must not be before {start}", row[name])
    return first, last + 1, begin, end + 1, kinds[0], kinds[1] + 1, price


def _day(text: str) -> int:
    return date.fromisoformat(text).toordinal() - EPOCH_ORDINAL


def _second(text: str) -> int:
    moment = time.fromisoformat(text)
    return 3600 * moment.hour + 60 * moment.minute + moment.second


def _kind(text: str) -> int:
    kind = int(text)
    if not 1 <= kind <= 8:
        raise ValueError
    return kind
