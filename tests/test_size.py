"""The best size is that of one linear program with capacity and power among its columns, and no
size of a grid is worth more."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
from bills import make
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_size import best_value_by_linear_program

import bess
from bess import Battery, Costs, InputError, Optimize, Prices, Site, Sizing, Surplus
from bess.sizing.refining import refine
from bess.sizing.sizes import points_of
from bess.tariff import DemandRate, EnergyRate, FixedCharge
from bess.tariff.rates import Band, DemandBand, MinimumCharge, Ratchet

FALLING = Band(0.3, limit_kwh_per_day=10.0), Band(0.2)
EMPTY_AT_NOON = {
    "type": "schedule",
    "schedule": {"frequency": "once", "date_times": ["2025-06-01T12:00Z"]},
    "minimum_state_of_charge": 0,
    "maximum_state_of_charge": 20,
}
COSTS = Costs(per_kwh=1.0, per_kw=0.5, yearly_per_kwh=0.05, years=12, discount_rate_percent=4)


@st.composite
def problems(draw: st.DrawFn) -> tuple[Site, Prices, Battery, Costs]:
    """Sites of a day or two whose steps are all convex, and batteries of every kind."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(2, 48))
    sun = np.maximum(0.0, np.sin((np.arange(n) % 24 - 6) / 12 * np.pi)) * 4 * rng.random(n)
    buy = draw(st.sampled_from((np.round(rng.random(n), 1), rng.random(n), np.full(n, 0.3))))
    site = Site(
        load_kwh=2 * rng.random(n),
        solar_kwh=sun * draw(st.booleans()),
        start="2025-01-01T00:00Z",
        step_hours=draw(st.sampled_from((1, 0.25))),
        export_limit_kwh=draw(st.sampled_from((None, 0.5))),
        allow_solar_to_grid=draw(st.booleans()),
    )
    solar = draw(st.booleans())
    initial = draw(st.sampled_from((0.1, 0.5, 1.0)))
    terminals = ["initial", "free", (0.05, initial), initial / 2 + 0.05]
    battery = Battery(
        min_state_of_charge=draw(st.sampled_from((0.0, 0.1))),
        initial_state_of_charge=initial,
        terminal_state_of_charge=draw(st.sampled_from(terminals)),
        dc_coupled=draw(st.booleans()),
        allow_solar_to_battery=solar,
        allow_grid_to_battery=draw(st.booleans()) or not solar,
        allow_battery_to_grid=draw(st.booleans()) and site.allow_solar_to_grid,
    )
    costs = COSTS.model_copy(update={"per_kwh": draw(st.sampled_from((0.0, 0.2, 2.0)))})
    sold = buy * draw(st.sampled_from((0.0, 0.5, 0.9)))
    return site, Prices(buy, sold), battery, costs


@settings(max_examples=40, deadline=None)
@given(problems(), st.sampled_from((None, 2.5)))
def test_the_value_is_that_of_one_linear_program_with_the_size_among_its_columns(
    problem: tuple[Site, Prices, Battery, Costs], hours: float | None
) -> None:
    site, prices, battery, costs = problem
    ranges: dict[str, Any] = {"capacity_kwh": (0.5, 20.0)}
    power = (0.2, 8.0)
    if hours is None:
        ranges["power_kw"] = power
    else:
        ranges["duration_hours"], power = hours, (0.0, np.inf)
    found = bess.size(site, prices, costs, battery=battery, points=3, **ranges)
    assert found.bound is not None
    wanted = best_value_by_linear_program(site, prices, costs, battery, (0.5, 20.0), power, hours)
    paid = abs(found.surface["bill"]).max()
    tolerance = 1e-6 * max(1.0, costs.years * float(paid))
    if found.not_proven:  # the program is a relaxation
        assert "not convex" in found.not_proven
        assert found.net_present_value <= min(max(wanted, 0.0), found.bound) + tolerance
        return
    assert found.net_present_value == pytest.approx(max(wanted, 0.0), abs=tolerance)
    assert found.net_present_value <= found.bound <= max(wanted, 0.0) + tolerance
    if found.battery is not None:
        again = bess.dispatch(site, found.battery, Optimize(), prices=prices)
        assert again.cost == pytest.approx(found.figures["bill"], abs=tolerance)


