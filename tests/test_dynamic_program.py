"""The core's exact programme against HiGHS: one optimum, one verdict, and a bound that holds."""

from __future__ import annotations

import csv
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from random_problems import Case, Floats, random_case
from reference import kept
from reference_models import Window
from reference_optimum import Terminal, optimum

import bess
from bess import _core

START, ZONE = "2025-01-01T00:00:00-08:00", "America/Los_Angeles"


def check_against_brute_force(case: Case) -> None:
    """Cost within 1e-9 of the optimum, its bound below it and as near, flows that balance."""
    best = optimum(
        [case.step(t) for t in range(case.steps)],
        [case.store()],
        list(case.import_price),
        list(case.export_price),
        windows=[(0, window) for window in intersected(case)],
        terminals=[Terminal()],
    )
    found = _core.solve_dynamic_program(case.problem())
    assert (found is None) == (best is None), case
    if found is None or best is None:
        return
    flows, _, _, bound = found
    cost, scale = money(case, flows)
    assert abs(cost - best) <= 1e-9 * scale, case
    assert bound <= best + 1e-9 * scale, case
    assert cost - bound <= 1e-12 * scale, case
    check_flows(case, flows)


def intersected(case: Case) -> list[Window]:
    asked: dict[int, tuple[float, float]] = {}
    for step, low, high in case.windows:
        before = asked.get(step, (low, high))
        asked[step] = (max(before[0], low), min(before[1], high))
    return [Window(step, low, high) for step, (low, high) in asked.items()]


def money(case: Case, flows: Floats) -> tuple[float, float]:
    """What flows cost with wear, and the money that flows."""
    bought, sold = flows[0] + flows[1], flows[4] + flows[7]
    drawn = (flows[6] + flows[7]).sum() / case.battery["dc_to_ac_efficiency"]
    cost = case.import_price @ bought - case.export_price @ sold
    scale = abs(case.import_price) @ bought + abs(case.export_price) @ sold
    return float(cost + case.battery["degradation_cost"] * drawn), max(1.0, float(scale))


def check_flows(case: Case, flows: Floats) -> None:
    b, pv = case.battery, case.solar_efficiency
    ratio = 1 / pv if b["dc_coupled"] else b["ac_to_dc_efficiency"]
    close = 1e-9 * max(1.0, b["capacity"], case.load.max(), case.solar.max())
    assert (flows[:8] >= 0).all(), case
    assert_allclose(flows[0] + flows[3] + flows[6], case.load, rtol=0, atol=close)
    sun = flows[3] + flows[4] + flows[5] * pv + flows[2] / ratio
    assert_allclose(sun, case.solar, rtol=0, atol=close)
    charge = b["ac_to_dc_efficiency"] * flows[1] + flows[2]
    drawn = (flows[6] + flows[7]) / b["dc_to_ac_efficiency"]
    energy = np.concatenate(([b["initial_energy"]], flows[9] * b["capacity"]))
    changed = energy[1:] - b["retention"] * energy[:-1]
    assert_allclose(changed, b["input_efficiency"] * charge - drawn, rtol=0, atol=close)
    assert (charge <= b["charge_limit"] + close).all(), case
    assert (drawn <= b["discharge_limit"] + close).all(), case
    steps = [case.step(t) for t in range(case.steps)]
    floor = np.array([kept(steps, case.store(), b["minimum_energy"])])
    assert (energy[1:] >= floor - close).all(), case
    assert (energy <= b["maximum_energy"] + close).all(), case
    for limit, flow in (
        (case.export_limit, flows[4] + flows[7]),
        (case.import_limit, flows[0] + flows[1]),
    ):
        assert limit is None or (flow <= limit + close).all(), case
    for permitted, flow in (
        (b["grid_to_battery"], flows[1]),
        (b["solar_to_battery"], flows[2]),
        (b["battery_to_grid"], flows[7]),
        (case.solar_to_grid, flows[4]),
    ):
        assert permitted or not flow.any(), case
    assert not ((charge > close) & (drawn > close)).any(), case
    assert not ((flows[0] + flows[1] > close) & (flows[4] + flows[7] > close)).any(), case
    for step, low, high in case.windows:
        assert low - close <= energy[step + 1] <= high + close, case


@pytest.mark.highs
def test_random_problems_have_the_optimum_of_brute_force() -> None:
    rng = np.random.default_rng(11)
    for _ in range(2_000):
        check_against_brute_force(random_case(rng, int(rng.integers(1, 8))))


@pytest.mark.slow
@pytest.mark.highs
def test_many_random_problems_have_the_optimum_of_brute_force() -> None:
    rng = np.random.default_rng(12)
    for _ in range(20_000):
        check_against_brute_force(random_case(rng, int(rng.integers(1, 10))))


