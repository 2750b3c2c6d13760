"""Rolling plans at prices by step: as a slow loop does them, never better than the optimum, and
blind to what they are not told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from reference_balances import check_balances
from strategies import BatteryCase, SiteCase, batteries, energies, prices, series, sites
from strategies_rules import policies

import bess
from bess import Forecast, InputError, Optimize, Prices, Site, _core, roll
from bess.unit import units_of

Floats = NDArray[np.float64]
START = "2025-06-01T00:00Z"


def money(result: bess.Result) -> float:
    """What rounding of a cost is relative to."""
    assert result.import_price is not None
    assert result.export_price is not None
    bought = abs(result.import_price) @ result.import_kwh_ac
    return max(1.0, float(bought + abs(result.export_price) @ result.export_kwh_ac))


@st.composite
def convex_prices(draw: st.DrawFn, steps: int) -> Prices:
    """0 <= export <= import: no step then has a kink at which plans could part by rounding."""
    buy = draw(series(prices.map(abs), steps))
    part = draw(st.sampled_from([0.0, 0.5, 1.0]))
    return Prices(import_price=buy, export_price=np.array(buy) * part)


@st.composite
def any_prices(draw: st.DrawFn, steps: int) -> Prices:
    return Prices(
        import_price=draw(series(prices, steps)), export_price=draw(series(prices, steps))
    )


def slow_energies(
    site: SiteCase,
    battery: BatteryCase,
    paid: Prices,
    expected: list[tuple[list[float], list[float]]],
    horizon: int,
    replan: int,
) -> list[float]:
    """Stored energy, one plan after the other; `expected` are each plan's load and solar."""
    n, hours, capacity = site.n, site.hours, battery.capacity
    energy = capacity * battery.fields["initial_state_of_charge"]
    bounds = [battery.fields[f"{end}_state_of_charge"] for end in ("min", "max")]
    low, high = (capacity * bound for bound in bounds)
    buy, sell = paid.series(n)
    whole = site.build()
    kept = (1 - battery.fields["self_discharge_per_hour"]) ** hours
    found = []

    def part(first: int, last: int, load: Any, solar: Any) -> Site:
        limit = whole.export_limit_kwh
        return Site(
            load_kwh=load,
            solar_kwh=solar,
            start=START,  # what happens does not depend on the clock
            step_hours=hours,
            solar_dc_to_ac_efficiency=site.solar_efficiency,
            allow_solar_to_grid=site.solar_to_grid,
            export_limit_kwh=None if limit is None else limit[first:last],
        )

    for number, first in enumerate(range(0, n, replan)):
        last = min(first + horizon, n)
        load, solar = (np.array(s[: last - first]) for s in expected[number])
        built = battery.build(
            initial_state_of_charge=min(max(energy / capacity, bounds[0]), bounds[1])
        )
        ahead = part(first, last, load, solar)
        window = (last - first - 1, low, high)
        value = 0.0
        if last == n:
            start = capacity * battery.fields["initial_state_of_charge"]
            free = battery.fields["terminal_state_of_charge"] == "free"
            window = (last - first - 1, low if free else start, high)
        else:
            deficit = np.maximum(load - solar, 0)
            gain = float(sell[first:last].mean()) if built.allow_battery_to_grid else 0.0
            if deficit.sum() > 0:
                gain = max(gain, float(np.average(buy[first:last], weights=deficit)))
            same = [p for p in (*buy[first:last], *sell[first:last]) if abs(p - gain) <= 1e-9 * p]
            gain = same[0] if same else gain
            value = max(gain * built.dc_to_ac_efficiency - built.degradation_cost_per_kwh, 0.0)
        unit = replace(units_of(ahead, built, (), {})[0], end_worth=((value, capacity),))
        device = unit.core_device(hours, [window])
        problem = _core.Problem(ahead._core, [device], buy[first:last], sell[first:last], False)
        plan = _core.solve_dynamic_program(problem)
        assume(plan is not None)
        assert plan is not None
        before = energy
        for i, planned in enumerate(capacity * plan[1][0, 4, :replan]):
            t = first + i
            change = planned - kept * before
            taken = change / (built.ac_to_dc_efficiency * built.input_efficiency)
            given_ = -change * built.dc_to_ac_efficiency
            power = (given_ if change < 0 else -taken) / hours
            now = part(t, t + 1, whole.load_kwh[t : t + 1], whole.solar_kwh[t : t + 1])
            stored = min(max(energy / capacity, bounds[0]), bounds[1])
            start_ = battery.build(initial_state_of_charge=stored)
            done = bess.dispatch(now, start_, bess.Follow(power_kw=[power]))
            before, energy = planned, capacity * float(done.battery_soc[0])
            found.append(energy)
    return found


