"""The clock that a pandas Series brings: start, step and zone, from its index."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np

from bess.errors import InputError

__all__ = ["IndexClock", "common_clock"]

_PER_SECOND: Final = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


@dataclass(frozen=True)
class IndexClock:
    """When a series starts and how it goes on; ``path`` is the index, as the caller wrote it."""

    path: str
    start: datetime
    step_seconds: int
    time_zone: str | None
    """The IANA name of the index's zone; None for a fixed offset."""


def common_clock(given: Mapping[str, Any], time_zone: str | None) -> IndexClock | None:
    """The clock of every pandas Series among ``given``; None if none has time stamps.

    Raises
    ------
    InputError
        Where an index is naive or not regular, where two differ in start or step, or where the zone
        of one has no IANA name and ``time_zone`` is not given.
    """
    first: IndexClock | None = None
    for name, values in given.items():
        index = _time_index(values)
        if index is None:
            continue
        clock = _clock(index, f"{name}.index", time_zone)
        if first is None:
            first = clock
        elif clock.start.timestamp() != first.start.timestamp():
            raise InputError.at(
                clock.path,
                f"must start where {first.path} starts, at {first.start.isoformat()}",
                clock.start.isoformat(),
            )
        elif clock.step_seconds != first.step_seconds:
            raise InputError.at(
                clock.path,
                f"must have the step of {first.path}, {first.step_seconds} s",
                f"{clock.step_seconds} s",
            )
    return first


def _time_index(values: Any) -> Any:
    """The index of a pandas object where it holds time stamps, else None."""
    pandas = sys.modules.get("pandas")
    if pandas is None or not isinstance(values, (pandas.Series, pandas.DataFrame)):
        return None
    return values.index if isinstance(values.index, pandas.DatetimeIndex) else None


def _clock(index: Any, path: str, time_zone: str | None) -> IndexClock:
    if index.tz is None:
        raise InputError.at(path, "must be aware of its time zone: use tz_localize")
    if len(index) < 2:
        raise InputError.at(path, "must have at least two time stamps, or give a plain array")
    if index.hasnans:
        raise InputError.at(f"{path}[{int(np.argmax(index.isna()))}]", "must be a time stamp", None)
    gaps = np.diff(index.asi8)
    wrong = (gaps != gaps[0]) | (gaps <= 0)
    if wrong.any():
        at = int(np.argmax(wrong)) + 1
        raise InputError.at(
            f"{path}[{at}]",
            "must follow the one before at the same step as the others",
            index[at].isoformat(),
        )
    per_second = _PER_SECOND[index.unit]
    if gaps[0] % per_second:
        raise InputError.at(path, "must have steps of whole seconds", f"{gaps[0]} {index.unit}")
    # What ZoneInfo calls its key, pytz calls its zone.
    zone = getattr(index.tz, "key", None) or getattr(index.tz, "zone", None)
    if zone is None and time_zone is None and index.tz.utcoffset(None) is None:
        raise InputError.at(path, "has a time zone without an IANA name: give time_zone", index.tz)
    return IndexClock(path, index[0].to_pydatetime(), int(gaps[0] // per_second), zone)
