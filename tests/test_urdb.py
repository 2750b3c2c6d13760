"""URDB records: what they come to by hand, what is ignored, what is refused."""

from __future__ import annotations

import contextlib
import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bills import site, year
from hypothesis import given
from hypothesis import strategies as st

from bess import Bill, InputError, bill, load_tariff
from bess.tariff import Tariff

ODD = [None, True, -1, 1.5, "x", "1e999", [], {}, [[]], [None], 10**400, {"a": 1}, [[{}]], 99]
ONE = {"energyratestructure": [[{"rate": 0.1}]]}
EVENINGS = [[int(hour >= 18) for hour in range(24)]] * 12
ALWAYS = [[0] * 24] * 12
TWO = {
    "energyratestructure": [[{"rate": 0.1}], [{"rate": 0.2, "adj": 0.05, "sell": 0.04}]],
    "energyweekdayschedule": EVENINGS,
    "energyweekendschedule": ALWAYS,
}


def urdb(name: str, shared_data: Path) -> Any:
    return json.loads((shared_data / f"tariffs/urdb/{name}.json").read_text("utf-8"))


def amounts(found: Bill, kind: str) -> list[float]:
    return [line.amount for line in found.lines if line.kind == kind]


def test_periods_follow_weekdays_and_weekends() -> None:
    week = site(np.ones(168), start="2025-01-06T00:00Z", solar_kwh=np.eye(168)[18] * 3)
    ours = bill(week, Tariff.from_urdb(TWO))
    # Five evenings of six hours, one of them without import: 2 kWh go out.
    assert {line.rate: line.quantity for line in ours.lines} == {
        "energy period 0": 138,
        "energy period 1": 29,
        "sell period 1": 2,
    }
    assert ours.total == pytest.approx(13.8 + 29 * 0.25 - 2 * 0.04)


def test_hours_use_tiers_by_hand(shared_data: Path) -> None:
    # Georgia PLM-11: the first 200 hours' use shares out 3,000, 7,000, 190,000 kWh and the rest.
    tariff = Tariff.from_urdb(urdb("commercial_8tier_energy__gapower_plm11__2016", shared_data))
    load = np.full(31 * 24, 49.5)
    load[100] = 100.0  # 100 kW, 36,878.5 kWh: 368.8 hours' use
    ours = bill(site(load), tariff)
    kwh = 743 * 49.5 + 100
    # January is of period 1, with an adjustment of 0.028813.
    adj = 0.028813
    by_hand = [
        3_000 * (0.112561 + adj),
        7_000 * (0.103091 + adj),
        10_000 * (0.088885 + adj),  # up to 200 x 100 kW
        (kwh - 20_000) * (0.011437 + adj),  # up to 400 x 100 kW
    ]
    assert [a for a in amounts(ours, "energy") if a] == pytest.approx(by_hand)
    assert ours.total == pytest.approx(sum(by_hand) + 19)


def test_a_ratchet_of_35_percent_by_hand(shared_data: Path) -> None:
    # Wallingford: 10.50 a kW from November to April, 11.50 from May to October, and no month below
    # 35 % of the highest of the eleven before it.
    tariff = Tariff.from_urdb(
        urdb("industrial_ratchet35__wallingford_northford__2013", shared_data)
    )
    peaks = [500.0, 100, 300, 300, 300, 300, 300, 1000, 300, 300, 300, 200]
    ours = bill(year(peaks), tariff)
    billed = [500, 350, 350, 350, 350, 350, 350, 1000, 350, 350, 350, 350]
    price = [10.5] * 4 + [11.5] * 6 + [10.5] * 2
    assert amounts(ours, "demand") == pytest.approx(np.multiply(billed, price))
    alone = bill(year(peaks), tariff, past_peaks_kw=[0.0] * 11)
    assert amounts(alone, "demand")[1] == pytest.approx(175 * 10.5)


def test_every_record_loads_and_bills(shared_data: Path) -> None:
    home = site(np.full(8760, 2.0), solar_kwh=np.tile(np.eye(24)[12] * 9, 365))
    files = sorted((shared_data / "tariffs/urdb").glob("*.json"))
    assert len(files) == 30
    for file in files:
        assert np.isfinite(bill(home, load_tariff(file)).total), file.stem


