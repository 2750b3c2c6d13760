"""What a year costs at one size, and by a plane at least at every other.

With perfect foresight, and steps that are all convex, the least cost of a year is the value of a
linear program in whose right-hand side capacity and power stand, so it is jointly convex in them.
What stored energy is worth by step, found for one size, gives by weak duality a plane that is
nowhere above that cost. A tariff's rows over several steps (peaks, bands, ratchets) leave, with the
prices that the cuts found for them, prices by step and a constant, which undercut nothing at any
size. Steps that are not convex have convex hulls below them.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from copy import copy
from typing import Any, Final, NamedTuple, Protocol

from bess import _core
from bess._arrays import Floats
from bess.battery import Battery
from bess.decomposition import Recollection, not_by_cuts
from bess.decomposition.coupled_rows import CoupledRows, split
from bess.decomposition.loop import Rounds
from bess.dynamic_program import StepSolver
from bess.errors import InfeasibleError, SolverError
from bess.highs import Clock
from bess.money import BilledMoney, Money
from bess.optimization import optimize
from bess.prices import Prices
from bess.site import Site
from bess.strategy import Optimize, Strategy
from bess.tariff import Tariff
from bess.tariff.demand import past_peaks
from bess.unit import Unit, units_of

__all__ = ["Plane", "Planes", "planes_of"]

_PLAIN: Final = Optimize()
_ROUNDING: Final = 1e-9
_ANY: Final = ("gap", "time_limit", "engine")
"""The options of a strategy that do not bear on what the least cost is."""


class Plane(NamedTuple):
    """The cost of a year at one size, and a plane that no size's cost is below."""

    cost: float
    least: float
    """The plane there."""
    per_kwh: float
    per_kw: float
    hulls: int
    """How many steps are not convex, and have a convex hull below them."""


class Planes(Protocol):
    """Planes at any size up to the largest."""

    @property
    def nearness(self) -> float:
        """Relative to the cost: how near a plane comes to it where all is convex."""
        ...

    def at(self, capacity_kwh: float, power_kw: float) -> Plane | None:
        """The plane at a size; None where no dispatch of it serves the site."""
        ...


def planes_of(
    site: Site,
    battery: Battery,
    strategy: Strategy,
    paid: Tariff | Prices,
    policies: Sequence[Any],
    past_peaks_kw: Any,
    largest: tuple[float, float],
) -> Planes | str:
    """The planes of a battery up to its largest capacity and power, or why there are none."""
    if not isinstance(strategy, Optimize):
        return f"{type(strategy).__name__} is a rule, under which cost is not convex in size"
    if strategy != _PLAIN.model_copy(update={name: getattr(strategy, name) for name in _ANY}):
        return "the strategy has options of its own"
    if battery.self_discharge_per_hour:
        return "the battery discharges by itself"
    sized = _Sized(site, battery, strategy, policies, largest)
    if isinstance(paid, Prices):
        prices = paid.series(site.steps)
        return _StepPlanes(sized, Money(*prices, [sized.largest.with_wear(0.0)]))
    money = BilledMoney(sized.site, [sized.largest], paid, past=past_peaks(past_peaks_kw, paid))
    assert money.charges is not None
    apart = not_by_cuts([sized.largest], strategy, money)
    if apart is not None:
        return apart
    if not money.charges.rows:
        money.units = [sized.largest.with_wear(0.0)]
        return _StepPlanes(sized, money, money.charges.coupling.offset)
    rows = split(money.charges, (), battery)
    if rows is None:
        return "the tariff charges on too many sums over steps"
    if len(rows.whole):
        return "the tariff has choices (a band that is cheaper than the one before it, say)"
    return _TariffPlanes(sized, money, rows)


class _Sized:
    """One battery in several sizes."""

    def __init__(
        self,
        site: Site,
        battery: Battery,
        strategy: Optimize,
        policies: Sequence[Any],
        largest: tuple[float, float],
    ) -> None:
        self.site = site if battery.dc_coupled else site.behind_inverter
        self.strategy = strategy
        self._battery, self._policies = battery, policies
        self.largest = self.unit(*largest)

    def unit(self, capacity_kwh: float, power_kw: float) -> Unit:
        names = ("capacity_kwh", "charge_power_kw", "discharge_power_kw")
        size = dict(zip(names, (capacity_kwh, power_kw, power_kw), strict=True))
        return units_of(self.site, self._battery.model_copy(update=size), self._policies, {})[0]

    def solver(self, unit: Unit) -> StepSolver:
        return StepSolver(self.site, unit, self.strategy)

    def plane(
        self, unit: Unit, prices: tuple[Floats, Floats], cost: float, constant: float
    ) -> Plane | None:
        """The plane at prices by step and a constant, without wear."""
        problem, largest = (self.solver(u).problem(*prices, 0.0) for u in (unit, self.largest))
        found = _core.size_cut(problem, largest)
        if found is None:
            return None
        least, per_kwh, per_charge, per_discharge, hulls = found
        per_kw = (per_charge + per_discharge) * self.site.step_hours
        return Plane(cost, least + constant, per_kwh, per_kw, hulls)


class _StepPlanes:
    """At prices by step, and a constant."""

    nearness = _ROUNDING

    def __init__(self, sized: _Sized, money: Money, constant: float = 0.0) -> None:
        self._sized, self._money, self._constant = sized, money, constant
        self._prices = money.import_price, money.export_price

    def at(self, capacity_kwh: float, power_kw: float) -> Plane | None:
        unit = self._sized.unit(capacity_kwh, power_kw)
        try:
            found = self._sized.solver(unit).solve(*self._prices)
        except InfeasibleError:
            return None
        if found is None:
            return None
        cost, _ = self._money.cost_and_scale(found.series, found.device_series)
        return self._sized.plane(unit, self._prices, cost, self._constant)


class _TariffPlanes:
    """On a tariff that charges for more than a step.

    ``money`` is that of the largest battery, with which most crosses the meter: what bounds the
    tariff's columns there bounds them at every size.
    """

    def __init__(self, sized: _Sized, money: BilledMoney, rows: CoupledRows) -> None:
        self._sized, self._money, self._rows = sized, money, rows
        self._bill = copy(money)
        self._bill.units = [sized.largest.with_wear(0.0)]
        self._similar: Recollection | None = None
        self.nearness = max(sized.strategy.gap, _ROUNDING)

    def at(self, capacity_kwh: float, power_kw: float) -> Plane | None:
        sized, rows, money = self._sized, self._rows, self._money
        unit = sized.unit(capacity_kwh, power_kw)
        clock = Clock(sized.strategy.time_limit)
        rounds = Rounds(sized.site, unit, sized.strategy, money, (), rows, clock)
        try:
            found = rounds.run(None, self._similar)
        except (InfeasibleError, SolverError):
            return None
        if found is None:
            return None
        self._similar = found.search or self._similar
        cost, _ = self._bill.cost_and_scale(found.series, found.device_series)
        *prices, constant = rounds.row_prices.by_step(rows, money)
        plane = sized.plane(unit, (prices[0], prices[1]), cost, constant)
        if plane is None or plane.hulls or found.gap <= sized.strategy.gap:
            return plane
        # The prices are right where a mixture of schedules is still to be found.
        with suppress(SolverError):
            better = optimize(sized.site, [unit], sized.strategy, money)
            cost, _ = self._bill.cost_and_scale(better.series, better.device_series)
        return plane._replace(cost=min(cost, plane.cost))
