"""The least cost of one step and of a few, by means too slow and too simple to be wrong.

`least_cost_flows` reads the cheapest flows of one step off the intervals that import or export
can take; `optimum` branches on the mode of every battery and of the meter until no step does two
things at once, with a tiny linear programme at each node; `grid_optimum` walks every path on a
grid of stored energy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from reference import kept
from reference_models import INF, Flows, Step, Store, Window

SLACK = 1e-9


def least_cost_flows(
    step: Step, store: Store, change: float, import_price: float, export_price: float
) -> tuple[float, Flows] | None:
    """Cost and flows of the cheapest way to change stored energy by `change`; None if impossible.

    The battery either charges or discharges and the meter either imports or exports. The cost is
    linear in what crosses the meter, so only the ends of what import and export can be matter.
    """
    charge = max(change, 0.0) / store.input_efficiency
    discharge = max(-change, 0.0) * store.dc_to_ac
    if charge > store.charge_limit + SLACK or -change > store.discharge_limit + SLACK:
        return None
    choices = importing(step, store, charge, discharge) + exporting(step, store, charge, discharge)
    wear = store.wear * max(-change, 0.0)
    costed = [(f.imported * import_price - f.exported * export_price + wear, f) for f in choices]
    return min(costed, key=lambda pair: pair[0], default=None)


def importing(step: Step, store: Store, charge: float, discharge: float) -> list[Flows]:
    """The flows with the least and with the most import when nothing is exported."""
    step = step.seen_by(store)
    needs = step.load - discharge  # what sun and grid give to the site
    most_solar = min(charge, step.solar * store.solar_gain) if store.solar_to_battery else 0.0
    most_grid = step.inverter_limit * store.ac_to_dc if store.grid_to_battery else 0.0
    least_solar = max(0.0, charge - most_grid)
    room = step.inverter_limit - discharge
    if min(needs, room, most_solar - least_solar) < -SLACK:
        return []
    needs = max(0.0, needs)
    grid = (charge - most_solar) / store.ac_to_dc
    sun = step.solar - most_solar / store.solar_gain
    least = grid + max(0.0, needs - min(sun, max(0.0, room)))
    most = min(step.import_limit, needs + (charge - least_solar) / store.ac_to_dc)
    if least > most + SLACK:
        return []
    found = []
    for imported in (least, max(least, most)):
        solar = most_solar
        if imported > needs + grid:  # so much that the grid takes over from the sun
            solar = charge - store.ac_to_dc * (imported - needs)
        to_battery = (charge - solar) / store.ac_to_dc
        to_site = imported - to_battery
        found.append(_flows(step, store, to_site, to_battery, solar, discharge, 0.0, 0.0))
    return found


def exporting(step: Step, store: Store, charge: float, discharge: float) -> list[Flows]:
    """The flows with the least and with the most export when nothing is imported."""
    step = step.seen_by(store)
    if charge > SLACK and not store.solar_to_battery:
        return []
    sun = step.solar - charge / store.solar_gain
    spare = sun + discharge - step.load
    least = max(0.0, discharge - step.load)
    most = min(step.export_limit, spare, step.inverter_limit - step.load)
    if not step.solar_to_grid:
        most = min(most, discharge)
    if not store.battery_to_grid:
        most = most if step.solar_to_grid else min(most, 0.0)
    may_sell_battery = store.battery_to_grid or least <= SLACK
    if min(sun, spare, most - least) < -SLACK or not may_sell_battery:
        return []
    found = []
    for exported in (least, max(least, most)):
        to_grid = least if step.solar_to_grid else exported
        found.append(
            _flows(step, store, 0.0, 0.0, charge, discharge - to_grid, to_grid, exported - to_grid)
        )
    return found


def _flows(
    step: Step,
    store: Store,
    grid_to_site: float,
    grid_to_battery: float,
    solar_to_battery: float,
    battery_to_site: float,
    battery_to_grid: float,
    solar_to_grid: float,
) -> Flows:
    """The sun serves what is left of the load; what is left of the sun is curtailed."""
    solar_to_site = step.load - grid_to_site - battery_to_site
    used = solar_to_site + solar_to_grid + solar_to_battery / store.solar_gain
    return Flows(
        grid_to_site,
        grid_to_battery,
        solar_to_battery,
        solar_to_site,
        solar_to_grid,
        (step.solar - used) / store.solar_efficiency,
        battery_to_site,
        battery_to_grid,
    )


# Several steps


@dataclass(frozen=True)
class Terminal:
    """Stored energy wanted at the end, kWh; `cyclic`: it equals the start, which is free."""

    low: float = 0.0
    high: float = INF
    cyclic: bool = False
    worths: Sequence[tuple[float, float]] = ()
    """What energy left is worth, from the first kWh on: money for each, falling, and how many."""


@dataclass(frozen=True)
class Total:
    """The most that a sum over all steps may be: kWh AC imported and exported, each step's by its
    own factor, and kWh DC from the cells of each store by the store's."""

    most: float
    imported: Sequence[float]
    exported: Sequence[float]
    drawn: Sequence[float]