@given(st.data(), sites(import_limits=False), batteries())
@settings(max_examples=40)
def test_a_slow_loop_of_plans_and_follow_does_the_same(
    data: st.DataObject, site: SiteCase, battery: BatteryCase
) -> None:
    site = SiteCase(**{**site.__dict__, "inverter_limit": None})
    horizon = data.draw(st.integers(1, site.n + 1))
    replan = data.draw(st.integers(1, horizon))
    paid = data.draw(convex_prices(site.n))
    plans = -(-site.n // replan)
    whole = site.build()
    tables = [
        np.array(data.draw(st.lists(series(energies, horizon), min_size=plans, max_size=plans)))
        for _ in range(2)
    ]
    lost = data.draw(st.sampled_from([0.0, 0.0, 0.01, 0.5]))
    changes: dict[str, Any] = {"terminal_state_of_charge": "initial"}
    if lost:
        changes = {"terminal_state_of_charge": "free", "min_state_of_charge": 0.0}
    changes["self_discharge_per_hour"] = lost
    battery = BatteryCase(battery.fields | changes)
    rolled = roll(
        whole,
        Forecast(*tables),
        battery.build(),
        Optimize(),
        prices=paid,
        horizon_hours=horizon * site.hours,
        replan_hours=replan * site.hours,
    )
    expected = [(list(tables[0][k]), list(tables[1][k])) for k in range(plans)]
    found = slow_energies(site, battery, paid, expected, horizon, replan)
    assert rolled.plans == plans
    np.testing.assert_allclose(
        rolled.battery_soc * battery.capacity, found, rtol=0, atol=1e-9 * battery.capacity
    )
    check_balances(site.steps(), [battery.store(site)], [battery.capacity], rolled)


@given(st.data(), sites(), batteries())
@settings(max_examples=50)
def test_with_foresight_of_everything_the_cost_is_the_optimum(
    data: st.DataObject, site: SiteCase, battery: BatteryCase
) -> None:
    assume(battery.fields.get("terminal_state_of_charge") != "cyclic")
    paid = data.draw(any_prices(site.n))
    windows = data.draw(policies(site))
    replan = data.draw(st.integers(1, site.n))
    try:
        rolled = roll(
            site.build(),
            "perfect",
            battery.build(),
            Optimize(),
            prices=paid,
            policies=windows,
            horizon_hours=site.n * site.hours,
            replan_hours=replan * site.hours,
        )
    except (bess.InfeasibleError, InputError, bess.SolverError):
        assume(False)
        raise
    assert rolled.relaxed_plans == ()
    assert rolled.import_limit_exceeded == ()
    assert abs(rolled.cost_of_imperfect_foresight) <= 1e-9 * money(rolled)


@given(st.data(), sites(), batteries())
@settings(max_examples=50)
def test_nothing_that_happens_later_changes_what_was_done(
    data: st.DataObject, site: SiteCase, battery: BatteryCase
) -> None:
    assume(battery.fields.get("terminal_state_of_charge") != "cyclic")
    paid = data.draw(any_prices(site.n))
    change = data.draw(st.integers(0, site.n - 1))
    later = site.n - change
    other = SiteCase(
        **{
            **site.__dict__,
            "load": site.load[:change] + data.draw(series(energies, later)),
            "solar": site.solar[:change] + data.draw(series(energies, later)),
            "import_limit": None,
        }
    )
    site = SiteCase(**{**site.__dict__, "import_limit": None})
    horizon = data.draw(st.integers(1, 6))
    replan = data.draw(st.integers(1, horizon))
    given_ = data.draw(st.sampled_from(["persistence", "site"]))
    forecast: Any = site.build() if given_ == "site" else given_
    both = [
        roll(
            case.build(),
            forecast,
            battery.build(terminal_state_of_charge="free"),
            Optimize(),
            prices=paid,
            horizon_hours=horizon * site.hours,
            replan_hours=replan * site.hours,
        )
        for case in (site, other)
    ]
    first, second = (result.battery_soc[:change].tolist() for result in both)
    assert first == second
    for result in both:
        assert result.cost_of_imperfect_foresight >= -1e-9 * money(result)
