"""What BUY, SELL and NET rates net, and over which charge period; prices given by step."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bills import site
from tariffs import horizon, load, message, rate, series, tou

from bess import Bill, InputError, bill
from bess.tariff import EnergyRate, Tariff

IMPORTS, EXPORTS = "BUY", "SELL"
START = "2025-01-01T00:00Z"


def flows(net: list[float], hours: float = 1.0, start: str = START, **other: Any) -> Any:
    """A site whose load less its solar is what is given, kWh by step."""
    both = np.array(net)
    return site(
        np.maximum(both, 0), hours=hours, start=start, solar_kwh=np.maximum(-both, 0), **other
    )


def money(found: Bill, name: str) -> float:
    return sum(line.amount for line in found.lines if name in line.rate)


def billed(net: list[float], *rates: dict[str, Any], hours: float = 1.0, **options: Any) -> Bill:
    return bill(flows(net, hours), load(*rates, **options))


def buy(period: str | None, price: float = 1.0, **other: Any) -> dict[str, Any]:
    return rate("buy", price, transactionType="BUY", chargePeriod=period, **other)


def sell(period: str | None, price: float = 1.0, **other: Any) -> dict[str, Any]:
    return rate("sell", price, transactionType="SELL", chargePeriod=period, **other)


# Two days of quarter-hours. First day: an hour of +2 -1 +0 +0, an hour of -3; second day: +4.
QUARTERS = [2.0, -1.0, 0, 0, -3.0, 0, 0, 0] + [0.0] * 88 + [4.0] + [0.0] * 95


@pytest.mark.parametrize(
    ("period", "bought", "sold"),
    [
        ("HOURLY", 1 + 4, 3),  # the first hour nets to 1, the second to -3
        ("DAILY", 0 + 4, 2),  # the first day nets to -2
        ("MONTHLY", 2, 0),
        (None, 2, 0),
        ("QUARTERLY", 2, 0),
        ("ANNUALLY", 2, 0),
    ],
)
def test_buying_and_selling_rates_net_over_their_charge_period(
    period: str | None, bought: float, sold: float
) -> None:
    ours = billed(QUARTERS, buy(period, 0.3), sell(period, 0.1), hours=0.25)
    assert money(ours, "buy") == pytest.approx(0.3 * bought)
    assert money(ours, "sell") == pytest.approx(-0.1 * sold)


@pytest.mark.parametrize("period", ["HOURLY", "DAILY", "MONTHLY", "ANNUALLY"])
def test_a_net_rate_comes_to_its_price_times_what_is_left(period: str) -> None:
    net = rate("net", 0.3, transactionType="NET", chargePeriod=period)
    ours = billed(QUARTERS, net, hours=0.25)
    assert ours.total == pytest.approx(0.3 * sum(QUARTERS))
    assert load(net).not_by_step() == ""


def test_import_and_export_rates_settle_each_interval_whatever_their_period() -> None:
    one = rate("buy", 0.3, transactionType="BUY_IMPORT", chargePeriod="MONTHLY")
    other = rate("sell", 0.1, transactionType="SELL_EXPORT", chargePeriod="MONTHLY")
    ours = billed(QUARTERS, one, other, hours=0.25)
    assert (money(ours, "buy"), money(ours, "sell")) == pytest.approx((0.3 * 6, -0.1 * 4))


def test_each_time_of_use_nets_by_itself() -> None:
    """16 to 21 o'clock imports 5, the rest exports 7: neither offsets the other."""
    net = [-7.0] + [0.0] * 15 + [5.0] + [0.0] * 7
    peak = {"timeOfUse": tou(16, 21, touGroupId=1), "rateGroupName": "E"}
    off = {"timeOfUse": tou(21, 16, touGroupId=1), "rateGroupName": "E"}
    for period in ("DAILY", "MONTHLY"):
        ours = billed(net, buy(period, 0.5, **peak), buy(period, 0.2, **off), sell(period, 0.1))
        assert money(ours, "buy") == pytest.approx(2.5)
        assert money(ours, "sell") == pytest.approx(-0.1 * 2)


def test_a_quarter_and_a_year_are_billed_in_their_last_month() -> None:
    months = np.zeros(8760)
    starts = np.cumsum([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30]) * 24
    months[starts] = [5, -7, 3, 5, 5, 5, -9, 1, 1, 0, 0, 2]
    quarter = bill(flows(list(months)), load(buy("QUARTERLY"), sell("QUARTERLY", 0.5)))
    assert quarter.monthly == pytest.approx([0, 0, 1, 0, 0, 15, 0, 0, -3.5, 0, 0, 2])
    year = bill(flows(list(months)), load(buy("ANNUALLY"), sell("ANNUALLY")))
    assert year.monthly == pytest.approx([0] * 11 + [11])


def test_a_doubled_hour_is_two_hours() -> None:
    """On 2 November 2025 one o'clock comes twice in New York: +2 and then -2 do not cancel."""
    net = [0.0] * 8
    net[4:8] = [2.0, 0.0, -2.0, 0.0]  # half-hours from midnight
    net[2:4], net[4:6], net[6:8] = [2.0, 0.0], [-2.0, 0.0], [0.0, 0.0]
    home = flows(net, 0.5, "2025-11-02T00:00-04:00", time_zone="America/New_York")
    assert bill(home, load(buy("HOURLY"))).total == pytest.approx(2.0)


