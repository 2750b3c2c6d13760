"""Prices: numbers or series, of any sign, kept as they are."""

from __future__ import annotations

import contextlib
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from odd_values import anything

import bess

REFUSED: list[tuple[tuple[Any, ...], str]] = [
    ((None,), "import_price = None: must be a number or a series of numbers"),
    (("0.3",), "import_price = '0.3': must be a number or a series of numbers"),
    ((True,), "import_price = True: must be a number or a series of numbers"),
    ((np.nan,), "import_price = nan: must be a finite number"),
    (([0.1, np.inf],), "import_price[1] = inf: must be a finite number"),
    (([0.1, None],), "import_price[1] = None: must be a number"),
    (([],), "import_price: must have at least one value"),
    (([[0.1], [0.2]],), "import_price: must be one-dimensional, not of shape (2, 1)"),
    (([[0.1], [0.2, 0.3]],), "import_price: must be a series of numbers, one for each step"),
    ((0.1, {0.2}), "export_price = {0.2}: must be a number or a series of numbers"),
    ((0.1, [False, 0.1]), "export_price[0] = False: must be a number"),
    ((0.1, 1e300), "export_price = 1e+300: must be at most 1e+15 in size"),
]


@pytest.mark.parametrize(("prices", "message"), REFUSED, ids=[m for _, m in REFUSED])
def test_prices_that_are_no_numbers_are_refused(prices: tuple[Any, ...], message: str) -> None:
    with pytest.raises(bess.InputError) as caught:
        bess.Prices(*prices)
    assert str(caught.value) == message


def test_prices_of_another_length_than_the_horizon_are_refused_when_used() -> None:
    with pytest.raises(bess.InputError) as caught:
        bess.Prices(import_price=[1, 2]).series(3)
    assert str(caught.value) == "import_price: has 2 values; the site has 3 steps"


def test_a_number_holds_in_every_step_and_export_earns_nothing_unless_said() -> None:
    importing, exporting = bess.Prices(np.float32(0.25)).series(2)
    assert (importing.tolist(), exporting.tolist()) == ([0.25, 0.25], [0.0, 0.0])


def test_prices_may_be_negative() -> None:
    importing, exporting = bess.Prices([-0.1, 0.2], [-0.3, -0.4]).series(2)
    assert (importing.tolist(), exporting.tolist()) == ([-0.1, 0.2], [-0.3, -0.4])


def test_prices_cannot_be_changed_and_leave_the_callers_array_alone() -> None:
    own = np.array([0.1, 0.2])
    prices = bess.Prices(own)
    assert isinstance(prices.import_price, np.ndarray)
    assert np.shares_memory(prices.import_price, own)
    assert own.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        prices.import_price[0] = 5
    with pytest.raises(AttributeError, match=r"Prices.import_price cannot be changed"):
        prices.import_price = 5.0
    with pytest.raises(AttributeError, match=r"Prices.export_price cannot be changed"):
        del prices.export_price


def test_prices_survive_pickling() -> None:
    again = pickle.loads(pickle.dumps(bess.Prices([0.1, 0.2], 0.05)))
    assert isinstance(again.import_price, np.ndarray)
    assert again.import_price.tolist() == [0.1, 0.2]
    assert not again.import_price.flags.writeable
    assert again.export_price == 0.05


def test_prices_say_what_they_are() -> None:
    assert (
        repr(bess.Prices([0.1, 0.2], 0.05)) == "Prices(import_price=<2 values>, export_price=0.05)"
    )


@given(anything, anything)
def test_whatever_prices_are_made_from_they_are_prices_or_bad_input(one: Any, two: Any) -> None:
    with contextlib.suppress(bess.InputError):
        for price in bess.Prices(one, two).series(3):
            assert np.isfinite(price).all()
