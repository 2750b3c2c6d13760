"""Utilities' usage tables: interval exports and bills, under whatever stands above their titles.

Some lines of account data come first; a line of titles; rows; and maybe more of the same, a block a
day or one for each direction. Columns are known by what their titles mention.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bess.errors import InputError
from bess.profile.reading import unit_in
from bess.profile.stamps import is_date, is_stamp, is_time

__all__ = ["UsageRow", "is_usage_table", "usage_rows"]

_START: Final = (
    *("start", "from", "time period", "date", "day", "month"),
    *("datetime", "timestamp", "time"),
)
_END: Final = ("end", "to")
_ENDS: Final = ("read", "reading", "bill", "billing", "invoice", "end", "ending", "through")
_IMPORT: Final = ("import", "delivered", "consumption", "usage", "kwh", "energy", "load")
_TO_THE_GRID: Final = ("export", "exports", "exported", "received", "reverse")
_EXPORT: Final = (*_TO_THE_GRID, "generation")
_NOT_ENERGY: Final = ("cost", "charge", "price", "amount", "note", "quality", "net", "units", "uom")
_FUEL: Final = re.compile(r"\b(gas|water|therms?|ccf)\b", re.IGNORECASE)
_AMOUNT: Final = re.compile(r"[-\d.,$]+")
_LEAST_CELLS: Final = 2


@dataclass(frozen=True)
class UsageRow:
    """One reading as it is written: when, how much and where it stands."""

    start: str
    """A date, or a date and time."""
    end: str | None
    cell: str
    """The energy; empty where it is missing."""
    unit: str
    export: bool
    """Whether the energy went into the grid."""
    place: str
    days: str = ""
    """How many days the period has, if that is written."""
    is_end: bool = False
    """Whether ``start`` is the day on which the period ends: a meter's or a bill's date."""


@dataclass
class _Columns:
    """Which column of a block holds what."""

    date: int
    time: int | None = None
    end: int | None = None
    end_time: int | None = None
    imports: int | None = None
    exports: int | None = None
    units: int | None = None
    kind: int | None = None
    days: int | None = None
    dates_are_ends: bool = False
    titles: list[str] = field(default_factory=list)


def is_usage_table(path: Path) -> bool:
    """Whether a CSV file has something above its titles, a column of exports, or bills with the day
    on which each ends: what a plain table of one line of titles and time stamps has not."""
    try:
        text = path.read_bytes().decode("utf-8-sig", errors="replace")
    except OSError:
        return False
    columns: _Columns | None = None
    for position, (_, cells) in enumerate(_lines(text[:20_000])):
        if columns is not None:
            return is_date(_cell(cells, columns.date))
        columns = _columns(cells)
        if columns is not None:
            if position > 0 or _mentions(_cell(cells, columns.exports).lower(), _TO_THE_GRID):
                return True
            if columns.end is None and columns.days is None and not columns.dates_are_ends:
                return False
    return False


def usage_rows(path: Path, name: str) -> tuple[list[UsageRow], list[str]]:
    """The electric readings of a utility's table, and notes on what was passed over.

    Raises
    ------
    InputError
        For a file that cannot be read, without a line of titles, or without rows.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError.at(name, f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InputError.at(name, f"is not UTF-8 text (byte {error.start})") from None
    found: list[UsageRow] = []
    columns: _Columns | None = None
    other_fuels = 0
    try:
        for line, cells in _lines(text):
            titles = _columns(cells)
            if titles is not None:
                columns = titles
            elif columns is not None and _is_row(cells, columns):
                if _FUEL.search(_cell(cells, columns.kind) + " " + _cell(cells, columns.units)):
                    other_fuels += 1
                    continue
                found += _row(cells, columns, f"{name} line {line}")
    except csv.Error as error:
        raise InputError.at(name, f"is not CSV: {error}") from None
    if columns is None:
        raise InputError.at(name, "has no line of titles with a date and an energy")
    if not found:
        raise InputError.at(name, "holds no electric readings")
    notes = [f"{name}: {other_fuels:,} rows of other fuels are left out"] if other_fuels else []
    return found, notes


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each line's number and its cells, empty lines left out."""
    sample = text[:5_000]
    delimiter = max(",;\t", key=sample.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    for row in reader:
        cells = [cell.replace("\xa0", " ").strip().strip('"') for cell in row]
        if any(cells):
            yield reader.line_num, cells


def _columns(cells: list[str]) -> _Columns | None:
    """The columns by their titles, if the cells are titles."""
    if len(cells) < _LEAST_CELLS or any(is_stamp(c) or _AMOUNT.fullmatch(c) for c in cells):
        return None
    lower = [cell.lower() for cell in cells]
    times = [i for i, title in enumerate(lower) if re.search(r"\btime\b(?! period)", title)]
    energies = [
        i
        for i, title in enumerate(lower)
        if i not in times and not _mentions(re.sub(r"\bnet\b.*kwh", "", title), _NOT_ENERGY)
    ]
    periods = [i for i in range(len(lower)) if "time period" in lower[i]]
    date = _first(lower, _START, [i for i in range(len(lower)) if i not in times])
    if date is None:
        date = _first(lower, _START, list(range(len(lower))))
    if date is None:
        return None
    values = [i for i in energies if i != date and i not in periods]
    export = _first(lower, _EXPORT, values)
    imports = _first(lower, _IMPORT, [i for i in values if i != export])
    if imports is None:
        return None
    found = _Columns(date, titles=cells, imports=imports, exports=export)
    if periods and _mentions(lower[periods[0]], ("received", "export", "generation")):
        found.imports, found.exports = None, imports
    rest = [i for i in range(len(lower)) if i not in (date, found.imports, found.exports)]
    found.end = _first(lower, _END, [i for i in rest if i not in times])
    starts = [i for i in times if i in rest and not _mentions(lower[i], _END)]
    ends = [i for i in times if i in rest and _mentions(lower[i], _END)]
    found.time = starts[0] if starts else None
    found.end_time = ends[0] if ends else None
    found.units = _first(lower, ("units", "uom", "unit"), rest)
    found.kind = _first(lower, ("type", "service"), rest)
    found.days = _first(lower, ("days",), rest)
    found.dates_are_ends = found.end is None and _mentions(lower[date], _ENDS)
    return found


def _first(titles: list[str], words: tuple[str, ...], among: list[int]) -> int | None:
    """The first column that mentions the first of the words that any mentions."""
    for word in words:
        for i in among:
            if _mentions(titles[i], (word,)):
                return i
    return None


def _mentions(title: str, words: tuple[str, ...]) -> bool:
    return any(re.search(rf"(?<![a-z]){re.escape(word)}(?![a-z])", title) for word in words)


def _is_row(cells: list[str], columns: _Columns) -> bool:
    first = _cell(cells, columns.date).split(" to ")[0].strip()
    return is_stamp(first)


def _cell(cells: list[str], index: int | None) -> str:
    return cells[index] if index is not None and index < len(cells) else ""


def _row(cells: list[str], columns: _Columns, place: str) -> Iterator[UsageRow]:
    start, _, until = _cell(cells, columns.date).partition(" to ")
    start = start.strip()
    end = until.strip() or _cell(cells, columns.end) or None
    time = _cell(cells, columns.time)
    if is_date(start) and is_time(time):
        start = f"{start} {time}"
        end = None
    for index, export in ((columns.imports, False), (columns.exports, True)):
        if index is None:
            continue
        title = columns.titles[index]
        unit = _cell(cells, columns.units) or unit_in(title) or "kWh"
        if "kilowatt-hour" in title.lower():
            unit = "kWh"
        text = _cell(cells, index).replace("$", "").replace(" ", "")
        days, is_end = _cell(cells, columns.days), columns.dates_are_ends
        yield UsageRow(start, end, text, unit, export, f"{place}, {title}", days, is_end)
