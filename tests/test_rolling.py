"""Rolling plans at prices by step: as a slow loop does them, never better than the optimum, and
blind to what they are not told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from reference_balances import check_balances
from strategies import BatteryCase, SiteCase, batteries, energies, prices, series, sites
from strategies_rules import policies

import bess
from bess import Battery, Forecast, InputError, Optimize, Prices, Site, _core, roll
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
    found = []

    def part(first: int, last: int, load: Any, solar: Any) -> Site:
        limit = whole.export_limit_kwh
        return Site(
            load_kwh=load,
            solar_kwh=solar,
            start=whole.timeline.instant(first),
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
            window = (last - first - 1, start, high)
        else:
            deficit = np.maximum(load - solar, 0)
            gain = float(sell[first:last].mean()) if built.allow_battery_to_grid else 0.0
            if deficit.sum() > 0:
                gain = max(gain, float(np.average(buy[first:last], weights=deficit)))
            same = [p for p in (*buy[first:last], *sell[first:last]) if abs(p - gain) <= 1e-9 * p]
            gain = same[0] if same else gain
            value = max(gain * built.dc_to_ac_efficiency - built.degradation_cost_per_kwh, 0.0)
        unit = units_of(ahead, built, (), {})[0]
        device = unit.core_device(hours, [window])
        problem = _core.Problem(
            ahead._core, [device], buy[first:last], sell[first:last], False, end_value=value
        )
        plan = _core.solve_dynamic_program(problem)
        assume(plan is not None)
        assert plan is not None
        before = energy
        for i, planned in enumerate(capacity * plan[1][0, 4, :replan]):
            t = first + i
            change = planned - before
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
    horizon = data.draw(st.integers(1, site.n + 1))
    replan = data.draw(st.integers(1, horizon))
    paid = data.draw(convex_prices(site.n))
    plans = -(-site.n // replan)
    whole = site.build()
    tables = [
        np.array(data.draw(st.lists(series(energies, horizon), min_size=plans, max_size=plans)))
        for _ in range(2)
    ]
    battery = BatteryCase(battery.fields | {"terminal_state_of_charge": "initial"})
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


def test_the_planned_power_is_carried_out_as_far_as_the_load_allows() -> None:
    """Plans see 3 kWh of load at the dear price; there is 1, and the battery may not export."""
    site = Site(load_kwh=[0, 1, 1], start=START)
    expected = Site(load_kwh=[0, 3, 3], start=START)
    battery = Battery(
        capacity_kwh=10,
        charge_power_kw=9,
        discharge_power_kw=9,
        min_state_of_charge=0,
        initial_state_of_charge=0,
        ac_to_dc_efficiency=1,
        dc_to_ac_efficiency=1,
        input_efficiency=1,
        allow_battery_to_grid=False,
    )
    paid = Prices(import_price=[0.1, 0.3, 0.3])
    done = roll(site, expected, battery, Optimize(), prices=paid, horizon_hours=3)
    assert done.grid_to_battery_kwh_ac.tolist() == [6, 0, 0]
    assert done.battery_to_site_kwh_ac.tolist() == [0, 1, 1]
    assert done.cost == pytest.approx(0.6)
    assert done.optimum.cost == pytest.approx(0.2)
    assert done.cost_without_storage == pytest.approx(0.6)
    assert done.cost_of_imperfect_foresight == pytest.approx(0.4)
    assert done.savings_kept == pytest.approx(0)


def test_energy_left_at_a_plans_end_is_not_thrown_away() -> None:
    """Each plan sees two hours alike; energy that plans a day ahead need is kept for them."""
    site = Site(load_kwh=np.ones(6), start=START)
    battery = Battery(
        initial_state_of_charge=0.6, terminal_state_of_charge="free", dc_coupled=False
    )
    paid = Prices(import_price=[0.2, 0.2, 0.2, 0.2, 0.5, 0.5])
    done = roll(site, "perfect", battery, Optimize(), prices=paid, horizon_hours=2)
    assert (done.battery_soc[:4] >= 0.6 - 1e-12).all()
    assert done.battery_to_site_kwh_ac[4:] == pytest.approx([1, 1])


def test_a_window_that_a_forecast_put_out_of_reach_is_missed_and_counted() -> None:
    """The sun alone may charge; it was expected, and does not shine."""
    site = Site(load_kwh=[0, 0, 0], solar_kwh=[0, 0, 0], start=START)
    expected = Site(load_kwh=[0, 0, 0], solar_kwh=[2, 2, 2], start=START)
    battery = Battery(
        allow_grid_to_battery=False, initial_state_of_charge=0.1, terminal_state_of_charge="free"
    )
    window = {
        "schedule": {"frequency": "once", "date_times": ["2025-06-01T03:00:00+00:00"]},
        "minimum_state_of_charge": 80,
        "maximum_state_of_charge": 100,
    }
    done = roll(
        site,
        expected,
        battery,
        Optimize(relax_policies=True),
        prices=Prices(import_price=0.3),
        policies=[window],
    )
    assert len(done.violations) == 1
    assert [at.hour for at in done.relaxed_plans] == [1, 2]
    with pytest.raises(bess.InfeasibleError, match="cannot be reached"):
        roll(site, expected, battery, Optimize(), prices=Prices(0.3), policies=[window])


def test_load_above_the_import_limit_that_nobody_foresaw_is_served_and_told() -> None:
    site = Site(load_kwh=[1, 5, 1], start=START, import_limit_kwh=3)
    expected = Site(load_kwh=[1, 1, 1], start=START)
    battery = Battery(terminal_state_of_charge="free")
    paid = Prices(import_price=[0.5, 0.1, 0.1])
    done = roll(site, expected, battery, Optimize(), prices=paid)
    assert [at.hour for at in done.import_limit_exceeded] == [1]
    assert done.import_kwh_ac[1] > 3
    seen = roll(site, site, battery, Optimize(), prices=paid)
    assert seen.import_limit_exceeded == ()
    assert seen.cost_of_imperfect_foresight == pytest.approx(0, abs=1e-12)


def test_the_terminal_state_of_charge_holds_at_the_end_of_the_horizon_alone() -> None:
    site = Site(load_kwh=np.ones(10), start=START)
    battery = Battery(terminal_state_of_charge=0.9)
    paid = Prices(import_price=np.r_[np.full(9, 0.1), 0.9])
    done = roll(site, "perfect", battery, Optimize(), prices=paid, horizon_hours=3)
    assert done.battery_soc[-1] >= 0.9 - 1e-12


def test_one_step_is_one_plan() -> None:
    site = Site(load_kwh=[2.0], start=START)
    done = roll(site, "persistence", Battery(), Optimize(), prices=Prices(import_price=0.3))
    assert done.plans == 1
    assert done.cost == pytest.approx(0.6)
    assert done.savings_kept is None


def test_quarter_hours_and_hours_alike_make_the_same_plans() -> None:
    rng = np.random.default_rng(0)
    load, price = rng.uniform(0, 3, 72), rng.uniform(0.1, 0.5, 72)
    hourly = Site(load_kwh=load, start=START)
    quarters = Site(load_kwh=np.repeat(load, 4) / 4, start=START, step_hours=0.25)
    battery = Battery(allow_battery_to_grid=False)
    costs = [
        roll(site, "perfect", battery, Optimize(), prices=Prices(paid), horizon_hours=24).cost
        for site, paid in ((hourly, price), (quarters, np.repeat(price, 4)))
    ]
    assert costs[0] == pytest.approx(costs[1], rel=1e-9)


@pytest.mark.parametrize(
    ("changes", "path", "reason"),
    [
        ({"horizon_hours": 0}, "horizon_hours", "whole number of steps"),
        ({"horizon_hours": 1.5}, "horizon_hours", "whole number of steps"),
        ({"horizon_hours": "a day"}, "horizon_hours", "must be a number"),
        ({"replan_hours": 0.5}, "replan_hours", "whole number of steps"),
        ({"replan_hours": 49}, "replan_hours", r"at most horizon_hours \(48\)"),
        ({"site": 3}, "site", "bess.Site"),
        ({"strategy": bess.Surplus()}, "strategy", "Optimize"),
        ({"battery": []}, "battery", "one bess.Battery"),
        ({"forecast": "guess"}, "forecast", "perfect"),
        ({"forecast": [1, 2]}, "forecast", "bess.Forecast"),
        ({"forecast": Site(load_kwh=[1], start=START)}, "forecast", "start, step and steps"),
        ({"forecast": Forecast([1.0])}, "forecast.load_kwh", "has 1 values"),
        ({"forecast": Forecast(solar_kwh=[[1.0]])}, "forecast.solar_kwh", "1 rows; there are 3"),
        ({"forecast": Forecast([[1.0]] * 3)}, "forecast.load_kwh", "1 steps ahead; a plan goes 3"),
        ({"battery": Battery(terminal_state_of_charge="cyclic")}, "terminal_state", "cyclic"),
        ({"prices": None}, "prices", "required by Optimize"),
        ({"past_peaks_kw": [1]}, "past_peaks_kw", "for a tariff"),
        ({"initial_state_of_charge": 0.5}, "initial_state_of_charge", "is for devices"),
    ],
)
def test_what_cannot_be_rolled_is_refused_by_name(
    changes: dict[str, Any], path: str, reason: str
) -> None:
    usual: dict[str, Any] = {
        "site": Site(load_kwh=[1, 1, 1], start=START),
        "forecast": "persistence",
        "battery": Battery(),
        "strategy": Optimize(),
        "prices": Prices(import_price=0.3),
    }
    with pytest.raises(InputError, match=reason) as refused:
        roll(**(usual | changes))
    assert refused.value.problems[0].path.startswith(path)


def test_a_device_rolls_as_a_battery_does() -> None:
    site = Site(load_kwh=[1, 1, 2, 2], start=START)
    device = bess.BessDevice(
        name="east",
        collector="main",
        maximum_charging_power=3000,
        maximum_discharging_power=3000,
        operational_battery_capacity=6000,
    )
    paid = Prices(import_price=[0.1, 0.1, 0.4, 0.4])
    done = roll(site, "perfect", device, Optimize(), prices=paid, initial_state_of_charge=0.2)
    assert done.cost_of_imperfect_foresight == pytest.approx(0, abs=1e-12)
    assert list(done.devices) == ["east"]
