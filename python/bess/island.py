"""A site cut off from the grid: what its battery must hold for the load to be carried.

In an outage the sun serves the critical load first and charges the battery with what is left; the
battery serves the rest. More stored energy never hurts, so over any stretch of steps the energy
after it is that before it, shrunk and shifted and at most full, provided that there was enough:
three numbers and a threshold, and two stretches in a row are again one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bess._arrays import Floats, broadcast, number
from bess.battery import Battery
from bess.device import BessDevice
from bess.errors import InputError
from bess.site import Site
from bess.unit import units_of

__all__ = ["Island", "Stretch", "island", "then"]

_YEAR_SECONDS: Final = 365 * 86_400
_ROUNDING: Final = 1e-9


class Stretch(NamedTuple):
    """Stretches of steps from every start: from an energy s of at least ``need`` (else the load is
    not carried) to min(``most``, ``kept`` * s + ``gained``), kWh DC.
    """

    need: Floats
    kept: Floats
    gained: Floats
    most: Floats

    def at(self, starts: NDArray[np.intp]) -> Stretch:
        """Those from other starts, counted round."""
        return Stretch(*(part[starts % len(self.need)] for part in self))

    def after(self, energy: Floats) -> Floats:
        """The energy after each."""
        return np.minimum(self.most, self.kept * energy + self.gained)


def then(first: Stretch, second: Stretch) -> Stretch:
    """One stretch after the other."""
    reached = np.where(first.most >= second.need, (second.need - first.gained) / first.kept, np.inf)
    return Stretch(
        np.maximum(first.need, reached),
        first.kept * second.kept,
        second.kept * first.gained + second.gained,
        np.minimum(second.most, second.kept * first.most + second.gained),
    )


@dataclass(frozen=True, eq=False)
class Island:
    """The site in an outage; states of charge are fractions of ``capacity``."""

    steps: Stretch
    endless: bool
    """Whether the horizon begins again where it ends; else steps without any load follow."""
    capacity: float
    least: float
    most: float
    initial: float


def island(
    site: Site,
    battery: Battery | BessDevice,
    critical_load_kwh: Any,
    critical_load_fraction: float | None,
    min_state_of_charge: float | None,
) -> Island:
    """The island of a site and a battery; the arguments are those of `bess.resilience`."""
    if not isinstance(site, Site):
        raise InputError.at("site", "must be a bess.Site", site)
    if not isinstance(battery, (Battery, BessDevice)):
        raise InputError.at("battery", "must be one Battery or BessDevice", battery)
    n, b = site.steps, units_of(site, battery, (), {})[0].battery
    if critical_load_kwh is not None and critical_load_fraction is not None:
        raise InputError.at("critical_load_fraction", "cannot be given with critical_load_kwh")
    if critical_load_kwh is not None:
        load = broadcast(critical_load_kwh, "critical_load_kwh", n, minimum=0.0)
    else:
        part = 0.5 if critical_load_fraction is None else critical_load_fraction
        load = site.load_kwh * number(part, "critical_load_fraction", minimum=0.0)
    least = b.min_state_of_charge
    if min_state_of_charge is not None:
        least = number(min_state_of_charge, "min_state_of_charge", minimum=0.0)
        if least >= b.max_state_of_charge:
            raise InputError.at(
                "min_state_of_charge",
                f"must be below max_state_of_charge ({b.max_state_of_charge:g})",
                least,
            )
    output = site.solar_output_kwh
    drawn = np.maximum(load - output, 0.0) / b.dc_to_ac_efficiency
    left = (site.solar_kwh if b.dc_coupled else output) - np.minimum(load, output)
    into = 1 / site.solar_dc_to_ac_efficiency if b.dc_coupled else b.ac_to_dc_efficiency
    sun = left * into * b.allow_solar_to_battery
    stored = np.minimum(sun, b.charge_power_kw * site.step_hours) * b.input_efficiency
    power = b.discharge_power_kw * site.step_hours
    kept = (1 - b.self_discharge_per_hour) ** site.step_hours
    need = np.where(drawn > 0, (least * b.capacity_kwh + drawn) / kept, -np.inf)
    need[drawn > power * (1 + _ROUNDING)] = np.inf
    if b.dc_coupled and site.inverter_limit_kwh is not None:
        need[load > site.inverter_limit_kwh * (1 + _ROUNDING)] = np.inf
    highest = b.capacity_kwh * b.max_state_of_charge
    steps = Stretch(need, np.full(n, kept), stored - drawn, np.full(n, highest))
    endless = n * site.timeline.step_seconds >= _YEAR_SECONDS
    if not endless:
        nothing = (-np.inf, 1.0, 0.0, highest)
        steps = Stretch(
            *(np.append(part, np.full(n, v)) for part, v in zip(steps, nothing, strict=True))
        )
    return Island(
        steps, endless, b.capacity_kwh, least, b.max_state_of_charge, b.initial_state_of_charge
    )