def days(count: int = 7) -> tuple[Site, Prices]:
    """A home with sun, and a dear evening."""
    clock = np.arange(24 * count) % 24
    rng = np.random.default_rng(5)
    sun = np.maximum(0.0, 3 - abs(clock - 12.0)) * (0.3 + rng.random(len(clock)))
    load = np.where((clock >= 17) & (clock < 22), 2.0, 0.5) * (0.5 + rng.random(len(clock)))
    site = Site(load_kwh=load, solar_kwh=sun, start="2025-06-01T00:00Z")
    return site, Prices(np.where((clock >= 16) & (clock < 21), 0.6, 0.2), 0.05)


def test_no_size_of_a_fine_grid_is_worth_more_than_the_bound() -> None:
    site, prices = days()
    found = bess.size(site, prices, COSTS, capacity_kwh=(0, 20), power_kw=(0, 8), points=25)
    assert found.bound is not None
    assert found.gap == pytest.approx(0.0, abs=1e-6)
    assert found.surface.scenarios == 25 * 25
    assert found.surface["net_present_value"].max() <= found.bound
    assert 0 < found.capacity_kwh < 20
    assert found.at_end == ()
    near = np.linspace(0.97, 1.03, 9)
    capacity, power = points_of([found.capacity_kwh * near, found.power_kw * near]).T
    table = bess.sweep(
        site,
        {"capacity_kwh": capacity, "power_kw": power},
        Optimize(),
        prices=prices,
        costs=COSTS,
    )
    assert table["net_present_value"].max() <= found.bound
    assert table["net_present_value"].max() == pytest.approx(found.net_present_value)


def test_where_no_battery_pays_none_is_the_answer_and_nothing_is_its_bound() -> None:
    site, prices = days()
    dear = Costs(per_kwh=1000)
    found = bess.size(site, prices, dear, capacity_kwh=(1, 20), duration_hours=2)
    assert found.battery is None
    assert (found.net_present_value, found.bound) == (0.0, 0.0)
    assert (found.capacity_kwh, found.power_kw, found.capital) == (0.0, 0.0, 0.0)
    assert dict(found.figures) == {}
    assert repr(found) == "Sizing(no battery, net_present_value=0)"
    # What any battery costs besides turns the best into none.
    some = bess.size(site, prices, COSTS, capacity_kwh=(0, 20), duration_hours=2)
    fixed = COSTS.model_copy(update={"fixed": some.net_present_value + 0.01})
    assert bess.size(site, prices, fixed, capacity_kwh=(0, 20), duration_hours=2).battery is None


def test_a_rule_is_swept_and_refined_without_a_bound() -> None:
    site, prices = days()
    by_rule = bess.size(
        site, prices, COSTS, capacity_kwh=(0, 20), power_kw=(0, 8), strategy=Surplus()
    )
    assert by_rule.bound is None
    assert by_rule.gap is None
    assert "Surplus is a rule" in by_rule.not_proven
    fine = bess.sweep(
        site,
        bess.BatteryGrid(
            capacity_kwh=np.linspace(0.1, 20, 200), power_kw=np.linspace(0.05, 8, 160)
        ),
        Surplus(),
        prices=prices,
        costs=COSTS,
    )
    assert by_rule.net_present_value >= fine["net_present_value"].max()
    assert by_rule.spacing is not None
    assert max(by_rule.spacing) < 1e-3


@pytest.mark.parametrize(
    "other",
    [
        {"demand_rates": (DemandRate("peak", price=2.0),)},
        {"demand_rates": (DemandRate("peak", price=2.0, ratchet=Ratchet((80.0,))),)},
        {"demand_rates": (DemandRate("any", bands=(DemandBand(1.0, 1.5), DemandBand(4.0))),)},
        {"minimum_charges": (MinimumCharge("least", 20.0),)},
        {"metering": "net_metering"},
    ],
)
def test_a_tariff_with_rows_over_many_steps_is_proven(other: dict[str, Any]) -> None:
    site, _ = days()
    bands = Band(0.2, limit_kwh_per_day=10.0), Band(0.4)
    tariff = make(
        EnergyRate("energy", bands=bands),
        fixed_charges=(FixedCharge("meter", 5.0),),
        currency="EUR",
        **other,
    )
    found = bess.size(site, tariff, COSTS, capacity_kwh=(0, 20), power_kw=(0, 8), points=2)
    assert found.bound is not None
    assert found.gap is not None
    assert found.not_proven == ""
    assert found.currency == "EUR"
    assert 0 <= found.gap <= 1e-4 * COSTS.years * found.surface["bill"].max()
    sizes = bess.BatteryGrid(capacity_kwh=np.linspace(0.5, 20, 6), power_kw=np.linspace(0.2, 8, 6))
    tried = bess.sweep(site, sizes, Optimize(), tariff=tariff, costs=COSTS)
    assert tried["net_present_value"].max() <= found.bound


