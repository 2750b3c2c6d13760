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


def test_sites_strategies_and_tariffs_have_the_names_the_file_gives_them(folder: Path) -> None:
    (folder / "dark.json").write_text(REQUEST.replace('"solar": {"profileId": "roof"},', ""))
    (folder / "dear.json").write_text('{"importPrice": 0.6, "exportPrice": 0.1}')
    (folder / "power.csv").write_text("power_kw\n" + "-1\n1\n" * 24)
    asked = """
[requests]
today = "request.json"
"no sun" = "dark.json"
[tariffs]
now = "prices"
later = "dear"
[strategies]
best = { optimize = { gap = 1e-5 } }
rule = "chargeOnSurplus"
shave = { peakShave = { target_kw = 0.8 } }
night = { fixedSchedule = { chargeTous = [{ touPeriods = [{ fromHour = 0, toHour = 4 }] }] } }
given = { follow = { power_kw = "power.csv" } }
"""
    rows = rows_of(folder, asked + FILE.replace('request = "request.json"', ""))
    assert len(rows) == 2 * 2 * 5 * 6
    assert {row["site"] for row in rows} == {"today", "no sun"}
    assert {row["tariff"] for row in rows} == {"now", "later"}
    assert {row["strategy"] for row in rows} == {"best", "rule", "shave", "night", "given"}
    assert all(row["error"] is None for row in rows)
    listed = asked.replace('today = "request.json"\n"no sun" = "dark.json"\n', "")
    listed = 'requests = ["request.json", "dark.json"]' + listed.replace("[requests]", "")
    again = rows_of(folder, listed + FILE.replace('request = "request.json"', ""))
    assert {row["site"] for row in again} == {"request", "dark"}
    assert [row["cost"] for row in again] == [row["cost"] for row in rows]


def test_the_best_size_of_each_case_is_a_row(folder: Path) -> None:
    size = "[size]\ncapacity_kwh = [0, 9]\nduration_hours = 2\npoints = 3\n"
    asked = 'strategies = ["optimize", "chargeOnSurplus"]\n'
    (folder / "many.toml").write_text(asked + FILE + COSTS + size)
    result = command("many.toml")
    assert result.exit_code == 0, result.output
    assert "The best sizes" in result.output
    lines = [line.split() for line in result.output.splitlines()]
    assert any(line[:1] == ["Optimize"] and line[-3:] == ["less", "than", "0.01"] for line in lines)
    assert any(line[:1] == ["Surplus"] and line[-2:] == ["not", "proven"] for line in lines)
    page = (folder / "out" / "many.html").read_text()
    assert "<h2>The best sizes</h2>" in page


def test_what_is_assumed_of_profiles_is_printed(folder: Path) -> None:
    assert "assumed: consumption: home.csv" in command("many.toml").output


def test_a_folder_goes_on_where_it_was_left_and_is_of_one_sweep(folder: Path) -> None:
    pytest.importorskip("pyarrow.parquet")
    (folder / "many.toml").write_text('out = "parts"\nreport = "page.html"\n' + FILE)
    assert command("many.toml").exit_code == 0
    whole = bess.read_sweep(folder / "parts")["cost"]
    next((folder / "parts").glob("part-*.parquet")).unlink()
    assert command("many.toml").exit_code == 0
    assert (bess.read_sweep(folder / "parts")["cost"] == whole).all()
    assert (folder / "page.html").exists()
    (folder / "many.toml").write_text('out = "parts"\n' + FILE.replace("to = 6", "to = 8"))
    result = command("many.toml")
    assert result.exit_code == 1
    assert "holds another sweep, which differs in" in result.stderr


def test_an_interrupted_sweep_leaves_no_file_and_says_how_to_go_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("bess.sweeping.sweep.sweep", interrupted)
    result = command("many.toml")
    assert result.exit_code == 130
    assert result.stderr == "interrupted\n"
    assert not (folder / "out").exists()
    result = command("many.toml", "--out", "parts")
    assert result.stderr == "interrupted; the same command goes on in parts\n"


