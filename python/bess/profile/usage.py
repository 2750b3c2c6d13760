"""Dated rows of energy, of any utility's table, as bills or as a series that may have gaps."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bess.errors import InputError
from bess.profile.lengths import lengths_of
from bess.profile.local_times import instants_of
from bess.profile.reading import energy_factor, usual_step
from bess.profile.readings import MOST_ENERGY, Bills, GappedSeries, bill_instant, series_of
from bess.profile.stamps import is_date, moments_of
from bess.profile.usage_table import UsageRow, usage_rows
from bess.timeline import zone

__all__ = ["read_usage", "usage_of"]

Floats = NDArray[np.float64]
Place = Callable[[int], str]

DAY: Final = 86_400
_THOUSANDS: Final = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?")


def read_usage(path: Path, time_zone: str | None, name: str) -> Bills | GappedSeries:
    """The readings of a utility's CSV export: see `usage_of`."""
    rows, notes = usage_rows(path, name)
    return usage_of(rows, time_zone, name, notes)


def usage_of(
    rows: list[UsageRow], time_zone: str | None, name: str, notes: list[str]
) -> Bills | GappedSeries:
    """Bills, where the rows are of days and longer; else a series.

    A negative energy is an export, as meters of net energy write it; in a bill it is refused.

    Raises
    ------
    InputError
        Naming the line, the value, and what would be valid.
    """
    imports = [row for row in rows if not row.export]
    exports = [row for row in rows if row.export]
    if not imports:
        raise InputError.at(name, "holds energy received from the site alone, none delivered to it")
    if is_date(imports[0].start):
        return _bills(imports, exports, time_zone, name, notes)
    return _series(imports, exports, time_zone, name, notes)


def _series(
    imports: list[UsageRow],
    exports: list[UsageRow],
    time_zone: str | None,
    name: str,
    notes: list[str],
) -> GappedSeries:
    starts, how = _starts(imports, time_zone)
    known = starts >= 0
    tzinfo = UTC if time_zone is None else zone(time_zone)
    if known.sum() < 2:
        why = "is a single reading: its step cannot be known; give two"
        raise InputError.at(imports[0].place, why)
    last = imports[-1].place
    step = usual_step(np.sort(starts[known]), lambda _: last)
    lengths = np.full(len(starts), step, np.int64)
    order = np.flatnonzero(known)[np.argsort(starts[known], kind="stable")]
    lengths[order] = lengths_of(starts[order], step)
    values = _values(imports, lengths)[known]
    export = np.where(values < 0, -values, 0.0)
    places = [row.place for row, is_known in zip(imports, known, strict=True) if is_known]
    if exports:
        times, _ = _starts(exports, time_zone)
        at = np.minimum(np.searchsorted(starts[order], times), len(order) - 1)
        back = _values(exports, lengths[order][at])
        if (back < 0).any():
            row = int(np.argmax(back < 0))
            raise InputError.at(exports[row].place, "must be ≥ 0", exports[row].cell)
        order = np.argsort(starts[known], kind="stable")
        sorted_starts = starts[known][order]
        position = np.minimum(np.searchsorted(sorted_starts, times), len(order) - 1)
        same = sorted_starts[position] == times
        np.add.at(export, order[position[same]], np.nan_to_num(back[same]))
    kinds = " and ".join(f"{length / 60:g}" for length in np.unique(lengths[known]))
    said = f"{name}: {int(known.sum()):,} readings of {kinds} min, {how}"
    return series_of(
        starts[known],
        np.maximum(values, 0.0),
        lambda row: places[row],
        lengths=lengths[known],
        name=name,
        tzinfo=tzinfo,
        notes=(said, *notes),
        export=export,
    )


def _starts(rows: list[UsageRow], time_zone: str | None) -> tuple[NDArray[np.int64], str]:
    """Instants of rows; -1 for one in the hour that spring skips and that says nothing."""
    cells = [row.start for row in rows]
    starts, absent, how = instants_of(cells, lambda i: rows[i].place, time_zone)
    for i in np.flatnonzero(absent):
        if rows[i].cell and rows[i].cell.strip("0.") != "":
            why = f"{time_zone} skips it when it sets its clock forward"
            raise InputError.at(rows[i].place, f"does not exist: {why}", rows[i].start)
    return np.where(absent, -1, starts), how


def _values(rows: list[UsageRow], lengths: NDArray[np.int64]) -> Floats:
    """kWh of rows, each of a length in seconds; NaN for an empty cell."""
    values = np.empty(len(rows))
    factors: dict[tuple[str, int], float] = {}
    for i, (row, length) in enumerate(zip(rows, lengths.tolist(), strict=True)):
        key = row.unit, length
        if key not in factors:
            try:
                factors[key] = energy_factor(row.unit, length)
            except InputError as error:
                raise InputError.at(row.place, error.problems[0].reason, row.unit) from None
        values[i] = number_in(row) * factors[key]
    return values


def number_in(row: UsageRow) -> float:
    """The number a cell spells, NaN for none."""
    text = row.cell
    if text.lower() in ("", "nan", "n/a", "na", "-", "null"):
        return float("nan")
    if _THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    elif re.fullmatch(r"-?\d+,\d+", text):
        text = text.replace(",", ".")
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not abs(value) <= MOST_ENERGY:
        raise InputError.at(row.place, "must be a finite number", row.cell)
    return value


