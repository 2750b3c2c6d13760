"""The plain numbers the slow twin works on: a step of a site, a battery, flows, windows."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

INF = math.inf


class Infeasible(Exception):  # noqa: N818 - the field's word
    """A load above the import limit that no stored energy can help."""

    def __init__(self, step: int) -> None:
        super().__init__(f"step {step}")
        self.step = step


@dataclass(frozen=True)
class Step:
    """What the site does in one step: kWh AC, the solar as its inverter would give it.

    `inverter_limit` is that of the inverter which the sun shares with a DC-coupled battery.
    """

    load: float
    solar: float = 0.0
    export_limit: float = INF
    import_limit: float = INF
    solar_to_grid: bool = True
    inverter_limit: float = INF

    @property
    def output(self) -> float:
        return min(self.solar, self.inverter_limit)

    @property
    def surplus(self) -> float:
        return self.solar - min(self.output, self.load)

    @property
    def deficit(self) -> float:
        return max(self.load - self.output, 0.0)

    def seen_by(self, store: Store) -> Step:
        """The step as a battery sees it: one with its own inverter sees only the sun's output."""
        return self if store.dc_coupled else replace(self, solar=self.output, inverter_limit=INF)


@dataclass(frozen=True)
class Store:
    """A battery: stored energy in kWh, limits in kWh DC per step."""

    lowest: float
    highest: float
    initial: float
    charge_limit: float
    discharge_limit: float
    ac_to_dc: float = 1.0
    dc_to_ac: float = 1.0
    input_efficiency: float = 1.0
    solar_efficiency: float = 1.0  # of the site's solar inverter
    dc_coupled: bool = False
    grid_to_battery: bool = True
    battery_to_grid: bool = True
    solar_to_battery: bool = True
    wear: float = 0.0  # money per kWh DC leaving the cells
    retention: float = 1.0  # what is left of stored energy after a step

    @property
    def solar_gain(self) -> float:
        """kWh DC that reach the battery for each kWh AC of solar the site goes without."""
        return 1.0 / self.solar_efficiency if self.dc_coupled else self.ac_to_dc


@dataclass(frozen=True)
class Flows:
    """The flows of one step under the names of a result."""

    grid_to_site_kwh_ac: float
    grid_to_battery_kwh_ac: float
    solar_to_battery_kwh_dc: float
    solar_to_site_kwh_ac: float
    solar_to_grid_kwh_ac: float
    solar_curtailed_kwh_dc: float
    battery_to_site_kwh_ac: float
    battery_to_grid_kwh_ac: float

    @property
    def imported(self) -> float:
        return self.grid_to_site_kwh_ac + self.grid_to_battery_kwh_ac

    @property
    def exported(self) -> float:
        return self.solar_to_grid_kwh_ac + self.battery_to_grid_kwh_ac


@dataclass(frozen=True)
class Window:
    """Stored energy (kWh) wanted at the end of a step; step -1 is the start of the horizon."""

    step: int
    low: float
    high: float
