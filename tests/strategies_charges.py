"""Random charges of a tariff: each feature adds some to one, plausible ones and nasty ones.

Amounts are drawn as what they come to on the horizon (a limit in kWh of a step, a price for each
kWh of the highest step) and divided by the part of a month and the hours that the horizon has, so
that every rule binds as often on eight hours as on a year of months.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from reference_tariff import Clock
from strategies import SiteCase, energies, prices, series

from bess.tariff import (
    Band,
    DemandBand,
    DemandRate,
    EnergyRate,
    FixedCharge,
    HourMatrix,
    MinimumCharge,
    PercentageRate,
    Ratchet,
    Tariff,
)
from bess.tariff.series import PriceSeries
from bess.time_of_use import Season

classes = st.sampled_from([(), (), ("SUPPLY",), ("DISTRIBUTION",), ("SUPPLY", "DISTRIBUTION")])
seasons = st.sampled_from(
    [
        (),
        (),
        (Season(season_from_month=1, season_to_month=2),),
        (Season(season_from_month=10, season_to_month=3),),
        (Season(season_from_month=2, season_from_day=20, season_to_month=2, season_to_day=28),),
        (Season(season_from_month=12, season_to_month=12),),  # none of some horizons
    ]
)
milliwatt_hours = energies.map(lambda kwh: round(kwh, 6))
"""What a solver does not take for nothing."""
parts = st.sampled_from([0.0, 0.5, 1.0, 1.0, 2.0, 2.5, 4.0, 10.0])
"""Limits: kWh on the horizon."""
peak_prices = st.sampled_from([0.0, 0.1, 0.1, 0.5, 2.0])
"""Money for each kWh of the highest step."""


@st.composite
def hours(draw: st.DrawFn) -> HourMatrix:
    """Some hours of some months, of weekdays or of all days; perhaps none at all."""
    inside = draw(
        st.sampled_from([range(24), range(12), range(1, 3), range(16, 20), range(2, 3), (0, 18)])
    )
    months = draw(
        st.sampled_from([range(1, 13), range(1, 13), (1, 3, 4), range(6, 10), (2, 10), ()])
    )
    row, rest = tuple(int(h in inside) for h in range(24)), (0,) * 24
    week = tuple(row if m in months else rest for m in range(1, 13))
    weekend = draw(st.sampled_from([week, week, (rest,) * 12]))
    return HourMatrix(week, weekend, 1)


Feature = Callable[[st.DrawFn, SiteCase, float, Clock, Tariff], Tariff]


def banded(draw: st.DrawFn, _site: SiteCase, scale: float, clock: Clock, old: Tariff) -> Tariff:
    """A rate with bands, up, down or level, by any unit."""
    count = draw(st.integers(2, 3))
    own = [draw(prices) for _ in range(count)]
    unit = draw(st.sampled_from(["kwh", "kwh", "kwh", "kwh_per_day", "kwh_per_kw"]))
    # Hours of use are rewarded: were they charged more, a higher peak would make a bill lower.
    orders = ["down", "level"] if unit == "kwh_per_kw" else ["up", "up", "down", "level", "any"]
    order = draw(st.sampled_from(orders))
    own = {"up": sorted(own), "down": sorted(own)[::-1], "level": [own[0]] * count}.get(order, own)
    per = {"kwh": scale, "kwh_per_day": 1 / clock.periods[0].days, "kwh_per_kw": scale}[unit]
    if unit == "kwh_per_kw":
        per *= clock.hours
    ends = sorted(draw(parts) * per for _ in range(count - 1))
    bands = [Band(price, **{f"limit_{unit}": e}) for price, e in zip(own, ends, strict=False)]
    bands.append(Band(own[-1]))
    everywhere = draw(st.booleans())
    settlement: Any = draw(st.sampled_from(["interval", "interval", "billing_period"]))
    rate = EnergyRate(
        "banded",
        bands=tuple(bands),
        times=() if everywhere else (draw(hours()),),
        counts="all" if everywhere and settlement == "interval" and draw(st.booleans()) else "own",
        charge_class=draw(classes),
        settlement=settlement,
    )
    return replace(old, rates=(*old.rates, rate))


def demand(draw: st.DrawFn, site: SiteCase, scale: float, _clock: Clock, old: Tariff) -> Tariff:
    """One or two demand rates: any hours, a window, one without hours; flat or with bands."""
    found = list(old.demand_rates)
    for i in range(draw(st.integers(1, 2))):
        period = draw(st.sampled_from(["billing_period", "billing_period", "day", "year"]))
        per = {"billing_period": scale, "day": 1.0, "year": 12 * scale}[period] * site.hours
        price, bands = draw(peak_prices) * per, ()
        if draw(st.booleans()):
            ends = sorted(draw(parts) / site.hours for _ in range(2))
            three = [draw(peak_prices) * per for _ in range(3)]
            three = draw(st.sampled_from([sorted(three), three]))
            bands = (
                DemandBand(three[0], ends[0]),
                DemandBand(three[1], ends[1]),
                DemandBand(three[2]),
            )
            price = 0.0
        ratchet = None
        if period == "billing_period" and draw(st.booleans()):
            ratchet = draw(ratchets())
        found.append(
            DemandRate(
                f"demand {i}",
                price,
                bands,
                period,
                draw(st.sampled_from([(), (draw(hours()),)])),
                draw(seasons),
                ratchet=ratchet,
                charge_class=draw(classes),
            )
        )
    minutes = draw(st.sampled_from([15, 15, 30, 60, 5]))
    return replace(old, demand_rates=tuple(found), demand_interval_minutes=minutes)


@st.composite
def ratchets(draw: st.DrawFn) -> Ratchet:
    percent = draw(st.sampled_from([(35.0,), (80.0,), (100.0,), (150.0,), (90.0, 0.0) * 6]))
    return Ratchet(
        percent,
        lookback_months=draw(st.sampled_from([11, 11, 1, 3])),
        months=draw(st.sampled_from([(), (), (1, 2), (6, 7, 8, 9)])),
    )


def net_metering(draw: st.DrawFn, _s: SiteCase, _scale: float, _c: Clock, old: Tariff) -> Tariff:
    """Surplus kWh carry; what is left earns less, nothing, or more than a kWh costs."""
    price = draw(st.sampled_from([0.0, 0.0, 0.03, 0.1, 0.6]))
    rates = old.rates
    if draw(st.booleans()):
        rates += (
            EnergyRate("public good", price=0.02, bypassable=False, charge_class=draw(classes)),
        )
    return replace(old, metering="net_metering", true_up_price_per_kwh=price, rates=rates)


def own_meter(_draw: st.DrawFn, _s: SiteCase, _scale: float, _c: Clock, old: Tariff) -> Tariff:
    return replace(old, metering="buy_all_sell_all")


def netted(draw: st.DrawFn, _s: SiteCase, _scale: float, _c: Clock, old: Tariff) -> Tariff:
    """A rate that settles imports less exports over a while, and pays or charges one side."""
    sides = draw(st.sampled_from([(True, False), (False, True), (True, True)]))
    spans = ["billing_period", "billing_period", "quarter", "year"]
    if old.metering == "net_billing":  # else all energy is netted already
        spans += ["hour", "day"]
    rate = EnergyRate(
        "netted",
        price=draw(prices),
        on_import=sides[0],
        on_export=sides[1],
        settlement=draw(st.sampled_from(spans)),
        times=draw(st.sampled_from([(), (draw(hours()),)])),
        charge_class=draw(classes),
    )
    return replace(old, rates=(*old.rates, rate))


def minimum(draw: st.DrawFn, _s: SiteCase, scale: float, clock: Clock, old: Tariff) -> Tariff:
    """The least a bill comes to: below it, saving is worth nothing."""
    period = draw(st.sampled_from(["month", "month", "day", "year"]))
    per = {"month": scale, "day": 1 / clock.periods[0].days, "year": 12 * scale}[period]
    amount = draw(st.sampled_from([0.0, 0.2, 1.0, 1.0, 5.0])) * per
    charge = MinimumCharge("minimum", amount, period, draw(classes))
    return replace(old, minimum_charges=(*old.minimum_charges, charge))


def percentages(draw: st.DrawFn, _s: SiteCase, _x: float, _c: Clock, old: Tariff) -> Tariff:
    """Riders and taxes, negative ones among them."""
    found = []
    for i in range(draw(st.integers(1, 2))):
        percent = draw(st.sampled_from([10.0, 10.0, 2.5, -5.0, 100.0, 0.0]))
        own = draw(st.sampled_from([(), ("TAX",), ("AFTER_TAX",), ("SUPPLY",), ("SUPPLY", "TAX")]))
        found.append(PercentageRate(f"percentage {i}", percent, own, draw(seasons)))
    return replace(old, percentages=tuple(found))


def fixed(draw: st.DrawFn, _s: SiteCase, scale: float, _c: Clock, old: Tariff) -> Tariff:
    """An amount, or a credit."""
    amount = draw(st.sampled_from([1.0, 0.3, -0.5])) * scale
    charge = FixedCharge("service", amount, "month", draw(classes), seasons=draw(seasons))
    return replace(old, fixed_charges=(*old.fixed_charges, charge))


def by_step(draw: st.DrawFn, site: SiteCase, _x: float, _c: Clock, old: Tariff) -> Tariff:
    """Prices step by step on top of the rates, of the whole tariff or of a rate at some hours."""
    both = PriceSeries(draw(series(prices, site.n)), draw(series(prices, site.n)))
    if old.metering == "net_metering" or draw(st.booleans()):
        return replace(old, series=both)
    sides = draw(st.sampled_from([(True, False), (False, True)]))
    rate = EnergyRate(
        "by step",
        on_import=sides[0],
        on_export=sides[1],
        prices=both,
        settlement=draw(st.sampled_from(["interval", "hour"])),
        times=draw(st.sampled_from([(), (draw(hours()),)])),
        charge_class=draw(classes),
    )
    return replace(old, rates=(*old.rates, rate))


FEATURES: dict[str, Feature] = {
    "net metering": net_metering,
    "own meter": own_meter,
    "bands": banded,
    "demand": demand,
    "netted": netted,
    "minimum": minimum,
    "percentages": percentages,
    "fixed": fixed,
    "series": by_step,
}
