"""Our own TOML: tariffs survive it, and what is malformed is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from bills import FLAT, hours, make, site
from tariffs import SUMMER, WINTER, rate, tariff, tou

from bess import InputError, bill, load_tariff
from bess.tariff import (
    Band,
    DemandBand,
    DemandRate,
    EnergyRate,
    FixedCharge,
    MinimumCharge,
    PercentageRate,
    Ratchet,
    Tariff,
)
from bess.tariff.hours import month_seasons

WHOLE = make(
    FLAT,
    EnergyRate("tiers", bands=(Band(0.1, limit_kwh=50), Band(0.2)), times=(hours(7, 8),)),
    EnergyRate("sell", price=0.05, on_import=False, on_export=True, valid_from=1735689600),
    demand_rates=(
        DemandRate("d", bands=(DemandBand(1.0, 5), DemandBand(2.0)), ratchet=Ratchet((35,))),
        DemandRate("summer", 1.0, seasons=month_seasons([6, 7]), coincident_hours=(1735725600,)),
    ),
    fixed_charges=(FixedCharge('a "quoted" name', 3.0, "day", ("SUPPLY",)),),
    minimum_charges=(MinimumCharge("least", 100.0),),
    percentages=(PercentageRate("tax", 8, ("TAX",)),),
    metering="net_metering",
    true_up_price_per_kwh=0.03,
    demand_interval_minutes=60,
    identifiers=frozenset({"b", "a"}),
    effective=(1735689600, None),
)


def alike(one: Tariff, other: Tariff) -> None:
    load = np.tile(np.linspace(0, 3, 24), 59)
    home = site(load, solar_kwh=np.tile(np.eye(24)[12] * 9, 59))
    first, second = bill(home, one), bill(home, other)
    assert first.lines == second.lines
    assert first.assumptions == second.assumptions


def test_a_tariff_survives_its_toml() -> None:
    again = Tariff.from_toml(WHOLE.to_toml())
    alike(WHOLE, again)
    assert again.to_toml() == WHOLE.to_toml()
    assert again.identifiers == {"a", "b"}


def test_published_forms_survive(tmp_path: Path) -> None:
    parts = (
        rate("peak", 0.5, rateGroupName="E", season=SUMMER, timeOfUse=tou(16, 21)),
        rate("off", 0.3, rateGroupName="E", season=SUMMER, timeOfUse=tou(21, 16, calendarId=61)),
        rate("winter", 0.2, rateGroupName="E", season=WINTER),
    )
    loaded = load_tariff(tariff(*parts), calendars={61: ["2025-07-04"]})
    file = tmp_path / "mine.toml"
    file.write_text(loaded.to_toml(), "utf-8")
    alike(loaded, load_tariff(file))
    prices = load_tariff({"importPrice": [0.1, 0.2] * 708, "exportPrice": 0.1})
    alike(prices, Tariff.from_toml(prices.to_toml()))


def test_every_urdb_record_survives(shared_data: Path) -> None:
    for file in sorted((shared_data / "tariffs/urdb").glob("*.json")):
        loaded = load_tariff(file)
        alike(loaded, Tariff.from_toml(loaded.to_toml()))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = \n", "tariff: is not TOML (Invalid value (at line 1, column 8))"),
        ("currency = 'USD'\n", "name: is required"),
        ("name = 3\n", "name = 3: must be a string"),
        ("name = 'T'\n", "energy: is required, with at least one rate (or a series)"),
        ("name = 'T'\nenergy = 4\n", "energy = 4: must be a list of tables, written [[energy]]"),
        ("name = 'T'\nenergie = 4\n", "energie: is not a known field; did you mean energy?"),
        ("name = 'T'\n[[energy]]\nprice = 1\n", "energy[0].name: is required"),
        (
            "name = 'T'\n[[energy]]\nname = 'a'\nprise = 1\n",
            "energy[0].prise: is not a known field; did you mean price?",
        ),
        (
            "name = 'T'\n[[energy]]\nname = 'a'\nprice = 'x'\n",
            "energy[0].price = 'x': must be a number",
        ),
        (
            "name = 'T'\n[[energy]]\nname = 'a'\non_import = 1\n",
            "energy[0].on_import = 1: must be true or false",
        ),
        (
            "name = 'T'\n[[energy]]\nname = 'a'\ntimes = [{touPeriods = [{fromHour = 30}]}]\n",
            "energy[0].times[0].touPeriods[0].fromHour = 30: must be less than or equal to 24",
        ),
        (
            "name = 'T'\n[[energy]]\nname = 'a'\nbands = [{price = 1}, {price = 2}]\n",
            "energy[0].bands[0]: must have a limit: it is not the last band",
        ),
        (
            "name = 'T'\n[[energy]]\nname = 'a'\nsettlement = 'never'\n",
            'energy[0].settlement = \'never\': must be one of "interval", "hour", "day", '
            '"billing_period", "quarter", "year"',
        ),
        (
            "name = 'T'\n[[energy]]\nname = 'a'\n[[demand]]\nname = 'd'\nperiod = 'week'\n",
            'demand[0].period = \'week\': must be one of "billing_period", "day", "year"',
        ),
        (
            "name = 'T'\n[calendars]\n61 = ['soon']\n[[energy]]\nname = 'a'\n",
            "calendars.61[0] = 'soon': must be a date, written as in 2025-07-04",
        ),
        (
            "name = 'T'\nmetering = 'gross'\n[[energy]]\nname = 'a'\n",
            "metering = 'gross': must be one of ",
        ),
        (
            "name = 'T'\ndemand_interval_minutes = 7\n[[energy]]\nname = 'a'\n",
            "demand_interval_minutes = 7: must be a whole number of minutes that",
        ),
    ],
)
def test_bad_toml_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        Tariff.from_toml(text)
    assert message in str(caught.value)
