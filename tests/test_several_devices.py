"""The optimum of several unlike devices: against brute force, and stretch by stretch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import strategies as cases
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from ideal import device, site
from numpy.testing import assert_allclose
from reference_balances import check_balances, check_money
from reference_optimum import Terminal, Total, optimum
from strategies_rules import few, permissions, policies, twin_permissions
from test_optimum import priced

import bess
from bess import solver_search, stretches


def compare(data: st.DataObject, most_steps: int, most_devices: int, windows: bool) -> None:
    """Draw devices unlike in all they have, and their policies; assert one optimum."""
    place = data.draw(cases.sites(max_steps=most_steps))
    units = data.draw(cases.devices(max_devices=most_devices))
    allowed = data.draw(permissions)
    wear = data.draw(st.sampled_from([0.0, 0.04]))
    buy = data.draw(cases.series(cases.prices, place.n))
    sell = data.draw(st.one_of(st.just(buy), cases.series(cases.prices, place.n)))
    own = policies(place, max_policies=1) if windows else st.just([])
    asked = [data.draw(own) for _ in units]
    cycles = data.draw(st.sampled_from([None, None, 0.3])) if windows else None
    stores = [u.ranked(place, 0.5, wear=wear, **twin_permissions(allowed)).store for u in units]
    steps, capacities = place.steps(), [u.capacity for u in units]
    wanted = [place.windows(a, s, c) for a, s, c in zip(asked, stores, capacities, strict=True)]
    assume(all(w is not None for w in wanted))
    zeros = [0.0] * place.n
    best = optimum(
        steps,
        stores,
        buy,
        sell,
        windows=[(i, w) for i, each in enumerate(wanted) for w in each or ()],
        terminals=[Terminal(low=s.initial) for s in stores],
        totals=[
            Total(cycles * c, zeros, zeros, [float(i == j) for j in range(len(units))])
            for i, c in enumerate(capacities)
            if cycles is not None
        ],
    )
    limit = None if cycles is None else cycles / place.build().timeline.years

    def run() -> Any:
        return bess.dispatch(
            place.build(),
            [
                bess.BessDevice.model_validate(u.fields | {"policies": a})
                for u, a in zip(units, asked, strict=True)
            ],
            bess.Optimize(max_cycles=limit, engine="highs"),
            prices=bess.Prices(buy, sell),
            degradation_cost_per_kwh=wear,
            **allowed,
        )

    if best is None:
        with pytest.raises(bess.InfeasibleError):
            run()
        return
    result = run()
    check_balances(steps, stores, capacities, result)
    check_money(result, stores, buy, sell)
    assert result.gap <= 1e-6
    assert not any(v.device for v in result.violations if v.timestamp > result.timestamps[0])
    scale = max(1.0, abs(best), priced(result, buy, sell))
    assert_allclose(result.cost, best, atol=2e-6 * scale, rtol=0)
    assert result.lower_bound <= best + 1e-7 * scale


@pytest.mark.highs
@settings(few, max_examples=60)
@given(st.data())
def test_unlike_devices_with_policies_and_limits_have_the_optimum_of_brute_force(
    data: st.DataObject,
) -> None:
    compare(data, 5, 3, windows=True)


@pytest.fixture
def short_stretches(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Cuts every horizon into stretches; says of each time whether that was the answer."""
    done: list[bool] = []
    solve = stretches.solve_by_stretches

    def noted(*arguments: Any) -> Any:
        done.append((found := solve(*arguments)) is not None)
        return found

    monkeypatch.setattr(solver_search, "_LONG", 1)
    monkeypatch.setattr(solver_search, "solve_by_stretches", noted)
    monkeypatch.setattr(stretches, "_MARGIN", 1)
    monkeypatch.setattr(stretches, "_MOST_OF_IT", 1.0)
    return done


@pytest.mark.highs
@settings(
    few,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_stretch_by_stretch_the_optimum_is_that_of_brute_force(
    short_stretches: list[bool], data: st.DataObject
) -> None:
    compare(data, 7, 2, windows=False)


def test_a_long_horizon_goes_stretch_by_stretch(short_stretches: list[bool]) -> None:
    """Paid to import in some hours of a month: it would pay to charge and discharge at once."""
    generator = np.random.default_rng(5)
    hours = np.arange(24 * 30)
    place = site(1 + generator.random(hours.size), 4 * np.maximum(np.sin(hours / 24 * 6.28), 0))
    buy = 0.1 + 0.08 * np.sin(hours / 12 * 6.28) + generator.normal(0, 0.04, hours.size)
    units = [
        device("a", charging_efficiency=0.95, discharging_efficiency=0.9),
        device("b", kwh=5, kw=3, charging_efficiency=0.9, discharging_efficiency=0.95),
    ]
    prices = bess.Prices(buy, buy - 0.01)
    result = bess.dispatch(place, units, bess.Optimize(), prices=prices)
    assert short_stretches == [True]
    assert result.gap is not None
    assert result.gap <= 1e-6
    whole = bess.Optimize(gap=1e-5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(solver_search, "_LONG", 10**9)
        expected = bess.dispatch(place, units, whole, prices=prices)
    assert result.cost is not None
    assert expected.cost is not None
    assert expected.lower_bound is not None
    assert result.cost <= expected.cost + 1e-9
    assert result.cost >= expected.lower_bound - 1e-9


@pytest.mark.highs
@pytest.mark.parametrize("seed", range(4))
def test_energy_that_is_paid_for_is_used_up_to_the_peak_that_is(seed: int) -> None:
    """Sun or grid charges at the same marginal price there: what the solution says decides."""
    random, hour = np.random.default_rng(seed), np.arange(72) % 24
    buy = np.where((hour > 9) & (hour < 15), -0.02, 0.1) * (0.5 + random.random(72))
    place = bess.Site(
        load_kwh=1 + random.random(72),
        solar_kwh=6 * np.maximum(np.sin((hour - 6) / 12 * np.pi), 0),
        start="2025-06-01T00:00Z",
        time_zone="UTC",
    )
    tariff = bess.Tariff(
        "paid at noon",
        time_zone="UTC",
        series=bess.tariff.PriceSeries(buy, np.minimum(buy, 0.95 * buy)),
        demand_rates=(bess.tariff.DemandRate("any", 10.0),),
    )
    result = bess.dispatch(
        place, [device("a", kwh=8), device("b", kwh=4)], bess.Optimize(), tariff=tariff
    )
    assert result.gap is not None
    assert result.gap <= 1e-6
    served = result.grid_to_site_kwh_ac + result.solar_to_site_kwh_ac
    assert_allclose(served + result.battery_to_site_kwh_ac, place.load_kwh, atol=1e-9)
    assert not (result.import_kwh_ac * result.export_kwh_ac).any()
    for unit in result.units:
        assert not (unit.series[:2].sum(axis=0) * unit.series[2:4].sum(axis=0)).any()