def test_metering_follows_the_record_unless_it_is_given() -> None:
    assert Tariff.from_urdb(ONE).metering == "net_billing"
    assert Tariff.from_urdb({**ONE, "dgrules": "Net Metering"}).metering == "net_metering"
    assert Tariff.from_urdb({**ONE, "usenetmetering": True}).metering == "net_metering"
    given = Tariff.from_urdb({**ONE, "dgrules": "Net Metering"}, metering="net_billing")
    assert given.metering == "net_billing"


def test_what_is_not_billed_is_listed() -> None:
    record = {
        **ONE,
        "minmonthlycharge'": 50,
        "demandreactivepowercharge": 0.5,
        "demandattrs": [{"TOU-winter": "1"}, {"Voltage discount ": "-0.2"}],
        "coincidentratestructure": [[{"rate": 0.8}]],
        "source": "x",
    }
    assert Tariff.from_urdb(record).ignored == (
        "minmonthlycharge' is not read: did you mean minmonthlycharge?",
        "demandreactivepowercharge (0.5): reactive power, not billed",
        "demandattrs 'Voltage discount' (-0.2): not billed",
        "coincidentratestructure: needs coincident_hours, not billed",
    )
    with pytest.raises(InputError, match="reactive power"):
        load_tariff(record, strict=True)


def test_coincident_demand_is_billed_at_given_hours() -> None:
    record = {**ONE, "coincidentratestructure": [[{"rate": 0.8}]]}
    load = np.ones(48)
    load[30] = 6.0
    tariff = Tariff.from_urdb(record, coincident_hours=["2025-01-02T06:00Z"])
    assert amounts(bill(site(load), tariff), "demand")[0] == pytest.approx(0.8 * 6 * 2 / 31)


def test_other_charges() -> None:
    record = {
        **ONE,
        "fixedchargefirstmeter": 1.0,
        "fixedchargeunits": "$/day",
        "minmonthlycharge": 40,
        "fueladjustmentsmonthly": [0.01] + [0] * 11,
        "demandratestructure": [[{"rate": 2.0}]],
        "demandrateunit": "kW daily",
        "demandwindow": 30,
    }
    tariff = Tariff.from_urdb(record)
    assert tariff.demand_interval_minutes == 30
    load = np.zeros(31 * 24 * 4)
    load[0:2] = [0.25, 0.75]  # 1 kWh in half an hour: 2 kW on one day
    ours = bill(site(load, hours=0.25), tariff)
    found = {line.rate: line.amount for line in ours.lines}
    assert found["energy period 0"] == pytest.approx(0.1)
    assert found["fueladjustmentsmonthly[0]"] == pytest.approx(0.01)
    assert found["demand period 0"] == pytest.approx(4)
    assert found["fixed charge"] == pytest.approx(365 / 12)
    assert found["minimum charge"] == pytest.approx(40 - 4.11 - 365 / 12)


def refused(**fields: Any) -> str:
    with pytest.raises(InputError) as caught:
        Tariff.from_urdb({**TWO, **fields})
    return str(caught.value)


