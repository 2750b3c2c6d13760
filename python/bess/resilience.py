"""Outages: how long battery and sun carry a critical load, and what must be stored for that.

Stretches of 1, 2, 4, ... steps from every start are put together once; every outage is then a few
of them, so a year's outages of any length take milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import numpy as np

from bess._arrays import Floats, broadcast, freeze, number
from bess.battery import Battery
from bess.device import BessDevice
from bess.errors import InputError
from bess.island import island, then
from bess.site import Site
from bess.timeline import parse_instant

__all__ = ["Resilience", "outage_reserve", "resilience"]

# Relative to the capacity: what is missing by less is not.
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, eq=False)
class Resilience:
    """How long outages are survived; see `resilience`."""

    hours_carried: Floats
    """For an outage from each step on: hours until some critical load is not served."""
    longest_hours: Floats = field(repr=False)
    """For each start, the hours that were tried: a year, or what is left of a shorter horizon."""
    step_hours: float

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(freeze(state))

    def probability_of_survival(self, hours: float) -> float:
        """The part of the outages of this length, one from each step on, that are survived.

        Starts from which the horizon is shorter than that are left out.

        Raises
        ------
        InputError
            Where ``hours`` is not above 0, or longer than the horizon.
        """
        asked = number(hours, "hours")
        tried = self.longest_hours >= asked - _ROUNDING
        if not asked > 0 or not tried.any():
            longest = float(self.longest_hours.max())
            raise InputError.at("hours", f"must be above 0 and at most {longest:g}", hours)
        return float((self.hours_carried[tried] >= asked - _ROUNDING).mean())

    def survival_curve(self) -> tuple[Floats, Floats]:
        """Lengths of outages in hours, a step to the longest that any start survives; and the
        probability of survival of each.
        """
        most = round(float(self.hours_carried.max()) / self.step_hours)
        hours: Floats = np.arange(1, most + 1) * np.float64(self.step_hours)
        return hours, np.array([self.probability_of_survival(h) for h in hours])


def resilience(
    site: Site,
    battery: Battery | BessDevice,
    state_of_charge: Any,
    *,
    critical_load_kwh: Any = None,
    critical_load_fraction: float | None = None,
    min_state_of_charge: float | None = None,
) -> Resilience:
    """How long outages from each step on are survived.

    Parameters
    ----------
    site, battery
        Where and what. The battery's power limits and efficiencies hold in an outage, and so does
        its permission to be charged by the sun.
    state_of_charge
        At the end of each step, as `Result.battery_soc` has it (the battery's own initial one is
        that before the first step), or one number throughout.
    critical_load_kwh, critical_load_fraction
        The load that must be served: kWh AC in each step (scalar or series), or a part of the
        site's load; by default half of it.
    min_state_of_charge
        How far the battery may be emptied in an outage; by default its own least.

    A horizon of a year or more begins again where it ends, so that every outage may last a year; on
    a shorter one an outage ends with the horizon. A step counts as carried if its whole critical
    load is served.

    >>> site = Site(load_kwh=[2, 2, 2, 2], solar_kwh=[0, 3, 0, 0], start="2025-06-01T10:00Z")
    >>> battery = Battery(capacity_kwh=2, min_state_of_charge=0, dc_to_ac_efficiency=1)
    >>> found = resilience(site, battery, 0.5, critical_load_fraction=0.5)
    >>> found.hours_carried.tolist()
    [4.0, 3.0, 1.0, 1.0]
    >>> found.probability_of_survival(1), round(found.probability_of_survival(2), 3)
    (1.0, 0.667)

    Raises
    ------
    InputError
        Naming the argument that is not valid.
    """
    own = island(
        site,
        battery,
        critical_load_kwh,
        critical_load_fraction,
        min_state_of_charge,
    )
    n = site.steps
    soc = broadcast(state_of_charge, "state_of_charge", n, minimum=0.0)
    if soc.max() > 1 + _ROUNDING:
        raise InputError.at("state_of_charge", "must be fractions of capacity", float(soc.max()))
    initial = own.initial if np.ndim(state_of_charge) else float(soc[0])
    energy = own.capacity * np.concatenate([[initial], soc[:-1]])
    tried = np.full(n, n) if own.endless else n - np.arange(n)
    levels = [own.steps]
    while 2 ** len(levels) <= n:
        step = 2 ** (len(levels) - 1)
        levels.append(then(levels[-1], levels[-1].at(np.arange(len(levels[-1].need)) + step)))
    at, carried = np.arange(n), np.zeros(n, np.intp)
    for k in reversed(range(len(levels))):
        stretch = levels[k].at(at)
        enough = energy >= stretch.need - _ROUNDING * own.capacity
        on = enough & (carried + 2**k <= tried)
        energy = np.where(on, stretch.after(energy), energy)
        at, carried = at + on * 2**k, carried + on * 2**k
    hours: Floats = carried * np.float64(site.step_hours)
    longest: Floats = tried * np.float64(site.step_hours)
    hours.flags.writeable = longest.flags.writeable = False
    return Resilience(hours, longest, site.step_hours)


def outage_reserve(
    site: Site,
    battery: Battery | BessDevice,
    hours: float,
    *,
    starts: Sequence[int | str | datetime] | None = None,
    critical_load_kwh: Any = None,
    critical_load_fraction: float | None = None,
    min_state_of_charge: float | None = None,
) -> Floats:
    """The least state of charge at the end of each step from which an outage is survived.

    An outage of so many ``hours`` (whole steps, rounded up) begins with any step, or with those of
    ``starts`` only (positions of steps, or instants in them). What comes out is
    for `dispatch` as ``reserve_state_of_charge``, which every strategy keeps. Where even a full
    battery does not carry the critical load, it is the battery's most; `resilience` tells. The
    other arguments, and outages that reach past the horizon's end, are as there.

    >>> site = Site(load_kwh=[2, 2, 2, 2], solar_kwh=[0, 0, 3, 0], start="2025-06-01T10:00Z")
    >>> battery = Battery(capacity_kwh=4, min_state_of_charge=0, dc_to_ac_efficiency=1)
    >>> outage_reserve(site, battery, 2, critical_load_fraction=0.5).tolist()
    [0.25, 0.0, 0.25, 0.0]

    Raises
    ------
    InputError
        Naming the argument that is not valid.
    """
    own = island(
        site,
        battery,
        critical_load_kwh,
        critical_load_fraction,
        min_state_of_charge,
    )
    n = site.steps
    steps = int(np.ceil(number(hours, "hours") / site.step_hours - _ROUNDING))
    if not 1 <= steps <= n:
        raise InputError.at(
            "hours", f"must be above 0 and at most {n * site.step_hours:g}, the horizon", hours
        )
    # From the last stretch back to the first, each twice as long as the one before.
    stretch, total, length = own.steps, None, 1
    at = np.arange(len(stretch.need))
    while True:
        if steps & length:
            total = stretch if total is None else then(stretch, total.at(at + length))
        if 2 * length > steps:
            break
        stretch = then(stretch, stretch.at(at + length))
        length *= 2
    assert total is not None
    need = np.clip(total.need / own.capacity, own.least, own.most)
    if starts is not None:
        asked = np.zeros(len(need), np.bool_)
        asked[[_position(site, start, i) for i, start in enumerate(starts)]] = True
        need = np.where(asked, need, own.least)
    found: Floats = np.append(need[1:n], need[0] if own.endless else own.least)
    found.flags.writeable = False
    return found


def _position(site: Site, start: int | str | datetime, i: int) -> int:
    path = f"starts[{i}]"
    if isinstance(start, (int, np.integer)) and not isinstance(start, bool):
        step = int(start)
    else:
        moment = parse_instant(start, path)  # type: ignore[arg-type]
        seconds = int(np.floor(moment.timestamp())) - site.timeline.start_seconds
        step = seconds // site.timeline.step_seconds
    if not 0 <= step < site.steps:
        raise InputError.at(
            path, f"must be one of the {site.steps} steps, or an instant in one", start
        )
    return step
