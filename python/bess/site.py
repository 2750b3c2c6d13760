"""What a site is: its load and solar by step, its clock, its meter and its solar inverter."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any, Final, Literal

import numpy as np

from bess import _core
from bess._arrays import Floats, broadcast, freeze, number, series
from bess._index import IndexClock, common_clock
from bess._unchanging import Unchanging
from bess.errors import InputError
from bess.timeline import Timeline, parse_instant

__all__ = ["Site"]

LEAST_EFFICIENCY: Final = 1e-6
_ARRAYS: Final = ("load_kwh", "solar_kwh", "load_kw", "solar_kw")


class Site(Unchanging):
    """Load and solar of a site over a horizon of equal steps. Immutable; pickles.

    Parameters
    ----------
    load_kwh, solar_kwh
        Energy in each step, kWh, of equal length; or ``load_kw``, ``solar_kw``: mean power, kW. One
        of load and solar may be left out. A pandas Series with a time-zone-aware, regular index
        brings start, step and zone. An array of float64 is not copied: leave it as it is.
    start
        Start of the first step: an aware datetime or ISO 8601 text.
    step_hours
        Length of a step, whole seconds; 1 by default.
    time_zone
        IANA name of the site's clock; by default the zone or the fixed offset of ``start``.
    solar_side
        ``"AC"``: solar is what the array feeds in without a battery, or would without
        ``inverter_limit_kw``; ``"DC"``: before its inverter.
    solar_dc_to_ac_efficiency
        Of the solar inverter, above 0 (at least a millionth) and at most 1.
    allow_solar_to_grid
        Whether solar may be exported.
    export_limit_kwh, import_limit_kwh
        Most energy over the meter in a step, kWh AC; scalar or series; None: no limit.
    inverter_limit_kw
        Rated power of the inverter of the array, kW AC; scalar or series; None: no limit. Solar to
        site and to grid stay under it together, and a DC-coupled battery's discharge with them; its
        charge from the grid passes the same inverter the other way, under the same limit. Solar
        above the limit is curtailed unless a DC-coupled battery stores it. An AC-coupled battery
        has an inverter of its own, and what it stores of the sun has passed the array's.

    >>> site = Site(load_kwh=[1, 2], solar_kwh=[0, 3], start="2025-01-01T00:00-08:00")
    >>> site.steps, site.solar_kwh_dc.tolist()
    (2, [0.0, 3.125])

    An array of 1.5 kW behind an inverter of 1 kW: from a DC-coupled battery the half kWh that is
    clipped at noon comes back, less its losses.

    >>> from bess import Battery, Surplus, dispatch
    >>> site = Site([1, 1], [1.5, 0], start="2025-06-01T12:00Z", solar_side="DC",
    ...             solar_dc_to_ac_efficiency=1, inverter_limit_kw=1)
    >>> for dc_coupled in (True, False):
    ...     battery = Battery(dc_coupled=dc_coupled, min_state_of_charge=0.5)
    ...     result = dispatch(site, battery, Surplus())
    ...     print(result.solar_curtailed_kwh_dc.sum(), result.battery_to_site_kwh_ac.sum().round(4))
    0.0 0.468
    0.5 0.0

    Raises
    ------
    InputError
        Naming the argument, the position and the value that is not valid.
    """

    timeline: Timeline
    """Start, step, number of steps and clock."""
    load_kwh: Floats
    """kWh AC in each step."""
    solar_kwh: Floats
    """kWh AC in each step: what the array gives without a battery and without the inverter's
    limit.
    """
    solar_dc_to_ac_efficiency: float
    allow_solar_to_grid: bool
    export_limit_kwh: Floats | None
    """kWh AC in each step; None: no limit."""
    import_limit_kwh: Floats | None
    inverter_limit_kw: Floats | None
    """kW AC in each step; None: no limit."""

    def __init__(
        self,
        load_kwh: Any = None,
        solar_kwh: Any = None,
        *,
        load_kw: Any = None,
        solar_kw: Any = None,
        start: str | datetime | None = None,
        step_hours: float | None = None,
        time_zone: str | None = None,
        solar_side: Literal["AC", "DC"] = "AC",
        solar_dc_to_ac_efficiency: float = 0.96,
        allow_solar_to_grid: bool = True,
        export_limit_kwh: Any = None,
        import_limit_kwh: Any = None,
        inverter_limit_kw: Any = None,
    ) -> None:
        given = dict(zip(_ARRAYS, (load_kwh, solar_kwh, load_kw, solar_kw), strict=True))
        given = {name: values for name, values in given.items() if values is not None}
        for energy, power in (("load_kwh", "load_kw"), ("solar_kwh", "solar_kw")):
            if energy in given and power in given:
                raise InputError.at(power, f"cannot be given together with {energy}")
        if not given:
            raise InputError.at("load_kwh", "is required (or solar_kwh, load_kw, solar_kw)")
        arrays: dict[str, Floats] = {}
        steps: int | None = None
        for name, values in given.items():
            arrays[name] = series(values, name, steps=steps, minimum=0.0)
            steps = len(arrays[name])
        assert steps is not None
        timeline = _timeline(given, start, step_hours, time_zone, steps)
        energies = {
            name.partition("_")[0]: _energy(array, name, timeline.step_hours)
            for name, array in arrays.items()
        }
        efficiency = number(solar_dc_to_ac_efficiency, "solar_dc_to_ac_efficiency")
        if not LEAST_EFFICIENCY <= efficiency <= 1:
            raise InputError.at(
                "solar_dc_to_ac_efficiency",
                f"must be from {LEAST_EFFICIENCY:g} to 1",
                solar_dc_to_ac_efficiency,
            )
        if not isinstance(solar_side, str) or solar_side not in ("AC", "DC"):
            raise InputError.at("solar_side", 'must be "AC" or "DC"', solar_side)
        if not isinstance(allow_solar_to_grid, (bool, np.bool_)):
            raise InputError.at("allow_solar_to_grid", "must be true or false", allow_solar_to_grid)
        none = np.zeros(steps)
        solar = energies.get("solar", none)
        fixed: dict[str, Any] = {
            "timeline": timeline,
            "load_kwh": energies.get("load", none),
            "solar_kwh": solar * efficiency if solar_side == "DC" else solar,
            "solar_dc_to_ac_efficiency": efficiency,
            "allow_solar_to_grid": bool(allow_solar_to_grid),
        }
        for name, limit in (
            ("export_limit_kwh", export_limit_kwh),
            ("import_limit_kwh", import_limit_kwh),
            ("inverter_limit_kw", inverter_limit_kw),
        ):
            fixed[name] = None if limit is None else broadcast(limit, name, steps, minimum=0.0)
        for name, value in fixed.items():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
            object.__setattr__(self, name, value)

    def __getstate__(self) -> dict[str, Any]:
        return {name: self.__dict__[name] for name in Site.__annotations__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(freeze(state))

    def __repr__(self) -> str:
        start = self.timeline.instant(0).isoformat()
        load, solar = self.load_kwh.sum(), self.solar_kwh.sum()
        horizon = f"{self.steps} steps of {self.step_hours:g} h from {start}"
        return f"Site({horizon}, load {load:,.0f} kWh, solar {solar:,.0f} kWh AC)"

    @property
    def steps(self) -> int:
        """The number of steps."""
        return self.timeline.steps

    @property
    def step_hours(self) -> float:
        """The length of a step in hours."""
        return self.timeline.step_hours

    @property
    def solar_kwh_dc(self) -> Floats:
        """Solar energy in each step before the inverter, kWh DC."""
        return self.solar_kwh / self.solar_dc_to_ac_efficiency

    @cached_property
    def solar_output_kwh(self) -> Floats:
        """Solar energy in each step that the array's inverter lets through, kWh AC.

        >>> Site(solar_kwh=[1, 3], start="2025-01-01T00:00Z", inverter_limit_kw=2).solar_output_kwh
        array([1., 2.])
        """
        if self.inverter_limit_kw is None:
            return self.solar_kwh
        output: Floats = np.minimum(self.solar_kwh, self.inverter_limit_kw * self.step_hours)
        output.flags.writeable = False
        return output

    @property
    def inverter_limit_kwh(self) -> Floats | None:
        """The inverter's limit as energy in each step, kWh AC; None: no limit."""
        return None if self.inverter_limit_kw is None else self.inverter_limit_kw * self.step_hours

    @property
    def behind_inverter(self) -> Site:
        """The site as it is seen from behind the array's inverter: the clipped energy is not there.

        It is the site itself where the inverter has no limit.
        """
        if self.inverter_limit_kw is None:
            return self
        return self._with(solar_kwh=self.solar_output_kwh, inverter_limit_kw=None)

    def _with(self, **changes: Any) -> Site:
        """The same site with other, valid values of some attributes."""
        site = object.__new__(Site)
        site.__setstate__(self.__getstate__() | changes)
        return site

    def _part(self, first: int, last: int, **changes: Any) -> Site:
        """The steps from ``first`` to before ``last``, with other values of some attributes.

        It keeps the whole site's start: what needs no clock is asked of it.
        """
        whole = self.timeline
        parts: dict[str, Any] = {
            name: value[first:last]
            for name, value in self.__getstate__().items()
            if isinstance(value, np.ndarray)
        }
        parts["timeline"] = _of_length(whole.start, whole.step_seconds, last - first)
        return self._with(**(parts | changes))

    @cached_property
    def _core(self) -> _core.Site:
        site = _core.Site(
            self.load_kwh,
            self.solar_kwh,
            self.export_limit_kwh,
            self.import_limit_kwh,
            self.inverter_limit_kwh,
            self.solar_dc_to_ac_efficiency,
            self.allow_solar_to_grid,
        )
        self.__dict__["_core"] = site
        return site


