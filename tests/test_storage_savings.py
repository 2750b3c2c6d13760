"""Savings in a request: what it may ask, on which tariffs, and how it is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from storage_requests import TARIFF, day, energy_rate, home
from test_device_mutations import anything

import bess
from bess.errors import InfeasibleError, InputError
from bess.storage import StorageResponse, run_request

FLAT = {
    "tariffId": 5,
    "tariffName": "Flat",
    "timeZone": "America/Los_Angeles",
    "currency": "USD",
    "rates": [energy_rate("Energy", 0.30, 0, 24)],
}
SURPLUS = {"chargeOnSurplus": True}
TARIFFS = {"new": TARIFF, "old": FLAT}


def asked(savings: Any, **storage: Any) -> dict[str, Any]:
    request = day(SURPLUS, **({"mainTariffId": "new"} | storage))
    return request | {"fromDateTime": "2025-01-01T00:00:00-08:00", "savings": savings}


def run(savings: Any, tariffs: Any = TARIFFS, **storage: Any) -> StorageResponse:
    return run_request(asked(savings, **storage), home(), tariffs)


def test_a_request_asks_for_savings_with_the_arguments_of_the_python_interface() -> None:
    response = run(
        {
            "beforeTariffId": "old",
            "years": "3",
            "batteryDegradation": {"kwhPerYear": "0.25"},
            "capital_cost": 1500,
            "annualCost": [10, "20", 30],
            "rateInflationPercent": 2,
        }
    )
    found = response.savings
    assert found is not None
    tariff, before = (bess.load_tariff(source) for source in (TARIFF, FLAT))
    expected = bess.savings(
        response.result.site,
        bess.Battery(),
        bess.Surplus(),
        before_tariff=before,
        after_tariff=tariff,
        years=3,
        battery_degradation={"kwhPerYear": 0.25},
        capital_cost=1500,
        annual_cost=[10, 20, 30],
        rate_inflation_percent=2,
    )
    assert found.cash_flows.tolist() == expected.cash_flows.tolist()
    assert found.before.bill.tariff == "Flat"
    assert found.solar.bill.tariff == "Test tariff"
    assert response.cost == pytest.approx(found.after.bill.total)
    assert set(found.assumptions) <= set(response.assumptions)
    assert "savings" not in response.model_dump(by_alias=True)


def test_an_empty_object_asks_for_the_defaults_and_none_for_nothing() -> None:
    found = run({}).savings
    assert found is not None
    assert found.years == 25
    assert found.before.bill.tariff == found.after.bill.tariff == "Test tariff"
    assert run(None).savings is None


def test_the_profiles_and_their_ids_are_the_same_with_and_without_savings() -> None:
    with_savings, without = run({"years": 1}), run(None)
    assert with_savings.request_id == without.request_id
    for one, other in zip(with_savings.profiles, without.profiles, strict=True):
        assert one.model_dump() == other.model_dump()


def test_prices_do_for_a_tariff_of_a_request() -> None:
    prices = bess.Prices(import_price=0.3, export_price=0.1)
    response = run({"years": 2}, {"p": prices}, mainTariffId="p")
    assert response.savings is not None
    plain = run(None, {"p": prices}, mainTariffId="p")
    assert response.cost == pytest.approx(plain.cost)


@pytest.mark.parametrize(
    ("savings", "storage", "message"),
    [
        ({"years": 0}, {}, "savings.years = 0: must be a whole number from 1 to 100"),
        ({"years": "many"}, {}, "savings.years = 'many': must be an integer"),
        ({"capital_cost": -1}, {}, "savings.capital_cost = -1.0: must be at least 0"),
        ({"capitalCosts": 1}, {}, "savings.capitalCosts = 1: is not a known field; did you mean"),
        ({"comparedWith": "after"}, {}, "savings.comparedWith = 'after': must be"),
        ({"annualCost": [1, 2], "years": 3}, {}, "savings.annualCost: must have one number for"),
        ({"annualCost": [1, "x"]}, {}, "savings.annualCost[1] = 'x': must be a number"),
        (
            {"batteryDegradation": {"percent": 2}},
            {},
            "savings.batteryDegradation.percent = 2.0: is not a known field",
        ),
        ({"batteryDegradation": 2}, {}, "savings.batteryDegradation = 2: must be an object"),
        ({"beforeTariffId": "odl"}, {}, "savings.beforeTariffId = 'odl': no tariff has this id"),
        ([], {}, "savings = []: must be an object"),
    ],
)
def test_what_is_not_valid_is_refused_in_the_requests_words(
    savings: Any, storage: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        run(savings, **storage)
    assert message in str(caught.value)


def test_savings_need_a_year_and_a_tariff() -> None:
    with pytest.raises(InputError, match=r"^savings: must cover a year, 364 to 366 days"):
        run_request(asked({}), home(1), TARIFFS)
    request = asked({})
    del request["storage"]["mainTariffId"]
    with pytest.raises(InputError, match=r"^storage\.mainTariffId: is required: savings need a"):
        run_request(request, home(), None)


FIELDS = (
    *("beforeTariffId", "years", "batteryDegradation", "solarDegradationPercent", "every"),
    *("rateInflationPercent", "discountRatePercent", "capitalCost", "annualCost", "comparedWith"),
)
VALUES = anything | st.sampled_from(
    ["old", "3", "-1", "nan", 1e308, 99.9, -99.9, {"percentPerYear": 50}, {"kwhPerYear": 1e-300}]
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(FIELDS), VALUES, min_size=1, max_size=3))
def test_whatever_is_asked_runs_or_is_refused(savings: dict[str, Any]) -> None:
    try:
        found = run({"years": 2} | savings).savings
    except (InputError, InfeasibleError):
        return
    assert found is not None
    parts = found.parts
    total = parts.rate_change + parts.solar + parts.storage + parts.operating_cost
    assert (total == found.before.yearly - found.after.yearly).all()
    assert found.npv == found.npv
