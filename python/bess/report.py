"""What a person reads after a run: energy by flow, before and after, what was assumed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from bess._arrays import Floats
from bess.economics.tables import money_tables
from bess.result import Result
from bess.storage.response import StorageResponse
from bess.tariff.bill import bill_energy

__all__ = ["print_report"]

_FLOWS = (
    ("grid_to_site_kwh_ac", "grid to site", "AC"),
    ("grid_to_battery_kwh_ac", "grid to battery", "AC"),
    ("solar_to_site_kwh_ac", "solar to site", "AC"),
    ("solar_to_battery_kwh_dc", "solar to battery", "DC"),
    ("solar_to_grid_kwh_ac", "solar to grid", "AC"),
    ("solar_curtailed_kwh_dc", "solar curtailed", "DC"),
    ("battery_to_site_kwh_ac", "battery to site", "AC"),
    ("battery_to_grid_kwh_ac", "battery to grid", "AC"),
)


@dataclass(frozen=True)
class _Meter:
    """What the site's meter sees, kWh AC per step, and what that costs."""

    imports: Floats
    exports: Floats
    cost: float | None


def print_report(
    response: StorageResponse, title: str, files: Sequence[Path], console: Console
) -> None:
    """Print the answer as tables: energies in kWh, peaks in kW, money in the tariff's currency."""
    result = response.result
    timeline = result.site.timeline
    first, last = timeline.instant(0), timeline.instant(timeline.steps)
    console.print()
    console.print(Text(title, style="bold"))
    console.print(
        f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}, "
        f"{timeline.steps:,} steps of {timeline.step_seconds / 60:g} min",
        highlight=False,
    )
    console.print()
    for part in (_meters(response), _flows(result), _battery(result)):
        console.print(part)
        console.print()
    if response.savings is not None:
        for part in money_tables(response.savings):
            console.print(part)
            console.print()
    missed = [str(violation) for violation in result.violations]
    console.print(_listed("Policies missed", missed or ["none"], "red" if missed else "green"))
    console.print(_listed("Assumed", response.assumptions, "dim"))
    if files:
        folders = dict.fromkeys(path.parent for path in files)
        written = [
            f"{folder}: {', '.join(path.name for path in files if path.parent == folder)}"
            for folder in folders
        ]
        console.print(_listed("Written", written, "dim"))


def _meters(response: StorageResponse) -> Table:
    """Import, export, peak and cost, before and after."""
    result = response.result
    columns = {"load alone": _meter(result, np.zeros(result.site.steps))}
    if result.site.solar_kwh.any():
        columns["with solar"] = _meter(result, result.site.solar_output_kwh)
    columns["with storage"] = _Meter(result.import_kwh_ac, result.export_kwh_ac, result.cost)
    table = Table(title="At the meter", title_justify="left", header_style="bold")
    table.add_column("")
    for name in columns:
        table.add_column(name, justify="right")
    meters = columns.values()
    hours = result.site.step_hours
    table.add_row("import (kWh)", *(f"{meter.imports.sum():,.1f}" for meter in meters))
    table.add_row("export (kWh)", *(f"{meter.exports.sum():,.1f}" for meter in meters))
    table.add_row("peak import (kW)", *(f"{meter.imports.max() / hours:,.2f}" for meter in meters))
    if result.cost is not None:
        money = f"cost ({response.currency})" if response.currency else "cost"
        table.add_row(money, *(f"{meter.cost:,.2f}" for meter in meters), style="bold")
    return table


def _meter(result: Result, solar_kwh: Floats) -> _Meter:
    """The meter without a battery: solar serves the load, what is left is exported if allowed."""
    site = result.site
    imports = np.maximum(site.load_kwh - solar_kwh, 0.0)
    exports = np.maximum(solar_kwh - site.load_kwh, 0.0)
    if not site.allow_solar_to_grid:
        exports[:] = 0.0
    elif site.export_limit_kwh is not None:
        exports = np.minimum(exports, site.export_limit_kwh)
    cost = None
    if result.tariff is not None:
        cost = bill_energy(site, result.tariff, imports, exports).total
    elif result.import_price is not None and result.export_price is not None:
        cost = float(result.import_price @ imports - result.export_price @ exports)
    return _Meter(imports, exports, cost)


def _flows(result: Result) -> Table:
    table = Table(title="Energy by flow", title_justify="left", header_style="bold")
    table.add_column("")
    table.add_column("kWh", justify="right")
    table.add_column("side")
    for name, words, side in _FLOWS:
        energy = float(result.flows[name].sum())
        table.add_row(words, f"{energy:,.1f}", side, style=None if energy else "dim")
    return table


def _battery(result: Result) -> Table:
    table = Table(title="Battery", title_justify="left", header_style="bold")
    table.add_column("")
    for unit in result.units:
        table.add_column(Text(unit.name), justify="right")
    units = result.units
    rows: list[tuple[str, Iterable[str]]] = [
        ("capacity (kWh)", (f"{unit.capacity_kwh:,.2f}" for unit in units)),
        ("equivalent full cycles", (f"{unit.equivalent_full_cycles:,.1f}" for unit in units)),
        (
            "state of charge, start",
            (f"{100 * unit.initial_state_of_charge:.1f} %" for unit in units),
        ),
        ("state of charge, end", (f"{100 * unit.battery_soc[-1]:.1f} %" for unit in units)),
        ("stored energy left (kWh)", (f"{unit.stored_energy_change_kwh:+,.2f}" for unit in units)),
    ]
    if result.self_discharge_kwh:
        lost = (f"{unit.self_discharge_kwh:,.2f}" for unit in units)
        rows.append(("lost by self-discharge (kWh)", lost))
    for words, cells in rows:
        table.add_row(words, *cells)
    remarks = []
    if result.degradation_cost:
        remarks.append(f"the cost includes {result.degradation_cost:,.2f} of degradation")
    if result.gap is not None:
        remarks.append(f"optimal within a gap of {result.gap:.1e}")
    table.caption = "; ".join(remarks) or None
    table.caption_justify = "left"
    return table


def _listed(title: str, lines: Sequence[str], style: str) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    for line in lines or ["nothing"]:
        table.add_row("•", Text(line, style=style, overflow="fold"))
    return Group(Text(title, style="bold"), table)
