"""Figures: they show the numbers of the dispatch and of its bills, with units on their axes."""

from __future__ import annotations

import sys
from datetime import date, datetime
from typing import Any

import numpy as np
import pytest
from bills import hours, make, site

import bess
from bess.errors import InputError
from bess.plots import (
    cash_flow_chart,
    duration_curve,
    monthly_bills,
    price_map_chart,
    state_of_charge_map,
)
from bess.plots.flows import busiest_week
from bess.tariff import Band, EnergyRate, PercentageRate
from bess.tariff.price_map import price_map

CLOCK = np.arange(8760) % 24
SUN = np.maximum(0.0, 3.0 - abs(CLOCK - 12.0))
LOAD = np.where((CLOCK >= 18) & (CLOCK < 21), 2.0, 0.5)
LOAD[4000:4168] *= 2  # the week of the most throughput lies here
TARIFF = make(
    EnergyRate("peak", ("e",), bands=(Band(0.5, 100), Band(0.7)), times=(hours(18, 19, 20),)),
    EnergyRate("rest", ("e",), price=0.2, times=(hours(*set(range(24)) - {18, 19, 20}),)),
    percentages=(PercentageRate("tax", 10.0, ("TAX",)),),
    currency="EUR",
)


@pytest.fixture(scope="module")
def result() -> bess.Result:
    where = site(LOAD, solar_kwh=SUN, time_zone="Europe/London")
    return bess.dispatch(where, bess.Battery(), bess.Surplus(), tariff=TARIFF)


def trace(fig: Any, name: str) -> Any:
    (found,) = (trace for trace in fig.data if trace.name == name)
    return found


def test_a_week_stacks_what_serves_the_load_and_draws_the_rest_downwards(
    result: bess.Result,
) -> None:
    fig = result.plot("2025-03-03")
    first = (31 + 28 + 2) * 24
    span = slice(first, first + 7 * 24)
    up = sum(trace(fig, name).y for name in ("solar to site", "battery to site", "grid to site"))
    assert up == pytest.approx(result.site.load_kwh[span], abs=1e-3)
    assert trace(fig, "load").y[:-1] == pytest.approx(result.site.load_kwh[span], abs=1e-4)
    stored = result.solar_to_battery_kwh_dc[span]
    assert trace(fig, "solar to battery (DC)").y == pytest.approx(-stored, abs=1e-4)
    assert trace(fig, "state of charge").y == pytest.approx(
        100 * result.battery_soc[first - 1 : first + 168], abs=0.01
    )
    assert str(trace(fig, "load").x[0])[:16] == "2025-03-03T00:00"
    assert str(trace(fig, "state of charge").x[-1])[:16] == "2025-03-10T00:00"
    start = trace(result.plot("2025-01-01"), "state of charge").y[0]
    assert start == 50  # the initial state of charge
    assert fig.layout.yaxis.title.text == "power (kW)"
    assert "battery to grid" not in {trace.name for trace in fig.data}  # it never flowed


def test_power_is_energy_by_the_length_of_a_step() -> None:
    day = site(np.full(96, 0.5), hours=0.25)
    fig = bess.dispatch(day, bess.Battery(), bess.Surplus()).plot()
    assert set(trace(fig, "load").y) == {2.0}
    assert len(trace(fig, "load").y) == 97


def test_the_week_shown_is_that_in_which_the_battery_moves_most(result: bess.Result) -> None:
    first = busiest_week(result)
    moved = result.battery_to_site_kwh_ac + result.solar_to_battery_kwh_dc
    sums = [moved[i : i + 168].sum() for i in range(0, 8760 - 167, 24)]
    # From the end of March London's midnights are an hour earlier than UTC's.
    assert moved[first : first + 168].sum() >= max(sums) * 0.99
    assert result.site.timeline.instant(first).hour == 0
    assert str(trace(result.plot(), "load").x[0])[11:16] == "00:00"


