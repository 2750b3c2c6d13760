"""Typical profiles: what the energy of a site looks like where only totals are known.

Three are built in, hours of weekdays and of weekends in round numbers of our own, without a season
(which is a matter of climate). BDEW's standard load profiles of 2025 (Germany: H25 households, G25
business, L25 farms) come with the extra ``shapes``.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bess.errors import InputError, MissingExtraError, nearest_name
from bess.profile.placing import covers_a_year, place
from bess.profile.reading import Profile, energies, read_profile
from bess.timeline import Timeline

__all__ = ["SHAPES", "typical_series"]

Floats = NDArray[np.float64]

DAY: Final = 86_400
QUARTER: Final = 900

_FLAT: Final = (1.0,) * 168
_HOME_WEEKDAY: Final = (
    *(0.60, 0.52, 0.48, 0.46, 0.46, 0.50, 0.70, 0.95, 0.95, 0.85, 0.80, 0.80),
    *(0.85, 0.82, 0.80, 0.85, 1.00, 1.30, 1.60, 1.70, 1.60, 1.40, 1.10, 0.80),
)
_HOME_WEEKEND: Final = (
    *(0.65, 0.56, 0.50, 0.47, 0.46, 0.48, 0.58, 0.78, 1.00, 1.15, 1.20, 1.20),
    *(1.25, 1.20, 1.15, 1.15, 1.20, 1.40, 1.60, 1.65, 1.50, 1.30, 1.05, 0.80),
)
_SHOP_WEEKDAY: Final = (
    *(0.40, 0.40, 0.40, 0.40, 0.40, 0.45, 0.60, 0.85, 1.10, 1.30, 1.40, 1.45),
    *(1.45, 1.45, 1.45, 1.40, 1.30, 1.10, 0.90, 0.70, 0.60, 0.50, 0.45, 0.40),
)
_SHOP_WEEKEND: Final = (
    *(0.40, 0.40, 0.40, 0.40, 0.40, 0.40, 0.42, 0.46, 0.52, 0.56, 0.60, 0.60),
    *(0.60, 0.60, 0.58, 0.56, 0.52, 0.48, 0.45, 0.42, 0.40, 0.40, 0.40, 0.40),
)
SHAPES: Final = {
    "residential": 5 * _HOME_WEEKDAY + 2 * _HOME_WEEKEND,
    "commercial": 5 * _SHOP_WEEKDAY + 2 * _SHOP_WEEKEND,
    "flat": _FLAT,
}
"""The built-in typical profiles: relative power in each hour of the week, from Monday."""

_BDEW: Final = ("h25", "g25", "l25")
_DYNAMISATION: Final = (-3.92e-10, 3.2e-7, -7.02e-5, 2.1e-3, 1.24)
"""BDEW's, of degree 4 to 0."""
_NAMES: Final = (*SHAPES, *(f"bdew-{name}" for name in _BDEW))


