"""Bills worked by hand: energy with bands, demand, fixed and minimum charges, percentages."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from bills import FLAT, hours, make, site, year
from hypothesis import given
from hypothesis import strategies as st

from bess import Battery, Optimize, Site, Surplus, bill, dispatch
from bess.tariff import (
    Band,
    DemandBand,
    DemandRate,
    EnergyRate,
    FixedCharge,
    MinimumCharge,
    PercentageRate,
    Ratchet,
    Tariff,
)

TIERS = (Band(0.10, limit_kwh=100), Band(0.20, limit_kwh=300), Band(0.05))


def test_energy_is_billed_by_month_and_time_of_use() -> None:
    peak = EnergyRate("peak", price=0.2, times=(hours(18, 19),), time_of_use="on-peak")
    ours = bill(site(np.ones(24 * 59)), make(FLAT, peak))
    assert [(line.rate, line.quantity, line.amount) for line in ours.lines[:2]] == [
        ("energy", 744.0, pytest.approx(74.4)),
        ("peak", 62.0, pytest.approx(12.4)),
    ]
    assert ours.monthly == pytest.approx([86.8, 67.2 + 11.2])
    assert ours.total == pytest.approx(165.2)


def test_bands_go_up_and_down() -> None:
    ours = bill(site(np.full(24 * 31, 0.5)), make(EnergyRate("tiered", bands=TIERS)))
    assert [(line.band, line.quantity) for line in ours.lines] == [(1, 100), (2, 200), (3, 72)]
    assert ours.total == pytest.approx(10 + 40 + 3.6)


def test_a_cut_period_prorates_limits_and_monthly_amounts() -> None:
    tariff = make(EnergyRate("tiered", bands=TIERS), fixed_charges=(FixedCharge("service", 30.0),))
    ours = bill(site(np.full(24 * 38, 1.0)), tariff)
    february = [line for line in ours.lines if line.billing_period == 1]
    # 7 of 28 days: a quarter of 100 and 300 kWh, a quarter of 30.
    assert [(line.band, line.quantity) for line in february[:3]] == [(1, 25), (2, 50), (3, 93)]
    assert february[3].amount == pytest.approx(7.5)
    assert any("is cut" in text for text in ours.assumptions)


def test_limits_per_day_and_per_kw() -> None:
    by_day = make(EnergyRate("t", bands=(Band(1.0, limit_kwh_per_day=2), Band(0.0))))
    assert bill(site(np.ones(24 * 31)), by_day).total == pytest.approx(62)
    by_use = make(EnergyRate("t", bands=(Band(1.0, limit_kwh_per_kw=10), Band(0.0))))
    load = np.ones(24 * 31)
    load[5] = 4.0
    assert bill(site(load), by_use).total == pytest.approx(40)


def test_bands_that_count_all_are_shared_by_times_of_use() -> None:
    # 744 kWh, 62 of them in two hours a day: a twelfth of every band.
    peak = EnergyRate("peak", bands=TIERS, counts="all", times=(hours(18, 19),))
    ours = bill(site(np.ones(24 * 31)), make(FLAT, peak))
    quantities = [line.quantity for line in ours.lines if line.rate == "peak"]
    assert quantities == pytest.approx([100 / 12, 200 / 12, 444 / 12])


def test_demand_is_a_mean_over_its_interval_on_the_clock() -> None:
    load = np.zeros(24 * 31 * 12)
    load[12:15] = [1.0, 1.0, 4.0]  # kWh in five minutes: a mean of 24 kW over the quarter hour
    tariff = make(FLAT, demand_rates=(DemandRate("demand", 10.0),))
    ours = bill(site(load, hours=1 / 12), tariff)
    assert [line.quantity for line in ours.lines if line.kind == "demand"] == [pytest.approx(24)]
    # Ten minutes later the same three lie in two quarter hours.
    ours = bill(site(np.roll(load, 2), hours=1 / 12), tariff)
    assert [line.quantity for line in ours.lines if line.kind == "demand"] == [pytest.approx(20)]


def test_longer_steps_use_their_own_mean_and_say_so() -> None:
    ours = bill(site(np.ones(24)), make(FLAT, demand_rates=(DemandRate("demand", 10.0),)))
    expected = "tariff T: demand is mean power over steps of 60 minutes, not 15"
    assert expected in ours.assumptions


def test_demand_windows_bands_days_and_coincident_hours() -> None:
    load = np.ones(24 * 31)
    load[18], load[24 + 12] = 5.0, 9.0
    rates = (
        DemandRate("evening", 2.0, window=(hours(18, 19),)),
        DemandRate("any", bands=(DemandBand(1.0, limit_kw=4), DemandBand(3.0))),
        DemandRate("daily", 0.5, period="day"),
        DemandRate("coincident", 4.0, coincident_hours=(1735689600 + 36 * 3600,)),
    )
    ours = bill(site(load), make(FLAT, demand_rates=rates))
    lines = {(line.rate, line.band): line for line in ours.lines}
    assert lines["evening", None].amount == pytest.approx(10)
    assert lines["any", 1].amount == pytest.approx(4)
    assert lines["any", 2].amount == pytest.approx(15)
    assert lines["daily", None].quantity == pytest.approx(5 + 9 + 29)
    assert lines["coincident", None].amount == pytest.approx(36)


def test_yearly_demand_is_billed_once() -> None:
    peaks = [10, 10, 10, 10, 10, 30, 10, 10, 10, 10, 10, 10]
    tariff = make(FLAT, demand_rates=(DemandRate("yearly", 2.0, period="year"),))
    lines = [line for line in bill(year(peaks), tariff).lines if line.kind == "demand"]
    assert [(line.billing_period, line.quantity) for line in lines] == [(11, 30)]
    assert lines[0].amount == pytest.approx(60)


def billed(tariff: Tariff, peaks: list[float], **options: object) -> list[float]:
    ours = bill(year(peaks), tariff, **options)  # type: ignore[arg-type]
    return [line.quantity for line in ours.lines if line.kind == "demand"]


def test_a_ratchet_looks_back_and_a_whole_year_wraps() -> None:
    ratchet = Ratchet((50,), lookback_months=3)
    tariff = make(FLAT, demand_rates=(DemandRate("d", 1.0, ratchet=ratchet),))
    peaks = [10.0, 10, 10, 100, 10, 10, 10, 10, 10, 10, 60, 10]
    expected = [30, 30, 10, 100, 50, 50, 50, 10, 10, 10, 60, 30]
    assert billed(tariff, peaks) == pytest.approx(expected)
    # History replaces the horizon's own end.
    known = billed(tariff, peaks, past_peaks_kw=[80.0, 0, 0])
    assert known[:3] == pytest.approx([40, 10, 10])


def test_a_ratchet_of_designated_months() -> None:
    ratchet = Ratchet((80,), months=(7, 8))
    tariff = make(FLAT, demand_rates=(DemandRate("d", 1.0, ratchet=ratchet),))
    peaks = [10.0, 10, 10, 90, 10, 10, 50, 40, 10, 10, 10, 10]
    expected = [40, 40, 40, 90, 40, 40, 50, 40, 40, 40, 40, 40]
    assert billed(tariff, peaks) == pytest.approx(expected)


def test_percentages_share_classes_and_do_not_compound_and_taxes_come_last() -> None:
    energy = EnergyRate("energy", price=0.1, charge_class=("SUPPLY",))
    tariff = make(
        energy,
        fixed_charges=(FixedCharge("service", 20.0, charge_class=("DISTRIBUTION",)),),
        percentages=(
            PercentageRate("on supply", 10, ("SUPPLY",)),
            PercentageRate("on all", 5),
            PercentageRate("tax", 8, ("TAX",)),
            PercentageRate("late", 1, ("AFTER_TAX",)),
        ),
    )
    ours = bill(site(np.full(24 * 31, 100 / 74.4)), tariff)  # 1,000 kWh: 100 and 20
    found = {line.rate: line.amount for line in ours.lines}
    assert found["on supply"] == pytest.approx(10)
    assert found["on all"] == pytest.approx(6)
    assert found["tax"] == pytest.approx(0.08 * 136)
    assert found["late"] == pytest.approx(0.01 * 136 * 1.08)


def test_a_minimum_adds_what_is_short_and_credits_do_not_count() -> None:
    sell = EnergyRate("sell", price=0.05, on_import=False, on_export=True)
    tariff = make(
        FLAT,
        sell,
        fixed_charges=(FixedCharge("service", 5.0),),
        minimum_charges=(MinimumCharge("least", 12.0),),
    )
    idle = bill(site(np.zeros(24 * 31)), tariff)
    assert idle.total == pytest.approx(12)
    sunny = bill(site(np.zeros(24 * 31), solar_kwh=np.ones(24 * 31)), tariff)
    assert sunny.total == pytest.approx(12 - 37.2)
    busy = bill(site(np.ones(24 * 31)), tariff)
    assert busy.total == pytest.approx(79.4)


def test_an_annual_minimum_is_settled_at_the_end() -> None:
    tariff = make(FLAT, minimum_charges=(MinimumCharge("least", 120.0, "year"),))
    ours = bill(year([100.0] * 12), tariff)  # 120 kWh at 0.1 a month is 10: 12 x 10 = 120
    assert ours.total == pytest.approx(120)
    assert ours.monthly[11] == pytest.approx(10)


def test_net_metering_carries_surplus_to_later_months_of_its_time_of_use() -> None:
    load, solar = np.zeros(24 * 59), np.zeros(24 * 59)
    solar[12] = 100.0
    load[31 * 24 + 12], load[31 * 24 + 18] = 70.0, 10.0
    rates = (
        EnergyRate("day", ("e",), 0.2, times=(hours(*range(6, 18)),)),
        EnergyRate("night", ("e",), 0.3, times=(hours(*range(6), *range(18, 24)),)),
        EnergyRate("public", price=0.01, bypassable=False),
    )
    tariff = make(*rates, metering="net_metering", true_up_price_per_kwh=0.04)
    ours = bill(site(load, solar_kwh=solar), tariff)
    found = {(line.rate, line.billing_period): line.amount for line in ours.lines}
    assert found["day", 1] == 0
    assert found["night", 1] == pytest.approx(3)
    assert found["public", 1] == pytest.approx(0.8)
    assert found["Surplus at true-up", 1] == pytest.approx(-30 * 0.04)


def test_rates_of_a_period_net_before_they_are_priced() -> None:
    load, solar = np.zeros(24 * 31), np.zeros(24 * 31)
    load[0], solar[12] = 10.0, 4.0

    def total(**sides: bool) -> float:
        rate = EnergyRate("e", price=1.0, settlement="billing_period", **sides)
        base = EnergyRate("base")
        return bill(site(load, solar_kwh=solar), make(base, rate)).total

    assert total() == pytest.approx(6)
    assert total(on_export=True) == pytest.approx(6)
    assert total(on_import=False, on_export=True) == 0
    load[0] = 1.0
    assert total() == 0
    assert total(on_export=True) == pytest.approx(-3)
    assert total(on_import=False, on_export=True) == pytest.approx(-3)


def test_buy_all_sell_all_meters_solar_by_itself() -> None:
    sell = EnergyRate("sell", price=0.3, on_import=False, on_export=True)
    tariff = make(FLAT, sell, metering="buy_all_sell_all")
    ours = bill(site(np.ones(24), solar_kwh=np.ones(24)), tariff)
    assert ours.total == pytest.approx(2.4 - 7.2)


def test_what_is_exported_stays_within_the_sites_limits() -> None:
    sell = EnergyRate("sell", price=0.3, on_import=False, on_export=True)
    solar = np.full(24, 2.0)
    limited = site(np.zeros(24), solar_kwh=solar, export_limit_kwh=0.5)
    assert bill(limited, make(FLAT, sell)).total == pytest.approx(-3.6)
    barred = site(np.zeros(24), solar_kwh=solar, allow_solar_to_grid=False)
    assert bill(barred, make(FLAT, sell)).total == 0


def test_every_strategy_has_a_bill_on_its_tariff() -> None:
    tariff = make(
        FLAT,
        demand_rates=(DemandRate("d", 5.0),),
        fixed_charges=(FixedCharge("service", 31.0),),
    )
    home = site(np.ones(24), solar_kwh=np.eye(24)[12] * 9)
    result = dispatch(home, Battery(), Surplus(), tariff=tariff)
    assert result.bill is not None
    assert result.bill.lines == bill(result, tariff).lines
    assert result.cost == pytest.approx(result.bill.total)
    assert pickle.loads(pickle.dumps(result)).bill.total == result.bill.total
    optimum = dispatch(home, Battery(), Optimize(), tariff=tariff)
    assert optimum.bill is not None
    assert optimum.bill.lines == bill(optimum, tariff).lines
    assert optimum.cost == pytest.approx(optimum.bill.total)
    assert optimum.gap is not None
    assert optimum.gap <= 1e-6


def test_fixed_charges_belong_to_the_optimal_cost_and_its_bound() -> None:
    tariff = make(FLAT, fixed_charges=(FixedCharge("service", 31.0),))
    result = dispatch(site(np.ones(24)), Battery(), Optimize(), tariff=tariff)
    assert result.bill is not None
    assert result.cost == pytest.approx(result.bill.total)
    assert result.bill.total == pytest.approx(2.4 + 1.0)
    assert result.lower_bound == pytest.approx(result.cost, abs=1e-5)


def test_a_bill_shows_itself_and_pickles() -> None:
    pandas = pytest.importorskip("pandas")
    from rich.console import Console

    ours = bill(site(np.ones(24 * 31)), make(FLAT, demand_rates=(DemandRate("d", 1.0),)))
    assert pickle.loads(pickle.dumps(ours)).lines == ours.lines
    frame = ours.to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert frame["amount"].sum() == pytest.approx(ours.total)
    console = Console(width=120, record=True, quiet=True)
    console.print(ours)
    peaks = [d for d in ours.determinants if hasattr(d, "kw")]
    assert [(d.billing_period, d.rates, d.kw) for d in peaks] == [(0, ("d",), 1.0)]


loads = st.lists(st.floats(0, 10), min_size=24 * 3, max_size=24 * 3).map(np.array)


@given(loads, st.integers(0, 23))
def test_splitting_steps_at_equal_power_does_not_change_a_bill(load: np.ndarray, at: int) -> None:
    peak = EnergyRate("peak", bands=(Band(0.3, limit_kwh=20), Band(0.1)), times=(hours(at),))
    tariff = make(
        FLAT, peak, demand_rates=(DemandRate("d", 1.0), DemandRate("day", 2.0, period="day"))
    )
    whole = bill(site(load), tariff)
    quarters = bill(site(np.repeat(load / 4, 4), hours=0.25), tariff)
    assert quarters.total == pytest.approx(whole.total, rel=1e-9, abs=1e-9)


@given(loads, st.permutations(range(4)))
def test_permuting_rates_does_not_change_a_bill(load: np.ndarray, order: list[int]) -> None:
    rates = [EnergyRate(f"r{h}", bands=TIERS, times=(hours(*range(h, 24)),)) for h in range(4)]
    first = bill(site(load), make(*rates)).total
    assert bill(site(load), make(*(rates[i] for i in order))).total == pytest.approx(first)


@given(st.floats(0.1, 300))
def test_a_tier_boundary_inside_a_step_splits_it(kwh: float) -> None:
    tiered = make(EnergyRate("tiered", bands=(Band(0.1, limit_kwh=100), Band(0.2))))
    load = np.zeros(24 * 31)
    load[7] = kwh
    expected = 0.1 * min(kwh, 100) + 0.2 * max(kwh - 100, 0)
    assert bill(site(load), tiered).total == pytest.approx(expected)


@given(loads, loads)
def test_net_metering_at_one_price_is_price_times_net(load: np.ndarray, solar: np.ndarray) -> None:
    solar *= min(1.0, load.sum() / max(solar.sum(), 1e-9))  # credits last: no surplus is left
    home = Site(load_kwh=load, solar_kwh=solar, start="2025-01-01T00:00Z")
    ours = bill(home, make(FLAT, metering="net_metering"))
    assert ours.total == pytest.approx(0.1 * (load.sum() - solar.sum()), abs=1e-9)
