"""Savings: three scenarios, the parts between them, ageing, escalation, and what is refused."""

from __future__ import annotations

import io
import pickle
import sys
from typing import Any

import numpy as np
import pytest
from bills import hours, make, site
from test_device import DEVICE

import bess
from bess import Battery, BessDevice, FixedSchedule, Follow, Optimize, PeakShave, Surplus
from bess.errors import InputError
from bess.tariff import DemandRate, EnergyRate, FixedCharge, PercentageRate, Tariff

CLOCK = np.arange(8760) % 24
LOAD = 0.5 + 2.0 * ((CLOCK >= 17) & (CLOCK < 22))
SUN = np.maximum(0.0, 3.0 - abs(CLOCK - 12.0))
BATTERY = Battery(capacity_kwh=6, allow_battery_to_grid=False)

OLD = make(EnergyRate("energy", price=0.25), fixed_charges=(FixedCharge("meter", 10.0),))
NEW = make(
    EnergyRate("peak", ("energy",), price=0.45, times=(hours(17, 18, 19, 20),)),
    EnergyRate(
        "other", ("energy",), price=0.20, times=(hours(*set(range(24)) - {17, 18, 19, 20}),)
    ),
    EnergyRate("export", price=0.05, on_import=False, on_export=True),
    fixed_charges=(FixedCharge("meter", 15.0),),
    percentages=(PercentageRate("tax", 5.0, ("TAX",)),),
)


def home(load: Any = LOAD, solar: Any = SUN, **other: Any) -> bess.Site:
    return site(load, solar_kwh=solar, **other)


def analysed(strategy: Any = None, where: bess.Site | None = None, **given: Any) -> bess.Savings:
    options = {"before_tariff": OLD, "after_tariff": NEW, "years": 3} | given
    battery = options.pop("battery", BATTERY)
    return bess.savings(where or home(), battery, strategy or Surplus(), **options)


def assert_parts_add_up(found: bess.Savings) -> None:
    parts = found.parts
    total = parts.rate_change + parts.solar + parts.storage + parts.operating_cost
    assert (total == found.before.yearly - found.after.yearly).all()
    assert (total == found.saved).all()
    for scenario in (found.before, found.solar, found.after):
        monthly = scenario.monthly.sum(axis=1) + scenario.operating_cost
        assert (monthly == scenario.yearly).all()


def test_a_single_year_saves_the_difference_of_two_bills() -> None:
    found = analysed(years=1)
    before = bess.bill(home(solar=None), OLD)
    result = bess.dispatch(home(), BATTERY, Surplus(), tariff=NEW)
    assert found.before.bill.total == pytest.approx(before.total, rel=1e-12)
    assert found.after.bill.total == pytest.approx(result.bill.total, rel=1e-12)
    assert found.saved.tolist() == [pytest.approx(before.total - result.bill.total, rel=1e-12)]
    assert found.solar.yearly[0] == pytest.approx(bess.bill(home(), NEW).total, rel=1e-12)
    assert found.after.monthly[0] == pytest.approx(result.bill.monthly, rel=1e-12)


def test_the_parts_are_differences_of_bills() -> None:
    middle = make(EnergyRate("energy", price=0.30))
    found = analysed(years=1, solar_tariff=middle, annual_cost=40)
    load_old, load_middle = (bess.bill(home(solar=None), t).total for t in (OLD, middle))
    solar_middle, solar_new = (bess.bill(home(), t).total for t in (middle, NEW))
    after = bess.dispatch(home(), BATTERY, Surplus(), tariff=NEW).bill.total
    parts = found.parts
    change = (load_old - load_middle) + (solar_middle - solar_new)
    assert parts.rate_change[0] == pytest.approx(change)
    assert parts.solar[0] == pytest.approx(load_middle - solar_middle)
    assert parts.storage[0] == pytest.approx(solar_new - after)
    assert parts.operating_cost[0] == -40
    assert_parts_add_up(found)


@pytest.mark.parametrize(
    "strategy",
    [
        Surplus(),
        FixedSchedule(charge=[{"touPeriods": [{"fromHour": 9, "toHour": 14}]}]),
        Follow(power_kw=np.where(CLOCK == 18, 1.0, -0.1)),
        PeakShave(target_kw=1.5),
        pytest.param(Optimize(), marks=pytest.mark.highs),
    ],
    ids=lambda strategy: type(strategy).__name__,
)
def test_the_parts_of_every_strategy_add_up_exactly(strategy: Any) -> None:
    found = analysed(strategy, years=2, rate_inflation_percent=3.1, annual_cost=12.34)
    assert_parts_add_up(found)
    assert found.result.bill.total == pytest.approx(found.after.bill.total)