def _bills(
    imports: list[UsageRow],
    exports: list[UsageRow],
    time_zone: str | None,
    name: str,
    notes: list[str],
) -> Bills:
    starts = _days([row.start for row in imports], imports)
    if all(row.days for row in imports):
        starts, ends, how = _counted(starts, imports)
    elif imports[0].is_end:
        imports, starts, ends = _preceding(imports, starts)
        how = "each from the day on which another ends; the first of all is left out"
    elif all(row.end is not None for row in imports):
        ends = _days([row.end or "" for row in imports], imports)
        ends, how = _exclusive(starts, ends)
    else:
        ends, how = _following(starts, imports)
    values = _values(imports, np.full(len(imports), DAY))
    for i, row in enumerate(imports):
        if not row.unit.lower().endswith("h"):
            raise InputError.at(row.place, "must be kWh, Wh or MWh: a bill has energy", row.unit)
        if not values[i] >= 0:
            why = "must be the energy delivered, ≥ 0; leave out a bill that is not known"
            raise InputError.at(row.place, why, row.cell)
    export = float(np.nansum(_values(exports, np.full(len(exports), DAY)))) if exports else 0.0
    places = [row.place for row in imports]

    def instants(days: list[date]) -> NDArray[np.int64]:
        return np.array(
            [bill_instant(day, at, time_zone) for day, at in zip(days, places, strict=True)],
            np.int64,
        )

    return Bills(
        instants(starts),
        instants(ends),
        values,
        tuple(places),
        name,
        notes=(f"{name}: {len(imports)} bills, {how}", *notes),
        export_kwh=max(export, 0.0),
    )


def _counted(days: list[date], rows: list[UsageRow]) -> tuple[list[date], list[date], str]:
    """Periods of a day, which starts or ends them, and of how many days they have."""
    lengths = []
    for row in rows:
        if not re.fullmatch(r"\d{1,3}", row.days) or not 1 <= int(row.days) <= 366:
            raise InputError.at(row.place, "must have from 1 to 366 days", row.days)
        lengths.append(timedelta(days=int(row.days)))
    if rows[0].is_end:
        return [d - n for d, n in zip(days, lengths, strict=True)], days, "up to its date each"
    return days, [d + n for d, n in zip(days, lengths, strict=True)], "from its date each"


def _preceding(
    rows: list[UsageRow], ends: list[date]
) -> tuple[list[UsageRow], list[date], list[date]]:
    """Periods of which only the days on which they end are written, but for the first."""
    order = sorted(range(len(rows)), key=lambda i: ends[i])
    if len(order) < 2:
        why = "is the day on which a period ends: give the day on which it starts, or its days"
        raise InputError.at(rows[0].place, why, rows[0].start)
    days = [ends[i] for i in order]
    return [rows[i] for i in order[1:]], days[:-1], days[1:]


def _at(rows: list[UsageRow]) -> Place:
    return lambda i: rows[i].place


def _days(cells: list[str], rows: list[UsageRow]) -> list[date]:
    days = [moment.date() for moment in moments_of(cells, _at(rows))]
    for day, row in zip(days, rows, strict=True):
        if not 1900 <= day.year < 2200:
            raise InputError.at(row.place, "must lie in the years 1900 to 2199", day.isoformat())
    return days


def _exclusive(starts: list[date], ends: list[date]) -> tuple[list[date], str]:
    """Ends that are no longer in their period, and how they were told.

    Where bills mostly follow the day after another's end, or all cover whole months, the last day
    is in the period.
    """
    day = timedelta(days=1)
    begun = set(starts)
    touching = sum(end in begun for end in ends)
    apart = sum(end + day in begun for end in ends)
    whole = all(s.day == 1 and (e + day).day == 1 for s, e in zip(starts, ends, strict=True))
    same = any(s == e for s, e in zip(starts, ends, strict=True))
    if apart > touching or whole or same:
        return [end + day for end in ends], "the last day of each is in its period"
    return ends, "the day on which each ends is no longer in its period"


def _following(starts: list[date], rows: list[UsageRow]) -> tuple[list[date], str]:
    """Ends of periods of which only the first days are written."""
    order = sorted(range(len(starts)), key=lambda i: starts[i])
    if len(starts) < 2:
        why = "is a single day without an end: give the period's first and last day"
        raise InputError.at(rows[0].place, why, rows[0].start)
    days = [starts[i] for i in order]
    lengths = [(b - a).days for a, b in pairwise(days)]
    if 0 in lengths:
        row = order[lengths.index(0) + 1]
        raise InputError.at(rows[row].place, "is a day given twice", rows[row].start)
    usual = min(lengths)
    ends = list(starts)
    monthly = 28 <= usual <= 31
    for k, i in enumerate(order):
        last = _next_month(days[k]) if monthly else days[k] + timedelta(days=max(usual, 1))
        ends[i] = min(days[k + 1], last) if k + 1 < len(days) else last
    return ends, f"each up to the next, or {'a month' if monthly else f'{usual} days'} long"


def _next_month(day: date) -> date:
    year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    for number in (day.day, 30, 29, 28):
        try:
            return day.replace(year=year, month=month, day=number)
        except ValueError:
            continue
    return day + timedelta(days=31)
