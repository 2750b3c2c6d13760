"""Present value, payback and internal rate of return, by hand."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bess.economics.finance import (
    internal_rate_of_return,
    net_present_value,
    payback_years,
)
from bess.errors import MissingExtraError


def flows(*values: float) -> np.ndarray:
    return np.array(values, float)


@pytest.fixture
def _finance() -> None:
    pytest.importorskip("pyxirr")


def test_the_present_value_discounts_from_the_end_of_each_year() -> None:
    # -1000 + 500/1.1 + 500/1.21 + 500/1.331
    assert net_present_value(flows(-1000, 500, 500, 500), 0.1) == pytest.approx(243.4260, abs=1e-4)
    assert net_present_value(flows(-1000, 500, 500, 500), 0.0) == 500


@pytest.mark.parametrize(
    ("series", "years"),
    [
        ((-100, 40, 40, 40), 2.5),
        ((-100, 50, 50), 2.0),
        ((-100, 30, 30), None),  # never
        ((0, 10, 10), 0.0),  # nothing was paid
        ((5, 10), 0.0),
        ((0, -10, -10), None),
        ((0, -10, 30), 1 + 10 / 30),
        ((-100, 60, 60, -50, 60), 3.5),  # a replacement takes it below 0 once more
        ((-100, 150, -80), None),  # above 0 for a while
        ((-100, 0, 0, 0), None),
        ((-0.3, 0.1, 0.1, 0.1), 3.0),  # 0.1 + 0.1 + 0.1 is not 0.3 in binary
        ((0, 0), 0.0),
    ],
)
def test_payback_is_when_the_sum_reaches_zero_for_good(
    series: tuple[float, ...], years: float | None
) -> None:
    assert payback_years(flows(*series)) == (None if years is None else pytest.approx(years))


def test_discounted_payback_is_later() -> None:
    # At 10 %: 45.45 + 41.32 of 100 after two years; 13.22 of 37.57 in the third.
    assert payback_years(flows(-100, 50, 50, 50), 0.1) == pytest.approx(2 + 13.2231 / 37.5657)


@pytest.mark.usefixtures("_finance")
@pytest.mark.parametrize(
    ("series", "rate"),
    [
        ((-100, 110), 0.1),
        ((-100, 0, 121), 0.1),
        ((-100, 60, 72), 0.2),
        ((-100, 50, 30), -0.147920),  # money lost: 50 x + 30 x² = 100 at x = 1.17360
        ((-1, 2000), 1999.0),
        ((-100, 30, 30), -0.282109),
        ((0, -100, 110), 0.1),
        ((0, 10, 10), None),  # no outlay
        ((-100, 0, 0), None),  # no return
        ((-100, -5), None),
        ((0, 0), None),
        ((-100, 230, -132), None),  # 10 % and 20 % both
        ((-100, 100, -100), None),  # two changes of sign, and no rate at all
        ((-100, 300, -50), 1.822876),  # and -82 %, which nobody means
        ((-1000, *[200] * 10, -500), 0.115781),  # a late cost: a negative rate as well
    ],
)
def test_the_internal_rate_of_return(series: tuple[float, ...], rate: float | None) -> None:
    found = internal_rate_of_return(flows(*series))
    assert found == (None if rate is None else pytest.approx(rate, abs=1e-6))


@pytest.mark.usefixtures("_finance")
@given(st.floats(100, 1e6), st.lists(st.floats(1, 1e5), min_size=1, max_size=40))
def test_at_its_internal_rate_of_return_an_investment_is_worth_nothing(
    cost: float, returns: list[float]
) -> None:
    series = flows(-cost, *returns)
    rate = internal_rate_of_return(series)
    if rate is None:  # it lies below -99 %
        assert net_present_value(series, -0.99) < 0
    else:
        assert abs(net_present_value(series, rate)) <= 1e-6 * (cost + abs(series).max())


def test_without_the_extra_the_rate_of_return_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyxirr", None)
    with pytest.raises(MissingExtraError, match=r"needs an extra: pip install .*\[finance\]"):
        internal_rate_of_return(flows(-100, 110))
