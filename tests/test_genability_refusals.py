"""What a published tariff holds that is left out, refused by name, or malformed."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bills import site
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tariffs import SUMMER, WINTER, load, message, rate, series, tariff, tou

from bess import bill
from bess.errors import InputError
from bess.tariff import load_tariff
from bess.tariff.sheet import rate_sheet


def test_what_is_not_billed_is_listed_by_name() -> None:
    loaded = load(
        rate("power factor", chargeType="DEMAND_BASED", quantityKey="reactiveDemand"),
        rate("rider", riderId=9, chargeType=None, rateBands=None),
        rate("zero", 0, chargeType="DEMAND_BASED"),
        rate("energy"),
    )
    assert loaded.ignored == (
        "rates[0] 'power factor': reactive power, not billed",
        "rates[1] 'rider': a rider whose own rates are not given",
    )


def test_a_rider_counts_once() -> None:
    pointer = rate("R", riderId=9, tariffSequenceNumber=4, chargeType=None)
    del pointer["rateBands"]
    inlined = rate("R", 0.05, riderTariffId=12, tariffSequenceNumber=4)
    loaded = load(rate("a", 0.2), pointer, inlined)
    assert series(loaded)[0] == [0.25] * 24
    assert loaded.ignored == ()


def test_a_misspelt_key_is_listed_and_refused_when_strict() -> None:
    spoilt = rate("a", timeOfuse=tou(16, 21), somethingElse=1)
    assert load(spoilt).ignored == ("rates[0].timeOfuse is not read: did you mean timeOfUse?",)
    assert message(spoilt, strict=True).startswith("tariff T: rates[0].timeOfuse is not read")


TIERS = [{"rateAmount": 0.1, "consumptionUpperLimit": 250}, {"rateAmount": 0.2}]


@pytest.mark.parametrize(
    ("spoilt", "reason"),
    [
        (
            {"chargeType": "DEMAND_BASED", "quantityKey": "contractDemand"},
            "is charged per contractDemand: not supported",
        ),
        ({"chargeType": "DEMAND_BASED", "rateBands": TIERS}, "has bands that are none by demand"),
        ({"chargeType": "FIXED_PRICE", "chargePeriod": "WEEKLY"}, "is charged WEEKLY: not"),
        (
            {"chargeType": "FIXED_PRICE", "rateBands": [{"rateAmount": 1, "rateUnit": "X"}]},
            "is charged as X: not supported",
        ),
        ({"chargeType": "MINIMUM", "rateBands": TIERS}, "has several bands that apply at once"),
        ({"chargeType": "FORMULA"}, "has the chargeType FORMULA: not supported"),
        ({"chargeType": None}, "has the chargeType None: not supported"),
        ({"chargeType": "QUANTITY", "quantityKey": "demand"}, "has the chargeType QUANTITY: not"),
        (
            {"rateBands": TIERS, "transactionType": "SELL"},
            "has tiers (0.1 up to 250 kWh, then 0.2) for exports: not supported",
        ),
        ({"rateBands": TIERS[:1]}, "has no price above its limit of 250 kWh"),
        ({"rateBands": [{"rateAmount": 1}, {"rateAmount": 2}]}, "has several bands that apply at"),
        ({"rateBands": [{"rateAmount": 1}, {"rateAmount": 1}]}, "has several bands that apply at"),
        (
            {"rateBands": [{"rateAmount": 1, "demandUpperLimit": 5}, {"rateAmount": 2}]},
            "has bands by demand: not supported",
        ),
        (
            {"rateBands": [{"rateAmount": 1, "hasPropertyLimit": True}, {"rateAmount": 2}]},
            "has bands by size: not supported",
        ),
        ({"rateBands": [{"rateAmount": 1, "rateUnit": "PERCENTAGE"}]}, "is charged as PERCENTAGE"),
        ({"hasApplicabilityFormula": True}, "applies by a formula: not supported"),
        ({"timeOfUse": tou(16, 21, isDynamic=True)}, "holds at times called at short notice"),
        ({"variableFactorKey": "f"}, "has a variable factor (f): not supported"),
        ({"quantityKey": "heatedArea"}, "is charged per heatedArea: not supported"),
    ],
)
def test_what_bears_on_dispatch_and_cannot_be_represented_is_refused(
    spoilt: dict[str, Any], reason: str
) -> None:
    assert message(rate("a"), rate("Summer Rate") | spoilt).startswith(
        f"rates[1] 'Summer Rate': {reason}"
    )


def test_every_refused_rate_is_named() -> None:
    found = message(
        rate("d", chargeType="FORMULA"), rate("a"), rate("t", rateBands=TIERS[:1])
    ).splitlines()
    assert [line.split(":")[0] for line in found] == ["rates[0] 'd'", "rates[2] 't'"]


def test_tiers_of_one_price_are_one_price() -> None:
    bands = [{"rateAmount": 0.16, "consumptionUpperLimit": 250}, {"rateAmount": 0.16}]
    assert series(load(rate("a", rateBands=bands)))[0] == [0.16] * 24


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (tariff(), "rates: hold no CONSUMPTION_BASED rate for imports"),
        (tariff(rate("a", transactionType="SELL")), "rates: hold no CONSUMPTION_BASED rate for im"),
        (tariff(rate("a", transactionType="GIVE")), "rates[0].transactionType = 'GIVE': must be"),
        (tariff(rate("a", "dear")), "rates[0].rateBands[0].rateAmount = 'dear': must be a number"),
        (tariff(rate("a", None)), "rates[0].rateBands[0].rateAmount: is required"),
        (tariff(rate("a", 1e12)), "rates[0].rateBands[0].rateAmount = 1000000000000.0: must be a"),
        (tariff(rate("a", -1, transactionType="SELL")), "rateAmount = -1.0: must be at least 0"),
        (tariff(rate("a", rateBands=[])), "rates[0].rateBands: is required, with at least one"),
        (tariff(rate("a", rateBands=3)), "rates[0].rateBands = 3: must be a list"),
        (tariff(rate("a", timeOfUse={})), "rates[0].timeOfUse.touPeriods: is required"),
        (tariff(rate("a", timeOfUse=tou(16, 25))), "rates[0].timeOfUse.touPeriods[0].toHour = 25"),
        (tariff(rate("a", season={})), "rates[0].season.seasonFromMonth: is required"),
        (tariff(rate("a", chargeClass=3)), "rates[0].chargeClass = 3: must be a string or a list"),
        (tariff(rate("a", fromDateTime="soon")), "rates[0].fromDateTime = 'soon': must be an ISO"),
        (tariff(rate("a"), timeZone="US/East"), "timeZone = 'US/East': is not a known IANA time"),
        (tariff(rate("a"), serviceType="GAS"), "serviceType = 'GAS': must be ELECTRICITY"),
        (tariff("a"), "rates[0] = 'a': must be an object"),  # type: ignore[arg-type]
        ({"rates": {}}, "rates: must be a list"),
    ],
)
def test_a_malformed_tariff_is_refused_by_its_path(source: Any, expected: str) -> None:
    with pytest.raises(InputError) as caught:
        load_tariff(source)
    assert expected in str(caught.value)


def test_problems_of_a_file_are_under_its_name_and_those_of_arguments_are_not(
    tmp_path: Path,
) -> None:
    path = tmp_path / "t.json"
    path.write_text(
        json.dumps(tariff(rate("d", chargeType="FORMULA"), rate("v", 0, variableRateKey="supply")))
    )
    with pytest.raises(InputError) as caught:
        load_tariff(path)
    assert [problem.path for problem in caught.value.problems] == [
        f"{path}: rates[0] 'd'",
        "variable_rates",
    ]


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of everything inside a JSON value."""
    if isinstance(node, dict):
        return [p for k, v in node.items() for p in [(*path, k), *places(v, (*path, k))]]
    if isinstance(node, list):
        return [p for i, v in enumerate(node) for p in [(*path, i), *places(v, (*path, i))]]
    return []


