"""What a meter says where it is not a whole interval profile: bills, and series with gaps.

`bess.baseline` makes a step series of either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bess.errors import InputError
from bess.profile.lengths import lengths_of, put_together
from bess.profile.reading import Profile, usual_step
from bess.profile.stamps import localised
from bess.timeline import parse_instant

__all__ = ["Bills", "GappedSeries", "bill_instant", "bills_of", "series_of"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

DAY: Final = 86_400
LONGEST_BILL: Final = 366 * DAY
MOST_ENERGY: Final = 1e12
"""kWh: more in one reading is no site's."""
_START: Final = ("start", "from", "fromDateTime", "from_date_time")
_END: Final = ("end", "to", "toDateTime", "to_date_time")
_ENERGY: Final = ("energy_kwh", "energyKwh", "kwh", "value", "quantityValue", "quantity_value")


@dataclass(frozen=True, eq=False)
class Bills:
    """The energy of periods, each longer than a step: what bills say.

    The periods may be irregular, overlap and leave time out; they come in the order given.

    Raises
    ------
    InputError
        For a period that does not end after it starts or is longer than a year, and for an energy
        that is NaN, infinite or negative.
    """

    start_seconds: Integers
    """When each period starts, in seconds since 1970 UTC."""
    end_seconds: Integers
    """When it ends: that instant is no longer in it."""
    energy_kwh: Floats
    places: tuple[str, ...]
    """What to call each bill in an error."""
    name: str = "bills"
    notes: tuple[str, ...] = field(default=(), kw_only=True)
    export_kwh: float = field(default=0.0, kw_only=True)
    """Energy the meter counted in reverse over all the periods."""

    def __post_init__(self) -> None:
        if not len(self.energy_kwh):
            raise InputError.at(self.name, "must hold at least one bill")
        spans = zip(self.places, self.start_seconds, self.end_seconds, self.energy_kwh, strict=True)
        for place, start, end, energy in spans:
            if end <= start:
                raise InputError.at(place, "must end after it starts")
            if end - start > LONGEST_BILL:
                days = round((end - start) / DAY)
                raise InputError.at(place, f"covers {days} days: a bill is of at most a year")
            if not 0 <= energy <= MOST_ENERGY:
                raise InputError.at(place, "must be a finite energy ≥ 0", float(energy))


@dataclass(frozen=True, eq=False)
class GappedSeries:
    """Energies of consecutive steps of one length, NaN where the meter says nothing."""

    energy_kwh: Floats
    start: datetime | None
    """None: where the request starts."""
    step_seconds: int
    name: str = "series"
    notes: tuple[str, ...] = field(default=(), kw_only=True)
    export_kwh: Floats | None = field(default=None, kw_only=True)
    """What the meter counted in reverse, by step; NaN where nothing is known."""

    @property
    def steps(self) -> int:
        """The number of steps, gaps included."""
        return len(self.energy_kwh)

    def profile(self) -> Profile | None:
        """The series as a profile, if it has no gaps and no exports."""
        if np.isnan(self.energy_kwh).any() or self.export_kwh is not None:
            return None
        return Profile(self.energy_kwh, self.start, self.step_seconds, self.name, notes=self.notes)


