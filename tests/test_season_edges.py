"""Seasons whose marked edges move to the edges of bills, as Arcadia/Genability publishes them.

The facts are those of its documentation of seasons: a season that begins within a bill begins with
that bill where its edge is PREDOMINANT, after it where it is SUBSERVIENT. ConEd's seasons (in its
published tariff) begin PREDOMINANT and end SUBSERVIENT: a bill in which a season changes is billed
on the new season whole.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bills import site
from tariffs import SUMMER, WINTER, horizon, load, rate, series

from bess import InputError, bill
from bess.tariff import Tariff

MARCH = {"seasonFromMonth": 3, "seasonFromDay": 15, "seasonToMonth": 9, "seasonToDay": 30}
OTHER = {"seasonFromMonth": 10, "seasonFromDay": 1, "seasonToMonth": 3, "seasonToDay": 14}
BILLS = ["2025-02-05", "2025-03-05", "2025-04-05", "2025-05-05"]


def seasons(begins: str | None, ends: str | None, summer: Any = MARCH, winter: Any = OTHER) -> Any:
    marks = {"fromEdgePredominance": begins, "toEdgePredominance": ends}
    return load(
        rate("summer", 0.3, rateGroupName="E", season=summer | marks),
        rate("winter", 0.1, rateGroupName="E", season=winter | marks),
    )


def spring(tariff: Tariff) -> list[float]:
    """What each bill from 5 February to 4 May comes to, of 1 kWh a day."""
    daily = np.tile(np.eye(24)[12], 89)
    home = site(daily, start="2025-02-05T00:00Z")
    return [round(total, 9) for total in bill(home, tariff, billing_periods=BILLS).monthly]


def test_a_season_begins_with_the_bill_that_contains_its_edge() -> None:
    """The documented example: the bill from 5 March is on summer prices whole."""
    assert spring(seasons("PREDOMINANT", "SUBSERVIENT")) == pytest.approx(
        [28 * 0.1, 31 * 0.3, 30 * 0.3]
    )


def test_a_season_may_begin_after_the_bill_that_contains_its_edge() -> None:
    assert spring(seasons("SUBSERVIENT", "PREDOMINANT")) == pytest.approx(
        [28 * 0.1, 31 * 0.1, 30 * 0.3]
    )


def test_edges_that_are_not_marked_stay() -> None:
    assert spring(seasons(None, None)) == pytest.approx([28 * 0.1, 10 * 0.1 + 21 * 0.3, 30 * 0.3])


def test_an_edge_between_two_bills_is_in_none_and_stays() -> None:
    whole = horizon("2025-01-01T00:00Z", 8760)
    moved = seasons("PREDOMINANT", "SUBSERVIENT", SUMMER, WINTER)
    plain = seasons(None, None, SUMMER, WINTER)
    assert series(moved, whole) == series(plain, whole)


def test_prices_by_step_move_with_the_months_of_the_horizon() -> None:
    """Bills from 5 February on are months from the 5th: March's price changes on the 5th."""
    prices = series(seasons("PREDOMINANT", "SUBSERVIENT"), horizon("2025-02-05T00:00Z", 24 * 89))[0]
    assert prices == [0.1] * (28 * 24) + [0.3] * (61 * 24)


def test_fixed_and_demand_charges_of_a_season_move_with_it() -> None:
    marks = {"fromEdgePredominance": "PREDOMINANT", "toEdgePredominance": "SUBSERVIENT"}
    loaded = load(
        rate("energy", 0.1),
        rate("summer fee", 30, chargeType="FIXED_PRICE", season=MARCH | marks),
        rate("summer demand", 2, chargeType="DEMAND_BASED", season=MARCH | marks),
    )
    home = site(np.ones(24 * 89), start="2025-02-05T00:00Z")
    kinds = bill(home, loaded, billing_periods=BILLS).by_kind()
    assert kinds["fixed"] == pytest.approx((0, 30, 30))
    assert kinds["demand"] == pytest.approx((0, 2, 2))


def test_edges_that_leave_a_gap_or_clash_are_refused() -> None:
    with pytest.raises(InputError, match="are of one group and both hold at 2025-03-05"):
        spring(seasons("PREDOMINANT", "PREDOMINANT"))
    with pytest.raises(InputError, match=r"none of .* holds at 2025-03-05"):
        spring(seasons("SUBSERVIENT", "SUBSERVIENT"))


def test_marks_survive_toml_and_odd_ones_are_refused() -> None:
    tariff = seasons("PREDOMINANT", "SUBSERVIENT")
    assert spring(Tariff.from_toml(tariff.to_toml())) == spring(tariff)
    with pytest.raises(InputError) as caught:
        seasons("DOMINANT", None)
    assert str(caught.value).splitlines()[0] == (
        "rates[0].season.fromEdgePredominance = 'DOMINANT': must be 'PREDOMINANT' or 'SUBSERVIENT'"
    )