def test_without_solar_the_solar_scenario_is_the_change_of_rates_alone() -> None:
    found = analysed(where=home(solar=None))
    assert not found.parts.solar.any()
    assert (found.parts.rate_change == found.before.yearly - found.solar.yearly).all()
    assert not found.solar_kwh.any()


def test_a_tiny_battery_saves_nothing() -> None:
    found = analysed(battery=Battery(capacity_kwh=1e-6))
    assert found.parts.storage == pytest.approx(np.zeros(3), abs=1e-4)


def test_a_flat_tariff_without_solar_pays_no_battery() -> None:
    flat = make(EnergyRate("energy", price=0.25))
    charge = [{"touPeriods": [{"fromHour": 0, "toHour": 4}]}]
    discharge = [{"touPeriods": [{"fromHour": 17, "toHour": 21}]}]
    found = analysed(
        FixedSchedule(charge, discharge), home(solar=None), before_tariff=flat, after_tariff=flat
    )
    assert (found.parts.storage[1:] < 0).all()
    assert found.npv < 0
    assert found.payback_years is None


def test_capacity_and_solar_fade_and_power_stays() -> None:
    found = analysed(years=3)
    assert found.capacity_kwh == pytest.approx([6, 5.88, 5.7624])
    assert found.solar_kwh == pytest.approx(SUN.sum() * np.array([1, 0.995, 0.995**2]))
    faded = analysed(years=3, battery_degradation={"kwhPerYear": 0.5}, solar_degradation_percent=0)
    assert faded.capacity_kwh.tolist() == pytest.approx([6, 5.5, 5])
    alone = bess.dispatch(
        home(),
        Battery(
            capacity_kwh=5,
            allow_battery_to_grid=False,
            initial_state_of_charge=faded.result.battery_soc[-1],
        ),
        Surplus(),
        tariff=NEW,
    )
    assert faded.after.yearly[2] == pytest.approx(alone.bill.total, rel=1e-9)
    assert (np.diff(faded.after.yearly) > 0).all()


def test_what_does_not_fade_repeats() -> None:
    found = analysed(years=4, battery_degradation=None, solar_degradation_percent=0)
    assert found.capacity_kwh.tolist() == [6, 6, 6, 6]
    assert (found.after.yearly[1:] == found.after.yearly[1]).all()
    assert (found.before.yearly == found.before.yearly[0]).all()


def test_inflation_moves_every_bill() -> None:
    plain, dearer = (analysed(years=3, rate_inflation_percent=percent) for percent in (0, 4))
    for name in ("before", "solar", "after"):
        one, other = (getattr(found, name).yearly for found in (plain, dearer))
        assert other == pytest.approx(one * np.array([1, 1.04, 1.0816]), rel=1e-12)
    own = bess.bill(home(solar=None), OLD.scaled(1.0816))
    assert dearer.before.yearly[2] == pytest.approx(own.total, rel=1e-12)


def test_years_between_are_interpolated() -> None:
    every_year = analysed(years=11, rate_inflation_percent=2)
    some = analysed(years=11, rate_inflation_percent=2, every=5)
    assert some.dispatched_years == (1, 6, 11)
    for year in (1, 6, 11):
        assert some.after.yearly[year - 1] == pytest.approx(every_year.after.yearly[year - 1])
    assert some.after.yearly == pytest.approx(every_year.after.yearly, rel=1e-3)
    assert (some.before.yearly == every_year.before.yearly).all()
    assert any("years 1, 6, 11 are dispatched and billed" in note for note in some.assumptions)
    assert_parts_add_up(some)


def test_progress_tells_of_every_dispatched_year() -> None:
    told: list[str] = []
    analysed(years=5, every=2, progress=told.append)
    assert told == [f"dispatched year {year} of 5" for year in (1, 3, 5)]


def test_cash_flows_and_what_they_are_worth() -> None:
    found = analysed(years=4, capital_cost=250, annual_cost=[0, 0, 100, 0])
    saved = found.before.yearly - found.after.yearly
    assert found.cash_flows.tolist() == [-250, *saved]
    assert found.npv == pytest.approx(found.cash_flows.sum())
    discounted = analysed(years=4, capital_cost=250, discount_rate_percent=7)
    flows = discounted.cash_flows / 1.07 ** np.arange(5)
    assert discounted.npv == pytest.approx(flows.sum())
    assert found.payback_years == pytest.approx(250 / saved[0])
    assert discounted.discounted_payback_years > discounted.payback_years
    pytest.importorskip("pyxirr")
    rate = found.irr
    assert sum(found.cash_flows / (1 + rate) ** np.arange(5)) == pytest.approx(0, abs=1e-6)


