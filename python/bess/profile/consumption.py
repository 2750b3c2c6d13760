"""Reading a consumption of any kind: a whole interval profile, one with gaps, or bills."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bess._json import read_json
from bess.errors import InputError
from bess.profile.document import read_gapped_document
from bess.profile.green_button import read_green_button
from bess.profile.reading import GAP, LATER, Profile, numbers, read_profile, undated_step
from bess.profile.readings import MOST_ENERGY, Bills, GappedSeries, bills_of, series_of
from bess.profile.stamps import is_date
from bess.profile.table import read_gapped_table
from bess.profile.usage import read_usage, usage_of
from bess.profile.usage_table import UsageRow, is_usage_table

__all__ = ["read_consumption"]

Floats = NDArray[np.float64]

DAY: Final = 86_400


def read_consumption(
    source: Any, *, time_zone: str | None = None, name: str | None = None
) -> Profile | GappedSeries | Bills:
    """What `bess.read_profile` takes, and what it refuses for gaps or for being bills.

    Also Green Button files (``.xml``), utilities' CSV exports, and bills as a list: mappings or
    triples of start, end and kWh (see `bess.profile.readings.bills_of`).

    Raises
    ------
    InputError
        As `bess.read_profile`.
    """
    if isinstance(source, (Profile, GappedSeries, Bills)):
        return source
    if isinstance(source, (str, Path)):
        return _of_file(Path(source), time_zone, name)
    label = name or "profile"
    if isinstance(source, Mapping):
        return _of_document(source, time_zone, label)
    if isinstance(source, (list, tuple)) and source and isinstance(source[0], (Mapping, *_PAIRS)):
        return bills_of(source, time_zone, name or "bills")
    try:
        return read_profile(source, role="load", time_zone=time_zone, name=label)
    except InputError as error:
        if not _needs_more(error):
            raise
    if hasattr(source, "index") and hasattr(source, "to_numpy"):
        return _of_pandas(source, label)
    if isinstance(source, (np.ndarray, Sequence)):
        energy = _with_gaps(source, label)
        step, how = undated_step(len(energy))
        return GappedSeries(energy, None, step, label, notes=(f"{label}: {how}",))
    raise AssertionError("read_profile refuses whatever else there is")


_PAIRS: Final = (list, tuple)


def _needs_more(error: InputError) -> bool:
    """Whether a profile was refused for what baselining can make good."""
    return any(LATER in problem.reason for problem in error.problems)


def _of_file(path: Path, time_zone: str | None, name: str | None) -> Profile | GappedSeries | Bills:
    label = name or path.name
    if path.suffix.lower() == ".xml":
        return _whole(read_green_button(path, time_zone, label))
    if path.suffix.lower() == ".json":
        return _of_document(read_json(path), time_zone, name or str(path))
    if is_usage_table(path):
        return _whole(read_usage(path, time_zone, label))
    refused: InputError | None = None
    try:
        profile = read_profile(path, role="load", time_zone=time_zone, name=label)
        if profile.step_seconds < DAY or profile.start is None:
            return profile
    except InputError as error:
        refused = error
    stamps, cells, places, ends, unit = read_gapped_table(path, "load", time_zone, label)
    if refused is not None and not (_needs_more(refused) or (stamps and is_date(stamps[0]))):
        raise refused
    if not stamps:
        energy = np.array([_cell(cell, place) for cell, place in zip(cells, places, strict=True)])
        step, how = undated_step(len(energy))
        return GappedSeries(energy, None, step, label, notes=(f"{label}: {how}",))
    rows = [
        UsageRow(stamp, None, cell, unit, False, place)
        for stamp, cell, place in zip(stamps, cells, places, strict=True)
    ]
    found = usage_of(rows, time_zone, label, [])
    if isinstance(found, GappedSeries) and ends and found.start is not None:
        start = datetime.fromtimestamp(
            found.start.timestamp() - found.step_seconds, found.start.tzinfo
        )
        notes = (*found.notes, f"{label}: stamps mark the end of each step")
        found = GappedSeries(found.energy_kwh, start, found.step_seconds, label, notes=notes)
    return _refused_below_zero(found, rows)


def _refused_below_zero(
    found: Bills | GappedSeries, rows: list[UsageRow]
) -> Profile | GappedSeries | Bills:
    """A table of no utility's kind has no exports: a negative cell is a mistake."""
    if isinstance(found, GappedSeries) and found.export_kwh is not None:
        row = next(row for row in rows if row.cell.startswith("-"))
        raise InputError.at(row.place, "must be a finite number ≥ 0", row.cell)
    return _whole(found)


def _whole(found: Bills | GappedSeries) -> Profile | GappedSeries | Bills:
    profile = found.profile() if isinstance(found, GappedSeries) else None
    return found if profile is None else profile


def _cell(cell: str, place: str) -> float:
    if not cell or cell.lower() == "nan":
        return np.nan
    try:
        value = float(cell)
    except ValueError:
        raise InputError.at(place, "must be a number", cell) from None
    if not 0 <= value <= MOST_ENERGY:
        raise InputError.at(place, "must be a finite number ≥ 0", cell)
    return value


def _of_document(data: Any, time_zone: str | None, name: str) -> Profile | GappedSeries | Bills:
    try:
        return read_profile(data, role="load", time_zone=time_zone, name=name)
    except InputError as error:
        if not _needs_more(error):
            raise
    try:
        return _whole(read_gapped_document(data, time_zone, name))
    except InputError as error:
        raise error.under(name) if not error.problems[0].path.startswith(name) else error from None


def _with_gaps(values: Any, path: str) -> Floats:
    """Numbers ≥ 0, NaN (or None) where one is missing."""
    if not isinstance(values, np.ndarray):
        values = [np.nan if value is None else value for value in values]
    array = numbers(values, path)
    wrong = (array < 0) | np.isinf(array) | (array > MOST_ENERGY)
    if array.ndim != 1 or wrong.any():
        first = int(np.argmax(wrong))
        raise InputError.at(f"{path}[{first}]", "must be a finite number ≥ 0", float(array[first]))
    return array + 0.0


def _of_pandas(series: Any, name: str) -> GappedSeries:
    index = series.index
    seconds = np.asarray(index.tz_convert("UTC").tz_localize(None), dtype="datetime64[s]")
    starts = seconds.astype(np.int64)
    zone_name = getattr(index.tz, "key", None)
    return series_of(
        starts,
        _with_gaps(np.asarray(series.to_numpy(), np.float64), name),
        lambda row: f"{name}.index[{row}]",
        name=name,
        tzinfo=index.tz if zone_name else UTC,
        notes=(f"{name}: {len(starts):,} readings, {GAP.partition(':')[0]} ones among them",),
    )
