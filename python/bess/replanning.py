"""The plans of a rolling horizon, and what is carried out of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from bess import _core
from bess._arrays import Floats
from bess.dynamic_program import Optimum
from bess.errors import InfeasibleError, SolverError
from bess.forecast import Foreseen
from bess.infeasibility import stated_windows
from bess.money import Money, PlannedMoney
from bess.optimization import optimize
from bess.site import Site
from bess.strategy import Optimize
from bess.unit import Unit

if TYPE_CHECKING:
    from bess.tariff import Tariff
    from bess.tariff.demand import PastPeaks
    from bess.tariff.meter_bounds import MeterBounds

__all__ = ["Plans", "Rolled", "roll_by_plans", "roll_by_steps"]

# Of forecasts by plan, how many values are laid out at once.
_AT_ONCE: Final = 1 << 18


@dataclass(frozen=True, eq=False)
class Plans:
    """What is planned, how, and from what: load and solar as foreseen."""

    site: Site
    unit: Unit
    strategy: Optimize
    ahead: tuple[Foreseen, Foreseen]
    horizon: int
    """How many steps a plan goes ahead."""
    replan: int
    """How many of them are carried out."""


@dataclass(frozen=True, eq=False)
class Rolled:
    """What the plans came to, step by step."""

    series: Floats
    device_series: Floats
    engine: str
    relaxed: list[int]
    """First steps of plans that could not meet every window and limit."""
    over_import_limit: list[int]
    marginal_value: Floats | None = None


def roll_by_steps(plans: Plans, money: Money) -> Rolled:
    """At prices by step the core plans and carries out, a stretch of plans at a time."""
    site, unit, horizon, replan = plans.site, plans.unit, plans.horizon, plans.replan
    device = unit.core_device(site.step_hours, stated_windows(site, [unit])[0])
    prices = money.import_price, money.export_price
    problem = _core.Problem(site._core, [device], *prices, False)
    energy = unit.initial_energy
    energies, worths = [], []
    relaxed: list[int] = []
    over: list[int] = []
    stretch = replan * max(_AT_ONCE // min(horizon, site.steps), 1)
    for first in range(0, site.steps, stretch):
        last = min(first + stretch, site.steps)
        (load, load_stride), (solar, solar_stride) = (f.rows(first, last) for f in plans.ahead)
        done = _core.roll(
            problem, load, solar, load_stride, solar_stride, horizon, replan, first, last, energy
        )
        energies.append(done[0])
        worths.append(done[1])
        relaxed += done[2]
        over += done[3]
        energy = float(done[0][-1])
    series, device_series = _flows(site, device, prices, np.concatenate(energies), over)
    return Rolled(series, device_series, "core", relaxed, over, np.concatenate(worths))


def roll_by_plans(
    plans: Plans, money: Money, tariff: Tariff | None, past: PastPeaks | None
) -> Rolled:
    """Each plan is optimised by itself, against what the tariff charges for the whole horizon."""
    return _Roller(plans, money, tariff, past).run()


@dataclass(eq=False)
class _Done:
    """What is carried out so far."""

    series: list[Floats] = field(default_factory=list)
    device_series: list[Floats] = field(default_factory=list)
    relaxed: list[int] = field(default_factory=list)
    over: list[int] = field(default_factory=list)
    engines: set[str] = field(default_factory=set)


class _Roller:
    def __init__(
        self, plans: Plans, money: Money, tariff: Tariff | None, past: PastPeaks | None
    ) -> None:
        self._plans = plans
        self._prices = money.import_price, money.export_price
        self._typical = self._prices
        self._bill = None
        if tariff is not None:
            from bess.tariff.open_bill import OpenBill, typical_prices

            self._bill = OpenBill(plans.site, tariff, _loose_bounds(plans), past)
            self._typical = typical_prices(tariff, plans.site.timeline)
        b = plans.unit.battery
        self._site = plans.site
        self._device = plans.unit.core_device(
            plans.site.step_hours, stated_windows(plans.site, [plans.unit])[0]
        )
        self._capacity = b.capacity_kwh
        self._kept = (1 - b.self_discharge_per_hour) ** plans.site.step_hours
        self._terminal = b.terminal_window
        if b.self_discharge_per_hour:  # the end asks for no more than it leaves
            _, low, high = stated_windows(plans.site, [plans.unit])[0][-1]
            self._terminal = low / b.capacity_kwh, high / b.capacity_kwh

    def run(self) -> Rolled:
        done = _Done()
        energy = self._plans.unit.initial_energy
        steps = self._site.steps
        for first in range(0, steps, self._plans.replan):
            last = min(first + self._plans.horizon, steps)
            optimum = self._plan(first, last, energy, done)
            end = min(first + self._plans.replan, last)
            changes = np.zeros(end - first)
            if optimum is not None:
                done.engines.add(optimum.engine)
                planned = self._capacity * optimum.device_series[0, 4, : end - first]
                changes = planned - self._kept * np.append(energy, planned[:-1])
            energy = self._carry_out(first, energy, changes, done)
        series, device_series = (
            np.concatenate(parts, axis=-1) for parts in (done.series, done.device_series)
        )
        for array in (series, device_series):
            array.flags.writeable = False
        engine = " and ".join(sorted(done.engines)) or "highs"
        return Rolled(series, device_series, engine, done.relaxed, done.over)

    def _plan(self, first: int, last: int, energy: float, done: _Done) -> Optimum | None:
        """A plan from ``first`` to before ``last``; None where there is none at all."""
        load, solar = (f.ahead(first, last - first) for f in self._plans.ahead)
        expected = self._site._part(first, last, load_kwh=load, solar_kwh=solar)
        unit = self._unit(first, last, energy)
        if last < self._site.steps and not unit.end_worth:
            value = _end_value(expected, unit, *(p[first:last] for p in self._typical))
            unit = replace(unit, end_worth=((value, self._capacity),))
        money = self._money(first, last, unit)
        strategy = self._plans.strategy.model_copy(update={"relax_policies": False})
        try:
            return optimize(expected, [unit], strategy, money)
        except (InfeasibleError, SolverError):
            done.relaxed.append(first)
        expected, unit = _relaxed(expected, unit)
        money.units = [unit]
        try:
            return optimize(expected, [unit], strategy, money)
        except (InfeasibleError, SolverError):
            return None

    def _unit(self, first: int, last: int, energy: float) -> Unit:
        """The unit as it stands, with the windows of a plan."""
        unit = self._plans.unit
        battery = unit.battery.model_copy(
            update={
                "initial_state_of_charge": energy / self._capacity,
                "min_state_of_charge": min(
                    unit.battery.min_state_of_charge, energy / self._capacity
                ),
                "terminal_state_of_charge": self._terminal if last == self._site.steps else "free",
            }
        )
        windows = tuple(
            replace(window, step=window.step - first)
            for window in unit.windows
            if first <= window.step < last
        )
        return replace(unit, battery=battery, windows=windows)

    def _money(self, first: int, last: int, unit: Unit) -> Money:
        if self._bill is None:
            bought, sold = (p[first:last] for p in self._prices)
            return Money(bought, sold, [unit])
        beyond = np.zeros((2, self._site.steps - last))
        if self._bill.couples_energy:
            beyond = self._beyond(first, last)
        return PlannedMoney(self._bill, first, last, beyond, unit)

    def _beyond(self, first: int, last: int) -> Floats:
        """Import and export without storage after a plan, as far as they are foreseen.

        That is to the end of the billing period or, of a forecast made once, of the horizon.
        """
        from bess.tariff.bill import meter_without_storage

        assert self._bill is not None
        found = np.zeros((2, self._site.steps - last))
        end = self._bill.period_end(last - 1)
        if all(f.is_made_once for f in self._plans.ahead):
            end = self._site.steps
        if end > last:
            load, solar = (f.ahead(first, end - first)[last - first :] for f in self._plans.ahead)
            after = self._site._part(last, end, load_kwh=load, solar_kwh=solar)
            found[:, : end - last] = meter_without_storage(after, None)
        return found

    def _carry_out(self, first: int, energy: float, changes: Floats, done: _Done) -> float:
        """Carries out the changes of stored energy from ``first`` on; returns what is stored."""
        last = first + len(changes)
        energies, over = _core.carry_out(self._site._core, self._device, first, energy, changes)
        actual = self._site._part(first, last)
        device = self._unit(first, last, energy).core_device(self._site.step_hours, [])
        bought, sold = (p[first:last] for p in self._typical)
        if self._bill is not None and self._bill.ordered:
            bought, sold = np.ones(len(changes)), np.zeros(len(changes))
        series, device_series = _flows(
            actual, device, (bought, sold), np.array(energies), [step - first for step in over]
        )
        if self._bill is not None:
            self._bill.meter(first, series[0] + series[1], series[4] + series[7])
        done.series.append(series)
        done.device_series.append(device_series)
        done.over += over
        return energies[-1]


def _end_value(expected: Site, unit: Unit, bought: Floats, sold: Floats) -> float:
    """What one more kWh DC left at the end of a plan will save or earn."""
    b = unit.battery
    deficit = np.maximum(expected.load_kwh - expected.solar_kwh, 0.0)
    gain = float(sold.mean()) if b.allow_battery_to_grid else 0.0
    if deficit.any():
        gain = max(gain, float(np.dot(deficit, bought) / deficit.sum()))
    return max(gain * b.dc_to_ac_efficiency - b.degradation_cost_per_kwh, 0.0)


def _loose_bounds(plans: Plans) -> MeterBounds:
    """What holds for everything that is metered or foreseen, and tells nothing of when."""
    from bess.tariff.meter_bounds import MeterBounds

    load, solar = (2.0 ** np.ceil(np.log2(max(f.most, 1e-3))) for f in plans.ahead)
    b, hours = plans.unit.battery, plans.site.step_hours
    whole = np.ones(plans.site.steps)
    return MeterBounds(
        most_import=whole * (load + b.charge_power_kw * hours / b.ac_to_dc_efficiency),
        most_export=whole * (solar + b.discharge_power_kw * hours),
        least_import=0.0 * whole,
        net_load=-solar * whole,
        most_shifted=np.inf,
    )


def _relaxed(expected: Site, unit: Unit) -> tuple[Site, Unit]:
    """What comes nearest to the windows; without the import limit where load alone is above it."""
    core_battery = unit.core_battery(expected.step_hours)
    asked = stated_windows(expected, [unit])[0]
    energy = unit.initial_energy

    def corridor(site: Site) -> _core.Corridor:
        return _core.make_corridor(site._core, core_battery, asked, energy, energy)

    met = corridor(expected)
    if met.infeasible_step >= 0:
        expected = expected._part(0, expected.steps, import_limit_kwh=None)
        met = corridor(expected)
    capacity = unit.battery.capacity_kwh
    nearest = [(low / capacity, high / capacity) for _, low, high in met.attained]
    windows = tuple(
        replace(window, minimum=low, maximum=high)
        for window, (low, high) in zip(unit.windows, nearest, strict=False)
    )
    battery = unit.battery.model_copy(update={"terminal_state_of_charge": nearest[-1]})
    return expected, replace(unit, windows=windows, battery=battery)


def _flows(
    site: Site,
    device: _core.Device,
    prices: tuple[Floats, Floats],
    energies: Floats,
    over_import_limit: list[int],
) -> tuple[Floats, Floats]:
    """The least-cost flows of stored energies; in some steps the load is served above the limit."""
    core_site = site._core
    if over_import_limit:
        assert site.import_limit_kwh is not None
        limit = np.array(site.import_limit_kwh)
        limit[over_import_limit] = np.maximum(limit, site.load_kwh)[over_import_limit]
        core_site = site._part(0, site.steps, import_limit_kwh=limit)._core
    problem = _core.Problem(core_site, [device], *prices, False)
    series, device_series, feasible = _core.write_schedule(problem, energies)
    assert feasible
    return series, device_series
