"""The slow twin of the optimum on tariffs against the bill and against every path on a grid."""

from __future__ import annotations

import numpy as np
import pytest
import strategies as cases
from hypothesis import given, settings
from reference_optimum import Terminal
from reference_tariff_optimum import grid_optimum, tariff_optimum
from strategies_rules import few
from strategies_tariffs import HORIZONS, TariffCase, tariff_cases

from bess.tariff.bill import bill_energy


def check_bill(case: TariffCase, battery: cases.BatteryCase) -> None:
    """Assert that what the twin says its flows cost is what they are billed."""
    store = battery.store(case.site)
    end = Terminal(low=store.initial)
    twin = tariff_optimum(case.site.steps(), store, case.tariff, case.clock, end)
    assert twin is not None
    imports, exports = (np.maximum(series, 0.0) for series in (twin.imports, twin.exports))
    bill = bill_energy(case.site.build(), case.tariff, imports, exports)
    assert abs(bill.total + twin.wear - twin.cost) <= 1e-7 * twin.scale


def check_grid(case: TariffCase, battery: cases.BatteryCase) -> None:
    """Assert that no path on a grid of stored energies costs less than the twin says."""
    store, steps, site = battery.store(case.site), case.site.steps(), case.site.build()
    end = Terminal(low=store.initial, high=store.highest)
    twin = tariff_optimum(steps, store, case.tariff, case.clock, end)
    assert twin is not None

    def judge(imports: list[float], exports: list[float]) -> float:
        return bill_energy(site, case.tariff, np.array(imports), np.array(exports)).total

    grid = {store.initial, *np.linspace(store.lowest, store.highest, 6).tolist()}
    least = grid_optimum(steps, store, sorted(grid), end, judge)
    assert least >= twin.cost - 1e-7 * twin.scale


@pytest.mark.highs
@settings(few, max_examples=20)
@given(tariff_cases(), cases.batteries())
def test_the_twin_bills_its_flows_as_the_library_does(
    case: TariffCase, battery: cases.BatteryCase
) -> None:
    check_bill(case, battery)


@pytest.mark.highs
@settings(few, max_examples=15)
@given(tariff_cases(max_steps=3, horizons=HORIZONS[:-1]), cases.batteries())
def test_no_path_on_a_grid_costs_less_than_the_twin(
    case: TariffCase, battery: cases.BatteryCase
) -> None:
    check_grid(case, battery)


@pytest.mark.slow
@settings(few, max_examples=1500)
@given(tariff_cases(), cases.batteries())
def test_the_twin_bills_many_flows_as_the_library_does(
    case: TariffCase, battery: cases.BatteryCase
) -> None:
    check_bill(case, battery)


@pytest.mark.slow
@settings(few, max_examples=500)
@given(tariff_cases(max_steps=4, horizons=HORIZONS[:-1]), cases.batteries())
def test_no_path_on_many_grids_costs_less_than_the_twin(
    case: TariffCase, battery: cases.BatteryCase
) -> None:
    check_grid(case, battery)