def series_of(
    starts: Integers,
    energy: Floats,
    place: Callable[[int], str],
    *,
    step: int | None = None,
    lengths: Integers | None = None,
    name: str,
    tzinfo: Any,
    notes: tuple[str, ...] = (),
    export: Floats | None = None,
) -> GappedSeries:
    """Readings put in a row, with gaps where readings are missing.

    ``starts`` are instants in seconds, in any order; ``step`` is their length, or ``lengths`` has
    that of each; by default they are told from the starts. Readings of several lengths become
    steps of the longest (`bess.profile.lengths`). Raises `InputError` for two readings of one
    time, a reading off the others' steps, and a span of more than 20 years.
    """
    order = np.argsort(starts, kind="stable")
    sorted_starts = starts[order]
    if step is None and lengths is None:
        if len(starts) < 2:
            raise InputError.at(place(0), "is a single reading: its length cannot be known")
        usual = usual_step(sorted_starts, lambda row: place(int(order[row])))
        lengths = lengths_of(sorted_starts, usual)[np.argsort(order, kind="stable")]
    if lengths is not None and (lengths != lengths[0]).any():
        both = np.zeros(len(starts)) if export is None else export
        few, sums, heads, cut = put_together(
            sorted_starts, lengths[order], (energy[order], both[order])
        )
        kinds = ", ".join(f"{length / 60:g}" for length in np.unique(lengths))
        longest = int(lengths.max())
        said = f"{name}: readings of {kinds} min are put together in steps of {longest / 60:g} min"
        if cut:
            said += f"; {cut:,} steps of which some are missing are gaps"
        return series_of(
            few,
            sums[0],
            lambda row: place(int(order[heads[row]])),
            step=longest,
            name=name,
            tzinfo=tzinfo,
            notes=(*notes, said),
            export=None if export is None else sums[1],
        )
    if step is None:
        assert lengths is not None
        step = int(lengths[0])
    position, rest = np.divmod(sorted_starts - sorted_starts[0], step)
    if rest.any():
        row = int(order[np.argmax(rest > 0)])
        first = datetime.fromtimestamp(int(sorted_starts[0]), tzinfo).isoformat()
        raise InputError.at(
            place(row), f"must lie a whole number of {step / 60:g}-min steps after {first}"
        )
    same = np.flatnonzero(np.diff(position) == 0)
    if len(same):
        first_row, row = sorted((int(order[same[0]]), int(order[same[0] + 1])))
        raise InputError.at(place(row), f"is of the same time as {place(first_row)}")
    steps = int(position[-1]) + 1
    if steps * step > 20 * LONGEST_BILL:
        raise InputError.at(place(int(order[-1])), "lies over 20 years after the first reading")
    values = np.full(steps, np.nan)
    values[position] = energy[order]
    exports = None
    if export is not None and np.nansum(export) > 0:
        exports = np.full(steps, np.nan)
        exports[position] = export[order]
    start = datetime.fromtimestamp(int(sorted_starts[0]), tzinfo)
    return GappedSeries(values, start, step, name, notes=notes, export_kwh=exports)


def bills_of(items: Any, time_zone: str | None, name: str = "bills") -> Bills:
    """Bills from Python: mappings or triples of start, end and kWh.

    A start or end is an aware instant, or a local day of ``time_zone`` (a date, ``2025-01-31``):
    its midnight. Ends are exclusive.
    """
    starts, ends, energy, places = [], [], [], []
    for i, item in enumerate(items):
        place = f"{name}[{i}]"
        if isinstance(item, Mapping):
            keys = [_key(item, names, place) for names in (_START, _END, _ENERGY)]
            values, paths = [item[k] for k in keys], [f"{place}.{k}" for k in keys]
        elif isinstance(item, (list, tuple)) and len(item) == 3:
            values, paths = list(item), [f"{place}[{k}]" for k in range(3)]
        else:
            raise InputError.at(place, "must be a bill: start, end and kWh", item)
        starts.append(bill_instant(values[0], paths[0], time_zone))
        ends.append(bill_instant(values[1], paths[1], time_zone))
        energy.append(_energy(values[2], paths[2]))
        places.append(place)
    return Bills(
        np.array(starts, np.int64), np.array(ends, np.int64), np.array(energy), tuple(places), name
    )


def bill_instant(value: Any, path: str, time_zone: str | None) -> int:
    """The instant, in seconds since 1970, of an aware time or of a local day's midnight.

    Where a zone skips midnight, the day starts at the first instant after it.
    """
    if isinstance(value, datetime) and value.tzinfo is not None:
        return int(parse_instant(value, path).timestamp())
    if isinstance(value, date):
        text = value.isoformat()
    elif isinstance(value, str):
        text = value.strip()
    else:
        raise InputError.at(path, "must be a day such as 2025-01-31, or an aware instant", value)
    if len(text) > 10:
        try:
            return int(parse_instant(text, path).timestamp())
        except InputError:
            pass
    try:
        return int(localised(text, path, time_zone).timestamp())
    except InputError as error:
        if not error.problems[0].reason.startswith("does not exist"):
            raise
        later = datetime.fromisoformat(text) + timedelta(hours=1)
        return int(localised(later.isoformat(), path, time_zone).timestamp())


def _key(item: Mapping[Any, Any], names: tuple[str, ...], place: str) -> str:
    found = [name for name in names if item.get(name) is not None]
    if len(found) != 1:
        wanted = f"is required (as one of {', '.join(names)})"
        raise InputError.at(f"{place}.{names[0]}", wanted)
    return found[0]


def _energy(value: Any, path: str) -> float:
    try:
        number = np.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = np.nan
    if not 0 <= number <= MOST_ENERGY:
        raise InputError.at(path, "must be a finite energy ≥ 0, in kWh", value)
    return number
