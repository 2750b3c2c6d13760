"""The optimum on a tariff with demand windows against the same problem by hand in HiGHS."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from by_hand import Year, full, reduced

import bess
from bess.tariff import DemandRate, EnergyRate, HourMatrix, Tariff
from bess.time_of_use import Season

ZONE = "America/Chicago"
SUMMER, WINTER = (6, 7, 8, 9), (1, 2, 3, 4, 5, 10, 11, 12)
ANY_HOUR, ON_PEAK = {True: 9.0, False: 6.0}, {True: 14.0, False: 9.0}  # by summer
SOLAR_KW = 150.0
BATTERY = bess.Battery(
    capacity_kwh=400, charge_power_kw=100, discharge_power_kw=100, dc_coupled=False
)


def tariff() -> Tariff:
    """Two prices of energy and 24 demand windows: any hour and on-peak in each of twelve months."""
    weekday = tuple(int(9 <= hour < 21) for hour in range(24))
    peak = HourMatrix((weekday,) * 12, ((0,) * 24,) * 12, 1)
    seasons = {
        True: (Season(season_from_month=6, season_to_month=9),),
        False: (Season(season_from_month=10, season_to_month=5),),
    }
    return Tariff(
        "commercial",
        time_zone=ZONE,
        rates=(
            EnergyRate("energy", price=0.07),
            EnergyRate("on-peak", price=0.05, times=(peak,)),
            EnergyRate("sold", price=0.03, on_import=False, on_export=True),
        ),
        demand_rates=tuple(
            DemandRate(f"{name} {summer}", prices[summer], window=window, seasons=seasons[summer])
            for name, prices, window in (("any", ANY_HOUR, ()), ("peak", ON_PEAK, (peak,)))
            for summer in (True, False)
        ),
    )


@pytest.fixture(scope="session")
def commercial(shared_data: Path) -> bess.Site:
    """A measured commercial site, 35,040 quarter hours."""
    file = shared_data / "loads" / "wisconsin_commercial_15min_2022_load_pv.csv"
    load, solar = np.loadtxt(file, delimiter=",", skiprows=1, unpack=True)
    return bess.Site(
        load_kw=load,
        solar_kw=SOLAR_KW * solar,
        start="2022-01-01T00:00-06:00",
        step_hours=0.25,
        time_zone=ZONE,
    )


@pytest.fixture(scope="session")
def commercial_hourly(commercial: bess.Site) -> bess.Site:
    """The same in 8,760 hours."""
    hourly = [s.reshape(-1, 4).sum(axis=1) for s in (commercial.load_kwh, commercial.solar_kwh)]
    return bess.Site(
        load_kwh=hourly[0], solar_kwh=hourly[1], start="2022-01-01T00:00-06:00", time_zone=ZONE
    )


def year_of(site: bess.Site) -> Year:
    """The year in the arrays that the model by hand is written from."""
    local = [stamp.astimezone(ZoneInfo(ZONE)) for stamp in site.timeline.timestamps]
    on_peak = np.array([at.weekday() < 5 and 9 <= at.hour < 21 for at in local])
    summer = [month in SUMMER for month in range(1, 13)]
    return Year(
        load=np.array(site.load_kwh),
        solar=np.array(site.solar_kwh),
        import_price=np.where(on_peak, 0.12, 0.07),
        export_price=np.full(site.steps, 0.03),
        month=np.array([at.month - 1 for at in local]),
        on_peak=on_peak,
        any_hour_price=np.array([ANY_HOUR[s] for s in summer]),
        on_peak_price=np.array([ON_PEAK[s] for s in summer]),
        hours=site.step_hours,
    )


@pytest.fixture(scope="session")
def year(commercial: bess.Site) -> Year:
    return year_of(commercial)


@pytest.fixture(scope="session")
def least(year: Year) -> float:
    """The least bill of the quarter-hour year."""
    return reduced(year)


@pytest.mark.benchmark(group="24 demand windows, quarter-hour year")
def bench_24_windows_by_bess(
    benchmark: Any, reached: Callable[..., None], commercial: bess.Site, least: float
) -> None:
    """Goal: 25 times faster than the best that was written by hand, the row below."""
    rates = tariff()
    result = benchmark.pedantic(
        lambda: bess.dispatch(commercial, BATTERY, bess.Optimize(), tariff=rates), rounds=3
    )
    reached("24 demand windows, quarter-hour year")
    assert result.gap <= 1e-6
    assert result.cost == pytest.approx(least, rel=1e-6)
    assert result.cost == pytest.approx(bess.bill(result, rates).total, rel=1e-12)


@pytest.mark.benchmark(group="24 demand windows, quarter-hour year")
def bench_24_windows_reduced_by_hand(
    benchmark: Any, reached: Callable[..., None], year: Year, least: float
) -> None:
    found = benchmark.pedantic(lambda: reduced(year), rounds=3)
    reached("the same by hand in HiGHS, reduced")
    assert found == pytest.approx(least, rel=1e-9)


@pytest.mark.benchmark(group="24 demand windows, quarter-hour year")
def bench_24_windows_in_full_by_hand(
    benchmark: Any, reached: Callable[..., None], year: Year, least: float
) -> None:
    found = benchmark.pedantic(lambda: full(year), rounds=1)
    reached("the same by hand in HiGHS, every flow a column")
    assert found == pytest.approx(least, rel=1e-7)


@pytest.mark.benchmark(group="24 demand windows, hourly year")
def bench_24_windows_hourly_by_bess(
    benchmark: Any, reached: Callable[..., None], commercial_hourly: bess.Site
) -> None:
    rates = tariff()
    result = benchmark.pedantic(
        lambda: bess.dispatch(commercial_hourly, BATTERY, bess.Optimize(), tariff=rates), rounds=3
    )
    reached("24 demand windows, hourly year")
    assert result.gap <= 1e-6


@pytest.mark.benchmark(group="24 demand windows, hourly year")
def bench_24_windows_hourly_reduced_by_hand(
    benchmark: Any, reached: Callable[..., None], commercial_hourly: bess.Site
) -> None:
    hourly = year_of(commercial_hourly)
    found = benchmark.pedantic(lambda: reduced(hourly), rounds=3)
    reached("the same by hand in HiGHS, reduced, hourly year")
    rates = tariff()
    result = bess.dispatch(commercial_hourly, BATTERY, bess.Optimize(), tariff=rates)
    assert result.cost == pytest.approx(found, rel=1e-6)
