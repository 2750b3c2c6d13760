"""The best size as one linear program, written from the balances of the documentation."""

from __future__ import annotations

from typing import Any

import highspy
import numpy as np

from bess import Battery, Costs, Prices, Site

FLOWS = ("grid_site", "grid_battery", "sun_battery", "sun_site", "sun_grid", "lost", "out", "sent")


def best_value_by_linear_program(
    site: Site,
    prices: Prices,
    costs: Costs,
    battery: Battery,
    capacity: tuple[float, float],
    power: tuple[float, float],
    hours: float | None = None,
) -> float:
    """The value of the best battery: one program whose columns are the flows of every step, the
    energies, the capacity and the power (the balances of the documentation, one row each)."""
    n, pv = site.steps, site.solar_dc_to_ac_efficiency
    into, out = battery.ac_to_dc_efficiency, battery.dc_to_ac_efficiency
    kappa = 1.0 if battery.dc_coupled else pv * into
    buy, sell = prices.series(n)
    growth = costs.net_present_value(1.0, 0, 0) - costs.net_present_value(0, 0, 0)
    per_kwh = costs.net_present_value(0, 0, 0) - costs.net_present_value(0, 1.0, 0)
    per_kw = costs.net_present_value(0, 0, 0) - costs.net_present_value(0, 0, 1.0)
    names = [(t, name) for t in range(n) for name in (*FLOWS, "stored")] + ["E", "P"]
    at = {name: i for i, name in enumerate(names)}
    cost, low, high = np.zeros(len(at)), np.zeros(len(at)), np.full(len(at), np.inf)
    cost[at["E"]], cost[at["P"]] = per_kwh, per_kw
    (low[at["E"]], high[at["E"]]), (low[at["P"]], high[at["P"]]) = capacity, power
    rows: list[tuple[float, float, dict[Any, float]]] = []
    least, most = battery.terminal_window
    for t in range(n):
        for name in ("grid_site", "grid_battery"):
            cost[at[t, name]] = growth * buy[t]
        for name in ("sun_grid", "sent"):
            cost[at[t, name]] = -growth * sell[t]
        for name, allowed in (
            ("grid_battery", battery.allow_grid_to_battery),
            ("sent", battery.allow_battery_to_grid),
            ("sun_battery", battery.allow_solar_to_battery),
            ("sun_grid", site.allow_solar_to_grid),
        ):
            high[at[t, name]] = np.inf if allowed else 0.0
        load, sun = site.load_kwh[t], site.solar_kwh[t] / pv
        rows.append((load, load, {(t, "grid_site"): 1, (t, "sun_site"): 1, (t, "out"): 1}))
        made = {(t, "sun_site"): 1 / pv, (t, "sun_grid"): 1 / pv, (t, "lost"): 1.0}
        rows.append((sun, sun, made | {(t, "sun_battery"): 1 / kappa}))
        charge = {(t, "grid_battery"): into, (t, "sun_battery"): 1.0}
        given = {(t, "out"): 1 / out, (t, "sent"): 1 / out}
        full = {"P": -site.step_hours}
        rows += [(-np.inf, 0.0, charge | full), (-np.inf, 0.0, given | full)]
        change = {key: battery.input_efficiency * factor for key, factor in charge.items()}
        change |= {key: -factor for key, factor in given.items()} | {(t, "stored"): -1.0}
        before = {"E": battery.initial_state_of_charge} if t == 0 else {(t - 1, "stored"): 1.0}
        rows.append((0.0, 0.0, change | before))
        first, last = battery.min_state_of_charge, battery.max_state_of_charge
        if t == n - 1:
            first, last = max(first, least), min(last, most)
        rows.append((0.0, np.inf, {(t, "stored"): 1.0, "E": -first}))
        rows.append((-np.inf, 0.0, {(t, "stored"): 1.0, "E": -last}))
        if site.export_limit_kwh is not None:
            limit = float(np.broadcast_to(site.export_limit_kwh, (n,))[t])
            rows.append((-np.inf, limit, {(t, "sun_grid"): 1.0, (t, "sent"): 1.0}))
    if hours is not None:
        rows.append((0.0, 0.0, {"E": 1.0, "P": -hours}))
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    for option in ("primal_feasibility_tolerance", "dual_feasibility_tolerance"):
        highs.setOptionValue(option, 1e-9)
    highs.addVars(len(at), low, high)
    highs.changeColsCost(len(at), np.arange(len(at), dtype=np.int32), cost)
    for down, up, entries in rows:
        index = np.array([at[key] for key in entries], np.int32)
        highs.addRow(down, up, len(index), index, np.array(list(entries.values()), np.float64))
    highs.run()
    assert highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
    net = site.load_kwh - site.solar_kwh
    sold = np.maximum(-net, 0.0) * site.allow_solar_to_grid
    if site.export_limit_kwh is not None:
        sold = np.minimum(sold, site.export_limit_kwh)
    without = float(buy @ np.maximum(net, 0.0) - sell @ sold)
    fixed = costs.net_present_value(0, 0, 0)
    return float(growth * without + fixed - highs.getInfo().objective_function_value)