@dataclass
class Programme:
    """A linear programme: columns with costs and bounds, rows as {column: coefficient}."""

    cost: list[float]
    low: list[float]
    high: list[float]
    rows: list[tuple[dict[int, float], float, float]]
    _highs: Any = None  # solved again and again from where it was

    def column(self, cost: float = 0.0, low: float = 0.0, high: float = INF) -> int:
        self.cost.append(cost)
        self.low.append(low)
        self.high.append(high)
        return len(self.cost) - 1

    def solve(self, zeroed: frozenset[int]) -> tuple[float, list[float]] | None:
        """Cost and solution with the given columns held at zero; None if there is none."""
        import highspy  # here, for the tests that do without it where it has no wheel

        high = np.array([0.0 if c in zeroed else h for c, h in enumerate(self.high)])
        if self._highs is None:
            self._highs = self._load(high)
        else:
            every = np.arange(len(high), dtype=np.int32)
            self._highs.changeColsBounds(len(high), every, np.array(self.low), high)
        self._highs.run()
        if self._highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        cost = self._highs.getInfo().objective_function_value
        return cost, list(self._highs.getSolution().col_value)

    def _load(self, high: NDArray[np.float64]) -> Any:
        import highspy

        highs = highspy.Highs()
        highs.setOptionValue("output_flag", False)
        highs.setOptionValue("presolve", "off")
        highs.setOptionValue("primal_feasibility_tolerance", 1e-10)
        highs.setOptionValue("dual_feasibility_tolerance", 1e-10)
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = len(self.cost), len(self.rows)
        lp.col_cost_ = np.array(self.cost)
        lp.col_lower_ = np.array(self.low)
        lp.col_upper_ = high
        lp.row_lower_ = np.array([low for _, low, _ in self.rows])
        lp.row_upper_ = np.array([high for _, _, high in self.rows])
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = np.cumsum([0] + [len(row) for row, _, _ in self.rows])
        lp.a_matrix_.index_ = np.array([c for row, _, _ in self.rows for c in row])
        lp.a_matrix_.value_ = np.array([v for row, _, _ in self.rows for v in row.values()])
        highs.passModel(lp)
        return highs


def optimum(
    steps: Sequence[Step],
    stores: Sequence[Store],
    import_price: Sequence[float],
    export_price: Sequence[float],
    *,
    windows: Sequence[tuple[int, Window]] = (),
    terminals: Sequence[Terminal] = (),
    allow_simultaneous: bool = False,
    totals: Sequence[Total] = (),
) -> float | None:
    """The least cost over all steps, None if nothing is feasible. `windows` pair a store with one.

    Modes are enumerated where the relaxation does two things at once, and only there: a node
    whose relaxation does neither is exact, one that costs no less than the best found is cut.
    """
    programme, pairs = _programme(
        steps, stores, import_price, export_price, windows, terminals, totals
    )
    best = math.inf
    nodes: list[frozenset[int]] = [frozenset()]
    while nodes:
        zeroed = nodes.pop()
        solved = programme.solve(zeroed)
        if solved is None or solved[0] >= best - 1e-9 * max(1.0, abs(best)):
            continue
        cost, values = solved
        clash = None if allow_simultaneous else _first_clash(pairs, values)
        if clash is None:
            best = cost
        else:
            nodes += [zeroed | clash[0], zeroed | clash[1]]
    return None if math.isinf(best) else best


def _first_clash(
    pairs: Sequence[tuple[frozenset[int], frozenset[int]]], values: Sequence[float]
) -> tuple[frozenset[int], frozenset[int]] | None:
    """The first pair of column sets that are both in use, of which one must be zero."""
    for one, other in pairs:
        if min(max(values[c] for c in one), max(values[c] for c in other)) > 1e-8:
            return one, other
    return None


