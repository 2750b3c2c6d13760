"""Limits on what a dispatch adds up to: in the head, against brute force, engine against engine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import strategies as cases
from hypothesis import given, settings
from hypothesis import strategies as st
from ideal import battery, device, site
from numpy.testing import assert_allclose
from random_tariffs import random_place, random_tariff
from reference_balances import check_balances, check_money
from reference_models import INF
from reference_optimum import Terminal, Total, optimum
from strategies_rules import few, permissions, twin_permissions
from strategies_tariffs import TariffCase, tariff_cases
from tariff_agreement import check_agreement
from test_objective import TARIFFS, two_months
from test_optimum import priced

import bess

DAY_OF_A_YEAR = 365.0


def cycled(place: bess.Site, store: Any, buy: Any, sell: Any = 0.0, **more: Any) -> bess.Result:
    options = {k: more.pop(k) for k in ("max_cycles", "engine", "gap") if k in more}
    prices = bess.Prices(buy, sell)
    return bess.dispatch(place, store, bess.Optimize(**options), prices=prices, **more)


@pytest.mark.parametrize("engine", ["core", "highs"])
def test_the_cycles_allowed_go_where_they_earn_most(engine: str) -> None:
    """Half a cycle in the day: 5 kWh saved at 0.5, not at 0.3, all bought at 0.1."""
    place = site([5, 5, 5, *[0] * 21])
    buy = [0.1, 0.3, 0.5] + [0.6] * 21
    store = battery(initial_state_of_charge=0, charge_power_kw=10)
    free = cycled(place, store, buy, engine=engine)
    assert_allclose(free.cost, 5 * 0.1 + 5 * 0.1 + 5 * 0.1)
    half = cycled(place, store, buy, engine=engine, max_cycles=0.5 * DAY_OF_A_YEAR)
    assert_allclose(half.cost, 5 * 0.1 + 5 * 0.3 + 5 * 0.1)
    assert_allclose(half.units[0].equivalent_full_cycles, 0.5)
    less = cycled(place, store, buy, engine=engine, max_cycles=0.2 * DAY_OF_A_YEAR)
    assert_allclose(less.cost, 5 * 0.1 + 5 * 0.3 + 2 * 0.1 + 3 * 0.5)
    assert less.gap is not None and less.gap <= 1e-12 if engine == "core" else 1e-6


def test_each_device_has_its_own_limit() -> None:
    units = [device("a", kwh=10), device("b", kwh=5)]
    place, buy = site([0, 10, *[0] * 22]), [0.1, 0.5] + [0.5] * 22
    allowed = [0.1 * DAY_OF_A_YEAR, 0.6 * DAY_OF_A_YEAR]
    result = cycled(place, units, buy, max_cycles=allowed, initial_state_of_charge=0)
    assert_allclose([unit.equivalent_full_cycles for unit in result.units], [0.1, 0.6])
    assert_allclose(result.cost, 4 * 0.1 + 6 * 0.5)
    result = cycled(place, units, buy, max_cycles=0.1 * DAY_OF_A_YEAR, initial_state_of_charge=0)
    assert_allclose(result.cost, 1.5 * 0.1 + 8.5 * 0.5)


def test_a_year_is_a_year_whether_leap_or_not() -> None:
    for start, hours in (("2024-01-01", 8784), ("2025-01-01", 8760), ("2024-02-29", 8760)):
        place = bess.Site(np.ones(hours), start=f"{start}T00:00Z")
        assert place.timeline.years == pytest.approx(1.0, abs=0.003 if "29" in start else 0)


@pytest.mark.parametrize("engine", ["core", "highs"])
def test_a_limit_that_cannot_be_kept_is_refused_with_what_is_needed(engine: str) -> None:
    """5 kWh must leave by the end: half a cycle."""
    store = battery(initial_state_of_charge=0.5, terminal_state_of_charge=(0, 0))
    with pytest.raises(bess.InfeasibleError, match=r"max_cycles=73 a year, 0.2 .*at least 0.5 are"):
        cycled(site([1] * 24), store, 0.1, engine=engine, max_cycles=0.2 * DAY_OF_A_YEAR)


@pytest.mark.parametrize("asked", [-1, "many", [1, -2], float("nan"), True])
def test_a_limit_that_is_none_is_refused(asked: Any) -> None:
    with pytest.raises(bess.InputError, match=r"max_cycles.*must be a number of at least 0"):
        bess.Optimize(max_cycles=asked)


def test_a_limit_for_another_number_of_devices_is_refused() -> None:
    with pytest.raises(bess.InputError, match=r"strategy.max_cycles.*for each of the 1 devices"):
        cycled(site([1]), battery(), 0.1, max_cycles=[1, 2])


@pytest.mark.highs
@settings(few, max_examples=80)
@given(st.data())
def test_the_optimum_under_a_limit_is_that_of_brute_force(data: st.DataObject) -> None:
    case_site = data.draw(cases.sites(max_steps=7))
    case = data.draw(cases.batteries())
    buy = data.draw(cases.series(cases.prices, case_site.n))
    sell = data.draw(st.one_of(st.just(buy), cases.series(cases.prices, case_site.n)))
    engine = data.draw(st.sampled_from(["auto", "highs"]))
    cycles = (
        data.draw(st.sampled_from([0.0, 0.1, 0.5, 1.0, 3.0])) / case_site.build().timeline.years
    )
    steps, store = case_site.steps(), case.store(case_site)
    most = cycles * case_site.build().timeline.years * case.capacity
    total = Total(most, [0.0] * case_site.n, [0.0] * case_site.n, [1.0])
    low = case.fields["initial_state_of_charge"] * case.capacity
    terminals = [Terminal(low, INF)]
    best = optimum(steps, [store], buy, sell, terminals=terminals, totals=[total])

    def run() -> bess.Result:
        return cycled(case_site.build(), case.build(), buy, sell, max_cycles=cycles, engine=engine)

    if best is None:
        with pytest.raises(bess.InfeasibleError):
            run()
        return
    result = run()
    check_balances(steps, [store], [case.capacity], result)
    check_money(result, [store], buy, sell)
    assert result.units[0].discharge_kwh_dc <= most * (1 + 1e-8) + 1e-8
    assert result.gap is not None
    assert result.gap <= 1e-6
    scale = max(1.0, abs(best), priced(result, buy, sell))
    assert_allclose(result.cost, best, atol=2e-6 * scale, rtol=0)


@pytest.mark.highs
@settings(few, max_examples=40)
@given(st.data())
def test_limits_of_several_devices_are_those_of_brute_force(data: st.DataObject) -> None:
    case_site = data.draw(cases.sites(max_steps=5, import_limits=False))
    units = data.draw(cases.devices())
    allowed = data.draw(permissions)
    buy = data.draw(cases.series(cases.prices, case_site.n))
    sell = data.draw(st.one_of(st.just(buy), cases.series(cases.prices, case_site.n)))
    years = case_site.build().timeline.years
    cycles = [data.draw(st.sampled_from([0.0, 0.2, 1.0])) for _ in units]
    steps = case_site.steps()
    stores = [u.ranked(case_site, 0.5, **twin_permissions(allowed)).store for u in units]
    nothing = [0.0] * case_site.n
    totals = [
        Total(c * u.capacity, nothing, nothing, [float(i == j) for j in range(len(units))])
        for i, (c, u) in enumerate(zip(cycles, units, strict=True))
    ]
    best = optimum(steps, stores, buy, sell, totals=totals)
    asked = [c / years for c in cycles]
    built = [u.build() for u in units]
    result = cycled(case_site.build(), built, buy, sell, max_cycles=asked, **allowed)
    assert best is not None
    check_balances(steps, stores, [u.capacity for u in units], result)
    for unit, limit in zip(result.units, cycles, strict=True):
        assert unit.equivalent_full_cycles <= limit + 1e-8
    assert result.gap is not None
    assert result.gap <= 1e-6
    scale = max(1.0, abs(best), priced(result, buy, sell))
    assert_allclose(result.cost, best, atol=2e-6 * scale, rtol=0)


@pytest.mark.highs
@settings(few, max_examples=15)
@given(tariff_cases(max_steps=6), cases.batteries(), st.sampled_from([0.0, 0.1, 0.3, 1.0]))
def test_the_optimum_on_a_tariff_under_a_limit_is_the_twins(
    case: TariffCase, battery: Any, cycles: float
) -> None:
    years = case.site.build().timeline.years
    nothing = [0.0] * case.site.n
    total = Total(cycles * battery.capacity, nothing, nothing, [1.0])
    check_agreement(case, battery, bess.Optimize(max_cycles=cycles / years), [total])


def _check_under_limits(seed: int) -> None:
    """The core's optimum or verdict under limits on a random tariff is that of HiGHS."""
    random = np.random.default_rng(seed)
    home, store, size = random_place(random, (1, 5, 72, 216)[seed % 4], wild=False)
    tariff = random_tariff(random, home, size, wild=False)
    try:
        bess.dispatch(home, store, bess.Optimize(), prices=bess.Prices(0.1))
    except bess.InfeasibleError:  # without a limit
        return
    factors = random.choice([0.1, 0.5, 0.9], home.steps) if random.random() < 0.7 else 0.4
    emissions = bess.Emissions(factors, random.choice([0.0, 0.5, 1.0]) * factors)
    kind = random.choice(["cycles", "cap", "both"])
    options: dict[str, Any] = {}
    if kind != "cap":
        options["max_cycles"] = float(random.choice([0, 20, 150, 5000]))
    if kind != "cycles":
        least = bess.dispatch(
            home,
            store,
            bess.Optimize(objective="emissions"),
            prices=bess.Prices(0.1),
            emissions=emissions,
        ).emissions_kg
        assert least is not None
        part = random.choice([0.2, 0.02, 1e-4, -0.02])
        options["max_emissions_kg"] = least + part * abs(least) + 1e-6

    def run(engine: Any) -> bess.Result:
        strategy = bess.Optimize(engine=engine, **options)
        return bess.dispatch(home, store, strategy, tariff=tariff, emissions=emissions)

    try:
        highs = run("highs")
    except bess.InfeasibleError:
        with pytest.raises(bess.InfeasibleError, match="cannot be kept: at least"):
            run("core")
        return
    except bess.SolverError:  # HiGHS stopped in doubt, where the core need not
        assert run("auto").gap <= 1e-6
        return
    try:
        core = run("core")
    except bess.SolverError:
        core = run("auto")
    if core.gap > 1e-6:  # a tariff's choices beside a limit may leave one
        core = run("auto")
    assert core.cost is not None
    assert highs.cost is not None
    assert core.lower_bound is not None
    assert core.bill is not None
    scale = max(1.0, abs(highs.cost))
    assert core.gap is not None
    assert core.gap <= 1e-6
    assert abs(core.cost - highs.cost) <= 2e-6 * scale
    assert core.lower_bound <= highs.cost + 1e-8 * scale
    assert_allclose(core.cost, core.bill.total + core.degradation_cost, rtol=1e-9)
    if "max_cycles" in options:
        most = options["max_cycles"] * home.timeline.years
        assert core.units[0].equivalent_full_cycles <= most * (1 + 1e-7) + 1e-7
    if "max_emissions_kg" in options:
        assert core.emissions_kg is not None
        most = options["max_emissions_kg"]
        assert core.emissions_kg <= most + 1e-7 * max(1.0, abs(most))


