"""Rolling plans on tariffs: each knows what is metered, and pays for what it adds to the bill."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import BatteryCase, batteries
from strategies_tariffs import TariffCase, tariff_cases
from tariff_agreement import has_negative_price, money

import bess
from bess import Battery, Forecast, Optimize, Site, roll
from bess.tariff import (
    Band,
    DemandBand,
    DemandRate,
    EnergyRate,
    MinimumCharge,
    Ratchet,
    Tariff,
)

START = "2025-06-01T00:00Z"
LOSSLESS = Battery(
    capacity_kwh=4,
    charge_power_kw=4,
    discharge_power_kw=4,
    min_state_of_charge=0,
    initial_state_of_charge=0.5,
    ac_to_dc_efficiency=1,
    dc_to_ac_efficiency=1,
    input_efficiency=1,
    dc_coupled=False,
)
FLAT = EnergyRate("energy", price=0.2)


MONTH = 30.0
"""Of what is charged by the month, a horizon of one day in June has a thirtieth."""


def day(load: list[float]) -> Site:
    """A day whose first hours have some load, and all others none."""
    return Site(load_kwh=load + [0.0] * (24 - len(load)), start=START)


@given(tariff_cases(max_steps=6), batteries(), st.integers(1, 3))
@settings(max_examples=40)
def test_with_foresight_of_everything_the_bill_is_the_least(
    case: TariffCase, battery: BatteryCase, replan: int
) -> None:
    site = case.site.build()
    try:
        rolled = roll(
            site,
            "perfect",
            battery.build(terminal_state_of_charge="initial"),
            Optimize(),
            tariff=case.tariff,
            horizon_hours=max(site.steps, replan) * site.step_hours,
            replan_hours=replan * site.step_hours,
        )
    except bess.SolverError:
        return
    assert rolled.bill is not None
    assert rolled.relaxed_plans == ()
    scale = money(rolled.bill)
    assert rolled.cost_of_imperfect_foresight >= -2e-6 * scale
    proven = rolled.optimum.gap is not None and rolled.optimum.gap <= 1e-6
    if proven and not has_negative_price(case.tariff) and rolled.site.import_limit_kwh is None:
        assert rolled.cost_of_imperfect_foresight <= 4e-6 * scale


def test_a_slow_loop_of_dispatches_with_the_peak_so_far_does_the_same() -> None:
    """The peak so far is a band at no price; what is charged above it, in full."""
    rng = np.random.default_rng(3)
    steps, replan = 10, 2
    load = rng.uniform(0, 5, steps)
    table = rng.uniform(0, 5, (steps // replan, steps))
    rates = (FLAT, EnergyRate("more", price=0.13, times=()))
    tariff = Tariff("T", rates=rates, demand_rates=(DemandRate("peak", 30.0),))
    site = Site(load_kwh=load, start=START)
    exactly = Optimize(engine="highs")
    battery = LOSSLESS.model_copy(
        update={"degradation_cost_per_kwh": 0.01, "allow_battery_to_grid": False}
    )
    rolled = roll(
        site,
        Forecast(table, "perfect"),
        battery,
        exactly,
        tariff=tariff,
        horizon_hours=steps,
        replan_hours=replan,
    )
    whole = 30.0 * bess.bill(site, tariff).billing_periods[0].share
    energy, peak, found = 2.0, 0.0, []
    for number, first in enumerate(range(0, steps, replan)):
        ahead = Site(load_kwh=table[number, : steps - first], start=site.timeline.instant(first))
        share = bess.bill(ahead, tariff).billing_periods[0].share
        bands = (DemandBand(0.0, limit_kw=peak), DemandBand(whole / share))
        so_far = Tariff("S", rates=rates, demand_rates=(DemandRate("peak", bands=bands),))
        stands = {"initial_state_of_charge": energy / 4, "terminal_state_of_charge": 0.5}
        plan = bess.dispatch(ahead, battery.model_copy(update=stands), exactly, tariff=so_far)
        power = plan.battery_to_site_kwh_ac - plan.grid_to_battery_kwh_ac
        for i in range(replan):
            now = Site(load_kwh=load[[first + i]], start=site.timeline.instant(first + i))
            stands = {"initial_state_of_charge": energy / 4}
            done = bess.dispatch(
                now, battery.model_copy(update=stands), bess.Follow(power_kw=power[[i]])
            )
            energy = 4 * float(done.battery_soc[0])
            peak = max(peak, float(done.import_kwh_ac[0]))
            found.append(energy)
    np.testing.assert_allclose(4 * rolled.battery_soc, found, rtol=0, atol=1e-6)
    assert rolled.cost_of_imperfect_foresight > 0


def test_a_peak_that_was_missed_is_paid_for_and_not_shaved_again() -> None:
    """Nobody foresaw 9 kW at first; later 6 kW cost nothing more, so the battery stands still."""
    site = day([9, 0, 6, 0])
    expected = day([0, 0, 6, 0])
    battery = LOSSLESS.model_copy(update={"degradation_cost_per_kwh": 0.01})
    tariff = Tariff("T", rates=(FLAT,), demand_rates=(DemandRate("peak", 10 * MONTH),))
    done = roll(site, expected, battery, Optimize(), tariff=tariff, horizon_hours=6)
    assert done.import_kwh_ac[:4].tolist() == [9, 0, 6, 0]
    assert done.cost == pytest.approx(15 * 0.2 + 90)
    assert done.optimum.cost < done.cost
    seen = roll(site, "perfect", battery, Optimize(), tariff=tariff, horizon_hours=6)
    assert seen.import_kwh_ac[0] < 9


def test_a_plan_knows_the_bands_that_are_used_already() -> None:
    """The cheap band ends at 6 kWh: charging pays only while the first plan still has room in it,
    but what comes after the plan fills it as well, and every plan knows that from the forecast."""
    load = [1.0, 1, 1, 1, 4, 4]
    bands = (Band(0.1, limit_kwh=6 * MONTH), Band(0.5))
    tariff = Tariff("T", rates=(EnergyRate("energy", bands=bands),))
    battery = LOSSLESS.model_copy(update={"terminal_state_of_charge": "free"})
    site = day(load)
    done = roll(site, "perfect", battery, Optimize(), tariff=tariff, horizon_hours=2)
    assert done.cost_of_imperfect_foresight == pytest.approx(0, abs=1e-6)
    assert done.cost == pytest.approx(0.6 + 4 * 0.5)


def test_a_minimum_bill_that_is_reached_anyway_makes_no_energy_free() -> None:
    site = day([2.0] * 24)
    tariff = Tariff(
        "T", rates=(FLAT,), minimum_charges=(MinimumCharge("least", 5 * MONTH, period="month"),)
    )
    battery = LOSSLESS.model_copy(update={"terminal_state_of_charge": "free"})
    done = roll(site, site, battery, Optimize(), tariff=tariff, horizon_hours=12, replan_hours=12)
    assert done.cost == pytest.approx((48 - 2) * 0.2)
    assert done.cost_of_imperfect_foresight == pytest.approx(0, abs=1e-6)


def test_past_peaks_reach_the_plans_the_optimum_and_the_bill() -> None:
    """Half of last month's 20 kW is billed whatever happens: shaving 8 kW is worth nothing."""
    site = day([8.0, 0, 8])
    demand = DemandRate("peak", 10 * MONTH, ratchet=Ratchet(percent=50.0))
    tariff = Tariff("T", rates=(FLAT,), demand_rates=(demand,))
    battery = LOSSLESS.model_copy(update={"degradation_cost_per_kwh": 0.01})
    known = {"tariff": tariff, "past_peaks_kw": [20.0]}
    done = bess.dispatch(site, battery, Optimize(), **known)
    assert done.battery_to_site_kwh_ac.sum() == pytest.approx(0, abs=1e-3)
    assert done.cost == pytest.approx(16 * 0.2 + 100)
    assert done.bill is not None
    assert done.bill.lines == bess.bill(done, tariff, past_peaks_kw=[20.0]).lines
    assert done.gap <= 1e-6
    rolled = roll(site, "perfect", battery, Optimize(), horizon_hours=4, **known)
    assert rolled.cost == pytest.approx(done.cost)
    assert rolled.cost_without_storage == pytest.approx(done.cost)
    assert bess.dispatch(site, battery, Optimize(), tariff=tariff).cost < 16 * 0.2 + 80
    with pytest.raises(bess.InputError, match=r"past_peaks_kw\[0\]"):
        bess.dispatch(site, battery, Optimize(), tariff=tariff, past_peaks_kw=[-1])


