"""Many batteries on a tariff, and what their bills must be: those of `bess.bill`, one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bills import hours

from bess import Bill, InputError, Site, _core
from bess.tariff import (
    Band,
    DemandRate,
    EnergyRate,
    FixedCharge,
    MinimumCharge,
    PercentageRate,
    Ratchet,
    Tariff,
)
from bess.tariff.bill import bill_energy
from bess.tariff.many_bills import ManyBills

YEAR = Site(load_kwh=np.ones(8760), start="2025-01-01T00:00Z")
Flows = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]


def random_flows(seed: int, steps: int, batteries: int, most: float = 4.0) -> Flows:
    """What crosses the meters of some batteries, shape (batteries, steps): never both ways."""
    random = np.random.default_rng(seed)
    net = random.uniform(-most, most, (batteries, steps)) * random.integers(0, 2, (1, steps))
    net *= random.choice([0.0, 0.001, 1.0, 1.0, 30.0], (batteries, 1))
    net += random.choice([0.0, 0.0, -most, most], (batteries, 1))
    return np.maximum(net, 0.0), np.maximum(-net, 0.0)


def determinants(bills: ManyBills, flows: Flows) -> np.ndarray[Any, Any]:
    """Imports, exports and peaks by bin, shape (3, bins, batteries)."""
    runs = bills.layout.runs
    each = [_core.settle(*own, runs.start, runs.bin, runs.bins) for own in zip(*flows, strict=True)]
    return np.ascontiguousarray(np.moveaxis(each, 0, -1))


def one_by_one(site: Site, tariff: Tariff, flows: Flows, **given: Any) -> list[Bill]:
    return [bill_energy(site, tariff, *own, **given) for own in zip(*flows, strict=True)]


def check(site: Site, tariff: Tariff, flows: Flows, **given: Any) -> dict[str, Any] | None:
    """Assert that totals, kinds and billing periods are those of single bills."""
    bills = ManyBills(tariff, site.timeline, **given)
    known = determinants(bills, flows)
    paid = None
    if bills.step_prices is not None:
        paid = flows[0] @ bills.step_prices[0] - flows[1] @ bills.step_prices[1]
    if bills.refusal is not None:
        with pytest.raises(InputError, match="cannot be billed from energies and peaks by bin"):
            bills.of(*known, paid)
        return None
    total, by_kind = bills.of(*known, paid)
    if paid is None:
        by_period = bills.by_period(*known)
    else:
        by_period = np.empty((0, len(total)))
        with pytest.raises(InputError, match="cannot be billed by period"):
            bills.by_period(*known)
    for i, own in enumerate(one_by_one(site, tariff, flows, **given)):
        near = 1e-9 * sum(abs(line.amount) for line in own.lines)
        assert abs(total[i] - own.total) <= near
        assert paid is not None or np.abs(by_period[:, i] - own.monthly).max() <= near
        kinds = {kind: sum(amounts) for kind, amounts in own.by_kind().items()}
        for kind in {*kinds, *by_kind}:
            found = by_kind[kind][i] if kind in by_kind else 0.0
            assert abs(found - kinds.get(kind, 0.0)) <= near
    return by_kind


def everything() -> Tariff:
    """Every charge that follows from energies and peaks by bin."""
    peak, year = (hours(*range(16, 21)),), Ratchet((50.0,))
    return Tariff(
        "everything",
        rates=(
            EnergyRate("peak", price=0.3, times=peak),
            EnergyRate("any", price=0.1),
            EnergyRate("credit", price=-0.02, charge_class=("SUPPLY",)),
            EnergyRate("tiers", bands=(Band(0.1, limit_kwh=300), Band(0.2))),
            EnergyRate("of use", bands=(Band(0.2, limit_kwh_per_kw=100), Band(0.1)), times=peak),
            EnergyRate(
                "all", bands=(Band(0.1, limit_kwh=200), Band(0.2)), times=peak, counts="all"
            ),
            EnergyRate("sold", price=0.05, on_import=False, on_export=True),
            EnergyRate("quarter", price=0.01, settlement="quarter"),
            EnergyRate("year", price=0.04, on_import=False, on_export=True, settlement="year"),
            EnergyRate("public", price=0.02, bypassable=False),
        ),
        demand_rates=(
            DemandRate("any hours", 3.0, ratchet=year),
            DemandRate("peak hours", 2.0, window=peak, charge_class=("SUPPLY",)),
            DemandRate("year", 5.0, period="year"),
        ),
        fixed_charges=(FixedCharge("meter", 20.0), FixedCharge("gift", -5.0)),
        minimum_charges=(MinimumCharge("least", 100.0), MinimumCharge("of a year", 2000.0, "year")),
        percentages=(
            PercentageRate("rider", 3.0, ("SUPPLY",)),
            PercentageRate("tax", 8.0, ("TAX",)),
            PercentageRate("on top", 1.0, ("AFTER_TAX",)),
        ),
    )
