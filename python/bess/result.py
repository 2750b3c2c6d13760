"""What a dispatch gives: every flow, the state of charge, the cost, and what was missed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from bess._arrays import Floats, freeze
from bess.errors import MissingExtraError
from bess.site import Site

if TYPE_CHECKING:
    import pandas as pd

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

DEVICE_SERIES: Final = (
    "grid_to_battery_kwh_ac",
    "solar_to_battery_kwh_dc",
    "battery_to_site_kwh_ac",
    "battery_to_grid_kwh_ac",
    "battery_soc",
)


class _Row:
    """One row of an object's ``series``, as a read-only attribute."""

    def __init__(self, row: int, doc: str) -> None:
        self._row = row
        self.__doc__ = doc

    def __get__(self, instance: Any, owner: type) -> Floats:
        if instance is None:
            return cast("Floats", self)  # the class's attribute, with its docstring
        return cast("Floats", instance.series[self._row])


@dataclass(frozen=True)
class Violation:
    """A policy's window that was missed: when, what was wanted, and the state of charge reached.

    >>> from datetime import UTC
    >>> print(Violation(None, datetime(2025, 6, 1, 17, tzinfo=UTC), 0.8, 1.0, 0.655))
    2025-06-01T17:00:00+00:00: state of charge 65.50 %, wanted 80 to 100 %
    """

    device: str | None
    """The device's name; None for a plain `Battery`."""
    timestamp: datetime
    """The policy's own instant, on the site's clock."""
    minimum: float
    """Least state of charge wanted, a fraction of capacity."""
    maximum: float
    """Most state of charge wanted, a fraction of capacity."""
    state_of_charge: float
    """The state of charge reached at the end of the step with that instant, a fraction."""

    def __str__(self) -> str:
        whose = f"{self.device}: " if self.device else ""
        wanted = f"{100 * self.minimum:g} to {100 * self.maximum:g} %"
        reached = f"{100 * self.state_of_charge:.2f} %"
        return f"{whose}{self.timestamp.isoformat()}: state of charge {reached}, wanted {wanted}"


@dataclass(frozen=True, eq=False)
class DeviceResult:
    """One device's part of the flows; read-only series as in `Result`, of length ``site.steps``.

    >>> from bess import BessDevice, Site, Surplus, dispatch
    >>> site = Site(load_kwh=[0, 1], solar_kwh=[2, 0], start="2025-06-01T12:00Z")
    >>> device = BessDevice(
    ...     name="east", collector="main", maximum_charging_power=5000,
    ...     maximum_discharging_power=5000, operational_battery_capacity=10000)
    >>> east = dispatch(site, device, Surplus()).devices["east"]
    >>> east.solar_to_battery_kwh_dc.round(3).tolist(), round(east.equivalent_full_cycles, 4)
    ([1.9, 0.0], 0.1053)
    """

    name: str
    capacity_kwh: float
    """kWh DC."""
    initial_state_of_charge: float
    """A fraction of capacity; under a cyclic optimum, the one it found."""
    discharge_efficiency: float
    """kWh AC given for each kWh DC that leaves the cells."""
    violations: tuple[Violation, ...]
    """The windows of its own policies that were missed, in order of time."""
    series: Floats = field(repr=False)
    """Its five series in the order of ``DEVICE_SERIES``, shape (5, steps)."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(freeze(state))

    grid_to_battery_kwh_ac = _Row(0, "Grid energy sent to the device, before conversion.")
    solar_to_battery_kwh_dc = _Row(1, "Solar energy as it arrives at the device.")
    battery_to_site_kwh_ac = _Row(2, "Energy the device gives to the site.")
    battery_to_grid_kwh_ac = _Row(3, "Energy the device gives to the grid.")
    battery_soc = _Row(4, "State of charge at the end of each step, a fraction of capacity.")

    @property
    def stored_energy_change_kwh(self) -> float:
        """Energy stored at the end less that at the start, kWh DC."""
        return self.capacity_kwh * (float(self.series[4, -1]) - self.initial_state_of_charge)

    @property
    def discharge_kwh_dc(self) -> float:
        """Energy that left the cells over the horizon, kWh DC."""
        return float(self.series[2].sum() + self.series[3].sum()) / self.discharge_efficiency

    @property
    def equivalent_full_cycles(self) -> float:
        """Energy that left the cells over the horizon, in capacities."""
        return self.discharge_kwh_dc / self.capacity_kwh


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
    lower_bound: float | None = None
    """Under `Optimize`: no schedule can cost less than this (a certificate)."""
    gap: float | None = None
    """Under `Optimize`: cost less lower bound, relative to max(1, the money that flows)."""
    engine: str | None = None
    """Under `Optimize`: what found it, ``"core"`` or ``"highs"``."""
    marginal_value: Floats | None = field(default=None, repr=False)
    """Under `Optimize` by the core: what one more kWh DC stored in each step would be worth."""
    assumptions: tuple[str, ...] = ()
    """What was assumed on the caller's behalf."""
    tariff: Tariff | None = field(default=None, repr=False)
    """What it is billed on; None where prices were given, or nothing."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(freeze(state))

    grid_to_site_kwh_ac = _Row(0, "Grid energy that serves the load.")
    grid_to_battery_kwh_ac = _Row(1, "Grid energy sent to the battery, before conversion.")
    solar_to_battery_kwh_dc = _Row(2, "Solar energy as it arrives at the battery.")
    solar_to_site_kwh_ac = _Row(3, "Solar energy that serves the load.")
    solar_to_grid_kwh_ac = _Row(4, "Solar energy exported.")
    solar_curtailed_kwh_dc = _Row(5, "Solar energy not used.")
    battery_to_site_kwh_ac = _Row(6, "Battery energy that serves the load.")
    battery_to_grid_kwh_ac = _Row(7, "Battery energy exported.")
    net_load_kwh_ac = _Row(8, "Import minus export.")
    battery_soc = _Row(9, "State of charge at the end of each step, a fraction of capacity.")

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
    def bill(self) -> Bill | None:
        """The bill on the tariff of the dispatch (see `bess.bill`); None without one."""
        if self.tariff is None:
            return None
        from bess.tariff.bill import bill

        return bill(self, self.tariff)

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
        try:
            import pandas
        except ImportError:
            raise MissingExtraError("to_pandas()", "pandas") from None
        timeline = self.site.timeline
        seconds = timeline.start_seconds + timeline.step_seconds * np.arange(self.site.steps)
        index = pandas.DatetimeIndex(seconds.astype("datetime64[s]"), name="timestamp")
        columns: dict[str, Any] = {name: row.copy() for name, row in self.flows.items()}
        return pandas.DataFrame(columns, index=index.tz_localize("UTC").tz_convert(timeline.tzinfo))
