"""What a site is: its load and solar by step, its clock, its meter and its solar inverter."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Any, Literal

import numpy as np

from bess import _core
from bess._arrays import Floats, broadcast, number, series
from bess.errors import InputError
from bess.timeline import Timeline, parse_instant

__all__ = ["Site"]

_ARRAYS = ("load_kwh", "solar_kwh", "load_kw", "solar_kw")


class Site:
    """Load and solar of a site over a horizon of equal steps. Immutable; pickles.

    Parameters
    ----------
    load_kwh, solar_kwh
        Energy in each step, kWh, of equal length; or ``load_kw``, ``solar_kw``: mean power, kW. One
        of load and solar may be left out. A pandas Series with a time-zone-aware, regular index
        brings start, step and zone.
    start
        Start of the first step: an aware datetime or ISO 8601 text.
    step_hours
        Length of a step, whole seconds.
    time_zone
        IANA name of the site's clock; by default the zone or the fixed offset of ``start``.
    solar_side
        ``"AC"``: solar is what the array feeds in without a battery; ``"DC"``: before its inverter.
    export_limit_kwh, import_limit_kwh
        Most energy over the meter in a step, kWh AC; scalar or series; None: no limit.

    >>> site = Site(load_kwh=[1, 2], solar_kwh=[0, 3], start="2025-01-01T00:00-08:00")
    >>> site.steps, site.solar_kwh_dc.tolist()
    (2, [0.0, 3.125])

    Raises
    ------
    InputError
        Naming the argument, the position and the value that is not valid.
    """

    timeline: Timeline
    load_kwh: Floats
    """kWh AC in each step."""
    solar_kwh: Floats
    """kWh AC in each step: what the array gives without a battery."""
    solar_dc_to_ac_efficiency: float
    allow_solar_to_grid: bool
    export_limit_kwh: Floats | None
    import_limit_kwh: Floats | None

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
    ) -> None:
        given = dict(zip(_ARRAYS, (load_kwh, solar_kwh, load_kw, solar_kw), strict=True))
        given = {name: values for name, values in given.items() if values is not None}
        for energy, power in (("load_kwh", "load_kw"), ("solar_kwh", "solar_kw")):
            if energy in given and power in given:
                raise InputError.at(power, f"cannot be given together with {energy}")
        if not given:
            raise InputError.at("load_kwh", "is required (or solar_kwh, load_kw, solar_kw)")
        start, step_seconds, time_zone = _clock(given, start, step_hours, time_zone)
        steps = None
        energies: dict[str, Floats] = {}
        for name, values in given.items():
            array = series(values, name, steps=steps, minimum=0.0)
            steps = len(array)
            energies[name.partition("_")[0]] = _energy(array, name, step_seconds)
        assert steps is not None
        efficiency = number(solar_dc_to_ac_efficiency, "solar_dc_to_ac_efficiency")
        if not 0 < efficiency <= 1:
            raise InputError.at(
                "solar_dc_to_ac_efficiency", "must be above 0 and at most 1", efficiency
            )
        if solar_side not in ("AC", "DC"):
            raise InputError.at("solar_side", 'must be "AC" or "DC"', solar_side)
        if not isinstance(allow_solar_to_grid, (bool, np.bool_)):
            raise InputError.at("allow_solar_to_grid", "must be true or false", allow_solar_to_grid)
        none = np.zeros(steps)
        solar = energies.get("solar", none)
        fixed: dict[str, Any] = {
            "timeline": Timeline(start, step_seconds, steps, time_zone),  # type: ignore[arg-type]
            "load_kwh": energies.get("load", none),
            "solar_kwh": solar * efficiency if solar_side == "DC" else solar,
            "solar_dc_to_ac_efficiency": efficiency,
            "allow_solar_to_grid": bool(allow_solar_to_grid),
        }
        for name, limit in (
            ("export_limit_kwh", export_limit_kwh),
            ("import_limit_kwh", import_limit_kwh),
        ):
            fixed[name] = None if limit is None else broadcast(limit, name, steps, minimum=0.0)
        for name, value in fixed.items():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a site does not change: make a new one to change {name}")

    def __getstate__(self) -> dict[str, Any]:
        return {name: self.__dict__[name] for name in Site.__annotations__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

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
    def _core(self) -> _core.Site:
        site = _core.Site(
            self.load_kwh,
            self.solar_kwh,
            self.export_limit_kwh,
            self.import_limit_kwh,
            self.solar_dc_to_ac_efficiency,
            self.allow_solar_to_grid,
        )
        self.__dict__["_core"] = site
        return site


def _energy(array: Floats, name: str, step_seconds: int) -> Floats:
    return array * (step_seconds / 3600) if name.endswith("_kw") else array


def _clock(
    given: dict[str, Any], start: Any, step_hours: Any, time_zone: str | None
) -> tuple[Any, int, str | None]:
    """Start, step and zone: as given, or from the index of pandas Series."""
    for name, values in given.items():
        index = getattr(values, "index", None)
        if index is None or callable(index):  # a list's `index` is a method
            continue
        if not hasattr(index, "tz"):
            if start is None:
                raise InputError.at(f"{name}.index", "must be aware timestamps, or give start")
            continue
        found = _index_clock(index, f"{name}.index", time_zone)
        for what, wanted, has in zip(
            ("start", "step_hours"), (start, step_hours), (found[0], found[1] / 3600), strict=True
        ):
            if wanted is not None and not _same(what, wanted, has):
                raise InputError.at(what, f"differs from {name}.index, where it is {has}", wanted)
        start, step_hours, time_zone = found[0], found[1] / 3600, found[2]
    if start is None:
        raise InputError.at("start", "is required")
    hours = 1.0 if step_hours is None else number(step_hours, "step_hours")
    seconds = round(hours * 3600)
    if seconds < 1 or abs(hours * 3600 - seconds) > 1e-6:
        raise InputError.at("step_hours", "must be a positive whole number of seconds", step_hours)
    return start, seconds, time_zone


def _same(what: str, wanted: Any, has: Any) -> bool:
    if what == "start":  # by instant: in a doubled hour aware datetimes of two zones never compare
        return parse_instant(wanted, "start").timestamp() == float(has.timestamp())
    return abs(number(wanted, what) - float(has)) < 1e-9


def _index_clock(index: Any, path: str, time_zone: str | None) -> tuple[datetime, int, str | None]:
    if index.tz is None:
        raise InputError.at(path, "must be aware of its time zone: use tz_localize")
    instants = index.as_unit("ns").asi8
    if len(instants) < 2:
        raise InputError.at(path, "must have at least two timestamps, or give a plain array")
    gaps = np.diff(instants)
    if (gaps != gaps[0]).any() or gaps[0] <= 0:
        at = int(np.argmax((gaps != gaps[0]) | (gaps <= 0))) + 1
        raise InputError.at(
            f"{path}[{at}]", "must follow at the same step as the others", str(index[at])
        )
    if gaps[0] % 1_000_000_000:
        raise InputError.at(path, "must have steps of whole seconds", f"{gaps[0]} ns")
    zone = getattr(index.tz, "key", None) or getattr(index.tz, "zone", None)
    return index[0].to_pydatetime(), int(gaps[0] // 1_000_000_000), time_zone or zone
