"""Several AC-coupled devices on one site, served by priority: the slow twin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reference import corridor
from reference_models import INF, Step, Store, Window


@dataclass(frozen=True)
class Ranked:
    """A store (input efficiency 1, AC-coupled) and its place in both queues; 1 comes first."""

    store: Store
    charging: int = 10
    discharging: int = 10


@dataclass(frozen=True)
class DeviceFlows:
    """One device's flows in one step."""

    grid_to_battery_kwh_ac: float
    solar_to_battery_kwh_dc: float
    battery_to_site_kwh_ac: float
    battery_to_grid_kwh_ac: float


@dataclass(frozen=True)
class Demand:
    """AC energy a rule wants all devices together to take or to give in a step."""

    charge: float = 0.0
    discharge: float = 0.0
    battery_first: bool = False


Rule = Callable[[int, Step, float, float], Demand]  # step, site, forced charge, forced discharge


def share(amount: float, rooms: Sequence[float], ranks: Sequence[int]) -> list[float]:
    """An amount handed out by rank; equal ranks share in proportion to their room."""
    given = [0.0] * len(rooms)
    for rank in sorted(set(ranks)):
        group = [i for i in range(len(rooms)) if ranks[i] == rank]
        room = sum(rooms[i] for i in group)
        if room <= 0:
            continue
        part = min(1.0, amount / room)
        for i in group:
            given[i] = rooms[i] * part
        amount = max(0.0, amount - room * part)
    return given


def surplus_rule(
    site: Step, devices: Sequence[Ranked], charged: float, discharged: float
) -> Demand:
    """What is left of surplus and deficit once the forced energy has had its part."""
    store = devices[0].store
    from_sun = min(charged, site.surplus)
    if charged > from_sun and not store.grid_to_battery:
        from_sun = charged
    surplus = max(0.0, site.surplus - charged) if store.solar_to_battery else 0.0
    needs = max(0.0, site.load - (site.solar - from_sun) - discharged)
    return Demand(charge=surplus, discharge=needs)


def dispatch_devices(
    steps: Sequence[Step],
    devices: Sequence[Ranked],
    rule: Callable[[int, Step, float, float], Demand],
    windows: Sequence[Sequence[Window]] | None = None,
) -> tuple[list[list[DeviceFlows]], list[list[float]], list[list[int]]]:
    """Each device's flows and stored energy by step, and the windows it misses.

    The corridors are those of devices alone on the site: right wherever what the site can give
    and take does not bind (grid charging permitted without an import limit, for a least state of
    charge; unlimited export from the battery, for a most).
    """
    steps = [step.seen_by(devices[0].store) for step in steps]
    lanes = [corridor(steps, d.store, windows[i] if windows else ()) for i, d in enumerate(devices)]
    energy = [d.store.initial for d in devices]
    all_flows: list[list[DeviceFlows]] = [[] for _ in devices]
    energies: list[list[float]] = [[] for _ in devices]
    for t, site in enumerate(steps):
        energy = [d.store.retention * e for d, e in zip(devices, energy, strict=True)]
        forced_in = [0.0] * len(devices)
        forced_out = [0.0] * len(devices)
        room_in, room_out = [0.0] * len(devices), [0.0] * len(devices)
        for i, d in enumerate(devices):
            s, lane = d.store, lanes[i]
            if energy[i] < lane.low[t]:
                forced_in[i] = (lane.low[t] - energy[i]) / s.ac_to_dc
            if energy[i] > lane.high[t]:
                forced_out[i] = (energy[i] - lane.high[t]) * s.dc_to_ac
            if not forced_out[i]:
                takes = min(s.charge_limit, max(0.0, lane.high[t] - energy[i])) / s.ac_to_dc
                room_in[i] = max(0.0, takes - forced_in[i])
            if not forced_in[i]:
                gives = min(s.discharge_limit, max(0.0, energy[i] - lane.low[t])) * s.dc_to_ac
                room_out[i] = max(0.0, gives - forced_out[i])
        demand = rule(t, site, sum(forced_in), sum(forced_out))
        more_in = share(demand.charge, room_in, [d.charging for d in devices])
        more_out = share(demand.discharge, room_out, [d.discharging for d in devices])
        taken = [a + b for a, b in zip(forced_in, more_in, strict=True)]
        given = [a + b for a, b in zip(forced_out, more_out, strict=True)]
        found = split_devices(site, devices, taken, given, demand.battery_first)
        for i, flows in enumerate(found):
            s = devices[i].store
            energy[i] += taken[i] * s.ac_to_dc - given[i] / s.dc_to_ac
            all_flows[i].append(flows)
            energies[i].append(energy[i])
    return all_flows, energies, [lane.missed for lane in lanes]