def test_what_cannot_be_bypassed_is_charged_on_imports() -> None:
    ours = billed(QUARTERS, buy("MONTHLY", chargeClass="NON_BYPASSABLE"), hours=0.25)
    assert ours.total == pytest.approx(6)


def test_rates_that_net_have_no_price_by_step() -> None:
    for period, span in (("HOURLY", "hour"), ("MONTHLY", "billing period"), ("ANNUALLY", "year")):
        tariff = load(buy(period))
        assert tariff.not_by_step("energy") == (
            f"rates[0] 'buy' nets imports and exports over a {span}"
        )
        assert Tariff.from_toml(tariff.to_toml()).rates == tariff.rates


@pytest.mark.parametrize(
    ("spoilt", "expected"),
    [
        ({"chargePeriod": "ONE_TIME"}, None),
        (
            {"chargePeriod": "FORTNIGHTLY"},
            "rates[0] 'a': is charged FORTNIGHTLY: not supported (known: HOURLY, DAILY, MONTHLY, "
            "QUARTERLY, ANNUALLY)",
        ),
        (
            {
                "chargePeriod": "DAILY",
                "rateBands": [
                    {"rateAmount": 1, "consumptionUpperLimit": 5},
                    {"rateAmount": 2},
                ],
            },
            "rates[0] 'a': has tiers that count DAILY, not by month: not supported",
        ),
    ],
)
def test_other_charge_periods(spoilt: dict[str, Any], expected: str | None) -> None:
    if expected is None:
        once = load(rate("energy"), rate("a", 50, chargeType="FIXED_PRICE") | spoilt)
        assert once.ignored == ("rates[1] 'a': charged once, not billed",)
    else:
        assert message(rate("a") | spoilt) == expected


def test_a_quarterly_and_an_hourly_amount_are_billed_evenly() -> None:
    fixed = {"chargeType": "FIXED_PRICE"}
    year = load(
        rate("energy", 0),
        rate("quarter", 30, chargePeriod="QUARTERLY", **fixed),
        rate("hour", 0.5, chargePeriod="HOURLY", **fixed),
    )
    ours = bill(site(np.ones(8760)), year)
    assert money(ours, "quarter") == pytest.approx(120)
    assert money(ours, "hour") == pytest.approx(0.5 * 8760)


# Prices by step


VARIABLE = rate("v", 0, variableRateKey="supply", transactionType="NET")
HOURS = [0.1, 0.5, 0.2]


def stamped(prices: list[float], step: timedelta = timedelta(hours=1)) -> dict[str, float]:
    first = datetime(2025, 1, 1, tzinfo=UTC)
    return {(first + i * step).isoformat(): price for i, price in enumerate(prices)}


@pytest.mark.parametrize("form", ["list", "array", "mapping", "pandas", "plain pandas"])
def test_a_variable_rate_may_be_a_series(form: str) -> None:
    given: Any = {
        "list": HOURS,
        "array": np.array(HOURS),
        "mapping": stamped(HOURS),
        "plain pandas": pd.Series(HOURS),
        "pandas": pd.Series(HOURS, pd.date_range("2025-01-01", periods=3, freq="h", tz="UTC")),
    }[form]
    tariff = load(rate("base", 0.05), VARIABLE, variable_rates={"supply": given})
    ours = bill(flows([1, 2, -4]), tariff)
    assert ours.total == pytest.approx(0.05 * 3 + 0.1 + 1.0 - 0.8)
    assert money(ours, "'v'") == pytest.approx(0.1 + 1.0 - 0.8)
    steps = horizon("2025-01-01T00:00Z", 3)
    assert series(tariff, steps)[0] == pytest.approx([0.15, 0.55, 0.25])
    again = Tariff.from_toml(tariff.to_toml())
    assert bill(flows([1, 2, -4]), again).lines == ours.lines


def test_a_series_is_multiplied_by_the_factor_and_holds_in_its_hours() -> None:
    tax = rate(
        "tax",
        variableRateKey="supply",
        rateBands=[{"rateAmount": 0, "calculationFactor": 0.1}],
        timeOfUse=tou(1, 3),
        rateGroupName="tax",
    )
    tariff = load(rate("base", 0), tax, variable_rates={"supply": HOURS})
    assert bill(flows([1, 1, 1]), tariff).total == pytest.approx(0.05 + 0.02)


def test_hourly_prices_hold_for_the_quarters_of_their_hour_and_net_over_it() -> None:
    supply = rate("v", 0, variableRateKey="s", transactionType="BUY", chargePeriod="HOURLY")
    tariff = load(supply, variable_rates={"s": stamped([0.1, 0.5])})
    ours = bill(flows([2.0, -1.0, 0, 0, -3.0, 0, 0, 4.0], 0.25), tariff)
    assert ours.total == pytest.approx(0.1 * 1 + 0.5 * 1)


