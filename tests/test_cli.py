"""The command line: what it writes, what it prints, and how it fails."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
from storage_requests import day, home
from test_device import DEVICE
from typer.testing import CliRunner, Result

import bess.outputs
from bess.cli import app
from bess.errors import InputError

EXAMPLES = Path(__file__).parents[1] / "examples"


def bess_command(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a day's request, its profiles and a tariff, in which commands run."""
    for name, energy in home(1).items():
        (tmp_path / f"{name}.csv").write_text("kwh\n" + "\n".join(map(str, energy)))
    request = day({"chargeOnSurplus": True}) | {
        "providerProfileId": "after/storage",
        "profileName": "One day",
    }
    (tmp_path / "request.json").write_text(json.dumps(request))
    (tmp_path / "prices.json").write_text('{"importPrice": 0.3, "exportPrice": 0.1}')
    (tmp_path / "device.json").write_text(json.dumps(DEVICE))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_run_writes_the_answer_the_profiles_and_the_flows(folder: Path) -> None:
    result = bess_command("run", "request.json", "--out", "out")
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in Path("out").iterdir()) == [
        "after_storage-solar.json",
        "after_storage-storage.json",
        "after_storage-usage.json",
        "answer.json",
        "flows.csv",
        "flows.json",
        "flows.parquet",
    ]
    answer = json.loads(Path("out/answer.json").read_text())
    usage = json.loads(Path("out/after_storage-usage.json").read_text())
    assert usage == answer["profiles"][0]
    flows = json.loads(Path("out/flows.json").read_text())
    assert flows == answer["storageOptimizationResponse"]
    with Path("out/flows.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["timestamp"] == "2025-01-06T00:00:00-08:00"
    assert [float(row["battery_soc"]) for row in rows] == flows["batterySoc"]
    table = pyarrow.parquet.read_table("out/flows.parquet")
    assert table.column("net_load_kwh_ac").to_pylist() == flows["netLoadKwhAc"]
    assert str(table.schema.field("timestamp").type) == "timestamp[ms, tz=America/Los_Angeles]"


def test_a_run_prints_what_a_person_wants_to_know(folder: Path) -> None:
    output = bess_command("run", "request.json").output
    for text in (
        "One day",
        "2025-01-06 00:00 to 2025-01-07 00:00, 24 steps of 60 min",
        "load alone",
        "peak import (kW)",
        "cost",
        "solar to battery",
        "equivalent full cycles",
        "stored energy left (kWh)",
        "Policies missed",
        "no mainTariffId: prices.json, the only tariff given, is used",
    ):
        assert text in output
    assert Path("out/request/answer.json").is_file()


def test_the_meter_before_and_after_adds_up(folder: Path) -> None:
    lines = bess_command("run", "request.json").output.splitlines()
    cells = {
        parts[1].strip(): [float(part) for part in parts[2:-1]]
        for parts in (line.split("│") for line in lines)
        if len(parts) == 6
    }
    profiles = home(1)
    load, solar = profiles["sins-example-jun23-bills"], profiles["sins-example-jun23-solar"]
    imports, exports = np.maximum(load - solar, 0).sum(), np.maximum(solar - load, 0).sum()
    assert cells["import (kWh)"][:2] == pytest.approx([load.sum(), imports], abs=0.05)
    assert cells["export (kWh)"][:2] == pytest.approx([0, exports], abs=0.05)
    assert cells["cost"][:2] == pytest.approx(
        [0.3 * load.sum(), 0.3 * imports - 0.1 * exports], abs=0.005
    )
    assert cells["cost"][2] < cells["cost"][1]


def test_devices_take_the_place_of_the_requests_battery(folder: Path) -> None:
    request = json.loads(Path("request.json").read_text())
    request["storage"]["batteryNameplateCapacity"] = 7
    Path("request.json").write_text(json.dumps(request))
    second = DEVICE | {"name": "second"}
    Path("second.json").write_text(json.dumps([second]))
    result = bess_command(
        "run", "request.json", "--device", "device.json", "--device", "second.json"
    )
    assert result.exit_code == 0, result.output
    assert DEVICE["name"] in result.output
    assert "second" in result.output
    answer = json.loads(Path("out/request/answer.json").read_text())
    assert "--device replaces batteryNameplateCapacity" in answer["assumptions"]


def test_profiles_and_tariffs_may_lie_elsewhere(folder: Path, tmp_path: Path) -> None:
    for name in ("profiles", "tariffs"):
        Path(name).mkdir()
    for path in folder.glob("sins-*.csv"):
        shutil.move(path, Path("profiles"))
    shutil.move("prices.json", "tariffs")
    assert bess_command("run", "request.json").exit_code == 1
    result = bess_command("run", "request.json", "--profiles", "profiles", "--tariffs", "tariffs")
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "error: request.json: cannot be read: No such file or directory\n"),
        ("{", "error: request.json: is not JSON"),
        ("[]", "error: []: must be an object\n"),
        (
            '{"fromDateTime": "2025-01-06", "consumption": {}}',
            "errors:\nfromDateTime = '2025-01-06': must be",
        ),
    ],
)
def test_bad_input_ends_with_the_error_alone(folder: Path, text: str | None, message: str) -> None:
    Path("request.json").unlink()
    if text is not None:
        Path("request.json").write_text(text)
    result = bess_command("run", "request.json")
    assert result.exit_code == 1
    assert result.stderr.startswith(message)
    assert result.stdout == ""
    assert not Path("out").exists()


