"""The least bill and wear of a few steps on any tariff, from the specification alone.

`tariff_optimum` writes flows and every rule of money into one exact programme: `reference_exact`
makes maxima and minima exact, `reference_tariff_money` has the rules. `grid_optimum` tries every
path on a grid of stored energies and asks a judge what each costs.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reference_exact import Exact, Linear, less, times, total
from reference_models import INF, Flows, Step, Store
from reference_optimum import Terminal, Total, exporting, importing
from reference_tariff import Clock
from reference_tariff_energy import Meter
from reference_tariff_money import bill_terms

from bess.tariff import Tariff


@dataclass(frozen=True)
class TariffOptimum:
    """A least cost, and what crosses the meter at it."""

    cost: float
    """Bill and wear."""
    scale: float
    """The money of all lines, each without its sign."""
    imports: list[float]
    exports: list[float]
    wear: float


def tariff_optimum(
    steps: Sequence[Step],
    store: Store,
    tariff: Tariff,
    clock: Clock,
    terminal: Terminal,
    totals: Sequence[Total] = (),
) -> TariffOptimum | None:
    """The least cost over all steps under limits on sums; None if nothing is feasible.

    Raises `NotImplementedError` where a rate has its part of bands that count other times of use
    as well: that is a quotient of energies.
    """
    programme = Exact()
    own_meter = tariff.metering == "buy_all_sell_all"
    meter, drawn = _flows(programme, steps, store, terminal, own_meter)
    wear = times(store.wear, total(*drawn))
    for limit in totals:
        parts = [times(limit.drawn[0], total(*drawn))]
        parts += [times(f, i) for f, i in zip(limit.imported, meter.imports, strict=True)]
        parts += [times(f, e) for f, e in zip(limit.exported, meter.exports, strict=True)]
        programme.row(total(*parts), -INF, limit.most)
    lines = bill_terms(programme, tariff, clock, meter)
    values = programme.minimise(total(wear, *(line.amount for line in lines)))
    if values is None:
        return None

    def money(term: Linear) -> float:
        return sum(v * values[c] for c, v in term.items())

    return TariffOptimum(
        cost=money(wear) + sum(money(line.amount) for line in lines),
        scale=max(1.0, sum(abs(money(line.amount)) for line in lines)),
        imports=[money(term) for term in meter.imports],
        exports=[money(term) for term in meter.exports],
        wear=money(wear),
    )


def _flows(
    p: Exact, steps: Sequence[Step], s: Store, terminal: Terminal, own_meter: bool
) -> tuple[Meter, list[Linear]]:
    """The balances of every step; what crosses the meter, and what leaves the cells."""
    start_low, start_high = (s.lowest, s.highest) if terminal.cyclic else (s.initial, s.initial)
    start = energy = p.column(start_low, start_high)
    meter, drawn = Meter([], []), []
    for step in steps:
        most = s.charge_limit / s.ac_to_dc
        grid_to_site = p.column(high=step.load)
        grid_to_battery = p.column(high=most if s.grid_to_battery else 0.0)
        solar_to_site = p.column(high=0.0 if own_meter else step.load)
        solar_to_grid = p.column(high=step.solar if step.solar_to_grid else 0.0)
        solar_to_battery = p.column(high=s.charge_limit if s.solar_to_battery else 0.0)
        given = s.discharge_limit * s.dc_to_ac
        battery_to_site = p.column(high=min(step.load, given))
        battery_to_grid = p.column(high=given if s.battery_to_grid else 0.0)
        after = p.column(s.lowest, s.highest)

        charge = total(times(s.ac_to_dc, grid_to_battery), solar_to_battery)
        discharged = total(battery_to_site, battery_to_grid)
        discharge = times(1.0 / s.dc_to_ac, discharged)
        imports = total(grid_to_site, grid_to_battery)
        exports = total(solar_to_grid, battery_to_grid)
        p.row(total(grid_to_site, solar_to_site, battery_to_site), step.load, step.load)
        into_battery = times(1.0 / s.solar_gain, solar_to_battery)
        p.row(total(solar_to_site, solar_to_grid, into_battery), 0.0, step.solar)
        p.row(charge, 0.0, s.charge_limit)
        p.row(discharge, 0.0, s.discharge_limit)
        p.row(imports, 0.0, step.import_limit)
        p.row(exports, 0.0, step.export_limit)
        beside = discharged if s.dc_coupled else into_battery
        p.row(total(solar_to_site, solar_to_grid, beside), 0.0, step.inverter_limit)
        p.row(grid_to_battery, 0.0, step.inverter_limit if s.dc_coupled else INF)
        stored = less(times(s.input_efficiency, charge), discharge)
        p.row(less(total(times(s.retention, energy), stored), after), 0.0, 0.0)
        p.either([grid_to_battery, solar_to_battery], [battery_to_site, battery_to_grid])
        sold = [battery_to_grid] if own_meter else [solar_to_grid, battery_to_grid]
        p.either([grid_to_site, grid_to_battery], sold)

        meter.imports.append(imports)
        meter.exports.append(exports)
        drawn.append(discharge)
        energy = after
    if terminal.cyclic:
        p.row(less(energy, start), 0.0, 0.0)
    else:
        p.row(energy, max(terminal.low, s.lowest), min(terminal.high, s.highest))
    return meter, drawn


Judge = Callable[[list[float], list[float]], float]
"""What imports and exports of every step come to."""


def grid_optimum(
    steps: Sequence[Step],
    store: Store,
    energies: Sequence[float],
    terminal: Terminal,
    judge: Judge,
    parts: int = 1,
) -> float:
    """The least cost over all paths on a grid of stored energies, by trying every one.

    In each step what crosses the meter lies between two ends, of which `parts` + 1 points are
    tried: a rate may make it pay to curtail, or to import, in part.
    """
    best = INF
    for path in itertools.product(energies, repeat=len(steps)):
        if not terminal.low <= path[-1] <= terminal.high:
            continue
        before = (store.initial, *path[:-1])
        changes = [after - store.retention * e for e, after in zip(before, path, strict=True)]
        choices = [_crossings(s, store, c, parts) for s, c in zip(steps, changes, strict=True)]
        wear = store.wear * sum(max(-change, 0.0) for change in changes)
        for chosen in itertools.product(*choices):
            imports, exports = [pair[0] for pair in chosen], [pair[1] for pair in chosen]
            best = min(best, judge(imports, exports) + wear)
    return best


def _crossings(step: Step, store: Store, change: float, parts: int) -> list[tuple[float, float]]:
    """What can be imported and exported while stored energy changes by so much."""
    charge = max(change, 0.0) / store.input_efficiency
    discharge = max(-change, 0.0) * store.dc_to_ac
    if charge > store.charge_limit + 1e-9 or -change > store.discharge_limit + 1e-9:
        return []
    found: dict[tuple[float, float], None] = {}
    for ends in (
        importing(step, store, charge, discharge),
        exporting(step, store, charge, discharge),
    ):
        for i in range(parts + 1 if ends else 0):
            one, other = (_meter(flows) for flows in ends)
            part = i / parts
            between = tuple(round(a + part * (b - a), 12) for a, b in zip(one, other, strict=True))
            found[between] = None
    return list(found)


def _meter(flows: Flows) -> tuple[float, float]:
    return max(flows.imported, 0.0), max(flows.exported, 0.0)
