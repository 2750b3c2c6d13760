"""How a battery is run: by a rule, or optimally."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from types import MappingProxyType
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field

from bess import _core
from bess._arrays import Floats, number, series
from bess._unchanging import Unchanging
from bess._validation import Flag, ListOf, Model, Number
from bess.errors import InputError
from bess.terminal_value import TerminalValue
from bess.time_of_use import (
    Calendars,
    TimeOfUse,
    boundary_inside_step,
    calendar_days,
    covers,
    missing_calendars,
)
from bess.timeline import Timeline, zone

__all__ = ["FixedSchedule", "Follow", "Optimize", "PeakShave", "Rule", "Strategy", "Surplus"]


class Surplus(Model):
    """Solar beyond the load charges the battery; load beyond solar discharges it.

    The battery never charges from, or exports to, the grid; a policy is the only exception.

    >>> Surplus() == Surplus()
    True
    """


class _Schedule(Model):
    charge: ListOf[TimeOfUse] = ()
    discharge: ListOf[TimeOfUse] = ()
    time_zone: str | None = None


class FixedSchedule(Unchanging):
    """Charge as much as possible in some times of use, discharge as much as possible in others.

    Each time of use is a `TimeOfUse` or its JSON. The clock is ``time_zone``, by default the
    tariff's, else the site's. Where the battery may charge from the grid, solar charges it first
    and the grid tops it up to full power; else only surplus solar charges it.

    >>> FixedSchedule(discharge=[{"touPeriods": [{"fromHour": 16, "toHour": 21}]}]).charge
    ()

    Raises
    ------
    InputError
        Where a time of use or the zone is not valid; when dispatched, where a step is in both a
        charge and a discharge period or a calendar is not given.
    """

    __slots__ = ("_key", "calendars", "charge", "discharge", "time_zone")

    charge: tuple[TimeOfUse, ...]
    discharge: tuple[TimeOfUse, ...]
    time_zone: str | None
    calendars: Mapping[str, tuple[date, ...]]
    """The days of each calendar in order, by its id."""
    _key: str

    def __init__(
        self,
        charge: Any = (),
        discharge: Any = (),
        time_zone: str | None = None,
        calendars: Calendars | None = None,
    ) -> None:
        checked = _Schedule(charge=charge, discharge=discharge, time_zone=time_zone)
        if time_zone is not None:
            zone(time_zone)
        days = calendar_days(calendars)
        for name, value in (
            ("charge", checked.charge),
            ("discharge", checked.discharge),
            ("time_zone", time_zone),
            ("calendars", MappingProxyType(days)),
            ("_key", f"{checked.model_dump_json()}{sorted(days.items())}"),
        ):
            object.__setattr__(self, name, value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FixedSchedule) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __reduce__(self) -> tuple[Any, ...]:
        days = dict(self.calendars)
        return FixedSchedule, (self.charge, self.discharge, self.time_zone, days)

    def __repr__(self) -> str:
        zone = "" if self.time_zone is None else f", time_zone={self.time_zone!r}"
        return f"FixedSchedule(charge={self.charge!r}, discharge={self.discharge!r}{zone})"

    def modes(self, timeline: Timeline, time_zone: str | None = None) -> NDArray[np.int8]:
        """For each step 1 (charge), -1 (discharge) or 0; cached for each timeline."""
        return _modes(self, timeline, self.time_zone or time_zone)[0]

    def assumptions(self, timeline: Timeline, time_zone: str | None = None) -> tuple[str, ...]:
        """What had to be assumed about steps that a period takes only in part."""
        return _modes(self, timeline, self.time_zone or time_zone)[1]


@lru_cache(maxsize=64)
def _modes(
    schedule: FixedSchedule, timeline: Timeline, time_zone: str | None
) -> tuple[NDArray[np.int8], tuple[str, ...]]:
    both = (*schedule.charge, *schedule.discharge)
    missing = missing_calendars(both, schedule.calendars)
    if missing:
        raise InputError.at("calendars", f"lacks the days of: {', '.join(missing)}")
    clock = timeline.clock(time_zone)
    charge = covers(schedule.charge, clock, schedule.calendars)
    discharge = covers(schedule.discharge, clock, schedule.calendars)
    if (charge & discharge).any():
        at = timeline.instant(int(np.argmax(charge & discharge))).isoformat()
        raise InputError.at("discharge", f"overlaps with charge, first at {at}")
    modes = charge.astype(np.int8) - discharge.astype(np.int8)
    modes.flags.writeable = False
    cut = int(boundary_inside_step(both, clock, schedule.calendars).sum()) if both else 0
    note = f"fixed schedule: {cut} steps are cut by a period; each counts for the one it starts in"
    return modes, (note,) if cut else ()


class Follow(Unchanging):
    """Replay a battery power: kW AC in each step, positive discharging, held to what is possible.

    One value for each step of the site; an array of float64 is not copied. Immutable; pickles.

    >>> Follow(power_kw=[-2.0, 2.0]).power_kw.tolist()
    [-2.0, 2.0]

    Raises
    ------
    InputError
        At ``power_kw``, where a value is not a finite number; when dispatched, where the site has
        another number of steps.
    """

    __slots__ = ("power_kw",)

    power_kw: Floats

    def __init__(self, power_kw: Any) -> None:
        object.__setattr__(self, "power_kw", series(power_kw, "power_kw"))

    def __reduce__(self) -> tuple[Any, ...]:
        return Follow, (self.power_kw,)

    def __repr__(self) -> str:
        return f"Follow(power_kw=<{len(self.power_kw)} values>)"


class PeakShave(Model):
    """Discharge to keep the net import under a target (kW), and charge while there is room.

    Surplus solar charges first, then the grid where that is permitted; the battery never exports.

    >>> PeakShave(target_kw=5)
    PeakShave(target_kw=5.0)

    Raises
    ------
    InputError
        At ``target_kw``, where it is not a number of at least 0.
    """

    target_kw: Annotated[Number, Field(ge=0)]


def _cycles(value: Any) -> Any:
    asked = tuple(value) if isinstance(value, (list, np.ndarray)) else value
    one_each = asked if isinstance(asked, tuple) else (asked,)
    try:
        numbers = tuple(number(each, "", minimum=0.0) for each in one_each)
    except InputError:
        wanted = "must be a number of at least 0, or one for each device"
        raise InputError.at("", wanted, value) from None
    return numbers if isinstance(asked, tuple) else numbers[0]


class Optimize(Model):
    """The schedule of least cost (or another objective), with perfect foresight and a certificate.

    Parameters
    ----------
    relax_policies
        Approach policies that cannot be met as nearly as possible, and report them, instead of
        raising `InfeasibleError`.
    allow_simultaneous
        Let a battery charge and discharge, and the meter import and export, in the same step: the
        linear relaxation.
    gap
        Largest certified distance from the optimum, relative to the money that flows.
    time_limit
        Seconds after which the best schedule so far is taken, with the gap it reached.
    engine
        ``"core"``: the exact programme in the core, which takes one battery at prices by step;
        ``"highs"``: the general solver; ``"auto"``: the core where it can.
    objective
        What is least: ``"cost"``; ``"emissions"``, kg over the horizon; or ``"self_consumption"``,
        the kWh imported over the horizon, so that most of the load is served on site. Of equal
        emissions or imports the least cost is taken.
    emissions_price_per_kg
        Money for each kg emitted, which joins the cost (80 a tonne is 0.08).
    max_emissions_kg
        Most emissions over the horizon.
    max_cycles
        Most equivalent full cycles a year of each device (one number, or a list in their order): of
        energy that leaves the cells, in nameplate capacities, as in
        `DeviceResult.equivalent_full_cycles`. A horizon counts by its `Timeline.years`.

    terminal_value
        What the energy left at the end is worth: money for each kWh DC; or a curve, pairs of a
        state of charge and what each kWh below it (and above the pair before) is worth, up to 1 and
        never rising: ``[(0.3, 0.25), (1.0, 0.10)]``. Of several devices one of these for all, or a
        list with one for each. `Result.terminal_value` is what it came to, which the objective
        counts and `Result.cost` does not. The battery's terminal state of charge holds besides:
        with ``"free"`` the value alone decides.

    >>> Optimize(gap=1e-4, time_limit=60).engine
    'auto'
    >>> from bess import Battery, Prices, Site, dispatch
    >>> site = Site(load_kwh=[0, 2, 2] * 8, start="2025-06-01T00:00Z")
    >>> prices = Prices(import_price=[0.1, 0.2, 0.3] * 8)
    >>> once_a_day = dispatch(site, Battery(), Optimize(max_cycles=365), prices=prices)
    >>> round(once_a_day.units[0].equivalent_full_cycles, 9), once_a_day.gap < 1e-12
    (1.0, True)
    >>> night = Site(load_kwh=[1, 1, 1], start="2025-06-01T00:00Z")
    >>> kept = dispatch(
    ...     night, Battery(terminal_state_of_charge="free"),
    ...     Optimize(terminal_value=[(0.3, 0.25), (1.0, 0.1)]), prices=Prices(import_price=0.2))
    >>> round(float(kept.battery_soc[-1]), 9), round(kept.terminal_value, 9)
    (0.3, 0.45)

    Raises
    ------
    InputError
        Where an option is not valid.
    """

    relax_policies: Flag = False
    allow_simultaneous: Flag = False
    gap: Annotated[Number, Field(ge=0)] = 1e-6
    time_limit: Annotated[Number, Field(gt=0)] | None = None
    engine: Literal["auto", "core", "highs"] = "auto"
    objective: Literal["cost", "emissions", "self_consumption"] = "cost"
    emissions_price_per_kg: Annotated[Number, Field(ge=0)] = 0.0
    max_emissions_kg: Number | None = None
    terminal_value: TerminalValue | None = None
    max_cycles: Annotated[float | tuple[float, ...], BeforeValidator(_cycles)] | None = None


Rule = Surplus | FixedSchedule | Follow | PeakShave
Strategy = Rule | Optimize


def core_rule(strategy: Rule, timeline: Timeline, time_zone: str | None) -> _core.Rule:
    """The rule as the core takes it."""
    match strategy:
        case Surplus():
            return _core.Rule.surplus()
        case FixedSchedule():
            return _core.Rule.fixed_schedule(strategy.modes(timeline, time_zone))
        case Follow():
            power = series(strategy.power_kw, "power_kw", steps=timeline.steps)
            return _core.Rule.follow(power * timeline.step_hours)
        case PeakShave():
            return _core.Rule.peak_shaving(strategy.target_kw * timeline.step_hours)