def _programme(
    steps: Sequence[Step],
    stores: Sequence[Store],
    import_price: Sequence[float],
    export_price: Sequence[float],
    windows: Sequence[tuple[int, Window]],
    terminals: Sequence[Terminal],
    totals: Sequence[Total],
) -> tuple[Programme, list[tuple[frozenset[int], frozenset[int]]]]:
    lp = Programme([], [], [], [])
    pairs: list[tuple[frozenset[int], frozenset[int]]] = []
    terminals = terminals or [Terminal(low=s.initial) for s in stores]
    start = [
        lp.column(
            low=s.lowest if t.cyclic else s.initial, high=s.highest if t.cyclic else s.initial
        )
        for s, t in zip(stores, terminals, strict=True)
    ]
    energy = list(start)
    floors = [kept(steps, s, s.lowest) for s in stores]
    sums: list[dict[int, float]] = [{} for _ in totals]
    for t, step in enumerate(steps):
        buy, sell = import_price[t], -export_price[t]
        grid_to_site = lp.column(buy)
        solar_to_site = lp.column()
        solar_to_grid = lp.column(sell, high=INF if step.solar_to_grid else 0.0)
        load_row = {grid_to_site: 1.0, solar_to_site: 1.0}
        solar_row = {solar_to_site: 1.0, solar_to_grid: 1.0}  # what is left over is curtailed
        imports, exports = {grid_to_site: 1.0}, {solar_to_grid: 1.0}
        inverted = {solar_to_site: 1.0, solar_to_grid: 1.0}
        for i, s in enumerate(stores):
            from_grid = lp.column(buy, high=INF if s.grid_to_battery else 0.0)
            from_solar = lp.column(high=INF if s.solar_to_battery else 0.0)
            to_site = lp.column(s.wear / s.dc_to_ac)
            to_grid = lp.column(sell + s.wear / s.dc_to_ac, high=INF if s.battery_to_grid else 0.0)
            low = max([floors[i][t], *(w.low for j, w in windows if (j, w.step) == (i, t))])
            high = min([s.highest, *(w.high for j, w in windows if (j, w.step) == (i, t))])
            after = lp.column(low=low, high=high)
            charge = {from_grid: s.ac_to_dc, from_solar: 1.0}
            discharge = {to_site: 1.0 / s.dc_to_ac, to_grid: 1.0 / s.dc_to_ac}
            lp.rows.append((charge, 0.0, s.charge_limit))
            lp.rows.append((discharge, 0.0, s.discharge_limit))
            stored = {c: s.input_efficiency * v for c, v in charge.items()}
            change = stored | {c: -v for c, v in discharge.items()}
            lp.rows.append((change | {after: -1.0, energy[i]: s.retention}, 0.0, 0.0))
            for row, total in zip(sums, totals, strict=True):
                row.update({c: v * total.drawn[i] for c, v in discharge.items()})
            load_row[to_site] = 1.0
            solar_row[from_solar] = 1.0 / s.solar_gain
            imports[from_grid] = 1.0
            exports[to_grid] = 1.0
            if s.dc_coupled:
                inverted |= {to_site: 1.0, to_grid: 1.0}
                lp.rows.append(({from_grid: 1.0}, 0.0, step.inverter_limit))
            else:
                inverted[from_solar] = 1.0 / s.solar_gain
            pairs.append((frozenset(charge), frozenset(discharge)))
            energy[i] = after
        for row, total in zip(sums, totals, strict=True):
            for factors, columns in ((total.imported, imports), (total.exported, exports)):
                for c in columns:
                    row[c] = row.get(c, 0.0) + factors[t]
        lp.rows.append((load_row, step.load, step.load))
        lp.rows.append((solar_row, 0.0, step.solar))
        lp.rows.append((imports, 0.0, step.import_limit))
        lp.rows.append((exports, 0.0, step.export_limit))
        lp.rows.append((inverted, 0.0, step.inverter_limit))
        pairs.append((frozenset(imports), frozenset(exports)))
    for first, last, s, terminal in zip(start, energy, stores, terminals, strict=True):
        if terminal.cyclic:
            lp.rows.append(({last: 1.0, first: -1.0}, 0.0, 0.0))
        else:
            lp.rows.append(({last: 1.0}, terminal.low, min(terminal.high, s.highest)))
        if terminal.worths:
            parts = [lp.column(-value, high=width) for value, width in terminal.worths]
            rest = INF if terminal.worths[-1][0] >= 0 else 0.0
            lp.rows.append((dict.fromkeys(parts, -1.0) | {last: 1.0}, 0.0, rest))
    lp.rows += [(row, -INF, total.most) for row, total in zip(sums, totals, strict=True)]
    return lp, pairs


def grid_optimum(
    steps: Sequence[Step],
    store: Store,
    import_price: Sequence[float],
    export_price: Sequence[float],
    energies: Sequence[float],
    terminal: Terminal,
) -> float | None:
    """The least cost over all paths on a grid of stored energies: a dynamic programme in a loop."""
    best = {e: 0.0 for e in energies if terminal.low <= e <= terminal.high}
    for step, buy, sell in reversed(list(zip(steps, import_price, export_price, strict=True))):
        before: dict[float, float] = {}
        for e in energies:
            for after, later in best.items():
                found = least_cost_flows(step, store, after - store.retention * e, buy, sell)
                if found is not None and found[0] + later < before.get(e, INF):
                    before[e] = found[0] + later
        best = before
    return best.get(store.initial)
