"""Outages: in the head, and against a simulation of every outage step by step."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest
import strategies as cases
from hypothesis import given
from hypothesis import strategies as st
from ideal import battery, device, policy, site
from numpy.testing import assert_allclose
from reference_models import Step, Store

import bess

few_fractions = st.sampled_from([0.0, 0.2, 0.5, 0.55, 0.8, 1.0])


def survived(steps: list[Step], store: Store, load: list[float], energy: float) -> int:
    """The steps whose load is served, from an energy stored on, one after the other."""
    for count, (step, wanted) in enumerate(zip(steps, load, strict=True)):
        step = step.seen_by(store)
        energy *= store.retention
        if wanted > step.inverter_limit * (1 + 1e-9):
            return count
        missing = wanted - step.output
        if missing > 0:
            drawn = missing / store.dc_to_ac
            if drawn > store.discharge_limit + 1e-12 or energy - drawn < store.lowest - 1e-12:
                return count
            energy -= drawn
        elif store.solar_to_battery:
            charge = min((step.solar - wanted) * store.solar_gain, store.charge_limit)
            energy = min(energy + charge * store.input_efficiency, store.highest)
    return len(steps)


@given(st.data())
def test_outages_last_as_long_as_one_by_one(data: st.DataObject) -> None:
    place, case = data.draw(cases.sites()), data.draw(cases.batteries(lossy=True))
    load = data.draw(cases.series(cases.energies, place.n))
    drawn = data.draw(st.lists(few_fractions, min_size=place.n, max_size=place.n))
    soc = [min(value, case.fields["max_state_of_charge"]) for value in drawn]
    steps, store = place.steps(), case.store(place)
    found = bess.resilience(place.build(), case.build(), soc, critical_load_kwh=load)
    before = [case.fields["initial_state_of_charge"], *soc[:-1]]
    expected = [
        survived(steps[t:], store, load[t:], before[t] * case.capacity) for t in range(place.n)
    ]
    margin = [  # how it would be with a hair more or less stored
        {
            survived(steps[t:], store, load[t:], before[t] * case.capacity + by * case.capacity)
            for by in (-1e-8, 1e-8)
        }
        for t in range(place.n)
    ]
    for got, want, near in zip(found.hours_carried / place.hours, expected, margin, strict=True):
        assert round(got) == want or round(got) in near


@given(st.data())
def test_the_reserve_is_just_enough(data: st.DataObject) -> None:
    place, case = data.draw(cases.sites()), data.draw(cases.batteries(lossy=True))
    load = data.draw(cases.series(cases.energies, place.n))
    length = data.draw(st.integers(1, place.n))
    steps, store = place.steps(), case.store(place)
    need = bess.outage_reserve(
        place.build(), case.build(), length * place.hours, critical_load_kwh=load
    )
    lowest, highest = store.lowest / case.capacity, store.highest / case.capacity
    assert need[-1] == pytest.approx(lowest, abs=1e-12)
    for t in range(1, place.n):
        stretch, own = steps[t : t + length], load[t : t + length]
        soc = float(need[t - 1])

        def carried(soc: float, stretch: Any = stretch, own: Any = own) -> bool:
            return survived(stretch, store, own, soc * case.capacity) == len(stretch)

        assert carried(soc + 1e-8) or (soc > highest - 1e-9 and not carried(highest))
        if soc > lowest + 1e-9:
            assert not carried(soc - 1e-8)


def test_a_year_begins_again_where_it_ends() -> None:
    """5 kWh above the least carry 5 hours, from the last of the year too."""
    year = site(np.ones(8760))
    found = bess.resilience(year, battery(), 0.5, critical_load_fraction=1)
    assert set(found.hours_carried.tolist()) == {5.0}
    assert found.probability_of_survival(5) == 1
    assert found.probability_of_survival(6) == 0
    hours, probability = found.survival_curve()
    assert hours.tolist() == [1, 2, 3, 4, 5]
    assert probability.tolist() == [1] * 5
    assert_allclose(bess.outage_reserve(year, battery(), 4, critical_load_fraction=1), 0.4)
    sunny = site(np.ones(8760), np.ones(8760))
    endless = bess.resilience(sunny, battery(), 0.5, critical_load_fraction=1)
    assert set(endless.hours_carried.tolist()) == {8760.0}
    assert pickle.loads(pickle.dumps(endless)).probability_of_survival(8760) == 1


def test_power_limits_hold_in_an_outage() -> None:
    place = site([6, 4, 4])
    found = bess.resilience(place, battery(), 1.0, critical_load_fraction=1)
    assert found.hours_carried.tolist() == [0, 2, 1]


@pytest.mark.parametrize("engine", ["core", "highs"])
def test_a_reserve_is_kept_by_the_optimum_at_a_price(engine: str) -> None:
    """The dear second hour is served only down to what an outage of two hours would need."""
    place, store = site([1, 4, 1, 1]), battery(initial_state_of_charge=0.6)
    reserve = bess.outage_reserve(place, store, 2, critical_load_fraction=1)
    assert_allclose(reserve, [0.5, 0.2, 0.1, 0.0])
    prices = bess.Prices([0.1, 0.5, 0.5, 0.5])
    free = bess.dispatch(
        place,
        store.model_copy(update={"terminal_state_of_charge": "free"}),
        bess.Optimize(engine=engine),
        prices=prices,
        reserve_state_of_charge=[0.5, 0.5, 0.5, 0.5],
    )
    assert_allclose(free.battery_soc[-1], 0.5)
    kept = bess.dispatch(
        place,
        store.model_copy(update={"terminal_state_of_charge": "free"}),
        bess.Optimize(engine=engine),
        prices=prices,
        reserve_state_of_charge=reserve,
    )
    assert (kept.battery_soc >= reserve - 1e-9).all()
    after = bess.resilience(place, store, kept.battery_soc, critical_load_fraction=1)
    assert after.probability_of_survival(2) == 1


def test_a_reserve_is_kept_by_rules_and_by_several_devices() -> None:
    place = site([3, 3, 3])
    for strategy in (bess.Surplus(), bess.PeakShave(target_kw=0)):
        result = bess.dispatch(place, battery(), strategy, reserve_state_of_charge=0.4)
        assert_allclose(result.battery_soc, [0.4, 0.4, 0.4])
        assert result.violations == ()
    two = [device("a"), device("b", policies=[policy("2025-06-02T02:00:00Z", low=30)])]
    result = bess.dispatch(place, two, bess.Surplus(), reserve_state_of_charge=[0.0, 0.2, 0.2])
    assert (result.devices["b"].battery_soc >= [0, 0.3, 0.2]).all()
    assert (result.devices["a"].battery_soc >= [0, 0.2, 0.2]).all()


def test_a_reserve_out_of_reach_is_reported() -> None:
    place, store = site([1, 1]), battery(charge_power_kw=1)
    with pytest.raises(bess.InfeasibleError, match="90 to 100 %"):
        bess.dispatch(
            place, store, bess.Optimize(), prices=bess.Prices(0.1), reserve_state_of_charge=0.9
        )
    result = bess.dispatch(place, store, bess.Surplus(), reserve_state_of_charge=0.9)
    assert_allclose([v.state_of_charge for v in result.violations], [0.6, 0.7])


def test_starts_are_steps_or_instants() -> None:
    place, store = site([1, 1, 1, 1]), battery()
    for starts in ([2], ["2025-06-02T02:30:00Z"]):
        need = bess.outage_reserve(place, store, 2, critical_load_fraction=1, starts=starts)
        assert_allclose(need, [0, 0.2, 0, 0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"critical_load_kwh": [1, 2]}, "critical_load_kwh: has 2 values"),
        ({"critical_load_kwh": 1, "critical_load_fraction": 1}, "cannot be given with"),
        ({"critical_load_fraction": -1}, "must be at least 0"),
        ({"min_state_of_charge": 1.0}, "must be below max_state_of_charge"),
        ({"battery": [device("a"), device("b")]}, "must be one Battery or BessDevice"),
        ({"site": 3}, "must be a bess.Site"),
        ({"state_of_charge": 50}, "must be fractions of capacity"),
        ({"state_of_charge": [0.5]}, "has 1 values"),
    ],
)
def test_what_is_not_valid_is_refused(change: dict[str, Any], message: str) -> None:
    fields: dict[str, Any] = {"site": site([1, 1, 1]), "battery": battery(), "state_of_charge": 0.5}
    with pytest.raises(bess.InputError, match=message):
        bess.resilience(**(fields | change))


@pytest.mark.parametrize("hours", [0, -1, 4, math.nan, "two"])
def test_an_outage_of_no_length_or_beyond_the_horizon_is_refused(hours: Any) -> None:
    place = site([1, 1, 1])
    with pytest.raises(bess.InputError, match="hours"):
        bess.outage_reserve(place, battery(), hours)
    with pytest.raises(bess.InputError, match="hours"):
        bess.resilience(place, battery(), 0.5).probability_of_survival(hours)


@pytest.mark.parametrize("start", [3, -1, "noon", "2025-06-03T00:00:00Z", True, 1.5])
def test_a_start_outside_the_horizon_is_refused(start: Any) -> None:
    with pytest.raises(bess.InputError, match=r"starts\[0\]"):
        bess.outage_reserve(site([1, 1, 1]), battery(), 1, starts=[start])


def test_a_reserve_above_the_batterys_most_is_refused() -> None:
    with pytest.raises(bess.InputError, match=r"reserve_state_of_charge\[0\].*max_state_of_charge"):
        bess.dispatch(site([1]), battery(), bess.Surplus(), reserve_state_of_charge=1.2)
