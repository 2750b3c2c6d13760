"""What the benchmarks share: a home, real prices if there are any, and goals to be held against."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import bess

EXAMPLES = Path(__file__).parents[1] / "examples"
START, ZONE = "2025-01-01T00:00:00-08:00", "America/Los_Angeles"


@dataclass(frozen=True)
class Reached:
    """The least, median and worst time of a thing, in seconds, and what the least should be."""

    what: str
    seconds: float
    median: float
    worst: float
    goal: float | None

    def __str__(self) -> str:
        goal = "" if self.goal is None else f"   goal {_in_words(self.goal)}"
        times = "".join(f"{_in_words(s):>10}" for s in (self.seconds, self.median, self.worst))
        return f"{self.what:<64}{times}{goal}"


def _in_words(seconds: float) -> str:
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


_REACHED = pytest.StashKey[list[Reached]]()


@pytest.fixture
def reached(request: pytest.FixtureRequest, benchmark: Any) -> Callable[..., None]:
    """Notes the benchmark's times for the summary: ``reached(what, goal, per=count)``."""

    def note(what: str, goal: float | None = None, per: int = 1) -> None:
        if benchmark.stats is not None:  # None where timing is switched off
            found = benchmark.stats.stats
            line = Reached(what, found.min / per, found.median / per, found.max / per, goal)
            request.config.stash.setdefault(_REACHED, []).append(line)

    return note


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Sets what was reached against the goals."""
    lines = config.stash.get(_REACHED, [])
    if lines:
        terminalreporter.section("least, median and worst times, and goals for the least")
        for line in lines:
            terminalreporter.line(str(line))


@pytest.fixture(scope="session")
def home_kwh() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Load and solar of a measured home, kWh in each hour of a year."""
    return home()


def home() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The same."""
    table = np.loadtxt(EXAMPLES / "fontana-home.csv", delimiter=",", skiprows=1, usecols=(1, 2))
    return np.ascontiguousarray(table[:, 0]), np.ascontiguousarray(table[:, 1])


@pytest.fixture(scope="session")
def hourly(home_kwh: tuple[NDArray[np.float64], NDArray[np.float64]]) -> bess.Site:
    """The home, 8,760 hours."""
    return hourly_site(*home_kwh)


@pytest.fixture(scope="session")
def homes(home_kwh: tuple[NDArray[np.float64], NDArray[np.float64]]) -> list[bess.Site]:
    """Eight homes alike: the same year over and over would be learnt by a branch predictor."""
    load, solar = home_kwh
    six_weeks = 6 * 7 * 24
    return [hourly_site(np.roll(load, i * six_weeks), solar) for i in range(8)]


def hourly_site(load: NDArray[np.float64], solar: NDArray[np.float64]) -> bess.Site:
    """A home of so much load and sun."""
    return bess.Site(load_kwh=load, solar_kwh=solar, start=START, time_zone=ZONE)


@pytest.fixture(scope="session")
def quarter_hourly(home_kwh: tuple[NDArray[np.float64], NDArray[np.float64]]) -> bess.Site:
    """The home, each hour in four equal quarters."""
    load, solar = (np.repeat(series, 4) / 4 for series in home_kwh)
    return bess.Site(load_kwh=load, solar_kwh=solar, start=START, step_hours=0.25, time_zone=ZONE)


@pytest.fixture(scope="session")
def battery() -> bess.Battery:
    """A usual home battery: 13.5 kWh, 5 kW."""
    return bess.Battery(capacity_kwh=13.5, charge_power_kw=5, discharge_power_kw=5)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real inputs."""
    folder = shared_folder()
    if not folder.is_dir():
        pytest.skip(f"no shared data at {folder}")
    return folder


def shared_folder() -> Path:
    """Where real inputs are, if there are any."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    return Path(os.environ.get("BESS_SHARED_DATA", beside))