DEMAND = {"demandratestructure": [[{"rate": 1}]]}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"energyratestructure": None},
            "energyratestructure: is required, with at least one period",
        ),
        (
            {"energyratestructure": 3},
            "energyratestructure = 3: must be a list of periods, each a list of tiers",
        ),
        ({"energyratestructure": [[]]}, "energyratestructure[0] = []: must be a list of tiers"),
        (
            {"energyratestructure": [[4]]},
            "energyratestructure[0][0] = 4: must be an object with a rate",
        ),
        (
            {"energyratestructure": [[{"rate": "x"}], [{}]]},
            "energyratestructure[0][0].rate = 'x': must be a number",
        ),
        (
            {"energyratestructure": [[{"rates": 1}]]},
            "energyratestructure[0][0].rates: is not understood; known: rate, adj, sell, max, unit",
        ),
        (
            {"energyratestructure": [[{"rate": 1, "unit": "MWh"}], [{}]]},
            "energyratestructure[0][0].unit = 'MWh': must be one of kWh, kWh daily, kWh/day, "
            "kWh/kW",
        ),
        (
            {"energyratestructure": [[{"rate": 1, "max": -5}, {"rate": 2}], [{}]]},
            "energyratestructure[0][0].max = -5.0: must be at least 0",
        ),
        (
            {"energyratestructure": [[{"rate": 1, "sell": 1, "max": 5}, {"rate": 2}], [{}]]},
            "energyratestructure[0]: has a different sell rate in each tier: not supported",
        ),
        (
            {"energyweekdayschedule": None},
            "energyweekdayschedule: is required where there are 2 periods",
        ),
        (
            {"energyweekdayschedule": [[0] * 24]},
            "energyweekdayschedule: must have 12 rows, one for each month",
        ),
        (
            {"energyweekendschedule": [[0] * 23] * 12},
            "energyweekendschedule[0]: must have 24 entries, one for each hour",
        ),
        (
            {"energyweekendschedule": [[2] * 24] * 12},
            "energyweekendschedule[0][0] = 2: must be a period from 0 to 1",
        ),
        ({"dgrules": "Feed in"}, "dgrules = 'Feed in': must be one of "),
        ({"fixedchargefirstmeter": 1, "fixedchargeunits": "$/kWh"}, "fixedchargeunits = '$/kWh'"),
        ({"minmonthlycharge": -1}, "minmonthlycharge = -1.0: must be at least 0"),
        (
            {**DEMAND, "demandrateunit": "kVA"},
            "demandrateunit = 'kVA': must be kW or kW daily: other units are not supported",
        ),
        (
            {"flatdemandstructure": [[{"rate": 1}], [{"rate": 2}]]},
            "flatdemandmonths: is required where there are 2 periods",
        ),
        (
            {"flatdemandstructure": [[{"rate": 1}]], "flatdemandmonths": [0] * 11 + [3]},
            "flatdemandmonths[11] = 3.0: must be a period from 0 to 0",
        ),
        (
            {**DEMAND, "lookbackpercent": 0.5},
            "lookbackpercent = 0.5: needs lookbackmonths or lookbackrange to say which months",
        ),
        (
            {**DEMAND, "demandratchetpercentage": [1]},
            "demandratchetpercentage = [1]: must have 12 numbers, one for each month",
        ),
        (
            {**DEMAND, "demandwindow": 7},
            "demandwindow = 7: must be a whole number of minutes that divides a day",
        ),
    ],
)
def test_bad_records_are_refused(fields: dict[str, Any], message: str) -> None:
    assert message in refused(**fields)


FULL = {
    **TWO,
    **DEMAND,
    "dgrules": "Net Metering",
    "flatdemandstructure": [[{"rate": 1, "max": 5}, {"rate": 2}]],
    "flatdemandmonths": [0] * 12,
    "coincidentratestructure": [[{"rate": 1}]],
    "fueladjustmentsmonthly": [0.1] * 12,
    "fixedchargefirstmeter": 1,
    "fixedchargeunits": "$/day",
    "lookbackpercent": 0.5,
    "lookbackrange": 3,
    "mincharge": 3,
    "minchargeunits": "$/day",
    "demandwindow": 15,
    "demandattrs": [{"a": 1}],
    "startdate": 1,
}


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of everything inside a JSON value, of long lists the first entries."""
    inside = node.items() if isinstance(node, dict) else ()
    if isinstance(node, list):
        inside = list(enumerate(node))[:2]
    return [p for k, v in inside for p in [(*path, k), *places(v, (*path, k))]]


@given(st.sampled_from(places(FULL)), st.sampled_from(ODD))
def test_a_mutated_record_raises_nothing_but_an_input_error(
    path: tuple[Any, ...], value: Any
) -> None:
    record = copy.deepcopy(FULL)
    node: Any = record
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    with contextlib.suppress(InputError):
        bill(site(np.ones(30)), Tariff.from_urdb(record))
