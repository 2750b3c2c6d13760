"""`bess sweep`: a file says what to sweep; the best ten are printed, a table and a page written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

import bess
from bess.cli import app

EXAMPLES = Path(__file__).parents[1] / "examples"
FILE = """
request = "request.json"
[batteries]
capacity_kwh = { from = 2, to = 6, step = 2 }
duration_hours = [1, 2]
"""
REQUEST = """{"fromDateTime": "2025-06-01T00:00:00Z", "timeZone": "UTC",
 "consumption": {"profileId": "home"}, "solar": {"profileId": "roof"},
 "storage": {"mainTariffId": "prices", "batteryDcCoupled": false,
             "dispatchStrategy": {"chargeOnSurplus": true}}}"""
COSTS = "[costs]\nper_kwh = 0.1\nyears = 2\n"


def command(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["sweep", *map(str, arguments)], env={"COLUMNS": "160"})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two days of a home with sun, prices, a request, and a sweep; commands run there."""
    clock = np.arange(48) % 24
    for name, energy in (
        ("home", 0.5 + 1.5 * (clock >= 18)),
        ("roof", np.maximum(0.0, 3 - abs(clock - 12.0))),
    ):
        (tmp_path / f"{name}.csv").write_text("kwh\n" + "\n".join(map(str, energy)))
    (tmp_path / "prices.json").write_text('{"importPrice": 0.3, "exportPrice": 0.1}')
    (tmp_path / "request.json").write_text(REQUEST)
    (tmp_path / "many.toml").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows_of(folder: Path, content: str) -> list[dict[str, object]]:
    parquet = pytest.importorskip("pyarrow.parquet")
    (folder / "many.toml").write_text(content)
    result = command("many.toml", "--out", "table.parquet", "--report", "page.html")
    assert result.exit_code == 0, result.output
    found: list[dict[str, object]] = parquet.read_table(folder / "table.parquet").to_pylist()
    return found


def test_the_table_is_that_of_the_sweep_in_python(folder: Path) -> None:
    rows = rows_of(folder, FILE)
    assert [(row["capacity_kwh"], row["duration_hours"]) for row in rows] == [
        (2, 1),
        (2, 2),
        (4, 1),
        (4, 2),
        (6, 1),
        (6, 2),
    ]
    clock = np.arange(48) % 24
    site = bess.Site(
        load_kwh=0.5 + 1.5 * (clock >= 18),
        solar_kwh=np.maximum(0.0, 3 - abs(clock - 12.0)),
        start="2025-06-01T00:00Z",
    )
    battery = bess.Battery(
        capacity_kwh=4, charge_power_kw=2, discharge_power_kw=2, dc_coupled=False
    )
    alone = bess.dispatch(site, battery, bess.Surplus(), prices=bess.Prices(0.3, 0.1))
    assert rows[3]["cost"] == pytest.approx(alone.cost)
    assert (folder / "page.html").read_text().startswith("<!DOCTYPE html>")


def test_the_best_ten_are_printed_and_the_best_size_is_found(folder: Path) -> None:
    size = "[size]\ncapacity_kwh = [0, 9]\npower_kw = [0.5, 4]\n"
    (folder / "many.toml").write_text(FILE + COSTS + size)
    result = command("many.toml")
    assert result.exit_code == 0, result.output
    assert "the best 6 of 6" in result.output
    assert "The best size" in result.output
    assert "Surplus is a rule" in result.output
    assert (folder / "out" / "many.html").exists()
    assert (folder / "out" / "many.parquet").exists()


def test_strategies_and_tariffs_are_combined_by_name(folder: Path) -> None:
    (folder / "dear.json").write_text('{"importPrice": 0.6, "exportPrice": 0.1}')
    asked = 'strategies = ["optimize", "chargeOnSurplus"]\ntariffs = ["prices", "dear"]\n'
    rows = rows_of(folder, asked + FILE)
    assert len(rows) == 2 * 2 * 6
    assert {(row["strategy"], next(v for k, v in row.items() if v in ("prices", "dear")))
            for row in rows} == {
        (how, paid) for how in ("Optimize", "Surplus") for paid in ("prices", "dear")
    }  # fmt: skip


