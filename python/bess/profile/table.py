"""Interval profiles in CSV: which column holds what, in which unit, and at which instants."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bess.errors import InputError
from bess.profile.reading import GAP, Profile, Role, energy_factor, undated_step, unit_in
from bess.profile.stamps import instants, is_date, is_stamp, is_time

__all__ = ["read_gapped_table", "read_table"]

_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "load": ("load", "consumption", "demand", "usage", "electric power"),
    "solar": ("solar", "pv", "photovoltaic", "generation", "production"),
}
_END = re.compile(r"(?<![a-z])end(s|ing)?(?![a-z])", re.IGNORECASE)


@dataclass(frozen=True)
class _Table:
    """The cells of a file: column titles, rows of one width, and the line each row ends on."""

    name: str
    titles: list[str]
    rows: list[list[str]]
    lines: list[int]

    def column(self, index: int) -> list[str]:
        return [row[index] for row in self.rows]

    def place(self, row: int, index: int) -> str:
        return f"{self.name} line {self.lines[row]}, {self.titles[index]}"


def read_table(path: Path, role: Role | None, time_zone: str | None, name: str) -> Profile:
    """The profile in a CSV file: see `bess.profile.read_profile`.

    The delimiter is a comma, a semicolon or a tab (numbers may have decimal commas in the latter
    two); lines that start with ``#`` are skipped; a title row may be absent. The column is picked
    by its title (``load``, ``consumption``, ``solar``, ``pv`` …), or because it alone holds
    numbers, or alone names a unit; without a unit, it is read as kWh.
    """
    table = _split(path, name)
    clock, cells, ends = _stamps(table)
    column = _pick(table, clock, role)
    values = _values(table, column)
    title = table.titles[column]
    unit = unit_in(title)
    if cells:
        start, step, how = instants(
            cells, lambda row: table.place(row, clock[0]), time_zone=time_zone, ends=ends
        )
    else:
        start = None
        step, how = undated_step(len(values))
    said = f"{title} read as {unit}" if unit else f"{title} names no unit: read as kWh"
    return Profile(
        values * energy_factor(unit or "kWh", step),
        start,
        step,
        name,
        notes=(f"{name}: {said}, {len(values):,} steps, {how}",),
    )


def read_gapped_table(
    path: Path, role: Role | None, time_zone: str | None, name: str
) -> tuple[list[str], list[str], list[str], bool, str]:
    """Of a CSV file in which readings may be missing: each row's stamp (none where there are no
    time stamps), its cell and its place, whether stamps mark ends, and the column's unit.

    The columns are those of the first row without an empty cell.
    """
    table = _split(path, name)
    full = next((i for i, row in enumerate(table.rows) if all(row)), 0)
    probe = _Table(name, table.titles, [table.rows[full]], [table.lines[full]])
    found, stamped, ends = _clock(probe)
    column = _pick(probe, found, role)
    columns = [table.column(i) for i in stamped]
    stamps = [" ".join(cells) for cells in zip(*columns, strict=True)]
    places = [table.place(row, column) for row in range(len(table.rows))]
    unit = unit_in(table.titles[column]) or "kWh"
    return stamps, table.column(column), places, ends, unit


def _split(path: Path, name: str) -> _Table:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError.at(name, f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InputError.at(name, f"is not UTF-8 text (byte {error.start})") from None
    first = next((line for line in text.splitlines() if line.strip() and line[0] != "#"), "")
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows, lines = [], []
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells) and not cells[0].startswith("#"):
                rows.append(cells)
                lines.append(reader.line_num)
    except csv.Error as error:
        raise InputError.at(f"{name} line {reader.line_num}", f"is not CSV: {error}") from None
    if not rows:
        raise InputError.at(name, "holds no readings")
    titles = [f"column {i + 1}" for i in range(len(rows[0]))]
    if not any(_is_number(cell) or is_stamp(cell) for cell in rows[0]):
        titles = [cell or titles[i] for i, cell in enumerate(rows[0])]
        del rows[0], lines[0]
    if not rows:
        raise InputError.at(name, "holds titles but no readings")
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(titles):
            expected = f"has {len(row)} cells where the first row has {len(titles)}"
            raise InputError.at(f"{name} line {line}", expected)
    if delimiter != ",":
        rows = [[re.sub(r"^(-?\d+),(\d+)$", r"\1.\2", cell) for cell in row] for row in rows]
    return _Table(name, titles, rows, lines)


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True


def _stamps(table: _Table) -> tuple[list[int], list[str], bool]:
    """The columns that hold time, each row's time stamp, and whether it marks the step's end."""
    found, stamped, ends = _clock(table)
    if not stamped:
        return found, [], False
    columns = [table.column(i) for i in stamped]
    return found, [" ".join(cells) for cells in zip(*columns, strict=True)], ends


def _clock(table: _Table) -> tuple[list[int], list[int], bool]:
    """The columns that hold time, those that make the stamp, and whether it marks an end."""
    cells = table.rows[0]
    found = [i for i, cell in enumerate(cells) if is_stamp(cell) or is_time(cell)]
    dates = [i for i in found if is_stamp(cells[i])]
    if not dates:
        return found, [], False
    date = next((i for i in dates if not _END.search(table.titles[i])), dates[0])
    stamped = [date]
    times = [i for i in found if is_time(cells[i])]
    if is_date(cells[date]) and times:
        stamped.append(next((i for i in times if not _END.search(table.titles[i])), times[0]))
    ends = _END.search(table.titles[stamped[-1]]) is not None
    found.sort(key=lambda i: i != date)
    return found, stamped, ends


def _pick(table: _Table, clock: list[int], role: Role | None) -> int:
    cells = table.rows[0]
    values = [i for i, cell in enumerate(cells) if i not in clock and _is_number(cell)]
    if not values:
        first = next((i for i in range(len(cells)) if i not in clock), None)
        if first is None:
            raise InputError.at(table.name, "holds time stamps but no readings")
        why = GAP if not cells[first] else "must be a number"
        raise InputError.at(table.place(0, first), why, cells[first])
    roles = {
        i: [r for r, words in _WORDS.items() if _mentions(table.titles[i], words)] for i in values
    }
    mine = [i for i in values if role in roles[i]]
    if role and not mine:
        free = [i for i in values if not roles[i]]
        united = [i for i in free if unit_in(table.titles[i])]
        mine = free if len(free) == 1 else united
    elif not role:
        mine = values
    if len(mine) == 1:
        return mine[0]
    titles = ", ".join(table.titles[i] for i in mine or values)
    wanted = f"of {role}" if role else "to read"
    if mine:
        raise InputError.at(table.name, f"has several columns {wanted}: {titles}; leave one")
    words = ", ".join(_WORDS[role or "load"])
    raise InputError.at(
        table.name, f"has no column {wanted} (a title with one of: {words}); it has {titles}"
    )


def _mentions(title: str, words: tuple[str, ...]) -> bool:
    lower = title.lower()
    return any(re.search(rf"(?<![a-z]){word}", lower) for word in words)


def _values(table: _Table, column: int) -> NDArray[np.float64]:
    cells = table.column(column)
    try:
        values = np.array(cells, dtype=np.float64)
    except ValueError:
        row = next(i for i, cell in enumerate(cells) if not _is_float(cell))
        why = GAP if not cells[row] else "must be a number"
        raise InputError.at(table.place(row, column), why, cells[row]) from None
    wrong = ~(values >= 0) | np.isinf(values)
    if wrong.any():
        row = int(np.argmax(wrong))
        why = GAP if np.isnan(values[row]) else "must be a finite number ≥ 0"
        raise InputError.at(table.place(row, column), why, cells[row])
    return values


def _is_float(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
