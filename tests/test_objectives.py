"""Emissions and self-consumption as objectives and limits: in the head and against brute force."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import strategies as cases
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from ideal import battery, device, site
from numpy.testing import assert_allclose
from reference_balances import check_balances, check_money
from reference_optimum import Total, optimum
from strategies_rules import few
from strategies_tariffs import TariffCase, tariff_cases
from tariff_agreement import check_agreement
from test_optimum import priced

import bess
from bess.tariff import DemandRate, EnergyRate, Tariff


def solved(
    place: bess.Site, store: Any, buy: Any, sell: Any, factors: Any, **options: Any
) -> bess.Result:
    strategy, prices = bess.Optimize(**options), bess.Prices(buy, sell)
    emissions = bess.Emissions(*factors)
    return bess.dispatch(place, store, strategy, prices=prices, emissions=emissions)


def test_every_strategy_reports_what_it_emits() -> None:
    place = site([1, 4], [3, 0])
    emissions = bess.Emissions([0.5, 0.2], 0.1)
    result = bess.dispatch(place, battery(initial_state_of_charge=0), bess.Surplus())
    assert result.emissions_kg is None
    result = bess.dispatch(
        place, battery(initial_state_of_charge=0), bess.Surplus(), emissions=emissions
    )
    assert_allclose(result.emissions_kg, 2 * 0.2)
    assert_allclose(result.self_consumption, 1)
    assert_allclose(result.self_sufficiency, 1 - 2 / 5)
    assert pickle.loads(pickle.dumps(result)).emissions_kg == result.emissions_kg
    sold = bess.dispatch(place, battery(), bess.Follow([0, 0]), emissions=emissions)
    assert_allclose(sold.emissions_kg, 4 * 0.2 - 2 * 0.1)
    assert_allclose(sold.self_consumption, 1 / 3)


@pytest.mark.parametrize("engine", ["core", "highs"])
def test_a_price_on_emissions_moves_what_is_bought(engine: str) -> None:
    """Dirty energy at 0.1, clean at 0.2: at 0.2 a kg the one costs 0.1 + 0.2, the other 0.2."""
    store = battery(initial_state_of_charge=0)
    for per_kg, cost, objective, kg in ((0.0, 0.1, 0.1, 1), (0.2, 0.2, 0.2, 0)):
        found = solved(
            site([0, 0, 1]),
            store,
            [0.1, 0.2, 0.3],
            0,
            ([1, 0, 1], 0),
            emissions_price_per_kg=per_kg,
            engine=engine,
        )
        assert_allclose([found.cost, found.objective, found.emissions_kg], [cost, objective, kg])
        assert found.lower_bound == pytest.approx(objective)


@pytest.mark.parametrize("engine", ["core", "highs"])
def test_a_cap_on_emissions_is_used_up(engine: str) -> None:
    """Of 4 kWh for the third hour, half may be bought dirty at 0.1, the rest clean at 0.2."""
    found = solved(
        site([0, 0, 4]),
        battery(initial_state_of_charge=0),
        [0.1, 0.2, 0.3],
        0,
        ([1, 0, 1], 0),
        max_emissions_kg=2,
        engine=engine,
    )
    assert_allclose([found.cost, found.objective, found.emissions_kg], [0.6, 0.6, 2])


@pytest.mark.parametrize("engine", ["core", "highs"])
def test_a_cap_out_of_reach_is_refused_with_the_least_that_is_not(engine: str) -> None:
    with pytest.raises(bess.InfeasibleError, match=r"max_emissions_kg=1 .*at least 2 are needed"):
        solved(
            site([4, 4]),
            battery(initial_state_of_charge=0),
            [0.1, 0.3],
            0,
            ([0.25, 1], 0),
            max_emissions_kg=1,
            engine=engine,
        )


def test_under_another_objective_ties_cost_least() -> None:
    """Any hour emits the same: nothing is gained by moving, so what costs least is bought."""
    found = solved(
        site([0, 3, 0]),
        battery(initial_state_of_charge=0),
        [0.2, 0.3, 0.1],
        0,
        (0.5, 0),
        objective="emissions",
    )
    assert_allclose([found.objective, found.cost], [1.5, 0.6], rtol=1e-7)


def test_self_consumption_imports_least_whatever_it_costs() -> None:
    """3 kWh of sun could be sold at 0.5; they serve the later load instead, and 1 is bought."""
    place, store = site([0, 4], [3, 0]), battery(initial_state_of_charge=0)
    rich = solved(place, store, 0.1, 0.5, (1, 0))
    assert_allclose([rich.cost, rich.self_consumption], [0.4 - 1.5, 0])
    own = solved(place, store, 0.1, 0.5, (1, 0), objective="self_consumption")
    assert_allclose([own.objective, own.cost, own.self_consumption], [1, 0.1, 1], rtol=1e-7)
    assert own.gap is not None
    assert own.gap <= 2e-9


def test_several_devices_and_limits_together() -> None:
    """8 kWh for the last hour: 2 from each device for want of cycles; the clean hour first."""
    units = [device("a"), device("b")]
    result = bess.dispatch(
        site([0, 0, 8, *[0] * 21]),
        units,
        bess.Optimize(max_cycles=0.2 * 365, max_emissions_kg=5),
        prices=bess.Prices([0.1, 0.2, 0.5] + [0.6] * 21),
        emissions=bess.Emissions([1, 0, 1] + [1] * 21),
        initial_state_of_charge=0.0,
    )
    assert_allclose(result.emissions_kg, 5)
    assert_allclose(result.cost, 1 * 0.1 + 3 * 0.2 + 4 * 0.5)


@pytest.mark.parametrize("option", ["emissions_price_per_kg", "max_emissions_kg", "objective"])
def test_what_needs_emission_factors_says_so(option: str) -> None:
    value: Any = "emissions" if option == "objective" else 1.0
    strategy = bess.Optimize(**{option: value})
    with pytest.raises(bess.InputError, match=r"^emissions: are required"):
        bess.dispatch(site([1]), battery(), strategy, prices=bess.Prices(0.1))


def test_emission_factors_of_another_length_are_refused() -> None:
    with pytest.raises(bess.InputError, match=r"emissions.import_kg_per_kwh: has 3 values"):
        bess.dispatch(site([1]), battery(), bess.Surplus(), emissions=bess.Emissions([1, 2, 3]))
    with pytest.raises(bess.InputError, match=r"emissions.*must be bess.Emissions"):
        bess.dispatch(site([1]), battery(), bess.Surplus(), emissions=0.5)  # type: ignore[arg-type]


def test_a_price_on_emissions_joins_a_bill() -> None:
    """A tariff of prices by step, and one with demand charges: the objective is bill and carbon."""
    place = site([1, 3, 2, 5], [0, 2, 0, 0])
    factors = bess.Emissions([0.9, 0.1, 0.2, 0.6], [0.9, 0.1, 0.2, 0.6])
    flat = Tariff("T", rates=(EnergyRate("flat", price=0.2),))
    steep = replace(flat, demand_rates=(DemandRate("peak", price=1.0),))
    strategy = bess.Optimize(emissions_price_per_kg=0.5)
    prices = bess.Prices(0.2)
    by_price = bess.dispatch(place, battery(), strategy, prices=prices, emissions=factors)
    for engine in ("core", "highs"):
        on_tariff = bess.dispatch(
            place,
            battery(),
            bess.Optimize(emissions_price_per_kg=0.5, engine=engine),
            tariff=flat,
            emissions=factors,
        )
        assert_allclose(on_tariff.objective, by_price.objective)
        assert_allclose(on_tariff.cost, on_tariff.bill.total)
    peaks = bess.dispatch(place, battery(), strategy, tariff=steep, emissions=factors)
    assert_allclose(peaks.objective, peaks.bill.total + 0.5 * peaks.emissions_kg)
    assert peaks.objective > by_price.objective
    assert peaks.gap <= 1e-6


def test_a_sun_with_a_meter_of_its_own_is_credited_for_what_it_sells() -> None:
    """5 kWh bought clean serve the dirty hour, and 3 of them are sold in it, as is all the sun."""
    metered_apart = Tariff(
        "T",
        rates=(
            EnergyRate("bought", price=0.2),
            EnergyRate("sold", price=0.15, on_import=False, on_export=True),
        ),
        metering="buy_all_sell_all",
    )
    result = bess.dispatch(
        site([0, 2], [3, 0]),
        battery(initial_state_of_charge=0),
        bess.Optimize(objective="emissions"),
        tariff=metered_apart,
        emissions=bess.Emissions([0.1, 0.9], [0.5, 0.9]),
    )
    assert_allclose(result.objective, 5 * 0.1 - 3 * 0.5 - 3 * 0.9)


@pytest.mark.highs
@settings(few, max_examples=80)
@given(st.data())
def test_every_objective_and_cap_is_that_of_brute_force(data: st.DataObject) -> None:
    case_site = data.draw(cases.sites(max_steps=6))
    case = data.draw(cases.batteries())
    n = case_site.n
    buy = data.draw(cases.series(cases.prices, n))
    sell = data.draw(st.one_of(st.just(buy), cases.series(cases.prices, n)))
    emit = data.draw(cases.series(st.sampled_from([0.0, 0.2, 0.5, 0.9]), n))
    credit = data.draw(st.one_of(st.just([0.0] * n), st.just(emit)))
    engine = data.draw(st.sampled_from(["auto", "highs"]))
    kind = data.draw(st.sampled_from(["cap", "price", "emissions", "self_consumption"]))
    steps, store = case_site.steps(), case.store(case_site)
    unworn = replace(store, wear=0.0)
    if kind == "self_consumption":
        emit_of, credit_of = [1.0] * n, [0.0] * n
    else:
        emit_of, credit_of = emit, credit
    least = optimum(steps, [unworn], emit_of, credit_of)
    options: dict[str, Any] = {"engine": engine}
    totals = []
    prices = [np.array(buy), np.array(sell)]
    if kind == "price":
        options["emissions_price_per_kg"] = 0.3
        prices = [prices[0] + 0.3 * np.array(emit), prices[1] + 0.3 * np.array(credit)]
    elif least is not None:
        room = data.draw(st.sampled_from([0.0, 0.1, 1.0])) if kind == "cap" else 0.0
        totals = [Total(least + room + 1e-8, emit_of, [-c for c in credit_of], [0.0])]
        if kind == "cap":
            options["max_emissions_kg"] = least + room + 1e-8
        else:
            options["objective"] = kind
    best = optimum(steps, [store], *(p.tolist() for p in prices), totals=totals)

    def run() -> bess.Result:
        return solved(case_site.build(), case.build(), buy, sell, (emit, credit), **options)

    if least is None:
        with pytest.raises(bess.InfeasibleError):
            run()
        return
    result = run()
    check_balances(steps, [store], [case.capacity], result)
    check_money(result, [store], buy, sell, of_cost=kind == "cap")
    assert best is not None
    assert result.gap is not None
    assert result.objective is not None
    assert result.lower_bound is not None
    assert result.gap <= 1e-6
    amounts = max(1.0, priced(result, emit_of, credit_of))
    scale = max(1.0, abs(best), priced(result, *prices))
    if kind in ("emissions", "self_consumption"):
        assert_allclose(result.objective, least, atol=2e-6 * amounts, rtol=0)
        assert result.lower_bound <= least + 1e-8 * amounts
        assert result.cost is not None
        assert result.cost <= best + 2e-6 * scale
        return
    if kind == "cap":
        assert result.emissions_kg is not None
        assert result.emissions_kg <= least + room + 2e-8 * amounts
    assume(abs(best) < 1e6)
    assert_allclose(result.objective, best, atol=3e-6 * scale, rtol=0)
    assert result.lower_bound <= best + 1e-7 * scale


@pytest.mark.highs
@settings(few, max_examples=15)
@given(tariff_cases(max_steps=6), cases.batteries(), st.data())
def test_the_optimum_on_a_tariff_under_a_cap_is_the_twins(
    case: TariffCase, store: Any, data: st.DataObject
) -> None:
    """The cap is on imported energy: one kg a kWh."""
    n = case.site.n
    least = optimum(
        case.site.steps(), [replace(store.store(case.site), wear=0.0)], [1.0] * n, [0.0] * n
    )
    assume(least is not None and case.tariff.metering != "buy_all_sell_all")
    assert least is not None
    most = least + data.draw(st.sampled_from([1e-7, 0.1, 1.0]))
    total = Total(most, [1.0] * n, [0.0] * n, [0.0])
    strategy = bess.Optimize(max_emissions_kg=most)
    check_agreement(case, store, strategy, [total], bess.Emissions(1.0))
