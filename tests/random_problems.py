"""Random problems of one battery by the thousand, with ties and zeros among them, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from reference_models import INF, Step, Store

from bess import _core

Generator = np.random.Generator
Floats = NDArray[np.float64]

EFFICIENCIES = [1.0, 1.0, 0.975, 0.96, 0.9, 0.5]
ENERGIES = [0.0, 0.0, 0.5, 1.0, 2.0, 3.0]
RETENTIONS = [1.0, 1.0, 1.0, 0.9999, 0.98, 0.7, 0.01]
PRICES = [-0.2, -0.05, 0.0, 0.1, 0.1, 0.3]


@dataclass(frozen=True)
class Case:
    """A site, a battery, prices and windows in plain numbers."""

    load: Floats
    solar: Floats
    import_price: Floats
    export_price: Floats
    battery: dict[str, Any]
    solar_efficiency: float = 0.96
    solar_to_grid: bool = True
    export_limit: Floats | None = None
    import_limit: Floats | None = None
    windows: list[tuple[int, float, float]] = field(default_factory=list)
    inverter_limit: Floats | None = None

    @property
    def steps(self) -> int:
        return len(self.load)

    def problem_site(self) -> _core.Site:
        return _core.Site(
            self.load,
            self.solar,
            self.export_limit,
            self.import_limit,
            self.inverter_limit,
            self.solar_efficiency,
            self.solar_to_grid,
        )

    def problem(self) -> _core.Problem:
        device = _core.Device(_core.Battery(**self.battery), 10, 10, self.windows)
        prices = self.import_price, self.export_price
        return _core.Problem(self.problem_site(), [device], *prices, False)

    def step(self, t: int) -> Step:
        return Step(
            float(self.load[t]),
            float(self.solar[t]),
            INF if self.export_limit is None else float(self.export_limit[t]),
            INF if self.import_limit is None else float(self.import_limit[t]),
            self.solar_to_grid,
            INF if self.inverter_limit is None else float(self.inverter_limit[t]),
        )

    def store(self) -> Store:
        b = self.battery
        return Store(
            lowest=b["minimum_energy"],
            highest=b["maximum_energy"],
            initial=b["initial_energy"],
            charge_limit=b["charge_limit"],
            discharge_limit=b["discharge_limit"],
            ac_to_dc=b["ac_to_dc_efficiency"],
            dc_to_ac=b["dc_to_ac_efficiency"],
            input_efficiency=b["input_efficiency"],
            solar_efficiency=self.solar_efficiency,
            dc_coupled=b["dc_coupled"],
            grid_to_battery=b["grid_to_battery"],
            battery_to_grid=b["battery_to_grid"],
            solar_to_battery=b["solar_to_battery"],
            wear=b["degradation_cost"],
            retention=b["retention"],
        )


def random_battery(rng: Generator, lossy: bool = False) -> dict[str, Any]:
    """A battery of any coupling and permissions, full and empty ones among them."""
    capacity = float(rng.choice([0.5, 4.0, 6.0, 13.5, 100.0]))
    low, high = [(0.0, 1.0), (0.1, 1.0), (0.2, 0.8), (0.5, 0.55)][rng.integers(4)]
    initial = float(rng.choice([low, high, 0.5 * (low + high), rng.uniform(low, high)]))
    return {
        "capacity": capacity,
        "minimum_energy": low * capacity,
        "maximum_energy": high * capacity,
        "initial_energy": initial * capacity,
        "charge_limit": float(rng.choice([0.1, 1.0, 3.0, 20.0])),
        "discharge_limit": float(rng.choice([0.1, 1.0, 3.0, 20.0])),
        "ac_to_dc_efficiency": float(rng.choice(EFFICIENCIES)),
        "dc_to_ac_efficiency": float(rng.choice(EFFICIENCIES)),
        "input_efficiency": float(rng.choice(EFFICIENCIES)),
        "degradation_cost": float(rng.choice([0.0, 0.0, 0.04])),
        "retention": float(rng.choice(RETENTIONS)) if lossy else 1.0,
        "dc_coupled": bool(rng.integers(2)),
        "grid_to_battery": bool(rng.integers(3)),
        "battery_to_grid": bool(rng.integers(3)),
        "solar_to_battery": bool(rng.integers(3)),
    }


def random_case(rng: Generator, steps: int, windows: bool = True, lossy: bool = True) -> Case:
    """A problem of any kind; its battery may be unable to meet its windows."""
    load, solar = _energies(rng, steps), _energies(rng, steps)
    buy, sell = _prices(rng, steps), _prices(rng, steps)
    kind = rng.integers(4)
    if kind == 0:
        sell = buy.copy()
    elif kind == 1:
        buy, sell = np.maximum(buy, sell), np.minimum(buy, sell)
    export_limit = None
    if rng.integers(2):
        export_limit = rng.choice([0.0, 0.25, 0.5, 1.0, 5.0], size=steps)
    import_limit = None
    if rng.integers(3) == 0:
        slack = rng.choice([-0.1, 0.0, 0.0, 0.5, 2.0, 10.0], size=steps)
        import_limit = np.maximum(load + slack, 0.0)
    battery = random_battery(rng, lossy)
    inverter_limit = None
    if battery["dc_coupled"] and rng.integers(2):
        inverter_limit = rng.choice([0.0, 0.5, 1.0, 1.5, 2.5, 5.0], size=steps)
    low, high = battery["minimum_energy"], battery["maximum_energy"]
    asked = []
    if windows:
        for _ in range(rng.integers(3)):
            ends = np.sort(rng.choice([low, high, *rng.uniform(low, high, 2)], size=2))
            asked.append((int(rng.integers(steps)), float(ends[0]), float(ends[1])))
        end = [(low, high), (battery["initial_energy"], high), (battery["initial_energy"],) * 2]
        asked.append((steps - 1, *end[rng.integers(3)]))
        asked.sort()
    return Case(
        load,
        solar,
        buy,
        sell,
        battery,
        float(rng.choice([1.0, 0.96, 0.8])),
        bool(rng.integers(4)),
        export_limit,
        import_limit,
        asked,
        inverter_limit,
    )


def _energies(rng: Generator, steps: int) -> Floats:
    if rng.integers(2):
        return np.array(rng.choice(ENERGIES, size=steps))
    return rng.uniform(0, 4, size=steps) * rng.integers(0, 2, size=steps)


def _prices(rng: Generator, steps: int) -> Floats:
    kind = rng.integers(3)
    if kind == 0:
        return np.array(rng.choice(PRICES, size=steps))
    if kind == 1:
        return np.full(steps, rng.choice(PRICES))
    return rng.normal(0.1, 0.15, size=steps)


def random_year(rng: Generator, steps: int, kinks: int) -> Case:
    """A year in `steps`: days and seasons, prices of every kind with `kinks` hours in which import
    earns money or export pays more than import costs, windows, and limits that can bind."""
    case = random_case(rng, steps, windows=False)
    day = 2 * np.pi * np.arange(steps) * (8760 / steps) / 24
    season = np.cos(day / 365)
    unit = 8760 / steps * float(rng.choice([0.5, 2.0, 50.0]))
    load = unit * np.maximum(1 + 0.5 * np.sin(day - 2) + rng.normal(0, 0.3, steps), 0.0)
    sun = np.maximum(-np.cos(day) - 0.4 * season, 0.0) * rng.uniform(0.2, 1, steps)
    sun *= unit * float(rng.choice([0.0, 1.0, 3.0]))
    buy, sell = _year_prices(rng, steps)
    if kinks:
        odd = rng.choice(steps, size=kinks, replace=False)
        if rng.integers(2):
            sell[odd] = buy[odd] + rng.choice([0.01, 0.2], size=kinks)
        else:
            buy[odd] = -rng.choice([0.01, 0.05], size=kinks)
            sell[odd] = np.minimum(sell[odd], buy[odd])
    import_limit = None
    if rng.integers(3) == 0:
        import_limit = np.full(steps, np.quantile(load, rng.choice([0.98, 1.0])))
    battery = random_battery(rng) | {"retention": float(rng.choice([1.0, 1.0, 0.9999]))}
    power = unit * float(rng.choice([0.1, 1.0, 5.0]))
    hours = float(rng.choice([0.5, 2.0, 4.0, 20.0])) * steps / 8760
    scale = power * hours / battery["capacity"]
    for name in ("capacity", "minimum_energy", "maximum_energy", "initial_energy"):
        battery[name] *= scale
    battery["charge_limit"], battery["discharge_limit"] = power, power * rng.choice([0.5, 1.0])
    low, high = battery["minimum_energy"], battery["maximum_energy"]
    windows = [(steps - 1, battery["initial_energy"], high)]
    if rng.integers(2):  # every week, or every day
        every = steps // int(rng.choice([52, 365]))
        wanted = low + rng.choice([0.3, 0.9]) * (high - low)
        windows += [(t, wanted, high) for t in range(every, steps - 1, every)]
    return replace(
        case,
        load=load,
        solar=sun,
        import_price=buy,
        export_price=sell,
        battery=battery,
        export_limit=None if case.export_limit is None else case.export_limit * unit,
        import_limit=import_limit,
        inverter_limit=case.inverter_limit if battery["dc_coupled"] else None,
        windows=sorted(windows),
    )


def _year_prices(rng: Generator, steps: int) -> tuple[Floats, Floats]:
    """Prices by hour of the day, flat, or of a market; export never above import."""
    hour = (np.arange(steps) * 8760 // steps) % 24
    kind = rng.integers(3)
    if kind == 0:
        buy = np.choose((hour >= 16).astype(int) + (hour >= 21), [0.2, 0.45, 0.25])
    elif kind == 1:
        buy = np.full(steps, 0.3)
    else:
        noise = rng.normal(0, 1, steps)
        swing = np.convolve(noise, np.exp(-np.arange(12) / 4), "same")
        buy = np.maximum(0.1 + 0.03 * np.sin(2 * np.pi * (hour - 9) / 12) + 0.02 * swing, 0.001)
    share = float(rng.choice([0.0, 0.5, 1.0]))
    return buy.astype(float), share * buy.astype(float)
