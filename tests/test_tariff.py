"""Tariffs of any form: loading them, what they are, the example, and what is refused."""

from __future__ import annotations

import csv
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tariffs import horizon, series

from bess.errors import InputError
from bess.tariff import EnergyRate, Tariff, load_tariff
from bess.time_of_use import TimeOfUse

EXAMPLE = Path(__file__).parents[1] / "examples" / "tariff_pge_e_elec.json"


def message(source: Any, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        load_tariff(source, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("obj", "expected"),
    [
        ({"importPrice": 1, "exportprice": 1}, "exportprice = 1: is not a known field; did you"),
        ({"importPrice": [0.1, None]}, "importPrice[1] = None: must be a number"),
        ({"importPrice": []}, "importPrice = []: must hold at least one price"),
        ({"importPrice": [1, 2], "exportPrice": [1]}, "exportPrice: has 1 prices, importPrice 2"),
        ({"importPrice": [1], "duration": 900000}, "fromDateTime: is required where duration is"),
        ({"importPrice": [1], "fromDateTime": "2025"}, "duration: is required where fromDateTime"),
        ({"importPrice": 1, "timeZone": "US"}, "timeZone = 'US': is not a known IANA time zone"),
        ({"import_price": [1], "duration": 1}, "from_date_time: is required where duration is"),
        ({}, "is no tariff: it has neither rates (Arcadia/Genability), nor an"),
        ({"energyratestructure": []}, "energyratestructure: is required, with at least one period"),
        ([], "must hold one tariff, not 0"),
        (3, "3: must be a tariff: a JSON object, or a list of one"),
        ("nowhere.json", "nowhere.json: cannot be read: No such file or directory"),
        ("nowhere.csv", "nowhere.csv: cannot be read: No such file or directory"),
        ("tariff.xlsx", "tariff.xlsx: must be a tariff in .json or .toml, or prices in .csv"),
    ],
)
def test_what_is_no_tariff_is_refused(obj: Any, expected: str) -> None:
    assert expected in message(obj)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"missing": "maybe"}, 'missing = \'maybe\': must be "error" or "zero"'),
        ({"time_zone": "Nowhere"}, "time_zone = 'Nowhere': is not a known IANA time zone"),
        ({"calendars": [1]}, "calendars = [1]: must be an object of ids and lists of dates"),
        ({"calendars": {61: "2025"}}, "calendars[61] = '2025': is not a known calendar (NERC, a"),
        ({"calendars": {61: ["4 July"]}}, "calendars[61][0] = '4 July': must be a date, written"),
        ({"variable_rates": [1]}, "variable_rates = [1]: must be an object of keys and prices"),
        ({"variable_rates": {"a": "1"}}, "variable_rates.a = '1': must be a number"),
        ({"property_inputs": 3}, "property_inputs = 3: must be an object or a list of keyName"),
        ({"property_inputs": [{"keyName": "a"}]}, "property_inputs[0]: must have a keyName and"),
        ({"property_inputs": {"a": None}}, "property_inputs.a = None: must be a string, a number"),
    ],
)
def test_bad_arguments_are_named_as_arguments(options: dict[str, Any], expected: str) -> None:
    assert message(EXAMPLE, **options).startswith(expected)


def test_a_tariff_that_is_one_already_is_returned_as_it_is() -> None:
    tariff = load_tariff(EXAMPLE)
    assert load_tariff(tariff) is tariff


def test_tariffs_pickle_and_do_not_change() -> None:
    year = horizon("2025-01-01T00:00-08:00", 8760, time_zone="America/Los_Angeles")
    for tariff in (load_tariff(EXAMPLE), load_tariff({"importPrice": [0.1] * 8760})):
        copy = pickle.loads(pickle.dumps(tariff))
        assert series(copy, year) == series(tariff, year)
        assert copy.identifiers == tariff.identifiers
        with pytest.raises(FrozenInstanceError):
            tariff.name = "other"  # type: ignore[misc]
        imports, _ = tariff.prices(year).series(year.steps)
        assert not np.asarray(imports).flags.writeable


def test_a_tariff_prices_one_horizon_once_from_any_thread() -> None:
    tariff = load_tariff(EXAMPLE)
    year = horizon("2025-01-01T00:00-08:00", 35_040, 900, "America/Los_Angeles")
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: tariff.prices(year), range(8)))
    first = found[0].series(year.steps)[0]
    assert all(np.array_equal(prices.series(year.steps)[0], first) for prices in found)
    assert tariff.prices(year) is tariff.prices(year)


def test_a_period_that_ends_inside_steps_is_noted() -> None:
    peak = TimeOfUse.model_validate(
        {"touPeriods": [{"fromHour": 16, "fromMinute": 30, "toHour": 21, "toMinute": 0}]}
    )
    rates = (
        EnergyRate("base", ("base",), 0.2),
        EnergyRate("peak", ("peak",), 0.1, times=(peak,)),
    )
    tariff = Tariff("T", rates=rates)
    day = horizon("2025-01-01T00:00Z", 24)
    assert series(tariff, day)[0] == [0.2] * 17 + [0.1 + 0.2] * 4 + [0.2] * 3
    assert tariff.notes(day) == (
        "tariff T: times of use begin or end inside steps (1 of 24, the first at "
        "2025-01-01T16:00:00+00:00); each step has the price at its start",
        "tariff T: names no time zone; the site's clock is used",
    )
    assert tariff.notes(horizon("2025-01-01T00:00Z", 48, 1800)) == tariff.notes(day)[1:]


def test_the_example_tariff_prices_every_hour_of_2025_as_published(shared_data: Path) -> None:
    path = shared_data / "tariffs" / "residential_tou" / "pge_e_elec_2025_hourly.csv"
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    year = horizon("2025-01-01T00:00-08:00", 8760, time_zone="America/Los_Angeles")
    stamps = [moment.strftime("%Y-%m-%d %H:%M:%S") for moment in year.timestamps]
    assert stamps == [row["date_time_local"] for row in rows]
    imports, exports = series(load_tariff(EXAMPLE), year)
    assert imports == [float(row["rate_usd_per_kwh"]) for row in rows]
    assert exports == [0.05] * 8760


def test_the_example_tariff_says_what_it_is_and_what_it_leaves_out() -> None:
    tariff = load_tariff(EXAMPLE)
    assert tariff.identifiers == {"pge-e-elec-2025", "pge-e-elec", "tariff_pge_e_elec"}
    assert (tariff.currency, tariff.time_zone) == ("USD", "America/Los_Angeles")
    assert tariff.ignored == ()
    assert [charge.name for charge in tariff.fixed_charges] == ["rates[0] 'Base Services Charge'"]
    assert tariff.assumptions == ()
    later = horizon("2025-05-01T00:00-07:00", 8760, time_zone="America/Los_Angeles")
    assert tariff.notes(later) == (
        "tariff Residential Electric Home (E-ELEC): published for 2025-01-01 to 2026-01-01; its "
        "prices are used for the whole horizon",
    )
