"""What a user may hand over as numbers: taken as it is, converted, or refused by its position."""

from __future__ import annotations

import array
import contextlib
import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from odd_values import anything

import bess
from bess._arrays import broadcast, number, series

NAN, INF = math.nan, math.inf


class Raising:
    """An object whose conversion to an array fails in a way of its own."""

    ndim = 1

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("detach it first")


BAD_SERIES = [
    ([1, NAN, NAN], "x[1] = nan: must be a finite number (1 more like it)"),
    ([1, INF, -INF], "x[1] = inf: must be a finite number (1 more like it)"),
    ([1.0, -0.5], "x[1] = -0.5: must be at least 0"),
    ([-1, -2, -3], "x[0] = -1.0: must be at least 0 (2 more like it)"),
    ([0, 1e16], "x[1] = 1e+16: must be at most 1e+15 in size"),
    ([10**400], f"x[0] = {str(10**400)[:77]}...: must be a finite number"),
    ([1, None], "x[1] = None: must be a number"),
    ([1, "2"], "x[1] = '2': must be a number"),
    (["1", "2"], "x[0] = '1': must be a number"),
    ([True, False], "x[0] = True: must be a number"),
    ([1.5, True], "x[1] = True: must be a number"),
    ((1.5, np.False_), "x[1] = np.False_: must be a number"),
    ([1, 2j], "x[1] = 2j: must be a number"),
    ([1, Decimal("NaN")], "x[1] = Decimal('NaN'): must be a finite number"),
    ([Decimal("sNaN")], "x[0] = Decimal('sNaN'): must be a finite number"),
    ([Decimal(-1)], "x[0] = -1.0: must be at least 0"),
    ([pd.NaT, 1], "x[0] = NaT: must be a number"),
    ([pd.NA], "x[0] = <NA>: must be a number"),
    ([1, [2]], "x: must be a series of numbers, one for each step"),
    ([[1, 2]], "x: must be one-dimensional, not of shape (1, 2)"),
    (np.zeros((2, 1)), "x: must be one-dimensional, not of shape (2, 1)"),
    (pd.DataFrame({"load": [1, 2]}), "x: must be one-dimensional, not of shape (2, 1)"),
    ([], "x: must have at least one value"),
    (np.array([True]), "x[0] = True: must be a number"),
    (np.array([1, "a"], dtype=object), "x[1] = 'a': must be a number"),
    (np.array([1, True], dtype=object), "x[1] = True: must be a number"),
    (np.array(["2025-01-01"], "M8[D]"), "x[0] = datetime.date(2025, 1, 1): must be a number"),
    (np.ma.array([1.0, 2.0], mask=[False, True]), "x[1]: is masked: fill in what is missing"),
    (pd.Series([1.0, None]), "x[1] = nan: must be a finite number"),
    (pd.Series([1, None], dtype="Int64"), "x[1] = nan: must be a finite number"),
    (pd.Series(["a", "b"]), "x[0] = 'a': must be a number"),
    (Raising(), "x: must be a series of numbers, one for each step"),
    ("12", "x = '12': must be a series of numbers"),
    (b"12", "x = b'12': must be a series of numbers"),
    (12, "x = 12: must be a series of numbers"),
    (None, "x = None: must be a series of numbers"),
    ({1, 2}, "x = {1, 2}: must be a series of numbers"),
    ({"a": 1}, "x = {'a': 1}: must be a series of numbers"),
    (np.array(3.0), "x = array(3.): must be a series of numbers"),
]


@pytest.mark.parametrize(("values", "message"), BAD_SERIES, ids=[m for _, m in BAD_SERIES])
def test_a_series_is_refused_by_the_first_value_that_is_none(values: Any, message: str) -> None:
    with pytest.raises(bess.InputError) as caught:
        series(values, "x", minimum=0.0)
    assert str(caught.value) == message


def test_a_series_of_another_length_than_the_site_is_refused() -> None:
    with pytest.raises(bess.InputError) as caught:
        series([1, 2, 3], "power_kw", steps=2)
    assert str(caught.value) == "power_kw: has 3 values; the site has 2 steps"


