"""What the package promises before any number: its version's one place, its imports, its docs."""

from __future__ import annotations

import importlib.metadata
import inspect
import pickle
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bess

PROJECT = Path(__file__).parents[1]


def test_the_version_is_written_in_pyproject_alone() -> None:
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert importlib.metadata.version("bess-dispatch") == version

    sources = [PROJECT / "CMakeLists.txt"]
    for folder, pattern in (("python", "*.py"), ("python", "*.pyi"), ("cpp", "*.?pp")):
        sources += (PROJECT / folder).rglob(pattern)
    assert [str(path) for path in sources if version in path.read_text("utf-8")] == []


def test_the_package_says_it_is_typed() -> None:
    assert Path(bess.__file__).with_name("py.typed").is_file()


def test_importing_bess_imports_nothing_heavy() -> None:
    heavy = ("highspy", "pandas", "plotly", "pyarrow", "pyxirr", "rich", "typer")
    program = f"import bess, sys; print([name for name in {heavy} if name in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("name", bess.__all__)
def test_every_public_name_is_documented(name: str) -> None:
    value = getattr(bess, name)
    assert inspect.getdoc(value), f"bess.{name} has no docstring"
    if inspect.isclass(value) and value.__module__.startswith("bess"):
        undocumented = [
            member
            for member, thing in vars(value).items()
            if not member.startswith("_")
            and isinstance(thing, (property, staticmethod, classmethod, type(_function)))
            and not inspect.getdoc(getattr(value, member))
        ]
        assert undocumented == [], f"bess.{name} has members without a docstring"


def _function() -> None:
    """Its type is that of every plain method."""


SITE = bess.Site(
    load_kwh=[1, 2],
    solar_kwh=[3, 0],
    start="2025-03-09T01:00-08:00",
    time_zone="America/Los_Angeles",
)
PRICES = bess.Prices(import_price=[0.1, 0.4], export_price=0.05)
DEVICE = {
    "name": "battery",
    "collector": "main panel",
    "maximum_charging_power": 5000,
    "maximum_discharging_power": 5000,
    "operational_battery_capacity": 10000,
    "policies": [
        {
            "schedule": {"frequency": "once", "date_times": ["2025-03-09T03:00:00-07:00"]},
            "minimum_state_of_charge": 20,
            "maximum_state_of_charge": 100,
        }
    ],
}
PERIOD = {"touPeriods": [{"fromHour": 0, "toHour": 6}]}


@pytest.mark.parametrize(
    "model",
    [
        bess.Battery(capacity_kwh=13.5, terminal_state_of_charge="cyclic"),
        bess.BessDevice.model_validate(DEVICE),
        bess.BessDevice.model_validate(DEVICE).policies[0],
        bess.TimeOfUse.model_validate(PERIOD),
        bess.Surplus(),
        bess.FixedSchedule(charge=[PERIOD], discharge=[]),
        bess.PeakShave(target_kw=5),
        bess.Optimize(gap=1e-3),
        bess.Problem("storage.minSoc", "must be at most 1", 2),
    ],
    ids=lambda model: type(model).__name__,
)
def test_a_public_model_survives_pickling(model: Any) -> None:
    assert pickle.loads(pickle.dumps(model)) == model


def test_a_site_prices_and_a_signal_to_follow_survive_pickling_and_dispatch_alike() -> None:
    once = (SITE, bess.Follow(power_kw=[1, -1]), PRICES)
    again = pickle.loads(pickle.dumps(once))
    results = [
        bess.dispatch(site, bess.Battery(), follow, prices=prices)
        for site, follow, prices in (once, again)
    ]
    assert_same_results(*results)


def test_a_result_survives_pickling() -> None:
    result = bess.dispatch(SITE, bess.BessDevice.model_validate(DEVICE), bess.Surplus())
    assert_same_results(result, pickle.loads(pickle.dumps(result)))


def assert_same_results(one: bess.Result, other: bess.Result) -> None:
    assert list(one.flows) == list(other.flows)
    for name, values in one.flows.items():
        np.testing.assert_array_equal(other.flows[name], values, strict=True)
        assert not other.flows[name].flags.writeable
    for name in ("timestamps", "cost", "violations", "assumptions"):
        assert getattr(other, name) == getattr(one, name)
    assert list(other.devices) == list(one.devices)


@pytest.mark.parametrize(
    "error",
    [
        bess.InputError.at("storage.minSoc", "must be at most 1", 2),
        bess.InputError.at("storage.minSoc", "is required"),
        bess.InfeasibleError("no way", 3, "2025-03-09T03:00:00-07:00", 1.5),
        bess.SolverError("no answer"),
        bess.MissingExtraError("Parquet", "parquet"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_survives_pickling(error: bess.BessError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert (str(again), vars(again)) == (str(error), vars(error))