@pytest.mark.highs
@pytest.mark.parametrize("seed", range(12))
def test_the_core_keeps_limits_on_random_tariffs_as_highs_does(seed: int) -> None:
    _check_under_limits(seed)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_the_core_keeps_limits_on_many_random_tariffs_as_highs_does(block: int) -> None:
    for seed in range(100 + 20 * block, 120 + 20 * block):
        _check_under_limits(seed)


@pytest.mark.highs
@pytest.mark.parametrize("name", ["demand", "ratchet", "net metering", "falling", "rising"])
def test_a_limit_joins_every_charge_in_the_core(name: str) -> None:
    """150 cycles a year leave 24 in two months: less than the optimum without a limit uses."""
    tariff = bess.Tariff(name, **TARIFFS[name])  # type: ignore[arg-type]
    store = bess.Battery(capacity_kwh=8, dc_coupled=False)
    core, highs, free = (
        bess.dispatch(two_months(3.0), store, strategy, tariff=tariff)
        for strategy in (
            bess.Optimize(max_cycles=60, engine="core"),
            bess.Optimize(max_cycles=60, engine="highs"),
            bess.Optimize(),
        )
    )
    assert core.cost == pytest.approx(highs.cost, rel=1e-6)
    assert core.gap is not None
    assert core.gap <= 1e-6
    assert core.cost >= free.cost - 1e-6 * free.cost
    assert core.units[0].equivalent_full_cycles <= 60 * 59 / 365 + 1e-6
