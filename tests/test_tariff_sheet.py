"""What `bess tariff show` prints: rates and when they hold, prices by month and hour."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bills import hours, make
from rich.console import Console
from tariffs import SUMMER, load, rate, tou

from bess import load_tariff
from bess.tariff import (
    Band,
    DemandBand,
    DemandRate,
    EnergyRate,
    FixedCharge,
    PriceSeries,
    load_export_rates,
)
from bess.tariff.hours import month_seasons
from bess.tariff.sheet import export_sheet, rate_sheet
from bess.tariff.terminal_map import terminal_map
from bess.tariff.wording import when_in_words
from bess.time_of_use import TimeOfUse

EXAMPLES = Path(__file__).parents[1] / "examples"


def printed(parts: Any) -> list[str]:
    out = io.StringIO()
    console = Console(width=140, file=out, highlight=False)
    for part in parts:
        console.print(part)
    return [line.rstrip() for line in out.getvalue().splitlines()]


def row(lines: Sequence[str], *cells: str) -> bool:
    """Whether a line has these cells, in order."""
    found = [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]
    return any(own[: len(cells)] == list(cells) for own in found)


@pytest.mark.parametrize(
    ("time", "words"),
    [
        ({"touPeriods": [{"fromHour": 16, "toHour": 21, "toDayOfWeek": 4}]}, "Mon-Fri 16-21"),
        ({"touPeriods": [{"fromHour": 21, "toHour": 0}], "season": SUMMER}, "Jun-Sep, 21-24"),
        ({"touPeriods": [{"fromHour": 0, "toHour": 0, "fromDayOfWeek": 6}]}, "Sun"),
        ({"touPeriods": [{"fromHour": 15, "fromMinute": 30, "toHour": 16}]}, "15:30-16"),
        (
            {"touPeriods": [{"fromHour": 0, "toHour": 0, "toDayOfWeek": 0}], "calendarId": 61},
            "Mon; holidays whole",
        ),
        (
            {"touPeriods": [{"fromHour": 9, "toHour": 10, "exceptCalendar": "x"}]},
            "every day but holidays 9-10",
        ),
        (
            {
                "touPeriods": [{"fromHour": 0, "toHour": 0}],
                "season": {
                    "seasonFromMonth": 3,
                    "seasonFromDay": 15,
                    "seasonToMonth": 4,
                    "seasonToDay": 14,
                },
            },
            "15 Mar-14 Apr",
        ),
    ],
)
def test_when_a_time_of_use_holds_is_said_in_words(time: Any, words: str) -> None:
    assert when_in_words([TimeOfUse.model_validate(time)]) == words


def test_when_the_hours_of_a_matrix_are_said() -> None:
    assert when_in_words([hours(*range(8))]) == "0-8"
    assert when_in_words([hours(*range(24))]) == ""
    assert when_in_words([hours()]) == "never"
    assert when_in_words((), month_seasons([6, 7])) == "Jun-Jul"


def test_a_sheet_has_a_row_for_each_band_and_says_when() -> None:
    tariff = make(
        EnergyRate("tiers", bands=(Band(0.1, limit_kwh=2000), Band(0.2)), times=(hours(7, 8),)),
        EnergyRate("nothing"),
        EnergyRate("live", prices=PriceSeries(np.array([0.1, 0.5]), np.zeros(2))),
        EnergyRate("net", price=0.1, settlement="day"),
        demand_rates=(
            DemandRate("d", bands=(DemandBand(1.0, 50), DemandBand(2.0)), window=(hours(16),)),
        ),
        fixed_charges=(FixedCharge("summer fee", 3.0, seasons=month_seasons([6, 7, 8])),),
    )
    lines = printed(rate_sheet(tariff))
    assert row(lines, "tiers", "import", "0.1", "kWh up to 2,000 kWh", "7-9")
    assert row(lines, "", "", "0.2", "kWh above", "")
    assert row(lines, "live", "import", "0.1 to 0.5", "kWh, by step", "")
    assert row(lines, "net", "import, net of a day", "0.1", "kWh", "")
    assert row(lines, "d", "demand", "1", "kW up to 50 kW", "16-17")
    assert row(lines, "summer fee", "fixed", "3", "month", "Jun-Aug")
    assert "not shown: 1 energy rate of price 0" in lines


def test_a_flat_price_is_a_line_and_a_week_of_like_days_one_map() -> None:
    flat = printed(rate_sheet(make(EnergyRate("e", price=0.25))))
    assert "money per kWh imported: 0.25 at all hours" in flat
    alike = printed(rate_sheet(load(rate("a", 0.2), rate("peak", 0.1, timeOfUse=tou(16, 21)))))
    assert "every day, hour by hour" in alike
    assert "    0     3     6     9     12    15    18    21" in alike
    assert f"Jan {'aa' * 16}{'bb' * 5}{'aa' * 3}" in alike
    assert "money per kWh imported: a 0.2, b 0.3" in alike


def test_many_prices_are_put_into_ten_groups() -> None:
    prices = np.arange(576.0).reshape(2, 12, 24)
    lines = printed(terminal_map(prices, "x"))
    assert lines[2] == f"Jan {'00' * 24}"
    assert lines[-1].startswith("x: 0 from 0, 1 from 57.5, 2 from 115")
    assert lines[-1].endswith("up to 575")


def test_export_rates_are_shown_by_year(tmp_path: Path) -> None:
    file = tmp_path / "rates.csv"
    file.write_text(
        "DateStart,DateEnd,TimeStart,TimeEnd,DayTypeStart,DayTypeEnd,Value\n"
        "2025-01-01,2025-12-31,00:00:00,11:59:59,1,8,0.05\n"
        "2025-01-01,2025-12-31,12:00:00,23:59:59,1,8,0.5\n"
    )
    lines = printed(export_sheet(load_export_rates(file), "rates"))
    assert lines[:2] == [
        "rates: export rates",
        "2 rows from 2025-01-01 to 2025-12-31, 0.05 to 0.5 $/kWh; add them to a tariff with "
        "Tariff.with_export_rates",
    ]
    assert f"Dec {'aa' * 12}{'bb' * 12}" in lines


def test_every_shared_tariff_has_a_sheet(shared_data: Path) -> None:
    folder = shared_data / "tariffs"
    options = {"property_inputs": {"territoryId": None}, "missing": "zero"}
    territories = {"coned": 3632, "nimo": 3631, "pepco": 3641}
    for file in [*folder.glob("urdb/*.json"), *folder.glob("genability/*.json")]:
        place = territories.get(file.stem.partition("_")[0])
        options["property_inputs"] = {} if place is None else {"territoryId": place}
        lines = printed(rate_sheet(load_tariff(file, **options)))  # type: ignore[arg-type]
        assert any("per kWh imported" in line for line in lines), file.stem
        assert not any(line.startswith("no map") for line in lines), file.stem
    for file in folder.glob("export_rates/*.csv"):
        assert "2026" in printed(export_sheet(load_export_rates(file), file.stem))
    for file in EXAMPLES.glob("tariff_*"):
        assert printed(rate_sheet(load_tariff(file)))
