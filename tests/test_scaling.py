"""A tariff at another level of prices: all money moves, and nothing else."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from bills import hours, make, site

import bess
from bess.errors import InputError
from bess.tariff import (
    Band,
    DemandBand,
    DemandRate,
    EnergyRate,
    ExportRates,
    FixedCharge,
    MinimumCharge,
    PercentageRate,
    PriceSeries,
    Ratchet,
    Tariff,
)

EVERYTHING = make(
    EnergyRate(
        "peak", ("energy",), bands=(Band(0.2, limit_kwh=900), Band(0.3)), times=(hours(18),)
    ),
    EnergyRate("other", ("energy",), price=0.1, times=(hours(*set(range(24)) - {18}),)),
    EnergyRate("export", price=0.04, on_import=False, on_export=True),
    demand_rates=(
        DemandRate("demand", price=5.0, ratchet=Ratchet((50.0,))),
        DemandRate("banded", bands=(DemandBand(1.0, limit_kw=2.0), DemandBand(4.0))),
    ),
    fixed_charges=(FixedCharge("meter", 10.0), FixedCharge("credit", -3.0, "year")),
    minimum_charges=(MinimumCharge("minimum", 400.0),),
    percentages=(PercentageRate("tax", 8.0, ("TAX",)),),
    metering="net_metering",
    true_up_price_per_kwh=0.02,
)


@pytest.fixture(scope="module")
def home() -> bess.Site:
    clock = np.arange(8760) % 24
    load = 0.5 + 2.0 * (clock == 18) + np.arange(8760) / 8760
    return site(load, solar_kwh=np.maximum(0, 4 - abs(clock - 12.0)))


def test_any_bill_is_multiplied(home: bess.Site) -> None:
    bill, scaled = (bess.bill(home, tariff) for tariff in (EVERYTHING, EVERYTHING.scaled(1.3)))
    assert {line.kind for line in bill.lines} >= {"energy", "demand", "fixed", "credit", "tax"}
    assert any(line.kind == "minimum" for line in bill.lines)
    assert scaled.monthly == pytest.approx([1.3 * amount for amount in bill.monthly], rel=1e-12)
    for one, other in zip(bill.lines, scaled.lines, strict=True):
        assert other.amount == pytest.approx(1.3 * one.amount, rel=1e-9, abs=1e-9)
        assert other.quantity == pytest.approx(one.quantity, rel=1e-12)


def test_prices_by_step_are_multiplied() -> None:
    plain = Tariff("S", series=PriceSeries(np.array([0.1, 0.2]), np.array([0.05, -0.1])))
    day = site([1.0, 1.0]).timeline
    imports, exports = plain.scaled(2).prices(day).series(2)
    assert imports.tolist() == [0.2, 0.4]
    assert exports.tolist() == [0.1, -0.2]


def test_avoided_cost_export_rates_are_multiplied(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text(
        "DateStart,DateEnd,TimeStart,TimeEnd,DayTypeStart,DayTypeEnd,Value,Unit\n"
        "2025-01-01,2025-12-31,00:00:00,23:59:59,1,8,0.06,$/kWh\n"
    )
    tariff = make().with_export_rates(bess.tariff.load_export_rates(path))
    assert isinstance(tariff.series, ExportRates)
    both = tariff.scaled(1.5).prices(site([1.0]).timeline).series(1)
    assert [series.tolist() for series in both] == [[pytest.approx(0.15)], [pytest.approx(0.09)]]


def test_a_factor_of_one_changes_nothing_and_a_negative_one_is_refused() -> None:
    assert EVERYTHING.scaled(1) is EVERYTHING
    with pytest.raises(InputError, match="factor = -1: must be at least 0"):
        EVERYTHING.scaled(-1)


def test_a_rate_with_prices_by_step_is_multiplied() -> None:
    series = PriceSeries(np.array([0.1, 0.3]), np.array([0.0, 0.2]))
    tariff = make(EnergyRate("variable", prices=series, on_export=True))
    one, other = (bess.bill(site([2.0, 1.0]), t) for t in (tariff, tariff.scaled(3)))
    assert one.total == pytest.approx(0.5)
    assert other.total == pytest.approx(1.5)


MONEY = {"price", "prices", "amount", "true_up_price_per_kwh", "bands", "series"}
CHARGES = {"rates", "demand_rates", "fixed_charges", "minimum_charges"}
NO_MONEY = {
    *("limit_kwh", "limit_kwh_per_day", "limit_kwh_per_kw", "limit_kw", "percent", "quantity"),
    *("valid_from", "valid_to", "effective", "period", "lookback_months", "months", "ratchet"),
    *("coincident_hours", "window", "seasons", "times", "week", "time_of_use", "settlement"),
    *("name", "group", "charge_class", "bypassable", "counts", "on_import", "on_export", "edges"),
    *("identifiers", "currency", "time_zone", "assumptions", "ignored", "calendars", "metering"),
    *("percentages", "demand_interval_minutes"),
}


def test_every_field_of_a_tariff_is_known_to_be_money_or_not() -> None:
    """A new field belongs in one of the sets above, and into `bess.tariff.scaling` if money."""
    kinds = (
        *(Band, DemandBand, DemandRate, EnergyRate, FixedCharge, MinimumCharge),
        *(PercentageRate, Ratchet, Tariff),
    )
    found = {field.name for kind in kinds for field in dataclasses.fields(kind)}
    assert found - MONEY - CHARGES - NO_MONEY == set()


def test_the_bills_of_real_tariffs_are_multiplied(shared_data: Path) -> None:
    load = np.genfromtxt(
        shared_data / "loads" / "sam_default_commercial_load_60min.csv", skip_header=1
    )
    load = load.reshape(len(load), -1)[:8760, -1]
    home = site(load, solar_kwh=np.full(8760, load.mean() / 4))
    for path in sorted((shared_data / "tariffs" / "urdb").glob("*.json")):
        try:
            tariff = bess.load_tariff(path)
        except InputError:
            continue
        bill, scaled = bess.bill(home, tariff), bess.bill(home, tariff.scaled(1.07))
        assert scaled.total == pytest.approx(1.07 * bill.total, rel=1e-9), path.name