def test_where_solar_stands_already_storage_is_compared_with_it() -> None:
    found = analysed(compared_with="solar", capital_cost=100)
    assert (found.cash_flows[1:] == found.solar.yearly - found.after.yearly).all()
    assert (found.cash_flows[1:] == found.parts.storage).all()


def test_prices_do_for_a_tariff() -> None:
    prices = bess.Prices(import_price=np.where(CLOCK < 12, 0.1, 0.3), export_price=0.05)
    found = analysed(before_tariff=prices, after_tariff=None, years=1)
    assert found.before.yearly[0] == pytest.approx(prices.import_price @ LOAD)
    result = bess.dispatch(home(), BATTERY, Surplus(), prices=prices)
    assert found.after.yearly[0] == pytest.approx(result.cost)


def test_a_leap_year_and_another_day_less_are_years() -> None:
    for days, start in ((366, "2024-01-01T00:00Z"), (364, "2025-01-01T00:00Z")):
        load = np.ones(24 * days)
        found = analysed(where=site(load, start=start), years=1, before_tariff=OLD)
        assert found.before.yearly[0] == pytest.approx(0.25 * 24 * days + 120, abs=1)


def test_devices_fade_together_and_keep_their_power() -> None:
    devices = [
        BessDevice.model_validate(DEVICE | {"name": name, "policies": []}) for name in ("a", "b")
    ]
    size = devices[0].operational_battery_capacity / 1000
    found = analysed(battery=devices, battery_degradation={"kwhPerYear": 2.0}, years=2)
    assert found.capacity_kwh.tolist() == pytest.approx([2 * size, 2 * size - 2])
    assert any("every year starts at the devices' initial" in note for note in found.assumptions)
    alone = analysed(battery=devices[0], years=2, initial_state_of_charge=0.2)
    assert alone.result.units[0].initial_state_of_charge == 0.2
    assert_parts_add_up(alone)


def test_wear_steers_the_dispatch_and_is_no_cash() -> None:
    worn = Battery(capacity_kwh=6, degradation_cost_per_kwh=0.1, allow_battery_to_grid=False)
    with_wear, without = analysed(battery=worn), analysed()
    assert (with_wear.after.yearly == without.after.yearly).all()  # a rule heeds no cost
    assert with_wear.result.degradation_cost > 0
    assert any("it is no cash" in note for note in with_wear.assumptions)


@pytest.mark.highs
def test_an_optimum_costs_no_more_than_a_rule_in_any_year_on_any_number_of_threads() -> None:
    rule = analysed(years=3)
    one, several = (analysed(Optimize(), years=3, workers=count) for count in (1, 3))
    assert (one.after.yearly == several.after.yearly).all()
    assert (one.after.yearly[1:] <= rule.after.yearly[1:] + 1e-6).all()


def test_demand_charges_are_saved_too() -> None:
    demand = make(EnergyRate("energy", price=0.1), demand_rates=(DemandRate("demand", price=12.0),))
    found = analysed(PeakShave(target_kw=1.8), before_tariff=demand, after_tariff=demand, years=2)
    saved = found.solar.bill.by_kind()["demand"], found.after.bill.by_kind()["demand"]
    assert sum(saved[0]) > sum(saved[1]) > 0


def test_an_import_limit_binds_the_dispatch_and_is_told_of_the_others() -> None:
    limited = home(import_limit_kwh=2.4)
    found = analysed(where=limited, years=2)
    assert any("the load alone would be above the import limit" in it for it in found.assumptions)


def test_a_year_in_which_the_faded_battery_no_longer_serves_the_load_is_named() -> None:
    limited = home(solar=None, import_limit_kwh=1.35)
    with pytest.raises(bess.InfeasibleError, match=r"^in year \d+: step \d+ \(2025-"):
        analysed(PeakShave(target_kw=1.3), limited, years=20, battery=Battery(capacity_kwh=8))


def test_results_are_tables_for_people_and_pandas_and_pickle() -> None:
    from rich.console import Console

    found = analysed(years=2, capital_cost=500, discount_rate_percent=5, annual_cost=10)
    frame = found.to_pandas()
    assert list(frame.index) == [0, 1, 2]
    assert frame["cumulative_cash_flow"].iloc[-1] == pytest.approx(found.cash_flows.sum())
    assert frame["saved_by_storage"].iloc[1:].tolist() == found.parts.storage.tolist()
    console = Console(width=140, record=True, file=io.StringIO())
    console.print(found)
    text = console.export_text()
    for words in (
        "Bills of the first year",
        "What brings the saving",
        "rate change",
        "sum of",
        "payback at 5 % (years)",
    ):
        assert words in text
    again = pickle.loads(pickle.dumps(found))
    assert (again.saved == found.saved).all()
    assert again.npv == found.npv


