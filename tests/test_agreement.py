"""The kernel against its slow twin."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import Any

import pytest
import strategies as cases
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from reference import attainable, dispatch, energy_range
from reference_balances import DEVICE_FLOWS, SITE_FLOWS, check_balances
from reference_devices import dispatch_devices, rule_of
from reference_models import Infeasible, Window
from reference_time import policy_windows
from strategies_rules import few, models, permissions, policies, rules, twin_permissions

import bess
from bess.policy import windows
from bess.timeline import Timeline


@settings(few, max_examples=250)
@given(st.data())
def test_one_battery_does_what_its_slow_twin_does(data: st.DataObject) -> None:
    site = data.draw(cases.sites())
    battery = data.draw(cases.batteries(lossy=True))
    rule = data.draw(rules(site))
    asked = data.draw(st.one_of(st.just([]), policies(site)))
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
    except Infeasible as found:
        impossible = found.step
    else:
        impossible = None
    if impossible is not None:
        with pytest.raises(bess.InfeasibleError) as caught:
            run()
        assert caught.value.step == impossible
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


@settings(few, max_examples=150)
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


@settings(few, max_examples=120)
@given(st.data())
def test_devices_with_policies_keep_every_balance_and_report_every_miss(
    data: st.DataObject,
) -> None:
    site = data.draw(cases.sites(import_limits=False))
    units = data.draw(cases.devices())
    rule = data.draw(rules(site))
    assume(not rule.refused)
    allowed = data.draw(permissions)
    ranked = [u.ranked(site, 0.5, **twin_permissions(allowed)) for u in units]
    asked = [data.draw(policies(site, max_policies=2)) for _ in units]
    wanted = [
        site.windows(a, r.store, u.capacity) for a, r, u in zip(asked, ranked, units, strict=True)
    ]
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
    for unit, own, store in zip(units, asked, [r.store for r in ranked], strict=True):
        name = unit.fields["name"]
        soc = [0.5, *result.devices[name].battery_soc]
        times = policy_windows(own, site.start, site.step_seconds, site.n, 0, 1) or []
        outside = {
            (name, at)
            for at, step, low, high in times
            if not low - 1e-9 <= soc[step + 1] <= high + 1e-9
        }
        assert {
            (v.device, v.timestamp.astimezone(UTC)) for v in result.devices[name].violations
        } == outside
        assert outside == {(d, at) for d, at in named if d == name}
        if free and len(units) == 1:  # nothing shared: only what is out of reach alone is missed
            found = [Window(s, lo * unit.capacity, hi * unit.capacity) for _, s, lo, hi in times]
            ranges = [energy_range(step.seen_by(store), store) for step in steps]
            assert len(outside) == len(attainable(ranges, store, found, 1e-12)[1])


@settings(few, max_examples=120)
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
        drawn = data.draw(policies(site, max_policies=2))
        side = "maximum_state_of_charge" if minima else "minimum_state_of_charge"
        asked.append([policy | {side: 100.0 if minima else 0.0} for policy in drawn])
    wanted = [
        site.windows(a, r.store, u.capacity) for a, r, u in zip(asked, ranked, units, strict=True)
    ]
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
    asked = data.draw(policies(site))
    expected = policy_windows(asked, site.start, site.step_seconds, site.n, 0.1, 0.9)
    line = Timeline(site.build().timeline.start, site.step_seconds, site.n, site.time_zone)
    if expected is None:
        with pytest.raises(bess.InputError):
            windows(models(asked), line, minimum=0.1, maximum=0.9)
        return
    found = windows(models(asked), line, minimum=0.1, maximum=0.9)
    assert [(w.at.astimezone(UTC), w.step) for w in found] == [
        (at, step) for at, step, _, _ in expected
    ]
    assert_allclose([w.minimum for w in found], [low for _, _, low, _ in expected])
    assert_allclose([w.maximum for w in found], [high for _, _, _, high in expected])
