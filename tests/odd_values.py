"""Values of every kind that a caller might hand over by mistake."""

from __future__ import annotations

import datetime
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
from hypothesis import strategies as st

import bess

_numbers = st.one_of(
    st.floats(),
    st.integers(),
    st.sampled_from([0, 1, -1, 0.5, 1e300, 5e-324, 10**400, float("nan"), float("inf"), -0.0]),
    st.sampled_from([np.float32(0.5), np.int8(3), np.float64("nan"), np.True_, Decimal("sNaN")]),
    st.sampled_from([Decimal("0.5"), Fraction(1, 3), 1j, True, False]),
)
_words = st.sampled_from(
    ["", "initial", "cyclic", "free", "AC", "1", "nan", "UTC", "\x00", "\ud800"]
)
_times = st.sampled_from(
    [
        datetime.datetime(2025, 1, 1),
        datetime.datetime(2025, 1, 1, tzinfo=datetime.UTC),
        datetime.date(2025, 1, 1),
        datetime.timedelta(hours=1),
        np.datetime64("2025-01-01"),
        np.timedelta64(1, "h"),
        pd.NaT,
        pd.Timestamp("2025-01-01T00:00Z"),
        "2025-01-01T00:00Z",
        "2025-01-01",
    ]
)
_objects = st.sampled_from(
    [
        None,
        pd.NA,
        object,
        object(),
        len,
        b"bytes",
        np.array(1.5),
        np.zeros((2, 2)),
        np.array([1, None, "a"], dtype=object),
        np.array(["a", "b", "c"]),
        np.array([True, False, True]),
        np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0]),
        pd.Series([1.0, 2.0, 3.0]),
        pd.Series([1.0, 2.0, 3.0], index=pd.date_range("2025-01-01", periods=3, freq="h")),
        pd.Series([1.0, 2.0, 3.0], index=pd.date_range("2025-01-01T00Z", periods=3, freq="h")),
        pd.Series([1.0, 2.0, 3.0], index=pd.period_range("2025-01", periods=3, freq="M")),
        pd.DataFrame({"a": [1.0]}),
        bess.Surplus(),
        bess.Battery(),
        bess.Battery,
        bess.Prices(1),
        bess.TimeOfUse.model_validate({"touPeriods": [{"fromHour": 0, "toHour": 6}]}),
        range(3),
    ]
)
_leaves = st.one_of(_numbers, _words, _times, _objects, st.text(max_size=5), st.binary(max_size=3))
_keys = st.one_of(
    st.sampled_from(["touPeriods", "fromHour", "toHour", "season", "calendar", "schedule"]),
    st.integers(),
    st.none(),
    st.text(max_size=3),
)

anything = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(_keys, inner, max_size=3),
        st.lists(_numbers, min_size=3, max_size=3),
    ),
    max_leaves=6,
)
"""Numbers of every library, words, times, arrays, pandas objects, and lists and maps of them."""
