"""The slow twin of the kernel: one battery under each rule, in plain floats and loops.

Written from the specification alone and meant to be read: a step is a `Step`, a battery is a
`Store`, both in kWh per step, and every function follows one paragraph of the text. Nothing here
imports the library. `reference_models` has the nouns, `reference_devices` several devices,
`reference_optimum` the optimum, `reference_time` clocks and policies, and `reference_balances` the
checks that hold for every result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from reference_models import Flows, Infeasible, Step, Store, Window


@dataclass(frozen=True)
class Corridor:
    """Least and most stored energy at the end of each step, and the windows that will be missed."""

    low: list[float]
    high: list[float]
    missed: list[int]  # positions in the list of windows


@dataclass(frozen=True)
class Wish:
    """A change of stored energy a rule asks for; `battery_first`: it has first claim on solar."""

    change: float
    battery_first: bool = False


# What is possible in one step


def energy_range(step: Step, store: Store) -> tuple[float, float]:
    """The least and the most by which stored energy can change in one step."""
    gain = store.solar_gain
    inverter = step.inverter_limit
    solar = 0.0
    if store.solar_to_battery:
        spare = max(0.0, step.solar + step.import_limit - step.load)
        solar = min(step.solar * gain, store.charge_limit, spare * gain)
    grid = 0.0
    if store.grid_to_battery:
        site_needs = max(0.0, step.load - min(step.solar - solar / gain, inverter))
        grid = min(inverter, max(0.0, step.import_limit - site_needs))
    most = store.input_efficiency * min(store.charge_limit, solar + store.ac_to_dc * grid)
    takers = step.load + (step.export_limit if store.battery_to_grid else 0.0)
    least = -min(store.discharge_limit, min(takers, inverter) / store.dc_to_ac)
    missing = step.load - step.output - step.import_limit
    if step.load > (step.import_limit + inverter) * (1 + 1e-12):
        missing = step.load - step.import_limit  # more than can ever pass the inverter
    if missing > 0:
        most = -missing / store.dc_to_ac
    return least, most


def kept(steps: Sequence[Step], store: Store, level: float) -> list[float]:
    """What a battery holds that starts at a level and takes what it can to stay there.

    It does not charge where that would stop the sun's export.
    """
    found, energy = [], level
    for step in (step.seen_by(store) for step in steps):
        gain = max(energy_range(step, store)[1], 0.0)
        if not store.solar_to_battery and step.solar_to_grid and step.output > step.load:
            gain = 0.0
        energy = min(level, energy * store.retention + gain)
        found.append(energy)
    return found


def corridor(
    steps: Sequence[Step], store: Store, windows: Sequence[Window], slack: float = 1e-12
) -> Corridor:
    """The stored energy from which every attainable window, and every import limit, can be met."""
    ranges = [energy_range(step, store) for step in steps]
    floor = kept(steps, store, store.lowest)
    attained, missed = attainable(ranges, store, windows, slack, floor)
    low = list(floor)
    high = [store.highest] * len(steps)
    for t in reversed(range(len(steps))):
        if t + 1 < len(steps):
            least, most = ranges[t + 1]
            if low[t + 1] > floor[t + 1] or most < 0:  # else the floor leads to the floor
                low[t] = max(floor[t], (low[t + 1] - most) / store.retention)
            high[t] = min(store.highest, (high[t + 1] - least) / store.retention)
        if t in attained:
            low[t] = max(low[t], attained[t][0])
            high[t] = min(high[t], attained[t][1])
        if low[t] > high[t]:  # equal but for rounding
            low[t] = high[t] = (low[t] + high[t]) / 2
    return Corridor(low, high, missed)


def attainable(
    ranges: Sequence[tuple[float, float]],
    store: Store,
    windows: Sequence[Window],
    slack: float,
    floor: Sequence[float] | None = None,
) -> tuple[dict[int, tuple[float, float]], list[int]]:
    """In time order: each window cut to what can still be reached, or the nearest point to it."""
    attained: dict[int, tuple[float, float]] = {}
    missed = [
        i for i, w in enumerate(windows) if w.step == -1 and not w.low <= store.initial <= w.high
    ]
    low = high = store.initial
    for t, (least, most) in enumerate(ranges):
        if least > most + slack:
            raise Infeasible(t)
        low = max(store.retention * low + least, store.lowest if floor is None else floor[t])
        high = min(store.retention * high + most, store.highest)
        if low > high + slack:
            raise Infeasible(t)
        for i, window in enumerate(windows):
            if window.step != t:
                continue
            if window.low > high + slack:
                low = high
                missed.append(i)
            elif window.high < low - slack:
                high = low
                missed.append(i)
            else:
                low, high = max(low, min(window.low, high)), min(high, max(window.high, low))
            attained[t] = (low, high)
    return attained, sorted(missed)


# What each rule wishes for


def surplus_wish(step: Step, store: Store) -> Wish:
    """Store what the site cannot use; give the site what the sun does not."""
    if step.surplus > 0:
        solar = step.surplus * store.solar_gain if store.solar_to_battery else 0.0
        return Wish(store.input_efficiency * min(solar, store.charge_limit))
    return Wish(-_given(step, store, step.deficit))


def charge_wish(step: Step, store: Store) -> Wish:
    """A charge period of a schedule: as much as the battery can take."""
    if not store.grid_to_battery:
        return surplus_wish(step, store) if step.surplus > 0 else Wish(0.0)
    return Wish(0.0 if _sun_is_exported(step, store) else energy_range(step, store)[1], True)


def discharge_wish(step: Step, store: Store) -> Wish:
    """A discharge period: what is left of the load, then what is left of the export limit."""
    takers = step.deficit
    if store.battery_to_grid:
        takers += max(0.0, step.export_limit - _solar_exported(step))
    return Wish(-_given(step, store, takers))


def follow_wish(step: Step, store: Store, energy_ac: float) -> Wish:
    """A given battery energy (kWh AC, positive discharging)."""
    if energy_ac >= 0:
        return Wish(-energy_ac / store.dc_to_ac)
    return Wish(-energy_ac * store.ac_to_dc * store.input_efficiency)


def shave_wish(step: Step, store: Store, target: float) -> Wish:
    """Hold the import under `target` kWh in the step; recharge underneath it."""
    if step.deficit > target and step.solar < step.inverter_limit:
        return Wish(-_given(step, store, step.deficit - target))
    solar = step.surplus * store.solar_gain if store.solar_to_battery else 0.0
    grid = 0.0
    if store.grid_to_battery and not _sun_is_exported(step, store):
        room = max(0.0, min(target, step.import_limit) - step.deficit)
        grid = min(room, step.inverter_limit) * store.ac_to_dc
    return Wish(store.input_efficiency * min(store.charge_limit, solar + grid))


def _solar_exported(step: Step) -> float:
    return min(max(step.output - step.load, 0.0), step.export_limit) if step.solar_to_grid else 0.0


def _given(step: Step, store: Store, energy_ac: float) -> float:
    """What leaves the cells to give so much, beside the sun at their inverter."""
    room = step.inverter_limit - min(step.output, step.load) - _solar_exported(step)
    return min(store.discharge_limit, min(energy_ac, max(0.0, room)) / store.dc_to_ac)


def _sun_is_exported(step: Step, store: Store) -> bool:
    """Solar that may not enter the battery is being sold: the meter cannot also buy."""
    return not store.solar_to_battery and _solar_exported(step) > 0


# From a change of stored energy to flows


def split(step: Step, store: Store, change: float, battery_first: bool = False) -> Flows:
    """The flows of one step in which stored energy changes by `change`."""
    charge = max(change, 0.0) / store.input_efficiency
    discharge = max(-change, 0.0) * store.dc_to_ac
    solar = _solar_share(step, store, charge, battery_first)
    grid = charge - solar
    if grid < 1e-12 * max(1.0, charge):
        solar, grid = charge, 0.0
    if not store.solar_to_battery:
        solar = 0.0

    kept = max(0.0, step.solar - solar / store.solar_gain)
    sun = min(kept, max(0.0, step.inverter_limit - discharge))
    if store.battery_to_grid:
        to_site = min(discharge, step.load - min(sun, step.load))
        to_site = max(to_site, discharge - step.export_limit)  # the last resort: displace the sun
    else:
        to_site = discharge
    to_grid = discharge - to_site
    if to_grid < 1e-12 * max(1.0, discharge):
        to_site, to_grid = discharge, 0.0
    sun_to_site = min(sun, max(0.0, step.load - to_site))
    sun_to_grid = 0.0
    if step.solar_to_grid and grid == 0.0:
        sun_to_grid = max(0.0, min(sun - sun_to_site, step.export_limit - to_grid))
    return Flows(
        grid_to_site_kwh_ac=max(0.0, step.load - sun_to_site - to_site),
        grid_to_battery_kwh_ac=grid / store.ac_to_dc,
        solar_to_battery_kwh_dc=solar,
        solar_to_site_kwh_ac=sun_to_site,
        solar_to_grid_kwh_ac=sun_to_grid,
        solar_curtailed_kwh_dc=(kept - sun_to_site - sun_to_grid) / store.solar_efficiency,
        battery_to_site_kwh_ac=to_site,
        battery_to_grid_kwh_ac=to_grid,
    )


def _solar_share(step: Step, store: Store, charge: float, battery_first: bool) -> float:
    """The part of a charge (kWh DC at the battery) that comes from the sun."""
    gain = store.solar_gain
    if not store.solar_to_battery:
        return 0.0
    if not store.grid_to_battery:
        return charge
    if battery_first:
        return min(charge, step.solar * gain)
    solar = max(step.surplus * gain, charge - step.inverter_limit * store.ac_to_dc)
    solar = min(charge, solar, step.solar * gain)
    grid_room = step.import_limit - step.deficit
    if (charge - solar) / store.ac_to_dc <= grid_room or gain <= store.ac_to_dc:
        return solar
    # The grid alone would pass the import limit: panels on the battery's side of the inverter
    # reach it with less loss, so solar taken from the site saves more import than it costs.
    missing = charge - solar - store.ac_to_dc * (step.import_limit - step.load)
    missing -= store.ac_to_dc * (step.solar - solar / gain)
    return min(step.solar, solar / gain + missing / (gain - store.ac_to_dc)) * gain


def dispatch(
    steps: Sequence[Step], store: Store, wishes: Sequence[Wish], windows: Sequence[Window] = ()
) -> tuple[list[Flows], list[float], list[int]]:
    """Flows and stored energy at the end of each step, and which windows were missed."""
    seen = [step.seen_by(store) for step in steps]
    lane = corridor(seen, store, windows)
    energy = store.initial
    flows, energies = [], []
    for t, (step, wish) in enumerate(zip(seen, wishes, strict=True)):
        least, most = energy_range(step, store)
        left = store.retention * energy
        wanted = left + min(max(wish.change, least), most)
        after = min(max(wanted, lane.low[t]), lane.high[t])
        found = split(step, store, after - left, wish.battery_first)
        clipped = (steps[t].solar - step.solar) / store.solar_efficiency
        curtailed = found.solar_curtailed_kwh_dc + clipped
        flows.append(replace(found, solar_curtailed_kwh_dc=curtailed))
        energies.append(after)
        energy = after
    return flows, energies, lane.missed
