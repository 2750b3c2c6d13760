"""A lifetime of 25 years, dispatched and billed year by year, and the page that shows it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import bess
from bess.page import page

EXAMPLES = Path(__file__).parents[1] / "examples"
BATTERY = bess.Battery(capacity_kwh=13.5, charge_power_kw=5, discharge_power_kw=5)


@pytest.fixture(scope="module")
def home() -> bess.Site:
    request = json.loads((EXAMPLES / "charge_on_surplus.json").read_text("utf-8"))
    return bess.run_request(request, profiles=EXAMPLES, tariffs=EXAMPLES).result.site


@pytest.mark.benchmark(group="savings of 25 years, hourly")
@pytest.mark.parametrize(
    ("strategy", "every", "rounds"), [(bess.Surplus(), 1, 10), (bess.Optimize(), 6, 1)]
)
def bench_savings(
    benchmark: Any,
    reached: Callable[..., None],
    home: bess.Site,
    strategy: bess.Surplus | bess.Optimize,
    every: int,
    rounds: int,
) -> None:
    tariff = bess.load_tariff(EXAMPLES / "tariff_pge_e_elec.json")
    found = benchmark.pedantic(
        lambda: bess.savings(home, BATTERY, strategy, before_tariff=tariff, every=every),
        rounds=rounds,
    )
    reached(f"savings, {type(strategy).__name__}, every {every} years")
    assert (found.saved > 0).all()


@pytest.mark.benchmark(group="a page, hourly year")
def bench_page(benchmark: Any, reached: Callable[..., None], home: bess.Site) -> None:
    tariff = bess.load_tariff(EXAMPLES / "tariff_pge_e_elec.json")
    found = bess.savings(home, BATTERY, bess.Surplus(), before_tariff=tariff)
    html = benchmark.pedantic(lambda: page(found.result, found), rounds=3)
    reached("the page of a lifetime")
    assert html.count("<figure>") == 6