WHOLE = tariff(
    rate("peak", 0.5, rateGroupName="E", season=SUMMER, timeOfUse=tou(16, 21, touGroupId=1)),
    rate("off", 0.3, rateGroupName="E", season=SUMMER, timeOfUse=tou(21, 16, calendarId=61)),
    rate("winter", 0.2, rateGroupName="E", season=WINTER, fromDateTime="2025-01-01T00:00Z"),
    rate(
        "green", applicabilityKey="choice", rateBands=[{"rateAmount": 1, "applicabilityValue": 2}]
    ),
    rate("there", territory={"territoryId": 7}, transactionType="NET", chargeClass=["SUPPLY"]),
    rate("variable", 0, variableRateKey="supply", transactionType="SELL"),
    rate("fixed", 9, chargeType="FIXED_PRICE", riderTariffId=4, tariffSequenceNumber=2),
    rate("rider", riderId=4, tariffSequenceNumber=2, rateBands=None),
    rate("daily", 0.1, transactionType="BUY", chargePeriod="DAILY", chargeClass="SUPPLY"),
    rate(
        "blocks",
        chargeType="QUANTITY",
        quantityKey="size",
        rateBands=[{"rateAmount": 1, "propertyUpperLimit": 5}, {"rateAmount": 2}],
    ),
    rate(
        "baseline",
        variableLimitKey="size",
        rateBands=[{"rateAmount": 0.1, "consumptionUpperLimit": 5}, {"rateAmount": 0.2}],
    ),
    rate("tax", chargeType="TAX", rateBands=[{"rateAmount": 8, "rateUnit": "PERCENTAGE"}]),
    rate(
        "peak demand",
        3,
        chargeType="DEMAND_BASED",
        season=SUMMER | {"fromEdgePredominance": "PREDOMINANT"},
    ),
    timeZone="America/New_York",
    effectiveDate="2025-01-01",
    properties=[{"keyName": "choice", "isDefault": True, "propertyValue": 2}],
)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_mutated_tariff_raises_nothing_but_an_input_error(data: st.DataObject) -> None:
    mutated = copy.deepcopy(WHOLE)
    for path in data.draw(st.lists(st.sampled_from(places(WHOLE)), min_size=1, max_size=3)):
        node: Any = mutated
        try:
            for key in path[:-1]:
                node = node[key]
            if data.draw(st.booleans()):
                del node[path[-1]]
            else:
                node[path[-1]] = data.draw(JSON_VALUES)
        except (KeyError, IndexError, TypeError):
            continue
    inputs = {"territoryId": 7, "size": 6}
    try:
        loaded = load_tariff(mutated, property_inputs=inputs, missing="zero")
        home = site(np.ones(24), start="2025-07-01T00:00Z", solar_kwh=np.tile([0.0, 3.0], 12))
        assert np.isfinite(bill(home, loaded).total)
        list(rate_sheet(loaded))
    except InputError as refusal:
        str(refusal)


@settings(max_examples=100, deadline=None)
@given(value=JSON_VALUES)
def test_any_other_json_raises_an_input_error(value: Any) -> None:
    for source in (value, [value], {"rates": value}, {"rates": [value]}, {"importPrice": value}):
        try:
            load_tariff(source)  # type: ignore[arg-type]
        except InputError as refusal:
            str(refusal)
