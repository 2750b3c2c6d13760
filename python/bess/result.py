"""What a dispatch gives: every flow, the state of charge, the cost, and what was missed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from bess._arrays import Floats, freeze
from bess.device_result import DeviceResult, Row, Violation
from bess.errors import needs_extra
from bess.site import Site

if TYPE_CHECKING:
    import pandas as pd

    from bess.emissions import Emissions
    from bess.tariff import Tariff
    from bess.tariff.bill import Bill

__all__ = ["DeviceResult", "Result", "Violation"]

SERIES: Final = (
    "grid_to_site_kwh_ac",
    "grid_to_battery_kwh_ac",
    "solar_to_battery_kwh_dc",
    "solar_to_site_kwh_ac",
    "solar_to_grid_kwh_ac",
    "solar_curtailed_kwh_dc",
    "battery_to_site_kwh_ac",
    "battery_to_grid_kwh_ac",
    "net_load_kwh_ac",
    "battery_soc",
)
"""The series of a result in the order in which the core stores them."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Result:
    """Everything a dispatch decided, as read-only series of length ``site.steps``.

    Flows are at least 0: kWh AC in a step, except ``solar_to_battery_kwh_dc`` (as it arrives at the
    battery) and ``solar_curtailed_kwh_dc``. ``net_load_kwh_ac`` is import minus export, signed;
    ``battery_soc`` the state of charge at the end of each step (of several devices, total energy
    over total capacity). Money is in the currency of the prices. Immutable; pickles.

    >>> from bess import Battery, Prices, Site, Surplus, dispatch
    >>> site = Site(load_kwh=[2, 2], solar_kwh=[3, 0], start="2025-06-01T12:00Z")
    >>> battery = Battery(capacity_kwh=10, initial_state_of_charge=0.1)
    >>> result = dispatch(site, battery, Surplus(), prices=Prices(import_price=0.3))
    >>> result.battery_soc.round(4).tolist(), result.net_load_kwh_ac.round(3).tolist()
    ([0.2016, 0.1], [0.0, 1.025])
    >>> round(result.cost, 4), round(result.stored_energy_change_kwh, 6), result.violations
    (0.3075, 0.0, ())
    """

    site: Site
    units: tuple[DeviceResult, ...]
    """Every battery or device, in the order given; a plain `Battery` is called "battery"."""
    named: bool
    """Whether they are devices, with names of their own."""
    series: Floats = field(repr=False)
    """All ten series in the order of ``SERIES``, shape (10, steps)."""
    import_price: Floats | None = field(default=None, repr=False)
    """What a kWh cost at the meter in each step; None without prices."""
    export_price: Floats | None = field(default=None, repr=False)
    """What a kWh earned at the meter in each step; None without prices."""
    degradation_cost_per_kwh: float = 0.0
    """Money for each kWh DC that left the cells."""
    objective: float | None = None
    """Under `Optimize`: what was least, by default the cost; with a price on emissions they are in
    it, and less the terminal value; under another objective kg emitted or kWh imported."""
    lower_bound: float | None = None
    """Under `Optimize`: the objective of no schedule is less than this (a certificate)."""
    gap: float | None = None
    """Under `Optimize`: objective less lower bound, relative to max(1, the money that flows), or
    to what is emitted or imported."""
    engine: str | None = None
    """Under `Optimize`: what found it, ``"core"`` or ``"highs"``."""
    marginal_value: Floats | None = field(default=None, repr=False)
    """Under `Optimize` by the core: what one more kWh DC stored in each step would be worth."""
    assumptions: tuple[str, ...] = ()
    """What was assumed on the caller's behalf."""
    tariff: Tariff | None = field(default=None, repr=False)
    """What it is billed on; None where prices were given, or nothing."""
    emissions: Emissions | None = field(default=None, repr=False)
    """What a kWh at the meter emits; None where that was not given."""
    past_peaks_kw: Any = field(default=None, repr=False)
    """Monthly peaks before the horizon that the bill knows; see `bess.bill`."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(freeze(state))

    grid_to_site_kwh_ac = Row(0, "Grid energy that serves the load.")
    grid_to_battery_kwh_ac = Row(1, "Grid energy sent to the battery, before conversion.")
    solar_to_battery_kwh_dc = Row(2, "Solar energy as it arrives at the battery.")
    solar_to_site_kwh_ac = Row(3, "Solar energy that serves the load.")
    solar_to_grid_kwh_ac = Row(4, "Solar energy exported.")
    solar_curtailed_kwh_dc = Row(5, "Solar energy not used.")
    battery_to_site_kwh_ac = Row(6, "Battery energy that serves the load.")
    battery_to_grid_kwh_ac = Row(7, "Battery energy exported.")
    net_load_kwh_ac = Row(8, "Import minus export.")
    battery_soc = Row(9, "State of charge at the end of each step, a fraction of capacity.")

    @property
    def flows(self) -> dict[str, Floats]:
        """All ten series by name, in the order of the specification."""
        return dict(zip(SERIES, self.series, strict=True))

    @property
    def timestamps(self) -> tuple[datetime, ...]:
        """The start of every step on the site's clock."""
        return self.site.timeline.timestamps

    @property
    def devices(self) -> Mapping[str, DeviceResult]:
        """Each `BessDevice`'s part by its name; empty for a `Battery`."""
        return {unit.name: unit for unit in self.units} if self.named else {}

    @property
    def violations(self) -> tuple[Violation, ...]:
        """The policies' windows that were missed, in order of time."""
        missed = (violation for unit in self.units for violation in unit.violations)
        return tuple(sorted(missed, key=lambda violation: violation.timestamp.timestamp()))

    @property
    def import_kwh_ac(self) -> Floats:
        """Energy bought at the meter in each step."""
        return self.grid_to_site_kwh_ac + self.grid_to_battery_kwh_ac

    @property
    def export_kwh_ac(self) -> Floats:
        """Energy sold at the meter in each step."""
        return self.solar_to_grid_kwh_ac + self.battery_to_grid_kwh_ac

    @property
    def stored_energy_change_kwh(self) -> float:
        """Energy stored at the end less that at the start, kWh DC."""
        return sum(unit.stored_energy_change_kwh for unit in self.units)

    @property
    def terminal_value(self) -> float:
        """Under `Optimize.terminal_value`: what the energy left at the end is worth; no part of
        `cost`.
        """
        return sum(unit.terminal_value for unit in self.units)

    @property
    def self_discharge_kwh(self) -> float:
        """Stored energy lost by self-discharge over the horizon, kWh DC."""
        return sum(unit.self_discharge_kwh for unit in self.units)

    @cached_property
    def degradation_cost(self) -> float:
        """Degradation cost of all energy that left the cells."""
        drawn = sum(unit.discharge_kwh_dc for unit in self.units)
        return self.degradation_cost_per_kwh * drawn if self.degradation_cost_per_kwh else 0.0

    @cached_property
    def energy_cost(self) -> float | None:
        """Energy bought less energy sold at prices by step; None where there are none."""
        if self.import_price is None or self.export_price is None:
            return None
        bought = float(np.dot(self.import_price, self.import_kwh_ac))
        return bought - float(np.dot(self.export_price, self.export_kwh_ac))

    @cached_property
    def emissions_kg(self) -> float | None:
        """What imports emitted less what exports are credited with; None without `Emissions`."""
        if self.emissions is None:
            return None
        bought, sold = self.emissions.series(self.site.steps)
        return float(np.dot(bought, self.import_kwh_ac) - np.dot(sold, self.export_kwh_ac))

    @property
    def self_consumption(self) -> float | None:
        """The part of the solar energy that served the site or was stored; None without solar."""
        solar = float(self.site.solar_kwh.sum())
        lost = self.solar_curtailed_kwh_dc * self.site.solar_dc_to_ac_efficiency
        unused = float(self.solar_to_grid_kwh_ac.sum() + lost.sum())
        return 1 - unused / solar if solar > 0 else None

    @property
    def self_sufficiency(self) -> float | None:
        """1 less energy imported over load; None without load."""
        load = float(self.site.load_kwh.sum())
        return 1 - float(self.import_kwh_ac.sum()) / load if load > 0 else None

    @cached_property
    def bill(self) -> Bill | None:
        """The bill on the tariff of the dispatch (see `bess.bill`); None without one."""
        if self.tariff is None:
            return None
        from bess.tariff.bill import bill

        return bill(self, self.tariff, past_peaks_kw=self.past_peaks_kw)

    @property
    def cost(self) -> float | None:
        """Bill (or energy cost) plus degradation cost; None without prices or tariff."""
        paid = self.energy_cost if self.bill is None else self.bill.total
        return None if paid is None else paid + self.degradation_cost

    def plot(self, start: date | datetime | str | None = None, *, days: int = 7) -> Any:
        """Flows and state of charge of some days, as a plotly figure (it shows in a notebook).

        ``start`` is a day of the site's clock, or an aware instant; by default the days are those
        in which the battery moves most.

        Raises
        ------
        InputError
            Where ``start`` lies outside the horizon.
        MissingExtraError
            Without the extra ``plots``.
        """
        from bess.plots.flows import week

        return week(self, start, days)

    def to_pandas(self) -> pd.DataFrame:
        """All ten series as columns, a row for each step's start on the site's clock.

        Raises
        ------
        MissingExtraError
            Without the extra ``pandas``.
        """
        with needs_extra("to_pandas()", "pandas"):
            import pandas
        timeline = self.site.timeline
        seconds = timeline.start_seconds + timeline.step_seconds * np.arange(self.site.steps)
        index = pandas.DatetimeIndex(seconds.astype("datetime64[s]"), name="timestamp")
        columns: dict[str, Any] = {name: row.copy() for name, row in self.flows.items()}
        return pandas.DataFrame(columns, index=index.tz_localize("UTC").tz_convert(timeline.tzinfo))
