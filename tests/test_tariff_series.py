"""Plain price series: reading them, and laying them on the steps of a horizon."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tariffs import horizon, series

from bess.errors import InputError
from bess.tariff import PriceSeries, Tariff, load_tariff

EXAMPLE = Path(__file__).parents[1] / "examples" / "tariff_pge_e_elec.json"


def from_csv(tmp_path: Path, text: str, **options: Any) -> Tariff:
    path = tmp_path / "prices.csv"
    path.write_text(text, encoding="utf-8")
    return load_tariff(path, **options)


def csv_message(tmp_path: Path, text: str) -> str:
    path = tmp_path / "prices.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_tariff(path)
    return str(caught.value).replace(f"{path}", "prices.csv")


def test_prices_without_stamps_are_those_of_the_horizon(tmp_path: Path) -> None:
    tariff = from_csv(tmp_path, "import_price,export_price\n0.3,0.1\n0.5,-0.2\n")
    assert series(tariff, horizon("2025-01-01T00:00Z", 2)) == ([0.3, 0.5], [0.1, -0.2])
    assert tariff.identifiers == {"prices"}
    with pytest.raises(InputError, match="there are 2 prices for a horizon of 3 steps"):
        tariff.prices(horizon("2025-01-01T00:00Z", 3))


def test_an_export_price_left_out_is_zero_and_said_so(tmp_path: Path) -> None:
    tariff = from_csv(tmp_path, "import price\n0.3\n")
    assert series(tariff, horizon("2025-01-01T00:00Z", 1)) == ([0.3], [0.0])
    assert tariff.assumptions == ("no export_price is given: export earns 0",)


def test_a_column_that_is_not_read_is_named(tmp_path: Path) -> None:
    tariff = from_csv(tmp_path, "import_price,exportprice,weather\n0.3,0.1,sun\n")
    assert tariff.ignored == (
        "column 'exportprice' is not read (did you mean export_price?)",
        "column 'weather' is not read",
    )
    with pytest.raises(InputError, match="exportprice"):
        load_tariff(tmp_path / "prices.csv", strict=True)


def test_local_stamps_follow_the_clock_through_the_doubled_hour(tmp_path: Path) -> None:
    stamps = ["00:00", "01:00", "01:00", "02:00", "03:00"]
    rows = "".join(f"2025-11-02 {stamp},{price}\n" for price, stamp in enumerate(stamps))
    tariff = from_csv(tmp_path, f"timestamp,import_price\n{rows}", time_zone="America/Los_Angeles")
    later = horizon("2025-11-02T01:00-08:00", 2, time_zone="America/Los_Angeles")
    assert series(tariff, later)[0] == [2.0, 3.0]


def test_local_stamps_may_begin_in_the_second_of_the_doubled_hours(tmp_path: Path) -> None:
    text = "time,import_price\n2025-11-02T01:00,1\n2025-11-02T02:00,2\n2025-11-02T03:00,3\n"
    tariff = from_csv(tmp_path, text)
    at_site = horizon("2025-11-02T02:00-08:00", 2, time_zone="America/Los_Angeles")
    assert series(tariff, at_site)[0] == [2.0, 3.0]


def test_local_stamps_that_leave_the_clock_are_refused_at_their_line(tmp_path: Path) -> None:
    rows = "".join(f"2025-03-09T0{hour}:00,1\n" for hour in range(4))
    tariff = from_csv(tmp_path, f"time,import_price\n{rows}", time_zone="America/Los_Angeles")
    with pytest.raises(InputError) as caught:
        tariff.prices(horizon("2025-03-09T00:00-08:00", 2))
    assert str(caught.value).endswith(
        "prices.csv: line 4 = '2025-03-09T02:00:00': must be 2025-03-09T03:00:00: one step "
        "(3600 s) on, on the clock of America/Los_Angeles"
    )


def test_local_stamps_need_a_zone(tmp_path: Path) -> None:
    tariff = from_csv(tmp_path, "time,import_price\n2025-01-01T00:00,1\n2025-01-01T01:00,2\n")
    with pytest.raises(InputError, match="have no UTC offset: give a time_zone for them"):
        tariff.prices(horizon("2025-01-01T00:00Z", 2))


def test_a_first_local_stamp_in_the_gap_of_spring_does_not_exist(tmp_path: Path) -> None:
    text = "time,import_price\n2025-03-09T02:00,1\n2025-03-09T03:00,2\n"
    tariff = from_csv(tmp_path, text, time_zone="America/Los_Angeles")
    with pytest.raises(InputError, match=r"line 2 = .*does not exist in America/Los_Angeles"):
        tariff.prices(horizon("2025-03-09T03:00-07:00", 1))


def test_hourly_prices_hold_for_each_quarter_of_their_hour(tmp_path: Path) -> None:
    text = "time,import_price\n2025-01-01T00:00Z,1\n2025-01-01T01:00Z,2\n2025-01-01T02:00Z,3\n"
    quarters = horizon("2025-01-01T00:30Z", 5, 900)
    assert series(from_csv(tmp_path, text), quarters)[0] == [1.0, 1.0, 2.0, 2.0, 2.0]


def test_prices_finer_than_the_steps_are_refused(tmp_path: Path) -> None:
    text = "time,import_price\n2025-01-01T00:00Z,1\n2025-01-01T00:15Z,2\n"
    with pytest.raises(InputError, match="must hold whole steps of the horizon"):
        from_csv(tmp_path, text).prices(horizon("2025-01-01T00:00Z", 1))


def test_a_horizon_that_the_prices_do_not_cover_is_refused(tmp_path: Path) -> None:
    tariff = from_csv(tmp_path, "time,import_price\n2025-01-01T00:00Z,1\n2025-01-01T01:00Z,2\n")
    for start in ("2024-12-31T23:00Z", "2025-01-01T01:00Z"):
        with pytest.raises(InputError, match="its prices run from 2025-01-01T00:00Z to"):
            tariff.prices(horizon(start, 2))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "prices.csv: header = '': must name a column import_price (money per kWh)"),
        ("price\n1\n", "prices.csv: header = 'price': must name a column import_price (money"),
        ("import_price\n", "prices.csv: has no prices below its header"),
        ("import_price\nabc\n", "prices.csv: line 2, import_price = 'abc': must be a number"),
        ("import_price\nnan\n", "prices.csv: line 2, import_price = 'nan': must be a number"),
        ("import_price\n1_0\n", "prices.csv: line 2, import_price = '1_0': must be a number"),
        ("import_price\n1\n\n1,2\n", "prices.csv: line 4: has 2 cells where the header has 1"),
        ("import_price,import_price\n1,1\n", "'import_price': names a column twice"),
        ("time,from,import_price\n", "'time,from': must name at most one column of time stamps"),
        ("time,import_price\n2025-01-01T00:00Z,1\n", "needs two time stamps to tell how long"),
        ("time,import_price\nnoon,1\n1,1\n", "prices.csv: line 2 = 'noon': must be an ISO 8601"),
        (
            "time,import_price\n2025-01-01T00:00Z,1\n2025-01-01T01:00,1\n",
            "prices.csv: line 3 = '2025-01-01T01:00': must have a UTC offset, as the first has",
        ),
        (
            "time,import_price\n2025-01-01T01:00Z,1\n2025-01-01T00:00Z,1\n",
            "its time stamps must rise from row to row",
        ),
        (
            "time,import_price\n2025-01-01T00:00Z,1\n2025-01-01T01:00Z,1\n2025-01-01T03:00Z,1\n"
            "2025-01-01T04:00Z,1\n",
            "prices.csv: line 4 = '2025-01-01T03:00Z': must be one step (3600 s) after the line",
        ),
    ],
)
def test_a_bad_price_file_is_refused_at_its_line(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in csv_message(tmp_path, text)


def test_a_price_series_in_json_is_read_in_either_spelling() -> None:
    camel = {
        "masterTariffId": 12,
        "importPrice": ["0.3", 0.5],
        "exportPrice": 0.1,
        "fromDateTime": "2025-01-01T00:00:00Z",
        "duration": 3600000,
        "currency": "EUR",
        "timeZone": "Europe/Berlin",
    }
    snake = {"import_price": np.array([0.3, 0.5]), "export_price": [0.1, 0.1]}
    day = horizon("2025-01-01T00:00Z", 2)
    assert (
        series(load_tariff(camel), day)
        == ([0.3, 0.5], [0.1, 0.1])
        == series(load_tariff(snake), day)
    )
    tariff = load_tariff(camel)
    assert (tariff.currency, tariff.time_zone) == ("EUR", "Europe/Berlin")
    assert tariff.identifiers == {"12"}


def test_one_number_is_the_price_of_every_step() -> None:
    tariff = load_tariff({"importPrice": 0.3, "exportPrice": 0.08, "tariffName": "Flat"})
    assert tariff.name == "Flat"
    assert series(tariff, horizon("2025-01-01T00:00Z", 3)) == ([0.3] * 3, [0.08] * 3)


def test_a_price_series_keeps_its_own_arrays() -> None:
    given = np.array([0.1, 0.2])
    kept = PriceSeries(given, given)
    given[0] = 9.0
    assert kept.import_price.tolist() == [0.1, 0.2]


def test_the_published_prices_of_a_year_load_as_a_series(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "tariffs" / "residential_tou" / "pge_e_elec_2025_hourly.csv"
    text = path.read_text(encoding="utf-8").replace("rate_usd_per_kwh", "import_price")
    loaded = from_csv(tmp_path, text)
    year = horizon("2025-01-01T00:00-08:00", 35_040, 900, "America/Los_Angeles")
    assert series(loaded, year)[0] == series(load_tariff(EXAMPLE), year)[0]
    assert loaded.ignored == (
        "column 'season' is not read",
        "column 'day_type' is not read",
        "column 'period' is not read",
    )
