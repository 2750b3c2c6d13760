"""Calendars of holidays by name: which days they have, and tariffs that follow them."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bills import site
from tariffs import horizon, rate, series, tariff, tou

from bess import bill
from bess.errors import InputError, MissingExtraError
from bess.tariff import NamedCalendar, Tariff, load_export_rates, load_tariff
from bess.tariff.holiday_calendars import calendar_of

UTILITY = {
    "of": "US",
    "names": [
        *("New Year's Day", "Washington's Birthday", "Memorial Day", "Independence Day"),
        *("Labor Day", "Veterans Day", "Thanksgiving Day", "Christmas Day"),
    ],
    "observed": "sunday to monday",
}
PEAK = rate("peak", 0.5, rateGroupName="E", timeOfUse=tou(16, 21, touGroupId=1))
OFF = rate("off", 0.2, rateGroupName="E", timeOfUse=tou(21, 16, touGroupId=1, calendarId=61))


def days(calendar: Any, year: int) -> list[str]:
    found = calendar_of(calendar, "calendars.61")
    assert isinstance(found, NamedCalendar)
    return sorted(f"{day:%m-%d}" for day in found.days(year, year))


def test_nerc_keeps_six_holidays_and_moves_a_sunday_to_monday() -> None:
    six = ["01-01", "05-26", "07-04", "09-01", "11-27", "12-25"]
    assert days("NERC", 2025) == six
    assert days("NERC", 2022) == [
        *("01-01", "05-30", "07-04", "09-05", "11-24"),  # 1 January a Saturday: it stays
        *("12-25", "12-26"),  # a Sunday: the Monday as well
    ]


@pytest.mark.parametrize("name", ["sce_tou_d_prime", "pge_e_elec"])
def test_a_utilitys_holidays_are_picked_by_name(shared_data: Path, name: str) -> None:
    file = shared_data / "tariffs" / "residential_tou" / f"{name}_2025_holidays.csv"
    published = [day[5:] for day in file.read_text("utf-8").splitlines()[1].split(",")]
    assert days(UTILITY, 2025) == published


def test_observed_days_are_the_calendars_own_unless_said_otherwise() -> None:
    fourth = {"of": "US", "names": ["Independence Day"]}
    assert days(fourth, 2026) == ["07-03", "07-04"]  # a Saturday, kept on the Friday
    assert days(fourth | {"observed": "no"}, 2026) == ["07-04"]
    assert days(fourth | {"observed": "sunday to monday"}, 2026) == ["07-04"]
    assert days(fourth | {"also": ["2026-07-06"]}, 2026) == ["07-03", "07-04", "07-06"]


def test_states_and_markets_have_calendars() -> None:
    assert "03-31" in days("US-CA", 2025)  # Cesar Chavez Day
    assert "04-18" in days("XNYS", 2025)  # Good Friday
    assert "06-19" in days("DE-BY", 2025)  # Corpus Christi


def test_a_tariff_follows_a_named_calendar_in_every_year_it_is_billed() -> None:
    loaded = load_tariff(tariff(PEAK, OFF, timeZone="America/New_York"), calendars={61: "NERC"})
    zone = "America/New_York"
    for year, monday in ((2025, False), (2022, True)):
        boxing_day = horizon(f"{year}-12-26T00:00-05:00", 24, time_zone=zone)
        assert (series(loaded, boxing_day)[0] == [0.2] * 24) is monday
    again = Tariff.from_toml(loaded.to_toml())
    christmas = horizon("2031-12-25T00:00-05:00", 24, time_zone=zone)
    assert series(again, christmas)[0] == [0.2] * 24
    assert again.to_toml() == loaded.to_toml()


def test_toml_names_calendars_by_text_or_table() -> None:
    text = """
name = "T"
[calendars]
holidays = {of = "US", names = ["Labor Day"]}
more = "NERC"
[[energy]]
name = "base"
price = 0.2
[[energy]]
name = "holiday"
price = -0.1
times = [{touPeriods = [{fromHour = 8, toHour = 10, calendar = "holidays"}]}]
"""
    first = horizon("2025-09-01T00:00Z", 24)
    assert series(Tariff.from_toml(text), first)[0] == [0.2] * 8 + [0.1] * 2 + [0.2] * 14
    wrong = text.replace('calendar = "holidays"', 'calendar = "holiday"')
    with pytest.raises(InputError) as caught:
        Tariff.from_toml(wrong)
    assert str(caught.value) == (
        "energy[1].times: names the calendar holiday, which [calendars] lacks "
        "(it has holidays, more)"
    )


def test_export_rates_take_a_calendar_by_name(tmp_path: Path) -> None:
    head = "DateStart,DateEnd,TimeStart,TimeEnd,DayTypeStart,DayTypeEnd,Value,Unit\n"
    file = tmp_path / "rates.csv"
    file.write_text(
        head
        + "2025-01-01,2025-12-31,00:00:00,23:59:59,1,7,0.05,$/kWh\n"
        + "2025-01-01,2025-12-31,00:00:00,23:59:59,8,8,0.5,$/kWh\n"
    )
    rates = load_export_rates(file, holidays="NERC")
    eve = horizon("2025-12-24T00:00Z", 48)
    assert rates.on(eve, None)[1].tolist() == [0.05] * 24 + [0.5] * 24


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            "2025",
            "calendars.61 = '2025': is not a known calendar (NERC, a country such as US, US-CA, "
            "XNYS)",
        ),
        (7, "calendars.61 = 7: must be a list of dates, or the name of a calendar"),
        ({"names": []}, "calendars.61.of: is required: the name of a calendar, such as US or NERC"),
        ({"of": 3}, "calendars.61.of = 3: must be the name of a calendar, a string"),
        ({"of": "US", "name": []}, "calendars.61.name: is not a known field; did you mean names?"),
        (
            {"of": "NERC", "names": [[]]},
            "calendars.61.names[0] = []: is no holiday of NERC; known: Christmas Day, "
            "Independence Day, Labor Day, Memorial Day, New Year's Day, Thanksgiving Day",
        ),
        ({"of": "US", "names": "Labor Day"}, "calendars.61.names = 'Labor Day': must be a list"),
        (
            {"of": "US", "names": ["Labour Day"]},
            "calendars.61.names[0] = 'Labour Day': is no holiday of US; did you mean Labor Day?",
        ),
        (
            {"of": "US", "observed": "always"},
            "calendars.61.observed = 'always': must be one of \"as published\", "
            '"sunday to monday", "no"',
        ),
        (
            {"of": "US", "also": ["soon"]},
            "calendars.61.also[0] = 'soon': must be a date, written as in 2025-07-04",
        ),
        (["soon"], "calendars.61[0] = 'soon': must be a date, written as in 2025-07-04"),
    ],
)
def test_what_names_no_calendar_is_refused(given: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        calendar_of(given, "calendars.61")
    assert str(caught.value) == message


def test_without_the_extra_a_name_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from bess.tariff import holiday_calendars

    monkeypatch.setitem(sys.modules, "holidays", None)
    holiday_calendars._known.cache_clear()
    holiday_calendars._named.cache_clear()
    with pytest.raises(MissingExtraError, match=r"needs an extra: .*bess-dispatch\[holidays\]"):
        load_tariff(tariff(PEAK, OFF), calendars={61: "NERC"})
    holiday_calendars._known.cache_clear()


def test_explicit_dates_need_no_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "holidays", None)
    loaded = load_tariff(tariff(PEAK, OFF), calendars={61: [date(2025, 7, 4)]})
    assert bill(site(np.ones(24), start="2025-07-04T00:00Z"), loaded).total == pytest.approx(4.8)
