"""What plans expect of load and solar, and nothing that happens after they are made."""

from __future__ import annotations

from copy import copy
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bess._arrays import Floats, series
from bess._unchanging import Unchanging
from bess.errors import InputError
from bess.site import Site
from bess.timeline import DAY

__all__ = ["Forecast", "Foreseen", "foreseen"]

WORDS: Final = ("perfect", "persistence")


class Forecast(Unchanging):
    """The load and the solar that each plan of `bess.roll` expects. Immutable; pickles.

    Each of the two is

    - a series over the site's whole horizon, kWh in each step: a forecast made once;
    - a table, one row for each plan, issued when it is made: kWh in each step from the plan's first
      on, as many as the plan goes ahead (what lies beyond the site's horizon is not read);
    - ``"persistence"``: load as at the same local time a week before (a day before, while there is
      no such week), solar as at the same time a day before; further back where that lies ahead of
      the plan too. Where nothing that old is known, the last step before the plan (0 if none);
    - ``"perfect"``: what the site has.

    >>> Forecast(load_kwh=[[1, 2], [2, 3]], solar_kwh="perfect")
    Forecast(load_kwh=<2 plans, 2 steps ahead>, solar_kwh='perfect')

    Raises
    ------
    InputError
        At ``load_kwh`` or ``solar_kwh``, where it is none of these; from `bess.roll`, where it does
        not fit the site and its plans.
    """

    __slots__ = ("load_kwh", "solar_kwh")

    load_kwh: str | Floats
    solar_kwh: str | Floats

    def __init__(self, load_kwh: Any = "persistence", solar_kwh: Any = "persistence") -> None:
        for name, given in (("load_kwh", load_kwh), ("solar_kwh", solar_kwh)):
            object.__setattr__(self, name, _values(given, name))

    def __reduce__(self) -> tuple[Any, ...]:
        return Forecast, (self.load_kwh, self.solar_kwh)

    def __repr__(self) -> str:
        return f"Forecast(load_kwh={_shown(self.load_kwh)}, solar_kwh={_shown(self.solar_kwh)})"


def _values(given: Any, path: str) -> str | Floats:
    if isinstance(given, str):
        if given not in WORDS:
            raise InputError.at(
                path, 'must be a series, a table, "perfect" or "persistence"', given
            )
        return given
    try:
        dimensions = np.ndim(given)
    except ValueError:  # rows of several lengths
        dimensions = 2
    if dimensions != 2:
        return series(given, path, minimum=0.0)
    table = given.to_numpy() if hasattr(given, "to_numpy") else given  # a pandas frame
    rows = [series(row, f"{path}[{i}]", minimum=0.0) for i, row in enumerate(table)]
    if not rows:
        raise InputError.at(path, "must have at least one row")
    for i, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise InputError.at(f"{path}[{i}]", f"has {len(row)} values; row 0 has {len(rows[0])}")
    found = np.array(rows)
    found.flags.writeable = False
    return found


def _shown(values: str | Floats) -> str:
    if isinstance(values, str):
        return repr(values)
    if values.ndim == 1:
        return f"<{len(values)} values>"
    return f"<{values.shape[0]} plans, {values.shape[1]} steps ahead>"


Lags = tuple[NDArray[np.intp], ...]
"""For each step, how many steps before it lies the one like it: the first that is known counts."""