def test_long_random_problems_are_certified() -> None:
    """The bound is made by other means than the schedule, and they meet."""
    rng = np.random.default_rng(13)
    solved = 0
    while solved < 60:
        case = random_case(rng, int(rng.integers(100, 600)))
        found = _core.solve_dynamic_program(case.problem())
        if found is None:
            continue
        solved += 1
        cost, scale = money(case, found[0])
        assert abs(cost - found[3]) <= 1e-12 * scale, case
        check_flows(case, found[0])


def test_batteries_far_from_the_site_in_size_are_certified() -> None:
    """From a thousandth of what a step moves to a thousand times as much, in Wh to GWh."""
    rng = np.random.default_rng(14)
    for _ in range(400):
        case = random_case(rng, int(rng.integers(5, 150)), windows=False)
        unit, ratio = 10.0 ** rng.integers(-3, 6), 10.0 ** rng.integers(-3, 4)
        battery = case.battery.copy()
        for name in ("capacity", "minimum_energy", "maximum_energy", "initial_energy"):
            battery[name] *= unit * ratio
        for name in ("charge_limit", "discharge_limit"):
            battery[name] *= unit
        limits = [
            None if limit is None else limit * unit
            for limit in (case.export_limit, case.import_limit, case.inverter_limit)
        ]
        case = replace(
            case,
            load=case.load * unit,
            solar=case.solar * unit,
            battery=battery,
            export_limit=limits[0],
            import_limit=limits[1],
            inverter_limit=limits[2],
        )
        found = _core.solve_dynamic_program(case.problem())
        if found is None:
            continue
        at_stake = (abs(case.import_price) + abs(case.export_price)) @ (case.load + case.solar)
        at_stake += battery["degradation_cost"] * battery["capacity"]
        assert abs(money(case, found[0])[0] - found[3]) <= 1e-10 * max(at_stake, 1e-3), case
        check_flows(case, found[0])


def test_eight_threads_find_the_same_bits_a_thousand_times_each() -> None:
    """Whatever a thread has solved before, in whatever room: each goes in an order of its own."""
    rng = np.random.default_rng(17)
    problems = [random_case(rng, int(rng.integers(1, 120))).problem() for _ in range(100)]

    def solve(i: int) -> Any:
        found = _core.solve_dynamic_program(problems[i])
        return None if found is None else (found[0].tobytes(), found[2].tobytes(), found[3])

    def solve_all(seed: int) -> list[Any]:
        answers: list[Any] = [None] * len(problems)
        for turn in range(10):
            for i in np.random.default_rng([seed, turn]).permutation(len(problems)):
                answer = solve(i)
                assert turn == 0 or answers[i] == answer
                answers[i] = answer
        return answers

    expected = [solve(i) for i in range(len(problems))]
    with ThreadPoolExecutor(8) as pool:
        assert all(answers == expected for answers in pool.map(solve_all, range(8)))


def hours(load: list[float], **changes: Any) -> tuple[bess.Site, bess.Battery]:
    fields: dict[str, Any] = {
        "capacity_kwh": 10,
        "charge_power_kw": 2,
        "discharge_power_kw": 2,
        "min_state_of_charge": 0,
        "dc_coupled": False,
        "ac_to_dc_efficiency": 1,
        "dc_to_ac_efficiency": 1,
        "input_efficiency": 1,
    }
    return bess.Site(load_kwh=load, start=START), bess.Battery(**(fields | changes))


def test_stored_energy_is_worth_what_it_will_save() -> None:
    """Bought at 0.1, and short in the dear hour: one more kWh would save 0.5 there."""
    site, battery = hours([0, 5, 0], initial_state_of_charge=0.2)
    result = bess.dispatch(
        site, battery, bess.Optimize(), prices=bess.Prices(import_price=[0.1, 0.5, 0.1])
    )
    assert result.engine == "core"
    assert_allclose(result.battery_soc, [0.2, 0.0, 0.2], atol=1e-12)
    assert result.marginal_value is not None
    assert_allclose(result.marginal_value, [0.1, 0.1, 0.1])


def test_a_full_battery_at_one_negative_price_makes_room_once() -> None:
    """Paid 0.1 to import: 2 kWh given to a load of 2 cost 0.2 and make room for 2 that earn 0.2."""
    site, battery = hours([2, 0], initial_state_of_charge=1.0)
    result = bess.dispatch(site, battery, bess.Optimize(), prices=bess.Prices(import_price=-0.1))
    assert_allclose(result.cost, -0.2)
    assert_allclose(result.battery_soc, [1, 1])


