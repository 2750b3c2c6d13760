"""What must hold of the bill of any tariff, on random tariffs of random features."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from bills import hours, make, site
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import energies, prices
from strategies_rules import few
from strategies_tariffs import HORIZONS, TariffCase, tariff_cases

from bess import bill
from bess.tariff import EnergyRate, PriceSeries, Tariff

HOURLY = [horizon for horizon in HORIZONS if horizon[2] == 3600]
KINDS = ("rates", "demand_rates", "fixed_charges", "minimum_charges", "percentages")
SPANS = ("interval", "hour", "day", "billing_period", "quarter", "year")
NAMES = ("bands", "demand", "net metering", "netted", "minimum", "percentages", "fixed")


@settings(few, max_examples=25)
@given(tariff_cases())
def test_a_tariff_and_its_toml_bill_alike(case: TariffCase) -> None:
    again = Tariff.from_toml(case.tariff.to_toml())
    home = case.site.build()
    assert bill(home, again).lines == bill(home, case.tariff).lines
    assert Tariff.from_toml(again.to_toml()).to_toml() == again.to_toml()


@settings(few, max_examples=25)
@given(tariff_cases(), st.randoms(use_true_random=False))
def test_the_order_of_rates_and_charges_does_not_matter(case: TariffCase, random: Any) -> None:
    shuffled = {}
    for kind in KINDS:
        own = list(getattr(case.tariff, kind))
        random.shuffle(own)
        shuffled[kind] = tuple(own)
    home = case.site.build()
    other = bill(home, replace(case.tariff, **shuffled))
    assert other.monthly == pytest.approx(bill(home, case.tariff).monthly, rel=1e-9, abs=1e-9)


@settings(few, max_examples=25)
@given(tariff_cases(NAMES, horizons=HOURLY))
def test_an_hour_in_four_quarters_of_equal_power_bills_the_same(case: TariffCase) -> None:
    whole = case.site
    quarters = replace(
        whole,
        step_seconds=whole.step_seconds // 4,
        load=[kwh / 4 for kwh in whole.load for _ in range(4)],
        solar=[kwh / 4 for kwh in whole.solar for _ in range(4)],
        export_limit=None,
    )
    whole = replace(whole, export_limit=None)
    first, second = bill(whole.build(), case.tariff), bill(quarters.build(), case.tariff)
    assert second.monthly == pytest.approx(first.monthly, rel=1e-9, abs=1e-9)


@settings(few, max_examples=25)
@given(
    st.integers(0, 2**32),
    st.booleans(),
    st.sampled_from([(), (hours(*range(16, 21)),)]),
)
def test_the_longer_rates_net_the_less_they_charge_and_pay(
    seed: int, buys: bool, times: Any
) -> None:
    load, solar = np.random.default_rng(seed).integers(0, 4, (2, 96 * 3)) * 1.0
    home = site(load, hours=0.25, solar_kwh=solar)
    free = EnergyRate("free")
    amounts = []
    for span in SPANS:
        rate = EnergyRate(
            "one side",
            price=1.0,
            on_import=buys,
            on_export=not buys,
            settlement=span,  # type: ignore[arg-type]
            times=times,
        )
        amounts.append(abs(bill(home, make(free, rate)).total))
    assert amounts == pytest.approx(sorted(amounts, reverse=True), abs=1e-9)


@settings(few, max_examples=25)
@given(
    st.lists(st.tuples(energies, energies, prices), min_size=24, max_size=24),
    st.sampled_from([(True, False), (False, True), (True, True)]),
)
def test_prices_by_step_are_paid_for_what_crosses_in_each_step(
    steps: list[tuple[float, float, float]], sides: tuple[bool, bool]
) -> None:
    load, solar, price = np.array(steps).T
    rate = EnergyRate(
        "by step", prices=PriceSeries(price, price), on_import=sides[0], on_export=sides[1]
    )
    net = load - solar
    crossed = np.maximum(net, 0) * sides[0] - np.maximum(-net, 0) * sides[1]
    ours = bill(site(load, solar_kwh=solar), make(EnergyRate("free"), rate))
    assert ours.total == pytest.approx(float(crossed @ price), abs=1e-9)