def typical_series(typical: Any, timeline: Timeline) -> tuple[Floats, str]:
    """Relative energies of the steps of a timeline, each ≥ 0, and what they are.

    ``typical`` is a name ("residential", "commercial", "flat", "bdew-h25" …), 24 values for the
    hours of a day, 168 for those of a week from Monday, or anything `bess.read_profile` takes that
    covers a year: placed by the nearest same weekday, whatever its step.

    Raises
    ------
    InputError
        At ``typical``.
    MissingExtraError
        For a BDEW profile without the extra ``shapes``.
    """
    if isinstance(typical, str) and typical.lower() in SHAPES:
        name = typical.lower()
        season = "" if name == "flat" else ", without a season"
        return _of_week(np.array(SHAPES[name]), timeline), f"the built-in {name} shape{season}"
    if isinstance(typical, str) and typical.lower().startswith("bdew"):
        return _bdew(typical, timeline)
    if isinstance(typical, str) and not typical.lower().endswith((".csv", ".json")):
        guess = nearest_name(typical, _NAMES)
        hint = f"did you mean {guess}? " if guess else ""
        raise InputError.at("typical", f"{hint}known are {', '.join(_NAMES)}", typical)
    if _length(typical) in (24, 168):
        hours = energies(typical, "typical")
        _refuse_nothing(hours, "typical")
        given = f"the given {len(hours)} hours"
        return _of_week(np.tile(hours, 168 // len(hours)), timeline), given
    try:
        profile = read_profile(typical, role="load", time_zone=timeline.time_zone, name="typical")
    except InputError as error:
        raise (
            error if error.problems[0].path.startswith("typical") else error.under("typical")
        ) from None
    return _of_profile(profile, timeline), f"the profile {profile.name}"


def _length(values: Any) -> int:
    """How many numbers a list or an array has; 0 for anything else."""
    return len(values) if isinstance(values, (list, tuple, np.ndarray)) and np.ndim(values) else 0


def _refuse_nothing(values: Floats, path: str) -> None:
    if not values.any():
        raise InputError.at(path, "must have energy in some step, not 0 throughout")


def _fine(timeline: Timeline) -> tuple[Timeline, int]:
    """The timeline cut finely enough for quarter-hours, and how many parts a step has."""
    step = math.gcd(timeline.step_seconds, QUARTER)
    parts = timeline.step_seconds // step
    return Timeline(timeline.start, step, timeline.steps * parts, timeline.time_zone), parts


def _of_week(hours: Floats, timeline: Timeline) -> Floats:
    fine, parts = _fine(timeline)
    clock = fine.clock()
    values = hours[24 * clock.weekday + clock.second_of_day // 3600]
    means: Floats = values.reshape(-1, parts).mean(axis=1)
    return means


def _of_profile(profile: Profile, timeline: Timeline) -> Floats:
    """The profile by local calendar on the timeline, its power constant within its own steps."""
    _refuse_nothing(profile.energy_kwh, profile.name)
    if profile.start is None and not profile.typical_year:
        profile = replace(profile, typical_year=True)
        if profile.steps * profile.step_seconds < 365 * DAY:
            why = "must be 24 hours of a day, 168 of a week, or a year, not"
            raise InputError.at(profile.name, f"{why} {profile.steps} values")
    elif not covers_a_year(profile, timeline):
        raise InputError.at(profile.name, "must cover a year, to be typical of one")
    step = profile.step_seconds
    late = (timeline.start_seconds + timeline.offset_seconds) % step
    steps = -(-(timeline.end_seconds - timeline.start_seconds + late) // step)
    start = timeline.instant(0) - timedelta(seconds=late)
    own = Timeline(start, step, steps, timeline.time_zone)
    placed, _ = place(profile, own, by_date=False)
    if step == timeline.step_seconds and late == 0:
        return placed + 0.0
    edges = own.start_seconds + step * np.arange(steps + 1)
    wanted = timeline.start_seconds + timeline.step_seconds * np.arange(timeline.steps + 1)
    running = np.concatenate(([0.0], np.cumsum(placed)))
    parts: Floats = np.maximum(np.diff(np.interp(wanted, edges, running)), 0.0)
    return parts


def _bdew(name: str, timeline: Timeline) -> tuple[Floats, str]:
    """A BDEW profile of 2025 by month, kind of day and quarter-hour; a holiday is no Sunday here.

    The household's is multiplied by BDEW's dynamisation, a polynomial in the day of the year.
    """
    key = name.lower().removeprefix("bdew").lstrip("-: ")
    if key not in _BDEW:
        raise InputError.at("typical", f"must be one of {', '.join(_NAMES[-len(_BDEW) :])}", name)
    fine, parts = _fine(timeline)
    clock = fine.clock()
    kind = np.array([2, 2, 2, 2, 2, 0, 1])[clock.weekday]  # Saturday, Sunday, working day
    quarters = clock.second_of_day // QUARTER
    values = _bdew_table(key)[quarters, 3 * (clock.month - 1) + kind]
    if key == "h25":
        new_year = (clock.year - 1970).astype("datetime64[Y]").astype("datetime64[D]")
        day = clock.day_number - new_year.astype(np.int64) + 1.0
        values = values * np.polyval(_DYNAMISATION, day)
    means: Floats = values.reshape(-1, parts).mean(axis=1)
    return means, f"the BDEW standard load profile {key.upper()}"


@lru_cache(maxsize=len(_BDEW))
def _bdew_table(key: str) -> Floats:
    """Quarter-hours of a day by month and kind of day, from the data of the package demandlib (MIT;
    its data alone are read, so that its own dependencies do not matter)."""
    spec = find_spec("demandlib")
    folders = spec.submodule_search_locations if spec is not None else None
    file = Path(next(iter(folders), "")) / "bdew" / "bdew_data" / f"{key}.csv" if folders else None
    if file is None or not file.is_file():
        raise MissingExtraError("A BDEW profile", "shapes")
    text = file.read_text("utf-8-sig").splitlines()[2:98]
    table = np.array([[float(cell) for cell in line.split(",")[1:37]] for line in text])
    table.setflags(write=False)
    return table
