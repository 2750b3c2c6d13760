"""Bills on Arcadia/Genability tariffs, worked by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tariffs import rate, tou
from tariffs import tariff as published

from bess import Battery, Bill, InputError, Optimize, Site, bill, dispatch, load_tariff

EASTERN = "America/New_York"


def home(load: Any, start: str, **other: Any) -> Site:
    return Site(load_kwh=load, start=start, time_zone=EASTERN, **other)


def amounts(found: Bill) -> dict[str, float]:
    """The amount of each rate, by its name."""
    result: dict[str, float] = {}
    for line in found.lines:
        name = line.rate.split("'")[1] if "'" in line.rate else line.rate
        result[name] = result.get(name, 0.0) + line.amount
    return result


def read(shared_data: Path, name: str) -> Any:
    return json.loads(
        (shared_data / f"tariffs/genability/{name}_default_2025-01-01.json").read_text()
    )


def test_coned_tiers_by_hand(shared_data: Path) -> None:
    # July 2025 in Zone J: 600 kWh, 250 of them at 16.107 cents and 350 at 18.518.
    tariff = load_tariff(
        read(shared_data, "coned"), property_inputs={"territoryId": 3634}, missing="zero"
    )
    hours = 31 * 24
    ours = bill(home(np.full(hours, 600 / hours), "2025-07-01T00:00-04:00"), tariff)
    found = amounts(ours)
    assert found["Summer Rate"] == pytest.approx(250 * 0.16107 + 350 * 0.18518)
    assert found["Customer Charge"] == pytest.approx(20)
    delivery = found["Summer Rate"] + 20 + 1.28 + 600 * (0.0003 + 0.0012)
    assert found["GRT Distribution - Zone J"] == pytest.approx(0.045485 * delivery)
    assert ours.total == pytest.approx(1.045485 * delivery + 600 * 0.0011)
    # In January there is one price.
    january = bill(home(np.full(hours, 600 / hours), "2025-01-01T00:00-05:00"), tariff)
    assert amounts(january)["Winter Rate"] == pytest.approx(600 * 0.16107)


def test_psegli_percentages_by_hand(shared_data: Path) -> None:
    # A winter day off-peak at noon and one hour on-peak at 17: 10 kWh each, on 7 January.
    variables = {
        "distributedEnergyResourcesCostRecoveryRateSmall": 0.001,
        "newYorkStateAssessment": 0.5,
        "revenueDecouplingMechanismResidential200": 2.0,
        "securitizationOffsetCharge": 0,
        "securitizationCharge200": 0,
        "deliveryServiceAdjustment200": 4.0,
    }
    tariff = load_tariff(
        read(shared_data, "psegli"),
        variable_rates=variables,
        property_inputs={"territoryId": 3711, "systemSize": 5},
        calendars={61: []},
    )
    load = np.zeros(31 * 24)
    load[6 * 24 + 12] = load[6 * 24 + 17] = 10.0
    ours = bill(home(load, "2025-01-01T00:00-05:00"), tariff)
    found = amounts(ours)
    delivery = 0.54 * 31 + 10 * 0.0891 + 10 * 0.1809
    supply = 20 * 0.001885 + 10 * (0.241457 + 0.102959)
    solar = 5 * 0.033 * 31
    plain = delivery + supply + solar + 20 * 0.001
    assert found["Costumer Benefit Contribution"] == pytest.approx(solar)
    assert found["Revenue Decoupling Mechanism"] == pytest.approx(0.02 * delivery)
    assert found["Delivery Service Adjustment"] == pytest.approx(0.04 * delivery)
    assert found["New York State Assessment"] == pytest.approx(0.005 * plain)
    pilot = 0.011404 + 0.035921
    assert ours.total == pytest.approx(plain * (1 + 0.005 + pilot) + 0.06 * delivery)


@pytest.mark.parametrize(
    ("name", "territory", "fixed"),
    [("bge", None, 9.65), ("nimo", 3631, 17.33), ("pepco", 3641, 8.44)],
)
def test_the_others_bill_a_year(
    shared_data: Path, name: str, territory: int | None, fixed: float
) -> None:
    inputs = {} if territory is None else {"territoryId": territory}
    tariff = load_tariff(read(shared_data, name), property_inputs=inputs, missing="zero")
    ours = bill(home(np.ones(8760), "2025-01-01T00:00-05:00"), tariff)
    energy = float(
        tariff.prices(home(np.ones(8760), "2025-01-01T00:00-05:00").timeline).series(8760)[0].sum()
    )
    assert sum(ours.by_kind()["energy"] + ours.by_kind().get("credit", ())) == pytest.approx(energy)
    assert max(line.amount for line in ours.lines if line.kind == "fixed") == pytest.approx(fixed)


def day_bill(*rates: dict[str, Any], **options: Any) -> Bill:
    load = np.zeros(31 * 24)
    load[18] = 8.0
    loaded = load_tariff(published(*rates), **options)
    return bill(Site(load_kwh=load, start="2025-01-01T00:00Z"), loaded)


def test_demand_charges_have_windows_and_bands() -> None:
    bands = [{"rateAmount": 1.0, "demandUpperLimit": 5}, {"rateAmount": 3.0}]
    found = amounts(
        day_bill(
            rate("e", 0.1),
            rate("any", chargeType="DEMAND_BASED", quantityKey="demand", rateBands=bands),
            rate("noon", 2, chargeType="DEMAND_BASED", timeOfUse=tou(11, 13)),
            rate("day", 0.5, chargeType="DEMAND_BASED", chargePeriod="DAILY"),
        )
    )
    assert found == {
        "e": pytest.approx(0.8),
        "any": pytest.approx(5 + 9),
        "noon": 0,
        "day": pytest.approx(4),
    }


def test_fixed_charges_credits_and_properties() -> None:
    found = amounts(
        day_bill(
            rate("e", 0.1),
            rate("daily", 0.5, chargeType="FIXED_PRICE", chargePeriod="DAILY"),
            rate("help", chargeType="FIXED_PRICE", rateBands=[{"rateAmount": 4, "isCredit": True}]),
            rate("key", chargeType="FIXED_PRICE", variableRateKey="k"),
            rate("panels", 2, chargeType="QUANTITY", quantityKey="systemSize"),
            rate("least", 40, chargeType="MINIMUM"),
            variable_rates={"k": 1.5},
            property_inputs={"systemSize": "3.5"},
        )
    )
    assert found["daily"] == pytest.approx(15.5)
    assert (found["help"], found["key"], found["panels"]) == (-4, 1.5, 7)
    # The credit offsets energy, not the minimum.
    assert found["least"] == pytest.approx(40 - 15.5 - 1.5 - 7)


def test_a_property_that_is_no_number_is_refused() -> None:
    panels = rate("panels", 2, chargeType="QUANTITY", quantityKey="systemSize")
    with pytest.raises(InputError) as caught:
        day_bill(rate("e"), panels, property_inputs={"systemSize": "large"})
    expected = "property_inputs.systemSize = 'large': must be a number, at least 0"
    assert str(caught.value) == expected


def test_the_optimum_knows_percentages_and_fixed_charges() -> None:
    percent = [{"rateAmount": 25, "rateUnit": "PERCENTAGE"}]
    tariff = load_tariff(
        published(
            rate("night", 0.1, rateGroupName="E", timeOfUse=tou(0, 12), chargeClass="SUPPLY"),
            rate("day", 0.5, rateGroupName="E", timeOfUse=tou(12, 0), chargeClass="SUPPLY"),
            rate("service", 31, chargeType="FIXED_PRICE", chargeClass="DISTRIBUTION"),
            rate("rider", chargeType="QUANTITY", rateBands=percent, chargeClass="SUPPLY"),
        )
    )
    site = Site(load_kwh=np.ones(24), start="2025-01-01T00:00Z")
    result = dispatch(site, Battery(), Optimize(), tariff=tariff)
    assert result.bill is not None
    assert result.cost == pytest.approx(result.bill.total)
    assert result.lower_bound == pytest.approx(result.cost, abs=1e-5)
    idle = bill(site, tariff).total
    assert idle == pytest.approx(1.25 * (1.2 + 6) + 1)
    assert result.cost < idle
