"""What a dispatch costs, as the optimiser needs it: as a function of flows, and as a program's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bess._arrays import Floats
from bess.site import Site
from bess.unit import Unit

if TYPE_CHECKING:
    from bess.tariff import Tariff
    from bess.tariff.demand import PastPeaks
    from bess.tariff.meter_bounds import MeterBounds
    from bess.tariff.open_bill import OpenBill
    from bess.tariff.program import Charges

__all__ = ["BilledMoney", "Money", "PlannedMoney"]


@dataclass(eq=False)
class Money:
    """Prices by step, and degradation."""

    import_price: Floats
    export_price: Floats
    units: list[Unit]
    charges: Charges | None = None
    """The bill that the prices are part of; None where they are all there is."""
    solar_metered_apart: bool = False
    """Whether the sun has a meter of its own: it is sold whole and serves no load."""

    @property
    def ordered(self) -> bool:
        """Whether 0 <= export price <= import price in every step, whatever is done."""
        sold = self.export_price
        return bool((sold >= 0).all() and (sold <= self.import_price).all())

    def cost_and_scale(self, series: Floats, device_series: Floats) -> tuple[float, float]:
        """What flows cost, and the money that flows, at least 1: what a gap is relative to."""
        bought, sold = series[0] + series[1], series[4] + series[7]
        energy = float(np.dot(self.import_price, bought) - np.dot(self.export_price, sold))
        moved = float(np.dot(abs(self.import_price), bought))
        moved += float(np.dot(abs(self.export_price), sold))
        return energy + self._wear(device_series) - self._left(device_series), max(1.0, moved)

    def _left(self, device_series: Floats) -> float:
        """What the energy left at the end is worth."""
        ends = zip(self.units, device_series[:, 4, -1].tolist(), strict=True)
        return sum(unit.terminal_value(end) for unit, end in ends)

    def _wear(self, device_series: Floats) -> float:
        given = device_series[:, 2].sum(axis=1) + device_series[:, 3].sum(axis=1)
        costs = [
            unit.battery.degradation_cost_per_kwh / unit.battery.dc_to_ac_efficiency
            for unit in self.units
        ]
        return float(np.dot(costs, given))


class BilledMoney(Money):
    """The bill on a tariff, degradation, and what besides a kWh costs and earns in each step."""

    def __init__(
        self,
        site: Site,
        units: list[Unit],
        tariff: Tariff,
        besides: tuple[Floats, Floats] | None = None,
        past: PastPeaks | None = None,
    ) -> None:
        from bess.tariff.objective import charges_of

        apart = tariff.metering == "buy_all_sell_all"
        charges = charges_of(tariff, site.timeline, _meter_bounds(site, units, apart), past)
        self._besides = besides
        if besides is not None:
            charges = replace(
                charges,
                import_price=charges.import_price + besides[0],
                export_price=charges.export_price + besides[1],
            )
        super().__init__(charges.import_price, charges.export_price, units, charges, apart)
        self._site = site
        self._tariff = tariff
        self._past = past

    @property
    def ordered(self) -> bool:
        """Whether 0 <= export price <= import price in every step, whatever is done."""
        assert self.charges is not None
        if self._besides is None:
            return self.charges.ordered
        bought, sold = self._besides
        return self.charges.ordered and bool(((sold >= 0) & (sold <= bought)).all())

    def cost_and_scale(self, series: Floats, device_series: Floats) -> tuple[float, float]:
        """What is paid in all, and the sum of the bill's lines and the rest in size, at least 1."""
        from bess.tariff.bill import bill_energy

        bought, sold = series[0] + series[1], series[4] + series[7]
        bill = bill_energy(self._site, self._tariff, bought, sold, past=self._past)
        moved = sum(abs(line.amount) for line in bill.lines)
        paid = bill.total + self._wear(device_series) - self._left(device_series)
        if self._besides is not None:
            own = self._besides[0] * bought - self._besides[1] * sold
            paid, moved = paid + float(own.sum()), moved + float(abs(own).sum())
        return paid, max(1.0, moved)


class PlannedMoney(Money):
    """The bill of a whole horizon, metered before a plan and foreseen after it, and degradation."""

    def __init__(self, bill: OpenBill, first: int, last: int, beyond: Floats, unit: Unit) -> None:
        charges = bill.charges(first, last, *beyond)
        prices = charges.import_price, charges.export_price
        super().__init__(*prices, [unit], charges)
        self._bill = bill
        self._first = first
        self._last = last
        self._beyond = beyond

    @property
    def ordered(self) -> bool:
        """Whether 0 <= export price <= import price in every step, whatever is done."""
        return self._bill.ordered

    def cost_and_scale(self, series: Floats, device_series: Floats) -> tuple[float, float]:
        """The whole bill, degradation, and the plan's part of the money that flows, at least 1."""
        bought = np.concatenate([series[0] + series[1], self._beyond[0]])
        sold = np.concatenate([series[4] + series[7], self._beyond[1]])
        bill = self._bill.with_energies(self._first, bought, sold, self._last)
        cost = bill.total + self._wear(device_series) - self._left(device_series)
        part = (self._last - self._first) / (self._first + len(bought))
        return cost, max(1.0, part * sum(abs(line.amount) for line in bill.lines))


def _meter_bounds(site: Site, units: list[Unit], solar_metered_apart: bool) -> MeterBounds:
    """What can cross the meter, whatever the batteries do."""
    from bess.tariff.meter_bounds import MeterBounds

    taken = given = sold = shifted = 0.0
    solar_ratio = 1 / site.solar_dc_to_ac_efficiency
    for unit in units:
        battery = unit.battery
        lowest = 0.0 if battery.self_discharge_per_hour else battery.min_state_of_charge
        energy = battery.capacity_kwh * (battery.max_state_of_charge - lowest)
        if battery.allow_grid_to_battery:
            charge = min(
                battery.charge_power_kw * site.step_hours, energy / battery.input_efficiency
            )
            taken += charge / battery.ac_to_dc_efficiency
        discharge = min(battery.discharge_power_kw * site.step_hours, energy)
        shifted += energy * battery.dc_to_ac_efficiency
        into = max(battery.ac_to_dc_efficiency, solar_ratio if battery.dc_coupled else 0.0)
        if into * battery.input_efficiency * battery.dc_to_ac_efficiency > 1:
            shifted = np.inf  # more comes out than went in
        given += discharge * battery.dc_to_ac_efficiency
        if battery.allow_battery_to_grid:
            sold += discharge * battery.dc_to_ac_efficiency
    solar = site.solar_kwh
    most_import = site.load_kwh + taken
    most_export = (solar if site.allow_solar_to_grid else 0.0 * solar) + sold
    if site.import_limit_kwh is not None:
        most_import = np.minimum(most_import, site.import_limit_kwh)
    if site.export_limit_kwh is not None:
        most_export = np.minimum(most_export, site.export_limit_kwh)
    net_load = site.load_kwh if solar_metered_apart else site.load_kwh - solar
    least_import = np.maximum(net_load - given, 0.0)
    if site.inverter_limit_kwh is not None:
        most_import = np.minimum(most_import, site.load_kwh + site.inverter_limit_kwh)
        most_export = np.minimum(most_export, site.inverter_limit_kwh)
        least_import = np.maximum(least_import, site.load_kwh - site.inverter_limit_kwh)
    least_import = np.minimum(least_import, most_import)
    if solar_metered_apart:
        shifted += float(solar.sum())  # what the sun gives the battery comes without import
    return MeterBounds(most_import, most_export, least_import, net_load, shifted)
