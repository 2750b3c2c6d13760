"""What every optimum on a tariff must be: billed as it says, feasible, certified, and least."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from reference_balances import check_balances
from reference_models import Store
from reference_optimum import Terminal, Total
from reference_tariff_optimum import tariff_optimum
from strategies import BatteryCase
from strategies_tariffs import TariffCase

import bess
from bess.tariff import Tariff

AGREE = 2e-6
"""Costs are the same within this part of the money that flows: the gap, and rounding."""


def optimal(
    case: TariffCase,
    battery: BatteryCase,
    strategy: bess.Optimize | None = None,
    emissions: bess.Emissions | None = None,
    **changes: Any,
) -> bess.Result:
    """The library's optimum of a case."""
    return bess.dispatch(
        case.site.build(),
        battery.build(**changes),
        strategy or bess.Optimize(),
        tariff=case.tariff,
        emissions=emissions,
    )


def money(bill: bess.Bill) -> float:
    """What a gap is relative to: the money of all lines, each without its sign; at least 1."""
    return max(1.0, sum(abs(line.amount) for line in bill.lines))


def check_optimum(case: TariffCase, battery: BatteryCase, result: bess.Result) -> bool:
    """Assert that a result is feasible, is billed as it says, and keeps its certificate.

    True where it is proven. Where using energy is paid for under charges on more than a step, the
    best flows of a step may lie between those that are tried: the result then says how far it is
    proven.
    """
    steps, store = case.site.steps(), battery.store(case.site)
    own_meter = case.tariff.metering == "buy_all_sell_all"
    check_balances(steps, [store], [battery.capacity], result, allow_simultaneous=own_meter)
    if own_meter:
        check_own_meter(result)
    assert result.battery_soc[-1] >= store.initial / battery.capacity - 1e-9
    bill = bess.bill(result, case.tariff)
    assert result.bill is not None
    assert result.bill.lines == bill.lines
    given = float((result.battery_to_site_kwh_ac + result.battery_to_grid_kwh_ac).sum())
    scale = money(bill)
    assert result.cost is not None
    assert abs(result.cost - bill.total - store.wear * given / store.dc_to_ac) <= 1e-9 * scale
    assert result.lower_bound is not None
    assert result.gap is not None
    assert result.lower_bound <= result.cost + 1e-9 * scale
    if result.gap > 1e-6 and has_negative_price(case.tariff):
        assert any("the gap reached is" in text for text in result.assumptions)
        return False
    assert result.gap <= 1e-6
    assert result.cost - result.lower_bound <= 1e-6 * 4 * scale
    return True


def check_own_meter(result: bess.Result) -> None:
    """The sun has a meter of its own; the site's imports or takes what the battery sells."""
    assert not result.solar_to_site_kwh_ac.any()
    bought = result.grid_to_site_kwh_ac + result.grid_to_battery_kwh_ac
    assert not (bought * result.battery_to_grid_kwh_ac).any()
    charged = result.grid_to_battery_kwh_ac + result.solar_to_battery_kwh_dc
    given = result.battery_to_site_kwh_ac + result.battery_to_grid_kwh_ac
    assert not (charged * given).any()


def check_agreement(
    case: TariffCase,
    battery: BatteryCase,
    strategy: bess.Optimize | None = None,
    totals: Sequence[Total] = (),
    emissions: bess.Emissions | None = None,
) -> None:
    """Assert that the library's optimum, under limits on sums if there are any, is the twin's."""
    store: Store = battery.store(case.site)
    end = Terminal(low=store.initial)
    twin = tariff_optimum(case.site.steps(), store, case.tariff, case.clock, end, totals)
    if twin is None and totals:
        with pytest.raises(bess.InfeasibleError):
            optimal(case, battery, strategy, emissions)
        return
    assert twin is not None
    result = optimal(case, battery, strategy, emissions)
    proven = check_optimum(case, battery, result)
    scale = max(twin.scale, money(bess.bill(result, case.tariff)))
    assert result.cost is not None
    assert result.lower_bound is not None
    if proven:
        assert result.cost <= twin.cost + AGREE * scale, "dearer than a schedule of the twin's"
    assert result.cost >= twin.cost - AGREE * scale, "cheaper than the twin says is possible"
    assert result.lower_bound <= twin.cost + 1e-8 * scale, "a bound above a schedule of the twin's"
    assert np.isfinite(result.lower_bound)


def has_negative_price(tariff: Tariff) -> bool:
    """Whether any energy is paid for being used."""
    prices = [rate.price for rate in tariff.rates]
    prices += [band.price for rate in tariff.rates for band in rate.bands]
    return min(prices) < 0