def test_a_tariff_by_step_is_proven_with_its_fixed_charges() -> None:
    site, _ = days()
    tariff = make(
        EnergyRate("energy", price=0.3),
        fixed_charges=(FixedCharge("meter", 5.0),),
    )
    found = bess.size(site, tariff, COSTS, capacity_kwh=(0, 20), duration_hours=2)
    assert found.not_proven == ""
    plain = bess.size(site, Prices(0.3), COSTS, capacity_kwh=(0, 20), duration_hours=2)
    assert found.net_present_value == pytest.approx(plain.net_present_value)
    assert found.figures["bill"] > plain.figures["bill"] + 1


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"battery": Battery(degradation_cost_per_kwh=0.5)}, "counts degradation"),
        ({"battery": Battery(self_discharge_per_hour=0.001)}, "discharges by itself"),
        ({"battery": Battery(terminal_state_of_charge="cyclic")}, ""),
        ({"strategy": Optimize(max_cycles=100)}, "options of its own"),
        ({"paid": Prices(0.2, 0.3)}, "steps are not convex"),
        ({"paid": make(EnergyRate("e", bands=FALLING))}, "the tariff has choices"),
        ({"policies": (EMPTY_AT_NOON,)}, ""),
    ],
)
def test_what_is_not_proven_says_why(options: dict[str, Any], why: str) -> None:
    site, prices = days(2)
    asked: dict[str, Any] = {"paid": prices, "capacity_kwh": (1, 20), "duration_hours": 2}
    found = bess.size(site, costs=COSTS, points=3, **(asked | options))
    assert why in found.not_proven
    rows = dict(found.rows())
    has_bound = "counts" in why or "convex" in why or not why
    assert (found.bound is not None) == has_bound
    assert bool(found.not_proven) == bool(why)
    assert rows.get("not nearer, since" if has_bound else "not proven", "") == found.not_proven
    if found.gap is not None and why:
        assert found.gap > 1e-6


def test_a_few_steps_that_are_not_convex_leave_a_small_gap() -> None:
    site, prices = days(30)
    buy, sell = (each.copy() for each in prices.series(site.steps))
    buy[[100, 101, 500]] = -0.05
    dear = COSTS.model_copy(update={"per_kwh": 80.0, "per_kw": 40.0})
    found = bess.size(
        site, Prices(buy, sell), dear, capacity_kwh=(0, 20), power_kw=(0, 8), points=9
    )
    assert found.not_proven.startswith("3 steps are not convex")
    assert found.gap is not None
    assert 0 < found.gap < 0.02 * found.net_present_value
    assert found.surface["net_present_value"].max() <= found.bound
    assert "not nearer, since" in dict(found.rows())


def test_where_small_sizes_cannot_serve_the_site_the_others_have_a_bound() -> None:
    site, prices = days(2)
    limited = Site(
        load_kwh=site.load_kwh, start="2025-06-01T00:00Z", import_limit_kwh=site.load_kwh.max() - 1
    )
    found = bess.size(limited, prices, COSTS, capacity_kwh=(0, 20), duration_hours=2, points=9)
    assert found.not_proven == ""
    assert found.bound is not None
    values = found.surface["net_present_value"]
    assert np.isnan(values[0])
    assert np.nanmax(values) <= found.bound
    dear = COSTS.model_copy(update={"per_kwh": 30.0})
    edge = bess.size(limited, prices, dear, capacity_kwh=(0, 20), duration_hours=2, points=9)
    assert "needs a larger battery than some" in edge.not_proven
    assert edge.bound is not None
    assert np.nanmax(edge.surface["net_present_value"]) <= edge.bound


def test_the_best_at_an_end_of_a_range_is_said_to_be_there() -> None:
    site, prices = days()
    found = bess.size(site, prices, Costs(), capacity_kwh=(1, 2), power_kw=0.5, points=3)
    assert found.capacity_kwh == pytest.approx(2)
    assert found.power_kw == 0.5
    assert found.at_end == ("the greatest capacity_kwh",)
    assert ("at an end of the ranges", "the greatest capacity_kwh") in list(found.rows())