@lru_cache(maxsize=64)
def _of_length(start: datetime, step_seconds: int, steps: int) -> Timeline:
    return Timeline(start, step_seconds, steps)


def _energy(array: Floats, name: str, step_hours: float) -> Floats:
    return array * step_hours if name.endswith("_kw") else array


def _timeline(
    given: dict[str, Any], start: Any, step_hours: Any, time_zone: str | None, steps: int
) -> Timeline:
    """Start, step and zone: as given, or from the index of pandas Series."""
    index = common_clock(given, time_zone)
    hours = None if step_hours is None else number(step_hours, "step_hours")
    seconds = 3600 if hours is None else round(hours * 3600)
    if hours is not None and (seconds < 1 or abs(hours * 3600 - seconds) > 1e-6):
        raise InputError.at("step_hours", "must be a positive whole number of seconds", step_hours)
    if index is None and start is None:
        raise InputError.at("start", "is required: an aware datetime, or an aware pandas index")
    at = "start"
    if index is not None:
        _agree(index, start, None if hours is None else seconds, step_hours)
        at = index.path if start is None else at
        start, seconds = index.start, index.step_seconds
        time_zone = index.time_zone if time_zone is None else time_zone
    try:
        return Timeline(start, seconds, steps, time_zone)
    except InputError as error:  # name what the caller gave, not what the timeline is made of
        problem = error.problems[0]
        if problem.path == "steps":
            problem = replace(problem, path="step_hours", value=seconds / 3600)
        elif problem.path == "start":
            problem = replace(problem, path=at)
        raise InputError(problem) from None


def _agree(index: IndexClock, start: Any, seconds: int | None, step_hours: Any) -> None:
    """A start or step given beside an index must be the index's own."""
    # By instant: in a doubled hour, aware datetimes of two zones never compare as equal.
    has = index.start
    if start is not None and parse_instant(start, "start").timestamp() != has.timestamp():
        raise InputError.at("start", f"differs from {index.path}: {has.isoformat()}", start)
    if seconds is not None and seconds != index.step_seconds:
        raise InputError.at(
            "step_hours", f"differs from {index.path}: {index.step_seconds / 3600:g}", step_hours
        )