def test_without_the_extra_everything_but_the_rate_of_return_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from rich.console import Console

    from bess.economics.tables import headline

    found = analysed(years=2, capital_cost=100)
    monkeypatch.setitem(sys.modules, "pyxirr", None)
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(found)
    assert "pip install 'bess-dispatch[finance]'" in console.export_text()
    rows = dict(headline(found))
    assert rows["internal rate of return"] == "pip install 'bess-dispatch[finance]'"
    with pytest.raises(bess.MissingExtraError):
        _ = found.irr


USD, EUR = (Tariff("T", currency=currency, rates=OLD.rates) for currency in ("USD", "EUR"))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"years": 0}, "years = 0: must be a whole number from 1 to 100"),
        ({"years": 2.5}, "years = 2.5: must be a whole number from 1 to 100"),
        ({"years": True}, "years = True: must be a whole number"),
        ({"every": 0}, "every = 0: must be a whole number"),
        ({"workers": 0}, "workers = 0: must be a whole number"),
        ({"before_tariff": "t.json"}, "before_tariff = 't.json': must be a bess.Tariff"),
        ({"solar_tariff": 3}, "solar_tariff = 3: must be a bess.Tariff"),
        ({"before_tariff": USD, "after_tariff": EUR}, "solar_tariff = 'EUR': must be in USD"),
        (
            {"before_tariff": bess.Prices(import_price=[0.1, 0.2])},
            "before_tariff: there are 2 prices for a horizon of 8760 steps",
        ),
        ({"capital_cost": -1}, "capital_cost = -1: must be at least 0"),
        ({"capital_cost": "1"}, "capital_cost = '1': must be a number"),
        ({"annual_cost": [1, 2]}, "annual_cost: must have one number for each of 3 years, not 2"),
        ({"annual_cost": None}, "annual_cost = None: must be a number, or one for each year"),
        ({"annual_cost": [1, 2, float("nan")]}, "annual_cost[2] = nan: must be a finite number"),
        ({"battery_degradation": 2}, 'battery_degradation = 2: must be {"percentPerYear": number}'),
        (
            {"battery_degradation": {"percentPerYear": 2, "kwhPerYear": 1}},
            "must be {",
        ),
        (
            {"battery_degradation": {"percentPeryear": 2}},
            "battery_degradation.percentPeryear = 2: is not a known field; did you mean percentPer",
        ),
        (
            {"battery_degradation": {"percentPerYear": 100}},
            "battery_degradation.percentPerYear = 100: must be at least 0 and below 100",
        ),
        (
            {"battery_degradation": {"kwhPerYear": 3}},
            "battery_degradation.kwhPerYear = 3: leaves nothing of 6 kWh in year 3",
        ),
        ({"solar_degradation_percent": -1}, "solar_degradation_percent = -1: must be at least 0"),
        ({"rate_inflation_percent": -51}, "rate_inflation_percent = -51: must be from -50 to 100"),
        (
            {"rate_inflation_percent": 90, "years": 50},
            "rate_inflation_percent = 90: makes more than 1e+09 of 1 in 50 years",
        ),
        ({"discount_rate_percent": 101}, "discount_rate_percent = 101: must be from -50 to 100"),
        ({"compared_with": "after"}, 'compared_with = \'after\': must be "before" or "solar"'),
        ({"battery": 3}, "battery = 3: must be a Battery, a BessDevice or a list of BessDevice"),
        ({"strategy": "surplus"}, "strategy = 'surplus': must be one of Surplus()"),
        ({"initial_state_of_charge": 0.3}, "initial_state_of_charge = 0.3: is for devices"),
        ({"policies": 1}, "policies = 1: must be a list of policies"),
    ],
)
def test_what_is_not_valid_is_refused_by_name(given: dict[str, Any], message: str) -> None:
    strategy = given.pop("strategy", None)
    with pytest.raises(InputError) as caught:
        analysed(strategy, **given)
    assert message in str(caught.value)


def test_another_horizon_than_a_year_is_refused() -> None:
    for count in (24, 8760 - 48, 8760 + 48):
        with pytest.raises(InputError, match="site: must cover a year, 364 to 366 days"):
            analysed(where=site(np.ones(count)))
    with pytest.raises(InputError, match=r"site = 1: must be a bess\.Site"):
        bess.savings(1, BATTERY, Surplus(), before_tariff=OLD)