def test_batteries_may_be_a_table_in_a_file(folder: Path) -> None:
    (folder / "offers.csv").write_text("capacity_kwh,power_kw,dc_coupled\n5,2.5,true\n7,3,false\n")
    table = 'request = "request.json"\n[batteries]\ntable = "offers.csv"\n'
    rows = rows_of(folder, table)
    assert [(row["capacity_kwh"], row["power_kw"], row["dc_coupled"]) for row in rows] == [
        (5, 2.5, True),
        (7, 3, False),
    ]
    text = (folder / "offers.csv").read_text().replace("7,", "-7,")
    (folder / "offers.csv").write_text(text)
    result = command("many.toml")
    assert result.exit_code == 1
    assert "many.toml.batteries.capacity_kwh[1] = -7.0: must be from" in result.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("capacity_kwh,power_kw\n", "cannot be read: it has no rows"),
        ("capacity_kwh,power_kw\n5,2,1\n6,2\n", "cannot be read: a row has more or fewer cells"),
        ("capacity_kwh,power_kw\n5\n", "cannot be read: a row has more or fewer cells"),
    ],
)
def test_a_table_without_rows_or_with_odd_ones_is_refused(
    folder: Path, text: str, message: str
) -> None:
    (folder / "offers.csv").write_text(text)
    (folder / "many.toml").write_text(
        'request = "request.json"\n[batteries]\ntable = "offers.csv"\n'
    )
    result = command("many.toml")
    assert result.exit_code == 1
    assert f"many.toml.batteries.table = 'offers.csv': {message}" in result.stderr


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("step = 2", "stop = 2", "many.toml.batteries.capacity_kwh = 'from, to, stop': must be {"),
        ("step = 2", "step = 0", "many.toml.batteries.capacity_kwh.step = 0.0: must lead"),
        ("step = 2", "count = 0", "many.toml.batteries.capacity_kwh.count = 0: must be a whole"),
        ("from = 2", "from = -2", "many.toml.batteries.capacity_kwh[0] = -2.0: must be from"),
        ("duration_hours", "hours", "many.toml.batteries.hours: is no parameter of a battery"),
        ("[batteries]", "strategy = 1\n[batteries]", "many.toml.strategy"),
        ("[batteries]", 'strategies = ["best"]\n[batteries]', "many.toml.strategies[0] = 'best'"),
        ("[batteries]", 'tariffs = ["none"]\n[batteries]', "many.toml.tariffs[0] = 'none'"),
        ("[batteries]", 'metrics = ["gain"]\n[batteries]', "many.toml.metrics[0] = 'gain': must"),
        ("[batteries]", "[costs]\nper_kwh = -1\n[batteries]", "many.toml.costs.per_kwh = -1"),
        ("[batteries]", "[size]\ncapacity_kwh = 3\n[batteries]", "many.toml.size: needs costs"),
        (
            "[batteries]",
            "[costs]\n[size]\ncapacity_kwh = [3]\nduration_hours = 2\n[batteries]",
            "many.toml.size.capacity_kwh = ",
        ),
        ("[batteries]", "[batteries", "many.toml: is no TOML"),
        ("request.json", "nowhere.json", "nowhere.json"),
    ],
)
def test_what_is_wrong_in_the_file_is_named_and_nothing_is_written(
    folder: Path, old: str, new: str, message: str
) -> None:
    (folder / "many.toml").write_text(FILE.replace(old, new))
    result = command("many.toml")
    assert result.exit_code == 1
    assert message in result.stderr
    assert not (folder / "out").exists()


def test_without_extras_the_best_are_printed_and_nothing_is_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bess.commands.sweep.find_spec", lambda name: None)
    result = command("many.toml")
    assert result.exit_code == 0, result.output
    assert "the best 6 of 6" in result.output
    assert "written" not in result.output
    assert not (folder / "out").exists()


def test_the_example_runs_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = command(EXAMPLES / "sweep.toml")
    assert result.exit_code == 0, result.output
    assert "the best 10 of 60" in result.output
    assert "proven: none is worth more" in result.output