def test_the_answer_is_told_as_text_and_as_json() -> None:
    from rich.console import Console

    site, prices = days()
    found = bess.size(site, prices, COSTS, capacity_kwh=(0, 20), power_kw=(0, 8), points=5)
    told = json.loads(json.dumps(found.to_json()))
    assert told["capacityKwh"] == found.capacity_kwh
    assert told["bound"] == found.bound
    assert len(told["surface"]["netPresentValue"]) == 25
    assert Battery(**told["battery"]) == found.battery
    console = Console(record=True, width=100, file=io.StringIO())
    console.print(found)
    text = console.export_text()
    assert f"{found.net_present_value:,.2f}" in text
    assert "proven" in text
    assert repr(found).startswith("Sizing(capacity_kwh=")


def test_the_chart_marks_the_best_size_on_the_surface() -> None:
    pytest.importorskip("plotly")
    site, prices = days()
    found = bess.size(site, prices, COSTS, capacity_kwh=(0, 20), power_kw=(0, 8), points=7)
    surface, mark = found.plot().data
    assert surface.z.shape == (7, 7)
    assert surface.z.ravel(order="F") == pytest.approx(found.surface["net_present_value"], abs=1e-5)
    assert (mark.x[0], mark.y[0]) == (found.capacity_kwh, found.power_kw)
    curve = bess.size(site, prices, COSTS, capacity_kwh=(1, 20), duration_hours=2, points=7)
    line, mark = curve.plot().data
    assert line.x == pytest.approx(np.linspace(1, 20, 7))
    assert mark.y[0] == curve.net_present_value


def test_refining_finds_the_higher_of_two_hills() -> None:
    def hills(points: np.ndarray) -> np.ndarray:
        low = 1.00 - ((points - [2.1, 3.1]) ** 2).sum(axis=1)
        high = 1.01 - 25 * ((points - [7.37, 6.63]) ** 2).sum(axis=1)
        return np.maximum(low, high)

    axes = [np.linspace(0, 10, 11), np.linspace(0, 10, 11)]
    found = refine(hills, axes, hills(points_of(axes)), places=3, finer=4, tolerance=1e-6)
    assert found.point == pytest.approx([7.37, 6.63], abs=1e-4)
    assert found.value == pytest.approx(1.01)
    assert (found.spacing <= 1e-5).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"capacity_kwh": (5, 1)}, "capacity_kwh = (5, 1): must be a pair (least, most) in order"),
        ({"capacity_kwh": "5"}, "capacity_kwh = '5': must be a pair (least, most)"),
        ({"capacity_kwh": (1, 2, 3)}, "capacity_kwh = (1, 2, 3): must be a pair"),
        ({"capacity_kwh": (1, float("nan"))}, "capacity_kwh[1] = nan: must be a finite number"),
        ({"capacity_kwh": (-1, 2)}, "capacity_kwh[0] = -1: must be at least 0"),
        ({"power_kw": None}, "power_kw: is required, or else duration_hours"),
        ({"duration_hours": 2}, "power_kw: cannot be given together with duration_hours"),
        ({"power_kw": None, "duration_hours": 0}, "duration_hours = 0: must be from 0.001"),
        ({"costs": {"per_kwh": 3}}, "costs = "),
        ({"paid": 0.3}, "paid = 0.3: must be a bess.Tariff"),
        ({"strategy": "optimize"}, "strategy = 'optimize': must be one of"),
        ({"battery": {"capacity_kwh": 3}}, "battery = "),
        ({"points": 0}, "points = 0: must be a whole number"),
    ],
)
def test_what_is_not_valid_is_refused_by_name(options: dict[str, Any], message: str) -> None:
    site, prices = days(1)
    asked: dict[str, Any] = {
        "paid": prices,
        "costs": COSTS,
        "capacity_kwh": (1, 20),
        "power_kw": (1, 5),
    }
    with pytest.raises(InputError) as refused:
        bess.size(site, **(asked | options))
    assert str(refused.value).startswith(message)


def test_where_no_size_can_serve_the_site_the_answer_is_an_error() -> None:
    site = Site(load_kwh=[1.0, 9.0], start="2025-01-01T00:00Z", import_limit_kwh=2.0)
    with pytest.raises(bess.SolverError, match="no size has an answer"):
        bess.size(site, Prices(0.3), COSTS, capacity_kwh=(1, 2), duration_hours=2, points=2)


def test_a_sizing_is_what_the_package_calls_it() -> None:
    site, prices = days(1)
    found = bess.size(site, prices, COSTS, capacity_kwh=(1, 20), duration_hours=2, points=2)
    assert isinstance(found, Sizing)
