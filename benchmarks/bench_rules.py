"""One battery by a rule, ten series written: the kernel, the call around it, and the textbook."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import textbook
from numpy.typing import NDArray

import bess
from bess import _core
from bess.strategy import Rule, core_rule
from bess.unit import units_of

NANOSECOND, MICROSECOND = 1e-9, 1e-6

RULES: dict[str, Rule] = {
    "surplus": bess.Surplus(),
    "fixed schedule": bess.FixedSchedule(
        charge=[{"touPeriods": [{"fromHour": 0, "toHour": 6}]}],
        discharge=[{"touPeriods": [{"fromHour": 16, "toHour": 21}]}],
    ),
    "peak shaving": bess.PeakShave(target_kw=0.7),
}


def balance(site: bess.Site, series: NDArray[np.float64]) -> None:
    """Load and solar are accounted for in every step, and no flow is negative."""
    flows = dict(zip(("gs", "gb", "sb", "ss", "sg", "sc", "bs", "bg"), series[:8], strict=True))
    np.testing.assert_allclose(flows["gs"] + flows["ss"] + flows["bs"], site.load_kwh, atol=1e-12)
    direct = (flows["sb"] + flows["sc"]) * site.solar_dc_to_ac_efficiency  # DC-coupled
    np.testing.assert_allclose(flows["ss"] + flows["sg"] + direct, site.solar_kwh, atol=1e-12)
    assert series[:8].min() >= 0


def steps_of(homes: list[bess.Site]) -> int:
    return sum(home.steps for home in homes)


@pytest.mark.parametrize("instruction_set", _core.instruction_sets()[::-1])
@pytest.mark.parametrize("name", RULES)
def bench_kernel(
    benchmark: Any,
    reached: Callable[..., None],
    homes: list[bess.Site],
    battery: bess.Battery,
    name: str,
    instruction_set: str,
) -> None:
    rule = core_rule(RULES[name], homes[0].timeline, None)
    unit = units_of(homes[0], battery, (), {})[0].core_battery(homes[0].step_hours)
    sites = [home._core for home in homes]

    def all_homes() -> NDArray[np.float64] | None:
        series = None
        for site in sites:
            series = None  # its memory is used again
            series, _, _ = _core.dispatch_rule(site, unit, rule, [], instruction_set)
        return series

    benchmark.group = f"{name}, eight hourly years"
    series = benchmark(all_homes)
    reached(f"{name}, {instruction_set}: a step", 6 * NANOSECOND, per=steps_of(homes))
    balance(homes[-1], series)


@pytest.mark.benchmark(group="surplus, eight hourly years")
@pytest.mark.parametrize("language", ["C++", "numba"])
def bench_textbook(
    benchmark: Any,
    reached: Callable[..., None],
    homes: list[bess.Site],
    battery: bess.Battery,
    tmp_path: Path,
    language: str,
) -> None:
    in_cpp = language == "C++"
    loop = textbook.in_cpp(battery, tmp_path) if in_cpp else textbook.in_numba(battery)
    series = np.zeros((10, homes[0].steps))

    def all_homes() -> None:
        for home in homes:
            loop(home, series)

    all_homes()  # numba compiles, pages are touched
    benchmark(all_homes)
    reached(f"the textbook's surplus in {language}: a step", per=steps_of(homes))
    ours = bess.dispatch(homes[-1], battery, bess.Surplus())
    np.testing.assert_allclose(series, ours.series, atol=1e-9)


@pytest.mark.benchmark(group="a call of bess.dispatch, hourly year")
@pytest.mark.parametrize("name", RULES)
def bench_call(
    benchmark: Any,
    reached: Callable[..., None],
    hourly: bess.Site,
    battery: bess.Battery,
    name: str,
) -> None:
    """Repeated, each result dropped before the next: its memory is used again."""
    result = bess.dispatch(hourly, battery, RULES[name])  # the calendar is worked out once
    balance(hourly, result.series)
    benchmark(lambda: bess.dispatch(hourly, battery, RULES[name]) and None)
    reached(f"bess.dispatch, {name}, hourly year: a call", 150 * MICROSECOND)
