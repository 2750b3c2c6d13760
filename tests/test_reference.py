"""The slow twin agrees with itself: ranges, costs and optima found in independent ways."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import energy_range, split
from reference_models import INF, Step, Store
from reference_optimum import Terminal, grid_optimum, least_cost_flows, optimum

amounts = st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.0])
limits = st.sampled_from([0.0, 0.5, 1.0, 2.5, INF])
fractions = st.sampled_from([1.0, 0.96, 0.9, 0.5])
prices = st.sampled_from([-0.3, -0.1, 0.0, 0.1, 0.2, 0.5])


@st.composite
def steps(draw: st.DrawFn) -> Step:
    return Step(draw(amounts), draw(amounts), draw(limits), draw(limits), draw(st.booleans()))


@st.composite
def stores(draw: st.DrawFn) -> Store:
    highest = draw(st.sampled_from([1.0, 2.0, 5.0]))
    return Store(
        lowest=0.0,
        highest=highest,
        initial=highest * draw(st.sampled_from([0.0, 0.5, 1.0])),
        charge_limit=draw(st.sampled_from([0.5, 1.0, 4.0])),
        discharge_limit=draw(st.sampled_from([0.5, 1.0, 4.0])),
        ac_to_dc=draw(fractions),
        dc_to_ac=draw(fractions),
        input_efficiency=draw(fractions),
        solar_efficiency=draw(fractions),
        dc_coupled=draw(st.booleans()),
        grid_to_battery=draw(st.booleans()),
        battery_to_grid=draw(st.booleans()),
        solar_to_battery=draw(st.booleans()),
        wear=draw(st.sampled_from([0.0, 0.05])),
    )


@given(steps(), stores())
def test_every_change_in_the_physical_range_has_flows_and_none_outside_has(
    step: Step, store: Store
) -> None:
    least, most = energy_range(step, store)
    if least > most:
        for change in (least, most, 0.0):
            assert least_cost_flows(step, store, change, 0.0, 0.0) is None
        return
    for share in (0.0, 0.25, 0.5, 1.0):
        assert least_cost_flows(step, store, least + share * (most - least), 1.0, 1.0) is not None
    assert least_cost_flows(step, store, most + 1e-3, 1.0, 1.0) is None
    assert least_cost_flows(step, store, least - 1e-3, 1.0, 1.0) is None


@given(steps(), stores(), st.floats(0, 1), st.booleans())
def test_split_flows_keep_every_limit_of_the_step(
    step: Step, store: Store, share: float, battery_first: bool
) -> None:
    least, most = energy_range(step, store)
    if least > most:
        return
    change = least + share * (most - least)
    flows = split(step, store, change, battery_first)
    assert min(vars(flows).values()) >= -1e-12
    assert flows.imported <= step.import_limit + 1e-9
    assert flows.exported <= step.export_limit + 1e-9
    assert min(flows.imported, flows.exported) < 1e-12
    charge = flows.solar_to_battery_kwh_dc + store.ac_to_dc * flows.grid_to_battery_kwh_ac
    discharge = (flows.battery_to_site_kwh_ac + flows.battery_to_grid_kwh_ac) / store.dc_to_ac
    assert math.isclose(charge * store.input_efficiency - discharge, change, abs_tol=1e-12)


@pytest.mark.highs
@settings(max_examples=60)
@given(steps(), stores(), st.floats(0, 1), prices, prices)
def test_the_least_cost_of_one_step_is_the_optimum_of_its_linear_programme(
    step: Step, store: Store, share: float, buy: float, sell: float
) -> None:
    least, most = energy_range(step, store)
    least, most = max(least, store.lowest - store.initial), min(most, store.highest - store.initial)
    if least > most:
        return
    change = least + share * (most - least)
    found = least_cost_flows(step, store, change, buy, sell)
    exact = optimum(
        [step],
        [store],
        [buy],
        [sell],
        terminals=[Terminal(store.initial + change, store.initial + change)],
    )
    assert found is not None
    assert exact is not None
    assert math.isclose(found[0], exact, abs_tol=1e-7)


@pytest.mark.highs
@settings(max_examples=25)
@given(st.data())
def test_branching_and_the_walk_over_a_grid_find_the_same_optimum(data: st.DataObject) -> None:
    """With whole numbers and no losses, an optimal schedule moves whole kWh."""
    whole = st.integers(0, 3).map(float)
    n = data.draw(st.integers(1, 5))
    allow = data.draw(st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans()))
    sites = [
        Step(
            data.draw(whole),
            data.draw(whole),
            data.draw(st.sampled_from([0.0, 1.0, INF])),
            data.draw(st.sampled_from([2.0, INF])),
            allow[3],
        )
        for _ in range(n)
    ]
    store = Store(
        lowest=0.0,
        highest=3.0,
        initial=data.draw(whole),
        charge_limit=data.draw(st.sampled_from([1.0, 2.0])),
        discharge_limit=data.draw(st.sampled_from([1.0, 2.0])),
        grid_to_battery=allow[0],
        battery_to_grid=allow[1],
        solar_to_battery=allow[2],
        wear=data.draw(st.sampled_from([0.0, 0.05])),
    )
    buy = [data.draw(prices) for _ in range(n)]
    sell = [data.draw(prices) for _ in range(n)]
    terminal = Terminal(low=data.draw(whole))
    walked = grid_optimum(sites, store, buy, sell, [0.0, 1.0, 2.0, 3.0], terminal)
    branched = optimum(sites, [store], buy, sell, terminals=[terminal])
    assert (walked is None) == (branched is None)
    if walked is not None and branched is not None:
        assert math.isclose(walked, branched, abs_tol=1e-7)


@pytest.mark.parametrize(("simultaneous", "profit"), [(False, 1037.78), (True, 1057.78)])
def test_the_published_optimum_of_energypylinear(simultaneous: bool, profit: float) -> None:
    prices = [100.0, 50.0, 200.0, -100.0, 0.0, 200.0, 100.0, -100.0]
    store = Store(0.0, 4.0, 0.0, charge_limit=1.8, discharge_limit=2.0, ac_to_dc=0.9)
    cost = optimum(
        [Step(0.0)] * 8,
        [store],
        prices,
        prices,
        terminals=[Terminal(0.0, 0.0)],
        allow_simultaneous=simultaneous,
    )
    assert cost is not None
    assert round(-cost, 2) == profit
