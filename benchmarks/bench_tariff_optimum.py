"""The optimum on a tariff with demand windows against the same problem by hand in HiGHS."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from by_hand import Year, full, reduced

import bess
from bess.tariff import Band, DemandRate, EnergyRate, HourMatrix, Tariff
from bess.tariff.series import PriceSeries
from bess.time_of_use import Season

pytestmark = pytest.mark.benchmark(timer=time.process_time)

ZONE = "America/Chicago"
SUMMER = (6, 7, 8, 9)
SOLAR_KW = 150.0
BATTERY = bess.Battery(
    capacity_kwh=400, charge_power_kw=100, discharge_power_kw=100, dc_coupled=False
)
WINDOWS = ((0, 24), (9, 21), (12, 20), (14, 19), (16, 18))
"""Hours of a demand window, each inside the one before it; of weekdays, but for the first."""
PEAK_PRICES = {True: (9.0, 14.0, 4.0, 3.0, 2.0), False: (6.0, 9.0, 3.0, 2.0, 1.0)}  # by summer
TIERS = ((30_000.0, 0.02), (60_000.0, 0.03))
"""Beyond so many kWh a month, what one more costs on top."""
MILLISECOND = 1e-3


@dataclass(frozen=True)
class Case:
    """A commercial year: its steps, windows a month, prices, tiers, and its goals."""

    steps: int
    windows: int
    wholesale: bool = False
    tiers: bool = False
    goal: float | None = None
    """Milliseconds of the core."""

    def __str__(self) -> str:
        tiers = ", tiers" if self.tiers else ""
        prices = "wholesale" if self.wholesale else "time of use"
        return f"{self.steps} steps, {12 * self.windows} windows{tiers}, {prices}"


CASES = [
    Case(8760, 2, goal=35),
    Case(8760, 2, wholesale=True),
    Case(8760, 2, tiers=True, goal=90),
    Case(8760, 2, tiers=True, wholesale=True),
    Case(35040, 2),
    Case(35040, 3, goal=100),
    Case(35040, 5, goal=120),
    Case(35040, 3, wholesale=True),
]


def tariff(case: Case, prices: PriceSeries | None) -> Tariff:
    """Prices of energy by time of use or by hour, demand windows by month, perhaps tiers."""
    seasons = {
        True: (Season(season_from_month=6, season_to_month=9),),
        False: (Season(season_from_month=10, season_to_month=5),),
    }
    windows = []
    for first, last in WINDOWS:
        weekday = tuple(int(first <= hour < last) for hour in range(24))
        windows.append(HourMatrix((weekday,) * 12, ((0,) * 24,) * 12, 1))
    rates: tuple[EnergyRate, ...] = ()
    if prices is None:
        rates = (
            EnergyRate("energy", price=0.07),
            EnergyRate("on-peak", price=0.05, times=(windows[1],)),
            EnergyRate("sold", price=0.03, on_import=False, on_export=True),
        )
    if case.tiers:
        (first, more), (second, most) = TIERS
        bands = Band(0.0, limit_kwh=first), Band(more, limit_kwh=second), Band(more + most)
        rates += (EnergyRate("tiers", bands=bands),)
    return Tariff(
        "commercial",
        time_zone=ZONE,
        rates=rates,
        series=prices,
        demand_rates=tuple(
            DemandRate(
                f"window {i} {summer}",
                PEAK_PRICES[summer][i],
                window=(windows[i],) if i else (),
                seasons=seasons[summer],
            )
            for i in range(case.windows)
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


def year_of(case: Case, site: bess.Site, prices: PriceSeries | None) -> Year:
    """The year in the arrays that the model by hand is written from."""
    local = [stamp.astimezone(ZoneInfo(ZONE)) for stamp in site.timeline.timestamps]
    hour = np.array([at.hour if at.weekday() < 5 else -1 for at in local])
    inside = [(hour >= first) & (hour < last) for first, last in WINDOWS[1 : case.windows]]
    on_peak = (hour >= WINDOWS[1][0]) & (hour < WINDOWS[1][1])
    buy, sell = np.where(on_peak, 0.12, 0.07), np.full(site.steps, 0.03)
    if prices is not None:
        buy, sell = prices.on(site.timeline, ZONE)
    return Year(
        load=np.array(site.load_kwh),
        solar=np.array(site.solar_kwh),
        import_price=buy,
        export_price=sell,
        month=np.array([at.month - 1 for at in local]),
        window=np.sum(inside, axis=0),
        peak_price=np.array([PEAK_PRICES[m in SUMMER] for m in range(1, 13)]).T[: case.windows],
        hours=site.step_hours,
        tiers=TIERS if case.tiers else (),
    )


@pytest.fixture(params=CASES, ids=str)
def case(request: pytest.FixtureRequest) -> Case:
    return request.param


@pytest.fixture
def site(case: Case, commercial: bess.Site, commercial_hourly: bess.Site) -> bess.Site:
    return commercial_hourly if case.steps == 8760 else commercial


@pytest.fixture
def prices(case: Case, shared_data: Path) -> PriceSeries | None:
    """Day-ahead prices, those below 0 left out, and what a supplier takes besides."""
    if not case.wholesale:
        return None
    file = shared_data / "prices" / "de_lu_dayahead_2019_60min.csv"
    price = np.loadtxt(file, delimiter=",", skiprows=1, usecols=1) / 1000
    price = np.repeat(np.maximum(price, 0.0), case.steps // 8760)
    return PriceSeries(price + 0.06, price)


@pytest.fixture
def year(case: Case, site: bess.Site, prices: PriceSeries | None) -> Year:
    return year_of(case, site, prices)


def bench_by_bess(
    benchmark: Any,
    reached: Callable[..., None],
    case: Case,
    site: bess.Site,
    prices: PriceSeries | None,
    year: Year,
) -> None:
    """The whole of `bess.dispatch`; its cost is the one found by hand."""
    benchmark.group = str(case)
    rates = tariff(case, prices)
    result = benchmark.pedantic(
        lambda: bess.dispatch(site, BATTERY, bess.Optimize(), tariff=rates), rounds=7
    )
    reached(f"{case}", None if case.goal is None else case.goal * MILLISECOND)
    assert result.engine == "core"
    assert result.gap <= 1e-6
    assert result.cost == pytest.approx(reduced(year), rel=1e-6)
    assert result.cost == pytest.approx(bess.bill(result, rates).total, rel=1e-12)


def bench_reduced_by_hand(
    benchmark: Any, reached: Callable[..., None], case: Case, year: Year
) -> None:
    benchmark.group = str(case)
    benchmark.pedantic(lambda: reduced(year), rounds=2)
    reached(f"{case}, reduced by hand")


@pytest.mark.slow
def bench_in_full_by_hand(
    benchmark: Any, reached: Callable[..., None], case: Case, year: Year
) -> None:
    """Minutes in all: asked for with ``-m slow``, or ``-m ""`` beside the others."""
    benchmark.group = str(case)
    found = benchmark.pedantic(lambda: full(year), rounds=1)
    reached(f"{case}, in full by hand")
    assert found == pytest.approx(reduced(year), rel=1e-7)


def bench_best_size(
    benchmark: Any,
    reached: Callable[..., None],
    case: Case,
    site: bess.Site,
    prices: PriceSeries | None,
) -> None:
    """`bess.size` over capacity and power, with a surface of 4 sizes; proven to rounding."""
    benchmark.group = str(case)
    if case.steps != 8760:
        pytest.skip("hours are enough")
    rates = tariff(case, prices)
    costs = bess.Costs(per_kwh=200, per_kw=100, years=15, discount_rate_percent=6)
    ranges: dict[str, Any] = {"capacity_kwh": (0, 1000), "power_kw": (0, 400)}
    found = benchmark.pedantic(
        lambda: bess.size(site, rates, costs, battery=BATTERY, points=2, **ranges), rounds=1
    )
    reached(f"{case}, the best size")
    assert not found.not_proven
    assert found.gap <= 1e-4 * found.net_present_value


@pytest.mark.parametrize("order", ["grid", "shuffled"])
def bench_in_a_sweep(
    benchmark: Any, reached: Callable[..., None], commercial_hourly: bess.Site, order: str
) -> None:
    """Optima of 64 batteries, hourly, with 24 demand windows, one thread."""
    benchmark.group = str(CASES[0])
    paid = tariff(CASES[0], None)
    columns = {
        name: column.ravel()
        for name, column in zip(
            ("capacity_kwh", "duration_hours"),
            np.meshgrid(np.linspace(100, 800, 8), np.linspace(1, 6, 8), indexing="ij"),
            strict=True,
        )
    }
    if order == "shuffled":
        place = np.random.default_rng(1).permutation(64)
        columns = {name: column[place] for name, column in columns.items()}
    batteries = {**columns, "dc_coupled": False}
    table = benchmark.pedantic(
        lambda: bess.sweep(
            commercial_hourly,
            batteries,
            bess.Optimize(),
            tariff=paid,
            workers=1,
            metrics=["cost", "gap"],
        ),
        rounds=3,
    )
    reached(f"the optimum with 24 demand windows in a sweep, {order}: a battery", 1 / 40, per=64)
    assert table["gap"].max() <= 1e-6
    by_hand = year_of(CASES[0], commercial_hourly, None)
    for i in (0, 31, 63):
        row = table.row(i)
        capacity = row["capacity_kwh"]
        own = replace(
            by_hand,
            capacity=capacity,
            power=capacity / row["duration_hours"],
            lowest=0.1 * capacity,
            initial=0.5 * capacity,
        )
        np.testing.assert_allclose(row["cost"], reduced(own), rtol=1.1e-6)