def test_past_peaks_and_a_cluster_reach_the_sweep(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "many.toml").write_text("past_peaks_kw = { x = [3, 4] }\n" + FILE)
    result = command("many.toml")
    assert "many.toml.past_peaks_kw.x: is no rate" in result.stderr
    pytest.importorskip("distributed")
    monkeypatch.setattr("bess.commands.sweep._CONNECTING", 0.1)
    (folder / "many.toml").write_text('cluster = "tcp://127.0.0.1:1"\n' + FILE)
    result = command("many.toml")
    assert "cluster = 'tcp://127.0.0.1:1': has no cluster" in result.stderr


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
        ("[batteries]", 'requests = ["request.json"]\n[batteries]', "many.toml.request: cannot be"),
        ('request = "request.json"', "", "many.toml.request: is required, or requests"),
        ('request = "request.json"', "requests = []", "many.toml.requests: must have at least one"),
        ('request = "request.json"', "requests = 5", "many.toml.requests = 5: must be a list of"),
        ('request = "request.json"', "requests = [5]", "many.toml.requests[0] = 5: must be a"),
        (
            'request = "request.json"',
            'requests = { a = "no.json" }',
            "many.toml.requests.a = 'no.json': cannot be read",
        ),
        (
            'request = "request.json"',
            'requests = ["request.json", "other.json"]',
            "many.toml.requests[1].storage: has another battery than the first, by dc_coupled",
        ),
        ("[batteries]", "tariffs = 3\n[batteries]", "many.toml.tariffs = 3: must be a list of"),
        ("[batteries]", "tariffs = [3]\n[batteries]", "many.toml.tariffs[0] = 3: must be the id"),
        (
            "[batteries]",
            'strategies = "optimize"\n[batteries]',
            "many.toml.strategies = 'optimize': must be a list of strategies",
        ),
        (
            "[batteries]",
            'strategies = ["optimise"]\n[batteries]',
            "many.toml.strategies[0] = 'optimise': must be one of optimize, chargeOnSurplus",
        ),
        (
            "[batteries]",
            "strategies = [{ optimize = { gapp = 1 } }]\n[batteries]",
            "many.toml.strategies[0].optimize.gapp = 1: is not a known field; did you mean gap?",
        ),
        (
            "[batteries]",
            "strategies = { a = { peakShave = { target_kw = -1 } } }\n[batteries]",
            "many.toml.strategies.a.peakShave.target_kw = -1: must be",
        ),
        (
            "[batteries]",
            "strategies = [{ shave = { target_kw = 1 } }]\n[batteries]",
            "many.toml.strategies[0] = 'shave': must be one of",
        ),
        (
            "[batteries]",
            "strategies = [{ fixedSchedule = { chargeTous = 3 } }]\n[batteries]",
            "many.toml.strategies[0].fixedSchedule.chargeTous = 3: must be",
        ),
        (
            "[batteries]",
            "strategies = [{ follow = { power_kw = [1, 2] } }]\n[batteries]",
            "many.toml.strategies[0].power_kw: has 2 values; the site has 48 steps",
        ),
        (
            "[batteries]",
            "strategies = [{ follow = { power_kw = 'home.csv' } }]\n[batteries]",
            "many.toml.strategies[0].follow.power_kw = 'home.csv': must have a column power_kw",
        ),
        ("[batteries]", "workers = 0\n[batteries]", "many.toml.workers = 0: must be a whole"),
        (
            "[batteries]",
            "[costs]\n[size]\ncapacity_kwh = 3\nduration_hours = 2\npoints = 0\n[batteries]",
            "many.toml.size.points = 0: must be a whole",
        ),
        ("[batteries]", 'report = "."\n[batteries]', ": it is a folder"),
        ("[batteries]", 'report = "home.csv/x.html"\n[batteries]', "is no folder to write to"),
        ("[batteries]", "[batteries", "many.toml: is no TOML"),
        ("request.json", "nowhere.json", "nowhere.json"),
    ],
)
def test_what_is_wrong_in_the_file_is_named_and_nothing_is_written(
    folder: Path, old: str, new: str, message: str
) -> None:
    (folder / "other.json").write_text(REQUEST.replace('"batteryDcCoupled": false,', ""))
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
    assert "none is worth more by" in result.output
    assert "less than 0.01" in result.output
