"""Every balance, limit, permission and exclusivity of a result, step by step, for any strategy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from reference import kept
from reference_models import Step, Store

SITE_FLOWS = [
    "grid_to_site_kwh_ac",
    "grid_to_battery_kwh_ac",
    "solar_to_battery_kwh_dc",
    "solar_to_site_kwh_ac",
    "solar_to_grid_kwh_ac",
    "solar_curtailed_kwh_dc",
    "battery_to_site_kwh_ac",
    "battery_to_grid_kwh_ac",
]
DEVICE_FLOWS = [
    "grid_to_battery_kwh_ac",
    "solar_to_battery_kwh_dc",
    "battery_to_site_kwh_ac",
    "battery_to_grid_kwh_ac",
]


def equal(left: float, *terms: float) -> bool:
    """Whether a balance closes to 1e-9 of its largest term (or of 1)."""
    scale = max(1.0, abs(left), *(abs(term) for term in terms))
    return abs(left - math.fsum(terms)) <= 1e-9 * scale


def at_most(value: float, limit: float) -> bool:
    return value <= limit + 1e-9 * max(1.0, abs(value))


def check_balances(
    steps: Sequence[Step],
    stores: Sequence[Store],
    capacities: Sequence[float],
    result: Any,
    *,
    initial: Sequence[float] | None = None,
    allow_simultaneous: bool = False,
) -> None:
    """Assert section 2 of the specification on a result of one battery, or of several devices.

    `initial` is each store's energy at the start (kWh) where it is not the store's own, as under
    a cyclic terminal condition.
    """
    n = len(steps)
    for name in [*SITE_FLOWS, "net_load_kwh_ac", "battery_soc"]:
        series = getattr(result, name)
        assert series.shape == (n,), name
        assert series.dtype == np.float64, name
        assert not series.flags.writeable, name
        assert np.isfinite(series).all(), name
    site = {name: [float(v) for v in getattr(result, name)] for name in SITE_FLOWS}
    for name, values in site.items():
        assert min(values) >= 0.0, f"{name} is negative: {min(values)!r}"
    units = list(result.devices.values()) if len(result.devices) else [result]
    assert len(units) == len(stores)
    before = list(initial) if initial is not None else [s.initial for s in stores]
    floors = [kept(steps, store, store.lowest) for store in stores]
    for t, step in enumerate(steps):
        now = {name: values[t] for name, values in site.items()}
        _check_site(t, step, stores, now, units, float(result.net_load_kwh_ac[t]))
        imported = now["grid_to_site_kwh_ac"] + now["grid_to_battery_kwh_ac"]
        exported = now["solar_to_grid_kwh_ac"] + now["battery_to_grid_kwh_ac"]
        if not allow_simultaneous:
            assert min(imported, exported) == 0.0, f"step {t} imports and exports: {now}"
        energies = []
        for i, (store, capacity, unit) in enumerate(zip(stores, capacities, units, strict=True)):
            after = float(unit.battery_soc[t]) * capacity
            _check_store(t, store, unit, before[i], after, allow_simultaneous)
            assert at_most(floors[i][t], after), (t, store, after)
            energies.append(after)
        assert equal(float(result.battery_soc[t]) * sum(capacities), *energies)
        before = energies


def _check_site(
    t: int, step: Step, stores: Sequence[Store], now: dict[str, float], units: Any, net: float
) -> None:
    where = f"step {t}: {step} {now}"
    assert equal(
        step.load,
        now["grid_to_site_kwh_ac"],
        now["solar_to_site_kwh_ac"],
        now["battery_to_site_kwh_ac"],
    ), where
    efficiency = stores[0].solar_efficiency
    into_batteries = [
        float(unit.solar_to_battery_kwh_dc[t]) / (store.solar_gain * efficiency)
        for unit, store in zip(units, stores, strict=True)
    ]
    assert equal(
        step.solar / efficiency,
        (now["solar_to_site_kwh_ac"] + now["solar_to_grid_kwh_ac"]) / efficiency,
        now["solar_curtailed_kwh_dc"],
        *into_batteries,
    ), where
    for name in DEVICE_FLOWS:
        assert equal(now[name], *(float(getattr(unit, name)[t]) for unit in units)), (name, where)
    imported = now["grid_to_site_kwh_ac"] + now["grid_to_battery_kwh_ac"]
    exported = now["solar_to_grid_kwh_ac"] + now["battery_to_grid_kwh_ac"]
    assert at_most(imported, step.import_limit), where
    assert at_most(exported, step.export_limit), where
    assert equal(net, imported, -exported), where
    beside = sum(into_batteries) * efficiency  # what passes the sun's inverter with its output
    if stores[0].dc_coupled:
        beside = now["battery_to_site_kwh_ac"] + now["battery_to_grid_kwh_ac"]
        assert at_most(now["grid_to_battery_kwh_ac"], step.inverter_limit), where
    output = now["solar_to_site_kwh_ac"] + now["solar_to_grid_kwh_ac"] + beside
    assert at_most(output, step.inverter_limit), where
    # usage + storage imports - solar - storage exports = net load
    assert equal(
        net,
        now["grid_to_site_kwh_ac"],
        now["grid_to_battery_kwh_ac"],
        -now["solar_to_grid_kwh_ac"],
        -now["battery_to_grid_kwh_ac"],
    ), where
    # a forbidden flow is identically zero
    if not step.solar_to_grid:
        assert now["solar_to_grid_kwh_ac"] == 0.0, where
    if step.export_limit == 0.0:
        assert exported == 0.0, where


def _check_store(
    t: int, store: Store, unit: Any, before: float, after: float, allow_simultaneous: bool
) -> None:
    flow = {name: float(getattr(unit, name)[t]) for name in DEVICE_FLOWS}
    where = f"step {t}: {store} {flow} {before} -> {after}"
    assert min(flow.values()) >= 0.0, where
    from_grid = store.ac_to_dc * flow["grid_to_battery_kwh_ac"]
    charge = from_grid + flow["solar_to_battery_kwh_dc"]
    given = flow["battery_to_site_kwh_ac"] + flow["battery_to_grid_kwh_ac"]
    discharge = given / store.dc_to_ac
    assert at_most(charge, store.charge_limit), where
    assert at_most(discharge, store.discharge_limit), where
    assert at_most(after, store.highest), where
    left = store.retention * before
    assert equal(after, left, store.input_efficiency * charge, -discharge), where
    if not allow_simultaneous:
        assert min(charge, discharge) == 0.0, where
    if not store.grid_to_battery:
        assert flow["grid_to_battery_kwh_ac"] == 0.0, where
    if not store.battery_to_grid:
        assert flow["battery_to_grid_kwh_ac"] == 0.0, where
    if not store.solar_to_battery:
        assert flow["solar_to_battery_kwh_dc"] == 0.0, where


def check_money(
    result: Any,
    stores: Sequence[Store],
    import_price: Sequence[float],
    export_price: Sequence[float],
    of_cost: bool = True,
) -> None:
    """Assert that cost is priced energy plus wear; of an optimum, that the certificate holds."""
    units = list(result.devices.values()) if len(result.devices) else [result]
    wear = math.fsum(
        store.wear / store.dc_to_ac * float(given)
        for store, unit in zip(stores, units, strict=True)
        for given in unit.battery_to_site_kwh_ac + unit.battery_to_grid_kwh_ac
    )
    bought = result.grid_to_site_kwh_ac + result.grid_to_battery_kwh_ac
    sold = result.solar_to_grid_kwh_ac + result.battery_to_grid_kwh_ac
    terms = [float(p * e) for p, e in zip(import_price, bought, strict=True)]
    terms += [-float(p * e) for p, e in zip(export_price, sold, strict=True)]
    assert equal(result.degradation_cost, wear)
    assert equal(result.cost, *terms, wear)
    if of_cost and result.lower_bound is not None:
        scale = max(1.0, math.fsum(abs(term) for term in terms))
        assert result.lower_bound <= result.cost + 1e-9 * scale
        assert result.cost - result.lower_bound <= (result.gap + 1e-9) * scale
