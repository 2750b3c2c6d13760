"""A plane comes near the cost at its size, and is below what HiGHS finds at every other, on tariffs
with demand charges, ratchets, bands, minimum bills, netting and prices of any sign."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bills import make
from random_tariffs import random_place, random_tariff

from bess import Battery, Optimize, Site, dispatch
from bess.errors import InfeasibleError
from bess.sizing.planes import planes_of
from bess.tariff import DemandRate

AT_NOON = {
    "schedule": {"frequency": "once", "date_times": ["2025-01-26T12:00Z"]},
    "minimum_state_of_charge": 20,
    "maximum_state_of_charge": 60,
}
SIZED = ("capacity_kwh", "charge_power_kw", "discharge_power_kw")


def resized(battery: Battery, size: tuple[float, float]) -> Battery:
    update = dict(zip(SIZED, (size[0], size[1], size[1]), strict=True))
    return battery.model_copy(update=update | {"degradation_cost_per_kwh": 0.0})


def check_planes(seed: int, hours: int, *, wild: bool) -> bool:
    """Whether there were planes to be checked."""
    random = np.random.default_rng(seed)
    site, battery, scale = random_place(random, hours, wild=wild)
    tariff = random_tariff(random, site, scale, wild=wild)
    update = {"self_discharge_per_hour": 0.0}
    battery = battery.model_copy(update=update)
    largest = scale * float(random.choice([0.5, 6.0, 40.0])), scale * float(random.choice([2, 20]))
    sizes = [(largest[0] * a, largest[1] * b) for a, b in random.random((3, 2)) ** 2 + 1e-3]
    sizes = [(min(a, largest[0]), min(b, largest[1])) for a, b in sizes]
    past = [3.0 * scale, 1.5 * scale] if random.random() < 0.3 else None
    policies = (AT_NOON,) if random.random() < 0.3 else ()
    planes = planes_of(site, battery, Optimize(), tariff, policies, past, largest)
    if isinstance(planes, str):
        assert "choices" in planes
        return False
    found = [planes.at(*size) for size in sizes]
    for size in sizes:
        try:
            judged = dispatch(
                site,
                resized(battery, size),
                Optimize(engine="highs", time_limit=20),
                tariff=tariff,
                policies=policies,
                past_peaks_kw=past,
            )
        except InfeasibleError:
            continue
        assert judged.bill is not None
        assert judged.gap is not None
        paid = max(1.0, sum(abs(line.amount) for line in judged.bill.lines))
        for at, plane in zip(sizes, found, strict=True):
            if plane is None:
                continue
            below = plane.least + plane.per_kwh * (size[0] - at[0])
            below += plane.per_kw * (size[1] - at[1])
            assert below <= judged.bill.total + 1e-8 * paid
            if at == size:
                assert plane.cost >= judged.bill.total - (judged.gap + 1e-8) * paid
                is_convex = not wild and not battery.degradation_cost_per_kwh
                if is_convex and not plane.hulls:
                    assert plane.cost - plane.least <= 3e-6 * paid
    return True


@pytest.mark.highs
@pytest.mark.parametrize("wild", [False, True])
def test_planes_are_near_at_their_size_and_below_the_optimum_at_others(wild: bool) -> None:
    checked = [check_planes(seed, 60, wild=wild) for seed in range(1000, 1012)]
    assert sum(checked) > 4


@pytest.mark.parametrize(
    ("battery", "tariff", "why"),
    [
        ({}, {"metering": "buy_all_sell_all"}, "the sun has a meter of its own"),
        (
            {"terminal_state_of_charge": "cyclic"},
            {"demand_rates": (DemandRate("peak", price=2.0),)},
            "the start is free",
        ),
        ({"self_discharge_per_hour": 1e-4}, {}, "the battery discharges by itself"),
    ],
)
def test_what_has_no_planes_says_why(
    battery: dict[str, Any], tariff: dict[str, Any], why: str
) -> None:
    site = Site(load_kwh=[1.0] * 24, start="2025-01-01T00:00Z")
    stored = Battery().model_copy(update=battery)
    assert planes_of(site, stored, Optimize(), make(**tariff), (), None, (5.0, 2.0)) == why


@pytest.mark.slow
@pytest.mark.highs
@pytest.mark.parametrize("wild", [False, True])
@pytest.mark.parametrize("first", range(0, 400, 50))
def test_planes_are_so_on_many_random_tariffs(first: int, wild: bool) -> None:
    checked = [check_planes(seed, 100, wild=wild) for seed in range(first, first + 50)]
    assert sum(checked) > 20
