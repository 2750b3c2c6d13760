"""Reading an interval profile: a CSV file, a profile JSON, an array; and saying what it understood.

Readings are energies, or mean powers that become energies; the result is always kWh per step.
Time stamps mark the start of their step. A series without any starts where the request starts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from bess._json import read_json
from bess.errors import InputError
from bess.profile.lengths import lengths_of
from bess.timeline import parse_instant

__all__ = ["Profile", "Role", "read_profile"]

Role = Literal["load", "solar"]
FloatArray = NDArray[np.float64]

DAY: Final = 86_400
LATER: Final = "bess.baseline makes a step series of bills and of a series with gaps"
GAP: Final = f"is missing: {LATER}"
_NOT_AFTER: Final = "does not come after the reading before it"
_PER_KWH: Final = {"wh": 1e-3, "kwh": 1.0, "mwh": 1e3, "w": 1e-3, "kw": 1.0, "mw": 1e3}
_SPELLED: Final = {unit.lower(): unit for unit in ("Wh", "kWh", "MWh", "W", "kW", "MW")}
_STEPS_OF_A_YEAR: Final = (3600, 1800, 900, 300, 600, 1200, 60)


@dataclass(frozen=True, eq=False)
class Profile:
    """Energies of consecutive steps of one length.

    Parameters
    ----------
    energy_kwh
        kWh per step, shape (n,), finite and ≥ 0. Kept as a read-only array.
    start
        The aware instant at which the first step starts (a datetime or ISO 8601 text); None: where
        the request starts.
    step_seconds
        The length of a step.
    name
        What errors and notes call the profile.
    typical_year
        The series starts on 1 January of any year, local time; ``start`` is None.
    notes
        What its reader understood, a sentence each.

    Raises
    ------
    InputError
        For a series that is not one-dimensional, empty, or holds NaN, infinities or negatives.
    """

    energy_kwh: FloatArray
    start: datetime | None = None
    step_seconds: int = 3600
    name: str = "profile"
    typical_year: bool = False
    notes: tuple[str, ...] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        energy = energies(self.energy_kwh, self.name)
        energy.setflags(write=False)
        object.__setattr__(self, "energy_kwh", energy)
        if self.start is not None:
            object.__setattr__(self, "start", parse_instant(self.start, f"{self.name}.start"))
        step = self.step_seconds
        if isinstance(step, bool) or not isinstance(step, (int, np.integer)) or step < 1:
            raise InputError.at(f"{self.name}.step_seconds", "must be a whole number ≥ 1", step)
        object.__setattr__(self, "step_seconds", int(step))

    @property
    def steps(self) -> int:
        """The number of steps."""
        return len(self.energy_kwh)


def read_profile(
    source: Any, *, role: Role | None = None, time_zone: str | None = None, name: str | None = None
) -> Profile:
    """An interval profile from a CSV or JSON file, a profile JSON, an array or a pandas Series.

    Parameters
    ----------
    source
        A path; the object of a profile JSON (SPEC section 7: ``dataSeries``, ``readingData`` or
        ``baselineMeasures``); kWh per step as an array or list; a pandas Series with an aware,
        regular index; or a `Profile`, which is returned as it is.
    role
        "load" or "solar": which column to take where a file has several.
    time_zone
        The IANA zone in which time stamps without an offset are local times.
    name
        What errors and notes call it; by default the file's name.

    Raises
    ------
    InputError
        Naming the file, line and column (or the JSON path), the value, and what would be valid.
    """
    from bess.profile.document import read_document
    from bess.profile.table import read_table

    if isinstance(source, Profile):
        return source
    if isinstance(source, (str, Path)):
        path = Path(source)
        if path.suffix.lower() == ".xml":
            why = "is no interval profile: bess.baseline reads Green Button files"
            raise InputError.at(name or path.name, why)
        if path.suffix.lower() != ".json":
            return read_table(path, role, time_zone, name or path.name)
        return read_document(read_json(path), time_zone, name or str(path))
    label = name or "profile"
    if isinstance(source, Mapping):
        return read_document(source, time_zone, label)
    if hasattr(source, "index") and hasattr(source, "to_numpy"):
        return _from_pandas(source, label)
    if isinstance(source, (np.ndarray, Sequence)):
        energy = energies(source, label)
        step, how = undated_step(len(energy))
        return Profile(energy, None, step, label, notes=(f"{label}: {len(energy):,} kWh, {how}",))
    raise InputError.at(
        label, f"must be a profile, a path, a JSON object or numbers, not {type(source).__name__}"
    )


def energies(values: Any, path: str) -> FloatArray:
    """A copy of a series as finite float64 numbers ≥ 0, one-dimensional and not empty."""
    array = numbers(values, path)
    if array.ndim != 1 or array.size == 0:
        raise InputError.at(path, f"must be a series of one dimension, not shape {array.shape}")
    wrong = ~(array >= 0) | np.isinf(array)
    if wrong.any():
        first = int(np.argmax(wrong))
        value = float(array[first])
        if np.isnan(value):
            raise InputError.at(f"{path}[{first}]", GAP, value)
        raise InputError.at(f"{path}[{first}]", "must be a finite number ≥ 0", value)
    return array + 0.0  # turns -0.0 into 0.0


def numbers(values: Any, path: str) -> FloatArray:
    """Numbers, or their decimal spellings in strings, as a new float64 array."""
    if not isinstance(values, np.ndarray):
        if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
            raise InputError.at(path, "must be a series of numbers", values)
        values = list(values)
        kinds = set(map(type, values))
        if not kinds <= {int, float}:
            values = [_number(value, f"{path}[{i}]") for i, value in enumerate(values)]
    elif values.dtype.kind not in "fiu":
        raise InputError.at(path, f"must hold numbers, not {values.dtype}")
    try:
        return np.array(values, dtype=np.float64)
    except (OverflowError, ValueError):
        raise InputError.at(path, "must hold finite numbers") from None


def _number(value: Any, path: str) -> float:
    if value is None:
        raise InputError.at(path, GAP, value)
    if not isinstance(value, (bool, list, tuple, np.ndarray)):
        try:
            return float(value)
        except (TypeError, ValueError, OverflowError):
            pass
    raise InputError.at(path, "must be a number", value)


def energy_factor(unit: str, step_seconds: int) -> float:
    """What turns a reading in ``unit`` (energy, or mean power) into kWh of one step.

    >>> energy_factor("kW", 900)
    0.25
    """
    key = unit.strip().lower()
    if key not in _PER_KWH:
        raise InputError.at("unit", "must be kWh, Wh, MWh, kW, W or MW", unit)
    return _PER_KWH[key] * (1.0 if key.endswith("h") else step_seconds / 3600)


def unit_in(header: str) -> str | None:
    """The first unit of energy or power that a column's name mentions.

    >>> unit_in("Solar Generation [W/kW]"), unit_in("load_kwh"), unit_in("demand")
    ('W', 'kWh', None)
    """
    found = re.search(r"(?<![a-z])(mwh|kwh|wh|mw|kw|w)(?![a-z])", header, re.IGNORECASE)
    return _SPELLED[found[1].lower()] if found else None


def undated_step(steps: int) -> tuple[int, str]:
    """The step of a series without time stamps, in seconds, and why it is taken to be that.

    A series that fills a year of 365 or 366 days at a usual step has that step; another is hourly.

    >>> undated_step(35_040)[0], undated_step(8_784)[0], undated_step(24)[0]
    (900, 3600, 3600)
    """
    for seconds in _STEPS_OF_A_YEAR:
        if seconds * steps in (365 * DAY, 366 * DAY):
            days = seconds * steps // DAY
            return seconds, f"no time stamps: {days} days of {seconds // 60} min"
    return 3600, "no time stamps: taken as hourly"


def _from_pandas(series: Any, name: str) -> Profile:
    """A pandas Series of kWh whose index is aware and regular (looked at, never imported)."""
    index = series.index
    if getattr(index, "tz", None) is None:
        raise InputError.at(f"{name}.index", "must be a DatetimeIndex with a time zone")
    seconds = np.asarray(index.tz_convert("UTC").tz_localize(None), dtype="datetime64[s]")
    stamps = seconds.astype(np.int64)
    _, step = regular(stamps, lambda row: f"{name}.index[{row}]")
    moment = index[0].to_pydatetime()
    note = f"{name}: {len(stamps):,} steps of {step / 60:g} min from {moment.isoformat()}, kWh"
    return Profile(series.to_numpy(), moment, step, name, notes=(note,))


def usual_step(stamps: NDArray[np.int64], place: Any) -> int:
    """The commonest distance of readings from the one before, in seconds."""
    distances = np.diff(stamps)
    values, counts = np.unique(distances[distances > 0], return_counts=True)
    if not len(values):
        raise InputError.at(place(1), _NOT_AFTER)
    return int(values[np.argmax(counts)])


def regular(stamps: NDArray[np.int64], place: Any) -> tuple[int, int]:
    """Start and step, in seconds, of instants that follow each other at one distance."""
    if len(stamps) < 2:
        raise InputError.at(place(0), "is a single reading: its step cannot be known; give two")
    step = usual_step(stamps, place)
    distances = np.diff(stamps)
    if (distances != step).any():
        row = int(np.argmax(distances != step)) + 1
        distance = int(distances[row - 1])
        if distance < 1:
            raise InputError.at(place(row), _NOT_AFTER)
        why = f"comes {distance} s after the reading before it, where others come {step} s after"
        lengths = lengths_of(stamps, step)
        more = max(distance, step) > DAY or distance > step or (lengths != step).any()
        raise InputError.at(place(row), f"{why}: {LATER}" if more else why)
    return int(stamps[0]), step