@pytest.mark.parametrize(
    "start",
    [
        "2025-07-01",
        date(2025, 7, 1),
        "2025-07-01T00:00+01:00",
        datetime.fromisoformat("2025-06-30T23:00Z"),
    ],
)
def test_a_start_is_a_day_of_the_sites_clock_or_an_instant(result: bess.Result, start: Any) -> None:
    assert str(trace(result.plot(start), "load").x[0])[:16] == "2025-07-01T00:00"


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ("2026-07-01", "start = '2026-07-01': must lie in the horizon, 2025-01-01T00:00:00+00:00"),
        ("2025-13-01", "start = '2025-13-01': must be a date, as in 2025-07-04"),
        ("soon", "start = 'soon': must be an ISO 8601 date and time"),
        (datetime(2025, 1, 1), "has no UTC offset"),
        ("2024-12-31T23:00Z", "must lie in the horizon"),
        (5, "start = 5: must be an ISO 8601 date"),
    ],
)
def test_another_start_is_refused(result: bess.Result, start: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        result.plot(start)
    assert message in str(caught.value)
    with pytest.raises(InputError, match="days = 0: must be a whole number, 1 or more"):
        result.plot(days=0)


def test_the_map_of_the_state_of_charge_has_a_cell_for_each_hour(result: bess.Result) -> None:
    (cells,) = state_of_charge_map(result).data
    assert cells.z.shape == (24, 365)
    assert cells.z[12, 0] == pytest.approx(100 * result.battery_soc[12], abs=0.01)
    days = (date(2025, 3, 30) - date(2025, 1, 1)).days
    assert np.isnan(cells.z[1, days])  # the hour that the clock leaves out
    assert np.isnan(cells.z).sum() == 1
    autumn = (date(2025, 10, 26) - date(2025, 1, 1)).days
    both = result.battery_soc[autumn * 24 : autumn * 24 + 2]  # the doubled hour: its mean
    assert cells.z[1, autumn] == pytest.approx(100 * both.mean(), abs=0.01)


def test_the_duration_curves_fall_and_keep_their_ends(result: bess.Result) -> None:
    fig = duration_curve(result)
    load, solar, storage = fig.data
    assert [load.name, solar.name, storage.name] == ["load alone", "load and solar", "with storage"]
    for curve in fig.data:
        assert (np.diff(curve.y) <= 0).all()
        assert len(curve.x) <= 1001
    assert load.y[0] == LOAD.max()
    assert solar.y[-1] == pytest.approx((LOAD - SUN).min(), abs=1e-4)
    assert storage.y[-1] == pytest.approx(result.net_load_kwh_ac.min(), abs=1e-4)


def test_the_map_of_prices_has_those_of_the_tariff(result: bess.Result) -> None:
    prices = price_map(TARIFF, result.site.timeline)
    assert prices.shape == (2, 12, 24)
    assert set(prices[:, :, 18:21].ravel()) == {0.5}  # the first band, without the tax
    assert set(prices[:, :, :18].ravel()) == {0.2}
    fig = price_map_chart(prices, "EUR")
    assert [annotation.text for annotation in fig.layout.annotations] == [
        "Monday to Friday",
        "Saturday and Sunday",
    ]
    week = price_map(TARIFF, site(np.ones(24 * 5)).timeline)  # Wednesday 1 January to Sunday
    assert np.isnan(week[:, 1:]).all()
    assert price_map_chart(week, None).data[0].zmin == 0.2


def test_bills_and_cash_flows_are_drawn_to_the_cent(result: bess.Result) -> None:
    found = bess.savings(
        result.site,
        bess.Battery(),
        bess.Surplus(),
        before_tariff=TARIFF,
        years=3,
        capital_cost=700,
    )
    fig = monthly_bills([("before", found.before.bill), ("after", found.after.bill)])
    assert trace(fig, "after").y == pytest.approx(found.after.bill.monthly, abs=0.005)
    assert trace(fig, "before").x[0] == "Jan 2025"
    assert fig.layout.yaxis.title.text == "EUR a billing period"
    yearly, summed = cash_flow_chart(found).data
    assert yearly.y == pytest.approx(found.cash_flows, abs=0.005)
    assert summed.y[-1] == pytest.approx(found.cash_flows.sum(), abs=0.005)


def test_without_the_extra_a_plot_says_what_to_install(
    result: bess.Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "plotly", None)
    monkeypatch.setitem(sys.modules, "plotly.graph_objects", None)
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    with pytest.raises(bess.MissingExtraError, match=r"result.plot\(\) needs .*\[plots\]"):
        result.plot()
    from bess.page import page

    with pytest.raises(bess.MissingExtraError, match=r"a page of charts needs .*\[plots\]"):
        page(result)
