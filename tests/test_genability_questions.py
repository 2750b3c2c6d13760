"""What a published tariff asks for: properties of the customer, variable rates, calendars."""

from __future__ import annotations

from typing import Any

import pytest
from tariffs import load, message, rate, series, tou


def choosing(**other: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    bands = [
        {"rateAmount": 0.035, "applicabilityValue": "Green"},
        {"rateAmount": 0.0, "applicabilityValue": "None"},
    ]
    head = {"properties": [{"keyName": "choice", "dataType": "CHOICE", **other}]}
    return rate("green", applicabilityKey="choice", rateBands=bands), head


def test_a_property_not_given_takes_its_default_and_says_so() -> None:
    green, head = choosing(propertyValue="None", isDefault=True)
    loaded = load(rate("a", 0.2), green, head=head)
    assert series(loaded)[0] == [0.2] * 24
    assert "property choice is not given: its default None is used" in loaded.assumptions
    for inputs in ({"choice": "Green"}, [{"keyName": "choice", "dataValue": "Green"}]):
        loaded = load(rate("a", 0.2), green, head=head, property_inputs=inputs)
        assert series(loaded)[0] == [pytest.approx(0.235)] * 24


def test_a_property_without_a_default_is_asked_for_with_its_choices() -> None:
    green, head = choosing(choices=[{"dataValue": "Green", "displayValue": "All green"}])
    assert message(green, head=head) == (
        "property_inputs.choice: is required to choose among the tariff's rates: one of "
        "Green (All green)"
    )
    assert message(green, head=head, property_inputs={"choice": "Red"}) == (
        "property_inputs.choice = 'Red': must be one of Green (All green)"
    )


def test_a_territory_chooses_among_rates_and_only_those_that_matter_ask_for_it() -> None:
    zones = [rate("z", p, territory={"territoryId": i}) for i, p in ((7, 0.1), (8, 0.2))]
    head = {"properties": [{"keyName": "territoryId", "isDefault": True, "propertyValue": None}]}
    assert "property_inputs.territoryId: is required" in message(*zones, head=head)
    assert message(*zones).endswith("one of 7, 8")
    for given_value in (8, "8", 8.0):
        loaded = load(*zones, property_inputs={"territoryId": given_value})
        assert series(loaded)[0] == [0.2] * 24
    assert series(load(*zones, head={"territoryId": 7}, property_inputs={"territoryId": 9}))
    fixed = rate("f", 0, chargeType="FIXED_PRICE", territory={"territoryId": 7})
    assert series(load(rate("a"), fixed))[0] == [0.1] * 24


def test_a_boolean_property_is_given_as_json_or_as_text() -> None:
    low = rate("low", 0.05, applicabilityKey="lowIncome", applicabilityValue="true")
    head = {"properties": [{"keyName": "lowIncome", "dataType": "BOOLEAN"}]}
    for value, price in ((True, 0.25), ("TRUE", 0.25), (False, 0.2), ("false", 0.2)):
        loaded = load(rate("a", 0.2), low, head=head, property_inputs={"lowIncome": value})
        assert series(loaded)[0] == [price] * 24
    assert message(low, head=head, property_inputs={"lowIncome": "yes"}) == (
        "property_inputs.lowIncome = 'yes': must be one of true, false"
    )


def test_an_input_the_tariff_does_not_know_is_recorded() -> None:
    green, head = choosing(propertyValue="None", isDefault=True)
    loaded = load(rate("a"), green, head=head, property_inputs={"choise": "Green"})
    assert loaded.assumptions[1] == (
        "property choise = Green is not used: the tariff has no such property (did you mean "
        "choice?)"
    )


def test_missing_variable_rates_are_listed_all_together_or_zeroed_and_recorded() -> None:
    rates = [rate(key, 0, variableRateKey=key) for key in ("supply", "surcharge")]
    assert message(*rates, variable_rates={"suply": 0.1}) == (
        "variable_rates: must give the prices of supply (given as suply?), surcharge (or "
        'missing="zero")'
    )
    loaded = load(*rates, variable_rates={"supply": 0.12}, missing="zero")
    assert series(loaded)[0] == [0.12] * 24
    assert "variable rates not given are taken as 0: surcharge" in loaded.assumptions
    loaded = load(*rates, variable_rates={"supply": 0.12, "surcharge": -0.01, "x": 1})
    assert series(loaded)[0] == [pytest.approx(0.11)] * 24
    assert "variable rates of no rate of the tariff: x" in loaded.assumptions


def test_missing_calendars_are_listed_or_empty_and_recorded() -> None:
    rates = [rate("a", timeOfUse=tou(0, 0, calendarId=i), rateGroupName=str(i)) for i in (61, 62)]
    assert message(*rates) == 'calendars: needs the holidays of 61, 62 (or missing="zero" for none)'
    loaded = load(*rates, missing="zero", calendars={61: []})
    assert "calendars not given have no holidays: 62" in loaded.assumptions