def test_a_series_settles_each_interval_where_no_one_price_holds_for_its_period() -> None:
    supply = rate("v", 0, variableRateKey="s", transactionType="BUY", chargePeriod="MONTHLY")
    tariff = load(supply, variable_rates={"s": [0.1, 0.5]})
    assert tariff.assumptions[0].startswith("v: its price is one by step, so it settles each")
    assert bill(flows([2.0, -1.0]), tariff).total == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], "variable_rates.s = []: must hold at least one price"),
        (np.array(np.nan), "variable_rates.s = nan: must be a number (money per kWh)"),
        ([0.1, "x"], "variable_rates.s[1] = 'x': must be a number (money per kWh)"),
        ("dear", "variable_rates.s = 'dear': must be a number (money per kWh)"),
        (stamped([0.1]), "variable_rates.s: must hold two instants or more, so that the length of"),
        (
            {"2025-01-01T00:00": 1, "2025-01-01T01:00Z": 1},
            "variable_rates.s, instant 1 = '2025-01-01T00:00': has no UTC offset: add one, as in",
        ),
        (
            stamped([1, 1]) | {"2025-01-01T03:00Z": 1},
            "variable_rates.s = '2025-01-01T03:00Z': must rise by one step from instant to instant",
        ),
        (
            stamped([1, 1]) | {"2025-01-01T02:00Z": None},
            "variable_rates.s[2025-01-01T02:00:00+00:00] = None: must be a number (money per kWh)",
        ),
    ],
)
def test_a_bad_series_is_refused_where_it_is_given(given: Any, expected: str) -> None:
    assert message(rate("v", 0, variableRateKey="s"), variable_rates={"s": given}).startswith(
        expected
    )


def test_a_series_that_does_not_cover_the_horizon_is_refused_by_its_key() -> None:
    tariff = load(VARIABLE, variable_rates={"supply": [0.1, 0.2]})
    with pytest.raises(InputError) as caught:
        bill(site(np.ones(3)), tariff)
    assert str(caught.value) == (
        "variable_rates.supply: there are 2 prices for a horizon of 3 steps"
    )


def test_a_charge_that_is_not_on_energy_takes_one_number() -> None:
    fixed = rate("f", chargeType="FIXED_PRICE", variableRateKey="fee")
    assert message(rate("a"), fixed, variable_rates={"fee": [1, 2]}) == (
        "variable_rates.fee: must be one number: its rate is not charged on energy"
    )


def test_a_rate_cannot_have_a_price_and_prices() -> None:
    prices = load(VARIABLE, variable_rates={"supply": [0.1]}).rates[0].prices
    with pytest.raises(InputError, match=r"e\.prices: cannot be given together with a price or"):
        EnergyRate("e", price=1.0, prices=prices)
    with pytest.raises(InputError, match="must be interval or hour for a rate with prices by step"):
        EnergyRate("e", prices=prices, settlement="day")
    with pytest.raises(InputError, match="metering = 'net_metering': cannot be net_metering"):
        Tariff("T", rates=(EnergyRate("e", prices=prices),), metering="net_metering")


# Limits and blocks by property


def test_limits_may_be_multiples_of_a_property_or_kwh_per_kw() -> None:
    tiers = [{"rateAmount": 0.1, "consumptionUpperLimit": 1.5}, {"rateAmount": 0.2}]
    baseline = rate("tiers", rateBands=tiers, variableLimitKey="baselineAllowance")
    tariff = load(baseline, property_inputs={"baselineAllowance": 200})
    january = site(np.full(744, 1.0))
    assert bill(january, tariff).total == pytest.approx(0.1 * 300 + 0.2 * 444)
    assert tariff.assumptions[-1] == (
        "tiers: limits are multiples of baselineAllowance (kWh in a billing period)"
    )
    assert message(baseline) == (
        "property_inputs.baselineAllowance: is required: a number that the tariff's rates depend on"
    )
    tiers[0]["consumptionUpperLimit"] = 200
    hours = load(rate("hours' use", rateBands=tiers, variableLimitKey="demand"))
    assert bill(january, hours).total == pytest.approx(0.1 * 200 + 0.2 * 544)


def test_blocks_of_a_property_add_up() -> None:
    bands = [{"rateAmount": 2, "propertyUpperLimit": 10}, {"rateAmount": 3}]
    size = rate("s", chargeType="QUANTITY", quantityKey="systemSize", rateBands=bands)
    for kw, amount in ((4, 8), (10, 20), (12, 26)):
        tariff = load(rate("a", 0), size, property_inputs={"systemSize": kw})
        assert money(bill(site(np.ones(744)), tariff), "'s'") == pytest.approx(amount)


def test_a_tax_is_a_percentage_that_comes_last() -> None:
    tax = rate("tax", chargeType="TAX", rateBands=[{"rateAmount": 8, "rateUnit": "PERCENTAGE"}])
    ours = billed([10.0], rate("a", 0.1), tax)
    assert [line.kind for line in ours.lines] == ["energy", "tax"]
    assert ours.total == pytest.approx(1.08)
