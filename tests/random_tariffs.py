"""Random sites, batteries and tariffs on which the cuts are held against HiGHS."""

from __future__ import annotations

from typing import Any

import numpy as np

from bess import Battery, Site
from bess.tariff import Tariff
from bess.tariff.rates import (
    Band,
    DemandBand,
    DemandRate,
    EnergyRate,
    MinimumCharge,
    PercentageRate,
    Ratchet,
)
from bess.tariff.series import PriceSeries
from bess.time_of_use import TimeOfUse

EVENING = TimeOfUse.model_validate({"touPeriods": [{"fromHour": 16, "toHour": 21}]})
NIGHT = TimeOfUse.model_validate({"touPeriods": [{"fromHour": 22, "toHour": 6}]})


def random_place(
    random: np.random.Generator, hours: int, *, wild: bool
) -> tuple[Site, Battery, float]:
    """A site from a hundredth of a kW to some hundred, its battery, and its size."""

    def happens(part: float) -> bool:
        return bool(random.random() < part)

    size = float(random.choice([0.01, 1.0, 1.0, 300.0]))
    load = size * random.choice([0.5, 3.0]) * (1 + random.random(hours) ** 3)
    if happens(0.2):
        load = np.full(hours, size)
    sun = np.maximum(np.sin((np.arange(hours) - 6) / 24 * 2 * np.pi), 0)
    sun = size * sun * random.choice([0, 0, 4, 12]) * random.random(hours)
    site = Site(
        load_kwh=load,
        solar_kwh=sun,
        start="2025-01-25T00:00Z",
        time_zone="UTC",
        inverter_limit_kw=2.0 * size if happens(0.2) else None,
        export_limit_kwh=size if happens(0.1) else None,
        import_limit_kwh=1.2 * float(load.max()) if happens(0.1) else None,
        allow_solar_to_grid=not happens(0.1),
    )
    power = size * float(random.choice([0.3, 2.0, 50.0]))
    end: Any = random.choice(["initial", "initial", "free", "window"])
    battery = Battery(
        capacity_kwh=size * float(random.choice([1e-4, 0.5, 4.0, 40.0, 1e3])),
        charge_power_kw=power,
        discharge_power_kw=power * float(random.choice([1.0, 0.5])),
        dc_coupled=happens(0.5),
        allow_grid_to_battery=happens(0.75),
        allow_battery_to_grid=happens(0.4),
        allow_solar_to_battery=not (wild and happens(0.1)),
        degradation_cost_per_kwh=float(random.choice([0.0, 0.0, 0.02])),
        self_discharge_per_hour=float(random.choice([0.0, 0.0, 1e-4, 0.003])),
        initial_state_of_charge=0.5,
        terminal_state_of_charge=(0.4, 0.9) if end == "window" else end,
    )
    return site, battery, size


def random_tariff(random: np.random.Generator, site: Site, size: float, *, wild: bool) -> Tariff:
    """A mix of charges; ``wild``: of prices below 0 and exports above imports too."""

    def happens(part: float) -> bool:
        return bool(random.random() < part)

    mean = float(site.load_kwh.mean())
    kind = random.choice(["flat", "rising", "falling", "hours of use", "series"])
    rates: list[EnergyRate] = []
    series = None
    if kind == "flat":
        rates = [EnergyRate("flat", price=float(random.choice([0.1, 0.2])))]
    elif kind == "hours of use":
        bands = Band(0.15, limit_kwh_per_kw=200.0), Band(0.08, limit_kwh_per_kw=400.0), Band(0.05)
        rates = [EnergyRate("hours of use", bands=bands)]
    elif kind == "series":
        price = 0.1 + 0.1 * np.sin(np.arange(site.steps) / 24 * 4 * np.pi)
        price += random.normal(0, 0.03, site.steps)
        sold = np.minimum(price, 0.9 * price)
        if not wild:
            price = np.maximum(price, 0.0)
            sold = 0.9 * price
        elif happens(0.5):
            sold = np.where(random.random(site.steps) < 0.1, price + 0.05, sold)
        series = PriceSeries(price, sold)
    else:
        prices = [0.1, 0.2, 0.3] if kind == "rising" else [0.3, 0.2, 0.1]
        limits = 20 * mean, 28 * mean, None
        settlement: Any = "billing_period" if wild and happens(0.3) else "interval"
        bands = tuple(Band(p, limit_kwh_per_day=m) for p, m in zip(prices, limits, strict=True))
        rates = [EnergyRate("bands", bands=bands, settlement=settlement)]
    if happens(0.5):
        rates.append(EnergyRate("evening", price=0.15, times=(EVENING,)))
    if series is None and happens(0.5):
        rates.append(EnergyRate("sold", price=0.05, on_import=False, on_export=True))
    if series is None and wild and happens(0.2):
        night = EnergyRate("night", price=0.3, on_import=False, on_export=True, times=(NIGHT,))
        rates.append(night)
    if happens(0.15):
        span: Any = random.choice(["hour", "day", "billing_period"])
        rates.append(EnergyRate("netted", price=0.07, settlement=span, on_export=True))
    demand = [
        DemandRate("any", float(random.choice([0.5, 3.0, 10.0]))),
        DemandRate("evening", 6.0, window=(EVENING,)),
        DemandRate("rising", bands=(DemandBand(2.0, 1.3 * size), DemandBand(7.0))),
        DemandRate("ratchet", 4.0, ratchet=Ratchet((80.0,))),
        DemandRate("day", 0.3, period="day"),
        DemandRate("year", 12.0, period="year"),
    ]
    return Tariff(
        "random",
        time_zone="UTC",
        rates=tuple(rates),
        series=series,
        demand_rates=tuple(rate for rate in demand if happens(0.3)),
        minimum_charges=(MinimumCharge("least", 60.0 * mean),) if happens(0.2) else (),
        percentages=(PercentageRate("tax", 10.0),) if happens(0.15) else (),
        metering="net_metering" if series is None and happens(0.12) else "net_billing",
    )
