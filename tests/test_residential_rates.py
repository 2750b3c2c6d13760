"""Three Californian residential tariffs, hour by hour through 2025 as their utilities priced it.

The published vectors are of ACC_to_NBT_ECR (MIT): hourly prices of 2025 in local wall time, an hour
missing in spring and one doubled in autumn, with the holidays that each utility keeps.
"""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest
from tariffs import horizon, series

from bess import Site, bill
from bess.tariff import Tariff, load_tariff

EXAMPLES = Path(__file__).parents[1] / "examples"
ZONE = "America/Los_Angeles"
YEAR = horizon("2025-01-01T00:00-08:00", 8760, time_zone=ZONE)
NAMES = ["pge_e_elec", "sce_tou_d_prime", "sdge_ev_tou_5"]


def own(name: str) -> Tariff:
    return load_tariff(next(EXAMPLES.glob(f"tariff_{name}.*")))


@pytest.mark.parametrize("name", NAMES)
def test_every_hour_of_2025_is_priced_as_published(shared_data: Path, name: str) -> None:
    folder = shared_data / "tariffs" / "residential_tou"
    with (folder / f"{name}_2025_hourly.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    stamps = [moment.strftime("%Y-%m-%d %H:%M:%S") for moment in YEAR.timestamps]
    assert stamps == [row["date_time_local"] for row in rows]
    assert series(own(name), YEAR)[0] == [float(row["rate_usd_per_kwh"]) for row in rows]


@pytest.mark.parametrize("name", NAMES[1:])
def test_the_holidays_are_the_published_ones(shared_data: Path, name: str) -> None:
    folder = shared_data / "tariffs" / "residential_tou"
    lines = (folder / f"{name}_2025_holidays.csv").read_text("utf-8").splitlines()
    published = {date.fromisoformat(day) for day in lines[1].split(",")}
    assert dict(own(name).calendars) == {"holidays": published}


def test_a_holiday_on_a_weekday_is_priced_as_a_weekend() -> None:
    """The Fourth of July of 2025 is a Friday; SCE's 4 p.m. to 9 p.m. are mid-peak then."""
    fourth = horizon("2025-07-03T00:00-07:00", 48, time_zone=ZONE)
    prices = series(own("sce_tou_d_prime"), fourth)[0]
    assert (prices[16], prices[24 + 16]) == (0.56368, 0.38128)
    morning = series(own("sdge_ev_tou_5"), fourth)[0]
    assert (morning[10], morning[24 + 10]) == (0.47446, 0.12017)


@pytest.mark.parametrize(
    ("name", "total", "fixed"),
    [("sce_tou_d_prime", 6000 * 0.2449, 31 * 0.516), ("sdge_ev_tou_5", 6000 * 0.11381, 16.0)],
)
def test_a_january_of_nights_is_billed_by_hand(name: str, total: float, fixed: float) -> None:
    """6,000 kWh between midnight and 6 a.m., when neither utility has a dear hour."""
    load = [6000 / 31 / 6 * (hour % 24 < 6) for hour in range(744)]
    site = Site(load_kwh=load, start="2025-01-01T00:00-08:00", time_zone=ZONE)
    january = bill(site, own(name))
    assert january.total == pytest.approx(total + fixed)
    assert january.by_kind()["fixed"] == pytest.approx((fixed,))


@pytest.mark.parametrize("name", NAMES[1:])
def test_a_written_tariff_survives_its_toml(name: str) -> None:
    again = Tariff.from_toml(own(name).to_toml())
    assert series(again, YEAR) == series(own(name), YEAR)
