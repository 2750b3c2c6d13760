"""The kernel against its slow twin, and every solver against a brute-force optimum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any

import bess
import numpy as np
import pytest
import strategies as cases
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from reference import (
    Wish,
    attainable,
    charge_wish,
    discharge_wish,
    dispatch,
    energy_range,
    follow_wish,
    shave_wish,
    surplus_wish,
)
from reference_balances import DEVICE_FLOWS, SITE_FLOWS, check_balances, check_money
from reference_devices import dispatch_devices, rule_of
from reference_models import Infeasible, Step, Store, Window
from reference_optimum import Terminal, optimum
from reference_time import covered, policy_windows, step_starts

from bess.policy import SchedulePolicy, windows
from bess.timeline import Timeline

few = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


@dataclass(frozen=True)
class RuleCase:
    """A rule as the library takes it, and per step as the twin does."""

    kind: str
    strategy: Any
    values: list[float]
    refused: bool = False

    def wishes(self, steps: Sequence[Step], store: Store) -> list[Wish]:
        found = []
        for step, value in zip(steps, self.values, strict=True):
            if self.kind == "surplus":
                wish = surplus_wish(step, store)
            elif self.kind == "follow":
                wish = follow_wish(step, store, value)
            elif self.kind == "shave":
                wish = shave_wish(step, store, value)
            elif value > 0:
                wish = charge_wish(step, store)
            else:
                wish = discharge_wish(step, store) if value < 0 else Wish(0.0)
            found.append(wish)
        return found


@st.composite
def rules(draw: st.DrawFn, site: cases.SiteCase) -> RuleCase:
    kind = draw(st.sampled_from(["surplus", "schedule", "follow", "shave"]))
    if kind == "surplus":
        return RuleCase(kind, bess.Surplus(), [0.0] * site.n)
    if kind == "follow":
        powers = draw(cases.series(st.sampled_from([-20.0, -2.0, -0.5, 0.0, 0.5, 2.0, 20.0]), site.n))
        follow = bess.Follow(power_kw=powers)
        return RuleCase(kind, follow, [kw * site.hours for kw in powers])
    if kind == "shave":
        target = draw(st.sampled_from([0.0, 0.5, 1.0, 3.0, 50.0]))
        return RuleCase(kind, bess.PeakShave(target_kw=target), [target * site.hours] * site.n)
    charge, discharge = draw(cases.times_of_use()), draw(cases.times_of_use())
    zone = draw(st.sampled_from([None, "UTC"]))
    starts = step_starts(site.start, site.step_seconds, site.n)
    taking = covered(charge, starts, zone or site.time_zone)
    giving = covered(discharge, starts, zone or site.time_zone)
    return RuleCase(
        kind,
        bess.FixedSchedule(charge=charge, discharge=discharge, time_zone=zone),
        [float(a) - float(b) for a, b in zip(taking, giving, strict=True)],
        refused=any(a and b for a, b in zip(taking, giving, strict=True)),
    )


def models(policies: Sequence[dict[str, Any]]) -> list[SchedulePolicy]:
    return [SchedulePolicy.model_validate(policy) for policy in policies]


@settings(few, max_examples=500)
@given(st.data())
def test_one_battery_does_what_its_slow_twin_does(data: st.DataObject) -> None:
    site = data.draw(cases.sites())
    battery = data.draw(cases.batteries())
    rule = data.draw(rules(site))
    asked = data.draw(st.one_of(st.just([]), cases.policies(site)))
    steps, store = site.steps(), battery.store(site)
    wanted = site.windows(asked, store, battery.capacity)

    def run() -> Any:
        return bess.dispatch(site.build(), battery.build(), rule.strategy, policies=models(asked))

    if rule.refused or wanted is None:
        with pytest.raises(bess.InputError):
            run()
        return
    try:
        flows, energies, missed = dispatch(steps, store, rule.wishes(steps, store), wanted)
    except Infeasible as impossible:
        with pytest.raises(bess.InfeasibleError) as caught:
            run()
        assert caught.value.step == impossible.step
        return
    result = run()
    check_balances(steps, [store], [battery.capacity], result)
    for name in SITE_FLOWS:
        expected = [getattr(f, name) for f in flows]
        assert_allclose(getattr(result, name), expected, rtol=1e-9, atol=1e-9, err_msg=name)
    assert_allclose(result.battery_soc * battery.capacity, energies, rtol=1e-9, atol=1e-9)
    times = policy_windows(asked, site.start, site.step_seconds, site.n, 0, 1) or []
    assert [v.timestamp.astimezone(UTC) for v in result.violations] == [times[i][0] for i in missed]
    for violation, i in zip(result.violations, missed, strict=True):
        reached = store.initial if wanted[i].step < 0 else energies[wanted[i].step]
        assert_allclose(violation.state_of_charge * battery.capacity, reached, atol=1e-9)
        assert_allclose(violation.minimum * battery.capacity, wanted[i].low, atol=1e-9)
        assert_allclose(violation.maximum * battery.capacity, wanted[i].high, atol=1e-9)


permissions = st.fixed_dictionaries(
    {
        "allow_grid_to_battery": st.booleans(),
        "allow_battery_to_grid": st.booleans(),
        "allow_solar_to_battery": st.booleans(),
    }
)


def twin_permissions(allowed: dict[str, bool]) -> dict[str, bool]:
    return {name.removeprefix("allow_"): value for name, value in allowed.items()}


@settings(few, max_examples=300)
@given(st.data())
def test_devices_without_policies_share_as_their_slow_twins_do(data: st.DataObject) -> None:
    site = data.draw(cases.sites(import_limits=False))
    units = data.draw(cases.devices())
    rule = data.draw(rules(site))
    assume(not rule.refused)
    allowed = data.draw(permissions)
    initial = data.draw(st.sampled_from([0.0, 0.5, 1.0]))
    ranked = [u.ranked(site, initial, **twin_permissions(allowed)) for u in units]
    steps = site.steps()
    flows, energies, _ = dispatch_devices(steps, ranked, rule_of(rule.kind, ranked, rule.values))
    result = bess.dispatch(
        site.build(),
        [u.build() for u in units],
        rule.strategy,
        initial_state_of_charge=initial,
        **allowed,
    )
    check_balances(steps, [r.store for r in ranked], [u.capacity for u in units], result)
    for unit, expected, energy in zip(units, flows, energies, strict=True):
        got = result.devices[unit.fields["name"]]
        assert_allclose(got.battery_soc * unit.capacity, energy, rtol=1e-9, atol=1e-9)
        for name in DEVICE_FLOWS:
            series = [getattr(f, name) for f in expected]
            assert_allclose(getattr(got, name), series, rtol=1e-9, atol=1e-9, err_msg=name)




@settings(few, max_examples=200)
@given(st.data())
def test_devices_with_policies_keep_every_balance_and_report_every_miss(data: st.DataObject) -> None:
    site = data.draw(cases.sites(import_limits=False))
    units = data.draw(cases.devices())
    rule = data.draw(rules(site))
    assume(not rule.refused)
    allowed = data.draw(permissions)
    ranked = [u.ranked(site, 0.5, **twin_permissions(allowed)) for u in units]
    asked = [data.draw(cases.policies(site, max_policies=2)) for _ in units]
    wanted = [site.windows(a, r.store, u.capacity) for a, r, u in zip(asked, ranked, units, strict=True)]
    built = [
        bess.BessDevice.model_validate(u.fields | {"policies": a})
        for u, a in zip(units, asked, strict=True)
    ]

    def run() -> Any:
        return bess.dispatch(site.build(), built, rule.strategy, **allowed)

    if any(w is None for w in wanted):
        with pytest.raises(bess.InputError):
            run()
        return
    result = run()
    steps = site.steps()
    check_balances(steps, [r.store for r in ranked], [u.capacity for u in units], result)
    named = {(v.device, v.timestamp.astimezone(UTC)) for v in result.violations}
    free = allowed["allow_grid_to_battery"] and allowed["allow_battery_to_grid"]
    free = free and site.export_limit is None
    for unit, policies, store in zip(units, asked, [r.store for r in ranked], strict=True):
        name = unit.fields["name"]
        soc = [0.5, *result.devices[name].battery_soc]
        times = policy_windows(policies, site.start, site.step_seconds, site.n, 0, 1) or []
        outside = {
            (name, at)
            for at, step, low, high in times
            if not low - 1e-9 <= soc[step + 1] <= high + 1e-9
        }
        assert {(v.device, v.timestamp.astimezone(UTC)) for v in result.devices[name].violations} == outside
        assert outside == {(d, at) for d, at in named if d == name}
        if free and len(units) == 1:  # nothing shared: only what is out of reach alone is missed
            found = [Window(s, lo * unit.capacity, hi * unit.capacity) for _, s, lo, hi in times]
            ranges = [energy_range(step, store) for step in steps]
            assert len(outside) == len(attainable(ranges, store, found, 1e-12)[1])


@pytest.mark.highs
@settings(few, max_examples=100)
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


@settings(few, max_examples=200)
@given(st.data())
def test_devices_that_share_no_limit_follow_their_own_corridors(data: st.DataObject) -> None:
    """Grid charging and export are free, so that no corridor depends on another device."""
    site = data.draw(cases.sites(import_limits=False))
    site = replace(site, export_limit=None)
    units = data.draw(cases.devices())
    ranked = [u.ranked(site, 0.5) for u in units]
    steps = site.steps()
    minima = data.draw(st.booleans())
    asked = []
    for _ in units:
        drawn = data.draw(cases.policies(site, max_policies=2))
        side = "maximum_state_of_charge" if minima else "minimum_state_of_charge"
        asked.append([policy | {side: 100.0 if minima else 0.0} for policy in drawn])
    wanted = [site.windows(a, r.store, u.capacity) for a, r, u in zip(asked, ranked, units, strict=True)]
    assert all(w is not None for w in wanted)
    kind = data.draw(st.sampled_from(["surplus", "idle"]))
    strategy = bess.Surplus() if kind == "surplus" else bess.FixedSchedule(charge=[], discharge=[])
    rule = rule_of("surplus" if kind == "surplus" else "schedule", ranked, [0.0] * site.n)
    _, energies, missed = dispatch_devices(steps, ranked, rule, [w or [] for w in wanted])
    built = [
        bess.BessDevice.model_validate(u.fields | {"policies": a})
        for u, a in zip(units, asked, strict=True)
    ]
    result = bess.dispatch(site.build(), built, strategy)
    check_balances(steps, [r.store for r in ranked], [u.capacity for u in units], result)
    for unit, energy, lost in zip(units, energies, missed, strict=True):
        got = result.devices[unit.fields["name"]]
        assert_allclose(got.battery_soc * unit.capacity, energy, rtol=1e-9, atol=1e-9)
        assert len(got.violations) == len(lost)


@settings(few, max_examples=150)
@given(st.data())
def test_windows_of_policies_fall_where_the_slow_clock_says(data: st.DataObject) -> None:
    site = data.draw(cases.sites())
    asked = data.draw(cases.policies(site))
    expected = policy_windows(asked, site.start, site.step_seconds, site.n, 0.1, 0.9)
    line = Timeline(site.build().timeline.start, site.step_seconds, site.n, site.time_zone)
    if expected is None:
        with pytest.raises(bess.InputError):
            windows(models(asked), line, minimum=0.1, maximum=0.9)
        return
    found = windows(models(asked), line, minimum=0.1, maximum=0.9)
    assert [(w.at.astimezone(UTC), w.step) for w in found] == [(at, step) for at, step, _, _ in expected]
    assert_allclose([w.minimum for w in found], [low for _, _, low, _ in expected])
    assert_allclose([w.maximum for w in found], [high for _, _, _, high in expected])


# The optimum

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
@settings(few, max_examples=150)
@given(st.data())
def test_the_optimum_of_one_battery_is_that_of_brute_force(data: st.DataObject) -> None:
    site = data.draw(cases.sites(max_steps=8))
    case = data.draw(cases.batteries())
    f = case.fields
    kind = data.draw(terminal_kinds)
    low, high = f["min_state_of_charge"], f["max_state_of_charge"]
    condition, (least, most) = terminal(kind, low, high, f["initial_state_of_charge"])
    buy = data.draw(cases.series(cases.prices, site.n))
    sell = data.draw(st.one_of(st.just(buy), cases.series(cases.prices, site.n)))
    simultaneous = data.draw(st.booleans())
    asked = data.draw(st.one_of(st.just([]), cases.policies(site)))
    steps, store = site.steps(), case.store(site)
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
            bess.Optimize(allow_simultaneous=simultaneous),
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
@settings(few, max_examples=60)
@given(st.data())
def test_relaxed_policies_are_met_as_far_as_the_corridor_reaches(data: st.DataObject) -> None:
    site = data.draw(cases.sites(max_steps=6, import_limits=False))
    case = data.draw(cases.batteries())
    asked = data.draw(cases.policies(site))
    buy = data.draw(cases.series(cases.prices, site.n))
    steps, store = site.steps(), case.store(site)
    wanted = site.windows(asked, store, case.capacity)
    assume(wanted is not None)
    assert wanted is not None
    reach, missed = attainable([energy_range(s, store) for s in steps], store, wanted, 1e-12)
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
@settings(few, max_examples=60)
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
@settings(few, max_examples=60)
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