def test_an_error_shows_no_traceback_in_a_real_shell(folder: Path) -> None:
    Path("sins-example-jun23-bills.csv").write_text("kwh\n-1\n")
    program = "from bess.cli import main; main()"
    run = subprocess.run(
        [sys.executable, "-c", program, "run", "request.json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert run.stdout == ""
    assert run.stderr == (
        "error: sins-example-jun23-bills.csv line 2, kwh = '-1': must be a finite number ≥ 0\n"
    )


def test_files_of_an_earlier_run_are_replaced_and_others_kept(folder: Path) -> None:
    Path("out").mkdir()
    Path("out/answer.json").write_text("old")
    Path("out/notes.txt").write_text("mine")
    assert bess_command("run", "request.json", "--out", "out").exit_code == 0
    assert json.loads(Path("out/answer.json").read_text())["profiles"]
    assert Path("out/notes.txt").read_text() == "mine"


def test_where_writing_fails_nothing_is_left(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = sorted(folder.rglob("*"))
    Path("taken").write_text("a file")
    result = bess_command("run", "request.json", "--out", "taken")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: taken: cannot be written: ")
    Path("taken").unlink()

    def fail(*_: Any) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(InputError, match="out: cannot be written: No space left on device"):
        bess.outputs.write_files(Path("out"), {"a": b"1", "b": b"2"})
    assert sorted(folder.rglob("*")) == before


VARIABLE = {
    "tariffId": 7,
    "tariffName": "Variable",
    "rates": [
        {
            "rateName": "Energy",
            "chargeType": "CONSUMPTION_BASED",
            "transactionType": "BUY_IMPORT",
            "variableRateKey": "energyCost",
            "rateBands": [{"rateAmount": 1.0}],
        }
    ],
}


def test_a_tariffs_variable_rates_are_given_on_the_command_line(folder: Path) -> None:
    (folder / "prices.json").write_text(json.dumps(VARIABLE))
    missing = bess_command("run", "request.json")
    assert missing.exit_code == 1
    assert "variable_rates: must give the prices of energyCost" in missing.output
    given = bess_command("run", "request.json", "--rate", "energyCost=0.25", "--out", "given")
    assert given.exit_code == 0, given.output
    zero = bess_command("run", "request.json", "--missing", "zero", "--out", "zero")
    assert "variable rates not given are taken as 0: energyCost" in zero.output
    costs = [json.loads(Path(out, "answer.json").read_text())["cost"] for out in ("given", "zero")]
    assert costs[0] > 0
    assert costs[1] == 0
    wrong = bess_command("run", "request.json", "--rate", "energyCost")
    message = "error: --rate = 'energyCost': must be KEY=PRICE, as in energyCost=0.08"
    assert wrong.output.strip() == message


def test_a_device_is_checked_and_its_next_instants_are_printed() -> None:
    result = bess_command(
        "device", "check", EXAMPLES / "device.json", "--after", "2025-07-01T00:00Z", "--count", 2
    )
    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        "garage_battery at main_panel is valid",
        "  13.5 kWh, charging 5 kW at 95 %, discharging 5 kW at 95 %",
        "  policies[0]: 30 to 100 % of capacity",
        "    2025-07-01T06:30:00-07:00 (Tuesday)",
        "    2025-07-02T06:30:00-07:00 (Wednesday)",
        "  policies[1]: 90 to 100 % of capacity",
        "    2025-07-04T17:00:00-07:00 (Friday)",
        "    2025-12-24T16:00:00-08:00 (Wednesday)",
    ]


def test_a_bad_device_is_refused(folder: Path) -> None:
    Path("device.json").write_text(json.dumps(DEVICE | {"maximum_charging_power": 0}))
    result = bess_command("device", "check", "device.json")
    assert result.exit_code == 1
    assert result.stderr == (
        "error: device.json.maximum_charging_power = 0: must be greater than 0\n"
    )


def test_the_version_is_printed() -> None:
    assert bess_command("--version").output == f"{version('bess-dispatch')}\n"


@pytest.mark.parametrize(
    "name", ["charge_on_surplus", "fixed_schedule", "device_on_surplus", "savings"]
)
def test_the_shipped_requests_run(tmp_path: Path, name: str) -> None:
    result = bess_command("run", EXAMPLES / f"{name}.json", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "8,760 steps of 60 min" in result.output


def test_a_tariff_is_shown_with_what_is_ignored_and_its_prices(folder: Path) -> None:
    record = {
        "name": "Two tiers",
        "energyratestructure": [[{"rate": 0.1, "max": 50}, {"rate": 0.2}], [{"rate": 0.3}]],
        "energyweekdayschedule": [[int(hour >= 18) for hour in range(24)]] * 12,
        "energyweekendschedule": [[0] * 24] * 12,
        "demandratestructure": [[{"rate": 5}]],
        "demandreactivepowercharge": 0.5,
    }
    (folder / "urdb.json").write_text(json.dumps(record))
    result = bess_command("tariff", "show", "urdb.json")
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    for words in (
        "kWh up to 50 kWh",
        "demand period 0",
        "ignored: demandreactivepowercharge (0.5): reactive power, not billed",
        "Jan " + "a" * 36 + "b" * 12,
        "Jan " + "a" * 48,
        "USD per kWh imported: a 0.1, b 0.3",
    ):
        assert any(words in line for line in lines), words
    refused = bess_command("tariff", "show", "urdb.json", "--property", "nothing")
    assert refused.exit_code == 1
    assert "--property = 'nothing': must be KEY=VALUE" in refused.output