@pytest.mark.parametrize(
    "values",
    [
        [1, 2.5],
        (1, 2.5),
        [np.float32(1), np.int64(2) + 0.5],
        [Decimal(1), Decimal("2.5")],
        [Fraction(1), Fraction(5, 2)],
        np.array([1, 2.5], np.float32),
        np.array([1, 2.5], ">f8"),
        np.array([1, 2.5], np.longdouble),
        np.array([1, 2.5], object),
        np.array([1, 0, 2.5, 0])[::2],
        np.ma.array([1, 2.5]),
        array.array("d", [1, 2.5]),
        memoryview(array.array("d", [1, 2.5])),
        pd.Series([1, 2.5]),
        pd.array([1, 2.5], dtype="Float64"),
        pd.Index([1, 2.5]),
    ],
    ids=lambda values: type(values).__name__,
)
def test_numbers_of_any_library_become_the_same_series(values: Any) -> None:
    got = series(values, "x")
    assert got.dtype == np.float64
    assert got.flags.c_contiguous
    assert not got.flags.writeable
    assert got.tolist() == [1.0, 2.5]


def test_integers_and_ranges_are_numbers() -> None:
    assert series(range(3), "x").tolist() == [0.0, 1.0, 2.0]
    assert series(np.array([1, 2], np.uint8), "x").tolist() == [1.0, 2.0]


def test_an_array_that_is_already_right_is_neither_copied_nor_changed() -> None:
    own = np.array([1.0, 2.0])
    taken = series(own, "x")
    assert np.shares_memory(own, taken)
    assert own.flags.writeable
    assert own.tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="read-only"):
        taken[0] = 5.0


BAD_NUMBERS = [
    (True, "x = True: must be a number"),
    (np.True_, "x = np.True_: must be a number"),
    ("1", "x = '1': must be a number"),
    (None, "x = None: must be a number"),
    ([1], "x = [1]: must be a number"),
    (np.array([1.0]), "x = array([1.]): must be a number"),
    (1j, "x = 1j: must be a number"),
    (NAN, "x = nan: must be a finite number"),
    (-INF, "x = -inf: must be a finite number"),
    (Decimal("sNaN"), "x = Decimal('sNaN'): must be a finite number"),
    (10**400, f"x = {str(10**400)[:77]}...: must be a finite number"),
    (2e15, "x = 2000000000000000.0: must be at most 1e+15 in size"),
    (-3, "x = -3: must be at least 0"),
    (np.timedelta64(1, "h"), "x = np.timedelta64(1,'h'): must be a number"),
]


@pytest.mark.parametrize(("value", "message"), BAD_NUMBERS, ids=[m for _, m in BAD_NUMBERS])
def test_a_number_is_refused_as_the_caller_wrote_it(value: Any, message: str) -> None:
    with pytest.raises(bess.InputError) as caught:
        number(value, "x", minimum=0.0)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "value", [0.5, np.float32(0.5), np.array(0.5), Decimal("0.5"), Fraction(1, 2), np.float64(0.5)]
)
def test_a_number_of_any_library_is_a_float(value: Any) -> None:
    got = number(value, "x")
    assert type(got) is float
    assert got == 0.5


def test_one_number_stands_for_every_step() -> None:
    whole = broadcast(np.int16(2), "x", 3)
    assert whole.tolist() == [2.0, 2.0, 2.0]
    assert not whole.flags.writeable
    assert broadcast([1, 2, 3], "x", 3).tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("value", ["all", True, None, {1: 2}])
def test_what_is_neither_one_number_nor_a_series_is_refused(value: Any) -> None:
    with pytest.raises(bess.InputError) as caught:
        broadcast(value, "x", 2)
    assert str(caught.value) == f"x = {value!r}: must be a number or a series of numbers"


@given(anything)
def test_anything_is_a_series_of_finite_numbers_or_bad_input(values: Any) -> None:
    try:
        got = series(values, "x", minimum=0.0)
    except bess.InputError:
        return
    assert got.ndim == 1
    assert np.isfinite(got).all()
    assert (got >= 0).all()


@given(anything)
def test_anything_is_a_finite_number_or_bad_input(value: Any) -> None:
    with contextlib.suppress(bess.InputError):
        assert math.isfinite(number(value, "x"))