def split_devices(
    site: Step,
    devices: Sequence[Ranked],
    taken: Sequence[float],
    given: Sequence[float],
    battery_first: bool,
) -> list[DeviceFlows]:
    """Which AC energy comes from the sun, and which goes to the site: by the order of the queue."""
    store = devices[0].store
    charge, discharge = sum(taken), sum(given)
    solar = 0.0
    if store.solar_to_battery:
        solar = min(charge, site.solar if battery_first else site.surplus)
        if not store.grid_to_battery:
            solar = charge
    sun = site.solar - solar
    if store.battery_to_grid and charge - solar < 1e-12:
        to_site = min(discharge, max(0.0, site.load - sun))
        to_site = max(to_site, discharge - site.export_limit)
    else:
        to_site = discharge
    from_sun = share(solar, taken, [d.charging for d in devices])
    into_site = share(to_site, given, [d.discharging for d in devices])
    return [
        DeviceFlows(
            grid_to_battery_kwh_ac=taken[i] - from_sun[i],
            solar_to_battery_kwh_dc=from_sun[i] * d.store.ac_to_dc,
            battery_to_site_kwh_ac=into_site[i],
            battery_to_grid_kwh_ac=given[i] - into_site[i],
        )
        for i, d in enumerate(devices)
    ]


def rule_of(kind: str, devices: Sequence[Ranked], values: Sequence[float] = ()) -> Rule:
    """The wish of a strategy for all devices together.

    `values` holds, per step, the kind's figures: for "schedule" 1 to charge, -1 to discharge;
    for "follow" the kWh AC to give; for "shave" the kWh the import should stay under.
    """
    store = devices[0].store

    def rule(t: int, site: Step, charged: float, discharged: float) -> Demand:
        base = surplus_rule(site, devices, charged, discharged)
        exported = min(site.surplus, site.export_limit) if site.solar_to_grid else 0.0
        blocked = not store.solar_to_battery and exported > 0
        if kind == "surplus":
            return base
        if kind == "schedule" and values[t] > 0:
            if not store.grid_to_battery:
                return Demand(charge=base.charge)
            sun = site.solar if store.solar_to_battery else min(site.solar, site.load)
            most = max(0.0, sun + site.import_limit - site.load - charged)
            return Demand(charge=0.0 if blocked else most, battery_first=True)
        if kind == "schedule" and values[t] < 0:
            room = max(0.0, site.export_limit - exported) if store.battery_to_grid else 0.0
            if store.grid_to_battery and charged > site.surplus:
                room = 0.0
            past_site = max(0.0, discharged - site.deficit)
            return Demand(discharge=base.discharge + max(0.0, room - past_site))
        if kind == "schedule":
            return Demand()
        if kind == "follow":
            takers = site.load + (site.export_limit if store.battery_to_grid else 0.0)
            grid = site.import_limit if store.grid_to_battery else 0.0
            sun = site.solar if store.solar_to_battery else 0.0
            makers = min(sun + grid, sun + max(0.0, site.import_limit - site.load))
            if store.grid_to_battery and site.import_limit == INF:
                makers = INF
            return Demand(
                charge=max(0.0, min(-values[t], makers) - charged),
                discharge=max(0.0, min(values[t], takers) - discharged),
            )
        over = max(0.0, base.discharge - values[t])
        limit = min(values[t], site.import_limit)
        under = max(0.0, limit - base.discharge - max(0.0, charged - site.surplus))
        if not store.grid_to_battery or blocked or over > 0:
            under = 0.0
        if base.discharge > values[t]:
            return Demand(discharge=over)
        return Demand(charge=base.charge + under)

    return rule
