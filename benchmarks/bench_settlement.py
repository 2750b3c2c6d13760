"""From a year of imports and exports to a bill: determinants in the core, and the bill around them.

Goals: the determinants of an hourly year in 20 µs, of a quarter-hour year in 80 µs; a whole bill,
lines and all, in 1 ms. The baseline is NumPy on the same bins: two ``bincount`` for energy, and for
peaks the runs' maxima (``maximum.reduceat``), then the bins'.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import bess
from bess import _core
from bess.tariff import Band, DemandRate, EnergyRate, FixedCharge, PercentageRate, Tariff
from bess.tariff.hours import month_seasons
from bess.tariff.layout import Layout, lay_out
from bess.time_of_use import TimeOfUse

MICROSECOND, MILLISECOND = 1e-6, 1e-3
EXAMPLES = Path(__file__).parents[1] / "examples"
SUMMER, WINTER = month_seasons(range(6, 10))[0], month_seasons([*range(1, 6), *range(10, 13)])[0]

Flows = tuple[NDArray[np.float64], NDArray[np.float64]]


def commercial() -> Tariff:
    """Tiers, three times of use in two seasons, demand by month and in windows, a tax."""

    def at(season: Any, start: int, end: int, last: int = 6) -> tuple[TimeOfUse]:
        hours = {"fromHour": start, "toHour": end, "toDayOfWeek": last}
        period = {"touPeriods": [hours], "season": season.model_dump()}
        return (TimeOfUse.model_validate(period),)

    energy = [
        EnergyRate(f"{name} {start}", ("energy",), price, times=at(season, start, end))
        for name, season in (("summer", SUMMER), ("winter", WINTER))
        for start, end, price in ((16, 21, 0.3), (8, 16, 0.2), (21, 8, 0.1))
    ]
    tiers = (Band(0.01, limit_kwh=300), Band(0.02, limit_kwh=600), Band(0.03))
    return Tariff(
        "commercial",
        time_zone="America/Los_Angeles",
        rates=(
            *energy,
            EnergyRate("tiers", bands=tiers),
            EnergyRate("sold", price=0.05, on_import=False, on_export=True),
        ),
        demand_rates=(
            DemandRate("any hours", 10.0),
            DemandRate("summer peak", 20.0, window=at(SUMMER, 16, 21, 4)),
            DemandRate("winter peak", 5.0, window=at(WINTER, 16, 21, 4)),
        ),
        fixed_charges=(FixedCharge("meter", 100.0),),
        percentages=(PercentageRate("tax", 8.0, ("TAX",)),),
    )


TARIFFS = {
    "residential": lambda: bess.load_tariff(EXAMPLES / "tariff_sce_tou_d_prime.toml"),
    "commercial": commercial,
}


@pytest.fixture(params=["hourly", "quarter_hourly"])
def year(request: pytest.FixtureRequest) -> bess.Site:
    site: bess.Site = request.getfixturevalue(request.param)
    return site


@pytest.fixture
def flows(year: bess.Site) -> Flows:
    net = year.load_kwh - year.solar_kwh
    return np.maximum(net, 0.0), np.maximum(-net, 0.0)


def with_numpy(flows: Flows, layout: Layout, bin_of: NDArray[np.intp]) -> NDArray[np.float64]:
    runs = layout.runs
    found = np.empty((3, runs.bins))
    found[0] = np.bincount(bin_of, flows[0], runs.bins)
    found[1] = np.bincount(bin_of, flows[1], runs.bins)
    found[2] = 0.0
    np.maximum.at(found[2], runs.bin, np.maximum.reduceat(flows[0], runs.start[:-1]))
    return found


@pytest.mark.parametrize("by", ["core", "NumPy"])
@pytest.mark.parametrize("name", TARIFFS)
def bench_determinants(
    benchmark: Any,
    reached: Callable[..., None],
    year: bess.Site,
    flows: Flows,
    name: str,
    by: str,
) -> None:
    layout = lay_out(TARIFFS[name](), year.timeline)
    runs = layout.runs
    bin_of = np.repeat(runs.bin, np.diff(runs.start)).astype(np.intp)
    expected = with_numpy(flows, layout, bin_of)
    benchmark.group = f"determinants, {name}, {year.steps} steps"
    if by == "core":
        found = benchmark(_core.settle, *flows, runs.start, runs.bin, runs.bins)
    else:
        found = benchmark(with_numpy, flows, layout, bin_of)
    goal = 20 * MICROSECOND if year.steps == 8760 else 80 * MICROSECOND
    what = f"determinants by {by}, {name}, {year.steps} steps, {runs.bins} bins"
    reached(what, goal if by == "core" else None)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("name", TARIFFS)
def bench_bill(
    benchmark: Any, reached: Callable[..., None], year: bess.Site, flows: Flows, name: str
) -> None:
    tariff = TARIFFS[name]()
    benchmark.group = f"bill, {year.steps} steps"
    found = benchmark(bess.bill, year, tariff)
    reached(f"bess.bill, {name}, {year.steps} steps, {len(found.lines)} lines", MILLISECOND)
    if name == "residential":
        prices = tariff.prices(year.timeline).series(year.steps)[0]
        assert found.total == pytest.approx(float(flows[0] @ prices) + 0.516 * 365)
    kwh = sum(line.quantity for line in found.lines if line.kind == "energy" and not line.band)
    assert kwh == pytest.approx(flows[0].sum())
