"""Every shared tariff optimised on an hourly year: a suite of its own.

`pytest -m slow tests/test_urdb_optimum.py -s` prints a row for each: what the tariff has, what the
year costs, the gap that is proven and the seconds that it took.
"""

from __future__ import annotations

import os
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import bess
from bess.errors import InputError
from bess.tariff import Tariff, load_tariff

pytestmark = pytest.mark.slow

FOLDER = Path(os.environ.get("BESS_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
URDB = sorted(path.stem for path in FOLDER.glob("tariffs/urdb/*.json"))
GENABILITY = sorted(path.stem for path in FOLDER.glob("tariffs/genability/*.json"))
TERRITORY = {"coned": "3634", "nimo": "3631", "pepco": "3641"}
LARGE = ("industrial", "e20", "tou8", "gsldt1", "4b", "a3__", "gs3", "sc9", "llp")
"""Parts of the names of tariffs for sites of a megawatt and more."""
SECONDS = 120.0


def column(path: Path) -> NDArray[np.float64]:
    return np.loadtxt(path, delimiter=",", skiprows=1)


def place(name: str, folder: Path, days: int) -> tuple[bess.Site, bess.Battery]:
    """A home, a shop with 100 kW of solar, or five of them, as the tariff is meant for."""
    sun = column(folder / "pv" / "phoenix_tmy_pvwattsv8_kwac_per_kwdc_60min.csv")
    if name.startswith("residential") or name in GENABILITY:
        load = column(folder / "loads" / "sam_default_residential_load_phoenix_60min.csv")
        scale, solar_kw, capacity, power = 1.0, 6.0, 13.5, 5.0
    else:
        load = column(folder / "loads" / "sam_default_commercial_load_60min.csv")
        scale, solar_kw, capacity, power = 1.0, 100.0, 400.0, 100.0
        if any(part in name for part in LARGE):
            scale = 5.0
    site = bess.Site(
        load_kw=scale * load[: 24 * days],
        solar_kw=scale * solar_kw * sun[: 24 * days],
        start="2025-01-01T00:00-07:00",
        time_zone="America/Phoenix",
    )
    battery = bess.Battery(
        capacity_kwh=scale * capacity,
        charge_power_kw=scale * power,
        discharge_power_kw=scale * power,
        dc_coupled=False,
    )
    return site, battery


def features(tariff: Tariff) -> str:
    """What the tariff has beyond prices, in a few words."""
    banded = [rate for rate in tariff.rates if rate.bands]
    found = [tariff.metering.replace("_", " ")]
    falling = sum(any(b.price < a.price for a, b in pairwise(rate.bands)) for rate in banded)
    for count, what in (
        (len(banded), "banded rates"),
        (falling, "of them falling"),
        (len(tariff.demand_rates), "demand rates"),
        (sum(bool(rate.bands) for rate in tariff.demand_rates), "of them banded"),
        (sum(rate.ratchet is not None for rate in tariff.demand_rates), "ratchets"),
        (len(tariff.minimum_charges), "minimum charges"),
        (len(tariff.percentages), "percentages"),
    ):
        if count:
            found.append(f"{count} {what}")
    return ", ".join(found)


def check(name: str, tariff: Tariff, folder: Path, days: int = 365) -> None:
    """Optimise a year and assert that it is billed, proven and no dearer than a rule."""
    site, battery = place(name, folder, days)
    surplus = bess.dispatch(site, battery, bess.Surplus(), tariff=tariff)
    end = max(float(surplus.battery_soc[-1]), battery.min_state_of_charge)
    ends = battery.model_copy(update={"terminal_state_of_charge": end})
    began = time.perf_counter()
    result = bess.dispatch(site, ends, bess.Optimize(time_limit=SECONDS), tariff=tariff)
    seconds = time.perf_counter() - began
    assert result.cost is not None
    assert result.lower_bound is not None
    assert result.gap is not None
    print(
        f"\n{name[:58]:58} {surplus.cost:14,.2f} {result.cost:14,.2f} {result.gap:8.1e} "
        f"{seconds:7.1f} s  {features(tariff)}",
        end="",
    )
    bill = bess.bill(result, tariff)
    scale = max(1.0, sum(abs(line.amount) for line in bill.lines))
    assert abs(result.cost - bill.total - result.degradation_cost) <= 1e-9 * scale
    assert result.bill is not None
    assert result.bill.lines == bill.lines
    assert result.battery_soc[-1] >= end - 1e-9
    assert result.lower_bound <= result.cost + 1e-9 * scale
    assert result.cost - result.lower_bound <= (result.gap + 1e-9) * 4 * scale
    assert result.cost <= surplus.cost + 1e-6 * scale
    assert result.gap <= 1e-6


@pytest.mark.parametrize("name", URDB)
def test_a_year_on_an_urdb_tariff_is_optimised(name: str) -> None:
    check(name, load_tariff(FOLDER / "tariffs" / "urdb" / f"{name}.json"), FOLDER)


@pytest.mark.parametrize("name", GENABILITY)
def test_a_year_on_a_genability_tariff_is_optimised(name: str) -> None:
    file = FOLDER / "tariffs" / "genability" / f"{name}.json"
    inputs = {"territoryId": TERRITORY[key]} if (key := name.partition("_")[0]) in TERRITORY else {}
    try:
        tariff = load_tariff(file, missing="zero", property_inputs=inputs)
    except InputError as error:
        pytest.skip(f"does not load: {error}")
    check(name, tariff, FOLDER)


@pytest.mark.parametrize("metering", ["net_billing", "net_metering", "buy_all_sell_all"])
@pytest.mark.parametrize("name", ["commercial_tou_demand__sce_tou8_optD__2024"])
def test_a_year_is_optimised_under_every_metering(name: str, metering: str) -> None:
    """A week where the sun has a meter of its own: in every sunny hour it would pay to pass it
    through the battery, so each has a binary."""
    file = FOLDER / "tariffs" / "urdb" / f"{name}.json"
    if not file.exists():
        pytest.skip(f"no shared data at {FOLDER}")
    tariff = Tariff.from_urdb(file, metering=metering)  # type: ignore[arg-type]
    check(name, tariff, FOLDER, 7 if metering == "buy_all_sell_all" else 365)


@pytest.mark.highs
@pytest.mark.parametrize("name", URDB)
def test_the_core_finds_the_optimum_of_highs_on_an_urdb_tariff(name: str) -> None:
    """Where the tariff is the core's: neither cost is below the other's bound."""
    tariff = load_tariff(FOLDER / "tariffs" / "urdb" / f"{name}.json")
    site, battery = place(name, FOLDER, 365)
    began = time.process_time()
    try:
        core = bess.dispatch(site, battery, bess.Optimize(engine="core"), tariff=tariff)
    except InputError as error:
        pytest.skip(str(error))
    between = time.process_time()
    strategy = bess.Optimize(engine="highs", time_limit=SECONDS)
    highs = bess.dispatch(site, battery, strategy, tariff=tariff)
    ended = time.process_time()
    assert core.cost is not None
    assert core.gap is not None
    assert core.lower_bound is not None
    assert highs.cost is not None
    assert highs.lower_bound is not None
    print(
        f"\n{name[:58]:58} core {core.cost:14,.2f} {core.gap:8.1e} {between - began:7.2f} s"
        f"   highs {highs.cost:14,.2f} {highs.gap or 0:8.1e} {ended - between:7.1f} s",
        end="",
    )
    assert core.gap <= 1e-6
    scale = max(1.0, sum(abs(line.amount) for line in bess.bill(core, tariff).lines))
    assert core.lower_bound <= highs.cost + 1e-9 * scale
    assert highs.lower_bound <= core.cost + 1e-9 * scale