class Foreseen:
    """One series, load or solar, as the plans foresee it.

    ``horizon``, ``replan``: how many steps a plan goes ahead, and how many lie between two.
    """

    def __init__(
        self, given: str | Floats, actual: Floats, lags: Lags, horizon: int, replan: int, path: str
    ) -> None:
        self._steps = len(actual)
        self._horizon = min(horizon, self._steps)
        self._replan = replan
        self._actual = actual
        self._lags = lags
        self._given = actual if isinstance(given, str) else given
        self._persists = isinstance(given, str) and given == "persistence"
        if self._given.ndim == 1 and len(self._given) != self._steps:
            raise InputError.at(
                path, f"has {len(self._given)} values; the site has {self._steps} steps"
            )
        plans = -(-self._steps // replan)
        if self._given.ndim == 2 and self._given.shape[0] != plans:
            raise InputError.at(path, f"has {self._given.shape[0]} rows; there are {plans} plans")
        if self._given.ndim == 2 and self._given.shape[1] < self._horizon:
            raise InputError.at(
                path, f"goes {self._given.shape[1]} steps ahead; a plan goes {self._horizon}"
            )

    def cut_at(self, most: Floats) -> Foreseen:
        """The same, no more being foreseen in a step than ``most``."""
        cut = copy(self)
        cut._actual = np.minimum(self._actual, most)
        limit = most
        if self._given.ndim == 2:
            plans, columns = self._given.shape
            step = self._replan * np.arange(plans)[:, None] + np.arange(columns)
            limit = most[np.minimum(step, self._steps - 1)]
        cut._given = np.minimum(self._given, limit)
        return cut

    @property
    def is_made_once(self) -> bool:
        """Whether it does not change from plan to plan: it is then one series."""
        return self._given.ndim == 1 and not self._persists

    @property
    def most(self) -> float:
        """The largest value that is or is foreseen, kWh in a step."""
        return float(max(self._actual.max(), self._given.max()))

    def rows(self, first: int, last: int) -> tuple[Floats, int]:
        """What the plans that begin in ``[first, last)`` foresee, and where in it each begins.

        Plan k's values begin at k times the number returned.
        """
        if self._persists:
            begins = np.arange(first, last, self._replan)
            count = min(self._horizon, self._steps - first)
            return self._as_before(begins, count).ravel(), count
        if self._given.ndim == 1:
            return self._given[first:], self._replan
        return self._given[first // self._replan :].reshape(-1), self._given.shape[1]

    def ahead(self, begin: int, count: int) -> Floats:
        """What the plan that begins at a step foresees of ``count`` steps.

        A table's row that ends before repeats its last day.
        """
        if self._persists:
            known: Floats = self._as_before(np.array([begin]), count)[0]
            return known
        if self._given.ndim == 1:
            return self._given[begin : begin + count]
        row = self._given[begin // self._replan]
        day = min(len(row), max(int(self._lags[-1].max()), 1))
        place = np.arange(count)
        late = place >= len(row)
        place[late] = len(row) - day + (place[late] - len(row)) % day
        found: Floats = row[place]
        return found

    def _as_before(self, begins: NDArray[np.intp], count: int) -> Floats:
        """The known past, by plan (rows) and step ahead (columns)."""
        known = begins[:, None]
        step = np.minimum(known + np.arange(count), self._steps - 1)
        found = np.full(step.shape, -1)
        for lag in self._lags:
            source = step - lag[step]
            while (ahead := source >= known).any():
                source = np.where(ahead, source - lag[np.maximum(source, 0)], source)
            found = np.where(found < 0, source, found)
        found = np.where(found < 0, known - 1, found)
        values: Floats = np.where(found < 0, 0.0, self._actual[np.maximum(found, 0)])
        return values


def load_lags(site: Site) -> Lags:
    """To the same local time a week and a day before: across a change of the clock too."""
    clock = site.timeline.clock()
    step = site.timeline.step_seconds
    local = DAY * clock.day_number + clock.second_of_day
    offset = local - step * np.arange(site.steps)

    def back(days: int) -> NDArray[np.intp]:
        same = np.arange(site.steps) - max(round(days * DAY / step), 1)
        moved = (offset - offset[np.maximum(same, 0)]) // step
        lag: NDArray[np.intp] = np.maximum(np.arange(site.steps) - same - moved, 1)
        return lag

    return back(7), back(1)


def solar_lags(site: Site) -> Lags:
    """To the same time a day before: the sun keeps no summer time."""
    return (np.full(site.steps, max(round(DAY / site.timeline.step_seconds), 1), np.intp),)


def foreseen(given: Any, site: Site, horizon: int, replan: int) -> tuple[Foreseen, Foreseen]:
    """Load and solar as plans foresee them, from whatever `bess.roll` takes for a forecast."""
    if isinstance(given, str) and given in WORDS:
        given = Forecast(given, given)
    if isinstance(given, Site):
        if given.timeline != site.timeline:
            raise InputError.at(
                "forecast", "must have the start, step and steps of the site", given
            )
        given = Forecast(given.load_kwh, given.solar_kwh)
    if not isinstance(given, Forecast):
        reason = 'must be a bess.Forecast, a bess.Site, "perfect" or "persistence"'
        raise InputError.at("forecast", reason, given)
    plans = horizon, replan
    return (
        Foreseen(given.load_kwh, site.load_kwh, load_lags(site), *plans, "forecast.load_kwh"),
        Foreseen(given.solar_kwh, site.solar_kwh, solar_lags(site), *plans, "forecast.solar_kwh"),
    )
