"""Every solver against a brute-force optimum: by cost and feasibility, never by schedule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import strategies as cases
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from reference import attainable, energy_range, kept
from reference_balances import check_balances, check_money
from reference_models import Store, Window
from reference_optimum import Terminal, optimum
from strategies_rules import few, models, permissions, policies, rules, twin_permissions

import bess

terminal_kinds = st.sampled_from(["initial", "free", "cyclic", "bound", "pair"])


def terminal(kind: str, low: float, high: float, initial: float) -> tuple[Any, tuple[float, float]]:
    """A terminal condition as the library takes it, and its limits as fractions."""
    middle = low + 0.75 * (high - low)
    return {
        "initial": ("initial", (initial, high)),
        "free": ("free", (low, high)),
        "cyclic": ("cyclic", (low, high)),
        "bound": (middle, (middle, high)),
        "pair": ((low, middle), (low, middle)),
    }[kind]


@pytest.mark.highs
@settings(few, max_examples=120)
@given(st.data())
def test_the_optimum_of_one_battery_is_that_of_brute_force(data: st.DataObject) -> None:
    site = data.draw(cases.sites(max_steps=8))
    case = data.draw(cases.batteries(lossy=True))
    f = case.fields
    kind = data.draw(terminal_kinds)
    low, high = f["min_state_of_charge"], f["max_state_of_charge"]
    condition, (least, most) = terminal(kind, low, high, f["initial_state_of_charge"])
    buy = data.draw(cases.series(cases.prices, site.n))
    sell = data.draw(st.one_of(st.just(buy), cases.series(cases.prices, site.n)))
    simultaneous = data.draw(st.booleans())
    engine = data.draw(st.sampled_from(["auto", "highs"]))
    asked = data.draw(st.one_of(st.just([]), policies(site)))
    steps, store = site.steps(), case.store(site)
    if store.retention < 1 and least <= low:
        least = 0.0
    elif kind == "initial":
        least = min(least, kept(steps, store, store.initial)[-1] / case.capacity)
    wanted = site.windows(asked, store, case.capacity)
    assume(wanted is not None)
    assert wanted is not None
    best = optimum(
        steps,
        [store],
        buy,
        sell,
        windows=[(0, w) for w in wanted],
        terminals=[Terminal(least * case.capacity, most * case.capacity, cyclic=kind == "cyclic")],
        allow_simultaneous=simultaneous,
    )

    def run() -> Any:
        return bess.dispatch(
            site.build(),
            case.build(terminal_state_of_charge=condition),
            bess.Optimize(allow_simultaneous=simultaneous, engine=engine),
            prices=bess.Prices(import_price=buy, export_price=sell),
            policies=models(asked),
        )

    if best is None:
        with pytest.raises(bess.InfeasibleError):
            run()
        return
    result = run()
    start = None
    if kind == "cyclic":
        start = [float(result.battery_soc[-1]) * case.capacity]
    check_balances(
        steps, [store], [case.capacity], result, initial=start, allow_simultaneous=simultaneous
    )
    check_money(result, [store], buy, sell)
    assert result.gap <= 1e-6
    scale = max(1.0, abs(best), priced(result, buy, sell))
    assert_allclose(result.cost, best, atol=2e-6 * scale, rtol=0)
    energies = [store.initial, *(result.battery_soc * case.capacity)]
    for window in wanted:
        if window.step >= 0:
            assert window.low - 1e-7 <= energies[window.step + 1] <= window.high + 1e-7
    assert least * case.capacity - 1e-7 <= energies[-1] <= most * case.capacity + 1e-7


def priced(result: Any, buy: Sequence[float], sell: Sequence[float]) -> float:
    bought = result.grid_to_site_kwh_ac + result.grid_to_battery_kwh_ac
    sold = result.solar_to_grid_kwh_ac + result.battery_to_grid_kwh_ac
    return float(np.abs(bought * buy).sum() + np.abs(sold * sell).sum())


@pytest.mark.highs
@settings(few, max_examples=40)
@given(st.data())
def test_relaxed_policies_are_met_as_far_as_the_corridor_reaches(data: st.DataObject) -> None:
    site = data.draw(cases.sites(max_steps=6, import_limits=False))
    case = data.draw(cases.batteries())
    asked = data.draw(policies(site))
    buy = data.draw(cases.series(cases.prices, site.n))
    steps, store = site.steps(), case.store(site)
    wanted = site.windows(asked, store, case.capacity)
    assume(wanted is not None)
    assert wanted is not None
    reach, missed = attainable(
        [energy_range(s.seen_by(store), store) for s in steps], store, wanted, 1e-12
    )
    best = optimum(
        steps,
        [store],
        buy,
        [0.05] * site.n,
        windows=[(0, Window(t, low - 1e-8, high + 1e-8)) for t, (low, high) in reach.items()],
        terminals=[Terminal()],
    )
    result = bess.dispatch(
        site.build(),
        case.build(terminal_state_of_charge="free"),
        bess.Optimize(relax_policies=True),
        prices=bess.Prices(import_price=buy, export_price=0.05),
        policies=models(asked),
    )
    assert best is not None
    check_balances(steps, [store], [case.capacity], result)
    assert len(result.violations) == len(missed)
    scale = max(1.0, abs(best), priced(result, buy, [0.05] * site.n))
    assert_allclose(result.cost, best, atol=2e-6 * scale, rtol=0)


@pytest.mark.highs
@settings(few, max_examples=40)
@given(st.data())
def test_the_optimum_of_several_devices_is_that_of_brute_force(data: st.DataObject) -> None:
    site = data.draw(cases.sites(max_steps=4))
    units = data.draw(cases.devices(max_devices=2))
    allowed = data.draw(permissions)
    wear = data.draw(st.sampled_from([0.0, 0.04]))
    buy = data.draw(cases.series(cases.prices, site.n))
    sell = data.draw(cases.series(cases.prices, site.n))
    ranked = [u.ranked(site, 0.5, wear=wear, **twin_permissions(allowed)) for u in units]
    stores = [r.store for r in ranked]
    steps = site.steps()
    best = optimum(steps, stores, buy, sell, terminals=[Terminal(low=s.initial) for s in stores])

    def run() -> Any:
        return bess.dispatch(
            site.build(),
            [u.build() for u in units],
            bess.Optimize(),
            prices=bess.Prices(import_price=buy, export_price=sell),
            degradation_cost_per_kwh=wear,
            terminal_state_of_charge="initial",
            **allowed,
        )

    if best is None:
        with pytest.raises(bess.InfeasibleError):
            run()
        return
    result = run()
    check_balances(steps, stores, [u.capacity for u in units], result)
    check_money(result, stores, buy, sell)
    assert result.gap <= 1e-6
    for device in result.devices.values():
        assert device.battery_soc[-1] >= 0.5 - 1e-9
    scale = max(1.0, abs(best), priced(result, buy, sell))
    assert_allclose(result.cost, best, atol=2e-6 * scale, rtol=0)


@pytest.mark.highs
@settings(few, max_examples=40)
@given(st.data())
def test_of_all_optima_the_one_with_the_least_throughput_is_chosen(data: st.DataObject) -> None:
    """Without losses, with whole kWh and dimes, a little wear decides between equal costs only."""
    n = data.draw(st.integers(1, 7))
    whole, dimes = st.integers(0, 3).map(float), st.integers(-2, 4).map(lambda d: d / 10)
    load, solar = data.draw(cases.series(whole, n)), data.draw(cases.series(whole, n))
    buy, sell = data.draw(cases.series(dimes, n)), data.draw(cases.series(dimes, n))
    site = cases.SiteCase(
        "2025-06-02T00:00:00+00:00", "UTC", 3600, load, solar, solar_efficiency=1.0
    )
    allowed = data.draw(permissions)
    battery = bess.Battery(
        capacity_kwh=4,
        charge_power_kw=2,
        discharge_power_kw=2,
        min_state_of_charge=0,
        terminal_state_of_charge=(0.5, 0.5),
        dc_coupled=False,
        ac_to_dc_efficiency=1,
        dc_to_ac_efficiency=1,
        input_efficiency=1,
        **allowed,
    )
    store = Store(0.0, 4.0, 2.0, 2.0, 2.0, **twin_permissions(allowed))
    end = [Terminal(2.0, 2.0)]
    costs = [
        optimum(site.steps(), [replace(store, wear=wear)], buy, sell, terminals=end)
        for wear in (0.0, 1e-4)
    ]
    assert costs[0] is not None
    assert costs[1] is not None
    result = bess.dispatch(site.build(), battery, bess.Optimize(), prices=bess.Prices(buy, sell))
    assert_allclose(result.cost, costs[0], atol=1e-6)
    given_back = float((result.battery_to_site_kwh_ac + result.battery_to_grid_kwh_ac).sum())
    assert_allclose(given_back, (costs[1] - costs[0]) / 1e-4, atol=1e-3)


@pytest.mark.highs
@settings(few, max_examples=40)
@given(st.data())
def test_no_rule_beats_the_optimum_that_ends_with_as_much_energy(data: st.DataObject) -> None:
    site = data.draw(cases.sites(max_steps=8, import_limits=False))
    battery = data.draw(cases.batteries())
    rule = data.draw(rules(site))
    assume(not rule.refused)
    buy = data.draw(cases.series(cases.prices, site.n))
    sell = data.draw(cases.series(cases.prices, site.n))
    prices = bess.Prices(import_price=buy, export_price=sell)
    ruled = bess.dispatch(site.build(), battery.build(), rule.strategy, prices=prices)
    low, high = battery.fields["min_state_of_charge"], battery.fields["max_state_of_charge"]
    end = min(max(float(ruled.battery_soc[-1]), low), high)
    best = bess.dispatch(
        site.build(), battery.build(terminal_state_of_charge=end), bess.Optimize(), prices=prices
    )
    assert best.cost <= ruled.cost + 2e-6 * max(1.0, priced(ruled, buy, sell))


@pytest.mark.highs
@settings(few, max_examples=50)
@given(st.data())
def test_devices_keep_an_import_limit_wherever_any_schedule_could(data: st.DataObject) -> None:
    site = data.draw(cases.sites(max_steps=5))
    assume(site.import_limit is not None)
    units = data.draw(cases.devices())
    rule = data.draw(rules(site))
    assume(not rule.refused)
    allowed = data.draw(permissions)
    ranked = [u.ranked(site, 0.5, **twin_permissions(allowed)) for u in units]
    stores = [r.store for r in ranked]
    steps = site.steps()
    nothing = [0.0] * site.n
    possible = optimum(steps, stores, nothing, nothing, terminals=[Terminal() for _ in units])

    def run() -> Any:
        return bess.dispatch(site.build(), [u.build() for u in units], rule.strategy, **allowed)

    if possible is None:
        with pytest.raises(bess.InfeasibleError):
            run()
        return
    check_balances(steps, stores, [u.capacity for u in units], run())