def test_nothing_that_happens_later_changes_what_was_done() -> None:
    rng = np.random.default_rng(5)
    load = rng.uniform(0, 5, 60)
    other = np.r_[load[:30], rng.uniform(0, 5, 30)]
    tariff = Tariff(
        "T",
        rates=(EnergyRate("energy", bands=(Band(0.1, limit_kwh=90), Band(0.3))),),
        demand_rates=(DemandRate("peak", 20.0),),
    )
    battery = LOSSLESS.model_copy(update={"degradation_cost_per_kwh": 0.01})
    first, second = (
        roll(
            Site(load_kwh=kwh, start=START),
            "persistence",
            battery,
            Optimize(),
            tariff=tariff,
            horizon_hours=12,
            replan_hours=3,
        )
        for kwh in (load, other)
    )
    assert first.battery_soc[:30].tolist() == second.battery_soc[:30].tolist()
    assert first.cost_of_imperfect_foresight > 0


def test_the_general_solver_rolls_to_the_same_cost_at_prices_by_step() -> None:
    rng = np.random.default_rng(6)
    site = Site(load_kwh=rng.uniform(0, 3, 30), solar_kwh=rng.uniform(0, 3, 30), start=START)
    battery = Battery(degradation_cost_per_kwh=0.01)
    paid = bess.Prices(import_price=rng.uniform(0.1, 0.5, 30), export_price=0.05)
    costs = [
        roll(site, "perfect", battery, Optimize(engine=engine), prices=paid, horizon_hours=8).cost
        for engine in ("core", "highs")
    ]
    assert costs[0] == pytest.approx(costs[1], rel=1e-7)


def test_a_meter_of_the_suns_own_is_refused() -> None:
    tariff = Tariff("T", rates=(FLAT,), metering="buy_all_sell_all")
    with pytest.raises(bess.InputError, match="tariff: with buy_all_sell_all"):
        roll(day([1.0]), "perfect", LOSSLESS, Optimize(), tariff=tariff)