def test_the_core_says_what_it_cannot_do() -> None:
    site, battery = hours([1, 1])
    core = bess.Optimize(engine="core", allow_simultaneous=True)
    with pytest.raises(bess.InputError, match=r"strategy\.engine.*allow_simultaneous is set"):
        bess.dispatch(site, battery, core, prices=bess.Prices(0.1))
    auto = bess.Optimize(allow_simultaneous=True)
    result = bess.dispatch(site, battery, auto, prices=bess.Prices(0.1))
    assert result.engine == "highs"


@pytest.mark.highs
def test_a_tariff_by_step_with_a_fixed_charge_is_the_cores() -> None:
    rate = {"import_price": [0.1, 0.1, 0.5, 0.5] * 6, "export_price": 0.05}
    site, battery = hours([1.0] * 24)
    tariff = bess.Tariff(
        name="two prices",
        time_zone="UTC",
        series=bess.tariff.PriceSeries(**rate),
        fixed_charges=[bess.tariff.FixedCharge(name="meter", amount=7.0)],
    )
    core, other = (
        bess.dispatch(site, battery, bess.Optimize(engine=engine), tariff=tariff)
        for engine in ("auto", "highs")
    )
    assert (core.engine, other.engine) == ("core", "highs")
    assert core.bill is not None
    assert core.cost == core.bill.total
    assert_allclose([core.cost, core.lower_bound], [other.cost] * 2, rtol=1e-9)


@pytest.mark.parametrize("share", [1.0, 0.25])
def test_a_year_of_real_prices_is_certified(shared_data: Path, share: float) -> None:
    """Wholesale with 211 negative hours, and export rates above import rates in 83 hours."""
    for buy, sell in (wholesale(shared_data), avoided_cost(shared_data)):
        result = year(shared_data, buy, sell, share, bess.Optimize())
        assert result.gap is not None
        assert result.gap <= 1e-12


@pytest.mark.slow
@pytest.mark.highs
@pytest.mark.parametrize("share", [1.0, 0.25])
def test_a_year_of_real_prices_costs_what_highs_finds(shared_data: Path, share: float) -> None:
    for buy, sell in (wholesale(shared_data), avoided_cost(shared_data)):
        core = year(shared_data, buy, sell, share, bess.Optimize())
        other = year(shared_data, buy, sell, share, bess.Optimize(engine="highs", time_limit=120))
        assert core.cost is not None
        assert other.cost is not None
        assert other.lower_bound is not None
        assert core.lower_bound is not None
        scale = max(1.0, abs(core.cost))
        assert core.cost <= other.cost + 1e-9 * scale
        assert other.lower_bound <= core.cost + 1e-9 * scale


def year(
    data: Path, buy: Floats, sell: Floats, share: float, strategy: bess.Optimize, **changes: Any
) -> bess.Result:
    """A home near Los Angeles with a battery of 13.5 kWh, a part of it, under prices by hour."""
    table = rows(data / "loads" / "citylearn_fontana_home_1.csv")
    load = [float(row["Equipment Electric Power [kWh]"]) for row in table]
    solar = [4.0 * float(row["Solar Generation [W/kW]"]) / 1000 for row in table]
    site = bess.Site(load_kwh=load, solar_kwh=solar, start=START, time_zone=ZONE)
    battery = bess.Battery(
        capacity_kwh=13.5 * share,
        charge_power_kw=5 * share,
        discharge_power_kw=5 * share,
        **changes,
    )
    return bess.dispatch(site, battery, strategy, prices=bess.Prices(buy, sell))


def wholesale(data: Path) -> tuple[Floats, Floats]:
    file = data / "prices" / "de_lu_dayahead_2019_60min.csv"
    price = np.loadtxt(file, delimiter=",", skiprows=1, usecols=1) / 1000
    return price, price


def avoided_cost(data: Path) -> tuple[Floats, Floats]:
    tariffs = data / "tariffs"
    exports = {
        (int(row["DateStart"][5:7]), int(row["TimeStart"][:2]), row["DayTypeStart"]): row["Value"]
        for row in rows(tariffs / "export_rates" / "sdge_nbt_ecr_2024acc_bundled_2025_2026.csv")
        if row["DateStart"].startswith("2025")
    }
    table = rows(tariffs / "residential_tou" / "sdge_ev_tou_5_2025_hourly.csv")
    buy = [float(row["rate_usd_per_kwh"]) for row in table]
    sell = [
        float(exports[int(at[5:7]), int(at[11:13]), "1" if kind == "Weekday" else "6"])
        for at, kind in ((row["date_time_local"], row["day_type"]) for row in table)
    ]
    return np.array(buy), np.array(sell)


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as table:
        return list(csv.DictReader(table))
