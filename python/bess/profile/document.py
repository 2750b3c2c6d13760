"""The profile JSON: a series from an instant, dated readings, or the hours of a typical year.

Fields that say nothing about the energies (names, accounts, sources) are not read; a field is
found in camel or snake case.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bess.errors import InputError, join_path
from bess.profile.lengths import LONGEST
from bess.profile.local_times import instants_of
from bess.profile.reading import LATER, Profile, energies, energy_factor, numbers, undated_step
from bess.profile.readings import Bills, GappedSeries, series_of
from bess.profile.stamps import instants, localised
from bess.timeline import parse_instant, zone

__all__ = ["read_document", "read_gapped_document"]

_SERIES: Final = ("dataSeries", "readingData", "baselineMeasures")
_YEARS: Final = (365 * 24, 366 * 24)
"""Readings of more than this are bills."""


def read_document(data: Mapping[str, Any], time_zone: str | None, name: str) -> Profile:
    """The profile in a JSON object: see `bess.profile.read_profile`."""
    try:
        fields = _Fields(data)
        given = [field for field in _SERIES if fields.holds(field)]
        if len(given) != 1:
            found = f"has {' and '.join(given)}" if given else "has no readings"
            raise InputError.at("", f"{found}: give one of {', '.join(_SERIES)}")
        exports = fields.path("exportDataSeries")
        if fields.holds("exportDataSeries") and fields.energies("exportDataSeries").any():
            raise InputError.at(
                exports,
                "has exports: a profile of consumption or solar gives one direction, in dataSeries",
            )
        own = fields.value("timeZone")
        clock = time_zone if own is None else zone(own, fields.path("timeZone")).key
        read = {"dataSeries": _series, "readingData": _readings, "baselineMeasures": _typical}
        return read[given[0]](fields, clock, name)
    except InputError as error:
        raise error.under(name) from None


class _Fields:
    """The fields of an object by their camel-case names, with the path the caller gave them."""

    def __init__(self, data: Any, prefix: str = "") -> None:
        if not isinstance(data, Mapping):
            raise InputError.at(prefix, "must be an object", data)
        self._keys = {str(key).replace("_", "").lower(): key for key in data}
        self._data = data
        self._prefix = prefix

    def path(self, *names: str) -> str:
        key = next((n for n in names if n.lower() in self._keys), names[0])
        return join_path(self._prefix, str(self._keys.get(key.lower(), key)))

    def value(self, *names: str) -> Any:
        key = next((self._keys[n.lower()] for n in names if n.lower() in self._keys), None)
        return self._data[key] if key is not None else None

    def holds(self, name: str) -> bool:
        value = self.value(name)
        return value is not None and not (hasattr(value, "__len__") and len(value) == 0)

    def energies(self, name: str) -> NDArray[np.float64]:
        values = self.value(name)
        if not isinstance(values, np.ndarray):
            values = self.items(name)
        return energies(values, self.path(name))

    def items(self, name: str) -> list[Any]:
        values = self.value(name)
        if not isinstance(values, (list, tuple)):
            raise InputError.at(self.path(name), "must be a list", values)
        return list(values)


def _series(fields: _Fields, clock: str | None, name: str) -> Profile:
    energy = fields.energies("dataSeries")
    step, how = _step(fields, len(energy))
    start = _start(fields, clock)
    factor, unit = _unit(fields.value("quantityUnit"), fields.path("quantityUnit"), step)
    when = f"from {start.isoformat()}" if start else how
    note = f"{name}: dataSeries read as {unit}, {len(energy):,} steps of {step / 60:g} min, {when}"
    return Profile(energy * factor, start, step, name, notes=(note,))


def _readings(fields: _Fields, clock: str | None, name: str) -> Profile:
    path = fields.path("readingData")
    rows = [_Fields(row, f"{path}[{i}]") for i, row in enumerate(fields.items("readingData"))]
    starts, ends = (
        [_text(row, *names) for row in rows]
        for names in (("fromDateTime", "from"), ("toDateTime", "to"))
    )
    value_names = ("quantityValue", "value")
    if len(rows) < 2:
        raise InputError.at(path, f"has a single reading: {LATER}")
    start, step, how = instants(
        starts, lambda i: rows[i].path("fromDateTime", "from"), time_zone=clock
    )
    first_end, end_step, _ = instants(
        ends, lambda i: rows[i].path("toDateTime", "to"), time_zone=clock
    )
    if end_step != step or (first_end - start).total_seconds() != step:
        why = f"must be {step} s after the reading's start, where the next one starts; {LATER}"
        raise InputError.at(rows[0].path("toDateTime", "to"), why, ends[0])
    units = [str(row.value("quantityUnit", "unit") or "kWh") for row in rows]
    other = next((i for i, unit in enumerate(units) if unit.lower() != units[0].lower()), None)
    if other is not None:
        why = f"must be one unit throughout ({units[0]} before it)"
        raise InputError.at(rows[other].path("quantityUnit", "unit"), why, units[other])
    factor, unit = _unit(units[0], rows[0].path("quantityUnit", "unit"), step)
    values = _values(
        [row.value(*value_names) for row in rows], lambda i: rows[i].path(*value_names)
    )
    note = f"{name}: readingData read as {unit}, {len(rows):,} readings, {how}"
    return Profile(values * factor, start, step, name, notes=(note,))


def _typical(fields: _Fields, clock: str | None, name: str) -> Profile:
    path = fields.path("baselineMeasures")
    rows = [_Fields(row, f"{path}[{i}]") for i, row in enumerate(fields.items("baselineMeasures"))]
    order = numbers([row.value("i") for row in rows], f"{path}.i")
    wrong = order != np.arange(1, len(rows) + 1)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError.at(
            rows[row].path("i"), f"must be {row + 1}: i counts from 1", rows[row].value("i")
        )
    if len(rows) not in _YEARS:
        raise InputError.at(path, f"must cover a year in hours, 8760 or 8784, not {len(rows)}")
    values = _values(
        [row.value("v", "value") for row in rows], lambda i: rows[i].path("v", "value")
    )
    factor, unit = _unit(fields.value("quantityUnit"), fields.path("quantityUnit"), 3600)
    start = _start(fields, clock)
    when = f"from {start.isoformat()}" if start else "a typical year from 1 January"
    note = f"{name}: baselineMeasures read as {unit}, {len(rows):,} hours, {when}"
    return Profile(values * factor, start, 3600, name, start is None, notes=(note,))


def _values(values: list[Any], place: Any) -> NDArray[np.float64]:
    try:
        return energies(values, "")
    except InputError as error:
        problem = error.problems[0]
        row = int(problem.path.strip("[]") or 0)
        raise InputError.at(place(row), problem.reason, problem.value) from None


def _text(row: _Fields, *names: str) -> str:
    value = row.value(*names)
    if value is None:
        raise InputError.at(row.path(*names), "is required")
    if not isinstance(value, str):
        raise InputError.at(row.path(*names), "must be an ISO 8601 date and time", value)
    return value


def _start(fields: _Fields, clock: str | None) -> datetime | None:
    if fields.value("fromDateTime") is None:
        return None
    text, path = _text(fields, "fromDateTime"), fields.path("fromDateTime")
    try:
        return parse_instant(text, path)
    except InputError:
        return localised(text, path, clock)


def _step(fields: _Fields, steps: int) -> tuple[int, str]:
    duration, path = fields.value("duration"), fields.path("duration")
    if duration is None:
        return undated_step(steps)
    milliseconds = float(numbers([duration], path)[0])
    if not (1000 <= milliseconds <= 366 * 86_400_000) or milliseconds % 1000:
        raise InputError.at(
            path, "must be the length of a step in milliseconds, whole seconds", duration
        )
    return int(milliseconds) // 1000, "starting with the request"


def _unit(unit: Any, path: str, step: int) -> tuple[float, str]:
    if unit is None:
        return energy_factor("kWh", step), "kWh (no quantityUnit)"
    if not isinstance(unit, str):
        raise InputError.at(path, "must be a string such as kWh", unit)
    try:
        return energy_factor(unit, step), unit
    except InputError as error:
        raise InputError.at(path, error.problems[0].reason, unit) from None


def read_gapped_document(
    data: Mapping[str, Any], time_zone: str | None, name: str
) -> GappedSeries | Bills:
    """A profile JSON with readings missing (null), or whose readings are bills."""
    fields = _Fields(data)
    own = fields.value("timeZone")
    clock = time_zone if own is None else zone(own, fields.path("timeZone")).key
    if fields.holds("readingData"):
        return _dated(fields, clock, name)
    return _undated(fields, clock, name)


def _undated(fields: _Fields, clock: str | None, name: str) -> GappedSeries:
    if fields.holds("baselineMeasures"):
        path = fields.path("baselineMeasures")
        raise InputError.at(path, "must be whole: a typical year has no gaps")
    path = fields.path("dataSeries")
    values = fields.value("dataSeries")
    values = values.tolist() if isinstance(values, np.ndarray) else fields.items("dataSeries")
    energy = numbers([np.nan if value is None else value for value in values], path)
    wrong = (energy < 0) | np.isinf(energy)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError.at(f"{path}[{row}]", "must be a finite number ≥ 0", values[row])
    step, how = _step(fields, len(energy))
    start = _start(fields, clock)
    factor, unit = _unit(fields.value("quantityUnit"), fields.path("quantityUnit"), step)
    note = f"{name}: dataSeries read as {unit}, {len(energy):,} steps of {step / 60:g} min, {how}"
    return GappedSeries(energy * factor, start, step, name, notes=(note,))


def _dated(fields: _Fields, clock: str | None, name: str) -> GappedSeries | Bills:
    path = fields.path("readingData")
    rows = [_Fields(row, f"{path}[{i}]") for i, row in enumerate(fields.items("readingData"))]
    starts, ends = (
        _instants(rows, names, clock) for names in (("fromDateTime", "from"), ("toDateTime", "to"))
    )
    places = [f"{name}.{path}[{i}]" for i in range(len(rows))]
    lengths = ends - starts
    if (lengths <= 0).any():
        raise InputError.at(places[int(np.argmax(lengths <= 0))], "must end after it starts")
    values = []
    for row in rows:
        value = row.value("quantityValue", "value")
        where = row.path("quantityValue", "value")
        values.append(np.nan if value is None else float(energies([value], where)[0]))
    factors = [
        _unit(row.value("quantityUnit", "unit"), row.path("quantityUnit", "unit"), int(length))[0]
        for row, length in zip(rows, lengths, strict=True)
    ]
    energy = np.array(values) * np.array(factors)
    common, counts = np.unique(lengths, return_counts=True)
    step = int(common[np.argmax(counts)])
    if step > LONGEST:
        said = f"{name}: readingData read as {len(rows)} bills"
        return Bills(starts, ends, energy, tuple(places), name, notes=(said,))
    other = np.flatnonzero(lengths.max() % lengths)
    if len(other):
        reason = f"must be as long as the others ({step} s), or an even part of the longest"
        raise InputError.at(places[other[0]], f"is {lengths[other[0]]} s long; {reason}")
    tz = UTC if clock is None else zone(clock)
    kinds = " and ".join(f"{length / 60:g}" for length in common)
    said = f"{name}: readingData read as {len(rows):,} readings of {kinds} min"
    return series_of(
        starts, energy, places.__getitem__, lengths=lengths, name=name, tzinfo=tz, notes=(said,)
    )


def _instants(rows: list[_Fields], names: tuple[str, str], clock: str | None) -> Any:
    def path(row: int) -> str:
        return rows[row].path(*names)

    cells = [_text(row, *names) for row in rows]
    found, absent, _ = instants_of(cells, path, clock)
    if absent.any():
        row = int(np.argmax(absent))
        why = f"does not exist: {clock} skips it when it sets its clock forward"
        raise InputError.at(path(row), why, cells[row])
    return found
